"""Addresses that are ours because we read their mailbox: the directory is told when one begins to be, and when it ends.

Most mailboxes are a user's or in a domain of the organisation, which says so already; then nothing happens here.
"""

from __future__ import annotations

from shared import record_updates, stamps
from shared.directory import directory
from shared.keys import keys


def begins(address: str) -> None:
    """The address's mailbox is stored as read from now on. Repeating it is harmless."""
    if not directory(stamps.read().people).is_internal(address, ""):
        _changed(address)


def ends(address: str) -> None:
    """The address's mailbox is erased: it is ours no longer, if nothing else says so. Repeating it is harmless."""
    if address in directory(stamps.read().people).mailboxes:
        _changed(address)


def _changed(address: str) -> None:
    stamps.advance("people")
    record_updates.announce_people([keys().address(address)])
