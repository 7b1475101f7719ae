"""Messages of Graph as copies of interactions. What is asked for holds no subject, no body, no attachment."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from shared.graph.times import instant_of
from shared.interactions import (
    CC,
    COMPLETED,
    EMAIL,
    FROM,
    IN_EXCHANGE,
    TO,
    InteractionCopy,
    Participant,
    mail_key,
    with_verdict,
)
from shared.noise import signs
from shared.people import normal_address

SELECT = (
    "id,internetMessageId,conversationId,conversationIndex,parentFolderId,sentDateTime,receivedDateTime,from,sender,"
    "toRecipients,ccRecipients,isDraft,inferenceClassification"
)
_THREAD_BYTES = 22  # of a conversation index: the header that all mails of a thread share


def copy_id(mailbox: str, item: str) -> str:
    """The name of a mailbox's copy. Ids differ in case only, so they are hashed as they are, never folded.

    >>> copy_id("m", "AAA") == copy_id("m", "AAa")
    False
    """
    return f"exchange:{mailbox}:{blake2b(item.encode(), digest_size=16).hexdigest()}"


def is_counted(message: Mapping[str, Any]) -> bool:
    """Whether the message is a mail that somebody sent: no draft, no answer to a meeting request, with a time."""
    kind = str(message.get("@odata.type", ""))
    return not message.get("isDraft") and "eventMessage" not in kind and bool(message.get("sentDateTime"))


def mail_copy(message: Mapping[str, Any], mailbox: str, owner: str, headers: int = 0) -> InteractionCopy | None:
    """The copy that a mailbox holds of a mail; None for what `is_counted` leaves out.

    `owner`: the mailbox's own address in normal form. An owner whom the mail does not name (a hidden copy, a list) counts
    as Cc. Addresses that are none (directory paths of old systems) are left out; a sender's own is known anyway. `headers`:
    the signs of automatic and bulk mail that its headers show, as far as they were looked at.
    """
    if not is_counted(message):
        return None
    name = copy_id(mailbox, str(message["id"]))
    at = instant_of(message["sentDateTime"])
    people = _participants(message, owner)
    sender = next((p.address for p in people if p.role == FROM), "")
    names = _conversations(message, mailbox)
    noise = with_verdict(headers | signs({}, sender))
    return InteractionCopy(
        copy_id=name,
        source="exchange",
        merge_key=mail_key(str(message.get("internetMessageId") or ""), name),
        kind=EMAIL,
        at=at,
        end=at,
        flags=COMPLETED | IN_EXCHANGE | noise,
        conversation=names[0] if names else "",
        conversations=names,
        participants=people,
        mailbox=mailbox,
        owner=owner,
        is_sender=sender == owner,
    )


def _participants(message: Mapping[str, Any], owner: str) -> tuple[Participant, ...]:
    found: dict[str, Participant] = {}
    # From, not Sender: a delegate writes in the name of the one whom it concerns.
    for role, parties in (
        (FROM, [message.get("from") or message.get("sender")]),
        (TO, message.get("toRecipients") or ()),
        (CC, message.get("ccRecipients") or ()),
    ):
        for party in parties:
            if (person := participant(party, role)) is not None:
                found.setdefault(person.address, person)
    found.setdefault(owner, Participant(owner, "", "", CC, 0))
    return tuple(found.values())


def participant(party: Any, role: int, response: int = 0) -> Participant | None:
    """A Graph recipient in its role; None where there is no address."""
    named = (party or {}).get("emailAddress") or {}
    try:
        return Participant(normal_address(named.get("address") or ""), named.get("name") or "", "", role, response)
    except ValueError:
        return None


def _conversations(message: Mapping[str, Any], mailbox: str) -> tuple[str, ...]:
    """A conversation id holds within its mailbox only; the index's header and the message id hold everywhere."""
    names = []
    if conversation := message.get("conversationId"):
        names.append(f"exchange:{mailbox}:{conversation}")
    try:
        index = base64.b64decode(message.get("conversationIndex") or "", validate=True)
    except binascii.Error:
        index = b""
    if len(index) >= _THREAD_BYTES:
        names.append(f"thread:{index[:_THREAD_BYTES].hex()}")
    if message_id := (message.get("internetMessageId") or "").strip():
        names.append(f"mail:{message_id}")
    return tuple(names)
