"""Finding the similar won deals of open deals: from the pool, with the others' figures at equal age and of their whole life."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

import numpy as np

from shared import deal_pool_rows, exchange, organisation, rosters, similar_results, stamps
from shared.deal_fields import values_of
from shared.deal_lives import DealLives
from shared.deal_pool import UNKNOWN, Pool, joined, pool_of
from shared.kpi.similar import Deals, SimilarDealFinder, SimilarDeals, equal_age_instants, won_lately
from shared.moments import instant
from shared.organisation_settings import SimilarDeals as SimilarSettings
from shared.rosters import Roster
from shared.similar_results import SimilarResult, tag_of
from shared.snapshots import Computation
from shared.stamps import Stamps
from shared.widgets import SimilarDeal


class _Due(NamedTuple):
    """A deal to look at, as of when, and what its new result is stored under."""

    roster: Roster
    tag: str
    etag: str | None
    as_of: int


def refresh(records: Iterable[str], now: int, even_if_fresh: bool = False) -> list[str]:
    """Look for the similar deals of those deals whose stored result is due; the records that have a new result.

    A closed deal keeps its list. Only where that does not hold any more it is found again, as of the instant it was found at.
    Repeating it after a crash does only what is left. A deal that is gone or being refreshed elsewhere is passed over.
    """
    in_force = stamps.read()
    settings = organisation.settings_at(in_force.parameters).similar_deals
    changed_at = exchange.changed_at_now()
    due: list[_Due] = []
    for record in records:
        basis, etag = similar_results.basis(record)
        roster = rosters.read(record)
        if roster is None or roster.gone or roster.merged_into:
            if basis is not None:
                similar_results.remove(record)
            continue
        tag = tag_of(values_of(roster), settings)
        if roster.status == "open":
            if even_if_fresh or basis is None or basis.is_due(tag, now, changed_at):
                due.append(_Due(roster, tag, etag, now))
        elif basis is not None and not basis.holds(changed_at):
            due.append(_Due(roster, tag, etag, basis.found_at))
    if not due:
        return []
    pool, lives = _pool(now), DealLives(in_force)
    done = []
    for as_of, group in groupby(sorted(due, key=lambda one: one.as_of), key=lambda one: one.as_of):
        some = list(group)
        results = find([one.roster for one in some], as_of, pool, in_force, settings, lives)
        done += [
            one.roster.record
            for one, result in zip(some, results, strict=True)
            if similar_results.write_if(one.roster.record, result, one.tag, now, one.etag)
        ]
    return done


def beside(computed: Computation, now: int, in_force: Stamps) -> tuple[Computation, bool]:
    """The computation of an opportunity with its stored result, and whether that is due; other records as they are.

    A result that holds no more is left out until there is another.
    """
    roster = computed.subject.roster
    if roster.type != "opportunity":
        return computed, False
    stored = similar_results.read(roster.record)
    is_open = roster.status == "open"
    if stored is None:
        return computed, is_open
    result, basis = stored
    changed_at = exchange.changed_at_now()
    due = not basis.holds(changed_at)
    if is_open and not due:
        settings = organisation.settings_at(in_force.parameters).similar_deals
        due = basis.is_due(tag_of(values_of(roster), settings), now, changed_at)
    return replace(computed, similar=result if basis.holds(changed_at) else None), due


def _pool(now: int) -> Pool:
    stored = deal_pool_rows.read()
    return stored[0] if stored else deal_pool_rows.rebuild(now)


def at(roster: Roster, as_of: int, in_force: Stamps) -> SimilarResult | None:
    """What would have been found at a past instant, from what is held today; None before the pool was ever built."""
    stored = deal_pool_rows.read()
    if stored is None:
        return None
    settings = organisation.settings_at(in_force.parameters).similar_deals
    return next(find([roster], as_of, stored[0], in_force, settings))


def find(
    targets: Sequence[Roster],
    as_of: int,
    pool: Pool,
    in_force: Stamps,
    settings: SimilarSettings,
    lives: DealLives | None = None,
) -> Iterator[SimilarResult]:
    """The result of each deal in turn; their own values come from their rosters, those of the others from the pool."""
    zone = organisation.parameters(in_force.parameters).reporting_zone
    own = pool_of(targets)
    others = pool.take(np.flatnonzero(~np.isin(pool.ids, own.ids)))
    weights = dict[str, float](settings.weights.items())
    deals = joined([others, own]).deals(weights)
    candidates = won_lately(deals, as_of, zone=zone, months=settings.months)
    finder = SimilarDealFinder(deals, candidates[candidates < len(others)], settings.threshold)
    lives = lives or DealLives(in_force)
    for position, _ in enumerate(targets, len(others)):
        found = finder.find(position)
        age = as_of - int(deals.created[position]) if deals.created[position] != UNKNOWN else None
        shown = list(_neighbours(deals, position, found, as_of, finder, lives))
        yield SimilarResult(
            found_at=as_of,
            n=found.n - (len(found.nearest) - len(shown)),
            deals=tuple(shown),
            age=None if age is None else max(age, 0),
            weights=weights,
            weights_version=in_force.parameters,
        )


def _neighbours(
    deals: Deals, position: int, found: SimilarDeals, as_of: int, finder: SimilarDealFinder, lives: DealLives
) -> Iterator[SimilarDeal]:
    """The nearest deals with their figures; one that was deleted or reopened since the pool was built is left out."""
    instants = equal_age_instants(deals, position, found.nearest, as_of)
    known = (deals.created[found.nearest] != UNKNOWN) & (deals.created[position] != UNKNOWN)
    columns = (found.nearest.tolist(), found.percent.tolist(), instants.tolist(), known.tolist())
    for row, percent, equal_age, has_age in zip(*columns, strict=True):
        life = lives.life(f"opportunity:{deals.ids[row].decode()}")
        if life is None:
            continue
        comparison = finder.compare_fields(position, row)
        yield SimilarDeal(
            record=life.roster.record,
            name=life.roster.name,
            closed_at=instant(life.closed_at),
            similarity_percent=percent,
            matched=list(comparison.matched),
            differing=list(comparison.differing),
            missing=list(comparison.missing),
            equal_age=life.at(min(equal_age, life.closed_at)) if has_age else None,
            whole_life=life.at(life.closed_at),
        )
