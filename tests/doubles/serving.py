"""A small HTTP server for a test: `with serving(answer) as address:`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple


class Asked(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Reply = tuple[int, Mapping[str, str], bytes]  # status, headers, content


def as_json(status: int, content: object, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply in JSON; None has no body."""
    kind = {"Content-Type": "application/json"}
    return status, kind | dict(headers or {}), b"" if content is None else json.dumps(content).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a connection that a client keeps open does not hold the test

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing on the screen when a client was killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def serving(answer: Callable[[Asked], Reply | None]) -> Iterator[str]:
    """A server that answers so, and closes the connection without an answer for None; its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536  # head and body in one packet: two would wait for each other's acknowledgement

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply = answer(Asked(self.command, self.path, dict(self.headers.items()), body))
            if reply is None:
                self.close_connection = True
                return
            status, headers, content = reply
            self.send_response_only(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
