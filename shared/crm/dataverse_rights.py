"""Row rights as Dataverse has them: the records are looked for as the caller, and what is found may be read.

The app's identity asks on the caller's behalf (header `CallerObjectId`, the Entra object id of the caller), so teams, business
units, sharing and hierarchies are those of Dataverse itself. The identity needs the privilege to act on behalf of other users
(`prvActOnBehalfOfAnotherUser`, in the role Delegate) and reads no column but the id. docs/row-rights.md tells how to set it up.
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/impersonate-another-user-web-api
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from shared.auth import Caller
from shared.errors import UnavailableError

if TYPE_CHECKING:
    from azure.core import PipelineClient
    from azure.core.rest import HttpRequest, HttpResponse

_TABLES = {
    "account": ("accounts", "accountid"),
    "contact": ("contacts", "contactid"),
    "lead": ("leads", "leadid"),
    "opportunity": ("opportunities", "opportunityid"),
    "case": ("incidents", "incidentid"),
    **dict.fromkeys(("email", "appointment", "phonecall", "task"), ("activitypointers", "activityid")),
}
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHUNK = 100  # ids of one question: an address of 5 KB, of the 32 KB that it may have
_AT_ONCE = 4  # questions; the service allows a user 52
_API = "/api/data/v9.2"
_CONNECT_SECONDS, _ANSWER_SECONDS = 3, 5
_NO_RIGHTS = (403,)  # no user of Dataverse, a disabled one, or one without the privilege to read the table


class DataverseRights:
    """Asks one environment (`https://<name>.crm.dynamics.com`)."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._client: PipelineClient[HttpRequest, HttpResponse] | None = None

    def readable(self, who: Caller, records: Sequence[str]) -> set[str]:
        """Those of the records that Dataverse shows to the caller. Raises UnavailableError when it does not answer."""
        if not _ID.fullmatch(who.id.lower()):
            return set()
        by_table: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for record in records:
            kind, _, id = record.partition(":")
            if kind in _TABLES and _ID.fullmatch(id.lower()):
                by_table[_TABLES[kind]][id] = record
        return {
            by_id[id] for (table, column), by_id in by_table.items() for id in self._found(who, table, column, [*by_id])
        }

    def _found(self, who: Caller, table: str, column: str, ids: Sequence[str]) -> Iterator[str]:
        chunks = [ids[first : first + _CHUNK] for first in range(0, len(ids), _CHUNK)]
        self._connection()  # one for all threads
        with ThreadPoolExecutor(_AT_ONCE) as asking:
            answers = list(asking.map(lambda chunk: self._rows(who, table, column, chunk), chunks))
        for chunk, rows in zip(chunks, answers, strict=True):
            found = {str(row[column]).lower() for row in rows}
            yield from (id for id in chunk if id.lower() in found)

    def _rows(self, who: Caller, table: str, column: str, ids: Sequence[str]) -> list[dict[str, str]]:
        from azure.core.exceptions import AzureError
        from azure.core.rest import HttpRequest

        values = ",".join(f"'{id}'" for id in ids)
        condition = f"Microsoft.Dynamics.CRM.In(PropertyName='{column}',PropertyValues=[{values}])"
        request = HttpRequest(
            "GET",
            f"{self._url}{_API}/{table}",
            params={"$select": column, "$filter": condition},
            headers={"Accept": "application/json", "OData-Version": "4.0", "CallerObjectId": who.id},
        )
        try:
            request.headers["Authorization"] = f"Bearer {self._token()}"
            response = self._connection().send_request(request)
            if response.status_code in _NO_RIGHTS:
                return []
            response.raise_for_status()
            rows: list[dict[str, str]] = response.json()["value"]
        except (AzureError, ValueError, KeyError) as error:
            raise UnavailableError("The CRM does not say who may read what.") from error
        return rows

    def _token(self) -> str:
        from shared.credentials import credential

        return credential().get_token(f"{self._url}/.default").token

    def _connection(self) -> PipelineClient[HttpRequest, HttpResponse]:
        if self._client is None:
            from azure.core import PipelineClient
            from azure.core.pipeline.policies import RetryPolicy, UserAgentPolicy

            retries = RetryPolicy(retry_total=2, retry_backoff_max=2, timeout=8)
            self._client = PipelineClient(
                self._url,
                policies=[UserAgentPolicy("rapport"), retries],
                connection_timeout=_CONNECT_SECONDS,
                read_timeout=_ANSWER_SECONDS,
            )
        return self._client
