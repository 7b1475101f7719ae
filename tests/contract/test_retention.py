"""What is older than its term, on a real store: erased everywhere, never back, resumable, and said in the figures."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from shared import (
    lookups,
    organisation,
    partitions,
    publishing,
    reading,
    recompute,
    retention,
    retention_sweep,
    states,
    tables,
)
from shared.acquaintance_updates import is_own_target
from shared.acquaintance_updates import recompute as recompute_target
from shared.graph import copies
from shared.interactions import CC, EMAIL, FROM, IN_EXCHANGE, TO, InteractionCopy, Participant
from shared.organisation_settings import OrganisationSettings, Retention
from shared.reading import AsOfQuery
from shared.record_updates import read_record_update
from shared.retention import DAY
from shared.settings import settings
from tests.doubles.processes import forget
from tests.doubles.queued import received
from tests.doubles.talk import NOW, mail, meeting, phonecall, told
from tests.doubles.talk import organisation as the_organisation

pytestmark = pytest.mark.usefixtures("storage", "queues")
TERM = 100
FOLLOWED = {"followed": True, "opens": 3, "clicks": 1, "links": 2}


@pytest.fixture(autouse=True)
def short_windows(monkeypatch: pytest.MonkeyPatch, storage: object) -> None:
    monkeypatch.setenv("RECORD_UPDATES_BULK_WINDOW_SECONDS", "1")
    settings.cache_clear()


def held_for(interactions: int = TERM, events: int = 1825) -> None:
    """Publish settings of the organisation with these terms, as the next version."""
    version = publishing.current().version + 1
    document = OrganisationSettings(retention=Retention(interaction_days=interactions, email_event_days=events))
    row = {
        "PartitionKey": organisation.PARTITION, "RowKey": organisation.row_key(version), "v": 1, "author": "", "authorName": "",
        "publishedAt": "", "comment": "",
    }  # fmt: skip
    tables.upsert(organisation.TABLE, {**row, **tables.split(msgspec.json.encode(document))})
    publishing.put_in_force(version)


def swept(now: int = NOW) -> dict[str, int]:
    """A whole pass, and what it has computed again."""
    found = retention_sweep.sweep(now, 60)
    for body in received(settings().record_updates_queue, scheduled_within=2):
        record = read_record_update(body).record
        (recompute_target if is_own_target(record) else recompute.recompute)(record, now)
    return {kind: number for kind, number in found.items() if number}


def widgets(record: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(reading.all_widgets(record, AsOfQuery(), NOW).body)
    return found


def days_held(name: str) -> list[int]:
    """How many days before NOW the interactions of a partition were."""
    return sorted((NOW - int(at)) // DAY for at in partitions.read(name).live.facts.at)


def everywhere() -> str:
    return "\n".join(
        f"{table.name} {dict(one)}" for table in tables.service().list_tables() for one in tables.scan(table.name)
    )


YOUNG = [mail(5, "anna", "kim"), mail(40, "kim", "anna"), meeting(99, "anna", "ben", "kim"), mail(99, "ben", "lee")]
OLD = [
    mail(100.9, "anna", "kim"),
    meeting(103, "anna", "kim"),
    phonecall(200, "anna", "lee"),
    mail(300, "kim", "anna"),
    mail(400, "anna", "old@gone.example"),
]


def folded() -> None:
    for name in list(partitions.with_tail()):
        partitions.fold_tail(partitions.read(name))


def test_what_is_older_than_the_term_is_erased_everywhere_and_the_rest_stays() -> None:
    told([*the_organisation(), *YOUNG, *OLD])
    folded()
    assert days_held("contact:kim") == [5, 40, 99, 100, 103, 300]
    held_for()
    assert swept()["copies"] == 5
    for name in ("contact:kim", "account:cust", "contact:lee"):
        assert max(days_held(name)) == 99
    assert days_held("contact:kim") == [5, 40, 99]
    text = everywhere()
    assert "gone.example" not in "\n".join(line for line in text.splitlines() if not line.startswith("acquaintances"))
    assert [each for each in OLD if states.read(each["entity"], each["id"]) is None] == []
    for each in OLD:
        held = states.read(each["entity"], each["id"])
        assert held is not None and set(held.state.attributes) <= retention.TIMES
    for each in YOUNG:
        held = states.read(each["entity"], each["id"])
        assert held is not None and len(held.state.attributes) > 3


def test_the_figures_are_those_of_a_run_that_never_saw_what_was_old() -> None:
    told([*the_organisation(), *YOUNG, *OLD])
    folded()
    held_for()
    swept()
    found = {name: widgets(name)["widgets"] for name in ("contact:kim", "account:cust", "opportunity:deal")}
    for table in list(tables.service().list_tables()):
        tables.service().delete_table(table.name)
    forget()
    held_for()
    retention_sweep.sweep(NOW, 60)
    told([*the_organisation(), *YOUNG])
    assert {name: widgets(name)["widgets"] for name in found} == found


def test_tails_are_cut_as_well() -> None:
    told([*the_organisation(), *YOUNG, *OLD])
    held_for()
    swept()
    assert days_held("contact:kim") == [5, 40, 99]


def test_a_pass_of_the_same_day_has_nothing_to_do_and_the_next_day_takes_the_next_edge() -> None:
    told([*the_organisation(), *YOUNG, *OLD])
    folded()
    held_for()
    swept()
    assert swept() == {}
    assert swept(NOW + 3_600) == {}
    assert swept(NOW + 2 * DAY)["copies"] == 2
    assert days_held("contact:kim") == [5, 40]


@pytest.mark.parametrize("broken_after", [1, 2, 3, 5, 8, 13, 21])
def test_a_pass_that_breaks_off_anywhere_is_completed_by_the_next(
    broken_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told([*the_organisation(), *YOUNG, *OLD])
    folded()
    held_for()
    writes = iter(range(10_000))
    real = tables.transact

    def failing(name: str, operations: Any) -> bool:
        if name != organisation.TABLE and next(writes) >= broken_after:
            raise RuntimeError("the process died")
        return real(name, operations)

    with monkeypatch.context() as patch:
        patch.setattr(tables, "transact", failing)
        with pytest.raises(RuntimeError):
            retention_sweep.sweep(NOW, 60)
    swept()
    assert days_held("contact:kim") == [5, 40, 99]
    assert days_held("account:cust") == [5, 40, 99, 99]
    held = {
        copy.at
        for row in tables.scan("interactions")
        for copy in (each.copy for each in retention_sweep.group_rows.stored(row).copies.values())
        if copy
    }
    assert min(held) >= NOW - 100 * DAY - DAY


def test_a_pass_is_bounded_in_time_and_goes_on_where_it_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    told([*the_organisation(), *YOUNG, *OLD])
    folded()
    held_for()
    monkeypatch.setattr(retention_sweep, "ROWS_A_STEP", 1)
    monkeypatch.setattr(retention_sweep, "PARTITIONS_A_STEP", 1)
    steps = 0
    while True:
        retention_sweep.sweep(NOW, 0)  # one step
        steps += 1
        row = tables.read(organisation.TABLE, retention.PARTITION, "pass")
        assert row is not None
        if '"done"' in row["held"]:
            break
    assert steps > 20
    assert days_held("contact:kim") == [5, 40, 99]


def test_what_arrives_late_and_is_too_old_is_refused_and_does_not_stay() -> None:
    told([*the_organisation(), *YOUNG, *OLD])
    folded()
    held_for()
    swept()
    told([{**change, "version": change["version"] + 10**6} for change in OLD])
    late = mail(150, "anna", "max")
    told([late])
    assert days_held("contact:kim") == [5, 40, 99]
    assert days_held("contact:max") == []
    held = states.read("email", late["id"])
    assert held is not None and set(held.state.attributes) <= retention.TIMES
    assert "max@cust.example" not in "".join(
        line for line in everywhere().splitlines() if late["id"] in line or line.startswith("interactions")
    )


def test_an_appointment_moved_into_the_present_is_taken_in_again() -> None:
    moved = meeting(150, "anna", "kim")
    told([*the_organisation(), moved])
    held_for()
    swept()
    assert days_held("contact:kim") == []
    told([meeting_again(moved, 3)])
    assert days_held("contact:kim") == [3]


def meeting_again(change: dict[str, Any], days: float) -> dict[str, Any]:
    """The same row as the CRM sends it once it was moved: with all its attributes."""
    new = meeting(days, "anna", "kim")
    return {**new, "id": change["id"]}


def test_before_the_first_pass_nothing_is_refused() -> None:
    held_for()
    told([*the_organisation(), *OLD])
    assert days_held("contact:kim") == [100, 103, 300]


def test_windows_that_begin_before_what_is_held_say_so() -> None:
    told([*the_organisation(), *YOUNG, *OLD])
    folded()
    before = widgets("contact:kim")
    assert ("partial" in before["flags"], before["completeFrom"]) == (False, None)
    held_for()
    swept()
    after = widgets("contact:kim")
    assert ("partial" in after["flags"], after["completeFrom"]) == (True, "2025-12-05T00:00:00Z")


def test_counters_of_followed_mails_go_before_their_mails() -> None:
    young, old = mail(10, "anna", "kim", **FOLLOWED), mail(50, "anna", "kim", **FOLLOWED)
    told([*the_organisation(), young, old])
    folded()
    assert len(partitions.read("contact:kim").entries.engagement_index) == 2
    held_for(TERM, 30)
    swept()
    entries = partitions.read("contact:kim").live
    assert (len(entries), len(entries.engagement_index)) == (2, 1)
    held = states.read("email", old["id"])
    assert held is not None and retention.COUNTERS.isdisjoint(held.state.attributes) and "from" in held.state.attributes
    told([{**old, "version": old["version"] + 10**6}])
    assert len(partitions.read("contact:kim").live.engagement_index) == 1
    # A day later another month may have such counters, and those before are known to have none.
    assert swept(NOW + 25 * DAY)["copies"] == 1
    assert len(partitions.read("contact:kim").live.engagement_index) == 0


def test_a_longer_term_takes_in_again_what_is_sent_and_figures_stay_honest() -> None:
    told([*the_organisation(), *OLD])
    held_for()
    swept()
    held_for(500)
    swept(NOW + DAY)
    told([{**change, "version": change["version"] + 10**6} for change in OLD])
    assert days_held("contact:kim") == [100, 103, 300]
    assert widgets("contact:kim")["completeFrom"] == "2025-12-05T00:00:00Z"
    # Its own edge, and not only once it has reached the old one: two of them are older than 500 days by then.
    assert swept(NOW + 201 * DAY)["copies"] == 2
    assert days_held("contact:kim") == [100, 103]


def test_copies_of_mailboxes_leave_their_index_and_do_not_come_back() -> None:
    told(the_organisation())
    at = NOW - 150 * DAY
    people = (Participant("anna@us.example", "", "", FROM, 0), Participant("kim@cust.example", "", "", TO, 0))
    copy = InteractionCopy(
        copy_id="exchange:m1:abc", source="exchange", merge_key="mail:<1@x>", kind=EMAIL, at=at, end=at,
        flags=1 | IN_EXCHANGE, participants=people, mailbox="m1", owner="anna@us.example",
    )  # fmt: skip
    copies.put("m1", [copy], 1)
    assert len(list(tables.scan("copies"))) == 1
    held_for()
    swept()
    assert list(tables.scan("copies")) == []
    assert list(tables.scan("interactions")) == []
    copies.put("m1", [copy], 2)
    assert days_held("contact:kim") == []


def test_copies_of_one_mail_on_both_sides_of_the_edge_go_together() -> None:
    edge = (NOW // DAY - TERM) * DAY
    people = (Participant("anna@us.example", "", "", FROM, 0), Participant("kim@cust.example", "", "", CC, 0))
    told(the_organisation())
    both = [
        InteractionCopy(
            copy_id=f"exchange:{box}:abc", source="exchange", merge_key="mail:<1@x>", kind=EMAIL, at=at, end=at,
            flags=1 | IN_EXCHANGE, participants=people, mailbox=box, owner="anna@us.example",
        )
        for box, at in (("m1", edge - 20), ("m2", edge + 20))
    ]  # fmt: skip
    for one in both:
        copies.put(one.mailbox, [one], 1)
    held_for()
    assert "copies" not in swept()
    assert swept(NOW + DAY)["copies"] == 2


def test_questions_about_addresses_go_after_400_days() -> None:
    lookups.count("oid-1", "person:1", NOW - 402 * DAY)
    lookups.count("oid-1", "person:1", NOW - 10 * DAY)
    held_for()
    swept()
    assert {one["PartitionKey"] for one in tables.scan("lookups")} == {
        f"oid-1|{time.strftime('%Y-%m-%d', time.gmtime(NOW - 10 * DAY))}"
    }


def test_the_default_terms_leave_what_is_two_years_old() -> None:
    told([*the_organisation(), mail(759, "anna", "kim"), mail(762, "anna", "kim")])
    folded()
    assert swept()["copies"] == 1
    assert days_held("contact:kim") == [759]
