"""AMQP 1.0 values that Python has no type of its own for.

A symbol is not a string and a timestamp is not a long: clients compare types, not only values. What a plain Python
value means on the wire: None null, bool boolean, int long, float double, str string, bytes binary, UUID uuid, list
list, dict map. Source: OASIS AMQP 1.0, part 1 (types).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Ubyte(int): ...


class Ushort(int): ...


class Uint(int): ...


class Ulong(int): ...


class Byte(int): ...


class Short(int): ...


class Int(int): ...


class Timestamp(int):
    """Milliseconds since 1970 in UTC."""


class Float(float):
    """Four bytes on the wire; a plain float has eight."""


class Symbol(str): ...


class Char(str):
    """One Unicode character."""


@dataclass(frozen=True, slots=True)
class Decimal:
    """A decimal of 4, 8 or 16 bytes, carried as it came: nothing here computes with it."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Described:
    """A value with a descriptor, which says what the value means (a frame, a section, an outcome)."""

    descriptor: Any
    value: Any


class Array(list[Any]):
    """Values of one type, whose constructor stands once before all of them."""
