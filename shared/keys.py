"""The process's keyed hashes: `Keys` with the organisation's secret, made once."""

from __future__ import annotations

import functools

from shared.people import Keys
from shared.settings import settings


@functools.cache
def keys() -> Keys:
    """The hashes under which people, records, domains and conversations are known. Raises SettingError without PERSON_KEY."""
    return Keys(settings().person_key_bytes)
