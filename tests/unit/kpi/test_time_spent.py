"""Vectors of kpis 6."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.kpi.interactions import Membership
from shared.kpi.time_spent import Hours, hours
from shared.kpi.windows import kpi_window
from tests.doubles.histories import BERLIN, A, Item, account, call, email, history, meeting, opportunity, task

AT = "2026-03-02T09:00Z"
TEAM = ["anna", "ben", "cleo"]
SIX_1 = meeting(AT, "anna", ["ben", "cleo", "kim", "lee"], 30)


def spent(*items: Item, of: Membership | None = None) -> Hours:
    return hours(history(*items, of=of or account()), kpi_window(A, BERLIN), BERLIN)


def mails(sent: int, received: int) -> list[Item]:
    out = [email(A - 1000 - number, "anna", ["kim"]) for number in range(sent)]
    return out + [email(A - 500 - number, "kim", ["anna"]) for number in range(received)]


@pytest.mark.parametrize(
    ("items", "ours", "theirs"),
    [
        pytest.param([SIX_1], 90, 30, id="6-1"),
        pytest.param(mails(1, 1), 7.5, 7.5, id="6-2"),
        pytest.param(
            [meeting(AT, "anna", ["ben", "cleo", "kim", "lee"], 30, declined=["ben", "lee"])], 60, 30, id="6-3"
        ),
        pytest.param([meeting(AT, "anna", ["ben", "kim"], 600)], 960, 480, id="6-4"),
        pytest.param([meeting(AT, "anna", ["kim"], 480)], 480, 480, id="6-5"),
        pytest.param([call(AT, ["anna", "ben"], ["kim"], 12)], 24, 12, id="6-6"),
        pytest.param(
            [email(AT, "kim", [*TEAM, "dora"], cc=["e@us.example", "f@us.example", "g@us.example"])], 2.5, 5, id="6-11"
        ),
        pytest.param([task(AT, "anna", 45, regarding=["O"])], 45, 0, id="task"),
        pytest.param([task(AT, "anna", 45)], 0, 0, id="task-regarding-nothing"),
        pytest.param([call(AT, "anna", ["kim"], -5)], 0, 0, id="negative-duration"),
    ],
)
def test_minutes(items: list[Item], ours: float, theirs: float) -> None:
    found = spent(*items)
    assert (found.our_minutes, found.their_minutes) == (ours, theirs)


def test_vector_6_7_missing_duration() -> None:
    found = spent(call(AT, "anna", ["kim"]))
    assert (found.our_minutes, found.their_minutes, found.duration_missing) == (0, 0, 1)


@pytest.mark.parametrize(
    ("regarding", "ours", "theirs", "wider"),
    [pytest.param([], 120, 60, 60, id="6-8"), pytest.param(["O"], 180, 60, 0, id="6-9")],
)
def test_wider_team(regarding: list[str], ours: float, theirs: float, wider: float) -> None:
    found = spent(meeting(AT, "anna", ["ben", "cleo", "kim"], 60, regarding=regarding), of=opportunity())
    assert (found.our_minutes, found.their_minutes, found.wider_team_minutes) == (ours, theirs, wider)


def test_vector_6_10_hours() -> None:
    found = spent(*mails(7, 5), SIX_1)
    assert (found.our_minutes, found.ours, found.their_minutes, found.theirs) == (52.5 - 5 + 90, 2.29, 72.5, 1.21)
    assert found.face_minutes == 30


def test_nothing_takes_no_time() -> None:
    assert spent() == Hours(0, 0, 0, 0, 0, 0, 0)


def test_meeting_without_anybody_of_ours_takes_one_of_us() -> None:
    """Cannot come out of inclusion, but n is at least 1 by definition."""
    found = history(meeting(AT, "anna", ["kim"], 30))
    alone = replace(found, part_internal=found.part_internal & False)
    assert hours(alone, kpi_window(A, BERLIN), BERLIN).our_minutes == 30
