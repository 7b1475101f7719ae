"""Who knows whom: the vectors 9-1 to 9-13, the evidence, the order for an asker and the edges."""

from dataclasses import replace

import numpy as np
import pytest

from shared.kpi.interactions import Flag, Interactions, RecordType
from shared.kpi.parameters import Parameters
from shared.kpi.strength import Acquaintance, bars_of, strength_of
from shared.kpi.who_knows_whom import NO_CONTACT, Asker, in_order, met_with, who_knows_whom
from tests.doubles.histories import DAY, WORLD, A, Item, call, contact, email, interactions, key, meeting, person, task

DEFAULTS = Parameters()
COMPANY = WORLD.membership(RecordType.ACCOUNT, "Cust", ["kim", "lee", "max"])
CLOSED = Flag.COMPLETED | Flag.IN_CRM


def ago(days: float) -> int:
    return A - round(days * DAY)


def out(days: float, to: str = "kim", **others) -> Item:
    return email(ago(days), "anna", [to], **others)


def back(days: float, **others) -> Item:
    return email(ago(days), "kim", ["anna"], **others)


def knows(*items: Item, of=None, parameters=DEFAULTS, **options) -> list[Acquaintance]:
    found = who_knows_whom(interactions(*items), of or contact("kim"), A, parameters, **options)
    return list(found.acquaintances)


def shown(found: Acquaintance) -> tuple[float, float | None, int]:
    return round(found.raw, 4), found.strength, found.bars


def meeting_now(*attendees: str) -> Item:
    """A minute that ends now: what starts at `as_of` is still planned."""
    return meeting(A - 60, "anna", attendees, minutes=1, flags=CLOSED)


@pytest.mark.parametrize(
    ("vector", "items", "expected"),
    [
        ("9-1", [out(10), back(4)], (2.3694, 18.6, 2)),
        ("9-2", [meeting(ago(30), "anna", ["kim"])], (2.9764, 22.7, 2)),
        (
            "9-3",
            [email(ago(10), "anna", ["kim", "a@x.example", "b@x.example", "c@x.example", "lee"])],
            (0.0926, 0.8, 1),
        ),
        ("9-4", [out(days) for days in range(0, 331, 30)], (2.2722, 17.9, 2)),
        ("9-5", [way(days) for days in range(3, 361, 7) for way in (out, back)], (43.7248, 97.7, 6)),
        ("9-6", [way(days) for days in range(5, 336, 30) for way in (out, back)], (10.9317, 61.2, 4)),
        ("9-7", [meeting_now("kim", "lee")], (1.875, 15.0, 1)),
    ],
)
def test_strength_of_the_vectors(vector, items, expected):
    assert [shown(found) for found in knows(*items)] == [expected]


def test_company_sums_its_people_9_7():
    assert [shown(found) for found in knows(meeting_now("kim", "lee"), of=COMPANY)] == [(3.75, 27.7, 2)]


def test_a_mail_from_them_joins_them_with_each_recipient_of_ours_9_8():
    found = knows(email(ago(0), "kim", ["anna"], cc=["ben"]))
    assert [(each.colleague, each.raw) for each in found] == sorted((person(name), 0.25) for name in ("anna", "ben"))
    assert knows(email(ago(0), "kim", ["anna"], cc=["ben"]), of=contact("lee")) == []


def test_a_mail_from_us_joins_its_sender_only_9_9():
    assert [(each.colleague, each.raw) for each in knows(email(ago(0), "anna", ["kim"], cc=["ben"]))] == [
        (person("anna"), 0.25)
    ]


def acquaintance(name: str, strength: float, **others) -> Acquaintance:
    """An acquaintance whose unrounded strength is this."""
    raw = -8 * float(np.log2(1 - strength / 100))
    return Acquaintance(person(name), raw, strength, bars_of(strength), True, 1, 1, 0, 0, **{"last_at": A} | others)


def test_closeness_changes_the_order_and_not_what_is_shown_9_10():
    ben, cleo = acquaintance("ben", 60.0), acquaintance("cleo", 50.0)
    asker = Asker(person("anna"), team={person("cleo")})
    assert [each.strength for each in in_order([ben, cleo], asker)] == [50.0, 60.0]
    assert [each.strength for each in in_order([ben, cleo])] == [60.0, 50.0]


