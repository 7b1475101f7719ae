"""Vectors of kpis 2 (those of merged interactions) and 3, by their id."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shared.kpi.cover import Share, cover
from shared.kpi.health import health
from shared.kpi.inclusion import Inclusion, include
from shared.kpi.interactions import Direction, Flag, Interactions, Membership, Reason, RecordType, Response
from tests.doubles.histories import (
    BERLIN,
    DAY,
    WORLD,
    A,
    Item,
    World,
    account,
    call,
    contact,
    email,
    instant,
    interactions,
    key,
    keys,
    lead,
    meeting,
    opportunity,
    person,
    task,
)

MARCH_2 = "2026-03-02T09:00Z"
EXCHANGE, CRM, DONE = Flag.IN_EXCHANGE, Flag.IN_CRM, Flag.COMPLETED
MAIL = DONE | EXCHANGE


def decide(item: Item | list[Item], of: Membership | None = None, as_of: int = A) -> Inclusion:
    items = item if isinstance(item, list) else [item]
    return include(interactions(*items), of or opportunity(), as_of, BERLIN)


def reason_of(item: Item, of: Membership | None = None, as_of: int = A) -> Reason:
    return Reason(int(decide(item, of, as_of).reason[0]))


def crowd(number: int) -> list[str]:
    return ["kim", *(f"p{each}@other.example" for each in range(number - 1))]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param(meeting(MARCH_2, "anna", ["kim"], flags=CRM | EXCHANGE), Reason.PARTICIPANTS, id="2-7"),
        pytest.param(meeting(MARCH_2, "anna", ["kim"], flags=CRM), Reason.NOT_COMPLETED, id="2-8"),
        pytest.param(
            meeting(MARCH_2, "anna", ["kim"], flags=CRM | EXCHANGE | Flag.CANCELLED), Reason.CANCELLED, id="2-9"
        ),
        pytest.param(meeting(MARCH_2, "anna", ["kim"], declined=["kim"]), Reason.DECLINED, id="2-10"),
        pytest.param(email(MARCH_2, "anna", crowd(20)), Reason.PARTICIPANTS, id="2-11-20"),
        pytest.param(email(MARCH_2, "anna", crowd(21)), Reason.TOO_MANY_RECIPIENTS, id="2-11-21"),
        pytest.param(email(MARCH_2, "kim", ["anna"], flags=MAIL | Flag.AUTOMATIC), Reason.AUTOMATIC, id="2-12"),
        pytest.param(email(MARCH_2, "kim", ["anna"]), Reason.PARTICIPANTS, id="2-13"),
        pytest.param(email(MARCH_2, "anna", ["ben"], regarding=["O"]), Reason.INTERNAL_ONLY, id="2-15"),
        pytest.param(meeting(MARCH_2, "anna", ["kim"], flags=EXCHANGE | Flag.ALL_DAY), Reason.ALL_DAY, id="2-16-day"),
        pytest.param(meeting(MARCH_2, "anna", ["kim"], minutes=3), Reason.TOO_SHORT, id="2-16-short"),
        pytest.param(
            meeting(MARCH_2, "anna", ["kim"], flags=EXCHANGE | Flag.NOT_BUSY), Reason.NOT_BUSY, id="2-16-free"
        ),
        pytest.param(meeting(MARCH_2, "anna", crowd(19)), Reason.PARTICIPANTS, id="2-17-20"),
        pytest.param(meeting(MARCH_2, "anna", crowd(20)), Reason.TOO_MANY_RECIPIENTS, id="2-17-21"),
        pytest.param(meeting(MARCH_2, "anna", ["kim"], minutes=5), Reason.PARTICIPANTS, id="five-minutes"),
        pytest.param(meeting(A - 1800, "anna", ["kim"], minutes=30), Reason.PARTICIPANTS, id="ends-now"),
        pytest.param(meeting(A - 1800, "anna", ["kim"], minutes=31), Reason.NOT_COMPLETED, id="goes-on"),
        pytest.param(
            meeting(MARCH_2, "anna", ["kim"], minutes=3, flags=CRM | DONE), Reason.PARTICIPANTS, id="short-in-crm"
        ),
        pytest.param(
            meeting(MARCH_2, "anna", ["kim"], flags=EXCHANGE | CRM | Flag.NOT_BUSY),
            Reason.PARTICIPANTS,
            id="free-in-crm",
        ),
        pytest.param(
            meeting(MARCH_2, "anna", ["kim", "lee"], declined=["kim"]), Reason.PARTICIPANTS, id="one-declined"
        ),
        pytest.param(meeting(MARCH_2, "kim", ["anna"], declined=["anna"]), Reason.DECLINED, id="all-ours-declined"),
        pytest.param(email(MARCH_2, "kim", ["anna"], flags=MAIL | Flag.BULK), Reason.BULK, id="bulk"),
        pytest.param(
            email(MARCH_2, "kim", ["anna"], flags=MAIL | Flag.BULK | Flag.AUTOMATIC), Reason.AUTOMATIC, id="first-match"
        ),
        pytest.param(email(MARCH_2, "kim", ["lee"]), Reason.NO_INTERNAL, id="no-internal"),
        pytest.param(email(MARCH_2, "kim", ["anna"], flags=CRM), Reason.NOT_COMPLETED, id="draft"),
        pytest.param(call(MARCH_2, "anna", ["kim"], flags=CRM), Reason.NOT_COMPLETED, id="call-open-and-past"),
        pytest.param(call("2026-03-16T09:00Z", "anna", ["kim"], flags=CRM), Reason.SCHEDULED, id="call-planned"),
        pytest.param(email("2026-03-16T09:00Z", "kim", ["anna"]), Reason.OUTSIDE_WINDOW, id="mail-after-as-of"),
        pytest.param(task(MARCH_2, "anna", 30, regarding=["O"]), Reason.REGARDING, id="task-regarding"),
        pytest.param(task(MARCH_2, "anna", 30), Reason.NO_PERSON_OF_INTEREST, id="task-alone"),
        pytest.param(task(MARCH_2, "anna", 30, regarding=["O2"]), Reason.REGARDING_OTHER_RECORD, id="task-of-another"),
    ],
)
def test_interaction_has_reason(item: Item, expected: Reason) -> None:
    assert expected == reason_of(item)


def test_recipients_are_counted_as_people() -> None:
    """Kim's second address and a repetition in Cc make no 21st recipient."""
    world = World(aliases={"kim@home.example": "kim"})
    item = email(MARCH_2, "anna", [*crowd(20), "kim@home.example"], cc=["p1@other.example"])
    assert reason_of(item, world.opportunity()) == Reason.PARTICIPANTS


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param(email(MARCH_2, "anna", ["kim"]), Direction.OUT, id="2-14"),
        pytest.param(email(MARCH_2, "kim", ["anna"]), Direction.IN, id="mail-in"),
        pytest.param(meeting(MARCH_2, "kim", ["anna"]), Direction.IN, id="meeting-in"),
        pytest.param(call(MARCH_2, "kim", ["anna"]), Direction.IN, id="call-side-of-from"),
        pytest.param(
            call(MARCH_2, "kim", ["anna"], flags=DONE | CRM | Flag.CALL_OUT), Direction.OUT, id="call-crm-out"
        ),
        pytest.param(call(MARCH_2, "anna", ["kim"], flags=DONE | CRM | Flag.CALL_IN), Direction.IN, id="call-crm-in"),
    ],
)
def test_direction(item: Item, expected: Direction) -> None:
    assert expected == decide(item).direction[0]


