"""The page of figures and the catalogue say the same, and the catalogue names modules that exist."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from shared.kpi.catalog import CATALOG, Figure, page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "kpis.md"


def test_page_shows_the_catalogue() -> None:
    assert page() in PAGE.read_text(encoding="utf-8")


def test_names_are_camel_case_and_stand_once() -> None:
    names = [figure.name for figure in CATALOG]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]*)*", name) for name in names)


@pytest.mark.parametrize("figure", CATALOG, ids=lambda figure: figure.name)
def test_figure_says_everything_and_its_module_exists(figure: Figure) -> None:
    assert all((figure.meaning, figure.unit, figure.range, figure.direction, figure.null))
    assert "|" not in figure.meaning
    assert import_module(f"shared.kpi.{figure.module}").__doc__
