"""Code, page and example file name the same settings, and the example works with the local sign-in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from local.tokens import API_CLIENT_ID, TENANT
from shared.settings import Settings, table

ROOT = Path(__file__).resolve().parents[2]
HOST_OWN = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}


def example() -> dict[str, str]:
    return json.loads((ROOT / "local.settings.example.json").read_text())["Values"]


def test_page_has_exactly_the_rows_of_the_table() -> None:
    expected = [
        f"| `{row.name}` | {f'`{row.default}`' if row.default else '–'} | {row.where} "
        f"| {'yes' if row.secret else 'no'} | {row.help} |"
        for row in table()
    ]
    page = (ROOT / "docs/settings.md").read_text().splitlines()
    assert expected == [line for line in page if re.match(r"\| `[A-Z]", line) and line.count("|") == 6]


def test_example_names_every_setting_that_is_given_locally() -> None:
    assert {row.name for row in table() if row.where in ("everywhere", "local")} == set(example()) - HOST_OWN


def test_example_gives_text_values_only() -> None:
    assert all(isinstance(value, str) for value in example().values())


def test_example_loads_and_repeats_the_defaults() -> None:
    loaded = Settings.load(example())
    assert len(loaded.person_key_bytes) >= 32
    for row in table():
        if row.default and row.name in example():
            assert row.default == example()[row.name]


def test_example_points_at_the_local_sign_in() -> None:
    loaded = Settings.load(example())
    assert loaded.auth_audience == API_CLIENT_ID
    assert loaded.auth_issuer == f"http://127.0.0.1:7090/{TENANT}/v2.0"
    assert loaded.auth_openid_configuration == f"{loaded.auth_issuer}/.well-known/openid-configuration"


@pytest.mark.parametrize("folder", ["shared", "functions"])
def test_nothing_but_settings_reads_the_environment(folder: str) -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b|from os import .*(environ|getenv)", path.read_text())
    ]
    assert [file for file in readers if file != "shared/settings.py"] == []