def test_direction_of_a_meeting_without_organizer_is_ours() -> None:
    item = meeting(MARCH_2, "kim", ["kim", "anna"])
    assert decide(replace(item, parts=item.parts[1:])).direction[0] == Direction.OUT


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param(email(MARCH_2, "kim", ["anna"]), True, id="mail-in"),
        pytest.param(email(MARCH_2, "anna", ["kim"]), False, id="mail-out"),
        pytest.param(meeting(MARCH_2, "anna", ["kim"]), True, id="meeting-held"),
        pytest.param(call(MARCH_2, "anna", ["kim"]), True, id="call-answered"),
        pytest.param(call(MARCH_2, "anna", ["kim"], flags=DONE | CRM | Flag.NO_ANSWER), False, id="voicemail"),
        pytest.param(call(MARCH_2, "kim", ["anna"], flags=DONE | CRM | Flag.NO_ANSWER), True, id="they-called-in-vain"),
        pytest.param(task(MARCH_2, "anna", regarding=["O"]), False, id="task"),
    ],
)
def test_sign_from_them(item: Item, expected: bool) -> None:
    found = decide(item).history()
    assert [expected] == found.from_them.tolist()


LEAD = lead(["lee"], ["anna"])
CREATED = opportunity(created="2026-02-01T00:00Z")


