"""The key with which a CRM's webhook shows who it is: Dataverse cannot send a token of Microsoft Entra.

The key is derived, so nothing has to be stored; a number in the settings makes a new one, and the last one still holds, so that
it can be changed without a gap.
"""

from __future__ import annotations

import hmac

from msgspec import Struct

from shared import own_keys, telemetry
from shared.errors import UnauthenticatedError
from shared.settings import Settings, settings

HEADER = "x-rapport-key"


class WebhookKey(Struct, frozen=True, rename="camel"):
    """What a webhook has to send: the header's name and value, and the number of the key."""

    header: str
    key: str
    version: int


def keys(values: Settings) -> tuple[str, ...]:
    """The keys that are taken: the present one, then the one before it. Raises SettingError without PERSON_KEY."""
    return tuple(key.hex() for key in own_keys.numbered(values, "crm-webhook", values.crm_key_version))


def present() -> WebhookKey:
    """The key to register now."""
    values = settings()
    return WebhookKey(HEADER, keys(values)[0], values.crm_key_version)


def check(given: str) -> None:
    """Raises UnauthenticatedError unless `given` is one of our keys."""
    if not any(hmac.compare_digest(given.encode(), key.encode()) for key in keys(settings())):
        telemetry.count("rapport.crm.refused", reason="key")
        raise UnauthenticatedError("The key of the webhook is missing or wrong.", token_given=bool(given))
