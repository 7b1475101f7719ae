"""A function and its bindings, read from azure-functions' public objects."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.host.errors import HostError
from local.host.settings import seconds_of

TRIGGERS = ("httpTrigger", "timerTrigger", "serviceBusTrigger")
OUTPUTS = ("http", "serviceBus")


@dataclass(frozen=True)
class Binding:
    """One binding. options: its further fields by their camel-case names, enum members as lower-case text."""

    name: str
    type: str
    is_output: bool
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def is_many(self) -> bool:
        """Whether a Service Bus trigger gives a list of messages to each call."""
        return bool(self.options.get("cardinality") == "many")

    def text(self, option: str) -> str:
        """An option as text; empty when it is not given."""
        return str(self.options.get(option, ""))


@dataclass(frozen=True)
class RetryPolicy:
    """Retries of a timer. max_retries: -1 is endless. Delays in seconds; equal for the fixed strategy."""

    max_retries: int
    first_delay: float
    longest_delay: float

    def delay(self, retry: int) -> float:
        """Seconds before retry number `retry` (from 1): doubled each time, up to the longest."""
        return float(min(self.first_delay * 2.0 ** min(retry - 1, 60), self.longest_delay))


@dataclass(frozen=True)
class LoadedFunction:
    """A function that passed all rules. returned: its `$return` binding. retry: only timers have one."""

    name: str
    call: Callable[..., Any]
    trigger: Binding
    outputs: tuple[Binding, ...] = ()
    returned: Binding | None = None
    retry: RetryPolicy | None = None

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.call)

    @property
    def wants_context(self) -> bool:
        return "context" in inspect.signature(self.call).parameters


def read_binding(described: dict[str, Any]) -> Binding:
    """A binding from `get_dict_repr()`. Enum members and texts in any case both occur there."""
    direction = described["direction"]
    return Binding(
        name=described["name"],
        type=described["type"],
        is_output=getattr(direction, "name", str(direction)).lower() == "out",
        options={key: _plain(key, value) for key, value in described.items()},
    )


def _plain(key: str, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(key, one) for one in value]
    if hasattr(value, "name"):
        value = value.name
        return value.upper() if key == "methods" else value.lower()
    if key in ("cardinality", "authLevel"):
        return str(value).lower()
    return value


def read_retry(function: str, described: dict[str, Any] | None) -> RetryPolicy | None:
    """The retry policy of `@app.retry`. Raises HostError for one that cannot be read."""
    if not described:
        return None
    try:
        most = int(described["max_retry_count"])
        if described["strategy"] == "fixed_delay":
            delay = seconds_of(described["delay_interval"])
            return RetryPolicy(most, delay, delay)
        if described["strategy"] == "exponential_backoff":
            least = seconds_of(described["minimum_interval"])
            return RetryPolicy(most, least, seconds_of(described["maximum_interval"]))
        raise ValueError(f"strategy {described['strategy']!r} is not known")
    except (KeyError, ValueError) as error:
        raise HostError(f"function {function}: retry policy: {error}") from error
