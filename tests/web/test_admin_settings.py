"""The administrator's page on a real app: settings changed, refused at their field, tried out, published, followed, undone."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from msgspec import json
from playwright.sync_api import Locator, Page, expect

from shared import ingest, introduction_rows, publishing, recompute
from shared.auth import Caller
from shared.changes import parse_batch
from shared.organisation_settings import FrequencyRule, OrganisationSettings
from shared.publishing import SettingsChange
from tests.doubles.tenants import RECORDS, story
from tests.web.admin_pages import answer_dialog, open_part, show_part
from tests.web.real_app import RealApp


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
    expect(settings.locator(".notice")).not_to_have_text("Working …")
    assert settings.locator(".wrong").all_inner_texts() == []
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
    expect(field(settings, "pointsWithBreadth.breadth")).to_have_accessible_description("0 to 100 · default 10")


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


def test_every_shape_of_field_is_published_as_it_was_filled_in(settings: Locator) -> None:
    field(settings, "halfLifeDays").fill("45.5")
    field(settings, "rollingWindowDays").fill("365")
    field(settings, "frequency").select_option("monthly")
    field(settings, "twoYearRule").check()
    field(settings, "internalDomains").fill("us.example\n\n ours.example ")
    field(settings, "workingTime.hours.fri").fill("08:00-12:00, 13:00 - 15:30")
    field(settings, "workingTime.hours.mon").fill("")
    field(settings, "workingTime.holidays").fill("2026-12-25")
    field(settings, "alarms.idleDaysOfType.lead").fill("3")
    field(settings, "similarDeals.weights.region").fill("")
    settings.get_by_label("sender such as no-reply").uncheck()
    for number in range(2):
        settings.get_by_role("button", name="Add a rule").click()
        field(settings, f"frequencyRules.{number}.recordType").select_option(["account", "lead"][number])
    field(settings, "frequencyRules.1.frequency").select_option("daily")
    field(settings, "frequencyRules.1.attribute").select_option("region")
    field(settings, "frequencyRules.1.value").fill("EU")
    settings.get_by_role("button", name="Up (2)").click()
    settings.get_by_label("Comment").fill("for the summer")
    publish(settings)
    found = publishing.current()
    assert (found.comment, found.author_name) == ("for the summer", "Ada")
    one = found.settings
    assert (one.half_life_days, one.rolling_window_days, one.frequency, one.two_year_rule) == (
        45.5,
        365,
        "monthly",
        True,
    )
    assert one.internal_domains == ("us.example", "ours.example")
    assert one.working_time.hours["fri"] == [("08:00", "12:00"), ("13:00", "15:30")]
    assert (one.working_time.hours["mon"], [str(day) for day in one.working_time.holidays]) == ([], ["2026-12-25"])
    assert one.alarms.idle_days_of_type == {"lead": 3}
    assert sorted(one.similar_deals.weights) == ["amount", "currency", "industry", "product"]
    assert sorted(set(OrganisationSettings().noise_rules) - set(one.noise_rules)) == ["sender"]
    assert one.frequency_rules == (
        FrequencyRule(frequency="daily", record_type="lead", attribute="region", value="EU"),
        FrequencyRule(frequency="weekly", record_type="account"),
    )
    settings.get_by_role("button", name="Remove (1)").click()
    field(settings, "rollingWindowDays").fill("")
    publish(settings)
    assert [rule.record_type for rule in publishing.current().settings.frequency_rules] == ["account"]
    assert publishing.current().settings.rolling_window_days is None


def test_what_is_typed_stays_over_parts_and_languages_until_it_is_discarded(page: Page, settings: Locator) -> None:
    field(settings, "halfLifeDays").fill("45")
    expect(settings.locator("form")).to_contain_text("Changed: Half-life of health, days")
    expect(settings.locator("[data-part=halfLifeDays]")).to_have_class(re.compile("changed"))
    show_part(settings, "quality")
    show_part(settings, "settings")
    page.select_option("#language", "pl")
    settings.locator("[lang=pl] #panel [aria-busy=false]").wait_for()
    expect(field(settings, "halfLifeDays")).to_have_value("45")
    settings.get_by_role("button", name="Odrzuć zmiany").click()
    expect(field(settings, "halfLifeDays")).to_have_value("60")
    expect(settings.get_by_role("button", name="Opublikuj")).to_be_disabled()


def test_changes_are_kept_upon_what_somebody_else_has_published(settings: Locator) -> None:
    field(settings, "halfLifeDays").fill("45")
    theirs = SettingsChange(settings=OrganisationSettings(timeline_days=90))
    publishing.publish(theirs, 0, Caller(id="o", name="Ben", roles=frozenset(), tenant="t"))
    settings.get_by_role("button", name="Publish").click()
    expect(settings.locator(".notice.warn")).to_contain_text("Somebody else has published settings")
    assert publishing.current().version == 1
    settings.get_by_role("button", name="Keep my changes upon that version").click()
    expect(settings.locator(".notice")).to_contain_text("upon version 1")
    expect(field(settings, "timelineDays")).to_have_value("90")
    publish(settings)
    found = publishing.current().settings
    assert (found.half_life_days, found.timeline_days) == (45.0, 90)


@pytest.fixture
def records(app: RealApp) -> None:
    """A tenant whose records are computed."""
    ingest.take_in(parse_batch(json.encode({"changes": story(2, 40)})))
    for record in RECORDS:
        recompute.recompute(record, int(time.time()))


def test_settings_are_tried_out_published_followed_and_undone(page: Page, records: None, settings: Locator) -> None:
    expect(settings.locator(".inForce")).to_contain_text("All records are computed by these settings")
    field(settings, "grades.good").fill("99")
    settings.get_by_role("button", name="Preview").click()
    tried = settings.get_by_role("region", name="What your changes would do")
    expect(tried).to_be_focused()
    rows = tried.get_by_role("region", name="Share of records in each grade").locator("tbody tr")
    expect(rows).to_have_count(10)
    shares = rows.nth(1).locator("td.number").all_inner_texts()
    assert sum(float(one.rstrip("%")) for one in shares[:4]) == pytest.approx(100, abs=2)
    expect(tried).to_contain_text("Limits of grades change no score")
    field(settings, "halfLifeDays").fill("7")
    settings.get_by_role("button", name="Preview").click()
    expect(tried).to_contain_text("Whether these settings foretell better cannot be said: too few records")
    expect(tried.get_by_role("region", name="Records that would move most").locator("tbody tr").first).to_be_visible()
    publish(settings)
    expect(tried).to_have_count(0)
    running = settings.locator(".inForce")
    expect(running).to_contain_text(re.compile(r"Computed by these settings: 0 of \d+"))
    for record in RECORDS:
        recompute.recompute(record, int(time.time()))
    expect(running).to_contain_text("All records are computed by these settings", timeout=10_000)
    settings.get_by_role("button", name="Compare (0)").click()
    differences = settings.get_by_role("region", name="Version 0 and the settings in force").locator("tbody tr")
    expect(differences).to_have_text([re.compile("Half-life of health, days.*60.*7"), re.compile("Good.*60.*99")])
    settings.get_by_role("button", name="Go back to it (0)").click()
    assert "The content of version 0 is published again" in answer_dialog(settings, yes=True)
    expect(settings.locator(".notice")).to_contain_text("Published.")
    found = publishing.current()
    assert (found.version, found.restores, found.settings) == (2, 0, OrganisationSettings())
    expect(settings.locator(".versions tbody tr")).to_have_count(3)
    expect(settings.locator(".versions tbody tr").first).to_contain_text("brought back version 0")


def test_weights_are_taken_over_from_dynamics(settings: Locator) -> None:
    settings.locator("[data-focus=import-meeting]").fill("50")
    settings.get_by_role("button", name="Take over").click()
    expect(field(settings, "weights.meeting")).to_have_value("4.5")
    assert publishing.current().version == 0


def test_the_mail_of_introductions_is_changed_in_each_language(settings: Locator) -> None:
    subject, save = settings.get_by_label("Subject"), settings.get_by_role("button", name="Save the mail")
    expect(settings.get_by_label("Text", exact=True)).to_have_value(re.compile("{"))
    settings.get_by_label("Language of the mail").select_option("ro")
    expect(subject).to_have_attribute("lang", "ro")
    supplied = introduction_rows.template("ro").subject
    expect(subject).to_have_value(supplied)
    subject.fill("{nonsense}")
    save.click()
    expect(settings.locator(".notice.warn")).to_contain_text("nonsense")
    assert introduction_rows.template("ro").subject == supplied
    subject.fill("O rugăminte")
    save.click()
    expect(settings.locator(".notice")).to_have_text("The mail is saved.")
    assert introduction_rows.template("ro").subject == "O rugăminte"
    settings.get_by_label("Language of the mail").select_option("en")
    expect(subject).to_have_value(introduction_rows.template("en").subject)
