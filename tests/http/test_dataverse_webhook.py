"""What a webhook of Dataverse may do: with the key everything it has to tell, without it nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from shared import crm_webhook
from shared.auth import ADMIN, INGEST
from shared.settings import settings
from tests.doubles.platform import as_role, trust_platform
from tests.doubles.routes import json_of, route

pytestmark = pytest.mark.usefixtures("storage", "queues")
BODY = (Path(__file__).parents[1] / "payloads/dataverse/contact-create.json").read_bytes()


def post(key: str | None) -> func.HttpResponse:
    headers = {} if key is None else {"X-Rapport-Key": key}
    return route("post_dataverse_change").call(headers=headers, body=BODY)


def key(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, Any]:
    """What an administrator is told."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    trust_platform(monkeypatch)
    settings.cache_clear()
    answer = route("get_dataverse_key").call(headers=as_role(ADMIN))
    assert answer.headers["Cache-Control"] == "no-store"
    told: dict[str, Any] = json_of(answer)
    return told


def test_the_key_opens_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    told = key(monkeypatch)
    assert (told["header"], told["version"]) == ("x-rapport-key", 1)
    answer = post(told["key"])
    assert answer.status_code == 202
    assert json.loads(answer.get_body())["accepted"] == 1
    for wrong in (None, "", "wrong", told["key"][:-1], told["key"].upper()):
        assert post(wrong).status_code == 401


def test_a_token_does_not_replace_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    trust_platform(monkeypatch)
    assert route("post_dataverse_change").call(headers=as_role(INGEST), body=BODY).status_code == 401


def test_only_administrators_are_told_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    trust_platform(monkeypatch)
    assert route("get_dataverse_key").call(headers=as_role(INGEST)).status_code == 403


def test_the_last_key_holds_and_the_one_before_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    first = key(monkeypatch)["key"]
    second = key(monkeypatch, CRM_KEY_VERSION="2")["key"]
    assert {post(one).status_code for one in (first, second)} == {202}
    third = key(monkeypatch, CRM_KEY_VERSION="3")["key"]
    assert [post(one).status_code for one in (first, second, third)] == [401, 202, 202]
    assert len({first, second, third}) == 3


def test_keys_share_nothing_with_those_of_graph() -> None:
    from shared.graph.subscriptions import url_keys

    assert not set(crm_webhook.keys(settings())) & set(url_keys(settings()))
