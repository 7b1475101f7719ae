"""Table Storage: one client per process, names of tables, rows in transactions, blobs split over properties.

Limits come from the service, not from Azurite, which does not check all of them: those of a row stand in `shared.table_limits`;
100 operations and 4 MiB a transaction, keys without `/ \\ # ?` and control characters. Errors of the service that pass by
themselves become UnavailableError, so that a queue message is tried again later and an HTTP caller gets 503.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shared import entity_queries, table_limits
from shared.entity_groups import REFUSED, submit
from shared.entity_groups import Operation as Operation
from shared.entity_groups import Row as Row
from shared.entity_queries import literal
from shared.errors import SettingError, UnavailableError
from shared.settings import Connection, settings
from shared.table_requests import BUSY, TableRequests

if TYPE_CHECKING:
    from azure.data.tables import TableClient, TableServiceClient

TABLES = (
    "state", "interactions", "activities", "records", "references", "membership", "people", "directory", "insights", "similar",
    "settings", "consent", "mailboxes", "subscriptions", "sync", "copies", "acquaintances", "choices", "introductions",
    "lookups", "optouts", "accesses",
)  # fmt: skip
PROPERTY_BYTES = table_limits.PROPERTY_BYTES
ROW_BYTES = 700_000
TRANSACTION_ROWS = 100
TRANSACTION_BYTES = 3_000_000

_ACCEPTED = 202


@functools.cache
def service() -> TableServiceClient:
    """The library's client of this process, made at first use: it creates tables and knows the credential."""
    return _client(settings().tables_connections[0])


def _client(connection: Connection) -> TableServiceClient:
    from azure.data.tables import TableServiceClient

    options: dict[str, Any] = {"retry_total": 2, "retry_backoff_factor": 0.3, "logging_enable": False}
    options |= {"connection_timeout": 5, "read_timeout": 30}
    if connection.connection_string:
        return TableServiceClient.from_connection_string(connection.connection_string, **options)
    from shared.credentials import credential

    return TableServiceClient(endpoint=connection.address, credential=credential(), **options)


@functools.cache
def requests() -> TableRequests:
    """The requests of this process, which go where the client's go, by its credential: an account's key or an identity."""
    return _requests(service())


def _requests(client: TableServiceClient) -> TableRequests:
    from azure.core.credentials import AzureSasCredential

    credential = client.credential
    if credential is None or isinstance(credential, AzureSasCredential):
        raise SettingError("TABLES must carry the account's key; elsewhere use TABLES__endpoint with an identity.")
    return TableRequests(client.url.rstrip("/"), credential)


@functools.cache
def more_services() -> tuple[TableServiceClient, ...]:
    """The clients of further accounts, where one account is not enough; none by default."""
    return tuple(map(_client, settings().tables_connections[1:]))


@functools.cache
def accounts() -> tuple[TableRequests, ...]:
    """Requests to all accounts, in the order of the settings."""
    return (requests(), *map(_requests, more_services()))


def account(partition: str) -> TableRequests:
    """The account that keeps a partition, by the partition's hash: the same for as long as their number is the same."""
    everywhere = accounts()
    return everywhere[0] if len(everywhere) == 1 else everywhere[int(bucket(partition, len(everywhere)), 16)]


@functools.cache
def table(name: str) -> TableClient:
    """The library's client of one table, which is created if it is not there."""
    client = service().get_table_client(name)
    with _creating():
        for one in (service(), *more_services()):
            one.create_table_if_not_exists(name)
    return client


def _ready(name: str) -> str:
    """The name of a table that is there."""
    return table(name).table_name


@contextmanager
def _creating() -> Iterator[None]:
    """Turn what passes by itself (no connection, time-out, 429, 5xx) into UnavailableError."""
    from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

    try:
        yield
    except (ServiceRequestError, ServiceResponseError) as error:
        raise UnavailableError("The table storage does not answer.") from error
    except HttpResponseError as error:
        if error.status_code in BUSY:
            raise UnavailableError("The table storage is busy.") from error
        raise


def read(name: str, partition: str, row: str, select: Sequence[str] | None = None) -> Row | None:
    """One row, or None. The ETag is under `etag`."""
    return entity_queries.row(account(partition), _ready(name), partition, row, select)


