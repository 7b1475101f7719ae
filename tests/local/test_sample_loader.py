"""Loading over real HTTP: batches, retries, refusals, waiting for the queues; and the progress it shows."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Lock
from typing import Any

import pytest

from local.sample import loader
from local.sample.loader import LoadError, LoadStopped, Poster, Target, batches, post_all, wait_until_handled
from local.sample.progress import Progress
from tests.doubles.serving import Asked, Reply
from tests.doubles.serving import serving as http_serving

Answer = tuple[int, Any]
LOST = 0  # no answer, the connection closes


def serving(answer: Callable[[str, Any], Answer]) -> AbstractContextManager[str]:
    """A server that answers (path, JSON body) with (status, JSON); its address."""

    def reply(asked: Asked) -> Reply | None:
        status, content = answer(asked.path, json.loads(asked.body) if asked.body else None)
        return None if status == LOST else (status, {}, json.dumps(content).encode())

    return http_serving(reply)


def _changes(**counts: int) -> list[dict[str, Any]]:
    return [{"entity": entity, "id": f"{entity}{n}"} for entity, count in counts.items() for n in range(count)]


def _post(base: str, changes: list[dict[str, Any]]) -> int:
    with Poster(Target(base, "t", base), Event()) as poster:
        return poster.post(changes)


def _ignore(*_: object) -> None:
    """No progress wanted."""


def test_batches_keep_order_and_never_mix_records_with_activities() -> None:
    changes = _changes(user=3, contact=2, email=5)
    parts = list(batches(changes, 4))
    assert [len(part) for part in parts] == [4, 1, 4, 1]
    assert [change for part in parts for change in part] == changes


def test_everything_is_sent_once_and_activities_when_all_records_are_taken_in() -> None:
    taken: list[str] = []
    guard = Lock()
    depths = iter([2, 1, 0])

    def take(path: str, body: Any) -> Answer:
        if path == "/queues":
            assert len(taken) == 1_500
            return 200, {"crm-changes": {"active": next(depths), "locked": 0, "dead_letter": 7}}
        assert path == "/api/crm/changes"
        with guard:
            taken.extend(change["id"] for change in body["changes"])
        return 202, {}

    changes, shown = _changes(user=1_500, email=4_200), []
    with serving(take) as base:
        post_all(changes, Target(base, "t", base), Event(), lambda *progress: shown.append(progress))
    assert sorted(taken) == sorted(change["id"] for change in changes)
    assert all(name.startswith("user") for name in taken[:1_500])
    assert next(depths, None) is None
    assert shown[-1] == ("sending", 5_700, 5_700)


def test_a_batch_is_sent_again_after_503_and_after_a_lost_answer() -> None:
    answers = iter([503, LOST, 429, 202])
    with serving(lambda *_: (next(answers), {})) as base:
        assert _post(base, _changes(email=3)) == 3
    assert next(answers, None) is None


def test_a_refusal_is_told_and_not_repeated() -> None:
    asked = []

    def refuse(path: str, _: Any) -> Answer:
        asked.append(path)
        return 400, {"detail": "unknown attribute"}

    with serving(refuse) as base, pytest.raises(LoadError, match=r"400.*unknown attribute"):
        _post(base, _changes(email=1))
    assert len(asked) == 1


def test_a_stop_ends_the_waiting_for_an_app_that_is_not_there() -> None:
    stop = Event()
    stop.set()
    with pytest.raises(LoadStopped):
        Poster(Target("http://127.0.0.1:1", "t", ""), stop).post(_changes(email=1))


def _queue(**counts: int) -> dict[str, dict[str, int]]:
    return {"record-updates": {"active": 0, "scheduled": 0, "locked": 0, "deferred": 0, "dead_letter": 0} | counts}


def test_waits_until_the_queues_are_empty_twice_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "POLL_SECONDS", 0.01)
    depths = [_queue(), _queue(active=5), _queue(locked=1), _queue(), _queue(scheduled=2), _queue(), _queue()]
    left, shown = iter(depths), []
    with serving(lambda *_: (200, next(left))) as base:
        wait_until_handled(base, Event(), lambda *progress: shown.append(progress))
    assert next(left, None) is None
    assert shown == [("computing", d, 5) for d in (0, 4, 5, 3, 5, 5)]


def test_new_dead_letters_fail_the_load_and_old_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "POLL_SECONDS", 0.01)
    left = iter([_queue(dead_letter=2), _queue(dead_letter=2), _queue(dead_letter=2)])
    with serving(lambda *_: (200, next(left))) as base:
        wait_until_handled(base, Event(), _ignore)
    left = iter([_queue(dead_letter=2), _queue(dead_letter=3)])
    with (
        serving(lambda *_: (200, next(left))) as base,
        pytest.raises(LoadError, match="1 messages ended as dead letters"),
    ):
        wait_until_handled(base, Event(), _ignore)


def test_queues_that_do_not_move_fail_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(loader, "STALLED_SECONDS", 0.05)
    with serving(lambda *_: (200, _queue(active=7))) as base, pytest.raises(LoadError, match="7 messages wait"):
        wait_until_handled(base, Event(), _ignore)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_is_one_moving_line_for_each_step() -> None:
    stream = Terminal()
    progress = Progress(stream)
    progress("sending", 1_000, 2_000)
    progress("sending", 2_000, 2_000)
    progress("computing", 0, 0)
    progress.finish()
    lines = stream.getvalue().split("\n")
    assert len(lines) == 3
    assert "[###############...............] 1,000 of 2,000" in lines[0]
    assert lines[1].startswith("\r  computing")


def test_progress_elsewhere_is_a_line_at_the_start_every_five_seconds_and_at_the_end() -> None:
    stream, now = io.StringIO(), iter([0.0, 1.0, 6.0, 7.0, 8.0])
    progress = Progress(stream, lambda: next(now))
    for done in (1, 2, 3, 4):
        progress("sending", done, 4)
    assert stream.getvalue().splitlines() == ["  sending 1 of 4", "  sending 3 of 4", "  sending 4 of 4"]
