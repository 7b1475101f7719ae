"""Who knows whom, as it is shown: the colleagues to ask about an external person or company, in the order for the asker."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from shared.kpi.encounters import encounters, participants
from shared.kpi.interactions import Interactions, Keys, Membership
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.strength import HALF_STRENGTH, Acquaintance, acquaintances, basic_acquaintances

NO_CONTACT = "no_contact"  # nobody who may be listed met the person within the window


@dataclass(frozen=True)
class WhoKnowsWhom:
    """Acquaintances in order; when there are none, `reason` says why."""

    acquaintances: tuple[Acquaintance, ...]
    reason: str | None


@dataclass(frozen=True)
class Asker:
    """Who asks, and whom the asker is close to: `team` (same CRM team or manager), `met` (from `met_with`)."""

    key: int
    team: Collection[int] = frozenset()
    met: Collection[int] = frozenset()

    def closeness(self, colleague: int) -> float:
        """1 for the own team, 0.5 after a shared interaction with a customer, else 0."""
        return 1.0 if colleague in self.team else 0.5 if colleague in self.met else 0.0


def who_knows_whom(
    interactions: Interactions,
    membership: Membership,
    as_of: int,
    parameters: Parameters,
    *,
    domain: int | None = None,
    basic_from: int | None = None,
    hidden: Collection[int] = frozenset(),
    asker: Asker | None = None,
    names: Mapping[int, str] | None = None,
) -> WhoKnowsWhom:
    """The colleagues who know `membership.external` (several people = a company), or everyone of a mail `domain`.

    Strongest first; for an `asker` by strength x (0.7 + 0.3 closeness), the shown strength unchanged. `basic_from` asks for
    the basic mode over the window from that instant on. `hidden` colleagues and the asker leave no trace. Ties: newer
    contact, then name, then key.
    """
    met = encounters(interactions, membership, as_of, parameters, domain)
    left_out = frozenset(hidden) | ({asker.key} if asker else set())
    if basic_from is None:
        found = [each for each in acquaintances(met, as_of, parameters) if each.colleague not in left_out]
    else:
        found = basic_acquaintances(met, basic_from, left_out)
        asker = None  # the basic mode gives everyone the same order
    ordered = tuple(in_order(found, asker, names or {}))
    return WhoKnowsWhom(ordered, None if ordered else NO_CONTACT)


def in_order(
    found: Collection[Acquaintance], asker: Asker | None = None, names: Mapping[int, str] | None = None
) -> list[Acquaintance]:
    """`found` in the order in which it is listed. The unrounded strength decides, and above 100.0 what it is made of."""

    def rank(each: Acquaintance) -> tuple[float, float, int, str, int]:
        nearness = 0.7 + 0.3 * asker.closeness(each.colleague) if asker else 1.0
        value = each.raw if each.strength is None else 1 - 2 ** (-each.raw / HALF_STRENGTH)
        name = (names or {}).get(each.colleague, "").casefold()
        return -round(value * nearness, 9), -each.raw, -each.last_at, name, each.colleague

    return sorted(found, key=rank)


def met_with(
    interactions: Interactions, membership: Membership, asker: int, as_of: int, parameters: Parameters
) -> Keys:
    """Colleagues who were on one counted interaction with `asker` and someone external in the last 365 days; sorted keys.

    Read it from each partition the asker is in and unite the answers; interactions among our own people never count.
    """
    rows = participants(interactions, membership, as_of, parameters)
    size = len(interactions)
    recent = interactions.at >= as_of - parameters.strength_window_days * DAY
    with_asker = np.bincount(rows.index[rows.person == np.uint64(asker)], minlength=size) > 0
    with_customer = np.bincount(rows.index[~rows.internal], minlength=size) > 0
    met = rows.person[rows.internal & (recent & with_asker & with_customer)[rows.index]]
    return np.setdiff1d(met, np.array([asker], np.uint64))
