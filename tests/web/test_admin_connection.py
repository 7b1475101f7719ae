"""The administrator's page on a real app: consent from choosing roles to Microsoft's answer, the mailboxes, the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from msgspec import json
from msgspec.structs import replace
from playwright.sync_api import BrowserContext, Page, Route, expect

from local.tokens import TENANT
from shared import ingest
from shared.changes import parse_batch
from shared.graph import consent_state, erasures, mailboxes
from shared.graph.consent import Consent, Scope, State, Transition
from shared.graph.mailboxes import Mailbox
from tests.web.admin_pages import answer_dialog, open_part, show_part
from tests.web.forms import texts
from tests.web.real_app import RealApp

DAY = 86_400
MARKUP = "<img src=x onerror=window.hit=1>"
LOGIN = "https://login.example"


def crm(*changes: tuple[str, str, dict[str, Any]]) -> None:
    """Take in records of the CRM: entity, id, attributes."""
    told = [
        {"entity": entity, "id": id, "version": 1, "operation": "upsert", "attributes": attributes}
        for entity, id, attributes in changes
    ]
    ingest.take_in(parse_batch(json.encode({"changes": told})))


@pytest.fixture
def people(app: RealApp) -> None:
    """Two with a role, one of them inactive; and a role that nobody has."""
    crm(
        ("role", "r1", {"name": "Sales Person"}),
        ("role", "r2", {"name": MARKUP}),
        ("user", "a1", {"name": "Anna", "emails": ["anna@us.example"], "roles": ["r1"]}),
        ("user", "a2", {"name": "Ben", "emails": ["ben@us.example"], "roles": ["r1"], "active": False}),
    )


def become(state: State, **facts: Any) -> None:
    """Put the connection into a state."""
    now = int(time.time())
    wanted = Consent(state=state, enabled_at=now, scope=Scope(roles=("Sales Person",)), erased=False, **facts)
    consent_state.change(lambda _: Transition("T1", wanted), now, "timer")


def test_roles_are_chosen_previewed_and_enabled(page: Page, app: RealApp, people: None) -> None:
    element = open_part(page, app, "mailboxes")
    expect(element.get_by_label(MARKUP)).to_be_visible()
    role = element.get_by_label("Sales Person")
    role.check()
    element.get_by_role("button", name="Preview").click()
    previewed = element.get_by_role("region", name="What would be read")
    expect(previewed.locator("tbody tr")).to_have_text(["Annaanna@us.example"])
    expect(previewed).to_contain_text("about 12,500")
    expect(previewed).to_contain_text("Without consent this list comes from the CRM")
    for field in ("sentDateTime", "attendees", "text, subject, attachments"):
        expect(previewed).to_contain_text(field)
    element.get_by_label("Include inactive users").check()
    element.get_by_role("button", name="Preview").click()
    expect(previewed.locator("tbody tr")).to_have_count(2)
    element.get_by_role("button", name="Enable").click()
    expect(element.get_by_role("status").first).to_have_text("Saved. The connection is being checked.")
    state = consent_state.read()
    assert (state.state, state.scope.roles, state.scope.include_inactive) == (
        State.PENDING_CONSENT,
        ("Sales Person",),
        True,
    )
    expect(role).to_be_checked()
    show_part(element, "overview")
    connection = element.get_by_role("region", name="Connection to Microsoft 365")
    expect(connection.locator(".word")).to_have_text("Waiting for consent")
    for words in ("1 of 14", "14 days", "Consent pending"):
        expect(connection).to_contain_text(words)
    expect(element.locator(".history tbody")).to_contain_text("Enabled")
    assert page.evaluate("window.hit") is None


def test_a_choice_of_nobody_is_refused_in_words(page: Page, app: RealApp, people: None) -> None:
    element = open_part(page, app, "mailboxes")
    element.get_by_role("button", name="Enable").click()
    notice = element.locator(".notice.warn")
    expect(notice).to_contain_text("This is not accepted: choose at least one role or group")
    element.get_by_label(MARKUP).check()
    element.get_by_role("button", name="Enable").click()
    expect(notice).to_contain_text("no active user with a mail address has one of these roles")
    assert consent_state.read().state is State.DISABLED


def test_a_role_that_the_crm_does_not_know_any_more_can_be_taken_out(page: Page, app: RealApp, people: None) -> None:
    become(State.LIVE)
    now = int(time.time())
    known = consent_state.read()
    consent_state.change(
        lambda _: Transition("T12", replace(known, scope=Scope(("gone", "r1"), ("g1",)))), now, "timer"
    )
    element = open_part(page, app, "mailboxes")
    expect(element.get_by_label("Sales Person")).to_be_checked()
    element.get_by_label("gone").uncheck()
    element.get_by_label("Directory groups").fill("g2\n g3 \n")
    element.get_by_role("button", name="Save the choice").click()
    expect(element.get_by_role("status").first).to_contain_text("Saved.")
    assert consent_state.read().scope == Scope(("r1",), ("g2", "g3"))


def _mailboxes(now: int) -> list[Mailbox]:
    past = now - 365 * DAY
    live = Mailbox(
        id="m000", address="anna@us.example", connected_at=now - DAY, target=past, mail_from=past, calendar_from=past,
        mail_until=now - 120, calendar_until=now - 60,
    )  # fmt: skip
    parked = replace(live, id="m001", address="ben@us.example", parked_until=now + DAY, error="ErrorAccessDenied")
    reading = replace(live, id="m002", address=MARKUP, mail_from=now - DAY, calendar_from=now - DAY)
    return [live, parked, reading, *(replace(live, id=f"x{n}", address=f"x{n:02}@us.example") for n in range(60))]


def test_mailboxes_say_their_state_and_error_page_by_page(page: Page, app: RealApp) -> None:
    become(State.BACKFILL)
    for mailbox in _mailboxes(int(time.time())):
        mailboxes.put(mailbox)
    element = open_part(page, app, "overview")
    rows = element.locator(".list tbody tr")
    expect(rows).to_have_count(50)
    expect(element.locator(".coverage dd").first).to_have_text("63")
    expect(element.locator(".coverage progress")).to_have_js_property("max", 1)
    assert 0.98 < float(element.locator(".coverage progress").evaluate("one => one.value")) < 0.99
    element.get_by_role("button", name="More").click()
    expect(rows).to_have_count(63)
    ben = rows.filter(has_text="ben@us.example")
    expect(ben).to_contain_text("cannot be read")
    expect(ben).to_contain_text("Exchange does not let Rapport read this mailbox.")
    expect(ben).to_contain_text("ErrorAccessDenied")
    expect(rows.filter(has_text="anna@us.example")).to_contain_text("2 minutes ago")
    element.get_by_label("State").focus()
    element.get_by_label("State").select_option("backfill")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(MARKUP)
    expect(rows).to_contain_text("0%")
    expect(element.get_by_label("State")).to_be_focused()
    page.select_option("#language", "de")
    element.get_by_label("Zustand").select_option("parked")
    expect(rows).to_contain_text("Exchange")
    expect(rows).to_contain_text("nicht lesbar")
    assert page.evaluate("window.hit") is None


@pytest.fixture
def consent_page(window: BrowserContext, app: RealApp, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Microsoft's page, which leads back to the app at once; the addresses under which it was opened."""
    monkeypatch.setenv("GRAPH_CLIENT_ID", "c1")
    monkeypatch.setenv("GRAPH_TENANT_ID", TENANT)
    monkeypatch.setenv("GRAPH_LOGIN", LOGIN)
    monkeypatch.setenv("CONSENT_REDIRECT_URL", f"{app.url}/api/consent/done")
    opened: list[str] = []

    def answered(route: Route) -> None:
        opened.append(route.request.url)
        asked = parse_qs(urlsplit(route.request.url).query)
        answer = urlencode({"state": asked["state"][0], "tenant": TENANT, "admin_consent": "True"})
        route.fulfill(status=302, headers={"Location": f"{asked['redirect_uri'][0]}?{answer}"})

    window.route(f"{LOGIN}/**", answered)
    yield opened
    window.unroute(f"{LOGIN}/**")


