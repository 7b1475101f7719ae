"""What a process of the app remembers between calls, and how to make it forget, as a restart would."""

from __future__ import annotations

import sys
import threading
from types import ModuleType

# What they remember comes from files of the app and of its packages, and costs a third of a second to read again.
_READ_ONLY = ("shared.kpi", "shared.domains", "shared.messages", "shared.changes", "shared.crm")


def forget() -> None:
    """Empty every cache of the app's modules that holds state: clients, settings, keys, directory, names written."""
    from shared import queues, tables

    for thread in threading.enumerate():
        if thread.name.startswith(queues.BACKGROUND):
            thread.join(60)
    if queues.client.cache_info().currsize:
        queues.client().close()
    if tables.accounts.cache_info().currsize:
        for account in tables.accounts():
            account.close()
    if tables.service.cache_info().currsize:
        for client in (tables.service(), *tables.more_services()):
            client.close()
    for name, module in list(sys.modules.items()):
        if name.startswith("shared.") and not name.startswith(_READ_ONLY):
            _forget(module)


def _forget(module: ModuleType) -> None:
    for name, held in list(vars(module).items()):
        if hasattr(held, "cache_clear") and getattr(held, "__module__", "").startswith("shared."):
            held.cache_clear()
        elif name == "_held" and not callable(held):
            setattr(module, name, None)
        elif name in ("_written", "_read") and isinstance(held, set | dict):
            held.clear()
