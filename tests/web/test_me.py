"""The user's own page in a browser: choices, opting out with a receipt, requests to answer, readings, what is held."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from shared.choices import Choices
from tests.web.recorded_app import RecordedApp
from tests.web.recorded_me import KIM
from tests.web.test_widgets import CONTRAST, LANGUAGES


def opened(page: Page, form: RecordedApp, **view: str) -> Locator:
    page.goto(f"{form.url}/me")
    for name, value in view.items():
        page.select_option(f"#{name}", value)
    language = view.get("language", "en")
    page.locator(
        f"#me rapport-choices [lang={language}] section, #me rapport-choices [lang={language}].body .state"
    ).first.wait_for()
    return page.locator("#me")


def requested(form: RecordedApp, **more: Any) -> None:
    """A request to the user."""
    view = {
        "id": "0f1e2d3c-0000-4000-8000-000000000001", "state": "requested", "asker": {"id": "user:ben", "name": "Ben Ode"},
        "introducer": {"id": "user:anna", "name": "Anna Berg"}, "target": {"id": KIM, "name": "Kim Roe"},
        "record": {"id": "opportunity:7574479f-fabc-582b-9af1-d106b0a5ffb5", "name": "Big deal"},
        "createdAt": "2026-11-20T08:00:00Z", "requestedAt": "2026-11-21T08:00:00Z", "expiresAt": "2026-12-05T08:00:00Z",
        "proposal": "",
    }  # fmt: skip
    form.requests[str(view["id"])] = view | more


def test_a_choice_is_kept_at_once_and_the_others_stay(page: Page, form: RecordedApp) -> None:
    form.me.choices = Choices(do_not_ask_for=("kim@them.example",))
    mine = opened(page, form)
    mine.get_by_label("Do not name me as knowing somebody").check()
    expect(mine.locator("rapport-choices")).to_contain_text("Saved; in force now.")
    assert form.me.choices == Choices(hide_name=True, do_not_ask_for=("kim@them.example",))
    expect(mine.get_by_label("Do not name me as knowing somebody")).to_be_focused()
    mine.get_by_label("Do not name me as knowing somebody").uncheck()
    expect(mine.get_by_label("Do not name me as knowing somebody")).to_be_enabled()
    assert not form.me.choices.hide_name


def test_targets_are_added_and_removed_and_a_wrong_one_is_said(page: Page, form: RecordedApp) -> None:
    mine = opened(page, form)
    field = mine.get_by_label("Mail address or domain")
    field.fill("them.example")
    field.press("Enter")
    expect(mine.get_by_role("button", name="Remove them.example")).to_be_visible()
    field.fill("nonsense")
    mine.get_by_role("button", name="Add").click()
    expect(mine.get_by_role("alert")).to_contain_text("this is no address, mail domain or record")
    assert form.me.choices.do_not_ask_for == ("them.example",)
    mine.get_by_role("button", name="Remove them.example").click()
    expect(mine.get_by_role("button", name="Remove them.example")).to_have_count(0)
    assert form.me.choices.do_not_ask_for == ()


def test_opting_out_is_confirmed_and_has_a_receipt_and_a_way_back(page: Page, form: RecordedApp) -> None:
    mine = opened(page, form)
    mine.get_by_role("button", name="Take me out …").click()
    expect(mine.get_by_role("alert")).to_contain_text("erased within 24 hours")
    assert not form.me.choices.opt_out
    mine.get_by_role("button", name="No, stay").click()
    expect(mine.get_by_role("button", name="Take me out …")).to_be_focused()
    mine.get_by_role("button", name="Take me out …").click()
    mine.get_by_role("button", name="Yes, take me out").click()
    choices = mine.locator("rapport-choices")
    expect(choices).to_contain_text("Your data is being erased.")
    expect(choices).to_contain_text("Interactions without you7")
    assert form.me.choices == Choices(opt_out=True)
    form.me.status = "COMPLETED"
    choices.get_by_role("button", name="Look again").click()
    expect(choices).to_contain_text("Your data has been erased.")
    choices.get_by_text("Signed receipt").click()
    expect(choices).to_contain_text("c0ffee")
    choices.get_by_role("button", name="Come back").click()
    expect(choices.get_by_role("button", name="Take me out …")).to_be_visible()
    assert form.me.choices == Choices()


@pytest.mark.parametrize(("button", "state"), [("Accept", "accepted"), ("Decline", "declined")])
def test_a_request_is_answered(page: Page, form: RecordedApp, button: str, state: str) -> None:
    requested(form)
    mine = opened(page, form)
    row = mine.locator("rapport-inbox li")
    expect(row).to_contain_text("Ben Ode wishes to meet Kim Roe")
    expect(row).to_contain_text("answer by Dec 5, 2026")
    row.get_by_role("button", name=button).click()
    expect(row).to_contain_text(state)
    assert ("PUT", "state", {"state": state}) in form.told
    expect(row.get_by_role("button", name=button)).to_have_count(0)


def test_what_has_happened_can_be_said(page: Page, form: RecordedApp) -> None:
    requested(form, state="accepted", proposal="done")
    mine = opened(page, form)
    row = mine.locator("rapport-inbox li")
    expect(row).to_contain_text("it seems to have happened")
    row.get_by_role("button", name="It has happened").click()
    expect(row).to_contain_text("done")
    assert ("PUT", "state", {"state": "done"}) in form.told


def test_not_to_be_asked_for_somebody_is_chosen_from_the_request(page: Page, form: RecordedApp) -> None:
    requested(form)
    mine = opened(page, form)
    mine.get_by_role("button", name="Do not ask me for this person").click()
    expect(mine.locator("rapport-inbox")).to_contain_text("You will not be asked for this person again.")
    expect(mine.locator("rapport-choices .targets li")).to_have_count(1)
    assert form.me.choices.do_not_ask_for == (KIM,)


def test_ones_own_requests_stand_beside(page: Page, form: RecordedApp) -> None:
    requested(form)
    mine = opened(page, form)
    expect(mine.locator("rapport-introductions li")).to_contain_text("Kim Roe")
    assert {"role=asker", "role=introducer"} == {
        path.partition("?")[2] for path in form.asked if "introductions?" in path
    }


def test_readings_are_listed_and_go_further_back(page: Page, form: RecordedApp) -> None:
    mine = opened(page, form)
    rows = mine.locator("rapport-accesses tbody tr")
    expect(rows).to_have_count(20)
    expect(rows.first).to_contain_text("Reader 0Who knows whomOpportunity")
    mine.locator("rapport-accesses").get_by_role("button", name="More").click()
    expect(rows).to_have_count(40)
    mine.get_by_label("Of the last").select_option("400")
    expect(rows).to_have_count(20)
    assert "GET /api/me/accesses?days=400" in form.me.asked
    rows.first.get_by_role("button").click()
    expect(page).to_have_url(re.compile("type=opportunity"))


def test_what_is_held_comes_on_demand_page_by_page(page: Page, form: RecordedApp) -> None:
    mine = opened(page, form)
    assert not [one for one in form.me.asked if "/me/data" in one]
    mine.get_by_role("button", name="Show what is held about me").click()
    held = mine.locator("rapport-held")
    expect(held.get_by_role("status")).to_have_text(
        "Whom I know 1 · Interactions by record 1 · Stored copies 0 · there is more"
    )
    expect(held).to_contain_text("anna@us.example")
    expect(held).to_contain_text("counted: belongs to the record")
    held.get_by_text("Row of the CRM").click()
    expect(held).to_contain_text("Anna <b>Berg</b>")
    held.get_by_role("button", name="More").click()
    expect(held.get_by_role("status")).to_have_text("Whom I know 1 · Interactions by record 1 · Stored copies 1")


def test_all_of_it_is_saved_as_a_file(page: Page, form: RecordedApp, tmp_path: Path) -> None:
    mine = opened(page, form)
    mine.get_by_role("button", name="Show what is held about me").click()
    with page.expect_download() as download:
        mine.get_by_role("button", name="Save all of it as a file").click()
    file = tmp_path / "mine.json"
    download.value.save_as(file)
    pages = json.loads(file.read_text())
    assert [one["part"] for one in pages] == ["about", "copies"]
    assert pages[1]["nextPage"] is None


def test_who_is_no_user_of_the_crm_is_told_so(page: Page, form: RecordedApp) -> None:
    form.me.refused = True
    mine = opened(page, form)
    expect(mine.locator("rapport-choices").get_by_role("status")).to_have_text(
        "The CRM has no user with your sign-in address."
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_speaks_without_gaps(page: Page, form: RecordedApp, language: str) -> None:
    requested(form)
    mine = opened(page, form, language=language)
    mine.locator("[data-focus=held]").click()
    mine.locator("rapport-held details").first.wait_for()
    mine.locator("[data-focus=leave]").click()
    said = "\n".join(mine.locator(".body").all_inner_texts())
    assert not re.findall(
        r"\b(?:me|choice|choices|leave|inbox|held|accesses|purpose|role|reason)\.\w+|\{\w+\}|undefined|null|NaN", said
    )
    expect(mine.locator("rapport-held > .body")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_and_width(page: Page, form: RecordedApp, theme: str) -> None:
    page.set_viewport_size({"width": 360, "height": 900})
    requested(form)
    mine = opened(page, form, theme=theme)
    mine.locator("[data-focus=held]").click()
    mine.locator("rapport-held details").first.wait_for()
    for part in ("inbox", "introductions", "choices", "accesses", "held"):
        seen, weak = mine.locator(f"rapport-{part}").evaluate(CONTRAST)
        assert seen > 2
        assert weak == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1")
