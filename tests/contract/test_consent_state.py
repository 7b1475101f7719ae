"""The consent in force: one of two transitions wins, each is recorded; the consent page's answer is never trusted."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from local.tokens import TENANT
from shared import choices
from shared.errors import ConflictError, ForbiddenError, InvalidInputError, UnavailableError
from shared.graph import administration as admin
from shared.graph import consent, consent_state, lifecycle, probe, timers
from shared.graph.administration import Choice, Returned
from shared.graph.client import graph as client
from shared.graph.consent import Scope, State
from shared.keys import keys
from tests.doubles.mailboxes import reading_from, tell_the_crm
from tests.local.graph_process import POLL, RunningGraph, running_graph

SALES = Scope(roles=("salesperson",))
NOW = int(time.time())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGraph]:
    folder: Path = tmp_path_factory.mktemp("graph")
    with running_graph(folder, mailboxes=["anna@us.example", "ben@us.example"], options=["--no-consent"]) as found:
        yield found


@pytest.fixture
def graph(
    running: RunningGraph, storage: object, queues: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningGraph]:
    """A tenant that has consented to nothing, and a CRM that knows both sellers."""
    running.control.post("reset")
    running.control.post("consent", withdraw=True, principal=False)
    for permission in ("Mail.Read", "Calendars.Read"):
        running.control.post("scope", permission=permission, mailboxes=[])
    with reading_from(running, monkeypatch, TENANT, CONSENT_REDIRECT_URL="http://127.0.0.1/admin"):
        tell_the_crm()
        yield running


def give(graph: RunningGraph, mailboxes: Any = "*") -> None:
    graph.control.post("consent", grant=True, principal=True)
    for permission in ("Mail.Read", "Calendars.Read"):
        graph.control.post("scope", permission=permission, mailboxes=mailboxes)


def enable() -> None:
    consent_state.change(lambda held: consent.enable(held, SALES, NOW), NOW, "admin")


def test_probe_passes_only_with_roles_and_a_mailbox_that_can_be_read(graph: RunningGraph) -> None:
    enable()
    assert lifecycle.passes_now(NOW) is False
    graph.control.post("consent", grant=True, principal=True)
    assert lifecycle.passes_now(NOW) is False  # consented, but no mailbox is opened to us in Exchange
    give(graph, ["ben@us.example"])
    assert lifecycle.passes_now(NOW) is True  # one of two suffices


def test_a_service_that_is_away_is_no_evidence(graph: RunningGraph) -> None:
    give(graph)
    enable()
    graph.control.fault("inbox/messages", "status", status=503)
    assert lifecycle.passes_now(NOW) is None


def test_a_role_that_was_taken_away_is_seen_while_older_tokens_still_work(graph: RunningGraph) -> None:
    give(graph)
    enable()
    assert lifecycle.check(NOW, "test")
    assert client().get("/users", {"$select": "id"})  # a token that is kept
    graph.control.post("consent", withdraw=["User.ReadBasic.All"])
    assert client().get("/users", {"$select": "id"})
    assert probe.token_passes(client(), SALES) is False


def test_withdrawn_on_the_second_failure_15_minutes_later_and_back_when_proven_again(graph: RunningGraph) -> None:
    give(graph)
    enable()
    lifecycle.check(NOW, "test")
    graph.control.post("consent", withdraw=True, principal=False)
    for passed, state in (
        (60, State.BACKFILL),
        (61, State.BACKFILL),
        (60 + 900, State.WITHDRAWN),
        (5000, State.WITHDRAWN),
    ):
        lifecycle.check(NOW + passed, "test")
        assert consent_state.read().state is state
    give(graph)
    lifecycle.check(NOW + 9000, "test")
    assert consent_state.read().state is State.BACKFILL
    assert [event.name for event in consent_state.history()] == ["T1", "T2", "suspect", "T8", "T10"]


def test_deadline_with_a_failed_probe_switches_off(graph: RunningGraph) -> None:
    enable()
    lifecycle.check(NOW + consent.PERIOD - 1, "timer")
    assert consent_state.read().state is State.PENDING_CONSENT
    lifecycle.check(NOW + consent.PERIOD, "timer")
    assert consent_state.read().state is State.AUTO_OFF
    assert admin.status(NOW + consent.PERIOD).banner == "consentAutoOff"


@pytest.mark.parametrize("scope", ["nobody", "no mailbox"])
def test_a_scope_without_a_mailbox_ends_at_the_deadline(graph: RunningGraph, scope: str) -> None:
    """The permissions are there, so nothing refuses; but nothing proves the consent either."""
    give(graph)
    if scope == "nobody":
        consent_state.change(lambda held: consent.enable(held, Scope(groups=("gone",)), NOW), NOW, "admin")
    else:
        enable()
        graph.control.fault("/messages", "status", status=404, code="MailboxNotEnabledForRESTAPI")
    lifecycle.check(NOW + consent.PERIOD - 1, "timer")
    assert consent_state.read().state is State.PENDING_CONSENT
    lifecycle.check(NOW + consent.PERIOD, "timer")
    assert consent_state.read().state is State.AUTO_OFF


def test_a_service_that_is_away_at_the_deadline_is_waited_for(graph: RunningGraph) -> None:
    give(graph)
    enable()
    graph.control.fault("inbox/messages", "status", status=503)
    lifecycle.check(NOW + consent.PERIOD, "timer")
    assert consent_state.read().state is State.PENDING_CONSENT


def test_once_proven_an_empty_scope_is_no_withdrawal(graph: RunningGraph) -> None:
    give(graph)
    enable()
    lifecycle.check(NOW, "test")
    consent_state.change(lambda held: consent.enable(held, Scope(groups=("gone",)), NOW), NOW, "admin")
    for passed in (60, 1_000, 5_000):
        lifecycle.check(NOW + passed, "test")
    assert (consent_state.read().state, consent_state.read().suspect_since) == (State.BACKFILL, 0)


def test_reminders_are_recorded_and_the_banner_counts_the_days(graph: RunningGraph) -> None:
    enable()
    for day in (7, 7, 12, 13):
        timers.consent_check(NOW + (day - 1) * consent.DAY)
    assert [event.name for event in consent_state.history()] == ["T1", "reminder7", "reminder12", "reminder13"]
    shown = admin.status(NOW + 12 * consent.DAY, "de")
    assert (shown.banner, shown.day, shown.days_left, shown.reminded) == ("consentPending", 13, 2, 13)
    assert shown.banner_text.startswith("Zustimmung steht aus: Tag 13 von 14, noch 2 Tage.")
    assert shown.history[-1].transition == "reminder13"


def test_one_of_two_transitions_wins(graph: RunningGraph) -> None:
    enable()
    steps = [
        lambda held: consent.probed(held, True, NOW + consent.PERIOD),
        lambda held: consent.probed(held, False, NOW + consent.PERIOD),
    ]
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: consent_state.change(steps[n % 2], NOW + consent.PERIOD, "race"), range(8)))
    history = list(consent_state.history())
    assert len([event for event in history if event.name in ("T2", "T3")]) == 1
    assert len(history) == 1 + len([one for one in done if one])  # each is recorded, and nothing else
    assert all(one.after == two.before for one, two in itertools.pairwise(history))


def asked(graph: RunningGraph, who: str = "me") -> str:
    return parse_qs(urlsplit(admin.consent_link(who, int(time.time())).url).query)["state"][0]


@pytest.mark.parametrize("who", ["me"])
def test_answer_of_the_consent_page(graph: RunningGraph, who: str) -> None:
    enable()
    state = asked(graph)
    refused = Returned(state=asked(graph), tenant=TENANT, admin_consent="True", error="consent_required")
    with pytest.raises(ConflictError):
        admin.consent_returned(refused, who, TENANT)  # says admin_consent=True all the same
    for forged in (
        Returned(state="guessed", tenant=TENANT, admin_consent="True"),
        Returned(state="", tenant=TENANT, admin_consent="True"),
        Returned(state=asked(graph, "somebody else"), tenant=TENANT, admin_consent="True"),
        Returned(state=asked(graph), tenant="another", admin_consent="True"),
    ):
        with pytest.raises(ForbiddenError):
            admin.consent_returned(forged, who, TENANT)
    with pytest.raises(ForbiddenError):
        admin.consent_returned(Returned(state=asked(graph), tenant=TENANT, admin_consent="True"), who, "another")
    good = Returned(state=state, tenant=TENANT, admin_consent="True")
    assert admin.consent_returned(good, who, TENANT).state == "PENDING_CONSENT"  # a probe decides, not the page
    with pytest.raises(ForbiddenError):
        admin.consent_returned(good, who, TENANT)


def test_preview_shows_whom_and_which_fields(graph: RunningGraph) -> None:
    give(graph)
    shown = admin.previewed(Choice(roles=["salesperson"]))
    assert (shown.source, shown.groups_listed, shown.empty_roles) == ("directory", True, [])
    assert [one.address for one in shown.mailboxes] == sorted(
        ["anna@us.example", "ben@us.example"], key=lambda a: _id(graph, a)
    )
    assert "subject" not in shown.message_fields and shown.limited_by == "exchange"
    assert not any("mailFolders" in entry["path"] for entry in graph.control.get("requests"))
    with pytest.raises(InvalidInputError):
        admin.previewed(Choice())


def test_before_consent_the_preview_shows_what_the_crm_knows(graph: RunningGraph) -> None:
    shown = admin.previewed(Choice(roles=["Salesperson"]))
    assert [one.address for one in shown.mailboxes] == ["anna@us.example", "ben@us.example"]
    assert (shown.source, shown.groups_listed) == ("crm", True)
    assert shown.volume.messages > 0 and "subject" not in shown.message_fields
    graph.control.fault("/users", "status", status=503)
    give(graph)
    with pytest.raises(UnavailableError):
        admin.previewed(Choice(roles=["salesperson"]))  # away is no reason to guess


def test_who_opted_out_is_not_in_scope(graph: RunningGraph) -> None:
    give(graph)
    choices.choose(keys().party("user:a1"), choices.Choices(opt_out=True))
    assert [one.address for one in admin.previewed(Choice(roles=["salesperson"])).mailboxes] == ["ben@us.example"]


def _id(graph: RunningGraph, address: str) -> str:
    return next(user["id"] for user in graph.control.get("users") if user["mail"] == address)


def test_poll_mode_wants_its_roles_in_the_token(graph: RunningGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"GRAPH_MODE": "poll", "GRAPH_CLIENT_ID": POLL.client_id, "GRAPH_CLIENT_SECRET": POLL.secret}
    with reading_from(graph, monkeypatch, TENANT, **more):
        graph.control.post("consent", client="poll", grant=True, principal=True)
        assert probe.token_passes(client(), SALES) is True
        graph.control.post("consent", client="poll", withdraw=["Calendars.ReadBasic.All"])
        assert probe.token_passes(client(), SALES) is False
