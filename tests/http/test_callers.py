"""Every route as the wrong caller: refused before anything is looked at, in one shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.tokens import API_CLIENT_ID, TENANT, KeyRing, SigningKey, issue
from shared.auth import ADMIN, INGEST, READER
from shared.problems import Problem
from tests.conftest import PERSON_KEY
from tests.doubles.processes import forget
from tests.doubles.routes import Route, bearer, json_of, routes
from tests.doubles.signin import running_signin

ALL = list(routes())
GUARDED = [found for found in ALL if found.about.roles is not None]
Issue = Callable[..., str]


def _name(found: Route) -> str:
    return f"{found.method} {found.route}"


@pytest.fixture(scope="module")
def signin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, KeyRing]]:
    folder = tmp_path_factory.mktemp("signin")
    with running_signin(folder) as base:
        yield f"{base}/{TENANT}/v2.0", KeyRing(folder)


@pytest.fixture
def token(signin: tuple[str, KeyRing], monkeypatch: pytest.MonkeyPatch) -> Iterator[Issue]:
    issuer, ring = signin
    monkeypatch.setenv("AUTH_ISSUER", issuer)
    monkeypatch.setenv("AUTH_AUDIENCE", API_CLIENT_ID)
    monkeypatch.setenv("AUTH_OPENID_CONFIGURATION", f"{issuer}/.well-known/openid-configuration")
    monkeypatch.setenv("PERSON_KEY", PERSON_KEY)
    forget()

    def of(*roles: str, key: SigningKey | None = None, **claims: Any) -> str:
        return issue(key or ring.current, roles, issuer=issuer, **claims)

    yield of
    forget()


def assert_refused(found: Route, status: int, **given: Any) -> None:
    answer = found.call(**given)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    content = json_of(answer)
    assert set(content) <= set(Problem.__struct_encode_fields__)
    assert content["status"] == status
    assert answer.headers["X-Correlation-Id"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_there_are_routes_to_test() -> None:
    assert len(GUARDED) > 20


@pytest.mark.parametrize("found", GUARDED, ids=_name)
def test_without_a_token(found: Route, token: Issue) -> None:
    assert_refused(found, 401)


@pytest.mark.parametrize("found", GUARDED, ids=_name)
def test_with_every_kind_of_bad_token(found: Route, token: Issue) -> None:
    roles = (READER, INGEST, ADMIN)
    bad = {
        "expired": token(*roles, lifetime=-3_600),
        "for another audience": token(*roles, audience="00000000-0000-0000-0000-000000000001"),
        "of another issuer": token(*roles, iss="https://login.example/v2.0"),
        "signed by a stranger": token(*roles, key=SigningKey()),
        "no token at all": "nonsense",
    }
    for text in bad.values():
        assert_refused(found, 401, headers=bearer(text))


@pytest.mark.parametrize("found", GUARDED, ids=_name)
def test_with_the_wrong_role(found: Route, token: Issue) -> None:
    wrong = {READER, INGEST, ADMIN, "Somebody.Else"} - set(found.about.roles or ())
    for role in wrong:
        assert_refused(found, 403, headers=bearer(token(role)))
    assert_refused(found, 403, headers=bearer(token()))
