"""Rows of an old format, migrated while the app reads and writes them: nothing is lost, wherever it stops."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from shared import columns, migration, partitions, tables
from shared.crm import state as crm_state
from shared.crm.state import EntityState
from tests.local.azurite_process import RunningAzurite

ROOT = Path(__file__).resolve().parents[2]
OLD = (
    ROOT / "tests/golden/columns-0.bin"
).read_bytes()  # as the app wrote it before it knew counters of followed mails
RECORDS = [f"account:a{number:02d}" for number in range(30)]
MONTH = "1969-12"


def in_first_layout(entries: columns.Entries) -> bytes:
    """The bytes that the old app wrote for entries without counters: the same columns behind a shorter header."""
    blob = columns.encode(entries)
    version, n, m, q, people, _, *sizes = columns._HEADER.unpack_from(blob)
    return columns._FIRST_HEADER.pack(version, n, m, q, people, *sizes) + blob[columns._HEADER.size :]


@pytest.fixture
def old_rows(storage: RunningAzurite) -> Iterator[None]:
    """Of each record a month and a tail row, as an old app left them."""
    held = columns.decode(OLD)
    rows = {MONTH: held.take(np.array([0])), "!|2026-11|00|0000000001": held.take(np.array([1]))}
    for record in RECORDS:
        for row, entries in rows.items():
            content = tables.split(in_first_layout(entries))
            tables.upsert("activities", {"PartitionKey": record, "RowKey": row, "v": 1, **content})
    yield


def test_the_old_rows_are_those_of_the_golden_file() -> None:
    assert columns.decode(in_first_layout(columns.decode(OLD))).activity.tolist() == ["email:1", "", "phonecall:ü"]
    assert (
        in_first_layout(columns.decode(OLD))[:17] == OLD[:17]
    )  # what follows are lengths that differ between builds of zlib


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "STEP_ROWS", 7)


def layouts() -> set[int]:
    return {columns.layout(tables.unsplit(row)) for row in tables.scan("activities")}


def contents() -> dict[str, bytes]:
    return {record: columns.encode(partitions.read(record).entries) for record in RECORDS}


def ticking(turns: int) -> Any:
    """A clock that lets the work go on for so many looks at it."""
    left = iter([0.0, *[0.0] * turns, *[1e9] * 100])
    return lambda: next(left)


@pytest.mark.usefixtures("old_rows")
def test_old_rows_are_read_migrated_and_read() -> None:
    before = contents()
    assert layouts() == {0}
    assert migration.migrate(60) == 2 * len(RECORDS)
    assert layouts() == {1}
    assert contents() == before
    assert migration.migrate(60) == 0
    assert migration.reach(migration.MIGRATIONS[0]) == migration.Reach(RECORDS[-1], MONTH, 60, 60, done=True)


@pytest.mark.usefixtures("old_rows")
def test_it_goes_on_where_it_stopped() -> None:
    (step,) = migration.MIGRATIONS
    assert migration.migrate(1, ticking(2)) == 21
    assert (migration.reach(step).visited, migration.reach(step).done) == (21, False)
    assert layouts() == {0, 1}
    assert migration.migrate(60) == 39
    assert (migration.reach(step).visited, migration.reach(step).done) == (60, True)
    assert layouts() == {1}


@pytest.mark.usefixtures("old_rows")
@pytest.mark.parametrize("writes", [0, 1, 8, 30, 59])
def test_a_crash_between_any_two_writes_loses_nothing(writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before, left, write_if = contents(), [writes], tables.write_if

    def mortal(name: str, row: tables.Row, etag: str | None) -> bool:
        left[0] -= 1
        if left[0] < 0:
            raise SystemExit
        return write_if(name, row, etag)

    monkeypatch.setattr(tables, "write_if", mortal)
    with pytest.raises(SystemExit):
        migration.migrate(60)
    monkeypatch.setattr(tables, "write_if", write_if)
    assert contents() == before
    migration.migrate(60)
    assert (layouts(), contents()) == ({1}, before)


def later(number: int) -> columns.Entries:
    """A new mail of the month that is being migrated."""
    entries = columns.decode(OLD).take(np.array([0]))
    key = np.array([b"new" + bytes([number])], dtype="S16")
    return replace(entries, facts=replace(entries.facts, key=key))


@pytest.mark.usefixtures("old_rows")
def test_the_app_reads_appends_and_folds_meanwhile() -> None:
    """Writers go over the same rows as the migration; each side finds the other's ETag and tries again."""
    faults: list[BaseException] = []

    def serve() -> None:
        try:
            for number, record in enumerate(RECORDS):
                partitions.append(record, later(number))
                partitions.fold_tail(partitions.read(record))
                assert len(partitions.read(record).entries) == 3
        except BaseException as fault:
            faults.append(fault)

    worker = threading.Thread(target=serve)
    worker.start()
    migration.migrate(60)
    worker.join()
    assert faults == []
    assert layouts() == {1}
    assert {len(partitions.read(record).live) for record in RECORDS} == {2}  # one of the old was removed, one is new


@pytest.mark.usefixtures("old_rows")
def test_a_row_that_was_written_meanwhile_is_left_as_it_is() -> None:
    (row,) = tables.query("activities", RECORDS[0], MONTH, "1970")
    tables.upsert(
        "activities", {"PartitionKey": RECORDS[0], "RowKey": MONTH, "v": 1, **tables.split(OLD), "note": "newer"}
    )
    assert migration._rewrite(migration.MIGRATIONS[0], row) == 0
    held = tables.read("activities", RECORDS[0], MONTH)
    assert held is not None
    assert held["note"] == "newer"


@pytest.mark.usefixtures("old_rows")
def test_the_command_migrates_and_says_so(storage: RunningAzurite) -> None:
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "TABLES": storage.connection_string}

    def run(action: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "scripts.migrate", action]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()[-1]

    assert run("status") == (1, "activities 1: not begun, 0 rows visited, 0 rewritten")
    assert run("run") == (0, "activities 1: done, 60 rows visited, 60 rewritten")
    assert run("status") == (0, "activities 1: done, 60 rows visited, 60 rewritten")
    assert layouts() == {1}


def test_going_back_keeps_what_only_the_later_release_knows() -> None:
    """An attribute that this release has never heard of survives being joined and written by it."""
    later_release = EntityState("account", "a1", {"name": (1, "Contoso"), "favouriteColour": (2, "green")})
    held = crm_state.decode(crm_state.encode(later_release))
    joined = crm_state.join(held, EntityState("account", "a1", {"name": (3, "Contoso Ltd")}))
    assert crm_state.decode(crm_state.encode(joined)).attributes == {
        "name": (3, "Contoso Ltd"),
        "favouriteColour": (2, "green"),
    }


def stored_structs() -> dict[str, msgspec.Struct]:
    """A value of each kind of row that is stored as a Struct, with all its defaults."""
    from shared.groups import Group
    from shared.rosters import Roster

    return {
        "roster": Roster(record="account:a1", name="", status="", created_at=None, closed_at=None, owner=""),
        "group": Group({}, 0, {}),
    }


@pytest.mark.parametrize("name", ["roster", "group"])
def test_a_field_that_a_later_release_added_does_not_stop_this_one(name: str) -> None:
    """Every stored Struct passes over names that it does not know, so one release back can read what the next one writes."""
    value = stored_structs()[name]
    raw = msgspec.to_builtins(value)
    more = {**raw, "added_later": 1} if isinstance(raw, dict) else [*raw, 1]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(more), type=type(value)) == value
