"""NCRONTAB schedules: six fields with seconds first, or a time span between two runs. All times are UTC."""

from __future__ import annotations

import re
from calendar import day_name, month_name, monthrange
from datetime import UTC, date, datetime, time, timedelta

from local.host.settings import seconds_of

_MONTHS = [name.lower() for name in month_name[1:]]
_DAYS = ["sunday", *(name.lower() for name in day_name[:6])]
_PART = re.compile(r"(?:(?P<star>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")

# a 29 February on a given weekday comes back after 40 years at the latest
_SEARCHED_DAYS = 41 * 366


class _Field:
    def __init__(self, name: str, least: int, most: int, names: list[str] | None = None) -> None:
        self.name, self.least, self.most, self.names = name, least, most, names or []

    def values(self, text: str) -> list[int]:
        """The values that a field's text allows, ascending. Raises ValueError for one that it does not allow."""
        return sorted({value for part in text.split(",") for value in self._part(part)})

    def _part(self, part: str) -> range:
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{self.name} {part!r} cannot be read")
        step = max(int(match["step"] or 1), 1)
        if match["star"]:
            return range(self.least, self.most + 1, step)
        first = self._value(match["first"])
        if match["last"]:
            first, last = sorted((first, self._value(match["last"])))
        else:
            last = self.most if match["step"] and step > 1 else first
        return range(first, last + 1, step)

    def _value(self, text: str) -> int:
        if text.isdecimal():
            value = int(text)
            if not self.least <= value <= self.most:
                raise ValueError(f"{self.name} {value} is not between {self.least} and {self.most}")
            return value
        for position, name in enumerate(self.names):
            if name.startswith(text.lower()):
                return position + self.least
        raise ValueError(f"{self.name} {text!r} is not known")


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 6, _DAYS),
)


class Schedule:
    """When a timer fires. Day of month and weekday must both match. Raises ValueError for a text it cannot read.

    >>> Schedule("0 30 9 * * Mon-Fri").next_after(datetime(2026, 1, 2, 9, 30, tzinfo=UTC)).isoformat()
    '2026-01-05T09:30:00+00:00'
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.interval: timedelta | None = None
        fields = text.split()
        if len(fields) == 1 and ":" in text:
            self.interval = timedelta(seconds=seconds_of(text))
            if self.interval <= timedelta():
                raise ValueError(f"schedule {text!r}: an interval must be longer than nothing")
            return
        if len(fields) == 5:
            fields = ["0", *fields]
        if len(fields) != 6:
            raise ValueError(f"schedule {text!r}: six fields are expected, seconds first")
        try:
            values = [field.values(part) for field, part in zip(_FIELDS, fields, strict=True)]
        except ValueError as error:
            raise ValueError(f"schedule {text!r}: {error}") from error
        self._seconds, self._minutes, self._hours, self._days, self._months, weekdays = values
        # datetime counts from Monday = 0
        self._weekdays = {(day - 1) % 7 for day in weekdays}
        self.next_after(datetime(2000, 1, 1, tzinfo=UTC))

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence later than `moment`. Raises ValueError when there is none (30 February)."""
        if self.interval is not None:
            return moment + self.interval
        moment = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        today = self._first_time(moment.time()) if self._is_day(moment.date()) else None
        if today is not None:
            return datetime.combine(moment.date(), today, UTC)
        earliest = time(self._hours[0], self._minutes[0], self._seconds[0])
        return datetime.combine(self._next_day(moment.date()), earliest, UTC)

    def is_denser_than_a_minute(self, moment: datetime) -> bool:
        """Whether any of the next five gaps is below one minute: the host then keeps no status for the timer."""
        earlier = self.next_after(moment)
        for _ in range(5):
            later = self.next_after(earlier)
            if later - earlier < timedelta(minutes=1):
                return True
            earlier = later
        return False

    def _is_day(self, day: date) -> bool:
        return day.month in self._months and day.day in self._days and day.weekday() in self._weekdays

    def _next_day(self, day: date) -> date:
        for _ in range(_SEARCHED_DAYS):
            day += timedelta(days=1)
            if day.month not in self._months:
                day = day.replace(day=monthrange(day.year, day.month)[1])
            elif self._is_day(day):
                return day
        raise ValueError(f"schedule {self.text!r} never fires")

    def _first_time(self, earliest: time) -> time | None:
        """The first time of a day that is `earliest` or later; None when the day has no more."""
        for hour in self._hours:
            if hour < earliest.hour:
                continue
            for minute in self._minutes:
                if (hour, minute) < (earliest.hour, earliest.minute):
                    continue
                for second in self._seconds:
                    if (hour, minute, second) >= (earliest.hour, earliest.minute, earliest.second):
                        return time(hour, minute, second)
        return None
