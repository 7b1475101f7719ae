"""What was found for each open deal: its similar won deals with their figures, one row of the table `similar` a deal."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from hashlib import blake2b

from msgspec import Struct, msgpack

from shared import decoders, tables
from shared.deal_fields import AMOUNT, DealValues
from shared.errors import FormatVersionError
from shared.organisation_settings import SimilarDeals
from shared.widgets import SimilarDeal

TABLE = "similar"
VERSION = 1
BUCKETS = 16
DAY = 86_400
_SMALL = ["RowKey", "foundAt", "tag", "readAt"]
LONGEST_DAYS = 7  # no list is older
RENEWED_AFTER_DAYS = 6  # so that a daily round keeps the promise


class SimilarResult(Struct, frozen=True, kw_only=True):
    """The nearest won deals of one deal at `found_at`, in order, and how many are similar in all.

    `age` is the deal's age then, in seconds; None where the CRM does not tell its creation.
    """

    found_at: int
    n: int
    deals: tuple[SimilarDeal, ...]
    age: int | None
    weights: dict[str, float]
    weights_version: int


class Basis(Struct, frozen=True):
    """When a result was found and from what: a tag of the deal's fields and of the settings. `read_at`: when the other deals
    were read, which is later where the list of a closed deal was found anew as of the instant of the one before."""

    found_at: int
    tag: str
    read_at: int

    def is_due(self, tag: str, now: int, changed_at: int) -> bool:
        """Whether the deal must be looked at again: other fields, other settings, the list grows too old or holds no more."""
        return self.tag != tag or not self.holds(changed_at) or self.found_at <= now - RENEWED_AFTER_DAYS * DAY

    def holds(self, changed_at: int) -> bool:
        """Whether the other deals' figures may be shown: not where they are from before it last changed whether Exchange may
        be seen, or who has opted out (`exchange.changed_at`)."""
        return self.read_at > changed_at


def tag_of(values: DealValues, settings: SimilarDeals) -> str:
    """A tag of everything that the choice of similar deals depends on besides the other deals and the time."""
    weights = {name: weight for name, weight in settings.weights.items() if weight > 0}
    compared = [values.amount if name == AMOUNT else values.names[name] for name in sorted(weights)]
    basis = (VERSION, values.created, compared, weights, settings.threshold, settings.months)
    return blake2b(msgpack.encode(basis, order="deterministic"), digest_size=8).hexdigest()


def read(record: str) -> tuple[SimilarResult, Basis] | None:
    """What is stored for a deal; None if it was never looked at."""
    row = tables.read(TABLE, *place(record))
    if row is None:
        return None
    if row["v"] != VERSION:
        raise FormatVersionError(f"similar deals have format {row['v']}, this app reads {VERSION}")
    result = decoders.of_msgpack(SimilarResult).decode(zlib.decompress(tables.unsplit(row)))
    return result, _basis(row)


def basis(record: str) -> tuple[Basis | None, str | None]:
    """From what the stored result was found, and the ETag of its row; (None, None) if there is none."""
    row = tables.read(TABLE, *place(record), _SMALL)
    return (_basis(row), row["etag"]) if row else (None, None)


def bases() -> Iterator[tuple[str, Basis]]:
    """The id and the basis of every stored result; reads the small columns only."""
    for number in range(BUCKETS):
        for row in tables.query(TABLE, f"deal|{number:x}", select=_SMALL):
            yield row["RowKey"], _basis(row)


def _basis(row: tables.Row) -> Basis:
    return Basis(row["foundAt"], row["tag"], row.get("readAt") or row["foundAt"])


def write_if(record: str, result: SimilarResult, tag: str, read_at: int, etag: str | None) -> bool:
    """Store a result unless somebody stored another one since `etag` was read; False then."""
    partition, key = place(record)
    blob = zlib.compress(msgpack.encode(result), 6)
    row = {
        "PartitionKey": partition,
        "RowKey": key,
        "v": VERSION,
        "foundAt": result.found_at,
        "tag": tag,
        "readAt": read_at,
    }
    return tables.write_if(TABLE, {**row, **tables.split(blob)}, etag)


def remove(record: str) -> None:
    """Delete what is stored for a deal that is gone."""
    tables.delete(TABLE, *place(record))


def place(record: str) -> tuple[str, str]:
    """PartitionKey and RowKey of a deal's result."""
    id = record.partition(":")[2]
    return f"deal|{tables.bucket(id, BUCKETS)}", id
