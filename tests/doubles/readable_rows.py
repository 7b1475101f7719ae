"""Dataverse's answer to "which of these rows does this user see": the one question that row rights ask of its Web API."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_IN = re.compile(r"Microsoft\.Dynamics\.CRM\.In\(PropertyName='(\w+)',PropertyValues=\[('[^']+'(?:,'[^']+')*)\]\)")
_KEYS = {
    "accounts": "accountid",
    "contacts": "contactid",
    "leads": "leadid",
    "opportunities": "opportunityid",
    "incidents": "incidentid",
}


class ReadableRows(ThreadingHTTPServer):
    """`sees`: ids by caller. `asked` counts the questions, `status` answers the next ones in place of rows."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sees: dict[str, set[str]] = {}
        self.asked: list[int] = []
        self.status = 200

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: ReadableRows

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        table = address.path.removeprefix("/api/data/v9.2/")
        asked = _IN.fullmatch(query["$filter"][0])
        key = _KEYS.get(table)
        if not asked or asked[1] != key or query["$select"] != [key]:
            return self._answer(400, {})
        if self.headers["Authorization"] != "Bearer the-token":
            return self._answer(401, {})
        ids = [quoted.strip("'") for quoted in asked[2].split(",")]
        self.server.asked.append(len(ids))
        if self.server.status != 200:
            return self._answer(self.server.status, {})
        seen = self.server.sees.get(self.headers["CallerObjectId"])
        if seen is None:
            return self._answer(403, {"error": {"code": "0x80072560", "message": "The user is not a member."}})
        return self._answer(200, {"value": [{key: id} for id in ids if id in seen]})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read results, not access logs."""


@contextmanager
def readable_rows() -> Iterator[ReadableRows]:
    """A server for the time of the block."""
    with ReadableRows() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class FixedCredential:
    """In place of azure-identity's credentials, which nobody answers here."""

    def __init__(self, **_: Any) -> None:
        pass

    def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        assert scopes[0].endswith("/.default")
        return AccessToken("the-token", 2**40)
