"""Interactions: the one shape behind which nobody knows whether the CRM or Exchange told of them, and how copies merge.

Kinds, roles, responses and flags are the numbers of `shared.kpi.interactions`, repeated here because that module needs
numpy; a test holds them equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Literal

from msgspec import Struct, json
from msgspec.structs import replace

from shared.noise import AUTOMATIC_SIGNS, BULK_SIGNS, SIGNS

EMAIL, MEETING, CALL, TASK = range(4)
FROM, TO, CC, ORGANIZER, ATTENDEE = range(5)
RESPONSES = {"none": 0, "organizer": 1, "tentativelyAccepted": 2, "accepted": 3, "declined": 4, "notResponded": 5}
COMPLETED, CANCELLED, IN_CRM, IN_EXCHANGE, ALL_DAY, NOT_BUSY, AUTOMATIC, BULK, NO_ANSWER, CALL_IN, CALL_OUT = (
    1 << bit for bit in range(11)
)
_MINUTE = 60
_UNIONED_FLAGS = COMPLETED | CANCELLED | IN_CRM | IN_EXCHANGE | AUTOMATIC | BULK | NO_ANSWER | SIGNS
_INITIATORS = (FROM, ORGANIZER)


def with_verdict(signs: int) -> int:
    """The flags of a mail that carries these signs: the signs, and what they amount to.

    >>> with_verdict(0), with_verdict(BULK_SIGNS) & (AUTOMATIC | BULK) == BULK
    (0, True)
    """
    return signs | (AUTOMATIC if signs & AUTOMATIC_SIGNS else 0) | (BULK if signs & BULK_SIGNS else 0)


class Participant(Struct, frozen=True):
    """One person's part: a normal address, a CRM party (`contact:<id>`), or both; role and response as in the figures."""

    address: str
    name: str
    party: str
    role: int
    response: int


class InteractionCopy(Struct, frozen=True, kw_only=True):
    """One source's copy of a mail, meeting, call or task. No subject, no body.

    `merge_key` brings the copies of one item together (`mail_key`, `meeting_key`); `alternate_key` is set where an
    Exchange meeting with an iCalUId may also meet a CRM appointment without one. `mailbox` is the id of the mailbox that
    holds the copy, `owner` its owner's address, both empty for the CRM. `conversations` are all names by which the copy
    belongs to a conversation, `conversation` the one to use when nothing more is known. Instants are whole seconds UTC.
    """

    copy_id: str
    source: Literal["crm", "exchange"]
    merge_key: str
    kind: int
    at: int
    end: int
    minutes: float | None = None
    flags: int = 0
    conversation: str = ""
    conversations: tuple[str, ...] = ()
    participants: tuple[Participant, ...] = ()
    regarding: tuple[str, ...] = ()
    mailbox: str = ""
    owner: str = ""
    is_sender: bool = False
    version: int = 0
    alternate_key: str = ""
    engagement: tuple[int, ...] = ()


class Interaction(Struct, frozen=True, kw_only=True):
    """A merged mail, meeting, call or task; `key` has 16 bytes, `sources` is the number of copies.

    `activity_id` names the CRM's own row (`email:<id>`, the smallest of several) or is empty. `engagement` are the counters of
    a followed mail: bounced, opens, clicks, links, attachments delivered and viewed; empty for all else.
    """

    key: bytes
    kind: int
    at: int
    end: int
    minutes: float | None
    flags: int
    conversation: str
    conversations: tuple[str, ...]
    participants: tuple[Participant, ...]
    regarding: tuple[str, ...]
    sources: int
    activity_id: str
    engagement: tuple[int, ...] = ()


def mail_key(message_id: str, copy_id: str) -> str:
    """Merge key of a mail: its Internet message id, trimmed; without one the copy stays alone."""
    message_id = message_id.strip()
    return f"mail:{message_id}" if message_id else f"mail#{copy_id}"


def meeting_key(ical_uid: str, organizer: str, start: int, end: int, all_day: bool, copy_id: str) -> str:
    """Merge key of a meeting: its iCalUId, else organiser, start, end and all-day; with neither the copy stays alone."""
    if ical_uid.strip():
        return f"meeting:{ical_uid.strip()}"
    return meeting_alternate_key(organizer, start, end, all_day) or f"meeting#{copy_id}"


def meeting_alternate_key(organizer: str, start: int, end: int, all_day: bool) -> str:
    """The merge key that the meeting would have without an iCalUId; empty without an organiser."""
    return f"meeting|{organizer}|{start}|{end}|{int(all_day)}" if organizer else ""


def merge(copies: Iterable[InteractionCopy]) -> list[Interaction]:
    """Merge copies into interactions, sorted by (`at`, `key`); the order of the copies does not matter (kpis 2.2).

    Give all copies of one merge key, and for meetings also those under the alternate keys. Of several versions of one
    copy (equal `copy_id`) the newest counts. Mails with one key belong together while their sent minutes are the group's
    first or the next one, meetings while they start at the same second. No copies give no interactions.
    """
    newest = _newest(copies)
    if len(newest) == 1:
        return [_interaction(newest)]
    return sorted((_interaction(group) for group in _groups(newest)), key=lambda merged: (merged.at, merged.key))


def _newest(copies: Iterable[InteractionCopy]) -> list[InteractionCopy]:
    newest: dict[str, InteractionCopy] = {}
    for copy in copies:
        held = newest.get(copy.copy_id)
        if held is None or _is_newer(copy, held):
            newest[copy.copy_id] = copy
    return list(newest.values())


