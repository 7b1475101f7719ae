from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextvars import copy_context

import pytest

from shared import telemetry

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of its own with a redacted plain handler, and what it wrote."""
    stream = io.StringIO()
    logger = logging.Logger("rapport.test")
    logger.addHandler(logging.StreamHandler(stream))
    telemetry.install(logger)
    yield logger, stream


@pytest.mark.parametrize(
    "secret",
    [
        "ann@example.com",
        "Ann.O'Neil+crm@sub.example.co.uk",
        "ann%40example.com",
        "ann@localhost",
        "{'mailbox': 'ann@example.com'}",
        "GET https://graph.microsoft.com/v1.0/users/ann@example.com/messages?$top=5",
        "http://127.0.0.1:7071/api/who-knows-whom?address=x",
        "Authorization: Bearer abc.def.ghi",
        "token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln was refused",
        "SharedAccessKey=c2VjcmV0;EntityPath=q",
        "AccountKey=Zm9v==;TableEndpoint=x",
        "SharedAccessSignature sr=sb&sig=abc",
        "client_secret=hunter2&scope=x",
        "<ann@example.com>,bob@example.org",
    ],
)
def test_redact_leaves_none_of_what_must_not_be_logged(secret: str) -> None:
    text = telemetry.redact(secret)
    parts = ("ann", "Ann", "O'Neil", "bob", "abc", "hunter2", "c2VjcmV0", "Zm9v", "eyJ", "who-knows", "messages")
    assert [part for part in parts if part in text] == []


def test_redact_leaves_ordinary_text_alone() -> None:
    text = "record account:7f3 computed in 12 ms at 2026-11-23T02:00:00Z, 3 of 5 @ 60 %"
    assert text == telemetry.redact(text)


def test_message_arguments_are_redacted(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    logger.error("mail of %s failed %d times", "ann@example.com", 3)
    assert stream.getvalue() == "mail of [address] failed 3 times\n"


def test_exception_texts_are_redacted(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    try:
        raise ValueError("no mailbox ann@example.com")
    except ValueError:
        logger.exception("failed")
    assert "ann@" not in stream.getvalue()
    assert "ValueError: no mailbox [address]" in stream.getvalue()


def test_extra_fields_are_redacted_and_the_correlation_id_is_added() -> None:
    stream = io.StringIO()
    logger = logging.Logger("rapport.test")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(telemetry.JsonFormatter())
    logger.addHandler(handler)
    telemetry.install(logger)
    with telemetry.correlated("request-1"):
        logger.warning("done", extra={"mailbox": "ann@example.com", "changes": 3, "people": ["bob@example.com"]})
    line = json.loads(stream.getvalue())
    assert (line["mailbox"], line["changes"], line["people"]) == ("[address]", 3, "['[address]']")
    assert (line["correlation_id"], line["message"], line["level"]) == (
        "request-1",
        "done [correlation request-1]",
        "WARNING",
    )


def test_json_lines_hold_the_exception() -> None:
    formatter = telemetry.JsonFormatter()
    try:
        raise KeyError("x")
    except KeyError:
        record = logging.LogRecord("a", logging.ERROR, "f", 1, "m", None, sys.exc_info())
    assert json.loads(formatter.format(record))["exception"].endswith("KeyError: 'x'")


def test_install_twice_adds_one_filter(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, _ = written
    telemetry.install(logger)
    assert len(logger.handlers[0].filters) == 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-correlation-id": "abc-123456"}, "abc-123456"),
        ({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE),
        ({"x-correlation-id": "abc-123456", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, "abc-123456"),
        ({"x-correlation-id": "no spaces", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE),
    ],
)
def test_correlation_is_taken_from_the_request(headers: dict[str, str], expected: str) -> None:
    assert expected == telemetry.incoming_correlation(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-correlation-id": "short"},
        {"x-correlation-id": "x" * 65},
        {"x-correlation-id": "ann@example.com"},
        {"x-correlation-id": "line\nbreak-here"},
        {"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"},
        {"traceparent": "nonsense"},
    ],
)
def test_invalid_correlation_gives_a_new_one(headers: dict[str, str]) -> None:
    first, second = telemetry.incoming_correlation(headers), telemetry.incoming_correlation(headers)
    assert len(first) == 32 and first != second and first not in str(headers)


def test_correlation_travels_over_a_queue() -> None:
    with telemetry.correlated("request-1"):
        properties = telemetry.outgoing_properties()
    assert telemetry.outgoing_properties() == {}
    received = {name.encode(): value.encode() for name, value in properties.items()}
    with telemetry.correlated(telemetry.message_correlation(received)) as identifier:
        assert identifier == "request-1" == telemetry.correlation_id()
    assert telemetry.correlation_id() == ""


@pytest.mark.parametrize("properties", [None, {}, {"other": "x"}, {"correlation_id": "a@b.example"}])
def test_message_without_a_valid_id_gets_a_new_one(properties: dict[str, str] | None) -> None:
    assert telemetry.message_correlation(properties) is None
    with telemetry.correlated(telemetry.message_correlation(properties)) as identifier:
        assert len(identifier) == 32


def test_threads_keep_their_own_correlation() -> None:
    seen: dict[str, str] = {}

    def work(name: str) -> None:
        with telemetry.correlated(name):
            barrier.wait(60)
            seen[name] = telemetry.correlation_id()

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=copy_context().run, args=(work, name)) for name in ("first-id", "second-id")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == {"first-id": "first-id", "second-id": "second-id"}


def test_span_and_count_do_nothing_without_opentelemetry() -> None:
    code = (
        "import sys; from shared import telemetry\n"
        "with telemetry.span('x', records=3): telemetry.count('y')\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_span_and_count_reach_an_sdk_without_addresses() -> None:
    code = """
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shared import telemetry
spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
provider = TracerProvider(); provider.add_span_processor(SimpleSpanProcessor(spans)); trace.set_tracer_provider(provider)
metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))
try:
    with telemetry.correlated("request-1"), telemetry.span("recompute", mailbox="ann@example.com", changes=3):
        telemetry.count("changes", 2, kind="email"); telemetry.count("changes", 3, kind="email")
        raise ValueError("ann@example.com")
except ValueError:
    pass
(span,) = spans.get_finished_spans()
assert "ann@" not in span.to_json() and span.attributes["mailbox"] == "[address]", span.to_json()
assert (span.attributes["correlation_id"], span.status.description) == ("request-1", "ValueError")
(metric,) = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
assert (metric.name, metric.data.data_points[0].value) == ("changes", 5)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
