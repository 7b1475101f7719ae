"""A notification address for tests: answers as it is told, and keeps what was posted."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

WAIT_SECONDS = 60.0


@dataclass
class Receiver:
    """`status` and `seconds` may change while it runs; `shake` turns a validation token into (status, type, body)."""

    url: str = ""
    status: int = 202
    seconds: float = 0.0
    shake: Callable[[str], tuple[int, str, str]] = lambda token: (200, "text/plain", token)
    handshakes: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    posts: list[list[dict[str, Any]]] = field(default_factory=list)

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for post in list(self.posts) for item in post]

    def wait(self, count: int) -> list[dict[str, Any]]:
        """The items, once there are `count` or more of them."""
        until = time.monotonic() + WAIT_SECONDS
        while len(self.items) < count and time.monotonic() < until:
            time.sleep(0.01)
        assert len(self.items) >= count, f"{len(self.items)} of {count} notifications came"
        return self.items


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            token = parse_qs(urlsplit(self.path).query).get("validationToken")
            if token:
                receiver.handshakes.append(self.path)
                self._answer(*receiver.shake(token[0]))
                return
            receiver.bodies.append(body)
            try:
                receiver.posts.append(json.loads(body)["value"])
            except ValueError:
                receiver.posts.append([])
            time.sleep(receiver.seconds)
            self._answer(receiver.status, "text/plain", "")

        def _answer(self, status: int, kind: str, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            """Silence."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A caller that gave up waiting is what some tests are about."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """On a free port of this machine."""
    receiver = Receiver()
    with _Server(("127.0.0.1", 0), _handler(receiver)) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join(60)
