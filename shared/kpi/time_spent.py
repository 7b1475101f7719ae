"""Hours invested by both sides (kpis 6): flat minutes for mails, durations times our people for meetings and calls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import Bools, Direction, Floats, History, Kind
from shared.kpi.parameters import Parameters
from shared.kpi.rounding import rounded
from shared.kpi.windows import Window, rows_within


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
    chosen = np.zeros(len(history), dtype=bool)
    chosen[rows_within(history, window)] = True
    mail, meeting, task = (history.kind == kind for kind in (Kind.EMAIL, Kind.MEETING, Kind.TASK))
    stored = np.where(meeting, (history.end - history.at) / 60, history.minutes)
    missing = np.isnan(stored) & chosen & ~mail
    duration = np.where(chosen & ~mail, np.clip(np.nan_to_num(stored), 0.0, parameters.longest_minutes), 0.0)
    team, everyone = _people(history, history.part_counts), _people(history, np.True_)
    sent = int(np.count_nonzero(chosen & mail & (history.direction == Direction.OUT)))
    received = int(np.count_nonzero(chosen & mail)) - sent
    writing, reading = parameters.minutes_to_write, parameters.minutes_to_read
    ours = float((duration * np.where(task, 1.0, np.maximum(team, 1.0))).sum()) + sent * writing + received * reading
    theirs = float(duration[~task].sum()) + sent * reading + received * writing
    wider = float((duration * np.where(task, 0.0, everyone - team)).sum())
    return Hours(
        ours=rounded(ours / 60, 2),
        theirs=rounded(theirs / 60, 2),
        our_minutes=rounded(ours, 1),
        their_minutes=rounded(theirs, 1),
        face_minutes=rounded(float(duration[meeting].sum()), 1),
        wider_team_minutes=rounded(wider, 1),
        duration_missing=int(np.count_nonzero(missing)),
    )


def _people(history: History, rows: Bools | np.bool_) -> Floats:
    """(n,) how many of our people took part, among the marked participations."""
    index = history.part_index[history.part_internal & rows]
    return np.bincount(index, minlength=len(history)).astype(np.float64)
