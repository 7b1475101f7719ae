"""How the widgets fit: nothing runs over the page, on a phone neither, and words are not broken into letters."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.web.forms import opened
from tests.web.recorded_app import RecordedApp

OVERFLOWING = """root => [...root.shadowRoot.querySelectorAll(".widget")]
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((one) => one.className)"""
LINES = "all => all.map((one) => one.getBoundingClientRect().height / parseFloat(getComputedStyle(one).lineHeight))"


@pytest.mark.parametrize("language", ["de", "ar"])
@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_runs_over_and_names_stay_whole(page: Page, form: RecordedApp, language: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    element = opened(page, form, language=language)
    element.locator(f"[lang={language}] .widget.health").wait_for()
    assert element.evaluate(OVERFLOWING) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1")
    assert max(element.locator(".people tbody th button").evaluate_all(LINES)) < 3.5
