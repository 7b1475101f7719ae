"""The one client of Graph: the SDK's authentication and pipeline, raw JSON instead of its models.

A message as an SDK model costs 4 ms of CPU, `json` a hundredth of that, and the models pull in 1,200 modules. So paths are
written here and bodies are plain dicts. All calls run on one event loop in a thread of its own, because the SDK's client
belongs to one loop; whoever calls waits for the result. Everything of msgraph is imported when the first call is made.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from msgspec import Struct, json

from shared.graph import call_log
from shared.graph.calls import FOREIGN_LINK, GraphCallError, retry_after
from shared.graph.tokens import Credential, Token, request_token
from shared.settings import Settings, settings

IMMUTABLE = 'IdType="ImmutableId"'
SECONDS = 20.0
CALL_SECONDS = 60.0
BATCH = 20  # requests in one call, each counted for itself
_CONNECTIONS = 16
T = TypeVar("T")


@functools.cache
def _loop() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="graph", daemon=True)
    thread.start()
    return loop, thread


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on the loop of all Graph calls and give its result. Not to be called from that loop."""
    return asyncio.run_coroutine_threadsafe(work, _loop()[0]).result(CALL_SECONDS)


class Answer(Struct, frozen=True):
    """The answer to one request of a batch; `code` of a refusal, `retry_after`: seconds that it asked for, or None."""

    status: int
    body: dict[str, Any]
    code: str = ""
    retry_after: float | None = None


