"""A small program in place of a piece: it listens on a port and writes down when it starts and which signal ends it."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from types import FrameType


def main(name: str, port: str, journal: str, way: str = "") -> None:
    def note(text: str) -> None:
        with Path(journal).open("a") as lines:
            lines.write(f"{text}\n")

    def end(signum: int, _: FrameType | None) -> None:
        note(f"{name} {signal.Signals(signum).name}")
        if way != "stubborn":
            sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    print(f"{name} has something to say", flush=True)
    if way == "broken":
        sys.exit("no such setting")
    note(f"{name} starts")
    with socket.create_server(("127.0.0.1", 0 if way == "deaf" else int(port))) as server:
        while True:
            server.accept()[0].close()


if __name__ == "__main__":
    main(*sys.argv[1:])
