"""Publishing settings on real storage and queues: versions, conditions, stops in the middle, computing and its progress."""

from __future__ import annotations

import time
from datetime import datetime

import msgspec
import pytest

from shared import (
    fan_out,
    ingest,
    insights,
    list_store,
    organisation,
    partitions,
    preview,
    publishing,
    recompute,
    rosters,
    settings_progress,
    stamps,
    tables,
)
from shared.auth import Caller
from shared.changes import parse_batch
from shared.errors import NotFoundError, PreconditionError
from shared.organisation_settings import FrequencyRule, GradeLimits, OrganisationSettings
from shared.preview_shapes import Preview, PreviewRequest
from shared.publishing import SettingsChange, UndoRequest, VersionsQuery
from shared.record_updates import SettingsUpdate, read_people_update, read_record_update
from shared.settings import settings
from tests.doubles.queued import received
from tests.doubles.tenants import AS_OF, changes

pytestmark = pytest.mark.usefixtures("storage", "queues")

Scores = dict[str, tuple[float | None, int]]  # record -> (score, state, all insufficient ones alike)
ADA = Caller(id="0f", name="Ada", roles=frozenset(), tenant="t")


@pytest.fixture(autouse=True)
def short_windows(monkeypatch: pytest.MonkeyPatch, storage: object) -> None:
    monkeypatch.setenv("RECORD_UPDATES_BULK_WINDOW_SECONDS", "1")
    settings.cache_clear()


def publish(base: int, comment: str = "", **parts: object) -> publishing.PublishedSettings:
    change = SettingsChange(settings=OrganisationSettings(**parts), comment=comment)  # type: ignore[arg-type]
    return publishing.publish(change, base, ADA)


def work_off_until_finished() -> set[str]:
    """What the queue functions do, until every record is computed; the records that were."""
    computed: set[str] = set()
    until = time.monotonic() + 120
    while not settings_progress.progress().finished and time.monotonic() < until:
        for body in received(settings().people_updates_queue):
            update = read_people_update(body)
            assert isinstance(update, SettingsUpdate)
            fan_out.work_off(update)
        for body in received(settings().record_updates_queue, scheduled_within=2):
            record = read_record_update(body).record
            recompute.recompute(record, AS_OF)
            computed.add(record)
    return computed


def tenant(activities: int) -> set[str]:
    ingest.take_in(changes(3, activities))
    list(received(settings().people_updates_queue))
    records = {roster.record for place in rosters.places() for roster in rosters.following(place)}
    for record in sorted(records):
        recompute.recompute(record, AS_OF)
    return {record for record in records if insights.held(record).etag}


def test_without_any_change_the_defaults_are_in_force() -> None:
    assert publishing.current().version == 0
    assert publishing.current().settings == OrganisationSettings()
    assert publishing.versions(VersionsQuery()).versions == []


def test_a_version_has_an_author_a_time_and_a_comment_and_stays_as_it_was() -> None:
    first = publish(0, "more patience", half_life_days=90.0)
    publish(1, half_life_days=120.0)
    assert (first.version, first.author, first.author_name, first.comment) == (1, "0f", "Ada", "more patience")
    assert first.published_at is not None
    assert publishing.published(1) == first
    assert publishing.current().settings.half_life_days == 120.0
    assert organisation.parameters(1).half_life_days == 90.0
    with pytest.raises(NotFoundError):
        publishing.published(3)


def test_a_change_of_what_was_not_read_is_refused_and_leaves_nothing() -> None:
    publish(0, half_life_days=90.0)
    with pytest.raises(PreconditionError):
        publish(0, half_life_days=30.0)
    assert publishing.current().settings.half_life_days == 90.0
    assert len(publishing.versions(VersionsQuery()).versions) == 1


