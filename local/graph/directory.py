"""The people and groups of the tenants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.graph.errors import GraphError
from local.graph.store import Store
from local.sample.draw import guid
from local.tokens import TENANT


class Directory:
    """Users: {"id", "tenant", "displayName", "mail", "userPrincipalName", "hasMailbox", ...}; groups with members."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._users: dict[str, dict[str, Any]] = store.all("user")
        self._groups: dict[str, dict[str, Any]] = store.all("group")
        self._by_address = {user["mail"].lower(): key for key, user in self._users.items()}

    def add_user(self, mail: str, name: str = "", tenant: str = TENANT, **more: Any) -> dict[str, Any]:
        """A user whose id belongs to the address; the one that is there, when there is one."""
        key = guid("directory user", tenant, mail.lower())
        known = self._users.get(key, {"id": key, "hasMailbox": True})
        user = known | {"tenant": tenant, "displayName": name or mail, "mail": mail, "userPrincipalName": mail} | more
        self._users[key] = user
        self._by_address[mail.lower()] = key
        self._store.put("user", key, user)
        return user

    def add_group(self, key: str, name: str, members: list[str], tenant: str = TENANT, **more: Any) -> dict[str, Any]:
        """`members` are ids of users and of groups."""
        group = {"id": key, "tenant": tenant, "displayName": name, "members": members, **more}
        self._groups[key] = group
        self._store.put("group", key, group)
        return group

    def users(self, tenant: str) -> list[dict[str, Any]]:
        return sorted((user for user in self._users.values() if user["tenant"] == tenant), key=lambda user: user["id"])

    def groups(self, tenant: str) -> list[dict[str, Any]]:
        return [group for group in self._groups.values() if group["tenant"] == tenant]

    def user(self, key: str, tenant: str | None = None) -> dict[str, Any]:
        """By id or address, within the tenant. Raises GraphError 404."""
        found = self._users.get(key.lower()) or self._users.get(self._by_address.get(key.lower(), ""))
        if found is None or tenant not in (None, found["tenant"]):
            raise GraphError(404, "ResourceNotFound", f"Resource '{key}' does not exist.")
        return found

    def mailbox(self, key: str, tenant: str | None = None) -> dict[str, Any]:
        """As `user`; raises GraphError 404 too for somebody without a mailbox in the cloud."""
        found = self.user(key, tenant)
        if not found["hasMailbox"]:
            text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
            raise GraphError(404, "MailboxNotEnabledForRESTAPI", text)
        return found

    def group(self, key: str, tenant: str) -> dict[str, Any]:
        """Raises GraphError 404."""
        found = self._groups.get(key)
        if found is None or found["tenant"] != tenant:
            raise GraphError(404, "Request_ResourceNotFound", f"Resource '{key}' does not exist.")
        return found

    def members(self, group: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Everybody in it and in the groups within it, each once: ("group" or "user", entry)."""
        return list(self._walk(group, {group["id"]}))

    def _walk(self, group: dict[str, Any], seen: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for key in group["members"]:
            if key in seen:
                continue
            seen.add(key)
            if key in self._groups:
                yield "group", self._groups[key]
                yield from self._walk(self._groups[key], seen)
            elif key in self._users:
                yield "user", self._users[key]
