"""Who of ours knows a target, worked out once per change: a contact, a lead, an account, a bare address or a mail domain.

A target's row holds one line a colleague. Between two computations a strength fades by a plain factor, so a reader brings a
line to the present by multiplying; `valid_until` is when an interaction enters or leaves the window and that no longer holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from msgspec import Struct, msgpack

from shared import decoders, registry
from shared.columns import Entries
from shared.directory import Directory
from shared.keys import keys
from shared.kpi.encounters import Encounters, encounters, participants
from shared.kpi.interactions import Interactions, Keys, Membership, RecordType
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.strength import Acquaintance, acquaintances, basic_acquaintances, within_window
from shared.kpi.windows import kpi_window, local_date, midnight
from shared.never_log import logged
from shared.noise import is_functional
from shared.opt_outs import without
from shared.subjects import our_keys

MOST_LINES = 2_000  # a row stays below the store's 1 MB
FOREVER = 2**53
_NONE: Keys = np.empty(0, dtype=np.uint64)


class Line(Struct, frozen=True, array_like=True):
    """How one colleague knows the target. `who` is `user:<id>`, or the address of one of ours who is no CRM user.

    `raw` is the strength before scaling (kpis 9.2) at the row's `computed_at`; counts and `last_at` as in the evidence.
    """

    who: str
    key: int
    raw: float
    two_way: bool
    emails_out: int
    emails_in: int
    meetings: int
    calls: int
    last_at: int


class Known(Struct, frozen=True, array_like=True):
    """A target's row: lines by falling strength, when it was computed, and until when fading is all that happens to it.

    Of a record also its name and the account around it. `basic`: each `raw` is a number of emails and meetings, which does not
    fade; `rule` names the parameters by which it was computed.
    """

    lines: list[Line]
    computed_at: int
    valid_until: int
    name: str = ""
    company: str = ""
    basic: bool = False
    rule: str = ""


_encoder = msgpack.Encoder()
_decoder = decoders.of_msgpack(Known)


def encode(known: Known) -> bytes:
    """The row's bytes."""
    return _encoder.encode(known)


def decode(blob: bytes) -> Known:
    """The row of `encode`'s bytes."""
    return _decoder.decode(blob)


def raw_at(line: Line, known: Known, now: int, parameters: Parameters) -> float:
    """The line's raw strength faded to `now`; in the basic mode its number."""
    if known.basic:
        return line.raw
    days = max(now - known.computed_at, 0) / DAY
    faded = line.raw * 0.5 ** (days * parameters.strength_regularity / parameters.strength_half_life_days)
    silence = parameters.strength_silence_half_life_days
    return float(faded if silence is None else faded * 0.5 ** (days / silence))


@lru_cache(maxsize=8)
def rule_of(parameters: Parameters) -> str:
    """A name for all that a row depends on in the parameters: rows of another rule do not hold."""
    fields = {name: value for name, value in vars(parameters).items() if name.startswith("strength_")}
    window = (parameters.window_days, parameters.reporting_zone) if parameters.strength_basic else ()
    parts = repr((sorted(fields.items()), parameters.recipient_limit, parameters.never_log, window))
    return blake2b(parts.encode(), digest_size=6).hexdigest()


def membership_of(external: Mapping[int, int], facts: Interactions, directory: Directory) -> Membership:
    """The target's people (`external`: address key to the person's own key) against ours, as far as they are in `facts`."""
    ours = our_keys(directory)
    here = np.flatnonzero(np.isin(ours.known, facts.part_person))
    aliases = {**external, **dict(zip(ours.known[here].tolist(), ours.canonical[here].tolist(), strict=True))}
    known = np.array(sorted(aliases), dtype=np.uint64)
    return Membership(
        type=RecordType.ACCOUNT,
        key=0,
        record_keys=_NONE,
        persons=known,
        canonical=np.array([aliases[key] for key in known.tolist()], dtype=np.uint64),
        internal=np.unique(ours.canonical[here]),
        internal_domains=np.array(sorted(map(keys().domain, directory.domains)), dtype=np.uint64),
        external=np.array(sorted(set(external.values())), dtype=np.uint64),
    )


