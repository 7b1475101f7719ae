"""A piece of the stack: how to start it, how to tell that it is healthy, how to stop it."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from local.supervisor.processes import PAUSE, Process

# For the healthy answer of one piece. A first start reads all modules from a cold disk, and the host imports its app beside the
# pieces before it: on two busy cores that took more than 30 s. Nobody waits in vain, since a piece that ends is told at once.
START_SECONDS = 120.0
STOP_SECONDS = 15.0
TAIL_LINES = 20


class StackError(Exception):
    """The stack cannot start or go on; the text says why and what to do."""


class Interrupted(Exception):
    """Somebody asked the stack to stop."""


@dataclass(frozen=True)
class Piece:
    """What runs under one name. `environment` is complete; `healthy` asks once and never raises."""

    name: str
    command: Sequence[str]
    healthy: Callable[[], bool]
    environment: Mapping[str, str] | None = None
    folder: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass
class RunningPiece:
    """A started piece. Its process leads a group of its own, so that Ctrl-C at the terminal does not reach it."""

    piece: Piece
    child: subprocess.Popen[bytes]
    log: Path
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = Process.of(self.piece.name, self.child.pid, self.piece.stop_signal)

    @classmethod
    def start(cls, piece: Piece, log: Path) -> RunningPiece:
        """Raises StackError when the program cannot be started at all."""
        with log.open("ab") as output:
            try:
                child = subprocess.Popen(
                    list(piece.command),
                    cwd=piece.folder,
                    env=None if piece.environment is None else dict(piece.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    process_group=0,
                )
            except OSError as error:
                raise StackError(f"{piece.name} cannot be started: {error}") from error
        return cls(piece, child, log)

    def wait_healthy(self, stop: Event, seconds: float = START_SECONDS) -> None:
        """Raises StackError when it ends or is not healthy in time, Interrupted when `stop` is set meanwhile."""
        until = time.monotonic() + seconds
        while not self.piece.healthy():
            if (code := self.child.poll()) is not None:
                raise StackError(self.obituary(code))
            if time.monotonic() > until:
                raise StackError(f"{self.piece.name} did not answer within {seconds:.0f} s.\n{self.last_words()}")
            if stop.wait(PAUSE):
                raise Interrupted

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Ask it to end in the way it wants; SIGKILL to its id when it does not."""
        if self.child.poll() is None:
            self.child.send_signal(self.piece.stop_signal)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.child.wait()

    def obituary(self, code: int) -> str:
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"{self.piece.name} {how}.\n{self.last_words()}"

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join([f"Last lines of {self.log}:", *(f"  {line}" for line in lines)])
