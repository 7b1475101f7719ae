"""Reading the past of several mailboxes while workers die: every piece is asked for once, but for the one that broke off."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from local.tokens import TENANT
from shared import partitions
from shared.graph import administration, consent_state, mailboxes
from shared.graph.administration import Choice
from shared.graph.consent import State
from shared.keys import keys
from shared.membership import person_anchor
from tests.doubles.mailboxes import KIM, reading_from, tell_the_crm
from tests.doubles.virtual_app import VirtualApp, running_app
from tests.local.graph_process import RunningGraph, running_graph

HOUR, DAY = 3_600, 86_400
START = (int(time.time()) // DAY + 1) * DAY  # ahead of the clock by which the simulator gave its consent
OWNERS = [f"seller{number}@us.example" for number in range(4)]
MAILS = 30
_WINDOW = re.compile(r"receivedDateTime ge (\S+) and receivedDateTime lt (\S+)")


def _fill(graph: RunningGraph) -> None:
    for number, owner in enumerate(OWNERS):
        for mail in range(MAILS):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START - (mail * 12 + number) * DAY - HOUR))
            ours = mail % 2
            facts = {"from": owner if ours else KIM, "to": [KIM if ours else owner], "at": at, "quiet": True}
            graph.control.mail(owner, **facts, folder="sentitems" if ours else "inbox")


def _listed(app: VirtualApp) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """The windows of mail that were answered, by mailbox and folder, in the order of asking."""
    found = defaultdict(list)
    for entry in app.graph.control.get("requests", status=200):
        if match := _WINDOW.search(entry["query"].get("$filter", "")):
            start, end = (datetime.fromisoformat(text).timestamp() for text in match.groups())
            found[entry["mailbox"], entry["path"]].append((start, end))
    return found


@pytest.mark.usefixtures("storage")
def test_after_a_kill_reading_the_past_goes_on_where_it_stood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users: list[dict[str, Any]] = [
        {
            "entity": "user", "id": f"u{number}", "version": 1, "operation": "upsert",
            "attributes": {"name": owner, "emails": [owner], "roles": ["salesperson"]},
        }
        for number, owner in enumerate(OWNERS)
    ]  # fmt: skip
    with (
        running_graph(tmp_path, mailboxes=OWNERS) as graph,
        reading_from(graph, monkeypatch, TENANT, GRAPH_MODE="push"),
        running_app(graph, monkeypatch, START) as app,
    ):
        _fill(graph)
        tell_the_crm(users)
        administration.enable(Choice(roles=["salesperson"]), "admin", START)
        app.rate = 0.01
        app.run_until(START + 2 * HOUR)
        app.rate = 0.0
        app.run_until(START + 4 * HOUR)

        assert app.deaths > 3
        assert consent_state.read().state is State.LIVE
        held = [one for one in mailboxes.read_all() if one.state == "connected"]
        assert len(held) == len(OWNERS) and all(one.is_backfilled for one in held)
        assert len(partitions.read(person_anchor(keys().address(KIM))).live.facts) == MAILS * len(OWNERS)

        listed = _listed(app)
        assert len(listed) == 3 * len(OWNERS)  # Inbox, Sent Items, archive
        repeated = 0
        targets = {one.id: one.target for one in held}
        for (mailbox, _), windows in listed.items():
            for (start, end), (next_start, next_end) in pairwise(windows):
                # Older and older, without a hole; a piece that broke off begins where it began.
                assert next_end in (start, end) and next_start < next_end
                repeated += next_end == end
            assert windows[-1][0] == targets[mailbox]
        # The piece under way, in each of its folders, is all that a death costs.
        assert 0 < repeated <= app.deaths * 3
        # A year is seven pieces (1, 2, 4, 8 and thrice 13 weeks); whoever goes on after a death begins with a week again.
        assert sum(map(len, listed.values())) <= 7 * len(listed) + app.deaths * 3 * 5
