from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInputError
from shared.paging import Page, seal, unseal

KEY = bytes(32)


class Position(msgspec.Struct):
    partition: str
    row: str


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=50))
def test_state_comes_back(partition: str, row: str, purpose: str) -> None:
    token = seal(Position(partition, row), purpose=purpose, key=KEY)
    assert token.isascii() and not set(token) & set("+/=& ?#")
    assert unseal(token, Position, purpose=purpose, key=KEY) == Position(partition, row)


def test_token_of_another_list_or_key_is_refused() -> None:
    token = seal(Position("a", "b"), purpose="accounts", key=KEY)
    for purpose, key in (("contacts", KEY), ("accounts", b"x" * 32)):
        with pytest.raises(InvalidInputError, match="not one that this list gave") as raised:
            unseal(token, Position, purpose=purpose, key=key)
        assert raised.value.path == "$.continuation"


def test_no_changed_character_is_accepted() -> None:
    token = seal(Position("account", "row"), purpose="p", key=KEY)
    for index, letter in enumerate(token[:-1]):  # the last letter holds bits that no byte uses
        changed = token[:index] + ("A" if letter != "A" else "B") + token[index + 1 :]
        with pytest.raises(InvalidInputError):
            unseal(changed, Position, purpose="p", key=KEY)


@pytest.mark.parametrize("token", ["", "a", "!", "é", "AAAA", "A" * 5000])
def test_nonsense_is_refused(token: str) -> None:
    with pytest.raises(InvalidInputError):
        unseal(token, Position, purpose="p", key=KEY)


def test_state_of_an_older_version_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="too old"):
        unseal(seal({"old": 1}, purpose="p", key=KEY), Position, purpose="p", key=KEY)


def test_last_page_has_no_continuation() -> None:
    assert msgspec.json.encode(Page(items=[1, 2])) == b'{"items":[1,2],"continuation":null}'
