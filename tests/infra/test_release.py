"""What a release consists of, made with stand-ins for the tools that need a network; and the workflow around it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/workflows").glob("*.yml")}
RELEASE: dict[str, Any] = WORKFLOWS["release"]["jobs"]["release"]
CHANGELOG = "# Changelog\n\n## Unreleased\n- later\n\n## 1.0.0 (2026-12-01)\n### Added\n- this\n\n## 0.9.0\n- before\n"
# What the real ones do as far as the script sees: a file appears. The second build differs where a test wants it to.
MAKE = """#!/bin/sh
mkdir -p build && echo "package $(cat different 2>/dev/null)" > build/package.zip
[ -f restless ] && touch different && echo x >> different
exit 0
"""
AZ = """#!/bin/sh
echo "$@" >> az.log
[ "$2" = build ] && echo '{"resources": []}' > "$6"
exit 0
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the script reads."""
    for name in (".ci/release", "shared/openapi.py", "infra/main.bicep"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    text = (tmp_path / "shared/openapi.py").read_text()
    (tmp_path / "shared/openapi.py").write_text(re.sub(r'(?m)^VERSION = ".*"$', 'VERSION = "1.0.0"', text))
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "bin").mkdir()
    for name, script in (("make", MAKE), ("az", AZ)):
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def release(project: Path, tag: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"PATH": f"{project / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", project / ".ci/release", tag], env=environ, capture_output=True, text=True, check=False
    )


def test_a_release_is_package_templates_notes_and_checksums(project: Path) -> None:
    done = release(project, "v1.0.0")
    assert done.returncode == 0, done.stderr
    out = project / "build/release"
    files = {"rapport-1.0.0.zip", "rapport-1.0.0-azuredeploy.json"}
    assert {path.name for path in out.iterdir()} == files | {"NOTES.md", "SHA256SUMS"}
    assert (out / "NOTES.md").read_text().strip() == "### Added\n- this"
    sums = dict(reversed(line.split("  ")) for line in (out / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in files}
    assert (project / "az.log").read_text().splitlines() == [
        "bicep lint --file infra/main.bicep",
        "bicep build --file infra/main.bicep --outfile build/release/rapport-1.0.0-azuredeploy.json",
    ]


@pytest.mark.parametrize(("tag", "reason"), [("v1.0.1", "openapi.py says 1.0.0"), ("1.0.0.1", "openapi.py says")])
def test_a_tag_that_is_not_the_version_is_refused(project: Path, tag: str, reason: str) -> None:
    done = release(project, tag)
    assert done.returncode == 1
    assert reason in done.stderr


def test_a_release_without_notes_is_refused(project: Path) -> None:
    (project / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n- later\n")
    done = release(project, "v1.0.0")
    assert (done.returncode, "no section 1.0.0" in done.stderr) == (1, True)


def test_a_package_that_differs_from_build_to_build_is_refused(project: Path) -> None:
    (project / "restless").touch()
    done = release(project, "v1.0.0")
    assert (done.returncode, "differ" in done.stderr) == (1, True)


def test_the_workflow_checks_builds_and_attaches_in_this_order() -> None:
    # The key `on` is a boolean for YAML.
    assert WORKFLOWS["release"][True] == {"push": {"tags": ["v*.*.*"]}}
    runs = [step["run"].split()[:3] for step in RELEASE["steps"] if "run" in step]
    assert runs == [
        ["bash", ".ci/run"],
        ["az", "bicep", "install"],
        ["bash", ".ci/release", '"$GITHUB_REF_NAME"'],
        ["gh", "release", "create"],
    ]


def test_only_the_step_that_attaches_has_the_token() -> None:
    assert (WORKFLOWS["release"]["permissions"], RELEASE["permissions"]) == ({}, {"contents": "write"})
    with_token = [step for step in RELEASE["steps"] if "github.token" in str(step) or "secrets." in str(step)]
    assert with_token == RELEASE["steps"][-1:]
    assert RELEASE["steps"][0]["with"] == {"persist-credentials": False}


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_actions_are_named_by_what_they_are(name: str) -> None:
    """A tag can be moved, a commit cannot; and all workflows use the same."""
    used = re.findall(r"uses: (\S+)", (ROOT / f".github/workflows/{name}.yml").read_text())
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each) for each in used)
    assert set(used) <= {step["uses"] for step in WORKFLOWS["ci"]["jobs"]["check-and-test"]["steps"] if "uses" in step}
