"""The page about the Graph simulator names what there is, and nothing that is not."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from local.graph import control, control_mailboxes, control_notifications
from local.graph.behaviour import Behaviour
from local.graph.consent import REGISTRATIONS
from local.graph.faults import KINDS
from local.graph.notifications import FORGERIES
from local.signin import routes as signin_routes

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "graph-simulator.md").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """The names in code marks in the first column, row by row."""
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [re.findall(r"`([^`]+)`", row.split("|")[1]) for row in part.splitlines() if row.startswith("| `")]


def test_every_switch_is_on_the_page() -> None:
    named = {name for row in table("Switches") for name in row}
    assert {each.name for each in fields(Behaviour)} == named


def test_every_kind_of_fault_is_on_the_page() -> None:
    assert [[kind] for kind in KINDS] == table("Faults")


def test_every_control_route_is_on_the_page() -> None:
    named = set()
    for row in table("Control routes"):
        path = row[-1].split()[-1]  # the methods before it may stand without one
        named |= {(each.split()[0], each.split()[-1] if " " in each else path) for each in row}
    parts = (control, control_mailboxes, control_notifications)
    there = {(route.method, route.path) for part in parts for route in part.routes}
    there |= {(route.method, route.path) for route in signin_routes if route.path.startswith("/control")}
    assert there == named


def test_applications_and_forgeries_are_on_the_page() -> None:
    for app in REGISTRATIONS:
        assert f"| `{app.name}` | {app.client_id} | `{app.secret}` | {', '.join(app.roles)} |" in PAGE
    assert all(f"`{kind}`" in PAGE for kind in FORGERIES)
