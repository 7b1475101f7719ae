"""Shared access signatures: who may use which queue, and until when.

Source: https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import unquote_plus

KEY_NAME = "RootManageSharedAccessKey"
_SCHEME = "SharedAccessSignature "


class TokenRefusedError(Exception):
    """A token that opens nothing here; the text says why and holds no part of it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an accepted token opens: a path with everything below it, until `expires` (seconds since 1970)."""

    path: str
    expires: float

    def covers(self, path: str, now: float) -> bool:
        return now < self.expires and (not self.path or path == self.path or path.startswith(self.path + "/"))


def check_token(token: str, key: str, now: float) -> Grant:
    """The grant of a token that was signed with `key` and has not expired. Raises TokenRefusedError."""
    if not token.startswith(_SCHEME):
        raise TokenRefusedError("not a shared access signature")
    parts = dict(part.partition("=")[::2] for part in token[len(_SCHEME) :].split("&"))
    if not {"sr", "sig", "se", "skn"} <= parts.keys() or not parts["se"].isascii() or not parts["se"].isdigit():
        raise TokenRefusedError("a shared access signature has sr, sig, se and skn")
    signed = f"{parts['sr']}\n{parts['se']}".encode()
    expected = base64.b64encode(hmac.new(key.encode(), signed, hashlib.sha256).digest())
    if not hmac.compare_digest(expected, unquote_plus(parts["sig"]).encode()):
        raise TokenRefusedError("the signature is wrong: another key, or a changed token")
    if unquote_plus(parts["skn"]) != KEY_NAME:
        raise TokenRefusedError(f"the only key is {KEY_NAME}")
    if int(parts["se"]) <= now:
        raise TokenRefusedError("the token has expired")
    return Grant(entity_path(unquote_plus(parts["sr"])), int(parts["se"]))


def entity_path(address: str) -> str:
    """A path without scheme and host, in lower case: names compare without case.

    >>> entity_path("amqps://localhost:5672/Orders/$DeadLetterQueue")
    'orders/$deadletterqueue'
    """
    _, scheme, rest = address.rpartition("://")
    return (rest.partition("/")[2] if scheme else rest).strip("/").lower()
