"""A few plain HTTP routes beside the broker: how deep each queue is, for people and for the supervisor.

Service Bus answers this through its administration API, which is another protocol and is not served.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from local.bus.broker import DEAD_LETTERS, Broker
from local.bus.service import Service


def depths(broker: Broker) -> dict[str, dict[str, int]]:
    """Messages of each queue by where they are; `dead_letter` counts all of its dead letters."""
    return {
        entity.options.name: {**entity.counts(), "dead_letter": len(broker.entities[path + DEAD_LETTERS].messages)}
        for path, entity in broker.entities.items()
        if not entity.is_dead_letters
    }


Route = Callable[[dict[str, str]], Any]


def routes(service: Service) -> dict[tuple[str, str], Route]:
    """What can be asked: the depths, and for tests trouble of every kind."""
    return {
        ("GET", "/queues"): lambda _: depths(service.broker),
        ("POST", "/empty"): lambda _: _empty(service),
        ("POST", "/faults"): lambda query: _plan_fault(service, query),
        ("POST", "/drop-connections"): lambda _: _drop(service),
        ("POST", "/detach-idle-senders"): lambda query: _detach(service, query),
    }


def _empty(service: Service) -> dict[str, int]:
    dropped = service.broker.empty()
    service.touch()
    return {"dropped": dropped}


def _plan_fault(service: Service, query: dict[str, str]) -> dict[str, str]:
    delay = float(query["delay"]) if "delay" in query else None
    service.faults.plan(query.get("operation", ""), int(query.get("nth", "1")), delay)
    return query


def _drop(service: Service) -> dict[str, int]:
    connections = list(service.connections)
    for connection in connections:
        connection.abort()
    return {"dropped": len(connections)}


def _detach(service: Service, query: dict[str, str]) -> dict[str, int]:
    since = service.now() - float(query.get("seconds", "600")) * 1000
    detached = sum(connection.detach_senders(since) for connection in list(service.connections))
    service.touch()
    return {"detached": detached}


class StatusServer:
    """Answers each method and path with JSON, one request a connection."""

    def __init__(self, routes: dict[tuple[str, str], Route]) -> None:
        self._routes = routes

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            method, target, *_ = head.decode("latin-1").split(" ", 2)
            writer.write(_response(*self._look_up(method, target)))
            await writer.drain()
        except (EOFError, asyncio.LimitOverrunError, TimeoutError, OSError, ValueError):
            pass  # whoever asked has gone, or spoke no HTTP
        finally:
            writer.close()

    def _look_up(self, method: str, target: str) -> tuple[str, Any]:
        path, _, query = target.partition("?")
        route = self._routes.get((method, path))
        if route is None:
            return "404 Not Found", {"error": "no such route"}
        try:
            return "200 OK", route(dict(parse_qsl(query)))
        except ValueError as reason:
            return "400 Bad Request", {"error": str(reason)}


def _response(status: str, answer: Any) -> bytes:
    body = json.dumps(answer).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body
