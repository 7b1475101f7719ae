"""The catalogues of words: nothing missing, nothing left over, the same places to fill in every language.

`texts.js` is the words of all; an entry that record forms do not load keeps its own in `<entry>-texts.js`.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

import pytest
from playwright.sync_api import Browser

from shared.kpi.interactions import Reason
from shared.ledger import reason_name
from shared.web_files import FOLDER
from tests.web.recorded_app import RecordedApp

CODE = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.js") if not path.name.endswith("texts.js"))
CATALOGUES = sorted(path.name for path in FOLDER.glob("*texts.js"))


@pytest.fixture(scope="module")
def catalogue(browser: Browser, form_server: RecordedApp) -> dict[str, Any]:
    page = browser.new_page()
    page.goto(f"{form_server.url}/health")
    found: list[dict[str, Any]] = page.evaluate(
        "(names) => Promise.all(names.map((name) => import(`/api/web/${name}`).then((module) => ({ ...module }))))",
        CATALOGUES,
    )
    page.close()
    keys = [key for one in found for key in one["TEXTS"]]
    assert len(keys) == len(set(keys)), "a key in two catalogues"
    languages = [one["LANGUAGES"] for one in found if "LANGUAGES" in one]
    return {"LANGUAGES": languages[0], "TEXTS": {key: text for one in found for key, text in one["TEXTS"].items()}}


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_text_has_all_languages_and_the_same_places(catalogue: dict[str, Any]) -> None:
    assert catalogue["LANGUAGES"] == ["en", "de", "pl", "ro", "ar"]
    for key, texts in catalogue["TEXTS"].items():
        assert len(texts) == 5 and all(text.strip() for text in texts), key
        assert len({frozenset(_places(text)) for text in texts}) == 1, key


def test_every_key_of_the_code_has_a_text_and_every_text_is_used(catalogue: dict[str, Any]) -> None:
    """A key stands in the code as a whole, or as a template with its beginning (`state.${..}`) or its end (`${..}.show`)."""
    keys, whole = set(catalogue["TEXTS"]), set(re.findall(r"\"([\w.]+)\"", CODE))
    named = set(re.findall(r"\.text\(\s*\"([\w.]+)\"", CODE))
    assert named <= keys, named - keys
    beginnings = tuple(re.findall(r"`(\w+\.)\$\{", CODE))
    ends = tuple(re.findall(r"\$\{\w+\}(\.\w+)`", CODE))
    assert {key for key in keys - whole if not key.startswith(beginnings) and not key.endswith(ends)} == set()


def test_every_reason_and_flag_of_the_app_has_words(catalogue: dict[str, Any]) -> None:
    assert {f"reason.{reason_name(one)}" for one in Reason} <= set(catalogue["TEXTS"])
    flags = [
        "basicOnly", "partial", "stale", "lowSample", "insufficient", "assumedHours", "durationMissing", "frozen",
        "privacyFloor", "machineOpensNotSeparated", "consentSuspect",
    ]  # fmt: skip
    assert {f"flag.{one}" for one in flags} <= set(catalogue["TEXTS"])