def test_a_shared_interaction_is_half_as_close_as_the_team():
    asker = Asker(person("anna"), team={person("cleo")}, met={person("cleo"), person("ben")})
    assert [asker.closeness(person(name)) for name in ("cleo", "ben", "dora")] == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(("strength", "bars"), [(33.3, 2), (33.4, 3), (66.6, 4), (66.7, 5), (100.0, 6)])
def test_bars_9_11(strength, bars):
    assert bars_of(strength) == bars


@pytest.mark.parametrize(
    ("low", "high", "bars"), [(0, 166, 1), (167, 333, 2), (334, 500, 3), (501, 666, 4), (667, 833, 5)]
)
def test_every_tenth_has_its_bar(low, high, bars):
    assert {bars_of(tenths / 10) for tenths in range(low, high + 1)} == {bars}


def test_hidden_colleagues_leave_no_trace_9_12():
    items = [meeting(ago(1), "anna", ["kim"]), email(ago(2), "ben", ["kim"])]
    assert [each.colleague for each in knows(*items, hidden={person("anna")})] == [person("ben")]
    every = who_knows_whom(interactions(*items), contact("kim"), A, DEFAULTS, hidden={person("anna"), person("ben")})
    assert every == who_knows_whom(Interactions.empty(), contact("kim"), A, DEFAULTS)


def test_contact_of_366_days_ago_is_none_9_13():
    found = who_knows_whom(interactions(out(366)), contact("kim"), A, DEFAULTS)
    assert (found.acquaintances, found.reason) == ((), NO_CONTACT)
    assert len(knows(out(365))) == 1


def test_no_interaction_gives_the_reason():
    assert who_knows_whom(Interactions.empty(), contact("kim"), A, DEFAULTS).reason == NO_CONTACT


def test_the_asker_is_never_listed():
    items = [out(1), email(ago(2), "ben", ["kim"])]
    assert [each.colleague for each in knows(*items, asker=Asker(person("anna")))] == [person("ben")]


def test_evidence_counts_each_interaction_once():
    items = [
        out(1, id="both", cc=["lee"]),
        back(3),
        meeting(ago(2), "kim", ["anna", "lee"]),
        call(ago(5), "anna", ["kim"]),
    ]
    (found,) = knows(*items, of=COMPANY)
    assert (found.emails_out, found.emails_in, found.meetings, found.calls) == (1, 1, 1, 1)
    assert (found.last_at, found.two_way) == (ago(1), True)


@pytest.mark.parametrize(
    ("items", "two_way"),
    [
        ([out(1), out(2)], False),
        ([back(1)], False),
        ([out(1), back(2)], True),
        ([meeting(ago(1), "anna", ["kim"])], True),
        ([call(ago(1), "anna", ["kim"])], True),
        ([call(ago(1), "anna", ["kim"], flags=CLOSED | Flag.NO_ANSWER)], False),
        ([out(1), back(366)], False),
    ],
)
def test_two_way_needs_a_mail_each_way_a_meeting_or_an_answered_call(items, two_way):
    assert [each.two_way for each in knows(*items)] == [two_way]


def test_two_way_is_decided_for_the_company_as_a_whole():
    items = [out(0, to="lee"), back(0)]
    assert [each.raw for each in knows(*items, of=COMPANY)] == [2.5]
    assert [each.raw for each in knows(*items)] == [0.5]


def test_who_declined_was_not_there():
    held = meeting(ago(0.5), "anna", ["kim", "lee", "ben"], declined=["ben", "lee"])
    (found,) = knows(held)
    assert found.colleague == person("anna")
    assert found.raw == pytest.approx(3 * 1.25 * 0.5 ** (0.5 / 90))  # k = 1: anna and kim were there
    assert knows(held, of=contact("lee")) == []


@pytest.mark.parametrize(
    "item",
    [
        out(1, flags=Flag.COMPLETED | Flag.BULK),
        out(1, flags=Flag.COMPLETED | Flag.AUTOMATIC),
        email(ago(1), "anna", ["kim", *(f"p{number}@x.example" for number in range(20))]),
        out(-1),
        meeting(A - 60, "anna", ["kim"], minutes=30),  # still going on
        task(ago(1), "anna", 30, regarding=["kim"]),
        email(ago(1), "kim", ["lee"]),
    ],
)
def test_what_never_counts(item):
    assert knows(item) == []