def work_out(
    entries: Entries, external: Mapping[int, int], now: int, parameters: Parameters, directory: Directory
) -> tuple[Known, Membership, Interactions]:
    """The target's row from the interactions of all its people; the membership and the interactions it was computed with."""
    membership = membership_of(external, entries.facts, directory)
    entries = logged(entries, membership, parameters.never_log)
    facts = without(entries, directory.opted_out, membership).facts
    met = encounters(facts, membership, now, parameters)
    basic = parameters.strength_basic
    start = kpi_window(now, parameters).start
    every = basic_acquaintances(met, start) if basic else acquaintances(met, now, parameters)
    found = sorted(every, key=lambda one: (-one.raw, -one.last_at, one.colleague))
    names = _names([one.colleague for one in found], directory)
    lines = [_line(names[one.colleague], one) for one in found if one.colleague in names]
    until = _window_moves(now, parameters) if basic else FOREVER
    until = min(until, _valid_until(facts, within_window(met, now, parameters), now, parameters))
    return Known(lines[:MOST_LINES], now, until, basic=basic, rule=rule_of(parameters)), membership, facts


def _line(who: str, one: Acquaintance) -> Line:
    return Line(
        who, one.colleague, one.raw, one.two_way, one.emails_out, one.emails_in, one.meetings, one.calls, one.last_at
    )


def _names(colleagues: Iterable[int], directory: Directory) -> dict[int, str]:
    """Who stands behind each key; functional addresses of ours are nobody."""
    ours = our_keys(directory)
    users = {key: user for key, user in zip(ours.canonical.tolist(), ours.user, strict=True) if user}
    names = {key: f"user:{users[key]}" for key in colleagues if key in users}
    others = registry.texts(key for key in colleagues if key not in users)
    return names | {key: text for key, text in others.items() if not is_functional(text)}


def _valid_until(facts: Interactions, met: Encounters, now: int, parameters: Parameters) -> int:
    """The first instant at which an interaction enters (begins, or ends) or leaves the window."""
    leaving = met.at + parameters.strength_window_days * DAY + 1
    coming = np.concatenate([facts.at[facts.at > now], facts.end[facts.end > now], leaving])
    return int(coming.min(initial=FOREVER))


def _window_moves(now: int, parameters: Parameters) -> int:
    """When the KPI window begins later than it does now: the next local midnight, or the next year."""
    today = local_date(now, parameters.reporting_zone)
    next_start = date(today.year + 1, 1, 1) if parameters.window_days is None else today + timedelta(days=1)
    return midnight(next_start, parameters.reporting_zone)


def met_together(
    facts: Interactions, membership: Membership, now: int, parameters: Parameters
) -> dict[tuple[int, int], int]:
    """Pairs of colleagues (smaller key first) who were on one counted interaction with somebody external, and when last."""
    rows = participants(facts, membership, now, parameters)
    recent = facts.at >= now - parameters.strength_window_days * DAY
    outside = np.bincount(rows.index[~rows.internal], minlength=len(facts)) > 0
    chosen = rows.internal & (recent & outside)[rows.index]
    index, person = rows.index[chosen], rows.person[chosen]
    # Rows of one interaction stand together by ascending key: each is paired with those after it.
    number = np.searchsorted(index, index, "right") - np.arange(len(index)) - 1
    one = np.repeat(np.arange(len(index)), number)
    other = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(number) - number, number)
    pairs = zip(person[one].tolist(), person[other].tolist(), facts.at[index[one]].tolist(), strict=True)
    return {(smaller, larger): at for smaller, larger, at in pairs}  # by ascending instant: the newest stays
