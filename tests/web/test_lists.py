"""Lists and the pipeline chart in a browser: dot and word, order, filters, idle records, bubbles by keyboard, a table."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web.forms import texts
from tests.web.recorded_app import RecordedApp, recorded_list
from tests.web.test_widgets import CONTRAST, LANGUAGES, MARKUP

PATH = re.compile(r"\?type=opportunity&id=[0-9a-f-]{36}$")


def opened(page: Page, form: RecordedApp, **view: str) -> tuple[Locator, Locator]:
    """The list and the chart of the lists' page, once they are there."""
    page.goto(f"{form.url}/lists")
    for name, value in view.items():
        page.select_option(f"#{name}", value)
    shown, chart = page.locator("#list"), page.locator("#pipeline")
    language = view.get("language", "en")
    shown.locator(f"[lang={language}] tbody tr").first.wait_for()
    chart.locator(f"[lang={language}] .bubble").first.wait_for()
    return shown, chart


def asked(form: RecordedApp, resource: str = "health") -> list[str]:
    return [path for path in form.asked if f"/{resource}" in path]


def test_a_row_shows_health_as_dot_and_word_and_trend_as_arrow_and_word(page: Page, form: RecordedApp) -> None:
    shown, _ = opened(page, form)
    words = {"good": "Good", "fair": "Fair", "poor": "Poor", "insufficient": "Not enough data"}
    for number, row in enumerate(recorded_list("list")["rows"][:20]):
        line = shown.locator("tbody tr").nth(number)
        expect(line.get_by_role("button")).to_have_text(row["name"])
        expect(line.locator(f".health .dot.{row['grade']}")).to_have_count(1)
        told = words[row["grade"]] + (f" {row['score']:g}" if row["score"] is not None else "")
        expect(line.locator(".health")).to_have_text(told)
        arrow = line.locator(".trend svg")
        expect(arrow).to_have_count(1 if row["trendName"] in ("improving", "steady", "declining") else 0)
    assert asked(form) == ["/api/health/opportunity?sort=attention&order=asc"]


def test_a_click_opens_the_record_on_the_form(page: Page, form: RecordedApp) -> None:
    shown, _ = opened(page, form)
    row = recorded_list("list")["rows"][0]
    shown.get_by_role("button", name=row["name"], exact=True).first.click()
    expect(page).to_have_url(PATH)
    expect(page.locator("#id")).to_have_value(row["record"].partition(":")[2])
    page.locator("#relationship .widget.health").wait_for()


def test_the_form_links_to_the_lists(page: Page, form: RecordedApp) -> None:
    page.goto(form.url)
    page.get_by_role("link", name="Lists").click()
    page.locator("#list tbody tr").first.wait_for()


def test_heads_sort_and_say_so(page: Page, form: RecordedApp) -> None:
    shown, _ = opened(page, form)
    expect(shown.locator("[aria-sort=ascending]")).to_have_text("Needs attention ▲")
    names = [row["name"] for row in recorded_list("list")["rows"]]
    for direction, wanted in (("ascending", sorted(names)), ("descending", sorted(names, reverse=True))):
        shown.get_by_role("columnheader", name="Name").get_by_role("button").click()
        expect(shown.locator(f"[aria-sort={direction}]")).to_contain_text("Name")
        expect(shown.locator("tbody th").first).to_have_text(wanted[0])
        assert texts(shown.locator("tbody th")) == wanted[:20]
        expect(shown.locator("[data-focus=sort-name]")).to_be_focused()


def test_grades_and_trend_narrow_and_more_goes_on(page: Page, form: RecordedApp) -> None:
    shown, _ = opened(page, form)
    rows, everything = shown.locator("tbody tr"), recorded_list("list")["rows"]
    poor = [one for one in everything if one["grade"] == "poor"]
    assert len(poor) > 20
    expect(shown.get_by_label(f"Poor ({len(poor)})")).to_have_count(1)
    shown.get_by_label("Poor").check()
    expect(shown.get_by_role("status")).to_have_text(f"20 of {len(poor)} shown")
    shown.get_by_role("button", name="More").click()
    expect(rows).to_have_count(len(poor))
    expect(shown.get_by_role("button", name="More")).to_have_count(0)
    declining = [one for one in poor if one["trendName"] == "declining"]
    shown.get_by_label("Trend").select_option("declining")
    expect(shown.get_by_role("status")).to_have_text(f"{min(20, len(declining))} of {len(declining)} shown")
    assert "grade=poor" in asked(form)[-1] and "trend=declining" in asked(form)[-1]