def test_undoing_publishes_an_older_version_again() -> None:
    publish(0, half_life_days=90.0)
    publish(1, half_life_days=30.0)
    found = publishing.undo(UndoRequest(version=1, comment="too nervous"), 2, ADA)
    assert (found.version, found.restores, found.settings.half_life_days) == (3, 1, 90.0)
    assert publishing.undo(UndoRequest(version=0), 3, ADA).settings == OrganisationSettings()
    page = publishing.versions(VersionsQuery(limit=3))
    assert [(one.version, one.restores) for one in page.versions] == [(4, 0), (3, 1), (2, None)]
    rest = publishing.versions(VersionsQuery(before=page.next_before))
    assert ([one.version for one in rest.versions], rest.next_before) == ([1], None)
    with pytest.raises(NotFoundError):
        publishing.undo(UndoRequest(version=9), 4, ADA)


def test_a_writer_that_stopped_after_its_row_is_completed_by_the_next() -> None:
    row = {
        "PartitionKey": "organisation",
        "RowKey": organisation.row_key(1),
        "v": 1,
        "author": "0f",
        "authorName": "Ada",
    }
    text = {"publishedAt": "2026-03-15T00:00:00Z", "comment": ""}
    tables.upsert("settings", {**row, **text, **tables.split(b'{"halfLifeDays": 90}')})
    assert publishing.current().version == 0
    with pytest.raises(PreconditionError):
        publish(0, half_life_days=30.0)
    assert publishing.current().settings.half_life_days == 90.0
    (sent,) = map(read_people_update, received(settings().people_updates_queue))
    assert isinstance(sent, SettingsUpdate)
    assert (sent.version, sent.place) == (1, "")


def test_a_writer_that_stopped_after_its_message_is_completed_by_the_worker() -> None:
    row = {
        "PartitionKey": "organisation",
        "RowKey": organisation.row_key(1),
        "v": 1,
        "author": "0f",
        "authorName": "Ada",
    }
    text = {"publishedAt": "2026-03-15T00:00:00Z", "comment": ""}
    tables.upsert("settings", {**row, **text, **tables.split(b'{"internalDomains": ["own.example"]}')})
    fan_out.work_off(SettingsUpdate(1))
    assert stamps.read() == stamps.Stamps(people=1, parameters=1)
    assert publishing.current().settings.internal_domains == ("own.example",)


def test_publishing_computes_every_record_and_progress_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_out, "PAGE", 1)  # so that every bookmark is needed
    records = tenant(30)
    publish(0, grades=GradeLimits(good=99, fair=98))
    before = settings_progress.progress()
    assert (before.version, before.total, before.done, before.finished) == (1, len(records), 0, False)
    assert work_off_until_finished() >= records
    after = settings_progress.progress()
    assert (after.total, after.done, after.failed, after.finished) == (len(records), len(records), 0, True)
    assert {one.type: one.total for one in after.types}["opportunity"] == 5
    for record in records:
        found = insights.read(record)
        assert found is not None
        assert msgspec.json.decode(found.body)["paramsVersion"] == 1


def test_the_work_of_a_version_that_is_no_longer_in_force_stops() -> None:
    ingest.take_in(parse_batch(msgspec.json.encode(STORY)))
    publish(0, half_life_days=90.0)
    publish(1, half_life_days=30.0)
    list(received(settings().people_updates_queue))
    fan_out.work_off(SettingsUpdate(1, place=rosters.place("opportunity:o1")[0]))
    fan_out.work_off(SettingsUpdate(1))
    assert list(received(settings().people_updates_queue)) == []
    assert list(received(settings().record_updates_queue, scheduled_within=2)) == []


TRIED = (
    OrganisationSettings(grades=GradeLimits(good=35, fair=20)),
    OrganisationSettings(grades=GradeLimits(good=35, fair=20), half_life_days=14.0, frequency="monthly"),
    OrganisationSettings(frequency_rules=(FrequencyRule(frequency="quarterly", record_type="contact"),)),
)


def test_a_preview_tells_what_publishing_then_does() -> None:
    records = tenant(160)
    for base, wanted in enumerate(TRIED):
        before = scores_and_states()
        told = preview.preview(PreviewRequest(settings=wanted), AS_OF, patience=600)
        assert scores_and_states() == before
        publishing.publish(SettingsChange(settings=wanted), base, ADA)
        for record in records:
            recompute.recompute(record, AS_OF)
        assert_foretold(told, before, scores_and_states(), base)

    few = preview.preview(
        PreviewRequest(settings=OrganisationSettings(), types=("contact",), most_records=2), AS_OF, patience=600
    )
    assert [(one.type, one.computed, one.sampled) for one in few.types] == [("contact", 2, True)]
    hurried = preview.preview(PreviewRequest(settings=OrganisationSettings()), AS_OF, patience=-1)
    assert {(one.computed, one.before, one.after) for one in hurried.types} == {(0, None, None)}


