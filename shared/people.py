"""Addresses in their normal form, and the keyed hashes under which people and records are known inside the figures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

LONGEST_ADDRESS = 320  # 64 for the local part, 255 for the domain, one @
_SHORTEST_SECRET = 16
_LOCAL_PART = re.compile(r"[^\s@,;:<>()\[\]\\\"\x00-\x1f\x7f]+")
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


@lru_cache(maxsize=65_536)
def normal_address(text: str) -> str:
    """Return the normal form of an e-mail address: trimmed, lower case, domain in ASCII (IDNA), `+tag` removed.

    Quotes and angle brackets around the whole address are dropped. Two spellings of one mailbox give the same text, and
    the normal form of a normal form is itself. Raises ValueError for what is no address or is longer than 320 characters.

    >>> normal_address(" Kim+news@CUST.example ")
    'kim@cust.example'
    >>> normal_address("jo@bücher.example")
    'jo@xn--bcher-kva.example'
    >>> normal_address("jo@faß.de") == normal_address("jo@xn--fa-hia.de")
    True
    """
    local, at, domain = unicodedata.normalize("NFC", text.strip(" \t\r\n<>'\"").lower()).rpartition("@")
    domain = _ascii_domain(domain.rstrip("."))
    local = local.partition("+")[0] or local
    address = f"{local}@{domain}"
    if not at or len(address) > LONGEST_ADDRESS or not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise ValueError("not an e-mail address")
    return address


def _ascii_domain(domain: str) -> str:
    """The domain as it is in the DNS today (IDNA 2008): the codec of the standard library makes `ß` two letters `s`.

    What IDNA 2008 does not allow (an emoji, an underscore beside an umlaut) goes by the older rules, as it always did.
    """
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        # UnicodeError, which the codec raises for empty or overlong labels, is a ValueError already.
        return domain.encode("idna").decode("ascii").lower()


def domain_of(address: str) -> str:
    """Return the domain of a normal address; empty for an empty text."""
    return address.rpartition("@")[2]


class Keys:
    """Keyed hashes of people, domains, records and conversations: unsigned 64 bits, never 0.

    BLAKE2b with the organisation's secret, one personalisation per kind, so that equal texts of two kinds never share a
    key and nobody without the secret can test a guess. The secret has at least 16 bytes (ValueError below).
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _SHORTEST_SECRET:
            raise ValueError(f"the key of the hashes needs at least {_SHORTEST_SECRET} bytes")
        key = secret if len(secret) <= blake2b.MAX_KEY_SIZE else blake2b(secret).digest()
        self._address = _hasher(key, b"address")
        self._party = _hasher(key, b"party")
        self._domain = _hasher(key, b"domain")
        self._record = _hasher(key, b"record")
        self._conversation = _hasher(key, b"conversation")

    def address(self, a: str) -> int:
        """Key of an address in normal form."""
        return self._address(a)

    def party(self, p: str) -> int:
        """Key of a CRM party such as `contact:<id>` or `user:<id>`."""
        return self._party(p)

    def domain(self, d: str) -> int:
        """Key of a mail domain in normal form."""
        return self._domain(d)

    def record(self, r: str) -> int:
        """Key of a record such as `opportunity:<id>`."""
        return self._record(r)

    def conversation(self, c: str) -> int:
        """Key of a conversation's name."""
        return self._conversation(c)


def _hasher(key: bytes, kind: bytes) -> Callable[[str], int]:
    blank = blake2b(digest_size=8, key=key, person=kind)

    @lru_cache(maxsize=131_072)
    def hashed(text: str) -> int:
        state = blank.copy()
        state.update(text.encode())
        return int.from_bytes(state.digest(), "little") or 1

    return hashed
