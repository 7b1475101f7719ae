"""Writes the lock files: exact versions with hashes, for the oldest and the newest Python that we support (`make lock`)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.13")


def lock(version: str) -> None:
    """Lock the development requirements of a Python version, and the run-time ones to the same versions."""
    dev, run = f"requirements/dev-{version}.lock", f"requirements/run-{version}.lock"
    _compile(version, "requirements-dev.txt", dev)
    _compile(version, "requirements.txt", run, "--constraint", dev)


def _compile(version: str, source: str, target: str, *options: str) -> None:
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--python-version",
        version,
        "--generate-hashes",
    ]
    command += ["--no-header", "--no-annotate", *options, source, "--output-file", target]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    for python in VERSIONS:
        lock(python)
