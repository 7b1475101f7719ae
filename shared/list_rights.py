"""What of a list one caller may see: the rows that the CRM shows the caller (product P3), and whose records it may be narrowed
to, because nothing filters by colleague and figures about our own people are given for five and more of them (P5, P7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared import row_rights
from shared.auth import Caller
from shared.errors import ForbiddenError

if TYPE_CHECKING:
    from shared.directory import Directory
    from shared.list_packs import Pack

ME = "me"
PRIVACY_FLOOR = "privacyFloor"
TOO_MANY = "tooManyToCheck"
MOST_CHECKED = 2_000  # rows of one list: twenty questions to the CRM, remembered for a minute


def owner_for(who: Caller, owner: str) -> tuple[str, str | None]:
    """The owner a list is narrowed to, and why it must not be counted, if it must not; `me` stands for the caller.

    Everybody may ask for their own records and their teams', and for those of teams of five and more. An app without a person,
    which may ask on anybody's behalf, gets rows and no numbers. Raises ForbiddenError for a person who asks for another's.
    """
    if not owner:
        return "", None
    from shared import stamps
    from shared.directory import directory
    from shared.kpi.floor import FEWEST_PEOPLE
    from shared.who_knows_whom import user_of

    ours = directory(stamps.read().people)
    user = user_of(who, ours)
    if user and owner in (ME, f"user:{user}"):
        return f"user:{user}", None
    members = _active(owner, ours) if owner.startswith("team:") else set()
    if len(members) >= FEWEST_PEOPLE:
        return owner, None
    if owner != ME and (user in members or not (user or who.address)):
        return owner, PRIVACY_FLOOR
    raise ForbiddenError(
        "Lists are not narrowed to one colleague: ask for your own records (me), a team of yours, or one of five or more people."
    )


def _active(team: str, ours: Directory) -> set[str]:
    known = {id: ours.users.get(id) for id in ours.members(team)}
    return {id for id, user in known.items() if user and user.active and not user.deleted}


def readable_part(who: Caller, kind: str, found: Pack) -> tuple[Pack, str | None]:
    """The rows that the caller may read; as they are, with the reason why they must not be counted, where they are too many to
    ask the CRM about."""
    if row_rights.is_open():
        return found, None
    return (found, TOO_MANY) if len(found) > MOST_CHECKED else (readable(who, kind, found), None)


def readable(who: Caller, kind: str, found: Pack) -> Pack:
    """The rows that the caller may read."""
    import numpy as np

    records = [f"{kind}:{id}" for id in found.ids]
    may = row_rights.rights().readable(who, records) if records else set()
    return found.where(np.fromiter((record in may for record in records), bool, len(records)))