def _is_newer(copy: InteractionCopy, held: InteractionCopy) -> bool:
    if copy.version != held.version:
        return copy.version > held.version
    return json.encode(copy) > json.encode(held)


def _groups(copies: Iterable[InteractionCopy]) -> list[list[InteractionCopy]]:
    by_key: dict[tuple[str, int], list[InteractionCopy]] = {}
    for copy in sorted(copies, key=lambda c: (c.at, c.copy_id)):
        by_key.setdefault((copy.merge_key, copy.at if copy.kind == MEETING else 0), []).append(copy)
    _let_appointments_join(by_key)
    return [group for copies_of_key in by_key.values() for group in _minute_groups(copies_of_key)]


def _let_appointments_join(by_key: dict[tuple[str, int], list[InteractionCopy]]) -> None:
    """Move CRM appointments without an iCalUId to the Exchange meeting of the same four facts, if exactly one fits."""
    hosts: dict[tuple[str, int], set[tuple[str, int]]] = {}
    for key, group in by_key.items():
        for copy in group:
            if copy.alternate_key:
                hosts.setdefault((copy.alternate_key, copy.at), set()).add(key)
    for key, fitting in hosts.items():
        if len(fitting) == 1 and key in by_key and all(copy.source == "crm" for copy in by_key[key]):
            by_key[next(iter(fitting))] += by_key.pop(key)


def _minute_groups(copies: list[InteractionCopy]) -> list[list[InteractionCopy]]:
    groups = [[copies[0]]]
    for copy in copies[1:]:
        if copy.kind == EMAIL and copy.at // _MINUTE > groups[-1][0].at // _MINUTE + 1:
            groups.append([copy])
        else:
            groups[-1].append(copy)
    return groups


def _interaction(group: Sequence[InteractionCopy]) -> Interaction:
    ranked = sorted(group, key=_rank) if len(group) > 1 else group
    first = ranked[0]
    crm = [copy for copy in ranked if copy.source == "crm"]
    return Interaction(
        key=_key(ranked),
        kind=first.kind,
        at=first.at,
        end=first.end,
        minutes=next((copy.minutes for copy in ranked if copy.minutes is not None), None),
        flags=_flags(ranked),
        conversation=_conversation(ranked),
        conversations=tuple(sorted({name for copy in ranked for name in copy.conversations})),
        participants=_participants(ranked),
        regarding=tuple(sorted({record for copy in crm for record in copy.regarding})),
        sources=len(ranked),
        activity_id=min((copy.copy_id for copy in crm), default=""),
        engagement=max((copy.engagement for copy in crm), default=()),
    )


def _rank(copy: InteractionCopy) -> tuple[bool, bool, str, str]:
    """The sender's or organiser's own mailbox first, then other mailboxes by id, then the CRM."""
    return not copy.is_sender, copy.source == "crm", copy.mailbox, copy.copy_id


def _key(group: Sequence[InteractionCopy]) -> bytes:
    # The Exchange key names the item even after a CRM appointment without an iCalUId has joined it.
    merge_key = group[0].merge_key
    minute = min(copy.at for copy in group) // _MINUTE
    return blake2b(f"{merge_key}\n{minute}".encode(), digest_size=16).digest()


def _flags(group: Sequence[InteractionCopy]) -> int:
    first = group[0].flags
    if len(group) == 1:
        return first
    flags = first & (ALL_DAY | CALL_IN | CALL_OUT)
    not_busy = NOT_BUSY
    for copy in group:
        flags |= copy.flags & _UNIONED_FLAGS
        not_busy &= copy.flags
    return flags | not_busy


def _conversation(group: Sequence[InteractionCopy]) -> str:
    """One name, chosen so that the mails of one conversation choose alike: the smallest mailbox's, else the CRM's."""
    named = (copy for copy in group if copy.conversation)
    return min(((c.source == "crm", c.mailbox, c.conversation) for c in named), default=(True, "", ""))[2]


def _participants(group: Sequence[InteractionCopy]) -> tuple[Participant, ...]:
    """Union by address, else by party. Only the best ranked copy that names a sender or organiser says who it is."""
    initiator = next((copy for copy in group if any(p.role in _INITIATORS for p in copy.participants)), None)
    known: dict[str, Participant] = {}
    for copy in group:
        for participant in copy.participants:
            if participant.role in _INITIATORS and copy is not initiator:
                continue
            identity = participant.address or participant.party
            held = known.get(identity)
            known[identity] = participant if held is None else _united(held, participant)
    for address, response in _responses(group).items():
        if address in known and known[address].response != response:
            known[address] = replace(known[address], response=response)
    return tuple(known[identity] for identity in sorted(known))


def _united(a: Participant, b: Participant) -> Participant:
    return Participant(
        a.address or b.address, a.name or b.name, a.party or b.party, min(a.role, b.role), a.response or b.response
    )


def _responses(group: Sequence[InteractionCopy]) -> dict[str, int]:
    """The answers that carry weight, by address: as the organiser's mailbox knows them, else each attendee's own."""
    if len(group) == 1:
        return {}
    organizers = {p.address: p.response for copy in group if copy.is_sender for p in copy.participants if p.response}
    own = {p.address: p.response for copy in group for p in copy.participants if p.response and p.address == copy.owner}
    return own | organizers
