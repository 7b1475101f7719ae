"""What a caller is told about who knows whom, on a real store."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from msgspec.structs import replace

from shared import (
    access_log,
    acquaintance_rows,
    choices,
    introductions,
    looking_up,
    lookups,
    organisation,
    personal_subject,
    publishing,
    row_rights,
    tables,
)
from shared.access_log import AccessQuery
from shared.auth import LOOKUP, READER, Caller
from shared.choices import Choices
from shared.errors import ForbiddenError, InvalidInputError, NotFoundError, TooManyRequestsError
from shared.graph import consent_state
from shared.graph.consent import State, Transition
from shared.introduction_shapes import Wanted
from shared.keys import keys
from shared.known_colleagues import AddressQuery, KnownColleague, RecordQuery, WhoKnowsWhom
from shared.organisation_settings import OrganisationSettings
from shared.organisation_settings import WhoKnowsWhom as Chosen
from tests.doubles.talk import NOW, mail, meeting, phonecall, row, told
from tests.doubles.talk import organisation as the_organisation

pytestmark = pytest.mark.usefixtures("storage", "queues")


def caller(name: str) -> Caller:
    return Caller(id=f"oid-{name}", name=name, roles=frozenset({READER}), tenant="t", address=f"{name}@us.example")


STRANGER = caller("stranger")


def about(record: str, asker: Caller = STRANGER, **query: object) -> WhoKnowsWhom:
    return looking_up.record(record, RecordQuery(**query), asker, NOW)  # type: ignore[arg-type]


def about_address(address: str, asker: Caller = STRANGER) -> WhoKnowsWhom:
    return looking_up.address(AddressQuery(address=address), asker, NOW)


def ids(found: list[KnownColleague]) -> list[str]:
    return [each.person.id for each in found]


def colleagues(answer: WhoKnowsWhom) -> list[str]:
    return ids(answer.colleagues)


def choose(name: str, **chosen: object) -> None:
    looking_up.choose(caller(name), Choices(**chosen), NOW)  # type: ignore[arg-type]


def test_colleagues_stand_strongest_first_with_their_evidence() -> None:
    told([*the_organisation(), mail(10, "ben", "kim"), mail(10, "anna", "kim"), mail(4, "kim", "anna")])
    answer = about("contact:kim")
    assert colleagues(answer) == ["user:anna", "user:ben"]
    first = answer.colleagues[0]
    assert (first.strength, first.bars, first.level, first.title) == (18.6, 2, "weak", "Seller")
    assert (first.evidence.emails, first.evidence.two_way, first.evidence.last_at) == (2, True, "2026-03-11T12:00:00Z")
    assert (first.evidence.last_ago.unit, first.evidence.last_ago.n) == ("days", 4)


def test_a_look_up_of_a_record_reads_its_row_once_and_two_stamps(monkeypatch: pytest.MonkeyPatch) -> None:
    told([*the_organisation(), *(mail(n, f"p{n}@us.example", "kim") for n in range(1, 6))])
    about("contact:kim")
    read: list[str] = []
    real_read, real_query = tables.read, tables.query
    monkeypatch.setattr(tables, "read", lambda name, *more: read.append(name) or real_read(name, *more))
    monkeypatch.setattr(tables, "query", lambda name, *more: read.append(name) or real_query(name, *more))
    looking_up.record("contact:kim", RecordQuery(own_order=False), STRANGER, NOW)
    assert sorted(read) == ["acquaintances", "choices", "directory"]


def test_the_asker_is_never_listed() -> None:
    told([*the_organisation(), mail(4, "anna", "kim"), mail(4, "ben", "kim")])
    assert colleagues(about("contact:kim", caller("anna"))) == ["user:ben"]


def test_a_hidden_colleague_leaves_no_trace_and_comes_back() -> None:
    told([*the_organisation(), mail(4, "anna", "kim"), mail(5, "ben", "kim")])
    choose("anna", hide_name=True)
    answer = about("contact:kim")
    assert (colleagues(answer), answer.total) == (["user:ben"], 1)
    choose("anna")
    assert colleagues(about("contact:kim")) == ["user:anna", "user:ben"]


def test_who_opted_out_is_listed_nowhere() -> None:
    told([*the_organisation(), mail(4, "anna", "kim"), mail(4, "anna", "new@other.example")])
    choose("anna", opt_out=True)
    assert colleagues(about("contact:kim")) == colleagues(about_address("new@other.example")) == []
    assert about("contact:kim").reason == "no_contact"


def test_who_does_not_want_to_be_asked_is_listed_without_the_button() -> None:
    told([*the_organisation(), mail(4, "anna", "kim")])
    choose("anna", do_not_ask=True)
    introduction = about("contact:kim").colleagues[0].introduction
    assert (introduction.possible, introduction.reason) == (False, "do_not_ask")


@pytest.mark.parametrize("target", ["contact:kim", "Kim@cust.example", "cust.example", "account:cust"])
def test_do_not_ask_for_one_target_holds_for_that_target_only(target: str) -> None:
    told([*the_organisation(), mail(4, "anna", "kim"), mail(4, "anna", "new@other.example")])
    choose("anna", do_not_ask_for=(target,))
    cleo = caller("cleo")
    assert about("contact:kim", cleo).colleagues[0].introduction.reason == "do_not_ask"
    assert about_address("new@other.example", cleo).colleagues[0].introduction.possible is True


def test_do_not_ask_for_nonsense_is_refused() -> None:
    told(the_organisation())
    with pytest.raises(InvalidInputError, match="no address, mail domain or record"):
        choose("anna", do_not_ask_for=("some words",))


def test_choices_are_for_our_own_people_only() -> None:
    told(the_organisation())
    for address in ("guest@cust.example", ""):
        guest = replace(STRANGER, address=address)
        with pytest.raises(ForbiddenError):
            looking_up.choose(guest, Choices(), NOW)
        with pytest.raises(ForbiddenError):
            looking_up.my_choices(guest)


def test_one_of_ours_whom_the_crm_does_not_know_hides_by_the_sign_in_address() -> None:
    told([*the_organisation(), mail(4, "dora@us.example", "kim"), mail(4, "anna", "kim")])
    assert sorted(colleagues(about("contact:kim"))) == ["dora@us.example", "user:anna"]
    choose("dora", hide_name=True)
    assert looking_up.my_choices(caller("dora")) == Choices(hide_name=True)
    assert colleagues(about("contact:kim")) == ["user:anna"]


def test_choices_of_another_process_are_seen_at_the_next_question() -> None:
    told([*the_organisation(), mail(4, "anna", "kim")])
    assert colleagues(about("contact:kim")) == ["user:anna"]
    held = choices._held
    choose("anna", hide_name=True)
    choices._held = held  # this process has not heard of it yet
    assert colleagues(about("contact:kim")) == []


def test_a_deactivated_colleague_is_not_listed() -> None:
    told([*the_organisation(), mail(4, "anna", "kim"), mail(4, "ben", "kim")])
    told([row("user", "anna", active=False)])
    assert colleagues(about("contact:kim")) == ["user:ben"]


def test_a_functional_mailbox_of_ours_is_nobody() -> None:
    told([*the_organisation(), mail(4, "sales@us.example", "kim"), mail(4, "nora@us.example", "kim")])
    assert colleagues(about("contact:kim")) == ["nora@us.example"]


def test_pages_follow_one_another_without_gap_or_repetition() -> None:
    told([*the_organisation(), *(mail(n, f"p{n}@us.example", "kim") for n in range(1, 8))])
    seen: list[str] = []
    page: str | None = ""
    while page is not None:
        answer = about("contact:kim", limit=3, page=page)
        seen += colleagues(answer)
        page = answer.next_page
    assert seen == [f"p{n}@us.example" for n in range(1, 8)]
    assert answer.total == 7


def test_a_page_of_another_target_is_refused() -> None:
    told([*the_organisation(), *(mail(n, f"p{n}@us.example", "kim", "lee") for n in (1, 2))])
    page = about("contact:kim", limit=1).next_page
    with pytest.raises(InvalidInputError, match="another target"):
        about("contact:lee", page=page)


def test_the_own_team_comes_first_for_the_asker_and_strength_stays() -> None:
    strong, weak = [mail(n, "ben", "kim") for n in range(1, 12)], [mail(n, "cleo", "kim") for n in range(1, 10)]
    told(
        [
            *the_organisation(),
            *strong,
            *weak,
            row("user", "anna", managerId="boss"),
            row("user", "cleo", managerId="boss"),
        ]
    )
    assert colleagues(about("contact:kim")) == ["user:ben", "user:cleo"]
    for_anna = about("contact:kim", caller("anna"))
    assert colleagues(for_anna) == ["user:cleo", "user:ben"]
    assert [each.closeness for each in for_anna.colleagues] == ["team", ""]
    assert {each.person.id: each.strength for each in for_anna.colleagues} == {
        each.person.id: each.strength for each in about("contact:kim").colleagues
    }
    assert colleagues(about("contact:kim", caller("anna"), own_order=False)) == ["user:ben", "user:cleo"]


def test_somebody_close_to_both_stands_between_asker_and_stranger() -> None:
    """anna has met lee's customers together with cleo, cleo those of max with ben; only ben knows kim."""
    told(
        [
            *the_organisation(),
            meeting(20, "anna", "cleo", "lee"),
            meeting(20, "cleo", "ben", "max"),
            mail(4, "ben", "kim"),
        ]
    )
    first = about("contact:kim", caller("anna")).colleagues[0]
    assert (first.person.id, first.closeness) == ("user:ben", "")
    assert first.through is not None
    assert first.through.id == "user:cleo"
    choose("cleo", hide_name=True)
    assert about("contact:kim", caller("anna")).colleagues[0].through is None


