"""What the headers of an outside sender's mail said, kept for a while so that they are not asked for again with every mail.

Only what holds for the sender is kept: that a person writes there (a mail without any sign), or, for an address that is there
for mailings such as `news@`, which signs its mail carries. Whoever else has sent a mail with a sign (an answer of absence, to a
list) stays unknown. Addresses are keyed hashes. Rows of other rules than today's do not count, so a change of rules asks anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from shared import tables
from shared.keys import keys
from shared.noise import RULES_VERSION, sends_in_bulk

TABLE = "sync"
PARTITION = "senders"
KEPT_SECONDS = 90 * 86_400
_REMEMBERED = 50_000

_read: dict[str, tuple[int, float]] = {}  # signs by address, and until when they hold


def known(addresses: Iterable[str]) -> dict[str, int]:
    """The signs of the mail of those senders of whom they are known; 0: a person writes there."""
    now = time.time()
    if len(_read) > _REMEMBERED:
        _read.clear()
    found: dict[str, int] = {}
    for address in set(addresses):
        signs, until = _read.get(address) or _stored(address)
        if until > now:
            _read[address] = signs, until
            found[address] = signs
    return found


def _stored(address: str) -> tuple[int, float]:
    row = tables.read(TABLE, PARTITION, _row_key(address))
    return (row["signs"], row["until"]) if row and row["v"] == RULES_VERSION else (0, 0.0)


def _row_key(address: str) -> str:
    return f"{keys().address(address):016x}"


def learn(found: Mapping[str, Sequence[int]]) -> None:
    """Keep what the headers of each sender's mails said, where it holds for all of the sender's mail."""
    until = time.time() + KEPT_SECONDS
    least = {address: min(signs) for address, signs in found.items()}
    lasting = {address: signs for address, signs in least.items() if not signs or sends_in_bulk(address)}
    rows = [
        {"PartitionKey": PARTITION, "RowKey": _row_key(a), "v": RULES_VERSION, "signs": signs, "until": until}
        for a, signs in lasting.items()
    ]
    tables.transact(TABLE, [("upsert", row, None) for row in rows])
    _read.update({address: (signs, until) for address, signs in lasting.items()})
