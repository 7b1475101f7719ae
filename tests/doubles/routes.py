"""The app's HTTP functions, called in this process as the worker would call them."""

from __future__ import annotations

import asyncio
import gzip
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import azure.functions as func
from azure.functions.decorators.function_app import FunctionBuilder

import functions
from shared.http import Endpoint


@dataclass(frozen=True)
class Route:
    """One method of one HTTP function."""

    name: str
    route: str
    method: str
    handler: Any

    @property
    def about(self) -> Endpoint:
        """What `@endpoint` says of it."""
        found: Endpoint = self.handler.__endpoint__
        return found

    def call(self, **given: Any) -> func.HttpResponse:
        """Call it; `params` fill the route, `query`, `headers` and `body` the request."""
        names = re.findall(r"\{(\w+)[^}]*\}", self.route)
        params = dict.fromkeys(names, "x") | given.get("params", {})
        request = func.HttpRequest(
            self.method, f"http://app/api/{self.route}", headers=given.get("headers", {}), params=given.get("query", {}),
            route_params=params, body=given.get("body", b""),
        )  # fmt: skip
        answer = self.handler(request)
        found: func.HttpResponse = asyncio.run(answer) if inspect.isawaitable(answer) else answer
        return found


def routes() -> Iterator[Route]:
    """Every HTTP function of every module in `functions/`, once per method."""
    for module in pkgutil.iter_modules(functions.__path__):
        for name, value in vars(importlib.import_module(f"functions.{module.name}")).items():
            if isinstance(value, FunctionBuilder) and hasattr(value._function.get_user_function(), "__endpoint__"):
                trigger: Any = value._function.get_trigger()
                for method in trigger.methods:
                    text = str(getattr(method, "value", method))
                    yield Route(name, trigger.route, text, value._function.get_user_function())


def route(name: str) -> Route:
    """The HTTP function of this name."""
    return next(found for found in routes() if found.name == name)


def json_of(response: func.HttpResponse) -> Any:
    """The body, unpacked where it is compressed."""
    body = response.get_body()
    return json.loads(gzip.decompress(body) if response.headers.get("Content-Encoding") == "gzip" else body)


def bearer(token: str, **more: str) -> Mapping[str, str]:
    """Headers of a signed-in caller."""
    return {"Authorization": f"Bearer {token}", **more}
