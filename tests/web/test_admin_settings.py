"""The administrator's page on a real app: settings changed, refused at their field, tried out, published, followed, undone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec import json
from playwright.sync_api import Locator, Page, expect

from shared import publishing
from shared.auth import Caller
from shared.organisation_settings import OrganisationSettings
from tests.web.admin_pages import open_part
from tests.web.real_app import RealApp

OTHER = Caller(id="o", name="Ben", roles=frozenset(), tenant="t")


def parts(value: Any, path: str = "") -> set[str]:
    """The paths of all parts of a document that have no parts themselves."""
    if not isinstance(value, dict):
        return {path}
    return set[str]().union(*(parts(one, f"{path}.{name}".lstrip(".")) for name, one in value.items()))


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.decode(json.encode(OrganisationSettings()))
    return found


@pytest.fixture
def settings(page: Page, app: RealApp) -> Locator:
    """The part with all its groups open."""
    element = open_part(page, app, "settings")
    element.evaluate("one => one.shadowRoot.querySelectorAll('details').forEach((each) => (each.open = true))")
    return element


def publish(settings: Locator) -> None:
    version = publishing.current().version
    settings.get_by_role("button", name="Publish").click()
    expect(settings.locator(".notice")).to_contain_text("Published.")
    assert publishing.current().version == version + 1


def field(settings: Locator, path: str) -> Locator:
    return settings.locator(f"[data-path='{path}']")


def test_every_setting_has_a_field_and_a_name_in_words(page: Page, settings: Locator) -> None:
    """Those that the page does not know by name stand among the further settings, under the name that the document has."""
    loose = {"points.breadth", "workingTime.hours.sat", "workingTime.hours.sun"}
    shown = set(settings.locator("[data-part]").evaluate_all("all => all.map((one) => one.dataset.part)"))
    assert parts(document()) - loose <= shown
    for language in ("en", "ar"):
        page.select_option("#language", language)
        settings.locator(f"[lang={language}] #panel [aria-busy=false]").wait_for()
        names = settings.locator("details:not([data-key=group-further]) [data-part]").evaluate_all(
            "all => all.map((one) => [one.dataset.part, one.querySelector('label, legend').textContent])"
        )
        assert len(names) > 80
        assert [path for path, name in names if re.search(r"[a-z][A-Z]", name)] == []
        assert [path for path, name in names if language == "ar" and re.fullmatch(r"[a-zA-Z]+", name)] == []


def test_ranges_and_defaults_come_from_the_interface(settings: Locator) -> None:
    half_life = field(settings, "halfLifeDays")
    expect(half_life).to_have_attribute("min", "7")
    expect(half_life).to_have_attribute("max", "365")
    expect(half_life).to_have_accessible_description("7 to 365 · default 60")


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("halfLifeDays", "5000", "<= 365"),
        ("grades.good", "30", "good must be above fair"),
        ("similarDeals.weights.amount", "11", "<= 10"),
        ("workingTime.hours.mon", "8-17", "times are HH:MM"),
        ("reportingTimeZone", "Berlin", "IANA"),
        ("neverLog", "ada@cust.example\nBad@", "Bad@"),
    ],
)
def test_what_is_refused_is_said_at_its_field(settings: Locator, path: str, text: str, words: str) -> None:
    field(settings, path).fill(text)
    settings.get_by_role("button", name="Publish").click()
    wrong = settings.locator(".wrong")
    expect(wrong).to_contain_text(words)
    expect(settings.locator(".notice.warn")).to_be_visible()
    assert publishing.current().version == 0
    part = settings.locator("[aria-invalid=true]")
    assert path.startswith(str(part.get_attribute("data-path")))
    expect(part).to_be_focused()
    settings.get_by_role("button", name="Discard the changes").click()
    expect(wrong).to_have_count(0)
