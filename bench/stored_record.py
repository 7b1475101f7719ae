"""A record in a real Azurite, stored in both ways: our partition, and one row per activity as most apps would keep them.

The record is the made-up one of `bench.kpi_data` with users, roster and addresses behind its keys, so that the app's own code
reads and computes it.
"""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from msgspec import json

from bench.kpi_data import record
from shared import partitions, registry, rosters, stamps, states, tables
from shared.changes import parse_batch
from shared.columns import Entries
from shared.interactions import Participant
from shared.keys import keys
from shared.kpi.interactions import Flag, Interactions, Keys, Membership
from shared.rosters import Roster, Stakeholder
from tests.doubles.processes import forget
from tests.local.azurite_process import RunningAzurite, running_azurite

ROWS = "activityrows"


@contextmanager
def setting_up(environ: Mapping[str, str]) -> Iterator[None]:
    """The app in this process with these settings, and without whatever it held of others, before and after."""
    before = dict(os.environ)
    os.environ.update(environ)
    try:
        forget()
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        forget()


def app_settings(azurite: RunningAzurite) -> dict[str, str]:
    """The settings by which the app reaches this Azurite."""
    secret = base64.b64encode(bytes(range(32))).decode()
    return {"TABLES": azurite.connection_string, "PERSON_KEY": secret, "TENANT_DOMAINS": "us.example"}


@contextmanager
def running_tables() -> Iterator[RunningAzurite]:
    """An Azurite in a folder of its own, and the app in this process set up to use it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_azurite(Path(folder)) as azurite,
        setting_up(app_settings(azurite)),
    ):
        yield azurite


def people(size: int, domain: str) -> dict[str, str]:
    """Ids and addresses of `size` people."""
    return {f"{number:08x}-0000-4000-8000-{len(domain):012x}": f"p{number}@{domain}" for number in range(size)}


def store(name: str, number: int, as_rows: int | None = None) -> Entries:
    """Write a record (`opportunity:<id>`) with `number` activities, the newest `as_rows` (default: all) once more as rows."""
    facts, membership = record(number)
    ours, theirs = people(len(membership.internal), "us.example"), people(60, "cust.example")
    entries = _entries(facts, membership, name, list(ours.values()), list(theirs.values()))
    _write_people(ours, theirs)
    _write_roster(name, ours, theirs)
    partitions.fold(name, entries)
    chosen = entries if as_rows is None else entries.take(np.arange(max(number - as_rows, 0), number))
    tables.transact(ROWS, (("write", row, None) for row in _rows(name, chosen)))
    return entries


def _entries(facts: Interactions, members: Membership, name: str, ours: list[str], theirs: list[str]) -> Entries:
    """The made-up interactions with keys that have addresses behind them."""
    their_keys = np.setdiff1d(np.unique(facts.part_person), members.internal)
    known = dict(zip(members.internal.tolist(), ours, strict=True))
    # The people of interest get the first addresses, which is what the roster names.
    order = [*members.external.tolist(), *np.setdiff1d(their_keys, members.external).tolist()]
    known |= dict(zip(order, theirs, strict=False))
    persons: Keys = np.array([keys().address(known[key]) for key in np.unique(facts.part_person).tolist()], np.uint64)
    place = np.searchsorted(np.unique(facts.part_person), facts.part_person)
    internal = np.isin(facts.part_person, members.internal)
    domains = [np.uint64(keys().domain(domain)) for domain in ("us.example", "cust.example")]
    facts = replace(
        facts,
        flags=facts.flags & ~np.uint32(Flag.IN_EXCHANGE) | np.uint32(Flag.IN_CRM),  # the CRM's need nobody's consent
        part_person=persons[place],
        part_domain=np.where(internal, *domains),
        regarding_key=np.full(len(facts.regarding_key), keys().record(name), np.uint64),
    )
    ids = np.empty(len(facts), dtype=object)
    ids[:] = [f"email:{key[:16].hex()}" for key in facts.key.tolist()]
    return Entries(facts, np.ones(len(facts), np.uint32), np.zeros(len(facts), bool), ids)


def _write_people(ours: Mapping[str, str], theirs: Mapping[str, str]) -> None:
    users = [
        {
            "entity": "user", "id": id, "version": 1, "operation": "upsert",
            "attributes": {"name": address.partition("@")[0], "emails": [address], "timeZone": "Europe/Berlin"},
        }
        for id, address in ours.items()
    ]  # fmt: skip
    states.take_in(parse_batch(json.encode({"changes": users})))
    stamps.advance("people")
    registry.remember(Participant(address, "", "", 0, 0) for address in (*ours.values(), *theirs.values()))


def _write_roster(name: str, ours: Mapping[str, str], theirs: Mapping[str, str]) -> None:
    """Every other of our people is on the team, the first half of theirs are stakeholders."""
    owner, *team = list(ours)[::2]
    stakeholders = tuple(
        Stakeholder(f"contact:{id}", address, (keys().address(address),)) for id, address in list(theirs.items())[:30]
    )
    roster = Roster(record=name, name="Made up", owner=f"user:{owner}", team=tuple(team), people=stakeholders)
    rosters.write_if(roster, rosters.stored(name)[1])


def _rows(name: str, entries: Entries) -> Iterator[tables.Row]:
    """One row per activity: its facts as properties, the ragged parts as JSON."""
    facts = entries.facts
    parts = np.searchsorted(facts.part_index, np.arange(len(facts) + 1))
    about = np.searchsorted(facts.regarding_index, np.arange(len(facts) + 1))
    part = list(zip(*(getattr(facts, f"part_{one}").tolist() for one in PART), strict=True))
    regarding = list(zip(*(getattr(facts, f"regarding_{one}").tolist() for one in REGARDING), strict=True))
    for i in range(len(facts)):
        key = facts.key[i].ljust(16, b"\0").hex()
        row: tables.Row = {"PartitionKey": name, "RowKey": f"{facts.at[i]:012d}|{key}", "activity": entries.activity[i]}
        row |= {one: int(getattr(facts, one)[i]) for one in ("at", "end", "kind", "flags", "sources")}
        row |= {"revision": int(entries.revision[i]), "removed": bool(entries.removed[i])}
        row |= {"conversation": f"{facts.conversation[i]:x}"}
        row |= {"participants": json.encode(part[parts[i] : parts[i + 1]]).decode()}
        row |= {"regarding": json.encode(regarding[about[i] : about[i + 1]]).decode()}
        if not np.isnan(facts.minutes[i]):
            row["minutes"] = float(facts.minutes[i])
        yield row


PART = ("person", "domain", "role", "response")
REGARDING = ("type", "key")
