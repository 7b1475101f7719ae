"""What a deployment would ask for: the templates evaluated with given parameters, without the compiler.

Literals, names, loops, conditions and the functions used in infra/ are computed. What only Azure knows (an address,
an id, a client id) becomes text that names it: `{storage.data.id}`. `uniqueString` gives a fixed token.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra.bicep import Bicep, Declaration, inner, literal, loop_names, parse, text, unwrapped

TOKEN = "a2b3c4d5e6f7g"  # as long as what uniqueString gives
LOCALS = dict[str, Any]
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv, "%": operator.mod}


class Known(str):
    """Text that stands for something only Azure knows; members of it are known by their path."""


@dataclass(frozen=True)
class Resource:
    """A resource to be deployed: module, symbol, type, API version, and the body with its values."""

    module: str
    symbol: str
    type: str
    version: str
    body: dict[str, Any]

    @property
    def id(self) -> str:
        """What `symbol.id` evaluates to elsewhere."""
        return f"{{{self.module}.{self.symbol}({self.body['name']}).id}}"


@dataclass
class Deployment:
    """The resources of a template and its outputs."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [one for one in self.resources if one.type in types]

    def only(self, type_name: str, **body: Any) -> Resource:
        """The one resource of a type whose body has these values."""
        found = [one for one in self.of_type(type_name) if all(one.body.get(k) == v for k, v in body.items())]
        assert len(found) == 1, f"{len(found)} resources {type_name} {body}"
        return found[0]


