"""Row rights: an answer about a record is given only to callers who may read that record in the CRM now.

The CRM is asked as the caller; what it said holds for a minute. Without a CRM to ask (no DATAVERSE_URL) the app role alone
decides. When the CRM does not answer, nobody may read anything.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from shared.auth import Caller
from shared.errors import ForbiddenError
from shared.list_shapes import HealthBatch
from shared.settings import settings

KEPT_SECONDS = 60.0
_MOST_KEPT = 100_000


class RecordRights(Protocol):
    """Says which records a caller may read."""

    def readable(self, who: Caller, records: Sequence[str]) -> set[str]:
        """Those of the records (`account:<id>`) that the caller may read now. Raises UnavailableError when it cannot be told."""


class RoleOnly:
    """Every reader may read every record."""

    def readable(self, who: Caller, records: Sequence[str]) -> set[str]:
        """All of them."""
        return set(records)


class Remembered:
    """What other rights said, for a minute; safe to share between threads, which at worst ask twice."""

    def __init__(self, rights: RecordRights, seconds: float = KEPT_SECONDS) -> None:
        self._rights, self._seconds = rights, seconds
        self._known: dict[tuple[str, str], tuple[float, bool]] = {}

    def readable(self, who: Caller, records: Sequence[str]) -> set[str]:
        """As the other rights say; only what is not known yet is asked."""
        now = time.monotonic()
        known = {record: self._known.get((who.id, record), (0.0, False)) for record in records}
        asked = [record for record, (until, _) in known.items() if until <= now]
        found = self._rights.readable(who, asked) if asked else set()
        if len(self._known) + len(asked) > _MOST_KEPT:
            self._known.clear()
        self._known.update({(who.id, record): (now + self._seconds, record in found) for record in asked})
        return found | {record for record, (until, may) in known.items() if until > now and may}


def is_open() -> bool:
    """Whether every reader may read every record, because no CRM is asked."""
    return not settings().dataverse_url


def rights() -> RecordRights:
    """The rights of this app: the CRM's where one is set."""
    return _rights(settings().dataverse_url)


@functools.cache
def _rights(dataverse: str) -> RecordRights:
    if not dataverse:
        return RoleOnly()
    from shared.crm.dataverse_rights import DataverseRights

    return Remembered(DataverseRights(dataverse))


def require(who: Caller, record: str) -> None:
    """Raises ForbiddenError unless the caller may read the record."""
    if record not in rights().readable(who, [record]):
        raise ForbiddenError("You may not read this record in the CRM, or it is not there.")


def batch_for(who: Caller, found: HealthBatch) -> HealthBatch:
    """The rows that the caller may read; the others are missing."""
    records = {row.record for row in found.rows}
    may = rights().readable(who, sorted(records))
    hidden = sorted(record.partition(":")[2] for record in records - may)
    return replace(found, rows=[row for row in found.rows if row.record in may], missing=[*found.missing, *hidden])
