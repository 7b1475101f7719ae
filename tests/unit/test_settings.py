from __future__ import annotations

import base64

import pytest

from shared.errors import SettingError
from shared.settings import Settings, table

KEY = base64.b64encode(bytes(range(32))).decode()


def test_nothing_set_gives_the_defaults() -> None:
    loaded = Settings.load({})
    assert (loaded.crm_changes_queue, loaded.bulk_batch, loaded.website_auth_enabled) == ("crm-changes", 50, False)


def test_text_becomes_numbers_and_booleans() -> None:
    loaded = Settings.load({"BULK_BATCH": " 7 ", "WEBSITE_AUTH_ENABLED": "True", "OTHER": "x"})
    assert (loaded.bulk_batch, loaded.website_auth_enabled) == (7, True)


def test_empty_text_counts_as_not_set() -> None:
    assert Settings.load({"BULK_BATCH": " "}).bulk_batch == 50


@pytest.mark.parametrize("value", ["many", "0", "1001", "1.5"])
def test_wrong_value_names_the_setting_and_not_the_value(value: str) -> None:
    with pytest.raises(SettingError, match="BULK_BATCH") as raised:
        Settings.load({"BULK_BATCH": value})
    assert f"`{value}`" not in raised.value.detail and "got `many`" not in raised.value.detail


def test_secrets_are_not_in_the_repr() -> None:
    text = repr(Settings.load({"TABLES": "AccountKey=abc", "SERVICEBUS": "SharedAccessKey=def", "PERSON_KEY": KEY}))
    assert [secret for secret in ("abc", "def", KEY) if secret in text] == []
    assert "PERSON_KEY=***" in text and "BULK_BATCH=50" in text


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings.load({}).bulk_batch = 3  # type: ignore[misc]


def test_missing_setting_says_its_name_and_what_it_is() -> None:
    with pytest.raises(SettingError, match=r"PERSON_KEY is not set\. Key of the person hashes"):
        _ = Settings.load({}).person_key_bytes


@pytest.mark.parametrize(("value", "words"), [("no base64!", "not base64"), ("c2hvcnQ=", "5 bytes, 32 are needed")])
def test_person_key_of_the_wrong_form_is_refused_without_repeating_it(value: str, words: str) -> None:
    with pytest.raises(SettingError, match=words) as raised:
        _ = Settings.load({"PERSON_KEY": value}).person_key_bytes
    assert value not in raised.value.detail


def test_derived_keys_differ_by_purpose_and_from_the_person_key() -> None:
    loaded = Settings.load({"PERSON_KEY": KEY})
    keys = {loaded.person_key_bytes, loaded.derived_key("a"), loaded.derived_key("b")}
    assert len(keys) == 3 and loaded.derived_key("a") in keys


def test_connection_string_goes_before_the_address() -> None:
    both = Settings.load({"TABLES": "text", "TABLES__endpoint": "https://a.example"}).tables_connections[0]
    assert (both.connection_string, both.address) == ("text", "")
    assert "text" not in repr(both)


def test_address_alone_means_identity() -> None:
    cloud = Settings.load({"SERVICEBUS__fullyQualifiedNamespace": "b.servicebus.windows.net"}).servicebus_connection
    assert (cloud.connection_string, cloud.address) == ("", "b.servicebus.windows.net")


def test_no_connection_names_both_forms() -> None:
    with pytest.raises(SettingError, match=r"SERVICEBUS .*SERVICEBUS__fullyQualifiedNamespace"):
        _ = Settings.load({}).servicebus_connection


def test_internal_domains_are_split_and_lowered() -> None:
    assert frozenset({"us.example", "b.de"}) == Settings.load({"TENANT_DOMAINS": "US.example, b.de,"}).internal_domains
    assert frozenset() == Settings.load({}).internal_domains


def test_every_setting_says_what_it_is() -> None:
    assert [row.name for row in table() if len(row.help) < 20] == []
    keys = {"PERSON_KEY", "WEBHOOK_KEY", "LINK_KEY", "STORE_KEY"}
    assert {row.name for row in table() if row.secret} == {"TABLES", "SERVICEBUS", "GRAPH_CLIENT_SECRET", *keys}


def test_tables_may_lie_in_several_accounts() -> None:
    local = Settings.load({"TABLES": "first=1; second=2"})
    cloud = Settings.load({"TABLES__endpoint": "https://a.example, https://b.example"})
    assert [one.connection_string for one in local.tables_connections] == ["first=1;", "second=2"]
    assert [one.address for one in cloud.tables_connections] == ["https://a.example", "https://b.example"]


def test_origins_are_origins_and_never_everybody() -> None:
    loaded = Settings.load({"ALLOWED_ORIGINS": " https://Contoso.crm4.dynamics.com, http://127.0.0.1:7080,"})
    assert loaded.origins == ("https://contoso.crm4.dynamics.com", "http://127.0.0.1:7080")
    assert Settings.load({}).origins == ()
    for wrong in ("*", "contoso.com", "https://contoso.com/", "https://a.example'+alert(1)+'"):
        with pytest.raises(SettingError):
            _ = Settings.load({"ALLOWED_ORIGINS": wrong}).origins
