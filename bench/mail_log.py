"""Mail logs as interactions, so that evaluations read real mail through the same code as the app.

Two forms, csv or csv.gz, told apart by their header: `sender,recipient,unix_time` and `time,sender,recipient,recipient_type`
(`time` as ISO text, `to` or `cc`). Both have a row per mail and recipient; the rows of one sender at one instant are one mail.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.kpi.interactions import Flag, Interactions, Kind, Role

ROLES = {"to": Role.TO, "cc": Role.CC}


@dataclass(frozen=True)
class MailLog:
    """Mail of `people` (sorted ids); the person at position p has the key p + 1."""

    people: tuple[str, ...]
    interactions: Interactions


def read_mail_log(path: Path) -> MailLog:
    """Reads a log of either form. Mail to oneself and repeated rows are dropped; a blank copy is no recipient.

    Raises `ValueError` for any other header.
    """
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as lines:
        reader = csv.DictReader(lines)
        if not {"sender", "recipient"} < set(reader.fieldnames or ()) or not {"unix_time", "time"} & set(
            reader.fieldnames or ()
        ):
            raise ValueError(f"{path} is no mail log: its columns are {reader.fieldnames}")
        mails: dict[tuple[int, str], dict[str, Role]] = {}
        for row in reader:
            role = ROLES.get(row.get("recipient_type") or "to")
            if role is not None and row["sender"] != row["recipient"]:
                recipients = mails.setdefault((_instant(row), row["sender"]), {})
                recipients[row["recipient"]] = min(role, recipients.get(row["recipient"], role))
    people = tuple(sorted({sender for _, sender in mails} | {who for parts in mails.values() for who in parts}))
    return MailLog(people, _interactions(mails, people))


def _instant(row: dict[str, str]) -> int:
    if "unix_time" in row:
        return int(float(row["unix_time"]))
    return int(datetime.fromisoformat(row["time"]).timestamp())


def _interactions(mails: dict[tuple[int, str], dict[str, Role]], people: tuple[str, ...]) -> Interactions:
    key = {person: position + 1 for position, person in enumerate(people)}
    ordered = sorted(mails.items())
    n = len(ordered)
    parts = [
        (number, key[person], role)
        for number, ((_, sender), recipients) in enumerate(ordered)
        for person, role in [(sender, Role.FROM), *recipients.items()]
    ]
    index, person, role = (np.array(column, np.int64) for column in zip(*parts, strict=True)) if n else [_none()] * 3
    at = np.array([instant for (instant, _), _ in ordered], np.int64)
    nothing = np.zeros(0, np.int64)
    return Interactions(
        key=np.array([number.to_bytes(16, "big") for number in range(1, n + 1)], "S16"),
        at=at,
        end=at,
        kind=np.full(n, Kind.EMAIL, np.uint8),
        flags=np.full(n, Flag.COMPLETED | Flag.IN_EXCHANGE, np.uint32),
        minutes=np.zeros(n),
        conversation=np.zeros(n, np.uint64),
        sources=np.ones(n, np.uint8),
        part_index=index,
        part_person=person.astype(np.uint64),
        part_domain=np.zeros(len(index), np.uint64),
        part_role=role.astype(np.uint8),
        part_response=np.zeros(len(index), np.uint8),
        regarding_index=nothing,
        regarding_type=nothing.astype(np.uint8),
        regarding_key=nothing.astype(np.uint64),
    )


def _none() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)
