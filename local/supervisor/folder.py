"""The state folder: one stack at a time, and who runs in it.

`run/lock` is held by the supervisor as long as it lives, `run/supervisor.json` says who that is, `run/processes.json`
lists the pieces with their start times, so that a later command can find them when the supervisor was killed.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local.supervisor.pieces import STOP_SECONDS, StackError
from local.supervisor.processes import Process


def write_private(file: Path, content: object) -> None:
    """Write JSON that is whole or not there at all, readable by its owner alone."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    fresh.replace(file)


class StateFolder:
    """Paths and files of one stack."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.run = self.root / "run"
        self.logs = self.root / "logs"
        self.ready = self.root / "ready.json"
        self.loaded = self.root / "sample.json"

    def create(self) -> None:
        for folder in (self.root, self.run, self.logs):
            folder.mkdir(parents=True, exist_ok=True)

    def part(self, name: str) -> Path:
        """The folder of one piece."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder. Raises StackError when another supervisor holds it."""
        self.create()
        with (self.run / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = self.supervisor()
                who = f" (process {owner.pid})" if owner else ""
                raise StackError(f"A stack runs in {self.root} already{who}; set RAPPORT_FOLDER for another.") from None
            write_private(self.run / "supervisor.json", asdict(Process.of("supervisor", os.getpid())))
            try:
                yield
            finally:
                (self.run / "supervisor.json").unlink(missing_ok=True)

    def is_locked(self) -> bool:
        """Whether a supervisor holds the folder."""
        try:
            with (self.run / "lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def supervisor(self) -> Process | None:
        """The supervisor that runs here."""
        found = _read(self.run / "supervisor.json")
        process = Process(**found) if found else None
        return process if process and process.is_alive() else None

    def processes(self) -> list[Process]:
        """The pieces as last noted, dead ones too."""
        return [Process(**row) for row in _read(self.run / "processes.json") or ()]

    def note(self, processes: Sequence[Process]) -> None:
        write_private(self.run / "processes.json", [asdict(process) for process in processes])

    def end_leftovers(self) -> list[str]:
        """End pieces whose supervisor was killed, last started first; their names. Call with the folder locked."""
        leftovers = [process for process in reversed(self.processes()) if process.is_alive()]
        for process in leftovers:
            process.end(STOP_SECONDS)
        self.note([])
        return [process.name for process in leftovers]


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
