"""Fills a new folder with the mailboxes of the sample tenant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import chain

from local.graph.clock import instant
from local.graph.mailboxes import CALENDAR, EVENT, MESSAGE
from local.graph.sample_events import Meeting, invitations, sample_events
from local.graph.sample_mail import Copy, sample_mail
from local.graph.world import World
from local.sample.cast import Cast, Clock
from local.sample.draw import guid
from local.sample.mail import read_mails
from local.sample.tenant import Tenant, build

SENDER = "introductions@us.example"
PILOT_GROUP = guid("directory group", "pilot")


def add_mailboxes(world: World, addresses: Iterable[str]) -> None:
    """Users with empty mailboxes; those that are there already stay as they are."""
    for address in addresses:
        world.directory.add_user(address)


def fill(world: World, today: date) -> None:
    """Once in the life of a folder: everything that follows from the tenant that `local.sample` builds for `today`."""
    if world.store.get("state", "sample"):
        return
    tenant = build(today)
    clock, cast = Clock(tenant.shift), Cast(tenant.users | tenant.customers, tenant.opportunities)
    with world.mailboxes.many():
        _people(world, tenant)
        ours = {
            person.addresses[0]: world.directory.user(person.addresses[0])["id"] for person in tenant.users.values()
        }
        mails = sample_mail(tenant, read_mails(), cast, clock)
        for copy in chain(mails, invitations(tenant, cast, clock)):
            _keep(world, ours, copy)
        for meeting in sample_events(tenant, cast, clock):
            _plan(world, ours, meeting)
        world.store.put("state", "sample", today.isoformat())


def _people(world: World, tenant: Tenant) -> None:
    """Users, a group for each sales team, one group of all teams, and the mailbox that introductions are sent from."""
    teams: list[str] = []
    for person in tenant.users.values():
        given, _, last = person.name.partition(" ")
        world.directory.add_user(person.addresses[0], person.name, givenName=given, surname=last)
    world.directory.add_user(SENDER, "Introductions")
    for team in tenant.teams:
        members = [world.directory.user(tenant.users[key].addresses[0])["id"] for key in team]
        group = guid("directory group", team[0])
        title = f"Team {tenant.users[team[0]].name}"
        mail = f"team-{len(teams) + 1}@us.example"
        world.directory.add_group(group, title, members, mail=mail, mailEnabled=True, securityEnabled=True)
        teams.append(group)
    world.directory.add_group(PILOT_GROUP, "Rapport pilot", teams, mailEnabled=False, securityEnabled=True)


def _keep(world: World, ours: dict[str, str], copy: Copy) -> None:
    at = instant(copy.body["sentDateTime"]) + copy.delay
    world.mailboxes.keep(ours[copy.owner], MESSAGE, copy.folder, at, at, copy.body)


def _plan(world: World, ours: dict[str, str], meeting: Meeting) -> None:
    start, end = instant(meeting.start), instant(meeting.end)
    world.mailboxes.keep(ours[meeting.owner], EVENT, CALENDAR, start, end, meeting.body)
