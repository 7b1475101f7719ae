"""Webhook, steps, images and forms, registered with a simulator of Dataverse's Web API and taken back."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.dataverse import form, formxml, register, steps
from scripts.dataverse.register import Registration
from scripts.dataverse.webapi import WebApi
from shared.crm.dataverse import _MESSAGES
from tests.doubles.dataverse import TOKEN, Dataverse, dataverse, guid
from tests.doubles.dataverse_query import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
WISHED = Registration("https://app.example/api/crm/dataverse", "x-rapport-key", 'a"key')
NOT_OFFERED = ("SetStateDynamicEntity", "Close")  # as in most environments
PAGE = form.Page("https://app.example", "audience-id", "tenant-id", "form-client-id", "contoso")
FORM = '<form><tabs><tab name="general" id="{1}"><labels /><columns><column><sections /></column></columns></tab></tabs></form>'


@pytest.fixture
def crm() -> Iterator[Dataverse]:
    with dataverse() as running:
        for step in steps.wanted():
            if step.message not in NOT_OFFERED:
                offer(running, step.table, step.message)
        yield running


def offer(crm: Dataverse, table: str, message: str) -> None:
    crm.put("sdkmessage", guid(message), name=message)
    if table:
        crm.put(
            "sdkmessagefilter", guid(table, message), sdkmessageid=("sdkmessage", guid(message), ""),
            primaryobjecttypecode=table, iscustomprocessingstepallowed=True,
        )  # fmt: skip


@pytest.fixture
def api(crm: Dataverse) -> Iterator[WebApi]:
    found = WebApi(crm.address, lambda: TOKEN, pause=crm.clock.pause, clock=crm.clock)
    yield found
    found.close()


def steps_of(crm: Dataverse) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in crm.rows["sdkmessageprocessingstep"].values()}


def writes(crm: Dataverse) -> list[tuple[str, str]]:
    return [one for one in crm.log if one[0] != "GET"]


def test_every_step_that_is_offered_is_registered(crm: Dataverse, api: WebApi) -> None:
    missing = register.apply(api, WISHED)
    assert {name.split(" of ")[0] for name in missing} == {f"Rapport: {one}" for one in NOT_OFFERED}
    assert set(steps_of(crm)) | set(missing) == {step.name for step in steps.wanted()}
    (endpoint,) = crm.rows["serviceendpoint"].values()
    assert (endpoint["contract"], endpoint["authtype"], endpoint["url"]) == (8, 5, WISHED.url)
    (setting,) = ET.fromstring(endpoint["authvalue"])
    assert setting.attrib == {"name": "x-rapport-key", "value": 'a"key'}
    for row in steps_of(crm).values():
        assert (row["mode"], row["stage"], row["asyncautodelete"]) == (1, 40, True)
        assert row["eventhandler"][:2] == ("serviceendpoint", endpoint["serviceendpointid"])


def test_steps_name_columns_that_exist_and_messages_that_are_understood(crm: Dataverse, api: WebApi) -> None:
    register.apply(api, WISHED)
    for step in steps.wanted():
        assert step.message in _MESSAGES
        columns = SCHEMA[step.table]["columns"] if step.table else {}
        assert not set(step.columns + step.image) - set(columns), step.name
        assert bool(step.columns) == (step.message == "Update"), step.name
    mail = steps_of(crm)["Rapport: Update of email"]
    assert "subject" not in mail["filteringattributes"].split(",")
    assert "description" not in mail["filteringattributes"].split(",")


def test_connections_bring_an_image(crm: Dataverse, api: WebApi) -> None:
    register.apply(api, WISHED)
    named = steps_of(crm)
    images = crm.rows["sdkmessageprocessingstepimage"].values()
    assert {image["sdkmessageprocessingstepid"][1] for image in images} == {
        named[f"Rapport: {message} of connection"]["sdkmessageprocessingstepid"] for message in ("Update", "Delete")
    }
    assert {(image["imagetype"], image["attributes"]) for image in images} == {(0, "record1id,record2id")}


def test_a_second_time_nothing_is_made(crm: Dataverse, api: WebApi) -> None:
    register.apply(api, WISHED)
    crm.log.clear()
    register.apply(api, WISHED)
    assert [method for method, _ in writes(crm)] == ["PATCH"]  # the endpoint, whose key cannot be read


def test_what_differs_is_brought_in_line(crm: Dataverse, api: WebApi) -> None:
    register.apply(api, WISHED)
    update = steps_of(crm)["Rapport: Update of account"]
    before = update["filteringattributes"]
    update["filteringattributes"] = "name"
    image = next(iter(crm.rows["sdkmessageprocessingstepimage"]))
    crm.remove("sdkmessageprocessingstepimage", image)
    old = {**update, "sdkmessageprocessingstepid": guid("old"), "name": "Rapport: Update of invoice"}
    crm.rows["sdkmessageprocessingstep"][guid("old")] = old
    register.apply(api, WISHED)
    assert steps_of(crm)["Rapport: Update of account"]["filteringattributes"] == before
    assert len(crm.rows["sdkmessageprocessingstepimage"]) == 2
    assert "Rapport: Update of invoice" not in steps_of(crm)


def test_undo_leaves_only_what_others_made(crm: Dataverse, api: WebApi) -> None:
    crm.put("serviceendpoint", guid("other"), name="Other", contract=8)
    other = ("serviceendpoint", guid("other"), "")
    crm.put("sdkmessageprocessingstep", guid("step"), name="Other: Update of account", eventhandler=other)
    register.apply(api, WISHED)
    assert register.undo(api) > 50
    assert list(steps_of(crm)) == ["Other: Update of account"]
    assert list(crm.rows["serviceendpoint"]) == [guid("other")]
    assert crm.rows["sdkmessageprocessingstepimage"] == {}
    assert register.undo(api) == 0


def command(crm: Dataverse, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = [sys.executable, "-m", f"scripts.dataverse.{module}", *arguments, "--crm", crm.address]
    environ = {"PATH": "/usr/bin:/bin", "RAPPORT_CRM_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    return subprocess.run(done, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def test_a_dry_run_shows_all_that_would_be_sent_and_no_key(crm: Dataverse, api: WebApi) -> None:
    done = command(crm, "register", "apply", "--app", "https://app.example", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert writes(crm) == []
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    register.apply(api, WISHED)
    assert [one["method"] for one in shown] == [method for method, _ in writes(crm)]
    assert shown[0]["body"]["authvalue"] == "…"


def add_form(crm: Dataverse, name: str, kind: int = 2) -> str:
    return crm.put("systemform", guid(name), name=name, objecttypecode="opportunity", type=kind, formxml=FORM)


def test_the_form_gets_a_tab_with_the_page(crm: Dataverse, api: WebApi) -> None:
    wanted, other = add_form(crm, "Sales"), add_form(crm, "Other")
    form.apply(api, PAGE, b"library", "opportunity", "Sales")
    root = ET.fromstring(crm.rows["systemform"][wanted]["formxml"])
    assert [tab.get("name") for tab in root.iter("tab")] == ["general", "rapport"]
    assert [url.text for url in root.iter("Url")] == ["contoso_/rapport/form.html"]
    assert [one.text for one in root.iter("PassParameters")] == ["true"]
    assert crm.rows["systemform"][other]["formxml"] == FORM
    resources = {row["name"]: row for row in crm.rows["webresource"].values()}
    assert set(resources) == {"contoso_/rapport/form.html", "contoso_/rapport/msal-browser.min.js"}
    assert b64decode(resources["contoso_/rapport/msal-browser.min.js"]["content"]) == b"library"
    html = b64decode(resources["contoso_/rapport/form.html"]["content"]).decode()
    for value in PAGE:
        assert value in html
    assert not re.findall(r"\{(app|audience|tenant|form_client|prefix)\}", html)
    for id in crm.rows["webresource"]:
        assert f"<webresource>{{{id}}}</webresource>" in crm.published[-1]


def test_the_form_twice_is_the_form_once(crm: Dataverse, api: WebApi) -> None:
    add_form(crm, "Sales")
    form.apply(api, PAGE, b"library", "opportunity", "")
    before = {id: row["formxml"] for id, row in crm.rows["systemform"].items()}
    form.apply(api, PAGE, b"newer library", "opportunity", "")
    assert {id: row["formxml"] for id, row in crm.rows["systemform"].items()} == before
    assert len(crm.rows["webresource"]) == 2


def test_the_form_is_given_back_as_it_was(crm: Dataverse, api: WebApi) -> None:
    id = add_form(crm, "Sales")
    form.apply(api, PAGE, b"library", "opportunity", "Sales")
    assert form.undo(api, "contoso") == 1
    assert ET.canonicalize(crm.rows["systemform"][id]["formxml"]) == ET.canonicalize(FORM)
    assert crm.rows["webresource"] == {}
    assert form.undo(api, "contoso") == 0


def test_a_form_that_is_not_there_is_named_with_those_that_are(crm: Dataverse, api: WebApi) -> None:
    add_form(crm, "Sales")
    add_form(crm, "Quick", kind=7)
    with pytest.raises(form.FormError, match=r"There are: Sales\."):
        form.apply(api, PAGE, b"", "opportunity", "Sale")
    assert writes(crm) == []


def test_a_dry_run_of_the_form_sends_nothing(crm: Dataverse, tmp_path: Path) -> None:
    add_form(crm, "Sales")
    (tmp_path / "msal.js").write_text("library")
    given = ("--app", "https://a.example", "--audience", "a", "--tenant", "t", "--form-client", "f")
    done = command(crm, "form", "apply", *given, "--msal", str(tmp_path / "msal.js"), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["method"] for line in done.stdout.splitlines()] == ["POST", "POST", "PATCH", "POST"]
    assert writes(crm) == []


def test_a_form_without_tabs_is_left_alone() -> None:
    with pytest.raises(ValueError, match="no tabs"):
        formxml.with_tab("<form />", "page", 1033)
