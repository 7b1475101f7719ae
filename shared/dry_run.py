"""A dry run of the ledger: would this activity count for this record, and for which reason? Nothing is stored.

The activity is read as one of the plain batch format would be, so what is refused there is refused here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import json
from msgspec.structs import replace

from shared import row_rights
from shared.auth import Caller
from shared.crm.activities import copy_of
from shared.crm.state import EntityState, is_private, merged_state
from shared.errors import InvalidInputError, NotFoundError
from shared.organisation_settings import Document
from shared.widgets import LedgerEntry, Shape

if TYPE_CHECKING:
    from shared.interactions import Interaction
    from shared.rosters import Roster
    from shared.snapshots import Computation
    from shared.stamps import Stamps

_ID = "dry-run"


class TriedActivity(Document, frozen=True):
    """An activity as in `POST /api/crm/changes`: its entity and its attributes."""

    entity: Literal["email", "appointment", "phonecall", "task"]
    attributes: dict[str, Any]


class DryRun(Shape, frozen=True):
    """What would become of the activity: whether it would count for `record`, and the one reason.

    `reason` is that of the ledger, or why it would never get there: `private`, `not_completed` (a draft, or without the time that
    its kind needs), `never_log` (somebody on that list takes part). `entry`: as the ledger would show it.
    """

    record: str
    counted: bool
    reason: str
    entry: LedgerEntry | None = None


def dry_run(record: str, tried: TriedActivity, now: int) -> DryRun:
    """Try an activity on a record as it is now. Raises NotFoundError when there is no such record, InvalidInputError."""
    from shared import account_union, organisation, rosters, stamps

    in_force = stamps.read()
    roster = rosters.read(record)
    if roster is None or roster.gone or roster.merged_into:
        raise NotFoundError(f"There is no {record.partition(':')[0]} with this id.")
    state = _state(tried)
    copy = copy_of(state)
    if copy is None:
        return DryRun(record=record, counted=False, reason="private" if is_private(state) else "not_completed")
    from shared.interactions import merge

    interactions = merge([copy])
    union = account_union.beside(roster, organisation.settings_at(in_force.parameters).account_union)
    children = [*rosters.children(record), *union] if roster.type == "account" else []
    return _answer(record, _computed(roster, children, interactions, now, in_force))


def for_caller(who: Caller, found: DryRun) -> DryRun:
    """The answer without records that the activity would count through and that the caller may not read."""
    if found.entry is None or not found.entry.through:
        return found
    may = row_rights.rights().readable(who, found.entry.through)
    through = [record for record in found.entry.through if record in may]
    return replace(found, entry=replace(found.entry, through=through))


def _state(tried: TriedActivity) -> EntityState:
    from shared.changes import parse_batch

    change = {"entity": tried.entity, "id": _ID, "version": 1, "operation": "upsert", "attributes": tried.attributes}
    try:
        return merged_state(None, parse_batch(json.encode({"changes": [change]}))[0])
    except InvalidInputError as error:
        raise InvalidInputError(str(error), error.path.replace("$.changes[0].", "$.")) from None


def _computed(
    roster: Roster, children: list[Roster], interactions: list[Interaction], now: int, in_force: Stamps
) -> Computation | None:
    """The computation of a record that has nothing but this activity; None where the never-log list leaves it out."""
    import numpy as np

    from shared import organisation
    from shared.directory import directory
    from shared.entries import entries_of, person_key
    from shared.kpi.inclusion import include
    from shared.kpi.windows import kpi_window
    from shared.never_log import logged
    from shared.snapshots import Computation
    from shared.subjects import Person, subject_of

    entries = entries_of([(interaction, 0) for interaction in interactions])
    subject = subject_of(roster, children, directory(in_force.people), np.unique(entries.facts.part_person))
    parameters = organisation.parameters_for(in_force.parameters, roster)
    if not len(logged(entries, subject.membership, parameters.never_log)):
        return None
    inclusion = include(entries.facts, subject.membership, now, parameters)
    given = {person_key(p): p.address or p.party for interaction in interactions for p in interaction.participants}
    names = {key: Person(text, text, "") for key, text in given.items()} | dict(subject.people)
    window = kpi_window(now, parameters)
    return Computation(subject, entries, inclusion, inclusion.history(), window, parameters, names)


def _answer(record: str, found: Computation | None) -> DryRun:
    from shared.ledger import entry_of

    if found is None:
        return DryRun(record=record, counted=False, reason="never_log")
    entry = entry_of(found, 0)
    return DryRun(record=record, counted=entry.counted, reason=entry.reason, entry=entry)
