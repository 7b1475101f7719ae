"""Histories written as ages in days, the shorthand of the health vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import Direction, History, Kind, Reason, RecordType, Role
from shared.kpi.parameters import DAY

A = 1_773_576_000  # 2026-03-15T12:00:00Z, the instant of the vectors
ANNA, BEN, CLEO = 1, 2, 3
KIM, LEE, MAX, PAT, QUIN = 11, 12, 13, 14, 15
INTERNAL_BELOW = 10


@dataclass(frozen=True)
class Contact:
    """One interaction, `age` days before the instant of the history; `hours` is a meeting's length."""

    age: float
    kind: Kind
    direction: Direction
    people: tuple[tuple[int, Role], ...]
    sign: bool
    hours: float = 0.0
    conversation: int = 0


def mail_out(age: float, sender: int = ANNA, to: Sequence[int] = (KIM,), conversation: int = 0) -> Contact:
    people = ((sender, Role.FROM), *((person, Role.TO) for person in to))
    return Contact(age, Kind.EMAIL, Direction.OUT, people, sign=False, conversation=conversation)


def mail_in(age: float, sender: int = KIM, to: Sequence[int] = (ANNA,), conversation: int = 0) -> Contact:
    people = ((sender, Role.FROM), *((person, Role.TO) for person in to))
    return Contact(age, Kind.EMAIL, Direction.IN, people, sign=True, conversation=conversation)


def meeting(age: float, ours: Sequence[int] = (ANNA,), theirs: Sequence[int] = (KIM,), hours: float = 0.0) -> Contact:
    people = ((ours[0], Role.ORGANIZER), *((p, Role.ATTENDEE) for p in (*ours[1:], *theirs)))
    return Contact(age, Kind.MEETING, Direction.OUT, people, sign=bool(theirs), hours=hours)


def call_in(age: float, caller: int = KIM, called: int = ANNA) -> Contact:
    return Contact(age, Kind.CALL, Direction.IN, ((caller, Role.FROM), (called, Role.TO)), sign=True)


def both(ages: Iterable[float]) -> list[Contact]:
    """One mail out and one in at each age."""
    return [mail(age) for age in ages for mail in (mail_out, mail_in)]


def aged(contacts: Iterable[Contact], days: float) -> list[Contact]:
    """The same contacts, longer ago."""
    return [Contact(**{**vars(c), "age": c.age + days}) for c in contacts]


def weeks(age: float = 3) -> list[Contact]:
    """W of the vectors: mail both ways each week for a year."""
    return both(np.arange(age, age + 364, 7).tolist())


def history(
    contacts: Iterable[Contact], as_of: int = A, record: RecordType = RecordType.CONTACT, closed: int | None = None
) -> History:
    """The contacts as a history at `as_of`; everybody is of the record; keys are numbered in the order given."""
    numbered = sorted(enumerate(contacts), key=lambda pair: (as_of - round(pair[1].age * DAY), pair[0]))
    rows = [contact for _, contact in numbered]
    people = [(index, person, role) for index, row in enumerate(rows) for person, role in row.people]
    at = np.array([as_of - round(row.age * DAY) for row in rows], dtype=np.int64)
    part_person = np.array([person for _, person, _ in people], dtype=np.uint64)
    return History(
        as_of=as_of,
        type=record,
        key=np.array([number.to_bytes(16, "big") for number, _ in numbered], dtype="S16"),
        at=at,
        end=at + np.array([round(row.hours * 3600) for row in rows], dtype=np.int64),
        kind=np.array([row.kind for row in rows], dtype=np.uint8),
        direction=np.array([row.direction for row in rows], dtype=np.uint8),
        reason=np.full(len(rows), Reason.PARTICIPANTS, dtype=np.uint8),
        flags=np.zeros(len(rows), dtype=np.uint32),
        minutes=np.array([row.hours * 60 for row in rows], dtype=np.float64),
        conversation=np.array([row.conversation for row in rows], dtype=np.uint64),
        from_them=np.array([row.sign for row in rows], dtype=bool),
        part_index=np.array([index for index, _, _ in people], dtype=np.int64),
        part_person=part_person,
        part_role=np.array([role for _, _, role in people], dtype=np.uint8),
        part_internal=part_person < INTERNAL_BELOW,
        part_counts=np.ones(len(people), dtype=bool),
        closed=closed,
    )
