"""Lists, the pipeline and the user's own page on the app's real functions: what is pressed here is kept in real tables."""

from __future__ import annotations

import json
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from shared import choices, closeness, introduction_rows
from shared.introduction_requests import DAY, Request
from tests.doubles.talk import mail, meeting, organisation, row, told
from tests.web.forms import texts
from tests.web.real_app import RealApp

ADA = "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e201"  # who is signed in
ASKED = "0f1e2d3c-0000-4000-8000-000000000001"


def story() -> None:
    """Ada is one of ours, has a deal of her own and writes to Kim."""
    told(
        [
            *organisation(),
            row("user", ADA, name="Ada", emails=["ada@us.example"]),
            row(
                "opportunity",
                "own",
                name="Ada's deal",
                contactId="kim",
                ownerId=f"user:{ADA}",
                estimatedCloseAt="2027-01-01T00:00:00Z",
            ),
            *(mail(days, "ada@us.example", "kim") for days in (4, 11, 20)),
            mail(5, "kim", "ada@us.example"),
            meeting(10, "anna", "ben", "kim"),
        ]
    )


def test_lists_are_read_narrowed_and_sorted(page: Page, app: RealApp) -> None:
    story()
    page.goto(f"{app.url}/lists")
    shown, chart = page.locator("#list"), page.locator("#pipeline")
    names = shown.locator("tbody th")
    expect(names).to_have_count(2)
    shown.get_by_role("columnheader", name="Name").get_by_role("button").click()
    expect(shown.locator("[aria-sort=ascending]")).to_contain_text("Name")
    assert texts(names) == ["Ada's deal", "Deal"]
    expect(shown.locator(".idle").first).to_contain_text("No activity for")
    shown.get_by_label("Only mine").check()
    expect(names).to_have_text(["Ada's deal"])
    shown.get_by_label("Good").check()
    shown.get_by_label("Trend").select_option("improving")
    expect(shown.get_by_role("status")).to_contain_text("0 of")
    expect(chart.locator(".bubble")).to_have_count(2)
    expect(chart.locator(".chart")).to_contain_text("No date (1)")
    page.select_option("#type", "contact")
    expect(shown.get_by_role("heading")).to_have_text("Contacts by relationship")


def test_choices_and_opting_out_are_kept(page: Page, app: RealApp) -> None:
    story()
    page.goto(f"{app.url}/me")
    mine, key = page.locator("#me rapport-choices"), closeness.user_key(ADA)
    mine.get_by_label("Do not ask me for introductions").check()
    expect(mine).to_contain_text("Saved; in force now.")
    mine.get_by_label("Mail address or domain").fill("nobody")
    mine.get_by_role("button", name="Add").click()
    expect(mine.get_by_role("alert")).to_contain_text("This did not work.")
    mine.get_by_label("Mail address or domain").fill("Kim@Cust.example")
    mine.get_by_role("button", name="Add").click()
    expect(mine.get_by_role("button", name="Remove kim@cust.example")).to_be_visible()
    assert choices.of(key).do_not_ask and choices.of(key).do_not_ask_for == ("kim@cust.example",)
    mine.get_by_role("button", name="Take me out …").click()
    mine.get_by_role("button", name="Yes, take me out").click()
    expect(mine).to_contain_text("Your data is being erased.")
    assert choices.of(key).opt_out
    mine.get_by_role("button", name="Come back").click()
    expect(mine.get_by_role("button", name="Take me out …")).to_be_visible()
    assert not choices.of(key).opt_out and choices.of(key).do_not_ask


def test_an_introducer_answers_in_the_inbox(page: Page, app: RealApp) -> None:
    story()
    now = int(time.time())
    request = Request(
        id=ASKED, asker="ben", introducer=ADA, target="contact:kim", target_name="Kim", created_at=now, requested_at=now,
        expires_at=now + 14 * DAY, state="requested", outbox="sent",
    )  # fmt: skip
    introduction_rows.index("ben", ADA, ASKED)
    introduction_rows.change(ADA, ASKED, lambda held, old: request)
    page.goto(f"{app.url}/me")
    asked = page.locator("#me rapport-inbox li")
    expect(asked).to_contain_text("Ben wishes to meet Kim")
    asked.get_by_role("button", name="Do not ask me for this person").click()
    expect(page.locator("#me rapport-inbox")).to_contain_text("You will not be asked for this person again.")
    assert choices.of(closeness.user_key(ADA)).do_not_ask_for == ("contact:kim",)
    asked.get_by_role("button", name="Accept").click()
    expect(asked).to_contain_text("accepted")
    asked.get_by_role("button", name="It has happened").click()
    expect(asked).to_contain_text("done")
    kept = introduction_rows.read(ADA, ASKED)
    assert kept is not None and kept.state == "done"


def test_what_is_held_is_shown_and_saved_whole(page: Page, app: RealApp, tmp_path: Path) -> None:
    story()
    page.goto(f"{app.url}/me")
    page.get_by_role("button", name="Show what is held about me").click()
    held = page.locator("#me rapport-held")
    expect(held).to_contain_text("ada@us.example")
    for _ in range(10):
        held.locator("[aria-busy=false]").wait_for()
        if held.get_by_role("button", name="More").count() == 0:
            break
        held.get_by_role("button", name="More").click()
    expect(held.get_by_role("status")).to_contain_text("Stored copies 4")
    with page.expect_download() as download:
        held.get_by_role("button", name="Save all of it as a file").click()
    download.value.save_as(tmp_path / "mine.json")
    pages = json.loads((tmp_path / "mine.json").read_text())
    assert sum(len(one["copies"]) for one in pages) == 4
    assert {one["subject"]["side"] for one in pages} == {"internal"}
