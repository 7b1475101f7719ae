"""Our own people: users, teams, their addresses, names and working hours, as the figures need them.

Loaded whole from the `state` table and kept until the `people` stamp changes, so a computation works on one consistent
directory and can tell afterwards whether it still holds (`shared.stamps`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from shared import follow_preferences, organisation, states, tombstones
from shared.crm.records import Team, User, view
from shared.keys import keys
from shared.people import domain_of
from shared.settings import settings

if TYPE_CHECKING:
    from shared.kpi.parameters import OwnHours

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Directory(Struct, frozen=True):
    """All users and teams at one `people` stamp.

    `address_owner` maps a user's address to the user's id (the smallest id where two users claim one); `domains` are the
    organisation's own mail domains. A deleted user stays ours as long as the id is known from a party, but owns no address.
    """

    stamp: int
    users: dict[str, User]
    teams: dict[str, Team]
    address_owner: dict[str, str]
    domains: frozenset[str]
    mailboxes: frozenset[str] = frozenset()  # addresses of mailboxes of ours that no user and no domain tells
    opted_out: frozenset[int] = frozenset()  # keys of everybody who has opted out, of ours under all their addresses
    not_followed: frozenset[int] = frozenset()  # keys of outsiders who do not allow that mails to them are followed
    hours: dict[str, OwnHours | None] = {}  # by user id, filled as they are asked for

    def is_internal(self, address: str, party: str) -> bool:
        """Say whether a participant is one of ours: a user, or an address of ours."""
        if party.startswith("user:") or address in self.address_owner or address in self.mailboxes:
            return True
        return domain_of(address) in self.domains

    def members(self, owner: str) -> tuple[str, ...]:
        """The user ids behind an owner: the user itself, or the members of the team; empty for no owner."""
        kind, _, id = owner.partition(":")
        if kind == "team":
            return self.teams[id].members if id in self.teams else ()
        return (id,) if id else ()

    def name(self, user_id: str) -> str:
        """The user's name, else the first address, else the id."""
        user = self.users.get(user_id)
        return (user.name or next(iter(user.emails), "") or user_id) if user else user_id

    def own_hours(self, user_id: str) -> OwnHours | None:
        """What is known of the user's working time; None where nothing is."""
        if user_id not in self.hours:
            self.hours[user_id] = self._own_hours(self.users.get(user_id))
        return self.hours[user_id]

    @staticmethod
    def _own_hours(user: User | None) -> OwnHours | None:
        from shared.kpi.parameters import OwnHours

        if user is None or (user.working_hours is None and not user.time_zone and not user.days_off):
            return None
        week = None
        if user.working_hours is not None:
            week = tuple(tuple(map(_minutes, user.working_hours.get(day, ()))) for day in WEEKDAYS)
        return OwnHours(user.time_zone or None, week, frozenset(user.days_off))


def _minutes(interval: Iterable[str]) -> tuple[int, int]:
    first, last = (int(clock[:2]) * 60 + int(clock[3:5]) for clock in interval)
    return first, last


_held: Directory | None = None


def directory(stamp: int) -> Directory:
    """The directory at this `people` stamp or a newer one; read only when the stamp has moved."""
    global _held
    if _held is None or _held.stamp != stamp:
        _held = load(stamp)
    return _held


def load(stamp: int) -> Directory:
    """Read all users and teams from the store, and whose mailboxes are read or were."""
    users = {state.id: view(state) for state in states.read_all("user")}
    teams = {state.id: view(state) for state in states.read_all("team")}
    owners: dict[str, str] = {}
    for id in sorted(users, reverse=True):
        user = users[id]
        owners |= dict.fromkeys(user.emails if isinstance(user, User) else (), id)
    domains = settings().internal_domains.union(organisation.in_force().internal_domains)
    return Directory(
        stamp,
        {id: user for id, user in users.items() if isinstance(user, User)},
        {id: team for id, team in teams.items() if isinstance(team, Team)},
        owners,
        domains,
        frozenset(each for each in _mailbox_addresses() if each not in owners and domain_of(each) not in domains),
        _opted_out(user for user in users.values() if isinstance(user, User)),
        follow_preferences.read(),
    )


def _mailbox_addresses() -> Iterable[str]:
    from shared.graph import mailboxes

    return (mailbox.address for mailbox in mailboxes.read_all() if mailbox.address)  # one that is erased has none


def _opted_out(users: Iterable[User]) -> frozenset[int]:
    gone = tombstones.read()
    return gone.union(*(own for user in users if not gone.isdisjoint(own := user_keys(user)))) if gone else gone


def user_keys(user: User) -> list[int]:
    """All keys under which a user takes part: the user's own first, then one per address."""
    return [keys().party(f"user:{user.id}"), *map(keys().address, user.emails)]