@pytest.mark.parametrize(
    ("item", "of", "expected"),
    [
        pytest.param(email(MARCH_2, "ben", ["new@cust.example"], regarding=["O"]), None, Reason.REGARDING, id="3-1"),
        pytest.param(call(MARCH_2, "anna", ["lee"]), LEAD, Reason.PARTICIPANTS, id="3-2-anna"),
        pytest.param(call(MARCH_2, "ben", ["lee"]), LEAD, Reason.NOT_ON_TEAM, id="3-2-ben"),
        pytest.param(email(MARCH_2, "ben", ["lee"]), None, Reason.PARTICIPANTS, id="3-3-ben"),
        pytest.param(email(MARCH_2, "cleo", ["lee"]), None, Reason.NOT_ON_TEAM, id="3-3-cleo"),
        pytest.param(meeting(MARCH_2, "cleo", ["max"]), contact("max"), Reason.PARTICIPANTS, id="3-4-contact"),
        pytest.param(meeting(MARCH_2, "cleo", ["max"]), account(), Reason.ROLLED_UP, id="3-4-account"),
        pytest.param(meeting(MARCH_2, "cleo", ["max"]), None, Reason.NO_PERSON_OF_INTEREST, id="3-4-deal"),
        pytest.param(meeting(MARCH_2, "cleo", ["max"], regarding=["O"]), None, Reason.REGARDING, id="3-5-deal"),
        pytest.param(email(MARCH_2, "anna", ["kim"], regarding=["O"]), None, Reason.REGARDING, id="3-7-O"),
        pytest.param(
            email(MARCH_2, "anna", ["kim"], regarding=["O"]), opportunity("O2"), Reason.REGARDING_OTHER_RECORD, id="3-7-O2"
        ),
        pytest.param(email(MARCH_2, "anna", ["kim"]), None, Reason.PARTICIPANTS, id="3-8-O"),
        pytest.param(email(MARCH_2, "anna", ["kim"]), opportunity("O2"), Reason.PARTICIPANTS, id="3-8-O2"),
        pytest.param(email("2026-01-02T00:00Z", "anna", ["kim"]), CREATED, Reason.PARTICIPANTS, id="3-9-in"),
        pytest.param(email("2026-01-01T23:59Z", "anna", ["kim"]), CREATED, Reason.OUTSIDE_SPAN, id="3-9-out"),
        pytest.param(
            email("2026-01-01T23:59Z", "anna", ["kim"], regarding=["O"]), CREATED, Reason.REGARDING, id="regarding-has-no-span"
        ),
        pytest.param(email(MARCH_2, "anna", ["kim"]), opportunity(closed=MARCH_2), Reason.OUTSIDE_SPAN, id="at-closing"),
        pytest.param(email(MARCH_2, "anna", ["lee"], regarding=["Cust"]), account(), Reason.REGARDING, id="account-regarding"),
        pytest.param(email(MARCH_2, "anna", ["a@b.example"]), account(), Reason.NO_PERSON_OF_INTEREST, id="account-stranger"),
        pytest.param(email(MARCH_2, "anna", ["kim"], regarding=["C1"]), None, Reason.PARTICIPANTS, id="a-case-is-no-deal"),
        pytest.param(meeting(MARCH_2, "anna", ["kim", "lee"], declined=["lee"]), contact("lee"), Reason.NO_PERSON_OF_INTEREST,
                     id="declined-takes-no-part"),
    ],
)  # fmt: skip
def test_record_counts(item: Item, of: Membership | None, expected: Reason) -> None:
    assert expected == reason_of(item, of)


def children(found: Inclusion) -> list[int]:
    return found.through_child.tolist()


