"""Sentences made from facts."""

from __future__ import annotations

from shared.widgets.shape import Shape


class Sentence(Shape, frozen=True):
    """A sentence without its words: an id of the catalogue, its parameters, and the text where a language was asked for."""

    id: str
    parameters: dict[str, int | float | str]
    text: str | None = None
    language: str | None = None


class Summary(Shape, frozen=True):
    """Up to five sentences made from facts; `reason` says why there are none."""

    sentences: list[Sentence]
    reason: str | None
