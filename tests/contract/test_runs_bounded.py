"""What bounds a run: its mailbox may be taken out, its lease lost, its time used up; nothing is left over, nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from local.tokens import TENANT
from shared import partitions, tables
from shared import queues as sending
from shared.errors import RetryLaterError
from shared.graph import consent, consent_state, copies, leases, lifecycle, mailboxes, reading, runs, work
from shared.graph.client import graph as client
from shared.graph.consent import Scope
from shared.graph.leases import OutOfTimeError, StoppedError
from shared.graph.mailboxes import Mailbox
from shared.graph.work import Backfill, Dirty
from shared.keys import keys
from shared.membership import person_anchor
from tests.doubles.mailboxes import ANNA, KIM, ago, reading_from, tell_the_crm
from tests.doubles.queued import received
from tests.local.graph_process import RunningGraph, running_graph

NOW = int(time.time())
DAY = 86_400


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGraph]:
    with running_graph(tmp_path_factory.mktemp("graph")) as found:
        yield found


@pytest.fixture
def graph(
    running: RunningGraph, storage: object, queues: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningGraph]:
    """A polite simulator and a consent that is live."""
    running.control.post("reset")
    with reading_from(running, monkeypatch, TENANT, GRAPH_MODE="poll"):
        tell_the_crm()
        consent_state.change(lambda held: consent.enable(held, Scope(roles=("salesperson",)), NOW), NOW, "test")
        consent_state.change(lambda held: consent.probed(held, True, NOW), NOW, "test")
        yield running


@pytest.fixture
def mailbox(graph: RunningGraph) -> Mailbox:
    """Anna's mailbox, connected and empty."""
    found = graph.control.post("users", mail=f"{time.time_ns()}.{ANNA}")
    runs.connect(client(), found["id"], ANNA, NOW)
    list(received("graph-backfill"))
    return _read(found["id"])


def _read(id: str) -> Mailbox:
    found = mailboxes.read(id)
    assert found
    return found


def _mails(graph: RunningGraph, mailbox: Mailbox, count: int, days: float) -> None:
    graph.control.mail(mailbox.id, **{"from": KIM, "to": [ANNA], "quiet": True, "at": ago(days), "count": count})


def _held() -> int:
    return len(partitions.read(person_anchor(keys().address(KIM))).live.facts)


def _body(task: Dirty | Backfill) -> bytes:
    return msgspec.json.encode(task)


def _lists(graph: RunningGraph, mailbox: Mailbox) -> list[str]:
    """The windows of mail that were asked for in the Inbox, in order, without the pages that follow."""
    entries = graph.control.get("requests", mailbox=mailbox.id, status=200)
    filters = (e["query"].get("$filter", "") for e in entries if "inbox" in e["path"] and "$skip" not in e["query"])
    return [text for text in filters if "receivedDateTime lt" in text]


def test_a_mailbox_that_is_erased_while_it_is_read_leaves_nothing(
    graph: RunningGraph, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 5)
    for days in range(3, 60, 3):
        _mails(graph, mailbox, 10, days)
    graph.control.behaviour(latency=0.05)
    reader = threading.Thread(target=runs.backfill, args=(_body(Backfill(mailbox.id)),))
    reader.start()
    try:
        while _held() < 10:
            time.sleep(0.05)
        refused = 0
        while True:
            try:
                lifecycle.erase(client(), mailbox.id)
                break
            except RetryLaterError:
                refused += 1
                time.sleep(0.02)
    finally:
        reader.join(60)
    assert refused and not reader.is_alive()
    assert _held() == 0 and list(tables.query(copies.TABLE, mailbox.id)) == []
    assert _read(mailbox.id).state == "gone"
    assert mailboxes.folders(mailbox.id) == []
    assert list(received("graph-backfill")) == []  # nobody goes on with it


def test_what_a_run_left_behind_all_the_same_is_taken_out_the_next_day(graph: RunningGraph, mailbox: Mailbox) -> None:
    _mails(graph, mailbox, 3, 2)
    lifecycle.erase(client(), mailbox.id)
    # A process that was frozen between its question and its writing.
    reading.list_mail(client(), mailbox, "inbox", NOW - 5 * DAY, NOW)
    assert _held() == 3
    lifecycle.daily(NOW)
    for body in received("graph-lifecycle"):
        lifecycle.handle(body)
    assert _held() == 0 and _read(mailbox.id).state == "gone"


