"""Requests to the table service: what is repeated, what is raised, and how each kind of credential signs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AzureNamedKeyCredential

from shared import entity_queries
from shared.entity_groups import submit
from shared.errors import UnavailableError
from shared.table_requests import SCOPE, TableRequests, TableServiceError
from tests.doubles.ports import free_port

KEY = AzureNamedKeyCredential("account", "a2V5")
Asked = list[tuple[str, str, dict[str, str]]]


@contextmanager
def serving(answer: Callable[[int], tuple[int, dict[str, str], bytes]]) -> Iterator[tuple[str, Asked]]:
    """A server that answers by the number of the request; its address and what it was asked."""
    asked: Asked = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append((self.command, self.path, dict(self.headers.items())))
            status, headers, content = answer(len(asked))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/account", asked
        finally:
            server.shutdown()
            thread.join()


class Identity:
    """A credential that gives tokens of a given lifetime."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.scopes = seconds, list[str]()

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken(f"token{len(self.scopes)}", int(time.time() + self.seconds))


def test_what_passes_by_itself_is_asked_again() -> None:
    with (
        serving(lambda n: (503 if n < 3 else 200, {"Retry-After": "0"}, b"{}")) as (url, asked),
        closing(TableRequests(url, KEY)) as requests,
    ):
        assert requests.send("GET", "/insights()", {}).status == 200
    assert len(asked) == 3


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_what_does_not_pass_is_unavailable(status: int) -> None:
    with (
        serving(lambda n: (status, {"Retry-After": "0"}, b"")) as (url, asked),
        closing(TableRequests(url, KEY)) as requests,
        pytest.raises(UnavailableError, match=str(status)),
    ):
        requests.send("POST", "/$batch", {}, b"body")
    assert len(asked) == 3


def test_nobody_there_is_unavailable() -> None:
    with (
        closing(TableRequests(f"http://127.0.0.1:{free_port()}/account", KEY)) as requests,
        pytest.raises(UnavailableError),
    ):
        requests.send("GET", "/insights()", {})


def test_a_refusal_is_told_by_its_code_and_nothing_of_the_row() -> None:
    body = b'{"odata.error": {"message": "kim@cust.example"}}'
    with (
        serving(lambda n: (403, {"x-ms-error-code": "AuthorizationFailure"}, body)) as (url, asked),
        closing(TableRequests(url, KEY)) as requests,
    ):
        row = {"PartitionKey": "kim@cust.example", "RowKey": "r"}
        with pytest.raises(TableServiceError) as one:
            submit(requests, "insights", [("upsert", row, None)])
        with pytest.raises(TableServiceError) as many:
            submit(requests, "insights", [("upsert", row, None)] * 2)
        with pytest.raises(TableServiceError) as read:
            entity_queries.row(requests, "insights", "kim@cust.example", "r")
    for raised in (one, many, read):
        assert str(raised.value) == "The table storage answered 403 AuthorizationFailure."
    assert len(asked) == 3


def test_a_key_signs_and_an_identity_shows_its_token_until_it_ends() -> None:
    with serving(lambda n: (200, {}, b"{}")) as (url, asked):
        for credential in (KEY, long := Identity(3_600), short := Identity(200)):
            with closing(TableRequests(url, credential)) as requests:
                for _ in range(2):
                    requests.send("GET", "/insights()?$top=1", {})
    shown = [headers["Authorization"] for _, _, headers in asked]
    assert all(one.startswith("SharedKeyLite account:") for one in shown[:2])
    assert shown[2:] == ["Bearer token1", "Bearer token1", "Bearer token1", "Bearer token2"]
    assert (long.scopes, short.scopes) == ([SCOPE], [SCOPE, SCOPE])
