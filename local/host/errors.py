"""What stops the start of the host."""

from __future__ import annotations


class HostError(Exception):
    """The app or its settings cannot be run; the text says what to change. Ends the process with exit code 1."""
