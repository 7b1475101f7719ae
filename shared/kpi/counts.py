"""Who initiated how many interactions, who started conversations, and mails sent to received (kpis 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.kpi.grouping import first_of_key
from shared.kpi.interactions import Codes, Direction, History, Indices, Kind
from shared.kpi.rounding import rounded
from shared.kpi.windows import Window, within


@dataclass(frozen=True)
class Counts:
    """Numbers of counted interactions of a window, 0 or more; sent, made, ours = initiated by us. No direction is better."""

    emails_sent: int
    emails_received: int
    meetings_sent: int
    meetings_received: int
    calls_made: int
    calls_received: int
    conversations_ours: int  # conversations whose first counted mail is in the window, by its direction
    conversations_theirs: int

    @property
    def ours(self) -> int:
        """Interactions that we initiated."""
        return self.emails_sent + self.meetings_sent + self.calls_made

    @property
    def theirs(self) -> int:
        """Interactions that they initiated."""
        return self.emails_received + self.meetings_received + self.calls_received


@dataclass(frozen=True)
class Ratio:
    """Mails received to sent and back, 0 or more, 2 decimals; None = the denominator is zero. 1 is balance."""

    by_them: float | None  # received / sent
    by_us: float | None  # sent / received
    sent: int
    received: int


# Plain numbers: an enum compares with a small array three times as slowly.
_EMAIL, _IN = int(Kind.EMAIL), int(Direction.IN)
KINDS = 4  # of Kind; a kind and a direction make one code below 8


def initiated(kind: Codes, direction: Codes) -> Codes:
    """Kind and direction as one code, 2 x Kind + Direction, shape (n,)."""
    code: Codes = kind * np.uint8(2) + direction
    return code


def count(history: History, window: Window) -> Counts:
    """The counts of a window; all zero without interactions. Tasks count nowhere here (kpis 2.1)."""
    inside = within(history, window)
    numbers = np.bincount(initiated(inside.kind, inside.direction), minlength=2 * KINDS).tolist()
    return Counts(*numbers[:6] + _conversations(history, window))


def _conversations(history: History, window: Window) -> list[int]:
    """Conversations begun by us and by them; a mail without a conversation is one of its own."""
    mails = (history.kind == _EMAIL).nonzero()[0]
    conversation = history.conversation.take(mails)
    first = (first_of_key(conversation) == np.arange(len(mails))) | (conversation == 0)
    begun: Indices = mails[first]
    at = history.at.take(begun)
    direction = history.direction.take(begun[(at >= window.start) & (at <= window.end)])
    theirs = int(np.count_nonzero(direction == _IN))
    return [len(direction) - theirs, theirs]


def ratio(counts: Counts) -> Ratio:
    """The plain quotients both ways.

    >>> ratio(Counts(3, 1, 0, 0, 0, 0, 0, 0))
    Ratio(by_them=0.33, by_us=3.0, sent=3, received=1)
    """
    sent, received = counts.emails_sent, counts.emails_received
    by_them = rounded(received / sent, 2) if sent else None
    by_us = rounded(sent / received, 2) if received else None
    return Ratio(by_them, by_us, sent, received)
