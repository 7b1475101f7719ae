"""The mail of the sample tenant as its mailboxes hold it: what the CRM knows, and what it does not.

What the CRM knows lies in every mailbox of ours that is named on it, under the same internetMessageId. Beside it: all mail
among our own people; for one crossing mail in ten an answer that nobody filed; automatic answers to one in fifty that we
send; a newsletter a week for half a year; invitations; drafts; a few mails sent by an assistant; a few chat messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.graph.arrivals import conversation_index
from local.graph.messages import party
from local.sample.cast import Cast, Clock
from local.sample.draw import between, draw, guid
from local.sample.mail import DAY, END, WEEK, Mail
from local.sample.people import OUR_DOMAIN
from local.sample.tenant import Tenant

UNFILED_SHARE, AUTOMATIC_SHARE, ASSISTANT_SHARE = 0.10, 0.02, 0.01
NEWSLETTER_WEEKS, DRAFTS = 26, 2
HOUR = 3_600


@dataclass(frozen=True)
class Copy:
    """One copy of a message: whose mailbox (address), which folder, how many seconds after sending it was received."""

    owner: str
    folder: str
    body: dict[str, Any]
    delay: int = 0


def sample_mail(tenant: Tenant, everything: Sequence[Mail], cast: Cast, clock: Clock) -> Iterator[Copy]:
    """All copies in all mailboxes. `everything`: also the mails that do not cross the two sides."""
    known = {mail.key for mail in tenant.mails}
    for mail in everything:
        if mail.key in known:
            yield from _copies(tenant, mail, cast, _crossing(tenant, mail, cast, clock))
            yield from _unfiled(tenant, mail, cast, clock)
            yield from _automatic(tenant, mail, cast, clock)
        elif mail.sender in tenant.users:
            yield from _copies(tenant, mail, cast, _internal(mail, cast, clock))
    for key, person in tenant.users.items():
        yield from _newsletters(key, person.addresses[0], clock)
        yield from _drafts(key, person.addresses[0], person.name, clock)
        yield from _chat(key, person.addresses[0], clock)


def _party(found: dict[str, str]) -> dict[str, Any]:
    return party(found["address"], found["name"])


def _body(mail: Mail, cast: Cast, clock: Clock, message_id: str, conversation: str) -> dict[str, Any]:
    sender = _party(cast.party(mail.sender, mail.key))
    return {
        "internetMessageId": message_id,
        "conversationId": guid("conversation", conversation),
        "conversationIndex": conversation_index(conversation, int(conversation != mail.key)),
        "subject": f"About {between(100, 999, 'subject', conversation)}",
        "from": sender,
        "sender": sender,
        "toRecipients": [_party(cast.party(key, mail.key)) for key in mail.to],
        "ccRecipients": [_party(cast.party(key, mail.key)) for key in mail.cc],
        "sentDateTime": clock.text(mail.at),
        "isRead": True,
    }


def _crossing(tenant: Tenant, mail: Mail, cast: Cast, clock: Clock) -> dict[str, Any]:
    """As `local.sample.emails` writes it for the CRM, under the same message id."""
    domain = OUR_DOMAIN if cast.is_ours(mail.sender) else "mail.example"
    body = _body(mail, cast, clock, f"<{mail.key}@{domain}>", tenant.threads.conversation[mail.key])
    if cast.is_ours(mail.sender) and draw("assistant", mail.key) < ASSISTANT_SHARE:
        body["sender"] = party(f"assistant@{OUR_DOMAIN}", "Assistant")
    return body


def _internal(mail: Mail, cast: Cast, clock: Clock) -> dict[str, Any]:
    return _body(mail, cast, clock, f"<{mail.key}@{OUR_DOMAIN}>", mail.key)


def _copies(tenant: Tenant, mail: Mail, cast: Cast, body: dict[str, Any]) -> Iterator[Copy]:
    """The sender's in Sent Items, each recipient's in the Inbox up to a minute later."""
    if mail.sender in tenant.users:
        yield Copy(cast.people[mail.sender].addresses[0], "sentitems", body)
    for key in sorted(mail.recipients - {mail.sender}):
        if key in tenant.users:
            yield Copy(cast.people[key].addresses[0], "inbox", body, between(1, 60, "transport", mail.key, key))


def _unfiled(tenant: Tenant, mail: Mail, cast: Cast, clock: Clock) -> Iterator[Copy]:
    """An answer from the first recipient in To, 2 to 50 hours later, that no CRM row tells of."""
    if not mail.to or draw("unfiled", mail.key) >= UNFILED_SHARE:
        return
    answer = Mail(mail.at + between(2, 50, "unfiled after", mail.key) * HOUR, mail.to[0], (mail.sender,), ())
    if answer.at < END and cast.is_ours(answer.sender) != cast.is_ours(mail.sender):
        conversation = tenant.threads.conversation[mail.key]
        body = _body(answer, cast, clock, f"<{mail.key}.answer@{OUR_DOMAIN}>", conversation)
        yield from _copies(tenant, answer, cast, body)


def _automatic(tenant: Tenant, mail: Mail, cast: Cast, clock: Clock) -> Iterator[Copy]:
    """The answer of an absent customer, half a minute later."""
    outside = [key for key in mail.to if not cast.is_ours(key)]
    if not (cast.is_ours(mail.sender) and outside and draw("automatic", mail.key) < AUTOMATIC_SHARE):
        return
    answer = Mail(mail.at + 30, outside[0], (mail.sender,), ())
    body = _body(answer, cast, clock, f"<{mail.key}.auto@mail.example>", tenant.threads.conversation[mail.key])
    headers = [
        {"name": "Auto-Submitted", "value": "auto-replied"},
        {"name": "X-Auto-Response-Suppress", "value": "All"},
    ]
    yield from _copies(tenant, answer, cast, body | {"subject": "Automatic reply", "internetMessageHeaders": headers})


def _newsletters(key: str, owner: str, clock: Clock) -> Iterator[Copy]:
    sender = party("news@newsletter.example", "Industry News")
    headers = [
        {"name": "List-Id", "value": "<news.newsletter.example>"},
        {"name": "List-Unsubscribe", "value": "<mailto:leave@newsletter.example>"},
        {"name": "Precedence", "value": "bulk"},
    ]
    for week in range(1, NEWSLETTER_WEEKS + 1):
        yield Copy(
            owner,
            "inbox",
            {
                "internetMessageId": f"<issue-{week}.{key}@newsletter.example>",
                "conversationId": guid("newsletter", key, week),
                "conversationIndex": conversation_index(f"newsletter.{key}.{week}"),
                "subject": "This week in the industry",
                "from": sender,
                "sender": sender,
                "toRecipients": [party("subscribers@newsletter.example")],
                "sentDateTime": clock.text(END - week * WEEK + 6 * HOUR),
                "inferenceClassification": "other",
                "internetMessageHeaders": headers,
            },
        )


def _drafts(key: str, owner: str, name: str, clock: Clock) -> Iterator[Copy]:
    """Never sent: no sender yet, no message id."""
    for number in range(DRAFTS):
        at = END - between(1, 20, "draft", key, number) * DAY
        body = {"subject": "Draft", "isDraft": True, "sentDateTime": clock.text(at), "toRecipients": []}
        yield Copy(owner, "drafts", body | {"conversationId": guid("draft", key, number)})


def _chat(key: str, owner: str, clock: Clock) -> Iterator[Copy]:
    """A chat message, which only the list over the whole mailbox shows."""
    at = END - between(1, 20, "chat", key) * DAY
    body = {"subject": "", "sentDateTime": clock.text(at), "conversationId": guid("chat", key), "from": party(owner)}
    yield Copy(owner, "teamsmessagesdata", body)
