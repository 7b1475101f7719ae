"""Publishing settings: every version is kept with its author, time and comment; undoing is publishing an older one again.

The order of writes lets nothing get lost, wherever a process stops. The version's row is inserted first, under the number after
the one in force, so of two writers one is refused. Then the message is sent that has all records computed, and only then the
version is put in force; whoever finds a row that is not in force yet (the message's worker, or the next writer) does the rest.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, field, json

from shared import record_updates, stamps, tables
from shared.auth import Caller
from shared.errors import NotFoundError, PreconditionError
from shared.moments import instant
from shared.organisation import PARTITION, TABLE, VERSION, row_key, settings_at, settings_in
from shared.organisation_settings import Document, OrganisationSettings
from shared.stamps import Stamps
from shared.widgets import Shape

Comment = Annotated[str, Meta(max_length=1000)]
_LIST_COLUMNS = ["RowKey", "author", "authorName", "publishedAt", "comment", "restores"]


class SettingsChange(Document, frozen=True):
    """The whole document to publish; what it leaves out becomes the default."""

    settings: OrganisationSettings
    comment: Comment = ""


class UndoRequest(Document, frozen=True):
    """The version whose content is to be published again; 0 are the defaults."""

    version: Annotated[int, Meta(ge=0)]
    comment: Comment = ""


class VersionsQuery(Struct, frozen=True, rename="camel"):
    """`before`: list the versions below this number (default: all); `limit`: 1-100 (default 25)."""

    before: Annotated[int, Meta(ge=1)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 25


class PublishedVersion(Shape, frozen=True):
    """Who published a version, when and why; `restores` is the version whose content it brought back. Version 0: nobody."""

    version: int
    published_at: str | None = None
    author: str = ""
    author_name: str = ""
    comment: str = ""
    restores: int | None = None


class PublishedSettings(PublishedVersion, frozen=True):
    """A version with its content."""

    settings: OrganisationSettings = field(default_factory=OrganisationSettings)


class Versions(Shape, frozen=True):
    """Published versions, the newest first; `nextBefore` continues the list."""

    versions: list[PublishedVersion]
    next_before: int | None = None


def current() -> PublishedSettings:
    """The settings in force."""
    return published(stamps.read().parameters)


def published(version: int) -> PublishedSettings:
    """A version with its content. Raises NotFoundError for one that never was."""
    if version == 0:
        return PublishedSettings(version=0)
    row = tables.read(TABLE, PARTITION, row_key(version))
    if row is None:
        raise NotFoundError("There is no such version of the settings.")
    return PublishedSettings(settings=settings_in(row), **_about(row))


def versions(query: VersionsQuery) -> Versions:
    """The versions up to the one in force."""
    last = min(query.before or 2**31, stamps.read().parameters + 1)
    first = max(1, last - query.limit)
    rows = list(tables.query(TABLE, PARTITION, row_key(first), row_key(last), _LIST_COLUMNS)) if last > 1 else []
    return Versions(
        versions=[PublishedVersion(**_about(row)) for row in reversed(rows)], next_before=first if first > 1 else None
    )


def _about(row: tables.Row) -> dict[str, Any]:
    return {
        "version": int(row["RowKey"]),
        "published_at": row["publishedAt"],
        "author": row["author"],
        "author_name": row["authorName"],
        "comment": row["comment"],
        "restores": row.get("restores"),
    }


def publish(change: SettingsChange, base: int, author: Caller, restores: int | None = None) -> PublishedSettings:
    """Publish a document on top of version `base`, and have all records computed with it.

    Raises PreconditionError when `base` is not the version in force (any more).
    """
    if stamps.read().parameters != base:
        raise PreconditionError("The settings have been changed since you read them.")
    version = base + 1
    row = {
        "PartitionKey": PARTITION, "RowKey": row_key(version), "v": VERSION, "author": author.id, "authorName": author.name,
        "publishedAt": instant(int(datetime.now(UTC).timestamp())), "comment": change.comment,
        **tables.split(json.encode(change.settings)),
    }  # fmt: skip
    inserted = tables.write_if(TABLE, row if restores is None else {**row, "restores": restores}, None)
    record_updates.announce_settings(version)
    put_in_force(version)
    if not inserted:
        raise PreconditionError("The settings have been changed since you read them.")
    return published(version)


def undo(request: UndoRequest, base: int, author: Caller) -> PublishedSettings:
    """Publish the content of an older version again. Raises NotFoundError, PreconditionError."""
    if request.version > base:
        raise NotFoundError("There is no such version of the settings.")
    change = SettingsChange(settings=settings_at(request.version), comment=request.comment)
    return publish(change, base, author, restores=request.version)


def put_in_force(version: int) -> Stamps:
    """Put a version in force whose row is written, unless a later one is; repeating changes nothing."""
    before = settings_at(version - 1) if version else settings_at(0)
    return stamps.publish(version, people_too=before.internal_domains != settings_at(version).internal_domains)
