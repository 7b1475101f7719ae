from __future__ import annotations

import gzip as reference

import pytest

from shared import negotiation


def test_tag_follows_the_bytes_or_the_version() -> None:
    assert negotiation.entity_tag(b"a") == negotiation.entity_tag(b"a") != negotiation.entity_tag(b"b")
    assert negotiation.entity_tag(b"a", "v7") == negotiation.entity_tag(b"b", "v7") == '"v7"'


@pytest.mark.parametrize("tag", ['"v7"', 'W/"v7"', "W/\"datetime'2026-11-23T02%3A00%3A00Z'\""])
def test_finished_tags_are_kept(tag: str) -> None:
    assert tag == negotiation.entity_tag(b"", tag)


@pytest.mark.parametrize("version", ["", "a b", 'a"b', "a\r\nX: y", 'W/"a'])
def test_text_that_no_tag_may_hold_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="ETag"):
        negotiation.entity_tag(b"", version)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('"v7"', True),
        ('W/"v7"', True),
        ('"a", "v7" , W/"b"', True),
        ('"a,b","v7"', True),
        ("*", True),
        ("", False),
        ("v7", False),
        ('"v7-gzip"', False),
        ('"a, v7"', False),
        ('"V7"', False),
    ],
)
def test_if_none_match_is_compared_weakly(header: str, expected: bool) -> None:
    assert expected == negotiation.is_unchanged(header, '"v7"')


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("gzip", True),
        ("GZIP;Q=0.5", True),
        ("x-gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*", True),
        ("gzip; q=0.2, identity; q=0.1", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("*;q=0", False),
        ("gzip;q=0.5, identity;q=0.9", False),
        ("gzip;q=x", False),
        ("gzippy", False),
    ],
)
def test_accept_encoding(header: str, expected: bool) -> None:
    assert expected == negotiation.accepts_gzip(header)


def test_gzip_is_read_by_others_and_always_the_same() -> None:
    body = b"numbers " * 1000
    assert body == reference.decompress(negotiation.gzip(body))
    assert negotiation.gzip(body) == negotiation.gzip(body)
    assert len(negotiation.gzip(body)) < len(body) // 10
