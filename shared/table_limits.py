"""What a row may hold, checked before it is sent: the service's limits and Azurite's, whichever is lower.

Azurite checks some of them late and others not at all, and the service refuses a whole transaction for one row, without a word
about which. Whoever writes much into a row continues it in time: `tables.split` over properties, `tables.ROW_BYTES` over rows.
"""

from __future__ import annotations

from shared.entity_groups import Operation
from shared.errors import RowTooLargeError

PROPERTY_BYTES = 65_536  # of a binary property; of text, which is stored as UTF-16, twice as many as it has characters
PROPERTIES = 252  # besides the keys and the time stamp
ENTITY_BYTES = 1_046_000  # 1 MiB, less the names, with binary in base64, as Azurite counts
KEY_CHARACTERS = 512  # Azurite's; the service takes 1 KiB


def check(operation: Operation) -> None:
    """Raises RowTooLargeError, which names the limit and never the content.

    >>> check(("upsert", {"PartitionKey": "p", "RowKey": "r", "data0": bytes(65_537)}, None))
    Traceback (most recent call last):
    shared.errors.RowTooLargeError: The property data0 has 65537 bytes, 65536 fit.
    """
    row, size = operation[1], 0
    for name, value in row.items():
        if isinstance(value, bytes):
            held, size = len(value), size + len(value) * 4 // 3
        elif isinstance(value, str):
            held, size = 2 * len(value), size + 2 * len(value)
        else:
            continue
        if held > PROPERTY_BYTES:
            raise RowTooLargeError(f"The property {name} has {held} bytes, {PROPERTY_BYTES} fit.")
    if size > ENTITY_BYTES:
        raise RowTooLargeError(f"The row has {size} bytes as they are sent, {ENTITY_BYTES} fit.")
    if len(row) > PROPERTIES + 2:
        raise RowTooLargeError(f"The row has {len(row) - 2} properties, {PROPERTIES} fit.")
    longest = max(len(row["PartitionKey"]), len(row["RowKey"]))
    if longest > KEY_CHARACTERS:
        raise RowTooLargeError(f"A key of the row has {longest} characters, {KEY_CHARACTERS} fit.")
