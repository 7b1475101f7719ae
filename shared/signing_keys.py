"""The issuer's public signing keys: found through its OpenID configuration, kept, and followed through rotations."""

from __future__ import annotations

import functools
import http.client
import logging
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from shared import decoders
from shared.errors import SettingError, UnavailableError

if TYPE_CHECKING:
    from jwt import PyJWK

REFETCH_SECONDS = (
    30.0  # an unknown key id asks again at most that often, so made-up ids cannot make us flood the issuer
)
RETRY_SECONDS = 5.0  # after a failure, while no key at all is known
LIFETIME_SECONDS = (
    6 * 3600.0
)  # a key that the issuer withdrew is trusted no longer than that, unless it cannot be asked
TIMEOUT_SECONDS = 5.0
_LONGEST_DOCUMENT = 1 << 20
_SMALLEST_KEY_BITS = 2048
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

_log = logging.getLogger(__name__)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:  # a redirect could lead from https to anywhere
        return None


def fetch(url: str) -> dict[str, Any]:
    """The JSON object at `url`: https, or http on this machine; no redirects, 5 s, 1 MiB.

    Raises SettingError for other addresses, UnavailableError when the answer is late, wrong or missing.
    """
    address = urllib.parse.urlsplit(url)
    local = address.hostname in _LOOPBACK
    if address.scheme != "https" and not (local and address.scheme == "http"):
        raise SettingError("Signing keys are read over https, or http on this machine, only.")
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({} if local else None))
    try:
        with opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
            return decoders.of_json(dict[str, Any]).decode(answer.read(_LONGEST_DOCUMENT))
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise UnavailableError(
            f"The sign-in service at {address.hostname} did not answer ({type(error).__name__})."
        ) from None


class SigningKeys:
    """The keys of one issuer by key id. One object a process, safe to use from many threads.

    `read` and `clock` (seconds, monotonic) are arguments so that a test decides what the issuer says and when.
    """

    def __init__(
        self,
        configuration_url: str,
        issuer: str,
        *,
        read: Callable[[str], dict[str, Any]] = fetch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._configuration_url, self._issuer = configuration_url, issuer
        self._read, self._clock = read, clock
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching = threading.Lock()

    def find(self, key_id: str) -> PyJWK | None:
        """The key with that id, asking the issuer when it is unknown or the keys are old; None if there is no such key.

        Raises UnavailableError only while no key at all is known: an outage of the issuer signs nobody out.
        """
        key = self._keys.get(key_id)
        if key is not None:
            # Whoever comes first refreshes old keys; the others go on with the key in hand and wait for nobody.
            if self._clock() - self._fetched_at > LIFETIME_SECONDS and self._fetching.acquire(blocking=False):
                try:
                    self._refetch(REFETCH_SECONDS)
                finally:
                    self._fetching.release()
            return self._keys.get(key_id)
        with self._fetching:
            if key_id not in self._keys:
                self._refetch(REFETCH_SECONDS if self._keys else RETRY_SECONDS)
        if not self._keys:
            raise UnavailableError("The sign-in service cannot be reached, so tokens cannot be checked now.")
        return self._keys.get(key_id)

    def _refetch(self, pause: float) -> None:
        now = self._clock()
        if now - self._tried_at < pause:
            return
        self._tried_at = now
        try:
            keys = self._published()
        except (UnavailableError, SettingError) as error:
            _log.warning("signing keys not read: %s", error)
            if isinstance(error, SettingError) and not self._keys:
                raise
            return
        if keys:  # an empty set is a fault of the issuer, not a rotation
            self._keys, self._fetched_at = keys, now

    def _published(self) -> dict[str, PyJWK]:
        configuration = self._read(self._configuration_url)
        if configuration.get("issuer") != self._issuer:
            raise SettingError("AUTH_ISSUER is not the issuer that AUTH_OPENID_CONFIGURATION states.")
        return _usable(self._read(str(configuration.get("jwks_uri"))))


def _usable(key_set: dict[str, Any]) -> dict[str, PyJWK]:
    """The RSA signing keys of a JWKS document by key id; keys of other kinds, and short ones, are left out."""
    from jwt import PyJWK
    from jwt.exceptions import PyJWTError

    keys: dict[str, PyJWK] = {}
    for entry in key_set.get("keys") or ():
        if not isinstance(entry, dict) or entry.get("kty") != "RSA":
            continue
        if entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
            continue
        try:
            key = PyJWK.from_dict(entry, algorithm="RS256")
        except (PyJWTError, ValueError):
            continue
        if isinstance(entry.get("kid"), str) and key.key.key_size >= _SMALLEST_KEY_BITS:
            keys[entry["kid"]] = key
    return keys


@functools.lru_cache(maxsize=4)
def signing_keys(configuration_url: str, issuer: str) -> SigningKeys:
    """The keys of that issuer in this process."""
    return SigningKeys(configuration_url, issuer)
