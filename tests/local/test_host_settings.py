"""Settings, host.json and keys of the local host."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from local.host.configuration import HostConfiguration, read_configuration
from local.host.errors import HostError
from local.host.keys import Keys
from local.host.settings import LocalSettings, apply_local_settings, expand, seconds_of


def host_json(tmp_path: Path, options: object) -> Path:
    (tmp_path / "host.json").write_text(json.dumps(options))
    return tmp_path


def test_defaults_are_those_of_the_real_host(tmp_path: Path) -> None:
    root = host_json(tmp_path, {"version": "2.0"})
    assert HostConfiguration("api", 0, True, 16, 300.0, 1000) == read_configuration(root, {})


def test_environment_wins_over_host_json_in_any_case(tmp_path: Path) -> None:
    options = {"serviceBus": {"maxConcurrentCalls": 9, "maxAutoLockRenewalDuration": "00:01:30"}}
    root = host_json(tmp_path, {"version": "2.0", "extensions": {"http": {"routePrefix": ""}, **options}})
    found = read_configuration(root, {"AzureFunctionsJobHost__Extensions__serviceBus__maxConcurrentCalls": "4"})
    assert (found.route_prefix, found.max_concurrent_calls, found.max_lock_renewal) == ("", 4, 90.0)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "version"),
        ([], "JSON object"),
        ({"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentCalls": 0}}}, "maxconcurrentcalls: 0 is below"),
        ({"version": "2.0", "extensions": {"serviceBus": {"autoCompleteMessages": "no"}}}, "neither true nor false"),
        ({"version": "2.0", "extensions": {"serviceBus": {"maxAutoLockRenewalDuration": "5m"}}}, "no time span"),
    ],
)
def test_wrong_host_json_is_refused(tmp_path: Path, options: object, reason: str) -> None:
    with pytest.raises(HostError, match=reason):
        read_configuration(host_json(tmp_path, options), {})


def test_host_json_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"Expecting to find host\.json"):
        read_configuration(tmp_path, {})


def test_option_that_is_not_served_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = host_json(tmp_path, {"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentSessions": 8}}})
    read_configuration(root, {})
    assert "extensions.servicebus.maxconcurrentsessions is not read" in caplog.text


def test_real_environment_wins_over_local_settings(tmp_path: Path) -> None:
    host = {"CORS": "https://crm.example, https://b.example", "CORSCredentials": True}
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": {"A": "file", "B": 2}, "Host": host}))
    environ = {"A": "real"}
    found = apply_local_settings(tmp_path, environ)
    assert environ == {"A": "real", "B": "2"}
    assert LocalSettings(("https://crm.example", "https://b.example"), True) == found


def test_no_local_settings_changes_nothing(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    assert (LocalSettings(), {}) == (apply_local_settings(tmp_path, environ), environ)


def test_encrypted_local_settings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text('{"IsEncrypted": true, "Values": {}}')
    with pytest.raises(HostError, match="encrypted"):
        apply_local_settings(tmp_path, {})


def test_every_named_setting_is_replaced() -> None:
    assert expand("%X%-%Y%-100%", {"X": "a", "Y": "b"}, "f") == "a-b-100%"


def test_time_spans() -> None:
    assert [seconds_of(one) for one in ("00:01:30", "00:05", "1.00:00:00.25")] == [90.0, 300.0, 86400.25]


def test_keys_stay_and_are_private(tmp_path: Path) -> None:
    first = Keys(tmp_path, ["a"], enabled=True)
    second = Keys(tmp_path, ["a", "b"], enabled=True)
    assert (first.master, first.default, first.functions["a"]) == (second.master, second.default, second.functions["a"])
    assert len({second.master, second.default, *second.functions.values()}) == 4
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("level", ["anonymous", "function", "admin", "unheard-of"])
@pytest.mark.parametrize("key", ["", "wrong", "\udcff", "own", "other", "default", "master"])
def test_which_key_opens_which_level(tmp_path: Path, level: str, key: str) -> None:
    keys = Keys(tmp_path, ["a", "b"], enabled=True)
    known = {"own": keys.functions["a"], "other": keys.functions["b"], "default": keys.default, "master": keys.master}
    opens = {
        "anonymous": {"", "wrong", "\udcff", *known},
        "function": {"own", "default", "master"},
        "admin": {"master"},
    }
    given = known.get(key, key)
    assert (key in opens.get(level, set())) is keys.lets_in(level, "a", {"x-functions-key": given}, {})
    assert (key in opens.get(level, set())) is keys.lets_in(level, "a", {}, {"code": given})


def test_header_counts_before_the_query(tmp_path: Path) -> None:
    keys = Keys(tmp_path, ["a"], enabled=True)
    assert not keys.lets_in("function", "a", {"x-functions-key": "wrong"}, {"code": keys.master})


def test_no_keys_are_asked_for_when_switched_off(tmp_path: Path) -> None:
    assert Keys(tmp_path, ["a"], enabled=False).lets_in("admin", "a", {}, {})
