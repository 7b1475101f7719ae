"""Delta over the messages of a folder: rounds of pages behind opaque tokens, from an anchor to the next.

A token says from which change (`since`) to which (`upto`) its round goes, and where in the round it stands (`after`).
The first round lists what is in the folder, newest first; later ones list what changed, oldest change first.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass, replace
from sqlite3 import Row
from typing import Any

from local.graph.calls import Answer, Call
from local.graph.errors import GraphError, bad_request
from local.graph.mailboxes import MESSAGE
from local.graph.messages import PROPERTIES, message_json
from local.graph.odata import filter_of, link, page_size, selected
from local.graph.world import World

FILTER_CAP = 5_000
WHAT = ("created", "updated", "deleted")


@dataclass(frozen=True)
class Token:
    """`since` 0 is a first round. `low` bounds receivedDateTime, `left` counts down the cap of a filter."""

    generation: int
    since: int
    upto: int
    after: tuple[int, int] = (0, 0)
    low: float | None = None
    left: int | None = None
    what: str = ""
    select: str = ""
    size: int = 10
    empties: int = 0
    again: bool = False

    def text(self) -> str:
        return urlsafe_b64encode(json.dumps(asdict(self), separators=(",", ":")).encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Token:
        """Raises GraphError 400."""
        try:
            found = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            return cls(**found | {"after": tuple(found["after"])})
        except (ValueError, TypeError, KeyError) as error:
            raise bad_request("Badly formed token.", "ErrorInvalidSyncStateData") from error


async def messages_delta(world: World, call: Call, user: dict[str, Any], folder: str) -> Answer:
    """One page, with a nextLink while the round lasts and then with the deltaLink. Raises GraphError."""
    name = world.mailboxes.folder(user["id"], folder)
    text = call.query.get("$deltatoken") or call.query.get("$skiptoken")
    token = _checked(world, call, user["id"], Token.read(text)) if text else _first(world, call, user["id"])
    if "$deltatoken" in call.query:
        token = replace(token, upto=_newest(world, user["id"]), empties=world.behaviour.emptyPages)
    if "odata.maxpagesize" in call.prefer:
        token = replace(token, size=page_size(call, world.behaviour.largePage504))
    if token.empties:
        return _page(world, call, [], replace(token, empties=token.empties - 1))
    if token.since:
        return _changed(world, call, user["id"], name, token)
    return _present(world, call, user["id"], name, token)


def _newest(world: World, user: str) -> int:
    return world.store.last_change(user, world.clock.now() - world.behaviour.deltaLag)


def _first(world: World, call: Call, user: str) -> Token:
    """Of a call without a token, with the options that all later pages keep."""
    if unknown := set(call.query) - {"$select", "$top", "$filter", "$orderby", "$expand", "changeType"}:
        raise bad_request(f"Delta does not take {', '.join(sorted(unknown))}.", "ErrorInvalidUrlQuery")
    if call.query.get("$orderby", "receivedDateTime desc") != "receivedDateTime desc":
        raise bad_request("Delta orders by receivedDateTime desc only.", "ErrorInvalidUrlQuery")
    if (what := call.query.get("changeType", "")) and what not in WHAT:
        raise bad_request("changeType is created, updated or deleted.", "ErrorInvalidUrlQuery")
    low = _low(call)
    return Token(
        generation=world.store.get("delta", user, {"generation": 0})["generation"],
        since=0,
        upto=_newest(world, user),
        low=low,
        left=None if low is None else FILTER_CAP,
        what=what,
        select=call.query.get("$select", ""),
        size=page_size(call, world.behaviour.largePage504),
        empties=world.behaviour.emptyPages,
    )


def _low(call: Call) -> float | None:
    conditions = filter_of(call.query.get("$filter", ""), ("receivedDateTime",))
    if not conditions:
        return None
    [first, *others] = conditions
    if others or first.name != "receivedDateTime" or first.op not in ("ge", "gt"):
        raise bad_request("Delta filters by receivedDateTime ge or gt only.", "ErrorInvalidUrlQueryFilter")
    return float(first.value) + (first.op == "gt")


def _checked(world: World, call: Call, user: str, token: Token) -> Token:
    """Raises GraphError, by default 410, when the mailbox has forgotten its tokens."""
    lost = world.store.get("delta", user, {"generation": 0})
    if token.generation == lost["generation"]:
        return token
    raise sync_state_lost(call, lost.get("status", 410), lost.get("code", "syncStateNotFound"))


def sync_state_lost(call: Call, status: int, code: str) -> GraphError:
    """410 points to a start from nothing, as the service does; the others only name the code."""
    plain = call.base + "/" + "/".join(call.segments) + "?$deltatoken="
    return GraphError(status, code, "The sync state is not found.", {"Location": plain} if status == 410 else {})


def _present(world: World, call: Call, user: str, folder: str, token: Token) -> Answer:
    at, n = token.after
    size = token.size if token.left is None else min(token.size, token.left)
    where = "user = ? AND kind = ? AND folder = ? AND changed <= ? AND at >= ?"
    values: list[Any] = [user, MESSAGE, folder, token.upto, token.low if token.low is not None else -(1 << 62)]
    if token.after != (0, 0):
        where += " AND (at, n) < (?, ?)"
        values += [at, n]
    sql = f"SELECT * FROM items WHERE {where} ORDER BY at DESC, n DESC LIMIT ?"
    rows = world.store.rows(sql, (*values, size + 1))
    page, left = rows[:size], None if token.left is None else token.left - min(size, len(rows))
    value = [] if token.what == "deleted" else [_item(row, call, token) for row in page]
    if len(rows) > size and left != 0:
        return _page(world, call, value, replace(token, after=(page[-1]["at"], page[-1]["n"]), left=left), token)
    return _page(world, call, value, None, token)


def _changed(world: World, call: Call, user: str, folder: str, token: Token) -> Answer:
    found = _changes(world, user, folder, max(token.since, token.after[0]), token.upto)
    page = found[: token.size]
    value = [
        _removed(row, call) if gone else _item(row, call, token) for _, gone, row in page if _fits(row, gone, token)
    ]
    following = replace(token, after=(page[-1][0], 0)) if len(found) > token.size else None
    return _page(world, call, value, following, token)


def _changes(world: World, user: str, folder: str, since: int, upto: int) -> list[tuple[int, bool, Row]]:
    """(number, whether it left, row) after `since` until `upto`, oldest first."""
    values = (user, MESSAGE, folder, since, upto)
    where = "user = ? AND kind = ? AND folder = ? AND"
    there = world.store.rows(f"SELECT * FROM items WHERE {where} changed > ? AND changed <= ?", values)
    left = world.store.rows(
        "SELECT removals.*, items.id, items.at FROM removals JOIN items USING (n) WHERE "
        "removals.user = ? AND removals.kind = ? AND removals.folder = ? AND removals.seq > ? AND removals.seq <= ?",
        values,
    )
    found = [(int(row["changed"]), False, row) for row in there] + [(int(row["seq"]), True, row) for row in left]
    return sorted(found, key=lambda change: change[0])


def _fits(row: Row, gone: bool, token: Token) -> bool:
    if token.low is not None and row["at"] < token.low:
        return False
    what = "deleted" if gone else "created" if row["entered"] > token.since else "updated"
    return token.what in ("", what)


def _item(row: Row, call: Call, token: Token) -> dict[str, Any]:
    options = replace(call, query={"$select": token.select}) if token.select != call.query.get("$select", "") else call
    return message_json(row, call, selected(options, PROPERTIES))


def _removed(row: Row, call: Call) -> dict[str, Any]:
    key = row["id"] if call.immutable else row["moving_id"]
    return {"id": key, "@removed": {"reason": row["reason"]}}


def _page(world: World, call: Call, value: list[Any], following: Token | None, token: Token | None = None) -> Answer:
    """With the next page of the round, or with the link to the next round. `token`: where a full page stood."""
    behaviour, foreign = world.behaviour, world.behaviour.foreignLinks
    plain = replace(call, query={})
    if token and behaviour.repeatItems:
        value = value + value[:1]
    if token and behaviour.replayPages and not token.again:
        following = replace(token, again=True)
    elif token and following:
        following = replace(following, again=False, empties=behaviour.emptyPages)
    body: dict[str, Any] = {"@odata.context": f"{call.base}/$metadata#Collection(message)", "value": value}
    if following:
        body["@odata.nextLink"] = link(plain, foreign, skiptoken=following.text())
        return Answer(body=body)
    assert token is not None  # an empty page always has a next one
    # A mailbox without any change yet must not begin again: change numbers start at 1, so -1 is "since the start".
    done = replace(token, since=token.upto or -1, after=(0, 0), left=None, again=False)
    body["@odata.deltaLink"] = link(plain, foreign, deltatoken=done.text())
    return Answer(body=body)


def forget_tokens(world: World, user: str, status: int = 410, code: str = "syncStateNotFound") -> None:
    """All links given for this mailbox so far are answered with this from now on."""
    known = world.store.get("delta", user, {"generation": 0})
    lost = {"generation": known["generation"] + 1, "status": status, "code": code}
    world.store.put("delta", user, lost)
