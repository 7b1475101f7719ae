"""What the applications may do: roles granted by consent, and mailboxes opened to them by scope in Exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.graph.clock import Clock
from local.graph.store import Store

EVERYBODY = "*"


@dataclass(frozen=True)
class Registration:
    """An application as its maker registered it: `roles` is what consent to /.default grants."""

    client_id: str
    secret: str
    name: str
    roles: tuple[str, ...]
    scoped: tuple[str, ...] = ()  # permissions that a new tenant gives by mailbox scope


REGISTRATIONS = (
    Registration(
        "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e151",
        "local-secret-of-graph-push",
        "push",
        ("User.ReadBasic.All", "GroupMember.Read.All"),
        ("Mail.Read", "Calendars.Read", "Mail.Send"),
    ),
    Registration(
        "5a3c1f0e-7d42-4b7e-9a51-2f60c8d1e152",
        "local-secret-of-graph-poll",
        "poll",
        ("Mail.ReadBasic.All", "Calendars.ReadBasic.All", "User.ReadBasic.All", "GroupMember.Read.All"),
    ),
)


def registration(key: str) -> Registration | None:
    """By client id or name."""
    return next((each for each in REGISTRATIONS if key in (each.client_id, each.name)), None)


class Consent:
    """Per tenant and application: {"principal", "roles", "secret"} and, per permission, when which scope began."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    @staticmethod
    def _key(tenant: str, client: str) -> str:
        return f"{tenant}/{client}"

    def of(self, tenant: str, client: str) -> dict[str, Any]:
        """`principal`: the application is in the tenant; `secret`: its secret is accepted."""
        nothing = {"principal": False, "roles": [], "secret": True}
        found: dict[str, Any] = self._store.get("consent", self._key(tenant, client), nothing)
        return found

    def change(self, tenant: str, client: str, **wanted: Any) -> dict[str, Any]:
        changed = self.of(tenant, client) | wanted
        self._store.put("consent", self._key(tenant, client), changed)
        return changed

    def grant(self, tenant: str, app: Registration) -> None:
        """What an administrator's consent does: the application comes into the tenant with all its roles."""
        self.change(tenant, app.client_id, principal=True, roles=list(app.roles))

    def set_scope(self, tenant: str, client: str, permission: str, mailboxes: list[str] | str, after: float) -> None:
        """From `after` seconds on, `permission` holds for these mailboxes (ids; "*" is all), until the next scope."""
        key = f"{self._key(tenant, client)}/{permission}"
        begins = self._clock.now() + after
        kept = [entry for entry in self._store.get("scope", key, []) if entry[0] < begins]
        self._store.put("scope", key, [*kept, [begins, mailboxes]])

    def in_scope(self, tenant: str, client: str, permission: str, mailbox: str) -> bool:
        scopes = self._store.get("scope", f"{self._key(tenant, client)}/{permission}", [])
        begun = [mailboxes for begins, mailboxes in scopes if begins <= self._clock.now()]
        return bool(begun) and (begun[-1] == EVERYBODY or mailbox in begun[-1])
