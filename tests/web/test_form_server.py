"""The sample form's server: tokens for its own page alone, the app behind one origin."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from tests.web.real_app import RealApp
from tests.web.recorded_app import RecordedApp


def _status(url: str, method: str = "GET", **headers: str) -> int:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=given), timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_token_for_pages_of_others(form: RecordedApp, site: str) -> None:
    assert _status(f"{form.url}/session/token", "POST", Sec_Fetch_Site=site) == 403
    assert _status(f"{form.url}/session/token", "POST", Sec_Fetch_Site="same-origin") == 200


def test_no_answer_under_another_name(form: RecordedApp) -> None:
    assert _status(f"{form.url}/", Host="form.attacker.example") == 403
    assert _status(f"{form.url}/", Host="localhost:7080") == 200


def test_a_page_gets_a_token_with_the_role_that_it_names_and_no_other_role(app_server: RealApp) -> None:
    url = f"{app_server.url}/session/token"
    for query, role in (("", "Rapport.Reader"), ("?role=Rapport.Admin", "Rapport.Admin")):
        with urllib.request.urlopen(urllib.request.Request(url + query, method="POST"), timeout=60) as answer:
            assert json.load(answer) == {"token": role}
    assert _status(f"{url}?role=Rapport.Ingest", "POST") == 400
    assert _status(f"{url}?role=Rapport.Admin", "POST", Sec_Fetch_Site="cross-site") == 403


def test_the_administrators_page_is_served_under_the_same_policy(form: RecordedApp) -> None:
    with urllib.request.urlopen(f"{form.url}/admin", timeout=60) as answer:
        assert b"<rapport-admin" in answer.read()
        assert "require-trusted-types-for" in answer.headers["Content-Security-Policy"]


def test_a_token_is_never_given_to_a_get(form: RecordedApp) -> None:
    assert _status(f"{form.url}/session/token") == 405


@pytest.mark.parametrize("path", ["server.py", "../server.py", "%2e%2e/server.py", "form.js/../../server.py"])
def test_only_the_page_is_served(form: RecordedApp, path: str) -> None:
    assert _status(f"{form.url}/{path}") == 404


def test_the_app_answers_through_the_form(form: RecordedApp) -> None:
    url = f"{form.url}/api/records/opportunity/any/widgets?language=de"
    assert _status(url) == 401
    assert _status(url, Authorization="Bearer good") == 200
    assert form.asked == ["/api/records/opportunity/any/widgets?language=de"] * 2


def test_the_page_forbids_everything_foreign(form: RecordedApp) -> None:
    with urllib.request.urlopen(f"{form.url}/", timeout=60) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
