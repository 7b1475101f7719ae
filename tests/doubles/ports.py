"""Ports for the servers that tests start."""

from __future__ import annotations

import secrets
import socket

# Below the range from which systems give out ports by themselves (Linux from 32768, others from 49152): a connection
# that somebody opens between the choice of a port and its use cannot take it.
_FIRST, _AFTER = 10_000, 32_000
_given: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now, and that this process has not had yet."""
    while True:
        port = _FIRST + secrets.randbelow(_AFTER - _FIRST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
