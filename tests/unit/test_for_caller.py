"""Similar won deals as a caller may see them, on a recorded answer; cover risk stands in tests/http/test_row_rights.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest

from shared.auth import COVER_RISK, Caller
from shared.for_caller import all_for, one_for
from shared.reading import Answer
from tests.doubles.processes import forget
from tests.doubles.readable_rows import FixedCredential, ReadableRows, readable_rows

RECORDED = json.loads((Path(__file__).resolve().parents[1] / "payloads/widgets/opportunity.json").read_text())
NAME = "similarWonOpportunities"
SIMILAR = RECORDED["widgets"][NAME]
LISTED = [deal["record"].partition(":")[2] for deal in SIMILAR["deals"]]
UNLISTED = str(uuid5(NAMESPACE_OID, "a deal in the averages that is not listed"))
AVERAGE = {"n": 11, "mean": 2.0, "median": 2.0}
AVERAGES = dict.fromkeys(SIMILAR["thisDeal"], AVERAGE)
WHO = Caller(id=str(uuid5(NAMESPACE_OID, "me")), name="", roles=frozenset({COVER_RISK}), tenant="t")


@pytest.fixture
def dataverse(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReadableRows]:
    with readable_rows() as found:
        monkeypatch.setattr("azure.identity.DefaultAzureCredential", FixedCredential)
        monkeypatch.setenv("DATAVERSE_URL", found.address)
        forget()
        yield found
    forget()


def seen(answered: dict[str, Any]) -> dict[str, Any]:
    """The widget that comes out, by itself and among all: both must be one."""
    whole = {**RECORDED, "widgets": {**RECORDED["widgets"], NAME: answered}}
    one = {**{name: value for name, value in RECORDED.items() if name != "widgets"}, "widget": NAME, "data": answered}
    found = json.loads(one_for(WHO, Answer(json.dumps(one).encode(), "tag")).body)["data"]
    assert json.loads(all_for(WHO, Answer(json.dumps(whole).encode(), "tag")).body)["widgets"][NAME] == found
    return dict(found)


def averaged() -> dict[str, Any]:
    records = [f"opportunity:{id}" for id in (*LISTED, UNLISTED)]
    return {**SIMILAR, "n": 11, "averagedDeals": records, "equalAge": AVERAGES, "wholeLife": AVERAGES, "reason": None}


def test_all_is_shown_to_who_may_read_all(dataverse: ReadableRows) -> None:
    dataverse.sees = {WHO.id: {*LISTED, UNLISTED}}
    assert seen(averaged()) == averaged()
    untouched = Answer(json.dumps(RECORDED).encode(), "tag")
    assert all_for(WHO, untouched) is untouched


def test_deals_that_the_caller_may_not_read_are_not_listed_and_in_no_average(dataverse: ReadableRows) -> None:
    dataverse.sees = {WHO.id: {*LISTED[1:], UNLISTED}}
    found = seen(averaged())
    assert [deal["record"] for deal in found["deals"]] == [f"opportunity:{id}" for id in LISTED[1:]]
    assert (found["equalAge"], found["wholeLife"], found["reason"]) == (None, None, "notAllReadable")
    assert f"opportunity:{LISTED[0]}" not in json.dumps(found)


def test_a_deal_that_only_the_averages_know_is_not_told_by_them_either(dataverse: ReadableRows) -> None:
    dataverse.sees = {WHO.id: set(LISTED)}
    found = seen(averaged())
    assert len(found["deals"]) == len(LISTED)
    assert (found["equalAge"], found["reason"], UNLISTED in json.dumps(found)) == (None, "notAllReadable", False)
