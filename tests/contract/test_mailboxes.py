"""Reading mailboxes of the simulator into Azurite, through the real client of Graph: what is read, when, and what never."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from local.tokens import TENANT
from shared import acquaintance_rows, acquaintance_updates, closeness, identity, partitions
from shared.graph import (
    consent,
    consent_state,
    copies,
    folders,
    lifecycle,
    mailboxes,
    private_events,
    reading,
    runs,
    work,
)
from shared.graph.client import graph as client
from shared.graph.consent import Scope, State
from shared.graph.mailboxes import Mailbox
from shared.graph.work import Backfill, Dirty, Lifecycle
from shared.keys import keys
from shared.kpi.interactions import Interactions
from shared.ledger import ledger
from shared.ledger_query import LedgerQuery
from shared.membership import person_anchor
from tests.doubles.mailboxes import ANNA, BEN, KIM, ago, reading_from, tell_the_crm
from tests.local.graph_process import RunningGraph, running_graph

NOW = int(time.time())
SELECTED = {"body", "bodyPreview", "uniqueBody", "subject", "attachments"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGraph]:
    with running_graph(tmp_path_factory.mktemp("graph")) as found:
        yield found


@pytest.fixture
def graph(
    running: RunningGraph, storage: object, queues: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningGraph]:
    """A polite simulator with two new mailboxes, a tenant whose CRM knows them, and a consent that is live."""
    running.control.post("reset")
    # Poll mode: no webhook listens here. What follows from a notification is the same run.
    with reading_from(running, monkeypatch, TENANT, GRAPH_MODE="poll"):
        tell_the_crm()
        _live()
        yield running
        report = running.control.get("report")
        assert report["mostConcurrent"] <= 4 and report["withBodyFields"] == 0 and report["retriesByLibrary"] == 0
        selected = {name for entry in running.control.get("requests") for name in entry["selected"] or ()}
        assert not selected & SELECTED


def _live() -> None:
    consent_state.change(lambda held: consent.enable(held, Scope(roles=("salesperson",)), NOW), NOW, "test")
    consent_state.change(lambda held: consent.probed(held, True, NOW), NOW, "test")
    assert consent_state.read().state is State.BACKFILL


@pytest.fixture
def mailbox(graph: RunningGraph) -> Iterator[Mailbox]:
    """Anna's mailbox, emptied, with the consent's mailbox scope over it."""
    yield _fresh(graph, ANNA)


def _fresh(graph: RunningGraph, address: str) -> Mailbox:
    """An empty mailbox for the same person: a user of another number who has the address."""
    found = graph.control.post("users", mail=f"{time.time_ns()}.{address}")
    return Mailbox(id=found["id"], address=address)


def connect(mailbox: Mailbox) -> Mailbox:
    runs.connect(client(), mailbox.id, mailbox.address, int(time.time()))
    return _read(mailbox)


def _read(mailbox: Mailbox) -> Mailbox:
    found = mailboxes.read(mailbox.id)
    assert found
    return found


def mail(graph: RunningGraph, mailbox: Mailbox, **wanted: Any) -> dict[str, Any]:
    return graph.control.mail(mailbox.id, **{"from": KIM, "to": [ANNA], "quiet": True, **wanted})


def with_kim() -> Interactions:
    """All that is held of Kim."""
    return partitions.read(person_anchor(keys().address(KIM))).live.facts


def sync(mailbox: Mailbox, kind: work.Kind = work.MAIL) -> None:
    runs.sync_kind(client(), _read(mailbox), kind, int(time.time()))


def test_connecting_reads_the_last_day_and_the_next_run_what_came_since(graph: RunningGraph, mailbox: Mailbox) -> None:
    mail(graph, mailbox, at=ago(0.5))
    mail(graph, mailbox, at=ago(3))
    connect(mailbox)
    assert len(with_kim()) == 1
    mail(graph, mailbox)
    sync(mailbox)
    assert len(with_kim()) == 2


def test_empty_pages_doubled_items_and_replayed_pages_change_nothing(graph: RunningGraph, mailbox: Mailbox) -> None:
    graph.control.behaviour(emptyPages=2, repeatItems=True, replayPages=True)
    mail(graph, mailbox, count=5)
    connect(mailbox)
    mail(graph, mailbox, count=3)
    sync(mailbox)
    assert len(with_kim()) == 8


def test_every_page_asks_for_immutable_ids(graph: RunningGraph, mailbox: Mailbox) -> None:
    graph.control.behaviour(emptyPages=1)
    connect(mailbox)
    asked = graph.control.get("requests", mailbox=mailbox.id)
    assert asked and all("ImmutableId" in str(entry["prefer"]) for entry in asked)


@pytest.mark.parametrize(
    ("status", "code"), [(410, "syncStateNotFound"), (400, "SyncStateNotFound"), (404, "resyncRequired")]
)
def test_a_forgotten_link_loses_no_mail(graph: RunningGraph, mailbox: Mailbox, status: int, code: str) -> None:
    connect(mailbox)
    graph.control.post(f"mailboxes/{mailbox.id}/forget-delta", status=status, code=code)
    mail(graph, mailbox)
    sync(mailbox)
    mail(graph, mailbox)
    sync(mailbox)
    assert len(with_kim()) == 2


def test_a_link_to_another_host_is_not_followed(graph: RunningGraph, mailbox: Mailbox) -> None:
    connect(mailbox)
    graph.control.behaviour(foreignLinks="localhost:1")
    sync(mailbox)  # comes back with links that lead away
    graph.control.behaviour(foreignLinks="")
    mail(graph, mailbox)
    sync(mailbox)
    assert len(with_kim()) == 1
    assert graph.control.get("report")["tokensToForeignHost"] == 0


def test_moved_and_deleted_mails_stay_counted(graph: RunningGraph, mailbox: Mailbox) -> None:
    found = mail(graph, mailbox)
    connect(mailbox)
    graph.control.delete(f"mailboxes/{mailbox.id}/messages/{found['id']}")
    sync(mailbox)
    assert len(with_kim()) == 1


def test_throttling_is_not_slept_on_and_nobody_calls_before_its_end(graph: RunningGraph, mailbox: Mailbox) -> None:
    connect(mailbox)
    graph.control.fault("messages/delta", "throttle", nth=[1], retryAfter="200", seconds=200)
    runs.sync(_body(Dirty(mailbox.id, work.MAIL)))
    assert 195 < _read(mailbox).not_before - time.time() <= 201
    before = len(graph.control.get("requests", mailbox=mailbox.id))
    runs.sync(_body(Dirty(mailbox.id, work.CALENDAR)))
    runs.backfill(_body(Backfill(mailbox.id)))
    assert len(graph.control.get("requests", mailbox=mailbox.id)) == before
    assert graph.control.get("report")["duringThrottle"] == 0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_faults_of_the_service_are_tried_again_later(graph: RunningGraph, mailbox: Mailbox, status: int) -> None:
    connect(mailbox)
    mail(graph, mailbox)
    graph.control.fault("messages/delta", "status", nth=[1], status=status, html=status == 502)
    runs.sync(_body(Dirty(mailbox.id, work.MAIL)))
    assert len(with_kim()) == 0
    sync(mailbox)
    assert len(with_kim()) == 1


def test_the_past_is_read_piece_by_piece_and_a_piece_read_twice_changes_nothing(
    graph: RunningGraph, mailbox: Mailbox
) -> None:
    for days in (2, 9, 69):
        mail(graph, mailbox, at=ago(days), internetMessageId=f"<{days}@cust.example>")
        mail(graph, mailbox, at=ago(days), folder="sentitems", **{"from": ANNA, "to": [KIM]})
    mail(graph, mailbox, at=ago(75))
    graph.control.event(mailbox.id, start=ago(60), end=ago(59.9), organizer=ANNA, attendees=[KIM])
    connect(mailbox)
    mailboxes.change(mailbox.id, target=NOW - 70 * 86_400)
    pieces = 0
    while not _read(mailbox).is_backfilled:
        held = _read(mailbox)
        runs.read_piece(client(), held, NOW)
        if pieces % 5 == 0:
            mailboxes.put(held)  # as if the worker had died before it could note what it read
        pieces += 1
        assert pieces < 40
    assert len(with_kim()) == 7
    runs.backfill(_body(Backfill(mailbox.id)))
    assert consent_state.read().state is State.LIVE


def test_meetings_follow_the_calendar(graph: RunningGraph, mailbox: Mailbox) -> None:
    plan = {"organizer": ANNA, "attendees": [KIM], "isOrganizer": True}
    kept = graph.control.event(mailbox.id, start=ago(2), end=ago(1.9), **plan)
    gone = graph.control.event(mailbox.id, start=ago(3), end=ago(2.9), **plan)
    connect(mailbox)
    assert len(with_kim()) == 2
    graph.control.delete(f"mailboxes/{mailbox.id}/events/{gone['id']}")
    graph.control("PATCH", f"mailboxes/{mailbox.id}/events/{kept['id']}", {"start": ago(5), "end": ago(4.9)})
    sync(mailbox, work.CALENDAR)
    [at] = with_kim().at.tolist()
    assert abs(at - (time.time() - 5 * 86_400)) < 60


def test_a_list_that_breaks_off_cancels_nothing(
    graph: RunningGraph, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.graph import reading

    plan = {"organizer": ANNA, "attendees": [KIM]}
    for days in (2, 3, 4):
        graph.control.event(mailbox.id, start=ago(days), end=ago(days - 0.1), **plan)
    connect(mailbox)
    monkeypatch.setattr(reading, "PAGE", 2)
    graph.control.fault("calendarView", "status", nth=[2], status=500)
    runs.sync(_body(Dirty(mailbox.id, work.CALENDAR)))
    assert len(with_kim()) == 3


def test_mail_that_rules_file_elsewhere_is_found_and_drafts_and_junk_never(
    graph: RunningGraph, mailbox: Mailbox
) -> None:
    graph.control.post(f"mailboxes/{mailbox.id}/folders", names=["Customers"])
    for folder in ("customers", "junkemail", "drafts", "deleteditems", "archive"):
        mail(graph, mailbox, folder=folder, at=ago(0.2))
    connect(mailbox)
    assert len(with_kim()) == 2
    graph.control.post(f"mailboxes/{mailbox.id}/folders", names=["Later"])
    lifecycle.handle(msgspec.json.encode(Lifecycle(do="folders", mailbox=mailbox.id)))
    mail(graph, mailbox, folder="later")
    sync(mailbox)
    assert len(with_kim()) == 3
    assert len(mailboxes.folders(mailbox.id)) == 5


def _own_folder(graph: RunningGraph, mailbox: Mailbox, *names: str) -> None:
    graph.control.post(f"mailboxes/{mailbox.id}/folders", names=list(names))


def test_a_deleted_folder_ends_its_own_reading_and_no_other(graph: RunningGraph, mailbox: Mailbox) -> None:
    _own_folder(graph, mailbox, "Aaa", "Zzz")
    mail(graph, mailbox, folder="aaa")
    connect(mailbox)
    graph.control.delete(f"mailboxes/{mailbox.id}/folders/aaa")
    for folder in ("inbox", "zzz"):
        mail(graph, mailbox, folder=folder)
    runs.sync(_body(Dirty(mailbox.id, work.MAIL)))
    assert _read(mailbox).parked_until == 0 and not _read(mailbox).error
    assert len(with_kim()) == 3  # what was read from it stays
    assert len(mailboxes.folders(mailbox.id)) == 4  # Inbox, Sent Items, archive and the other one
    runs.sync(_body(Dirty(mailbox.id, work.MAIL)))
    assert len(graph.control.get("requests", mailbox=mailbox.id, status=404)) == 1


def test_the_past_goes_on_without_a_folder_that_was_deleted(graph: RunningGraph, mailbox: Mailbox) -> None:
    _own_folder(graph, mailbox, "Aaa", "Zzz")
    connect(mailbox)
    mail(graph, mailbox, folder="zzz", at=ago(20))
    graph.control.delete(f"mailboxes/{mailbox.id}/folders/aaa")
    mailboxes.change(mailbox.id, target=NOW - 30 * 86_400)
    runs.backfill(_body(Backfill(mailbox.id)))
    assert _read(mailbox).is_backfilled and _read(mailbox).parked_until == 0
    assert len(with_kim()) == 1


def test_vanished_folders_are_dropped_and_followed_ones_kept_whatever_the_order(
    graph: RunningGraph, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    _own_folder(graph, mailbox, *(f"Own{number}" for number in range(6)))
    connect(mailbox)
    before = {folder.name for folder in mailboxes.folders(mailbox.id)}
    monkeypatch.setattr(folders, "MOST", len(before))
    for number in (1, 4):
        graph.control.delete(f"mailboxes/{mailbox.id}/folders/own{number}")
    _own_folder(graph, mailbox, "New 1", "New 2", "New 3")
    assert folders.discover(client(), mailbox.id) == 2  # as many as there is room for
    after = {folder.name for folder in mailboxes.folders(mailbox.id)}
    assert len(before & after) == len(before) - 2 and len(after) == len(before)


def _days_ago(days: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * 86_400))


def test_of_private_events_only_daily_totals_remain_and_each_event_counts_once(
    graph: RunningGraph, mailbox: Mailbox
) -> None:
    other = _fresh(graph, BEN)
    of_each = ((mailbox.id, 2, 4), (other.id, 2, 1), (mailbox.id, 40, 4), (mailbox.id, -3, 5))
    for id, days in ((id, days) for id, days, number in of_each for _ in range(number)):
        graph.control.event(id, start=ago(days), end=ago(days - 0.001), sensitivity="confidential")
    for each in (mailbox, other):
        connect(each)
        sync(each, work.CALENDAR)
        until = NOW // 86_400 * 86_400 - reading.CALENDAR_BACK
        for _ in range(2):  # a month of the past, and again after a crash
            reading.list_calendar(client(), _read(each), until - runs.MONTH, until, NOW)
    expected = {_days_ago(2): 5}  # fewer than five are not told: that could be one person's day
    assert private_events.totals(0) == expected
    lifecycle.erase(client(), mailbox.id)
    connect(mailbox)
    assert private_events.totals(0) == expected
    assert {each.id for each in mailboxes.read_all()} == {mailbox.id, other.id}


def test_private_events_leave_no_trace(graph: RunningGraph, mailbox: Mailbox) -> None:
    graph.control.event(mailbox.id, start=ago(2), end=ago(1.9), organizer=ANNA, attendees=[KIM], sensitivity="private")
    connect(mailbox)
    assert len(with_kim()) == 0
    assert copies.in_window(mailbox.id, 0, NOW) == {}


def test_one_mail_in_two_mailboxes_counts_once_and_stays_when_one_of_them_goes(
    graph: RunningGraph, mailbox: Mailbox
) -> None:
    ben = _fresh(graph, BEN)
    plan = {"from": KIM, "to": [ANNA, BEN], "internetMessageId": "<both@cust.example>", "at": ago(0.2)}
    for each in (mailbox, ben):
        mail(graph, each, **plan)
        connect(each)
    mail(graph, ben, to=[BEN])
    sync(ben)
    assert sorted(with_kim().sources.tolist()) == [1, 2]
    lifecycle.erase(client(), ben.id)
    assert with_kim().sources.tolist() == [1]
    assert _read(ben).state == "gone"
    lifecycle.erase(client(), mailbox.id)
    assert len(with_kim()) == 0


def test_who_knows_whom_forgets_exchange_when_consent_is_withdrawn(graph: RunningGraph, mailbox: Mailbox) -> None:
    """Rows of people without a record too, and who of ours met whom; the erasure has not begun."""
    stranger = "stranger@other.example"
    mail(graph, mailbox, at=ago(0.2))
    mail(graph, mailbox, **{"from": stranger, "to": [ANNA, BEN], "at": ago(0.1)})
    connect(mailbox)
    person = person_anchor(keys().address(stranger))
    for target in (person, acquaintance_rows.domain_anchor("other.example")):
        assert len(acquaintance_updates.recompute(target, NOW + 1).lines) == 2
    anna, ben = closeness.user_key("a1"), closeness.user_key("a2")
    assert closeness.met_with(anna, 0) == {ben}

    consent_state.change(lambda held: consent.switch_off(held, NOW + 2), NOW + 2, "test")
    lifecycle.recompute_all()
    assert closeness.met_with(anna, 0) == set() == closeness.met_with(ben, 0)
    waiting = {person, acquaintance_rows.domain_anchor("other.example")}
    assert set(acquaintance_rows.by_themselves()) == waiting
    for target in waiting:
        assert acquaintance_updates.recompute(target, NOW + 3).lines == []


def test_without_consent_nobody_calls(graph: RunningGraph, mailbox: Mailbox) -> None:
    connect(mailbox)
    consent_state.change(lambda held: consent.probed(held, False, NOW), NOW, "test")
    before = len(graph.control.get("requests"))
    runs.sync(_body(Dirty(mailbox.id, work.MAIL)))
    runs.backfill(_body(Backfill(mailbox.id)))
    assert len(graph.control.get("requests")) == before


def test_a_mailbox_that_is_not_there_is_parked(graph: RunningGraph, mailbox: Mailbox) -> None:
    connect(mailbox)
    graph.control.fault("messages/delta", "status", nth=[1], status=404, code="MailboxNotEnabledForRESTAPI")
    runs.sync(_body(Dirty(mailbox.id, work.MAIL)))
    assert _read(mailbox).parked_until > NOW and _read(mailbox).error == "MailboxNotEnabledForRESTAPI"


def test_the_address_of_a_mailbox_of_ours_is_ours_without_a_user_and_without_a_domain(graph: RunningGraph) -> None:
    """`sam@brand2.example` was chosen by a group; the CRM and the settings know nothing of it."""
    sam = _fresh(graph, "sam@brand2.example")
    to_kim = {"from": {"address": sam.address}, "to": [{"address": KIM}], "sentAt": ago(2), "status": "sent"}
    tell_the_crm([{"entity": "email", "id": "m1", "version": 1, "operation": "upsert", "attributes": to_kim}])
    mail(graph, sam, to=[sam.address], at=ago(0.5))
    assert reasons_at_kim() == {"no_internal": 1}
    connect(sam)
    assert reasons_at_kim() == {"participants": 2}
    assert identity.resolve(sam.address).side == "internal"
    knowing = acquaintance_updates.recompute(person_anchor(keys().address(KIM)), int(time.time())).lines
    assert [line.who for line in knowing] == [sam.address]
    lifecycle.erase(client(), sam.id)
    assert reasons_at_kim() == {"no_internal": 1}
    assert identity.resolve(sam.address).side == "external"


def reasons_at_kim() -> dict[str, int]:
    return ledger("contact:b1", LedgerQuery(), int(time.time())).reasons


def test_links_are_not_stored_readable(graph: RunningGraph, mailbox: Mailbox) -> None:
    from shared import tables

    connect(mailbox)
    rows = list(tables.query(mailboxes.SYNC, mailbox.id))
    assert any(row.get("link") for row in rows)
    assert not any("http" in str(value) for row in rows for value in row.values())
    assert all("deltatoken" in folder.link for folder in mailboxes.folders(mailbox.id))


def _body(task: Dirty | Backfill) -> bytes:
    return msgspec.json.encode(task)
