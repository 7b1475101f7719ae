"""A rough life of the whole mailbox path ends in the same bytes as a calm one.

Both run the app through its real webhook, queue functions and timers, on a clock that goes on to whatever comes next. In the
rough one Graph loses a fifth of its notifications, doubles a fifth, and shuffles and delays them all; it throttles for 1 to 600
seconds, fails, cuts connections and forgets its delta links; workers die at arbitrary calls; and at last the app is down for so
long that all subscriptions expire. The simulator's own record then tells whether a limit was passed or anything asked for that
must not be.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from local.graph.messages import BODY_FIELDS
from local.tokens import TENANT
from shared import insights, partitions, stamps, tables
from shared.graph import administration, consent_state, copies, runs
from shared.graph.administration import Choice
from shared.graph.consent import State
from shared.keys import keys
from shared.kpi.interactions import Kind
from shared.kpi.noise import is_automatic
from shared.membership import person_anchor
from shared.recompute import computation
from shared.snapshots import snapshot
from tests.doubles.mailboxes import ANNA, BEN, KIM, reading_from, tell_the_crm
from tests.doubles.virtual_app import VirtualApp, running_app
from tests.local.graph_process import RunningGraph, running_graph

HOUR, DAY = 3_600, 86_400
# Ahead of the clock by which the simulator gave its consent; five hours later the daily timer looks for new folders.
START = (int(time.time()) // DAY + 1) * DAY + 21 * HOUR
CARL = "carl@us.example"  # has a mailbox and none of the chosen roles
OWNERS = (ANNA, BEN)
PAST_DAYS = 44
RETRY_AFTER = ("1", "30", "179", "180", "200", "600", None)
DEAL, KNOWN = "opportunity:c1", "contact:b1"
LISTED = [{"name": "List-Id", "value": "<news.cust.example>"}]
ABSENT = [{"name": "Auto-Submitted", "value": "auto-replied"}]
THERE_ARE = {"mails": 28, "automatic": 1, "meetings": 8}  # what `_live` and `_fill` leave behind


def _at(hours: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + hours * HOUR))


def _mail(graph: RunningGraph, name: str, hours: float, sender: str, to: list[str], **more: Any) -> None:
    """One mail in the Inbox of each recipient of ours and in the sender's Sent Items, Carl's too."""
    facts = {"from": sender, "to": to, "internetMessageId": f"<{name}@example>", "at": _at(hours), **more}
    facts["conversationId"] = name
    for owner in (*OWNERS, CARL):
        if owner == sender or owner in to:
            graph.control.mail(owner, **facts, folder="sentitems" if owner == sender else "inbox")


def _meeting(graph: RunningGraph, name: str, hours: float) -> list[dict[str, Any]]:
    """One meeting of Anna, Ben and Kim, as both calendars hold it."""
    facts = {"start": _at(hours), "end": _at(hours + 1), "organizer": ANNA, "attendees": [KIM, BEN], "iCalUId": name}
    return [graph.control.event(owner, **facts) for owner in OWNERS]


def _fill(graph: RunningGraph) -> None:
    """The past: what is there before anybody reads."""
    for day in range(2, PAST_DAYS, 4):
        _mail(graph, f"past-{day}", -24 * day, KIM, [ANNA, BEN, CARL], quiet=True)
    for day in range(3, PAST_DAYS, 6):
        _meeting(graph, f"past-{day}", -24 * day)


def _live(app: VirtualApp, rough: bool) -> None:
    """Five hours in which things arrive, move and go; then ten days in which the app is down, and some hours after them."""
    graph = app.graph
    meetings = _meeting(graph, "deleted", -30), _meeting(graph, "moved", -40)
    for step in range(1, 11):
        hours = step / 2
        app.run_until(START + hours * HOUR)
        _mail(graph, f"in-{step}", hours, KIM, [ANNA, BEN] if step % 2 else [BEN])
        if step % 3 == 0:
            _mail(graph, f"out-{step}", hours + 0.1, ANNA, [KIM, CARL])
        if step % 4 == 1:
            _mail(graph, f"news-{step}", hours, "news@cust.example", [ANNA, BEN], internetMessageHeaders=LISTED)
        if step == 5:
            _mail(
                graph, "absent", hours + 0.2, KIM, [BEN], internetMessageHeaders=ABSENT, inferenceClassification="other"
            )
        if step == 2:
            graph.control.post(f"mailboxes/{ANNA}/folders", names=["projects"])
        if step == 3:
            _filed(graph, "projects", hours)
        if step == 4:
            for owner, event in zip(OWNERS, meetings[0], strict=True):
                graph.control.delete(f"mailboxes/{owner}/events/{event['id']}")
        if step == 6:
            for owner, event in zip(OWNERS, meetings[1], strict=True):
                path = f"mailboxes/{owner}/events/{event['id']}"
                graph.control("PATCH", path, {"start": _at(-39), "end": _at(-38)})
        if rough:
            _worse(graph, step)
    app.run_until(START + 6 * HOUR)
    _fall_silent(app, rough)


def _filed(graph: RunningGraph, folder: str, hours: float) -> None:
    """A mail that a rule has put into a folder which was not there when reading began."""
    facts = {"from": KIM, "to": [ANNA], "internetMessageId": "<filed@example>", "at": _at(hours)}
    graph.control.mail(ANNA, **facts, folder=folder, conversationId="filed")


def _worse(graph: RunningGraph, step: int) -> None:
    """What Graph may do on top of it, each at its step."""
    known = graph.control.get("subscriptions")
    if step == 2:
        for owner in OWNERS:
            graph.control.post(f"mailboxes/{owner}/forget-delta")
    if step == 3 and known:
        graph.control.post(f"subscriptions/{known[0]['id']}/lifecycle", event="subscriptionRemoved")
    if step == 5 and known:
        graph.control.post(f"subscriptions/{known[-1]['id']}/lifecycle", event="missed")
    if step == 6:
        for owner in OWNERS:
            graph.control.post(f"mailboxes/{owner}/forget-delta", status=400, code="SyncStateNotFound")
    if step == 9:
        for each in known:
            graph.control.post(f"subscriptions/{each['id']}/lifecycle", event="reauthorizationRequired")


def _fall_silent(app: VirtualApp, rough: bool) -> None:
    app.is_down = True
    for day in (2, 5):
        _mail(app.graph, f"silent-{day}", 24 * day, KIM, [ANNA])
    app.advance_to(START + 10 * DAY)
    assert app.graph.control.get("subscriptions") == []
    app.is_down = False
    app.run_until(START + 10 * DAY + 2 * HOUR)
    if rough:
        app.rate = 0.0
        app.graph.control.delete("faults")
        app.graph.control.behaviour(loss=0.0, duplication=0.0, shuffle=False, notificationDelay=0.0)
    app.run_until(START + 10 * DAY + 9 * HOUR)


def _make_rough(app: VirtualApp) -> None:
    control = app.graph.control
    control.behaviour(loss=0.2, duplication=0.2, shuffle=True, notificationDelay=900.0, itemsPerPost=3)
    control.behaviour(emptyPages=1, repeatItems=True, replayPages=True, deltaLag=60.0, createdOnMove=True)
    control.behaviour(notifyBeforeCreate=True, ghostOnSend=True, reauthorizeEvery=3 * HOUR)
    reads = "users/.*(messages|calendarView|mailFolders)"
    for seconds in RETRY_AFTER:
        control.fault(reads, "throttle", rate=0.006, retryAfter=seconds)
    for kind, fault in (("status", {"status": 503}), ("status", {"status": 500}), ("reset", {}), ("empty", {})):
        control.fault(reads, kind, rate=0.01, **fault)
    control.fault("messages/delta", "syncStateLost", rate=0.02)
    control.fault("subscriptions", "status", rate=0.03, status=503)
    app.rate = 0.004


@contextmanager
def _life(folder: Path, rough: bool, seed: int = 1) -> Iterator[VirtualApp]:
    """A new tenant with a simulator of its own, whose whole life is over when this gives the app."""
    for table in tables.service().list_tables():
        tables.service().delete_table(table.name)
    with ExitStack() as held:
        patch = held.enter_context(pytest.MonkeyPatch.context())
        graph = held.enter_context(running_graph(folder, mailboxes=[*OWNERS, CARL]))
        patch.setattr(runs, "PAST", PAST_DAYS * DAY)
        held.enter_context(reading_from(graph, patch, TENANT, GRAPH_MODE="push"))
        app = held.enter_context(running_app(graph, patch, START, seed))
        graph.control.post("seed", seed=seed)
        _fill(graph)
        tell_the_crm()
        if rough:
            _make_rough(app)
        administration.enable(Choice(roles=["salesperson"]), "admin", START)
        _live(app, rough)
        yield app


def _stored() -> dict[str, bytes]:
    """All that is held of mail and meetings: each partition's facts by key, and the index of copies.

    Revisions count how often something changed, and differ; nothing that is shown follows from them.
    """
    names = {row["PartitionKey"] for row in tables.scan("activities", ["PartitionKey"])}
    found = {name: _facts(name) for name in names}
    for row in tables.scan(copies.TABLE):
        found[f"{row['PartitionKey']} {row['RowKey']}"] = msgspec.json.encode(
            [row["copy"], row["group"], row["alternate"], row["digest"]]
        )
    return {name: content for name, content in found.items() if content}


def _facts(partition: str) -> bytes:
    entries = partitions.read(partition).live
    entries = entries.take(np.argsort(entries.facts.key, kind="stable"))
    columns = [getattr(entries.facts, name) for name in entries.facts.__dataclass_fields__]
    if not len(entries):
        return b""
    return b"|".join(np.ascontiguousarray(column).tobytes() for column in columns if isinstance(column, np.ndarray))


def _answers(now: int) -> dict[str, bytes]:
    """What widgets show of the deal and the contact at an instant; how far mailboxes are read is no part of it."""
    found = {}
    for record in (DEAL, KNOWN):
        computed, _ = computation(record, now, stamps.read()) or pytest.fail("there is no such record")
        found[record] = msgspec.json.encode(snapshot(replace(computed, mailboxes=None), now, now, 0).widgets)
    return found


@pytest.mark.usefixtures("storage")
def test_a_rough_life_ends_in_the_bytes_of_a_calm_one(tmp_path: Path) -> None:
    end = START + 11 * DAY
    with _life(tmp_path / "calm", rough=False) as app:
        assert consent_state.read().state is State.LIVE
        calm, shown = _stored(), _answers(end)
        with_kim = partitions.read(person_anchor(keys().address(KIM))).live.facts
        mail, meeting = with_kim.kind == Kind.EMAIL, with_kim.kind == Kind.MEETING
        found = {"mails": mail, "automatic": mail & is_automatic(with_kim), "meetings": meeting}
        assert {name: int(chosen.sum()) for name, chosen in found.items()} == THERE_ARE
    with _life(tmp_path / "rough", rough=True) as app:
        assert consent_state.read().state is State.LIVE
        assert _stored() == calm
        assert _answers(end) == shown
        # Nobody forgot to say that a record must be computed again: the stored snapshot knows as much.
        stored = insights.read(DEAL)
        assert stored
        volumes = msgspec.json.decode(shown[DEAL])["volumes"]
        assert msgspec.json.decode(stored.body)["widgets"]["volumes"] == volumes
        _check_the_record_of(app)


def _check_the_record_of(app: VirtualApp) -> None:
    """What the simulator wrote down of the rough life."""
    control = app.graph.control
    struck = {entry["fault"] for entry in control.get("requests")}
    assert {"throttle", "status", "reset", "empty", "syncStateLost"} <= struck
    assert app.deaths > 5
    counts = control.get("notifications")["counts"]
    assert counts["lost"] > 5 and counts["delivered"] > counts["lost"]

    report = control.get("report")
    never = ("withBodyFields", "retriesByLibrary", "tokensToForeignHost", "outsideScope")
    assert {name: report[name] for name in never} == dict.fromkeys(never, 0)
    assert report["mostConcurrent"] <= 4
    # Who dies with a refusal in the hand has told nobody of it; apart from that no limit was passed.
    assert report["overLimit"] == report["duringThrottle"] <= app.forgotten_throttles

    entries = control.get("requests")
    chosen = {user["id"] for user in control.get("users") if user["mail"] in OWNERS}
    assert {entry["mailbox"] for entry in entries if entry["mailbox"]} == chosen
    first = [entry for entry in entries if entry["mailbox"] and entry["method"] == "GET" and not _is_link(entry)]
    assert first and all("$select" in entry["query"] for entry in first)
    assert not any(BODY_FIELDS & set(entry["query"]["$select"].split(",")) for entry in first)


def _is_link(entry: dict[str, Any]) -> bool:
    """Whether the simulator gave this address, with the fields of the first page in it."""
    return bool({"$deltatoken", "$skiptoken", "$skip"} & entry["query"].keys())
