"""What all answers are made of: camelCase names, and people as they are named in them."""

from __future__ import annotations

from msgspec import Struct


class Shape(Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all answers: camelCase names."""


class PersonRef(Shape, frozen=True):
    """A person in an answer."""

    id: str
    name: str
