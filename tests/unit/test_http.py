from __future__ import annotations

import asyncio
import gzip
import inspect
import json
import logging
import threading
import typing
from collections.abc import Iterator
from datetime import date
from typing import Any

import azure.functions as func
import msgspec
import pytest

from local.tokens import API_CLIENT_ID, TENANT, KeyRing, issue
from shared import errors, telemetry
from shared.auth import ADMIN, READER, caller
from shared.http import body_of, endpoint, json_response, query_of, request_of
from shared.problems import Problem, problem_response, problem_type
from shared.settings import settings
from shared.signing_keys import signing_keys
from tests.doubles.signin import running_signin


class Query(msgspec.Struct, forbid_unknown_fields=True):
    top: typing.Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    since: date | None = None
    kinds: list[str] = []
    full: bool = False


class Change(msgspec.Struct):
    id: str
    version: int


class Batch(msgspec.Struct):
    changes: list[Change]


def request(
    method: str = "GET", body: bytes = b"", params: dict[str, str] | None = None, **headers: str
) -> func.HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return func.HttpRequest(method, "http://127.0.0.1/api/x?address=ann", headers=named, params=params, body=body)


def public(handler: Any) -> Any:
    return endpoint(summary="x", roles=None)(handler)


def failing(error: Exception) -> func.HttpResponse:
    @public
    def handler(req: func.HttpRequest) -> func.HttpResponse:
        raise error

    return handler(request())


def problem(response: func.HttpResponse) -> dict[str, Any]:
    assert response.mimetype == "application/problem+json"
    content = json.loads(response.get_body())
    assert content["status"] == response.status_code
    return content


@pytest.fixture(scope="module")
def signin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, KeyRing]]:
    folder = tmp_path_factory.mktemp("signin")
    with running_signin(folder) as base:
        yield f"{base}/{TENANT}/v2.0", KeyRing(folder)


@pytest.fixture
def token(signin: tuple[str, KeyRing], monkeypatch: pytest.MonkeyPatch) -> Iterator[typing.Callable[..., str]]:
    """The app set up for the local sign-in; gives a function that writes an Authorization header for roles."""
    issuer, ring = signin
    monkeypatch.setenv("AUTH_ISSUER", issuer)
    monkeypatch.setenv("AUTH_AUDIENCE", API_CLIENT_ID)
    monkeypatch.setenv("AUTH_OPENID_CONFIGURATION", f"{issuer}/.well-known/openid-configuration")
    settings.cache_clear()
    signing_keys.cache_clear()
    yield lambda *roles, **claims: f"Bearer {issue(ring.current, roles, issuer=issuer, **claims)}"
    settings.cache_clear()
    signing_keys.cache_clear()


