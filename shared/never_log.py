"""The never-log list: interactions in which somebody on it takes part are left out of everything, the past included.

They stay stored, so that taking a name off the list brings them back; no figure, no ledger and no acquaintance sees them.
"""

from __future__ import annotations

import numpy as np

from shared.columns import Entries
from shared.keys import keys
from shared.kpi.interactions import Keys, Membership
from shared.kpi.parameters import NeverLog


def never_log_of(names: tuple[str, ...]) -> NeverLog:
    """The keys of a list of addresses and domains (a name without `@`), in normal form."""
    people = sorted(keys().address(name) for name in names if "@" in name)
    domains = sorted(keys().domain(name) for name in names if "@" not in name)
    return NeverLog(tuple(people), tuple(domains))


def logged(entries: Entries, membership: Membership, never: NeverLog) -> Entries:
    """The entries in which nobody on the list takes part: no address, no domain, and none of a listed person's other keys."""
    if not never:
        return entries
    facts = entries.facts
    named = np.isin(facts.part_person, _all_keys(membership, np.array(never.people, dtype=np.uint64)))
    named |= np.isin(facts.part_domain, np.array(never.domains, dtype=np.uint64))
    left_out = np.zeros(len(facts), dtype=bool)
    left_out[facts.part_index[named]] = True
    return entries.take(np.flatnonzero(~left_out)) if left_out.any() else entries


def _all_keys(membership: Membership, people: Keys) -> Keys:
    """The keys and those of the same persons: a call may name the contact whose address is on the list."""
    persons = membership.canonical[np.isin(membership.persons, people)]
    return np.concatenate([people, membership.persons[np.isin(membership.canonical, persons)]])
