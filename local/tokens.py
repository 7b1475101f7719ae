"""Signing keys that live in a folder, and tokens signed with them as Microsoft Entra (v2.0) would write them."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TENANT = "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e001"
API_CLIENT_ID = "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e002"
LIFETIME_SECONDS = 3600
PUBLISHED_KEYS = 2  # the signing key and the one before it, as an issuer does around a rotation


class SigningKey:
    """One RSA key; its id is a digest of the public part."""

    def __init__(self, private: rsa.RSAPrivateKey | None = None) -> None:
        self._private = private or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._public: dict[str, str] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._private.public_key()))
        digest = hashlib.sha256(self._public["n"].encode()).digest()
        self.id = base64.urlsafe_b64encode(digest[:15]).decode()

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The claims as an RS256 token."""
        return jwt.encode(dict(claims), self._private, algorithm="RS256", headers={"kid": self.id})

    def public(self) -> dict[str, str]:
        """The entry of the key set."""
        return {"kty": "RSA", "use": "sig", "kid": self.id, "n": self._public["n"], "e": self._public["e"]}

    def pem(self) -> str:
        """The private key as text."""
        form, shape = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self._private.private_bytes(form, shape, serialization.NoEncryption()).decode()

    @classmethod
    def from_pem(cls, text: str) -> SigningKey:
        """The key that `pem` wrote."""
        private = serialization.load_pem_private_key(text.encode(), password=None)
        assert isinstance(private, rsa.RSAPrivateKey)
        return cls(private)


class KeyRing:
    """The published keys, newest first, in `folder/signing-keys.json`. The newest one signs."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "signing-keys.json"
        folder.mkdir(parents=True, exist_ok=True)
        if self._file.exists():
            self._keys = [SigningKey.from_pem(text) for text in json.loads(self._file.read_text())]
        else:
            self._keys = [SigningKey()]
            self._save()

    def _save(self) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps([key.pem() for key in self._keys]))
        fresh.replace(self._file)

    @property
    def current(self) -> SigningKey:
        """The key that signs now."""
        return self._keys[0]

    def rotate(self, *, withdraw: bool = False) -> SigningKey:
        """Sign with a new key from now on; the one before stays published unless it is withdrawn."""
        self._keys = [SigningKey(), *([] if withdraw else self._keys)][:PUBLISHED_KEYS]
        self._save()
        return self.current

    def key_set(self) -> dict[str, Any]:
        """The JWKS document."""
        return {"keys": [key.public() for key in self._keys]}


def issue(
    key: SigningKey,
    roles: Iterable[str] = (),
    *,
    issuer: str,
    audience: str = API_CLIENT_ID,
    tenant: str = TENANT,
    subject: str = "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e201",
    name: str = "Sample User",
    address: str = "",
    lifetime: float = LIFETIME_SECONDS,
    now: float | None = None,
    **further: Any,
) -> str:
    """A token signed by `key`. A negative `lifetime` (seconds) gives an expired one, a `SigningKey()` an unknown key.

    `further` claims are added last and win, so a test can bend any claim; a claim given as None is left out.
    """
    at = int(time.time() if now is None else now)
    claims = {
        "iss": issuer,
        "aud": audience,
        "tid": tenant,
        "oid": subject,
        "sub": subject,
        "name": name,
        "preferred_username": address or None,
        "roles": list(roles),
        "iat": min(at, int(at + lifetime)),
        "nbf": min(at, int(at + lifetime)),
        "exp": int(at + lifetime),
        "ver": "2.0",
        "uti": uuid.uuid4().hex,
        **further,
    }
    return key.sign({claim: value for claim, value in claims.items() if value is not None})
