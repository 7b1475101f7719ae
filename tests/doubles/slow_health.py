"""Health again, slowly: plain Python straight from the words of the definition, sharing nothing with the fast one."""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY = 86_400


@dataclass(frozen=True)
class Event:
    at: int
    end: int
    weight: float
    sign: bool
    signers: frozenset[int] = frozenset()  # people of interest who gave the sign themselves


def seen(events: list[Event], t: int) -> list[Event]:
    return [e for e in events if e.weight > 0 and e.at <= t and e.end <= t and t - e.at < 730 * DAY]


def values(events: list[Event], t: int, frequency: int, half_life: float, breadth: bool) -> list[float]:
    found = seen(events, t)
    ages = {id(e): t - e.at for e in found}
    fade = 0.5 ** (frequency / half_life)
    periods = {ages[id(e)] // (frequency * DAY) for e in found}
    theirs = {ages[id(e)] // (frequency * DAY) for e in found if e.sign}
    n = max(12, max(periods, default=-1) + 1)
    expected = sum(fade**k for k in range(n))
    volume = sum(e.weight * 0.5 ** (ages[id(e)] / (half_life * DAY)) for e in found)
    parts = [
        sum(fade**k for k in periods) / expected,
        sum(fade**k for k in theirs) / expected,
        1 - 0.25 ** (volume / expected),
        recency(ratio(events, t, frequency)),
    ]
    if breadth:
        people = {p for e in found if e.sign and ages[id(e)] < 90 * DAY for p in e.signers}
        parts.append(min(1.0, max(0.0, (len(people) - 1) / 2)))
    return parts


def active_days(events: list[Event], t: int) -> list[int]:
    return sorted({(t - e.at) // DAY for e in seen(events, t)})


def ratio(events: list[Event], t: int, frequency: int) -> float | None:
    days = active_days(events, t)
    if not days:
        return None
    gap = (days[-1] - days[0]) / (len(days) - 1) if len(days) >= 4 else frequency
    return min(t - e.at for e in seen(events, t)) / (max(gap, 2) * DAY)


def recency(r: float | None) -> float:
    if r is None or r >= 8:
        return 0.0
    return 1.0 if r <= 2 else 1 - math.log2(r / 2) / 2


def score(events: list[Event], t: int, frequency: int, half_life: float, points: tuple[float, ...]) -> float:
    return sum(p * v for p, v in zip(points, values(events, t, frequency, half_life, len(points) == 5), strict=True))


def is_sufficient(events: list[Event], t: int) -> bool:
    found = seen(events, t)
    return len(found) >= 3 and max(t - e.at for e in found) >= 14 * DAY


def trend_word(deltas: list[float | None]) -> str:
    """From 14 differences, oldest first; None = insufficient at either end."""
    state, before = "steady", None
    for delta in deltas:
        if delta is None:
            state, before = "steady", None
            continue
        if (state == "improving" and delta < 2) or (state == "declining" and delta > -2):
            state = "steady"
        if before is not None and before >= 5 and delta >= 5:
            state = "improving"
        if before is not None and before <= -5 and delta <= -5:
            state = "declining"
        before = delta
    return "not_enough" if deltas[-1] is None else state


def trend(events: list[Event], t: int, frequency: int, half_life: float, points: tuple[float, ...]) -> str:
    deltas: list[float | None] = []
    for back in range(13, -1, -1):
        now, then = t - back * DAY, t - (back + 28) * DAY
        if not (is_sufficient(events, now) and is_sufficient(events, then)):
            deltas.append(None)
            continue
        difference = score(events, now, frequency, half_life, points) - score(
            events, then, frequency, half_life, points
        )
        deltas.append(round(difference, 9))
    return trend_word(deltas)


def drops(events: list[Event], t: int, frequency: int, half_life: float, points: tuple[float, ...]) -> dict[int, float]:
    """Index of each seen event -> score minus score without it."""
    whole = score(events, t, frequency, half_life, points)
    kept = {id(e) for e in seen(events, t)}
    return {
        i: whole - score(events[:i] + events[i + 1 :], t, frequency, half_life, points)
        for i, e in enumerate(events)
        if id(e) in kept
    }
