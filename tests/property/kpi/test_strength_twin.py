"""Strength over columns agrees with the one-by-one form; order, doubling and the future change nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kpi.interactions import Flag, RecordType
from shared.kpi.parameters import Parameters
from shared.kpi.strength import Acquaintance
from shared.kpi.who_knows_whom import who_knows_whom
from tests.doubles.histories import DAY, OURS, THEIRS, WORLD, A, Item, call, email, interactions, meeting, person
from tests.doubles.slow_strength import Happening, slow_strengths

DEFAULTS = Parameters()
everyone = st.sampled_from([*OURS, *THEIRS])


@st.composite
def happenings(draw) -> Happening:
    """A counted interaction with at least one person on each side, of the last 400 days."""
    starter = draw(everyone)
    other_side = THEIRS if starter in OURS else OURS
    rest = draw(st.sets(everyone, max_size=5)) | {draw(st.sampled_from(other_side))}
    kind = draw(st.sampled_from(["email", "meeting", "call"]))
    at = A - draw(st.integers(1, 400)) * DAY + draw(st.integers(0, 3)) * 3600
    return Happening(kind, at, starter, tuple(sorted(rest - {starter})), draw(st.booleans()))


def item(number: int, one: Happening) -> Item:
    if one.kind == "email":
        return email(one.at, one.starter, one.others[:1], cc=one.others[1:], id=str(number))
    if one.kind == "meeting":
        return meeting(one.at, one.starter, one.others, id=str(number))
    flags = Flag.COMPLETED | Flag.IN_CRM | (Flag(0) if one.answered else Flag.NO_ANSWER)
    return call(one.at, one.starter, one.others, flags=flags, id=str(number))


def company(targets) -> object:
    return WORLD.membership(RecordType.ACCOUNT, "Cust", sorted(targets))


def found(items, targets, parameters=DEFAULTS) -> dict[int, Acquaintance]:
    answer = who_knows_whom(interactions(*items), company(targets), A, parameters)
    return {each.colleague: each for each in answer.acquaintances}


many = st.lists(happenings(), max_size=25)
targets_of = st.sets(st.sampled_from(THEIRS), min_size=1)


@given(many, targets_of, st.sampled_from([1.0, 0.5]))
def test_strength_and_evidence_agree_with_the_slow_form(all_of_them, targets, regularity):
    parameters = Parameters(strength_regularity=regularity)
    fast = found([item(number, one) for number, one in enumerate(all_of_them)], targets, parameters)
    slow = slow_strengths(all_of_them, OURS, targets, A, regularity)
    assert set(fast) == {person(name) for name in slow}
    for name, (raw, known) in slow.items():
        each = fast[person(name)]
        assert each.raw == pytest.approx(raw, rel=1e-12)
        evidence = (each.emails_out, each.emails_in, each.meetings, each.calls, each.last_at)
        assert evidence == (known.out, known.back, known.meetings, known.calls, known.last)


@given(many, targets_of, st.randoms(use_true_random=False))
def test_order_and_the_future_change_nothing(all_of_them, targets, random):
    items = [item(number, one) for number, one in enumerate(all_of_them)]
    later = [email(A + 1, "anna", ["kim"], id="later"), meeting(A, "kim", ["ben"], id="planned")]
    shuffled = random.sample([*items, *later], len(items) + 2)
    assert found(items, targets) == found(shuffled, targets)


@given(many, targets_of)
def test_ranges_and_order(all_of_them, targets):
    items = [item(number, one) for number, one in enumerate(all_of_them)]
    listed = who_knows_whom(interactions(*items), company(targets), A, DEFAULTS).acquaintances
    assert all(0 <= each.strength <= 100 and 1 <= each.bars <= 6 and np.isfinite(each.raw) for each in listed)
    assert [each.raw for each in listed] == sorted((each.raw for each in listed), reverse=True)


@given(many, happenings())
def test_one_more_contact_never_weakens_anyone(all_of_them, one_more):
    items = [item(number, one) for number, one in enumerate(all_of_them)]
    before, after = found(items, THEIRS), found([*items, item(len(items), one_more)], THEIRS)
    assert all(after[colleague].raw >= each.raw * (1 - 1e-12) for colleague, each in before.items())


@given(many)
def test_a_company_is_at_least_as_well_known_as_each_of_its_people(all_of_them):
    items = [item(number, one) for number, one in enumerate(all_of_them)]
    whole = found(items, THEIRS)
    for target in THEIRS:
        for colleague, each in found(items, {target}).items():
            assert whole[colleague].raw >= each.raw * (1 - 1e-12)
