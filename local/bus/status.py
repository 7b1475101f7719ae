"""A few plain HTTP routes beside the broker: how deep each queue is, for people and for the supervisor.

Service Bus answers this through its administration API, which is another protocol and is not served.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from local.bus.broker import DEAD_LETTERS, Broker

_LIMIT = 16_384


def depths(broker: Broker) -> dict[str, dict[str, int]]:
    """Messages of each queue by where they are; `dead_letter` counts all of its dead letters."""
    return {
        entity.options.name: {**entity.counts(), "dead_letter": len(broker.entities[path + DEAD_LETTERS].messages)}
        for path, entity in broker.entities.items()
        if not entity.is_dead_letters
    }


Route = Callable[[], Any]


class StatusServer:
    """Answers `METHOD PATH` pairs with JSON, one request a connection."""

    def __init__(self, routes: dict[tuple[str, str], Route]) -> None:
        self._routes = routes

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            method, path, *_ = head.decode("latin-1").split(" ", 2)
            writer.write(self._response(method, path))
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError, ValueError):
            pass  # whoever asked has gone, or spoke no HTTP
        finally:
            writer.close()

    def _response(self, method: str, path: str) -> bytes:
        route = self._routes.get((method, path.partition("?")[0]))
        status = "404 Not Found" if route is None else "200 OK"
        body = json.dumps({"error": "no such route"} if route is None else route()).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"{head}Connection: close\r\n\r\n".encode() + body
