"""The part of the consent check that reads: which mailboxes are asked whether they let us in, and what their answers mean.

A tenant opens its mailboxes one by one (RBAC for Applications), so a refusal alone says nothing of the tenant. Those that
answered before are asked first, those that are parked not at all; of those that were never read each check asks others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b

from shared import tables
from shared.graph import calendar, consent_state, mailboxes, scope
from shared.graph.calls import GraphCallError
from shared.graph.client import Graph
from shared.graph.consent import Scope
from shared.graph.mailboxes import Mailbox
from shared.graph.times import text_of

MOST = 50  # two calls for one that answers, one for one that refuses
_PARTITION, _ROW = "probe", "passed"
_TURN_SECONDS = 600


def let_in(graph: Graph, chosen: Scope, reporter: str, now: int, *, unproven: bool = False) -> bool | None:
    """Whether a mailbox in scope can be read; None for no evidence. `reporter`: one that refused, no witness unless alone.

    False only when two refused and none answered, or when the only one that there is refused. While consent was never
    proven (`unproven`), a mailbox must be shown to be readable: nobody in scope, or nobody with a mailbox, is a failure, too.
    """
    known = {mailbox.id: mailbox for mailbox in mailboxes.read_all()}
    last = last_passed()
    # Many may have left at once, and each of them asks: one that answers settles it without the directory.
    if reporter and _is_free(known.get(last), reporter, now) and _first_answer(graph, [last], now):
        return True
    try:
        found = [member.id for member in scope.members(graph, chosen)]
    except GraphCallError as error:
        return None if error.is_passing else False
    asked = in_order(found, known, reporter, last, now)
    if not asked and found:
        return None  # all are told to wait
    return _first_answer(graph, asked, now, False if unproven else None)


def in_order(found: Sequence[str], known: Mapping[str, Mailbox], reporter: str, last: str, now: int) -> list[str]:
    """Whom to ask of those in scope, at most 50: the one that passed last, those read most lately, then others by turns.

    Nobody may be called who is told to wait. Parked ones and the one that reports a refusal are left out where there are others.
    """
    others = [id for id in found if id != reporter and not _is_parked(known.get(id), now)] or list(found)
    free = [id for id in others if id not in known or known[id].not_before <= now]
    return sorted(free, key=lambda id: (id != last, -_read_until(known.get(id)), _turn(id, now)))[:MOST]


def _is_free(mailbox: Mailbox | None, reporter: str, now: int) -> bool:
    return bool(
        mailbox
        and mailbox.state == "connected"
        and mailbox.id != reporter
        and max(mailbox.not_before, mailbox.parked_until) <= now
    )


def _is_parked(mailbox: Mailbox | None, now: int) -> bool:
    return mailbox is not None and mailbox.parked_until > now


def _read_until(mailbox: Mailbox | None) -> int:
    return max(mailbox.mail_until, mailbox.calendar_until) if mailbox else 0


def _turn(id: str, now: int) -> bytes:
    return blake2b(f"{now // _TURN_SECONDS}|{id}".encode(), digest_size=8).digest()


def _first_answer(graph: Graph, asked: Sequence[str], now: int, silence: bool | None = None) -> bool | None:
    """`silence`: what it means when none answered and fewer than two refused."""
    refused = 0
    for mailbox in asked:
        try:
            _read(graph, mailbox, now)
        except GraphCallError as error:
            if error.is_passing:
                return None
            refused += error.is_denied
            continue
        _note_passed(mailbox)
        return True
    # The only mailbox that there is must do as a witness.
    return False if refused > 1 or (refused and len(asked) == 1) else silence


def _read(graph: Graph, mailbox: str, now: int) -> None:
    graph.get(f"/users/{mailbox}/mailFolders/inbox/messages", {"$top": "1", "$select": "id"})
    window = {"startDateTime": text_of(now), "endDateTime": text_of(now + 3600), "$select": "id", "$top": "1"}
    graph.get(f"/users/{mailbox}/calendarView", window, (calendar.UTC_TIMES,))


def last_passed() -> str:
    """The mailbox that could be read when it was last tried; empty before the first."""
    row = tables.read(consent_state.TABLE, _PARTITION, _ROW)
    return row["mailbox"] if row else ""


def _note_passed(mailbox: str) -> None:
    if mailbox != last_passed():
        row = {"PartitionKey": _PARTITION, "RowKey": _ROW, "v": 1, "mailbox": mailbox}
        tables.upsert(consent_state.TABLE, row)
