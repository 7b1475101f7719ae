"""A stored event as Graph writes it. Occurrences, exceptions and single events are items; a series master too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from sqlite3 import Row
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.graph.calls import Call
from local.graph.clock import text_of
from local.graph.errors import bad_request
from local.graph.messages import BODY_FIELDS, etag, item_id

PROPERTIES = frozenset(
    [
        "id",
        "createdDateTime",
        "lastModifiedDateTime",
        "changeKey",
        "categories",
        "transactionId",
        "originalStartTimeZone",
        "originalEndTimeZone",
        "iCalUId",
        "reminderMinutesBeforeStart",
        "isReminderOn",
        "hasAttachments",
        "subject",
        "bodyPreview",
        "importance",
        "sensitivity",
        "isAllDay",
        "isCancelled",
        "isOrganizer",
        "responseRequested",
        "seriesMasterId",
        "showAs",
        "type",
        "webLink",
        "onlineMeetingUrl",
        "isOnlineMeeting",
        "onlineMeetingProvider",
        "allowNewTimeProposals",
        "isDraft",
        "hideAttendees",
        "occurrenceId",
        "responseStatus",
        "body",
        "start",
        "end",
        "location",
        "locations",
        "recurrence",
        "attendees",
        "organizer",
    ]
)
NOT_SELECTABLE = frozenset({"createdDateTime", "lastModifiedDateTime"})
_DEFAULTS: Mapping[str, Any] = {
    "categories": [],
    "subject": "",
    "importance": "normal",
    "sensitivity": "normal",
    "isAllDay": False,
    "isCancelled": False,
    "isOrganizer": False,
    "responseRequested": True,
    "seriesMasterId": None,
    "showAs": "busy",
    "type": "singleInstance",
    "isOnlineMeeting": False,
    "isDraft": False,
    "hideAttendees": False,
    "hasAttachments": False,
    "responseStatus": {"response": "none", "time": "0001-01-01T00:00:00Z"},
    "recurrence": None,
    "attendees": [],
}


def time_zone(call: Call) -> ZoneInfo | None:
    """Of Prefer outlook.timezone; None is UTC. Raises GraphError 400."""
    name = call.prefer.get("outlook.timezone", "UTC")
    if name == "UTC":
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise bad_request(f"The simulator does not know the time zone {name}.", "TimeZoneNotSupported") from error


def date_time(at: int, zone: ZoneInfo | None) -> dict[str, str]:
    """Seven decimals and no offset, as Outlook writes it."""
    local = datetime.fromtimestamp(at, zone or UTC)
    return {"dateTime": local.strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": zone.key if zone else "UTC"}


def event_json(row: Row, call: Call, names: Sequence[str] | None, *, per_series: bool) -> dict[str, Any]:
    """All properties when `names` is None; no body where the permission holds none.

    `per_series`: occurrences carry the iCalUId of their series instead of one of their own.
    """
    stored = json.loads(row["body"])
    series = stored.pop("seriesICalUId", None)
    zone = time_zone(call)
    text = str(stored.pop("text", "What the meeting is about."))
    whole = _DEFAULTS | stored
    whole |= {
        "id": item_id(row, call),
        "changeKey": etag(row)[3:-1],
        "createdDateTime": text_of(row["at"]),
        "lastModifiedDateTime": text_of(row["at"]),
        "start": date_time(row["at"], zone),
        "end": date_time(row["until"], zone),
        "bodyPreview": text[:255],
        "body": {"contentType": "text", "content": text},
    }
    if per_series and series:
        whole["iCalUId"] = series
    found = {name: whole[name] for name in (PROPERTIES if names is None else ("id", *names)) if name in whole}
    if not call.full:
        found = {name: value for name, value in found.items() if name not in BODY_FIELDS}
    for leaked in BODY_FIELDS & found.keys():
        call.notes.setdefault("bodyFields", set()).add(leaked)
    return {"@odata.etag": etag(row), **found}


def sparse_json(row: Row, call: Call) -> dict[str, Any]:
    """An occurrence in the delta of the calendar: where and when, the rest stands in its series master."""
    zone, stored = time_zone(call), json.loads(row["body"])
    found = {"id": item_id(row, call), "seriesMasterId": stored.get("seriesMasterId"), "type": "occurrence"}
    return {
        "@odata.etag": etag(row),
        **found,
        "start": date_time(row["at"], zone),
        "end": date_time(row["until"], zone),
    }