def test_idle_records_say_so_and_those_without_any_contact_too(page: Page, form: RecordedApp) -> None:
    def idle(content: dict[str, Any]) -> None:
        for number, row in enumerate(content.get("rows", ())):
            row |= {"idle": number < 2, "lastAt": None if number else "2020-01-01T00:00:00Z"}

    form.edits.append(idle)
    shown, _ = opened(page, form)
    flags = shown.locator(".idle")
    expect(flags).to_have_count(2)
    expect(flags.first).to_have_text(re.compile(r"^No activity for \d,\d{3} days$"))
    expect(flags.last).to_have_text("Never any activity")


def test_withheld_numbers_are_unknown_and_a_refusal_is_said(page: Page, form: RecordedApp) -> None:
    form.edits.append(lambda content: content.update(total=None, grades=None, lanes=None, reason="privacyFloor"))
    shown, chart = opened(page, form)
    expect(shown.get_by_role("status")).to_have_text("20 of unknown shown (Withheld: the group is too small)")
    expect(chart).to_contain_text("Withheld: the group is too small")
    expect(chart.locator(".chart text", has_text="Overdue")).to_have_text("Overdue")
    form.refuse = True
    for element in (shown, chart):
        element.get_by_role("button", name="Refresh").click()
        expect(element.get_by_role("status")).to_have_text("You have no access to this list.")


def test_one_can_see_only_ones_own_and_go_back(page: Page, form: RecordedApp) -> None:
    shown, _ = opened(page, form)
    shown.get_by_label("Only mine").check()
    with page.expect_response("**owner=me**"):
        shown.get_by_role("button", name="Refresh").click()
    form.refuse = True
    shown.get_by_role("button", name="Refresh").click()
    expect(shown.get_by_role("status")).to_contain_text("You have no access to this list.")
    form.refuse = False
    shown.get_by_role("button", name="Show all").click()
    expect(shown.get_by_label("Only mine")).not_to_be_checked()
    assert "owner" not in asked(form)[-1]


def test_every_bubble_has_its_place(page: Page, form: RecordedApp) -> None:
    _, chart = opened(page, form)
    bubbles = recorded_list("pipeline")["bubbles"]
    expect(chart.locator(".bubble")).to_have_count(len(bubbles))
    latest = max(one["days"] for one in bubbles if one["column"] == "dated")
    for one in bubbles:
        circle = chart.locator(f"[data-focus='bubble-{one['record']}']")
        x, y, r = (float(str(circle.get_attribute(name)).rstrip("%")) for name in ("cx", "cy", "r"))
        expect(circle).to_have_class(re.compile(rf"\b{one['grade']}\b"))
        assert ("hollow" in str(circle.get_attribute("class"))) == one["hollow"]
        if one["column"] == "dated":
            assert x == pytest.approx(19 + 66 * one["days"] / latest)
        else:
            assert x < 14 if one["column"] == "overdue" else x > 88
        assert y == pytest.approx(75 - 65 * one["score"] / 100) if one["row"] == "scored" else y > 80
        assert r == pytest.approx(max(5, 22 * one["radius"]))


def test_lanes_count_what_is_not_drawn(page: Page, form: RecordedApp) -> None:
    def five(content: dict[str, Any]) -> None:
        if "bubbles" in content:
            content["bubbles"] = [one for one in content["bubbles"] if one["column"] == "dated"][:5]

    form.edits.append(five)
    _, chart = opened(page, form)
    lanes = recorded_list("pipeline")["lanes"]
    overdue = sum(lane["count"] for lane in lanes if lane["column"] == "overdue")
    assert overdue > 0
    expect(chart.locator(".chart")).to_contain_text(f"Overdue ({overdue})")
    expect(chart).to_contain_text("5 of 64 drawn")


