"""The local sign-in, run for real on a free port in a thread of the test process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from local.signin import HOST, make_app


@contextmanager
def running_signin(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve `make_app(folder)`; gives the base address. State stays in `folder`, so a second run goes on with it."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(make_app(folder), access_log=None)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, HOST, port).start()
        return f"http://{HOST}:{runner.addresses[0][1]}"

    thread = threading.Thread(target=loop.run_forever, name="signin", daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(60)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()
