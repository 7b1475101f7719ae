"""What tests ask of the administrator's page: open a part of it, answer its question."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from tests.web.real_app import RealApp


def open_part(page: Page, app: RealApp, name: str, **view: str) -> Locator:
    """A part of the page, with `view`: language, theme; once it is read. The whole element."""
    page.goto(f"{app.url}/admin")
    element = page.locator("#admin")
    for choice, value in view.items():
        page.select_option(f"#{choice}", value)
    show_part(element, name)
    return element


def show_part(element: Locator, name: str) -> None:
    """Go to a part, and wait until it is read."""
    element.locator(f"#tab-{name}").click()
    element.locator("#panel [aria-busy=false]").wait_for()


def answer_dialog(element: Locator, *, yes: bool) -> str:
    """Answer the question that stands; gives its text."""
    dialog = element.locator("dialog")
    text = dialog.inner_text()
    dialog.locator("[value=yes]" if yes else "[value=no]").click()
    dialog.wait_for(state="detached")
    return text