@endpoint(summary="Who I am", roles=(READER, ADMIN))
def protected(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(req, {"id": caller().id, "correlation": telemetry.correlation_id()})


@endpoint(summary="Who I am", roles=(READER,))
async def protected_async(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(0)
    return json_response(req, {"id": caller().id, "correlation": telemetry.correlation_id()})


def test_role_opens_the_route(token: typing.Callable[..., str]) -> None:
    for role in (READER, ADMIN):
        response = protected(request(authorization=token(role, subject="id-1"), x_correlation_id="request-1"))
        assert (response.status_code, json.loads(response.get_body())) == (
            200,
            {"id": "id-1", "correlation": "request-1"},
        )
        assert response.headers["X-Correlation-Id"] == "request-1"


def test_async_handlers_have_caller_and_correlation_too(token: typing.Callable[..., str]) -> None:
    both = [
        request(authorization=token(READER, subject=name), x_correlation_id=f"request-{name}") for name in ("a", "b")
    ]

    async def together() -> list[func.HttpResponse]:
        return await asyncio.gather(*map(protected_async, both))

    answers = [json.loads(response.get_body()) for response in asyncio.run(together())]
    assert answers == [{"id": "a", "correlation": "request-a"}, {"id": "b", "correlation": "request-b"}]


def test_no_token_is_401_with_a_bare_challenge(token: typing.Callable[..., str]) -> None:
    response = protected(request())
    assert (problem(response)["status"], response.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_bad_token_is_401_and_is_not_echoed(token: typing.Callable[..., str]) -> None:
    expired = token(READER, lifetime=-3600)
    response = protected(request(authorization=expired))
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert problem(response)["detail"] == "The token has expired."
    assert expired.split()[1][:20] not in response.get_body().decode()


def test_wrong_role_is_403_and_names_what_is_needed(token: typing.Callable[..., str]) -> None:
    response = protected(request(authorization=token("Rapport.Ingest")))
    assert problem(response)["detail"] == "This needs the role Rapport.Reader or Rapport.Admin."
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (403, 'Bearer error="insufficient_scope"')


def test_handler_of_a_refused_request_does_not_run(token: typing.Callable[..., str]) -> None:
    ran = threading.Event()

    @endpoint(summary="x", roles=(READER,))
    def handler(req: func.HttpRequest) -> func.HttpResponse:
        ran.set()
        return func.HttpResponse()

    assert [handler(request(authorization=header)).status_code for header in ("", token(), "Bearer x")] == [
        401,
        403,
        401,
    ]
    assert not ran.is_set()


def test_public_route_knows_no_caller_even_with_identity_headers(token: typing.Callable[..., str]) -> None:
    @public
    def handler(req: func.HttpRequest) -> func.HttpResponse:
        return json_response(req, {"id": caller().id})

    assert handler(request(authorization=token(READER), x_ms_client_principal="e30=")).status_code == 401


def test_sign_in_that_is_down_is_503(monkeypatch: pytest.MonkeyPatch, token: typing.Callable[..., str]) -> None:
    header = token(READER)
    monkeypatch.setenv("AUTH_OPENID_CONFIGURATION", "http://127.0.0.1:9/x")
    settings.cache_clear()
    response = protected(request(authorization=header))
    assert (problem(response)["status"], response.headers["Retry-After"]) == (503, "5")


def test_missing_sign_in_settings_are_500_and_are_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTH_ISSUER", raising=False)
    settings.cache_clear()
    response = protected(request(authorization="Bearer x"))
    assert response.status_code == 500 and b"AUTH_ISSUER" not in response.get_body()
    settings.cache_clear()


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.InvalidInputError("d"), 400, "invalid-input"),
        (errors.UnauthenticatedError("d"), 401, "unauthenticated"),
        (errors.ForbiddenError("d"), 403, "forbidden"),
        (errors.NotFoundError("d"), 404, "not-found"),
        (errors.ConflictError("d"), 409, "conflict"),
        (errors.PreconditionError("d"), 412, "precondition"),
        (errors.TooLargeError("d"), 413, "too-large"),
        (errors.TooManyRequestsError("d", retry_after=60), 429, "too-many-requests"),
        (errors.UnavailableError("d"), 503, "unavailable"),
    ],
)
def test_errors_become_problems(error: errors.RapportError, status: int, kind: str) -> None:
    response = failing(error)
    told = problem(response)
    assert (told["type"], told["status"], told["detail"]) == (f"urn:problem-type:rapport:{kind}", status, "d")
    assert told["correlationId"] == response.headers["X-Correlation-Id"]
    assert problem_type(type(error)) == told["type"]
    msgspec.json.decode(response.get_body(), type=Problem)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("secret ann@example.com"),
        errors.SettingError("secret"),
        errors.FormatVersionError("secret"),
        errors.PoisonMessageError("secret"),
        errors.RetryLaterError("secret", seconds=1),
    ],
)
def test_our_own_faults_are_500_without_details_but_logged(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = failing(error)
    assert problem(response) == {
        "type": "about:blank",
        "title": "Internal error",
        "status": 500,
        "correlationId": response.headers["X-Correlation-Id"],
    }
    assert "secret" in caplog.text


def test_what_the_caller_did_wrong_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        failing(errors.NotFoundError("no record of ann@example.com"))
    assert caplog.records == []


def test_several_errors_are_all_named() -> None:
    places = [("$.changes[0].id", "missing"), ("$.changes[3].version", "negative")]
    told = problem(failing(errors.InvalidInputError("2 changes are wrong.", errors=places)))
    assert [(place["path"], place["detail"]) for place in told["errors"]] == places


def test_every_answer_carries_the_safe_headers() -> None:
    answers = [failing(ValueError()), failing(errors.NotFoundError("d")), protected(request()), ok(request())]
    for response in answers:
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert len(response.headers["X-Correlation-Id"]) == 32


def test_handler_may_set_its_own_caching() -> None:
    @public
    def handler(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("x", headers={"Cache-Control": "no-store"})

    assert handler(request()).headers.get_all("Cache-Control") == ["no-store"]


@public
def ok(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(req, {"numbers": list(range(500))})


def test_worker_sees_the_handlers_signature() -> None:
    for handler in (ok, protected, protected_async):
        assert list(inspect.signature(handler).parameters) == ["req"]
        assert typing.get_type_hints(handler) == {"req": func.HttpRequest, "return": func.HttpResponse}
    assert inspect.iscoroutinefunction(protected_async) and not inspect.iscoroutinefunction(ok)
    assert ok(req=request()).status_code == 200  # the worker passes by name


def test_json_is_compressed_where_that_is_accepted() -> None:
    plain, packed = ok(request()), ok(request(accept_encoding="gzip, br"))
    assert "Content-Encoding" not in plain.headers
    assert (packed.headers["Content-Encoding"], packed.mimetype) == ("gzip", "application/json")
    assert gzip.decompress(packed.get_body()) == plain.get_body()
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"


def test_short_json_is_not_compressed() -> None:
    response = json_response(request(accept_encoding="gzip"), {"a": 1})
    assert (response.get_body(), response.headers.get("Content-Encoding")) == (b'{"a":1}', None)


def test_strong_tags_differ_by_encoding_and_each_gives_304() -> None:
    plain, packed = ok(request()), ok(request(accept_encoding="gzip"))
    assert plain.headers["ETag"] != packed.headers["ETag"]
    for response, encoding in ((plain, "identity"), (packed, "gzip")):
        again = ok(request(accept_encoding=encoding, if_none_match=response.headers["ETag"]))
        assert (again.status_code, again.get_body()) == (304, b"")
        assert (again.headers["ETag"], again.headers["Vary"]) == (response.headers["ETag"], "Accept-Encoding")
        assert again.headers["Cache-Control"] == "private, no-cache"
    assert ok(request(if_none_match=packed.headers["ETag"])).status_code == 200


def test_given_version_is_the_tag() -> None:
    assert json_response(request(), b"{}", etag="v7").headers["ETag"] == '"v7"'
    assert json_response(request(if_none_match='"v7"'), b"{}", etag="v7").status_code == 304


@pytest.mark.parametrize(("method", "status"), [("POST", 200), ("GET", 202)])
def test_304_is_for_reads_only(method: str, status: int) -> None:
    assert json_response(request(method, if_none_match="*"), {"a": 1}, status=status).status_code == status


def test_structs_and_bytes_are_bodies_too() -> None:
    assert json_response(request(), Change("a", 1)).get_body() == b'{"id":"a","version":1}'
    assert json_response(request(), b'{"ready": 1}').get_body() == b'{"ready": 1}'


def test_query_becomes_a_struct() -> None:
    params = {"top": "5", "since": "2026-11-01", "kinds": "email,meeting", "full": "true"}
    assert Query(5, date(2026, 11, 1), ["email", "meeting"], True) == query_of(request(params=params), Query)
    assert Query() == query_of(request(), Query)


@pytest.mark.parametrize(
    ("params", "path"),
    [({"top": "x"}, "$.top"), ({"top": "0"}, "$.top"), ({"since": "today"}, "$.since"), ({"other": "1"}, "$")],
)
def test_wrong_query_names_the_parameter(params: dict[str, str], path: str) -> None:
    with pytest.raises(errors.InvalidInputError) as raised:
        query_of(request(params=params), Query)
    assert raised.value.path == path


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"changes":[{"id":"a","version":1},{"id":"b","version":"x"}]}', "$.changes[1].version"),
        (b'{"changes":[{"id":"a"}]}', "$.changes[0]"),
        (b'{"changes":', "$"),
        (b"", "$"),
        (b'\xff{"changes":[]}', "$"),
    ],
)
def test_wrong_body_names_the_place(body: bytes, path: str) -> None:
    with pytest.raises(errors.InvalidInputError) as raised:
        request_of(request("POST", body), Batch)
    assert raised.value.path == path and raised.value.detail


def test_body_becomes_a_struct() -> None:
    assert Batch([Change("a", 1)]) == request_of(request("POST", b'{"changes":[{"id":"a","version":1}]}'), Batch)


def test_long_body_is_413() -> None:
    assert body_of(request("POST", b"x" * 10), 10) == b"x" * 10
    with pytest.raises(errors.TooLargeError, match="11 bytes, 10 are allowed"):
        body_of(request("POST", b"x" * 11), 10)


def test_body_limit_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_BODY_BYTES", "1024")
    settings.cache_clear()
    with pytest.raises(errors.TooLargeError):
        body_of(request("POST", b"x" * 1025))
    settings.cache_clear()


def test_problem_response_needs_no_request() -> None:
    assert problem_response(errors.ConflictError("d")).status_code == 409
