"""Whether an introduction has happened: asker, introducer and target on one captured interaction since the yes."""

from __future__ import annotations

import numpy as np

from shared import acquaintance_updates, exchange, membership, partitions, rosters
from shared.directory import Directory, user_keys
from shared.introduction_requests import Request
from shared.keys import keys
from shared.kpi.interactions import Flag


def seen_together(request: Request, ours: Directory) -> bool:
    """Say whether all three took part in one mail, call or held meeting after the introducer had said yes."""
    name, targets = _target(request.target)
    facts = exchange.shown(partitions.read(name, with_ids=False).live)[0].facts
    present = np.ones(len(facts), dtype=bool)
    for people in (targets, _user(request.asker, ours), _user(request.introducer, ours)):
        rows = facts.part_index[np.isin(facts.part_person, np.array(people, dtype=np.uint64))]
        present &= np.bincount(rows, minlength=len(facts)).astype(bool)
    happened = (facts.at >= request.answered_at) & (facts.flags & np.uint32(Flag.CANCELLED) == 0)
    return bool((present & happened).any())


def _target(target: str) -> tuple[str, list[int]]:
    if ":" not in target:
        key = keys().address(target)
        return membership.person_anchor(key), [key]
    roster = rosters.read(target)
    return target, list(acquaintance_updates.people_of(roster, ())) if roster else []


def _user(user_id: str, ours: Directory) -> list[int]:
    user = ours.users.get(user_id)
    return user_keys(user) if user else []
