"""Many list rows as columns: what one packed row of a list holds, and how rows that came later are joined in.

A blob is `version byte | length of the figures | figures | texts`: one numpy record per list row and the texts beside them, each
a zlib stream. NaN stands for "cannot be said".
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import msgpack
from numpy.typing import NDArray

from shared import decoders
from shared.errors import FormatVersionError
from shared.kpi.interactions import Bools, Floats, Indices
from shared.list_rows import NO_FIGURES, ListRow

VERSION = 1
_HEADER = struct.Struct("<BI")
_OPTIONAL = ("score", "next_at", "last_at", "hours_ours", "hours_theirs", "closes_at", "amount")
_FIGURES = np.dtype(
    [("revision", "<i8"), ("computed_at", "<i8"), ("version", "<i4"), ("waiting", "<i4"), ("state", "u1"), ("trend", "u1"),
     ("alarm", "i1"), ("open", "?"), ("gone", "?"), *((name, "<f8") for name in _OPTIONAL)]
)  # fmt: skip
_NAMES = _FIGURES.names or ()
_INSTANTS = ("next_at", "last_at", "closes_at")
_texts = decoders.of_msgpack(tuple[list[str], list[str], list[str]])


@dataclass(frozen=True)
class Pack:
    """Rows as columns of length n: a numpy record of figures, and ids, names and owners."""

    figures: NDArray[np.void]
    ids: list[str]
    names: list[str]
    owners: list[str]

    def __len__(self) -> int:
        return len(self.ids)

    def figure(self, name: str) -> Floats:
        """One figure of all rows as float64, NaN where it cannot be said."""
        return np.asarray(self.figures[name], dtype=np.float64)

    def take(self, chosen: Indices) -> Pack:
        """The rows at these positions, in this order."""
        texts = ([column[i] for i in chosen.tolist()] for column in (self.ids, self.names, self.owners))
        return Pack(self.figures[chosen], *texts)

    def where(self, kept: Bools) -> Pack:
        """The rows that are marked."""
        return self if kept.all() else self.take(np.flatnonzero(kept))

    def concealed(self, since: int) -> Pack:
        """The rows as they may be shown: those computed not after `since`, when Exchange was hidden, have no figures."""
        if not since:
            return self
        old = self.figures["computed_at"] <= since
        if not old.any():
            return self
        figures = self.figures.copy()
        for name, value in NO_FIGURES.items():
            figures[name][old] = _number(value)
        return Pack(figures, self.ids, self.names, self.owners)

    def rows(self, chosen: Iterable[int]) -> list[ListRow]:
        """The rows at these positions as Structs."""
        return [self._row(i) for i in chosen]

    def _row(self, i: int) -> ListRow:
        given: dict[str, Any] = dict(zip(_NAMES, self.figures[i].tolist(), strict=True))
        given |= {name: None for name in _OPTIONAL if np.isnan(given[name])}
        given |= {name: int(given[name]) for name in _INSTANTS if given[name] is not None}
        return ListRow(id=self.ids[i], name=self.names[i], owner=self.owners[i], **given)


def packed(rows: Sequence[ListRow]) -> Pack:
    """Rows as columns, in the same order; none give empty columns."""
    figures = np.array([tuple(_number(getattr(row, name)) for name in _NAMES) for row in rows], dtype=_FIGURES)
    return Pack(figures, [row.id for row in rows], [row.name for row in rows], [row.owner for row in rows])


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def joined(packs: Sequence[Pack]) -> Pack:
    """All rows one after the other; ids may repeat."""
    if len(packs) == 1:
        return packs[0]
    figures = np.concatenate([np.empty(0, _FIGURES), *(pack.figures for pack in packs)])
    texts = ([text for pack in packs for text in getattr(pack, name)] for name in ("ids", "names", "owners"))
    return Pack(figures, *texts)


def newest(packs: Sequence[Pack]) -> Pack:
    """Each id once, at its highest revision (equal ones: the last), without what is gone.

    >>> two = packed([ListRow(id="a", revision=1, score=40.0), ListRow(id="a", revision=2, score=50.0)])
    >>> newest([two]).figure("score").tolist()
    [50.0]
    """
    pack = joined(packs)
    best: dict[str, int] = {}
    revisions = pack.figures["revision"].tolist()
    for position, id in enumerate(pack.ids):
        held = best.get(id)
        if held is None or revisions[position] >= revisions[held]:
            best[id] = position
    chosen = np.array(sorted(best.values()), dtype=np.int64)
    kept = chosen[~pack.figures["gone"][chosen]]
    return pack if len(kept) == len(pack) else pack.take(kept)


def encode(pack: Pack) -> bytes:
    """The blob of these rows."""
    figures = zlib.compress(pack.figures.tobytes(), 1)
    texts = zlib.compress(msgpack.encode((pack.ids, pack.names, pack.owners)), 1)
    return _HEADER.pack(VERSION, len(figures)) + figures + texts


def decode(blob: bytes) -> Pack:
    """The rows of a blob. Raises FormatVersionError for one that a newer version of the app wrote."""
    version, length = _HEADER.unpack_from(blob)
    if version != VERSION:
        raise FormatVersionError(f"packed list rows have format {version}, this app reads {VERSION}")
    end = _HEADER.size + length
    figures = np.frombuffer(zlib.decompress(blob[_HEADER.size : end]), dtype=_FIGURES)
    return Pack(figures, *_texts.decode(zlib.decompress(blob[end:])))
