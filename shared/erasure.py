"""Opting out, from the wish to the receipt: hidden at once, erased part by part through the queue, and never taken in again.

A part is one partition of the interactions' table, or the rest (notes about closeness, introductions, the text behind the keys).
Every part may be repeated. It counts what it took out, and the receipt adds up the parts.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterable
from functools import partial

from msgspec import json

from shared import (
    acquaintance_rows,
    choices,
    closeness,
    decoders,
    groups,
    ingest,
    introduction_rows,
    membership,
    placing,
    record_updates,
    registry,
    stamps,
    states,
    tables,
    tombstones,
)
from shared.directory import Directory, directory
from shared.errors import NotFoundError
from shared.interactions import InteractionCopy
from shared.introduction_requests import Request
from shared.moments import instant
from shared.opt_outs import stripped, stripped_attributes
from shared.receipts import Receipt
from shared.record_updates import ErasureUpdate
from shared.settings import settings

TABLE = tombstones.TABLE
_BEGUN, _REST = "begun", "rest"
_PLACES = [f"{number:x}" for number in range(16)]  # the partitions of `tables.bucket`
_OVERDUE = 24 * 3_600


def begin(id: str, gone: Iterable[int], now: int, user: str = "", names: Iterable[str] = ()) -> None:
    """Hide a person now and have everything erased. `id` names the receipt, `user` is the id of one of ours, `names` are what
    others may have asked introductions to: addresses and records."""
    keys = sorted(gone)
    held = {"keys": [f"{key:016x}" for key in keys], "user": user, "names": sorted(names)}
    row = {
        "PartitionKey": f"receipt|{id}",
        "RowKey": _BEGUN,
        "v": 1,
        "at": str(now),
        "held": json.encode(held).decode(),
    }
    tables.upsert(TABLE, row)
    tombstones.bury(keys, now)
    stamps.advance("people")
    record_updates.announce_people(keys, [f"user:{user}"] if user else [])
    record_updates.announce_erasure([ErasureUpdate(id)])


def end(gone: Iterable[int], now: int) -> None:
    """The person takes part again, from now on; what was erased is not brought back."""
    keys = sorted(gone)
    tombstones.lift(keys, now)
    stamps.advance("people")
    record_updates.announce_people(keys)


def work_off(update: ErasureUpdate, now: int) -> None:
    """Do one part, or find out the parts. Raises UnavailableError when storage or queue is away; repeating is harmless."""
    begun = tables.read(TABLE, f"receipt|{update.id}", _BEGUN)
    if begun is None:
        return
    held = json.decode(begun["held"])
    gone = frozenset(int(key, 16) for key in held["keys"])
    if not gone & tombstones.read():
        return  # the person has come back meanwhile
    if not update.place:
        _note(update.id, _REST, _rest(gone, held["user"], set(held["names"])), now)
        nameless = json.encode({**held, "names": []}).decode()
        tables.upsert(TABLE, {**{k: begun[k] for k in ("PartitionKey", "RowKey", "v", "at")}, "held": nameless})
        record_updates.announce_erasure([ErasureUpdate(update.id, place) for place in _PLACES])
        return
    counts, touched = _part(update.place, gone)
    record_updates.announce(touched, bulk=True)
    _note(update.id, update.place, counts, now)


def _part(place: str, gone: frozenset[int]) -> tuple[Counter[str], set[str]]:
    """Take these people out of all copies in one partition and of the CRM's rows behind them; the records to compute."""
    ours = directory(stamps.read().people)
    counts: Counter[str] = Counter(interactionsChanged=0, interactionsDeleted=0, crmActivities=0)
    touched: set[str] = set()
    for row in list(tables.query(groups.TABLE, place)):
        activities: dict[tuple[str, str], dict[str, str]] = {}
        found = groups.rewrite(place, row["RowKey"], partial(_changed, gone, ours, activities), placing.reach)
        for (entity, id), renamed in activities.items():
            states.rewrite(entity, id, partial(stripped_attributes, gone=gone), renamed)
        counts["crmActivities"] += len(activities)
        if found is not None:
            placement, moved = found
            counts["interactionsChanged" if placement.interactions or moved else "interactionsDeleted"] += 1
            touched |= ingest.settle(placement)
            touched |= ingest.settle(groups.update(moved, placing.reach)) if moved else set()
    return counts, touched


