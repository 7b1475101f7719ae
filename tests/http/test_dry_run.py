"""A dry run says what the ledger will say once the activity is there, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared import ingest, recompute, rosters
from shared.auth import READER
from shared.changes import parse_batch
from shared.ledger import ledger
from shared.ledger_query import LedgerQuery
from tests.conftest import fresh_queues, fresh_storage
from tests.doubles.platform import as_role, trust_platform
from tests.doubles.processes import forget
from tests.doubles.routes import json_of, route
from tests.doubles.tenants import AS_OF, RECORDS, story
from tests.local.azurite_process import RunningAzurite
from tests.local.bus_process import RunningBus


def tell(changes: list[dict[str, Any]]) -> None:
    ingest.take_in(parse_batch(json.dumps({"changes": changes}).encode()))


@pytest.fixture(scope="module")
def told(azurite: RunningAzurite, service_bus: RunningBus) -> Iterator[None]:
    """A tenant's people and records, no activities."""
    with pytest.MonkeyPatch.context() as patch:
        trust_platform(patch)
        fresh_queues(service_bus, patch)
        fresh_storage(azurite, patch)
        kinds = ("email", "appointment", "phonecall", "task")
        tell([change for change in story(5, 30) if change["entity"] not in kinds])
        yield
    forget()


def tried(record: str, entity: str, attributes: dict[str, Any], status: int = 200) -> dict[str, Any]:
    kind, _, id = record.partition(":")
    answer = route("post_record_dry_run").call(
        headers=as_role(READER), params={"type": kind, "id": id},
        body=json.dumps({"entity": entity, "attributes": attributes}).encode(),
    )  # fmt: skip
    assert answer.status_code == status, answer.get_body()
    found: dict[str, Any] = json_of(answer)
    return found


def test_a_dry_run_says_what_the_ledger_will_say(told: None) -> None:
    known = [
        record for record in RECORDS if (roster := rosters.read(record)) and not roster.gone and not roster.merged_into
    ]
    written = [
        change for change in story(5, 30)
        if change["entity"] in ("email", "appointment", "phonecall", "task") and change["operation"] == "upsert"
    ]  # fmt: skip
    first = list({change["id"]: change for change in reversed(written)}.values())[::3]
    foretold: dict[tuple[str, str], dict[str, Any]] = {}
    for change in first:
        for record in known[::2]:
            foretold[record, f"{change['entity']}:{change['id']}"] = tried(
                record, change["entity"], change["attributes"]
            )
    assert all(ledger(record, LedgerQuery(), AS_OF).total == 0 for record in known)  # nothing was left behind
    tell(first)
    compared = set()
    for record in known[::2]:
        recompute.recompute(record, AS_OF)
        entries = {one.activity_id: one for one in ledger(record, LedgerQuery(limit=500), AS_OF).activities}
        for (of, activity), said in foretold.items():
            if of == record and activity in entries:
                one = entries[activity]
                assert (said["counted"], said["reason"]) == (one.counted, one.reason), (record, activity)
                assert [p["id"] for p in said["entry"]["people"]] == [p["id"] for p in one.people]
                compared.add(one.reason)
            elif of == record:
                assert not said["counted"], said  # what does not concern a record is not in its ledger
    assert {"participants", "rolled_up"} < compared


MAIL = {"from": {"address": "u1@us.example"}, "to": [{"address": "c1@cust.example"}], "sentAt": "2026-11-01T09:00:00Z"}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"status": "draft"}, "not_completed"),
        ({"status": "sent", "private": True}, "private"),
        ({"status": "sent"}, "participants"),
    ],
)
def test_what_never_gets_into_a_ledger_has_its_reason_too(told: None, more: dict[str, Any], reason: str) -> None:
    found = tried("contact:c1", "email", {**MAIL, **more})
    assert (found["reason"], found["counted"]) == (reason, reason == "participants")


def test_what_the_batch_format_refuses_is_refused_with_its_place(told: None) -> None:
    assert tried("contact:c1", "email", {"sentAt": "noon"}, status=400)["errors"][0]["path"].startswith("$.attributes")
    assert tried("contact:nobody", "email", MAIL, status=404)
