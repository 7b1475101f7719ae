"""One life of a stack, from taking the folder to giving it back."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event

from local.supervisor.folder import StateFolder
from local.supervisor.pieces import START_SECONDS, Interrupted, Piece, StackError
from local.supervisor.stack import Say, Stack

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_signals() -> Iterator[Event]:
    """An event that is set by Ctrl-C, SIGTERM and the closing of the terminal."""
    stop = Event()
    before = {signum: signal.signal(signum, lambda *_: stop.set()) for signum in STOP_SIGNALS}
    try:
        yield stop
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def supervise(
    folder: StateFolder,
    begin: Callable[[], Iterable[Piece]],
    announce: Callable[[Stack], None],
    stop: Event,
    say: Say,
    seconds: float = START_SECONDS,
) -> int:
    """Run the pieces that `begin` names until `stop` is set; returns the exit code, 0 after an orderly stop.

    `begin` runs with the folder locked and leftovers ended, `announce` when all pieces are healthy. What either or a dying
    piece has to say is said before the others are stopped.
    """
    try:
        with folder.locked():
            folder.ready.unlink(missing_ok=True)
            if names := folder.end_leftovers():
                say(f"ended what a killed supervisor left over: {', '.join(names)}")
            stack = Stack(folder, stop, say)
            try:
                stack.start(begin(), seconds)
                announce(stack)
                stack.watch()
            except StackError as error:
                say(str(error))
                return 1
            finally:
                stop.set()
                folder.ready.unlink(missing_ok=True)
                stack.end()
    except Interrupted:
        return 0
    return 0