@pytest.mark.parametrize(
    ("item", "names"),
    [
        pytest.param(meeting(MARCH_2, "cleo", ["max"]), ["max"], id="3-4"),
        pytest.param(meeting(MARCH_2, "cleo", ["max"], regarding=["O"]), ["max", "O"], id="3-5"),
        pytest.param(
            email(MARCH_2, "anna", ["kim", "lee", "max"], regarding=["O"]), ["kim", "lee", "max", "O"], id="3-6"
        ),
        pytest.param(task(MARCH_2, "anna", regarding=["O"]), ["O"], id="task-of-the-deal"),
        pytest.param(email(MARCH_2, "anna", ["x@y.example"], regarding=["kim"]), ["kim"], id="regarding-a-contact"),
    ],
)
def test_account_counts_once_and_says_through_whom(item: Item, names: list[str]) -> None:
    found = decide(item, account())
    assert found.reason.tolist() == [Reason.ROLLED_UP]
    assert [["kim", "lee", "max", "O"].index(name) for name in names] == children(found)
    assert [0] * len(names) == found.through_index.tolist()


def test_vector_3_8_account_counts_one_mail_of_two_deals() -> None:
    found = decide(email(MARCH_2, "anna", ["kim"]), account(opportunity(), opportunity("O2")))
    assert found.reason.tolist() == [Reason.ROLLED_UP]
    assert children(found) == [0, 3, 4]


def test_vector_3_3_wider_team() -> None:
    found = decide([email(MARCH_2, "ben", ["lee"]), email("2026-03-03T09:00Z", "cleo", ["lee"])])
    assert found.history().wider_team == 1
    assert [person("cleo")] == found.wider_team().part_person[found.wider_team().part_internal].tolist()


def test_vector_3_10_address_of_a_contact() -> None:
    """Normal form is made at ingestion; here another address of kim is kim."""
    world = World(aliases={"kim@private.example": "kim"})
    found = decide(email(MARCH_2, "anna", ["kim@private.example"]), world.contact("kim"))
    assert found.reason.tolist() == [Reason.PARTICIPANTS]
    assert [person("anna"), person("kim")] == found.history().part_person.tolist()


def test_vector_3_11_opted_out_colleague_is_nowhere() -> None:
    """Ben's row was dropped before storage; the mail stays, without him."""
    found = decide(email(MARCH_2, "anna", ["kim", "lee", "max"], regarding=["O"]), account()).history()
    assert [person(name) for name in ("anna", "kim", "lee", "max")] == found.part_person.tolist()


def test_address_of_two_contacts_counts_for_both_and_once_for_the_account() -> None:
    shared = replace(contact("lee"), persons=keys([key("desk@cust.example")]), canonical=keys([person("lee")]))
    world = World(aliases={"desk@cust.example": "kim"})
    both = world.membership(RecordType.ACCOUNT, "Cust", ["kim"], children=(world.contact("kim"), shared))
    found = decide(email(MARCH_2, "anna", ["desk@cust.example"]), both)
    assert children(found) == [0, 1]
    assert found.reason.tolist() == [Reason.ROLLED_UP]


def test_colleague_who_is_also_a_contact_is_internal() -> None:
    world = World(staff=("anna", "ben", "kim"))
    assert reason_of(email(MARCH_2, "anna", ["kim"]), world.contact("kim")) == Reason.INTERNAL_ONLY


def test_unknown_address_in_our_domain_is_internal() -> None:
    assert reason_of(email(MARCH_2, "new@us.example", ["kim"]), contact("kim")) == Reason.PARTICIPANTS


def test_record_that_was_merged_into_this_one_counts_as_this() -> None:
    merged = WORLD.membership(RecordType.OPPORTUNITY, "O", ["kim"], ["anna"], merged=["O7"])
    assert reason_of(email(MARCH_2, "cleo", ["x@y.example"], regarding=["O7"]), merged) == Reason.REGARDING


def test_person_of_two_addresses_stands_once_with_the_first_role() -> None:
    world = World(aliases={"kim@home.example": "kim"})
    found = decide(email(MARCH_2, "anna", ["kim"], cc=["kim@home.example", "anna"]), world.contact("kim")).history()
    assert [(person("anna"), 0), (person("kim"), 1)] == list(
        zip(found.part_person.tolist(), found.part_role.tolist(), strict=True)
    )


