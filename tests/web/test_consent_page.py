"""The page that consent comes back to, in a browser: it hands the answer to the window that asked, or shows what to send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import azure.functions as func
import pytest
from playwright.sync_api import BrowserContext, Page, Route

from functions.consent import get_consent_done
from shared.settings import settings

APP, CRM, STRANGER = "https://app.example", "https://contoso.crm4.dynamics.com", "https://stranger.example"
ANSWER = {"state": "s1", "tenant": "t1", "admin_consent": "True", "error": ""}
DONE = f"{APP}/api/consent/done?{urlencode(ANSWER)}"
OPENER = """
() => new Promise((take) => {
  addEventListener("message", (event) => take([event.origin, event.data]));
  open("%s");
})
"""


def _answered(route: Route) -> None:
    if "/api/consent/done" not in route.request.url:
        route.fulfill(content_type="text/html", body="<title>settings</title>")
        return
    found = get_consent_done._function.get_user_function()(func.HttpRequest("GET", route.request.url, body=b""))
    headers = {**dict(found.headers), "Content-Type": "text/html; charset=utf-8"}
    route.fulfill(status=found.status_code, headers=headers, body=found.get_body().decode())


@pytest.fixture
def page(window: BrowserContext, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setenv("ALLOWED_ORIGINS", CRM)
    settings.cache_clear()
    for origin in (APP, CRM, STRANGER):
        window.route(f"{origin}/**", _answered)
    found = window.new_page()
    yield found
    for each in window.pages:
        each.close()
    for origin in (APP, CRM, STRANGER):
        window.unroute(f"{origin}/**")
    settings.cache_clear()


@pytest.mark.parametrize("origin", [APP, CRM])
def test_the_window_that_asked_gets_the_answer(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings")
    assert page.evaluate(OPENER % DONE) == [APP, {"rapportConsent": ANSWER}]


def test_a_window_of_another_origin_gets_nothing(page: Page) -> None:
    page.goto(f"{STRANGER}/settings")
    page.evaluate("addEventListener('message', (event) => (window.taken = event.data))")
    with page.expect_popup() as opened:
        page.evaluate(f"void open({DONE!r})")
    opened.value.wait_for_function("document.querySelector('p').textContent.includes('handed')")
    # What the page had sent would be there by now: messages keep their order.
    opened.value.evaluate("window.opener.postMessage('after', '*')")
    page.wait_for_function("window.taken !== undefined")
    assert page.evaluate("window.taken") == "after"


def test_consent_without_a_state_is_not_called_lost(page: Page) -> None:
    page.goto(f"{APP}/api/consent/done?admin_consent=True&tenant=t1")
    assert page.inner_text("p").startswith("Consent was given.")
    page.goto(f"{APP}/api/consent/done?admin_consent=True&error=consent_required")
    assert page.inner_text("p").startswith("Nothing came back")


def test_without_such_a_window_the_page_shows_what_to_send_and_forgets_its_address(page: Page) -> None:
    page.goto(DONE)
    assert json.loads(page.inner_text("pre")) == ANSWER
    assert page.url == f"{APP}/api/consent/done"


def test_nothing_came_back(page: Page) -> None:
    page.goto(f"{APP}/api/consent/done")
    assert page.inner_text("p").startswith("Nothing came back")
