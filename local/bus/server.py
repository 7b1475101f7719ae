"""Puts the parts together: file, broker, sockets on 127.0.0.1, and an orderly end."""

from __future__ import annotations

import argparse
import asyncio
from uuid import uuid4

from local.bus.broker import Broker
from local.bus.connection import Connection
from local.bus.queues import load_queues
from local.bus.service import Service
from local.bus.status import StatusServer, routes
from local.bus.store import Store, StoreError

HOST = "127.0.0.1"


async def serve(arguments: argparse.Namespace, stop: asyncio.Event) -> None:
    """Serve until `stop` is set. Raises StoreError, QueueListError or OSError when that is not possible."""
    broker = Broker(load_queues(arguments.queues, arguments.lock_seconds), uuid4)
    store = Store(arguments.folder)
    try:
        store.load(broker)
        service = Service(broker, store, arguments.key)
        service.touch()  # what fell due while nothing ran
        await _serve(service, arguments, stop)
    finally:
        store.close()


async def _serve(service: Service, arguments: argparse.Namespace, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    status = StatusServer(routes(service))
    servers: list[asyncio.Server] = []
    try:
        servers.append(await loop.create_server(lambda: Connection(service), HOST, arguments.port))
        if arguments.status_port is not None:
            servers.append(await asyncio.start_server(status.answer, HOST, arguments.status_port))
        print(f"Service Bus stand-in listening on {HOST}:{arguments.port}", flush=True)
        await _until(stop, service)
    finally:
        service.end_turn()
        for server in servers:
            server.close()
        for connection in list(service.connections):
            connection.close("amqp:connection:forced", "The stand-in is stopping.")
            connection.flush()


async def _until(stop: asyncio.Event, service: Service) -> None:
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((stopping, service.failed), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if service.failed.done():
        raise StoreError(str(service.failed.result()))
