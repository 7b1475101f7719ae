"""`python -m local.bus`: start the stand-in and serve until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from local.bus.queues import QueueListError
from local.bus.server import serve
from local.bus.store import StoreError


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.bus", description=__doc__)
    parser.add_argument("--port", type=int, default=5672, help="AMQP port on 127.0.0.1")
    parser.add_argument("--folder", type=Path, required=True, help="where the messages are kept")
    parser.add_argument("--queues", type=Path, default=Path("infra/queues.json"), help="the queue list")
    parser.add_argument("--key", required=True, help="the SharedAccessKey of the connection string, any text")
    parser.add_argument("--lock-seconds", type=float, help="instead of every queue's lock duration, for tests")
    parser.add_argument("--status-port", type=int, help="HTTP port of GET /queues; none without it")
    return parser.parse_args()


async def _main(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(arguments, stop)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(_main(_arguments()))
    except (StoreError, QueueListError, OSError) as reason:
        sys.exit(f"the Service Bus stand-in stops: {reason}")
