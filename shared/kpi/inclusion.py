"""Which interactions a record counts, each with exactly one reason (kpis 3), and the History every figure reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from shared.kpi.conversations import conversations
from shared.kpi.exclusion import NONE, directions, exclude, signs_from_them
from shared.kpi.interactions import (
    Bools,
    Codes,
    History,
    Indices,
    Interactions,
    Keys,
    Kind,
    Membership,
    Reason,
    RecordType,
)
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.people import People, Present, contains, memberships, resolve
from shared.kpi.rollup import through_contacts

DEALS = (RecordType.OPPORTUNITY, RecordType.LEAD, RecordType.CASE)  # have a span and exclude one another


@dataclass(frozen=True)
class Inclusion:
    """What `include` found. `reason` says it for every interaction, so it is also the ledger of the record.

    `internal`, `attends`, `person` and `of_interest` are per participation, in the order of `interactions`. The pairs
    `through_index`, `through_child` (sorted) say by which of `membership.children` a ROLLED_UP interaction came in.
    """

    interactions: Interactions
    membership: Membership
    as_of: int
    reason: Codes  # (n,) Reason; OUTSIDE_WINDOW = later than `as_of`, does not exist for it
    direction: Codes  # (n,) Direction
    from_them: Bools  # (n,) a sign from them
    planned: Bools  # (n,) feeds Next
    current: Bools  # (n,) a meeting going on
    person: Keys  # (m,) canonical
    internal: Bools  # (m,)
    attends: Bools  # (m,) everyone but attendees who declined
    of_interest: Bools  # (m,) the record's own people, on both sides
    when_regarding: Bools  # (m,) of interest on what regards the record: all of ours, and the account's primary contact
    through_index: Indices
    through_child: Indices
    conversation: Keys  # (n,) what connects is all that was known at `as_of`, counted or not

    def history(self) -> History:
        """The counted interactions: input of every figure."""
        return self._history(self.reason <= Reason.ROLLED_UP)

    def wider_team(self) -> History:
        """Interactions of the customer with colleagues who are not on the record's team (NOT_ON_TEAM), as a History of
        their own: the same functions give the figures of this separate bucket. Here all of ours count."""
        return self._history(self.reason == Reason.NOT_ON_TEAM)

    def _history(self, chosen: Bools) -> History:
        facts, rows = self.interactions, np.flatnonzero(chosen)
        parts = np.flatnonzero(chosen.take(facts.part_index) & self.attends)
        parts = parts[
            ~_repeated(facts.part_index[parts], self.person[parts], self.internal[parts], facts.part_role[parts])
        ]
        index = facts.part_index.take(parts)
        regarding = (self.reason == Reason.REGARDING).take(index) & self.when_regarding.take(parts)
        wider = (self.reason == Reason.NOT_ON_TEAM).take(index) & self.internal.take(parts)
        closed = self.membership.closed
        return History(
            as_of=self.as_of,
            type=self.membership.type,
            key=facts.key.take(rows),
            at=facts.at.take(rows),
            end=facts.end.take(rows),
            kind=facts.kind.take(rows),
            direction=self.direction.take(rows),
            reason=self.reason.take(rows),
            flags=facts.flags.take(rows),
            minutes=facts.minutes.take(rows),
            conversation=self.conversation.take(rows),
            from_them=self.from_them.take(rows),
            part_index=(np.cumsum(chosen) - 1).take(index),
            part_person=self.person.take(parts),
            part_role=facts.part_role.take(parts),
            part_internal=self.internal.take(parts),
            part_counts=self.of_interest.take(parts) | regarding | wider,
            planned=self._subset(self.planned),
            current=self._subset(self.current),
            wider_team=int(np.count_nonzero(self.reason == Reason.NOT_ON_TEAM)),
            closed=closed if closed is not None and closed <= self.as_of else None,
        )

    def _subset(self, chosen: Bools) -> Interactions:
        """The chosen interactions with all their rows; participants canonical."""
        facts, rows = self.interactions, np.flatnonzero(chosen)
        if not len(rows):
            return Interactions.empty()
        place = np.cumsum(chosen) - 1
        parts = np.flatnonzero(chosen.take(facts.part_index))
        about = np.flatnonzero(chosen.take(facts.regarding_index))
        columns = ("key", "at", "end", "kind", "flags", "minutes", "conversation", "sources")
        return replace(
            facts,
            **{name: getattr(facts, name).take(rows) for name in columns},
            part_index=place.take(facts.part_index.take(parts)),
            part_person=self.person.take(parts),
            part_domain=facts.part_domain.take(parts),
            part_role=facts.part_role.take(parts),
            part_response=facts.part_response.take(parts),
            regarding_index=place.take(facts.regarding_index.take(about)),
            regarding_type=facts.regarding_type.take(about),
            regarding_key=facts.regarding_key.take(about),
            thread_index=np.empty(0, "i8"),
            thread_name=np.empty(0, "u8"),
        )


def include(interactions: Interactions, membership: Membership, as_of: int, parameters: Parameters) -> Inclusion:
    """Decide for every interaction whether the record counts it at `as_of`, and why (kpis 2.4, 3.3, 3.4).

    No interaction gives empty arrays. Nothing is raised: whatever does not count has a reason that says so.
    """
    people = resolve(interactions, membership)
    exclusion = exclude(interactions, people, as_of, parameters)
    direction = directions(interactions, people)
    judged, index, child = _judge(interactions, people, membership, parameters)
    reason = np.where(exclusion.reason == NONE, judged, exclusion.reason)
    counts = judged <= Reason.ROLLED_UP
    rolled = reason.take(index) == Reason.ROLLED_UP
    return Inclusion(
        interactions=interactions,
        membership=membership,
        as_of=as_of,
        reason=reason,
        direction=direction,
        from_them=signs_from_them(interactions, people, direction),
        planned=exclusion.planned & counts,
        current=exclusion.current & counts,
        person=people.canonical.take(people.address_of_row),
        internal=people.ours.take(people.address_of_row),
        attends=people.attends,
        of_interest=_of_interest(people, membership).take(people.address_of_row),
        when_regarding=(people.ours | contains(membership.when_regarding, people.canonical)).take(
            people.address_of_row
        ),
        through_index=index[rolled],
        through_child=child[rolled],
        conversation=conversations(interactions, interactions.at <= as_of),
    )


def _of_interest(people: People, record: Membership) -> Bools:
    """(g,) the record's own people: its team (anyone of ours if it has none), and all external ones it or a child names."""
    team = np.True_ if record.team is None else contains(record.team, people.canonical)
    named = np.unique(np.concatenate([each.external for each in memberships(record)]))
    return np.where(people.ours, team, contains(named, people.canonical))


