"""Starts the Graph simulator as a child process, for tests that talk to it over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.graph.consent import REGISTRATIONS
from local.tokens import TENANT
from tests.doubles.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PUSH, POLL = REGISTRATIONS
START_SECONDS = 60.0


def call(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and parsed body (text when it is not JSON, None when it is empty)."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, content = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, content = error.code, error.read()
    try:
        return status, json.loads(content) if content else None
    except ValueError:
        return status, content.decode()


@dataclass
class Control:
    """The control routes: each method gives the parsed answer and fails on a refusal."""

    base_url: str

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        status, found = call(method, f"{self.base_url}/control/{path}", body)
        assert status == 200, f"{method} {path}: {status} {found}"
        return found

    def get(self, path: str, **query: Any) -> Any:
        return self("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self("POST", path, {**(body or {}), **more})

    def delete(self, path: str) -> Any:
        return self("DELETE", path)

    def behaviour(self, **switches: Any) -> Any:
        return self.post("behaviour", switches)

    def fault(self, match: str, kind: str, *, nth: Sequence[int] = (), rate: float = 1.0, **fault: Any) -> str:
        rule = {"match": match, "fault": {"kind": kind, **fault}, "nth": list(nth), "rate": rate}
        return str(self.post("faults", rule)["id"])

    def advance(self, seconds: float) -> None:
        self.post("clock", advance=seconds)

    def mail(self, mailbox: str, **wanted: Any) -> dict[str, Any]:
        """A mail arrives; the last one when there is a `count`."""
        found: list[dict[str, Any]] = self.post(f"mailboxes/{mailbox}/messages", wanted)
        return found[-1]

    def event(self, mailbox: str, **wanted: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.post(f"mailboxes/{mailbox}/events", wanted)
        return found


@dataclass
class RunningGraph:
    """A simulator that listens. `kill()` ends it at once, as a crash would; `stop()` asks it to end."""

    process: subprocess.Popen[str]
    base_url: str
    log: list[str] = field(default_factory=list)

    @property
    def control(self) -> Control:
        return Control(self.base_url)

    @property
    def graph_url(self) -> str:
        return f"{self.base_url}/v1.0"

    def token(self, app: Any = PUSH, tenant: str = TENANT, **form: str) -> tuple[int, dict[str, Any]]:
        """What the token endpoint answers to client credentials."""
        wanted = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.secret}
        wanted |= {"scope": "https://graph.microsoft.com/.default"} | form
        data = urllib.parse.urlencode(wanted).encode()
        found: tuple[int, dict[str, Any]] = call("POST", f"{self.base_url}/{tenant}/oauth2/v2.0/token", data)
        return found

    def ask(self, method: str, path: str, body: Any = None, app: Any = PUSH, **headers: str) -> tuple[int, Any]:
        """A Graph call with a fresh token, without the SDK; `path` begins with a slash."""
        bearer = {"Authorization": f"Bearer {self.token(app)[1]['access_token']}"}
        return call(method, self.graph_url + path.replace(" ", "%20"), body, bearer | headers)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=60)

    def stop(self) -> int:
        """End it in order; gives the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=60)


@contextmanager
def running_graph(
    folder: Path, port: int | None = None, mailboxes: Sequence[str] = (), options: Sequence[str] = ()
) -> Iterator[RunningGraph]:
    """The simulator on a free port with its state in `folder`; stopped by its process id at the end.

    Raises RuntimeError with its last words when it does not start.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "local.graph", "--port", str(port), "--folder", str(folder), *options]
    command += ["--mailboxes", ",".join(mailboxes)] if mailboxes else []
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    graph = RunningGraph(process, f"http://127.0.0.1:{port}")
    # Read on, or a full pipe would stop it.
    reader = threading.Thread(target=lambda stream: graph.log.extend(stream), args=(process.stderr,), daemon=True)
    reader.start()
    try:
        _wait_healthy(graph, reader)
        yield graph
    finally:
        graph.stop()
        reader.join(timeout=60)
        process.stderr.close()


def _wait_healthy(graph: RunningGraph, reader: threading.Thread) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and graph.process.poll() is None:
        try:
            call("GET", f"{graph.base_url}/health")
            return
        except OSError:
            time.sleep(0.02)  # it is still importing
    graph.stop()
    reader.join(timeout=60)
    raise RuntimeError("".join(graph.log[-5:]))
