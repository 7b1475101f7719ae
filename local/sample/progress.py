"""Progress on a terminal as one line that moves, elsewhere as a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

WIDTH = 30
SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Call it with what is done, how much, of how much; `finish` ends the line."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._moving = stream.isatty()
        self._what, self._written_at, self._open = "", 0.0, False

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._moving:
            self._move(what, done, total)
        elif what != self._what or done == total or self._clock() - self._written_at >= SECONDS_BETWEEN_LINES:
            self._line(what, done, total)

    def _move(self, what: str, done: int, total: int) -> None:
        if self._open and what != self._what:
            self.finish()
        self._what, self._open = what, True
        filled = WIDTH * done // total if total else WIDTH
        self._stream.write(f"\r  {what:<10} [{'#' * filled}{'.' * (WIDTH - filled)}] {done:,} of {total:,}\x1b[K")
        self._stream.flush()

    def _line(self, what: str, done: int, total: int) -> None:
        self._what, self._written_at = what, self._clock()
        self._stream.write(f"  {what} {done:,} of {total:,}\n")
        self._stream.flush()

    def finish(self) -> None:
        if self._open:
            self._stream.write("\n")
            self._stream.flush()
        self._open = False
