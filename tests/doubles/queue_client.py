"""The Service Bus client's own pauses, cut short in the test process; what it does between them stays as it is.

The library looks twenty times a second whether its link is open, and closing one waits for a thread that sleeps a second
at a time: opening and closing cost a test a second and a half, of which the library works some milliseconds.
"""

from __future__ import annotations

import time
from types import ModuleType, SimpleNamespace

import pytest

_SHARE = 1 / 25


def cut_pauses_short(patch: pytest.MonkeyPatch) -> None:
    """Let the library's modules that poll sleep a 25th of what they ask for."""
    from azure.servicebus import _servicebus_receiver, _servicebus_sender
    from azure.servicebus._pyamqp import _connection, client, session

    modules: tuple[ModuleType, ...] = (_servicebus_receiver, _servicebus_sender, _connection, client, session)
    brisk = SimpleNamespace(**{**vars(time), "sleep": lambda seconds: time.sleep(seconds * _SHARE)})
    for module in modules:
        patch.setattr(module, "time", brisk)
