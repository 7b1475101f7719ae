"""A server on this machine that answers like the few routes of Microsoft Graph and Azure that the hooks call."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

APPLICATION = re.compile(r"/v1\.0/applications\(uniqueName='([^']+)'\)")
CREDENTIAL = re.compile(APPLICATION.pattern + r"/federatedIdentityCredentials\(name='([^']+)'\)")
PRINCIPAL = re.compile(r"/v1\.0/servicePrincipals\(appId='([^']+)'\)")
SECRET = re.compile(r"(/[\w/-]+/secrets/[\w-]+)")
Answer = tuple[int, Any]


class Azure(ThreadingHTTPServer):
    """What was made so far; `log` has every request as (method, path)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.applications: dict[str, dict[str, Any]] = {}
        self.principals: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, str] = {}
        self.log: list[tuple[str, str]] = []
        self.refusal = 0  # a status that every call to Graph gets

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, method: str, path: str, body: Any, create: bool) -> Answer:
        """Status and body of a request."""
        self.log.append((method, path))
        if path == "/api/health":
            return 200, {"status": "ok", "bytecode": True}
        if path == "/api/consent/reconcile":
            return (self.refusal or 202), {"state": "LIVE"}
        if found := SECRET.fullmatch(path):
            return self._secret(method, found[1], body)
        if self.refusal:
            return self.refusal, {"error": {"code": "Authorization_RequestDenied"}}
        if found := CREDENTIAL.fullmatch(path):
            credentials = self.applications[found[1]].setdefault("credentials", {})
            return self._upsert(credentials, found[2], body, create)
        if found := PRINCIPAL.fullmatch(path):
            return self._upsert(self.principals, found[1], body, create)
        if found := APPLICATION.fullmatch(path):
            return self._application(method, found[1], body, create)
        return 404, {"error": path}

    def _application(self, method: str, name: str, body: Any, create: bool) -> Answer:
        if method == "PATCH":
            answer = self._upsert(self.applications, name, body, create)
            if answer[0] < 300:
                self.applications[name].setdefault("appId", str(uuid.uuid4()))
            return answer
        if name not in self.applications:
            return 404, {"error": {"code": "Request_ResourceNotFound"}}
        if method == "DELETE":
            del self.applications[name]
            return 204, None
        return 200, {"appId": self.applications[name]["appId"]}

    @staticmethod
    def _upsert(into: dict[str, Any], name: str, body: Any, create: bool) -> Answer:
        if name in into:
            into[name] |= body
            return 204, None
        if not create:
            return 404, {"error": {"code": "Request_ResourceNotFound"}}
        into[name] = body
        return 201, body

    def _secret(self, method: str, path: str, body: Any) -> Answer:
        if method == "PUT":
            self.secrets[path] = body["properties"]["value"]
        return (200, {"id": path}) if path in self.secrets else (404, {"error": {"code": "SecretNotFound"}})


class _Handler(BaseHTTPRequestHandler):
    server: Azure

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        known = self.path == "/api/health" or self.headers.get("Authorization", "").startswith("Bearer ")
        create = self.headers.get("Prefer") == "create-if-missing"
        path = self.path.partition("?")[0]
        status, content = self.server.answer(self.command, path, body, create) if known else (401, None)
        data = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def log_message(self, *_: Any) -> None:
        """Nothing on the screen."""


@contextmanager
def azure() -> Iterator[Azure]:
    """A running server with nothing in it."""
    with Azure() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
