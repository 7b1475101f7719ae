from __future__ import annotations

import json
from typing import Annotated, Any

import azure.functions as func
import msgspec
import pytest
from jsonschema import Draft202012Validator

from shared.auth import INGEST, READER
from shared.errors import NotFoundError
from shared.http import endpoint
from shared.openapi import document
from shared.paging import Page


class Health(msgspec.Struct):
    """Health of a record."""

    score: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None


class ListQuery(msgspec.Struct, rename="camel", kw_only=True):
    top_rows: Annotated[int, msgspec.Meta(ge=1, le=200, description="Rows a page.")] = 50
    kinds: list[str] = []
    record: str


class Batch(msgspec.Struct):
    changes: list[Health]


@pytest.fixture(scope="module")
def raw() -> bytes:
    blueprint = func.Blueprint()

    @blueprint.route(route="records/{record}/health/{month:int?}", methods=["GET"])
    @endpoint(summary="Health of a record", roles=(READER,), response=Health, errors=(NotFoundError,))
    def record_health(req: func.HttpRequest) -> func.HttpResponse: ...

    @blueprint.route(route="records", methods=["GET", "POST"])
    @endpoint(summary="Records", roles=(READER, INGEST), response=Page[Health], query=ListQuery)
    def records(req: func.HttpRequest) -> func.HttpResponse: ...

    @blueprint.route(route="crm/changes", methods=["POST"])
    @endpoint(summary="Changes", roles=(INGEST,), request=Batch, status=202)
    def changes(req: func.HttpRequest) -> func.HttpResponse: ...

    @blueprint.route(route="live", methods=["GET"])
    @endpoint(summary="Up", roles=None, response=dict[str, str])
    async def live(req: func.HttpRequest) -> func.HttpResponse: ...

    @blueprint.route(route="hidden", methods=["GET"])
    def hidden(req: func.HttpRequest) -> func.HttpResponse: ...

    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    app.register_functions(blueprint)
    return document(app.get_functions())


@pytest.fixture(scope="module")
def api(raw: bytes) -> dict[str, Any]:
    return json.loads(raw)


def test_paths_are_those_of_the_endpoints(api: dict[str, Any]) -> None:
    found = {(path, method) for path, methods in api["paths"].items() for method in methods}
    assert found == {
        ("/api/records/{record}/health/{month}", "get"),
        ("/api/records", "get"),
        ("/api/records", "post"),
        ("/api/crm/changes", "post"),
        ("/api/live", "get"),
    }


def test_operation_ids_are_unique(api: dict[str, Any]) -> None:
    ids = [operation["operationId"] for methods in api["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids)) and "record_health" in ids


def test_places_in_the_route_are_parameters(api: dict[str, Any]) -> None:
    operation = api["paths"]["/api/records/{record}/health/{month}"]["get"]
    assert [(place["name"], place["in"], place["schema"]) for place in operation["parameters"]] == [
        ("record", "path", {"type": "string"}),
        ("month", "path", {"type": "integer"}),
    ]


def test_query_struct_is_spelled_out(api: dict[str, Any]) -> None:
    top, kinds, record = api["paths"]["/api/records"]["get"]["parameters"]
    assert (top["name"], top["description"], top["required"]) == ("topRows", "Rows a page.", False)
    assert top["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    assert (kinds["explode"], record["required"]) == (False, True)
    assert "ListQuery" not in api["components"]["schemas"]


def test_roles_and_security(api: dict[str, Any]) -> None:
    operation = api["paths"]["/api/records"]["post"]
    assert (operation["x-roles"], operation["security"]) == (["Rapport.Reader", "Rapport.Ingest"], [{"bearer": []}])
    public = api["paths"]["/api/live"]["get"]
    assert (public["security"], "x-roles" in public) == ([], False)


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/api/records/{record}/health/{month}", "get", {"200", "304", "401", "403", "404", "500"}),
        ("/api/records", "post", {"200", "400", "401", "403", "500"}),
        ("/api/crm/changes", "post", {"202", "400", "401", "403", "413", "500"}),
        ("/api/live", "get", {"200", "304", "500"}),
    ],
)
def test_answers_are_complete(api: dict[str, Any], path: str, method: str, statuses: set[str]) -> None:
    answers = api["paths"][path][method]["responses"]
    assert statuses == set(answers)
    problems = [answer for status, answer in answers.items() if status >= "400"]
    assert all(list(answer["content"]) == ["application/problem+json"] for answer in problems)


def test_every_reference_leads_somewhere_and_every_schema_is_valid(api: dict[str, Any], raw: bytes) -> None:
    schemas = api["components"]["schemas"]
    named = {part.split('"')[0] for part in raw.decode().split("#/components/schemas/")[1:]}
    assert named <= set(schemas)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_document_is_read_by_an_openapi_tool(api: dict[str, Any]) -> None:
    import schemathesis

    schema = schemathesis.openapi.from_dict(api)
    assert len([result.ok() for result in schema.get_all_operations()]) == 5


def test_document_does_not_depend_on_the_order_of_registration(raw: bytes, api: dict[str, Any]) -> None:
    assert list(api["paths"]) == sorted(api["paths"]) and raw.endswith(b"}\n")
