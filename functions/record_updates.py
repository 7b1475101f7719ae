"""Queues that say what must be computed again: records, and people of ours who changed."""

from __future__ import annotations

import time

import azure.functions as func

from shared.settings import settings

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.service_bus_queue_trigger(arg_name="message", queue_name="%RECORD_UPDATES_QUEUE%", connection="SERVICEBUS")
def record_updates(message: func.ServiceBusMessage) -> None:
    """Compute one record's snapshot, or who knows a person or company without a record.

    One message a call: a record that fails is dead-lettered alone.
    """
    from shared import account_union, acquaintance_updates, delays, deliveries, failures, insights, similar_updates
    from shared.record_updates import read_record_update

    def work(body: bytes) -> None:
        update, now = read_record_update(body), int(time.time())
        if acquaintance_updates.is_own_target(update.record):
            acquaintance_updates.recompute(update.record, now)
            delays.published()
            return
        if insights.includes(update.record, update.at, now):
            return  # the message of an earlier window came late and did this one's work too
        stored = failures.recompute_or_note(update.record, now)
        delays.published()
        if stored and stored.similar_due:
            similar_updates.announce_round()
        account_union.announce_counting(update.record)

    deliveries.handle(message, settings().record_updates_queue, work)


@blueprint.service_bus_queue_trigger(arg_name="message", queue_name="%PEOPLE_UPDATES_QUEUE%", connection="SERVICEBUS")
def people_updates(message: func.ServiceBusMessage) -> None:
    """Have every record computed that names a person of ours who changed, or all where settings did; or measure the score."""
    from shared import acquaintance_rows, deliveries, erasure, fan_out, insights, quality_report, rosters
    from shared.record_updates import ErasureUpdate, QualityUpdate, SettingsUpdate, announce, read_people_update

    def work(body: bytes) -> None:
        update = read_people_update(body)
        if isinstance(update, SettingsUpdate):
            fan_out.work_off(update)
            return
        if isinstance(update, ErasureUpdate):
            erasure.work_off(update, int(time.time()))
            return
        if isinstance(update, QualityUpdate):
            quality_report.refresh(int(time.time()))
            return
        named = {*insights.naming(update.keys), *acquaintance_rows.naming(update.keys)}
        announce(named | set(rosters.owned_by(update.owners)), bulk=True)

    deliveries.handle(message, settings().people_updates_queue, work)
