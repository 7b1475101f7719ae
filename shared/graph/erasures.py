"""Receipts for the erasure of what Exchange told: of which stop, how much, when it was done, signed by this installation.

The rows lie beside the consent. What is taken out of a mailbox is counted before the first of it goes, so a repetition after a
crash counts nothing twice and misses nothing.
"""

from __future__ import annotations

import hmac
from typing import Literal

from msgspec import json
from msgspec.structs import replace

from shared import tables
from shared.graph import consent_state, copies
from shared.graph.consent import Consent, State
from shared.moments import instant
from shared.settings import settings
from shared.widgets import Shape

PARTITION = "erasures"
_BEGUN, _DONE, _MAILBOX = "begun", "done", "mailbox|"
_OVERDUE = 24 * 3_600
_REASONS = {State.WITHDRAWN: "withdrawn", State.CRM_ONLY: "switchedOff"}
Reason = Literal["withdrawn", "switchedOff", "disabled"]
Progress = Literal["PROCESSING", "COMPLETED", "FAILED", "STOPPED"]


class ErasureReceipt(Shape, frozen=True):
    """What became of the data of Exchange after reading was stopped at `stopped_at`, which is the receipt's `id`, too.

    `status` is FAILED where the erasure has not come to its end within 24 hours of `begun_at`, STOPPED where reading was
    switched on again before that. `counts`: mailboxes, and copies of mails and meetings taken out of them. `signature` is an
    HMAC of all else, made with a key of this installation: who may read receipts can have one checked by asking again.
    """

    id: str
    reason: Reason
    status: Progress
    stopped_at: str
    begun_at: str
    completed_at: str | None
    counts: dict[str, int]
    signature: str


class ErasureReceipts(Shape, frozen=True):
    """All erasures of what Exchange told, the latest first."""

    receipts: list[ErasureReceipt]


def begin(state: Consent, now: int) -> None:
    """Open the receipt of a stop; repeating it changes nothing."""
    reason = _REASONS.get(state.state, "disabled")
    tables.write_if(consent_state.TABLE, _row(state.stopped_at, _BEGUN, at=now, reason=reason), None)


def note(state: Consent, mailbox: str) -> None:
    """Count what a mailbox has told, before it is taken out. A mailbox that only leaves the scope needs no receipt."""
    if state.is_visible or not state.stopped_at:
        return
    row = _row(state.stopped_at, f"{_MAILBOX}{mailbox}", copies=copies.number(mailbox))
    tables.write_if(consent_state.TABLE, row, None)


def end(state: Consent, now: int) -> None:
    """Close the receipt: nothing is held any more."""
    begin(state, now)
    tables.write_if(consent_state.TABLE, _row(state.stopped_at, _DONE, at=now), None)


def receipts(now: int) -> ErasureReceipts:
    """All receipts, the latest first."""
    by_stop: dict[str, dict[str, tables.Row]] = {}
    for row in tables.query(consent_state.TABLE, PARTITION):
        stop, _, part = row["RowKey"].partition("|")
        by_stop.setdefault(stop, {})[part] = row
    held = consent_state.read()
    latest_first = sorted(by_stop.items(), reverse=True)
    return ErasureReceipts(
        receipts=[_receipt(int(stop), rows, held, now) for stop, rows in latest_first if _BEGUN in rows]
    )


def _receipt(stop: int, rows: dict[str, tables.Row], held: Consent, now: int) -> ErasureReceipt:
    begun, done = rows[_BEGUN], rows.get(_DONE)
    taken = [row["copies"] for part, row in rows.items() if part.startswith(_MAILBOX)]
    return signed(
        ErasureReceipt(
            id=str(stop),
            reason=begun["reason"],
            status=_status(stop, begun["at"], done is not None, held, now),
            stopped_at=instant(stop),
            begun_at=instant(begun["at"]),
            completed_at=instant(done["at"]) if done else None,
            counts={"mailboxes": len(taken), "copies": sum(taken)},
            signature="",
        )
    )


def signed(receipt: ErasureReceipt) -> ErasureReceipt:
    """The receipt with the signature of this installation."""
    content = json.encode(replace(receipt, signature=""))
    return replace(receipt, signature=hmac.digest(settings().derived_key("receipt"), content, "sha256").hex())


def _status(stop: int, begun_at: int, done: bool, held: Consent, now: int) -> Progress:
    if done:
        return "COMPLETED"
    if held.stopped_at != stop:
        return "STOPPED"
    return "FAILED" if now > begun_at + _OVERDUE else "PROCESSING"


def _row(stop: int, part: str, **facts: int | str) -> tables.Row:
    return {"PartitionKey": PARTITION, "RowKey": f"{stop:011d}|{part}", "v": 1, **facts}
