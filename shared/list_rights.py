"""What of a list one caller may see: the rows that the CRM shows the caller, and figures over our own people only for five and
more of them. A list may be narrowed to any owner, as the CRM's own views can: each row is one that the caller may open."""

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

    Numbers of quality (grades, lanes) are for one's own records and for those of teams of five and more active people. Of anybody
    else's there are rows. Raises ForbiddenError for the `me` of a caller whom the CRM does not know.
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
    if owner == ME:
        raise ForbiddenError("There is no person of the CRM behind this sign-in, so no records are its own.")
    return owner, None if len(members) >= FEWEST_PEOPLE else PRIVACY_FLOOR


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
