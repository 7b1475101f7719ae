"""Bicep files as trees: declarations by name, properties of objects, text of literals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

KINDS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}


@dataclass(frozen=True, eq=False)
class Declaration:
    """`param`, `var`, `resource`, `module` or `output`. `target`: resource type@version, or path of the module."""

    kind: str
    name: str
    node: Node
    value: Node | None
    type: str = ""
    target: str = ""
    existing: bool = False
    decorators: tuple[str, ...] = ()

    @property
    def resource_type(self) -> str:
        """`Microsoft.Web/sites` of `Microsoft.Web/sites@2024-11-01`."""
        return self.target.partition("@")[0]

    @property
    def body(self) -> Node | None:
        """The object behind a loop or a condition."""
        return unwrapped(self.value)[-1] if self.value else None


@dataclass(frozen=True, eq=False)
class Bicep:
    """A parsed file: what can be named in it, its outputs, and its path."""

    path: Path
    root: Node
    symbols: dict[str, Declaration] = field(default_factory=dict)
    outputs: dict[str, Declaration] = field(default_factory=dict)
    repeated: list[Declaration] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Declaration]:
        """The params, vars, resources or modules in the order of the file."""
        return [one for one in self.symbols.values() if one.kind == kind]


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bicep.language()))


def text(node: Node) -> str:
    """The source of `node`."""
    return (node.text or b"").decode()


def walk(node: Node) -> Iterator[Node]:
    """`node` and all below it, in the order of the source."""
    yield node
    for child in node.children:
        yield from walk(child)


def inner(node: Node) -> list[Node]:
    """Named children that are no comments."""
    return [child for child in node.named_children if child.type not in ("comment", "diagnostic_comment")]


def literal(node: Node | None) -> str | None:
    """The text of a string without interpolation, of an identifier used as a key, else None."""
    if node is None:
        return None
    if node.type == "identifier":
        return text(node)
    if node.type != "string" or any(child.type == "interpolation" for child in node.children):
        return None
    quotes = "'''" if text(node).startswith("'''") else "'"
    return (
        text(node)
        .removeprefix(quotes)
        .removesuffix(quotes)
        .replace("\\n", "\n")
        .replace("\\'", "'")
        .replace("\\\\", "\\")
    )


def unwrapped(node: Node) -> list[Node]:
    """The loops and conditions around a body, and last the body itself."""
    if node.type in ("for_statement", "if_statement"):
        return [node, *unwrapped(inner(node)[-1])]
    return [node]


def loop_names(node: Node) -> list[str]:
    """The names that a for_statement declares: item, and index if there is one."""
    first = inner(node)[0]
    return [text(one) for one in inner(first)] if first.type == "for_loop_parameters" else [text(first)]


def properties(node: Node) -> dict[str, tuple[Node, Node]]:
    """Name -> (key, value) of an object; keys with interpolation appear with their source."""
    found = {}
    for one in inner(node):
        if one.type == "object_property":
            key, *value = inner(one)
            found[literal(key) or text(key)] = (key, value[-1] if value else key)
    return found


def parse(path: Path) -> Bicep:
    """Read one file. Syntax faults stay in the tree: look for `ERROR` and missing nodes."""
    bicep = Bicep(path, _parser().parse(path.read_bytes()).root_node)
    pending: tuple[str, ...] = ()
    for node in inner(bicep.root):
        if node.type == "decorators":
            pending = tuple(text(one) for one in inner(node))
        elif node.type in KINDS:
            _add(bicep, _declaration(node, pending))
            pending = ()
    return bicep


def _add(bicep: Bicep, one: Declaration) -> None:
    into = bicep.outputs if one.kind == "output" else bicep.symbols
    if one.name in into:
        bicep.repeated.append(one)
    into[one.name] = one


def _declaration(node: Node, decorators: tuple[str, ...]) -> Declaration:
    kind, (name, *rest) = KINDS[node.type], inner(node)
    shape, target = "", ""
    if kind in ("param", "output"):
        shape, rest = text(rest[0]), rest[1:]
    elif kind in ("resource", "module"):
        target, rest = literal(rest[0]) or "", rest[1:]
    existing = any(child.type == "existing" or text(child) == "existing" for child in node.children)
    return Declaration(kind, text(name), node, rest[-1] if rest else None, shape, target, existing, decorators)
