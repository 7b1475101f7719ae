"""Random histories: the arrays agree with the slow twin, and the properties of kpis 16 hold."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from fractions import Fraction
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.kpi.contacts import most_contacted
from shared.kpi.counts import Counts, count, ratio
from shared.kpi.inclusion import Inclusion, include
from shared.kpi.interactions import Flag, History, Interactions, Kind, Membership, Reason, RecordType, Response, Role
from shared.kpi.last_next import last_next
from shared.kpi.parameters import Parameters
from shared.kpi.time_spent import hours
from shared.kpi.timeline import timeline
from shared.kpi.windows import kpi_window
from tests.doubles.histories import DAY, A, Item, Part, World, about, address, interactions, person
from tests.doubles.slow_kpis import Record

WORLD = World(aliases={"kim@home.example": "kim", "anna@old.example": "anna", "kim@us.example": "kim"})
POOL = ["anna", "ben", "cleo", "new@us.example", "anna@old.example"]
POOL += ["kim", "lee", "max", "kim@home.example", "kim@us.example", "stranger@else.example"]
NAMES = {person("kim"): "Kim", person("lee"): "kim", person("anna"): "Anna"}
PARAMETERS = Parameters(reporting_zone="Europe/Berlin", window_days=200, timeline_days=200, recipient_limit=4)
START = kpi_window(A, PARAMETERS).start


def _deal(kind: RecordType, name: str, external: list[str], team: list[str], closed: int | None = None) -> Membership:
    when_regarding = ["max"] if name == "O" else []
    return WORLD.membership(kind, name, external, team, A - 90 * DAY, closed, when_regarding=when_regarding)


FIRST, SECOND = (
    _deal(RecordType.OPPORTUNITY, "O", ["kim", "lee"], ["anna", "ben"]),
    _deal(RecordType.OPPORTUNITY, "O2", ["max"], ["cleo"]),
)
RECORDS = {
    "contact": WORLD.contact("kim"),
    "deal": FIRST,
    "closed deal": _deal(RecordType.OPPORTUNITY, "O", ["kim"], ["anna"], A - 20 * DAY),
    "lead": _deal(RecordType.LEAD, "L", ["lee"], ["anna"]),
    "case": _deal(RecordType.CASE, "C1", ["kim"], ["ben", "cleo"]),
    "account": WORLD.account(FIRST, SECOND),
    "account of deals": WORLD.account(FIRST, SECOND, contacts=()),
}

EDGES = [A, A - 1, A + 1, START, START - 1, A - 120 * DAY, A - 120 * DAY - 1, A - 20 * DAY, A + DAY]
EXCLUDING = [Flag.CANCELLED, Flag.ALL_DAY, Flag.NOT_BUSY, Flag.AUTOMATIC, Flag.BULK]
SOURCES = [Flag.IN_EXCHANGE, Flag.IN_CRM, Flag.IN_EXCHANGE | Flag.IN_CRM]
CALLS = [Flag(0), Flag(0), Flag.CALL_IN, Flag.CALL_OUT, Flag.CALL_IN | Flag.CALL_OUT, Flag.NO_ANSWER]


def _people(random: Random, kind: Kind) -> list[str]:
    """Mostly somebody of each side, the first of them starts; at times a crowd, one side only, or nobody."""
    if kind == Kind.TASK:
        return ["anna"]
    if random.random() < 0.15:
        return random.choices(POOL, k=random.randrange(8))
    names = [random.choice(POOL[:5]), random.choice(POOL[5:]), *random.choices(POOL, k=random.randrange(3))]
    return random.sample(names, len(names))


def _parts(random: Random, kind: Kind) -> tuple[Part, ...]:
    first, others = (Role.ORGANIZER, [Role.ATTENDEE]) if kind == Kind.MEETING else (Role.FROM, [Role.TO, Role.CC])
    headless = random.random() < 0.05
    answers = [Response.ACCEPTED, Response.NONE, Response.DECLINED]
    return tuple(
        Part(address(name), random.choice(others) if number or headless else first, random.choice(answers))
        for number, name in enumerate(_people(random, kind))
    )


def _item(random: Random, name: str) -> Item:
    """One interaction: mostly completed and ordinary, sometimes with a fact that excludes it."""
    kind = random.choice([Kind.EMAIL, Kind.EMAIL, Kind.MEETING, Kind.CALL, Kind.TASK])
    at = random.choice(EDGES) if random.random() < 0.2 else A - random.randrange(-2 * DAY, 250 * DAY)
    flags = random.choice(SOURCES) | (Flag.COMPLETED if random.random() < 0.9 else Flag(0)) | random.choice(CALLS)
    flags |= random.choice(EXCLUDING) if random.random() < 0.15 else Flag(0)
    end = at + random.choice([0, 240, 300, 1800, 3600, 40_000]) if kind == Kind.MEETING else at
    minutes = random.choice([math.nan, -3.0, 0.5, 12.3, 47.0, 600.0])
    regarding = random.choice([[], [], ["O"], ["O2"], ["Cust"], ["kim"], ["L"], ["C1"], ["O", "O2"], ["C1", "L"]])
    thread = random.choice(["", "a", "b", "c"]) if kind == Kind.EMAIL else ""
    return Item(kind, at, end, _parts(random, kind), flags, minutes, thread, about(regarding), name)


def _history(seed: int, size: int) -> list[Item]:
    """Interactions with ids, in the order of the column bundle."""
    random = Random(seed)
    drawn = [_item(random, f"#{number}") for number in range(size)]
    by_key = {item_key(item): item for item in drawn}
    return [by_key[key.tobytes()] for key in interactions(*drawn).key]


def item_key(item: Item) -> bytes:
    return interactions(item).key[0].tobytes()


histories = st.builds(_history, st.integers(0, 2**32 - 1), st.integers(0, 60))
later_items = st.builds(lambda seed: _item(Random(seed), "later"), st.integers(0, 2**32 - 1))
records = st.sampled_from(sorted(RECORDS)).map(RECORDS.__getitem__)


def decide(drawn: list[Item], of: Membership) -> Inclusion:
    return include(interactions(*drawn), of, A, PARAMETERS)


def figures(history: History) -> dict[str, object]:
    """Every figure of this part."""
    window = kpi_window(history.as_of, PARAMETERS)
    counts = count(history, window)
    return {
        "counts": counts,
        "ratio": ratio(counts),
        "timeline": timeline(history, PARAMETERS),
        "people": most_contacted(history, window, NAMES, limit=50),
        "hours": hours(history, window, PARAMETERS),
        "last": last_next(history).last,
        "wider team": history.wider_team,
    }


@settings(max_examples=150, deadline=None)
@given(histories, records)
def test_inclusion_agrees_with_the_twin(drawn: list[Item], of: Membership) -> None:
    found, slow = decide(drawn, of), Record(of, A, PARAMETERS)
    assert [Reason(code).name for code in found.reason.tolist()] == [slow.reason(item).name for item in drawn]
    assert found.direction.tolist() == [int(slow.incoming(item)) for item in drawn]
    rolled = [number for number, item in enumerate(drawn) if slow.reason(item) == Reason.ROLLED_UP]
    expected = [(number, child) for number in rolled for child in slow.through(drawn[number])]
    assert list(zip(found.through_index.tolist(), found.through_child.tolist(), strict=True)) == expected


@settings(max_examples=100, deadline=None)
@given(histories, records)
def test_history_holds_each_person_once(drawn: list[Item], of: Membership) -> None:
    history, slow = decide(drawn, of).history(), Record(of, A, PARAMETERS)
    counted = [item for item in drawn if slow.counts(item)]
    rows = zip(history.part_index.tolist(), history.part_internal.tolist(), history.part_person.tolist(), strict=True)
    expected = [
        (n, ours, one) for n, item in enumerate(counted) for ours in (False, True) for one in slow.people(item, ours)
    ]
    assert sorted(rows) == sorted(expected)
    marked = zip(
        history.part_counts.tolist(),
        history.part_index.tolist(),
        history.part_internal,
        history.part_person,
        strict=True,
    )
    counting = {(n, bool(ours), int(one)) for counts, n, ours, one in marked if counts}
    assert counting == {(n, *who) for n, item in enumerate(counted) for who in slow.counting(item)}
    assert history.at.tolist() == [item.at for item in counted]


@settings(max_examples=150, deadline=None)
@given(histories, records)
def test_figures_agree_with_the_twin(drawn: list[Item], of: Membership) -> None:
    history, slow, window = decide(drawn, of).history(), Record(of, A, PARAMETERS), kpi_window(A, PARAMETERS)
    assert list(asdict(count(history, window)).values()) == slow.count(drawn, START)
    bars = timeline(history, PARAMETERS)
    series = [bars.emails_sent, bars.emails_received, bars.meetings_sent, bars.meetings_received, bars.calls_made]
    table = slow.days(drawn)
    assert list(bars.dates) == [day.isoformat() for day in table]
    assert list(zip(*series, bars.calls_received, strict=True)) == [tuple(row) for row in table.values()]
    people = most_contacted(history, window, NAMES, limit=50)
    assert [tuple(asdict(one).values()) for one in people.customers] == slow.contacted(drawn, START, False, NAMES)
    assert [tuple(asdict(one).values()) for one in people.colleagues] == slow.contacted(drawn, START, True, NAMES)
    spent = hours(history, window, PARAMETERS)
    expected = slow.minutes(drawn, START)
    assert [spent.our_minutes, spent.their_minutes, spent.face_minutes, spent.wider_team_minutes] == expected[:4]
    assert spent.duration_missing == expected[4]


@settings(max_examples=150, deadline=None)
@given(histories, records)
def test_last_and_next_agree_with_the_twin(drawn: list[Item], of: Membership) -> None:
    found, slow = last_next(decide(drawn, of).history()), Record(of, A, PARAMETERS)
    counted = [item.at for item in drawn if slow.counts(item) and item.kind != Kind.TASK]
    planned = [item for item in drawn if slow.planned(item) and slow.judged(item) <= Reason.ROLLED_UP]
    assert (found.last.at if found.last else None) == max(counted, default=None)
    assert (found.next.key if found.next else None) == (
        interactions(planned[0]).key[0].ljust(16, b"\0").hex() if planned else None
    )


@settings(max_examples=50, deadline=None)
@given(histories, records, st.randoms(use_true_random=False))
def test_shuffled_and_doubled_input_changes_nothing(drawn: list[Item], of: Membership, random: Random) -> None:
    """Rows of participants and regardings in any order, and each of them twice."""
    mixed = []
    for item in drawn:
        parts, regarding = list(item.parts * 2), list(item.regarding * 2)
        random.shuffle(parts)
        random.shuffle(regarding)
        mixed.append(replace(item, parts=tuple(parts), regarding=tuple(regarding)))
    random.shuffle(mixed)
    assert figures(decide(mixed, of).history()) == figures(decide(drawn, of).history())


@settings(max_examples=50, deadline=None)
@given(histories, records, later_items)
def test_event_after_as_of_changes_only_next(drawn: list[Item], of: Membership, later: Item) -> None:
    later = replace(later, at=A + 1 + later.at % DAY, end=A + 1 + later.at % DAY + later.end - later.at, id="later")
    assert figures(decide([*drawn, later], of).history()) == figures(decide(drawn, of).history())


@settings(max_examples=50, deadline=None)
@given(histories, records)
def test_window_counts_are_the_sum_of_their_days(drawn: list[Item], of: Membership) -> None:
    history = decide(drawn, of).history()
    counts, bars = count(history, kpi_window(A, PARAMETERS)), timeline(history, PARAMETERS)
    for name in (
        "emails_sent",
        "emails_received",
        "meetings_sent",
        "meetings_received",
        "calls_made",
        "calls_received",
    ):
        assert getattr(counts, name) == sum(getattr(bars, name))


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_ratios_are_inverse_before_rounding(sent: int, received: int) -> None:
    found = ratio(Counts(sent, received, 0, 0, 0, 0, 0, 0))
    assert found.by_us is not None
    assert found.by_them is not None
    assert abs(Fraction(found.by_us) - Fraction(sent, received)) <= Fraction(5001, 10**6)
    assert abs(Fraction(found.by_them) - Fraction(received, sent)) <= Fraction(5001, 10**6)


@settings(max_examples=150, deadline=None)
@given(histories)
def test_account_counts_lie_between_the_largest_and_the_sum_of_its_parts(drawn: list[Item]) -> None:
    account = RECORDS["account"]
    own = decide(drawn, replace(account, children=(), external=np.empty(0, np.uint64))).history()
    below = [len(decide(drawn, replace_people(child, account)).history()) for child in account.children]
    assert max([len(own), *below]) <= len(decide(drawn, account).history()) <= len(own) + sum(below)


def replace_people(child: Membership, account: Membership) -> Membership:
    """The child as a record of its own, with the account's view on who is who."""
    return replace(child, persons=account.persons, canonical=account.canonical)


