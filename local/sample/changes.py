"""The sample tenant as a stream of changes in the plain format of `POST /api/crm/changes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local.sample import meetings as planned
from local.sample.cast import Cast, Clock
from local.sample.emails import emails
from local.sample.records import records
from local.sample.tenant import Tenant

Change = dict[str, Any]


def sample_changes(tenant: Tenant) -> Iterator[Change]:
    """All changes: first users, teams and records, then activities, one customer company after another, oldest first.

    A back-fill in this order touches a record's months once; in order of time it would touch all records all the time.
    """
    clock = Clock(tenant.shift)
    for entity, key, attributes in records(tenant, clock):
        yield _change(tenant, entity, key, attributes)
    everybody = tenant.users | tenant.customers
    cast = Cast(everybody, tenant.opportunities)
    rows = [
        *emails(tenant.mails, cast, tenant.threads, {case.key: case for case in tenant.cases}, clock),
        *planned.meetings(tenant.mails, cast, clock),
        *planned.calls(tenant.mails, cast, clock),
        *planned.tasks(tenant.opportunities, cast, clock),
        *planned.plans(tenant.opportunities, cast, clock),
    ]
    for _, _, entity, row_id, attributes in sorted(rows, key=lambda row: row[:4]):
        yield _change(tenant, entity, row_id, attributes)


def _change(tenant: Tenant, entity: str, row_id: str, attributes: Mapping[str, Any]) -> Change:
    version = {"version": tenant.version, "operation": "upsert"}
    return {"entity": entity, "id": row_id, **version, "attributes": dict(attributes)}
