"""The tables that are read, and what an environment says of them: names of sets and columns, whether changes are tracked."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.dataverse.webapi import WebApi, WebApiError
from shared.crm.dataverse_columns import columns_of

# People before the records that name them, records before their activities: figures are then computed least often.
TABLES = (
    "systemuser",
    "team",
    "account",
    "contact",
    "lead",
    "opportunity",
    "incident",
    "connection",
    "email",
    "appointment",
    "phonecall",
    "task",
)
ACTIVITIES = frozenset(("email", "appointment", "phonecall", "task"))
CONNECTION = ("record1id", "record2id", "effectiveend", "statecode")
_MORE = {"team": ("teamtype", "regardingobjectid"), "opportunity": ("actualvalue",), "connection": CONNECTION}
_ALWAYS = ("statecode", "statuscode", "createdon", "modifiedon")
_LOOKUPS = frozenset(("Lookup", "Owner", "Customer"))
_NOT_FOUND = 404


@dataclass(frozen=True)
class Table:
    """A table: its entity set, its key, the columns that we read with their types, and whether changes are tracked."""

    name: str
    entity_set: str
    key: str
    tracked: bool
    columns: dict[str, str]

    @property
    def query(self) -> str:
        """The query of all its rows: change tracking takes $select and nothing else."""
        chosen = [column_name(name, kind) for name, kind in self.columns.items() if kind != "PartyList"]
        return f"{self.entity_set}?$select={','.join([self.key, *chosen])}"


def column_name(name: str, kind: str) -> str:
    """A column as the Web API names it: a lookup shows as `_name_value`."""
    return f"_{name}_value" if kind in _LOOKUPS else name


def wanted_columns(name: str) -> list[str]:
    """The columns of a table that mean something to Rapport, in a fixed order."""
    known = () if name == "connection" else columns_of(name)
    return sorted({*known, *_MORE.get(name, ()), *_ALWAYS})


def describe(api: WebApi, name: str) -> Table | None:
    """What the environment says of a table; None where it has no such table, as without the Sales or Service app."""
    path = (
        f"EntityDefinitions(LogicalName='{name}')?$select=EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled"
        "&$expand=Attributes($select=LogicalName,AttributeType)"
    )
    try:
        found = api.get(path).body
    except WebApiError as error:
        if error.status != _NOT_FOUND:
            raise
        return None
    types = {one["LogicalName"]: one["AttributeType"] for one in found["Attributes"]}
    columns = {column: types[column] for column in wanted_columns(name) if column in types}
    columns.pop(found["PrimaryIdAttribute"], None)
    return Table(name, found["EntitySetName"], found["PrimaryIdAttribute"], found["ChangeTrackingEnabled"], columns)


def totals(api: WebApi, names: list[str]) -> dict[str, int]:
    """About how many rows each table has; Dataverse counts once a day, so this serves for showing progress only."""
    listed = ",".join(f"'{name}'" for name in names)
    try:
        found = api.get(f"RetrieveTotalRecordCount(EntityNames=[{listed}])").body["EntityRecordCountCollection"]
    except (WebApiError, KeyError):
        return {}
    return dict(zip(found["Keys"], found["Values"], strict=False))
