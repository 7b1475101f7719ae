"""App-only tokens for Graph: client credentials with a secret, or with the app's own identity as proof (no secret).

Written here and not left to azure-identity because the hourly consent check needs a token that no cache has seen: an old one
keeps its roles for more than an hour after they were withdrawn.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import DecodeError, Struct

from shared import decoders
from shared.graph.calls import GraphCallError, retry_after
from shared.settings import Settings

if TYPE_CHECKING:
    import httpx
    from azure.core.credentials import AccessToken

EXCHANGE_AUDIENCE = "api://AzureADTokenExchange/.default"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_EARLY = 300  # seconds before its end from which a token is not used any more


class Token(Struct, frozen=True):
    """A token and until when it holds; `roles` as it claims them, which prove nothing but that they were granted."""

    text: str
    expires_at: int
    roles: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at})"


class _Answer(Struct):
    access_token: str = ""
    expires_in: int = 0
    error: str = ""


class _Claims(Struct):
    roles: list[str] = []


def scope(settings: Settings) -> str:
    """The scope of all application permissions: `/.default` of the Graph host."""
    host = urlsplit(settings.graph_endpoint)
    return f"{host.scheme}://{host.netloc}/.default"


async def request_token(http: httpx.AsyncClient, settings: Settings) -> Token:
    """Ask for a fresh token. Raises GraphCallError with the login service's error as its code."""
    import httpx

    url = f"{settings.graph_login}/{settings.need('GRAPH_TENANT_ID')}/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", "client_id": settings.need("GRAPH_CLIENT_ID"), "scope": scope(settings)}
    try:
        answer = await http.post(url, data=form | _proof(settings))
    except httpx.TransportError:
        raise GraphCallError(0) from None
    try:
        found = decoders.of_json(_Answer).decode(answer.content)
    except DecodeError:
        found = _Answer(error="unreadable")
    if answer.status_code != 200 or not found.access_token:
        # 401 also for the login service's 400 answers (unknown principal, no consent): the permission is what is missing.
        status = answer.status_code if answer.status_code in (429, 500, 502, 503, 504) else 401
        raise GraphCallError(status, found.error, retry_after(answer.headers.get("retry-after"), time.time()))
    return Token(found.access_token, int(time.time()) + found.expires_in, roles_of(found.access_token))


def _proof(settings: Settings) -> dict[str, str]:
    if settings.graph_client_secret:
        return {"client_secret": settings.graph_client_secret}
    from shared.credentials import credential

    assertion = credential().get_token(EXCHANGE_AUDIENCE).token
    return {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": assertion}


def roles_of(token: str) -> frozenset[str]:
    """The roles that a token claims, unchecked; none for what cannot be read."""
    try:
        payload = token.split(".")[1]
        return frozenset(
            decoders.of_json(_Claims).decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).roles
        )
    except (IndexError, ValueError, DecodeError):
        return frozenset()


class Credential:
    """The token that calls use, kept until shortly before its end; `forget` after a 401."""

    def __init__(self, http: httpx.AsyncClient, settings: Settings) -> None:
        self._http, self._settings = http, settings
        self._token: Token | None = None

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> AccessToken:
        """As Kiota's authentication asks. A claims challenge is met with a fresh token; scope and tenant are the app's own."""
        del scopes, tenant_id, enable_cae
        from azure.core.credentials import AccessToken

        if claims or self._token is None or self._token.expires_at - _EARLY < time.time():
            self._token = await request_token(self._http, self._settings)
        return AccessToken(self._token.text, self._token.expires_at)

    async def close(self) -> None:
        """Nothing to close; asked for by the protocol of credentials."""

    async def __aenter__(self) -> Credential:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def forget(self) -> None:
        """Ask for a new token next time."""
        self._token = None
