"""The nightly pass that erases what is older than its term: copies, then partitions by month, then notes and logs.

A pass has the terms of the day on which it began. It is a walk through tables in small steps; after each the place is stored, so
a pass that breaks off, or takes more than one night, goes on where it stood. Every step may be repeated.

Copies go first: as long as a copy is held, a change of its interaction would put it into the partitions again.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Literal

from msgspec import Struct, json
from msgspec.structs import replace

from shared import (
    acquaintance_rows,
    closeness,
    decoders,
    group_rows,
    groups,
    lookups,
    organisation,
    record_updates,
    registry,
    retention,
    tables,
    telemetry,
)
from shared.entity_queries import literal
from shared.errors import UnavailableError
from shared.graph import copies
from shared.group_rows import Group, HeldCopy
from shared.interactions import EMAIL, InteractionCopy
from shared.retention import PARTITION, Term, Terms

ROWS_A_STEP = 1_000
PARTITIONS_A_STEP = 200
_PARTITIONS = 16  # of the interactions' table, as `tables.bucket` names them
_ROW = "pass"
_TRIES = 8
_TWO_MINUTES = 120
_log = logging.getLogger(__name__)


class Pass(Struct, frozen=True):
    """How far a pass has come: its term, the part of the work, and the place behind which it goes on.

    `counted_from`: the month from which on months may still have counters that are too old.
    """

    term: Term
    part: Literal["copies", "partitions", "rest", "done"] = "copies"
    place: int = 0
    after: str = ""
    counted_from: str = ""


def sweep(now: int, seconds: float) -> Counter[str]:
    """Go on with the pass for about so long, beginning one where today's has not begun; what was erased, by kind of row."""
    erased: Counter[str] = Counter()
    ends = time.monotonic() + seconds
    state = _begun(now)
    while state.part != "done":
        state = _STEPS[state.part](state, now, erased)
        _store(state)
        if time.monotonic() > ends:
            break
    _log.info("retention: at %s, erased %s", state.part, dict(sorted(erased.items())) or "nothing")
    for kind, number in erased.items():
        telemetry.count("rapport.retention.erased", number, kind=kind)
    return erased


def _begun(now: int) -> Pass:
    """The pass that is not done, else a new one if the term has moved since, which it does every day, else the last."""
    row = tables.read(organisation.TABLE, PARTITION, _ROW)
    last = decoders.of_json(Pass).decode(row["held"]) if row else None
    if last and last.part != "done":
        return last
    term = retention.term_of(organisation.in_force(), now)
    _put_in_force(term)
    if last and term == last.term:
        return last
    begun = Pass(term, counted_from=_next_counted_from(last))
    _store(begun)
    return begun


def _next_counted_from(last: Pass | None) -> str:
    from shared.partitions import month_of

    return month_of(last.term.events) if last else ""


def _put_in_force(term: Term) -> None:
    before = retention.read()
    erased = Term(max(before.erased.interactions, term.interactions), max(before.erased.events, term.events))
    new = Terms(erased, term)
    if new != before:
        retention.put(new)


def _store(state: Pass) -> None:
    held = json.encode(state).decode()
    tables.upsert(organisation.TABLE, {"PartitionKey": PARTITION, "RowKey": _ROW, "v": 1, "held": held})


def _copies(state: Pass, now: int, erased: Counter[str]) -> Pass:
    """Go through so many groups of copies of one partition of their table."""
    place = f"{state.place:x}"
    found = islice(tables.query(groups.TABLE, place, f"{state.after}!" if state.after else ""), ROWS_A_STEP)
    number, last = 0, ""
    for row in found:
        number, last = number + 1, row["RowKey"]
        if _due(group_rows.stored(row), state.term):
            erased["copies"] += _expire(place, last, state.term)
    if number == ROWS_A_STEP:
        return replace(state, after=last)
    if state.place + 1 < _PARTITIONS:
        return replace(state, place=state.place + 1, after="")
    return replace(state, part="partitions", place=0, after="")


