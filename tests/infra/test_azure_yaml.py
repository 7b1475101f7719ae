"""azure.yaml and the hooks: files exist in both shells, do the same, and show what they would do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / "scripts/hooks"
NAMES = ("preprovision", "postprovision", "prepackage", "postdeploy")
PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text())
SERVICE = PROJECT["services"]["api"]
ENVIRONMENT = {
    "AZURE_ENV_NAME": "test",
    "AZURE_TENANT_ID": "tenant",
    "RAPPORT_IDENTITY_PRINCIPAL_ID": "identity",
    "RAPPORT_KEY_VAULT_ID": "/vault",
    "SERVICE_API_ENDPOINT": "https://app.example",
    "PYTHON": sys.executable,
}


def test_the_project_is_what_azd_expects() -> None:
    assert set(PROJECT) == {"name", "requiredVersions", "infra", "hooks", "services"}
    assert re.fullmatch(r">= \d+\.\d+\.\d+", PROJECT["requiredVersions"]["azd"])
    assert PROJECT["infra"] == {"provider": "bicep", "path": "infra", "module": "main"}
    assert {key: SERVICE[key] for key in ("project", "dist", "language", "host", "remoteBuild")} == {
        "project": ".",
        "dist": "build/package",
        "language": "python",
        "host": "function",
        "remoteBuild": False,
    }


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("name: rapport", "name: Rapport"),
        ("  preprovision:", "  preprovison:"),
        ("    remoteBuild: false", "    remotebuild: false"),
        ("    host: function", "    host: functions"),
        ("    dist: build/package", "    dist: 7"),
        ("{shell: sh, run: scripts/hooks/postdeploy.sh}", "{shell: sh, run: scripts/hooks/postdeploy.ps1}"),
        ('  azd: ">= 1.23.5"', '  azd: "1.23.5"'),
        ("services:", "service:"),
    ],
)
def test_the_schema_finds_a_mistake(tmp_path: Path, right: str, wrong: str) -> None:
    source = (ROOT / "azure.yaml").read_text()
    assert source.count(right) == 1
    broken = tmp_path / "azure.yaml"
    broken.write_text(source.replace(right, wrong))
    assert checked(broken) == 1


def test_the_schema_finds_no_mistake_in_the_project_file() -> None:
    assert checked(ROOT / "azure.yaml") == 0


def checked(path: Path) -> int:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--schemafile",
        ROOT / "tests/infra/schema/azure.yaml.json",
        path,
    ]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_make_check_looks_at_the_project_file() -> None:
    assert (
        "check_jsonschema --schemafile tests/infra/schema/azure.yaml.json azure.yaml" in (ROOT / "Makefile").read_text()
    )


def test_the_folder_that_is_deployed_is_the_one_that_is_built() -> None:
    from scripts.package import BUILD

    assert (ROOT / SERVICE["dist"]).resolve() == BUILD


def test_every_hook_exists_for_both_shells_and_no_other() -> None:
    named = PROJECT["hooks"] | SERVICE["hooks"]
    assert set(named) == set(NAMES)
    for name, hook in named.items():
        assert hook["posix"] == {"shell": "sh", "run": f"scripts/hooks/{name}.sh"}
        assert hook["windows"] == {"shell": "pwsh", "run": f"scripts/hooks/{name}.ps1"}
    assert {path.name for path in HOOKS.iterdir()} == {f"{name}{end}" for name in NAMES for end in (".sh", ".ps1")}


@pytest.mark.parametrize("name", NAMES)
def test_both_shells_call_the_same_python(name: str) -> None:
    def called(path: Path) -> str:
        return re.findall(r"-m (scripts\.[\w .-]+?) (?:\"\$@\"|@args)", path.read_text())[0]

    assert called(HOOKS / f"{name}.sh") == called(HOOKS / f"{name}.ps1")


@pytest.mark.parametrize("name", NAMES)
def test_the_shell_can_read_the_hook(name: str) -> None:
    assert os.access(HOOKS / f"{name}.sh", os.X_OK)
    done = subprocess.run(["sh", "-n", HOOKS / f"{name}.sh"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="no PowerShell on this machine")
@pytest.mark.parametrize("name", NAMES)
def test_powershell_can_read_the_hook(name: str) -> None:
    path = HOOKS / f"{name}.ps1"
    script = f"[void][scriptblock]::Create((Get-Content -Raw '{path}'))"
    assert subprocess.run(["pwsh", "-NoProfile", "-Command", script], check=False).returncode == 0


@pytest.mark.parametrize("name", ["preprovision", "postprovision", "postdeploy"])
def test_a_hook_shows_what_it_would_do(name: str) -> None:
    """Without azd on the path, so nothing can have been sent; twice, so the same."""
    environ = {**ENVIRONMENT, "PATH": "/usr/bin:/bin"}
    command = [HOOKS / f"{name}.sh", "--dry-run"]
    runs = [subprocess.run(command, env=environ, capture_output=True, text=True, check=False) for _ in range(2)]
    assert runs[0].returncode == 0, runs[0].stderr
    assert json.loads(runs[0].stdout)
    assert runs[0].stdout == runs[1].stdout


@pytest.mark.parametrize("bad", ["", "a b", "a" * 65, "ä"])
def test_a_wrong_name_stops_before_anything_is_made(bad: str) -> None:
    environ = {**ENVIRONMENT, "AZURE_ENV_NAME": bad, "PATH": "/usr/bin:/bin"}
    command = [HOOKS / "preprovision.sh", "--dry-run"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "AZURE_ENV_NAME" in done.stderr


@pytest.mark.parametrize("name", ["deployment", "entra", "package", "rest"])
def test_hooks_need_the_standard_library_only(name: str) -> None:
    source = (ROOT / f"scripts/{name}.py").read_text()
    found = set(re.findall(r"^\s*(?:from|import) (\w+)", source, re.MULTILINE))
    assert found - {"scripts"} <= set(sys.stdlib_module_names)
