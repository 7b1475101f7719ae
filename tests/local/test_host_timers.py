"""Timers of the local host."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from local.host.bindings import read_retry
from local.host.errors import HostError
from local.host.loader import check_app
from local.host.ncrontab import Schedule
from local.host.timers import Status, StatusFile, is_past_due
from tests.local.host_process import JOURNAL, RunningHost, make_app, read_journal, running_host, wait_until

APP = (
    JOURNAL
    + """
app = func.FunctionApp()


@app.timer_trigger(arg_name="timer", schedule="%TICK%")
def tick(timer: func.TimerRequest) -> None:
    note(f="tick", past_due=timer.past_due)
    time.sleep(1.5)
    note(f="tick-end")


@app.timer_trigger(arg_name="timer", schedule="0 0 3 29 2 *", run_on_startup=True)
async def nightly(timer: func.TimerRequest, context: func.Context) -> None:
    note(f="nightly", past_due=timer.past_due, status=timer.schedule_status, retry=context.retry_context is not None)


@app.timer_trigger(arg_name="timer", schedule="0 30 3 29 2 *")
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:00.1")
def stubborn(timer: func.TimerRequest, context: func.Context) -> None:
    retry = context.retry_context
    note(f="stubborn", count=retry.retry_count, most=retry.max_retry_count,
         error=retry.exception and retry.exception.message)
    raise ValueError(f"failure {retry.retry_count}")


@app.timer_trigger(arg_name="timer", schedule="0 0 4 29 2 *")
@app.retry(strategy="exponential_backoff", max_retry_count="-1", minimum_interval="00:00:00.05",
           maximum_interval="00:00:00.1")
def at_last(timer: func.TimerRequest, context: func.Context) -> None:
    note(f="at_last", count=context.retry_context.retry_count)
    if context.retry_context.retry_count < 4:
        raise ValueError("not yet")


@app.timer_trigger(arg_name="timer", schedule="0 0 5 29 2 *")
def returns(timer: func.TimerRequest):
    return 1