@pytest.mark.parametrize(("language", "forth"), [("en", "ArrowRight"), ("ar", "ArrowLeft")])
def test_keys_walk_the_bubbles_in_the_order_of_closing_and_open_one(
    page: Page, form: RecordedApp, language: str, forth: str
) -> None:
    _, chart = opened(page, form, language=language)
    expect(chart.locator(".bubble[tabindex='0']")).to_have_count(1)
    chart.locator(".bubble[tabindex='0']").focus()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press(forth)
    focused = chart.locator(".bubble:focus")
    expect(chart.locator(".readout")).to_have_text(str(focused.get_attribute("aria-label")))
    places = [
        float(str(x).rstrip("%"))
        for x in chart.locator(".bubble").evaluate_all("all => all.map((one) => one.getAttribute('cx'))")
    ]
    second = sorted(places, reverse=language == "ar")[1]
    assert float(str(focused.get_attribute("cx")).rstrip("%")) == second
    page.keyboard.press("Enter")
    expect(page).to_have_url(PATH)


def test_hover_tells_name_grade_days_and_revenue(page: Page, form: RecordedApp) -> None:
    _, chart = opened(page, form)
    one = next(
        one
        for one in reversed(recorded_list("pipeline")["bubbles"])
        if one["column"] == "dated" and one["row"] == "scored"
    )
    chart.locator(f"[data-focus='bubble-{one['record']}']").hover(force=True)
    told = f"{one['name']} · {one['grade'].capitalize()} {one['score']:g} · closes in {one['days']} days · "
    expect(chart.locator(".readout")).to_contain_text(told)


def test_the_table_says_the_same_as_the_chart(page: Page, form: RecordedApp) -> None:
    _, chart = opened(page, form)
    expect(chart.locator("table")).to_have_count(0)
    chart.get_by_text("As a table").click()
    bubbles = recorded_list("pipeline")["bubbles"]
    expect(chart.locator("tbody tr")).to_have_count(len(bubbles))
    assert texts(chart.locator("tbody th")) == [one["name"] for one in bubbles]
    assert "no amount" in texts(chart.locator("td.number"))
    assert "being computed" in texts(chart.locator("td:nth-child(2)"))
    chart.locator("tbody th button").first.click()
    expect(page).to_have_url(PATH)


def test_names_never_become_markup(page: Page, form: RecordedApp) -> None:
    def poison(content: dict[str, Any]) -> None:
        for one in [*content.get("rows", ()), *content.get("bubbles", ())]:
            one["name"] = MARKUP

    form.edits.append(poison)
    shown, chart = opened(page, form)
    expect(shown.locator("tbody th").first).to_have_text(MARKUP)
    chart.get_by_text("As a table").click()
    expect(chart.locator("tbody th").first).to_have_text(MARKUP)
    expect(page.locator("img")).to_have_count(0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_speaks_without_gaps(page: Page, form: RecordedApp, language: str) -> None:
    shown, chart = opened(page, form, language=language)
    for element in (shown, chart):
        expect(element.locator("> .body")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
        said = element.locator("> .body").inner_text()
        assert not re.findall(r"\b(?:list|pipeline|grade|trend|attention)\.\w+|\{\w+\}|undefined|null|NaN", said)


def test_arabic_closes_from_right_to_left(page: Page, form: RecordedApp) -> None:
    _, chart = opened(page, form, language="ar")
    late = next(one for one in recorded_list("pipeline")["bubbles"] if one["column"] == "overdue")
    assert float(str(chart.locator(f"[data-focus='bubble-{late['record']}']").get_attribute("cx")).rstrip("%")) > 86


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_contrast_and_width(page: Page, form: RecordedApp, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    shown, chart = opened(page, form, theme=theme)
    for element in (shown, chart):
        seen, weak = element.evaluate(CONTRAST)
        assert seen > 10
        assert weak == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1")


def test_record_forms_do_not_load_lists(page: Page, form: RecordedApp) -> None:
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url.rpartition("/")[2]))
    page.goto(form.url)
    page.locator("#relationship .widget.health").wait_for()
    assert "rapport-widgets.js" in loaded
    assert not {"rapport-lists.js", "list.js", "pipeline.js", "lists-texts.js"} & set(loaded)
