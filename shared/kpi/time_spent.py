"""Hours invested by both sides (kpis 6): flat minutes for mails, durations times our people for meetings and calls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import Bools, History, Indices, Kind
from shared.kpi.parameters import Parameters
from shared.kpi.rounding import rounded
from shared.kpi.windows import Window, within

# Plain numbers: an enum compares with a small array three times as slowly.
_EMAIL, _MEETING, _TASK = int(Kind.EMAIL), int(Kind.MEETING), int(Kind.TASK)


@dataclass(frozen=True)
class Hours:
    """Time of a window, 0 or more; hours with 2 decimals, minutes with 1."""

    ours: float  # hours
    theirs: float
    our_minutes: float
    their_minutes: float
    face_minutes: float  # durations of meetings, once each
    wider_team_minutes: float  # of our people outside the record's team; not in `ours`
    duration_missing: int  # calls and tasks without a duration: they count as 0 minutes


def hours(history: History, window: Window, parameters: Parameters) -> Hours:
    """Minutes of both sides; all zero without interactions.

    A mail costs its writer `minutes_to_write` and the other side `minutes_to_read`, however many read it. Meetings and calls
    cost us their duration for each of our participants (at least one), the other side once. Durations are cut to
    `longest_minutes`. For a deal reached through participants only its team multiplies; the others are the wider team.
    """
    inside = within(history, window)
    timed = inside.kind != _EMAIL
    sent, received = np.bincount(inside.direction[~timed], minlength=2).tolist()
    rows = timed.nonzero()[0]
    kind = inside.kind.take(rows)
    meeting, task = kind == _MEETING, kind == _TASK
    stored = np.where(meeting, (inside.end.take(rows) - inside.at.take(rows)) / 60, inside.minutes.take(rows))
    missing = np.isnan(stored)
    duration = np.clip(np.where(missing, 0.0, stored), 0.0, parameters.longest_minutes)
    team, others = _people(inside, timed)
    ours = float((duration * np.where(task, 1, np.maximum(team, 1))).sum())
    ours += sent * parameters.minutes_to_write + received * parameters.minutes_to_read
    theirs = float(duration[~task].sum()) + sent * parameters.minutes_to_read + received * parameters.minutes_to_write
    wider = float((duration * np.where(task, 0, others)).sum())
    return Hours(
        ours=rounded(ours / 60, 2),
        theirs=rounded(theirs / 60, 2),
        our_minutes=rounded(ours, 1),
        their_minutes=rounded(theirs, 1),
        face_minutes=rounded(float(duration[meeting].sum()), 1),
        wider_team_minutes=rounded(wider, 1),
        duration_missing=int(np.count_nonzero(missing)),
    )


def _people(history: History, chosen: Bools) -> tuple[Indices, Indices]:
    """How many of our people took part in each of the chosen interactions: those who count, and the others."""
    parts = np.flatnonzero(chosen.take(history.part_index) & history.part_internal)
    code = history.part_index.take(parts) * 2 + history.part_counts.take(parts)
    table = np.bincount(code, minlength=2 * len(history)).reshape(-1, 2)[chosen]
    return table[:, 1], table[:, 0]
