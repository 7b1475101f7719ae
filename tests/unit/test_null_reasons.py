"""No null without a reason: every figure of a widget that cannot be said has a code, and nothing else has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from shared.kpi.parameters import Parameters
from shared.snapshots import snapshot
from shared.widgets import RecordWidgets
from tests.doubles.computations import computed, entries_of
from tests.doubles.histories import BERLIN, DAY, WORLD, A, Item, email

BLOCKS = ("health", "responseTime", "emailEngagement", "coverRisk")
TOLD_OTHERWISE = {  # a null that its neighbour explains: nothing waits, a side without shares, grade insufficient
    "oldestAt", "oldestInteractionId", "oldestBusinessHours", "ifLeaves", "scoreNow", "scoreThen",
}  # fmt: skip

STRICT = replace(BERLIN, strict_own_side=True)
HIDDEN = replace(BERLIN, show_health=False, email_engagement=False)


def talk(days: range) -> list[Item]:
    mails = [(A - day * DAY, f"c{day}") for day in days]
    return [
        mail
        for at, name in mails
        for mail in (
            email(at, "kim", ["anna"], conversation=name),
            email(at + 3600, "anna", ["kim"], conversation=name),
        )
    ]


def widgets(items: list[Item], parameters: Parameters = BERLIN, **more: Any) -> dict[str, Any]:
    found = snapshot(computed(entries_of(items, more.pop("engagement", None)), parameters, **more), A, A, 1)
    assert msgspec.json.decode(msgspec.json.encode(found), type=RecordWidgets) == found
    built: dict[str, Any] = msgspec.to_builtins(found)["widgets"]
    return built


def unexplained(block: dict[str, Any], path: str = "") -> Iterator[str]:
    """Fields that are null without a code, and codes of fields that are not null."""
    codes = dict(block.get("reasons", {}))
    for name, value in block.items():
        if value is None and name not in TOLD_OTHERWISE and not codes.pop(name, "") and not block.get("reason"):
            yield path + name
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict) and name != "reasons":
                yield from unexplained(inner, f"{path}{name}.")
    yield from (f"{path}{name}?" for name in codes if block.get(name) is not None)


FOLLOWED = {0: (0, 1, 1, 1, 1, 1)}
CASES: dict[str, dict[str, Any]] = {
    "nothing": {"items": []},
    "one mail of ours": {"items": [email(A - DAY, "anna", ["kim"])]},
    "too young": {"items": talk(range(1, 2))},
    "a few days": {"items": talk(range(10, 40, 12))},
    "well known": {"items": talk(range(3, 60, 7)), "engagement": FOLLOWED},
    "bounced": {"items": talk(range(3, 60, 7)), "engagement": {0: (1, 0, 0, 1, 1, 0)}},
    "without links and attachments": {"items": talk(range(3, 60, 7)), "engagement": {0: (0, 1, 0, 0, 0, 0)}},
    "withheld": {"items": talk(range(3, 60, 7)), "parameters": STRICT},
    "hidden": {"items": talk(range(3, 60, 7)), "parameters": HIDDEN},
    "closed": {"items": talk(range(20, 80, 7)), "of": WORLD.opportunity(closed=A - 10 * DAY)},
}


@pytest.mark.parametrize("case", CASES, ids=lambda name: name.replace(" ", "-"))
def test_every_null_has_a_code_and_nothing_else_has(case: str) -> None:
    found = widgets(**CASES[case])
    assert [text for block in BLOCKS for text in unexplained(found[block], f"{block}.")] == []


def test_codes_say_what_is_missing() -> None:
    nothing, few = widgets(**CASES["nothing"]), widgets(**CASES["too young"])
    assert nothing["health"]["reasons"] == dict.fromkeys(("score", "scoreInt", "alarm"), "noInteractions")
    assert few["health"]["reasons"] == {
        "score": "fewInteractions",
        "scoreInt": "fewInteractions",
        "alarm": "fewActiveDays",
    }
    assert nothing["responseTime"]["byUs"]["reasons"]["hours"] == "noAnswers"
    assert nothing["coverRisk"]["ours"]["reason"] == "noInteractions"
    assert set(nothing["emailEngagement"]["reasons"].values()) == {"nothingFollowed"}
    assert widgets(**CASES["withheld"])["responseTime"]["byUs"]["reasons"]["hours"] == "privacyFloor"
    hidden = widgets(**CASES["hidden"])
    assert set(hidden["health"]["reasons"].values()) == {"healthHidden"}
    assert set(hidden["emailEngagement"]["reasons"].values()) == {"switchedOff"}
    assert widgets(**CASES["closed"])["health"]["reasons"]["counterfactuals"] == "closed"
    assert widgets(**CASES["bounced"])["emailEngagement"]["reasons"]["openRate"] == "nothingDelivered"
    assert widgets(**CASES["without links and attachments"])["emailEngagement"]["reasons"] == {
        "clickRate": "noLinks", "attachmentRate": "noAttachments",
    }  # fmt: skip
    assert widgets(**CASES["well known"])["health"]["reasons"] == {}
