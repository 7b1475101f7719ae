"""Whose headers are looked at, and what a conversation index tells of how fast an answer came."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from shared import noise
from shared.graph.headers import answer_seconds, looks_automatic
from shared.kpi.noise import AUTOMATIC_SIGNS, BULK_SIGNS, EVERY_SIGN, Sign

ANNA, KIM = "anna@us.example", "kim@cust.example"
FINE, COARSE = 2**18 * 1e-7, 2**23 * 1e-7  # seconds of a step without and with the first bit
HEAD = b"\x01" + bytes(21)


def index(*children: tuple[int, int]) -> str:
    """A conversation index of a thread with answers, each (first bit, steps since the thread began)."""
    raw = b"".join((coarse << 31 | steps).to_bytes(4, "big") + b"\x00" for coarse, steps in children)
    return base64.b64encode(HEAD + raw).decode()


def test_signs_have_the_same_numbers_on_both_sides() -> None:
    assert {sign.name: int(sign) for sign in Sign} == {str(sign.name): getattr(noise, str(sign.name)) for sign in Sign}
    assert (noise.AUTOMATIC_SIGNS, noise.BULK_SIGNS, noise.SIGNS) == (AUTOMATIC_SIGNS, BULK_SIGNS, EVERY_SIGN)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (index(), None),
        (index((0, 1_000)), 1_000 * FINE),
        (index((0, 1_000), (0, 1_500)), 500 * FINE),
        (index((0, 2**31 - 1), (1, 2**26)), 2**26 * COARSE - (2**31 - 1) * FINE),
        (index((0, 1_500), (0, 1_000)), None),  # no answer comes before what it answers
        (base64.b64encode(HEAD + b"\x00\x00").decode(), None),
        ("", None),
        ("no index", None),
    ],
)
def test_seconds_between_a_mail_and_its_answer(text: str, seconds: float | None) -> None:
    assert answer_seconds(text) == (None if seconds is None else pytest.approx(seconds))


def message(**more: Any) -> dict[str, Any]:
    return {
        "toRecipients": [{"emailAddress": {"address": "Anna@us.example"}}],
        "inferenceClassification": "focused",
        **more,
    }


@pytest.mark.parametrize(
    ("sender", "more", "expected"),
    [
        (KIM, {}, False),
        ("news@cust.example", {}, True),
        (KIM, {"inferenceClassification": "other"}, True),
        (KIM, {"toRecipients": [{"emailAddress": {"address": "list@us.example"}}]}, True),
        (KIM, {"toRecipients": [], "ccRecipients": [{"emailAddress": {"address": ANNA}}]}, False),
        (KIM, {"conversationIndex": index((0, int(119 / FINE)))}, True),
        (KIM, {"conversationIndex": index((0, int(121 / FINE)))}, False),
    ],
    ids=["a person", "a function", "put aside", "to a list", "copied in", "at once", "after a while"],
)
def test_what_looks_like_a_machine(sender: str, more: dict[str, Any], expected: bool) -> None:
    assert looks_automatic(message(**more), sender, ANNA) is expected
