"""Finding the similar won deals of open deals: from the pool, with the others' figures at equal age and of their whole life."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from shared import deal_pool_rows, organisation, rosters, similar_results, stamps
from shared.deal_fields import is_comparable, values_of
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


def refresh(records: Iterable[str], now: int, even_if_fresh: bool = False) -> list[str]:
    """Look for the similar deals of those open deals whose stored result is due; the records that have a new result.

    Repeating it after a crash does only what is left. A deal that is gone, closed or being refreshed elsewhere is passed over.
    """
    in_force = stamps.read()
    settings = organisation.settings_at(in_force.parameters).similar_deals
    due: list[tuple[Roster, str, str | None]] = []
    for record in records:
        basis, etag = similar_results.basis(record)
        roster = rosters.read(record)
        if roster is None or not is_comparable(roster) or roster.status != "open":
            continue
        tag = tag_of(values_of(roster), settings)
        if even_if_fresh or basis is None or basis.is_due(tag, now):
            due.append((roster, tag, etag))
    if not due:
        return []
    results = find([roster for roster, _, _ in due], now, _pool(now), in_force, settings)
    return [
        roster.record
        for (roster, tag, etag), result in zip(due, results, strict=True)
        if similar_results.write_if(roster.record, result, tag, etag)
    ]


def beside(computed: Computation, now: int, in_force: Stamps) -> tuple[Computation, bool]:
    """The computation of an opportunity with its stored result, and whether that is due; other records as they are."""
    roster = computed.subject.roster
    if roster.type != "opportunity":
        return computed, False
    stored = similar_results.read(roster.record)
    due = roster.status == "open"
    if due and stored:
        settings = organisation.settings_at(in_force.parameters).similar_deals
        due = stored[1].is_due(tag_of(values_of(roster), settings), now)
    return replace(computed, similar=stored[0] if stored else None), due


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
    targets: Sequence[Roster], as_of: int, pool: Pool, in_force: Stamps, settings: SimilarSettings
) -> Iterator[SimilarResult]:
    """The result of each deal in turn; their own values come from their rosters, those of the others from the pool."""
    zone = organisation.parameters(in_force.parameters).reporting_zone
    own = pool_of(targets)
    others = pool.take(np.flatnonzero(~np.isin(pool.ids, own.ids)))
    weights = dict[str, float](settings.weights.items())
    deals = joined([others, own]).deals(weights)
    candidates = won_lately(deals, as_of, zone=zone, months=settings.months)
    finder = SimilarDealFinder(deals, candidates[candidates < len(others)], settings.threshold)
    lives = DealLives(in_force)
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
