"""A made-up record of any size: mails, meetings, calls and tasks of three years, as columns."""

from __future__ import annotations

import numpy as np

from shared.kpi.interactions import Flag, Interactions, Keys, Kind, Membership, RecordType, Role
from shared.kpi.parameters import DAY

AS_OF = 1_773_576_000  # 15 March 2026, 12:00 UTC


def record(number: int, seed: int = 1) -> tuple[Interactions, Membership]:
    """`number` interactions of an opportunity: 70 % mails, 15 % meetings, 10 % calls, 5 % tasks, 2 to 5 people each.

    People: 20 of ours, half of them on the team, and 60 of theirs, 30 of them of interest. Nine of ten interactions count.
    """
    rng = np.random.default_rng(seed)
    at = np.sort(AS_OF - rng.integers(0, 1095 * DAY, number))
    kind = rng.choice(
        np.array([Kind.EMAIL, Kind.MEETING, Kind.CALL, Kind.TASK], np.uint8), number, p=[0.7, 0.15, 0.1, 0.05]
    )
    minutes = np.where(kind == Kind.EMAIL, 0.0, rng.integers(5, 90, number).astype(float))
    minutes[rng.random(number) < 0.02] = np.nan
    meeting = kind == Kind.MEETING
    end = np.where(meeting, at + rng.integers(10, 120, number) * 60, at)
    minutes[meeting] = ((end - at) / 60)[meeting]
    key = rng.integers(0, 2**63, (number, 2), dtype=np.uint64).view("S16").ravel()
    threads = rng.integers(1, 2**63, max(number // 4, 1), dtype=np.uint64)
    conversation = np.where(kind == Kind.EMAIL, rng.choice(threads, number), np.uint64(0))
    ours, theirs = (np.sort(rng.integers(1, 2**63, size, dtype=np.uint64)) for size in (20, 60))
    index, person, role, internal = _people(rng, kind, ours, theirs)
    domain = np.where(internal, np.uint64(1), rng.integers(2, 12, len(index)).astype(np.uint64))
    about = np.flatnonzero((rng.random(number) < 0.3) | (kind == Kind.TASK))
    everyone = np.sort(np.concatenate([ours, theirs]))
    flags = np.full(number, Flag.COMPLETED | Flag.IN_EXCHANGE, np.uint32)
    facts = Interactions(
        key, at, end, kind, flags, minutes, conversation, np.ones(number, np.uint8), index, person, domain, role,
        np.zeros(len(index), np.uint8), about, np.full(len(about), RecordType.OPPORTUNITY, np.uint8),
        np.full(len(about), 77, np.uint64),
    )  # fmt: skip
    members = Membership(
        RecordType.OPPORTUNITY, 77, np.array([77], np.uint64), everyone, everyone, ours, np.array([1], np.uint64),
        theirs[::2].copy(), team=ours[::2].copy(),
    )  # fmt: skip
    return facts, members


def _people(
    rng: np.random.Generator, kind: np.ndarray, ours: Keys, theirs: Keys
) -> tuple[np.ndarray, Keys, np.ndarray, np.ndarray]:
    """Two to five rows an interaction, the first of them From or organizer, one of each side at least."""
    size = np.where(kind == Kind.TASK, 1, rng.integers(2, 6, len(kind)))
    index = np.repeat(np.arange(len(kind)), size)
    position = np.arange(len(index)) - np.repeat(np.cumsum(size) - size, size)
    first_ours = rng.random(len(kind)) < 0.55
    internal = np.where(
        position == 0, first_ours[index], np.where(position == 1, ~first_ours[index], rng.random(len(index)) < 0.5)
    )
    internal |= kind[index] == Kind.TASK
    # Few people do most of the talking: squared uniform draws.
    our_draw, their_draw = ((rng.random(len(index)) ** 2 * size).astype(int) for size in (len(ours), len(theirs)))
    person = np.where(internal, ours[our_draw], theirs[their_draw])
    meeting = kind[index] == Kind.MEETING
    role = np.where(
        position == 0, np.where(meeting, Role.ORGANIZER, Role.FROM), np.where(meeting, Role.ATTENDEE, Role.TO)
    )
    role[(position > 2) & ~meeting] = Role.CC
    return index, person, role.astype(np.uint8), internal
