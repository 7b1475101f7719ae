"""The same changes give the same bytes, whatever the order, the repetitions and the number of voices that tell them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec import json

from shared import ingest, insights, ledger, recompute, tables
from shared.changes import Change
from shared.errors import NotFoundError, UnavailableError
from shared.ledger_query import LedgerQuery
from shared.record_updates import PeopleUpdate, read_people_update
from shared.rosters import RECORD_TYPES, owned_by
from shared.settings import settings
from tests.doubles.processes import forget
from tests.doubles.queued import received
from tests.doubles.tenants import AS_OF, RECORDS, changes

pytestmark = pytest.mark.usefixtures("storage", "queues")

Answers = dict[str, tuple[bytes | None, bytes | None]]  # record -> (snapshot as stored, ledger)


def _work_off(batch: Sequence[Change]) -> None:
    """What the queue functions do with a batch: it is delivered again until it succeeds, and its records are computed."""
    while True:
        try:
            touched = ingest.take_in(batch)
            for record in sorted(record for record in touched if record.partition(":")[0] in RECORD_TYPES):
                recompute.recompute(record, AS_OF)
            return
        except UnavailableError:
            continue


def _work_off_people() -> None:
    for body in received(settings().people_updates_queue):
        update = read_people_update(body)
        assert isinstance(update, PeopleUpdate)
        for record in sorted({*insights.naming(update.keys), *owned_by(update.owners)}):
            recompute.recompute(record, AS_OF)


def _answers() -> Answers:
    return {record: (_stored(record), _ledger(record)) for record in RECORDS}


def _stored(record: str) -> bytes | None:
    stored = insights.read(record)
    return stored.body if stored else None


def _ledger(record: str) -> bytes | None:
    try:
        return json.format(json.encode(ledger.ledger(record, LedgerQuery(limit=500), AS_OF)))
    except NotFoundError:
        return None


def _begin_anew() -> None:
    for table in tables.service().list_tables():
        tables.service().delete_table(table.name)
    forget()


def _told(story: Sequence[Change], voices: int) -> Answers:
    _begin_anew()
    shares = [story[voice::voices] for voice in range(voices)]
    with ThreadPoolExecutor(voices) as pool:
        list(pool.map(_tell, shares))
    _work_off_people()
    return _answers()


def _tell(story: Sequence[Change]) -> None:
    draw = random.Random(len(story))
    first = 0
    while first < len(story):
        size = draw.randint(1, 40)
        _work_off(story[first : first + size])
        first += size


def _calm(story: Sequence[Change]) -> Answers:
    _begin_anew()
    ingest.take_in(story)
    _work_off_people()
    for record in RECORDS:
        recompute.recompute(record, AS_OF)
    return _answers()


def _shuffled_and_doubled(story: Sequence[Change], seed: int) -> list[Change]:
    doubled = [*story, *story]
    random.Random(seed).shuffle(doubled)
    return doubled


@pytest.mark.parametrize("seed", [3, 41, 66])
def test_snapshots_and_ledgers_are_equal_when_changes_come_shuffled_doubled_and_from_four_at_once(seed: int) -> None:
    story = changes(seed, 30)
    calm = _calm(story)

    told = _told(_shuffled_and_doubled(story, seed), voices=4)

    assert {record for record in RECORDS if calm[record] != told[record]} == set()
