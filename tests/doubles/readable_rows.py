"""Dataverse's answer to "which of these rows does this user see": the one question that row rights ask of its Web API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.doubles.serving import Asked, Reply, as_json, serving

_IN = re.compile(r"Microsoft\.Dynamics\.CRM\.In\(PropertyName='(\w+)',PropertyValues=\[('[^']+'(?:,'[^']+')*)\]\)")
_KEYS = {
    "accounts": "accountid",
    "contacts": "contactid",
    "leads": "leadid",
    "opportunities": "opportunityid",
    "incidents": "incidentid",
    "activitypointers": "activityid",
}


class ReadableRows:
    """`sees`: ids by caller. `asked` counts the questions, `status` answers the next ones in place of rows."""

    def __init__(self) -> None:
        self.address = ""
        self.sees: dict[str, set[str]] = {}
        self.asked: list[int] = []
        self.status = 200

    def answer(self, asked: Asked) -> Reply:
        """The reply to a request."""
        address = urlsplit(asked.path)
        query = parse_qs(address.query)
        table = address.path.removeprefix("/api/data/v9.2/")
        wanted = _IN.fullmatch(query["$filter"][0])
        key = _KEYS.get(table)
        if not wanted or wanted[1] != key or query["$select"] != [key]:
            return as_json(400, {})
        if asked.headers["Authorization"] != "Bearer the-token":
            return as_json(401, {})
        ids = [quoted.strip("'") for quoted in wanted[2].split(",")]
        self.asked.append(len(ids))
        if self.status != 200:
            return as_json(self.status, {})
        seen = self.sees.get(asked.headers["CallerObjectId"])
        if seen is None:
            return as_json(403, {"error": {"code": "0x80072560", "message": "The user is not a member."}})
        return as_json(200, {"value": [{key: id} for id in ids if id in seen]})


@contextmanager
def readable_rows() -> Iterator[ReadableRows]:
    """A server for the time of the block."""
    rows = ReadableRows()
    with serving(rows.answer) as rows.address:
        yield rows


class FixedCredential:
    """In place of azure-identity's credentials, which nobody answers here."""

    def __init__(self, **_: Any) -> None:
        pass

    def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        assert scopes[0].endswith("/.default")
        return AccessToken("the-token", 2**40)
