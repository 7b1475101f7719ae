"""The sign-in part of the simulator, in a thread and as a process, with the app's own check on the other end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.signin import SAMPLE_APPS
from local.tokens import API_CLIENT_ID, TENANT, KeyRing, SigningKey, issue
from shared.auth import caller_of_token
from shared.errors import UnauthenticatedError
from shared.settings import Settings
from shared.signing_keys import REFETCH_SECONDS, SigningKeys
from tests.doubles.ports import free_port
from tests.doubles.signin import running_signin

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    with running_signin(tmp_path) as address:
        yield address


def call(url: str, data: dict[str, str] | bytes | None = None) -> tuple[int, dict[str, Any]]:
    body = urllib.parse.urlencode(data).encode() if isinstance(data, dict) else data
    try:
        with urllib.request.urlopen(url, data=body, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def app_settings(base: str) -> Settings:
    issuer = f"{base}/{TENANT}/v2.0"
    configuration = f"{issuer}/.well-known/openid-configuration"
    return Settings(auth_issuer=issuer, auth_audience=API_CLIENT_ID, auth_openid_configuration=configuration)


def app_keys(base: str, clock: Any = time.monotonic) -> SigningKeys:
    values = app_settings(base)
    return SigningKeys(values.auth_openid_configuration, values.auth_issuer, clock=clock)


def ask_token(base: str, number: int, **changed: str) -> tuple[int, dict[str, Any]]:
    sample = SAMPLE_APPS[number]
    form = {
        "grant_type": "client_credentials",
        "client_id": sample.client_id,
        "client_secret": sample.secret,
        "scope": f"api://{API_CLIENT_ID}/.default",
    }
    return call(f"{base}/{TENANT}/oauth2/v2.0/token", form | changed)


def test_health(base: str) -> None:
    assert call(f"{base}/health") == (200, {"status": "ok"})


def test_configuration_leads_to_keys_and_tokens(base: str) -> None:
    _, configuration = call(f"{base}/{TENANT}/v2.0/.well-known/openid-configuration")
    assert configuration["issuer"] == f"{base}/{TENANT}/v2.0"
    _, keys = call(configuration["jwks_uri"])
    assert [key["kty"] for key in keys["keys"]] == ["RSA"] and not any("d" in key for key in keys["keys"])
    assert configuration["token_endpoint"] == f"{base}/{TENANT}/oauth2/v2.0/token"


@pytest.mark.parametrize("number", range(len(SAMPLE_APPS)))
def test_sample_app_gets_a_token_that_the_app_accepts(base: str, number: int) -> None:
    status, answer = ask_token(base, number)
    who = caller_of_token(answer["access_token"], app_settings(base), app_keys(base))
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3600)
    assert (who.id, who.name) == (SAMPLE_APPS[number].client_id, SAMPLE_APPS[number].name)
    assert who.roles == frozenset(SAMPLE_APPS[number].roles[API_CLIENT_ID])


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 400, "unauthorized_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": f"api://{API_CLIENT_ID}/read"}, 400, "invalid_scope"),
        ({"scope": "api://other/.default"}, 400, "invalid_resource"),
    ],
)
def test_token_requests_are_refused_as_by_entra(base: str, changed: dict[str, str], status: int, error: str) -> None:
    answered, answer = ask_token(base, 0, **changed)
    assert (answered, answer["error"]) == (status, error)
    assert answer["error_description"].startswith(f"AADSTS{answer['error_codes'][0]}: ")


def test_unknown_tenant_is_refused(base: str) -> None:
    assert call(f"{base}/nobody/v2.0/.well-known/openid-configuration")[0] == 400
    assert call(f"{base}/nobody/oauth2/v2.0/token", {"grant_type": "client_credentials"})[0] == 400


def test_person_is_signed_in_by_the_control_route(base: str) -> None:
    wanted = {"roles": ["Rapport.Reader"], "name": "Ann", "address": "ann@us.example", "lifetime": 43200}
    _, answer = call(f"{base}/control/token", json.dumps(wanted).encode())
    who = caller_of_token(answer["access_token"], app_settings(base), app_keys(base))
    assert (who.name, who.address, who.roles) == ("Ann", "ann@us.example", frozenset({"Rapport.Reader"}))


def test_rotation_is_followed_and_old_tokens_go_on(base: str) -> None:
    now = [0.0]
    keys, values = app_keys(base, lambda: now[0]), app_settings(base)
    old = ask_token(base, 0)[1]["access_token"]
    assert caller_of_token(old, values, keys).name == "sample-reader"
    assert call(f"{base}/control/rotate-keys", b"")[0] == 200
    new = ask_token(base, 0)[1]["access_token"]
    with pytest.raises(UnauthenticatedError, match="unknown key"):
        caller_of_token(new, values, keys)  # within the pause after the last look
    now[0] += REFETCH_SECONDS
    assert [caller_of_token(token, values, keys).name for token in (new, old)] == ["sample-reader"] * 2


def test_withdrawn_key_ends_old_tokens(base: str) -> None:
    old = ask_token(base, 0)[1]["access_token"]
    call(f"{base}/control/rotate-keys?withdraw=1", b"")
    with pytest.raises(UnauthenticatedError, match="unknown key"):
        caller_of_token(old, app_settings(base), app_keys(base))


def test_outage_of_the_sign_in_keeps_callers_signed_in(tmp_path: Path) -> None:
    now = [0.0]
    with running_signin(tmp_path) as base:
        keys, values = app_keys(base, lambda: now[0]), app_settings(base)
        token = ask_token(base, 0)[1]["access_token"]
        assert caller_of_token(token, values, keys).name == "sample-reader"
    now[0] += 1e6
    assert caller_of_token(token, values, keys).name == "sample-reader"


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"lifetime": -3600}, "expired"),
        ({"audience": "other"}, "another service"),
        ({"issuer": "http://127.0.0.1/other"}, "another issuer"),
    ],
)
def test_issue_bends_tokens_for_tests(base: str, tmp_path: Path, claims: dict[str, Any], words: str) -> None:
    token = issue(KeyRing(tmp_path).current, **{"issuer": f"{base}/{TENANT}/v2.0", **claims})
    with pytest.raises(UnauthenticatedError, match=words):
        caller_of_token(token, app_settings(base), app_keys(base))


def test_stranger_key_is_unknown(base: str) -> None:
    with pytest.raises(UnauthenticatedError, match="unknown key"):
        caller_of_token(issue(SigningKey(), issuer=f"{base}/{TENANT}/v2.0"), app_settings(base), app_keys(base))


def test_private_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    KeyRing(tmp_path).rotate()
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o077 == 0


def start(port: int, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "local.signin", "--port", str(port), "--folder", str(folder)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            call(f"http://127.0.0.1:{port}/health")
            return process
        except OSError:
            time.sleep(0.05)
    process.kill()
    process.wait()
    raise AssertionError("the sign-in did not start")


def test_process_stops_in_order_and_its_tokens_survive_a_restart(tmp_path: Path) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    first = start(port, tmp_path)
    try:
        token = ask_token(base, 1)[1]["access_token"]
    finally:
        first.send_signal(signal.SIGTERM)
        assert first.wait(60) == 0
    second = start(port, tmp_path)
    try:
        assert caller_of_token(token, app_settings(base), app_keys(base)).roles == frozenset({"Rapport.Ingest"})
    finally:
        second.send_signal(signal.SIGINT)
        assert second.wait(60) == 0
