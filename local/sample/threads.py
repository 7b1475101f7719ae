"""Conversations: the network has none, so a reply is told by who wrote to whom, and how soon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from local.sample.mail import DAY, Mail

REPLY_DAYS = 5
FOLLOW_UP_DAYS = 1
LONGEST = 12  # mails in one conversation; then a new one starts


@dataclass(frozen=True)
class Threads:
    """Both by mail key: `conversation` = the mail that began its conversation, `answers` = the mail that it answers."""

    conversation: dict[str, str]
    answers: dict[str, str]


def _earlier(mail: Mail, latest: dict[tuple[str, str], Mail]) -> tuple[Mail | None, bool]:
    """The mail that `mail` goes on from, if any, and whether it answers it."""
    asked = [latest[r, mail.sender] for r in mail.to if (r, mail.sender) in latest]
    asked = [m for m in asked if mail.at - m.at <= REPLY_DAYS * DAY]
    if asked:
        return max(asked, key=lambda m: (m.at, m.sender)), True
    own = [latest[mail.sender, r] for r in mail.to if (mail.sender, r) in latest]
    own = [m for m in own if mail.at - m.at <= FOLLOW_UP_DAYS * DAY and m.to == mail.to]
    return (max(own, key=lambda m: m.at), False) if own else (None, False)


def threads(mails: Sequence[Mail]) -> Threads:
    """Join mails, oldest first, into conversations.

    A mail answers the latest mail that one of the people in its To sent to its sender within 5 days. Failing that it
    follows up the sender's own mail to the same people within 1 day. Else it begins a conversation.
    """
    latest: dict[tuple[str, str], Mail] = {}
    conversation: dict[str, str] = {}
    answers: dict[str, str] = {}
    length: Counter[str] = Counter()
    for mail in mails:
        earlier, is_answer = _earlier(mail, latest)
        root = conversation[earlier.key] if earlier else mail.key
        if earlier and length[root] < LONGEST:
            if is_answer:
                answers[mail.key] = earlier.key
        else:
            root = mail.key
        conversation[mail.key] = root
        length[root] += 1
        latest.update({(mail.sender, recipient): mail for recipient in mail.recipients})
    return Threads(conversation, answers)
