"""Who calls, and what that application may do in this mailbox."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import jwt

from local.graph.calls import Call
from local.graph.errors import GraphError, access_denied
from local.graph.world import World

RESOURCES = ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000")
MAIL, CALENDAR, SEND, DIRECTORY, GROUPS = "mail", "calendar", "send", "directory", "groups"
# Permissions by need: those that give everything, then those that give all but bodies.
_PERMISSIONS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    MAIL: (frozenset({"Mail.Read", "Mail.ReadWrite"}), frozenset({"Mail.ReadBasic.All", "Mail.ReadBasic"})),
    CALENDAR: (frozenset({"Calendars.Read", "Calendars.ReadWrite"}), frozenset({"Calendars.ReadBasic.All"})),
    SEND: (frozenset({"Mail.Send"}), frozenset()),
    DIRECTORY: (frozenset({"User.ReadBasic.All", "User.Read.All"}), frozenset()),
    GROUPS: (frozenset({"GroupMember.Read.All", "Group.Read.All"}), frozenset()),
}


def unauthenticated(text: str, challenge: str = 'Bearer realm=""') -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", text, {"WWW-Authenticate": challenge})


def claims_challenge() -> GraphError:
    """What a resource answers that wants a fresh token."""
    claims = b64encode(json.dumps({"access_token": {"nbf": {"essential": True, "value": "0"}}}).encode()).decode()
    challenge = f'Bearer realm="", error="insufficient_claims", claims="{claims}"'
    return GraphError(
        401, "InvalidAuthenticationToken", "Continuous access evaluation asks again.", {"WWW-Authenticate": challenge}
    )


def identify(world: World, call: Call) -> None:
    """Fill in application, tenant and roles from the token. Raises GraphError 401."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthenticated("Access token is empty.")
    claims = _claims(world, call, token)
    if float(claims["exp"]) <= world.clock.now():
        raise unauthenticated("Lifetime validation failed, the token is expired.")
    call.app, call.tenant = str(claims.get("appid") or claims.get("azp")), str(claims["tid"])
    call.roles = frozenset(claims.get("roles", ()))


def _claims(world: World, call: Call, token: str) -> dict[str, Any]:
    # The clock of the simulator decides about expiry, so PyJWT must not.
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    audiences = [*RESOURCES, call.base.rsplit("/v1.0", 1)[0]]
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        published = next((key for key in world.keys.key_set()["keys"] if key["kid"] == kid), None)
        if published is None:
            raise unauthenticated("Access token validation failure. Unknown signing key.")
        found: dict[str, Any] = jwt.decode(
            token, jwt.PyJWK(published, "RS256"), algorithms=["RS256"], audience=audiences, options=options
        )
    except jwt.InvalidTokenError as error:
        raise unauthenticated(f"Access token validation failure. {error}") from error
    return found


def permit(world: World, call: Call, need: str, mailbox: str = "") -> None:
    """Set `call.full`. Raises GraphError 403 unless a role of the token or a scope of the mailbox allows it."""
    whole, basic = _PERMISSIONS[need]
    if call.roles & whole or scoped(world, call, whole, mailbox):
        call.full = True
    elif call.roles & basic or scoped(world, call, basic, mailbox):
        call.full = False
    elif mailbox:
        raise access_denied()
    else:
        text = "Insufficient privileges to complete the operation."
        raise GraphError(403, "Authorization_RequestDenied", text)


def scoped(world: World, call: Call, permissions: frozenset[str], mailbox: str) -> bool:
    """Whether a scope in Exchange gives one of them for this mailbox; tokens say nothing of it."""
    return bool(mailbox) and any(world.consent.in_scope(call.tenant, call.app, p, mailbox) for p in permissions)
