"""Draws that look random and never change: every value is a hash of its names, so no order of calls matters."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")
NAMESPACE = uuid.UUID("6f1c2a58-52c1-5d4e-9c62-7d5f3f1c9b10")


def draw(*names: object) -> float:
    """A number in [0, 1) that belongs to these names."""
    digest = blake2b("\x1f".join(map(str, names)).encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big") / (1 << 56)


def between(low: int, high: int, *names: object) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + int(draw(*names) * (high - low + 1))


def pick(options: Sequence[T], *names: object) -> T:
    """One of `options`."""
    return options[int(draw(*names) * len(options))]


def guid(*names: object) -> str:
    """The id, a lower-case GUID, that belongs to these names."""
    return str(uuid.uuid5(NAMESPACE, "\x1f".join(map(str, names))))
