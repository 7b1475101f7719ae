"""Who calls: bearer tokens of the tenant, checked by the app itself, and the roles that routes ask for.

The platform's gate (App Service authentication) may stand before the app. It is a second lock, not a replacement:
losing it must not open the app, so the header it sets is believed only while the platform says that the gate is on.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import azure.functions as func
import msgspec

from shared import decoders
from shared.errors import ForbiddenError, UnauthenticatedError
from shared.settings import Settings, settings

if TYPE_CHECKING:
    from shared.signing_keys import SigningKeys

READER = "Rapport.Reader"  # widgets, lists, who knows whom; row rights are checked besides
COVER_RISK = "Rapport.CoverRisk"  # names of colleagues in cover risk, also on others' records
INGEST = "Rapport.Ingest"  # sends changed CRM activities
LOOKUP = "Rapport.Lookup"  # besides Reader: who knows whom, where the organisation's setting `lookupRole` asks for it
PRIVACY = "Rapport.Privacy"  # requests of people about their data, opt-outs, how much each reader read; nothing else
# Settings, consent, and what PRIVACY may. It reads widgets and lists too, of records that the caller may read in the CRM, but not
# who knows whom. No role implies another: a route that several roles may use lists them all.
ADMIN = "Rapport.Admin"
# Beside a role: whoever signs in as a person, without any role. What people may ask about themselves must not depend on what
# they were given; an app has no sign-in address and is no person.
PERSON = "a signed-in person"

LEEWAY_SECONDS = 60
_LONGEST_TOKEN = 16_384
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_TENANT_ID = "http://schemas.microsoft.com/identity/claims/tenantid"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in user or app: object id, display name, roles, tenant id, and the sign-in address if there is one."""

    id: str
    name: str
    roles: frozenset[str]
    tenant: str
    address: str = ""

    def __repr__(self) -> str:  # a name or an address must not reach a log by accident
        return f"Caller(id={self.id!r}, roles={sorted(self.roles)!r})"


_caller: ContextVar[Caller | None] = ContextVar("rapport_caller", default=None)


def caller() -> Caller:
    """The caller of the request in hand. Raises UnauthenticatedError on public routes, where nobody is one."""
    who = _caller.get()
    if who is None:
        raise UnauthenticatedError("This needs a signed-in caller.", token_given=False)
    return who


@contextmanager
def acting_as(who: Caller | None) -> Iterator[None]:
    """Run the block with `who` as the caller."""
    token = _caller.set(who)
    try:
        yield
    finally:
        _caller.reset(token)


def require_role(who: Caller, roles: tuple[str, ...]) -> None:
    """Raises ForbiddenError unless `who` has one of `roles`, or is a person where `PERSON` is among them."""
    if who.roles.isdisjoint(roles) and not (PERSON in roles and who.address):
        raise ForbiddenError(f"This needs the role {' or '.join(roles)}.")


def authenticate(req: func.HttpRequest) -> Caller:
    """The caller of `req`, from its bearer token, else from the platform's header while that gate is on.

    A token that is there and not valid is refused, whatever the header says.
    Raises UnauthenticatedError, UnavailableError (no signing keys yet), SettingError.
    """
    scheme, _, token = req.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return caller_of_token(token.strip(), settings())
    principal = req.headers.get("x-ms-client-principal")
    if principal and settings().website_auth_enabled:
        return caller_of_principal(principal, settings())
    raise UnauthenticatedError("A bearer token is needed.", token_given=False)


def caller_of_token(token: str, values: Settings, keys: SigningKeys | None = None) -> Caller:
    """Check a token: RS256 with the issuer's key, issuer, audience, times (60 s leeway). Raises UnauthenticatedError."""
    import jwt

    from shared.signing_keys import signing_keys

    issuer, audience = values.need("AUTH_ISSUER"), values.need("AUTH_AUDIENCE").removeprefix("api://")
    keys = keys or signing_keys(values.need("AUTH_OPENID_CONFIGURATION"), issuer)
    key = keys.find(_key_id(token))
    if key is None:
        raise UnauthenticatedError("The token is signed with an unknown key.")
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            issuer=issuer,
            audience=[audience, f"api://{audience}"],
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud"]},
        )
    except jwt.PyJWTError as error:
        raise UnauthenticatedError(_reason(error)) from None
    return _caller_of_claims(claims)


def _key_id(token: str) -> str:
    import jwt

    if len(token) > _LONGEST_TOKEN:
        raise UnauthenticatedError("The token is too long.")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise UnauthenticatedError("The token cannot be read.") from None
    # Checked before the key is looked up, so that tokens of another kind never cause a request to the issuer.
    if header.get("alg") != "RS256" or not header.get("kid"):
        raise UnauthenticatedError("The token is not signed as agreed.")
    return str(header["kid"])


def _reason(error: Exception) -> str:
    # Our own words for each class: the library's texts quote claims, and nothing of a token may be echoed.
    import jwt

    reasons: dict[type[Exception], str] = {
        jwt.ExpiredSignatureError: "The token has expired.",
        jwt.ImmatureSignatureError: "The token is not valid yet.",
        jwt.InvalidAudienceError: "The token is meant for another service.",
        jwt.InvalidIssuerError: "The token comes from another issuer.",
        jwt.InvalidSignatureError: "The token's signature is wrong.",
        jwt.MissingRequiredClaimError: "The token lacks a claim.",
    }
    return reasons.get(type(error), "The token is not valid.")


def _caller_of_claims(claims: Mapping[str, Any]) -> Caller:
    roles = claims.get("roles", [])
    who = claims.get("oid") or claims.get("sub")
    if not isinstance(who, str) or not isinstance(roles, list):
        raise UnauthenticatedError("The token does not say who calls.")
    name = claims.get("name") or claims.get("app_displayname") or claims.get("azp") or claims.get("appid") or ""
    return Caller(
        id=who,
        name=str(name),
        roles=frozenset(role for role in roles if isinstance(role, str)),
        tenant=str(claims.get("tid", "")),
        address=str(claims.get("preferred_username", "")).lower(),
    )


class _Claim(msgspec.Struct):
    typ: str
    val: str


class _Principal(msgspec.Struct):
    auth_typ: str
    claims: list[_Claim]
    role_typ: str = "roles"


def caller_of_principal(header: str, values: Settings) -> Caller:
    """The caller in the platform's `X-MS-CLIENT-PRINCIPAL`; the gate has checked the token, only the issuer is compared.

    Only to be called while WEBSITE_AUTH_ENABLED is true. Raises UnauthenticatedError.
    """
    try:
        principal = decoders.of_json(_Principal).decode(base64.b64decode(header, validate=True))
    except (binascii.Error, msgspec.DecodeError):
        raise UnauthenticatedError("The platform's sign-in header cannot be read.") from None
    claims: dict[str, Any] = {claim.typ: claim.val for claim in principal.claims}
    if principal.auth_typ != "aad" or claims.get("iss") != values.need("AUTH_ISSUER"):
        raise UnauthenticatedError("The platform's sign-in comes from another issuer.")
    claims["roles"] = [claim.val for claim in principal.claims if claim.typ in ("roles", principal.role_typ)]
    claims.setdefault("oid", claims.get(_OBJECT_ID))
    claims.setdefault("tid", claims.get(_TENANT_ID, ""))
    return _caller_of_claims(claims)
