"""The OpenAPI 3.1 document, built from what `endpoint` knows and from the routes of the function app.

    document(app.get_functions())

`get_functions()` works once in a process, so the document is built by a command, committed and compared by a test.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from inspect import cleandoc
from typing import Any, cast

import azure.functions as func
import msgspec

from shared.errors import ForbiddenError, InvalidInputError, RapportError, TooLargeError, UnauthenticatedError
from shared.http import Endpoint
from shared.problems import Problem

VERSION = "1.0.0"
PREFIX = "/api"

_PLACE = re.compile(r"\{(\*?)(\w+)(?::(\w+)(?:\([^)]*\))?)?(\?)?(?:=[^}]*)?\}")
_PLACE_SCHEMAS: dict[str, dict[str, str]] = {
    "int": {"type": "integer"},
    "long": {"type": "integer"},
    "guid": {"type": "string", "format": "uuid"},
    "bool": {"type": "boolean"},
    "float": {"type": "number"},
    "decimal": {"type": "number"},
}
_REF = "#/components/schemas/{name}"


def document(functions: Iterable[func.Function]) -> bytes:
    """The document as indented JSON, in the order of the paths; functions that are not `endpoint`s are left out."""
    found = sorted(_endpoints(functions), key=lambda entry: (entry[0], entry[1]))
    types = _Schemas([about for _, _, _, about in found])
    paths: dict[str, dict[str, Any]] = {}
    for route, method, operation_id, about in found:
        paths.setdefault(_path(route), {})[method] = _operation(route, method, operation_id, about, types)
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "Rapport", "version": VERSION, "summary": "Open relationship intelligence for any CRM."},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(types.components.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def _endpoints(functions: Iterable[func.Function]) -> Iterator[tuple[str, str, str, Endpoint]]:
    """(route, method, operation id, endpoint) of each method of each function."""
    for function in functions:
        about = getattr(function.get_user_function(), "__endpoint__", None)
        if isinstance(about, Endpoint):
            trigger: dict[str, Any] = cast(Any, function.get_trigger()).get_dict_repr()
            name = str(function.get_function_name())
            methods = [getattr(method, "name", str(method)).lower() for method in trigger.get("methods") or ()]
            methods = methods or ["get", "post"]  # what the host assumes for a route that names none
            resolved = msgspec.structs.replace(
                about, response=_type(about.response), request=_type(about.request), query=_type(about.query)
            )
            for method in methods:
                operation_id = name if len(methods) == 1 else f"{name}_{method}"
                yield str(trigger.get("route") or name), method, operation_id, resolved


def _type(named: Any) -> Any:
    """The type itself, or the one that a text names (`shared.widgets.RecordWidgets`)."""
    if not isinstance(named, str):
        return named
    module, _, name = named.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _path(route: str) -> str:
    return f"{PREFIX}/{_PLACE.sub(lambda place: f'{{{place[2]}}}', route)}"


class _Schemas:
    """The schemas of all types in use: `components` by name, and `of(type)`, a reference or an inline schema."""

    def __init__(self, endpoints: list[Endpoint]) -> None:
        used: list[Any] = [Problem]
        for about in endpoints:
            used += [kind for kind in (about.request, about.response, about.query) if kind and kind not in used]
        schemas, components = msgspec.json.schema_components(used, ref_template=_REF)
        self._schemas = list(zip(used, schemas, strict=True))
        queries = {schema["$ref"] for kind, schema in self._schemas if any(about.query is kind for about in endpoints)}
        for component in components.values():
            if "description" in component:  # a docstring, whose indentation Python 3.13 takes away and 3.11 leaves
                component["description"] = cleandoc(component["description"])
        self._all = components
        # A query is spelled out as parameters, so its Struct is no schema of its own.
        self.components = {name: one for name, one in components.items() if _REF.format(name=name) not in queries}

    def of(self, kind: Any) -> dict[str, Any]:
        return next(schema for known, schema in self._schemas if known is kind)

    def parameters(self, query: Any) -> list[dict[str, Any]]:
        whole = self._all[self.of(query)["$ref"].rpartition("/")[2]]
        required = whole.get("required", ())
        return [_query_parameter(name, schema, name in required) for name, schema in whole["properties"].items()]


def _query_parameter(name: str, schema: dict[str, Any], required: bool) -> dict[str, Any]:
    description = {"description": schema["description"]} if "description" in schema else {}
    kept = {key: value for key, value in schema.items() if key != "description"}
    return {"name": name, "in": "query", "required": required, **description, "explode": False, "schema": kept}


def _operation(route: str, method: str, operation_id: str, about: Endpoint, types: _Schemas) -> dict[str, Any]:
    places = [
        {"name": place[2], "in": "path", "required": True, "schema": _PLACE_SCHEMAS.get(place[3], {"type": "string"})}
        for place in _PLACE.finditer(route)
    ]
    operation: dict[str, Any] = {
        "operationId": operation_id,
        "summary": about.summary,
        "parameters": places + (types.parameters(about.query) if about.query else []),
        "responses": _successes(method, about, types),
        "security": [] if about.roles is None else [{"bearer": []}],
    }
    if about.roles is not None:
        operation["x-roles"] = list(about.roles)
    if about.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": types.of(about.request)}},
        }
    for error in sorted(_errors(about), key=lambda error: error.status):
        content = {"application/problem+json": {"schema": types.of(Problem)}}
        operation["responses"][str(error.status)] = {"description": error.title, "content": content}
    return operation


def _successes(method: str, about: Endpoint, types: _Schemas) -> dict[str, Any]:
    if about.response is None:
        return {str(about.status): {"description": "Done"}}
    content = {"application/json": {"schema": types.of(about.response)}}
    unchanged = {"304": {"description": "Not changed since the ETag of If-None-Match"}} if method == "get" else {}
    return {str(about.status): {"description": "Success", "content": content}, **unchanged}


def _errors(about: Endpoint) -> set[type[RapportError]]:
    """The declared errors, and those that sign-in and parsing bring along."""
    signed_in = {UnauthenticatedError, ForbiddenError} if about.roles is not None else set()
    parsed = {InvalidInputError} if about.request or about.query else set()
    received = {TooLargeError} if about.request else set()
    return {*about.errors, *signed_in, *parsed, *received, RapportError}
