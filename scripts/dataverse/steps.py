"""Which steps are registered: for each table the messages that tell of a change, and the columns that matter."""

from __future__ import annotations

from typing import NamedTuple

from shared.crm.dataverse_columns import columns_of

NAME = "Rapport"
_ROW = ("Create", "Update", "Delete")
_OWNED = ("Assign", "SetState", "SetStateDynamicEntity")
_ACCESS = ("AddUserToRecordTeam", "RemoveUserFromRecordTeam")
MESSAGES: dict[str, tuple[str, ...]] = {
    "account": (*_ROW, *_OWNED, "Merge"),
    "contact": (*_ROW, *_OWNED, "Merge"),
    "lead": (*_ROW, *_OWNED, *_ACCESS, "Merge"),
    "opportunity": (*_ROW, *_OWNED, *_ACCESS, "Win", "Lose"),
    "incident": (*_ROW, *_OWNED, *_ACCESS, "Close", "CloseIncident"),
    "systemuser": _ROW,
    "team": (*_ROW, "AddMembersTeam", "RemoveMembersTeam"),
    "connection": _ROW,
    "email": (*_ROW, "SetState", "SetStateDynamicEntity"),
    "appointment": (*_ROW, "SetState", "SetStateDynamicEntity"),
    "phonecall": (*_ROW, "SetState", "SetStateDynamicEntity"),
    "task": (*_ROW, *_OWNED),
}
# Members, roles and stakeholders through many-to-many relationships; Dataverse cannot limit these to a table.
EVERYWHERE = ("Associate", "Disassociate")
_NEVER_UPDATED = frozenset(("createdon", "overriddencreatedon"))
_CONNECTION = ("effectiveend", "record1id", "record2id", "statecode")
_IMAGED = ("Update", "Delete")


class Step(NamedTuple):
    """A step: table ("" for all) and message; the columns whose change fires it, and those of a pre image."""

    table: str
    message: str
    columns: tuple[str, ...] = ()
    image: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in Dataverse, by which it is found again."""
        return f"{NAME}: {self.message} of {self.table or 'any table'}"


def wanted() -> list[Step]:
    """All steps, in a fixed order."""
    found = [_step(table, message) for table, messages in MESSAGES.items() for message in messages]
    return [*found, *(Step("", message) for message in EVERYWHERE)]


def _step(table: str, message: str) -> Step:
    image = ("record1id", "record2id") if table == "connection" and message in _IMAGED else ()
    return Step(table, message, _columns(table) if message == "Update" else (), image)


def _columns(table: str) -> tuple[str, ...]:
    if table == "connection":
        return _CONNECTION
    return tuple(sorted(set(columns_of(table)) - _NEVER_UPDATED))
