"""The last counted interaction, what is going on, and the next one planned (kpis 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import Bools, History, Indices, Interactions, Keys, Kind, Response


@dataclass(frozen=True)
class Moment:
    """One interaction, without its name: that is fetched from the CRM for whoever reads it."""

    key: str  # the interaction's key, hexadecimal
    kind: Kind
    at: int
    end: int
    direction: int | None  # Direction; None for what has not happened
    people: tuple[int, ...]  # who takes part, ascending person keys


@dataclass(frozen=True)
class LastNext:
    """Each None when there is none; `next` None reads "not scheduled"."""

    last: Moment | None
    current: Moment | None
    next: Moment | None


def last_next(history: History) -> LastNext:
    """Latest counted mail, meeting or call (whole history), the meeting that began last of those going on, and the earliest
    scheduled meeting, call or task. Equal times: the smaller key."""
    return LastNext(
        last=_last(history),
        current=_latest(history.current, history.current.at),
        next=_planned(history.planned, 0) if len(history.planned) else None,
    )


def _last(history: History) -> Moment | None:
    contacts = _contacts(history, max(len(history) - 256, 0))
    if not len(contacts):
        contacts = _contacts(history, 0)
    if not len(contacts):
        return None
    same_time = _contacts(history, int(history.at.searchsorted(history.at[contacts[-1]])))
    row = int(same_time[0])
    people = _people(history.part_index, history.part_person, row)
    return _moment(history, row, int(history.direction[row]), people)


def _contacts(history: History, start: int) -> Indices:
    """Rows from `start` on that are a mail, meeting or call."""
    rows: Indices = start + np.flatnonzero(history.kind[start:] != Kind.TASK)
    return rows


def _latest(planned: Interactions, at: Indices) -> Moment | None:
    return _planned(planned, int(np.searchsorted(at, at[-1]))) if len(planned) else None


def _planned(planned: Interactions, row: int) -> Moment:
    attends = planned.part_response != Response.DECLINED
    return _moment(planned, row, None, _people(planned.part_index, planned.part_person, row, attends))


def _people(index: Indices, person: Keys, row: int, attends: Bools | None = None) -> tuple[int, ...]:
    start, end = np.searchsorted(index, [row, row + 1]).tolist()
    rows = slice(start, end)
    chosen = person[rows] if attends is None else person[rows][attends[rows]]
    return tuple(sorted(set(chosen.tolist())))


def _moment(source: History | Interactions, row: int, direction: int | None, people: tuple[int, ...]) -> Moment:
    key = source.key[row].ljust(16, b"\0").hex()  # numpy drops trailing zero bytes
    return Moment(key, Kind(int(source.kind[row])), int(source.at[row]), int(source.end[row]), direction, people)