def assert_foretold(told: Preview, before: Scores, after: Scores, base: int) -> None:
    moved = {record: (before[record][0], after[record][0]) for record in before if before[record] != after[record]}
    assert moved, "the settings of this test change something"
    assert {one.record: (one.score_before, one.score_after) for one in told.moves} == moved
    assert told.params_version == base
    assert told.foretelling.reason in ("tooFew", "onlyLimits")  # a tenant of two dozen records
    for one in told.types:
        states = [state for record, (_, state) in after.items() if record.startswith(one.type)]
        assert (one.open, one.computed, one.sampled) == (len(states), len(states), False)
        assert one.after is not None
        assert one.after.good == pytest.approx(100 * states.count(0) / len(states), abs=0.1)
        assert sum(msgspec.structs.astuple(one.after)) == pytest.approx(100)


def scores_and_states() -> Scores:
    found: Scores = {}
    for kind in rosters.RECORD_TYPES:
        pack = list_store.read(kind)
        found |= {f"{kind}:{row.id}": (row.score, min(row.state, 3)) for row in pack.rows(range(len(pack)))}
    return found


STORY = {
    "changes": [
        {"entity": "user", "id": "u1", "version": 1, "operation": "upsert", "attributes": {"email1": "u1@us.example"}},
        {"entity": "account", "id": "a1", "version": 1, "operation": "upsert", "attributes": {"region": "EU"}},
        {"entity": "contact", "id": "c1", "version": 1, "operation": "upsert",
         "attributes": {"email1": "kim@cust.example", "accountId": "a1"}},
        {"entity": "email", "id": "e1", "version": 1, "operation": "upsert", "attributes": {
            "from": {"address": "u1@us.example"}, "to": [{"address": "kim@cust.example"}],
            "sentAt": "2025-12-01T00:00:00Z", "status": "sent"}},
        {"entity": "opportunity", "id": "o1", "version": 1, "operation": "upsert", "attributes": {
            "createdAt": "2026-10-01T00:00:00Z", "contactId": "c1", "accountId": "a1", "ownerId": "user:u1"}},
    ]
}  # fmt: skip


def test_a_longer_lead_in_brings_older_history_to_deals() -> None:
    ingest.take_in(parse_batch(msgspec.json.encode(STORY)))
    list(received(settings().people_updates_queue))
    assert len(partitions.read("opportunity:o1").live) == 0
    recompute.recompute("opportunity:o1", AS_OF)
    publish(0, lead_in_days=365)
    fan_out.work_off(SettingsUpdate(1, place=rosters.place("opportunity:o1")[0]))
    assert len(partitions.read("opportunity:o1").live) == 1
    roster = rosters.read("opportunity:o1")
    assert roster is not None
    assert roster.lead_in_days == 365
    recompute.recompute("opportunity:o1", AS_OF)
    found = insights.list_row("opportunity:o1")
    assert found is not None
    assert found.last_at is not None


def test_a_record_is_in_its_accounts_segment_and_follows_when_the_account_moves() -> None:
    ingest.take_in(parse_batch(msgspec.json.encode(STORY)))
    found = {record: rosters.read(record) for record in ("account:a1", "contact:c1", "opportunity:o1")}
    assert {roster.segments["region"] for roster in found.values() if roster} == {"EU"}
    move = {"entity": "account", "id": "a1", "version": 2, "operation": "upsert", "attributes": {"region": "US"}}
    ingest.take_in(parse_batch(msgspec.json.encode({"changes": [move]})))
    roster = rosters.read("opportunity:o1")
    assert roster is not None
    assert roster.segments["region"] == "US"


def test_the_time_of_a_publication_is_now() -> None:
    before = int(time.time())
    at = publish(0).published_at
    assert at is not None
    assert before <= int(datetime.fromisoformat(at).timestamp()) <= time.time()
