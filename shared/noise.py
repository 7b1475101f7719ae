"""Which mail no person wrote to another: automatic and bulk mail, and addresses that stand for a function."""

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
NOISE_HEADERS = frozenset(
    ("auto-submitted", "content-class", "content-type", "list-id", "list-unsubscribe", "precedence", "return-path")
)
_BULK_PRECEDENCE = frozenset(("bulk", "list", "junk"))
_CALENDAR_REPLY = re.compile(r"\btext/calendar\b.*\bmethod\s*=\s*\"?(reply|counter)\b", re.IGNORECASE | re.DOTALL)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that the rules read, names in lower case; all others are dropped before anything is stored.

    >>> kept_headers({"Precedence": "bulk", "Subject": "hello"})
    {'precedence': 'bulk'}
    """
    return {name.lower(): value for name, value in headers.items() if name.lower() in NOISE_HEADERS}


def is_automatic(headers: Mapping[str, str], sender: str) -> bool:
    """Say whether a machine wrote the mail; `headers` as `kept_headers` gives them, `sender` a normal address or empty.

    True for `Auto-Submitted` other than `no` (RFC 3834), an empty return path, an automatic sender's local part, and
    answers to meeting requests. `X-Auto-Response-Suppress` says nothing. No headers and no sender: False.
    """
    if sender and sender.partition("@")[0] in AUTOMATIC_SENDERS:
        return True
    if not headers:
        return False
    submitted = headers.get("auto-submitted", "no").partition(";")[0].strip().lower()
    empty_return_path = headers.get("return-path", "-").strip() in ("", "<>")
    return submitted not in ("", "no") or empty_return_path or _is_calendar_reply(headers)


def is_bulk(headers: Mapping[str, str]) -> bool:
    """Say whether the mail went to a list: `List-Id`, `List-Unsubscribe`, or `Precedence` bulk, list or junk."""
    if "list-id" in headers or "list-unsubscribe" in headers:
        return True
    return headers.get("precedence", "").strip().lower() in _BULK_PRECEDENCE


def is_functional(address: str) -> bool:
    """Say whether a normal address stands for a function (`info@`, `sales@`, `no-reply@`) and not for a person."""
    return address.partition("@")[0] in FUNCTIONAL_LOCAL_PARTS


def _is_calendar_reply(headers: Mapping[str, str]) -> bool:
    return "calendarmessage" in headers.get("content-class", "").lower() or bool(
        _CALENDAR_REPLY.search(headers.get("content-type", ""))
    )