"""
)


def noted(journal: Path, function: str) -> list[dict[str, Any]]:
    return [entry for entry in read_journal(journal) if entry["f"] == function]


def by_hand(host: RunningHost, function: str) -> None:
    with urllib.request.urlopen(f"{host.base_url}/admin/functions/{function}", data=b"{}", timeout=60) as answer:
        assert answer.status == 202


def environ(tmp_path: Path, tick: str = "0 0 0 1 1 *") -> dict[str, str]:
    return {"JOURNAL": str(tmp_path / "journal"), "TICK": tick}


def test_occurrences_during_a_run_are_skipped(tmp_path: Path) -> None:
    root = make_app(tmp_path / "app", APP)
    with running_host(tmp_path / "state", root, environ(tmp_path, "* * * * * *")):
        wait_until(lambda: len(noted(tmp_path / "journal", "tick-end")) >= 2)
    order = [entry["f"] for entry in read_journal(tmp_path / "journal") if entry["f"].startswith("tick")]
    # never two at once, and the run in progress ended before the host did
    assert order == ["tick", "tick-end"] * (len(order) // 2)
    starts = [entry["at"] for entry in noted(tmp_path / "journal", "tick")]
    assert all(later - earlier > 1.5 for earlier, later in pairwise(starts))
    assert not (tmp_path / "state" / "timers" / "tick.json").exists()  # denser than a minute: no status is kept


def test_startup_status_retries_and_calls_by_hand(tmp_path: Path) -> None:
    root, journal = make_app(tmp_path / "app", APP), tmp_path / "journal"
    with running_host(tmp_path / "state", root, environ(tmp_path)) as host:
        first = wait_until(lambda: noted(journal, "nightly"))[0]
        assert (first["past_due"], first["retry"], first["status"]["Last"]) == (False, False, None)
        assert first["status"]["Next"].endswith("-02-29T03:00:00+00:00")
        for function in ("stubborn", "at_last", "returns"):
            by_hand(host, function)
        wait_until(lambda: len(noted(journal, "at_last")) == 5)
        wait_until(lambda: len(noted(journal, "stubborn")) == 3)
        wait_until(lambda: "function 'returns' without a $return bindingreturned a non-None" in host.output())
        assert host.stop() == 0
    assert [entry["count"] for entry in noted(journal, "at_last")] == [0, 1, 2, 3, 4]
    tries = [(entry["count"], entry["most"], entry["error"]) for entry in noted(journal, "stubborn")]
    assert tries == [(0, 2, None), (1, 2, "failure 0"), (2, 2, "failure 1")]
    assert len(noted(journal, "nightly")) == 1


def test_missed_occurrence_is_past_due_after_a_restart(tmp_path: Path) -> None:
    root, journal, state = make_app(tmp_path / "app", APP), tmp_path / "journal", tmp_path / "state"
    now = datetime.now(UTC)
    for function, last in (("stubborn", now - timedelta(days=5 * 366)), ("at_last", None)):
        # the second was written a moment ago and has missed nothing
        StatusFile(state, function).write(Status(last, now, last or now))
    with running_host(state, root, environ(tmp_path)) as host:
        wait_until(lambda: len(noted(journal, "stubborn")) == 3)
        wait_until(lambda: noted(journal, "nightly"))
        assert host.stop() == 0
    assert noted(journal, "at_last") == []
    kept = StatusFile(state, "stubborn").read()
    assert kept and kept.last and kept.last >= now
    with running_host(state, root, environ(tmp_path)) as host:
        wait_until(lambda: len(noted(journal, "nightly")) == 2)
        assert host.stop() == 0
    assert len(noted(journal, "stubborn")) == 3  # nothing was missed this time


def test_status_file_keeps_what_was_written(tmp_path: Path) -> None:
    file, moment = StatusFile(tmp_path, "f"), datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert file.read() is None
    for status in (Status(None, moment, moment), Status(moment, moment + timedelta(days=1), moment)):
        file.write(status)
        assert StatusFile(tmp_path, "f").read() == status


@pytest.mark.parametrize(
    ("last", "now", "expected"),
    [
        ("2026-03-01 03:00:00", "2026-03-01 23:00:00", False),
        ("2026-03-01 03:00:00", "2026-03-02 03:00:00", True),
        (None, "2026-03-01 02:59:59", False),
        (None, "2026-03-01 03:00:00", True),
    ],
)
def test_past_due_is_counted_by_the_schedule(last: str | None, now: str, expected: bool) -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    written = at("2026-03-01 00:00:00")
    status = Status(at(last) if last else None, written, at(last) if last else written)
    assert is_past_due(status, Schedule("0 0 3 * * *"), at(now)) is expected


def test_delays_of_retries() -> None:
    grows = {"strategy": "exponential_backoff", "max_retry_count": "5"}
    policy = read_retry("f", {**grows, "minimum_interval": "00:00:02", "maximum_interval": "00:00:10"})
    assert policy and [policy.delay(retry) for retry in (1, 2, 3, 4, 5000)] == [2, 4, 8, 10, 10]
    fixed = read_retry("f", {"strategy": "fixed_delay", "max_retry_count": 1, "delay_interval": "00:01:00"})
    assert fixed and [fixed.delay(retry) for retry in (1, 9)] == [60, 60]
    with pytest.raises(HostError, match="retry policy"):
        read_retry("f", {"strategy": "fixed_delay", "max_retry_count": "1"})


def test_policy_of_a_queue_function_is_ignored_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    app = func.FunctionApp()

    @app.service_bus_queue_trigger(arg_name="msg", queue_name="q", connection="BUS")
    @app.retry(strategy="fixed_delay", max_retry_count="1", delay_interval="00:00:01")
    def f(msg: func.ServiceBusMessage) -> None: ...

    assert check_app(app)[0].retry is None
    assert "its retry policy is ignored" in caplog.text


def test_status_is_plain_json(tmp_path: Path) -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    StatusFile(tmp_path, "f").write(Status(None, moment, moment))
    kept = json.loads((tmp_path / "timers" / "f.json").read_text())
    assert kept == {"Last": None, "Next": "2026-03-01T00:00:00+00:00", "LastUpdated": "2026-03-01T00:00:00+00:00"}
