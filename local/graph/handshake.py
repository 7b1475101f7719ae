"""The validation of a notification address."""

from __future__ import annotations

import secrets
from urllib.parse import quote

import aiohttp
from yarl import URL

SECONDS = 10.0
AWKWARD = "Validation: Testing client application reachability for subscription <b>%2B+/=&\"'"


def new_token() -> str:
    """Opaque, and full of what breaks when it is decoded twice, not at all, or escaped."""
    return f"{AWKWARD} {secrets.token_urlsafe(12)}"


async def validate(address: str, seconds: float = SECONDS) -> str | None:
    """POST the token; None when the answer is 200, text/plain and the token itself in time, else what was wrong."""
    token = new_token()
    target = f"{address}{'&' if '?' in address else '?'}validationToken={quote(token, safe='')}"
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    limit = aiohttp.ClientTimeout(total=seconds)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(URL(target, encoded=True), data=b"", headers=headers) as answer,
        ):
            body = await answer.text()
    except TimeoutError:
        return f"The address did not answer within {seconds:g} seconds."
    except aiohttp.ClientError as error:
        return f"The address cannot be reached: {type(error).__name__}."
    if answer.status != 200:
        return f"The address answered {answer.status}."
    if answer.content_type != "text/plain":
        return f"The answer is {answer.content_type}, not text/plain."
    return None if body == token else "The body is not the validation token."
