"""The real mail network: reading it, choosing which of its people are ours, moving it near today."""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

SOURCE = Path(__file__).with_name("enron.csv.gz")
DAY = 86_400
WEEK = 7 * DAY
# The network fades out in its last four months because its collection ended, not because people stopped writing: the
# sample takes it until the end of the last full week, so that it ends in the middle of work.
END = int(datetime(2002, 2, 9, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Mail:
    """One mail of the network. `at`: seconds since 1970 as recorded; people are the network's own numbers."""

    at: int
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]

    @property
    def key(self) -> str:
        """Names the mail: nobody sent two mails in one second."""
        return f"{self.sender}.{self.at}"

    @cached_property
    def recipients(self) -> frozenset[str]:
        return frozenset(self.to + self.cc)

    @cached_property
    def people(self) -> frozenset[str]:
        return self.recipients | {self.sender}


def read_mails(source: Path = SOURCE, end: int = END) -> list[Mail]:
    """All mails sent before `end`, oldest first. The rows of one time and sender are one mail."""
    rows: dict[tuple[int, str], dict[str, list[str]]] = defaultdict(lambda: {"to": [], "cc": []})
    with gzip.open(source, "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            at = int(datetime.fromisoformat(row["time"].replace("Z", "+00:00")).timestamp())
            if at < end:
                rows[at, row["sender"]][row["recipient_type"]].append(row["recipient"])
    return [Mail(at, sender, tuple(kinds["to"]), tuple(kinds["cc"])) for (at, sender), kinds in sorted(rows.items())]


def crosses(mail: Mail, sellers: Collection[str]) -> bool:
    """Whether the mail has somebody of each side."""
    ours = mail.sender in sellers
    return any((recipient in sellers) != ours for recipient in mail.recipients)


def choose_sellers(mails: Iterable[Mail]) -> frozenset[str]:
    """Split the people so that as many mails as possible cross: the smaller half sells.

    A local search for the largest cut: from everybody on one side, people change sides in the order of their numbers
    while that lets more mails cross, until nobody does. (A mail to many crosses if one recipient is on the other side,
    so this counts mails, not pairs.) It gives the same split on every machine.
    """
    alike = Counter((mail.sender, mail.recipients) for mail in mails)
    touching: dict[str, list[tuple[str, frozenset[str], int]]] = defaultdict(list)
    for (sender, recipients), count in alike.items():
        for person in recipients | {sender}:
            touching[person].append((sender, recipients, count))
    side = dict.fromkeys(sorted(touching), False)

    def crossing(person: str) -> int:
        return sum(n for sender, to, n in touching[person] if any(side[r] != side[sender] for r in to))

    moved = True
    while moved:
        moved = False
        for person in side:
            before = crossing(person)
            side[person] = not side[person]
            if crossing(person) > before:
                moved = True
            else:
                side[person] = not side[person]
    halves = [frozenset(p for p in side if side[p] is value) for value in (True, False)]
    return min(halves, key=lambda half: (len(half), sorted(half)))


def weeks_until(last: int, today: date) -> int:
    """Whole weeks, in seconds, that move the instant `last` into the seven days before `today`."""
    days = (today - datetime.fromtimestamp(last, UTC).date()).days
    return (days - 1) // 7 * WEEK


def group(people: Sequence[str], mails: Iterable[Mail], count: int, largest: int) -> list[tuple[str, ...]]:
    """Put people who are named on the same mails together, until `count` groups are left, none above `largest`.

    Agglomerative, average linkage: the two groups with the most shared mails for each pair of their members join first;
    ties go to the first in order. People who share no mail with anybody are joined last.
    """
    groups: list[tuple[str, ...]] = [(person,) for person in sorted(people)]
    known = set(people)
    shared: Counter[tuple[str, str]] = Counter()
    for mail in mails:
        named = sorted(mail.people & known)
        shared.update((a, b) for i, a in enumerate(named) for b in named[i + 1 :])

    def closeness(one: tuple[str, ...], other: tuple[str, ...]) -> float:
        return sum(shared[min(a, b), max(a, b)] for a in one for b in other) / (len(one) * len(other))

    while len(groups) > count:
        pairs = [(i, j) for i in range(len(groups)) for j in range(i) if len(groups[i]) + len(groups[j]) <= largest]
        if not pairs:
            break
        i, j = max(pairs, key=lambda pair: (closeness(groups[pair[0]], groups[pair[1]]), -pair[0], -pair[1]))
        groups[j] = tuple(sorted(groups[j] + groups.pop(i)))
    return sorted(groups)
