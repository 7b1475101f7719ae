"""The served OpenAPI document is the one that follows from the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_document_is_up_to_date() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "scripts.openapi", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert (answer.returncode, answer.stdout) == (0, "up to date\n"), answer.stderr
