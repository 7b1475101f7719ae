"""The whole way on the running stack: consent, back-fill, a notification that reaches a widget, withdrawal of the switch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from local.supervisor import rapport
from local.supervisor.folder import StateFolder
from local.supervisor.ready import token
from local.tokens import TENANT
from tests.doubles.mailboxes import ANNA, BEN, KIM, ago, crm_rows
from tests.local.graph_process import Control, call
from tests.local.test_run import options_for, running

pytestmark = pytest.mark.stack
PATIENCE = 90.0


class App:
    """The app's routes, with a token for each role, and the simulator's controls."""

    def __init__(self, base_url: str, signin_url: str) -> None:
        self._base_url = f"{base_url}/api"
        self.graph = Control(signin_url)
        self._tokens = {role: token(signin_url, f"Rapport.{role}") for role in ("Reader", "Ingest", "Admin")}

    def __call__(self, method: str, path: str, body: Any = None, role: str = "Admin") -> tuple[int, Any]:
        bearer = {"Authorization": f"Bearer {self._tokens[role]}", "Content-Type": "application/json"}
        found: tuple[int, Any] = call(method, self._base_url + path, body, bearer)
        return found

    def deal(self) -> dict[str, Any]:
        """All widgets of the deal; empty while nothing is known of it."""
        status, found = self("GET", "/records/opportunity/c1/widgets", role="Reader")
        return dict(found) if status == 200 else {}

    def mails(self) -> int:
        found = self.deal()
        return int(found["widgets"]["volumes"]["emailsReceived"]) if found else -1


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    root = tmp_path_factory.mktemp("stack") / "stack"
    folder, options = StateFolder(root), options_for(root, sample="0")
    folder.create()
    with running(folder, rapport.pieces(options, folder, func=False)[:4]):
        yield App(options.base_url, options.signin_url)


def until(holds: Callable[[], bool]) -> None:
    """Raises AssertionError when it does not come true in time."""
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.2)


def test_from_consent_to_widget_and_back(app: App) -> None:
    for address in (ANNA, BEN):
        app.graph.post("users", mail=address)
    for days in (3, 40):
        app.graph.mail(ANNA, **{"from": KIM, "to": [ANNA], "at": ago(days), "quiet": True})
    assert app("POST", "/crm/changes", {"changes": crm_rows()}, "Ingest")[0] == 202
    until(lambda: app.mails() == 0)
    assert app.deal()["flags"] == ["basicOnly"]

    assert app("POST", "/consent/enable", {"roles": ["salesperson"]})[1]["state"] == "PENDING_CONSENT"
    app.graph.post("consent", grant=True, principal=True)
    for permission in ("Mail.Read", "Calendars.Read"):
        app.graph.post("scope", permission=permission, mailboxes="*")
    state = parse_qs(urlsplit(app("POST", "/consent/link")[1]["url"]).query)["state"][0]
    answer = {"state": state, "tenant": TENANT, "admin_consent": "True"}
    assert app("POST", "/consent/returned", answer)[0] == 200
    until(lambda: app("GET", "/settings/status")[1]["state"] == "LIVE")
    until(lambda: app.mails() == 2)

    sent = app.graph.mail(ANNA, **{"from": KIM, "to": [ANNA]})
    assert sent["id"]
    until(lambda: app.mails() == 3)
    assert "basicOnly" not in app.deal()["flags"]

    assert app("POST", "/consent/switch", {"on": False})[1]["state"] == "CRM_ONLY"
    until(lambda: app.mails() == 0)
    assert "basicOnly" in app.deal()["flags"]
    assert app("POST", "/consent/switch", {"on": True})[1]["state"] == "LIVE"
    until(lambda: app.mails() == 3)

    report = app.graph.get("report")
    wrong = ("overLimit", "duringThrottle", "withBodyFields", "tokensToForeignHost", "retriesByLibrary")
    assert {name: report[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert report["mostConcurrent"] <= 4
    assert "@us.example" not in json.dumps(app("GET", "/settings/status")[1])


def test_nobody_but_administrators_sees_or_changes_the_connection(app: App) -> None:
    for method, path in (("GET", "/settings/status"), ("POST", "/consent/disable"), ("POST", "/consent/link")):
        assert app(method, path, role="Reader")[0] == 403


def test_who_does_not_know_the_key_of_the_address_is_refused(app: App) -> None:
    assert app("POST", "/graph/notifications?key=wrong", {"value": []})[0] == 401
