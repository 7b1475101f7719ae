"""Keys that may change: where they come from, what goes on without them, and when the old ones end."""

from __future__ import annotations

import base64

import pytest

from shared import crm_webhook, own_keys, paging
from shared.errors import InvalidInputError, SettingError
from shared.graph import mailboxes, subscriptions
from shared.settings import Settings, settings

PERSON, OWN, OTHER = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name in ("WEBHOOK_KEY", "LINK_KEY", "STORE_KEY", "OWN_KEYS_FROM", "GRAPH_KEY_VERSION", "CRM_KEY_VERSION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"PERSON_KEY": PERSON, **values}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return settings()


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> object:
    yield
    settings.cache_clear()


def test_without_keys_of_its_own_an_installation_goes_on_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The very bytes of the releases before: they stand in subscriptions, in webhooks, in links and in stored rows."""
    values = given(monkeypatch, GRAPH_KEY_VERSION="3")
    assert subscriptions.url_keys(values) == tuple(
        values.derived_key(f"graph-notifications/{number}").hex() for number in (3, 2)
    )
    assert crm_webhook.keys(values) == (values.derived_key("crm-webhook/1").hex(),)
    assert own_keys.signing(values, "continuation") == (values.derived_key("continuation"),)
    assert own_keys.storing(values, "graph-links") == (values.derived_key("graph-links"),)


def test_with_them_nothing_that_may_change_comes_from_the_persons_key(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"WEBHOOK_KEY": OWN, "LINK_KEY": OWN, "STORE_KEY": OWN}
    before = given(monkeypatch, GRAPH_KEY_VERSION="2", CRM_KEY_VERSION="2")
    after = given(monkeypatch, GRAPH_KEY_VERSION="2", CRM_KEY_VERSION="2", **own)
    for keys in (subscriptions.url_keys, crm_webhook.keys, lambda values: own_keys.signing(values, "continuation")):
        assert not set(keys(before)) & set(keys(after))
    assert before.person_key_bytes == after.person_key_bytes
    # What is stored was stored under the old one: it is read still, and written under the new one.
    assert own_keys.storing(after, "x") == (after.derived_key("x", "STORE_KEY"), after.derived_key("x"))


def test_an_old_installation_changes_over_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    old = given(monkeypatch)
    handed_out = (subscriptions.url_keys(old)[0], crm_webhook.keys(old)[0])
    link = paging.seal({"id": 1}, purpose="answer")
    own = {"WEBHOOK_KEY": OWN, "LINK_KEY": OWN, "OWN_KEYS_FROM": "2"}

    def holds() -> list[bool]:
        values = settings()
        try:
            taken = paging.unseal(link, dict[str, int], purpose="answer") == {"id": 1}
        except InvalidInputError:
            taken = False
        return [handed_out[0] in subscriptions.url_keys(values), handed_out[1] in crm_webhook.keys(values), taken]

    given(monkeypatch, GRAPH_KEY_VERSION="2", CRM_KEY_VERSION="2", **own)
    assert holds() == [True, True, True]
    assert settings().derived_key("graph-notifications/2", "WEBHOOK_KEY").hex() == subscriptions.url_keys(settings())[0]
    given(monkeypatch, GRAPH_KEY_VERSION="3", CRM_KEY_VERSION="3", **own)
    assert holds() == [False, False, False]


def test_a_link_under_another_key_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, LINK_KEY=OWN)
    link = paging.seal({"id": 1}, purpose="answer")
    assert paging.unseal(link, dict[str, int], purpose="answer") == {"id": 1}
    for other in ({"LINK_KEY": OTHER}, {}):
        given(monkeypatch, **other)
        with pytest.raises(InvalidInputError):
            paging.unseal(link, dict[str, int], purpose="answer")
    # A new installation takes nothing that is signed with the persons' key.
    given(monkeypatch)
    derived = paging.seal({"id": 1}, purpose="answer")
    given(monkeypatch, LINK_KEY=OWN)
    with pytest.raises(InvalidInputError):
        paging.unseal(derived, dict[str, int], purpose="answer")


def test_a_stored_address_survives_the_change_and_is_lost_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch)
    stored = mailboxes._cipher().encrypt(b"https://graph.example/delta").decode()
    given(monkeypatch, STORE_KEY=OWN)
    assert mailboxes._decrypted(stored) == "https://graph.example/delta"
    renewed = mailboxes._cipher().encrypt(b"https://graph.example/delta").decode()
    assert mailboxes._decrypted(renewed) == "https://graph.example/delta"
    given(monkeypatch, STORE_KEY=OTHER)
    assert mailboxes._decrypted(renewed) == ""


@pytest.mark.parametrize("wrong", ["not base64!", base64.b64encode(b"short").decode()])
def test_a_key_of_the_wrong_form_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    values = given(monkeypatch, WEBHOOK_KEY=wrong)
    with pytest.raises(SettingError, match="WEBHOOK_KEY"):
        subscriptions.url_keys(values)
