"""Duplicate detection: which message ids a queue has accepted, and for how long it remembers them."""

from __future__ import annotations

from collections import deque


class History:
    """The ids of one queue. `window` is in milliseconds; None switches detection off."""

    def __init__(self, window: int | None) -> None:
        self._window = window
        self._seen: set[str] = set()
        self._order: deque[tuple[int, str]] = deque()

    def restore(self, message_id: str, at: int) -> None:
        """Put an id back; ids come in the order they were seen."""
        self._seen.add(message_id)
        self._order.append((at, message_id))

    def admit(self, message_id: str | None, now: int) -> bool:
        """Whether this is the first copy within the window; then it is remembered from now on.

        A dropped copy does not lengthen the window. A message without an id is never a duplicate.
        """
        if self._window is None or message_id is None:
            return True
        if message_id in self._seen:
            return False
        self.restore(message_id, now)
        return True

    def forget(self, now: int) -> list[str]:
        """Drop the ids whose window has ended, and give them."""
        gone = []
        while self._order and (self._window is None or self._order[0][0] + self._window <= now):
            gone.append(self._order.popleft()[1])
        self._seen.difference_update(gone)
        return gone

    def forget_all(self) -> list[str]:
        """Drop every id, and give them."""
        gone = [message_id for _, message_id in self._order]
        self._seen.clear()
        self._order.clear()
        return gone
