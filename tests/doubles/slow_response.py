"""Response again, slowly: plain Python and datetime, one mail and one day at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.kpi.parameters import WorkingCalendar

DAY = 86_400


@dataclass(frozen=True)
class Mail:
    key: bytes
    at: int
    ours: bool
    sender: int
    names_other_side: bool
    conversation: int


@dataclass(frozen=True)
class Turn:
    ours: bool
    key: bytes
    asked_at: int
    answer: Mail | None


def turns(mails: list[Mail]) -> list[Turn]:
    conversations: dict[tuple[int, int], list[Mail]] = {}
    for number, mail in enumerate(mails):
        conversations.setdefault((mail.conversation, number if mail.conversation == 0 else 0), []).append(mail)
    return [turn for found in conversations.values() for turn in _of(sorted(found, key=lambda m: (m.at, m.key)))]


def _of(mails: list[Mail]) -> list[Turn]:
    runs: list[list[Mail]] = []
    for mail in mails:
        if runs and runs[-1][0].ours == mail.ours:
            runs[-1].append(mail)
        else:
            runs.append([mail])
    result = []
    for number, run in enumerate(runs):
        asking = [mail for mail in run if mail.names_other_side]
        if not asking:
            continue
        answer = runs[number + 1][0] if number + 1 < len(runs) else None
        if answer is not None and answer.at - asking[0].at > 30 * DAY:
            answer = None
        result.append(Turn(run[0].ours, asking[0].key, asking[0].at, answer))
    return result


def business_seconds(calendar: WorkingCalendar, start: int, end: int) -> int:
    zone = ZoneInfo(calendar.zone)
    day = datetime.fromtimestamp(start, zone).date() - timedelta(days=1)
    last = datetime.fromtimestamp(end, zone).date() + timedelta(days=1)
    total = 0
    while day <= last:
        for begin, finish in () if day.isoformat() in calendar.days_off else calendar.week[day.weekday()]:
            bounds = []
            for minutes in (begin, finish):
                wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minutes)
                bounds.append(int(wall.astimezone(UTC).timestamp()))
            total += max(0, min(end, bounds[1]) - max(start, bounds[0]))
        day += timedelta(days=1)
    return total
