"""AMQP 1.0 values to bytes and back, with every type kept apart.

Two tables: one reader for each constructor, one writer for each Python type of values.py.
Source: OASIS AMQP 1.0, part 1 (types).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID

from local.bus.values import (
    Array,
    Byte,
    Char,
    Decimal,
    Described,
    Float,
    Int,
    Short,
    Symbol,
    Timestamp,
    Ubyte,
    Uint,
    Ulong,
    Ushort,
)

MAX_DEPTH = 64
MAX_COUNT = 65_536


class CodecError(ValueError):
    """Bytes that are not AMQP, or a value that AMQP cannot carry."""


def decode(data: bytes, at: int = 0, depth: int = 0) -> tuple[Any, int]:
    """The value that begins at `at`, and where the next one begins. Raises CodecError for anything malformed.

    >>> decode(encode(Symbol("amqp:not-found")))[0]
    'amqp:not-found'
    """
    if depth > MAX_DEPTH:
        raise CodecError("values nested too deeply")
    try:
        code = data[at]
        if code == 0x00:
            descriptor, at = decode(data, at + 1, depth + 1)
            value, at = decode(data, at, depth + 1)
            return Described(descriptor, value), at
        return _READERS[code](data, at + 1, depth)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError, TypeError, OverflowError) as error:
        raise CodecError(f"malformed value at byte {at}") from error


def encode(value: Any) -> bytes:
    """The bytes of a value in its shortest form. Raises CodecError for a type or size AMQP does not have.

    >>> encode(Uint(0)).hex(), encode("a").hex()
    ('43', 'a10161')
    """
    try:
        return _WRITERS[type(value)](value)
    except (KeyError, struct.error, UnicodeEncodeError) as error:
        raise CodecError(f"cannot be encoded: {type(value).__name__}") from error


def skip(data: bytes, at: int) -> int:
    """Where the value that begins at `at` ends, without building it: the upper half of a code says how wide it is."""
    try:
        code = data[at]
        if code == 0x00:
            return skip(data, skip(data, at + 1))
        width = {4: 0, 5: 1, 6: 2, 7: 4, 8: 8, 9: 16}.get(code >> 4)
        if width is None:
            layout = ">B" if code >> 4 in (0xA, 0xC, 0xE) else ">I"
            (size,) = struct.unpack_from(layout, data, at + 1)
            width = struct.calcsize(layout) + size
    except (IndexError, struct.error, RecursionError) as error:
        raise CodecError(f"malformed value at byte {at}") from error
    if at + 1 + width > len(data) or code < 0x40:
        raise CodecError("value cut short")
    return at + 1 + width


_Reader = Callable[[bytes, int, int], tuple[Any, int]]


def _constant(value: Any) -> _Reader:
    return lambda _data, at, _depth: (value, at)


def _fixed(layout: str, kind: Callable[[Any], Any] | None = None) -> _Reader:
    unpack = struct.Struct(layout)

    def read(data: bytes, at: int, _depth: int) -> tuple[Any, int]:
        (value,) = unpack.unpack_from(data, at)
        return (value if kind is None else kind(value)), at + unpack.size

    return read


def _raw(size: int, kind: Callable[[bytes], Any]) -> _Reader:
    def read(data: bytes, at: int, _depth: int) -> tuple[Any, int]:
        return kind(_slice(data, at, size)), at + size

    return read


def _sized(layout: str, kind: Callable[[bytes], Any]) -> _Reader:
    length = struct.Struct(layout)

    def read(data: bytes, at: int, _depth: int) -> tuple[Any, int]:
        (size,) = length.unpack_from(data, at)
        at += length.size
        return kind(_slice(data, at, size)), at + size

    return read


def _slice(data: bytes, at: int, size: int) -> bytes:
    piece = data[at : at + size]
    if len(piece) != size:
        raise CodecError("value cut short")
    return bytes(piece)


def _head(layout: str, data: bytes, at: int) -> tuple[int, int, int]:
    """Count of items, where they begin, and where they must have ended, of a list, map or array."""
    head = struct.Struct(layout)
    size, count = head.unpack_from(data, at)
    width = head.size // 2
    end = at + width + size
    if count > MAX_COUNT or end > len(data) or size < width:
        raise CodecError("impossible size of a list, map or array")
    return count, at + head.size, end


def _items(data: bytes, at: int, count: int, end: int, depth: int) -> tuple[list[Any], int]:
    items = []
    for _ in range(count):
        value, at = decode(data, at, depth + 1)
        items.append(value)
    if at != end:
        raise CodecError("items do not fill their list or map")
    return items, at


def _list(layout: str) -> _Reader:
    def read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
        count, at, end = _head(layout, data, at)
        return _items(data, at, count, end, depth)

    return read


def _map(layout: str) -> _Reader:
    def read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
        count, at, end = _head(layout, data, at)
        items, at = _items(data, at, count, end, depth)
        if count % 2:
            raise CodecError("a key without a value")
        return dict(zip(items[::2], items[1::2], strict=True)), at

    return read


def _array(layout: str) -> _Reader:
    def read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
        count, at, end = _head(layout, data, at)
        descriptors = []
        if count or at < end:
            while data[at] == 0x00:
                descriptor, at = decode(data, at + 1, depth + 1)
                descriptors.append(descriptor)
            reader, at = _READERS[data[at]], at + 1
        values = Array()
        for _ in range(count):
            value, at = reader(data, at, depth + 1)
            for descriptor in reversed(descriptors):
                value = Described(descriptor, value)
            values.append(value)
        if at != end:
            raise CodecError("values do not fill their array")
        return values, end

    return read


def _text(raw: bytes) -> str:
    return raw.decode("utf-8")


def _symbol(raw: bytes) -> Symbol:
    return Symbol(raw.decode("ascii"))


def _char(raw: bytes) -> Char:
    return Char(raw.decode("utf-32-be"))


def _uuid(raw: bytes) -> UUID:
    return UUID(bytes=raw)


_READERS: dict[int, _Reader] = {
    0x40: _constant(None), 0x41: _constant(True), 0x42: _constant(False), 0x56: _fixed(">B", bool),
    0x50: _fixed(">B", Ubyte), 0x60: _fixed(">H", Ushort),
    0x70: _fixed(">I", Uint), 0x52: _fixed(">B", Uint), 0x43: _constant(Uint(0)),
    0x80: _fixed(">Q", Ulong), 0x53: _fixed(">B", Ulong), 0x44: _constant(Ulong(0)),
    0x51: _fixed(">b", Byte), 0x61: _fixed(">h", Short),
    0x71: _fixed(">i", Int), 0x54: _fixed(">b", Int), 0x81: _fixed(">q"), 0x55: _fixed(">b"),
    0x72: _fixed(">f", Float), 0x82: _fixed(">d"), 0x83: _fixed(">q", Timestamp),
    0x74: _raw(4, Decimal), 0x84: _raw(8, Decimal), 0x94: _raw(16, Decimal),
    0x73: _raw(4, _char), 0x98: _raw(16, _uuid),
    0xA0: _sized(">B", bytes), 0xB0: _sized(">I", bytes),
    0xA1: _sized(">B", _text), 0xB1: _sized(">I", _text),
    0xA3: _sized(">B", _symbol), 0xB3: _sized(">I", _symbol),
    0x45: lambda _data, at, _depth: ([], at), 0xC0: _list(">BB"), 0xD0: _list(">II"),
    0xC1: _map(">BB"), 0xD1: _map(">II"), 0xE0: _array(">BB"), 0xF0: _array(">II"),
}  # fmt: skip


def _wide(code: int, layout: str) -> Callable[[Any], bytes]:
    pack = struct.Struct(">B" + layout).pack
    return lambda value: pack(code, value)


def _integer(zero: int | None, small: int, small_layout: str, wide: int, wide_layout: str) -> Callable[[int], bytes]:
    """A writer that takes the one-byte form where the value fits it."""
    low, high = (0, 255) if small_layout == "B" else (-128, 127)
    pack_small, pack_wide = struct.Struct(">B" + small_layout).pack, struct.Struct(">B" + wide_layout).pack

    def write(value: int) -> bytes:
        if value == 0 and zero is not None:
            return bytes((zero,))
        return pack_small(small, value) if low <= value <= high else pack_wide(wide, value)

    return write


def _variable(small: int, wide: int, raw: bytes) -> bytes:
    if len(raw) < 256:
        return bytes((small, len(raw))) + raw
    return struct.pack(">BI", wide, len(raw)) + raw


def _compound(small: int, wide: int, count: int, content: bytes) -> bytes:
    if count < 256 and len(content) < 255:
        return bytes((small, len(content) + 1, count)) + content
    return struct.pack(">BII", wide, len(content) + 4, count) + content


def _write_list(value: list[Any]) -> bytes:
    if not value:
        return b"\x45"
    return _compound(0xC0, 0xD0, len(value), b"".join(map(encode, value)))


def _write_map(value: dict[Any, Any]) -> bytes:
    content = b"".join(encode(item) for pair in value.items() for item in pair)
    return _compound(0xC1, 0xD1, 2 * len(value), content)


_ARRAY_FORMS: dict[type, tuple[bytes, Callable[[Any], bytes]]] = {
    int: (b"\x81", struct.Struct(">q").pack),
    Timestamp: (b"\x83", struct.Struct(">q").pack),
    UUID: (b"\x98", lambda value: value.bytes),
    Symbol: (b"\xb3", lambda value: struct.pack(">I", len(value)) + value.encode("ascii")),
    str: (b"\xb1", lambda value: struct.pack(">I", len(raw := value.encode())) + raw),
}


def _write_array(value: Array) -> bytes:
    """Arrays of the types this broker sends. An empty one is an array of no longs."""
    kind = type(value[0]) if value else int
    if any(type(item) is not kind for item in value):
        raise CodecError("an array has values of one type")
    constructor, pack = _ARRAY_FORMS[kind]
    return _compound(0xE0, 0xF0, len(value), constructor + b"".join(map(pack, value)))


_WRITERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _value: b"\x40",
    bool: lambda value: b"\x41" if value else b"\x42",
    Ubyte: _wide(0x50, "B"), Ushort: _wide(0x60, "H"), Byte: _wide(0x51, "b"), Short: _wide(0x61, "h"),
    Uint: _integer(0x43, 0x52, "B", 0x70, "I"), Ulong: _integer(0x44, 0x53, "B", 0x80, "Q"),
    Int: _integer(None, 0x54, "b", 0x71, "i"), int: _integer(None, 0x55, "b", 0x81, "q"),
    Float: _wide(0x72, "f"), float: _wide(0x82, "d"), Timestamp: _wide(0x83, "q"),
    Decimal: lambda value: bytes(({4: 0x74, 8: 0x84, 16: 0x94}[len(value.raw)],)) + value.raw,
    Char: lambda value: b"\x73" + value.encode("utf-32-be"), UUID: lambda value: b"\x98" + value.bytes,
    bytes: lambda value: _variable(0xA0, 0xB0, value),
    str: lambda value: _variable(0xA1, 0xB1, value.encode("utf-8")),
    Symbol: lambda value: _variable(0xA3, 0xB3, value.encode("ascii")),
    list: _write_list, dict: _write_map, Array: _write_array,
    Described: lambda value: b"\x00" + encode(value.descriptor) + encode(value.value),
}  # fmt: skip
