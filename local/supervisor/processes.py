"""Processes by id and start time: an id alone may belong to somebody else by the time it is signalled."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PAUSE = 0.05


def start_time(pid: int) -> str:
    """When the process began, as its system tells it; "" when it is gone or only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except FileNotFoundError:
        pass
    if Path("/proc/self/stat").exists():
        return ""
    told = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = told.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for a later one with the same id."""

    name: str
    pid: int
    started: str
    stop_signal: int = signal.SIGTERM

    @classmethod
    def of(cls, name: str, pid: int, stop_signal: int = signal.SIGTERM) -> Process:
        """The running process with this id."""
        return cls(name, pid, start_time(pid), stop_signal)

    def is_alive(self) -> bool:
        return self.started != "" and start_time(self.pid) == self.started

    def send(self, signum: int) -> None:
        """Signal this process, and no other: nothing happens when it is gone."""
        if self.is_alive():
            try:
                os.kill(self.pid, signum)
            except ProcessLookupError:
                return

    def is_gone_within(self, seconds: float) -> bool:
        """Wait for its end; whether it came in time."""
        until = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > until:
                return False
            time.sleep(PAUSE)
        return True

    def end(self, patience: float) -> bool:
        """Send the stop signal, and SIGKILL when it is not gone in time. Returns whether it went by itself."""
        self.send(self.stop_signal)
        if self.is_gone_within(patience):
            return True
        self.send(signal.SIGKILL)
        self.is_gone_within(patience)
        return False
