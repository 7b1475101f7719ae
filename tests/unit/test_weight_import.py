"""Weights of Dynamics 365 become ours by the stated arithmetic."""

from __future__ import annotations

import msgspec
import pytest

from shared.organisation_settings import KindWeights, OrganisationSettings
from shared.weight_import import ImportedWeights, WeightImport, imported


def read(text: str) -> ImportedWeights:
    return imported(msgspec.json.decode(text, type=WeightImport))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('{"sliders": {}}', KindWeights()),
        ('{"numbers": {}}', KindWeights()),
        ('{"sliders": {"email": -50, "call": 25, "meeting": 50}}', KindWeights(email=0.5, call=2.5, meeting=4.5)),
        ('{"numbers": {"email": 3, "call": 9, "meeting": 4}}', KindWeights(email=2, call=1.3333, meeting=4.5)),
        ('{"numbers": {"task": 3}}', KindWeights()),
    ],
)
def test_weights_follow_from_sliders_or_numbers(given: str, expected: KindWeights) -> None:
    assert read(given) == ImportedWeights(weights=expected, cut=[])


def test_a_weight_above_the_range_is_cut_and_named() -> None:
    found = read('{"numbers": {"meeting": 3}}')
    assert (found.weights.meeting, found.cut) == (5.0, ["meeting"])
    document = msgspec.json.encode({"weights": found.weights})
    assert msgspec.json.decode(document, type=OrganisationSettings).weights == found.weights


@pytest.mark.parametrize(
    "given",
    [
        "{}",
        '{"sliders": {}, "numbers": {}}',
        '{"sliders": {"email": 51}}',
        '{"numbers": {"email": 2}}',
        '{"numbers": {"mail": 3}}',
    ],
)
def test_what_dynamics_cannot_hold_is_refused(given: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(given)