class _Template:
    """One file with its parameters; values are computed at first use."""

    def __init__(self, bicep: Bicep, module: str, params: dict[str, Any], deployment: Deployment) -> None:
        self.bicep, self.module, self.deployment = bicep, module, deployment
        self.cache: dict[str, Any] = dict(params)

    def run(self) -> dict[str, Any]:
        """Deploy modules and resources, give the outputs."""
        for one in (*self.bicep.of_kind("module"), *self.bicep.of_kind("resource")):
            self.name(one.name, {})
        return {name: self.value(one.value, {}) for name, one in self.bicep.outputs.items() if one.value}

    def name(self, name: str, local: LOCALS) -> Any:
        """The value of a name."""
        if name in local:
            return local[name]
        if name not in self.cache:
            self.cache[name] = self._declared(self.bicep.symbols[name])
        return self.cache[name]

    def _declared(self, one: Declaration) -> Any:
        assert one.value is not None, f"parameter {one.name} of {self.module} has no value"
        if one.kind in ("param", "var"):
            return self.value(one.value, {})
        return self._each(one.value, {}, self._module if one.kind == "module" else self._resource, one)

    def _each(self, node: Node, local: LOCALS, act: Callable[..., Any], one: Declaration) -> Any:
        """Run `act` for the body, or for every turn of the loop around it; None where the condition is false."""
        if node.type == "for_statement":
            names, items = loop_names(node), self.value(inner(node)[1], local)
            return [
                self._each(inner(node)[-1], local | dict(zip(names, (item, i), strict=False)), act, one)
                for i, item in enumerate(items)
            ]
        if node.type == "if_statement":
            return self._each(inner(node)[-1], local, act, one) if self.value(inner(node)[0], local) else None
        return act(one, node, local)

    def _module(self, one: Declaration, node: Node, local: LOCALS) -> dict[str, Any]:
        body = self.value(node, local)
        target = parse((self.bicep.path.parent / one.target).resolve())
        inside = _Template(target, Path(one.target).stem, body.get("params", {}), self.deployment)
        return {"name": body["name"], "outputs": inside.run()}

    def _resource(self, one: Declaration, node: Node, local: LOCALS) -> dict[str, Any]:
        body = self.value(node, local)
        kind, _, version = one.target.partition("@")
        resource = Resource(self.module, one.name, kind, version, body)
        if one.existing:
            # the same resource as the one deployed elsewhere, found by its name
            same = [r for r in self.deployment.of_type(kind) if r.body["name"] == body["name"]]
            assert len(same) == 1, f"{self.module}.{one.name}: {kind} {body['name']} is not in the template"
            resource = same[0]
        else:
            self.deployment.resources.append(resource)
        return {**body, "id": Known(resource.id), "": f"{{{resource.module}.{resource.symbol}"}

    def value(self, node: Node, local: LOCALS) -> Any:
        """The value of an expression."""
        return getattr(self, f"_{node.type}")(node, local)

    def _identifier(self, node: Node, local: LOCALS) -> Any:
        return self.name(text(node), local)

    def _number(self, node: Node, local: LOCALS) -> int:
        return int(text(node))

    def _boolean(self, node: Node, local: LOCALS) -> bool:
        return text(node) == "true"

    def _null(self, node: Node, local: LOCALS) -> None:
        return None

    def _string(self, node: Node, local: LOCALS) -> str:
        plain = literal(node)
        if plain is not None:
            return plain
        parts = (
            str(self.value(inner(one)[0], local)) if one.type == "interpolation" else text(one) for one in inner(node)
        )
        return "".join(parts)

    def _object(self, node: Node, local: LOCALS) -> dict[str, Any]:
        found = {}
        for one in inner(node):
            key, value = inner(one)
            name = text(key) if key.type == "identifier" else self.value(key, local)
            found[name] = self.value(value, local)
        return found

    def _array(self, node: Node, local: LOCALS) -> list[Any]:
        return [self.value(one, local) for one in inner(node)]

    def _for_statement(self, node: Node, local: LOCALS) -> list[Any]:
        names, items = loop_names(node), self.value(inner(node)[1], local)
        body = unwrapped(node)[-1]
        return [self.value(body, local | dict(zip(names, (item, i), strict=False))) for i, item in enumerate(items)]

    def _parenthesized_expression(self, node: Node, local: LOCALS) -> Any:
        return self.value(inner(node)[0], local)

    def _ternary_expression(self, node: Node, local: LOCALS) -> Any:
        condition, yes, no = inner(node)
        return self.value(yes if self.value(condition, local) else no, local)

    def _unary_expression(self, node: Node, local: LOCALS) -> Any:
        value = self.value(inner(node)[-1], local)
        return not value if text(node).startswith("!") else -value

    def _binary_expression(self, node: Node, local: LOCALS) -> Any:
        left, right = inner(node)
        sign = text(node)[left.end_byte - node.start_byte : right.start_byte - node.start_byte].strip()
        first = self.value(left, local)
        if sign == "&&":
            return first and self.value(right, local)
        if sign == "||":
            return first or self.value(right, local)
        second = self.value(right, local)
        if sign in _ARITHMETIC:
            return _ARITHMETIC[sign](first, second)
        return {"==": first == second, "!=": first != second, ">": first > second}[sign]

    def _member_expression(self, node: Node, local: LOCALS) -> Any:
        whole, name = self.value(inner(node)[0], local), text(inner(node)[-1])
        if isinstance(whole, Known):
            return Known(f"{whole[:-1]}.{name}}}")
        if "" in whole and name not in ("id", "name"):  # a resource: what it will be is known to Azure alone
            return Known(f"{whole['']}.{name}}}")
        return whole[name]

    def _subscript_expression(self, node: Node, local: LOCALS) -> Any:
        whole, index = inner(node)
        return self.value(whole, local)[self.value(index, local)]

    def _call_expression(self, node: Node, local: LOCALS) -> Any:
        name, arguments = text(inner(node)[0]), inner(inner(node)[1])
        return getattr(self, f"call_{name}")(*(self.value(one, local) for one in arguments))

    # the functions of Bicep that the templates use

    def call_loadJsonContent(self, path: str) -> Any:
        return json.loads(self.call_loadTextContent(path))

    def call_loadTextContent(self, path: str) -> str:
        return (self.bicep.path.parent / path).read_text()

    def call_resourceGroup(self) -> Known:
        return Known("{resourceGroup}")

    def call_tenant(self) -> Known:
        return Known("{tenant}")

    def call_environment(self) -> dict[str, Any]:
        """The public cloud."""
        login = {"loginEndpoint": "https://login.microsoftonline.com/"}
        return {"name": "AzureCloud", "authentication": login, "suffixes": {"storage": "core.windows.net"}}

    def call_uniqueString(self, *parts: str) -> str:
        return TOKEN

    def call_guid(self, *parts: str) -> str:
        return f"guid({', '.join(parts)})"

    def call_subscriptionResourceId(self, kind: str, name: str) -> str:
        return f"/{kind}/{name}"

    def call_take(self, whole: str, count: int) -> str:
        return whole[:count]

    def call_length(self, whole: str) -> int:
        return len(whole)

    def call_string(self, value: Any) -> str:
        return str(value)

    def call_toLower(self, whole: str) -> str:
        return whole.lower()

    def call_replace(self, whole: str, old: str, new: str) -> str:
        return whole.replace(old, new)

    def call_split(self, whole: str, separator: str) -> list[str]:
        return whole.split(separator)

    def call_join(self, parts: list[str], separator: str) -> str:
        return separator.join(parts)

    def call_range(self, first: int, count: int) -> list[int]:
        return list(range(first, first + count))

    def call_concat(self, *parts: list[Any]) -> list[Any]:
        return [one for part in parts for one in part]

    def call_empty(self, whole: Any) -> bool:
        return not whole

    def call_union(self, *parts: dict[str, Any]) -> dict[str, Any]:
        return {key: value for part in parts for key, value in part.items()}


def evaluate(main: Path, **params: Any) -> Deployment:
    """The deployment of `main` with these parameters and the defaults of the others."""
    deployment = Deployment()
    given = {"environmentName": "test", "location": "westeurope"} | params
    deployment.outputs = _Template(parse(main.resolve()), "main", given, deployment).run()
    return deployment


def is_known(value: str) -> bool:
    """Whether the text is wholly something that Azure fills in."""
    return re.fullmatch(r"\{[^{}]+\}", value) is not None
