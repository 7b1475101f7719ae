"""Who of ours is close to whom: same team, same manager, or seen together with a customer; never by mail among ourselves.

Two colleagues on one counted interaction with somebody external are noted under each of both, so that an asker's colleagues are
one query. What is noted may be a few days older than the newest such interaction, until it is about to leave the window.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from shared import exchange, tables
from shared.acquaintance_rows import TABLE
from shared.crm.records import User
from shared.directory import Directory
from shared.keys import keys

STEP = 7 * 86_400  # a pair is noted again when its newest interaction is this much newer
_REMEMBERED = 200_000
_PREFIX = "with:"

_written: dict[tuple[int, int], int] = {}
_noted_since = 0  # when it last changed whether Exchange may be seen, as `_written` knows it


def note(pairs: Mapping[tuple[int, int], int], since_window: int) -> None:
    """Note pairs of colleagues and when they last met a customer together; what is noted already stays unless it is older.

    A pair that meets all the time is not written each time. Before what is noted leaves the window that began at
    `since_window`, the very last time is noted, so that the two are close for exactly as long as the window says.
    """
    global _noted_since
    if (since := exchange.changed_at()) != _noted_since:
        _written.clear()  # what was noted before may be forgotten by now
        _noted_since = since
    fresh = {pair: at for pair, at in pairs.items() if _is_fresh(at, _written.get(pair), since_window + 2 * STEP)}
    by_colleague: dict[int, dict[int, int]] = defaultdict(dict)
    for (one, other), at in fresh.items():
        by_colleague[one][other] = by_colleague[other][one] = at
    for colleague, others in by_colleague.items():
        held = _held(colleague, since)
        newer = {other: at for other, at in others.items() if at > held.get(other, -1)}
        tables.transact(TABLE, [("upsert", _row(colleague, other, at, since), None) for other, at in newer.items()])
    if len(_written) > _REMEMBERED:
        _written.clear()
    _written.update(fresh)


def _is_fresh(at: int, noted: int | None, leaving_before: int) -> bool:
    if noted is None or at >= noted + STEP:
        return True
    return noted < leaving_before and at > noted


def met_with(colleague: int, since: int) -> set[int]:
    """Keys of colleagues who were with this one and a customer on one interaction at or after `since`."""
    return {other for other, at in _held(colleague).items() if at >= since}


def notes(colleague: int) -> dict[int, int]:
    """Everything noted under a colleague: keys of others, and about when they last met a customer together."""
    return _held(colleague)


def _held(colleague: int, since: int = 0) -> dict[int, int]:
    rows = tables.query(TABLE, _partition(colleague))
    return {int(row["RowKey"], 16): int(row["at"]) for row in rows if row.get("since", 0) >= since}


def forget(colleague: int) -> int:
    """Delete every note about this colleague; with how many others there was one."""
    others = [int(row["RowKey"], 16) for row in tables.query(TABLE, _partition(colleague))]
    for other in others:
        tables.delete(TABLE, _partition(other), f"{colleague:016x}")
        tables.delete(TABLE, _partition(colleague), f"{other:016x}")
    for pair in [pair for pair in _written if colleague in pair]:
        _written.pop(pair, None)
    return len(others)


def forget_before(changed_at: int) -> int:
    """Delete what was noted before it changed whether Exchange may be seen; how much it was.

    Who was seen together on what the CRM knows is noted anew when records are computed again.
    """
    found = tables.scan(TABLE, ["PartitionKey", "RowKey", "since"])
    old = [row for row in found if row["PartitionKey"].startswith(_PREFIX) and row.get("since", 0) < changed_at]
    for row in old:
        tables.delete(TABLE, row["PartitionKey"], row["RowKey"])
    return len(old)


def forget_older(at: int) -> int:
    """Delete the notes of pairs who last met a customer together before an instant; how many."""
    notes = f"PartitionKey ge '{_PREFIX}' and PartitionKey lt 'with;'"
    found = tables.scan(TABLE, ["PartitionKey", "RowKey", "at"], notes)
    old = [row for row in found if int(row["at"]) < at]
    for row in old:
        tables.delete(TABLE, row["PartitionKey"], row["RowKey"])
    return len(old)


def _row(colleague: int, other: int, at: int, since: int) -> tables.Row:
    key = {"PartitionKey": _partition(colleague), "RowKey": f"{other:016x}"}
    return {**key, "v": 1, "at": str(at), "since": since}


def _partition(key: int) -> str:
    return f"{_PREFIX}{key:016x}"


def team_of(user_id: str, directory: Directory) -> set[str]:
    """The user ids of the same CRM team or manager, the manager and those managed among them; without the user."""
    user = directory.users.get(user_id)
    found = {id for team in directory.teams.values() if user_id in team.members for id in team.members}
    if user is not None:
        found |= {id for id, other in directory.users.items() if _same_line(user, other)}
    return found - {user_id}


def _same_line(user: User, other: User) -> bool:
    same = bool(user.manager_id) and other.manager_id == user.manager_id
    return same or other.id == user.manager_id or other.manager_id == user.id


def user_key(user_id: str) -> int:
    """The key under which a CRM user takes part in the figures."""
    return keys().party(f"user:{user_id}")


def user_keys(ids: Iterable[str]) -> Iterator[int]:
    """The keys of several users."""
    return map(user_key, ids)
