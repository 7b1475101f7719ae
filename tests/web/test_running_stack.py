"""One browser on the whole running stack: sign-in, host, queues, tables and the form's page, nothing recorded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.sample.loader import Poster, Target, wait_until_handled
from local.supervisor import rapport
from local.supervisor.folder import StateFolder
from local.supervisor.options import Options
from local.supervisor.ready import token
from tests.local.graph_process import Control
from tests.local.test_run import options_for, running
from tests.web.admin_pages import show_part

pytestmark = pytest.mark.stack
PATIENCE = 60_000  # milliseconds; the first look at a record computes it


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Options]:
    root = tmp_path_factory.mktemp("stack") / "stack"
    folder, options = StateFolder(root), options_for(root, sample="0")
    folder.create()
    with running(folder, rapport.pieces(options, folder, func=False)):
        yield options


def row(entity: str, id: str, **attributes: Any) -> dict[str, Any]:
    return {"entity": entity, "id": id, "version": 1, "operation": "upsert", "attributes": attributes}


def tell(options: Options, changes: list[dict[str, Any]]) -> None:
    """Post changes as the CRM would, and wait until no message is left."""
    target = Target(options.base_url, token(options.signin_url, "Rapport.Ingest"), options.status_url)
    with Poster(target, Event()) as poster:
        poster.post(changes)
    wait_until_handled(options.status_url, Event(), lambda *_: None)


def mail(number: int, at: datetime) -> dict[str, Any]:
    return row(
        "email",
        f"e{number}",
        sentAt=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        status="sent",
        regarding=["opportunity:o1"],
        to=[{"address": "kim@cust.example", "name": "Kim Novak", "party": "contact:c1"}],
        messageId=f"<{number}@us.example>",
        **{"from": {"address": "anna@us.example", "party": "user:u1"}},
    )


def test_a_change_of_the_crm_shows_on_the_form(page: Page, stack: Options) -> None:
    now = datetime.now(UTC)
    created = (now - timedelta(days=90)).strftime("%Y-%m-%dT%H:%M:%SZ")
    tell(
        stack,
        [
            row("user", "u1", name="Anna", emails=["anna@us.example"]),
            row("account", "a1", name="Cust", ownerId="user:u1", createdAt=created),
            row("contact", "c1", name="Kim Novak", emails=["kim@cust.example"], accountId="a1", createdAt=created),
            row(
                "opportunity", "o1", name="Renewal of everything", accountId="a1", contactId="c1", ownerId="user:u1",
                createdAt=created, status="open",
            ),
            mail(1, now - timedelta(days=3)),
        ],
    )  # fmt: skip
    page.goto(f"{stack.form_url}/?type=opportunity&id=o1")
    expect(page.locator("#name")).to_have_text("Renewal of everything", timeout=PATIENCE)
    expect(page.get_by_text("Kim Novak").first).to_be_visible(timeout=PATIENCE)


def test_an_administrator_connects_the_mailboxes(page: Page, stack: Options) -> None:
    """From the choice of a role over the simulator's consent page to mailboxes that are read."""
    graph = Control(stack.signin_url)
    graph.post("users", mail="ben@us.example")
    for permission in ("Mail.Read", "Calendars.Read"):
        graph.post("scope", permission=permission, mailboxes="*")
    tell(
        stack,
        [
            row("role", "r1", name="Sales Person"),
            row("user", "u2", name="Ben", emails=["ben@us.example"], roles=["r1"]),
        ],
    )
    page.goto(f"{stack.form_url}/admin")
    element = page.locator("#admin")
    show_part(element, "mailboxes")
    element.get_by_label("Sales Person").check()
    element.get_by_role("button", name="Preview").click()
    expect(element.locator(".preview tbody")).to_contain_text("ben@us.example")
    element.get_by_role("button", name="Enable").click()
    with page.expect_popup():
        element.get_by_role("button", name="Open Microsoft’s consent page").click()
    expect(element.get_by_role("status").first).to_contain_text("The answer was taken.", timeout=PATIENCE)
    show_part(element, "overview")
    expect(element.locator(".connection .word")).to_have_text("Live", timeout=PATIENCE)  # without being asked again
    element.locator(".connection").get_by_role("button", name="Refresh").click()
    expect(element.locator(".list tbody")).to_contain_text("ben@us.examplelive")
