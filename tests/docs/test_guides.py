"""The guides name what exists: commands with their options, make targets, environment values, other pages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("infra/*.md"), *ROOT.glob("web/*.md")])
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
_MODULE = re.compile(r"python(?:3(?:\.\d+)?)? -m ((?:scripts|local|bench|tests)(?:\.\w+)*)([^\n`|]*)")


def commands(page: Path) -> list[tuple[str, set[str]]]:
    """Modules that a page runs, each with the options that it is given."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return [(found[1], set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", found[2]))) for found in _MODULE.finditer(text)]


@cache
def options_of(module: str) -> set[str]:
    """The options that a module's help and its source name."""
    path = ROOT / Path(*module.split("."))
    source = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    assert source.exists(), f"there is no {module}"
    declared = source.read_text(encoding="utf-8")
    help_text = ""
    if "argparse" in declared:
        done = subprocess.run(
            [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        help_text = done.stdout
    return set(re.findall(r"--[a-z][a-z-]+", help_text + declared))


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_and_their_options_exist(page: Path) -> None:
    for module, given in commands(page):
        assert given <= options_of(module), module


def test_the_guides_do_name_commands() -> None:
    named = {module for page in PAGES for module, _ in commands(page)}
    assert {"scripts.dataverse.load", "scripts.entra", "scripts.migrate", "scripts.dead_letters"} <= named


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`make ([a-z][a-z-]+)", text) + re.findall(r"^make ([a-z][a-z-]+)", text, re.MULTILINE)
    assert set(named) <= targets


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_values_of_the_azd_environment_feed_something(page: Path) -> None:
    """What a guide has people set or read is a parameter of the template, an output of it, or known to a hook."""
    fed = json.dumps(json.loads((ROOT / "infra/main.parameters.json").read_text()))
    sources = [ROOT / "infra/main.bicep", *ROOT.glob("scripts/*.py"), *ROOT.glob("scripts/dataverse/*.py")]
    known = fed + "".join(path.read_text(encoding="utf-8") for path in sources)
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"azd env (?:set|get-value) ([A-Z][A-Z_]+)", text)
    assert [name for name in named if name not in known] == []


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_can_be_reached_from_the_start() -> None:
    reached, left = set(), {ROOT / "README.md"}
    while left:
        page = left.pop()
        reached.add(page)
        links = re.findall(r"\]\(([^)#:\s]+\.md)", page.read_text(encoding="utf-8"))
        left |= {(page.parent / link).resolve() for link in links} - reached
    assert sorted(str(page.relative_to(ROOT)) for page in set(ROOT.glob("docs/*.md")) - reached) == []
