"""The page of the organisation's settings names every setting, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from shared.organisation_settings import OrganisationSettings

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "settings-organisation.md"


def test_the_table_has_a_row_for_each_setting() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## The document")[2].partition("**Frequency")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(first_cells))) == sorted(
        OrganisationSettings.__struct_encode_fields__
    )
