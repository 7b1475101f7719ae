"""Conditional requests and compression by the rules of RFC 9110, on header texts alone."""

from __future__ import annotations

import hashlib
import re
import zlib

GZIP_FROM_BYTES = 1024  # below that the gzip frame and the work outweigh the gain

_ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_OPAQUE = re.compile(r"[\x21\x23-\x7e\x80-\xff]+")


def entity_tag(body: bytes, version: str | None = None) -> str:
    """The ETag of the uncompressed representation: strong, from `version` if given, else from the bytes themselves.

    `version` is bare text, or an ETag already (a weak one stays weak). Raises ValueError for text an ETag may not hold.
    """
    if version is None:
        return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    if _ENTITY_TAG.fullmatch(version):
        return version
    if not _OPAQUE.fullmatch(version):
        raise ValueError("the version holds characters that an ETag may not have")
    return f'"{version}"'


def encoded_tag(tag: str, encoding: str) -> str:
    """The ETag of the same content in `encoding`. A strong tag stands for bytes: one per encoding (8.8.3.3).

    >>> encoded_tag('"v7"', "gzip"), encoded_tag('W/"v7"', "gzip")
    ('"v7-gzip"', 'W/"v7"')
    """
    return tag if tag.startswith("W/") else f'{tag[:-1]}-{encoding}"'


def is_unchanged(if_none_match: str, tag: str) -> bool:
    """Whether If-None-Match names the tag: `*`, or a member that is equal by weak comparison (13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    return _weak(tag) in {_weak(member) for member in _ENTITY_TAG.findall(if_none_match)}


def _weak(tag: str) -> str:
    return tag.removeprefix("W/")


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether Accept-Encoding allows gzip, and does not rank the plain form higher (12.5.3).

    >>> accepts_gzip("br, gzip"), accepts_gzip("gzip;q=0, *"), accepts_gzip("*"), accepts_gzip("")
    (True, False, True, False)
    """
    weights: dict[str, float] = {}
    for member in accept_encoding.lower().split(","):
        coding, _, parameter = member.partition(";")
        weights[coding.strip()] = _weight(parameter)
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


def gzip(body: bytes) -> bytes:
    """`body` in gzip form; the same bytes for the same input, since the frame holds no time."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()
