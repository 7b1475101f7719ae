"""Requests to the table service: one pool of kept connections for all threads, signed, repeated where the service asks for it.

The client library's pipeline spends more than 1 ms of CPU on a request that the service answers in less, and a computation makes
about eight. So rows travel over urllib3 alone, which the library itself stands on, with the wire formats of
`shared.entity_groups` and `shared.entity_queries`; the library still reads the connection string, brings the credential and
creates the tables. `make bench` compares both.
"""

from __future__ import annotations

import base64
import hmac
import time
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from shared.errors import UnavailableError

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AzureNamedKeyCredential, TokenCredential
    from urllib3 import HTTPConnectionPool, HTTPHeaderDict

VERSION = "2019-02-02"  # of the service's REST interface, as the client library has it
SCOPE = "https://storage.azure.com/.default"
BUSY = (408, 429, 500, 502, 503, 504)
_CONNECTIONS = 32
_RENEWED_SECONDS = 300  # before a token ends


class Answer(Struct, frozen=True):
    """What the service answered."""

    status: int
    content: bytes
    headers: HTTPHeaderDict


class TableServiceError(Exception):
    """The service refused a request that should have been right: a wrong right, a wrong key, a malformed row."""

    def __init__(self, answer: Answer) -> None:
        code = answer.headers.get("x-ms-error-code", "")
        super().__init__(f"The table storage answered {answer.status} {code}".strip() + ".")
        self.status = answer.status


class TableRequests:
    """Requests to one account. `address` is its table endpoint without a slash at the end."""

    def __init__(self, address: str, credential: AzureNamedKeyCredential | TokenCredential) -> None:
        self.address = address
        self._path = urlsplit(address).path
        self._credential = credential
        self._token: AccessToken | None = None
        self._pool = _pool(address)

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        """Send one request; `path` follows the account's address and begins with a slash.

        What passes by itself is tried three times, then UnavailableError is raised; every other answer is the caller's.
        """
        from urllib3.exceptions import HTTPError

        where = self._path + path
        signed = {**headers, "x-ms-version": VERSION, "DataServiceVersion": "3.0", **self._authorization(where)}
        try:
            response = self._pool.urlopen(method, where, body, signed)
        except HTTPError as error:
            raise UnavailableError("The table storage does not answer.") from error
        if response.status in BUSY:
            raise UnavailableError(f"The table storage is busy: it answered {response.status}.")
        return Answer(response.status, response.data, response.headers)

    def _authorization(self, where: str) -> dict[str, str]:
        if hasattr(self._credential, "named_key"):
            account = self._credential.named_key
            date = formatdate(usegmt=True)
            resource = f"/{account.name}{where.partition('?')[0]}"
            digest = hmac.digest(base64.b64decode(account.key), f"{date}\n{resource}".encode(), "sha256")
            return {
                "x-ms-date": date,
                "Authorization": f"SharedKeyLite {account.name}:{base64.b64encode(digest).decode()}",
            }
        if self._token is None or self._token.expires_on - _RENEWED_SECONDS < time.time():
            self._token = self._credential.get_token(SCOPE)
        return {"Authorization": f"Bearer {self._token.token}"}

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.close()


def _pool(address: str) -> HTTPConnectionPool:
    import ssl

    from urllib3 import Retry, Timeout, connection_from_url

    # A write that was done although its answer was lost is refused when repeated, and callers look again after a refusal.
    retries = Retry(
        total=2, backoff_factor=0.3, status_forcelist=BUSY, allowed_methods=None, redirect=False, raise_on_status=False
    )
    secure = {"ssl_context": ssl.create_default_context()} if address.startswith("https:") else {}
    return connection_from_url(
        address, maxsize=_CONNECTIONS, timeout=Timeout(connect=5, read=30), retries=retries, **secure
    )
