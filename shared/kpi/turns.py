"""Turns of conversations: who asked, when, and when the other side answered (kpis 7.1 to 7.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import Bools, Codes, Direction, History, Ids, Indices, Instants, Keys, Kind, Role
from shared.kpi.parameters import DAY

LONGEST_LATENCY = 30 * DAY  # a later mail is no answer


@dataclass(frozen=True)
class AskedTurns:
    """The asked turns of one record, in no stated order; a turn is a run of mails of one side.

    Asked = it has a mail which names the other side in To. Empty arrays are valid.
    """

    by: Codes  # Direction of the turn: IN = they asked
    asked_at: Instants  # the first such mail
    key: Ids  # its key
    answered: Bools  # by the first mail of the next turn, within 30 days
    answered_at: Instants  # 0 = unanswered
    answerer: Keys  # the sender of the answer; 0 = unanswered or unknown

    def __len__(self) -> int:
        return len(self.by)

    def select(self, chosen: Bools) -> AskedTurns:
        """Only the marked turns."""
        return AskedTurns(
            self.by[chosen],
            self.asked_at[chosen],
            self.key[chosen],
            self.answered[chosen],
            self.answered_at[chosen],
            self.answerer[chosen],
        )


@dataclass(frozen=True)
class _Mails:
    """The counted mails by conversation, then time; `turn` numbers the runs of one side."""

    row: Indices  # index in the history
    conversation: Keys
    turn: Indices
    asks: Bools


def asked_turns(history: History) -> AskedTurns:
    """All asked turns of all counted mails. Meetings, calls and automatic mails are no mails of a conversation."""
    mails = _mails(history)
    asking = np.flatnonzero(mails.asks)
    asking = asking[_starts(mails.turn[asking])]
    following = np.searchsorted(mails.turn, mails.turn[asking] + 1)
    answer = np.minimum(following, max(len(mails.row) - 1, 0))
    asked_at = history.at[mails.row[asking]]
    answered = (following < len(mails.row)) & (mails.conversation[answer] == mails.conversation[asking])
    answered &= (mails.conversation[asking] != 0) & (history.at[mails.row[answer]] - asked_at <= LONGEST_LATENCY)
    return AskedTurns(
        history.direction[mails.row[asking]],
        asked_at,
        history.key[mails.row[asking]],
        answered,
        np.where(answered, history.at[mails.row[answer]], 0),
        np.where(answered, _senders(history)[mails.row[answer]], np.uint64(0)),
    )


def answered_mails(history: History) -> Ids:
    """Keys of our mails that lie in an asked and answered turn, sorted: the replies of email engagement (kpis 10.1)."""
    turns, mails = asked_turns(history), _mails(history)
    answered = np.isin(history.key[mails.row], turns.key[turns.answered])
    with_answer = np.isin(mails.turn, mails.turn[answered])
    return np.sort(history.key[mails.row[with_answer & (history.direction[mails.row] == Direction.OUT)]])


def _mails(history: History) -> _Mails:
    row = np.flatnonzero(history.kind == Kind.EMAIL)
    row = row[np.argsort(history.conversation[row], kind="stable")]
    conversation, side = history.conversation[row], history.direction[row]
    new = np.ones(len(row), dtype=bool)
    new[1:] = (conversation[1:] != conversation[:-1]) | (side[1:] != side[:-1]) | (conversation[1:] == 0)
    return _Mails(row, conversation, np.cumsum(new), _names_other_side(history)[row])


def _names_other_side(history: History) -> Bools:
    """Whether a mail has anyone of the side that did not send it in To."""
    outgoing = history.direction == Direction.OUT
    other = history.part_internal != outgoing[history.part_index]
    named = np.zeros(len(history), dtype=bool)
    named[history.part_index[other & (history.part_role == Role.TO)]] = True
    return named


def _senders(history: History) -> Keys:
    """The From person of each interaction; 0 = unknown."""
    sender = np.zeros(len(history), dtype=np.uint64)
    is_sender = history.part_role == Role.FROM
    sender[history.part_index[is_sender]] = history.part_person[is_sender]
    return sender


def _starts(sorted_values: Indices) -> Bools:
    """Marks the first of each run of equal values."""
    first = np.ones(len(sorted_values), dtype=bool)
    first[1:] = sorted_values[1:] != sorted_values[:-1]
    return first
