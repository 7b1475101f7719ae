"""Kpis 2.3 to 6 once more, one interaction at a time, in plain Python: slow, and written from the specification alone.

Works on the items of `tests.doubles.histories`, never on columns, so that it shares nothing with the arrays it checks.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from shared.kpi.interactions import Flag, Kind, Membership, Reason, RecordType, Response, Role
from shared.kpi.parameters import Parameters
from tests.doubles.histories import DAY, Item, Part, key, record

SPANNED = {RecordType.OPPORTUNITY, RecordType.LEAD, RecordType.CASE}


def exact(value: float, digits: int) -> float:
    """Kpis 1.3 in decimals."""
    nine = Decimal(value).quantize(Decimal("1e-9"), ROUND_HALF_UP)
    return float(nine.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


@dataclass
class Record:
    """One record's point of view on single items."""

    membership: Membership
    as_of: int
    parameters: Parameters

    def __post_init__(self) -> None:
        record = self.membership
        self.canonical = dict(zip(record.persons.tolist(), record.canonical.tolist(), strict=True))
        self.staff = set(record.internal.tolist())
        self.domains = set(record.internal_domains.tolist())

    def who(self, part: Part) -> int:
        address = key(part.address)
        return self.canonical.get(address, address)

    def ours(self, part: Part) -> bool:
        return self.who(part) in self.staff or key(part.address.partition("@")[2]) in self.domains

    def attending(self, item: Item) -> list[Part]:
        def declined(part: Part) -> bool:
            return part.role == Role.ATTENDEE and part.response == Response.DECLINED

        return [part for part in item.parts if not declined(part)]

    def people(self, item: Item, ours: bool) -> set[int]:
        return {self.who(part) for part in self.attending(item) if self.ours(part) == ours}

    # What holds for every record

    def declined(self, item: Item) -> bool:
        if item.kind != Kind.MEETING:
            return False
        for side in (True, False):
            invited = [part for part in item.parts if self.ours(part) == side]
            if invited and not self.people(item, side):
                return True
        return False

    def planned(self, item: Item) -> bool:
        if Flag.CANCELLED in item.flags or self.declined(item) or item.at < self.as_of:
            return False
        return item.kind == Kind.MEETING or (item.kind in (Kind.CALL, Kind.TASK) and Flag.COMPLETED not in item.flags)

    def completed(self, item: Item) -> bool:
        if item.kind == Kind.MEETING:
            return item.end <= self.as_of and bool(item.flags & (Flag.IN_EXCHANGE | Flag.COMPLETED))
        return Flag.COMPLETED in item.flags

    def crowded(self, item: Item) -> bool:
        if item.kind == Kind.EMAIL:
            people = {self.who(part) for part in item.parts if part.role != Role.FROM}
        elif item.kind == Kind.MEETING:
            people = {self.who(part) for part in item.parts}
        else:
            return False
        return len(people) > self.parameters.recipient_limit

    def excluded(self, item: Item) -> Reason | None:
        meeting = item.kind == Kind.MEETING
        if item.at > self.as_of and not meeting and not self.planned(item):
            return Reason.OUTSIDE_WINDOW
        if Flag.CANCELLED in item.flags:
            return Reason.CANCELLED
        if self.declined(item):
            return Reason.DECLINED
        if self.planned(item):
            return Reason.SCHEDULED
        if not self.completed(item):
            return Reason.NOT_COMPLETED
        if meeting and Flag.ALL_DAY in item.flags:
            return Reason.ALL_DAY
        if meeting and Flag.IN_EXCHANGE in item.flags and (item.end - item.at) / 60 < 5:
            return Reason.TOO_SHORT
        if meeting and Flag.IN_EXCHANGE in item.flags and Flag.IN_CRM not in item.flags and Flag.NOT_BUSY in item.flags:
            return Reason.NOT_BUSY
        if Flag.AUTOMATIC in item.flags:
            return Reason.AUTOMATIC
        if Flag.BULK in item.flags:
            return Reason.BULK
        if self.crowded(item):
            return Reason.TOO_MANY_RECIPIENTS
        if item.kind == Kind.TASK:
            return None
        if all(self.ours(part) for part in item.parts):
            return Reason.INTERNAL_ONLY
        if not any(self.ours(part) for part in item.parts):
            return Reason.NO_INTERNAL
        return None

    # What this record says

    def by_rule(self, item: Item, of: Membership) -> Reason:
        mine = {(of.type, each) for each in of.record_keys.tolist()}
        regarded = {(kind, record(kind, name)) for kind, name in item.regarding}
        if regarded & mine:
            return Reason.REGARDING
        if of.type in SPANNED:
            if any(kind == of.type for kind, _ in regarded):
                return Reason.REGARDING_OTHER_RECORD
            if of.created is not None and item.at < of.created - 30 * DAY:
                return Reason.OUTSIDE_SPAN
            if of.closed is not None and item.at >= of.closed:
                return Reason.OUTSIDE_SPAN
        if item.kind == Kind.TASK or not self.people(item, False) & set(of.external.tolist()):
            return Reason.NO_PERSON_OF_INTEREST
        team = self.people(item, True)
        if of.team is not None:
            team &= set(of.team.tolist())
        return Reason.PARTICIPANTS if team else Reason.NOT_ON_TEAM

    def through(self, item: Item) -> list[int]:
        """The children of an account which count the item."""
        verdicts = [self.by_rule(item, child) for child in self.membership.children]
        return [number for number, verdict in enumerate(verdicts) if verdict <= Reason.ROLLED_UP]

    def judged(self, item: Item) -> Reason:
        own = self.by_rule(item, self.membership)
        if self.membership.type != RecordType.ACCOUNT or own == Reason.REGARDING:
            return own
        if self.through(item):
            return Reason.ROLLED_UP
        deals = [child for child in self.membership.children if child.type != RecordType.CONTACT]
        return own if own == Reason.PARTICIPANTS else max([own, *(self.by_rule(item, deal) for deal in deals)])

    def reason(self, item: Item) -> Reason:
        excluded = self.excluded(item)
        return self.judged(item) if excluded is None else excluded

    def counting(self, item: Item) -> set[tuple[bool, int]]:
        """(ours, person) of those who take part in a counted item and are the record's own people for it."""
        record = self.membership
        team = self.people(item, True)
        if self.reason(item) != Reason.REGARDING and record.team is not None:
            team &= set(record.team.tolist())
        named = {one for each in (record, *record.children) for one in each.external.tolist()}
        if self.reason(item) == Reason.REGARDING:
            named |= set(record.when_regarding.tolist())
        return {(True, one) for one in team} | {(False, one) for one in self.people(item, False) & named}

    def counts(self, item: Item) -> bool:
        return self.reason(item) <= Reason.ROLLED_UP

    def incoming(self, item: Item) -> bool:
        if item.kind == Kind.CALL and (Flag.CALL_IN in item.flags) != (Flag.CALL_OUT in item.flags):
            return Flag.CALL_IN in item.flags
        starters = [part for part in item.parts if part.role in (Role.FROM, Role.ORGANIZER)]
        return bool(starters) and not any(self.ours(part) for part in starters)

    # Figures over a window

    def within(self, items: list[Item], start: int) -> list[Item]:
        return [item for item in items if self.counts(item) and start <= item.at <= self.as_of]

    def count(self, items: list[Item], start: int) -> list[int]:
        """The six counts, then conversations begun by us and by them."""
        numbers = Counter((item.kind, self.incoming(item)) for item in self.within(items, start))
        six = [numbers[kind, side] for kind in (Kind.EMAIL, Kind.MEETING, Kind.CALL) for side in (False, True)]
        mails = [item for item in items if item.kind == Kind.EMAIL and self.counts(item)]
        threads: dict[str, Item] = {}
        for number, item in enumerate(mails):
            threads.setdefault(item.conversation or f"#{number}", item)
        begun = [self.incoming(item) for item in threads.values() if item.at >= start]
        return [*six, begun.count(False), begun.count(True)]

    def days(self, items: list[Item]) -> dict[date, list[int]]:
        zone = ZoneInfo(self.parameters.reporting_zone)

        def day(instant: int) -> date:
            return datetime.fromtimestamp(instant, UTC).astimezone(zone).date()

        today = day(self.as_of)
        table = {today - timedelta(days=back): [0] * 6 for back in range(self.parameters.timeline_days - 1, -1, -1)}
        for item in items:
            if self.counts(item) and item.kind != Kind.TASK and day(item.at) in table:
                table[day(item.at)][2 * item.kind + self.incoming(item)] += 1
        return table

    def contacted(self, items: list[Item], start: int, ours: bool, names: dict[int, str]) -> list[tuple[int, ...]]:
        """(person, number, emails, meetings, calls, last) in order."""
        tally: dict[int, list[Item]] = {}
        for item in self.within(items, start):
            if item.kind != Kind.TASK:
                for one in self.people(item, ours):
                    tally.setdefault(one, []).append(item)
        rows = []
        for one, theirs in tally.items():
            kinds = [sum(item.kind == kind for item in theirs) for kind in (Kind.EMAIL, Kind.MEETING, Kind.CALL)]
            rows.append((one, len(theirs), *kinds, max(item.at for item in theirs)))
        return sorted(rows, key=lambda row: (-row[1], -row[5], names.get(row[0], "").casefold(), row[0]))

    def minutes(self, items: list[Item], start: int) -> list[float]:
        """Ours, theirs, face, wider team, missing durations."""
        ours = theirs = face = wider = 0.0
        missing = 0
        for item in self.within(items, start):
            if item.kind == Kind.EMAIL:
                ours += 2.5 if self.incoming(item) else 5
                theirs += 5 if self.incoming(item) else 2.5
                continue
            length = (item.end - item.at) / 60 if item.kind == Kind.MEETING else item.minutes
            missing += math.isnan(length)
            length = 0.0 if math.isnan(length) else max(0.0, min(480.0, length))
            if item.kind == Kind.TASK:
                ours += length
                continue
            everyone = self.people(item, True)
            team = everyone
            if self.reason(item) == Reason.PARTICIPANTS and self.membership.team is not None:
                team = everyone & set(self.membership.team.tolist())
            ours += length * max(len(team), 1)
            theirs += length
            wider += length * (len(everyone) - len(team))
            face += length if item.kind == Kind.MEETING else 0
        return [exact(value, 1) for value in (ours, theirs, face, wider)] + [missing]