def test_mail_among_ourselves_makes_nobody_close() -> None:
    told([*the_organisation(), mail(4, "ben", "kim"), *(mail(n, "anna", "ben") for n in range(1, 9))])
    assert about("contact:kim", caller("anna")).colleagues[0].closeness == ""


def test_where_nobody_knows_the_person_those_who_know_the_company_are_named() -> None:
    told([*the_organisation(), mail(4, "anna", "kim"), mail(400, "ben", "lee")])
    answer = about("contact:lee")
    assert (answer.colleagues, answer.reason) == ([], "no_contact")
    assert ids(answer.alternatives) == ["user:anna"]


def test_a_deal_is_answered_by_the_strongest_tie_to_one_of_its_people() -> None:
    told(
        [
            *the_organisation(),
            mail(4, "anna", "kim"),
            mail(4, "lee", "anna"),
            mail(3, "anna", "lee"),
            mail(4, "ben", "kim"),
        ]
    )
    answer = about("opportunity:deal")
    assert [(each.person.id, each.knows and each.knows.id) for each in answer.colleagues] == [
        ("user:anna", "contact:lee"),
        ("user:ben", "contact:kim"),
    ]


def test_a_bare_address_gets_about_when_and_never_exactly() -> None:
    told([*the_organisation(), mail(20, "anna", "new@other.example")])
    evidence = about_address("New+x@Other.example").colleagues[0].evidence
    assert (evidence.last_at, evidence.last_ago.unit, evidence.last_ago.n) == (None, "weeks", 2)


