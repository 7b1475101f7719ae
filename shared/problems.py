"""Errors as problem details (RFC 9457): the one shape of every HTTP answer of 400 and above."""

from __future__ import annotations

import logging
from http import HTTPStatus

import azure.functions as func
import msgspec

from shared import telemetry
from shared.errors import (
    ForbiddenError,
    InvalidInputError,
    RapportError,
    SettingError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
)

PROBLEM_TYPE = "urn:problem-type:rapport:"
_log = logging.getLogger(__name__)


class ProblemError(msgspec.Struct, frozen=True):
    """One thing that is wrong, and where: a JSON path into the body, or `$.<name>` of a query parameter."""

    path: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Problem details: every answer of 400 and above has this shape."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    correlation_id: str = ""
    errors: tuple[ProblemError, ...] = ()


def problem_response(error: Exception) -> func.HttpResponse:
    """The problem details of `error`; what is not meant for callers is logged and becomes a bare 500."""
    if not isinstance(error, RapportError) or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log_failure(error)
    told = error if isinstance(error, RapportError) and error.status != HTTPStatus.INTERNAL_SERVER_ERROR else None
    problem = Problem(
        type=problem_type(type(error)) if told else "about:blank",
        title=told.title if told else "Internal error",
        status=told.status if told else HTTPStatus.INTERNAL_SERVER_ERROR,
        detail=told.detail if told else "",
        correlation_id=telemetry.correlation_id(),
        errors=tuple(ProblemError(*place) for place in told.errors) if isinstance(told, InvalidInputError) else (),
    )
    return func.HttpResponse(
        msgspec.json.encode(problem),
        status_code=problem.status,
        mimetype="application/problem+json",
        headers=_problem_headers(told),
    )


def _log_failure(error: Exception) -> None:
    if isinstance(error, SettingError | UnavailableError):
        _log.error("%s: %s", type(error).__name__, error)
    else:
        _log.error("unexpected error", exc_info=error)


def _problem_headers(error: RapportError | None) -> dict[str, str]:
    if isinstance(error, UnauthenticatedError):
        return {"WWW-Authenticate": 'Bearer error="invalid_token"' if error.token_given else "Bearer"}
    if isinstance(error, ForbiddenError):
        return {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
    if isinstance(error, UnavailableError | TooManyRequestsError):
        return {"Retry-After": str(error.retry_after)}
    return {}


def problem_type(error: type[Exception]) -> str:
    """The `type` of a problem, from the class name: NotFoundError is `urn:problem-type:rapport:not-found`."""
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in error.__name__)
    return PROBLEM_TYPE + words.removesuffix("-error").lstrip("-")
