"""The row of a record in list views: the few columns of its snapshot that lists and the chart show, sort and filter by."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, msgpack
from msgspec.structs import replace

from shared import decoders
from shared import widgets as w
from shared.rosters import Roster

ALARMS = ("none", "cooling", "probably_lost")
NO_ALARM_KNOWN = -1
COMPUTING = 5  # the state of a record that was never computed


class ListRow(Struct, frozen=True, kw_only=True, array_like=True):
    """One record. Instants in seconds; None = cannot be said. Of two rows of a record the higher revision holds.

    `open`: the record stands in lists; else it is only kept to be counted. `gone`: nothing is known of it any more.
    """

    id: str
    revision: int
    name: str = ""
    owner: str = ""
    open: bool = True
    gone: bool = False
    state: int = COMPUTING
    score: float | None = None
    trend: int = 3
    alarm: int = NO_ALARM_KNOWN
    waiting: int = 0
    next_at: int | None = None
    last_at: int | None = None
    hours_ours: float | None = None
    hours_theirs: float | None = None
    computed_at: int = 0
    version: int = 0
    closes_at: int | None = None
    amount: float | None = None


_COMPUTED = ("state", "score", "trend", "alarm", "waiting", "next_at", "last_at", "hours_ours", "hours_theirs")
# What a row says of a record whose figures are not there (yet): its defaults.
NO_FIGURES: dict[str, int | None] = {name: getattr(ListRow(id="", revision=0), name) for name in _COMPUTED}
_encoder = msgpack.Encoder()
_decoder = decoders.of_msgpack(ListRow)


def encode(row: ListRow) -> bytes:
    """The row as bytes."""
    return _encoder.encode(row)


def decode(blob: bytes) -> ListRow:
    """The row that `encode` made bytes of."""
    return _decoder.decode(blob)


def awaited(roster: Roster) -> ListRow:
    """The list row of a record until it is computed for the first time; any other is newer.

    >>> awaited(Roster(record="case:k1", name="Line 3")).state == COMPUTING
    True
    """
    return ListRow(
        id=roster.record.partition(":")[2],
        revision=1,
        name=roster.name,
        owner=roster.owner,
        open=roster.status == "open",
        closes_at=roster.estimated_close_at,
        amount=roster.amount,
    )


def concealed(row: ListRow, since: int) -> ListRow:
    """The row as it may be shown: one computed not after `since`, when Exchange was hidden, is being computed again. 0: shown.

    >>> concealed(ListRow(id="k1", revision=9, state=0, score=80.0, computed_at=7), 7).score is None
    True
    """
    return row if not since or row.computed_at > since else replace(row, **NO_FIGURES)


def list_row(found: w.RecordWidgets, roster: Roster, computed_at: int) -> ListRow:
    """The list row of a snapshot, still without a revision, which is given when it is stored."""
    health, last, following = (
        found.widgets.health,
        found.widgets.last_interaction.last,
        found.widgets.next_interaction.next,
    )
    spent = found.widgets.time_spent
    return ListRow(
        id=roster.record.partition(":")[2],
        revision=0,
        name=roster.name,
        owner=roster.owner,
        open=roster.status == "open",
        state=health.state,
        score=health.score,
        trend=health.trend,
        alarm=NO_ALARM_KNOWN if health.alarm is None else ALARMS.index(health.alarm),
        waiting=found.widgets.response_time.waiting_for_us.count,
        next_at=_seconds(following),
        last_at=_seconds(last),
        hours_ours=spent.our_hours,
        hours_theirs=spent.their_hours,
        computed_at=computed_at,
        version=found.params_version,
        closes_at=roster.estimated_close_at,
        amount=roster.amount,
    )


def _seconds(moment: w.Moment | None) -> int | None:
    return None if moment is None else int(datetime.fromisoformat(moment.at).timestamp())
