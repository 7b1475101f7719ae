"""The real msgraph client pointed at the simulator: the SDK's credentials, pipeline and addresses, raw JSON instead of models."""

from __future__ import annotations

import asyncio
import json
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import jwt
from azure.core.credentials import AccessToken
from kiota_abstractions.api_error import APIError
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from kiota_http.middleware.options import RetryHandlerOption, UrlReplaceHandlerOption
from msgraph import GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_request_adapter import options as sdk_options
from msgraph_core import GraphClientFactory

from local.graph.consent import REGISTRATIONS, Registration
from local.tokens import TENANT

T = TypeVar("T")
SCOPE = "https://graph.microsoft.com/.default"
IMMUTABLE = 'IdType="ImmutableId"'
ERRORS: Any = {"XXX": ODataError}
NO_RETRY = RetryHandlerOption(max_retries=0)


class SimulatorCredential:
    """Client credentials at the simulator's token endpoint; azure-identity itself refuses one without TLS."""

    def __init__(self, base_url: str, app: Registration, tenant: str = TENANT, *, fixed: str = "") -> None:
        self._base_url, self._app, self._tenant, self._fixed = base_url, app, tenant, fixed

    def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> AccessToken:
        if self._fixed:
            return AccessToken(self._fixed, 1 << 40)
        form = {"grant_type": "client_credentials", "client_id": self._app.client_id, "scope": scopes[0]}
        form |= {"client_secret": self._app.secret} | ({"claims": claims} if claims else {})
        data = urllib.parse.urlencode(form).encode()
        url = f"{self._base_url}/{self._tenant}/oauth2/v2.0/token"
        with urllib.request.urlopen(url, data, timeout=60) as answer:
            token = json.load(answer)["access_token"]
        return AccessToken(token, int(jwt.decode(token, options={"verify_signature": False})["exp"]))


class GraphClient:
    """Raw JSON through the SDK's adapter. `typed` is the SDK's client, for its addresses."""

    def __init__(self, base_url: str, credential: SimulatorCredential, http: httpx.AsyncClient) -> None:
        provider = AzureIdentityAuthenticationProvider(
            credential, scopes=[SCOPE], allowed_hosts=["127.0.0.1"], is_cae_enabled=False
        )
        self.base = f"{base_url}/v1.0"
        self._adapter = GraphRequestAdapter(provider, client=http)
        self._adapter.base_url = self.base
        self.typed = GraphServiceClient(request_adapter=self._adapter)

    async def send(self, wanted: RequestInformation, *, retry: bool = False) -> Any:
        if not retry:
            wanted.add_request_options([NO_RETRY])
        return json.loads(await self._adapter.send_primitive_async(wanted, "bytes", ERRORS) or b"null")

    async def call(
        self, method: str, path: str, body: Any = None, prefer: Sequence[str] = (IMMUTABLE,), *, retry: bool = False
    ) -> Any:
        """`path` below /v1.0 as it stands, or a whole link. Raises APIError."""
        wanted = RequestInformation()
        wanted.http_method, wanted.url = Method(method), path if "://" in path else self.base + path.replace(" ", "%20")
        for each in prefer:
            wanted.headers.add("Prefer", each)
        if body is not None:
            wanted.set_stream_content(json.dumps(body).encode(), "application/json")
        return await self.send(wanted, retry=retry)

    async def get(self, path: str, prefer: Sequence[str] = (IMMUTABLE,)) -> Any:
        return await self.call("GET", path, prefer=prefer)

    async def pages(self, path: str, prefer: Sequence[str] = (IMMUTABLE,)) -> list[Any]:
        """All pages from this one on, each as it came."""
        found = [await self.get(path, prefer)]
        while following := found[-1].get("@odata.nextLink"):
            found.append(await self.get(following, prefer))
        return found

    async def refusal(self, method: str, path: str, body: Any = None, *, retry: bool = False) -> APIError:
        """The error that the call ends with; fails when it ends well."""
        try:
            found = await self.call(method, path, body, retry=retry)
        except APIError as error:
            return error
        raise AssertionError(f"{method} {path} was answered with {found}")


@asynccontextmanager
async def graph_client(
    base_url: str, app: Registration = REGISTRATIONS[0], tenant: str = TENANT, *, token: str = ""
) -> AsyncIterator[GraphClient]:
    """A client for one tenant. `token` is used as it stands instead of asking for one."""
    sockets = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=16))
    raw = httpx.AsyncClient(timeout=httpx.Timeout(20, connect=5), transport=sockets)
    options = {**sdk_options, UrlReplaceHandlerOption.get_key(): UrlReplaceHandlerOption(enabled=False)}
    http = GraphClientFactory.create_with_default_middleware(client=raw, options=options)
    async with http, sockets:  # the SDK wraps the transport and does not hand on that it is closed
        yield GraphClient(base_url, SimulatorCredential(base_url, app, tenant, fixed=token), http)


def with_client(base_url: str, work: Callable[[GraphClient], Awaitable[T]], **options: Any) -> T:
    """Run `work` with a client in an event loop of its own."""

    async def run() -> T:
        async with graph_client(base_url, **options) as client:
            return await work(client)

    return asyncio.run(run())


def code_of(error: APIError) -> str:
    """The code in the body of a Graph error."""
    assert isinstance(error, ODataError) and error.error is not None
    return str(error.error.code)


def header_of(error: APIError, name: str) -> str | None:
    headers = {key.lower(): value for key, value in (error.response_headers or {}).items()}
    return headers.get(name.lower())
