"""Callers whom the platform has checked, as in the cloud: its header names them and their roles."""

from __future__ import annotations

import base64
import json

import pytest

from tests.doubles.processes import forget

ISSUER = "https://issuer.example/v2.0"


def trust_platform(patch: pytest.MonkeyPatch) -> None:
    """Set the app up for the platform's own sign-in."""
    patch.setenv("WEBSITE_AUTH_ENABLED", "true")
    patch.setenv("AUTH_ISSUER", ISSUER)
    forget()


def as_role(role: str, **more: str) -> dict[str, str]:
    """Headers of a caller with one role."""
    return {**as_caller(role), **more}


def as_caller(*roles: str, id: str = "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e201", address: str = "") -> dict[str, str]:
    """Headers of a caller with these roles, object id and sign-in address."""
    facts = {"oid": id, "iss": ISSUER, **({"preferred_username": address} if address else {})}
    claims = [{"typ": "roles", "val": role} for role in roles]
    claims += [{"typ": name, "val": value} for name, value in facts.items()]
    principal = {"auth_typ": "aad", "role_typ": "roles", "name_typ": "name", "claims": claims}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(principal).encode()).decode()}
