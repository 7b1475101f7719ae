"""A rough run of reading ends in the same bytes as a calm one: pages doubled, links lost, throttles, faults, dead workers."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import pytest

from local.tokens import TENANT
from shared import partitions, tables
from shared.errors import RetryLaterError
from shared.graph import consent, consent_state, mailboxes, runs, work
from shared.graph.calls import GraphCallError
from shared.graph.client import close
from shared.graph.client import graph as client
from shared.graph.consent import Scope
from shared.graph.reading import OutOfTimeError
from shared.graph.work import Backfill, Dirty
from shared.keys import keys
from shared.membership import person_anchor
from tests.doubles.mailboxes import ANNA, BEN, KIM, ago, reading_from, tell_the_crm
from tests.doubles.processes import forget
from tests.local.graph_process import RunningGraph, running_graph

NOW = int(time.time())
PAST_DAYS = 40
OWNERS = {ANNA: "one", BEN: "two"}


class WorkerDiedError(Exception):
    """The worker is gone in the middle of its run."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGraph]:
    with running_graph(tmp_path_factory.mktemp("graph"), mailboxes=list(OWNERS)) as found:
        _fill(found, range(3, 39, 4))
        yield found


def _fill(graph: RunningGraph, days: range) -> None:
    for day in days:
        both = {
            "from": KIM,
            "to": [ANNA, BEN],
            "internetMessageId": f"<{day}@cust.example>",
            "at": ago(day),
            "quiet": True,
        }
        meeting = {
            "start": ago(day),
            "end": ago(day - 0.05),
            "organizer": ANNA,
            "attendees": [KIM, BEN],
            "iCalUId": f"u{day}",
        }
        for owner in OWNERS:
            graph.control.mail(owner, **both)
            graph.control.event(owner, **meeting)


def _ids(graph: RunningGraph) -> dict[str, str]:
    return {user["mail"]: user["id"] for user in graph.control.get("users")}


def _begin() -> None:
    """An empty store with the CRM's rows and a consent that is given."""
    for table in tables.service().list_tables():
        tables.service().delete_table(table.name)
    close()
    forget()
    tell_the_crm()
    consent_state.change(lambda held: consent.enable(held, Scope(roles=("salesperson",)), NOW), NOW, "test")
    consent_state.change(lambda held: consent.probed(held, True, NOW), NOW, "test")


def _persist(do: Callable[[], object]) -> None:
    """What the queue does: the message comes back until it is done."""
    for _ in range(60):
        try:
            do()
            return
        except (GraphCallError, OutOfTimeError, RetryLaterError, WorkerDiedError):
            continue
    raise AssertionError("it never ends well")


def _run(graph: RunningGraph, arrives: Callable[[], None]) -> list[bytes]:
    """Connect both mailboxes, let things arrive, read all; what is held then of Kim, Anna's deal and the copies."""
    ids = _ids(graph)
    for address in OWNERS:
        _persist(lambda address=address: runs.connect(client(), ids[address], address, NOW))  # type: ignore[misc]
        mailboxes.change(ids[address], target=NOW - PAST_DAYS * 86_400)
    arrives()
    for address in OWNERS:
        for kind in work.KINDS:
            # Whatever a run leaves for later is scheduled in the queue; here it is run until it has been read.
            _persist(lambda id=ids[address], kind=kind: _synced(id, kind))  # type: ignore[misc]
        _persist(lambda id=ids[address]: _backfilled(id))  # type: ignore[misc]
    return [_held(person_anchor(keys().address(KIM))), _held("opportunity:c1")]


def _synced(id: str, kind: work.Kind) -> None:
    before = mailboxes.read(id)
    mailboxes.change(id, not_before=0.0, parked_until=0, mail_until=0, calendar_until=0)
    runs.sync(msgspec.json.encode(Dirty(id, kind, settled=True)))
    after = mailboxes.read(id)
    assert before and after
    if not (after.mail_until if kind == work.MAIL else after.calendar_until):
        raise RetryLaterError("it has to come again", seconds=0.0)


def _backfilled(id: str) -> None:
    mailboxes.change(id, not_before=0.0, parked_until=0)
    runs.backfill(msgspec.json.encode(Backfill(id)))
    after = mailboxes.read(id)
    if after is None or not after.is_backfilled:
        raise RetryLaterError("it has to come again", seconds=0.0)


def _held(partition: str) -> bytes:
    """The facts of a partition, by key. Revisions count changes and differ; nothing that is shown follows from them."""
    entries = partitions.read(partition).live
    entries = entries.take(np.argsort(entries.facts.key, kind="stable"))
    columns = [getattr(entries.facts, name) for name in entries.facts.__dataclass_fields__]
    return b"|".join(np.ascontiguousarray(column).tobytes() for column in columns if isinstance(column, np.ndarray))


def test_a_rough_run_ends_like_a_calm_one(
    running: RunningGraph, storage: object, queues: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = running.control
    with reading_from(running, monkeypatch, TENANT, GRAPH_MODE="poll"):
        _begin()
        calm = _run(running, lambda: _fill(running, range(1, 2)))
        assert len(calm[0]) > 1000

        _begin()
        control.delete("requests")
        control.behaviour(emptyPages=1, repeatItems=True, replayPages=True)
        for kind, fault in (("status", {"status": 503}), ("status", {"status": 500}), ("reset", {}), ("empty", {})):
            control.fault("users/.*(messages|calendarView)", kind, rate=0.015, **fault)
        control.fault("users/.*messages/delta", "syncStateLost", rate=0.03)
        control.fault("users/.*messages", "throttle", rate=0.02, retryAfter="600", seconds=0)
        _kill_now_and_then(monkeypatch, random.Random(7))

        def lose_links() -> None:
            for address in OWNERS:
                control.post(f"mailboxes/{address}/forget-delta")

        rough = _run(running, lose_links)
        assert rough == calm
        assert sum(rule["struck"] for rule in control.get("faults")) > 5

        report = control.get("report")
        assert {report[name] for name in ("withBodyFields", "duringThrottle", "retriesByLibrary", "outsideScope")} == {
            0
        }
        assert report["mostConcurrent"] <= 4
        assert {entry["mailbox"] for entry in control.get("requests") if entry["mailbox"]} <= set(
            _ids(running).values()
        )


def _kill_now_and_then(monkeypatch: pytest.MonkeyPatch, draw: random.Random) -> None:
    """One of 25 writes is the last thing that its worker does, which dies before it or after it."""
    real = tables.transact

    def transact(name: str, operations: object) -> bool:
        fate = draw.random()
        if fate < 0.02:
            raise WorkerDiedError
        done = real(name, operations)  # type: ignore[arg-type]
        if fate < 0.04:
            raise WorkerDiedError
        return done

    monkeypatch.setattr(tables, "transact", transact)
