"""The signs of automatic and bulk mail that only headers show: asked for of few mails, one by one, and dropped once read.

Headers hold far more than the rules need, the subject among it. So they are no part of any list: they are fetched for incoming
mail from outside alone, where the sender is not known yet or the mail looks like a machine's, and only the signs are kept.
Graph has none for Sent Items.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from shared import telemetry
from shared.graph import senders
from shared.graph.calls import GraphCallError
from shared.graph.client import BATCH, Answer, Graph
from shared.graph.mail import is_counted, participant
from shared.interactions import FROM
from shared.noise import is_automatic, is_functional, kept_headers, signs
from shared.people import domain_of
from shared.settings import settings

SELECT = "internetMessageHeaders"
QUICK_SECONDS = 120.0  # an answer that comes sooner is taken for a machine's until its headers say otherwise
FAILED_DEPENDENCY = 424
_HEADER_BYTES, _CHILD_BYTES = 22, 5


def signs_of(graph: Graph, mailbox: str, owner: str, messages: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The signs that headers show, by message id; messages that are not asked about are left out. Raises GraphCallError.

    `owner`: the mailbox's own address in normal form.
    """
    incoming = {str(message["id"]): (message, sender) for message in messages if (sender := _outsider(message))}
    known = senders.known(sender for _, sender in incoming.values())
    found, asked = {}, []
    for id, (message, sender) in incoming.items():
        if known.get(sender):
            found[id] = known[sender]
        elif sender not in known or looks_automatic(message, sender, owner):
            asked.append(id)
    fetched = fetch(graph, mailbox, asked)
    learnt: dict[str, list[int]] = {}
    for id, shown in fetched.items():
        learnt.setdefault(incoming[id][1], []).append(shown)
    senders.learn(learnt)
    return found | fetched


def _outsider(message: Mapping[str, Any]) -> str:
    """The outside address that sent it; empty for our own mail, for what does not count, and where the name says enough."""
    person = participant(message.get("from") or message.get("sender"), FROM) if is_counted(message) else None
    if person is None or domain_of(person.address) in settings().internal_domains:
        return ""
    return "" if is_automatic({}, person.address) else person.address


def looks_automatic(message: Mapping[str, Any], sender: str, owner: str) -> bool:
    """Whether a machine may have written a mail, by what the list tells of it.

    The address stands for a function; Exchange has put it aside; it does not name the owner; or it answers within two minutes.
    """
    if is_functional(sender) or message.get("inferenceClassification") == "other":
        return True
    parties = [*(message.get("toRecipients") or ()), *(message.get("ccRecipients") or ())]
    if owner not in {person.address for party in parties if (person := participant(party, FROM))}:
        return True
    after = answer_seconds(str(message.get("conversationIndex") or ""))
    return after is not None and after < QUICK_SECONDS


def answer_seconds(index: str) -> float | None:
    """How long after the mail that it answers a mail was written, by its conversation index (MS-OXOMSG 2.2.1.3), in base64.

    The 22 bytes of the thread begin with the high bytes of a file time; each answer adds 5 bytes, which are the time since
    then in steps of 26 ms (0.84 s with the first bit). None for what is no answer or no such index.
    """
    try:
        raw = base64.b64decode(index, validate=True)
    except binascii.Error:
        return None
    children = [raw[at : at + _CHILD_BYTES] for at in range(_HEADER_BYTES, len(raw), _CHILD_BYTES)]
    if not children or len(children[-1]) < _CHILD_BYTES:
        return None
    times = [0.0, *(_child_seconds(child) for child in children)]
    return times[-1] - times[-2] if times[-1] >= times[-2] else None


def _child_seconds(child: bytes) -> float:
    bits = int.from_bytes(child[:4], "big")
    steps, coarse = bits & 0x7FFF_FFFF, bits >> 31
    return steps * (2**23 if coarse else 2**18) * 1e-7


def fetch(graph: Graph, mailbox: str, ids: Sequence[str]) -> dict[str, int]:
    """The signs in the headers of messages, by id; what is gone or has no headers is left out. Raises GraphCallError."""
    found: dict[str, int] = {}
    left = list(ids)
    while left:
        chunk = left[:BATCH]
        paths = [f"/users/{mailbox}/messages/{quote(id, safe='')}?$select={SELECT}" for id in chunk]
        answers = dict(zip(chunk, graph.batch(paths), strict=True))
        _check(answers.values())
        found |= {
            id: _signs(one.body[SELECT]) for id, one in answers.items() if one.status == 200 and SELECT in one.body
        }
        # One after another: what follows a message that is gone was not tried.
        left = [id for id, one in answers.items() if one.status == FAILED_DEPENDENCY] + left[BATCH:]
    telemetry.count("rapport.graph.headers", len(ids))
    return found


def _check(answers: Iterable[Answer]) -> None:
    refused = [one for one in answers if one.status not in (200, 404, FAILED_DEPENDENCY)]
    if refused:
        first = refused[0]
        wait = max((one.retry_after for one in refused if one.retry_after), default=None)
        raise GraphCallError(first.status, first.code, wait)


def _signs(listed: Iterable[Mapping[str, str]]) -> int:
    return signs(kept_headers({each["name"]: each["value"] for each in listed}), "")
