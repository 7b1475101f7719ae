"""`host.json` and its `AzureFunctionsJobHost__a__b__c` overrides, as far as the local host reads them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.errors import HostError
from local.host.settings import read_json_object, seconds_of

log = logging.getLogger("host.configuration")

_OVERRIDE = "azurefunctionsjobhost__"
_SERVICE_BUS = "extensions:servicebus:"


@dataclass(frozen=True)
class HostConfiguration:
    """The options that change what the local host does, with the defaults of the real one (spans in seconds)."""

    route_prefix: str = "api"
    prefetch_count: int = 0
    auto_complete: bool = True
    max_concurrent_calls: int = 16
    max_lock_renewal: float = 300.0
    max_batch_size: int = 1000


def _boolean(value: Any) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise ValueError(f"{value!r} is neither true nor false")
    return str(value).lower() == "true"


def _at_least(least: int) -> Callable[[Any], int]:
    def whole(value: Any) -> int:
        if int(value) < least:
            raise ValueError(f"{value!r} is below {least}")
        return int(value)

    return whole


# path in host.json, in lower case -> (field, reader)
_READ: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "extensions:http:routeprefix": ("route_prefix", lambda value: str(value).strip("/")),
    _SERVICE_BUS + "prefetchcount": ("prefetch_count", _at_least(0)),
    _SERVICE_BUS + "autocompletemessages": ("auto_complete", _boolean),
    _SERVICE_BUS + "maxconcurrentcalls": ("max_concurrent_calls", _at_least(1)),
    _SERVICE_BUS + "maxautolockrenewalduration": ("max_lock_renewal", lambda value: seconds_of(str(value))),
    _SERVICE_BUS + "maxmessagebatchsize": ("max_batch_size", _at_least(1)),
}


def _flat(found: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}:".lower())
        else:
            yield f"{prefix}{key}".lower(), value


def _overrides(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.lower().startswith(_OVERRIDE):
            yield name[len(_OVERRIDE) :].lower().replace("__", ":"), value


def read_configuration(root: Path, environ: Mapping[str, str]) -> HostConfiguration:
    """The options in `root/host.json`, overridden by the environment.

    Raises HostError when the file is missing, is no version 2.0, or an option has a wrong value.
    """
    if not (root / "host.json").exists():
        raise HostError(f"Unable to find project root. Expecting to find host.json in {root}")
    found = read_json_object(root / "host.json")
    if found.get("version") != "2.0":
        raise HostError('host.json: "version" must be "2.0"')
    options = dict(_flat(found)) | dict(_overrides(environ))
    values: dict[str, Any] = {}
    for path, value in options.items():
        if path not in _READ:
            if path.startswith(_SERVICE_BUS):
                log.warning("host.json: %s is not read by the local host", path.replace(":", "."))
            continue
        field, read = _READ[path]
        try:
            values[field] = read(value)
        except ValueError as error:
            raise HostError(f"host.json: {path.replace(':', '.')}: {error}") from error
    return HostConfiguration(**values)
