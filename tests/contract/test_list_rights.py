"""Whose records are counted by grade: everybody's, one's own, or those of a team of five and more people."""

from __future__ import annotations

import msgspec
import pytest

from shared import ingest, insights, lists, pipeline_chart
from shared.auth import Caller
from shared.changes import parse_batch
from shared.errors import ForbiddenError
from shared.insights import Stored
from shared.list_rows import ListRow
from shared.list_shapes import ListQuery, PipelineQuery

pytestmark = pytest.mark.usefixtures("storage", "queues")
NOW = 1_773_576_000
OWNERS = ("user:u1", "user:u2", "team:pair", "team:wide", "team:left")


@pytest.fixture(autouse=True)
def deals(storage: object, queues: object) -> None:
    """Six people in three teams, of which one was left by two of its members; an open deal of each owner."""

    def row(entity: str, id: str, **attributes: object) -> dict[str, object]:
        return {"entity": entity, "id": id, "version": 1, "operation": "upsert", "attributes": attributes}

    people = [row("user", f"u{n}", emails=[f"u{n}@us.example"], active=n < 7) for n in range(1, 9)]
    teams = {"pair": ("u1", "u2"), "wide": tuple(f"u{n}" for n in range(1, 6)), "left": ("u4", "u5", "u6", "u7", "u8")}
    told = [*people, *(row("team", name, members=members) for name, members in teams.items())]
    ingest.take_in(parse_batch(msgspec.json.encode({"changes": told})))
    for owner in OWNERS:
        id = owner.replace(":", "-")
        deal = ListRow(id=id, revision=0, name=owner, owner=owner, state=0, score=80.0)
        record = f"opportunity:{id}"
        insights.write_if(record, Stored(b"{}", "ffffffff", NOW), b"", deal, insights.held(record), NOW)


def caller(user: str = "") -> Caller:
    address = f"{user}@us.example" if user else ""
    return Caller(id=f"object of {user}", name="", roles=frozenset(), tenant="t", address=address)


@pytest.mark.parametrize(
    ("user", "owner", "rows", "reason"),
    [
        ("u1", "", OWNERS, None),
        ("u1", "me", ("user:u1",), None),
        ("u1", "user:u1", ("user:u1",), None),
        ("u1", "team:wide", ("team:wide",), None),
        ("u6", "team:wide", ("team:wide",), None),  # of five people: no figure about one of them
        ("u1", "team:pair", ("team:pair",), "privacyFloor"),
        ("u4", "team:left", ("team:left",), "privacyFloor"),  # two of five have left
        ("u1", "user:u2", ("user:u2",), "privacyFloor"),
        ("", "user:u2", ("user:u2",), "privacyFloor"),
        ("u1", "team:unknown", (), "privacyFloor"),
    ],
)
def test_a_list_is_counted_unless_it_tells_of_few(
    user: str, owner: str, rows: tuple[str, ...], reason: str | None
) -> None:
    found = lists.health_list("opportunity", ListQuery(sort="name", owner=owner), NOW, caller(user))
    assert sorted(row.name for row in found.rows) == sorted(rows)
    assert (found.total, found.reason) == (len(rows), reason)
    assert found.grades == (None if reason else {"good": len(rows), "fair": 0, "poor": 0, "insufficient": 0})
    chart = pipeline_chart.pipeline(PipelineQuery(owner=owner), NOW, caller(user))
    assert (chart.total, chart.shown, chart.reason) == (found.total, len(rows), reason)
    assert (chart.lanes is None) == (reason is not None)


@pytest.mark.parametrize("user", ["", "stranger"])
def test_nothing_is_the_own_of_somebody_whom_the_crm_does_not_know(user: str) -> None:
    with pytest.raises(ForbiddenError):
        lists.health_list("opportunity", ListQuery(owner="me"), NOW, caller(user))
    with pytest.raises(ForbiddenError):
        pipeline_chart.pipeline(PipelineQuery(owner="me"), NOW, caller(user))
