"""Instants as answers write them."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(at: int) -> str:
    """An instant as RFC 3339 in UTC.

    >>> instant(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def known_instant(at: int | None) -> str | None:
    """An instant, or None where there is none."""
    return None if at is None else instant(at)
