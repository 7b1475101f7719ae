"""Opting out on a real store and real queues: hidden at once, erased everywhere, never back, and a receipt."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from shared import choices, closeness, erasure, looking_up, reading, recompute, sweeps, tables
from shared.acquaintance_updates import is_own_target
from shared.acquaintance_updates import recompute as recompute_target
from shared.auth import READER, Caller
from shared.choices import Choices
from shared.errors import InvalidInputError, NotFoundError
from shared.keys import keys
from shared.known_colleagues import AddressQuery, RecordQuery
from shared.reading import AsOfQuery
from shared.record_updates import ErasureUpdate, PeopleUpdate, read_people_update, read_record_update
from shared.settings import settings
from tests.doubles.processes import forget
from tests.doubles.queued import received
from tests.doubles.talk import NOW, mail, meeting, organisation, phonecall, row, told

pytestmark = pytest.mark.usefixtures("storage", "queues")


@pytest.fixture(autouse=True)
def short_windows(monkeypatch: pytest.MonkeyPatch, storage: object) -> None:
    monkeypatch.setenv("RECORD_UPDATES_BULK_WINDOW_SECONDS", "1")
    settings.cache_clear()


def caller(name: str) -> Caller:
    return Caller(id=f"oid-{name}", name=name, roles=frozenset({READER}), tenant="t", address=f"{name}@us.example")


STRANGER = caller("stranger")
ANNA = caller("anna")


def work_off(now: int = NOW) -> None:
    """What the queue functions do, until there is nothing more to erase."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        updates = [read_people_update(body) for body in received(settings().people_updates_queue)]
        for update in updates:
            if isinstance(update, ErasureUpdate):
                erasure.work_off(update, now)
            else:
                assert isinstance(update, PeopleUpdate)
        if not any(isinstance(update, ErasureUpdate) for update in updates):
            break
    for body in received(settings().record_updates_queue, scheduled_within=2):
        record = read_record_update(body).record
        (recompute_target if is_own_target(record) else recompute.recompute)(record, now)


def widgets(record: str, now: int = NOW) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(reading.all_widgets(record, AsOfQuery(), now).body)["widgets"]
    return found


def knowing(record: str) -> list[str]:
    return [each.person.id for each in looking_up.record(record, RecordQuery(), STRANGER, NOW).colleagues]


def everywhere() -> str:
    """All that the tables hold, as text, except the CRM's own rows of our people and of its contacts."""
    kept = {f"state|{entity}" for entity in ("user", "contact")}
    held = [
        f"{table.name} {dict(one)}"
        for table in tables.service().list_tables()
        for one in tables.scan(table.name)
        if f"{table.name}|{one['PartitionKey'].partition('|')[0]}" not in kept
    ]
    return "\n".join(held)


STORY = [
    *organisation(),
    mail(4, "anna", "kim"),
    mail(5, "kim", "anna"),
    meeting(10, "anna", "ben", "kim"),
    phonecall(6, "anna", "lee"),
    mail(7, "kim", "ben", "anna"),
    mail(3, "anna", "new@other.example"),
]


def opted_out() -> None:
    told(STORY)
    assert knowing("contact:kim") == ["user:anna", "user:ben"]
    looking_up.choose(ANNA, Choices(opt_out=True), NOW)


def test_who_opts_out_is_in_no_figure_from_the_next_question_on() -> None:
    opted_out()
    assert knowing("contact:kim") == ["user:ben"]
    by = looking_up.address(AddressQuery(address="new@other.example"), STRANGER, NOW)
    assert (by.colleagues, by.total) == ([], 0)
    found = widgets("contact:kim")
    assert [each["person"]["id"] for each in found["mostContactedBy"]["people"]] == ["user:ben"]
    assert found["mostContactedBy"]["people"][0]["number"] == 2  # the meeting and the mail that ben was on as well
    assert widgets("contact:lee")["mostContactedBy"]["people"] == []


def test_what_is_held_of_the_person_is_erased_and_the_rest_stays() -> None:
    opted_out()
    work_off()
    text = everywhere()
    assert [line[:300] for line in text.splitlines() if "anna@us.example" in line] == []
    key = f"{keys().address('anna@us.example'):016x}"
    # The insights of a deal know its owner by this key: owning it is the CRM's fact, and decides who may read.
    assert {line.split()[0] for line in text.splitlines() if key in line} <= {"optouts", "insights"}
    assert knowing("contact:kim") == ["user:ben"]
    assert [each["number"] for each in widgets("contact:kim")["mostContactedBy"]["people"]] == [2]


def test_figures_of_others_equal_those_of_a_run_that_never_saw_the_person() -> None:
    opted_out()
    work_off()
    found = {record: widgets(record, NOW + 60) for record in ("contact:kim", "account:cust", "opportunity:deal")}
    for table in list(tables.service().list_tables()):
        tables.service().delete_table(table.name)
    forget()
    told([*organisation(), _without_anna(STORY[-4]), _without_anna(STORY[-2])], NOW + 60)
    for record, before in found.items():
        after = widgets(record, NOW + 60)
        assert before == after


def _without_anna(change: dict[str, Any]) -> dict[str, Any]:
    text = msgspec.json.decode(msgspec.json.encode(change))
    anna = {"address": "anna@us.example"}
    for name, value in list(text["attributes"].items()):
        if value == anna:
            del text["attributes"][name]
        elif isinstance(value, list):
            text["attributes"][name] = [each for each in value if each != anna]
    return dict(text)