def test_calls_join_all_of_both_sides():
    found = knows(call(ago(1), ["anna", "ben"], ["kim"]))
    assert [each.colleague for each in found] == sorted([person("anna"), person("ben")])


def test_two_addresses_of_one_person_are_one_participant():
    world = replace(WORLD, aliases={"kim@home.example": "kim"})
    item = email(ago(0), "anna", ["kim"], cc=["kim@home.example"])
    assert [each.raw for each in knows(item, of=world.contact("kim"))] == [0.5]


def test_a_mail_domain_is_a_company_without_a_record():
    items = [email(ago(0), "anna", ["new@cust.example"]), out(0, to="lee"), out(0, to="x@other.example")]
    nobody = WORLD.membership(RecordType.ACCOUNT, "none", [])
    assert [each.raw for each in knows(*items, of=nobody, domain=key("cust.example"))] == [1.0]
    assert knows(*items, of=nobody, domain=key("us.example")) == []


def test_ties_go_to_the_newer_contact_then_the_name():
    same = [acquaintance(name, 40.0) for name in ("anna", "ben", "cleo")]
    newer = acquaintance("dora", 40.0, last_at=A + 1)
    names = {person("anna"): "b", person("ben"): "C", person("cleo"): "A", person("dora"): "z"}
    assert [names[each.colleague] for each in in_order([*same, newer], names=names)] == ["z", "A", "b", "C"]


def test_colleagues_met_share_an_interaction_with_a_customer():
    items = [
        email(ago(1), "anna", ["kim"], cc=["ben"]),
        email(ago(1), "anna", ["dora"]),  # among our own people: never counts
        meeting(ago(366), "kim", ["anna", "dora"]),
        meeting(ago(2), "kim", ["anna", "cleo"], declined=["cleo"]),
        email(ago(1), "cleo", ["kim"]),
    ]
    assert met_with(interactions(*items), contact("kim"), person("anna"), A, DEFAULTS).tolist() == [person("ben")]


def test_basic_mode_counts_mails_and_meetings_of_the_window():
    items = [
        *(out(days) for days in range(1, 7)),
        email(ago(1), "ben", ["kim"]),
        meeting(ago(3), "ben", ["kim"]),
        call(ago(1), "ben", ["kim"]),
        call(ago(1), "cleo", ["kim"]),
        email(ago(400), "dora", ["kim"]),
    ]
    found = knows(*items, basic_from=ago(30))
    assert [(each.colleague, each.raw, each.strength, each.bars) for each in found] == [
        (person("anna"), 6.0, None, 6),
        (person("ben"), 2.0, None, 2),
    ]
    assert person("dora") in {each.colleague for each in knows(*items, basic_from=ago(500))}


def test_basic_bars_do_not_tell_of_a_hidden_colleague():
    items = [out(1), out(2), out(3), email(ago(1), "ben", ["kim"])]
    assert [each.bars for each in knows(*items, basic_from=ago(30), hidden={person("anna")})] == [6]


@pytest.mark.parametrize(("damping", "raw"), [(1.0, 0.25), (0.5, 0.5 * 0.5**0.5), (0.0, 0.5)])
def test_damping_is_a_setting(damping, raw):
    item = email(ago(0), "anna", ["kim", "lee"])
    assert [each.raw for each in knows(item, parameters=Parameters(strength_damping=damping))] == [pytest.approx(raw)]


def test_silence_counts_when_set_so():
    parameters = Parameters(strength_silence_half_life_days=90.0)
    assert [each.raw for each in knows(out(90), out(180), parameters=parameters)] == [pytest.approx(0.5 * 0.75 * 0.5)]


def test_with_regularity_ten_mails_of_a_week_count_less_than_one_in_each_of_ten():
    parameters = Parameters(strength_regularity=0.5)
    (busy,) = knows(*(out(10 + minute / 1440, id=str(minute)) for minute in range(9)), parameters=parameters)
    (steady,) = knows(*(out(10 + 7 * week, id=str(week)) for week in range(9)), parameters=parameters)
    (once,) = knows(out(10), parameters=parameters)
    assert busy.raw == pytest.approx(3 * once.raw, rel=1e-3)
    assert steady.raw > 2 * busy.raw
    assert knows(parameters=parameters) == []


def test_strength_never_passes_100():
    assert [strength_of(raw) for raw in (0.0, 8.0, 1e9)] == [0.0, 50.0, 100.0]
