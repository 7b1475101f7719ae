"""Placing: what leaves a partition leaves its rows, and not only the figures."""

from __future__ import annotations

import pytest

from shared import partitions, placing, tables
from shared.entries import person_key
from shared.groups import Placement, Reach
from shared.interactions import EMAIL, FROM, TO, Interaction, Participant
from shared.membership import person_anchor

pytestmark = pytest.mark.usefixtures("storage")
NOVEMBER = 1_793_491_200  # 2026-11-01
CUSTOMER = Participant("kim@cust.example", "", "", TO, 0)


def mail(number: int) -> Interaction:
    return Interaction(
        key=number.to_bytes(16, "big"), kind=EMAIL, at=NOVEMBER + number, end=NOVEMBER + number, minutes=None, flags=1,
        conversation="c", conversations=(), participants=(Participant("anna@us.example", "", "", FROM, 0), CUSTOMER),
        regarding=(), sources=1, activity_id=f"email:{number}",
    )  # fmt: skip


def test_what_has_left_is_in_no_row_of_the_partition() -> None:
    mails = [mail(number) for number in (1, 2, 3)]
    placing.put(Placement([(one, 1) for one in mails], []))
    anchor = person_anchor(person_key(CUSTOMER))
    assert len(partitions.read(anchor).live) == 3
    where: Reach = (anchor, "2026-11")
    placing.put(Placement([], [(mails[0].key, 2, where)]))
    assert sorted(partitions.read(anchor).live.activity) == ["email:2", "email:3"]
    assert [row["RowKey"] for row in tables.query("activities", anchor)] == ["2026-11"]
    whole = partitions.read(anchor).entries
    assert "email:1" not in whole.activity and len(whole.facts.part_person) == 4


def test_placing_again_adds_no_row() -> None:
    placement = Placement([(mail(number), 1) for number in (1, 2, 3)], [])
    anchor = person_anchor(person_key(CUSTOMER))
    placing.put(placement)
    before = [row["RowKey"] for row in tables.query("activities", anchor)]
    placing.put(placement)
    assert [row["RowKey"] for row in tables.query("activities", anchor)] == before
    assert len(before) == 1
