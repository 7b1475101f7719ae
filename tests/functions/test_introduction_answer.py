"""The page behind the link: public, harmless to look at, and closed to everything but its own token."""

from __future__ import annotations

import azure.functions as func
import pytest

from functions.introductions import get_introduction_answer, post_introduction_answer

URL = "https://app.example/api/introductions/answer"


def handler(function: object) -> object:
    return function._function.get_user_function()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("token", ["", "abc", "a" * 5000, "<script>"])
def test_a_token_that_is_not_ours_finds_nothing(token: str) -> None:
    request = func.HttpRequest("GET", URL, params={"token": token}, body=b"")
    answer = handler(get_introduction_answer)(request)  # type: ignore[operator]
    assert (answer.status_code, answer.mimetype) == (410, "text/html")
    assert b"<script>" not in answer.get_body()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("body", [b"", b"token=abc&answer=accepted", b"\xff\xfe=%%%", b"answer=accepted&token="])
def test_a_form_that_is_not_ours_changes_nothing(body: bytes) -> None:
    answer = handler(post_introduction_answer)(func.HttpRequest("POST", URL, body=body))  # type: ignore[operator]
    assert answer.status_code == 410


def test_a_form_of_any_length_is_refused() -> None:
    answer = handler(post_introduction_answer)(func.HttpRequest("POST", URL, body=b"x" * 10_000))  # type: ignore[operator]
    assert answer.status_code == 413
