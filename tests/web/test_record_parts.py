"""What is behind and beside the numbers of a record: its activities, similar deals, further people, colleagues as a graph."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.forms import opened, texts
from tests.web.recorded_app import RecordedApp, recorded


def test_a_count_shows_the_activities_that_it_counts(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    ours = recorded("opportunity")["widgets"]["customerInteractions"]["ours"]
    element.locator(".initiated").get_by_role("button", name=f"Meetings, Your team: {ours['meetings']}").click()
    ledger = element.locator("rapport-activities")
    rows = ledger.locator("tbody tr")
    held = recorded("opportunity-activities")["activities"]
    wanted = [one for one in held if (one["kind"], one["direction"], one["counted"]) == ("meeting", "out", True)]
    assert wanted
    expect(rows).to_have_count(len(wanted))
    expect(ledger.locator(".controls")).to_contain_text("Only Meetings, Your team")
    assert "kind=meeting&direction=out&counted=true&inWindow=true" in form.asked[-1]
    ledger.get_by_role("button", name="Show all").click()
    expect(rows).to_have_count(20)


@pytest.mark.parametrize(
    ("widget", "name", "query"),
    [
        ("initiated", "Total, Customer: 110", "kind=email,meeting,call&direction=in&counted=true"),
        ("ratio", "Sent: 68", "kind=email&direction=out&counted=true"),
        ("hours", "Hours invested", "kind=email,meeting,call&counted=true"),
    ],
)
def test_every_number_leads_to_the_ledger(page: Page, form: RecordedApp, widget: str, name: str, query: str) -> None:
    element = opened(page, form)
    with page.expect_response("**/activities**"):
        element.locator(f".{widget}").get_by_role("button", name=name).click()
    assert query in form.asked[-1]


def test_nothing_is_linked_where_there_is_nothing(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    meetings = element.locator(".initiated tbody tr", has_text="Meetings").first
    expect(meetings.locator("td").nth(1)).to_have_text("0")
    expect(meetings.locator("td").nth(1).get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize(
    ("since", "alarms"), [("2026-06-01T12:00:00Z", True), ("2026-06-20T12:00:00Z", False), (None, False)]
)
def test_a_record_without_activity_for_too_long_says_so(
    page: Page, form: RecordedApp, since: str | None, alarms: bool
) -> None:
    def quiet(content: dict[str, Any]) -> None:
        content["widgets"]["lastInteraction"] |= {"quietSince": since, "idleAfterDays": 14}
        content["asOf"] = "2026-06-30T12:00:00Z"

    form.edits.append(quiet)
    element = opened(page, form)
    page.locator("#as-of").fill("2026-06-30T12:00")
    expect(element.locator(".envelope").first).to_contain_text("as of ")
    told = ["No activity for 29 days (alarm after 14 days)"] if alarms else []
    expect(element.locator(".moments .alarm")).to_have_text(told)


def test_averages_have_both_columns_and_each_its_n(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    similar = recorded("opportunity")["widgets"]["similarWonOpportunities"]
    cells = texts(element.locator(".similar .averages tbody tr", has_text="Response, hours").locator("td"))
    assert cells == ["13.5", f"27.7of {similar['equalAge']['responseHours']['n']}", "24.9of 20"]
    expect(element.locator(".similar .averages thead th")).to_have_text(
        ["This deal", "Similar, same age", "Similar, whole life"]
    )


def test_each_similar_deal_shows_its_figures_at_both_instants(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    cells = element.locator(".similar .deals tbody tr").first.locator("td")
    assert texts(cells) == ["196502", "18.350.8", "17.847", "9.66", "22%31%"]


def test_hours_and_initiative_stand_beside_those_of_similar_deals(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    hours = element.locator(".hours .averages tbody tr")
    assert [texts(row.locator("th, td")) for row in hours.all()] == [
        ["Our hours", "18.3", "8.9of 20"],
        ["Their hours", "15.3", "8.1of 20"],
    ]
    expect(element.locator(".initiated .averages")).to_contain_text("Meetings by us")


def test_unreadable_deals_leave_no_average_but_a_reason(page: Page, form: RecordedApp) -> None:
    def unreadable(content: dict[str, Any]) -> None:
        content["widgets"]["similarWonOpportunities"] |= {
            "reason": "notAllReadable",
            "equalAge": None,
            "wholeLife": None,
        }

    form.edits.append(unreadable)
    element = opened(page, form)
    expect(element.locator(".similar")).to_contain_text("you may not read all of these deals")
    expect(element.locator(".averages")).to_have_count(0)


def test_similar_deals_are_looked_for_on_demand(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    renew = element.locator(".similar").get_by_role("button", name="Look for them now")
    with page.expect_response("**/widgets**"):
        renew.click()
    assert [path for path in form.asked if path.endswith("/similar/refresh")]
    form.refuse = True
    renew.click()
    expect(element.locator(".similar").get_by_role("alert")).to_contain_text("This did not work.")


def test_those_of_a_closed_deal_stay_as_they_are(page: Page, form: RecordedApp) -> None:
    form.edits.append(lambda content: content["flags"].append("frozen"))
    element = opened(page, form)
    expect(element.locator(".similar .deals")).to_have_count(1)
    expect(element.get_by_role("button", name="Look for them now")).to_have_count(0)


def test_further_people_come_page_by_page(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    customers = element.locator(".people table").first
    expect(customers.locator("tbody tr")).to_have_count(3)
    for number in (5, 10):
        element.locator(".people .sides > div").first.get_by_role("button", name="More").click()
        expect(customers.locator("tbody tr")).to_have_count(number)
        expect(element.locator("[data-focus=more-customers]")).to_be_focused()
    expect(customers.get_by_role("status")).to_have_text("10 of 21 people")
    assert "side=customers&page=5" in form.asked[-1]


@pytest.mark.parametrize(("handles", "said"), [(True, "Handed to the form"), (False, "This form cannot add people.")])
def test_the_form_is_asked_to_add_a_stakeholder(page: Page, form: RecordedApp, handles: bool, said: str) -> None:
    def strange(content: dict[str, Any]) -> None:
        content["widgets"]["mostContacted"]["people"][0]["onRecord"] = False

    form.edits.append(strange)
    element = opened(page, form)
    page.evaluate(
        """(handles) => document.addEventListener("rapport-add-stakeholder", (event) => {
               window.added = event.detail; if (handles) event.preventDefault(); })""",
        handles,
    )
    person = recorded("opportunity")["widgets"]["mostContacted"]["people"][0]["person"]
    element.get_by_role("button", name="Add as stakeholder?").click()
    expect(element.locator(".people").get_by_text(said)).to_be_visible()
    added = page.evaluate("window.added")
    assert (added["recordType"], added["person"], added["name"]) == ("opportunity", person["id"], person["name"])


def colleagues(page: Page, form: RecordedApp, **view: str) -> Any:
    """The opened list of colleagues."""
    element = opened(page, form, **view)
    element.locator("[data-focus=colleagues]").click()
    element.locator("rapport-colleagues .known").first.wait_for()
    return element.locator("rapport-colleagues")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_colleagues_are_a_graph_as_well(page: Page, form: RecordedApp, language: str) -> None:
    known = colleagues(page, form, language=language)
    found = recorded("opportunity-colleagues")["colleagues"]
    known.locator("[data-focus=view]").click()
    expect(known.locator("[data-focus=view]")).to_be_focused()
    expect(known.locator(".graph")).to_have_attribute("role", "img")
    ties = known.locator(".graph line[stroke-width]")
    expect(ties).to_have_count(len(found))
    for number, one in enumerate(found):
        expect(ties.nth(number)).to_have_attribute("stroke-width", str(one["bars"]))
        expect(ties.nth(number)).to_have_class(one["level"])
    expect(known.locator(".graph")).to_contain_text(found[0]["person"]["name"])
    expect(known.locator(".graph circle").first).to_have_attribute("cx", "90%" if language == "ar" else "10%")
    known.locator("[data-focus=view]").click()
    expect(known.locator(".known li")).to_have_count(len(found))


@pytest.mark.parametrize(("typed", "place"), [("kim@them.example", "address"), ("them.example", "domain")])
def test_an_address_or_a_domain_can_be_asked_about(page: Page, form: RecordedApp, typed: str, place: str) -> None:
    known = colleagues(page, form)
    known.get_by_label("Another address or company domain").fill(typed)
    known.get_by_role("button", name="Find").click()
    expect(known.locator("strong").first).to_have_text(typed)
    query = form.asked[-1].partition("?")[2]
    assert f"{place}={typed}" in query
    expect(known.get_by_role("button", name="Ask for an introduction")).to_have_count(5 if place == "address" else 0)
    if place == "address":
        known.get_by_role("button", name="Ask for an introduction").first.click()
        known.locator(".mail").wait_for()
        assert (form.told[-1][2]["target"], form.told[-1][2]["record"]) == (typed, "")
    known.get_by_role("button", name="Back to the record").click()
    expect(known.get_by_role("button", name="Back to the record")).to_have_count(0)
    assert "/who-knows-whom/opportunity/" in form.asked[-1]


def test_a_refused_address_leads_back(page: Page, form: RecordedApp) -> None:
    known = colleagues(page, form)
    form.refuse = True
    known.get_by_label("Another address or company domain").fill("kim@them.example")
    known.get_by_role("button", name="Find").click()
    expect(known.get_by_role("status")).to_contain_text("You have no access")
    known.get_by_role("button", name="Back to the record").click()
    expect(known.locator(".known li")).to_have_count(5)


def test_who_knows_others_of_the_company_stands_beside(page: Page, form: RecordedApp) -> None:
    def others(content: dict[str, Any]) -> None:
        if "alternatives" in content:
            content["alternatives"] = content["colleagues"][:2]

    form.edits.append(others)
    known = colleagues(page, form)
    expect(known).to_contain_text("Who knows others of the same company")
    expect(known.locator("ul.known li")).to_have_count(2)