Judgement = tuple[Codes, Indices, Indices]  # (n,) reasons; interaction and child of what came in by a child


def _judge(facts: Interactions, people: People, record: Membership, parameters: Parameters) -> Judgement:
    """The reasons of one record, as if nothing were excluded globally."""
    own = _by_rule(facts, people, record, parameters)
    if record.type != RecordType.ACCOUNT:
        return own, np.empty(0, np.int64), np.empty(0, np.int64)
    index, child = through_contacts(facts, people, record)
    found, reasons = [(index, child)], [own]
    for number, each in enumerate(record.children):
        if each.type != RecordType.CONTACT:
            reason, _, _ = _judge(facts, people, each, parameters)
            rows = np.flatnonzero(reason <= Reason.ROLLED_UP)
            found.append((rows, np.full(len(rows), number)))
            reasons.append(reason)
    pairs = [np.concatenate(column) for column in zip(*found, strict=True)]
    if len(found) > 1:
        pairs = [column[np.lexsort((pairs[1], pairs[0]))] for column in pairs]
    # Not counted by any: the reason of the record where it came furthest, so that the wider team of a deal shows here too.
    furthest = reduce(np.maximum, reasons) if len(reasons) > 1 else own
    furthest = np.where(own == Reason.PARTICIPANTS, own, furthest)
    furthest[pairs[0]] = Reason.ROLLED_UP
    return np.where(own == Reason.REGARDING, own, furthest), pairs[0], pairs[1]


def _by_rule(facts: Interactions, people: People, record: Membership, parameters: Parameters) -> Codes:
    """Rule 3.3, written from its last step to its first, so that the first that applies stands."""
    team = people.ours if record.team is None else contains(record.team, people.canonical)
    present = people.attending(team, contains(record.external, people.canonical))
    reason = np.full(len(facts), Reason.PARTICIPANTS, dtype=np.uint8)
    np.putmask(reason, (present & Present.OURS) == 0, np.uint8(Reason.NOT_ON_TEAM))
    nobody = ((present & Present.THEIRS) == 0) | (facts.kind == Kind.TASK)
    np.putmask(reason, nobody, np.uint8(Reason.NO_PERSON_OF_INTEREST))
    same_type = facts.regarding_type == record.type
    this = same_type & contains(record.record_keys, facts.regarding_key)
    if record.type in DEALS:
        if record.created is not None:
            reason[facts.at < record.created - parameters.lead_in_days * DAY] = Reason.OUTSIDE_SPAN
        if record.closed is not None:
            reason[facts.at >= record.closed] = Reason.OUTSIDE_SPAN
        reason[facts.regarding_index[same_type & ~this]] = Reason.REGARDING_OTHER_RECORD
    reason[facts.regarding_index[this]] = Reason.REGARDING
    return reason


def _repeated(index: Indices, person: Keys, internal: Bools, role: Codes) -> Bools:
    """Rows that name a person again in the same interaction; the row with the first role stays.

    Each row is compared with the one `lag` before it while any two of one interaction are that far apart: groups are small,
    so this is cheaper than sorting. The first lags concern most rows and go over whole arrays, the others over few.
    """
    repeated = np.zeros(len(index), dtype=bool)
    for lag in range(1, len(index)):
        if lag <= 3:
            within = index[lag:] == index[:-lag]
            same = np.flatnonzero(within & (person[lag:] == person[:-lag])) + lag
            if lag == 3:
                later = np.flatnonzero(within) + lag
        else:
            later = later[later >= lag]
            later = later[index[later] == index[later - lag]]
            same = later[person[later] == person[later - lag]]
            if not len(later):
                break
        same = same[internal[same] == internal[same - lag]]
        repeated[np.where(role[same - lag] <= role[same], same, same - lag)] = True
    return repeated
