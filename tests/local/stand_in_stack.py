"""A stack of stand-in pieces under the real supervisor: `... stand_in_stack FOLDER SECONDS NAME:PORT:WAY [NAME:PORT:WAY ...]`."""

from __future__ import annotations

import json
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from local.supervisor.folder import StateFolder, write_private
from local.supervisor.pieces import Piece
from local.supervisor.stack import Stack, check_ports
from local.supervisor.supervise import stop_signals, supervise


def listens(port: int) -> Callable[[], bool]:
    def healthy() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    return healthy


def piece(name: str, port: int, journal: Path, way: str) -> Piece:
    command = [sys.executable, "-m", "tests.local.stand_in_piece", name, str(port), str(journal), way]
    wanted = signal.SIGINT if way == "sigint" else signal.SIGTERM
    return Piece(name, command, listens(port), stop_signal=wanted)


def main(folder: Path, seconds: float, specifications: list[str]) -> int:
    parts = [text.split(":") for text in specifications]

    def begin() -> list[Piece]:
        check_ports({f"{name.upper()}_PORT": int(port) for name, port, _ in parts})
        return [piece(name, int(port), folder / "journal", way) for name, port, way in parts]

    def announce(stack: Stack) -> None:
        pids = {running.piece.name: running.process.pid for running in stack.running}
        write_private(StateFolder(folder).ready, pids)
        print(json.dumps(pids), flush=True)

    with stop_signals() as stop:
        return supervise(StateFolder(folder), begin, announce, stop, lambda text: print(text, flush=True), seconds)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
