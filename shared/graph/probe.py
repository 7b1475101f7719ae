"""The consent check: a fresh token's roles, then a real read of a mailbox in scope. True, False, or None for no evidence."""

from __future__ import annotations

from collections.abc import Sequence

from shared.graph import calendar
from shared.graph.calls import GraphCallError
from shared.graph.client import Graph
from shared.graph.consent import Scope
from shared.graph.times import text_of
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


def mailboxes_pass(graph: Graph, mailboxes: Sequence[str], now: int) -> bool | None:
    """Whether a mailbox in scope can be read. A refusal counts only when a second mailbox refuses too; none = no evidence."""
    refused = 0
    for mailbox in mailboxes[:5]:
        try:
            _read(graph, mailbox, now)
            return True
        except GraphCallError as error:
            if error.is_passing:
                return None
            refused += error.is_denied
        if refused == 2:
            return False
    # The only mailbox that there is must do as a witness.
    return False if refused and len(mailboxes) == 1 else None


def _read(graph: Graph, mailbox: str, now: int) -> None:
    graph.get(f"/users/{mailbox}/mailFolders/inbox/messages", {"$top": "1", "$select": "id"})
    window = {"startDateTime": text_of(now), "endDateTime": text_of(now + 3600), "$select": "id", "$top": "1"}
    graph.get(f"/users/{mailbox}/calendarView", window, (calendar.UTC_TIMES,))
