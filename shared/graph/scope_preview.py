"""Whose mailboxes a choice of roles and groups would bring, which fields of them, and about how much; no mailbox is read for it.

Before consent the directory says nothing, so the CRM must do: it knows who has a role and under which address. Groups are the
directory's alone.
"""

from __future__ import annotations

from typing import Literal

from shared import stamps
from shared.directory import Directory, directory
from shared.errors import UnavailableError
from shared.graph import calendar, mail, roles, scope
from shared.graph.calls import GraphCallError
from shared.graph.consent import Scope
from shared.graph.roles import KnownRoles
from shared.graph.scope import Member
from shared.settings import settings
from shared.widgets import Shape

DAYS_BACK = 365
WORKING_DAYS = 250  # in those
MESSAGES_A_DAY = 50
EVENTS_A_DAY = 4
# What a year of a mailbox takes besides one request for each page of 200 mails: three folders week by week, twelve months of
# calendar, the folders and where to begin.
_REQUESTS = 3 * 52 + 12 + 12
_PAGE = 200


class PreviewedMailbox(Shape, frozen=True):
    """A mailbox that would be read."""

    address: str
    name: str


class Volume(Shape, frozen=True):
    """About how much would be read of the past, if every mailbox has `messagesPerDay` mails and `eventsPerDay` events on each of
    250 working days: mails, events, and calls of Graph. An assumption, not a count: nothing was read for it."""

    messages: int
    events: int
    requests: int
    messages_per_day: int = MESSAGES_A_DAY
    events_per_day: int = EVENTS_A_DAY


class Preview(Shape, frozen=True):
    """Whose mailboxes would be read, and which fields; `limited_by`: "exchange" (scoped there) or "rapport".

    `source`: "directory", or "crm" while consent is missing: then addresses are those of the CRM, whether there is a mailbox
    behind each is not known, and groups are not in the list (`groups_listed` is false where some were chosen).
    `empty_roles`: chosen roles that bring nobody known from the CRM. `days_back`: of mail and calendar, up to now.
    """

    mailboxes: list[PreviewedMailbox]
    source: Literal["directory", "crm"]
    groups_listed: bool
    empty_roles: list[str]
    volume: Volume
    message_fields: list[str]
    event_fields: list[str]
    days_back: int
    limited_by: str


def preview(chosen: Scope) -> Preview:
    """Who would be read with this choice. Raises UnavailableError when the directory does not answer."""
    our_people = directory(stamps.read().people)
    found, from_directory = _members(chosen, our_people)
    return Preview(
        mailboxes=[PreviewedMailbox(address=member.address, name=member.name) for member in found],
        source="directory" if from_directory else "crm",
        groups_listed=from_directory or not chosen.groups,
        empty_roles=empty_roles(chosen, our_people),
        volume=volume(len(found)),
        message_fields=mail.SELECT.split(","),
        event_fields=calendar.SELECT.split(","),
        days_back=DAYS_BACK,
        limited_by="exchange" if settings().graph_mode == "push" else "rapport",
    )


def _members(chosen: Scope, our_people: Directory) -> tuple[list[Member], bool]:
    """The mailboxes, and whether the directory has told them."""
    if settings().graph_client_id:
        from shared.graph.client import graph

        try:
            return scope.members(graph(), chosen), True
        except GraphCallError as error:
            if error.is_passing:
                raise UnavailableError("The directory does not answer.") from None
    return scope.of_crm(chosen, our_people), False


def empty_roles(chosen: Scope, our_people: Directory) -> list[str]:
    """The chosen roles that no user with a mail address has who would be read."""
    users, named = list(our_people.users.values()), roles.names()
    return [role for role in chosen.roles if not scope.readable(roles.holders([role], users, named), chosen)]


def volume(mailboxes: int) -> Volume:
    """The estimate for so many mailboxes.

    >>> volume(2).messages
    25000
    """
    messages = MESSAGES_A_DAY * WORKING_DAYS
    return Volume(
        messages=mailboxes * messages,
        events=mailboxes * EVENTS_A_DAY * WORKING_DAYS,
        requests=mailboxes * (_REQUESTS + -(-messages // _PAGE)),
    )


def known_roles() -> KnownRoles:
    """The roles to choose from, with the number of users of each."""
    our_people = directory(stamps.read().people)
    return roles.known(our_people.users.values(), roles.names())
