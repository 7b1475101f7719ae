"""A preview of settings: what they would do to the records that are stored, without saving anything.

New grade limits are applied to the stored scores of all records. Anything else changes the scores themselves, so records are
computed twice, by the settings in force and by the new ones: all of them, or a sample where there are more than may be computed
while a caller waits. The sample goes by a hash of the ids: it is the same every time, and no list or owner is preferred.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, zip_longest

from msgspec.structs import replace

from shared import list_store, organisation, stamps
from shared.kpi.health import Grade, State, grade_of, health, state_of_score
from shared.kpi.inclusion import include
from shared.kpi.parameters import Parameters
from shared.kpi.pipeline import preview as compared
from shared.kpi.pipeline import shares
from shared.list_packs import Pack
from shared.moments import instant
from shared.never_log import logged
from shared.organisation_settings import OrganisationSettings
from shared.preview_quality import HORIZON_DAYS, Trial, foretelling, trial
from shared.preview_shapes import Foretelling, GradeShares, Move, Preview, PreviewRequest, TypePreview
from shared.recompute import computation
from shared.rosters import RECORD_TYPES
from shared.stamps import Stamps

MOST_MOVES = 20
ONLY_LIMITS = Foretelling(horizon_days=HORIZON_DAYS, alive=0, ended=0, reason="onlyLimits")
PATIENCE_SECONDS = 6.0  # of the 10 in which an answer must be there


@dataclass(frozen=True)
class Outcome:
    """Score and grade of one record before and after."""

    record: str
    name: str
    score_before: float | None
    score_after: float | None
    grade_before: Grade
    grade_after: Grade
    trial: Trial | None = None

    @property
    def distance(self) -> float:
        """By how many points the score moves; its whole size where it appears or vanishes."""
        return abs((self.score_after or 0.0) - (self.score_before or 0.0))


def preview(request: PreviewRequest, now: int, patience: float = PATIENCE_SECONDS) -> Preview:
    """Compare the settings of the request with those in force, for open records of its types.

    `patience`: seconds after which no further record is computed; the answer tells how many were.
    """
    in_force = stamps.read()
    old, new = organisation.settings_at(in_force.parameters), request.settings
    packs = {kind: list_store.read(kind) for kind in dict.fromkeys(request.types or RECORD_TYPES)}
    only_limits = replace(new, grades=old.grades) == old
    if only_limits:
        outcomes = {kind: _by_limits(kind, pack, new) for kind, pack in packs.items()}
    else:
        outcomes = _computed(packs, request, now, in_force, time.monotonic() + patience)
    everything = sorted(chain.from_iterable(outcomes.values()), key=lambda one: (-one.distance, one.record))
    moved = [one for one in everything if one.distance or one.grade_before != one.grade_after]
    return Preview(
        params_version=in_force.parameters,
        as_of=instant(now),
        types=[_of_type(kind, len(packs[kind]), outcomes[kind]) for kind in packs],
        moves=[_move(one) for one in moved[:MOST_MOVES]],
        foretelling=ONLY_LIMITS if only_limits else foretelling(one.trial for one in everything if one.trial),
    )


def _by_limits(kind: str, pack: Pack, new: OrganisationSettings) -> list[Outcome]:
    limits = organisation.parameters_of(new)
    rows = pack.rows(range(len(pack)))
    scored = [(row, None if row.score is None else grade_of(state_of_score(row.score, limits))) for row in rows]
    return [
        Outcome(
            f"{kind}:{row.id}", row.name, row.score, row.score,
            grade_of(State(row.state)), after or Grade.INSUFFICIENT,
        )
        for row, after in scored
    ]  # fmt: skip


def sample_sizes(numbers: Mapping[str, int], most: int) -> dict[str, int]:
    """How many of each are taken: equally many, and what the small ones leave over goes to the others.

    >>> sample_sizes({"account": 10, "lead": 500, "case": 500}, 210)
    {'account': 10, 'lead': 100, 'case': 100}
    """
    sizes, left = {}, most
    for place, kind in enumerate(sorted(numbers, key=lambda kind: numbers[kind])):
        sizes[kind] = min(numbers[kind], left // (len(numbers) - place))
        left -= sizes[kind]
    return {kind: sizes[kind] for kind in numbers}


def drawn(ids: Sequence[str], size: int) -> list[str]:
    """`size` of the ids by the order of their hashes."""
    return sorted(ids, key=lambda id: blake2b(id.encode(), digest_size=8).digest())[:size]


def _computed(
    packs: Mapping[str, Pack], request: PreviewRequest, now: int, in_force: Stamps, until: float
) -> dict[str, list[Outcome]]:
    sizes = sample_sizes({kind: len(pack) for kind, pack in packs.items()}, request.most_records)
    samples = [[f"{kind}:{id}" for id in drawn(pack.ids, sizes[kind])] for kind, pack in packs.items()]
    new, whole = request.settings, organisation.parameters_of(request.settings)
    outcomes: dict[str, list[Outcome]] = {kind: [] for kind in packs}
    for record in _in_turns(samples):
        if time.monotonic() > until:
            break
        outcome = _outcome(record, now, in_force, new, whole)
        if outcome is not None:
            outcomes[record.partition(":")[0]].append(outcome)
    return outcomes


def _in_turns(samples: Sequence[Sequence[str]]) -> Iterator[str]:
    """One of each type after the other, so that no type is left out when time runs short."""
    return (record for turn in zip_longest(*samples) for record in turn if record is not None)


def _outcome(record: str, now: int, in_force: Stamps, new: OrganisationSettings, whole: Parameters) -> Outcome | None:
    found = computation(record, now, in_force)
    if found is None:
        return None
    computed, roster = found[0], found[0].subject.roster
    parameters = organisation.adapted(new, whole, roster)
    entries = logged(computed.entries, computed.subject.membership, parameters.never_log)
    included = include(entries.facts, computed.subject.membership, now, parameters).history()
    before = health(computed.history, computed.parameters, created=roster.created_at)
    after = health(included, parameters, created=roster.created_at)
    tried = trial(computed.history, included, computed.parameters, parameters)
    return Outcome(record, roster.name, before.score, after.score, before.grade, after.grade, tried)


def _of_type(kind: str, number: int, outcomes: Sequence[Outcome]) -> TypePreview:
    before, after = [one.grade_before for one in outcomes], [one.grade_after for one in outcomes]
    result = compared(before, after)
    return TypePreview(
        type=kind,
        open=number,
        computed=len(outcomes),
        sampled=len(outcomes) < number,
        before=_shares(shares(before)),
        after=_shares(result.shares),
        changed=len(result.changed),
    )


def _shares(of_grades: Mapping[Grade, float] | None) -> GradeShares | None:
    return None if of_grades is None else GradeShares(**{str(grade): share for grade, share in of_grades.items()})


def _move(one: Outcome) -> Move:
    return Move(
        record=one.record, name=one.name, score_before=one.score_before, score_after=one.score_after,
        grade_before=str(one.grade_before), grade_after=str(one.grade_after),
    )  # fmt: skip