class Graph:
    """Calls of one tenant. Paths begin with a slash and come after the version; links are whole addresses."""

    def __init__(self, values: Settings) -> None:
        import httpx
        from kiota_authentication_azure.azure_identity_authentication_provider import (
            AzureIdentityAuthenticationProvider as Authentication,
        )
        from kiota_http.middleware.options import RetryHandlerOption, UrlReplaceHandlerOption
        from kiota_http.observability_options import ObservabilityOptions
        from msgraph import GraphServiceClient  # type: ignore[attr-defined]
        from msgraph.graph_request_adapter import GraphRequestAdapter
        from msgraph.graph_request_adapter import options as sdk_options
        from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]

        logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses, with ids of people in them
        self._settings, self._base = values, values.graph_endpoint
        self._host = urlsplit(self._base).netloc
        limits, patience = httpx.Limits(max_connections=_CONNECTIONS), httpx.Timeout(SECONDS, connect=5)
        self._sockets = [httpx.AsyncHTTPTransport(limits=limits) for _ in range(2)]
        self._plain, self._raw = (httpx.AsyncClient(timeout=patience, transport=each) for each in self._sockets)
        # No retries by the library: it would sleep in a billed function, and repeat what must not be repeated.
        options = {**sdk_options, RetryHandlerOption.get_key(): RetryHandlerOption(max_retries=0)}
        options[UrlReplaceHandlerOption.get_key()] = UrlReplaceHandlerOption(enabled=False)
        http = GraphClientFactory.create_with_default_middleware(client=self._raw, options=options)
        self._credential = Credential(self._plain, values)
        hosts = [str(urlsplit(self._base).hostname)]
        provider = Authentication(self._credential, scopes=["unused"], allowed_hosts=hosts, is_cae_enabled=False)
        self._adapter = GraphRequestAdapter(provider, client=http)
        self._adapter.base_url = self._base
        self._adapter.observability_options = ObservabilityOptions(include_euii_attributes=False)
        GraphServiceClient(request_adapter=self._adapter)  # registers the parser without which errors have no code

    def fresh_token(self) -> Token:
        """A token that no cache has seen. Raises GraphCallError."""
        return wait_for(request_token(self._plain, self._settings))

    def get(self, where: str, query: Mapping[str, str] | None = None, prefer: Sequence[str] = ()) -> dict[str, Any]:
        """The JSON behind a path or a link that Graph gave. Raises GraphCallError, for a link to a foreign host and for an
        answer without content too."""
        found = wait_for(self._call("GET", self._url(where, query), None, prefer))
        if not isinstance(found, dict):
            # A success without content says nothing; taken for an empty list, it would make everything in it disappear.
            raise GraphCallError(502, "noJson")
        return found

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """POST, PATCH or DELETE once; {} for an answer without a body. Raises GraphCallError."""
        found: dict[str, Any] = wait_for(self._call(method, self._url(path, None), body, ())) or {}
        return found

    def batch(self, paths: Sequence[str]) -> list[Answer]:
        """GET at most 20 paths in one call, one after another, so that it is one of the four that a mailbox takes at once.

        After a refusal the rest answer 424, untried. Raises GraphCallError when the call as a whole fails.
        """
        requests = [
            {
                "id": str(number), "method": "GET", "url": path, "headers": {"Prefer": IMMUTABLE},
                **({"dependsOn": [str(number - 1)]} if number else {}),
            }
            for number, path in enumerate(paths)
        ]  # fmt: skip
        listed = self.send("POST", "/$batch", {"requests": requests}).get("responses") or ()
        by_id = {each["id"]: _answer(each) for each in listed}
        return [by_id.get(str(number), Answer(502, {})) for number in range(len(paths))]

    def pages(
        self, where: str, query: Mapping[str, str] | None = None, prefer: Sequence[str] = ()
    ) -> Iterator[dict[str, Any]]:
        """Page after page, empty ones too; the last one carries the delta link, where there is one."""
        page = self.get(where, query, prefer)
        yield page
        while link := page.get("@odata.nextLink"):
            page = self.get(link, None, prefer)
            yield page

    def _url(self, where: str, query: Mapping[str, str] | None) -> str:
        if where.startswith("/"):
            options = "&".join(f"{name}={quote(value, safe='$,')}" for name, value in (query or {}).items())
            return f"{self._base}{where}?{options}" if options else f"{self._base}{where}"
        if urlsplit(where).netloc != self._host:
            # The library would send the request there, without a token and without a word.
            raise GraphCallError(400, FOREIGN_LINK)
        return where

    async def _call(self, method: str, url: str, body: Mapping[str, Any] | None, prefer: Sequence[str]) -> Any:
        try:
            return await self._once(method, url, body, prefer)
        except GraphCallError as error:
            if error.status != 401:
                raise
            self._credential.forget()
            return await self._once(method, url, body, prefer)

    async def _once(self, method: str, url: str, body: Mapping[str, Any] | None, prefer: Sequence[str]) -> Any:
        import httpx
        from kiota_abstractions.api_error import APIError
        from kiota_abstractions.method import Method
        from kiota_abstractions.request_information import RequestInformation
        from msgraph.generated.models.o_data_errors.o_data_error import ODataError

        wanted = RequestInformation()
        wanted.http_method, wanted.url = Method(method), url
        for each in (IMMUTABLE, *prefer):  # on every page: headers are not part of links
            wanted.headers.add("Prefer", each)
        if body is not None:
            wanted.set_stream_content(json.encode(body), "application/json")
        try:
            content = await self._adapter.send_primitive_async(wanted, "bytes", {"XXX": ODataError})
        except APIError as error:
            refusal = _translated(error)
            call_log.refused(refusal.status, refusal.code)
            raise refusal from None
        except httpx.TransportError:
            call_log.refused(0)
            raise GraphCallError(0) from None
        call_log.answered()
        try:
            return json.decode(content) if content else None
        except ValueError:
            raise GraphCallError(502, "noJson") from None

    async def _close(self) -> None:
        await self._plain.aclose()
        await self._raw.aclose()
        for transport in self._sockets:  # the SDK wraps them and does not hand on that they are closed
            await transport.aclose()


def _answer(found: Mapping[str, Any]) -> Answer:
    body = found.get("body") if isinstance(found.get("body"), dict) else {}
    headers = {name.lower(): value for name, value in (found.get("headers") or {}).items()}
    code = str(((body or {}).get("error") or {}).get("code", ""))
    answer = Answer(int(found["status"]), body or {}, code, retry_after(headers.get("retry-after"), time.time()))
    if answer.status in call_log.BUSY:
        call_log.refused(answer.status, answer.code)
    return answer


def _translated(error: Any) -> GraphCallError:
    headers = {name.lower(): value for name, value in (error.response_headers or {}).items()}
    inner = getattr(error, "error", None)
    wait = retry_after(headers.get("retry-after"), time.time())
    return GraphCallError(error.response_status_code or 0, str(getattr(inner, "code", "") or ""), wait)


@functools.cache
def graph() -> Graph:
    """The client of this process, made at the first call."""
    return Graph(settings())


def close() -> None:
    """End the client and its loop, where there are any; the next call makes new ones."""
    if graph.cache_info().currsize:
        wait_for(graph()._close())
        graph.cache_clear()
    if _loop.cache_info().currsize:
        loop, thread = _loop()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        _loop.cache_clear()
