"""The shape of a receipt for an erasure, and of who has opted out."""

from __future__ import annotations

from typing import Literal

from shared.widgets import Shape


class Receipt(Shape, frozen=True):
    """What became of a person's data. `id` is a key of the person, no name.

    `status` is FAILED where the erasure has not come to its end within 24 hours. `counts`: interactions changed and deleted,
    activities of the CRM stripped here, notes, introductions, addresses. `signature` is an HMAC of all else, made with a
    key of this installation: the privacy officer can have any receipt checked by asking for it again.
    """

    id: str
    status: Literal["PROCESSING", "COMPLETED", "FAILED"]
    opted_out_at: str
    completed_at: str | None
    counts: dict[str, int]
    signature: str


class Receipts(Shape, frozen=True):
    """Everybody who has opted out, by id."""

    receipts: list[Receipt]
