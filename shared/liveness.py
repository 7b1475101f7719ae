"""Whether the app is alive: versions, storage, and the document of its interface."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from msgspec import Struct

from shared import stamps
from shared.openapi import VERSION

OPENAPI = Path(__file__).with_name("openapi.json")


class Health(Struct, frozen=True, rename="camel"):
    """`status` is "ok"; what does not answer makes a 503 instead. `bytecode`: the modules came from shipped bytecode."""

    status: str
    version: str
    python: str
    bytecode: bool


def check() -> Health:
    """Read one small row. Raises UnavailableError when the tables do not answer."""
    stamps.read()
    cached = sys.modules[__name__].__spec__
    return Health(
        "ok", VERSION, sys.version.split()[0], bool(cached and cached.cached and Path(cached.cached).exists())
    )


@functools.cache
def openapi() -> bytes:
    """The committed document, which a test holds equal to the code."""
    return OPENAPI.read_bytes()