def test_an_address_of_a_contact_is_answered_as_the_contact() -> None:
    told([*the_organisation(), mail(4, "anna", "kim")])
    answer = about_address("kim@cust.example")
    assert [each.id for each in answer.records] == ["contact:kim"]
    assert colleagues(answer) == ["user:anna"]


def test_an_address_that_is_a_contacts_no_more_is_answered_by_itself() -> None:
    told([*the_organisation(), mail(4, "anna", "kim")])
    told([row("contact", "kim", emails=["kim@newjob.example"])])
    answer = about_address("kim@cust.example")
    assert (answer.records, colleagues(answer)) == ([], ["user:anna"])


def test_a_domain_is_answered_as_a_company_and_free_mail_is_not() -> None:
    told([*the_organisation(), mail(4, "anna", "new@other.example"), mail(4, "anna", "someone@gmail.com")])
    assert colleagues(looking_up.address(AddressQuery(domain="eu.other.example"), STRANGER, NOW)) == ["user:anna"]
    answer = looking_up.address(AddressQuery(domain="gmail.com"), STRANGER, NOW)
    assert (answer.colleagues, answer.reason) == ([], "shared_domain")
    assert colleagues(about_address("someone@gmail.com")) == ["user:anna"]


def test_our_own_people_are_no_targets() -> None:
    told(the_organisation())
    with pytest.raises(InvalidInputError, match="one of our own people"):
        about_address("ben@us.example")


