"""The administrator's page as a whole: tabs, languages, colours, narrow screens, who is let in; privacy, quality, operations."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import json
from playwright.sync_api import Locator, Page, expect

from shared import access_log, ingest, quality_report, tables
from shared.auth import Caller
from shared.changes import parse_batch
from shared.quality_shapes import DealQuality, QualityReport, ScoreQuality, TieAlive
from tests.doubles.tenants import story
from tests.web.admin_pages import answer_dialog, open_part, show_part
from tests.web.forms import texts
from tests.web.real_app import RealApp
from tests.web.test_widgets import CONTRAST

PARTS = ("overview", "mailboxes", "settings", "privacy", "quality", "operations")
MARKUP = "<img src=x onerror=window.hit=1>"
OPEN_ALL = "one => one.shadowRoot.querySelectorAll('details').forEach((each) => (each.open = true))"


@pytest.fixture
def filled(app: RealApp) -> None:
    """Something to show in every part: people, a reading, an opted-out person, a report."""
    ingest.take_in(parse_batch(json.encode({"changes": story(2, 40)})))
    role = {"entity": "role", "id": "r1", "version": 1, "operation": "upsert", "attributes": {"name": "Sales Person"}}
    ingest.take_in(parse_batch(json.encode({"changes": [role]})))
    reader = Caller(id="r", name="Ben", roles=frozenset(), tenant="t")
    access_log.note(reader, "contact:c1", "widgets", int(time.time()))
    keep(report())


def report() -> QualityReport:
    scores = [
        ScoreQuality(score, auc, 0.7, 0.12, 0.03, 500, {})
        for score, auc in (("rapport", 0.861), ("decay", 0.85), ("recency", 0.872))
    ]
    ties = TieAlive(horizon_days=30, people=80, sampled=False, mails=4_000, scores=scores, better_baselines=["recency"])
    known = DealQuality(
        days_before=30, won=40, lost=35, insufficient=2, sampled=False, auc=0.613, low=0.48, high=0.74, auc_decay=0.6,
        auc_recency=0.59, better_baselines=[],
    )  # fmt: skip
    few = DealQuality(
        days_before=60, won=4, lost=3, insufficient=0, sampled=False, auc=None, low=None, high=None, auc_decay=None,
        auc_recency=None, better_baselines=[], reason="tooFew",
    )  # fmt: skip
    return QualityReport(computed_at="2026-11-22T03:45:00Z", params_version=0, tie_alive=ties, deals=[known, few])


def keep(made: QualityReport) -> None:
    """As the report's worker keeps it."""
    row = {"PartitionKey": quality_report.PARTITION, "RowKey": quality_report.LATEST, "v": quality_report.VERSION}
    tables.upsert(quality_report.TABLE, {**row, **tables.split(json.encode(made))})


@pytest.mark.parametrize(
    ("language", "forth", "back"), [("en", "ArrowRight", "ArrowLeft"), ("ar", "ArrowLeft", "ArrowRight")]
)
def test_keys_walk_the_tabs(page: Page, app: RealApp, language: str, forth: str, back: str) -> None:
    element = open_part(page, app, "overview", language=language)
    tabs = element.get_by_role("tab")
    expect(tabs).to_have_count(6)
    page.keyboard.press(forth)
    expect(tabs.nth(1)).to_be_focused()
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press(back)
    page.keyboard.press(back)
    expect(tabs.nth(5)).to_be_focused()
    page.keyboard.press("Home")
    expect(tabs.nth(0)).to_be_focused()
    expect(element.get_by_role("tabpanel")).to_have_attribute("aria-labelledby", "tab-overview")
    assert [tab.get_attribute("tabindex") for tab in tabs.all()] == ["0", *["-1"] * 5]


@pytest.mark.parametrize("language", ["en", "de", "pl", "ro", "ar"])
def test_every_part_speaks_every_language_without_gaps(page: Page, app: RealApp, filled: None, language: str) -> None:
    element = open_part(page, app, "overview", language=language)
    for name in PARTS:
        show_part(element, name)
        element.evaluate(OPEN_ALL)
        said = element.locator("#panel").inner_text()
        assert len(said) > 60
        assert not re.search(r"\b[a-z]+[A-Za-z]*\.[a-zA-Z]+\b(?!\.example)|\{\w+\}|undefined|\[object|NaN", said), said


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_enough_contrast(page: Page, app: RealApp, filled: None, theme: str) -> None:
    element = open_part(page, app, "overview", theme=theme)
    for name in PARTS:
        show_part(element, name)
        element.evaluate(OPEN_ALL)
        seen, weak = element.evaluate(CONTRAST)
        assert seen > 15
        assert weak == []


@pytest.mark.parametrize("language", ["de", "ar"])
def test_nothing_runs_over_on_a_phone(page: Page, app: RealApp, filled: None, language: str) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    element = open_part(page, app, "overview", language=language)
    for name in PARTS:
        show_part(element, name)
        element.evaluate(OPEN_ALL)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 1, name


