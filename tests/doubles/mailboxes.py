"""The app's own code reading from the simulator, in this process: settings that point to it, and a small CRM."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from shared import ingest
from shared.changes import parse_batch
from shared.graph import client
from shared.settings import settings
from tests.local.graph_process import PUSH, RunningGraph

ANNA, BEN, KIM = "anna@us.example", "ben@us.example", "kim@cust.example"


@contextmanager
def reading_from(graph: RunningGraph, monkeypatch: pytest.MonkeyPatch, tenant: str, **more: str) -> Iterator[None]:
    """The settings of a tenant whose Graph is the simulator; `more` are others."""
    wanted = {
        "GRAPH_ENDPOINT": graph.graph_url, "GRAPH_LOGIN": graph.base_url, "GRAPH_TENANT_ID": tenant,
        "GRAPH_CLIENT_ID": PUSH.client_id, "GRAPH_CLIENT_SECRET": PUSH.secret, **more,
    }  # fmt: skip
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    client.close()
    settings.cache_clear()
    try:
        yield
    finally:
        client.close()


def crm_rows() -> list[dict[str, Any]]:
    """Changes that tell of two sellers, and of a deal of the first one's with Kim."""

    def row(entity: str, id: str, **attributes: Any) -> dict[str, Any]:
        return {"entity": entity, "id": id, "version": 1, "operation": "upsert", "attributes": attributes}

    created = "2025-01-01T00:00:00Z"
    return [
        row("user", "a1", name="Anna", emails=[ANNA], roles=["salesperson"]),
        row("user", "a2", name="Ben", emails=[BEN], roles=["salesperson"]),
        row("account", "d1", name="Cust", ownerId="user:a1", createdAt=created),
        row("contact", "b1", name="Kim", emails=[KIM], accountId="d1"),
        row("opportunity", "c1", name="Deal", accountId="d1", contactId="b1", ownerId="user:a1", createdAt=created),
    ]


def tell_the_crm(more: Sequence[dict[str, Any]] = ()) -> None:
    """Take the rows in, and others. Nothing is announced: tests look at partitions themselves."""
    ingest.take_in(parse_batch(json.dumps({"changes": [*crm_rows(), *more]}).encode()))


def ago(days: float) -> str:
    """An instant as the simulator's controls take it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86_400))
