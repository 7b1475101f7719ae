"""Who knows whom computed one interaction at a time, from plain lists, written from the definition alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

DAY = 86_400
WORTH = {"email": 1.0, "call": 2.0, "meeting": 3.0}


@dataclass(frozen=True)
class Happening:
    """A counted interaction. `starter` is the sender, organizer or caller; `others` took part and did not decline."""

    kind: str
    at: int
    starter: str
    others: tuple[str, ...]
    answered: bool = True


@dataclass
class Known:
    """What one colleague has with the target."""

    weeks: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    out: int = 0
    back: int = 0
    meetings: int = 0
    calls: int = 0
    answered: bool = False
    last: int = field(default=-(10**18))


def slow_strengths(
    happenings: Sequence[Happening],
    ours: Collection[str],
    targets: Collection[str],
    as_of: int,
    regularity: float = 1.0,
) -> Mapping[str, tuple[float, Known]]:
    """Raw strength and evidence per colleague."""
    found: dict[str, Known] = defaultdict(Known)
    for one in happenings:
        if not as_of - 365 * DAY <= one.at <= as_of:
            continue
        everyone = {one.starter, *one.others}
        worth = WORTH[one.kind] / max(1, len(everyone) - 1) * 0.5 ** ((as_of - one.at) / DAY / 90)
        touched = set()
        for colleague in everyone & set(ours):
            for target in everyone & set(targets):
                if one.kind != "email" or one.starter in (colleague, target):
                    found[colleague].weeks[one.at // (7 * DAY)] += worth
                    touched.add(colleague)
        for colleague in touched:
            _note(found[colleague], one, colleague)
    return {name: (_raw(known, regularity), known) for name, known in found.items()}


def _note(known: Known, one: Happening, colleague: str) -> None:
    known.last = max(known.last, one.at)
    if one.kind == "email":
        known.out += one.starter == colleague
        known.back += one.starter != colleague
    known.meetings += one.kind == "meeting"
    known.calls += one.kind == "call"
    known.answered |= one.kind == "call" and one.answered


def _raw(known: Known, regularity: float) -> float:
    two_way = (known.out > 0 and known.back > 0) or known.meetings > 0 or known.answered
    return sum(week**regularity for week in known.weeks.values()) * (1.25 if two_way else 0.5)
