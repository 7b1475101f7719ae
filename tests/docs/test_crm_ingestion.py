"""docs/crm-ingestion.md names every attribute and column that is read, and its example is taken in as it stands."""

import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from shared.changes import parse_batch
from shared.crm.attributes import RELATIONSHIPS, SCHEMAS
from shared.crm.dataverse import _MESSAGES
from shared.crm.dataverse_columns import _COLUMNS

PAGE = (Path(__file__).parents[2] / "docs" / "crm-ingestion.md").read_text(encoding="utf-8")


def test_the_example_is_a_valid_batch() -> None:
    example = re.search(r"```json\n(.+?)```", PAGE, re.DOTALL)
    assert example is not None
    operations = [change.operation for change in parse_batch(example[1].encode())]
    assert operations == ["upsert", "upsert", "link", "merge", "delete"]


@pytest.mark.parametrize("entity", SCHEMAS)
def test_each_attribute_is_explained(entity: str) -> None:
    missing = [f.encode_name for f in fields(SCHEMAS[entity]) if f"`{f.encode_name}`" not in PAGE]
    assert missing == []


@pytest.mark.parametrize("table", _COLUMNS)
def test_each_column_is_in_the_row_of_its_table(table: str) -> None:
    (row,) = re.findall(rf"^\| {table} \| (.+) \|$", PAGE.partition("| table | columns |")[2], re.MULTILINE)
    named = set(re.sub(r"emailaddress1–3", "emailaddress1, emailaddress2, emailaddress3", row).split(", "))
    assert _COLUMNS[table].keys() <= named
    assert named - _COLUMNS[table].keys() <= {"statecode", "statuscode", "actualvalue"}


def test_each_message_and_relationship_is_named() -> None:
    names = {*_MESSAGES, *(name for relationships in RELATIONSHIPS.values() for name in relationships)}
    assert [name for name in sorted(names) if name not in PAGE] == []
