"""HTTP through the local host, as a client sees it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.host_process import RunningHost, make_app, running_host

APP = """
import contextvars
import json
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
parts = func.Blueprint()
mark = contextvars.ContextVar("mark", default="unset")


@app.route(route="echo/{what?}", methods=["GET", "POST"])
def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    seen = mark.get()
    mark.set("set")
    found = {
        "method": req.method, "url": req.url, "headers": dict(req.headers), "params": dict(req.params),
        "route": dict(req.route_params), "body": req.get_body().decode(), "function": context.function_name,
        "invocation": context.invocation_id, "thread": context.thread_local_storage.invocation_id,
        "parent": context.trace_context.trace_parent, "mark": seen,
    }
    return func.HttpResponse(json.dumps(found), mimetype="application/json")


@parts.route(route="cookies")
async def cookies(req: func.HttpRequest) -> func.HttpResponse:
    answer = func.HttpResponse("fine", status_code=201, headers={"X-One": "1"})
    answer.headers.add("Set-Cookie", "a=1; Path=/")
    answer.headers.add("Set-Cookie", "b=2; HttpOnly")
    return answer


@parts.route(route="text")
def text(req: func.HttpRequest) -> str:
    return "plain \\u00fc"


@parts.route(route="nothing")
def nothing(req: func.HttpRequest):
    return None


@parts.route(route="fails")
async def fails(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("a secret of the function")


@parts.route(route="only-admin", auth_level="admin")
def only_admin(req: func.HttpRequest) -> str:
    return "admin"


@parts.route(route="with-key", auth_level="function")
def with_key(req: func.HttpRequest) -> str:
    return "key"


@parts.route(route="off")
def off(req: func.HttpRequest) -> str:
    return "never"


app.register_functions(parts)
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    folder = tmp_path_factory.mktemp("host")
    root = make_app(folder / "app", APP)
    (root / "local.settings.json").write_text('{"Values": {}, "Host": {"CORS": "https://crm.example"}}')
    with running_host(folder / "state", root, {"AzureWebJobs.off.Disabled": "true"}) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningHost, dict[str, Any]]]:
    """A host that asks for keys, with an empty route prefix; and its keys."""
    folder = tmp_path_factory.mktemp("guarded")
    root = make_app(folder / "app", APP, '{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}')
    with running_host(folder / "state", root, options=["--enable-auth"]) as running:
        yield running, json.loads((folder / "state" / "keys.json").read_text())


def ask(
    host: RunningHost, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(host.base_url.removeprefix("http://"), timeout=60)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_request_reaches_the_function(host: RunningHost) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"X-Mixed-Case": "Kept", "traceparent": trace}
    status, answered, body = ask(host, "POST", "/API/Echo/A%20b?x=1&x=2&y=%C3%BC", b"{}", headers)
    found = json.loads(body)
    assert (status, answered["content-type"]) == (200, "application/json")
    assert found["url"] == f"{host.base_url}/API/Echo/A%20b?x=1&x=2&y=%C3%BC"
    assert found["params"] == {"x": "1,2", "y": "ü"}
    assert (found["method"], found["route"], found["body"]) == ("POST", {"what": "A b"}, "{}")
    assert found["headers"]["x-mixed-case"] == "Kept"
    assert (found["function"], found["parent"]) == ("echo", trace)
    assert found["invocation"] == found["thread"]