def test_everything_has_a_name_for_those_who_listen(page: Page, app: RealApp, filled: None) -> None:
    element = open_part(page, app, "overview")
    unnamed = """root => [...root.shadowRoot.querySelectorAll("button, select, summary, input, textarea, progress")]
        .filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.length)).map((one) => one.outerHTML)"""
    for name in PARTS:
        show_part(element, name)
        assert element.evaluate(unnamed) == []
        ids = element.evaluate("one => [...one.shadowRoot.querySelectorAll('[id]')].map((each) => each.id)")
        assert len(ids) == len(set(ids))


def test_who_is_no_administrator_is_told_so(page: Page, app: RealApp) -> None:
    page.goto(f"{app.url}/health")
    page.evaluate(
        """async () => {
            const { configure } = await import("/api/web/rapport-admin.js");
            configure({ getToken: () => "Rapport.Reader" });
            document.body.append(document.createElement("rapport-admin"));
        }"""
    )
    element = page.locator("rapport-admin")
    expect(element.locator("#panel").get_by_text("This is for administrators only.")).to_be_visible()
    expect(element.get_by_role("button", name="Try again")).to_be_visible()


def opt_out(element: Locator, address: str, *, yes: bool) -> None:
    element.get_by_label("Mail address").fill(address)
    element.get_by_role("button", name="Take out and erase").click()
    assert address in answer_dialog(element, yes=yes)


def test_a_person_is_taken_out_after_a_question(page: Page, app: RealApp, filled: None) -> None:
    element = open_part(page, app, "privacy")
    expect(element.locator(".accesses tbody tr")).to_have_text([re.compile("Ben.*figures of a record.*1")])
    opt_out(element, "c1@cust.example", yes=False)
    expect(element.locator(".optOuts")).to_contain_text("Nobody has opted out.")
    opt_out(element, "c1@cust.example", yes=True)
    expect(element.locator(".notice")).to_contain_text("Hidden. The receipt below tells")
    row = element.locator(".optOuts tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("being erased")
    expect(element.get_by_label("Mail address")).to_have_value("")
    assert not [path for path in app.asked if "cust.example" in path]
    element.get_by_label("Mail address").fill("no address")
    element.get_by_role("button", name="Take out and erase").click()
    expect(element.locator("dialog")).to_have_count(0)


def test_an_address_is_explained_and_its_data_exported(page: Page, app: RealApp, filled: None, tmp_path: Path) -> None:
    element = open_part(page, app, "privacy")
    element.get_by_label("Mail address").fill("c1@cust.example")
    element.get_by_role("button", name="Who is this?").click()
    expect(element.locator(".person dl")).to_contain_text("Contact c1")
    expect(element.locator(".person dl")).to_contain_text("outside")
    expect(element.locator(".person tbody tr").first).to_be_visible()
    element.get_by_role("button", name="Export what is held").click()
    expect(element.locator(".notice")).to_contain_text("The export is ready.")
    with page.expect_download() as download:
        element.get_by_role("link", name="Save the file").click()
    file = tmp_path / "export.json"
    download.value.save_as(file)
    pages: list[dict[str, Any]] = json.decode(file.read_bytes())
    assert pages[0]["subject"]["addresses"] == ["c1@cust.example"]
    assert pages[-1]["nextPage"] is None
    assert app.asked.count("POST /api/people/data") == len(pages) >= 2


def test_quality_is_said_in_words_beside_the_figures(page: Page, app: RealApp) -> None:
    element = open_part(page, app, "quality")
    expect(element.locator(".report")).to_contain_text("It has not been measured yet.")
    element.get_by_role("button", name="Measure now").click()
    expect(element.locator(".notice")).to_contain_text("It is being measured")
    assert app.asked.count("POST /api/quality") == 1
    keep(report())
    element.get_by_role("button", name="Refresh").click()
    ties, deals = element.locator(".foretellsTies"), element.locator(".foretellsDeals")
    expect(ties).to_contain_text("The score tells well")
    expect(ties).to_contain_text("in 86% of pairs")
    expect(ties).to_contain_text("These plain rules did better: time since the last mail.")
    expect(ties.locator("tbody tr")).to_have_count(3)
    assert float(ties.locator("meter").first.evaluate("one => one.value")) == 0.861
    expect(deals.locator("tbody tr").first).to_contain_text("0.48 – 0.74")
    expect(deals.locator("tbody tr").last).to_contain_text("too few deals to say")


def test_operations_tell_what_runs_and_that_it_does_not_answer(page: Page, app: RealApp, filled: None) -> None:
    element = open_part(page, app, "operations")
    expect(element.locator(".alive .word")).to_have_text("It answers, and so does its storage.")
    assert re.fullmatch(r"3\.\d+\.\d+", texts(element.locator(".alive dd"))[1])
    expect(element.locator(".computed tbody tr")).to_have_count(5)
    page.route("**/api/health", lambda route: route.fulfill(status=503, json={"status": 503}))
    element.get_by_role("button", name="Refresh").click()
    expect(element.locator(".alive .word")).to_have_text("It does not answer.")
