"""What a reply, a mail or a meeting by Friday would do to the score (kpis 8.7).

All three numbers come from the same function: the score now, the score at the target instant if nothing happens, and the
score at that instant if the event happens then. When it does happen, the score is the one that was promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np

from shared.kpi.changes import Event, at_instant, with_event
from shared.kpi.contributions import contributions
from shared.kpi.health import is_sufficient
from shared.kpi.interactions import Direction, History, Kind
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.shares import their_shares
from shared.kpi.tenths import tenths

_FRIDAY = 4


class Deed(StrEnum):
    """What might happen."""

    REPLY = "reply"  # a mail from them
    MAIL = "mail"  # a mail from us
    MEETING = "meeting"  # a meeting held


@dataclass(frozen=True)
class Outlook:
    """One possible event with a named person of theirs; `score` at the target instant, None = still insufficient."""

    deed: Deed
    person: int
    score: float | None


@dataclass(frozen=True)
class Counterfactual:
    """Score now, at `target` if nothing happens, and at `target` for each possible event."""

    target: int
    now: float | None
    without: float | None
    outlooks: tuple[Outlook, ...]


def counterfactual(history: History, parameters: Parameters, person: int | None = None) -> Counterfactual | None:
    """The three numbers of each deed at next Friday 17:00. None for a closed record: its score is frozen.

    `person` is whom of theirs the deed is with; left open, it is whoever holds the largest share of the relationship. A
    record on which none of theirs is known has no outlooks.
    """
    if history.closed is not None and history.closed <= history.as_of:
        return None
    target = target_instant(history.as_of, parameters.reporting_zone)
    whom = person if person is not None else _closest(history, parameters)
    deeds = (
        []
        if whom is None
        else [Outlook(deed, whom, score_with(history, parameters, deed, whom, target)) for deed in Deed]
    )
    without = score_at(at_instant(history, target), parameters)
    return Counterfactual(target, score_at(history, parameters), without, tuple(deeds))


def target_instant(as_of: int, zone: str) -> int:
    """The next Friday 17:00 on the zone's clock that is at least 24 hours away.

    >>> target_instant(1773576000, "Europe/Berlin")  # from Sunday 2026-03-15T12:00Z to Friday 2026-03-20T16:00Z
    1774022400
    """
    local = ZoneInfo(zone)
    day = datetime.fromtimestamp(as_of, UTC).astimezone(local).date()
    day += timedelta(days=(_FRIDAY - day.weekday()) % 7)
    for week in range(3):  # the third Friday is more than 24 hours away in any zone
        instant = int(datetime.combine(day + timedelta(days=7 * week), time(17), tzinfo=local).timestamp())
        if instant - as_of >= DAY:
            break
    return instant


def score_with(history: History, parameters: Parameters, deed: Deed, person: int, at: int) -> float | None:
    """The score at instant `at` when the deed with this person has just happened."""
    return score_at(with_event(history, _event(deed, person), at), parameters)


def score_at(history: History, parameters: Parameters) -> float | None:
    """The score at the history's own instant, one decimal; None = insufficient."""
    parts = contributions(history, parameters, history.as_of)
    return tenths((parts.values[0] * parts.points).tolist())[0] if is_sufficient(parts)[0] else None


def _event(deed: Deed, person: int) -> Event:
    kind = Kind.MEETING if deed is Deed.MEETING else Kind.EMAIL
    direction = Direction.IN if deed is Deed.REPLY else Direction.OUT
    return Event(kind, direction, from_them=deed is not Deed.MAIL, person=person)


def _closest(history: History, parameters: Parameters) -> int | None:
    shares = their_shares(history, parameters)
    return int(shares.person[np.argmax(shares.amount)]) if len(shares.person) else None