def test_repeated_headers_are_joined(host: RunningHost) -> None:
    address = ("127.0.0.1", int(host.base_url.rsplit(":", 1)[1]))
    with socket.create_connection(address, timeout=60) as raw:
        raw.sendall(b"GET /api/echo HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert b'"x-a": "1,2"' in answer


def test_context_variables_of_one_call_do_not_reach_the_next(host: RunningHost) -> None:
    marks = [json.loads(ask(host, "GET", "/api/echo")[2])["mark"] for _ in range(3)]
    assert marks == ["unset"] * 3


def test_chunked_body_is_lost_and_logged(host: RunningHost) -> None:
    found = json.loads(ask(host, "POST", "/api/echo", iter([b"first", b"second"]))[2])
    assert found["body"] == ""
    assert "a chunked body of 11 bytes is lost" in host.output()


def test_large_body_arrives(host: RunningHost) -> None:
    found = json.loads(ask(host, "POST", "/api/echo", b"x" * 3_000_000)[2])
    assert len(found["body"]) == 3_000_000


@pytest.mark.parametrize("path", ["/api/unknown", "/echo", "/api", "/", "/api/off", "/admin/unknown"])
def test_unknown_path_is_404(host: RunningHost, path: str) -> None:
    assert ask(host, "GET", path)[::2] == (404, b"")


def test_wrong_method_is_404(host: RunningHost) -> None:
    assert ask(host, "DELETE", "/api/echo")[0] == 404


def test_several_cookies_stay_apart(host: RunningHost) -> None:
    status, headers, body = ask(host, "GET", "/api/cookies")
    assert (status, body, headers["X-One"]) == (201, b"fine", "1")
    assert headers.get_all("Set-Cookie") == ["a=1; Path=/", "b=2; HttpOnly"]
    assert headers["content-type"] == "text/plain; charset=utf-8"


def test_text_becomes_plain_text(host: RunningHost) -> None:
    status, headers, body = ask(host, "GET", "/api/text")
    assert (status, headers["content-type"], body.decode()) == (200, "text/plain; charset=utf-8", "plain ü")


def test_head_has_no_body(host: RunningHost) -> None:
    assert ask(host, "HEAD", "/api/text")[::2] == (200, b"")


def test_none_is_a_failed_call(host: RunningHost) -> None:
    assert ask(host, "GET", "/api/nothing")[::2] == (500, b"")
    assert 'unable to encode outgoing TypedData: unsupported type "http" for Python type "NoneType"' in host.output()


def test_failure_is_logged_and_not_told(host: RunningHost) -> None:
    assert ask(host, "GET", "/api/fails")[::2] == (500, b"")
    assert "ValueError: a secret of the function" in host.output()


def test_without_keys_every_level_is_open(host: RunningHost) -> None:
    assert [ask(host, "GET", f"/api/{path}")[0] for path in ("only-admin", "with-key")] == [200, 200]


def test_named_origin_is_let_in(host: RunningHost) -> None:
    asked = {"Origin": "https://crm.example", "Access-Control-Request-Method": "POST"}
    status, headers, _ = ask(host, "OPTIONS", "/api/echo", headers=asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, "https://crm.example")
    assert headers["Access-Control-Allow-Methods"] == "POST"
    _, headers, _ = ask(host, "GET", "/api/text", headers={"Origin": "https://crm.example"})
    assert headers["Access-Control-Allow-Origin"] == "https://crm.example"


def test_other_origin_gets_no_permission(host: RunningHost) -> None:
    asked = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}
    for method in ("OPTIONS", "GET"):
        assert "Access-Control-Allow-Origin" not in ask(host, method, "/api/text", headers=asked)[1]


def test_admin_routes(host: RunningHost) -> None:
    assert json.loads(ask(host, "GET", "/admin/host/status")[2])["state"] == "Running"
    functions = {one["name"]: one for one in json.loads(ask(host, "GET", "/admin/functions")[2])}
    assert functions["echo"]["invoke_url_template"] == f"{host.base_url}/api/echo/{{what?}}"
    assert functions["echo"]["config"]["bindings"][0]["methods"] == ["GET", "POST"]
    assert "off" not in functions
    assert ask(host, "POST", "/admin/functions/echo", b"{}")[0] == 400


def test_keys_open_functions_of_their_level(guarded: tuple[RunningHost, dict[str, Any]]) -> None:
    host, keys = guarded
    own, other = keys["functions"]["with_key"], keys["functions"]["only_admin"]
    by_header = {
        (path, name): ask(host, "GET", path, headers={"X-Functions-Key": key} if key else {})[0]
        for path in ("/with-key", "/only-admin", "/admin/host/status", "/text")
        for name, key in {"none": "", "own": own, "other": other, "default": keys["default"]}.items()
    }
    opened = {pair for pair, status in by_header.items() if status == 200}
    public = {("/text", name) for name in ("none", "own", "other", "default")}
    assert opened == public | {("/with-key", "own"), ("/with-key", "default")}
    assert set(by_header.values()) == {200, 401}


def test_master_key_opens_everything(guarded: tuple[RunningHost, dict[str, Any]]) -> None:
    host, keys = guarded
    for path in ("/with-key", "/only-admin", "/admin/host/status", "/admin/functions"):
        assert ask(host, "GET", f"{path}?code={keys['master']}")[0] == 200


def test_refused_request_has_an_empty_body(guarded: tuple[RunningHost, dict[str, Any]]) -> None:
    assert ask(guarded[0], "GET", "/with-key?code=wrong")[::2] == (401, b"")


def test_script_name_and_values_of_local_settings(tmp_path: Path) -> None:
    code = "import os, azure.functions as func\napp = func.FunctionApp('ANONYMOUS')\n"
    code += "@app.route(route='r')\ndef r(req: func.HttpRequest) -> str:\n    return os.environ['GREETING']\n"
    root = make_app(tmp_path / "app", "raise RuntimeError('another script')")
    (root / "other_app.py").write_text(code)
    (root / "local.settings.json").write_text(
        '{"Values": {"GREETING": "hello", "PYTHON_SCRIPT_FILE_NAME": "other_app.py"}}'
    )
    with running_host(tmp_path / "state", root) as running:
        assert ask(running, "GET", "/api/r")[2] == b"hello"
