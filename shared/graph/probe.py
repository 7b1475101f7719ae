"""The consent check: a fresh token's roles, then real reads of mailboxes in scope. True, False, or None for no evidence."""

from __future__ import annotations

from shared.graph import witnesses
from shared.graph.calls import GraphCallError
from shared.graph.client import Graph
from shared.graph.consent import Scope
from shared.settings import settings

DIRECTORY, GROUPS = "User.ReadBasic.All", "GroupMember.Read.All"
BASIC = frozenset(("Mail.ReadBasic.All", "Calendars.ReadBasic.All"))
_INCLUDES = {DIRECTORY: "User.Read.All"}


def missing_roles(roles: frozenset[str], scope: Scope) -> frozenset[str]:
    """The permissions that the token should claim and does not; those of push are not in tokens and are tried instead."""
    wanted = {DIRECTORY} | ({GROUPS} if scope.groups else set())
    if settings().graph_mode == "poll":
        wanted |= BASIC
    return frozenset(role for role in wanted if role not in roles and _INCLUDES.get(role) not in roles)


def token_passes(graph: Graph, scope: Scope) -> bool | None:
    """Whether a token that no cache has seen claims what is needed."""
    try:
        token = graph.fresh_token()
    except GraphCallError as error:
        return None if error.is_passing else False
    return not missing_roles(token.roles, scope)


def passes(graph: Graph, scope: Scope, reporter: str, now: int, *, unproven: bool = False) -> bool | None:
    """Whether the token claims what is needed and a mailbox in scope can be read; `reporter`: one that refused, or empty.

    `unproven`: consent was never proven, so that a scope in which no mailbox is found is a failure, not a lack of evidence.
    """
    token = token_passes(graph, scope)
    return witnesses.let_in(graph, scope, reporter, now, unproven=unproven) if token else token
