"""The widgets' scripts as the app serves them: an allow-list, one version for all, kept for good, small."""

from __future__ import annotations

import gzip
import re

import azure.functions as func
import pytest

from functions.web import get_versioned_web_file, get_web_file
from shared.web_files import FOLDER, web_files

# Of each entry, in KB: all the code that it loads, and all the words.
BUDGETS = {
    "rapport-widgets.js": (32, 18),
    "rapport-lists.js": (20, 20),
    "rapport-me.js": (28, 26),
    "rapport-admin.js": (42, 50),
}


def ask(file: str, version: str = "", **headers: str) -> func.HttpResponse:
    params = {"file": file} | ({"version": version} if version else {})
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = func.HttpRequest("GET", f"http://app/api/web/{file}", headers=names, route_params=params, body=b"")
    answer: func.HttpResponse = (get_versioned_web_file if version else get_web_file)(request)
    return answer


def loaded(entry: str) -> set[str]:
    """The files that a page with this entry loads."""
    found, waiting = set[str](), {entry}
    while waiting:
        found |= waiting
        codes = [web_files().file(name).content.decode() for name in waiting]
        waiting = {name for code in codes for name in re.findall(r"from \"\./([^\"]+)\"", code)} - found
    return found


@pytest.mark.parametrize("entry", BUDGETS)
def test_scripts_are_small(entry: str) -> None:
    """As sent, compressed: the code of an entry, and its words in five languages."""
    packed = {name: len(web_files().file(name).packed) for name in loaded(entry)}
    words = sum(size for name, size in packed.items() if name.endswith("texts.js"))
    assert words < BUDGETS[entry][1] * 1024
    assert sum(packed.values()) - words < BUDGETS[entry][0] * 1024


def test_every_script_belongs_to_an_entry() -> None:
    assert set(web_files().files) == set().union(*map(loaded, BUDGETS))


def test_a_script_redirects_to_its_present_version() -> None:
    answer = ask("rapport-widgets.js")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{web_files().version}/rapport-widgets.js"
    assert answer.headers["Cache-Control"] == "public, no-cache"


def test_a_versioned_script_is_kept_for_good() -> None:
    answer = ask("rapport-widgets.js", web_files().version)
    assert answer.status_code == 200
    assert answer.get_body() == (FOLDER / "rapport-widgets.js").read_bytes()
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_compressed_where_it_is_taken() -> None:
    answer = ask("texts.js", web_files().version, accept_encoding="gzip, br")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.get_body()) == (FOLDER / "texts.js").read_bytes()
    again = ask("texts.js", web_files().version, accept_encoding="gzip, br", if_none_match=answer.headers["ETag"])
    assert (again.status_code, again.get_body()) == (304, b"")
    assert again.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_another_version_is_not_kept() -> None:
    assert ask("dom.js", "0000000000000000").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "name", ["", "README.md", "../host.json", "..%2fhost.json", "function_app.py", "/etc/passwd", "DOM.js"]
)
@pytest.mark.parametrize("version", ["", "x"])
def test_nothing_else_is_served(name: str, version: str) -> None:
    assert ask(name, version).status_code == 404


def test_scripts_import_only_each_other_and_parse_no_markup() -> None:
    for name, file in web_files().files.items():
        code = file.content.decode()
        for imported in re.findall(r"from \"([^\"]+)\"", code):
            assert imported.removeprefix("./") in web_files().files, (name, imported)
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", code), name
        assert not re.search(r"https?://(?!<app>|www\.w3\.org/2000/svg)", code), name
