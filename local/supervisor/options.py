"""The options of the local stack: one table gives the flags, the environment variables, the defaults and the help."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple


class Option(NamedTuple):
    name: str
    default: str
    help: str

    @property
    def variable(self) -> str:
        return f"RAPPORT_{self.name.upper()}"

    @property
    def flag(self) -> str:
        return f"--{self.name.replace('_', '-')}"


OPTIONS = (
    Option("folder", ".local", "where all state lies"),
    Option("host_port", "7071", "the app"),
    Option("tables_port", "10002", "Azurite's tables"),
    Option("servicebus_port", "5672", "the Service Bus stand-in"),
    Option("servicebus_status_port", "5673", "its queue depths"),
    Option("signin_port", "7090", "the sign-in simulator"),
    Option("form_port", "7080", "the sample form"),
    Option("blobs_port", "10000", "Azurite's blobs, with func only"),
    Option("queues_port", "10001", "Azurite's queues, with func only"),
    Option("host", "auto", "func, local, or auto: func where it is installed and runs"),
    Option("sample", "1", "1 loads the sample tenant at the first start, 0 does not"),
    Option("lock_seconds", "", "lock duration of all queues instead of their own, for tests"),
)


@dataclass(frozen=True)
class Options:
    """Ports are TCP ports on 127.0.0.1; `lock_seconds` None = as the queue list says."""

    folder: Path
    host_port: int
    tables_port: int
    servicebus_port: int
    servicebus_status_port: int
    signin_port: int
    form_port: int
    blobs_port: int
    queues_port: int
    host: str
    sample: bool
    lock_seconds: float | None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.host_port}"

    @property
    def signin_url(self) -> str:
        return f"http://127.0.0.1:{self.signin_port}"

    @property
    def form_url(self) -> str:
        return f"http://127.0.0.1:{self.form_port}"

    @property
    def status_url(self) -> str:
        return f"http://127.0.0.1:{self.servicebus_status_port}"

    def environment(self) -> dict[str, str]:
        """The variables that give these options again."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values |= {"sample": int(self.sample), "lock_seconds": self.lock_seconds or "", "folder": self.folder.resolve()}
        return {option.variable: str(values[option.name]) for option in OPTIONS}


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65_536:
        raise ValueError
    return port


def _convert(name: str, text: str) -> Any:
    if name == "folder":
        return Path(text)
    if name.endswith("_port"):
        return _port(text)
    if name == "lock_seconds":
        return float(text) if text else None
    choices: dict[str, Any] = {"0": False, "1": True} if name == "sample" else {h: h for h in ("auto", "func", "local")}
    if text not in choices:
        raise ValueError
    return choices[text]


def parse(arguments: Sequence[str], environ: Mapping[str, str], commands: Sequence[str]) -> tuple[str, Options]:
    """The command and the options; a flag wins over its variable. Exits with usage, naming the option, when one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m local.run", description="The local stack of Rapport.")
    parser.add_argument("command", choices=commands)
    for option in OPTIONS:
        default = environ.get(option.variable) or option.default
        parser.add_argument(option.flag, default=default, help=f"{option.help} [{option.variable}, {option.default}]")
    parsed = vars(parser.parse_args(arguments))
    values = {}
    for option in OPTIONS:
        try:
            values[option.name] = _convert(option.name, parsed[option.name])
        except ValueError:
            parser.error(f"{option.flag} ({option.variable}): {parsed[option.name]!r} is not allowed; {option.help}")
    return parsed["command"], Options(**values)
