"""The queue list, which the cloud templates read too: names and options from infra/queues.json."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_UNITS = (86_400_000, 3_600_000, 60_000, 1_000)
MAX_LOCK = 300_000
REFUSED = ("requiresSession", "enablePartitioning", "forwardTo", "forwardDeadLetteredMessagesTo")


class QueueListError(ValueError):
    """The queue list cannot be used; the message says which queue and why."""


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """One queue. Durations in milliseconds; `duplicate_window` and `time_to_live` are None when switched off."""

    name: str
    lock_duration: int = 60_000
    max_delivery_count: int = 10
    time_to_live: int | None = None
    dead_letter_expired: bool = False
    duplicate_window: int | None = None
    message_limit: int = 262_144


def milliseconds(text: str) -> int:
    """An ISO-8601 duration of days, hours, minutes and seconds.

    >>> milliseconds("PT1M30S")
    90000
    """
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith(("P", "T")):
        raise QueueListError(f"{text!r} is not an ISO-8601 duration such as PT5M")
    return round(sum(float(part) * unit for part, unit in zip(found.groups("0"), _UNITS, strict=True)))


def _options(entry: dict[str, Any]) -> QueueOptions:
    refused = [name for name in REFUSED if entry.get(name)]
    if refused:
        raise QueueListError(f"queue {entry['name']}: {', '.join(refused)} is not served here")
    options = QueueOptions(
        name=entry["name"],
        lock_duration=milliseconds(entry.get("lockDuration", "PT1M")),
        max_delivery_count=int(entry.get("maxDeliveryCount", 10)),
        time_to_live=milliseconds(ttl) if (ttl := entry.get("defaultMessageTimeToLive")) else None,
        dead_letter_expired=bool(entry.get("deadLetteringOnMessageExpiration", False)),
        duplicate_window=_duplicate_window(entry),
        message_limit=int(entry.get("maxMessageSizeInKilobytes", 256)) * 1024,
    )
    if not 0 < options.lock_duration <= MAX_LOCK or options.max_delivery_count < 1:
        raise QueueListError(f"queue {options.name}: a lock lasts up to PT5M, and a message is delivered at least once")
    return options


def _duplicate_window(entry: dict[str, Any]) -> int | None:
    if not entry.get("requiresDuplicateDetection", False):
        return None
    return milliseconds(entry.get("duplicateDetectionHistoryTimeWindow", "PT10M"))


def load_queues(path: Path, lock_seconds: float | None = None) -> list[QueueOptions]:
    """The queues of a file, in its order; `lock_seconds` takes the place of every lock duration (for tests).

    Raises QueueListError for a file that is no queue list, a bad duration or an option that is not served.
    """
    try:
        listed = json.loads(path.read_text("utf-8"))
        entries = [{**listed.get("defaults", {}), **entry} for entry in listed["queues"]]
        queues = [_options(entry) for entry in entries]
    except (OSError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise QueueListError(f"{path}: not a queue list ({error})") from error
    if len({queue.name.lower() for queue in queues}) < len(queues):
        raise QueueListError(f"{path}: a queue is named twice")
    if lock_seconds is not None:
        queues = [replace(queue, lock_duration=round(lock_seconds * 1000)) for queue in queues]
    return queues
