"""A small organisation to talk about: anna, ben and cleo of ours, kim, lee and max of Cust, and what they write and say.

Each function gives one change in the plain format; `told` takes changes in as the queue function does and computes what they
touch. The instants are days before `NOW`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import json

from shared import acquaintance_rows, acquaintance_updates, ingest, insights, recompute, stamps, states
from shared.changes import parse_batch

NOW = int(datetime(2026, 3, 15, 12, tzinfo=UTC).timestamp())
_numbers = itertools.count(1)
_versions = itertools.count(1)


def row(entity: str, id: str, **attributes: Any) -> dict[str, Any]:
    """An upsert of a row."""
    given = {name.rstrip("_"): value for name, value in attributes.items()}
    return {"entity": entity, "id": id, "version": next(_versions), "operation": "upsert", "attributes": given}


def when(days: float) -> str:
    """The instant so many days before NOW."""
    return (datetime.fromtimestamp(NOW, UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _party(name: str) -> dict[str, str]:
    return {"address": name if "@" in name else f"{name}@{'us' if name in ('anna', 'ben', 'cleo') else 'cust'}.example"}


def mail(days: float, sender: str, *recipients: str, **more: Any) -> dict[str, Any]:
    """A mail so many days ago; people by name, or by address."""
    facts = {
        "from_": _party(sender),
        "to": [_party(name) for name in recipients],
        "sentAt": when(days),
        "status": "sent",
    }
    return row("email", f"mail-{next(_numbers)}", **facts, **more)


def meeting(days: float, organizer: str, *attendees: str, status: str = "completed") -> dict[str, Any]:
    """A meeting of half an hour that began so many days ago."""
    return row(
        "appointment", f"meeting-{next(_numbers)}", organizer=_party(organizer), status=status,
        attendees=[_party(name) for name in attendees], start=when(days), end=when(days - 1 / 48),
    )  # fmt: skip


def phonecall(days: float, caller: str, *called: str) -> dict[str, Any]:
    """A call so many days ago that was answered."""
    facts = {"from_": _party(caller), "to": [_party(name) for name in called], "direction": "out"}
    return row("phonecall", f"call-{next(_numbers)}", start=when(days), status="completed", **facts)


def organisation() -> list[dict[str, Any]]:
    """The three of ours, the account Cust with its contacts, and an opportunity of kim."""
    users = [
        row("user", name, name=name.title(), emails=[f"{name}@us.example"], title="Seller")
        for name in ("anna", "ben", "cleo")
    ]
    contacts = [
        row("contact", name, name=name.title(), emails=[f"{name}@cust.example"], accountId="cust")
        for name in ("kim", "lee", "max")
    ]
    deal = row(
        "opportunity", "deal", name="Deal", contactId="kim", accountId="cust", ownerId="user:anna", stakeholders=["lee"]
    )
    return [*users, row("account", "cust", name="Cust", primaryContactId="max"), *contacts, deal]


def told(changes: Iterable[dict[str, Any]], now: int = NOW) -> set[str]:
    """Take changes in and compute all that they touch; what that was.

    What changed people of ours touch is computed at once, so that no test needs a broker for them.
    """
    parsed = parse_batch(json.encode({"changes": list(changes)}))
    ours = [change for change in parsed if change.entity in ("user", "team")]
    touched = ingest.take_in([change for change in parsed if change not in ours])
    if ours:
        keys = ingest.keys_of_ours(states.take_in(ours).values())
        stamps.advance("people")
        touched |= {*insights.naming(keys), *acquaintance_rows.naming(keys)}
    for name in sorted(touched):
        own = acquaintance_updates.is_own_target(name)
        (acquaintance_updates.recompute if own else recompute.recompute)(name, now)
    return touched
