"""After a change of settings: every record is computed again, and longer lead-ins are claimed.

The work is a chain of queue messages. The first is split into one per partition of `records`; each takes a page of records,
announces them and sends the next with a bookmark. A process that dies leaves its message to the next one, which repeats one
page; announcing twice is harmless. A chain of a version that is no longer in force stops: its successor has begun from the start.
"""

from __future__ import annotations

from itertools import islice

from msgspec.structs import replace

from shared import publishing, record_updates, roster_updates, rosters
from shared.organisation import settings_at
from shared.record_updates import SettingsUpdate

PAGE = 500


def work_off(update: SettingsUpdate) -> None:
    """Do one message's part. Raises UnavailableError when storage or queue is away; repeating is harmless."""
    if publishing.put_in_force(update.version).parameters > update.version:
        return
    if not update.place:
        record_updates.announce_pages(replace(update, place=place) for place in rosters.places())
        return
    page = list(islice(rosters.following(update.place, update.after), PAGE))
    found = [roster for roster in page if not roster.gone and not roster.merged_into]
    roster_updates.reclaim(found, settings_at(update.version).lead_in_days)
    record_updates.announce((roster.record for roster in found), bulk=True)
    if len(page) == PAGE:
        bookmark = page[-1].record.partition(":")[2]
        record_updates.announce_pages([replace(update, after=bookmark)])
