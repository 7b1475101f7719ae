"""The organisation's own mail as the tie-alive test reads it: who of ours and who of theirs wrote to the other, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared import exchange, partitions, tables
from shared.directory import Directory
from shared.keys import keys
from shared.kpi.interactions import Bools, Flag, Indices, Instants, Interactions, Keys, Kind, Role
from shared.kpi.ties import Mails, mails_of
from shared.membership import person_anchor
from shared.subjects import our_keys

MOST_PEOPLE = 2_000
_NEITHER = int(Flag.AUTOMATIC | Flag.BULK | Flag.CANCELLED)


@dataclass(frozen=True)
class StoredMails:
    """Mails between colleagues and `people` external people; `sampled`: there are more than these."""

    mails: Mails
    people: int
    sampled: bool


def stored_mails(directory: Directory, most: int = MOST_PEOPLE) -> StoredMails:
    """Read the partitions of external people, at most `most`, chosen by their keys, which are hashes.

    A colleague is one person under all addresses, an external person one per address. Automatic and bulk mail is left out.
    """
    people = sorted(_external(directory))
    chosen = people[:most]
    visible = exchange.is_visible()
    rows = [_between(_facts(key, visible), key, directory) for key in chosen]
    ours = _column([row.ours for row in rows], "u8")
    colleagues, our_number = np.unique(ours, return_inverse=True)
    their_number = np.repeat(np.arange(len(rows)), [len(row.at) for row in rows]) + len(colleagues)
    from_them = _column([row.from_them for row in rows], "?")
    senders = np.where(from_them, their_number, our_number)
    recipients = np.where(from_them, our_number, their_number)
    mails = mails_of(senders, recipients, _column([row.at for row in rows], "i8"))
    return StoredMails(mails, len(chosen), len(chosen) < len(people))


@dataclass(frozen=True)
class _Rows:
    """One row per mail and colleague: the colleague's key, the instant, and whether the external person wrote."""

    ours: Keys
    at: Instants
    from_them: Bools


def _column(parts: list[Any], dtype: str) -> Any:
    return np.concatenate([np.empty(0, dtype), *parts])


def _external(directory: Directory) -> Iterator[int]:
    for row in tables.scan("people", ["RowKey", "text"]):
        text = row["text"]
        address, party = (text, "") if "@" in text else ("", text)
        if not directory.is_internal(address, party):
            yield int(row["RowKey"], 16)


def _facts(person: int, visible: bool) -> Interactions:
    return exchange.shown(partitions.read(person_anchor(person), with_ids=False).live, visible)[0].facts


def _between(facts: Interactions, person: int, directory: Directory) -> _Rows:
    """The mails of one person's partition between the person and each colleague on the other end."""
    counted = (facts.kind == Kind.EMAIL) & ((facts.flags & np.uint32(_NEITHER)) == 0)
    index = facts.part_index
    sends, is_person = facts.part_role == Role.FROM, facts.part_person == np.uint64(person)
    wrote = _marked(index[sends & is_person], len(facts))
    received = _marked(index[~sends & is_person], len(facts))
    colleague, canonical = _colleagues(facts, directory)
    # The person wrote and a colleague received, or the other way round.
    rows = np.flatnonzero(colleague & counted[index] & np.where(sends, received[index], wrote[index]))
    return _Rows(canonical[rows], facts.at[index[rows]], ~sends[rows])


def _marked(rows: Indices, n: int) -> Bools:
    marks = np.zeros(n, dtype=bool)
    marks[rows] = True
    return marks


def _colleagues(facts: Interactions, directory: Directory) -> tuple[Bools, Keys]:
    """Whether each participation is a colleague's, and the person's one key."""
    ours = our_keys(directory)
    place = np.searchsorted(ours.known, facts.part_person).clip(max=max(len(ours.known) - 1, 0))
    known = ours.known[place] == facts.part_person if len(ours.known) else np.zeros(len(facts.part_person), dtype=bool)
    domains = np.array([keys().domain(domain) for domain in sorted(directory.domains)], dtype=np.uint64)
    canonical = facts.part_person.copy()
    canonical[known] = ours.canonical[place[known]]
    return known | np.isin(facts.part_domain, domains), canonical
