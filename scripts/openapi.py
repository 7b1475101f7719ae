"""Writes the OpenAPI document from the code's own types: `python -m scripts.openapi`, or `--check` to compare only.

The app serves the written file, because the worker lets the functions of an app be listed only once in a process.
"""

from __future__ import annotations

import sys

import function_app
from shared.liveness import OPENAPI
from shared.openapi import document


def main() -> int:
    """Write the document, or say whether the one that is there is up to date (exit code 1 if not)."""
    content = document(function_app.app.get_functions())
    if "--check" in sys.argv[1:]:
        current = OPENAPI.exists() and OPENAPI.read_bytes() == content
        print("up to date" if current else f"{OPENAPI.name} is out of date: make openapi")
        return 0 if current else 1
    OPENAPI.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
