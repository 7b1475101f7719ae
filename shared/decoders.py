"""Typed decoding, with every type's plan made by one thread at a time.

msgspec makes the plan of a Struct at its first use and lays it open while it is still incomplete, so two threads that meet
there crash the process (0.22.0; the worker starts with a pool of threads that all decode for the first time). A plan that is
complete is read by any number of threads. All typed decoding of the app therefore begins here
(`tests/unit/test_decoders.py` sees to that); untyped decoding and encoding make no plans.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from threading import RLock
from typing import Any, TypeVar, cast

import msgspec

Shape = TypeVar("Shape")
_one_at_a_time = RLock()


def of_json(shape: type[Shape]) -> msgspec.json.Decoder[Shape]:
    """The decoder of JSON as `shape`, made once.

    >>> of_json(list[int]).decode(b"[1, 2]")
    [1, 2]
    """
    found: msgspec.json.Decoder[Shape] = _of_json(cast(Hashable, shape))
    return found


def of_msgpack(shape: type[Shape]) -> msgspec.msgpack.Decoder[Shape]:
    """The decoder of MessagePack as `shape`, made once."""
    found: msgspec.msgpack.Decoder[Shape] = _of_msgpack(cast(Hashable, shape))
    return found


def convert(given: Any, shape: type[Shape], *, strict: bool = True) -> Shape:
    """`given`, made of plain Python values, as `shape`. Raises msgspec.ValidationError.

    >>> convert({"a": "1"}, dict[str, int], strict=False)
    {'a': 1}
    """
    of_msgpack(shape)
    return msgspec.convert(given, shape, strict=strict)


@cache
def _of_json(shape: Any) -> msgspec.json.Decoder[Any]:
    with _one_at_a_time:
        return msgspec.json.Decoder(shape)


@cache
def _of_msgpack(shape: Any) -> msgspec.msgpack.Decoder[Any]:
    with _one_at_a_time:
        return msgspec.msgpack.Decoder(shape)
