"""What of Exchange the figures may use now, and how far each colleague's mailbox is read (kpis 15, product 13).

The life cycle lives in `shared.graph`; here is only what a computation asks it: may Exchange be seen, and since when not;
and up to when is each mailbox complete.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shared import tombstones
from shared.graph import consent_state, mailboxes
from shared.graph.consent import State
from shared.graph.mailboxes import Mailbox
from shared.graph.work import CATCH_UP_SECONDS
from shared.keys import keys
from shared.settings import settings

if TYPE_CHECKING:
    from shared.columns import Entries
    from shared.directory import Directory
    from shared.kpi.freshness import Source
    from shared.kpi.interactions import Bools, Interactions

NOTICE_SECONDS = 180  # Graph tells of a change within this long; who has heard of none was complete up to then
SUSPECT = "consentSuspect"
_KEPT_SECONDS = 30.0
_held: tuple[list[Mailbox], float, int] | None = None


def changed_at() -> int:
    """When it last changed whether Exchange or a mailbox may be seen, or who has opted out; known at most 20 seconds late.

    Snapshots that are not newer do not hold.
    """
    consent = consent_state.recent()
    return max(consent.changed_at, consent.hidden_at, tombstones.changed_at())


def changed_at_now() -> int:
    """The same, read now: for what is put into something that is stored, such as figures of other records."""
    consent = consent_state.read()
    return max(consent.changed_at, consent.hidden_at, tombstones.changed_at_now())


def hidden_since() -> int:
    """When Exchange was hidden, 0 while it is shown: what lists hold from before waits to be computed again. Known at most 20
    seconds late."""
    consent = consent_state.recent()
    return 0 if consent.is_visible else consent.changed_at


def flags() -> list[str]:
    """What the answers say about Exchange as a whole: not in the figures, not read to the end yet, or reading paused because
    the last probe of the consent failed; known as late."""
    consent = consent_state.recent()
    seen = ["partial"] * (consent.state == State.BACKFILL) if consent.is_visible else ["basicOnly"]
    return seen + [SUSPECT] * bool(consent.suspect_since)


def is_visible() -> bool:
    """Whether figures may use what Exchange tells, read now."""
    return consent_state.read().is_visible


def shown(entries: Entries, visible: bool | None = None) -> tuple[Entries, bool]:
    """What of a partition may be used, and whether that is all of it. `visible`: what `is_visible` said a moment ago, for
    whoever reads many partitions.

    Without Exchange: what the CRM knows as well, and not as seen in a calendar. Once it is erased, the interactions are put
    together anew from the CRM's copies alone. The same holds of what only mailboxes told that have left the scope.
    """
    import numpy as np

    consent = consent_state.read() if visible is None else consent_state.recent()
    if consent.is_visible if visible is None else visible:
        if consent.hidden_at and (lost := _of_hidden_mailboxes(entries.facts, consent.hidden_at)) is not None:
            return _without(entries, lost), True
        return entries, True
    return _without(entries, np.ones(len(entries.facts), dtype=bool)), False


def _without(entries: Entries, lost: Bools) -> Entries:
    """The entries as the CRM alone knows them where `lost` is set."""
    import numpy as np

    from shared.kpi.interactions import Flag

    known = entries.facts.flags & Flag.IN_CRM != 0
    kept = entries.take(np.flatnonzero(~lost | known))
    seen = np.where(lost[~lost | known], ~np.uint32(Flag.IN_EXCHANGE), ~np.uint32(0))
    kept.facts.flags[:] = kept.facts.flags & seen
    return kept


def _of_hidden_mailboxes(facts: Interactions, hidden_at: int) -> Bools | None:
    """Which interactions of Exchange are those of hidden mailboxes alone; None where there are none.

    A mailbox's owner takes part in all that it tells. What another mailbox tells as well stays: one whose owner takes part, too,
    and that is read back to then.
    """
    import numpy as np

    from shared import stamps
    from shared.directory import directory
    from shared.kpi.interactions import Flag

    known = _known(hidden_at)
    if not any(one.hidden for one in known):
        return None
    ours, size = directory(stamps.read().people), len(facts)
    gone = np.array([key for one in known if one.hidden for key in _keys(one, ours)], dtype=np.uint64)
    lost = (facts.flags & Flag.IN_EXCHANGE != 0) & (
        np.bincount(facts.part_index[np.isin(facts.part_person, gone)], minlength=size) > 0
    )
    for one in known if lost.any() else ():
        if one.state == "connected":
            takes_part = np.isin(facts.part_person, np.array(_keys(one, ours), dtype=np.uint64))
            there = np.bincount(facts.part_index[takes_part], minlength=size) > 0
            lost &= ~(there & (facts.at >= _covered_from(one)))
    return lost if lost.any() else None


def _keys(mailbox: Mailbox, ours: Directory) -> list[int]:
    from shared.directory import user_keys

    owner = ours.users.get(ours.address_owner.get(mailbox.address, ""))
    return user_keys(owner) if owner else [keys().address(mailbox.address)]


def sources(directory: Directory, now: int) -> dict[int, Source]:
    """How far the mailboxes are read, by the canonical key of whose they are; read at most 30 seconds ago."""
    from shared.kpi.freshness import Source

    found: dict[int, Source] = {}
    for mailbox in _known(consent_state.recent().hidden_at):
        if mailbox.state != "connected":
            continue
        owner = directory.address_owner.get(mailbox.address)
        key = keys().party(f"user:{owner}") if owner else keys().address(mailbox.address)
        found[key] = Source(watermark(mailbox, now, settings().graph_mode == "push"), _covered_from(mailbox))
    return found


def _known(hidden_at: int) -> list[Mailbox]:
    """The mailboxes that are not erased, read at most 30 seconds ago and not before mailboxes were last hidden."""
    global _held
    if _held is None or _held[1] < time.monotonic() or _held[2] < hidden_at:
        found = [one for one in mailboxes.read_all() if one.state != "gone"]
        _held = found, time.monotonic() + _KEPT_SECONDS, hidden_at
    return _held[0]


def watermark(mailbox: Mailbox, now: int, told_of_changes: bool) -> int | None:
    """Up to when a mailbox is complete; None when it was never read.

    The start of its last complete run. Where Graph tells of changes, a mailbox in good order that it tells nothing of has
    none: it is complete up to three minutes ago, unless even the regular catch-up is overdue.
    """
    read_until = min(mailbox.mail_until, mailbox.calendar_until)
    if not read_until:
        return None
    in_order = not mailbox.error and mailbox.not_before <= now and now - read_until <= CATCH_UP_SECONDS + 3_600
    return max(read_until, now - NOTICE_SECONDS) if told_of_changes and in_order else read_until


def _covered_from(mailbox: Mailbox) -> int:
    return max(mailbox.mail_from or mailbox.connected_at, mailbox.calendar_from or mailbox.connected_at)
