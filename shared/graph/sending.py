"""Sending a mail from a colleague's own mailbox: once, and with an answer that says what is known of its fate.

sendMail has no idempotency, so nothing here tries again, and an answer that does not tell is reported as unknown.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from shared.graph.calls import GraphCallError
from shared.introduction_mail import Mail, as_html

SENT, PLANNED, REFUSED, UNKNOWN = "sent", "planned", "refused", "unknown"
_HEADER = "x-rapport-introduction"  # by which a recipient's copy can settle what became of an unknown one


class Outcome(NamedTuple):
    """What became of a mail, a word on it, and for how many seconds Exchange wants not to be asked again."""

    state: str
    note: str = ""
    wait: float = 0.0


def send(sender: str, mail: Mail, id: str) -> Outcome:
    """Send from the mailbox of `sender`, an address.

    `sent`; `planned`: not taken now (throttled, signed out), may be tried again; `refused`: never will be; `unknown`: the
    mail may have gone out.
    """
    from shared.graph.client import graph

    message = {
        "subject": mail.subject,
        "body": {"contentType": "HTML", "content": as_html(mail)},
        "toRecipients": [{"emailAddress": {"address": mail.to}}],
        "internetMessageHeaders": [{"name": _HEADER, "value": id}],
    }
    try:
        graph().send("POST", f"/users/{quote(sender)}/sendMail", {"message": message, "saveToSentItems": True})
    except GraphCallError as error:
        return outcome_of(error)
    return Outcome(SENT)


def outcome_of(error: GraphCallError) -> Outcome:
    """What an error tells of the mail's fate.

    >>> outcome_of(GraphCallError(503)).state, outcome_of(GraphCallError(403, "ErrorAccessDenied"))[:2]
    ('unknown', ('refused', 'ErrorAccessDenied'))
    >>> outcome_of(GraphCallError(429, retry_after=12.0))
    Outcome(state='planned', note='429', wait=12.0)
    """
    if error.status in (401, 429):
        return Outcome(PLANNED, error.code or str(error.status), error.wait)
    if 400 <= error.status < 500 and error.status != 408:
        return Outcome(REFUSED, error.code or str(error.status))
    return Outcome(UNKNOWN, error.code)
