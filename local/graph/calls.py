"""A Graph call and its answer, apart from HTTP, so that the requests of a batch take the same way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

_KEYED = re.compile(r"([A-Za-z]+)\('((?:[^']|'')*)'\)")
_PREFERENCE = re.compile(r'\s*((?:[^,"]|"[^"]*")+)')


def segments_of(path: str) -> tuple[str, ...]:
    """The parts of a path below /v1.0: `mailFolders('inbox')` is two, `delta()` is `delta`, empty ones are dropped."""
    found: list[str] = []
    for part in filter(None, path.split("/")):
        text = unquote(part)
        keyed = _KEYED.fullmatch(text)
        found += [keyed[1], keyed[2].replace("''", "'")] if keyed else [text.removesuffix("()")]
    return tuple(found)


def preferences(header: str) -> dict[str, str]:
    """Names in lower case with their unquoted values, in whatever order they were joined."""
    found = {}
    for part in _PREFERENCE.findall(header):
        name, _, value = part.strip().partition("=")
        found[name.strip().lower()] = value.strip().strip('"')
    return found


@dataclass
class Call:
    """`base` is the address up to and with /v1.0; `query` names keep their $; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    base: str
    body: Any = None
    in_batch: bool = False
    segments: tuple[str, ...] = ()
    app: str = ""
    tenant: str = ""
    roles: frozenset[str] = frozenset()
    full: bool = True  # whether the permission covers bodies
    notes: dict[str, Any] = field(default_factory=dict)  # what the log says about this call

    def __post_init__(self) -> None:
        self.segments = self.segments or segments_of(self.path)
        self.prefer = preferences(self.headers.get("prefer", ""))

    @property
    def immutable(self) -> bool:
        return self.prefer.get("idtype", "").lower() == "immutableid"


@dataclass
class Answer:
    """`body` is written as JSON unless `raw` is given; both None is an empty body."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = "application/json"

    def content(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return b"" if self.body is None else json.dumps(self.body).encode()
