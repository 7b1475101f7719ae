"""The examples in the docstrings of the core run."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import numpy as np
import pytest

import shared.kpi


@pytest.mark.parametrize("name", sorted(module.name for module in pkgutil.iter_modules(shared.kpi.__path__)))
def test_examples(name: str) -> None:
    module = import_module(f"shared.kpi.{name}")
    result = doctest.testmod(module, extraglobs={"np": np})
    assert result.failed == 0


def test_there_are_examples() -> None:
    names = [module.name for module in pkgutil.iter_modules(shared.kpi.__path__)]
    found = [doctest.DocTestFinder().find(import_module(f"shared.kpi.{name}")) for name in names]
    assert sum(bool(example.examples) for tests in found for example in tests) >= 10