def test_a_merged_contact_is_answered_by_the_one_that_it_was_merged_into() -> None:
    told([*the_organisation(), mail(4, "anna", "kim"), mail(4, "ben", "lee")])
    told([{"entity": "contact", "id": "kim", "version": 10**9, "operation": "merge", "into": "lee"}])
    answer = about("contact:kim")
    assert (answer.target, sorted(colleagues(answer))) == ("contact:lee", ["user:anna", "user:ben"])


def test_a_record_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        about("contact:nobody")


def test_addresses_can_be_looked_up_200_times_a_day_and_each_is_logged() -> None:
    told([*the_organisation(), mail(20, "anna", "new@other.example")])
    about_address("new@other.example")
    partition = "oid-stranger|2026-03-15"
    logged = [one["target"] for one in tables.query("lookups", partition) if "target" in one]
    assert logged == [f"person:{looking_up.keys().address('new@other.example'):016x}"]
    count = tables.read("lookups", partition, "count")
    assert count is not None
    tables.upsert("lookups", {"PartitionKey": partition, "RowKey": "count", "v": 1, "asked": 199})
    about_address("new@other.example")
    with pytest.raises(TooManyRequestsError) as refused:
        about_address("new@other.example")
    assert refused.value.retry_after == 12 * 3600
    about_address("new@other.example", caller("other"))


def test_a_row_that_no_longer_holds_is_computed_for_the_question() -> None:
    told([*the_organisation(), mail(364, "anna", "kim")])
    answer = looking_up.record("contact:kim", RecordQuery(), STRANGER, NOW + 2 * 86_400)
    assert (colleagues(answer), answer.reason) == ([], "no_contact")
    found, _ = acquaintance_rows.read("contact:kim")
    assert found is not None
    assert found.computed_at == NOW + 2 * 86_400


def publish(version: int, **chosen: object) -> None:
    """Put settings of who knows whom in force, and compute nothing for it."""
    document = OrganisationSettings(who_knows_whom=Chosen(**chosen))  # type: ignore[arg-type]
    row = {"PartitionKey": organisation.PARTITION, "RowKey": organisation.row_key(version), "v": organisation.VERSION}
    tables.upsert(organisation.TABLE, {**row, **tables.split(msgspec.json.encode(document))})
    publishing.put_in_force(version)


def test_the_organisation_may_ask_for_a_role_of_its_own() -> None:
    told([*the_organisation(), mail(4, "anna", "kim")])
    document = OrganisationSettings(lookup_role=True)
    row = {"PartitionKey": organisation.PARTITION, "RowKey": organisation.row_key(1), "v": organisation.VERSION}
    tables.upsert(organisation.TABLE, {**row, **tables.split(msgspec.json.encode(document))})
    publishing.put_in_force(1)
    reader = caller("cleo")
    wish = Wanted(introducer="user:anna", target="contact:kim")
    for ask in (
        lambda: about("contact:kim", reader),
        lambda: looking_up.address(AddressQuery(address="kim@cust.example"), reader, NOW),
        lambda: introductions.preview(wish, reader, "https://app.example", NOW),
    ):
        with pytest.raises(ForbiddenError, match=LOOKUP):
            ask()
    assert not list(tables.query(lookups.TABLE, f"{reader.id}|2026-03-15"))  # what is refused does not count
    seller = replace(reader, roles=frozenset({READER, LOOKUP}))
    assert colleagues(about("contact:kim", seller)) == ["user:anna"]
    assert introductions.preview(wish, seller, "https://app.example", NOW).to == "anna@us.example"


def test_the_basic_mode_counts_mails_and_meetings_of_the_window_and_gives_everyone_the_same_order() -> None:
    told(
        [
            *the_organisation(),
            *(mail(n, "anna", "kim") for n in (1, 2, 3)),
            meeting(400, "ben", "kim"),
            mail(5, "ben", "kim"),
        ]
    )
    told([row("user", "cleo", managerId="boss"), row("user", "ben", managerId="boss"), phonecall(1, "cleo", "kim")])
    publish(1, basic=True)
    answer = about("contact:kim", caller("cleo"))
    assert [(each.person.id, each.strength, each.bars, each.level) for each in answer.colleagues] == [
        ("user:anna", None, 6, "strong"),
        ("user:ben", None, 4, "medium"),
    ]
    assert answer.colleagues[1].evidence.meetings == 1  # since 1 January of the year before
    assert "user:cleo" not in colleagues(about("contact:kim"))  # calls do not count
    choose("anna", hide_name=True)
    assert [(each.person.id, each.bars) for each in about("contact:kim").colleagues] == [("user:ben", 6)]
    publish(2)
    assert about("contact:kim").colleagues[0].strength is not None


