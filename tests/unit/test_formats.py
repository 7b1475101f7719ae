"""Yesterday's bytes still read, and today's are the same on every Python: each stored format against its golden file.

A file here is never changed. A new format gets a new file, and the old one goes on being read.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from shared import columns, group_rows, groups, insights, rosters, states, tables
from shared.changes import Change, Ref
from shared.columns import Entries
from shared.crm import state as crm_state
from shared.errors import FormatVersionError
from shared.interactions import InteractionCopy, Participant
from shared.kpi.interactions import Interactions

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def entries() -> Entries:
    """Three mails and meetings with every column in use, by arithmetic alone."""
    n, m, q = 3, 7, 2
    facts = Interactions(
        key=np.array([bytes(range(k, k + 16)) for k in (1, 50, 200)], dtype="S16"),
        at=np.array([-86_400, 1_793_491_200, 1_793_500_000], dtype="i8"),
        end=np.array([-86_400, 1_793_494_800, 1_793_500_000], dtype="i8"),
        kind=np.array([0, 1, 2], dtype="u1"),
        flags=np.array([1, 5, 1 << 10], dtype="u4"),
        minutes=np.array([np.nan, 60.0, 12.5], dtype="f8"),
        conversation=np.array([7, 0, 2**64 - 1], dtype="u8"),
        sources=np.array([1, 3, 255], dtype="u1"),
        part_index=np.array([0, 0, 1, 1, 1, 2, 2], dtype="i8"),
        part_person=np.array([5, 2**63, 5, 9, 11, 9, 5], dtype="u8"),
        part_domain=np.array([1, 2, 1, 2, 0, 2, 1], dtype="u8"),
        part_role=np.array([0, 1, 3, 4, 4, 0, 1], dtype="u1"),
        part_response=np.array([0, 0, 1, 3, 4, 0, 0], dtype="u1"),
        regarding_index=np.array([0, 2], dtype="i8"),
        regarding_type=np.array([3, 0], dtype="u1"),
        regarding_key=np.array([42, 43], dtype="u8"),
    )
    assert (len(facts.part_index), len(facts.regarding_index)) == (m, q)
    activity = np.array(["email:1", "", "phonecall:ü"], dtype=object)
    return Entries(facts, np.arange(1, n + 1, dtype="u4"), np.array([False, True, False]), activity)


def entity_state() -> crm_state.EntityState:
    """A deal with attributes, a link, an unlink and a merge."""
    links = {"team": {"u1": (3, True), "u2": (4, False)}}
    return crm_state.EntityState(
        "opportunity", "o1", {"name": (2, "Übung"), "amount": (3, 1.5), "stage": (1, None)}, links, None, (9, "o2")
    )


def group() -> groups.Group:
    """Two copies of a mail, of which one is gone."""
    copy = InteractionCopy(
        copy_id="email:1", source="crm", merge_key="mail:<m@x>", kind=0, at=1, end=1, minutes=2.5, flags=3, conversation="c",
        conversations=("c", "d"), participants=(Participant("kim@cust.example", "Kim", "contact:c1", 0, 0),),
        regarding=("opportunity:o1",), version=7,
    )  # fmt: skip
    held = {"email:1": groups.HeldCopy(4, copy), "email:2": groups.HeldCopy(2, None)}
    return groups.Group(held, 6, {"00" * 16: [("person:00000000000000ff", "2026-11")]})


def roster() -> rosters.Roster:
    """A won deal with a stakeholder from another account."""
    kim = rosters.Stakeholder("contact:c1", "Kim", (1, 2**63), "account:a2")
    return rosters.Roster(
        record="opportunity:o1", name="Übung", status="won", created_at=1, closed_at=2, owner="user:u1", team=("u2",),
        people=(kim,), account="account:a1", merged=("opportunity:o2",), estimated_close_at=3, amount=1.5,
        fields={"stage": "close"}, left=("account:a3",),
    )  # fmt: skip


def golden(name: str, today: bytes) -> bytes:
    """The bytes of a golden file; one that is not there is written, to be looked at and committed."""
    path = GOLDEN / name
    if not path.exists():
        path.write_bytes(today)
        pytest.fail(f"{path} was written: look at it, commit it")
    return path.read_bytes()


def columns_of(blob: bytes) -> tuple[tuple[int, ...], bytes, bytes]:
    """A blob without its compression, whose bytes differ between builds of zlib: counts, columns and ids."""
    version, *counts, facts_bytes, _ = columns._HEADER.unpack_from(blob)
    start = columns._HEADER.size
    facts, ids = blob[start : start + facts_bytes], blob[start + facts_bytes :]
    return (version, *counts), zlib.decompress(facts), zlib.decompress(ids)


def test_columns_are_the_same_bytes_for_ever() -> None:
    blob = columns.encode(entries())
    assert columns_of(golden("columns-1.bin", blob)) == columns_of(blob)


def test_columns_of_yesterday_read() -> None:
    assert columns.encode(columns.decode((GOLDEN / "columns-1.bin").read_bytes())) == columns.encode(entries())
    assert columns.decode((GOLDEN / "columns-1.bin").read_bytes()).activity.tolist() == ["email:1", "", "phonecall:ü"]


def test_columns_of_the_first_layout_read_as_the_same_interactions() -> None:
    """`columns-0.bin` was written by the app before it knew counters of followed mails."""
    held = (GOLDEN / "columns-0.bin").read_bytes()
    assert (columns.layout(held), columns.layout(columns.encode(entries()))) == (0, 1)
    assert columns.encode(columns.decode(held)) == columns.encode(entries())
    assert columns.decode(held).engagement.shape == (0, columns.COUNTERS)


def test_further_names_of_conversations_stand_at_the_end_where_the_release_before_does_not_read() -> None:
    plain = entries()
    threads = {"thread_index": np.array([0, 0, 2], "i8"), "thread_name": np.array([9, 2**64 - 2, 11], "u8")}
    named = replace(plain, facts=replace(plain.facts, **threads))
    counts, facts, ids = columns_of(columns.encode(named))
    assert (counts, ids) == (columns_of(columns.encode(plain))[0], columns_of(columns.encode(plain))[2])
    assert facts.startswith(columns_of(columns.encode(plain))[1])
    assert columns_of(golden("columns-1-threads.bin", columns.encode(named)))[1] == facts
    read = columns.decode(columns.encode(named)).facts
    assert (read.thread_index.tolist(), read.thread_name.tolist()) == ([0, 0, 2], [9, 2**64 - 2, 11])


def test_columns_of_tomorrow_are_refused() -> None:
    with pytest.raises(FormatVersionError):
        columns.decode(bytes([columns.VERSION + 1]) + columns.encode(entries())[1:])


def test_state_is_the_same_bytes_for_ever_and_reads() -> None:
    blob = crm_state.encode(entity_state())
    held = golden("state-1.bin", blob)
    assert held == blob
    assert crm_state.decode(held) == entity_state()


def test_state_of_tomorrow_is_refused() -> None:
    with pytest.raises(FormatVersionError):
        crm_state.decode(b"\x02" + crm_state.encode(entity_state())[1:])


def test_copies_are_the_same_bytes_for_ever_and_read() -> None:
    blob = group_rows.encoder.encode(group())
    held = golden("copies-1.bin", blob)
    assert held == blob
    assert group_rows.decoder.decode(held) == group()


def test_packed_copies_are_the_same_bytes_for_ever_and_read() -> None:
    blob = group_rows.pack(group())
    held = golden("copies-2.bin", blob)
    assert zlib.decompress(held) == zlib.decompress(blob)  # whose bytes differ between builds of zlib
    assert group_rows.unpack(held) == group()


def test_copies_that_fit_are_written_as_the_release_before_reads_them() -> None:
    row = group_rows.properties(group())
    assert (row["v"], tables.unsplit(row)) == (1, group_rows.encoder.encode(group()))


def test_roster_of_yesterday_reads() -> None:
    """Fields may be added with a default; what was written is read as it was meant."""
    held = golden("roster-1.bin", rosters._encoder.encode(roster()))
    assert rosters._decoder.decode(held) == roster()


def test_change_in_a_queue_is_the_same_bytes_for_ever_and_reads() -> None:
    change = Change("opportunity", "o1", 7, "link", relationship="team", related=[Ref("user", "u1")])
    blob = msgspec.json.encode([change])
    held = golden("changes-1.json", blob)
    assert held == blob
    assert msgspec.json.decode(held, type=list[Change]) == [change]


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("table", ["state", "interactions", "records", "references", "insights"])
def test_row_of_a_later_version_is_refused_not_guessed(table: str) -> None:
    record = "account:a1"
    where = {
        "state": (states.partition("account", "a1"), "a1"),
        "interactions": (tables.bucket(groups._row_key("mail:<m@x>")), groups._row_key("mail:<m@x>")),
        "records": rosters.place(record),
        "references": (record, "child|contact:c1"),
        "insights": insights.place(record),
    }[table]
    tables.upsert(
        table,
        {
            "PartitionKey": where[0],
            "RowKey": where[1],
            "v": 99,
            "data0": b"",
            "tag": "",
            "validUntil": 0,
            "revision": 1,
            "n": 1,
        },
    )
    read = {
        "state": lambda: states.read("account", "a1"),
        "interactions": lambda: groups.update({"mail:<m@x>": {"email:1": groups.HeldCopy(1, None)}}, lambda _: []),
        "records": lambda: rosters.read(record),
        "references": lambda: rosters.children(record),
        "insights": lambda: insights.read(record),
    }[table]
    with pytest.raises(FormatVersionError):
        read()
