"""App settings: `local.settings.json`, `%NAME%`, named connections and time spans."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.errors import HostError

_NAMED = re.compile(r"%([^%\s]+)%")
_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?")


@dataclass(frozen=True)
class LocalSettings:
    """The `Host` part of `local.settings.json`.

    origins: origins that CORS lets in, `("*",)` for all, empty for none. credentials: whether cookies may come along.
    """

    origins: tuple[str, ...] = ()
    credentials: bool = False


def read_json_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises HostError when it is anything else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise HostError(f"{path.name}: {error}") from error
    if not isinstance(found, dict):
        raise HostError(f"{path.name}: a JSON object is expected")
    return found


def apply_local_settings(root: Path, environ: MutableMapping[str, str]) -> LocalSettings:
    """Put `Values` of `local.settings.json` into the environment, where the real environment wins.

    No file: nothing changes. Raises HostError for a file that is encrypted or no JSON.
    """
    path = root / "local.settings.json"
    if not path.exists():
        return LocalSettings()
    found = read_json_object(path)
    if found.get("IsEncrypted"):
        raise HostError("local.settings.json is encrypted: run `func settings decrypt`, or set IsEncrypted to false")
    for name, value in found.get("Values", {}).items():
        environ.setdefault(name, str(value))
    host = found.get("Host", {})
    origins = tuple(part.strip() for part in host.get("CORS", "").split(",") if part.strip())
    return LocalSettings(origins, bool(host.get("CORSCredentials", False)))


def expand(text: str, environ: Mapping[str, str], function: str) -> str:
    """Replace every `%NAME%` by the app setting of that name. Raises HostError when one is not set.

    >>> expand("%QUEUE%-copy", {"QUEUE": "orders"}, "take_order")
    'orders-copy'
    """

    def value_of(match: re.Match[str]) -> str:
        if not environ.get(match[1]):
            raise HostError(f"function {function}: the app setting {match[1]} is named in {text!r} and is not set")
        return environ[match[1]]

    return _NAMED.sub(value_of, text)


def connection_string(name: str, environ: Mapping[str, str], function: str) -> str:
    """The connection string that a binding's `connection` names. Raises HostError when there is none."""
    name = expand(name, environ, function)
    if environ.get(name):
        return environ[name]
    if any(key.startswith(f"{name}__") for key in environ):
        raise HostError(
            f"function {function}: connection {name} is set in its identity form ({name}__...); "
            "the local host takes connection strings only, since its Service Bus has no TLS"
        )
    raise HostError(f"function {function}: the app setting {name} (a connection) is not set")


def is_disabled(function: str, environ: Mapping[str, str]) -> bool:
    """Whether `AzureWebJobs.NAME.Disabled` turns a function off."""
    return environ.get(f"AzureWebJobs.{function}.Disabled", "").lower() in ("1", "true")


def seconds_of(span: str) -> float:
    """Seconds of a .NET time span `[d.]hh:mm[:ss[.fff]]`. Raises ValueError for another form.

    >>> seconds_of("00:05:00"), seconds_of("1.00:00:00.5")
    (300.0, 86400.5)
    """
    match = _SPAN.fullmatch(span.strip())
    if not match:
        raise ValueError(f"{span!r} is no time span: hh:mm:ss is expected")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    return days * 86400 + hours * 3600 + minutes * 60 + seconds + float(f"0.{match[5] or 0}")
