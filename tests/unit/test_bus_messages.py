"""Sections of a message: what the broker reads, what it writes, and what it leaves byte for byte."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.bus.codec import CodecError
from local.bus.frames import TRANSFER, FrameError, frame, take_frame, transfer_frames
from local.bus.messages import (
    ANNOTATIONS,
    APPLICATION,
    DATA,
    FOOTER,
    HEADER,
    PROPERTIES,
    dead_lettered,
    delivered,
    parse,
    parse_batch,
    scheduled,
    section,
)  # fmt: skip
from local.bus.values import Symbol, Timestamp, Uint

PROPERTIES_SECTION = section(PROPERTIES, ["id", None, "to"])
APPLICATION_SECTION = section(APPLICATION, {"kept": Uint(7), "DeadLetterReason": "an older one"})
BODY = section(DATA, b"\x00body") + section(FOOTER, {})
MESSAGE = (
    section(HEADER, [True, None, Uint(5000)])
    + section(
        ANNOTATIONS, {Symbol("x-opt-partition-key"): "key", Symbol("x-opt-scheduled-enqueue-time"): Timestamp(99)}
    )
    + PROPERTIES_SECTION
    + APPLICATION_SECTION
    + BODY
)


def test_a_message_is_read_without_touching_its_bare_part() -> None:
    content = parse(MESSAGE)
    assert (content.message_id, content.ttl, content.scheduled_for) == ("id", 5000, 99)
    assert content.bare == PROPERTIES_SECTION + APPLICATION_SECTION + BODY


def test_what_a_receiver_gets_adds_the_brokers_marks_and_keeps_the_rest() -> None:
    again = parse(delivered(parse(MESSAGE), 3, {"x-opt-sequence-number": 12}))
    assert again.header == [True, None, 5000, None, 3]
    assert again.annotations == {
        "x-opt-partition-key": "key", "x-opt-scheduled-enqueue-time": 99, "x-opt-sequence-number": 12,
    }  # fmt: skip
    assert again.bare == parse(MESSAGE).bare


def test_a_dead_letter_gets_its_reason_and_keeps_every_other_byte() -> None:
    bare = dead_lettered(parse(MESSAGE), "reason", "description").bare
    content = parse(bare)
    assert bare.startswith(PROPERTIES_SECTION) and bare.endswith(BODY)
    middle = bare[len(PROPERTIES_SECTION) : -len(BODY)]
    assert content.message_id == "id"
    assert b"kept" in middle and b"an older one" not in middle and middle.count(b"DeadLetterReason") == 1


@pytest.mark.parametrize("bare", [b"", PROPERTIES_SECTION, BODY, PROPERTIES_SECTION + BODY])
def test_a_message_without_application_properties_gets_them_in_their_place(bare: bytes) -> None:
    content = dead_lettered(parse(bare), "reason", None)
    before = PROPERTIES_SECTION if bare.startswith(PROPERTIES_SECTION) else b""
    added = content.bare[len(before) : len(content.bare) - len(bare) + len(before)]
    assert content.bare == before + added + bare[len(before) :]
    assert added.startswith(b"\x00\x53\x74\xd1")


def test_a_batch_is_its_messages_and_the_envelopes_properties_mean_nothing() -> None:
    inner = [section(PROPERTIES, [f"{n}"]) + section(DATA, b"x") for n in range(3)]
    envelope = section(PROPERTIES, ["0"]) + b"".join(section(DATA, data) for data in inner)
    assert [content.message_id for content in parse_batch(envelope)] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("given_id", "expected"), [("1", "1"), (None, None), (Uint(1), "Uint\x001"), (b"1", "bytes\x00b'1'")]
)
def test_ids_of_different_types_are_different_ids(given_id: object, expected: str | None) -> None:
    assert parse(section(PROPERTIES, [given_id])).message_id == expected


def test_a_scheduled_message_says_for_when() -> None:
    assert scheduled(parse(BODY), 1234).scheduled_for == 1234


@pytest.mark.parametrize(
    "data", [b"\x40", section(HEADER, "text"), section(0x60, []), MESSAGE[:-3], section(HEADER, [None, None, "soon"])]
)
def test_a_malformed_message_is_a_codec_error(data: bytes) -> None:
    with pytest.raises(CodecError):
        parse(data)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_message_or_a_codec_error(data: bytes) -> None:
    with suppress(CodecError):
        parse(data)
        parse_batch(data)


@given(st.binary(max_size=3000), st.integers(512, 1100))
def test_frames_hold_a_message_within_the_peers_frame_size(message: bytes, max_frame: int) -> None:
    buffer = bytearray()
    frames = transfer_frames(
        4_294_967_295, (4_294_967_295, b"t" * 32), message, settled=False, channel=9, max_frame=max_frame
    )
    assert all(len(one) <= max_frame for one in frames)
    buffer += b"".join(frames)
    pieces = []
    while buffer:
        found, size = take_frame(buffer)
        assert found is not None and (found.kind, found.channel) == (TRANSFER, 9)
        pieces.append((found.payload, found.fields[5]))
        del buffer[:size]
    assert b"".join(piece for piece, _ in pieces) == message
    assert [more for _, more in pieces] == [True] * (len(pieces) - 1) + [False]


def test_a_frame_is_taken_when_it_is_whole() -> None:
    data = frame(TRANSFER, [Uint(1)], payload=b"abc")
    for cut in range(len(data)):
        assert take_frame(bytearray(data[:cut])) == (None, 0)
    found, size = take_frame(bytearray(data + b"next"))
    assert found is not None and (found.payload, size) == (b"abc", len(data))
    assert take_frame(bytearray(b"\x00\x00\x00\x08\x02\x00\x00\x00")) == (None, 8)


@pytest.mark.parametrize(
    "head", ["0000000702000000", "7fffffff02000000", "0000000801000000", "0000001002090000", "000000080f000000"]
)
def test_a_bad_head_is_a_frame_error(head: str) -> None:
    with pytest.raises(FrameError):
        take_frame(bytearray.fromhex(head))
