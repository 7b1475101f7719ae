"""The ledger of a record: every interaction that concerns it, counted or not, with exactly one reason."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from shared import stamps
from shared import widgets as w
from shared.errors import InvalidInputError, NotFoundError
from shared.kpi.interactions import Bools, Direction, Indices, Kind, Reason, Response, Role
from shared.kpi.noise import Sign, counts_by_sign
from shared.kpi.windows import local_days
from shared.ledger_query import LedgerQuery
from shared.moments import instant
from shared.noise import SIGN_NAMES
from shared.paging import seal, unseal
from shared.reading import AsOfQuery, past_instant
from shared.recompute import computation
from shared.snapshots import DIRECTIONS, KINDS, Computation, envelope

_PURPOSE = "ledger"
_ROLES = {Role.FROM: "from", Role.TO: "to", Role.CC: "cc", Role.ORGANIZER: "organizer", Role.ATTENDEE: "attendee"}


class _Page(Struct, frozen=True):
    """Where the next page begins: older than this interaction. Interactions that arrive in between do not shift it."""

    record: str
    at: int
    key: str


def reason_name(reason: int) -> str:
    """A reason as answers name it.

    >>> reason_name(Reason.NOT_ON_TEAM)
    'not_on_team'
    """
    return Reason(reason).name.lower()


def ledger(record: str, query: LedgerQuery, now: int) -> w.Ledger:
    """One page of a record's ledger, newest first, and the totals of all that pass the filters.

    Raises NotFoundError when there is no such record, InvalidInputError for a bad filter or page.
    """
    as_of = past_instant(AsOfQuery(query.as_of), now)
    in_force = stamps.read()
    found = computation(record, as_of if as_of is not None else now, in_force)
    if found is None:
        raise NotFoundError(f"There is no {record.partition(':')[0]} with this id.")
    computed = found[0]
    reason, in_window = _reasons(computed)
    chosen = np.flatnonzero(_passing(computed, reason, query) & _of_kind(computed, in_window, query))
    codes = np.bincount(reason[chosen], minlength=len(Reason)).tolist()
    rows = chosen[::-1]
    rest = rows[_start(computed, rows, record, query.page) :]
    page = rest[: query.limit]
    return w.Ledger(
        **envelope(computed, now, now, in_force.parameters),
        total=len(chosen),
        counted=int(np.count_nonzero(reason[chosen] <= Reason.ROLLED_UP)),
        reasons={reason_name(code): number for code, number in enumerate(codes) if number},
        noise=_noise(computed, chosen),
        activities=[_entry(computed, int(row), int(reason[row]), bool(in_window[row])) for row in page],
        next_page=_next(computed, page, record) if len(rest) > len(page) else None,
    )


def _reasons(computed: Computation) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], Bools]:
    """The reason of each interaction, the window's included; and whether it lies in the window."""
    facts, window, reason = computed.entries.facts, computed.window, computed.inclusion.reason
    in_window = (facts.at >= window.start) & (facts.at <= window.end)
    # The window is asked last: what is counted but older is in health and in last contact, and in no figure of the window.
    older = (reason <= Reason.ROLLED_UP) & ~in_window
    return np.where(older, np.uint8(Reason.OUTSIDE_WINDOW), reason), in_window


def _noise(computed: Computation, chosen: Indices) -> dict[str, int]:
    flags = computed.entries.facts.flags[chosen]
    return {SIGN_NAMES[sign]: number for sign, number in counts_by_sign(flags).items()}


def _passing(
    computed: Computation, reason: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], query: LedgerQuery
) -> Bools:
    facts = computed.entries.facts
    # What lies after `asOf` does not exist for it, unless it is planned.
    passing = (facts.at <= computed.inclusion.as_of) | computed.inclusion.planned | (reason == Reason.SCHEDULED)
    if query.day is not None:
        days = local_days(facts.at, computed.parameters.reporting_zone)
        passing &= days == np.datetime64(query.day, "D").astype("i8")
    if query.reason:
        names = {reason_name(code): code for code in Reason}
        if query.reason not in names:
            raise InvalidInputError(f"reason is one of {', '.join(names)}", "$.reason")
        passing &= reason == names[query.reason]
    if query.counted is not None:
        passing &= (reason <= Reason.ROLLED_UP) == query.counted
    if query.person:
        keys = [key for key, person in computed.names.items() if person.id == query.person]
        with_person = np.zeros(len(facts), dtype=bool)
        with_person[facts.part_index[np.isin(computed.inclusion.person, np.array(keys, dtype=np.uint64))]] = True
        passing &= with_person
    result: Bools = passing
    return result


