"""Instants as Graph writes and takes them."""

from __future__ import annotations

from datetime import UTC, datetime


def instant_of(text: str) -> int:
    """Whole seconds of an instant as Graph writes it; without an offset it is UTC, which we ask for.

    >>> instant_of("1970-01-01T00:01:00.0000000")
    60
    """
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def text_of(at: int) -> str:
    """An instant as Graph's filters take it.

    >>> text_of(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