def _changed(
    gone: frozenset[int], ours: Directory, activities: dict[tuple[str, str], dict[str, str]], copy: InteractionCopy
) -> InteractionCopy | None:
    """The copy without these people; notes the CRM's row behind it, with its old and new merge key."""
    left = stripped(copy, gone, ours)
    if left != copy and copy.source == "crm":
        entity, _, id = copy.copy_id.partition(":")
        activities[entity, id] = {copy.merge_key: left.merge_key if left else f"meeting#{copy.copy_id}"}
    return left


def _rest(gone: frozenset[int], user: str, names: set[str]) -> Counter[str]:
    """What is held of the person besides interactions."""
    acquaintance_rows.remove(membership.person_anchor(key) for key in gone)

    def concerns(request: Request) -> bool:
        return (bool(user) and user in (request.introducer, request.asker)) or request.target in names

    asked = introduction_rows.forget(concerns)
    for block in [one for one in choices.standing().blocks if user and user in (one.introducer, one.asker)]:
        choices.block(block, 0)
    return Counter(
        closenessNotes=sum(closeness.forget(key) for key in gone), introductions=asked, addresses=registry.forget(gone)
    )


def _note(id: str, place: str, counts: Counter[str], now: int) -> None:
    """Add what a part took out to what it took out before: a repetition finds nothing."""
    row = tables.read(TABLE, f"receipt|{id}", place)
    before = Counter(json.decode(row["counts"])) if row else Counter()
    total = {name: before[name] + counts[name] for name in sorted({*before, *counts})}
    kept = {"PartitionKey": f"receipt|{id}", "RowKey": place, "v": 1, "at": str(now)}
    tables.upsert(TABLE, {**kept, "counts": json.encode(total).decode()})


def receipt(id: str, now: int) -> Receipt:
    """How far the erasure has come, signed. Raises NotFoundError where nobody has opted out under this id."""
    rows = {row["RowKey"]: row for row in tables.query(TABLE, f"receipt|{id}")}
    if _BEGUN not in rows:
        raise NotFoundError("Nobody has opted out under this id.")
    at = int(rows.pop(_BEGUN)["at"])
    done = {place: int(row["at"]) for place, row in rows.items()}
    finished = done.keys() >= {_REST, *_PLACES}
    counts: Counter[str] = Counter()
    for row in rows.values():
        counts.update(decoders.of_json(dict[str, int]).decode(row["counts"]))
    plain = Receipt(
        id=id,
        status="COMPLETED" if finished else "FAILED" if now > at + _OVERDUE else "PROCESSING",
        opted_out_at=instant(at),
        completed_at=instant(max(done.values())) if finished else None,
        counts=dict(sorted(counts.items())),
        signature="",
    )
    mac = hmac.digest(settings().derived_key("receipt"), json.encode(plain), "sha256").hex()
    return Receipt(plain.id, plain.status, plain.opted_out_at, plain.completed_at, plain.counts, mac)


def receipts(now: int) -> list[Receipt]:
    """Of everybody who has opted out, by id."""
    rows = tables.scan(TABLE, ["PartitionKey", "RowKey"])
    ids = sorted(row["PartitionKey"].partition("|")[2] for row in rows if row["RowKey"] == _BEGUN)
    return [receipt(id, now) for id in ids]


def repeat_young(now: int, days: int = 2) -> None:
    """Go over what was begun lately once more: something may have been on its way past the tombstones."""
    for row in tables.scan(TABLE):
        if row["RowKey"] == _BEGUN and int(row["at"]) > now - days * 86_400:
            record_updates.announce_erasure([ErasureUpdate(row["PartitionKey"].partition("|")[2])])