def _of_kind(computed: Computation, in_window: Bools, query: LedgerQuery) -> Bools:
    """What a figure counts: a kind, a direction, what lies in the window."""
    facts, passing = computed.entries.facts, np.ones(len(in_window), dtype=bool)
    if query.kind:
        passing &= np.isin(facts.kind, [kind for kind, name in KINDS.items() if name in query.kind])
    if query.direction:
        wanted = next(way for way, name in DIRECTIONS.items() if name == query.direction)
        passing &= computed.inclusion.direction == wanted
    if query.in_window is not None:
        passing &= in_window == query.in_window
    result: Bools = passing
    return result


def _start(computed: Computation, rows: Indices, record: str, token: str) -> int:
    if not token:
        return 0
    page = unseal(token, _Page, purpose=_PURPOSE)
    if page.record != record:
        raise InvalidInputError("the page belongs to another record", "$.page")
    facts = computed.entries.facts
    key = np.bytes_(bytes.fromhex(page.key))
    older = (facts.at[rows] < page.at) | ((facts.at[rows] == page.at) & (facts.key[rows] < key))
    return int(np.argmax(older)) if older.any() else len(rows)


def _next(computed: Computation, page: Indices, record: str) -> str:
    facts, row = computed.entries.facts, int(page[-1])
    return seal(_Page(record, int(facts.at[row]), _hex(facts.key[row])), purpose=_PURPOSE)


def _hex(key: bytes) -> str:
    return bytes(key).ljust(16, b"\0").hex()


def entry_of(computed: Computation, row: int) -> w.LedgerEntry:
    """One interaction of a computation as the ledger shows it."""
    reason, in_window = _reasons(computed)
    return _entry(computed, row, int(reason[row]), bool(in_window[row]))


def _entry(computed: Computation, row: int, reason: int, in_window: bool) -> w.LedgerEntry:
    facts, inclusion = computed.entries.facts, computed.inclusion
    minutes = float(facts.minutes[row]) if facts.kind[row] != Kind.MEETING else (facts.end[row] - facts.at[row]) / 60
    through = inclusion.through_child[inclusion.through_index == row].tolist()
    children = computed.subject.children
    return w.LedgerEntry(
        interaction_id=_hex(facts.key[row]),
        activity_id=str(computed.entries.activity[row]),
        kind=KINDS[Kind(int(facts.kind[row]))],
        at=instant(int(facts.at[row])),
        end=instant(int(facts.end[row])),
        direction=DIRECTIONS[Direction(int(inclusion.direction[row]))],
        counted=reason <= Reason.ROLLED_UP,
        reason=reason_name(reason),
        through=[children[number].record for number in through],
        in_window=in_window,
        sources=int(facts.sources[row]),
        minutes=None if np.isnan(minutes) else round(float(minutes), 1),
        people=_people(computed, row),
        noise=[SIGN_NAMES[sign] for sign in Sign if facts.flags[row] & sign],
    )


def _people(computed: Computation, row: int) -> list[dict[str, str]]:
    facts, inclusion = computed.entries.facts, computed.inclusion
    first, last = np.searchsorted(facts.part_index, [row, row + 1]).tolist()
    people = []
    for part in range(first, last):
        who = computed.person(int(inclusion.person[part]))
        one = {"id": who.id, "name": who.name, "role": _ROLES[Role(int(facts.part_role[part]))]}
        one["side"] = "internal" if inclusion.internal[part] else "external"
        if facts.part_response[part]:
            one["response"] = Response(int(facts.part_response[part])).name.lower()
        people.append(one)
    return people
