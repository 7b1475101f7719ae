"""Which mail no person wrote to another: signs of automatic and bulk mail, and addresses that stand for a function.

The numbers of the signs are those of `shared.kpi.noise`, repeated here because that module needs numpy; a test holds them equal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_AUTOMATIC = "no-reply noreply donotreply mailer-daemon postmaster bounce bounces notification notifications"
_FUNCTIONAL = """
    abuse accounting accounts admin administrator billing career careers contact customerservice email enquiries
    feedback finance hello help helpdesk hostmaster hr info inquiries inquiry invoice invoices it jobs legal list
    mail marketing media news newsletter office order orders press privacy purchasing reception recruiting sales
    security service services shop spam subscribe support survey team unsubscribe webmaster
"""
AUTOMATIC_SENDERS = frozenset(_AUTOMATIC.split())
FUNCTIONAL_LOCAL_PARTS = AUTOMATIC_SENDERS | frozenset(_FUNCTIONAL.split())
BULK_SENDERS = frozenset(("list", "marketing", "news", "newsletter", "subscribe", "unsubscribe"))
NOISE_HEADERS = frozenset(
    ("auto-submitted", "content-class", "content-type", "list-id", "list-unsubscribe", "precedence", "return-path")
)
RULES_VERSION = 1  # one more whenever these rules change: what was judged by older ones is judged anew
AUTO_SUBMITTED, RETURN_PATH, SENDER, CALENDAR_REPLY, LIST_ID, LIST_UNSUBSCRIBE, PRECEDENCE = (
    1 << bit for bit in range(16, 23)
)
SIGN_NAMES = {
    AUTO_SUBMITTED: "autoSubmitted", RETURN_PATH: "returnPath", SENDER: "sender", CALENDAR_REPLY: "calendarReply",
    LIST_ID: "listId", LIST_UNSUBSCRIBE: "listUnsubscribe", PRECEDENCE: "precedence",
}  # fmt: skip
AUTOMATIC_SIGNS = AUTO_SUBMITTED | RETURN_PATH | SENDER | CALENDAR_REPLY
BULK_SIGNS = LIST_ID | LIST_UNSUBSCRIBE | PRECEDENCE
SIGNS = AUTOMATIC_SIGNS | BULK_SIGNS
_BULK_PRECEDENCE = frozenset(("bulk", "list", "junk"))
_CALENDAR_REPLY = re.compile(r"\btext/calendar\b.*\bmethod\s*=\s*\"?(reply|counter)\b", re.IGNORECASE | re.DOTALL)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that the rules read, names in lower case; all others are dropped before anything is stored.

    >>> kept_headers({"Precedence": "bulk", "Subject": "hello"})
    {'precedence': 'bulk'}
    """
    return {name.lower(): value for name, value in headers.items() if name.lower() in NOISE_HEADERS}


def signs(headers: Mapping[str, str], sender: str) -> int:
    """The signs that a mail carries; `headers` as `kept_headers` gives them, `sender` a normal address or empty.

    `Auto-Submitted` other than `no` (RFC 3834), an empty return path, an automatic sender's local part, answers to meeting
    requests; `List-Id`, `List-Unsubscribe`, and `Precedence` bulk, list or junk. `X-Auto-Response-Suppress` says nothing.

    >>> signs({}, "no-reply@cust.example") == SENDER, signs({}, "")
    (True, 0)
    """
    found = SENDER if sender and sender.partition("@")[0] in AUTOMATIC_SENDERS else 0
    return found | _signs_of_headers(headers) if headers else found


def _signs_of_headers(headers: Mapping[str, str]) -> int:
    submitted = headers.get("auto-submitted", "no").partition(";")[0].strip().lower()
    tests = (
        (AUTO_SUBMITTED, submitted not in ("", "no")),
        (RETURN_PATH, headers.get("return-path", "-").strip() in ("", "<>")),
        (CALENDAR_REPLY, _is_calendar_reply(headers)),
        (LIST_ID, "list-id" in headers),
        (LIST_UNSUBSCRIBE, "list-unsubscribe" in headers),
        (PRECEDENCE, headers.get("precedence", "").strip().lower() in _BULK_PRECEDENCE),
    )
    return sum(sign for sign, holds in tests if holds)


def is_automatic(headers: Mapping[str, str], sender: str) -> bool:
    """Say whether a machine wrote the mail, by its signs. No headers and no sender: False."""
    return bool(signs(headers, sender) & AUTOMATIC_SIGNS)


def is_bulk(headers: Mapping[str, str]) -> bool:
    """Say whether the mail went to a list, by its signs."""
    return bool(signs(headers, "") & BULK_SIGNS)


def is_functional(address: str) -> bool:
    """Say whether a normal address stands for a function (`info@`, `sales@`, `no-reply@`) and not for a person."""
    return address.partition("@")[0] in FUNCTIONAL_LOCAL_PARTS


def sends_in_bulk(address: str) -> bool:
    """Say whether nobody writes from a normal address by hand (`news@`), so that one of its mails speaks for all."""
    return address.partition("@")[0] in BULK_SENDERS


def _is_calendar_reply(headers: Mapping[str, str]) -> bool:
    return "calendarmessage" in headers.get("content-class", "").lower() or bool(
        _CALENDAR_REPLY.search(headers.get("content-type", ""))
    )