def test_the_answer_of_the_consent_page_is_handed_over(page: Page, app: RealApp, consent_page: list[str]) -> None:
    become(State.PENDING_CONSENT)
    element = open_part(page, app, "mailboxes")
    with page.expect_popup() as popup:
        element.get_by_role("button", name="Open Microsoft’s consent page").click()
    expect(element.get_by_role("status").first).to_contain_text("The answer was taken.")
    assert urlsplit(consent_page[0]).path == f"/{TENANT}/v2.0/adminconsent"
    assert app.asked.count("POST /api/consent/returned") == 1
    assert popup.value.is_closed()


def test_an_answer_of_another_window_is_not_taken(page: Page, app: RealApp, consent_page: list[str]) -> None:
    become(State.PENDING_CONSENT)
    element = open_part(page, app, "mailboxes")
    page.context.route(f"{LOGIN}/**", lambda route: route.fulfill(content_type="text/html", body="Please sign in"))
    with page.expect_popup() as popup:
        element.get_by_role("button", name="Open Microsoft’s consent page").click()
    expect(element.get_by_role("status").first).to_contain_text("The page is open in a window of its own.")
    page.evaluate(
        "new Promise((then) => { addEventListener('message', then); postMessage({ rapportConsent: {} }, '*'); })"
    )
    assert "POST /api/consent/returned" not in app.asked
    popup.value.evaluate("opener.postMessage({ rapportConsent: { state: 'unknown' } }, '*')")
    expect(element.locator(".notice.warn")).to_contain_text("This answer belongs to no open question")
    assert app.asked.count("POST /api/consent/returned") == 1


