"""The `acquaintances` table: one row a target, read by one point read, and beside a company domain's row its full domains.

Targets are records (`contact:<id>`, `lead:<id>`, `account:<id>`), bare people (`person:<key>`) and company domains
(`domain:<key>`). Each has a partition of its own, so the busiest one slows nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from shared import tables
from shared.domains import company_of
from shared.errors import FormatVersionError
from shared.keys import keys
from shared.people import domain_of

if TYPE_CHECKING:
    from shared.acquaintance import Known

TABLE = "acquaintances"
VERSION = 1
_ROW = "known"
_DOMAIN = "domain|"
_REMEMBERED = 100_000

_written: set[str] = set()


def domain_anchor(company: str) -> str:
    """The target, and at the same time the activity partition, of a company domain."""
    return f"domain:{keys().domain(company):016x}"


def company_anchor(address: str) -> str:
    """The company domain that an external address belongs to; empty where it stands for none."""
    company = company_of(domain_of(address))
    return domain_anchor(company) if company else ""


def read(target: str) -> tuple[Known | None, str | None]:
    """The target's row and its ETag; (None, None) if there is none."""
    from shared.acquaintance import decode

    row = tables.read(TABLE, target, _ROW)
    if row is None:
        return None, None
    if row["v"] != VERSION:
        raise FormatVersionError(f"acquaintances have format {row['v']}, this app reads {VERSION}")
    return decode(tables.unsplit(row)), row["etag"]


def write(target: str, known: Known, people: bytes) -> None:
    """Store the row, whatever is there. For records: their snapshot's ETag decides who writes last."""
    tables.upsert(TABLE, _packed(target, known, people))


def write_if(target: str, known: Known, people: bytes, etag: str | None) -> bool:
    """Store the row unless somebody else has stored one since `etag` was read."""
    return tables.write_if(TABLE, _packed(target, known, people), etag)


def _packed(target: str, known: Known, people: bytes) -> tables.Row:
    from shared.acquaintance import encode

    # `validUntil` as text of a fixed length: the table's plain numbers have 32 bits.
    row = {"PartitionKey": target, "RowKey": _ROW, "v": VERSION, "validUntil": f"{known.valid_until:016d}"}
    return {**row, **tables.split(people, "people"), **tables.split(encode(known))}


def remove(targets: Iterable[str]) -> None:
    """Delete the rows of targets that are gone, or that another target answers for now."""
    for target in targets:
        tables.delete(TABLE, target, _ROW)


def remember_domains(addresses: Iterable[str]) -> None:
    """Note under each company which full domains its addresses have (`eu.cust.example` under `cust.example`)."""
    for domain in {domain_of(address) for address in addresses if address} - _written:
        if company := company_of(domain):
            tables.upsert(TABLE, {"PartitionKey": domain_anchor(company), "RowKey": f"{_DOMAIN}{domain}", "v": VERSION})
        if len(_written) > _REMEMBERED:
            _written.clear()
        _written.add(domain)


def domains_of(target: str) -> list[str]:
    """The full domains noted under a company domain."""
    rows = tables.query(TABLE, target, _DOMAIN, f"{_DOMAIN}~", ["RowKey"])
    return [row["RowKey"].removeprefix(_DOMAIN) for row in rows]


def naming(wanted: Iterable[int]) -> Iterator[str]:
    """The bare people and domains whose row names any of these people of ours; one scan of the small columns."""
    sought = {key.to_bytes(8, "little") for key in wanted}
    for row in tables.scan(TABLE, ["PartitionKey", "RowKey", *(f"people{i}" for i in range(4))]):
        people = tables.unsplit(row, "people")
        if any(people[i : i + 8] in sought for i in range(0, len(people), 8)) and _by_itself(row["PartitionKey"]):
            yield row["PartitionKey"]


def expired(now: int) -> Iterator[str]:
    """The bare people and domains whose row no longer holds. Records are computed again with their snapshots."""
    for row in tables.scan(TABLE, ["PartitionKey", "RowKey", "validUntil"]):
        if row["RowKey"] == _ROW and int(row["validUntil"]) <= now and _by_itself(row["PartitionKey"]):
            yield row["PartitionKey"]


def by_themselves() -> Iterator[str]:
    """All bare people and domains that have a row."""
    for row in tables.scan(TABLE, ["PartitionKey", "RowKey"]):
        if row["RowKey"] == _ROW and _by_itself(row["PartitionKey"]):
            yield row["PartitionKey"]


def _by_itself(target: str) -> bool:
    return target.startswith(("person:", "domain:"))
