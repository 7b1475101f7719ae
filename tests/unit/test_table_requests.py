"""Requests to the table service: what is repeated, what is raised, and how each kind of credential signs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AzureNamedKeyCredential

from shared import entity_queries
from shared.entity_groups import submit
from shared.errors import UnavailableError
from shared.table_requests import SCOPE, TableRequests, TableServiceError
from tests.doubles.ports import free_port
from tests.doubles.serving import Asked, Reply
from tests.doubles.serving import serving as http_serving

KEY = AzureNamedKeyCredential("account", "a2V5")


@contextmanager
def serving(answer: Callable[[int], Reply]) -> Iterator[tuple[str, list[Asked]]]:
    """A server that answers by the number of the request; its account's address and what it was asked."""
    asked: list[Asked] = []

    def reply(request: Asked) -> Reply:
        asked.append(request)
        return answer(len(asked))

    with http_serving(reply) as address:
        yield f"{address}/account", asked


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
    shown = [each.headers["Authorization"] for each in asked]
    assert all(one.startswith("SharedKeyLite account:") for one in shown[:2])
    assert shown[2:] == ["Bearer token1", "Bearer token1", "Bearer token1", "Bearer token2"]
    assert (long.scopes, short.scopes) == ([SCOPE], [SCOPE, SCOPE])
