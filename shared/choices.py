"""What our people chose about being shown and asked; in force at once, for the past as well, wherever people are named.

One small row tells whether anything has changed, so a process reads all choices again only then.
"""

from __future__ import annotations

import uuid
from hashlib import blake2b
from typing import Annotated

from msgspec import Meta, Struct, json
from msgspec.structs import asdict

from shared import decoders, tables
from shared.crm.values import normal_id
from shared.domains import registrable
from shared.errors import FormatVersionError, InvalidInputError
from shared.people import domain_of, normal_address

TABLE = "choices"
VERSION = 1
_PARTITION = "people"
_BLOCKS = "blocks"
_STAMP = "stamp"
UNTOLD = 2**53  # the end of a block that nothing tells yet


class Choices(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One colleague's choices.

    `hideName`: named to nobody else as one who knows somebody. `doNotAsk`: named, but not asked for introductions;
    `doNotAskFor`: the same for these targets only: addresses, mail domains, or records (`contact:<id>`). `optOut`: as
    `hideName`, and all data about the person is to leave the product.
    """

    hide_name: bool = False
    do_not_ask: bool = False
    do_not_ask_for: Annotated[tuple[Annotated[str, Meta(min_length=3, max_length=320)], ...], Meta(max_length=500)] = ()
    opt_out: bool = False

    @property
    def hidden(self) -> bool:
        """Whether others may not learn that this person knows somebody."""
        return self.hide_name or self.opt_out


NO_CHOICE = Choices()


class Block(Struct, frozen=True):
    """Why a colleague cannot be asked now: by nobody (at capacity; no `asker`), or not by one asker for one target (declined)."""

    introducer: str
    asker: str = ""
    target: str = ""


class Standing(Struct, frozen=True):
    """What limits asking: choices by person key, and blocks with the instant at which each ends."""

    choices: dict[int, Choices]
    blocks: dict[Block, int]


_held: tuple[str, Standing] | None = None


def standing() -> Standing:
    """Everybody's choices and blocks. One point read; the rows only after somebody changed one."""
    global _held
    row = tables.read(TABLE, _STAMP, _STAMP)
    stamp = row["stamp"] if row else ""
    if _held is None or _held[0] != stamp:
        chosen = {int(row["RowKey"], 16): _read(row) for row in tables.query(TABLE, _PARTITION)}
        blocked = {
            Block(r["introducer"], r["asker"], r["target"]): int(r["until"]) for r in tables.query(TABLE, _BLOCKS)
        }
        _held = stamp, Standing(chosen, blocked)
    return _held[1]


def block(which: Block, until: int) -> None:
    """Have every process know until when a colleague cannot be asked; 0 lifts the block."""
    row_key = blake2b("|".join((which.introducer, which.asker, which.target)).encode(), digest_size=16).hexdigest()
    if until:
        names = {"introducer": which.introducer, "asker": which.asker, "target": which.target, "until": str(until)}
        tables.upsert(TABLE, {"PartitionKey": _BLOCKS, "RowKey": row_key, "v": VERSION, **names})
    else:
        tables.delete(TABLE, _BLOCKS, row_key)
    _advance()


def of(person: int) -> Choices:
    """One person's choices, as stored."""
    row = tables.read(TABLE, _PARTITION, f"{person:016x}")
    return _read(row) if row else NO_CHOICE


def _read(row: tables.Row) -> Choices:
    if row["v"] != VERSION:
        raise FormatVersionError(f"choices have format {row['v']}, this app reads {VERSION}")
    return decoders.of_json(Choices).decode(tables.unsplit(row))


def choose(person: int, choices: Choices) -> Choices:
    """Store a person's choices and have every process take notice; the choices in their normal form.

    Raises InvalidInputError for a target that is no address, domain or record.
    """
    targets = tuple(dict.fromkeys(_normal(text, place) for place, text in enumerate(choices.do_not_ask_for)))
    chosen = Choices(**{**asdict(choices), "do_not_ask_for": targets})
    row = {"PartitionKey": _PARTITION, "RowKey": f"{person:016x}", "v": VERSION}
    tables.upsert(TABLE, {**row, **tables.split(json.encode(chosen))})
    _advance()
    return chosen


def _advance() -> None:
    tables.upsert(TABLE, {"PartitionKey": _STAMP, "RowKey": _STAMP, "v": VERSION, "stamp": uuid.uuid4().hex})


def _normal(text: str, place: int) -> str:
    kind, _, id = text.partition(":")
    domain = ""
    try:
        if kind in ("contact", "lead", "account") and id:
            return f"{kind}:{normal_id(id)}"
        if "@" in text:
            return normal_address(text)
        domain = domain_of(normal_address(f"x@{text}"))
    except ValueError:
        pass
    if not registrable(domain):
        raise InvalidInputError("this is no address, mail domain or record", f"$.doNotAskFor[{place}]")
    return domain
