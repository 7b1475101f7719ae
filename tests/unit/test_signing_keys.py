"""What the issuer says and when comes in as arguments; the key sets are those of real keys."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from local.tokens import KeyRing, SigningKey
from shared.errors import SettingError, UnavailableError
from shared.signing_keys import LIFETIME_SECONDS, REFETCH_SECONDS, RETRY_SECONDS, SigningKeys, fetch

ISSUER = "https://issuer.example/v2.0"


class Issuer:
    """An issuer with a clock beside it: counts what it is asked, and can be down."""

    def __init__(self, keys: list[dict[str, str]]) -> None:
        self.keys, self.asked, self.down, self.now, self.issuer = keys, 0, False, 1000.0, ISSUER

    def read(self, url: str) -> dict[str, Any]:
        self.asked += 1
        if self.down:
            raise UnavailableError("down")
        return {"keys": self.keys} if url == "jwks" else {"issuer": self.issuer, "jwks_uri": "jwks"}

    def signing_keys(self) -> SigningKeys:
        return SigningKeys("configuration", ISSUER, read=self.read, clock=lambda: self.now)


@pytest.fixture(scope="module")
def pair() -> tuple[SigningKey, SigningKey]:
    return SigningKey(), SigningKey()


@pytest.fixture
def issuer(pair: tuple[SigningKey, SigningKey]) -> Issuer:
    return Issuer([pair[0].public()])


def test_known_key_is_asked_for_once(issuer: Issuer, pair: tuple[SigningKey, SigningKey]) -> None:
    keys = issuer.signing_keys()
    for _ in range(3):
        assert keys.find(pair[0].id) is not None
    assert issuer.asked == 2  # the configuration and the key set


def test_new_key_is_found_after_a_rotation(issuer: Issuer, pair: tuple[SigningKey, SigningKey]) -> None:
    keys = issuer.signing_keys()
    assert keys.find(pair[0].id) is not None
    issuer.keys = [pair[1].public(), pair[0].public()]
    issuer.now += REFETCH_SECONDS
    assert keys.find(pair[1].id) is not None
    assert keys.find(pair[0].id) is not None


def test_unknown_key_ids_ask_at_most_once_in_the_pause(issuer: Issuer, pair: tuple[SigningKey, SigningKey]) -> None:
    keys = issuer.signing_keys()
    assert keys.find(pair[0].id) is not None
    for number in range(50):
        assert keys.find(f"made-up-{number}") is None
    assert issuer.asked == 2
    issuer.now += REFETCH_SECONDS
    for number in range(50):
        assert keys.find(f"made-up-{number}") is None
    assert issuer.asked == 4


def test_outage_keeps_the_known_keys(issuer: Issuer, pair: tuple[SigningKey, SigningKey]) -> None:
    keys = issuer.signing_keys()
    assert keys.find(pair[0].id) is not None
    issuer.down = True
    issuer.now += 10 * LIFETIME_SECONDS
    assert keys.find(pair[0].id) is not None
    assert keys.find("unknown") is None


def test_outage_from_the_start_is_unavailable_and_is_asked_again_after_a_pause(
    issuer: Issuer, pair: tuple[SigningKey, SigningKey]
) -> None:
    keys, issuer.down = issuer.signing_keys(), True
    for _ in range(5):
        with pytest.raises(UnavailableError):
            keys.find(pair[0].id)
    assert issuer.asked == 1
    issuer.down = False
    issuer.now += RETRY_SECONDS
    assert keys.find(pair[0].id) is not None


def test_withdrawn_key_is_dropped_when_the_keys_are_old(issuer: Issuer, pair: tuple[SigningKey, SigningKey]) -> None:
    keys = issuer.signing_keys()
    assert keys.find(pair[0].id) is not None
    issuer.keys = [pair[1].public()]
    issuer.now += LIFETIME_SECONDS + 1
    assert keys.find(pair[0].id) is None
    assert keys.find(pair[1].id) is not None


def test_empty_key_set_is_a_fault_and_changes_nothing(issuer: Issuer, pair: tuple[SigningKey, SigningKey]) -> None:
    keys = issuer.signing_keys()
    assert keys.find(pair[0].id) is not None
    issuer.keys = []
    issuer.now += LIFETIME_SECONDS + 1
    assert keys.find(pair[0].id) is not None


def test_foreign_issuer_in_the_configuration_is_a_wrong_setting(issuer: Issuer) -> None:
    issuer.issuer = "https://other.example/v2.0"
    with pytest.raises(SettingError, match="AUTH_ISSUER"):
        issuer.signing_keys().find("any")


def test_wrong_configuration_later_on_signs_nobody_out(issuer: Issuer, pair: tuple[SigningKey, SigningKey]) -> None:
    keys = issuer.signing_keys()
    assert keys.find(pair[0].id) is not None
    issuer.issuer = "https://other.example/v2.0"
    issuer.now += LIFETIME_SECONDS + 1
    assert keys.find(pair[0].id) is not None
    assert keys.find("unknown") is None


def test_only_rsa_signing_keys_of_2048_bits_are_used(pair: tuple[SigningKey, SigningKey]) -> None:
    short = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key()))
    curve = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    good = pair[0].public()
    entries = [
        {**short, "kid": "short"},
        {**curve, "kid": "curve"},
        {**good, "kid": "encryption", "use": "enc"},
        {**good, "kid": "other", "alg": "RS512"},
        {**good, "kid": "broken", "n": "!"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared-secret"},
        {"kid": "no-type"},
        good,
    ]
    keys = Issuer(entries).signing_keys()
    assert keys.find(good["kid"]) is not None
    assert [entry["kid"] for entry in entries[:-1] if keys.find(entry["kid"]) is not None] == []


def test_many_threads_ask_once(issuer: Issuer, pair: tuple[SigningKey, SigningKey]) -> None:
    keys, found = issuer.signing_keys(), []
    start = threading.Barrier(16)

    def look() -> None:
        start.wait(60)
        found.append(keys.find(pair[0].id))

    threads = [threading.Thread(target=look) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 16 and None not in found
    assert issuer.asked == 2


@pytest.mark.parametrize("url", ["http://example.com/keys", "file:///etc/passwd", "ftp://127.0.0.1/keys", ""])
def test_keys_are_not_fetched_from_other_addresses(url: str) -> None:
    with pytest.raises(SettingError):
        fetch(url)


def test_nobody_listening_is_unavailable() -> None:
    with pytest.raises(UnavailableError):
        fetch("http://127.0.0.1:9/keys")  # the discard port: nothing listens there


def test_key_ring_survives_and_keeps_the_last_two(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    first = ring.current.id
    second = ring.rotate().id
    assert [second, first] == [key["kid"] for key in KeyRing(tmp_path).key_set()["keys"]]
    third = ring.rotate().id
    assert [third, second] == [key["kid"] for key in ring.key_set()["keys"]]
    assert ring.rotate(withdraw=True).id == KeyRing(tmp_path).current.id
    assert len(ring.key_set()["keys"]) == 1
