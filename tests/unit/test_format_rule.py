"""One release back can always be gone: what this release writes, the last one reads (docs/upgrade.md).

`tests/golden/formats.json` holds what the last release reads and writes; it is brought up to date when a release is made.
"""

from __future__ import annotations

import ast
import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RELEASED: dict[str, dict[str, object]] = json.loads((ROOT / "tests/golden/formats.json").read_text())
NOT_STORED = {"shared.openapi", "shared.table_requests"}  # versions of the app itself, and of Azure's interface


def with_a_format() -> set[str]:
    """Modules of `shared/` that name the version of a stored format."""
    found = set()
    for path in (ROOT / "shared").rglob("*.py"):
        names = {
            name.id
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign)
            for name in ast.walk(node)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        }
        if "VERSION" in names:
            found.add(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return found - NOT_STORED


@pytest.mark.parametrize("module", sorted(with_a_format()))
def test_a_format_is_written_only_when_the_last_release_reads_it(module: str) -> None:
    """A new format is taught to the readers in one release and written in the next; a new kind of row harms nobody."""
    written = importlib.import_module(module).VERSION
    assert written in RELEASED.get(module, {"reads": [1]})["reads"]  # type: ignore[operator]


def test_no_format_of_the_last_release_is_forgotten() -> None:
    assert set(RELEASED) <= with_a_format()
