"""Row rights: callers get answers about records that Dataverse shows them, and about no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import azure.functions as func
import pytest

from shared import ingest, insights, list_rights, recompute, row_rights
from shared.auth import COVER_RISK, READER, Caller
from shared.changes import parse_batch
from shared.errors import UnavailableError
from shared.insights import Stored
from shared.list_rows import ListRow
from tests.conftest import fresh_queues, fresh_storage
from tests.doubles.platform import as_caller, as_role, trust_platform
from tests.doubles.processes import forget
from tests.doubles.readable_rows import FixedCredential, ReadableRows, readable_rows
from tests.doubles.routes import json_of, route
from tests.doubles.tenants import AS_OF
from tests.local.azurite_process import RunningAzurite
from tests.local.bus_process import RunningBus

ME = "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e201"  # the caller of `as_role`
MINE, OTHERS, OWNER, MANAGER = (str(uuid5(NAMESPACE_OID, name)) for name in ("mine", "others", "owner", "manager"))
STORY = [
    {"entity": "user", "id": OWNER, "attributes": {"name": "Ann", "emails": ["ann@us.example"], "managerId": MANAGER}},
    {"entity": "user", "id": MANAGER, "attributes": {"name": "Max", "emails": ["max@us.example"]}},
    *(
        {"entity": "contact", "id": id, "attributes": {
            "name": name, "emails": [f"{name}@cust.example"], "ownerId": f"user:{OWNER}"}}
        for id, name in ((MINE, "kim"), (OTHERS, "lee"))
    ),
    *(
        {"entity": "email", "id": f"e{day}{name}", "attributes": {
            "from": {"address": "ann@us.example"}, "to": [{"address": f"{name}@cust.example"}],
            "sentAt": f"2026-10-{day:02}T09:00:00Z", "status": "sent"}}
        for day in range(1, 29, 7) for name in ("kim", "lee")
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def crm(azurite: RunningAzurite, service_bus: RunningBus) -> Iterator[ReadableRows]:
    """Two contacts of one owner, computed, and a Dataverse that shows the caller one of them."""
    with pytest.MonkeyPatch.context() as patch, readable_rows() as dataverse:
        patch.setattr("azure.identity.DefaultAzureCredential", FixedCredential)
        patch.setenv("DATAVERSE_URL", dataverse.address)
        trust_platform(patch)
        fresh_queues(service_bus, patch)
        fresh_storage(azurite, patch)
        told = [{"version": 1, "operation": "upsert", **change} for change in STORY]
        ingest.take_in(parse_batch(json.dumps({"changes": told}).encode()))
        for id in (MINE, OTHERS):
            recompute.recompute(f"contact:{id}", AS_OF)
        yield dataverse
    forget()


@pytest.fixture
def dataverse(crm: ReadableRows) -> ReadableRows:
    """The same with nothing remembered of it."""
    row_rights._rights.cache_clear()
    crm.sees, crm.status = {ME: {MINE}}, 200
    crm.asked.clear()
    return crm


def get(name: str, id: str = MINE, widget: str = "health", role: str = READER, **query: str) -> func.HttpResponse:
    return route(name).call(headers=as_role(role), params={"type": "contact", "id": id, "widget": widget}, query=query)


@pytest.mark.parametrize(
    "name", ["get_record_widgets", "get_record_widget", "get_record_activities", "get_record_people"]
)
def test_an_answer_about_a_record_is_for_those_who_may_read_it(dataverse: ReadableRows, name: str) -> None:
    assert get(name).status_code == 200
    assert get(name, OTHERS).status_code == 403
    assert get(name, str(uuid5(NAMESPACE_OID, "nobody"))).status_code == 403  # nobody learns what there is


def test_rows_of_lists_are_those_that_the_caller_may_read(dataverse: ReadableRows) -> None:
    listed = json_of(get("get_health_list"))
    assert ([row["record"] for row in listed["rows"]], listed["total"]) == ([f"contact:{MINE}"], 1)
    assert sum(listed["grades"].values()) == 1
    found = json_of(get("get_health_batch", ids=f"{MINE},{OTHERS}"))
    assert ([row["record"] for row in found["rows"]], found["missing"]) == ([f"contact:{MINE}"], [OTHERS])


def test_numbers_are_withheld_where_the_rows_are_too_many_to_ask_about(
    dataverse: ReadableRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_rights, "MOST_CHECKED", 1)
    listed = json_of(get("get_health_list"))
    assert [row["record"] for row in listed["rows"]] == [f"contact:{MINE}"]
    assert (listed["total"], listed["grades"], listed["reason"]) == (None, None, "tooManyToCheck")


def test_the_chart_draws_and_counts_what_the_caller_may_read(
    dataverse: ReadableRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, id in ((1, MINE), (9, OTHERS)):
        deal = ListRow(id=id, revision=0, name="Deal", state=0, score=80.0, amount=100.0 * number)
        record = f"opportunity:{id}"
        insights.write_if(record, Stored(b"{}", "ffffffff", AS_OF), b"", deal, insights.held(record), AS_OF)
    chart = json_of(get("get_pipeline"))
    assert [(each["record"], each["radius"]) for each in chart["bubbles"]] == [(f"opportunity:{MINE}", 1.0)]
    assert (chart["total"], [(lane["count"], lane["revenue"]) for lane in chart["lanes"]]) == (1, [(1, 100.0)])
    monkeypatch.setattr(list_rights, "MOST_CHECKED", 1)
    chart = json_of(get("get_pipeline"))
    assert [(each["record"], each["radius"]) for each in chart["bubbles"]] == [(f"opportunity:{MINE}", 1.0)]
    assert (chart["total"], chart["lanes"], chart["reason"]) == (None, None, "tooManyToCheck")


def test_what_dataverse_said_holds_for_a_while_and_for_that_caller_alone(dataverse: ReadableRows) -> None:
    for _ in range(3):
        assert get("get_record_widgets").status_code == 200
    assert dataverse.asked == [1]
    assert json_of(get("get_health_list"))["total"] == 1
    assert dataverse.asked == [1, 1]  # only the record that was not known yet
    stranger = Caller(id=str(uuid5(NAMESPACE_OID, "stranger")), name="", roles=frozenset(), tenant="t")
    assert row_rights.rights().readable(stranger, [f"contact:{MINE}"]) == set()


def test_the_record_of_a_wish_for_an_introduction_is_one_that_the_asker_may_read(dataverse: ReadableRows) -> None:
    def preview(**wish: str) -> func.HttpResponse:
        body = json.dumps({"introducer": f"user:{OWNER}", "target": f"contact:{MINE}", **wish}).encode()
        headers = as_caller(READER, address="max@us.example")
        return route("post_introduction_preview").call(headers=headers, params={}, query={}, body=body)

    assert "lee" not in preview(record=f"contact:{OTHERS}").get_body().decode()
    assert [preview(record=f"contact:{id}").status_code for id in (MINE, OTHERS)] == [200, 403]
    assert preview(target=f"contact:{OTHERS}").status_code == 403


@pytest.mark.parametrize("status", [401, 429, 500])
def test_nobody_reads_anything_while_dataverse_does_not_say(dataverse: ReadableRows, status: int) -> None:
    dataverse.status = status
    assert get("get_record_widgets").status_code == 503
    dataverse.status = 200
    assert get("get_record_widgets").status_code == 200


def test_many_records_are_asked_for_in_parts(dataverse: ReadableRows) -> None:
    ids = [str(uuid5(NAMESPACE_OID, f"r{n}")) for n in range(230)]
    dataverse.sees = {ME: set(ids[::2])}
    who = Caller(id=ME, name="", roles=frozenset(), tenant="t")
    wanted = [f"contact:{id}" for id in ids] + ["opportunity:" + ids[0], "case:" + ids[1], "lead:not-an-id"]
    found = row_rights.rights().readable(who, wanted)
    assert found == {f"contact:{id}" for id in ids[::2]} | {"opportunity:" + ids[0]}
    assert sorted(dataverse.asked) == [1, 1, 30, 100, 100]


def test_without_a_crm_to_ask_the_role_decides(dataverse: ReadableRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAVERSE_URL", "")
    forget()
    assert get("get_record_widgets", OTHERS).status_code == 200
    monkeypatch.undo()
    forget()


def test_an_unreachable_dataverse_is_unavailable(dataverse: ReadableRows) -> None:
    from shared.crm.dataverse_rights import DataverseRights

    who = Caller(id=ME, name="", roles=frozenset(), tenant="t")
    with pytest.raises(UnavailableError):
        DataverseRights("http://127.0.0.1:1").readable(who, [f"contact:{MINE}"])


Seen = dict[str, Any]


def cover(*roles: str, address: str = "") -> Seen:
    """Cover risk as a caller gets it."""
    headers, params = as_caller(READER, *roles, address=address), {"type": "contact", "id": MINE}
    found: Seen = json_of(
        route("get_record_widget").call(headers=headers, params={**params, "widget": "coverRisk"}, query={})
    )["data"]
    whole: Seen = json_of(route("get_record_widgets").call(headers=headers, params=params, query={}))["widgets"]
    assert whole["coverRisk"] == found
    return found


def colleagues(found: Seen) -> list[str]:
    return [share["person"]["name"] for share in found["ours"]["shares"]] + [found["ifLeaves"]["person"]["name"]]


def test_cover_risk_names_colleagues_to_few(dataverse: ReadableRows) -> None:
    for address in ("", "pat@us.example"):
        anonymous = cover(address=address)
        assert (colleagues(anonymous), anonymous["flags"]) == (["", ""], ["namesWithheld"])
        assert anonymous["ours"]["largest"] == 1.0
        assert [person["name"] for person in anonymous["ifLeaves"]["handover"]] == ["kim"]
    for named in (cover(COVER_RISK), cover(address="ann@us.example"), cover(address="max@us.example")):
        assert (colleagues(named), named["flags"]) == (["Ann", "Ann"], [])
