"""A clock that tests move: the app's own modules see it, libraries keep the real one."""

from __future__ import annotations

import pkgutil
import sys
import time
from importlib import import_module
from typing import Any

import pytest

import shared


class VirtualTime:
    """Stands where a module of the app has imported `time`. It runs like the real clock, `offset` seconds ahead of it."""

    def __init__(self) -> None:
        self.offset = 0.0

    def time(self) -> float:
        return time.time() + self.offset

    def time_ns(self) -> int:
        return time.time_ns() + int(self.offset * 1e9)

    def monotonic(self) -> float:
        return time.monotonic() + self.offset

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def set(self, at: float) -> None:
        self.offset = at - time.time()

    def advance(self, seconds: float) -> None:
        self.offset += seconds

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """In every module of the app."""
        for found in pkgutil.walk_packages(shared.__path__, "shared."):
            import_module(found.name)
        for name, module in list(sys.modules.items()):
            if name.startswith(("shared.", "functions.")) and getattr(module, "time", None) is time:
                patch.setattr(module, "time", self)
