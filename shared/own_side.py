"""Our side's response and hours under the group floor, where the organisation wants it (`strictOwnSide`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from shared import null_reasons
from shared import widgets as w
from shared.kpi.floor import is_withheld, people_behind_answers, people_behind_hours

if TYPE_CHECKING:
    from shared.snapshots import Computation

FLAG = "privacyFloor"


def floored(found: Computation, all_widgets: w.Widgets) -> w.Widgets:
    """The widgets without the figures of our side that fewer than five of our people stand behind; as they are by default."""
    if not found.parameters.strict_own_side:
        return all_widgets
    similar = all_widgets.similar_won_opportunities
    return replace(
        all_widgets,
        time_spent=_time_spent(found, all_widgets.time_spent),
        response_time=_response_time(found, all_widgets.response_time),
        similar_won_opportunities=similar and _similar(similar),
    )


def _time_spent(found: Computation, spent: w.TimeSpent) -> w.TimeSpent:
    if not is_withheld(people_behind_hours(found.history, found.window)):
        return spent
    return replace(spent, our_hours=None, our_minutes=None, wider_team_minutes=None, flags=[*spent.flags, FLAG])


def _response_time(found: Computation, times: w.ResponseTime) -> w.ResponseTime:
    if not is_withheld(people_behind_answers(found.history, found.window)):
        return times
    ours = times.by_us
    return replace(
        times,
        by_us=replace(
            ours,
            hours=None,
            business_hours=None,
            response_rate=None,
            flags=[*ours.flags, FLAG],
            reasons=null_reasons.withheld_side(),
        ),
    )


def _similar(similar: w.SimilarWonOpportunities) -> w.SimilarWonOpportunities:
    """Without our side of any deal: how many people stand behind another deal's figures is not kept, and averages mix deals."""
    deals = [
        replace(deal, equal_age=deal.equal_age and _deal(deal.equal_age), whole_life=_deal(deal.whole_life))
        for deal in similar.deals
    ]
    return replace(
        similar,
        deals=deals,
        this_deal=_deal(similar.this_deal),
        equal_age=similar.equal_age and _averages(similar.equal_age),
        whole_life=similar.whole_life and _averages(similar.whole_life),
    )


def _deal(figures: w.DealFigures) -> w.DealFigures:
    return replace(figures, our_hours=None, response_hours=None, response_rate=None)


def _averages(figures: w.DealAverages) -> w.DealAverages:
    return replace(figures, our_hours=None, response_hours=None, response_rate=None)