def _due(group: Group, term: Term) -> dict[str, InteractionCopy]:
    """The copies that are too old, or have counters that are. A mail whose copies lie on both sides of the term waits a day,
    because together they are one interaction."""
    live = {name: held.copy for name, held in group.copies.items() if held.copy}
    near = any(
        copy.kind == EMAIL and term.interactions <= copy.at < term.interactions + _TWO_MINUTES for copy in live.values()
    )
    first = term.interactions - _TWO_MINUTES if near else term.interactions
    return {name: copy for name, copy in live.items() if copy.at < first or (copy.engagement and copy.at < term.events)}


def _expire(place: str, row_key: str, term: Term) -> int:
    """Take what is due out of one group, and before that out of the rows from which it could come back; how many copies."""
    for _ in range(_TRIES):
        row = tables.read(groups.TABLE, place, row_key)
        group = group_rows.stored(row)
        due = _due(group, term)
        if row is None or not due:
            return 0
        _forget_sources(due, term)
        if tables.transact(groups.TABLE, [_rest_of(row, group, due, term)]):
            return len(due)
    raise UnavailableError("The copies of an interaction are being changed by too many writers.")


def _forget_sources(due: dict[str, InteractionCopy], term: Term) -> None:
    """Shorten the CRM's rows behind these copies, and take mailboxes' copies out of the index."""
    for copy in due.values():
        if copy.source == "crm":
            entity, _, id = copy.copy_id.partition(":")
            retention.shorten_state(entity, id, old=copy.at < term.interactions)
    copies.drop([copy for copy in due.values() if copy.source == "exchange" and copy.at < term.interactions])


def _rest_of(row: tables.Row, group: Group, due: dict[str, InteractionCopy], term: Term) -> tables.Operation:
    """The write that leaves of a group what is not due; a delete where nothing is left."""
    key = {"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]}
    left: dict[str, HeldCopy] = {}
    for name, held in group.copies.items():
        copy = retention.limited(held.copy, term) if name in due else held.copy
        if copy or name not in due:
            left[name] = HeldCopy(held.revision, copy)
    if not any(held.copy for held in left.values()):
        return ("delete", key, row["etag"])
    from shared.partitions import month_of

    edge = month_of(term.interactions)
    reached = {name: places for name, places in group.reached.items() if any(month >= edge for _, month in places)}
    new = Group(left, group.revision + 1, reached, group.lent)
    return ("write", {**key, **group_rows.properties(new)}, row["etag"])


def _partitions(state: Pass, now: int, erased: Counter[str]) -> Pass:
    """Cut so many activity partitions, and have computed what counted them."""
    from shared.partition_cuts import Cut, cut

    wanted = Cut(state.term, state.counted_from)
    found = list(islice(_old_rows(wanted.condition(), state.after), PARTITIONS_A_STEP))
    changed: set[str] = set()
    for name, rows in found:
        number, left = cut(name, rows, wanted)
        erased["months"] += number
        if number:
            changed.add(name)
        if not left:
            erased["people"] += _forget_person(name)
    record_updates.announce(changed, bulk=True)
    if len(found) == PARTITIONS_A_STEP:
        return replace(state, after=found[-1][0])
    return replace(state, part="rest", after="")


def _old_rows(condition: str, after: str) -> Iterator[tuple[str, list[str]]]:
    """Partitions behind `after` with their rows that meet the condition."""
    rows: dict[str, list[str]] = defaultdict(list)
    where = f"PartitionKey gt {literal(after)} and {condition}" if after else condition
    from shared.partitions import TABLE

    for row in tables.scan(TABLE, ["PartitionKey", "RowKey"], where):
        name = row["PartitionKey"]
        if name not in rows and rows:
            yield rows.popitem()
        rows[name].append(row["RowKey"])
    yield from rows.items()


def _forget_person(name: str) -> int:
    """The text behind the key of a person from outside of whom no interaction is held any more."""
    if not name.startswith("person:"):
        return 0
    acquaintance_rows.remove([name])
    return registry.forget([int(name.removeprefix("person:"), 16)])


def _rest(state: Pass, now: int, erased: Counter[str]) -> Pass:
    """Notes of who met whom, and the log of questions about addresses."""
    erased["notes"] += closeness.forget_older(state.term.interactions)
    erased["questions"] += lookups.expire(now)
    return replace(state, part="done")


_STEPS = {"copies": _copies, "partitions": _partitions, "rest": _rest}
