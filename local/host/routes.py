"""ASP.NET route templates: `orders/{id:int}`, `{name?}`, `files/{*rest}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar
from urllib.parse import unquote

from local.host.errors import HostError

T = TypeVar("T")

_PARAMETER = re.compile(r"\{(?P<all>\*{0,2})(?P<name>\w+)(?P<constraints>(?::[^(:?]+(?:\(.*?\))?)*)(?P<optional>\?)?\}")
_CONSTRAINT = re.compile(r":([^(:]+)(?:\((.*?)\))?(?=:|$)")
_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def _whole_number(bits: int) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        return bool(re.fullmatch(r"[+-]?[0-9]{1,20}", text)) and -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1)

    return check


def _pattern(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda text: compiled.fullmatch(text) is not None


_CHECKS: dict[str, Callable[[str], bool]] = {
    "int": _whole_number(32),
    "long": _whole_number(64),
    "guid": _pattern(rf"{_GUID}|\{{{_GUID}\}}|\({_GUID}\)|[0-9a-f]{{32}}"),
    "alpha": _pattern("[a-z]*"),
    "bool": _pattern("true|false"),
    "float": _pattern(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?"),
    "decimal": _pattern(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)"),
}


def _check_of(name: str, argument: str | None, template: str) -> Callable[[str], bool]:
    if name == "regex" and argument is not None:
        compiled = re.compile(argument.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
        return lambda text: compiled.search(text) is not None
    if name not in _CHECKS or argument is not None:
        raise HostError(f"route {template!r}: the constraint {name!r} is not served by the local host")
    return _CHECKS[name]


class Template:
    """One route template, compiled. Matching is without regard to case; values keep theirs.

    rank: templates with a smaller one are tried first, segment by segment: literal, constrained parameter, parameter,
    optional parameter, catch-all. Raises HostError for a template it cannot read.

    >>> Template("orders/{id:int}").match("Orders/12"), Template("orders/{id:int}").match("orders/x")
    ({'id': '12'}, None)
    >>> Template("files/{*rest}").match("files/a/b"), Template("{name?}").match("")
    ({'rest': 'a/b'}, {})
    """

    def __init__(self, template: str) -> None:
        self.template = template.strip("/")
        self._checks: dict[str, list[Callable[[str], bool]]] = {}
        self._catch_all = ""
        segments = self._split()
        pieces = [self._segment(one, place == len(segments)) for place, one in enumerate(segments, start=1)]
        self.rank = tuple(rank for rank, _ in pieces)
        self._compiled = re.compile("".join(pattern for _, pattern in pieces), re.IGNORECASE | re.DOTALL)

    def _split(self) -> list[str]:
        """Segments; a slash inside braces (in a regex constraint) does not count."""
        # doubled braces stand for one inside a regex constraint: keep them out of the count
        guarded = self.template.replace("{{", "\0\0").replace("}}", "\1\1")
        parts = re.split(r"/(?![^{]*\})", guarded) if guarded else []
        return [part.replace("\0", "{").replace("\1", "}") for part in parts]

    def _segment(self, segment: str, last: bool) -> tuple[int, str]:
        whole = _PARAMETER.fullmatch(segment)
        if whole is None:
            return self._mixed_segment(segment)
        name = self._declare(whole)
        if whole["all"]:
            if not last:
                raise HostError(f"route {self.template!r}: a catch-all is the last segment")
            self._catch_all = name
            return 4, rf"(?:(?:^|/)(?P<{name}>.*))?"
        if whole["optional"]:
            if not last:
                raise HostError(f"route {self.template!r}: an optional parameter is the last segment")
            return 3, rf"(?:(?:^|/)(?P<{name}>[^/]+))?"
        return (1 if self._checks[name] else 2), rf"(?:^|/)(?P<{name}>[^/]+)"

    def _mixed_segment(self, segment: str) -> tuple[int, str]:
        """A literal, or text around parameters such as `{name}.json`."""
        pattern, position = "(?:^|/)", 0
        for match in _PARAMETER.finditer(segment):
            if match["all"] or match["optional"]:
                raise HostError(f"route {self.template!r}: {match[0]} must be a whole segment")
            pattern += re.escape(segment[position : match.start()]) + rf"(?P<{self._declare(match)}>[^/]+?)"
            position = match.end()
        rest = segment[position:]
        if not segment or any(brace in rest for brace in "{}"):
            raise HostError(f"route {self.template!r}: the segment {segment!r} cannot be read")
        return (1 if position else 0), pattern + re.escape(rest)

    def _declare(self, match: re.Match[str]) -> str:
        name = match["name"]
        if name in self._checks:
            raise HostError(f"route {self.template!r}: the parameter {name} occurs twice")
        found = _CONSTRAINT.findall(match["constraints"])
        constraints = [
            (key.lower(), argument if f"{key}(" in match["constraints"] else None) for key, argument in found
        ]
        self._checks[name] = [_check_of(key, argument, self.template) for key, argument in constraints]
        return name

    def match(self, path: str) -> dict[str, str] | None:
        """Values of the parameters when the path (no slash at its ends, still percent-encoded) fits, else None."""
        found = self._compiled.fullmatch(path)
        if found is None:
            return None
        values = {}
        for name, raw in found.groupdict().items():
            if raw is None:
                continue
            value = _decoded(raw)
            if not all(check(value) for check in self._checks[name]):
                return None
            values[name] = value
        return values


def _decoded(raw: str) -> str:
    # a slash inside a value stays encoded, as in ASP.NET
    return "%2F".join(unquote(part) for part in re.split("%2f", raw, flags=re.IGNORECASE)) if "%" in raw else raw


class Router(Generic[T]):
    """Routes with their methods. A path that fits with another method only is not found, as in the real host."""

    def __init__(self, routes: Iterable[tuple[Template, frozenset[str], T]]) -> None:
        self._routes = sorted(routes, key=lambda route: route[0].rank)

    def find(self, method: str, path: str) -> tuple[T, dict[str, str]] | None:
        """The first route by rank that fits, with its values. An empty set of methods takes all."""
        for template, methods, target in self._routes:
            if methods and method not in methods:
                continue
            values = template.match(path)
            if values is not None:
                return target, values
        return None
