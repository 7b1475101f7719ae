"""Keys that may be changed, each from a secret of its own; PERSON_KEY, which may never change, stands in where there is none.

An installation that was made before there were such secrets has handed out keys derived from PERSON_KEY. Their numbers lie below
OWN_KEYS_FROM; they hold on, as the last key always does, until the number of a key rises above it.
"""

from __future__ import annotations

from shared.settings import Settings


def numbered(values: Settings, purpose: str, number: int) -> tuple[bytes, ...]:
    """The keys of a webhook that are taken, by number: the present one, then the one before it. 32 bytes each.

    >>> values = Settings(person_key="A" * 44)
    >>> [len(numbered(values, "graph", number)) for number in (1, 2)]
    [1, 2]
    """
    numbers = [each for each in (number, number - 1) if each > 0]
    return tuple(values.derived_key(f"{purpose}/{each}", _root(values, each)) for each in numbers)


def signing(values: Settings, purpose: str) -> tuple[bytes, ...]:
    """The keys of signatures: the first one signs, all are taken."""
    names = ["LINK_KEY", "PERSON_KEY"] if values.link_key and _takes_derived(values) else []
    names = names or ["LINK_KEY" if values.link_key else "PERSON_KEY"]
    return tuple(values.derived_key(purpose, name) for name in names)


def storing(values: Settings, purpose: str) -> tuple[bytes, ...]:
    """The keys of what is stored under a key: the first one encrypts, all are tried. What is stored may be old."""
    names = ["STORE_KEY", "PERSON_KEY"] if values.store_key else ["PERSON_KEY"]
    return tuple(values.derived_key(purpose, name) for name in names)


def _root(values: Settings, number: int) -> str:
    return "WEBHOOK_KEY" if values.webhook_key and number >= values.own_keys_from else "PERSON_KEY"


def _takes_derived(values: Settings) -> bool:
    return 1 < values.own_keys_from >= min(values.graph_key_version, values.crm_key_version)
