"""The pool of deals: all open and won opportunities as columns, from which similar won deals are found.

Pure: rosters in, columns out; and the columns as bytes. Where they are kept is the matter of `shared.deal_pool_rows`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import Struct, msgpack
from numpy.typing import NDArray

from shared import decoders
from shared.deal_fields import AMOUNT, CATEGORIES, DealValues, values_of
from shared.kpi.gower import CategoryField, NumberField
from shared.kpi.interactions import Bools, Floats, Indices, Instants
from shared.kpi.similar import Deals
from shared.rosters import Roster

UNKNOWN = -(2**62)  # an instant that the CRM does not tell


@dataclass(frozen=True)
class Category:
    """A field of names: `texts` without repetition, `codes` (n,) int32 into it, -1 = missing."""

    texts: tuple[str, ...]
    codes: NDArray[np.int32]


@dataclass(frozen=True)
class Pool:
    """Deals as columns of length n, in no stated order; each id once. `closed` is UNKNOWN for open deals."""

    ids: NDArray[np.bytes_]
    created: Instants
    closed: Instants
    won: Bools
    amount: Floats  # NaN = missing
    categories: Mapping[str, Category]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Indices) -> Pool:
        """The deals at these positions, in this order."""
        categories = {name: Category(each.texts, each.codes[rows]) for name, each in self.categories.items()}
        return Pool(
            self.ids[rows], self.created[rows], self.closed[rows], self.won[rows], self.amount[rows], categories
        )

    def deals(self, weights: Mapping[str, float]) -> Deals:
        """The pool as the core compares it, by these fields with their weights."""
        fields: list[CategoryField | NumberField] = []
        for name, weight in weights.items():
            if name == AMOUNT:
                fields.append(NumberField(name, self.amount, weight, amount=True))
            else:
                fields.append(CategoryField(name, self.categories[name].codes, weight))
        return Deals(self.ids, self.created, self.closed, self.won, tuple(fields))

    def open_in_order(self) -> Iterator[tuple[str, DealValues]]:
        """Ids and values of the open deals, sorted by one name after the other (but for the stage), then amount.

        So those that resemble each other are side by side: computed together, they share most of their neighbours.
        """
        rows = np.flatnonzero(~self.won)
        lasting = [self.categories[name].codes[rows] for name in reversed(CATEGORIES) if name != "stage"]
        rows = rows[np.lexsort((self.ids[rows], self.amount[rows], *lasting))]
        names = {name: [*each.texts, ""] for name, each in self.categories.items()}  # code -1 is the last
        codes = {name: each.codes[rows].tolist() for name, each in self.categories.items()}
        columns = zip(self.ids[rows].tolist(), self.created[rows].tolist(), self.amount[rows].tolist(), strict=True)
        for position, (id, created, amount) in enumerate(columns):
            values = {name: names[name][codes[name][position]] for name in CATEGORIES}
            known = (None if created == UNKNOWN else created, None if amount != amount else amount)
            yield id.decode(), DealValues(*known, values)


def pool_of(deals: Iterable[Roster]) -> Pool:
    """The pool of these opportunities."""
    kept = [(roster, values_of(roster)) for roster in deals]
    return Pool(
        ids=np.array([_id(roster) for roster, _ in kept], dtype="S"),
        created=_instants(values.created for _, values in kept),
        closed=_instants(roster.closed_at if roster.status == "won" else None for roster, _ in kept),
        won=np.array([roster.status == "won" for roster, _ in kept], dtype=bool),
        amount=np.array([np.nan if v.amount is None else v.amount for _, v in kept], dtype=np.float64),
        categories={name: _category([values.names[name] for _, values in kept]) for name in CATEGORIES},
    )


def _id(roster: Roster) -> bytes:
    return roster.record.partition(":")[2].encode()


def _instants(values: Iterable[int | None]) -> Instants:
    return np.array([UNKNOWN if value is None else value for value in values], dtype=np.int64)


def _category(values: Sequence[str]) -> Category:
    texts = sorted(set(values) - {""})
    code = {text: number for number, text in enumerate(texts)}
    return Category(tuple(texts), np.array([code.get(value, -1) for value in values], dtype=np.int32))


def joined(pools: Sequence[Pool]) -> Pool:
    """All deals of several pools; the caller sees to it that no deal is in two. Nothing gives an empty pool."""
    if not pools:
        return pool_of(())
    return Pool(
        ids=np.concatenate([pool.ids for pool in pools]),
        created=np.concatenate([pool.created for pool in pools]),
        closed=np.concatenate([pool.closed for pool in pools]),
        won=np.concatenate([pool.won for pool in pools]),
        amount=np.concatenate([pool.amount for pool in pools]),
        categories={name: _joined([pool.categories[name] for pool in pools]) for name in CATEGORIES},
    )


def _joined(parts: Sequence[Category]) -> Category:
    texts = sorted({text for part in parts for text in part.texts})
    code = {text: number for number, text in enumerate(texts)}
    columns = []
    for part in parts:
        place = np.array([*(code[text] for text in part.texts), -1], dtype=np.int32)  # -1 stays: it is the last
        columns.append(place[part.codes])
    return Category(tuple(texts), np.concatenate(columns))


class _Packed(Struct, frozen=True, array_like=True):
    """A pool as stored: little-endian columns; ids as they are."""

    ids: tuple[str, ...]
    created: bytes
    closed: bytes
    won: bytes
    amount: bytes
    categories: dict[str, tuple[tuple[str, ...], bytes]]


def pack(pool: Pool) -> bytes:
    """The pool as bytes: the same deals in the same order give the same bytes on every machine."""
    packed = _Packed(
        tuple(id.decode() for id in pool.ids.tolist()),
        pool.created.astype("<i8").tobytes(),
        pool.closed.astype("<i8").tobytes(),
        pool.won.astype("u1").tobytes(),
        pool.amount.astype("<f8").tobytes(),
        {name: (each.texts, each.codes.astype("<i4").tobytes()) for name, each in pool.categories.items()},
    )
    return zlib.compress(msgpack.encode(packed), 6)


def unpack(blob: bytes) -> Pool:
    """The pool that `pack` wrote."""
    packed = decoders.of_msgpack(_Packed).decode(zlib.decompress(blob))
    return Pool(
        ids=np.array([id.encode() for id in packed.ids], dtype="S"),
        created=np.frombuffer(packed.created, "<i8").astype(np.int64),
        closed=np.frombuffer(packed.closed, "<i8").astype(np.int64),
        won=np.frombuffer(packed.won, "u1").astype(bool),
        amount=np.frombuffer(packed.amount, "<f8").astype(np.float64),
        categories={
            name: Category(tuple(texts), np.frombuffer(codes, "<i4").astype(np.int32))
            for name, (texts, codes) in packed.categories.items()
        },
    )
