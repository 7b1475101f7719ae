"""No address survives redaction, wherever in a text it stands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry import redact

AROUND = st.text(alphabet="aZ0 .,:;'\"()<>[]{}=/?&%-_\n", max_size=40)
ADDRESSES = st.emails().filter(lambda address: address[0].isalnum())


@given(AROUND, ADDRESSES, AROUND)
def test_address_is_gone(before: str, address: str, after: str) -> None:
    text = redact(f"{before} {address} {after}")
    assert address not in text and "@" not in text


@given(AROUND, ADDRESSES, AROUND)
def test_redacting_twice_changes_nothing_more(before: str, address: str, after: str) -> None:
    once = redact(f"{before}{address}{after}")
    assert once == redact(once)


@given(ADDRESSES, st.sampled_from(["https://graph.example/users/{}/messages", "http://127.0.0.1/api?person={}#x"]))
def test_nothing_of_a_url_but_its_host_is_left(address: str, pattern: str) -> None:
    url = pattern.format("ann" if "'" in address else address)
    assert redact(url) == url.split("/")[0] + "//" + url.split("/")[2] + "/[…]"
