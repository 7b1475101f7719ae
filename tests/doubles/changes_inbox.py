"""An entrance for changes that understands them as the app does, and keeps the states that follow from them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shared.acceptance import parse
from shared.changes import Change
from shared.crm.state import EntityState, encode, members, merged_state
from shared.errors import RapportError


class Inbox(ThreadingHTTPServer):
    """What was accepted: all changes in their order, and the state of each row by (entity, id)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.changes: list[Change] = []
        self.states: dict[tuple[str, str], EntityState] = {}
        self.fail: list[int] = []  # statuses of the next answers

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, body: bytes) -> int:
        """The status of an answer to a body."""
        if self.fail:
            return self.fail.pop(0)
        try:
            changes = parse(body)
        except RapportError:
            return 400
        for change in changes:
            key = (change.entity, change.id)
            self.states[key] = merged_state(self.states.get(key), change)
        self.changes += changes
        return 202

    def attributes(self, entity: str, id: str) -> dict[str, Any]:
        """The attributes of a row, without versions."""
        return {name: value for name, (_, value) in self.states[entity, id].attributes.items()}

    def members(self, entity: str, id: str, relationship: str) -> tuple[str, ...]:
        """A list of a row, with the links that amend it."""
        return members(self.states[entity, id], relationship)

    def content(self) -> dict[tuple[str, str], bytes]:
        """Everything, to compare with another inbox."""
        return {key: encode(state) for key, state in self.states.items()}


class _Handler(BaseHTTPRequestHandler):
    server: Inbox
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response_only(self.server.take(body) if self.path == "/api/crm/changes" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing on the screen."""


@contextmanager
def inbox() -> Iterator[Inbox]:
    """A running, empty inbox."""
    with Inbox() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
