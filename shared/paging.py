"""Lists in pages: opaque, signed continuation tokens, so that nobody can point one at rows of another list."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Generic, TypeVar

import msgspec

from shared import decoders, own_keys
from shared.errors import InvalidInputError
from shared.settings import settings

Item = TypeVar("Item")
State = TypeVar("State")

_MAC_BYTES = 16
_LONGEST_TOKEN = 2048  # the whole query of a request has 4,096 characters


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """One page of a list. `continuation` goes into the next request; null on the last page.

    A page may be empty and still have a continuation: the store may end a page anywhere.
    """

    items: list[Item]
    continuation: str | None = None


def seal(state: object, *, purpose: str, key: bytes | None = None) -> str:
    """A token for `state` (anything msgspec writes as JSON) that only `unseal` with the same purpose reads.

    `purpose` names the list with all that narrows it: route, filters, sort, and the caller if the rows depend on him.
    The content is signed, not hidden: put no address into it. `key`: by default LINK_KEY's.
    """
    content = msgspec.json.encode(state)
    return base64.urlsafe_b64encode(_mac(content, purpose, _keys(key)[0]) + content).decode().rstrip("=")


def unseal(token: str, state_type: type[State], *, purpose: str, key: bytes | None = None) -> State:
    """The state in `token`. Raises InvalidInputError for a token that is not ours, or is of another list."""
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        sealed = b""
    mac, content = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
    ours = any(hmac.compare_digest(mac, _mac(content, purpose, each)) for each in _keys(key))
    if len(token) > _LONGEST_TOKEN or not content or not ours:
        raise InvalidInputError("The continuation is not one that this list gave.", "$.continuation")
    try:
        return decoders.of_json(state_type).decode(content)
    except msgspec.DecodeError:  # signed by an older version of the app
        raise InvalidInputError("The continuation is too old; start the list again.", "$.continuation") from None


def _keys(key: bytes | None) -> tuple[bytes, ...]:
    """The one that is given, else those that are taken; the first one signs."""
    return own_keys.signing(settings(), "continuation") if key is None else (key,)


def _mac(content: bytes, purpose: str, key: bytes) -> bytes:
    return hmac.digest(key, purpose.encode() + b"\0" + content, "sha256")[:_MAC_BYTES]