def query(
    name: str, partition: str, first: str = "", last: str = "", select: Sequence[str] | None = None
) -> Iterator[Row]:
    """The rows of a partition with `first <= RowKey < last` (all where empty), in order, page after page."""
    clauses = [f"PartitionKey eq {literal(partition)}"]
    clauses += [f"RowKey ge {literal(first)}"] if first else []
    clauses += [f"RowKey lt {literal(last)}"] if last else []
    yield from entity_queries.rows(account(partition), _ready(name), " and ".join(clauses), select)


def scan(name: str, select: Sequence[str] | None = None, condition: str = "") -> Iterator[Row]:
    """Every row of a table that meets the condition, in key order, page after page. For sweeps only."""
    found = [entity_queries.rows(each, _ready(name), condition, select) for each in accounts()]
    yield from found[0] if len(found) == 1 else heapq.merge(*found, key=_place)


def _place(row: Row) -> tuple[str, str]:
    return row.get("PartitionKey", ""), row.get("RowKey", "")


def upsert(name: str, row: Row) -> None:
    """Insert or replace, whatever is there."""
    _attempt(name, [("upsert", row, None)])


def write_if(name: str, row: Row, etag: str | None) -> bool:
    """Replace the row if its ETag still holds, or insert it if `etag` is None; False when somebody else was faster."""
    return _attempt(name, [("write", row, etag)])


def delete(name: str, partition: str, row: str) -> None:
    """Delete the row if it is there."""
    _attempt(name, [("delete", {"PartitionKey": partition, "RowKey": row}, None)])


def transact(name: str, operations: Iterable[Operation]) -> bool:
    """Do operations on one partition in transactions of at most 100 rows and 3 MB; False at the first that was refused.

    Each transaction is all or nothing. One that was refused, because an ETag no longer holds or a row is there already,
    leaves what earlier ones wrote; callers' operations are safe to repeat.
    """
    return all(_attempt(name, chunk) for chunk in _chunks(operations))


def _attempt(name: str, operations: Sequence[Operation]) -> bool:
    """One transaction; False when it was refused as a whole. Raises RowTooLargeError before anything is sent."""
    for operation in operations:
        table_limits.check(operation)
    status = submit(account(operations[0][1]["PartitionKey"]), _ready(name), operations)
    if status not in (_ACCEPTED, *REFUSED):
        raise UnavailableError(f"The table storage answered {status} to a transaction.")
    return status == _ACCEPTED


def _chunks(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    chunk: list[Operation] = []
    size = 0
    for operation in operations:
        bulk = bulk_of(operation)
        if chunk and (len(chunk) == TRANSACTION_ROWS or size + bulk > TRANSACTION_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(operation)
        size += bulk
    if chunk:
        yield chunk


def bulk_of(operation: Operation) -> int:
    """About how many of a transaction's bytes the operation takes."""
    # Bytes travel as base64, and Azurite counts them so.
    return 1_000 + sum(len(value) * 4 // 3 for value in operation[1].values() if isinstance(value, (bytes, str)))


def split(blob: bytes, name: str = "data") -> Row:
    """A blob as properties `data0`, `data1`, ... of at most 64 KiB each.

    >>> sorted(split(bytes(65_537)))
    ['data0', 'data1']
    """
    return {
        f"{name}{i}": blob[i * PROPERTY_BYTES : (i + 1) * PROPERTY_BYTES]
        for i in range(-(-len(blob) // PROPERTY_BYTES) or 1)
    }


def unsplit(row: Row, name: str = "data") -> bytes:
    """The blob that `split` spread over the row's properties."""
    parts: list[bytes] = []
    while (part := row.get(f"{name}{len(parts)}")) is not None:
        parts.append(part)
    return b"".join(parts)


def bucket(text: str, buckets: int = 16) -> str:
    """A stable bucket name ("0".."f" for 16) that spreads keys over partitions.

    >>> bucket("opportunity:1") == bucket("opportunity:1")
    True
    """
    import hashlib

    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return f"{int.from_bytes(digest, 'big') % buckets:x}"
