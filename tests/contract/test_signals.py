"""The log lines that alerts read are there when, and only when, there is something to tell."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

import azure.functions as func
import pytest

from shared import delays, deliveries, tables
from shared.graph import consent_state, signals, subscriptions
from shared.graph.consent import DAY, PERIOD, Consent, State, Transition
from shared.graph.mailboxes import Mailbox
from shared.graph.subscriptions import Subscription
from shared.settings import settings

NOW = 1_790_000_000
HOUR = 3_600


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was logged since the last question."""
    caplog.set_level(logging.INFO)

    def told() -> list[str]:
        found = [record.getMessage() for record in caplog.records if record.name.startswith("shared.")]
        caplog.clear()
        return found

    return told


def put(consent: Consent) -> None:
    consent_state.change(lambda _: Transition("test", consent), NOW, "test")


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(
    ("consent", "told"),
    [
        (Consent(), []),
        (Consent(state=State.LIVE), []),
        (Consent(state=State.LIVE, suspect_since=NOW - 60), ["consent suspect"]),
        (Consent(state=State.WITHDRAWN), ["consent withdrawn"]),
        (Consent(state=State.PENDING_CONSENT, enabled_at=NOW - PERIOD + 2 * DAY), []),
        (Consent(state=State.PENDING_CONSENT, enabled_at=NOW - PERIOD + 5 * HOUR), ["consent ends soon: 5 hours left"]),
        (Consent(state=State.PENDING_CONSENT, enabled_at=NOW - PERIOD - 60), ["consent ends soon: 0 hours left"]),
    ],
    ids=["disabled", "live", "suspect", "withdrawn", "two days left", "five hours left", "over"],
)
def test_a_consent_in_danger_is_told(lines: Callable[[], list[str]], consent: Consent, told: list[str]) -> None:
    put(consent)
    signals.connection(NOW)
    assert lines() == told


@pytest.mark.usefixtures("storage")
def test_subscriptions_that_were_not_renewed_are_told(
    lines: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(Consent(state=State.LIVE))
    for name, left in (("a", 23 * HOUR), ("b", 25 * HOUR), ("c", -HOUR)):
        subscriptions._write(Subscription(name, "m", "mail", NOW + left, "hash"))
    signals.connection(NOW)
    assert lines() == ["subscriptions end soon: 2"]
    monkeypatch.setenv("GRAPH_MODE", "poll")
    settings.cache_clear()
    signals.connection(NOW)
    assert lines() == []
    assert tables.read("subscriptions", "subscriptions", "a") is not None


def test_mailboxes_that_nobody_reads_are_counted(lines: Callable[[], list[str]]) -> None:
    def read_at(id: str, at: int, **more: int) -> Mailbox:
        return Mailbox(id=id, address="", mail_until=at, calendar_until=NOW, **more)

    fresh, late = read_at("fresh", NOW - 1_000), read_at("late", NOW - 1_900)
    parked = read_at("parked", NOW - 9_000, parked_until=NOW + 60)
    new, never = (
        Mailbox(id="new", address="", connected_at=NOW - 60),
        Mailbox(id="never", address="", connected_at=NOW - 9_000),
    )
    signals.freshness([fresh, late, parked, new, never], 0, NOW)
    assert lines() == ["mailboxes behind: 2 of 4 mailboxes"]
    signals.freshness([fresh, late], 6 * HOUR, NOW)
    assert lines() == ["mailboxes behind: 0 of 2 mailboxes"]
    signals.freshness([parked], 0, NOW)
    assert lines() == []


def test_delays_are_told_once_a_minute(lines: Callable[[], list[str]]) -> None:
    def done(at: int, waited: float, queue: str = "one") -> None:
        delays.note(queue, datetime.fromtimestamp(at - waited, UTC), at)

    for second in range(60):
        done(NOW + second, second / 2)
    done(NOW + 30, 500, "another")
    assert lines() == []
    done(NOW + 60, 2)
    assert lines() == ["message delays: one p95 28.0 s, 61 messages"]
    done(NOW + 61, 3)
    assert lines() == []
    delays.note("one", None, NOW + 600)
    assert lines() == []


def test_a_message_that_was_worked_off_is_counted(
    lines: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Message(func.ServiceBusMessage):
        """As the host gives it, with the time at which it was queued."""

        application_properties: ClassVar[dict[str, object]] = {}
        enqueued_time_utc = datetime(2026, 1, 1, tzinfo=UTC)

        def get_body(self) -> bytes:
            return b"{}"

    monkeypatch.setattr(delays, "EVERY_SECONDS", 0.0)
    deliveries.handle(Message(), "counted", lambda body: None)
    (line,) = lines()
    assert line.startswith("message delays: counted p95 ")
    assert line.endswith(" s, 1 messages")
