"""Frames of AMQP 1.0: the eight bytes before each, and the performatives inside, by name.

A performative is a list with fixed places; trailing places may be missing and then have their default.
Source: OASIS AMQP 1.0, part 2 (transport) and part 5 (SASL).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from local.bus.codec import CodecError, decode, encode
from local.bus.values import Described, Symbol, Ubyte, Uint, Ulong

AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
MAX_FRAME = 65_536
AMQP, SASL = 0, 1

OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE = range(0x10, 0x19)
SASL_MECHANISMS, SASL_INIT, SASL_OUTCOME = 0x40, 0x41, 0x44
RECEIVED, ACCEPTED, REJECTED, RELEASED, MODIFIED = range(0x23, 0x28)
SOURCE, TARGET, COORDINATOR, TRANSACTIONAL_STATE, ERROR = 0x28, 0x29, 0x30, 0x34, 0x1D

_HEAD = struct.Struct(">IBBH")
_FIELDS: dict[int, tuple[int, dict[int, Any]]] = {  # number of places; defaults that are not null
    OPEN: (10, {2: 4_294_967_295, 3: 65_535}), BEGIN: (8, {4: 4_294_967_295}),
    ATTACH: (14, {3: 2, 4: 0}), FLOW: (11, {8: False, 9: False}),
    TRANSFER: (11, {3: 0, 5: False, 8: False, 9: False}), DISPOSITION: (6, {3: False}),
    DETACH: (3, {1: False}), END: (1, {}), CLOSE: (1, {}), SASL_INIT: (3, {}),
}  # fmt: skip


class FrameError(CodecError):
    """A frame that cannot be read; the connection it came on is closed."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it came: which performative, its places in order, and what follows them (a transfer's bytes)."""

    kind: int
    channel: int
    fields: list[Any]
    payload: bytes


def take_frame(buffer: bytearray) -> tuple[Frame | None, int]:
    """The first frame of `buffer` and how many bytes it took; (None, 0) when it is not complete yet.

    A frame without a body is a heartbeat: (None, 8). Raises FrameError for anything that is not a frame.
    """
    if len(buffer) < _HEAD.size:
        return None, 0
    size, offset, frame_type, channel = _HEAD.unpack_from(buffer)
    if not _HEAD.size <= size <= MAX_FRAME or not 2 <= offset <= size // 4 or frame_type not in (AMQP, SASL):
        raise FrameError(f"not a frame: size {size}, data offset {offset}, type {frame_type}")
    if len(buffer) < size:
        return None, 0
    body = bytes(memoryview(buffer)[offset * 4 : size])
    return (_read(body, channel) if body else None), size


def _read(body: bytes, channel: int) -> Frame:
    value, end = decode(body)
    if not (isinstance(value, Described) and isinstance(value.value, list) and value.descriptor in _FIELDS):
        raise FrameError("not a performative")
    count, defaults = _FIELDS[value.descriptor]
    fields = (value.value + [None] * count)[:count]
    for place, default in defaults.items():
        if fields[place] is None:
            fields[place] = default
    return Frame(int(value.descriptor), channel, fields, body[end:])


def frame(kind: int, fields: list[Any], channel: int = 0, payload: bytes = b"", frame_type: int = AMQP) -> bytes:
    """The bytes of one frame."""
    body = performative(kind, fields)
    return _HEAD.pack(_HEAD.size + len(body) + len(payload), 2, frame_type, channel) + body + payload


def performative(kind: int, fields: list[Any]) -> bytes:
    return encode(Described(Ulong(kind), fields))


def transfer_frames(
    handle: int, delivery: tuple[int, bytes], message: bytes, *, settled: bool, channel: int, max_frame: int
) -> list[bytes]:
    """One message (`delivery`: its delivery id and tag) as the transfers it takes within the peer's frame size."""
    delivery_id, tag = delivery
    room = max_frame - 64 - len(tag)  # more than head and performative ever take
    pieces = [message[at : at + room] for at in range(0, len(message), room)] or [b""]
    frames = []
    for number, piece in enumerate(pieces, 1):
        more = number < len(pieces)
        fields = [Uint(handle), Uint(delivery_id), tag, Uint(0), settled, more]
        frames.append(frame(TRANSFER, fields, channel, piece))
    return frames


def outcome(kind: int, fields: list[Any] | None = None) -> Described:
    """A delivery state: accepted, rejected, released or modified."""
    return Described(Ulong(kind), fields or [])


def error(condition: str, description: str) -> Described:
    """An error with all three fields: the Python client fails on two and then waits for ever."""
    return Described(Ulong(ERROR), [Symbol(condition), description, {}])


def rejected(condition: str, description: str) -> Described:
    return outcome(REJECTED, [error(condition, description)])


def sasl_outcome(code: int) -> bytes:
    return frame(SASL_OUTCOME, [Ubyte(code)], frame_type=SASL)
