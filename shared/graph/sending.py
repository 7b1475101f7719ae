"""Sending a mail from a colleague's own mailbox: once, and with an answer that says what is known of its fate.

sendMail has no idempotency, so nothing here tries again, and an answer that does not tell is reported as unknown.
"""

from __future__ import annotations

from urllib.parse import quote

from shared.graph.calls import GraphCallError
from shared.introduction_mail import Mail, as_html

SENT, PLANNED, REFUSED, UNKNOWN = "sent", "planned", "refused", "unknown"
_HEADER = "x-rapport-introduction"  # by which a recipient's copy can settle what became of an unknown one


def send(sender: str, mail: Mail, id: str) -> tuple[str, str]:
    """Send from the mailbox of `sender`, an address; the outcome, and a word on it.

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
    return SENT, ""


def outcome_of(error: GraphCallError) -> tuple[str, str]:
    """What an error tells of the mail's fate.

    >>> outcome_of(GraphCallError(503)), outcome_of(GraphCallError(403, "ErrorAccessDenied"))
    (('unknown', ''), ('refused', 'ErrorAccessDenied'))
    """
    if error.status in (401, 429):
        return PLANNED, error.code or str(error.status)
    if 400 <= error.status < 500 and error.status != 408:
        return REFUSED, error.code or str(error.status)
    return UNKNOWN, error.code
