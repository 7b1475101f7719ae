"""`python -m tests.infra.bicepcheck infra`: judge the Bicep templates without the compiler and without network.

Five passes: syntax; symbols; modules with their parameters; resource bodies against the stored type schemas; member
chains such as `site.properties.defaultHostName`. It is not the compiler: no function signatures, no types of
computed expressions, no linter. Exit code 1 on an error, or on a warning that the list below does not explain.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra.bicep import Bicep, Declaration, inner, literal, loop_names, parse, properties, text, unwrapped, walk

SCHEMAS = Path(__file__).parent / "schema"
FUNCTIONS = frozenset(re.findall(r"\w+", """
    any array concat contains deployment empty endsWith environment filter first flatten format guid indexOf int
    intersection items join json last length loadFileAsBase64 loadJsonContent loadTextContent map max min newGuid
    padLeft range reduce replace resourceGroup resourceId skip sort split startsWith string subscription
    subscriptionResourceId substring take tenant tenantResourceId toLower toObject toUpper trim union uniqueString utcNow
"""))  # fmt: skip
EVERYWHERE = {"parent", "scope", "dependsOn"}  # Bicep's own, in every resource
PRIMITIVES = {"string": "string", "number": "int", "boolean": "bool"}

# Warnings that are known and right: (kind, subject) -> reason.
EXPLAINED = {
    ("unknown-type", "Microsoft.Network/privateDnsZones"): "no offline schema exists; two short resources, read by eye",
    ("unknown-type", "Microsoft.Network/privateDnsZones/virtualNetworkLinks"): "the same",
}


@dataclass(frozen=True)
class Finding:
    """A fault: where, how grave ("error" or "warning"), of which kind, about what."""

    path: Path
    line: int
    level: str
    kind: str
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.level} {self.kind}: {self.message}"

    @property
    def explained(self) -> bool:
        """Whether the list of known warnings gives a reason for it."""
        return self.level == "warning" and (self.kind, self.subject) in EXPLAINED


@cache
def schema(resource_type: str) -> dict[str, Any] | None:
    """The stored schema of a resource type; None if there is none."""
    path = SCHEMAS / (resource_type.replace("/", ".") + ".json")
    found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
    return found


class Checker:
    """The passes over one file. `modules`: the other files by path."""

    def __init__(self, bicep: Bicep, modules: dict[Path, Bicep]) -> None:
        self.bicep, self.modules, self.findings = bicep, modules, list[Finding]()
        self.types: dict[str, Any] = {}

    def run(self) -> list[Finding]:
        """All findings; after a syntax fault nothing else is looked at."""
        self.syntax()
        if not self.findings:
            self.symbols()
            for one in self.bicep.of_kind("module"):
                self.module(one)
            for one in self.bicep.of_kind("resource"):
                self.resource(one)
            self.chains(self.bicep.root)
        return self.findings

    def report(self, node: Node, kind: str, subject: str, message: str, level: str = "error") -> None:
        """Note a finding at the place of `node`."""
        line = node.start_point[0] + 1
        self.findings.append(Finding(self.bicep.path, line, level, kind, subject, message))

    # -- syntax ---------------------------------------------------------------------------------------------------

    def syntax(self) -> None:
        """Nodes that the grammar could not read, or had to invent."""
        for node in walk(self.bicep.root):
            if node.type == "ERROR" or node.is_missing:
                self.report(node, "syntax", text(node)[:40], f"cannot be read: {text(node)[:40]!r}")
        for one in self.bicep.repeated:
            self.report(one.node, "repeated", one.name, f"{one.name} is declared twice")

    # -- symbols --------------------------------------------------------------------------------------------------

    def symbols(self) -> None:
        """Every name is declared, every param and var used, every function known."""
        used: set[str] = set()
        for node in inner(self.bicep.root):
            if node.type != "decorators":
                self._names(node, frozenset(), used)
        for one in self.bicep.symbols.values():
            if one.kind in ("param", "var") and one.name not in used:
                self.report(one.node, "unused", one.name, f"{one.kind} {one.name} is never used", "warning")

    def _names(self, node: Node, local: frozenset[str], used: set[str]) -> None:
        if node.type in ("for_statement", "lambda_expression"):
            local |= self._declared(node)
        for child in self._expressions(node):
            if child.type == "identifier":
                name = text(child)
                used.add(name)
                if name not in local and name not in self.bicep.symbols:
                    near = _near(name, [*self.bicep.symbols, *local])
                    self.report(child, "undefined-symbol", name, f"{name} is not declared{near}")
            else:
                self._names(child, local, used)
        called = node.child_by_field_name("function") if node.type == "call_expression" else None
        if called is not None and called.type == "identifier" and text(called) not in FUNCTIONS:
            self.report(called, "unknown-function", text(called), f"{text(called)} is no known function")

    @staticmethod
    def _declared(node: Node) -> frozenset[str]:
        if node.type == "for_statement":
            return frozenset(loop_names(node))
        return frozenset(text(one) for one in walk(inner(node)[0]) if one.type == "identifier")

    @staticmethod
    def _expressions(node: Node) -> list[Node]:
        """The children of `node` in which names are uses, not declarations, keys or functions."""
        children = inner(node)
        if node.type in ("object_property", "for_statement", "lambda_expression") or node.type.endswith("_declaration"):
            # a key that is computed ('${id}') is an expression as well
            head = [children[0]] if node.type == "object_property" and children[0].type == "string" else []
            return head + children[1:]
        if node.type == "call_expression":
            return children[1:]
        return [child for child in children if child.type not in ("property_identifier", "type")]

    # -- modules --------------------------------------------------------------------------------------------------

    def module(self, one: Declaration) -> None:
        """The file exists; required parameters are given, given ones exist and have the declared type."""
        target = self.modules.get((self.bicep.path.parent / one.target).resolve())
        if target is None or one.body is None:
            self.report(one.node, "unknown-module", one.target, f"there is no {one.target}")
            return
        given = properties(one.body).get("params")
        values = properties(given[1]) if given else {}
        params = {param.name: param for param in target.of_kind("param")}
        for name, param in params.items():
            if param.value is None and name not in values and not param.type.endswith("?"):
                self.report(one.node, "missing-parameter", name, f"module {one.name} needs the parameter {name}")
        for name, (key, value) in values.items():
            if name not in params:
                near = _near(name, params)
                self.report(key, "unknown-parameter", name, f"module {one.name} has no parameter {name}{near}")
            elif (kind := PRIMITIVES.get(value.type, value.type)) != params[name].type and kind in (
                "string", "int", "bool", "object", "array",
            ):  # fmt: skip
                self.report(value, "wrong-type", name, f"{name} is {kind}, {params[name].type} is wanted")

    # -- resource bodies ------------------------------------------------------------------------------------------

    def resource(self, one: Declaration) -> None:
        """The body against the schema of its type."""
        found = schema(one.resource_type)
        if found is None:
            message = f"no schema for {one.resource_type}"
            self.report(one.node, "unknown-type", one.resource_type, message, "warning")
            return
        if found["resource"] != one.target:
            message = f"{one.target} is checked against {found['resource']}"
            self.report(one.node, "api-version", one.resource_type, message, "warning")
        if one.body is None or one.existing:
            return
        self.types = found["types"]
        own = {name: pair for name, pair in properties(one.body).items() if name not in EVERYWHERE}
        self._object(one.body, own, one.resource_type)

    def _object(self, node: Node, given: dict[str, tuple[Node, Node]], type_name: str) -> None:
        entry = self._fields(node, given, type_name)
        if entry is None:
            return
        fields, additional = entry
        for name, (key, value) in given.items():
            kind, flags = _field(fields.get(name, additional))
            if kind is None:
                near = _near(name, fields)
                self.report(key, "unknown-property", name, f"{type_name} has no property {name}{near}")
            elif "O" in flags:
                self.report(key, "read-only", name, f"{name} of {type_name} is set by Azure alone")
            else:
                self._value(value, kind, name)
        for name in fields.keys() - given.keys():
            if "R" in _field(fields[name])[1]:
                self.report(node, "missing-property", name, f"{type_name} needs {name}")

    def _fields(
        self, node: Node, given: dict[str, tuple[Node, Node]], type_name: str
    ) -> tuple[dict[str, Any], Any] | None:
        """The properties that an object of this type may have here, and the type of others; None if not known."""
        entry = self.types[type_name]
        if "discriminator" not in entry:
            return entry["properties"], entry.get("additional")
        name = entry["discriminator"]
        if name not in given:
            self.report(node, "missing-property", name, f"{type_name} needs {name}")
            return None
        key, value = given[name]
        chosen = literal(value) if value.type == "string" else None
        if chosen is None:
            return None
        if chosen not in entry["elements"]:
            near = _near(chosen, entry["elements"])
            self.report(key, "discriminator", chosen, f"{type_name} has no kind {chosen!r} of {name}{near}")
            return None
        element = self.types[entry["elements"][chosen]]
        return entry["base"] | element["properties"], element.get("additional")

    def _value(self, node: Node, kind: str, name: str) -> None:
        """`node` against the type expression `kind`, such as `Allow | Deny`, `string[]`, `SiteConfig`."""
        options = kind.split(" | ")
        if node.type == "ternary_expression":
            for branch in inner(node)[1:]:
                self._value(branch, kind, name)
        elif node.type == "parenthesized_expression":
            self._value(inner(node)[0], kind, name)
        elif node.type == "identifier":
            self._named(node, kind, name)
        elif node.type == "string":
            self._string(node, options, name)
        elif node.type in ("number", "boolean"):
            if not {PRIMITIVES[node.type], "any"} & set(options) and text(node) not in options:
                self.report(node, "wrong-type", name, f"{name} is {text(node)}, {kind} is wanted")
        elif node.type == "object":
            if options[0] in self.types:
                self._object(node, properties(node), options[0])
            elif "any" not in options and "object" not in options:
                self.report(node, "wrong-type", name, f"{name} is an object, {kind} is wanted")
        elif node.type in ("array", "for_statement"):
            self._list(node, options, name)

    def _list(self, node: Node, options: list[str], name: str) -> None:
        if "any" in options:
            return
        if not options[-1].endswith("[]"):
            self.report(node, "wrong-type", name, f"{name} is a list, {' | '.join(options)} is wanted")
            return
        element = " | ".join(options).removesuffix("[]").strip("()")
        for item in inner(node) if node.type == "array" else [unwrapped(node)[-1]]:
            self._value(item, element, name)

    def _named(self, node: Node, kind: str, name: str) -> None:
        """A var stands for its value; a param has at least a declared type."""
        one = self.bicep.symbols.get(text(node))
        if one is None:
            return
        if one.kind == "var" and one.value is not None and one.value.type != "for_statement":
            self._value(one.value, kind, name)
        options = set(kind.split(" | "))
        plain = one.kind == "param" and one.type in ("string", "int", "bool")
        if plain and options <= {"string", "int", "bool"} and one.type not in options:
            self.report(node, "wrong-type", name, f"{name} is the {one.type} {one.name}, {kind} is wanted")

    def _string(self, node: Node, options: list[str], name: str) -> None:
        value = literal(node)
        choices = [one for one in options if one not in ("string", "any", "int", "bool") and not one.endswith("[]")]
        if (len(options) == 1 and options[0] in self.types) or not (choices or {"string", "any"} & set(options)):
            self.report(node, "wrong-type", name, f"{name} is text, {' | '.join(options)} is wanted")
        elif choices and value is not None and value not in choices:
            level = "warning" if "string" in options else "error"
            message = f"{value!r} is not among {', '.join(choices)}{_near(value, choices)}"
            self.report(
                node, "enum" if level == "error" else "open-enum", f"{name}={value}", f"{name}: {message}", level
            )

    # -- member chains --------------------------------------------------------------------------------------------

    def chains(self, node: Node) -> None:
        """Every outermost `a.b[0].c` in the file."""
        if node.type in ("member_expression", "subscript_expression"):
            root, steps = _steps(node)
            if root.type == "identifier" and (one := self.bicep.symbols.get(text(root))):
                self._chain(node, one, steps)
            else:
                self.chains(root)
            for index in (child for child in walk(node) if child.type == "subscript_expression"):
                for child in inner(index)[1:]:
                    self.chains(child)
            return
        for child in node.children:
            self.chains(child)

    def _chain(self, node: Node, one: Declaration, steps: list[str]) -> None:
        if one.kind == "module":
            self._output(node, one, steps)
        elif one.kind == "var" and one.value is not None:
            self._into_value(node, one.value, steps)
        elif one.kind == "resource" and (found := schema(one.resource_type)):
            if one.value is not None and one.value.type == "for_statement":
                steps = steps[1:]
            self._into_type(node, found["types"], one, steps)

    def _output(self, node: Node, one: Declaration, steps: list[str]) -> None:
        target = self.modules.get((self.bicep.path.parent / one.target).resolve())
        if target is None or steps[0] == "name":
            return
        if steps[0] != "outputs":
            self.report(node, "member", steps[0], f"module {one.name} has outputs, no {steps[0]}")
        elif len(steps) > 1 and steps[1] not in target.outputs:
            near = _near(steps[1], target.outputs)
            self.report(node, "member", steps[1], f"module {one.name} has no output {steps[1]}{near}")

    def _into_value(self, node: Node, value: Node, steps: list[str]) -> None:
        """A chain into an object that is written out, or into a JSON file."""
        if steps[0] == "[]":  # chosen at run time
            return
        if value.type == "object":
            known = properties(value)
            if steps[0] not in known:
                self.report(node, "member", steps[0], f"there is no {steps[0]} here{_near(steps[0], known)}")
            elif steps[1:]:
                self._into_value(node, known[steps[0]][1], steps[1:])
        elif value.type == "call_expression" and text(inner(value)[0]) == "loadJsonContent":
            data = json.loads((self.bicep.path.parent / (literal(inner(inner(value)[1])[0]) or "")).read_text())
            if steps[0] not in data:
                self.report(node, "member", steps[0], f"the file has no {steps[0]}{_near(steps[0], data)}")

    def _into_type(self, node: Node, types: dict[str, Any], one: Declaration, steps: list[str]) -> None:
        kind = one.resource_type
        for step in steps:
            entry = types.get(kind.removesuffix("[]") if step == "[]" else kind)
            if step == "[]" or entry is None or "discriminator" in entry:
                if step != "[]":
                    return
                kind = kind.removesuffix("[]")
                continue
            found, _ = _field(entry["properties"].get(step, entry.get("additional")))
            if found is None:
                near = _near(step, entry["properties"])
                self.report(node, "member", step, f"{kind} has no {step}{near}")
                return
            kind = found


def _steps(node: Node) -> tuple[Node, list[str]]:
    """The root of a chain and its steps; a subscript is the step `[]`."""
    if node.type == "member_expression":
        root, steps = _steps(inner(node)[0])
        return root, [*steps, text(inner(node)[-1])]
    if node.type == "subscript_expression":
        root, steps = _steps(inner(node)[0])
        return root, [*steps, "[]"]
    return node, []


def _field(entry: str | list[str] | None) -> tuple[str | None, str]:
    """Type and flags of a stored property."""
    return (entry[0], entry[1]) if isinstance(entry, list) else (entry, "")


def _near(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f", perhaps {close[0]}" if close else ""


def check(folder: Path) -> Iterator[Finding]:
    """All findings in the Bicep files below `folder`, explained ones included."""
    files = {path.resolve(): parse(path) for path in sorted(folder.rglob("*.bicep"))}
    if not files:
        raise SystemExit(f"no Bicep files in {folder}")
    for bicep in files.values():
        yield from Checker(bicep, files).run()


def main() -> None:
    """Print what is wrong and say so in the exit code."""
    findings = list(check(Path(sys.argv[1] if len(sys.argv) > 1 else "infra")))
    for one in findings:
        if not one.explained:
            print(one)
    counted = sum(not one.explained for one in findings)
    print(f"{counted} findings, {len(findings) - counted} warnings explained", file=sys.stderr)
    sys.exit(1 if counted else 0)


if __name__ == "__main__":
    main()
