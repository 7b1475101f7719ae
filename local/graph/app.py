"""The application: Graph, its control routes and the sign-in, in one process with the same keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from local import signin
from local.graph import control, control_mailboxes, control_notifications, edge, identity
from local.graph.consent import EVERYBODY, REGISTRATIONS
from local.graph.notifier import Notifier
from local.graph.service import Service
from local.graph.world import World
from local.signin import SAMPLE_APPS, SampleApp
from local.tokens import TENANT

LARGEST_BODY = 8 * 1024 * 1024


def make_app(folder: Path, apps: Iterable[SampleApp] = SAMPLE_APPS, *, consented: bool = True) -> web.Application:
    """State lies in `folder` and outlives the process. `consented`: what a new folder starts with.

    Raises SimulatorError when another simulator uses the folder.
    """
    app = web.Application(client_max_size=LARGEST_BODY)
    world = World(folder)
    notifier = Notifier(world)
    app[identity.WORLD], app[control_notifications.NOTIFIER] = world, notifier
    app[edge.SERVICE] = Service(world, notifier)
    app[signin.KEYS] = world.keys
    app[signin.APPS] = {sample.client_id: sample for sample in apps}
    if consented and not world.store.get("state", "consented", False):
        grant_everything(world)
    world.store.put("state", "consented", True)
    app.router.add_route("*", edge.ROOT + "/{path:.*}", edge.graph)
    for part in (control, control_mailboxes, control_notifications, identity, signin):
        app.add_routes(part.routes)
    app.cleanup_ctx.append(_running)
    return app


def grant_everything(world: World) -> None:
    """Both registrations consented in the sample tenant, and the scope of the push one over all mailboxes."""
    for registration in REGISTRATIONS:
        world.consent.grant(TENANT, registration)
        for permission in registration.scoped:
            world.consent.set_scope(TENANT, registration.client_id, permission, EVERYBODY, 0.0)


async def _running(app: web.Application) -> AsyncIterator[None]:
    notifier = app[control_notifications.NOTIFIER]
    task = asyncio.create_task(notifier.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await notifier.close()
    app[identity.WORLD].store.close()
