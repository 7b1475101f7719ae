"""A server on this machine that answers like the few routes of Microsoft Graph and Azure that the hooks call."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.doubles.serving import Asked, Reply, as_json, serving

APPLICATION = re.compile(r"/v1\.0/applications\(uniqueName='([^']+)'\)")
CREDENTIAL = re.compile(APPLICATION.pattern + r"/federatedIdentityCredentials\(name='([^']+)'\)")
PRINCIPAL = re.compile(r"/v1\.0/servicePrincipals\(appId='([^']+)'\)")
SECRET = re.compile(r"(/[\w/-]+/secrets/[\w-]+)")
Answer = tuple[int, Any]


class Azure:
    """What was made so far; `log` has every request as (method, path)."""

    def __init__(self) -> None:
        self.address = ""
        self.applications: dict[str, dict[str, Any]] = {}
        self.principals: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, str] = {}
        self.log: list[tuple[str, str]] = []
        self.refusal = 0  # a status that every call to Graph gets

    def reply(self, asked: Asked) -> Reply:
        """The reply to a request, which must have a token unless it asks for the app's health."""
        if asked.path != "/api/health" and not asked.headers.get("Authorization", "").startswith("Bearer "):
            return as_json(401, None)
        body = json.loads(asked.body) if asked.body else None
        create = asked.headers.get("Prefer") == "create-if-missing"
        return as_json(*self.answer(asked.method, asked.path.partition("?")[0], body, create))

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


@contextmanager
def azure() -> Iterator[Azure]:
    """A running server with nothing in it."""
    stand_in = Azure()
    with serving(stand_in.reply) as stand_in.address:
        yield stand_in
