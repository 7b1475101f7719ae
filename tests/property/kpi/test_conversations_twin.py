"""Conversations as connected components, against following the names one by one; and what permutation and the future change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.columns import take
from shared.kpi.conversations import conversations
from shared.kpi.interactions import Interactions, Kind
from tests.doubles.histories import email, interactions

Names = list[list[int]]
mails = st.lists(st.lists(st.integers(1, 12), max_size=4, unique=True), max_size=14)


def named(names: Names) -> Interactions:
    """A mail an hour with these names each, the first of them as its own."""
    facts = interactions(*(email(3_600 * number, "kim", ["anna"]) for number in range(len(names))))
    further = [(mail, name) for mail, found in enumerate(names) for name in found[1:]]
    return replace(
        facts,
        conversation=np.array([found[0] if found else 0 for found in names], "u8"),
        thread_index=np.array([mail for mail, _ in further], "i8"),
        thread_name=np.array([name for _, name in further], "u8"),
    )


def slow(names: Names, known: list[bool]) -> list[set[int]]:
    """The mails that each mail reaches by names, one step at a time; none for one without a name."""
    found = []
    for number, own in enumerate(names):
        reached = set(own) if known[number] else set()
        while True:
            more = {name for other, its in enumerate(names) if known[other] and reached & set(its) for name in its}
            if more <= reached:
                break
            reached |= more
        found.append({other for other, its in enumerate(names) if known[other] and reached & set(its)})
    return found


@given(mails, st.data())
def test_conversations_are_what_names_connect(names: Names, data: st.DataObject) -> None:
    known = [data.draw(st.booleans()) for _ in names]
    told = conversations(named(names), np.array(known, bool)).tolist()
    together = [{other for other, key in enumerate(told) if key == own and key} for own in told]
    assert together == slow(names, known)


@given(mails, st.randoms(use_true_random=False))
def test_the_order_of_mails_changes_nothing(names: Names, chance: object) -> None:
    order = list(range(len(names)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    known = np.ones(len(names), bool)
    shuffled = conversations(take(named(names), np.array(order, "i8")), known)
    assert shuffled.tolist() == conversations(named(names), known)[np.array(order, "i8")].tolist()


def test_a_chain_of_answers_is_one_conversation_however_long() -> None:
    names = [[number, number + 1] for number in range(2, 10_001)]
    assert set(conversations(named(names), np.ones(len(names), bool)).tolist()) == {
        3
    }  # the smallest that two mails share


def test_only_mails_have_conversations() -> None:
    facts = named([[1, 2], [2, 3]])
    meeting = replace(facts, kind=np.array([Kind.EMAIL, Kind.MEETING], "u1"))
    assert conversations(meeting, np.ones(2, bool)).tolist() == [1, 0]
