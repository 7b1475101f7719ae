"""List views: open records by relationship, and single rows by id. No activity is touched: all is in the lists' own rows."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import TYPE_CHECKING, cast

from msgspec import Struct, json
from msgspec.structs import replace

from shared import exchange, insights, list_rights, list_store, organisation, rosters
from shared.auth import Caller
from shared.errors import InvalidInputError
from shared.list_rows import ALARMS, ListRow, concealed
from shared.list_shapes import HealthBatch, HealthList, HealthRow, ListQuery
from shared.moments import instant, known_instant
from shared.organisation_settings import RecordType
from shared.paging import seal, unseal
from shared.rosters import RECORD_TYPES

if TYPE_CHECKING:
    from shared.list_packs import Pack

_DAY = 86_400
_READERS = 8
_TREND_NAMES = ("improving", "steady", "declining", "notEnough", "failed", "notApplicable")
_GRADES = ("good", "fair", "poor")  # by state; all others are insufficient
_NOT_COMPUTED = (5, 6)  # in progress, failed: whether there was contact is not known


class _Page(Struct, frozen=True):
    """How many rows the pages before have held."""

    rows: int


def type_of(name: str) -> str:
    """The record type of a route. Raises InvalidInputError for none."""
    if name.lower() not in RECORD_TYPES:
        raise InvalidInputError(f"the record type is one of {', '.join(RECORD_TYPES)}", "$.type")
    return name.lower()


def health_list(kind: str, query: ListQuery, now: int, who: Caller) -> HealthList:
    """One page of the open records of a type, as this caller may see it: rows that may not be read are neither there nor counted.

    Raises InvalidInputError for a page of another list, ForbiddenError for `me` without a person.
    """
    from shared.list_order import order

    purpose = f"lists|{kind}|{blake2b(json.encode(replace(query, page='')), digest_size=8).hexdigest()}"
    first = unseal(query.page, _Page, purpose=purpose).rows if query.page else 0
    owner, withheld = list_rights.owner_for(who, query.owner)
    found, unchecked = list_rights.readable_part(who, kind, chosen(list_store.read(kind), replace(query, owner=owner)))
    rows = order(found, query.sort, query.order == "desc")[first : first + query.limit]
    rest = len(found) - first - len(rows)
    page = list_rights.readable(who, kind, found.take(rows)) if unchecked else found.take(rows)
    reason = withheld or unchecked
    return HealthList(
        type=kind,
        total=None if unchecked else len(found),
        grades=None if reason else grade_counts(found),
        reason=reason,
        rows=health_rows(kind, page.rows(range(len(page))), now),
        next_page=seal(_Page(first + len(rows)), purpose=purpose) if rest > 0 else None,
    )


def chosen(pack: Pack, query: ListQuery) -> Pack:
    """The rows that pass the filters of a query."""
    import numpy as np

    states, trends = pack.figures["state"], pack.figures["trend"]
    kept = np.ones(len(pack), dtype=bool)
    if query.owner:
        kept &= np.fromiter((owner == query.owner for owner in pack.owners), bool, len(pack))
    if query.grade:
        wanted = [_GRADES.index(grade) for grade in query.grade if grade in _GRADES]
        kept &= np.isin(states, wanted) | ((states >= len(_GRADES)) & ("insufficient" in query.grade))
    if query.trend:
        kept &= np.isin(trends, [_TREND_NAMES.index(name) for name in query.trend])
    return pack.where(kept)


def grade_counts(pack: Pack) -> dict[str, int]:
    """Number of rows per grade."""
    import numpy as np

    numbers = np.bincount(np.minimum(pack.figures["state"], len(_GRADES)), minlength=len(_GRADES) + 1).tolist()
    return dict(zip((*_GRADES, "insufficient"), numbers, strict=True))


def health_rows(kind: str, rows: Sequence[ListRow], now: int) -> list[HealthRow]:
    """Rows as lists answer them."""
    from shared.list_order import attention
    from shared.list_packs import packed

    alarms = organisation.in_force().alarms
    idle_seconds = alarms.idle_days_of_type.get(cast(RecordType, kind), alarms.idle_days) * _DAY
    quiet = [now - since > idle_seconds if since is not None else False for since in _quiet_since(kind, rows)]
    reasons = attention(packed(rows)).tolist()
    return [_health_row(kind, *each, now) for each in zip(rows, reasons, quiet, strict=True)]


def _quiet_since(kind: str, rows: Sequence[ListRow]) -> list[int | None]:
    """Since when each open record has had no interaction: since it was created, where there never was one.

    None for a closed record, one that is still being computed, and one whose creation nobody told.
    """
    since = [row.last_at if row.open else None for row in rows]
    never = [
        place for place, row in enumerate(rows) if row.open and row.last_at is None and row.state not in _NOT_COMPUTED
    ]  # few: a point read each
    with ThreadPoolExecutor(_READERS) as readers:
        found = readers.map(rosters.read, [f"{kind}:{rows[place].id}" for place in never])
        for place, roster in zip(never, found, strict=True):
            since[place] = roster.created_at if roster else None
    return since


def _health_row(kind: str, row: ListRow, reason: int, idle: bool, now: int) -> HealthRow:
    from shared.kpi.health import score_int
    from shared.kpi.lists import Attention

    return HealthRow(
        record=f"{kind}:{row.id}",
        name=row.name,
        owner=row.owner,
        state=row.state,
        grade=_GRADES[row.state] if row.state < len(_GRADES) else "insufficient",
        score=row.score,
        score_int=None if row.score is None else score_int(row.score),
        trend=row.trend,
        trend_name=_TREND_NAMES[row.trend],
        alarm=ALARMS[row.alarm] if row.alarm >= 0 else None,
        attention=Attention(reason).name.lower(),
        waiting_for_us=row.waiting,
        next_at=instant(row.next_at) if row.next_at is not None and row.next_at >= now else None,
        last_at=known_instant(row.last_at),
        idle=idle,
        hours_ours=row.hours_ours,
        hours_theirs=row.hours_theirs,
        updated_at=instant(row.computed_at) if row.computed_at else None,
        params_version=row.version,
    )


def batch(kind: str, ids: Sequence[str], now: int) -> HealthBatch:
    """Rows of single records, each by a point read. Raises InvalidInputError for what can be no id."""
    from shared.crm.values import normal_id

    try:
        wanted = list(dict.fromkeys(map(normal_id, ids)))
    except ValueError as error:
        raise InvalidInputError(str(error), "$.ids") from None
    with ThreadPoolExecutor(_READERS) as readers:
        found = list(readers.map(insights.list_row, [f"{kind}:{id}" for id in wanted]))
    since = exchange.hidden_since()
    rows = [concealed(row, since) for row in found if row is not None]
    missing = [id for id, row in zip(wanted, found, strict=True) if row is None]
    return HealthBatch(type=kind, rows=health_rows(kind, rows, now), missing=missing)
