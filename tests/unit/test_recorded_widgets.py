"""The recorded answers that browser tests use have the shapes of today's app."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from shared.known_colleagues import WhoKnowsWhom
from shared.list_shapes import HealthList, Pipeline
from shared.widgets import Ledger, RecordWidgets

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"
SHAPES = {"colleagues": WhoKnowsWhom, "activities": Ledger, "list": HealthList, "pipeline": Pipeline}
RECORDED = sorted([*PAYLOADS.glob("widgets/*.json"), *PAYLOADS.glob("lists/*.json")])


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_answer_has_todays_shape(path: Path) -> None:
    """Decoding refuses what is missing or of another type, encoding again shows what is new or gone."""
    content = path.read_bytes()
    shape = SHAPES.get(path.stem.rpartition("-")[2], RecordWidgets)
    assert json.loads(msgspec.json.encode(msgspec.json.decode(content, type=shape))) == json.loads(content)
