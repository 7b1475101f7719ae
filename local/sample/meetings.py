"""Appointments, phone calls and tasks, where the rhythm of the mail suggests them, and what is planned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from local.sample.cast import Cast, Clock, Row, regarding
from local.sample.deals import Deal
from local.sample.draw import between, draw, guid, pick
from local.sample.mail import DAY, END, Mail

HOUR = 3_600
BUSY_DAY = 3  # mails between two people on one day, in both directions
MEETING_SHARE, CALL_SHARE = 0.5, 0.5
QUIET_DAYS = 10  # of silence between two people who wrote before: somebody calls


def _pairs(mails: Sequence[Mail], cast: Cast) -> dict[tuple[str, str], list[Mail]]:
    """The mails from one person to another, both ways, for each pair of one of ours and one of theirs."""
    found: dict[tuple[str, str], list[Mail]] = defaultdict(list)
    for mail in mails:
        ours = cast.is_ours(mail.sender)
        for person in mail.to:
            if cast.is_ours(person) != ours:
                found[(mail.sender, person) if ours else (person, mail.sender)].append(mail)
    return dict(sorted(found.items()))


def next_working_day(at: int, hour: int, minute: int = 0) -> int:
    """That time of the next Monday to Friday after the day of `at`."""
    day = at // DAY + 1
    while (day + 3) % 7 >= 5:  # day 0 was a Thursday
        day += 1
    return day * DAY + hour * HOUR + minute * 60


def _attendees(us: str, them: str, mails: Sequence[Mail], cast: Cast) -> list[dict[str, str]]:
    """The two and up to three others of the day's mails, with their answers."""
    others = sorted({person for mail in mails for person in mail.people} - {us, them})[:3]
    key = f"{us}.{them}.{mails[0].at}"
    answers = []
    for person in (us, them, *others):
        chance = draw("answer", key, person)
        steps = ((0.80, "accepted"), (0.88, "tentativelyAccepted"), (0.94, "declined"), (1.0, "notResponded"))
        answers.append({**cast.party(person), "response": next(word for limit, word in steps if chance < limit)})
    return answers


def meetings(mails: Sequence[Mail], cast: Cast, clock: Clock) -> Iterator[Row]:
    """After half of the days on which two people wrote each other at least 3 mails they meet on the next working day.

    30, 60 or 90 minutes; we invite in 7 of 10; one in 20 is cancelled; every fiftieth is an all-day event. Of the meetings
    while an opportunity of theirs is open, 60 in 100 regard it.
    """
    for (us, them), pair in _pairs(mails, cast).items():
        days: dict[int, list[Mail]] = defaultdict(list)
        for mail in pair:
            days[mail.at // DAY].append(mail)
        for day in days.values():
            key = f"{us}.{them}.{day[0].at}"
            both = len({mail.sender == us for mail in day}) == 2
            if len(day) >= BUSY_DAY and both and draw("meeting", key) < MEETING_SHARE:
                start = next_working_day(day[0].at, between(9, 16, "hour", key), pick((0, 30), "minute", key))
                if start < END:
                    yield _meeting(key, us, them, start, _attendees(us, them, day, cast), cast, clock)


def _meeting(
    key: str, us: str, them: str, start: int, attendees: list[dict[str, str]], cast: Cast, clock: Clock
) -> Row:
    all_day = draw("all day", key) < 0.02
    start = start // DAY * DAY if all_day else start
    end = start + (DAY if all_day else pick((30, 60, 60, 90), "length", key) * 60)
    status = "open" if start >= END else ("cancelled" if draw("cancelled", key) < 0.05 else "completed")
    deal = cast.opportunity(frozenset((us, them)), min(start, END - 1)) if draw("regarding", key) < 0.6 else None
    row = {
        "organizer": cast.party(us if draw("organizer", key) < 0.7 else them),
        "attendees": attendees,
        "start": clock.text(start),
        "end": clock.text(end),
        "allDay": all_day,
        "status": status,
        "iCalUId": guid("iCalUId", key),
        "regarding": regarding(deal),
    }
    return cast.company(them), min(start, END), "appointment", guid("appointment", key), row


def calls(mails: Sequence[Mail], cast: Cast, clock: Clock) -> Iterator[Row]:
    """When two people who wrote each other have been silent for 10 days, in half of the cases one calls, mostly us."""
    for (us, them), pair in _pairs(mails, cast).items():
        for mail, following in zip(pair, [*pair[1:], None], strict=True):
            start = next_working_day(mail.at + QUIET_DAYS * DAY, between(9, 16, "call hour", us, them, mail.key))
            key = f"{us}.{them}.{mail.at}"
            silent = following is None or following.at > start
            if silent and start < END and draw("call", key) < CALL_SHARE:
                yield _call(key, us, them, start + between(0, 59, "call minute", key) * 60, cast, clock)


def _call(key: str, us: str, them: str, start: int, cast: Cast, clock: Clock) -> Row:
    """3 to 40 minutes; every fourth is theirs; the length of one in 25 was never written down."""
    out = draw("direction", key) < 0.75
    minutes = between(3, 40, "minutes", key)
    row: dict[str, Any] = {
        "from": cast.party(us if out else them),
        "to": [cast.party(them if out else us)],
        "direction": "out" if out else "in",
        "start": clock.text(start),
        "end": clock.text(start + minutes * 60),
        "status": "completed",
        "regarding": regarding(cast.opportunity(frozenset((us, them)), start)),
    }
    if draw("length known", key) >= 0.04:
        row["durationMinutes"] = minutes
    return cast.company(them), start, "phonecall", guid("phonecall", key), row


def tasks(deals: Sequence[Deal], cast: Cast, clock: Clock) -> Iterator[Row]:
    """A proposal to write a week after an opportunity began; done when due, except where that lies ahead."""
    for deal in deals:
        due = deal.created + 7 * DAY
        done = due < min(deal.closed or END, END)
        row: dict[str, Any] = {
            "owner": f"user:{cast.people[deal.owner].id}",
            "due": clock.text(due),
            "regarding": regarding(deal),
        }
        row |= {"durationMinutes": between(2, 8, "task", deal.key) * 15, "status": "completed" if done else "open"}
        if done:
            row["completedAt"] = clock.text(due)
        yield cast.company(deal.contact), min(due, END), "task", guid("task", deal.key), row


def plans(deals: Sequence[Deal], cast: Cast, clock: Clock) -> Iterator[Row]:
    """What lies ahead of open opportunities: a meeting for 60 in 100 and a call for 40 in 100, 7 to 20 days after the end.

    The end of the mail lies 1 to 7 days back, so all of it is still to come.
    """
    for deal in deals:
        if deal.closed is not None:
            continue
        key = f"plan.{deal.key}"
        if draw("next meeting", key) < 0.6:
            start = next_working_day(END + between(6, 17, "ahead", key) * DAY, between(9, 16, "plan hour", key))
            attendees = [{**cast.party(deal.contact), "response": "accepted"}]
            yield _meeting(key, deal.owner, deal.contact, start, attendees, cast, clock)
        if draw("next call", key) < 0.4:
            due = next_working_day(END + between(6, 17, "call ahead", key) * DAY, 10)
            row = {"from": cast.party(deal.owner), "to": [cast.party(deal.contact)], "direction": "out"}
            row |= {"due": clock.text(due), "status": "open", "regarding": regarding(deal)}
            yield cast.company(deal.contact), END, "phonecall", guid("phonecall", key), row
