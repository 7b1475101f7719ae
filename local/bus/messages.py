"""What a message is to the broker: three sections it reads and writes, and a bare message it never touches.

Header and message annotations belong to the journey; properties, application properties and body belong to the
sender and go through byte for byte. Dead-lettering alone writes two application properties. Source: OASIS AMQP 1.0,
part 3 (messaging).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from local.bus.codec import CodecError, decode, encode, skip
from local.bus.values import Described, Symbol, Timestamp, Uint, Ulong

HEADER, DELIVERY_ANNOTATIONS, ANNOTATIONS, PROPERTIES, APPLICATION, DATA, SEQUENCE, VALUE, FOOTER = range(0x70, 0x79)
BATCH_FORMAT = 0x80013700
SCHEDULED_FOR = "x-opt-scheduled-enqueue-time"
REASON, DESCRIPTION = "DeadLetterReason", "DeadLetterErrorDescription"


@dataclass(frozen=True, slots=True)
class Content:
    """A message as its sender gave it. `header` has five places; `ttl` and `scheduled_for` are milliseconds."""

    header: list[Any]
    annotations: dict[Any, Any]
    bare: bytes
    message_id: str | None = None

    @property
    def ttl(self) -> int | None:
        return None if self.header[2] is None else int(self.header[2])

    @property
    def scheduled_for(self) -> int | None:
        due = self.annotations.get(SCHEDULED_FOR)
        return int(due) if isinstance(due, int) else None


def sections(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Each section as (code, where it begins, where its value begins, where it ends)."""
    at = 0
    while at < len(data):
        if data[at] != 0x00:
            raise CodecError("a section begins with its descriptor")
        code, value_at = decode(data, at + 1)
        end = skip(data, value_at)
        if not isinstance(code, Ulong) or not HEADER <= code <= FOOTER:
            raise CodecError("unknown section")
        yield int(code), at, value_at, end
        at = end


def parse(data: bytes) -> Content:
    """A message from its encoding. Raises CodecError when it is malformed."""
    header: list[Any] = []
    annotations: dict[Any, Any] = {}
    bare_at, message_id = len(data), None
    for code, at, value_at, _ in sections(data):
        if code == HEADER:
            header = _expect(list, decode(data, value_at)[0])
        elif code == ANNOTATIONS:
            annotations = _expect(dict, decode(data, value_at)[0])
        elif code >= PROPERTIES:
            bare_at = min(bare_at, at)
        if code == PROPERTIES:
            message_id = _identity(_expect(list, decode(data, value_at)[0]))
    header = (header + [None] * 5)[:5]
    if not (header[2] is None or isinstance(header[2], int)):
        raise CodecError("the time to live is a number of milliseconds")
    return Content(header, annotations, data[bare_at:], message_id)


def parse_batch(data: bytes) -> list[Content]:
    """The messages of a batch: each data section of the envelope is one encoded message."""
    packed = [decode(data, value_at)[0] for code, _, value_at, _ in sections(data) if code == DATA]
    return [parse(_expect(bytes, item)) for item in packed]


def _expect(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise CodecError(f"a section holds {type(value).__name__} where {kind.__name__} belongs")
    return value


def _identity(properties: list[Any]) -> str | None:
    """The MessageId as text, other types marked so that the number 1 and the string "1" stay two ids."""
    message_id = properties[0] if properties else None
    if message_id is None or isinstance(message_id, str):
        return message_id
    return f"{type(message_id).__name__}\x00{message_id!r}"


def section(code: int, value: Any) -> bytes:
    return encode(Described(Ulong(code), value))


def delivered(content: Content, delivery_count: int, annotations: dict[str, Any]) -> bytes:
    """The encoding a receiver gets: its count of failed deliveries, the broker's annotations, the bare message."""
    header = [*content.header[:4], Uint(delivery_count)]
    marks = {**content.annotations, **{Symbol(name): value for name, value in annotations.items()}}
    return section(HEADER, header) + section(ANNOTATIONS, marks) + content.bare


def scheduled(content: Content, due: int) -> Content:
    return replace(content, annotations={**content.annotations, Symbol(SCHEDULED_FOR): Timestamp(due)})


def dead_lettered(content: Content, reason: str | None, description: str | None) -> Content:
    """The same message with the reason among its application properties; every other byte stays."""
    wanted = {name: text for name, text in ((REASON, reason), (DESCRIPTION, description)) if text is not None}
    before, pairs, after = _application_properties(content.bare)
    kept = [raw for name, raw in pairs if name not in wanted]
    added = [encode(name) + encode(text) for name, text in wanted.items()]
    return replace(content, bare=before + _raw_map([*kept, *added]) + after)


def _application_properties(bare: bytes) -> tuple[bytes, list[tuple[Any, bytes]], bytes]:
    """What stands before that section, its pairs as (name, bytes), what stands after."""
    here = 0
    for code, at, value_at, end in sections(bare):
        if code == APPLICATION:
            return bare[:at], list(_pairs(bare, value_at, end)), bare[end:]
        if code == PROPERTIES:
            here = end
    return bare[:here], [], bare[here:]


def _pairs(data: bytes, at: int, end: int) -> Iterator[tuple[Any, bytes]]:
    at += 3 if data[at] == 0xC1 else 9
    while at < end:
        name, value_at = decode(data, at)
        after = skip(data, value_at)
        yield name, data[at:after]
        at = after


def _raw_map(pairs: list[bytes]) -> bytes:
    content = b"".join(pairs)
    size, count = len(content) + 4, 2 * len(pairs)
    return b"\x00\x53" + bytes((APPLICATION,)) + b"\xd1" + size.to_bytes(4, "big") + count.to_bytes(4, "big") + content
