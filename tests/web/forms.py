"""What tests ask of the sample form: open a record, and read what an element shows."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

from tests.web.recorded_app import RecordedApp


def open_form(page: Page, form: RecordedApp, record: str = "", kind: str = "opportunity", **view: str) -> Locator:
    """The sample form with a record (default: the sample's own opportunity) and `view`: language, theme. The whole element."""
    page.goto(form.url)
    page.locator("#relationship .body").wait_for()
    if record:
        page.select_option("#type", kind)
        page.fill("#id", record)
        page.get_by_role("button", name="Open", exact=True).click()
    for name, value in view.items():
        page.select_option(f"#{name}", value)
    return page.locator("#relationship")


def opened(page: Page, form: RecordedApp, **view: str) -> Locator:
    """The same, once its figures are there."""
    element = open_form(page, form, **view)
    element.locator(".widget.health").wait_for()
    return element


def texts(found: Locator) -> list[str]:
    return [text.strip() for text in found.all_text_contents()]


def styles(found: Locator, name: str) -> list[Any]:
    """An inline style of each element."""
    read: list[Any] = found.evaluate_all("(all, name) => all.map((one) => one.style.getPropertyValue(name))", name)
    return read