def test_other_settings_hold_at_the_next_question() -> None:
    told([*the_organisation(), mail(400, "anna", "kim"), mail(400, "anna", "new@other.example")])
    assert colleagues(about("contact:kim")) == colleagues(about_address("new@other.example")) == []
    publish(1, window_days=500)
    assert colleagues(about("contact:kim")) == colleagues(about_address("new@other.example")) == ["user:anna"]


def test_the_flag_of_the_basic_figures_is_there_only_without_exchange() -> None:
    told([*the_organisation(), mail(4, "anna", "kim")])
    assert about("contact:kim").flags == ["basicOnly"]
    for state, flags in ((State.BACKFILL, ["partial"]), (State.LIVE, []), (State.CRM_ONLY, ["basicOnly"])):
        set_consent(state)
        assert about("contact:kim").flags == flags


def set_consent(state: State) -> None:
    consent_state.change(lambda held: Transition("test", replace(held, state=state, changed_at=NOW)), NOW, "test")


def test_somebody_on_the_never_log_list_is_known_by_nobody() -> None:
    told([*the_organisation(), mail(4, "anna", "new@other.example"), mail(4, "ben", "kim")])
    document = OrganisationSettings(never_log=("new@other.example",))
    row = {"PartitionKey": organisation.PARTITION, "RowKey": organisation.row_key(1), "v": organisation.VERSION}
    tables.upsert(organisation.TABLE, {**row, **tables.split(msgspec.json.encode(document))})
    publishing.put_in_force(1)
    assert colleagues(about_address("new@other.example")) == []
    assert colleagues(about("contact:kim")) == ["user:ben"]


def accesses(who: Caller) -> list[tuple[str, str, str]]:
    found = looking_up.my_accesses(who, AccessQuery(), NOW)
    return [(each.reader, each.target, each.purpose) for each in found.accesses]


def test_whom_an_answer_named_sees_who_asked_and_others_do_not() -> None:
    told([*the_organisation(), mail(4, "anna", "kim"), mail(4, "ben", "new@other.example")])
    about("contact:kim")
    about("contact:kim")
    about_address("new@other.example")
    person = f"person:{keys().address('new@other.example'):016x}"
    assert accesses(caller("anna")) == [("stranger", "contact:kim", "who knows whom")]
    assert accesses(caller("ben")) == [("stranger", person, "who knows whom")]
    assert accesses(caller("cleo")) == []


def test_readings_of_records_that_name_a_colleague_are_seen_and_ones_own_are_left_out() -> None:
    told([*the_organisation(), mail(4, "anna", "kim")])
    access_log.note(STRANGER, "contact:kim", "ledger", NOW)
    access_log.note(caller("anna"), "contact:kim", "widgets", NOW)
    access_log.note(STRANGER, "contact:max", "widgets", NOW)
    assert accesses(caller("anna")) == [("stranger", "contact:kim", "ledger")]


def test_every_page_of_an_answer_adds_to_whom_the_reading_named() -> None:
    told([*the_organisation(), mail(4, "anna", "kim"), mail(4, "anna", "kim"), mail(4, "ben", "kim")])
    first = about("contact:kim", limit=1)
    assert first.next_page
    about("contact:kim", limit=1, page=first.next_page)
    access_log.note(STRANGER, "contact:kim", "who knows whom", NOW)  # an answer that named nobody takes nobody away
    named = {name for one in tables.scan("accesses") for name in access_log._named(one)}
    assert named == {f"{keys().party(f'user:{name}'):016x}" for name in ("anna", "ben")}
    assert len(list(tables.scan("accesses"))) == 1


def test_workers_that_note_the_same_reading_at_once_lose_no_name() -> None:
    from concurrent.futures import ThreadPoolExecutor

    def note(number: int) -> None:
        access_log.note(STRANGER, "contact:kim", "who knows whom", NOW, [number])

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(note, range(1, 9)))
    (one,) = tables.scan("accesses")
    assert access_log._named(one) == {f"{number:016x}" for number in range(1, 9)}