def test_an_answer_can_be_sent_by_hand_and_is_checked(page: Page, app: RealApp, consent_page: list[str]) -> None:
    become(State.PENDING_CONSENT)
    element = open_part(page, app, "mailboxes")
    element.get_by_text("The window showed a text instead?").click()
    notice = element.locator(".notice.warn")
    for text, words in (
        ("nonsense", "This is not accepted:"),
        ('{"state": "s"}', "This answer belongs to no open question"),
    ):
        element.get_by_label("Paste it here").fill(text)
        element.get_by_role("button", name="Send").click()
        expect(notice).to_contain_text(words)


def test_ending_asks_first_and_says_what_is_erased_when(page: Page, app: RealApp) -> None:
    become(State.LIVE)
    element = open_part(page, app, "mailboxes")
    disable = element.get_by_role("button", name="Disable")
    disable.click()
    expect(element.locator("dialog [value=no]")).to_be_focused()
    said = answer_dialog(element, yes=False)
    assert "hidden within 60 seconds" in said
    assert "kept for 14 days" in said
    assert consent_state.read().state is State.LIVE
    element.get_by_role("button", name="Turn the Exchange switch off").click()
    answer_dialog(element, yes=True)
    expect(element.get_by_role("status").first).to_have_text("The switch is off.")
    assert consent_state.read().state is State.CRM_ONLY
    expect(element.get_by_role("button", name="Turn the Exchange switch on")).to_be_visible()
    disable.click()
    page.keyboard.press("Escape")
    element.locator("dialog").wait_for(state="detached")
    assert consent_state.read().state is State.CRM_ONLY
    disable.click()
    element.get_by_label("Do not wait, erase it at once").check()
    answer_dialog(element, yes=True)
    expect(element.get_by_role("status").first).to_have_text("Reading mailboxes is disabled.")
    assert (consent_state.read().state, consent_state.read().erase_now) == (State.DISABLED, True)
    expect(disable).to_have_count(0)
    show_part(element, "overview")
    assert texts(element.locator(".history tbody td:first-of-type"))[:2] == ["Erasure at once", "Disabled"]


def test_what_is_held_can_be_erased_later_and_its_receipt_is_shown(page: Page, app: RealApp) -> None:
    stopped = int(time.time()) - DAY
    become(State.CRM_ONLY, stopped_at=stopped)
    mailboxes.put(replace(_mailboxes(stopped)[0], state="held"))
    erasures.begin(consent_state.read(), stopped)
    element = open_part(page, app, "mailboxes")
    receipts = element.get_by_role("region", name="Erasures of what Exchange told").first
    expect(receipts).to_contain_text("switch turned off")
    element.get_by_role("button", name="Erase now").click()
    assert "erased for good now" in answer_dialog(element, yes=True)
    expect(element.get_by_role("status").first).to_have_text("It is being erased.")
    assert (consent_state.read().state, consent_state.read().erase_now) == (State.CRM_ONLY, True)
