"""Saying that something must be computed again: messages to `record-updates` and `people-updates`, folded by windows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from typing import Any, TypeVar, cast

import msgspec

from shared import decoders, delays, queues
from shared.errors import PoisonMessageError
from shared.settings import settings


class RecordUpdate(msgspec.Struct, frozen=True):
    """Compute this record's snapshot again; `at`: when that was announced, so that a later snapshot makes it needless."""

    record: str
    at: float = 1e18


class PeopleUpdate(msgspec.Struct, frozen=True, tag_field="kind", tag="people"):
    """People of ours have changed: compute every record again whose snapshot names one of these keys, or that one of these
    owners (`user:<id>`, `team:<id>`) owns."""

    keys: list[int]
    owners: list[str] = []


class SettingsUpdate(msgspec.Struct, frozen=True, tag_field="kind", tag="settings"):
    """A version of the settings was published: compute all records again, or those of a place that follow the id `after`.

    `run` tells one round of this work from another, so that only repetitions of the same message fold.
    """

    version: int
    run: str = ""
    place: str = ""
    after: str = ""


class QualityUpdate(msgspec.Struct, frozen=True, tag_field="kind", tag="quality"):
    """Make the quality report anew."""


class ErasureUpdate(msgspec.Struct, frozen=True, tag_field="kind", tag="erasure"):
    """Take a person who has opted out (`id`) from the interactions of one partition of their table; no `place`: all the rest."""

    id: str
    place: str = ""


AnyUpdate = PeopleUpdate | SettingsUpdate | QualityUpdate | ErasureUpdate


def announce(records: Iterable[str], bulk: bool = False) -> None:
    """Have these records computed at the end of the present window, the longer one where changes come in thousands."""
    config = settings()
    seconds = config.record_updates_bulk_window_seconds if bulk else config.record_updates_window_seconds
    now, properties = time.time(), {} if bulk else delays.carried()
    messages = [
        queues.in_window(record, msgspec.json.encode(RecordUpdate(record, now)), now, seconds, properties)
        for record in sorted(records)
    ]
    queues.send(config.record_updates_queue, messages)


def announce_people(keys: Iterable[int], owners: Iterable[str] = ()) -> None:
    """Have every record computed that names one of these people of ours, or that one of these owners owns."""
    body = msgspec.json.encode(PeopleUpdate(sorted(keys), sorted(owners)))
    queues.send(settings().people_updates_queue, [queues.Message(body=body)])


def announce_settings(version: int) -> None:
    """Have every record computed by the settings of this version."""
    announce_pages([SettingsUpdate(version, uuid.uuid4().hex)])


def announce_pages(updates: Iterable[SettingsUpdate]) -> None:
    """Send the next parts of that work; a part that was sent already folds with it."""
    messages = [
        queues.Message(body=msgspec.json.encode(part), id=f"settings|{part.run}|{part.place}|{part.after}")
        for part in updates
    ]
    queues.send(settings().people_updates_queue, messages)


def announce_erasure(updates: Iterable[ErasureUpdate]) -> None:
    """Have a person's data taken out, part by part."""
    messages = [queues.Message(body=msgspec.json.encode(part)) for part in updates]
    queues.send(settings().people_updates_queue, messages)


def announce_quality() -> None:
    """Have the quality report made anew, once for all who ask at the same time."""
    message = queues.in_window("quality", msgspec.json.encode(QualityUpdate()), time.time(), 1)
    queues.send(settings().people_updates_queue, [message])


def read_record_update(body: bytes) -> RecordUpdate:
    """The message's content. Raises PoisonMessageError for anything else."""
    return _read(body, _record_decoder)


def read_people_update(body: bytes) -> AnyUpdate:
    """The content of a message of `people-updates`. Raises PoisonMessageError for anything else."""
    return _read(body, _people_decoder)


Content = TypeVar("Content")
_record_decoder = decoders.of_json(RecordUpdate)
_people_decoder: msgspec.json.Decoder[AnyUpdate] = decoders.of_json(cast(Any, AnyUpdate))


def _read(body: bytes, decoder: msgspec.json.Decoder[Content]) -> Content:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise PoisonMessageError(f"The message is not what this queue carries: {error}.") from None
