"""Reasons that keep an interaction out of every record (kpis 2.3, 2.4), direction and signs from them (2.5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import Bools, Codes, Direction, Flag, Interactions, Kind, Reason, Role
from shared.kpi.noise import is_automatic, is_bulk
from shared.kpi.parameters import Parameters
from shared.kpi.people import People, Present

NONE = 0  # no exclusion; Reason 0 and the other counting reasons never occur here


@dataclass(frozen=True)
class Exclusion:
    """What can be said before any record is looked at; all of shape (n,)."""

    reason: Codes  # NONE, or the first reason that holds, CANCELLED to NO_INTERNAL; OUTSIDE_WINDOW = after `as_of`
    planned: Bools  # scheduled at `as_of`: feeds Next only
    current: Bools  # a meeting that goes on at `as_of`


def has(interactions: Interactions, flag: Flag) -> Bools:
    """(n,) whether the flag is set."""
    found: Bools = (interactions.flags & np.uint32(flag)) != 0
    return found


def exclude(interactions: Interactions, people: People, as_of: int, parameters: Parameters) -> Exclusion:
    """The reasons of kpis 2.4 that do not depend on a record, the first that holds.

    Tasks need neither side: their owner is all the people they have.
    """
    at, end = interactions.at, interactions.end
    meeting, mail, task = (interactions.kind == kind for kind in (Kind.MEETING, Kind.EMAIL, Kind.TASK))
    completed, in_exchange = has(interactions, Flag.COMPLETED), has(interactions, Flag.IN_EXCHANGE)
    cancelled, declined = has(interactions, Flag.CANCELLED), meeting & _declined(people)
    open_later = (at >= as_of) & np.where(meeting, ~declined, ~mail & ~completed) & ~cancelled
    going_on = meeting & (at < as_of) & (end > as_of)
    held = np.where(meeting, (end <= as_of) & (in_exchange | completed), completed)
    too_short = meeting & in_exchange & (end - at < parameters.shortest_meeting_minutes * 60)
    not_busy = meeting & in_exchange & ~has(interactions, Flag.IN_CRM) & has(interactions, Flag.NOT_BUSY)
    tests = [
        (Reason.OUTSIDE_WINDOW, (at > as_of) & ~meeting & ~open_later),
        (Reason.CANCELLED, cancelled),
        (Reason.DECLINED, declined),
        (Reason.SCHEDULED, open_later),
        (Reason.NOT_COMPLETED, ~held),
        (Reason.ALL_DAY, meeting & has(interactions, Flag.ALL_DAY)),
        (Reason.TOO_SHORT, too_short),
        (Reason.NOT_BUSY, not_busy),
        (Reason.AUTOMATIC, is_automatic(interactions, parameters.noise_rules)),
        (Reason.BULK, is_bulk(interactions, parameters.noise_rules)),
        (Reason.TOO_MANY_RECIPIENTS, _too_many(interactions, people, parameters.recipient_limit)),
        (Reason.INTERNAL_ONLY, ~task & ((people.present & Present.THEIRS) == 0)),
        (Reason.NO_INTERNAL, ~task & ((people.present & Present.OURS) == 0)),
    ]
    reason = np.full(len(interactions), NONE, dtype=np.uint8)
    for code, holds in reversed(tests):
        np.putmask(reason, holds, np.uint8(code))
    return Exclusion(reason, open_later, going_on & ~cancelled & ~declined)


def _declined(people: People) -> Bools:
    """(n,) all internal or all external participants declined."""
    ours = (people.present & (Present.OURS | Present.OURS_ATTEND)) == Present.OURS
    theirs = (people.present & (Present.THEIRS | Present.THEIRS_ATTEND)) == Present.THEIRS
    declined: Bools = ours | theirs
    return declined


def _too_many(interactions: Interactions, people: People, limit: int) -> Bools:
    """(n,) mails with more than `limit` distinct recipients, meetings with more than `limit` people.

    Only interactions with more rows than the limit are looked at closely: few, so sorting them costs nothing.
    """
    kind = interactions.kind
    many: Bools = (people.rows > limit) & ((kind == Kind.EMAIL) | (kind == Kind.MEETING))
    if not many.any():
        return many
    rows = np.flatnonzero(many.take(interactions.part_index))
    index, person = interactions.part_index[rows], people.canonical.take(people.address_of_row[rows])
    asked = (kind.take(index) == Kind.MEETING) | (interactions.part_role[rows] != Role.FROM)
    index, person = index[asked], person[asked]
    order = np.lexsort((person, index))
    index, person = index[order], person[order]
    new = np.append(True, (index[1:] != index[:-1]) | (person[1:] != person[:-1]))[: len(index)]
    distinct: Bools = np.bincount(index[new], minlength=len(interactions)) > limit
    return distinct


def directions(interactions: Interactions, people: People) -> Codes:
    """(n,) Direction: the CRM's for a call, else the side of From or organizer; unknown = OUT."""
    by_them = (people.present & (Present.OURS_START | Present.THEIRS_START)) == Present.THEIRS_START
    said_in, said_out = has(interactions, Flag.CALL_IN), has(interactions, Flag.CALL_OUT)
    by_them = np.where((interactions.kind == Kind.CALL) & (said_in != said_out), said_in, by_them)
    return by_them.astype(np.uint8)  # IN = 1


def signs_from_them(interactions: Interactions, people: People, direction: Codes) -> Bools:
    """(n,) a sign from them (kpis 2.5): what health reads as their part. Tasks are none."""
    incoming, kind = direction == Direction.IN, interactions.kind
    with_them = (people.present & Present.THEIRS_ATTEND) != 0
    answered = incoming | ~has(interactions, Flag.NO_ANSWER)
    signs: Bools = ((kind == Kind.EMAIL) & incoming) | ((kind == Kind.MEETING) & with_them)
    signs |= (kind == Kind.CALL) & answered
    return signs