def test_nothing_comes_back_whatever_the_crm_sends_again() -> None:
    opted_out()
    work_off()
    told(STORY)
    told([{**change, "version": change["version"] + 10**6} for change in STORY if change["entity"] != "user"])
    told([mail(1, "anna", "kim"), mail(1, "anna", "max")])
    assert knowing("contact:kim") == ["user:ben"]
    assert knowing("contact:max") == []
    assert "anna@us.example" not in everywhere()


def test_the_receipt_tells_how_far_it_has_come_and_what_was_taken_out() -> None:
    opted_out()
    assert looking_up.my_receipt(ANNA, NOW).status == "PROCESSING"
    assert looking_up.my_receipt(ANNA, NOW + 25 * 3_600).status == "FAILED"
    work_off()
    receipt = looking_up.my_receipt(ANNA, NOW)
    assert (receipt.status, receipt.completed_at is not None) == ("COMPLETED", True)
    assert (receipt.counts["interactionsChanged"], receipt.counts["interactionsDeleted"]) == (2, 4)
    assert receipt.counts["crmActivities"] == 6
    assert erasure.receipts(NOW) == [receipt]
    assert "anna" not in repr(receipt)
    erasure.repeat_young(NOW)
    work_off()
    assert looking_up.my_receipt(ANNA, NOW).counts == receipt.counts


def test_an_altered_receipt_has_another_signature() -> None:
    opted_out()
    work_off()
    receipt = looking_up.my_receipt(ANNA, NOW)
    assert receipt.signature == looking_up.my_receipt(ANNA, NOW).signature
    row = tables.read("optouts", f"receipt|{receipt.id}", "0")
    assert row is not None
    tables.upsert("optouts", {**row, "counts": '{"interactionsDeleted": 1000}'})
    assert receipt.signature != looking_up.my_receipt(ANNA, NOW).signature


def test_who_has_not_opted_out_has_no_receipt() -> None:
    told(organisation())
    with pytest.raises(NotFoundError):
        looking_up.my_receipt(ANNA, NOW)


def test_a_choice_that_broke_off_before_its_erasure_is_made_good_by_repeating_it() -> None:
    told(STORY)
    choices.choose(closeness.user_key("anna"), Choices(opt_out=True))  # and then the process died
    looking_up.choose(ANNA, Choices(opt_out=True), NOW)
    work_off()
    assert looking_up.my_receipt(ANNA, NOW).status == "COMPLETED"


def test_taking_it_back_lets_new_interactions_in_and_brings_nothing_back() -> None:
    opted_out()
    work_off()
    looking_up.choose(ANNA, Choices(), NOW)
    told([mail(1, "anna", "max")])
    assert (knowing("contact:kim"), knowing("contact:max")) == (["user:ben"], ["user:anna"])


def test_an_outside_person_opts_out_under_every_address_and_others_stay() -> None:
    told(
        [*STORY, row("contact", "kim", emails=["kim@cust.example", "k@home.example"]), mail(2, "ben", "k@home.example")]
    )
    told([mail(2, "ben", "kim", "lee")])
    looking_up.opt_out("K@home.example", NOW)
    assert knowing("contact:kim") == []
    assert sorted(knowing("contact:lee")) == ["user:anna", "user:ben"]
    work_off()
    text = everywhere()
    assert "k@home.example" not in text
    assert "kim@cust.example" not in text
    told([mail(1, "ben", "kim")])
    assert knowing("contact:kim") == []


def test_our_own_people_opt_out_by_themselves() -> None:
    told(organisation())
    with pytest.raises(InvalidInputError, match="by themselves"):
        looking_up.opt_out("anna@us.example", NOW)


def test_a_former_colleague_is_erased_on_request_under_every_address() -> None:
    former = row("user", "anna", name="Anna", emails=["anna@us.example", "a@us.example"], active=False)
    told([*STORY, former, mail(2, "a@us.example", "lee")])
    begun = looking_up.opt_out("a@us.example", NOW)
    assert begun.status == "PROCESSING"
    assert [each["person"]["id"] for each in widgets("contact:kim")["mostContactedBy"]["people"]] == ["user:ben"]
    work_off()
    assert erasure.receipt(begun.id, NOW).status == "COMPLETED"
    assert "a@us.example" not in everywhere() and "anna@us.example" not in everywhere()


def test_one_of_ours_whom_the_crm_does_not_know_is_erased_on_request_and_by_themselves() -> None:
    told([*STORY, mail(2, "dora@us.example", "lee"), mail(2, "emil@us.example", "lee")])
    assert {"dora@us.example", "emil@us.example"} <= set(knowing("contact:lee"))
    looking_up.opt_out("dora@us.example", NOW)
    looking_up.choose(caller("emil"), Choices(opt_out=True), NOW)
    assert knowing("contact:lee") == ["user:anna"]
    work_off()
    assert looking_up.my_receipt(caller("emil"), NOW).counts["interactionsDeleted"] == 1
    assert "dora@us.example" not in everywhere() and "emil@us.example" not in everywhere()
    looking_up.choose(caller("emil"), Choices(), NOW)
    told([mail(1, "emil@us.example", "lee"), mail(1, "dora@us.example", "lee")])
    assert sorted(knowing("contact:lee")) == ["emil@us.example", "user:anna"]


def test_the_sweep_goes_over_young_erasures_once_more() -> None:
    opted_out()
    work_off()
    sweeps.sweep(NOW)
    assert any(
        isinstance(read_people_update(body), ErasureUpdate) for body in received(settings().people_updates_queue)
    )
