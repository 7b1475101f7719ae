"""What was made of a person's interactions: per record the ledger's rows with the person's part, and who knows whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from msgspec import Struct

from shared import acquaintance_rows, exchange, insights, organisation, partitions, registry, row_rights, stamps
from shared.acquaintance import raw_at
from shared.auth import Caller
from shared.columns import Entries
from shared.interactions import IN_CRM, IN_EXCHANGE
from shared.kpi.interactions import Direction, Indices, Keys, Kind, Reason, Role
from shared.kpi.strength import strength_of
from shared.ledger import reason_name
from shared.moments import instant
from shared.personal_data_shapes import HeldAcquaintance, HeldInteraction
from shared.personal_subject import Held
from shared.recompute import computation
from shared.snapshots import DIRECTIONS, KINDS, Computation

MOST_RECORDS = 100  # a page; each is computed anew
MOST_ROWS = 2_000
NO_RECORD = "no_record"
_PURE = ("person:", "domain:")


class Place(Struct, frozen=True):
    """Where the next page begins: at this record, behind the interaction at this instant with this key (hex)."""

    record: str = ""
    at: int = -(2**62)
    key: str = ""


class Figures(Struct, frozen=True):
    """A page: rows, and where the next one begins; None at the end."""

    interactions: list[HeldInteraction]
    acquaintances: list[HeldAcquaintance]
    following: Place | None


def page(person: Held, who: Caller, start: Place, now: int) -> Figures:
    """The records that name the person, in order from the one of `start` on, as many as a page holds."""
    names = [name for name in _records(person) if name >= start.record]
    readable = row_rights.rights().readable(who, [name for name in names[:MOST_RECORDS] if not name.startswith(_PURE)])
    rows: list[HeldInteraction] = []
    known: list[HeldAcquaintance] = []
    for name in names[:MOST_RECORDS]:
        if len(rows) >= MOST_ROWS:
            return Figures(rows, known, Place(name))
        since = start if name == start.record else Place(name)
        if since.key == "":
            known += _acquaintances(name, person, now)
        more, following = _interactions(name, person, name in readable, since, MOST_ROWS - len(rows), now)
        rows += more
        if following:
            return Figures(rows, known, following)
    left = names[MOST_RECORDS:]
    return Figures(rows, known, Place(left[0]) if left else None)


def _records(person: Held) -> list[str]:
    """All records, bare people and domains whose stored figures name the person; two scans of small columns."""
    return sorted({*insights.naming(person.keys), *acquaintance_rows.naming(person.keys), *person.anchors})


def _acquaintances(target: str, person: Held, now: int) -> Iterator[HeldAcquaintance]:
    """Of one of ours: the line about the target; of others: all lines, where the target is the person."""
    known, _ = acquaintance_rows.read(target)
    if known is None or not (person.internal or (target in person.logged_as and not target.startswith("domain:"))):
        return
    parameters = organisation.parameters(stamps.read().parameters)
    for line in known.lines:
        if not person.internal or line.key in person.keys:
            strength = None if known.basic else strength_of(raw_at(line, known, now, parameters))
            yield HeldAcquaintance(
                target=_shown(target), colleague=line.who, strength=strength, emails=line.emails_out + line.emails_in,
                meetings=line.meetings, calls=line.calls, last_at=instant(line.last_at),
            )  # fmt: skip


def _shown(target: str) -> str:
    """A bare person by the address, where it is still known."""
    if not target.startswith("person:"):
        return target
    key = int(target.removeprefix("person:"), 16)
    return registry.texts([key]).get(key, target)


def _interactions(
    name: str, person: Held, may_read: bool, since: Place, most: int, now: int
) -> tuple[list[HeldInteraction], Place | None]:
    """The person's rows of one record behind `since`, at most so many, and where to go on if there are more."""
    found = None if name.startswith(_PURE) else computation(name, now, stamps.read())
    computed = found[0] if found else None
    entries = computed.entries if computed else exchange.shown(partitions.read(name).live)[0]
    own = np.array(sorted(person.keys), dtype=np.uint64)
    chosen = _behind(entries, np.unique(entries.facts.part_index[np.isin(entries.facts.part_person, own)]), since)
    page = chosen[:most]
    if computed:
        label = computed.subject.roster.name if may_read else ""
        rows = [_of_record(computed, int(row), own, label) for row in page]
    else:
        rows = [_bare(_shown(name), entries, int(row), own) for row in page]
    if len(page) == len(chosen):
        return rows, None
    facts, last = entries.facts, int(page[-1])
    return rows, Place(name, int(facts.at[last]), _hex(facts.key[last]))


def _behind(entries: Entries, rows: Indices, since: Place) -> Indices:
    facts = entries.facts
    rows = rows[np.lexsort((facts.key[rows], facts.at[rows]))]
    key = np.bytes_(bytes.fromhex(since.key))
    later = (facts.at[rows] > since.at) | ((facts.at[rows] == since.at) & (facts.key[rows] > key))
    found: Indices = rows[later]
    return found


def _hex(key: bytes) -> str:
    return bytes(key).ljust(16, b"\0").hex()


def _of_record(computed: Computation, row: int, own: Keys, label: str) -> HeldInteraction:
    inclusion = computed.inclusion
    reason = int(inclusion.reason[row])
    return _row(
        computed.entries, row, own, computed.subject.roster.record, label,
        DIRECTIONS[Direction(int(inclusion.direction[row]))], reason_name(reason), reason <= Reason.ROLLED_UP,
    )  # fmt: skip


def _bare(name: str, entries: Entries, row: int, own: Keys) -> HeldInteraction:
    return _row(entries, row, own, name, "", "", NO_RECORD, False)


def _row(
    entries: Entries, row: int, own: Keys, record: str, label: str, direction: str, reason: str, counted: bool
) -> HeldInteraction:
    facts = entries.facts
    flags = int(facts.flags[row])
    return HeldInteraction(
        record=record, record_name=label, interaction_id=_hex(facts.key[row]), activity_id=str(entries.activity[row]),
        kind=KINDS[Kind(int(facts.kind[row]))], at=instant(int(facts.at[row])), end=instant(int(facts.end[row])),
        direction=direction, role=", ".join(_roles(entries, row, own)), counted=counted, reason=reason,
        sources=int(facts.sources[row]), in_crm=bool(flags & IN_CRM), in_exchange=bool(flags & IN_EXCHANGE),
    )  # fmt: skip


def _roles(entries: Entries, row: int, own: Keys) -> Iterable[str]:
    facts = entries.facts
    first, last = np.searchsorted(facts.part_index, [row, row + 1]).tolist()
    mine = np.flatnonzero(np.isin(facts.part_person[first:last], own)) + first
    return dict.fromkeys(Role(int(code)).name.lower() for code in facts.part_role[mine].tolist())
