"""Which mail no person wrote to another, by the signs it carries and the rules in force (kpis 2.4).

A sign is a fact about one mail: a header, or the sender's name. Signs stand in the upper half of `Interactions.flags`, beside
the verdict that the mail came with, so that an organisation which changes its rules sees its past by the new ones.
"""

from __future__ import annotations

from enum import IntFlag

import numpy as np

from shared.kpi.interactions import Bools, Flag, Flags, Interactions


class Sign(IntFlag):
    """What speaks for automatic or bulk mail; the names are those of the rules."""

    AUTO_SUBMITTED = 1 << 16  # `Auto-Submitted` other than `no` (RFC 3834)
    RETURN_PATH = 1 << 17  # an empty return path
    SENDER = 1 << 18  # a sender's name such as no-reply
    CALENDAR_REPLY = 1 << 19  # an answer to a meeting request
    LIST_ID = 1 << 20  # `List-Id` (RFC 2919)
    LIST_UNSUBSCRIBE = 1 << 21  # `List-Unsubscribe` (RFC 2369)
    PRECEDENCE = 1 << 22  # `Precedence` bulk, list or junk


AUTOMATIC_SIGNS = Sign.AUTO_SUBMITTED | Sign.RETURN_PATH | Sign.SENDER | Sign.CALENDAR_REPLY
BULK_SIGNS = Sign.LIST_ID | Sign.LIST_UNSUBSCRIBE | Sign.PRECEDENCE
EVERY_SIGN = int(AUTOMATIC_SIGNS | BULK_SIGNS)


def is_automatic(interactions: Interactions, rules: int = EVERY_SIGN) -> Bools:
    """(n,) whether a machine wrote the mail; `rules`: the signs that count, as bits of `Sign`.

    Without any sign (a copy from before signs were kept, a source that tells no more) the verdict that came with it stands.
    """
    return _holds(interactions.flags, Flag.AUTOMATIC, AUTOMATIC_SIGNS, rules)


def is_bulk(interactions: Interactions, rules: int = EVERY_SIGN) -> Bools:
    """(n,) whether the mail went to a list; as `is_automatic`."""
    return _holds(interactions.flags, Flag.BULK, BULK_SIGNS, rules)


def _holds(flags: Flags, verdict: Flag, signs: Sign, rules: int) -> Bools:
    found = flags & np.uint32(signs)
    holds: Bools = np.where(found != 0, found & np.uint32(rules), flags & np.uint32(verdict)) != 0
    return holds


def counts_by_sign(flags: Flags) -> dict[Sign, int]:
    """How many carry each sign; signs that nobody carries are left out.

    >>> counts_by_sign(np.array([1 << 16, 3 << 20, 0], np.uint32)) == {
    ...     Sign.AUTO_SUBMITTED: 1, Sign.LIST_ID: 1, Sign.LIST_UNSUBSCRIBE: 1}
    True
    """
    found = {sign: int(np.count_nonzero(flags & np.uint32(sign))) for sign in Sign}
    return {sign: number for sign, number in found.items() if number}
