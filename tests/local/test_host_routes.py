"""Route templates of the local host."""

from __future__ import annotations

import pytest

from local.host.errors import HostError
from local.host.routes import Router, Template


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("api/orders", "API/Orders", {}),
        ("api/orders", "api/orders/1", None),
        ("api/orders/{id}", "api/orders/A%20b", {"id": "A b"}),
        ("api/orders/{id}", "api/orders/a%2Fb", {"id": "a%2Fb"}),  # an encoded slash stays one
        ("api/orders/{id}", "api/orders/", None),
        ("api/orders/{id?}", "api/orders", {}),
        ("api/orders/{id?}", "api/orders/7", {"id": "7"}),
        ("api/{id:int}", "api/-2147483648", {"id": "-2147483648"}),
        ("api/{id:int}", "api/2147483648", None),
        ("api/{id:long}", "api/2147483648", {"id": "2147483648"}),
        ("api/{id:int?}", "api", {}),
        ("api/{id:guid}", "api/0F8FAD5B-D9CB-469F-A165-70867728950E", {"id": "0F8FAD5B-D9CB-469F-A165-70867728950E"}),
        ("api/{id:guid}", "api/0f8fad5b", None),
        ("api/{on:bool}", "api/True", {"on": "True"}),
        ("api/{name:alpha}", "api/x1", None),
        ("api/{x:float}", "api/1.5e3", {"x": "1.5e3"}),
        ("api/{x:decimal}", "api/1.5e3", None),
        (r"api/{day:regex(^\d{{4}}-\d{{2}}$)}", "api/2026-03", {"day": "2026-03"}),
        (r"api/{day:regex(^\d{{4}}-\d{{2}}$)}", "api/2026-3", None),
        ("api/{code:regex(^(a/b|c)$)}", "api/c", {"code": "c"}),
        ("files/{*rest}", "files/a/b.txt", {"rest": "a/b.txt"}),
        ("files/{*rest}", "files", {}),
        ("{*rest}", "", {"rest": ""}),
        ("widgets/{name}.js", "widgets/strip.v2.js", {"name": "strip.v2"}),
        ("", "", {}),
    ],
)
def test_template_matches(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert expected == Template(template).match(path)


@pytest.mark.parametrize(
    "template", ["a/{b?}/c", "{*a}/b", "{a}/{a}", "{a:min(3)}", "{a:int(2)}", "{a=5}", "{a", "a//b", "x{a?}"]
)
def test_template_is_refused(template: str) -> None:
    with pytest.raises(HostError, match="route"):
        Template(template)


def test_literal_goes_before_parameter_before_optional_before_catch_all() -> None:
    templates = ["a/{*all}", "a/{x?}", "a/{x}", "a/{x:int}", "a/b"]
    router = Router((Template(one), frozenset[str](), one) for one in templates)
    found = {path: router.find("GET", path) for path in ("a/b", "a/1", "a/c", "a", "a/b/c")}
    assert {path: hit and hit[0] for path, hit in found.items()} == {
        "a/b": "a/b",
        "a/1": "a/{x:int}",
        "a/c": "a/{x}",
        "a": "a/{x?}",
        "a/b/c": "a/{*all}",
    }


def test_methods_choose_between_equal_templates() -> None:
    router = Router([(Template("a"), frozenset({"GET"}), "read"), (Template("a"), frozenset({"POST"}), "write")])
    assert router.find("POST", "A") == ("write", {})
    assert router.find("PUT", "a") is None
