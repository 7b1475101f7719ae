"""What is held about a person, on a real store: complete, paged, noted, and nobody else's."""

from __future__ import annotations

import pytest

from shared import (
    access_log,
    looking_up,
    personal_copies,
    personal_data,
    personal_figures,
    row_rights,
)
from shared.access_log import AccessQuery
from shared.auth import ADMIN, READER, Caller
from shared.choices import Choices
from shared.errors import ForbiddenError, InvalidInputError
from shared.graph import mailboxes
from shared.graph.mailboxes import Mailbox
from shared.introduction_requests import Request
from shared.introduction_rows import change, index
from shared.known_colleagues import RecordQuery
from shared.personal_data_shapes import OwnDataQuery, PersonalData, PersonalDataRequest
from tests.doubles.talk import NOW, mail, meeting, organisation, phonecall, row, told

pytestmark = pytest.mark.usefixtures("storage", "queues")


def caller(name: str, *roles: str) -> Caller:
    return Caller(id=f"oid-{name}", name=name, roles=frozenset(roles), tenant="t", address=f"{name}@us.example")


OFFICER = Caller(id="officer", name="Officer", roles=frozenset({ADMIN}), tenant="t")
STORY = [
    *organisation(),
    mail(4, "anna", "kim"),
    mail(5, "kim", "anna", "ben"),
    meeting(10, "anna", "ben", "kim"),
    phonecall(6, "anna", "lee"),
    mail(3, "anna", "new@other.example"),
    mail(2, "anna", "ben"),  # among ourselves: in no figure, but held
]


def pages_of(address: str) -> list[PersonalData]:
    found = [personal_data.of_address(PersonalDataRequest(address=address), OFFICER, NOW)]
    while page := found[-1].next_page:
        found.append(personal_data.of_address(PersonalDataRequest(address=address, page=page), OFFICER, NOW))
    return found


def own_pages(who: Caller) -> list[PersonalData]:
    found = [personal_data.own(who, OwnDataQuery(), NOW)]
    while page := found[-1].next_page:
        found.append(personal_data.own(who, OwnDataQuery(page=page), NOW))
    return found


def by_record(pages: list[PersonalData]) -> dict[str, list[tuple[str, str, str]]]:
    found: dict[str, list[tuple[str, str, str]]] = {}
    for each in (one for page in pages for one in page.interactions):
        found.setdefault(each.record, []).append((each.at[:10], each.role, each.reason))
    return found


def test_the_parts_come_in_order_and_each_is_of_the_same_person() -> None:
    told(STORY)
    pages = pages_of("kim@cust.example")
    assert [page.part for page in pages] == ["about", "accesses", "figures", "copies"]
    assert {(page.subject.side, *page.subject.records) for page in pages} == {("external", "contact:kim")}
    assert pages[0].subject.addresses == ["kim@cust.example"]


def test_an_outsider_is_shown_with_every_record_that_names_them_and_the_ledgers_reason() -> None:
    told(STORY)
    found = by_record(pages_of("kim@cust.example"))
    assert found["contact:kim"] == [
        ("2026-03-05", "attendee", "participants"),
        ("2026-03-10", "from", "participants"),
        ("2026-03-11", "to", "participants"),
    ]
    assert {reason for _, _, reason in found["account:cust"]} == {"rolled_up"}
    assert len(found["opportunity:deal"]) == 3


def test_the_stored_copies_are_all_there_with_the_persons_part_and_nobody_elses_address() -> None:
    told(STORY)
    pages = own_pages(caller("anna"))
    copies = [copy for page in pages for copy in page.copies]
    assert sorted((copy.at[:10], copy.kind, copy.role, copy.source) for copy in copies) == [
        ("2026-03-05", "meeting", "organizer", "crm"),
        ("2026-03-09", "call", "from", "crm"),
        ("2026-03-10", "email", "to", "crm"),
        ("2026-03-11", "email", "from", "crm"),
        ("2026-03-12", "email", "from", "crm"),
        ("2026-03-13", "email", "from", "crm"),
    ]
    assert {copy.address for copy in copies} == {"anna@us.example"}
    assert all(copy.activity_id == copy.id for copy in copies)


def test_a_colleague_sees_whom_they_know_and_who_met_customers_with_them() -> None:
    told(STORY)
    pages = own_pages(caller("anna"))
    known = {(each.target, each.colleague) for page in pages for each in page.acquaintances}
    assert {("contact:kim", "user:anna"), ("contact:lee", "user:anna"), ("account:cust", "user:anna")} <= known
    assert {colleague for _, colleague in known} == {"user:anna"}
    assert pages[0].about is not None
    assert [(each.colleague, each.last_at[:10]) for each in pages[0].about.met_with] == [("user:ben", "2026-03-10")]
    bare = {target for target, _ in known if ":" not in target}
    assert bare == {"new@other.example"}


def test_an_outsider_is_shown_with_all_colleagues_who_know_them() -> None:
    told(STORY)
    known = [each for page in pages_of("kim@cust.example") for each in page.acquaintances]
    assert sorted((each.target, each.colleague) for each in known) == [
        ("contact:kim", "user:anna"),
        ("contact:kim", "user:ben"),
    ]
    by_anna = next(each for each in known if each.colleague == "user:anna")
    assert (by_anna.emails, by_anna.meetings, by_anna.last_at[:10]) == (2, 1, "2026-03-11")
    assert by_anna.strength is not None and 0 < by_anna.strength < 100


