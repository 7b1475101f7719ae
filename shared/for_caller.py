"""Widgets as one caller may see them: names in cover risk (product P8), and similar deals that the caller may read (P3).

Snapshots are the same for everybody; only the two widgets in question are opened here, and most answers pass unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Raw, json
from msgspec.structs import replace

from shared import decoders, row_rights
from shared.auth import COVER_RISK, Caller
from shared.errors import ForbiddenError
from shared.keys import keys
from shared.reading import SIMILAR, Answer
from shared.widgets import Concentration, CoverRisk, PersonRef, SimilarWonOpportunities

NOT_ALL_READABLE = "notAllReadable"
_NOBODY = PersonRef(id="", name="")
_decoder = decoders.of_json(dict[str, Raw])


def all_for(who: Caller, answer: Answer) -> Answer:
    """The answer with all widgets as this caller may see it."""
    envelope = _decoder.decode(answer.body)
    widgets = _decoder.decode(envelope["widgets"])
    changed = {name: seen for name in _SEEN_BY if (seen := _seen(who, name, widgets[name])) is not widgets[name]}
    if not changed:
        return answer
    return Answer(json.encode({**envelope, "widgets": {**widgets, **changed}}), None)


def one_for(who: Caller, answer: Answer) -> Answer:
    """The answer with one widget, whichever it is, as this caller may see it."""
    envelope = _decoder.decode(answer.body)
    name = decoders.of_json(str).decode(envelope["widget"])
    seen = _seen(who, name, envelope["data"])
    return answer if seen is envelope["data"] else Answer(json.encode({**envelope, "data": seen}), None)


def _seen(who: Caller, name: str, raw: Raw) -> Raw:
    return _SEEN_BY[name](who, raw) if name in _SEEN_BY and bytes(raw) != b"null" else raw


def _cover_risk(who: Caller, raw: Raw) -> Raw:
    cover = decoders.of_json(CoverRisk).decode(raw)
    if _may_see_names(who, cover.named_to):
        return raw
    leaving = cover.if_leaves and replace(cover.if_leaves, person=_NOBODY)
    flags = [*cover.flags, "namesWithheld"]
    return Raw(json.encode(replace(cover, ours=_without_names(cover.ours), if_leaves=leaving, flags=flags)))


def require_names(who: Caller, named_to: Iterable[str]) -> None:
    """Raise ForbiddenError unless cover risk names colleagues to this caller."""
    if not _may_see_names(who, named_to):
        raise ForbiddenError(
            "Colleagues are named to the record's owner, the owner's manager and the role Rapport.CoverRisk."
        )


def _may_see_names(who: Caller, named_to: Iterable[str]) -> bool:
    return COVER_RISK in who.roles or not _marks(who).isdisjoint(named_to)


def _without_names(side: Concentration) -> Concentration:
    return replace(side, shares=[replace(share, person=_NOBODY) for share in side.shares])


def _marks(who: Caller) -> set[str]:
    """By what `namedTo` knows a caller: the user id, where it is the one of sign-in, and the hash of the sign-in address."""
    return {who.id, f"{keys().address(who.address):016x}"} if who.address else {who.id}


def _similar(who: Caller, raw: Raw) -> Raw:
    """Without deals that the caller may not read, and without averages where one of these is in them."""
    found = decoders.of_json(SimilarWonOpportunities).decode(raw)
    named = list(dict.fromkeys([*(deal.record for deal in found.deals), *found.averaged_deals]))
    may = row_rights.rights().readable(who, named) if named else set()
    if may == set(named):
        return raw
    whole = set(found.averaged_deals) <= may
    return Raw(
        json.encode(
            replace(
                found,
                deals=[deal for deal in found.deals if deal.record in may],
                averaged_deals=[record for record in found.averaged_deals if record in may],
                equal_age=found.equal_age if whole else None,
                whole_life=found.whole_life if whole else None,
                reason=found.reason if whole else NOT_ALL_READABLE,
            )
        )
    )


_SEEN_BY: dict[str, Callable[[Caller, Raw], Raw]] = {"coverRisk": _cover_risk, SIMILAR: _similar}
