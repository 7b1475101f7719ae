"""azure-functions-doctor finds nothing wrong with the project as it is deployed.

It looks at the files of the app and its templates alone: over the whole clone, with its packages, it needs minutes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import package

PROJECT = ("requirements.txt", "azure.yaml", "infra")
# What it warns of, and why that is so.
EXPECTED = {
    "Blueprint registration": "the blueprints are registered in a loop, which it does not follow",
    "Virtual environment": "there is none in the package",
    "Native dependency risk": "wheels for the deployed platform are part of the package",
    "Azure Functions Core Tools (func)": "optional; the local host takes their place",
    "Azure Functions Core Tools version": "the same",
    "Application Insights configuration": "the setting is in Bicep, in an object that it does not read",
    ".funcignore": "the package has one",
    "Pinned requirements": "exact versions with hashes are in requirements/*.lock",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("project")
    package.copy_app(folder)
    for name in PROJECT:
        source = package.ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    shutil.copy(package.ROOT / "local.settings.example.json", folder / "local.settings.json")
    options = [
        "--hosting-plan",
        "flex-consumption",
        "--deployment-mode",
        "local-prebuilt",
        "--target-python",
        package.VERSION,
    ]
    command = [str(Path(sys.executable).with_name("azure-functions-doctor")), "doctor", "--path", str(folder), *options]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    return [item for result in results for item in result["items"]]


def test_nothing_fails(found: list[dict[str, Any]]) -> None:
    assert len(found) > 20
    assert [(one["label"], one["value"]) for one in found if one["status"] not in ("pass", "warn", "skip")] == []


def test_every_warning_is_expected(found: list[dict[str, Any]]) -> None:
    assert [
        (one["label"], one["value"]) for one in found if one["status"] == "warn" and one["label"] not in EXPECTED
    ] == []
