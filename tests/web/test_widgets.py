"""The widgets in a browser: numbers as the app gave them, honest states, languages, keyboard, nothing from data as markup."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.forms import open_form, opened, styles, texts
from tests.web.recorded_app import RecordedApp, recorded

LANGUAGES = ("en", "de", "pl", "ro", "ar")
MARKUP = "<img src=x onerror=window.hit=1>"


def test_all_elements_of_a_record_share_one_question(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    page.locator("#alone .widget.health").wait_for()
    health = recorded("opportunity")["widgets"]["health"]
    expect(element.locator(".score")).to_have_text(str(health["score"]))
    expect(page.locator("#alone .score")).to_have_text(str(health["score"]))
    assert len(form.asked) == 1
    assert "/widgets?language=en" in form.asked[0]


def test_contributions_add_up_to_the_score(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    health = recorded("opportunity")["widgets"]["health"]
    shown = [
        float(text.partition(" of ")[0])
        for text in texts(element.locator(".health table.parts").first.locator(".number"))
    ]
    assert shown[:-1] == [part["score"] for part in health["contributions"]]
    assert shown[-1] == health["score"] == pytest.approx(sum(shown[:-1]))
    widths = [float(width.removesuffix("%")) for width in styles(element.locator(".bar.stacked > span"), "inline-size")]
    assert sum(widths) == pytest.approx(health["score"])


def test_counterfactuals_show_all_three_numbers(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    found = recorded("opportunity")["widgets"]["health"]["counterfactuals"]
    element.get_by_text("What would change it").click()
    shown = texts(element.locator("details[data-key=whatIf] .number"))
    assert [float(one) for one in shown] == [
        found["now"],
        found["without"],
        *(one["score"] for one in found["outlooks"]),
    ]


def test_envelope_stands_beside_the_numbers(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    envelope = element.locator(".envelope").first
    expect(envelope).to_contain_text("Computed ")
    expect(envelope).to_contain_text("complete up to ")
    expect(envelope).to_contain_text("CRM data only, no Exchange")
    page.locator("#as-of").fill("2026-06-30T12:00")
    expect(element.locator(".envelope").first).to_contain_text("as of ")
    assert "asOf=2026-06-30T12" in form.asked[-1]


def test_privacy_notice_is_there_in_words(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    element.get_by_text("Privacy notice").click()
    expect(element.locator(".privacy")).to_contain_text("must not be used for decisions on employment")


REFUSALS = {
    "missing": "Nothing is known about this record yet.",
    "forbidden": "You have no access",
    "broken": "cannot be read at the moment",
    "odd": "asks for something that does not exist: the record type is one of",
}


def test_refusals_are_said_in_words(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    for record, state in REFUSALS.items():
        page.fill("#id", record)
        page.get_by_role("button", name="Open", exact=True).click()
        expect(element.get_by_role("status")).to_contain_text(state)
        expect(element.locator(".widget")).to_have_count(0)


def test_what_is_not_available_can_be_tried_again(page: Page, form: RecordedApp) -> None:
    element = open_form(page, form, "broken")
    retry = element.get_by_role("button", name="Try again")
    retry.wait_for()
    before = len(form.asked)
    with page.expect_response("**/broken/widgets**"):
        retry.click()
    assert len(form.asked) > before


def test_loading_is_said_until_the_answer_is_there(page: Page, form: RecordedApp) -> None:
    page.emulate_media(reduced_motion="reduce")
    element = open_form(page, form, "slow")
    expect(element.get_by_role("status")).to_have_text("Loading …")
    expect(element.locator(".body")).to_have_attribute("aria-busy", "true")
    motion = element.locator(".state p").evaluate("one => getComputedStyle(one).animationName")
    assert motion == "none"
    form.release()
    element.locator(".widget.health").wait_for()
    expect(element.locator(".body")).to_have_attribute("aria-busy", "false")


def test_a_refused_token_is_renewed_once(page: Page, form: RecordedApp) -> None:
    form.given[:] = ["bad", "good"]
    opened(page, form)
    assert form.authorizations == ["Bearer bad", "Bearer good"]


def test_a_token_that_stays_refused_means_not_signed_in(page: Page, form: RecordedApp) -> None:
    form.given[:] = ["bad"]
    element = open_form(page, form)
    expect(element.get_by_role("status")).to_contain_text("You are not signed in.")


def test_the_token_is_in_no_address_and_no_attribute(page: Page, form: RecordedApp) -> None:
    opened(page, form)
    assert form.authorizations == ["Bearer good"]
    assert not [path for path in form.asked if "good" in path]
    assert "good" not in page.locator("main").evaluate("one => one.outerHTML")


def test_no_token_goes_to_an_address_without_encryption(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    element.evaluate("one => one.setAttribute('base-url', 'http://elsewhere.example')")
    expect(element.get_by_role("status")).to_contain_text("must begin with https")
    assert not [url for url in sent if "elsewhere" in url]


def test_the_token_may_come_by_event(page: Page, form: RecordedApp) -> None:
    """Without `configure`, on a page that is not the sample form."""
    page.goto(f"{form.url}/health")
    page.evaluate(
        """async () => {
            document.addEventListener("rapport-token", ({ detail }) => detail.respond(Promise.resolve("good")));
            await import("/api/web/rapport-widgets.js");
            const element = document.createElement("rapport-summary");
            element.setAttribute("record-type", "opportunity");
            element.setAttribute("record-id", "any");
            document.body.append(element);
        }"""
    )
    expect(page.locator("rapport-summary .summary li")).to_have_count(5)
    assert form.authorizations == ["Bearer good"]


def test_a_contact_is_not_told_apart_from_itself(page: Page, form: RecordedApp) -> None:
    def of_contact(content: dict[str, Any]) -> None:
        content["recordType"] = "contact"
        nobody = {
            "shares": [],
            "largest": None,
            "effectiveNumber": None,
            "singleThreaded": False,
            "reason": "isTheContact",
        }
        content["widgets"]["coverRisk"]["theirs"] = nobody

    both = opened(page, form)
    lists = both.locator("section.people table, section.cover .shares")
    expect(lists).to_have_count(4)
    form.edits.append(of_contact)
    # No contact is recorded: the deal's answer is changed into one.
    page.route(
        "**/records/contact/**",
        lambda route: route.continue_(url=route.request.url.replace("/contact/", "/opportunity/")),
    )
    page.evaluate("document.querySelector('rapport-relationship').setAttribute('record-type', 'contact')")
    expect(lists).to_have_count(2)
    expect(both.locator("section.people caption")).to_contain_text("Your colleagues")


def test_too_little_data_is_a_word_and_no_number(page: Page, form: RecordedApp) -> None:
    def insufficient(content: dict[str, Any]) -> None:
        content["widgets"]["health"] |= {
            "score": None,
            "scoreInt": None,
            "grade": "insufficient",
            "trendName": "notEnough",
        }
        content["widgets"]["coverRisk"]["ours"] = {
            "shares": [],
            "largest": None,
            "effectiveNumber": None,
            "singleThreaded": False,
        }
        content["widgets"]["responseTime"]["byUs"] |= {"hours": None, "businessHours": None, "responseRate": None}
        content["widgets"]["lastInteraction"] = {"last": None, "current": None}
        content["widgets"]["nextInteraction"] = {"next": None, "scheduled": False}

    form.edits.append(insufficient)
    element = opened(page, form)
    expect(element.locator(".health .headline")).to_have_text("Not enough data")
    expect(element.locator(".health .score, .health .bar")).to_have_count(0)
    median = element.locator(".response .sides > div").first.locator("dd").first
    expect(median).to_have_text("unknown")
    expect(element.locator("section.moments")).to_contain_text("Not scheduled")
    expect(element.locator("section.moments")).to_contain_text("No interaction yet")


def test_days_that_were_not_read_are_drawn_as_unknown(page: Page, form: RecordedApp) -> None:
    def unread(content: dict[str, Any]) -> None:
        for day in content["widgets"]["relationshipActivities"]["days"][:10]:
            day["known"] = False

    form.edits.append(unread)
    element = opened(page, form)
    unknown = element.locator(".day.unknown")
    expect(unknown).to_have_count(10)
    assert all(
        "Not read yet: unknown" in str(label) for label in unknown.evaluate_all("all => all.map(one => one.ariaLabel)")
    )
    expect(element.locator(".legend")).to_contain_text("Not read yet")


def _everywhere(value: Any) -> Any:
    """Every name, flag and reason in an answer becomes markup."""
    if isinstance(value, dict):
        named = {key: MARKUP for key in ("name", "recordName", "timeZone") if key in value}
        return {key: _everywhere(one) for key, one in value.items()} | named
    if isinstance(value, list):
        return [_everywhere(one) for one in value]
    return value


def test_names_never_become_markup(page: Page, form: RecordedApp) -> None:
    def poison(content: dict[str, Any]) -> None:
        content.update(_everywhere(content))
        content["flags"].append(MARKUP)
        for one in content.get("activities", []):
            one["reason"] = MARKUP

    form.edits.append(poison)
    element = opened(page, form)
    element.get_by_role("button", name="Show the activities").click()
    element.get_by_role("button", name="Show who knows them").click()
    element.locator("rapport-activities .ledger").wait_for()
    expect(element.locator("rapport-colleagues .known")).to_contain_text(MARKUP)
    expect(element.locator("h2")).to_contain_text(MARKUP)
    expect(element.locator("rapport-activities .ledger")).to_contain_text(MARKUP)
    expect(page.locator("img")).to_have_count(0)
    assert page.evaluate("window.hit") is None


def test_an_unchanged_record_costs_no_body(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    with page.expect_response("**/widgets**"):
        element.get_by_role("button", name="Refresh").click()
    expect(element.get_by_role("button", name="Refresh")).to_be_focused()
    assert form.statuses[-1] == 304


@pytest.mark.parametrize(
    ("language", "back", "forth"), [("en", "ArrowLeft", "ArrowRight"), ("ar", "ArrowRight", "ArrowLeft")]
)
def test_keys_walk_the_days_and_list_them(page: Page, form: RecordedApp, language: str, back: str, forth: str) -> None:
    element = opened(page, form, language=language)
    days = recorded("opportunity")["widgets"]["relationshipActivities"]["days"]
    element.locator(f"[lang={language}] .day[tabindex='0']").focus()
    for key in (back, back, forth):
        page.keyboard.press(key)
    focused = element.locator(".day:focus")
    expect(focused).to_have_attribute("data-focus", f"day-{days[-2]['date']}")
    expect(element.locator(".readout")).to_have_text(str(focused.get_attribute("aria-label")))
    with page.expect_response(f"**/activities**day={days[-2]['date']}**"):
        page.keyboard.press("Enter")
    page.keyboard.press("Home")
    expect(element.locator(".day:focus")).to_have_attribute("data-focus", f"day-{days[0]['date']}")


def test_activities_are_filtered_by_reason_and_paged(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    element.get_by_role("button", name="Show the activities").click()
    ledger = element.locator("rapport-activities")
    rows = ledger.locator("tbody tr")
    expect(rows).to_have_count(20)
    ledger.get_by_role("button", name="More").click()
    expect(rows).to_have_count(40)
    expect(ledger).to_contain_text("Not shown, because you may not read them in the CRM: 4")  # two of each page
    everything = recorded("opportunity-activities")["activities"]
    wanted = [one for one in everything if one["reason"] == "not_on_team"]
    assert wanted
    ledger.get_by_label("Reason").select_option("not_on_team")
    expect(ledger.locator(".controls")).to_contain_text(f"0 of {len(wanted)} counted")
    expect(rows).to_have_count(min(20, len(wanted)))
    assert {"not counted colleagues outside the team"} == set(texts(rows.locator("td:last-child")))
    assert len([path for path in form.asked if "/activities" in path]) == 3


def test_a_person_opens_the_activities_with_them(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    person = recorded("opportunity")["widgets"]["mostContacted"]["people"][0]["person"]
    element.locator(".people").get_by_role("button", name=person["name"]).click()
    ledger = element.locator("rapport-activities")
    expect(ledger.locator(".controls")).to_contain_text(f"Only {person['name']}")
    assert [path for path in form.asked if "person=contact" in path]
    ledger.get_by_role("button", name="Show all").click()
    expect(ledger.locator(".controls")).not_to_contain_text("Only")


def test_names_of_activities_come_from_the_form(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    page.evaluate(
        """async () => (await import("/api/web/rapport-widgets.js")).configure(
               { getActivityNames: async (ids) => Object.fromEntries(ids.map((id) => [id, `Subject of ${id}`])) })"""
    )
    last = recorded("opportunity")["widgets"]["lastInteraction"]["last"]
    expect(element.locator(".moments .last .name")).to_have_text(f"Subject of {last['activityId']}")


def test_every_language_speaks_without_gaps(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    for language in LANGUAGES:
        page.select_option("#language", language)
        body = element.locator(f"> .body[lang={language}]")
        expect(body).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
        body.locator(".widget.health").wait_for()
        shown = body.inner_text()
        assert not re.findall(r"\b(?:state|health|part|grade|trend|series|reason|people|cover|timeline)\.\w+", shown)
        assert not re.findall(r"\{\w+\}|undefined|null|NaN", shown)
        assert ("Relationship health" in shown) == (language == "en")


def test_arabic_is_mirrored_and_its_score_is_not(page: Page, form: RecordedApp) -> None:
    element = opened(page, form, language="ar")
    element.locator("[lang=ar] .day").first.wait_for()
    first, last = (element.locator(".day").nth(place).bounding_box() for place in (0, -1))
    assert first and last and first["x"] > last["x"]
    expect(element.locator(".score")).to_have_css("direction", "ltr")
    expect(element.locator(".score")).to_have_text(str(recorded("opportunity")["widgets"]["health"]["score"]))
    assert "-1" in element.locator(".trend svg").evaluate("one => getComputedStyle(one).transform")


CONTRAST = """(root) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const value = c[i] / 255;
    return sum + weight * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  }, 0);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const found = rgb(getComputedStyle(one).backgroundColor);
      if (found[3] === 255) return found;
    }
    return null;
  };
  const weak = [];
  let seen = 0;
  const walk = document.createTreeWalker(root.shadowRoot, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const one = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !one.checkVisibility()) continue;
    const [text, ground] = [rgb(getComputedStyle(one).color), behind(one)];
    const [high, low] = [light(text), light(ground)].sort((a, b) => b - a);
    seen += 1;
    if ((high + 0.05) / (low + 0.05) < 4.5) weak.push(walk.currentNode.data);
  }
  return [seen, weak];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_enough_contrast(page: Page, form: RecordedApp, theme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    element = opened(page, form, theme=theme)
    seen, weak = element.evaluate(CONTRAST)
    assert seen > 100
    assert weak == []
    ground = element.locator("> .body").evaluate("one => getComputedStyle(one).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if theme == "light" else "rgb(27, 31, 36)")


def test_everything_has_a_name_for_those_who_listen(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    names = [
        recorded("opportunity")["recordName"],
        "Relationship health",
        "Summary",
        "Response time",
        "Activities by day",
    ]
    for name in names:
        expect(element.get_by_role("heading", name=re.compile(re.escape(name))).first).to_be_visible()
    expect(element.get_by_role("region", name="Relationship health")).to_be_visible()
    expect(
        element.get_by_role("img", name=f"{recorded('opportunity')['widgets']['health']['score']} out of 100")
    ).to_be_visible()
    unnamed = element.evaluate(
        """root => [...root.shadowRoot.querySelectorAll("button, select, summary")]
               .filter((one) => !(one.ariaLabel || one.textContent).trim()).length"""
    )
    assert unnamed == 0


def test_similar_deals_are_shown_for_opportunities_alone(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    expect(element.locator(".similar")).to_have_count(1)
    element = open_form(page, form, "any", "account")
    expect(element.locator("h2")).to_contain_text(recorded("account")["recordName"])
    expect(element.locator(".similar")).to_have_count(0)


def test_a_similar_deal_opens(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    deal = recorded("opportunity")["widgets"]["similarWonOpportunities"]["deals"][0]
    row = element.locator(".similar .deals tbody tr").first
    expect(row).to_contain_text(f"{deal['similarityPercent']}%")
    expect(row).to_contain_text("same: amount")
    row.get_by_role("button", name=deal["name"]).click()
    expect(page.locator("#id")).to_have_value(deal["record"].partition(":")[2])


def test_colleagues_who_know_them_come_on_demand(page: Page, form: RecordedApp) -> None:
    element = opened(page, form)
    assert not [path for path in form.asked if "who-knows-whom" in path]
    element.get_by_role("button", name="Show who knows them").click()
    first, rows = recorded("opportunity-colleagues")["colleagues"][0], element.locator("rapport-colleagues .known li")
    expect(rows).to_have_count(5)
    expect(rows.first).to_contain_text(first["person"]["name"])
    expect(rows.first).to_contain_text(f"{first['level']} ({first['strength']:g})")
    expect(rows.first.locator(".meter .on")).to_have_count(first["bars"])
    element.locator("rapport-colleagues").get_by_role("button", name="More").click()
    expect(rows).to_have_count(10)


def asking(page: Page, form: RecordedApp) -> Any:
    """The first colleague's part of an opened list, with the preview of the mail."""
    element = opened(page, form)
    element.get_by_role("button", name="Show who knows them").click()
    row = element.locator("rapport-colleagues .known li").first
    row.get_by_role("button", name="Ask for an introduction").click()
    row.locator(".mail").wait_for()
    return row


def test_an_introduction_is_previewed_with_its_reason_and_sent_once(page: Page, form: RecordedApp) -> None:
    row = asking(page, form)
    expect(row).to_contain_text("ilias.singh@us.example")
    row.locator("textarea").fill("Their new plant")
    row.get_by_role("button", name="Renew the preview").click()
    expect(row.locator(".mail")).to_contain_text("Their new plant")
    row.get_by_role("button", name="Send").click()
    expect(row.get_by_role("status")).to_have_text("asked")
    colleague = recorded("opportunity-colleagues")["colleagues"][0]
    (kept,) = [content for method, step, content in form.told if method == "PUT"]
    assert (kept["introducer"], kept["target"]) == (colleague["person"]["id"], colleague["knows"]["id"])
    assert (kept["reason"], kept["language"]) == ("Their new plant", "en")
    assert kept["record"].startswith("opportunity:")
    assert [step for method, step, _ in form.told if method == "POST"] == ["preview", "preview", "send"]


def test_where_the_app_may_not_send_the_mail_is_taken_along(page: Page, form: RecordedApp) -> None:
    form.can_send = False
    row = asking(page, form)
    row.get_by_role("button", name="Prepare the mail").click()
    expect(row.get_by_role("link", name="Open in your mail program")).to_have_attribute("href", re.compile("^mailto:"))
    row.get_by_role("button", name="I have sent it").click()
    expect(row.get_by_role("status")).to_have_text("asked")
    assert form.told[-1] == ("PUT", "state", {"state": "requested"})


def test_a_refused_introduction_says_why(page: Page, form: RecordedApp) -> None:
    form.refuse = True
    row = asking(page, form)
    row.get_by_role("button", name="Send").click()
    expect(row.get_by_role("alert")).to_contain_text("The colleague has been asked enough for now.")


def test_ones_own_requests_are_listed_and_can_be_withdrawn(page: Page, form: RecordedApp) -> None:
    row = asking(page, form)
    row.get_by_role("button", name="Send").click()
    expect(row.get_by_role("status")).to_have_text("asked")
    page.locator("#relationship").get_by_role("button", name="Show your requests").click()
    listed = page.locator("#relationship rapport-introductions li")
    expect(listed).to_contain_text("Clara Garcia")
    listed.get_by_role("button", name="Withdraw").click()
    expect(listed).to_contain_text("withdrawn")
    expect(listed.get_by_role("button")).to_have_count(0)


def test_who_cannot_be_asked_has_no_button_but_a_reason(page: Page, form: RecordedApp) -> None:
    def refuse(content: dict[str, Any]) -> None:
        for one in content.get("colleagues", ()):
            one["introduction"] = {"possible": False, "reason": "at_capacity", "freeFrom": "2026-12-01T00:00:00Z"}

    form.edits.append(refuse)
    element = opened(page, form)
    element.get_by_role("button", name="Show who knows them").click()
    row = element.locator("rapport-colleagues .known li").first
    expect(row).to_contain_text("Has been asked enough for now. Possible again from Dec 1, 2026.")
    expect(row.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_evidence_stands_in_the_words_of_the_app(language: str, page: Page, form: RecordedApp) -> None:
    def told(content: dict[str, Any]) -> None:
        for one in content.get("colleagues", ()):
            one["evidence"]["text"] = f"{MARKUP} evidence"

    form.edits.append(told)
    element = opened(page, form, language=language)
    element.locator("[data-focus=colleagues]").click()
    expect(element.locator("rapport-colleagues .evidence").first).to_have_text(f"{MARKUP} evidence")
    assert any("who-knows-whom" in path and f"language={language}" in path for path in form.asked)
