"""Query options as Graph reads them: $select, $top, $skip, $orderby, and the $filter that Rapport's calls need."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from local.graph.calls import Call
from local.graph.clock import instant
from local.graph.errors import GraphError, bad_request

DEFAULT_PAGE, LARGEST_PAGE = 10, 1000
_CONDITION = re.compile(r"([A-Za-z/]+)\s+(eq|ne|ge|gt|le|lt)\s+('(?:[^']|'')*'|\S+)")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "ge", "gt", "le", "lt")
}


@dataclass(frozen=True)
class Condition:
    """`name op value`; the value of a time is seconds since 1970."""

    name: str
    op: str
    value: Any

    def holds(self, found: Any) -> bool:
        return _OPERATORS[self.op](found, self.value)


def filter_of(text: str, times: Collection[str]) -> list[Condition]:
    """Conditions joined by `and`, in order; names in `times` take times. Raises GraphError 400 for anything else."""
    found = []
    for part in re.split(r"\s+and\s+", text.strip()) if text.strip() else ():
        match = _CONDITION.fullmatch(part.strip())
        if match is None:
            raise bad_request(f"Invalid filter clause: {part}", "ErrorInvalidUrlQueryFilter")
        found.append(Condition(match[1], match[2], _value(match[1], match[3], times)))
    return found


def _value(name: str, text: str, times: Collection[str]) -> Any:
    if name in times:
        try:
            return instant(text)
        except ValueError as error:
            raise bad_request(f"{text} is not a time.", "ErrorInvalidUrlQueryFilter") from error
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return {"true": True, "false": False}.get(text, text)


def selected(call: Call, known: Collection[str]) -> tuple[str, ...] | None:
    """The names of $select, None without one. Raises GraphError 400 for a name that the resource has not."""
    text = call.query.get("$select")
    if not text:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in known:
            raise bad_request(f"Could not find a property named '{name}'.", "RequestBroker--ParseUri")
    call.notes["selected"] = list(names)
    return names


def page_size(call: Call, largest_504: int = 0) -> int:
    """From $top, else from Prefer odata.maxpagesize, else 10. Raises GraphError 400 above 1,000."""
    text = call.query.get("$top") or call.prefer.get("odata.maxpagesize") or str(DEFAULT_PAGE)
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise bad_request(f"Invalid value '{text}' for the page size: 1 to {LARGEST_PAGE}.", "ErrorInvalidUrlQuery")
    if largest_504 and int(text) > largest_504:
        raise GraphError(504, "GatewayTimeout", "The service did not answer in time.")
    return int(text)


def skip(call: Call) -> int:
    text = call.query.get("$skip", "0")
    if not text.isdecimal():
        raise bad_request(f"Invalid value '{text}' for $skip.", "ErrorInvalidUrlQuery")
    return int(text)


def link(call: Call, foreign: str, **changed: Any) -> str:
    """The address of another page of this call; `foreign` replaces host and port."""
    query = {name: value for name, value in call.query.items() if name not in ("$deltatoken", "$skiptoken")}
    query |= {f"${name}": str(value) for name, value in changed.items()}
    base = re.sub(r"//[^/]+", f"//{foreign}", call.base, count=1) if foreign else call.base
    path = "/".join(quote(part, safe="=") for part in call.segments)
    return f"{base}/{path}?{urlencode(query, safe='$,:=', quote_via=quote)}"