@settings(max_examples=50, deadline=None)
@given(histories, records)
def test_no_figure_is_nan_or_infinite(drawn: list[Item], of: Membership) -> None:
    for figure in figures(decide(drawn, of).history()).values():
        for value in asdict(figure).values() if hasattr(figure, "__dataclass_fields__") else [figure]:  # type: ignore[call-overload]
            assert not isinstance(value, float) or math.isfinite(value)


@settings(max_examples=60, deadline=None)
@given(histories, records, st.integers(0, 300))
def test_moving_everything_by_whole_weeks_moves_nothing_else(drawn: list[Item], of: Membership, weeks: int) -> None:
    """In a zone without clock changes, figures of a rolling window depend on ages alone."""
    shift, parameters = weeks * 7 * DAY, replace(PARAMETERS, reporting_zone="UTC")

    def seen(by: int) -> tuple[object, object]:
        facts = interactions(*(replace(item, at=item.at + by, end=item.end + by) for item in drawn))
        history = include(facts, moved(of, by), A + by, parameters).history()
        window = kpi_window(A + by, parameters)
        return count(history, window), hours(history, window, parameters)

    def moved(record: Membership, by: int) -> Membership:
        children = tuple(moved(child, by) for child in record.children)
        created = None if record.created is None else record.created + by
        return replace(
            record, created=created, closed=None if record.closed is None else record.closed + by, children=children
        )

    assert seen(shift) == seen(0)


def test_empty_interactions_have_all_figures() -> None:
    history = include(Interactions.empty(), RECORDS["account"], A, PARAMETERS).history()
    assert figures(history)["last"] is None
