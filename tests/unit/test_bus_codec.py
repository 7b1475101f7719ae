"""AMQP values: every type comes back as itself, the client's own decoder agrees, and rubbish is called rubbish."""

from __future__ import annotations

import string
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from azure.servicebus._pyamqp import _decode as client_decoder
from hypothesis import given
from hypothesis import strategies as st

from local.bus.codec import MAX_DEPTH, CodecError, decode, encode, skip
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
)  # fmt: skip


def _whole(kind: type, bits: int, *, signed: bool) -> st.SearchStrategy[Any]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return st.integers(low, high).map(kind)


_names = st.text(string.ascii_letters + ":-", max_size=300)
_longs = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.one_of(
    st.none(), st.booleans(), _longs, st.floats(allow_nan=False), st.floats(allow_nan=False, width=32).map(Float),
    st.text(max_size=300), st.binary(max_size=300), st.uuids(), _names.map(Symbol), st.characters(codec="utf-8").map(Char),
    _whole(Ubyte, 8, signed=False), _whole(Ushort, 16, signed=False), _whole(Uint, 32, signed=False),
    _whole(Ulong, 64, signed=False), _whole(Byte, 8, signed=True), _whole(Short, 16, signed=True),
    _whole(Int, 32, signed=True), _whole(Timestamp, 64, signed=True),
    st.sampled_from([4, 8, 16]).flatmap(lambda n: st.binary(min_size=n, max_size=n)).map(Decimal),
)  # fmt: skip
# Never an empty one: the client misreads those, and no answer has one.
ARRAYS = st.one_of(
    *(st.lists(kind, min_size=1).map(Array) for kind in (_longs, _longs.map(Timestamp), st.uuids(), _names.map(Symbol)))
)
VALUES = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=9), inner, max_size=4)
        | st.builds(Described, st.integers(0, 2**64 - 1).map(Ulong), inner)
    ),
    max_leaves=12,
)


def same(left: Any, right: Any) -> bool:
    """Equal in value and in type, all the way down: Uint(1) == Ulong(1) would not do."""
    if type(left) is not type(right):
        return False
    if isinstance(left, Described):
        return same(left.descriptor, right.descriptor) and same(left.value, right.value)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return same(list(left), list(right)) and same(list(left.values()), list(right.values()))
    return bool(left == right)


@given(VALUES, st.binary(max_size=9))
def test_every_value_comes_back_with_its_type(value: Any, after: bytes) -> None:
    data = encode(value)
    back, end = decode(data + after)
    assert end == len(data) == skip(data + after, 0)
    assert same(value, back)


def _as_client(value: Any) -> Any:
    """What the client's decoder makes of a value: text stays bytes there."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return [_as_client(item) for item in value]
    if isinstance(value, dict):
        return {_as_client(key): _as_client(item) for key, item in value.items()}
    return value


_CLIENT_SCALARS = st.one_of(
    st.none(), st.booleans(), _longs, st.text(max_size=300), st.binary(max_size=300), st.uuids()
)


@given(st.recursive(_CLIENT_SCALARS | ARRAYS, lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=30))
def test_the_client_reads_what_is_written_here(value: Any) -> None:
    data = memoryview(encode(value))
    rest, read = client_decoder._DECODE_BY_CONSTRUCTOR[data[0]](data[1:])
    assert (len(rest), read) == (0, _as_client(value))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_a_codec_error(data: bytes) -> None:
    with suppress(CodecError):
        assert 0 < decode(data)[1] <= len(data)
    with suppress(CodecError):
        assert 0 < skip(data, 0) <= len(data)


@given(VALUES, st.data())
def test_a_value_cut_short_is_a_codec_error(value: Any, data: st.DataObject) -> None:
    encoded = encode(value)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(CodecError):
        decode(encoded[:cut])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Uint(0), "43"), (Uint(255), "52ff"), (Uint(256), "7000000100"), (Ulong(0), "44"), (Ulong(16), "5310"),
        (-1, "55ff"), (128, "810000000000000080"), (Int(-128), "5480"), (True, "41"), (None, "40"), ([], "45"),
        ("a", "a10161"), (Symbol("a"), "a30161"), (b"a", "a00161"), (Timestamp(1), "830000000000000001"),
        (Array([1]), "e00a01810000000000000001"), ({"a": None}, "c10502a1016140"),
        (UUID(int=1), "98" + "00" * 15 + "01"),
    ],
)  # fmt: skip
def test_the_bytes_are_those_of_the_standard(value: Any, expected: str) -> None:
    assert expected == encode(value).hex()


@pytest.mark.parametrize(
    "data", ["d0ffffffff00000001", "d000000005ffffffff40", "f00000000affffffff40", "c1020140", "e1", "a1ff", ""]
)
def test_impossible_sizes_are_refused_before_anything_is_built(data: str) -> None:
    with pytest.raises(CodecError):
        decode(bytes.fromhex(data))


def test_nesting_has_a_limit() -> None:
    data = encode(None)
    for _ in range(MAX_DEPTH):
        data = b"\xc0" + bytes((len(data) + 1, 1)) + data
    assert decode(data)[1] == len(data)
    with pytest.raises(CodecError, match="nested"):
        decode(b"\xc0" + bytes((len(data) + 1, 1)) + data)
    with pytest.raises(CodecError, match="nested"):
        decode(b"\x00\x53\x70" * (MAX_DEPTH + 1) + b"\x40")


@pytest.mark.parametrize(
    "value", [object(), Uint(2**32), 2**63, Array([1, "a"]), Symbol("ä"), {1, 2}, Decimal(b"12345")]
)
def test_what_amqp_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(CodecError):
        encode(value)
