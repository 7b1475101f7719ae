"""The page names the routes, roles, choices, placeholders and moves that the code has."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from shared.choices import Choices
from shared.introduction_mail import LANGUAGES, PLACEHOLDERS
from shared.introduction_requests import MOVES
from shared.lookups import MOST_A_DAY

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/who-knows-whom.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [field.encode_name for field in msgspec.structs.fields(Choices)])
def test_every_choice_is_described(name: str) -> None:
    assert f"| `{name}` |" in PAGE


def test_the_placeholders_are_those_of_the_code() -> None:
    assert set(re.findall(r"`\{([a-zA-Z.]+\.?[a-zA-Z]*)\}`", PAGE)) == set(PLACEHOLDERS)


def test_the_languages_and_the_limit_are_those_of_the_code() -> None:
    assert f"({', '.join(LANGUAGES)})" in PAGE
    assert f"may ask {MOST_A_DAY} of them" in PAGE


def test_every_move_by_hand_is_in_the_table() -> None:
    rows = re.findall(r"^\| ([a-z, ]+) \| ([a-z, ]+) \| (.+) \|$", PAGE, re.MULTILINE)
    stated = {(a.strip(), b.strip()) for left, right, _ in rows for a in left.split(",") for b in right.split(",")}
    by_choice = {("unclear", "requested"), ("unclear", "draft")}  # told in the row of `unclear`
    assert set(MOVES) - by_choice <= stated


@pytest.mark.parametrize("module", ["who_knows_whom", "introductions"])
def test_every_route_is_named(module: str) -> None:
    source = (ROOT / f"functions/{module}.py").read_text(encoding="utf-8")
    for route in re.findall(r'route="([^"]+)"', source):
        last = re.sub(r":guid", "", route).rpartition("/")[2]
        assert last in PAGE or route in PAGE or "answer" in route, route
