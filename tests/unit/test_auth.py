"""Real tokens by real keys; the signing keys come straight from the key ring instead of over HTTP."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import jwt
import pytest

from local.tokens import API_CLIENT_ID, TENANT, KeyRing, SigningKey, issue
from shared import auth
from shared.errors import ForbiddenError, SettingError, UnauthenticatedError
from shared.settings import Settings, settings
from shared.signing_keys import SigningKeys

ISSUER = f"https://issuer.example/{TENANT}/v2.0"
ENVIRONMENT = {
    "AUTH_ISSUER": ISSUER,
    "AUTH_AUDIENCE": f"api://{API_CLIENT_ID}",
    "AUTH_OPENID_CONFIGURATION": "https://issuer.example/.well-known/openid-configuration",
}
VALUES = Settings.load(ENVIRONMENT)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def keys(ring: KeyRing) -> SigningKeys:
    documents = {"jwks": ring.key_set()}
    return SigningKeys("c", ISSUER, read=lambda url: documents.get(url, {"issuer": ISSUER, "jwks_uri": "jwks"}))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()


def check(ring: KeyRing, keys: SigningKeys, **claims: Any) -> auth.Caller:
    claims = {"issuer": ISSUER, **claims}
    return auth.caller_of_token(issue(ring.current, claims.pop("roles", ()), **claims), VALUES, keys)


def request(**headers: str) -> func.HttpRequest:
    return func.HttpRequest(
        "GET", "/", headers={name.replace("_", "-"): text for name, text in headers.items()}, body=b""
    )


def principal(**claims: Any) -> str:
    listed = [{"typ": typ, "val": value} for typ, value in {"iss": ISSUER, **claims}.items() if typ != "auth_typ"]
    content = {"auth_typ": claims.get("auth_typ", "aad"), "name_typ": "n", "role_typ": "roles", "claims": listed}
    return base64.b64encode(json.dumps(content).encode()).decode()


def test_valid_token_gives_the_caller(ring: KeyRing, keys: SigningKeys) -> None:
    who = check(ring, keys, roles=["Rapport.Reader"], subject="id-1", name="Ann", address="Ann@US.example")
    assert (who.id, who.name, who.roles, who.tenant, who.address) == (
        "id-1",
        "Ann",
        frozenset({"Rapport.Reader"}),
        TENANT,
        "ann@us.example",
    )


@pytest.mark.parametrize("audience", [API_CLIENT_ID, f"api://{API_CLIENT_ID}"])
def test_both_forms_of_the_audience_are_accepted(ring: KeyRing, keys: SigningKeys, audience: str) -> None:
    assert check(ring, keys, audience=audience).roles == frozenset()


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"lifetime": -61}, "expired"),
        ({"nbf": 1 << 33}, "not valid yet"),
        ({"iat": 1 << 33}, "not valid yet"),
        ({"audience": "api://other"}, "another service"),
        ({"audience": f"{API_CLIENT_ID}x"}, "another service"),
        ({"issuer": ISSUER.replace("issuer", "other")}, "another issuer"),
        ({"issuer": ISSUER + "/"}, "another issuer"),
        ({"exp": None}, "lacks a claim"),
        ({"aud": None}, "lacks a claim"),
        ({"iss": None}, "lacks a claim"),
        ({"exp": "soon"}, "not valid"),
        ({"sub": None, "oid": None}, "who calls"),
    ],
)
def test_bent_claims_are_refused(ring: KeyRing, keys: SigningKeys, claims: dict[str, Any], words: str) -> None:
    with pytest.raises(UnauthenticatedError, match=words):
        check(ring, keys, **claims)


def test_leeway_is_a_minute(ring: KeyRing, keys: SigningKeys) -> None:
    assert check(ring, keys, lifetime=-30).tenant == TENANT


def test_roles_must_be_a_list_and_may_be_missing(ring: KeyRing, keys: SigningKeys) -> None:
    claims = jwt.decode(issue(ring.current, issuer=ISSUER), options={"verify_signature": False})
    with pytest.raises(UnauthenticatedError):
        auth.caller_of_token(ring.current.sign({**claims, "roles": "Rapport.Admin"}), VALUES, keys)
    del claims["roles"]
    assert auth.caller_of_token(ring.current.sign(claims), VALUES, keys).roles == frozenset()


def test_unknown_key_is_refused(keys: SigningKeys) -> None:
    with pytest.raises(UnauthenticatedError, match="unknown key"):
        auth.caller_of_token(issue(SigningKey(), issuer=ISSUER), VALUES, keys)


def test_foreign_signature_under_a_known_key_id_is_refused(ring: KeyRing, keys: SigningKeys) -> None:
    stranger = SigningKey()
    stranger.id = ring.current.id
    with pytest.raises(UnauthenticatedError, match="signature is wrong"):
        auth.caller_of_token(issue(stranger, issuer=ISSUER), VALUES, keys)


def test_changed_claims_are_refused(ring: KeyRing, keys: SigningKeys) -> None:
    header, claims, signature = issue(ring.current, issuer=ISSUER).split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "=="))
    changed["roles"] = ["Rapport.Admin"]
    forged = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    with pytest.raises(UnauthenticatedError, match="signature is wrong"):
        auth.caller_of_token(f"{header}.{forged}.{signature}", VALUES, keys)


def test_unsigned_and_shared_secret_tokens_are_refused(ring: KeyRing, keys: SigningKeys) -> None:
    claims = jwt.decode(issue(ring.current, issuer=ISSUER), options={"verify_signature": False})
    name = {"kid": ring.current.id}
    unsigned = jwt.encode(claims, None, algorithm="none", headers=name)
    shared = jwt.encode(claims, ring.current.public()["n"], algorithm="HS256", headers=name)
    for token in (unsigned, shared):
        with pytest.raises(UnauthenticatedError, match="not signed as agreed"):
            auth.caller_of_token(token, VALUES, keys)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJSUzI1NiJ9.e30.", "é.ü.ö", "x" * 20_000])
def test_broken_tokens_are_refused(keys: SigningKeys, token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        auth.caller_of_token(token, VALUES, keys)


def test_no_refusal_echoes_the_token(ring: KeyRing, keys: SigningKeys) -> None:
    for claims in ({"audience": "secret-audience"}, {"issuer": "secret-issuer"}, {"lifetime": -100}):
        with pytest.raises(UnauthenticatedError) as raised:
            check(ring, keys, **claims)
        assert "secret" not in raised.value.detail and "eyJ" not in raised.value.detail


def test_missing_settings_are_named(ring: KeyRing) -> None:
    with pytest.raises(SettingError, match="AUTH_ISSUER"):
        auth.caller_of_token(issue(ring.current, issuer=ISSUER), Settings.load({}))


def test_no_token_is_told_apart_from_a_bad_one(environment: pytest.MonkeyPatch) -> None:
    for headers in ({}, {"authorization": "Basic dTpw"}):
        with pytest.raises(UnauthenticatedError) as raised:
            auth.authenticate(request(**headers))
        assert not raised.value.token_given
    with pytest.raises(UnauthenticatedError) as raised:
        auth.authenticate(request(authorization="Bearer nonsense"))
    assert raised.value.token_given


def test_platform_header_is_ignored_while_the_gate_is_off(environment: pytest.MonkeyPatch) -> None:
    forged = principal(oid="id-1", tid=TENANT, roles="Rapport.Admin")
    with pytest.raises(UnauthenticatedError):
        auth.authenticate(request(x_ms_client_principal=forged))


def test_platform_header_is_believed_while_the_gate_is_on(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("WEBSITE_AUTH_ENABLED", "True")
    settings.cache_clear()
    header = principal(name="Ann", roles="Rapport.Reader", preferred_username="ann@us.example")
    with pytest.raises(UnauthenticatedError, match="who calls"):
        auth.authenticate(request(x_ms_client_principal=header))
    for object_id in ("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier"):
        header = principal(name="Ann", roles="Rapport.Reader", **{object_id: "id-1"})
        who = auth.authenticate(request(x_ms_client_principal=header))
        assert (who.id, who.name, who.roles) == ("id-1", "Ann", frozenset({"Rapport.Reader"}))


def test_platform_header_does_not_save_a_bad_token(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("WEBSITE_AUTH_ENABLED", "True")
    settings.cache_clear()
    with pytest.raises(UnauthenticatedError):
        auth.authenticate(request(authorization="Bearer bad", x_ms_client_principal=principal(oid="id-1")))


@pytest.mark.parametrize(
    "header", ["!", "e30=", principal(oid="1", iss="https://x.example"), principal(oid="1", auth_typ="google")]
)
def test_other_platform_headers_are_refused(header: str) -> None:
    with pytest.raises(UnauthenticatedError):
        auth.caller_of_principal(header, VALUES)


def test_admin_implies_no_other_role() -> None:
    admin = auth.Caller(id="1", name="", roles=frozenset({auth.ADMIN}), tenant="")
    auth.require_role(admin, (auth.READER, auth.ADMIN))
    with pytest.raises(ForbiddenError, match=r"Rapport\.Reader"):
        auth.require_role(admin, (auth.READER,))


def test_caller_is_there_only_inside_the_request() -> None:
    who = auth.Caller(id="1", name="", roles=frozenset(), tenant="")
    with auth.acting_as(who):
        assert auth.caller() is who
    with pytest.raises(UnauthenticatedError):
        auth.caller()


def test_repr_of_a_caller_hides_name_and_address() -> None:
    text = repr(auth.Caller(id="id-1", name="Ann", roles=frozenset({"r"}), tenant="t", address="ann@us.example"))
    assert text == "Caller(id='id-1', roles=['r'])"


def test_import_does_not_load_jwt() -> None:
    code = "import sys, shared.auth, shared.http; sys.exit(any(n in sys.modules for n in ('jwt', 'cryptography', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
