"""From the first word of a change to the written snapshot: the first instant travels with it through every queue."""

from __future__ import annotations

import json
import logging
import time
from contextlib import closing
from typing import Any

import azure.functions as func
import pytest
from azure.functions.servicebus import ServiceBusMessage

from functions.crm_changes import crm_changes
from functions.record_updates import record_updates
from shared import acceptance, delays, deliveries, telemetry
from shared import record_updates as announcing
from shared.errors import UnavailableError
from shared.graph import notifications, subscriptions, work
from shared.graph.subscriptions import Subscription
from shared.graph.work import Dirty
from shared.settings import settings

pytestmark = pytest.mark.usefixtures("storage", "queues")
CRM, RECORDS, DIRTY = "crm-changes", "record-updates", "graph-dirty"


def waiting(queue: str) -> list[func.ServiceBusMessage]:
    """What waits in a queue or is scheduled there, as the worker would hand it over."""
    from shared.queues import client

    with closing(client().get_queue_receiver(queue)) as receiver:
        return [
            ServiceBusMessage(
                body=b"".join(each.body),
                message_id=str(each.message_id),
                user_properties={},
                application_properties={
                    name.decode(): value.decode() if isinstance(value, bytes) else value
                    for name, value in (each.application_properties or {}).items()
                },
            )
            for each in receiver.peek_messages(100)
        ]


def begun(queue: str) -> set[str]:
    return {telemetry.text_of(each.application_properties, delays.BEGUN) for each in waiting(queue)}


def body(count: int) -> bytes:
    rows = [
        {"entity": "contact", "id": f"c{n}", "version": 1, "operation": "upsert", "attributes": {"name": "Kim"}}
        for n in range(count)
    ]
    return json.dumps({"changes": rows}).encode()


def run(function: Any, message: func.ServiceBusMessage) -> None:
    function._function.get_user_function()(message)


def test_a_change_of_the_crm_is_measured_to_its_snapshot(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(delays, "EVERY_SECONDS", 0.0)
    told = time.time()
    acceptance.accept(body(1))
    (change,) = waiting(CRM)
    source, _, first = telemetry.text_of(change.application_properties, delays.BEGUN).partition("|")
    assert source == "crm"
    assert told - 0.001 <= float(first) <= time.time()
    run(crm_changes, change)
    assert begun(RECORDS) == begun(CRM)
    run(record_updates, waiting(RECORDS)[0])
    assert [line for line in caplog.messages if line.startswith("change ages: crm p95 ") and line.endswith("1 changes")]


def test_what_is_computed_in_bulk_is_late_on_purpose(caplog: pytest.LogCaptureFixture) -> None:
    acceptance.accept(body(settings().bulk_batch))
    run(crm_changes, waiting(CRM)[0])
    assert len(waiting(RECORDS)) == settings().bulk_batch
    assert begun(RECORDS) == {""}
    delays.published()
    assert not [line for line in caplog.messages if line.startswith("change ages: ")]


def test_a_notification_of_graph_is_measured_from_its_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPH_TENANT_ID", "t")
    settings.cache_clear()
    subscriptions._write(Subscription("s1", "m1", "mail", 2_000_000_000, subscriptions._hashed("secret")))
    subscriptions._write(Subscription("s2", "m1", "calendar", 2_000_000_000, subscriptions._hashed("secret")))
    items = [{"subscriptionId": each, "clientState": "secret", "tenantId": "t"} for each in ("s1", "s2")]
    with telemetry.correlated("the-notification"):
        notifications.take_changes(json.dumps({"value": items}).encode())
    assert {text.partition("|")[0] for text in begun(DIRTY)} == {"mail", "calendar"}
    assert {telemetry.message_correlation(each.application_properties) for each in waiting(DIRTY)} == {
        "the-notification"
    }


def test_what_is_tried_again_keeps_its_first_instant_and_a_second_look_has_none() -> None:
    mark = "mail|1790000000.250"
    with delays.continuing({b"begun": mark.encode()}):
        work.again(Dirty("m1", "mail", tries=1), time.time() + 60)
        work.send([Dirty("m2", "mail")])
        announcing.announce({"account:a1"})
    assert begun(DIRTY) == begun(RECORDS) == {mark}
    with delays.continuing({"begun": mark}):
        work.send([Dirty("m3", "mail", settled=True)], due=time.time() + 60)
        announcing.announce({"account:a2"}, bulk=True)
    assert begun(DIRTY) == begun(RECORDS) == {mark, ""}

    def away(_: bytes) -> None:
        raise UnavailableError("away")

    (message,) = [each for each in waiting(DIRTY) if json.loads(each.get_body())["mailbox"] == "m2"]
    deliveries.handle(message, "graph-backfill", away)
    assert begun("graph-backfill") == {mark}