def test_facts_of_the_crm_scores_and_references_are_there() -> None:
    told(STORY)
    about = pages_of("kim@cust.example")[0].about
    assert about is not None
    assert about.rows[0].attributes["name"] == "Kim"
    assert about.rows[0].attributes["emails"] == ["kim@cust.example"]
    assert about.named_by == ["opportunity:deal"]
    assert [(each.record, each.computed_at, each.trend) for each in about.scores] == [
        ("contact:kim", "2026-03-15T12:00:00Z", 3)
    ]
    assert (about.choices, about.registered) == (None, ["kim@cust.example"])


def test_what_one_of_ours_owns_chose_and_asked_for_is_there_and_their_mailbox() -> None:
    told([*STORY, row("team", "sales", name="Sales", members=["anna"])])
    looking_up.choose(caller("anna"), Choices(do_not_ask=True), NOW)
    request = Request(
        id="r1", asker="ben", introducer="anna", target="contact:kim", target_name="Kim", created_at=NOW - 5
    )
    index("ben", "anna", "r1")
    change("anna", "r1", lambda held, one: request)
    mailboxes.put(Mailbox(id="oid-anna", address="anna@us.example", connected_at=NOW - 60, mail_until=NOW))
    mailboxes.put(Mailbox(id="oid-ben", address="ben@us.example"))
    about = own_pages(caller("anna"))[0].about
    assert about is not None
    assert (about.choices, about.opt_out) == (Choices(do_not_ask=True), None)
    assert about.named_by == ["account:cust", "opportunity:deal", "team:sales"]
    assert [(each.id, each.asker, each.target) for each in about.introductions] == [("r1", "user:ben", "contact:kim")]
    assert [(each.id, each.mail_until) for each in about.mailboxes] == [("oid-anna", "2026-03-15T12:00:00Z")]


def test_who_read_it_is_there_and_ones_own_readings_are_not() -> None:
    told(STORY)
    looking_up.record("contact:kim", RecordQuery(), caller("stranger"), NOW - 100 * 86_400)
    access_log.note(caller("anna"), "contact:kim", "ledger", NOW)
    access_log.note(caller("ben"), "contact:kim", "ledger", NOW)
    access_log.note(caller("ben"), "contact:max", "ledger", NOW)
    mine = [(each.reader, each.target, each.purpose) for each in own_pages(caller("anna"))[1].accesses]
    assert mine == [("ben", "contact:kim", "ledger"), ("stranger", "contact:kim", "who knows whom")]
    theirs = [each.reader for each in pages_of("kim@cust.example")[1].accesses]
    assert sorted(theirs) == ["Officer", "anna", "ben", "stranger"]


def test_an_export_for_somebody_is_noted_and_the_person_sees_it() -> None:
    told(STORY)
    pages_of("anna@us.example")
    found = looking_up.my_accesses(caller("anna"), AccessQuery(), NOW).accesses
    assert [(each.reader, each.purpose) for each in found] == [("Officer", "personal data")]


def test_pages_are_bounded_and_together_hold_everything_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told(STORY)
    whole = pages_of("anna@us.example")
    monkeypatch.setattr(personal_figures, "MOST_ROWS", 2)
    monkeypatch.setattr(personal_figures, "MOST_RECORDS", 2)
    monkeypatch.setattr(personal_copies, "MOST_READ", 2)
    monkeypatch.setattr(personal_data, "MOST_ACCESSES", 1)
    access_log.note(caller("ben"), "contact:kim", "ledger", NOW)
    access_log.note(caller("ben"), "contact:kim", "widgets", NOW)
    small = pages_of("anna@us.example")
    assert max(len(page.interactions) for page in small) == 2
    assert max(len(page.copies) for page in small) <= 2
    for part in ("interactions", "acquaintances", "copies"):
        assert [one for page in small for one in getattr(page, part)] == [
            one for page in whole for one in getattr(page, part)
        ]
    assert len({(one.reader, one.purpose) for page in small for one in page.accesses}) == 3


def test_a_page_of_somebody_else_is_refused() -> None:
    told(STORY)
    page = personal_data.own(caller("anna"), OwnDataQuery(), NOW).next_page
    assert page
    with pytest.raises(InvalidInputError, match="another person"):
        personal_data.own(caller("ben"), OwnDataQuery(page=page), NOW)


def test_names_of_records_are_for_those_who_may_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnlyTheDeal:
        def readable(self, who: Caller, records: list[str]) -> set[str]:
            return {"opportunity:deal"} & set(records)

    told(STORY)
    monkeypatch.setattr(row_rights, "rights", OnlyTheDeal)
    names = {each.record: each.record_name for page in own_pages(caller("anna")) for each in page.interactions}
    assert (names["opportunity:deal"], names["contact:kim"]) == ("Deal", "")


def test_a_member_of_the_tenant_without_a_user_or_a_role_sees_their_own_data() -> None:
    told([*STORY, mail(1, "dora@us.example", "kim")])
    pages = own_pages(caller("dora"))
    assert pages[0].subject.addresses == ["dora@us.example"]
    rows = [each for page in pages for each in page.interactions if each.record == "contact:kim"]
    assert [(each.at[:10], each.role, each.in_crm) for each in rows] == [("2026-03-14", "from", True)]
    assert [copy.role for page in pages for copy in page.copies] == ["from"]


@pytest.mark.parametrize("address", ["guest@cust.example", "", "no address"])
def test_guests_and_apps_have_no_own_data(address: str) -> None:
    told(STORY)
    who = Caller(id="x", name="x", roles=frozenset({READER}), tenant="t", address=address)
    with pytest.raises(ForbiddenError):
        personal_data.own(who, OwnDataQuery(), NOW)


def test_who_was_erased_is_held_as_a_receipt_only() -> None:
    told(STORY)
    looking_up.opt_out("kim@cust.example", NOW)
    pages = pages_of("kim@cust.example")
    assert pages[0].about is not None and pages[0].about.opt_out is not None
    assert pages[0].about.opt_out.status == "PROCESSING"
