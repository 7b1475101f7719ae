"""HTTP functions: the `endpoint` decorator, requests into Structs, answers as JSON, errors as problems (RFC 9457).

@blueprint.route(route="records/{record}/health", methods=["GET"])
@endpoint(summary="Health of a record", roles=(READER,), response=Health, query=HealthQuery, errors=(NotFoundError,))
def record_health(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(req, health_of(req.route_params["record"], query_of(req, HealthQuery), caller()))
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Hashable
from http import HTTPStatus
from typing import Any, TypeVar, cast

import azure.functions as func
import msgspec

from shared import decoders, telemetry
from shared.auth import Caller, acting_as, authenticate, require_role
from shared.errors import InvalidInputError, RapportError, TooLargeError
from shared.negotiation import GZIP_FROM_BYTES, accepts_gzip, encoded_tag, entity_tag, gzip, is_unchanged
from shared.problems import problem_response
from shared.settings import settings

Handler = Callable[..., Any]
Content = TypeVar("Content")

_HEADERS = {
    "Cache-Control": "private, no-cache",  # kept by the browser alone, and asked for again each time
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # links that we mail carry their token in the query
}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an HTTP function besides its route; stands as `__endpoint__` on the function."""

    summary: str
    roles: tuple[str, ...] | None
    response: Any = None
    request: Any = None
    query: Any = None
    errors: tuple[type[RapportError], ...] = ()
    status: int = 200


def endpoint(
    *,
    summary: str,
    roles: tuple[str, ...] | None,
    response: Any = None,
    request: Any = None,
    query: Any = None,
    errors: tuple[type[RapportError], ...] = (),
    status: int = 200,
) -> Callable[[Handler], Handler]:
    """Make `handler(req) -> HttpResponse`, plain or async, an HTTP function with sign-in, roles and one error shape.

    `roles`: any one of them suffices; None makes the route public, and then no identity exists in it. `response`,
    `request`, `query` are the msgspec types, or their full names where importing them would cost every cold start; `errors` and
    `status` say what it answers. All of them are for the OpenAPI document.
    """
    about = Endpoint(
        summary=summary, roles=roles, response=response, request=request, query=query, errors=errors, status=status
    )

    def decorate(handler: Handler) -> Handler:
        wrapped = _awaiting(handler, roles) if inspect.iscoroutinefunction(handler) else _calling(handler, roles)
        wrapped.__endpoint__ = about  # type: ignore[attr-defined]
        return wrapped

    return decorate


def _calling(handler: Handler, roles: tuple[str, ...] | None) -> Handler:
    @functools.wraps(handler)
    def answer(req: func.HttpRequest, **bindings: Any) -> func.HttpResponse:
        with telemetry.correlated(telemetry.incoming_correlation(req.headers)), telemetry.span(handler.__name__):
            try:
                with acting_as(_admit(req, roles)):
                    response = handler(req, **bindings)
            except Exception as error:
                response = problem_response(error)
            return _finished(response)

    return answer


def _awaiting(handler: Handler, roles: tuple[str, ...] | None) -> Handler:
    @functools.wraps(handler)
    async def answer(req: func.HttpRequest, **bindings: Any) -> func.HttpResponse:
        with telemetry.correlated(telemetry.incoming_correlation(req.headers)), telemetry.span(handler.__name__):
            try:
                # In a thread: the check may have to fetch signing keys, and must not stop the loop for that.
                with acting_as(await asyncio.to_thread(_admit, req, roles)):
                    response = await handler(req, **bindings)
            except Exception as error:
                response = problem_response(error)
            return _finished(response)

    return answer


def _admit(req: func.HttpRequest, roles: tuple[str, ...] | None) -> Caller | None:
    if roles is None:
        return None
    who = authenticate(req)
    require_role(who, roles)
    return who


def _finished(response: func.HttpResponse) -> func.HttpResponse:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Correlation-Id"] = telemetry.correlation_id()
    return response


def json_response(
    req: func.HttpRequest, body: bytes | msgspec.Struct | dict[str, Any], etag: str | None = None, status: int = 200
) -> func.HttpResponse:
    """`body` as JSON (bytes are sent as they are), compressed where the caller takes it, 304 where he has it already.

    `etag`: a version that changes whenever the bytes do, if there is one; without it the bytes are hashed.
    """
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    tag = entity_tag(content, etag)
    headers = {"Vary": "Accept-Encoding"}
    packed = len(content) >= GZIP_FROM_BYTES and accepts_gzip(req.headers.get("accept-encoding", ""))
    headers["ETag"] = encoded_tag(tag, "gzip") if packed else tag
    conditional = req.method in ("GET", "HEAD") and status == HTTPStatus.OK
    if conditional and is_unchanged(req.headers.get("if-none-match", ""), headers["ETag"]):
        return func.HttpResponse(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
        content = gzip(content)
    return func.HttpResponse(content, status_code=status, mimetype="application/json", headers=headers)


def body_of(req: func.HttpRequest, max_bytes: int | None = None) -> bytes:
    """The body. Raises TooLargeError above `max_bytes` (default: MAX_BODY_BYTES)."""
    limit = settings().max_body_bytes if max_bytes is None else max_bytes
    body: bytes = req.get_body()
    if len(body) > limit:
        raise TooLargeError(f"The body has {len(body)} bytes, {limit} are allowed.")
    return body


def request_of(req: func.HttpRequest, content: type[Content], max_bytes: int | None = None) -> Content:
    """The body as `content`. Raises TooLargeError, and InvalidInputError with the path of the first wrong place."""
    try:
        return decoders.of_json(content).decode(body_of(req, max_bytes))
    except msgspec.DecodeError as error:
        raise _invalid_input(error) from None


def query_of(req: func.HttpRequest, content: type[Content]) -> Content:
    """The query as the Struct `content`: text becomes numbers, dates, booleans; lists are commas or a repeated key."""
    lists = _list_names(cast(Hashable, content))
    given = {name: value.split(",") if name in lists else value for name, value in req.params.items()}
    try:
        return decoders.convert(given, content, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid_input(error) from None


@functools.cache
def _list_names(content: Hashable) -> frozenset[str]:
    many = (msgspec.inspect.CollectionType, msgspec.inspect.TupleType)
    fields: tuple[msgspec.inspect.Field, ...] = msgspec.inspect.type_info(content).fields  # type: ignore[attr-defined]
    return frozenset(
        field.encode_name
        for field in fields
        if any(isinstance(one, many) for one in getattr(field.type, "types", (field.type,)))
    )


def _invalid_input(error: msgspec.DecodeError) -> InvalidInputError:
    # msgspec ends its text with the place: "Expected `int`, got `str` - at `$.changes[0].id`".
    detail, _, place = str(error).rpartition(" - at ")
    return InvalidInputError(detail or str(error), place.strip("`") if detail else "$")
