"""Mails in very many mailboxes, and rows that the storage would not take, on a real Azurite."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Sequence
from hashlib import blake2b, sha512

import pytest

from shared import group_rows, groups, ingest, table_limits, tables
from shared.changes import parse_batch
from shared.errors import RowTooLargeError
from shared.graph import copies
from shared.groups import HeldCopy
from shared.interactions import COMPLETED, FROM, IN_EXCHANGE, TO, InteractionCopy, Participant

pytestmark = pytest.mark.usefixtures("storage", "queues")
AT = 1_790_000_000
KIM = Participant("kim@cust.example", "Kim", "", FROM, 0)


def colleague(number: int) -> Participant:
    return Participant(f"person{number}.surname@us.example", f"Person {number} Surname", "", TO, 0)


def mailbox(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, str(number)))


def copy(number: int, participants: Sequence[Participant], message: str = "<m@cust.example>") -> InteractionCopy:
    """What the mailbox of that number holds of a mail; ids as long as Exchange's."""
    item = blake2b(f"{message}{number}".encode(), digest_size=16).hexdigest()
    conversation = f"exchange:{mailbox(number)}:{sha512(item.encode()).hexdigest()[:100]}"
    return InteractionCopy(
        copy_id=f"exchange:{mailbox(number)}:{item}", source="exchange", merge_key=f"mail:{message}", kind=0, at=AT, end=AT,
        flags=COMPLETED | IN_EXCHANGE, conversation=conversation, conversations=(conversation,),
        participants=tuple(participants), mailbox=mailbox(number), owner=f"person{number}.surname@us.example",
    )  # fmt: skip


def stored_row(message: str = "<m@cust.example>") -> tables.Row:
    key = groups._row_key(f"mail:{message}")
    row = tables.read(groups.TABLE, tables.bucket(key), key)
    assert row is not None
    return row


def deal_of_kim() -> None:
    rows = [
        {"entity": "user", "id": "u1", "version": 1, "operation": "upsert", "attributes": {"name": "A", "emails": []}},
        {
            "entity": "contact", "id": "c1", "version": 1, "operation": "upsert",
            "attributes": {"name": "Kim", "emails": [KIM.address]},
        },
    ]  # fmt: skip
    ingest.take_in(parse_batch(json.dumps({"changes": rows}).encode()))


def test_a_mail_in_300_mailboxes_with_300_participants_is_one_row() -> None:
    deal_of_kim()
    everybody = [KIM, *map(colleague, range(299))]
    held = {each.copy_id: HeldCopy(1, each) for each in (copy(number, everybody) for number in range(300))}
    assert "contact:c1" in ingest.place({"mail:<m@cust.example>": held})
    row = stored_row()
    assert row["v"] == group_rows.PACKED
    assert len(tables.unsplit(row)) < 100_000
    assert group_rows.stored(row).copies == held
    # One more mailbox, read by its own worker, finds all the others.
    late = copy(300, everybody)
    copies.put(mailbox(300), [late], AT * 1000)
    found = group_rows.stored(stored_row())
    assert (len(found.copies), found.copies[late.copy_id].copy) == (301, late)
    (interaction,) = [merged for merged, _ in groups.update({late.merge_key: {}}, lambda _: []).interactions]
    assert (len(interaction.participants), interaction.sources) == (300, 301)


def test_what_outgrows_the_plain_form_and_shrinks_again_is_read_in_both() -> None:
    everybody = [KIM, *map(colleague, range(120))]
    many = {each.copy_id: HeldCopy(1, each) for each in (copy(number, everybody) for number in range(90))}
    few = dict(list(many.items())[:3])
    groups.update({"mail:<m@cust.example>": few}, lambda _: [])
    assert stored_row()["v"] == group_rows.PLAIN
    groups.update({"mail:<m@cust.example>": many}, lambda _: [])
    assert stored_row()["v"] == group_rows.PACKED
    gone = {name: HeldCopy(2, None) for name in many if name not in few}
    groups.update({"mail:<m@cust.example>": gone}, lambda _: [])
    row = stored_row()
    assert row["v"] == group_rows.PLAIN
    assert {name: held for name, held in group_rows.stored(row).copies.items() if held.copy} == few