def test_a_reading_may_name_thousands() -> None:
    access_log.note(STRANGER, "contact:kim", "who knows whom", NOW, range(1, 5_002))
    (one,) = tables.scan("accesses")
    assert len(access_log._named(one)) == 5_001


def test_whose_address_was_looked_up_sees_it() -> None:
    told([*the_organisation(), mail(4, "anna", "kim")])
    about_address("kim@cust.example")
    looking_up.resolve("anna@us.example", STRANGER, NOW)
    assert ("stranger", f"person:{keys().address('anna@us.example'):016x}", "resolution") in accesses(caller("anna"))
    kim = personal_subject.of_address("kim@cust.example")
    found = access_log.of_subject(kim.keys, "", AccessQuery(), NOW, kim.logged_as).accesses
    assert [(each.reader, each.purpose) for each in found] == [("stranger", "who knows whom")]


def test_a_question_about_the_company_is_seen_by_its_people() -> None:
    told([*the_organisation(), mail(4, "anna", "kim")])
    looking_up.address(AddressQuery(domain="cust.example"), STRANGER, NOW)
    kim = personal_subject.of_address("kim@cust.example")
    found = access_log.of_subject(kim.keys, "", AccessQuery(), NOW, kim.logged_as).accesses
    assert [(each.reader, each.target[:7]) for each in found] == [("stranger", "domain:")]


def test_the_counts_per_reader_are_by_the_hour_and_go_after_400_days() -> None:
    for at in (NOW, NOW + 60, NOW + 3_600):
        access_log.note(STRANGER, "contact:kim", "ledger", at)
    access_log.note(STRANGER, "contact:kim", "ledger", NOW - 402 * 86_400)
    access_log.expire(NOW)
    assert [
        (one.reader, one.purpose, one.number) for one in access_log.per_reader(AccessQuery(), NOW + 3_600).readers
    ] == [("stranger", "ledger", 2)]
    assert {row["PartitionKey"] for row in tables.scan("accesses")} == {"2026-03-15"}


class Nobody:
    def readable(self, who: Caller, records: Sequence[str]) -> set[str]:
        return set()


def test_who_may_not_read_the_record_is_told_nothing_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told([*the_organisation(), mail(4, "anna", "kim")])
    monkeypatch.setattr(row_rights, "rights", Nobody)
    with pytest.raises(ForbiddenError):
        about("contact:kim")
    answer = about_address("kim@cust.example")
    assert (colleagues(answer), answer.records) == (["user:anna"], [])


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "2 emails both ways, 1 meeting, last 3 days ago"),
        ("de-AT", "2 E-Mails beidseitig, 1 Besprechung, zuletzt vor 3 Tagen"),
        ("pl", "2 wiadomo\u015bci w obie strony, 1 spotkanie, ostatnio 3 dni temu"),
        ("ro", "2 e-mailuri \u00een ambele sensuri, 1 \u00eent\u00e2lnire, ultima dat\u0103 acum 3 zile"),
        ("fi", "2 emails both ways, 1 meeting, last 3 days ago"),
    ],
)
def test_the_evidence_is_put_into_words(language: str, line: str) -> None:
    told([*the_organisation(), mail(10, "anna", "kim"), mail(3, "kim", "anna"), meeting(20, "anna", "kim")])
    assert about("contact:kim").colleagues[0].evidence.text is None
    assert about("contact:kim", language=language).colleagues[0].evidence.text == line


def test_the_evidence_in_arabic_has_its_own_comma_and_plural_forms() -> None:
    told([*the_organisation(), mail(3, "anna", "kim"), meeting(20, "anna", "kim")])
    text = about("contact:kim", language="ar").colleagues[0].evidence.text
    assert text is not None
    assert text.split("\u060c ")[-1] == "\u0622\u062e\u0631\u0647\u0627 \u0642\u0628\u0644 3 \u0623\u064a\u0627\u0645"


def test_a_contact_of_today_is_said_to_be_of_today_or_of_this_week() -> None:
    told([*the_organisation(), mail(0.1, "anna", "kim"), mail(0.1, "anna", "new@other.example")])
    assert about("contact:kim", language="en").colleagues[0].evidence.text == "1 email, last today"
    query = AddressQuery(address="new@other.example", language="en")
    assert looking_up.address(query, STRANGER, NOW).colleagues[0].evidence.text == "1 email, last this week"
