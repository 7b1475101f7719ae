"""A record's computation without storage: stored entries out of single interactions, and what `compute` makes of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from shared.columns import Entries
from shared.kpi.inclusion import include
from shared.kpi.interactions import Membership
from shared.kpi.parameters import Parameters
from shared.kpi.windows import kpi_window
from shared.never_log import logged
from shared.rosters import Roster
from shared.snapshots import Computation
from shared.subjects import Subject
from tests.doubles.histories import BERLIN, A, Item, contact, interactions

KIM = contact("kim")


def entries_of(items: Iterable[Item], engagement: dict[int, tuple[int, ...]] | None = None) -> Entries:
    """Stored entries of these items; `engagement` gives the counters of followed mails by position."""
    facts, followed = interactions(*items), engagement or {}
    n = len(facts)
    counters = np.array([followed[row] for row in sorted(followed)], dtype="u4").reshape(-1, 6)
    return Entries(
        facts, np.zeros(n, "u4"), np.zeros(n, bool), np.full(n, "", object), np.array(sorted(followed), "i8"), counters
    )


def computed(entries: Entries, parameters: Parameters = BERLIN, of: Membership = KIM, as_of: int = A) -> Computation:
    """The computation of a record, as `compute` makes it of what was read."""
    entries = logged(entries, of, parameters.never_log)
    inclusion = include(entries.facts, of, as_of, parameters)
    subject = Subject(Roster(record="contact:kim", name="Kim"), (), of, {})
    return Computation(subject, entries, inclusion, inclusion.history(), kpi_window(as_of, parameters), parameters, {})
