"""The sample tenant in the Graph simulator's mailboxes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from local.graph.filling import PILOT_GROUP, SENDER, fill
from local.graph.sample_mail import UNFILED_SHARE
from local.graph.world import World
from local.sample.changes import sample_changes
from local.sample.tenant import build

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("sample"))
    fill(world, TODAY)
    yield world
    world.store.close()


@pytest.fixture(scope="module")
def crm() -> list[dict[str, Any]]:
    return list(sample_changes(build(TODAY)))


def items(world: World, kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(user, folder, body) of all items."""
    rows = world.store.rows("SELECT user, folder, body FROM items WHERE kind = ?", (kind,))
    return [(row["user"], row["folder"], json.loads(row["body"])) for row in rows]


def test_every_mail_of_the_crm_lies_in_the_mailboxes_of_ours(world: World, crm: list[dict[str, Any]]) -> None:
    copies = {(user, body.get("internetMessageId")): body for user, _, body in items(world, "message")}
    ours = {user["mail"]: user["id"] for user in world.directory.users(user_tenant(world))}
    wanted = 0
    for change in crm:
        if change["entity"] == "email":
            mail = change["attributes"]
            for party in (mail["from"], *mail["to"], *mail["cc"]):
                if party["address"] in ours:
                    copy = copies[ours[party["address"]], mail["messageId"]]
                    assert copy["sentDateTime"] == mail["sentAt"]
                    assert copy["from"]["emailAddress"]["address"] == mail["from"]["address"]
                    wanted += 1
    assert wanted > 20_000


def user_tenant(world: World) -> str:
    return str(world.directory.user(SENDER)["tenant"])


def test_some_mail_is_not_in_the_crm(world: World, crm: list[dict[str, Any]]) -> None:
    filed = {change["attributes"]["messageId"] for change in crm if change["entity"] == "email"}
    found = [body for _, _, body in items(world, "message")]
    unfiled = {body["internetMessageId"] for body in found if ".answer@" in body.get("internetMessageId", "")}
    assert not unfiled & filed
    assert 0.7 * UNFILED_SHARE < len(unfiled) / len(filed) <= 1.2 * UNFILED_SHARE
    kinds: Counter[str] = Counter()
    for _, folder, body in items(world, "message"):
        headers = {header["name"] for header in body.get("internetMessageHeaders", ())}
        kinds["automatic"] += "Auto-Submitted" in headers
        kinds["newsletter"] += "List-Id" in headers
        kinds["draft"] += folder == "drafts" and body["isDraft"] and "internetMessageId" not in body
        kinds["invitation"] += body.get("@odata.type") == "#microsoft.graph.eventMessageRequest"
        kinds["chat"] += folder == "teamsmessagesdata"
        kinds["assistant"] += "from" in body and body.get("sender", body["from"]) != body["from"]
    assert all(kinds[kind] > 20 for kind in ("automatic", "newsletter", "draft", "invitation", "chat", "assistant"))


def test_every_appointment_of_the_crm_lies_in_the_calendars_of_ours(world: World, crm: list[dict[str, Any]]) -> None:
    ours = {user["mail"]: user["id"] for user in world.directory.users(user_tenant(world))}
    keys = {(user, body["iCalUId"]) for user, _, body in items(world, "event")}
    for change in crm:
        if change["entity"] == "appointment":
            meeting = change["attributes"]
            for party in (meeting["organizer"], *meeting["attendees"]):
                if party["address"] in ours:
                    assert (ours[party["address"]], meeting["iCalUId"]) in keys
    kinds = Counter(body.get("sensitivity", body.get("type")) for _, _, body in items(world, "event"))
    assert kinds["private"] and kinds["confidential"] and kinds["occurrence"] and kinds["exception"]


def test_everybody_of_ours_is_in_the_pilot_group(world: World) -> None:
    group = world.directory.group(PILOT_GROUP, user_tenant(world))
    people = {entry["mail"] for kind, entry in world.directory.members(group) if kind == "user"}
    assert people == {user["mail"] for user in world.directory.users(user_tenant(world))} - {SENDER}


def test_a_folder_is_filled_once(world: World) -> None:
    before = world.store.one("SELECT count(*) AS n FROM items")
    fill(world, TODAY)
    assert before is not None and tuple(before) == tuple(world.store.one("SELECT count(*) AS n FROM items") or ())
