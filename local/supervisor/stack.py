"""The stack: pieces started one after another, each when the one before is healthy, and stopped in reverse."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from threading import Event

from local.supervisor.folder import StateFolder
from local.supervisor.pieces import START_SECONDS, STOP_SECONDS, Interrupted, Piece, RunningPiece, StackError

Say = Callable[[str], None]
WATCH_SECONDS = 0.2


def check_ports(ports: Mapping[str, int]) -> None:
    """Raises StackError when a port is taken, or given to two; `ports` maps the name of the setting to the port."""
    for setting, port in ports.items():
        twin = next((other for other, used in ports.items() if used == port and other != setting), None)
        if twin:
            raise StackError(f"{setting} and {twin} are both {port}; give them different ports.")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise StackError(f"Port {port} is taken; set {setting} to another one. ({error})") from error


class Stack:
    """Runs pieces in a state folder that the caller has locked."""

    def __init__(self, folder: StateFolder, stop: Event, say: Say) -> None:
        self.folder, self.stop, self.say = folder, stop, say
        self.running: list[RunningPiece] = []

    def start(self, pieces: Iterable[Piece], seconds: float = START_SECONDS) -> None:
        """Start all. Raises StackError, or Interrupted when `stop` is set; the caller then calls `end`."""
        for piece in pieces:
            if self.stop.is_set():
                raise Interrupted
            self.say(f"starting {piece.name}")
            running = RunningPiece.start(piece, self.folder.logs / f"{piece.name}.log")
            self.running.append(running)
            self.folder.note([each.process for each in self.running])
            running.wait_healthy(self.stop, seconds)
            self.check()

    def check(self) -> None:
        """Raises StackError when a piece has died."""
        for running in self.running:
            if (code := running.child.poll()) is not None:
                raise StackError(running.obituary(code))

    def watch(self, done: Callable[[], bool] = lambda: False) -> None:
        """Until `done`: raises StackError when a piece dies, Interrupted when `stop` is set."""
        while not done():
            self.check()
            if self.stop.wait(WATCH_SECONDS):
                raise Interrupted

    def end(self, seconds: float = STOP_SECONDS) -> None:
        """Stop all, the last started first."""
        while self.running:
            running = self.running[-1]
            self.say(f"stopping {running.piece.name}")
            running.stop(seconds)
            self.running.pop()
            self.folder.note([each.process for each in self.running])
