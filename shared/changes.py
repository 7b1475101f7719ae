"""A change of one CRM row, and the plain batch format in which any CRM can tell its changes (docs/crm-ingestion.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct, ValidationError, field

from shared import decoders
from shared.crm.attributes import RELATIONSHIPS, SCHEMAS, normal_form
from shared.crm.values import InvalidPartError, normal_id
from shared.errors import InvalidInputError

Operation = Literal["upsert", "delete", "link", "unlink", "merge", "split"]
_Entity = Literal[
    "account",
    "contact",
    "lead",
    "opportunity",
    "case",
    "user",
    "team",
    "role",
    "email",
    "appointment",
    "phonecall",
    "task",
]
_Version = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_NO_ATTRIBUTES = Raw(b"{}")


class Ref(Struct, frozen=True):
    """A row of the CRM, named by its entity and id."""

    entity: str
    id: str


class Change(Struct, frozen=True, omit_defaults=True):
    """What happened to one row at one version; the attributes are in their normal form (`shared.crm.attributes`).

    `version` orders the writes of one row: any number that grows with them, such as milliseconds since 1970. Which of the
    last four fields means something follows from the operation: attributes of an upsert, relationship and related rows of
    a link or unlink, and the id of the surviving row of a merge.
    """

    entity: str
    id: str
    version: int
    operation: Operation
    attributes: dict[str, Any] = {}
    relationship: str = ""
    related: list[Ref] = []
    into: str = ""


class _PlainChange(Struct, forbid_unknown_fields=True):
    entity: _Entity
    id: str
    version: _Version
    operation: Operation
    attributes: Raw = field(default_factory=lambda: _NO_ATTRIBUTES)
    relationship: str = ""
    related: Annotated[list[Ref], Meta(max_length=10_000)] = []
    into: str = ""


class _Batch(Struct, forbid_unknown_fields=True):
    changes: list[_PlainChange]


def parse_batch(body: bytes) -> list[Change]:
    """Return the changes of a plain batch `{"changes": [...]}`, in its order; an empty list gives an empty list.

    Raises InvalidInputError with the JSON path of the first fault (`$.changes[3].version`); then nothing is taken in.
    """
    try:
        batch = decoders.of_json(_Batch).decode(body)
    except ValidationError as error:
        raise _invalid(error, "$") from None
    except (ValueError, RecursionError):
        raise InvalidInputError("the body is not valid JSON in UTF-8, or nested too deeply") from None
    return [_checked(plain, f"$.changes[{i}]") for i, plain in enumerate(batch.changes)]


def _checked(plain: _PlainChange, path: str) -> Change:
    id = _id(plain.id, path + ".id")
    _refuse_unrelated_fields(plain, path)
    match plain.operation:
        case "upsert":
            return Change(plain.entity, id, plain.version, "upsert", _attributes(plain, path + ".attributes"))
        case "delete" | "split":
            return Change(plain.entity, id, plain.version, plain.operation)
        case "merge":
            return Change(plain.entity, id, plain.version, "merge", into=_survivor(plain.into, id, path + ".into"))
    related = _related(plain, path)
    return Change(plain.entity, id, plain.version, plain.operation, relationship=plain.relationship, related=related)


def _refuse_unrelated_fields(plain: _PlainChange, path: str) -> None:
    # A field that the operation does not read is most likely a mistake whose effect the sender would miss.
    if plain.operation != "upsert" and plain.attributes is not _NO_ATTRIBUTES:
        raise InvalidInputError("only an upsert has attributes", path + ".attributes")
    if plain.operation != "merge" and plain.into:
        raise InvalidInputError("only a merge has into", path + ".into")
    if plain.operation not in ("link", "unlink") and (plain.relationship or plain.related):
        raise InvalidInputError("only link and unlink have a relationship", path + ".relationship")


def _attributes(plain: _PlainChange, path: str) -> dict[str, Any]:
    try:
        return normal_form(plain.entity, decoders.of_json(SCHEMAS[plain.entity]).decode(plain.attributes))
    except ValidationError as error:
        raise _invalid(error, path) from None
    except InvalidPartError as error:
        raise InvalidInputError(str(error), path + error.path) from None
    except ValueError:
        raise InvalidInputError("the attributes are not valid JSON", path) from None


def _related(plain: _PlainChange, path: str) -> list[Ref]:
    allowed: Mapping[str, str] = RELATIONSHIPS.get(plain.entity, {})
    entity = allowed.get(plain.relationship)
    if entity is None:
        known = ", ".join(sorted(allowed)) or "none"
        raise InvalidInputError(f"relationships of {plain.entity}: {known}", path + ".relationship")
    for i, ref in enumerate(plain.related):
        if ref.entity != entity:
            raise InvalidInputError(f"{plain.relationship} relates to {entity}", f"{path}.related[{i}].entity")
    return [Ref(entity, _id(ref.id, f"{path}.related[{i}].id")) for i, ref in enumerate(plain.related)]


def _survivor(into: str, id: str, path: str) -> str:
    survivor = _id(into, path)
    if survivor == id:
        raise InvalidInputError("a row cannot be merged into itself", path)
    return survivor


def _id(text: str, path: str) -> str:
    try:
        return normal_id(text)
    except ValueError as error:
        raise InvalidInputError(str(error), path) from None


def _invalid(error: ValidationError, path: str) -> InvalidInputError:
    """Translate msgspec's message, which ends in the path from where the decoder started."""
    detail, _, inner = str(error).partition(" - at `$")
    path += inner.rstrip("`")
    if unknown := re.fullmatch(r"Object contains unknown field `(.+)`", detail):
        return InvalidInputError("there is no such attribute or field", f"{path}.{unknown[1]}")
    return InvalidInputError(detail, path)