def test_people_who_count_are_team_and_stakeholders_and_when_regarding_all_of_ours_and_the_primary_contact() -> None:
    names = ["anna", "ben", "cleo", "kim", "max", "new@cust.example"]
    for regarding, expected in ([], [True, True, False, True, False, False]), (["O"], [True] * 5 + [False]):
        found = decide(meeting(MARCH_2, "anna", names[1:], regarding=regarding)).history()
        assert dict(zip([person(name) for name in names], expected, strict=True)) == dict(
            zip(found.part_person.tolist(), found.part_counts.tolist(), strict=True)
        )


def test_strangers_on_what_regards_the_record_are_in_hours_and_not_in_breadth_or_cover() -> None:
    """Four mails of people unknown and three of kim's, all regarding the deal: only kim is of interest to it."""
    strangers = [email(A - day * DAY, f"new{day}@cust.example", ["anna"], regarding=["O"]) for day in (2, 9, 16, 23)]
    own = [email(A - day * DAY, "kim", ["anna"], regarding=["O"]) for day in (3, 10, 17)]
    found = decide([*strangers, *own], opportunity(external=["kim"])).history()
    result = health(found, BERLIN)
    assert (result.evidence.signers, result.contributions[-1].score) == ((person("kim"),), 0.0)
    of_the_account = decide([*strangers, *own], account(opportunity(external=["kim"]), contacts=["kim"])).history()
    assert result.score == health(of_the_account, BERLIN).score == 48.8
    assert cover(found, BERLIN).theirs.shares == (Share(person("kim"), 1.0),)


def test_planned_and_current_follow_the_record() -> None:
    items = [
        meeting("2026-03-15T11:30Z", "anna", ["kim"], minutes=60),
        meeting("2026-03-16T09:00Z", "anna", ["kim"], id="ours"),
        meeting("2026-03-16T10:00Z", "anna", ["a@b.example"], id="strangers"),
        meeting("2026-03-16T11:00Z", "anna", ["kim"], declined=["kim"], id="declined"),
        task("2026-03-17T09:00Z", "anna", regarding=["O"], flags=CRM, id="task"),
        email("2026-03-17T10:00Z", "kim", ["anna"], id="after as-of"),
    ]
    found = decide(items).history()
    assert [instant("2026-03-15T11:30Z")] == found.current.at.tolist()
    assert [instant("2026-03-16T09:00Z"), instant("2026-03-17T09:00Z")] == found.planned.at.tolist()
    assert found.planned.part_index.tolist() == [0, 0, 1]
    assert found.planned.regarding_index.tolist() == [1]
    assert len(found) == 0


def test_closing_after_as_of_is_not_known_yet() -> None:
    deal = opportunity(closed="2026-03-10T00:00Z")
    later = decide(email(MARCH_2, "anna", ["kim"]), deal)
    earlier = decide(email(MARCH_2, "anna", ["kim"]), deal, as_of=instant("2026-03-05T00:00Z"))
    assert instant("2026-03-10T00:00Z") == later.history().closed
    assert earlier.history().closed is None


@pytest.mark.parametrize("of", [opportunity(), account(), contact("kim")], ids=["deal", "account", "contact"])
def test_no_interactions_give_empty_arrays(of: Membership) -> None:
    found = include(Interactions.empty(), of, A, BERLIN)
    assert len(found.reason) == 0
    assert len(found.history()) == 0
    assert np.uint8 == found.reason.dtype


def test_party_without_any_participant_is_internal_only() -> None:
    item = replace(call(MARCH_2, "anna", ["kim"], regarding=["O"]), parts=())
    assert reason_of(item) == Reason.INTERNAL_ONLY


def test_planned_meeting_without_anybody_of_ours_is_not_next() -> None:
    found = decide(meeting(A + 60, "kim", ["lee"]), account())
    assert not found.planned.any()


def test_declined_answer_on_a_mail_means_nothing() -> None:
    """Only an attendee can decline."""
    item = email(MARCH_2, "anna", ["kim"])
    item = replace(item, parts=tuple(replace(part, response=Response.DECLINED) for part in item.parts))
    assert reason_of(item) == Reason.PARTICIPANTS