@pytest.mark.parametrize("end", ["held", "suspect", "another worker"])
def test_nothing_is_written_once_the_mailbox_is_not_to_be_read(graph: RunningGraph, mailbox: Mailbox, end: str) -> None:
    _mails(graph, mailbox, 3, 2)
    with leases.lease(mailbox.id, "sync", NOW) as run:
        if end == "held":
            mailboxes.change(mailbox.id, state="held")
        elif end == "suspect":
            consent_state.change(lambda held: consent.probed(held, False, NOW), NOW, "test")
        else:
            with leases.lease(mailbox.id, "sync", NOW + leases.LEASE_SECONDS + 1):
                run._lease_until = 0.0  # it has been reading for so long that it looks
                with pytest.raises(StoppedError):
                    run.may_write()
        with pytest.raises(StoppedError):
            reading.list_mail(client(), mailbox, "inbox", NOW - 5 * DAY, NOW, run=run)
    assert _held() == 0


def test_a_long_run_renews_its_lease(graph: RunningGraph, mailbox: Mailbox) -> None:
    began = time.time() - leases.LEASE_SECONDS + 60
    with leases.lease(mailbox.id, "backfill", began) as run:
        run.may_write()
        later = time.time() + leases.LEASE_SECONDS - 10
        with pytest.raises(RetryLaterError), leases.lease(mailbox.id, "backfill", later):
            pass
    with leases.lease(mailbox.id, "backfill", time.time()):
        pass  # and gives it back at its end


def test_a_gap_that_takes_longer_than_a_run_is_gone_on_with(
    graph: RunningGraph, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 4)
    [inbox] = [folder for folder in mailboxes.folders(mailbox.id) if folder.name == "inbox"]
    for days in (1.2, 9, 16, 23):
        _mails(graph, mailbox, 10, days)
    mailboxes.put_folder(msgspec.structs.replace(inbox, link="", until=NOW - 25 * DAY))
    monkeypatch.setattr(leases, "BUDGET_SECONDS", -1.0)  # one page is all that a run has time for
    rounds = _until_settled(mailbox)
    assert _held() == 40 and rounds > 10
    [inbox] = [folder for folder in mailboxes.folders(mailbox.id) if folder.name == "inbox"]
    assert inbox.link and not inbox.gap
    starts = [text.split()[2] for text in _lists(graph, mailbox)]
    assert starts == sorted(starts)  # never from the beginning again


def _until_settled(mailbox: Mailbox) -> int:
    for rounds in range(1, 60):
        with leases.lease(mailbox.id, "sync", time.time()) as run:
            try:
                runs.sync_kind(client(), _read(mailbox.id), work.MAIL, int(time.time()), run)
                return rounds
            except OutOfTimeError:
                continue
    raise AssertionError("the gap is never read to its end")


def test_a_piece_of_the_past_that_takes_longer_than_a_run_is_gone_on_with(
    graph: RunningGraph, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 4)
    graph.control.post(f"mailboxes/{mailbox.id}/folders", names=["Customers"])
    runs.folders.discover(client(), mailbox.id)
    for days in (2, 3, 10, 12):
        _mails(graph, mailbox, 6, days)
    graph.control.mail(mailbox.id, **{"from": KIM, "to": [ANNA], "at": ago(4), "folder": "customers", "count": 9})
    mailboxes.change(mailbox.id, target=NOW - 14 * DAY, calendar_from=NOW - 20 * DAY)
    monkeypatch.setattr(leases, "BUDGET_SECONDS", -1.0)
    before = len(_lists(graph, mailbox))
    broken = 0
    for _ in range(60):
        held = _read(mailbox.id)
        if held.is_backfilled:
            break
        with leases.lease(mailbox.id, "backfill", time.time()) as run:
            try:
                runs.read_piece(client(), held, NOW, 1, run)
            except OutOfTimeError:
                broken += 1
    assert _read(mailbox.id).is_backfilled and not _read(mailbox.id).broke_off
    assert _held() == 33 and broken > 8
    assert mailboxes.listed(mailbox.id) == {}
    windows = _lists(graph, mailbox)[before:]
    assert len(windows) == len(set(windows)) > 4  # no part of a folder is listed twice


def test_a_calendar_that_takes_longer_than_a_run_counts_as_a_service_that_is_slow(
    graph: RunningGraph, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (2, 3, 4):
        graph.control.event(mailbox.id, start=ago(days), end=ago(days - 0.1), organizer=ANNA, attendees=[KIM])
    monkeypatch.setattr(reading, "PAGE", 2)
    monkeypatch.setattr(leases, "BUDGET_SECONDS", -1.0)
    runs.sync(_body(Dirty(mailbox.id, work.CALENDAR, settled=True)))
    assert _held() == 0
    assert [task.tries for task in _waiting("graph-dirty", mailbox)] == [1]


def _waiting(queue: str, mailbox: Mailbox) -> list[Dirty]:
    """What is scheduled for the mailbox, left where it is."""
    with closing(sending.client().get_queue_receiver(queue)) as receiver:
        found = [msgspec.json.decode(b"".join(each.body), type=Dirty) for each in receiver.peek_messages(100)]
    return [task for task in found if task.mailbox == mailbox.id]
