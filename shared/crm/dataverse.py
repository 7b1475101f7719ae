"""Changes from Dataverse: the JSON of a RemoteExecutionContext, as its webhooks and Service Bus endpoints send it.

One context tells of one message (Create, Update, Delete, Associate, Merge, ...) and may mean several changes, or none when
it is about a table that Rapport does not know. docs/crm-ingestion.md lists what is understood and which steps to register.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from msgspec import DecodeError, Struct, ValidationError

from shared import decoders
from shared.changes import Change, Ref
from shared.crm.attributes import RELATIONSHIPS, normal_attributes
from shared.crm.dataverse_columns import attributes_of
from shared.crm.dataverse_values import ENTITIES, choice, moment, operation_moment, pairs, reference
from shared.crm.values import normal_id
from shared.errors import InvalidInputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_ID = "00000000-0000-0000-0000-000000000000"
_INACTIVE = 1
_Link = Literal["link", "unlink"]


class _Context(Struct, rename="pascal"):
    message_name: str
    primary_entity_name: str
    operation_created_on: str
    primary_entity_id: str = ""
    input_parameters: list[dict[str, Any]] | None = None
    output_parameters: list[dict[str, Any]] | None = None
    pre_entity_images: list[dict[str, Any]] | None = None
    post_entity_images: list[dict[str, Any]] | None = None

    @property
    def at(self) -> datetime:
        found = operation_moment(self.operation_created_on)
        if found is None:
            raise InvalidInputError("no instant of the years 1900 to 2200", "$.OperationCreatedOn")
        return found

    @property
    def version(self) -> int:
        return (self.at - _EPOCH) // timedelta(milliseconds=1)

    def image(self, images: list[dict[str, Any]] | None) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for entity in pairs(images).values():
            columns |= pairs(entity.get("Attributes")) if isinstance(entity, Mapping) else {}
        return columns


class _Shape(Struct, rename="pascal"):
    message_name: str
    primary_entity_name: str


def is_execution_context(body: bytes) -> bool:
    """Say whether a body is the JSON of a RemoteExecutionContext, as opposed to a plain batch."""
    try:
        decoders.of_json(_Shape).decode(body)
    except (DecodeError, RecursionError):
        return False
    return True


def parse_execution_context(body: bytes) -> list[Change]:
    """Return the changes that one execution context tells; none for tables and messages that mean nothing here.

    The version of each is `OperationCreatedOn` in milliseconds. Raises InvalidInputError, with the JSON path, for a body of
    another shape and for one that Dataverse has cut because it was longer than 256 KB: what it said is lost in it.
    """
    try:
        context: _Context = decoders.of_json(_Context).decode(body)
    except ValidationError as error:
        detail, _, path = str(error).partition(" - at `")
        raise InvalidInputError(detail, path.rstrip("`") or "$") from None
    except (DecodeError, RecursionError):
        raise InvalidInputError("the body is not valid JSON in UTF-8, or nested too deeply") from None
    read = _MESSAGES.get(context.message_name)
    if read is None:
        return []
    if context.input_parameters is None:
        raise InvalidInputError("the input parameters are missing: over 256 KB they are cut off", "$.InputParameters")
    try:
        return read(context, pairs(context.input_parameters))
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
        raise InvalidInputError("the parameters do not have the shape of this message", "$.InputParameters") from None


def _written(context: _Context, parameters: dict[str, Any]) -> list[Change]:
    """Create, Update, Upsert and their bulk forms. A post image completes what the request left out."""
    targets = parameters["Targets"]["Entities"] if "Targets" in parameters else [parameters["Target"]]
    image = context.image(context.post_entity_images) if len(targets) == 1 else {}
    return [change for target in targets for change in _upsert(context, target, image)]


def _upsert(context: _Context, target: Mapping[str, Any], image: dict[str, Any]) -> list[Change]:
    table = target["LogicalName"]
    columns = pairs(target["Attributes"])
    if table == "connection":
        return _connection(context, context.image(context.pre_entity_images) | image | columns)
    if table not in ENTITIES:
        return []
    output = pairs(context.output_parameters)
    ids = (str(found) for found in (target.get("Id"), context.primary_entity_id, output.get("id")) if found)
    return [_change_of(context, table, next(id for id in ids if id != _NO_ID), columns, image)]


def _change_of(
    context: _Context, table: str, id: str, columns: Mapping[str, Any], image: Mapping[str, Any] | None = None
) -> Change:
    entity = ENTITIES[table]
    attributes = normal_attributes(entity, attributes_of(table, columns, image or {}, context.at))
    return Change(entity, normal_id(id), context.version, "upsert", attributes)


def _deleted(context: _Context, parameters: dict[str, Any]) -> list[Change]:
    if context.primary_entity_name == "connection":
        return _connection(context, context.image(context.pre_entity_images), "unlink")
    target = reference(parameters["Target"])
    return [Change(*target, context.version, "delete")] if target else []


def _state_set(context: _Context, parameters: dict[str, Any]) -> list[Change]:
    moniker = parameters["EntityMoniker"]
    columns = {"statecode": parameters["State"], "statuscode": parameters.get("Status")}
    return _upsert(context, {**moniker, "Attributes": [{"key": k, "value": v} for k, v in columns.items()]}, {})


def _assigned(context: _Context, parameters: dict[str, Any]) -> list[Change]:
    owner = [{"key": "ownerid", "value": parameters["Assignee"]}]
    return _upsert(context, {**parameters["Target"], "Attributes": owner}, {})


def _merged(context: _Context, parameters: dict[str, Any]) -> list[Change]:
    survivor = reference(parameters["Target"])
    if survivor is None:
        return []
    entity, id = survivor
    changes = [Change(entity, normal_id(str(parameters["SubordinateId"])), context.version, "merge", into=id)]
    content = pairs((parameters.get("UpdateContent") or {}).get("Attributes"))
    return changes + ([_change_of(context, parameters["Target"]["LogicalName"], id, content)] if content else [])


def _closed(parameter: str, row: str, state: int) -> Callable[[_Context, dict[str, Any]], list[Change]]:
    """A reader of the messages that close a row through an activity of their own (Win, Lose, CloseIncident)."""

    def read(context: _Context, parameters: dict[str, Any]) -> list[Change]:
        closing = pairs(parameters[parameter]["Attributes"])
        closed = closing[row]
        columns = {"statecode": state, "actualclosedate": closing.get("actualend")}
        return [_change_of(context, closed["LogicalName"], closed["Id"], columns)]

    return read


def _related(operation: _Link) -> Callable[[_Context, dict[str, Any]], list[Change]]:
    """A reader of Associate and Disassociate; either row may be the target, so each pair is tried both ways."""

    def read(context: _Context, parameters: dict[str, Any]) -> list[Change]:
        target = reference(parameters["Target"])
        rows = [row for related in parameters["RelatedEntities"] if (row := reference(related))]
        return [change for row in rows if target for change in _links(context, operation, target, row)]

    return read


def _team_changed(operation: _Link) -> Callable[[_Context, dict[str, Any]], list[Change]]:
    """A reader of AddMembersTeam and RemoveMembersTeam."""

    def read(context: _Context, parameters: dict[str, Any]) -> list[Change]:
        team = ("team", normal_id(str(parameters["TeamId"])))
        users = [("user", normal_id(str(id))) for id in parameters["MemberIds"]]
        return [change for user in users for change in _links(context, operation, team, user)]

    return read


def _access_changed(operation: _Link) -> Callable[[_Context, dict[str, Any]], list[Change]]:
    """A reader of AddUserToRecordTeam and RemoveUserFromRecordTeam: the access team of a record."""

    def read(context: _Context, parameters: dict[str, Any]) -> list[Change]:
        record = reference(parameters["Record"])
        user = ("user", normal_id(str(parameters["SystemUserId"])))
        return _links(context, operation, record, user) if record else []

    return read


def _connection(context: _Context, columns: Mapping[str, Any], operation: _Link = "link") -> list[Change]:
    """A connection between a deal and a person: a contact is a stakeholder, a user is on the team, whatever the role.

    Dataverse writes each connection twice, once from each end; both say the same here.
    """
    if "record1id" not in columns or "record2id" not in columns:
        raise InvalidInputError("a connection needs record1id and record2id: register an image", "$.PreEntityImages")
    ended = moment(columns.get("effectiveend"))
    if choice(columns.get("statecode")) == _INACTIVE or (ended is not None and ended <= context.at):
        operation = "unlink"
    first, second = reference(columns["record1id"]), reference(columns["record2id"])
    return _links(context, operation, first, second) if first and second else []


def _links(context: _Context, operation: _Link, a: tuple[str, str], b: tuple[str, str]) -> list[Change]:
    changes = []
    for (entity, id), (other, other_id) in ((a, b), (b, a)):
        for relationship, related in RELATIONSHIPS.get(entity, {}).items():
            if related == other:
                ref = Ref(other, other_id)
                changes.append(Change(entity, id, context.version, operation, relationship=relationship, related=[ref]))
    return changes


_MESSAGES: dict[str, Callable[[_Context, dict[str, Any]], list[Change]]] = {
    "Create": _written,
    "CreateMultiple": _written,
    "Update": _written,
    "UpdateMultiple": _written,
    "Upsert": _written,
    "Delete": _deleted,
    "SetState": _state_set,
    "SetStateDynamicEntity": _state_set,
    "Assign": _assigned,
    "Merge": _merged,
    "Win": _closed("OpportunityClose", "opportunityid", 1),
    "Lose": _closed("OpportunityClose", "opportunityid", 2),
    "Close": _closed("IncidentResolution", "incidentid", 1),
    "CloseIncident": _closed("IncidentResolution", "incidentid", 1),
    "Associate": _related("link"),
    "Disassociate": _related("unlink"),
    "AddMembersTeam": _team_changed("link"),
    "RemoveMembersTeam": _team_changed("unlink"),
    "AddUserToRecordTeam": _access_changed("link"),
    "RemoveUserFromRecordTeam": _access_changed("unlink"),
}
