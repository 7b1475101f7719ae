"""How long interactions are held: from when on, what arrives from before that, and what figures may say of it.

The nightly pass (`shared.retention_sweep`) moves the terms forward before it erases anything. From then on nothing from before
them is taken in, whoever sends it, so that what was erased does not come back; and figures say that they are complete from there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from shared import organisation, states, tables, telemetry
from shared.crm.activities import copy_of
from shared.groups import HeldCopy
from shared.interactions import InteractionCopy
from shared.organisation_settings import OrganisationSettings
from shared.states import HeldState

PARTITION = "retention"
DAY = 86_400
_TERMS = "terms"
_KEPT_SECONDS = 20.0
# All that stays of an activity of the CRM: when it was, so that a later change of it is known to be one of something old.
TIMES = frozenset(("sentAt", "start", "end", "due", "completedAt", "status", "private"))
COUNTERS = frozenset(("followed", "bounced", "opens", "clicks", "links", "attachmentsDelivered", "attachmentsViewed"))
_log = logging.getLogger(__name__)

Groups = Mapping[str, Mapping[str, HeldCopy]]  # by merge key and copy id


class Term(Struct, frozen=True):
    """Nothing is held of interactions before `interactions`, and no counters of followed mails before `events`; 0: all is."""

    interactions: int = 0
    events: int = 0


class Terms(Struct, frozen=True):
    """`erased`: what was erased, or is about to be; `refused`: what is not taken in. They differ once a setting grew."""

    erased: Term = Term()
    refused: Term = Term()


_held: tuple[Terms, float] | None = None


def terms() -> Terms:
    """The terms now, known at most 20 seconds late."""
    global _held
    if _held is None or _held[1] < time.monotonic():
        _held = read(), time.monotonic() + _KEPT_SECONDS
    return _held[0]


def read() -> Terms:
    """The terms as stored; zeros before the first pass."""
    row = tables.read(organisation.TABLE, PARTITION, _TERMS)
    if row is None:
        return Terms()
    erased, refused = (Term(*map(int, row[name].split("|"))) for name in ("erased", "refused"))
    return Terms(erased, refused)


def put(new: Terms) -> None:
    """Put the terms in force."""
    global _held
    shown = {
        name: f"{term.interactions}|{term.events}" for name, term in (("erased", new.erased), ("refused", new.refused))
    }
    tables.upsert(organisation.TABLE, {"PartitionKey": PARTITION, "RowKey": _TERMS, "v": 1, **shown})
    _held = None


def term_of(settings: OrganisationSettings, now: int) -> Term:
    """What these settings want at `now`: whole UTC days. Counters go with their mails at the latest.

    >>> from shared.organisation_settings import OrganisationSettings
    >>> term_of(OrganisationSettings(), 1_000 * DAY + 5) == Term(240 * DAY, 600 * DAY)
    True
    """
    today, wanted = now // DAY, settings.retention
    interactions = (today - wanted.interaction_days) * DAY
    return Term(interactions, max(interactions, (today - wanted.email_event_days) * DAY))


def held_from() -> int | None:
    """The instant from which interactions are held; None where nothing was ever erased for its age."""
    return terms().erased.interactions or None


def limited(copy: InteractionCopy | None, term: Term) -> InteractionCopy | None:
    """The copy as far as it may be held: None where it is too old, without its counters where these are."""
    if copy is None or copy.at < term.interactions:
        return None
    return replace(copy, engagement=()) if copy.engagement and copy.at < term.events else copy


def kept(by_group: Groups) -> Groups:
    """What arrives, without what is older than the term; almost always the same."""
    term = terms().refused
    if not (term.interactions or term.events):
        return by_group
    left = {
        key: {name: HeldCopy(held.revision, limited(held.copy, term)) for name, held in copies.items()}
        for key, copies in by_group.items()
    }
    refused = sum(
        held.copy is not None and left[key][name].copy is None
        for key, copies in by_group.items()
        for name, held in copies.items()
    )
    if refused:
        _log.info("older than the retention: %d copies not taken in", refused)
        telemetry.count("rapport.retention.refused", refused)
    return left


def shorten(held: Iterable[HeldState]) -> None:
    """Keep of activities of the CRM that just came only what may be held."""
    term = terms().refused
    for each in held if term.interactions or term.events else ():
        copy = copy_of(each.state)
        if copy and (copy.at < term.interactions or (copy.engagement and copy.at < term.events)):
            shorten_state(each.state.entity, each.state.id, old=copy.at < term.interactions)


def shorten_state(entity: str, id: str, *, old: bool) -> bool:
    """Keep of a stored activity its times alone, or everything but its counters; whether that changed anything."""
    return states.keep_only(entity, id, TIMES.__contains__ if old else lambda name: name not in COUNTERS)
