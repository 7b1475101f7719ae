"""Health against its slow twin, and its properties, on random histories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.kpi.changes import only
from shared.kpi.contributions import contributions, has_breadth, points_of
from shared.kpi.health import health
from shared.kpi.influence import score_drops
from shared.kpi.interactions import Direction, History, Kind, RecordType, Role
from shared.kpi.parameters import DAY, FREQUENCY_DAYS, Parameters
from shared.kpi.profile import weigh
from shared.kpi.trend import Trend, differences, trend
from tests.doubles import slow_health
from tests.doubles.ages import ANNA, BEN, KIM, LEE, MAX, A, Contact, history

BACK = [0, 1, 5, 13, 28, 41]
WEIGHT = {Kind.EMAIL: 1.0, Kind.MEETING: 3.0, Kind.CALL: 2.0, Kind.TASK: 0.0}


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    kind = draw(st.sampled_from([Kind.EMAIL, Kind.EMAIL, Kind.MEETING, Kind.CALL, Kind.TASK]))
    # Many ages on hours, so that interactions fall on the very edges of days and periods.
    age = draw(st.one_of(st.integers(0, 60 * 24), st.integers(0, 790 * 24))) / 24 + draw(st.sampled_from([0, 1 / DAY]))
    incoming = draw(st.booleans())
    first = (draw(st.sampled_from([KIM, LEE, MAX] if incoming else [ANNA, BEN])), Role.FROM)
    rest = draw(st.lists(st.sampled_from([ANNA, BEN, KIM, LEE, MAX]), max_size=3, unique=True))
    people = (first, *((person, Role.TO) for person in rest))
    sign = incoming or (kind != Kind.EMAIL and draw(st.booleans()))
    hours = draw(st.sampled_from([0.5, 1, 8, 60])) if kind == Kind.MEETING else 0.0
    return Contact(age, kind, Direction(int(incoming)), people, sign=sign and kind != Kind.TASK, hours=hours)


@st.composite
def cases(draw: st.DrawFn) -> tuple[History, Parameters]:
    parameters = Parameters(
        frequency=draw(st.sampled_from(sorted(FREQUENCY_DAYS))),
        half_life_days=draw(st.sampled_from([7.0, 30.0, 60.0, 365.0])),
    )
    record = draw(st.sampled_from([RecordType.CONTACT, RecordType.OPPORTUNITY]))
    return history(draw(st.lists(contacts(), max_size=25)), record=record), parameters


def events(found: History) -> list[slow_health.Event]:
    rows = []
    for i in range(len(found)):
        kind = Kind(int(found.kind[i]))
        people = [
            int(p)
            for p, index, ours, role in zip(
                found.part_person, found.part_index, found.part_internal, found.part_role, strict=True
            )
            if index == i and not ours and (kind != Kind.EMAIL or role == Role.FROM)
        ]
        sign = bool(found.from_them[i])
        rows.append(slow_health.Event(int(found.at[i]), int(found.end[i]), WEIGHT[kind], sign, frozenset(people)))
    return rows


def slow_arguments(found: History, parameters: Parameters) -> tuple[int, float, tuple[float, ...]]:
    return parameters.frequency_days, parameters.half_life_days, tuple(points_of(found, parameters).tolist())


@given(cases())
@settings(max_examples=150, deadline=None)
def test_values_equal_the_twin_at_many_instants(case):
    found, parameters = case
    frequency, half_life, _ = slow_arguments(found, parameters)
    fast = contributions(found, parameters, A, BACK).values
    for row, back in zip(fast, BACK, strict=True):
        slow = slow_health.values(events(found), A - back * DAY, frequency, half_life, has_breadth(found))
        assert slow == pytest.approx(row.tolist(), abs=1e-11)


@given(cases())
@settings(max_examples=100, deadline=None)
def test_trend_equals_the_twin(case):
    found, parameters = case
    words = {"improving": 0, "steady": 1, "declining": 2, "not_enough": 3}
    assert words[slow_health.trend(events(found), A, *slow_arguments(found, parameters))] == trend(found, parameters)


@given(cases())
@settings(max_examples=100, deadline=None)
def test_influences_are_those_of_taking_each_away(case):
    found, parameters = case
    parts = contributions(found, parameters, A)
    rows = weigh(found, parameters.weights, A)
    slow = slow_health.drops(events(found), A, *slow_arguments(found, parameters))
    if len(rows.rows):
        fast = dict(zip(rows.rows.tolist(), score_drops(found, parameters, parts, rows).tolist(), strict=True))
        assert slow == pytest.approx(fast, abs=1e-9)
    shown = health(found, parameters).evidence.influences
    best = sorted((drop for drop in slow.values() if round(drop, 9) > 0), reverse=True)[:5]
    assert best == pytest.approx([influence.points for influence in shown], abs=0.0501)


@given(cases())
@settings(max_examples=150, deadline=None)
def test_contributions_add_up_and_keep_their_bounds(case):
    result = health(*case)
    if result.score is not None:
        assert round(10 * result.score) == sum(round(10 * part.score) for part in result.contributions)
        assert all(0 <= part.score <= part.points and 0 <= part.value <= 1 for part in result.contributions)
        assert 0 <= result.score <= 100


@given(cases(), st.sampled_from([Kind.EMAIL, Kind.MEETING, Kind.CALL]), st.booleans())
@settings(max_examples=100, deadline=None)
def test_one_more_interaction_now_lowers_no_contribution(case, kind, sign):
    found, parameters = case
    new = Contact(0, kind, Direction.IN, ((KIM, Role.FROM), (ANNA, Role.TO)), sign=sign)
    more = _joined(found, history([new], record=found.type))
    before, after = (contributions(each, parameters, A).values[0] for each in (found, more))
    assert (after >= before - 1e-12).all()


@given(cases(), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_later_interactions_do_not_exist_for_an_earlier_instant(case, days):
    found, parameters = case
    then = A - days * DAY
    known = found.end <= then
    earlier = replace(only(found, known), as_of=then)
    assert health(earlier, parameters) == health(found, parameters, then)
    assert differences(earlier, parameters, then) == differences(found, parameters, then)


@given(cases())
@settings(max_examples=40, deadline=None)
def test_time_shift_changes_nothing_but_the_dates(case):
    found, parameters = case
    shift = 12_345
    moved = replace(found, as_of=found.as_of + shift, at=found.at + shift, end=found.end + shift)
    assert trend(found, parameters) == trend(moved, parameters)
    assert health(found, parameters).contributions == health(moved, parameters).contributions


@given(cases())
@settings(max_examples=40, deadline=None)
def test_nothing_is_nan(case):
    result = health(*case)
    numbers = [result.rhythm.ratio, result.rhythm.usual_gap_days, result.evidence.decayed, result.evidence.expected]
    assert all(number is None or np.isfinite(number) for number in numbers)
    assert trend(*case) in set(Trend)


def _joined(one: History, other: History) -> History:
    """Both histories' interactions; the other's are the younger."""
    rows = {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in _ROWS}
    people = {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in _PARTS}
    index = np.concatenate([one.part_index, other.part_index + len(one)])
    return replace(one, part_index=index, **rows, **people)


_ROWS = ("key", "at", "end", "kind", "direction", "reason", "flags", "minutes", "conversation", "from_them")
_PARTS = ("part_person", "part_role", "part_internal", "part_counts")
