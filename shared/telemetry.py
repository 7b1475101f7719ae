"""Logs, spans and counts that name no person: correlation from HTTP over the queues to recomputing, redaction.

Loggers are the standard library's (`logging.getLogger(__name__)`). What operators and alerts need stands in the text of a line:
the Python worker hands the host the formatted text alone, and `extra=` fields end there. `install()` puts the redaction on the
handlers that exist; `JsonFormatter` is for runs where nobody else shapes the lines.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

CORRELATION_PROPERTY = "correlation_id"  # name of the application property of queue messages

# The part before the @ is bounded (RFC 5321 allows 64), so that long texts without an address cost little.
_EMAIL = re.compile(r"[^\s@<>\"'(),:;=/?&\[\]][^\s@<>\"(),:;\[\]]{0,63}(?:@|%40)[\w-]+(?:\.[\w-]+)*", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer|sharedaccesssignature)\s+[^\s\"',]+", re.IGNORECASE)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?")
_KEY = re.compile(r"\b(SharedAccessKey|AccountKey|sig|code|client_secret)=[^;&\s\"']+", re.IGNORECASE)
_URL = re.compile(r"\b(https?://[^\s/?#\"'<>]+)[/?#][^\s\"'<>]*", re.IGNORECASE)
_W3C_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_GIVEN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_log = logging.getLogger(__name__)
_correlation: ContextVar[str] = ContextVar("rapport_correlation", default="")


def redact(text: str) -> str:
    """`text` without mail addresses, tokens, keys, and without path and query of URLs.

    >>> redact("ann@example.com failed at https://graph.microsoft.com/v1.0/users/7?$top=5")
    '[address] failed at https://graph.microsoft.com/[…]'
    >>> redact("Authorization: Bearer abc.def")
    'Authorization: Bearer [token]'
    """
    text = _URL.sub(r"\1/[…]", text)
    text = _BEARER.sub(r"\1 [token]", text)
    text = _JWT.sub("[token]", text)
    text = _KEY.sub(r"\1=[key]", text)
    return _EMAIL.sub("[address]", text)


def _clean(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(value if isinstance(value, str) else str(value))


class RedactingFilter(logging.Filter):
    """Cleans message, exception text and `extra` fields of every record, and adds `correlation_id`, also to the text.

    >>> record = logging.makeLogRecord({"msg": "mail of %s", "args": ("ann@example.com",)})
    >>> with correlated("request-1"):
    ...     RedactingFilter().filter(record)
    True
    >>> record.getMessage()
    'mail of [address] [correlation request-1]'
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true: records are cleaned, once however many handlers see them, and never dropped."""
        if hasattr(record, CORRELATION_PROPERTY):
            return True
        identifier = correlation_id()
        mark = f" [correlation {identifier}]" if identifier else ""
        record.msg, record.args = redact(record.getMessage()) + mark, None
        if record.exc_info and not record.exc_text:
            # Formatters take this text as it stands when it is there, so the raw traceback is never formatted again.
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        for name, value in vars(record).items():
            if name not in _STANDARD_FIELDS:
                setattr(record, name, _clean(value))
        record.correlation_id = identifier
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, the `extra` fields, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; fields that JSON does not know become text."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS}
        if record.exc_info or record.exc_text:
            line["exception"] = record.exc_text or self.formatException(record.exc_info or (None, None, None))
        return json.dumps(line, ensure_ascii=False, default=str)


def install(logger: logging.Logger | None = None) -> None:
    """Put the redaction on every handler that `logger` (default: the root) has now; repeating it changes nothing."""
    for handler in (logger or logging.getLogger()).handlers:
        if not any(isinstance(present, RedactingFilter) for present in handler.filters):
            handler.addFilter(RedactingFilter())


class RedactedError(Exception):
    """Stands for an error whose text named a person or an address, where the text leaves the app: type, cleaned text."""


@contextmanager
def redacting_errors() -> Iterator[None]:
    """Let no error out whose text must not be logged: the host writes what a function raises into its own log, unseen by us.

    >>> with redacting_errors():
    ...     raise ValueError("no mailbox ann@example.com")
    Traceback (most recent call last):
    shared.telemetry.RedactedError: ValueError: no mailbox [address]
    """
    try:
        yield
    except Exception as error:
        text = redact(str(error))
        if text == str(error):
            raise
        raise RedactedError(f"{type(error).__name__}: {text}").with_traceback(error.__traceback__) from None


@contextmanager
def timer_run(name: str) -> Iterator[None]:
    """Run what a timer started, under a new correlation id."""
    with redacting_errors(), correlated(), span(name):
        try:
            yield
        except Exception as error:
            _log.error("failed: %s, %s", name, type(error).__name__)
            raise


def correlation_id() -> str:
    """The id of the request or message in hand; "" outside of one."""
    return _correlation.get()


def incoming_correlation(headers: Mapping[str, str]) -> str:
    """The id that a request brings: a valid `x-correlation-id`, else the trace id of `traceparent`, else a new one.

    The explicit header goes first: platforms add a `traceparent` of their own to requests that had none.
    """
    given = headers.get("x-correlation-id", "")
    if _GIVEN_ID.fullmatch(given):
        return given
    parent = _W3C_PARENT.fullmatch(headers.get("traceparent", "").strip().lower())
    if parent and parent[1].strip("0"):
        return parent[1]
    return os.urandom(16).hex()


@contextmanager
def correlated(identifier: str | None = None) -> Iterator[str]:
    """Run the block under `identifier`, or under a new one; gives the id. Works in threads and in coroutines."""
    token = _correlation.set(identifier or os.urandom(16).hex())
    try:
        yield _correlation.get()
    finally:
        _correlation.reset(token)


def outgoing_properties() -> dict[str, str]:
    """The application properties that carry the id to the next step; empty outside of a request or message."""
    return {CORRELATION_PROPERTY: correlation_id()} if correlation_id() else {}


def message_correlation(properties: Mapping[Any, Any] | None) -> str | None:
    """The id in a message's application properties, or None."""
    found = text_of(properties, CORRELATION_PROPERTY)
    return found if _GIVEN_ID.fullmatch(found) else None


def text_of(properties: Mapping[Any, Any] | None, wanted: str) -> str:
    """An application property as text, "" without it; the client gives names and values as bytes or text.

    >>> text_of({b"correlation_id": b"request-1"}, "correlation_id")
    'request-1'
    """
    return next((_text(value) for name, value in (properties or {}).items() if _text(name) == wanted), "")


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@contextmanager
def span(name: str, **attributes: str | int | float | bool) -> Iterator[None]:
    """An OpenTelemetry span around the block, with cleaned attributes and the correlation id.

    Without an SDK this does nothing: whoever sets one up loads the API, so nothing is imported here.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        yield
        return
    cleaned = {key: _clean(value) for key, value in attributes.items()} | {CORRELATION_PROPERTY: correlation_id()}
    # The SDK would copy the raw exception text, which may hold addresses, into the span.
    with trace.get_tracer("rapport").start_as_current_span(
        name, attributes=cleaned, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as error:
            current.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            raise


def count(name: str, amount: int = 1, **attributes: str | int | float | bool) -> None:
    """Add to the OpenTelemetry counter `name`; nothing happens without an SDK."""
    metrics = sys.modules.get("opentelemetry.metrics")
    if metrics is not None:
        counter = metrics.get_meter("rapport").create_counter(name)
        counter.add(amount, {key: _clean(value) for key, value in attributes.items()})