def test_a_mail_to_everybody_keeps_as_many_copies_as_fit_whatever_came_first(caplog: pytest.LogCaptureFixture) -> None:
    crm = copy(0, [KIM])
    crm = InteractionCopy(
        copy_id="email:1", source="crm", merge_key=crm.merge_key, kind=0, at=AT, end=AT, participants=(KIM,)
    )
    everyone = [copy(number, [KIM, colleague(number)]) for number in range(8_000)]
    held = {each.copy_id: HeldCopy(1, each) for each in (*everyone, crm)}
    kept = group_rows.fitting(held)
    assert "email:1" in kept
    assert 1_000 < len(kept) < 8_000
    assert list(group_rows.fitting(dict(reversed(held.items())))) == list(kept)
    groups.update({crm.merge_key: held}, lambda _: [])
    assert len(group_rows.stored(stored_row()).copies) == len(kept)
    assert {record.levelno for record in caplog.records if "copies left out" in record.message} == {logging.WARNING}


def test_a_mail_that_no_row_can_hold_does_not_hold_up_the_others(caplog: pytest.LogCaptureFixture) -> None:
    endless = [Participant(f"{sha512(str(n).encode()).hexdigest()}@us.example", "", "", TO, 0) for n in range(12_000)]
    page = [copy(1, [KIM, colleague(1)], "<a@x>"), copy(1, endless, "<b@x>"), copy(1, [KIM, colleague(1)], "<c@x>")]
    copies.put(mailbox(1), page, AT * 1000)
    assert [len(group_rows.stored(stored_row(name)).copies) for name in ("<a@x>", "<c@x>")] == [1, 1]
    left = stored_row("<b@x>")
    assert (group_rows.stored(left), left["left"].startswith("The row has ")) == (group_rows.Group(), True)
    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert line.startswith("left out: a mail or meeting, The row has ")
    # It is noted as read: the next run does not try it again.
    assert {row["digest"] != "" for row in tables.query(copies.TABLE, mailbox(1))} == {True}
    # Once it is shorter it is taken in like any other, and the note is gone.
    copies.put(mailbox(1), [copy(1, [KIM, colleague(1)], "<b@x>")], AT * 1000 + 1)
    mended = stored_row("<b@x>")
    assert (len(group_rows.stored(mended).copies), "left" in mended) == (1, False)


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        ({"data0": bytes(65_537)}, "data0 has 65537 bytes"),
        ({"text": "x" * 32_769}, "text has 65538 bytes"),
        (tables.split(bytes(800_000)), "bytes as they are sent"),
        ({f"p{n}": n for n in range(253)}, "253 properties"),
        ({"RowKey": "r" * 513}, "513 characters"),
    ],
)
def test_a_row_beyond_a_limit_is_refused_before_it_is_sent(row: tables.Row, limit: str) -> None:
    good, bad = {"PartitionKey": "p", "RowKey": "good"}, {"PartitionKey": "p", "RowKey": "bad", **row}
    with pytest.raises(RowTooLargeError, match=limit):
        tables.transact("state", [("upsert", good, None), ("upsert", bad, None)])
    with pytest.raises(RowTooLargeError, match=limit):
        tables.upsert("state", bad)
    assert list(tables.query("state", "p")) == []


def test_the_longest_row_that_passes_is_taken() -> None:
    room = (table_limits.ENTITY_BYTES - 100) * 3 // 4
    row = {"PartitionKey": "p", "RowKey": "r", **tables.split(bytes(room))}
    tables.upsert("state", row)
    tables.upsert("state", row)
    assert len(tables.unsplit(tables.read("state", "p", "r") or {})) == room
