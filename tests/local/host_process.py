"""The local host as a child process, for tests that need an app that runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.doubles.ports import free_port

T = TypeVar("T")

PROJECT = Path(__file__).resolve().parent.parent.parent
HOST_JSON = '{"version": "2.0"}'
_START_SECONDS = 60.0


@dataclass
class RunningHost:
    """A host that answers. log: the file its output goes to."""

    base_url: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it in order (SIGTERM) and return its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=60)

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


def make_app(root: Path, code: str, host_json: str = HOST_JSON) -> Path:
    """Write a small app into a folder and return the folder."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "function_app.py").write_text(code, encoding="utf-8")
    (root / "host.json").write_text(host_json, encoding="utf-8")
    return root


def start_host(
    folder: Path, root: Path, environ: Mapping[str, str] | None, port: int, options: Sequence[str]
) -> RunningHost:
    """Start the process without waiting for it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "host.log"
    command = [sys.executable, "-m", "local.host", "--port", str(port), "--folder", str(folder), "--root", str(root)]
    # the app's packages come from its own folder; the host's from the project
    variables = {**os.environ, "PYTHONPATH": str(PROJECT), "TZ": "UTC", **(environ or {})}
    with path.open("ab") as output:
        process = subprocess.Popen([*command, *options], cwd=PROJECT, env=variables, stdout=output, stderr=output)
    return RunningHost(f"http://127.0.0.1:{port}", process, path)


def _is_running(base_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base_url}/admin/host/status", timeout=60) as answer:
            return b'"Running"' in answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        # with keys switched on the status is for their holders
        return error.code == 401
    except OSError:
        return False


def _wait_until_running(host: RunningHost) -> None:
    ends = time.monotonic() + _START_SECONDS
    while not _is_running(host.base_url):
        if host.process.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"the host did not start (exit code {host.process.poll()}):\n{host.output()}")
        time.sleep(0.05)


@contextmanager
def running_host(
    folder: Path,
    root: Path = PROJECT,
    environ: Mapping[str, str] | None = None,
    port: int | None = None,
    options: Sequence[str] = (),
) -> Iterator[RunningHost]:
    """Start a host, wait until it says Running, and stop it by its id at the end.

    folder: keys, timer status and `host.log`. root: the app. environ: variables on top of this process's own.
    port: a free one if None. options: more command line options. Raises RuntimeError with its output if it ends.
    """
    host = start_host(folder, root, environ, port or free_port(), options)
    try:
        _wait_until_running(host)
        yield host
    finally:
        if host.process.poll() is None:
            host.process.terminate()
            try:
                host.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                host.kill()


def wait_until(condition: Callable[[], T], seconds: float = 30.0) -> T:
    """Ask again until the condition gives something true, and return that. Raises AssertionError after `seconds`."""
    ends = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends, f"nothing within {seconds:.0f} s"
        time.sleep(0.02)
    return found


# at the top of a test app: note(key=value, ..) appends a line to the file named by the setting JOURNAL
JOURNAL = """
import json, os, time
import azure.functions as func

def note(**facts):
    with open(os.environ["JOURNAL"], "a") as file:
        file.write(json.dumps({"at": time.time(), "process": os.getpid(), **facts}) + "\\n")
"""


def read_journal(path: Path) -> list[dict[str, Any]]:
    """What an app noted so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
