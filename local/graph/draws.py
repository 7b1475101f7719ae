"""Draws with a seed: the n-th draw of a name is the same in every run."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draws:
    """Each name has a sequence of its own, so the order in which different things happen does not matter."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.counts: Counter[str] = Counter()

    def _next(self, name: str) -> random.Random:
        self.counts[name] += 1
        return random.Random(f"{self.seed}/{name}/{self.counts[name]}")

    def number(self, name: str) -> float:
        """In [0, 1)."""
        return self._next(name).random()

    def shuffled(self, name: str, things: Sequence[T]) -> list[T]:
        return self._next(name).sample(things, len(things))
