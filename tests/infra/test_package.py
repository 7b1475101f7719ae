"""The package: what goes in, the same bytes each time, and what is built."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from scripts import package
from scripts.package import MSGRAPH_KEEPS, ROOT, SITE_PACKAGES

LIMIT_ZIP_MB, LIMIT_MB, LIMIT_FILES = 95, 260, 24_000


def test_only_what_runs_goes_in(tmp_path: Path) -> None:
    package.copy_app(tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {one.partition("/")[0] for one in found} == set(package.APP)
    assert {Path(one).suffix for one in found} == package.KINDS
    for wanted in (
        "function_app.py",
        "host.json",
        "functions/health.py",
        "shared/messages/en.json",
        "web/rapport-widgets.js",
        "web/rapport-admin.js",
    ):
        assert wanted in found
    code = "".join((tmp_path / one).read_text() for one in found if one.endswith(".py"))
    assert "from local" not in code
    assert "from tests" not in code


def test_everything_the_app_reads_beside_itself_goes_in(tmp_path: Path) -> None:
    """Data files of `shared/` and `functions/` have a kind that is packed."""
    package.copy_app(tmp_path)
    for folder in ("shared", "functions"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert (tmp_path / path.relative_to(ROOT)).exists(), path


def test_the_graph_sdk_is_trimmed(tmp_path: Path) -> None:
    generated = tmp_path / "msgraph/generated"
    for name in (*MSGRAPH_KEEPS, "drives", "sites"):
        (generated / name).mkdir(parents=True)
        (generated / name / "one.py").touch()
    (generated / "kiota-dom-export.txt").touch()
    (generated / "base_graph_service_client.py").touch()
    package.trim_msgraph(tmp_path)
    assert {path.name for path in generated.iterdir()} == {*MSGRAPH_KEEPS, "base_graph_service_client.py"}


def test_the_zip_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "b").mkdir(parents=True)
    (source / "b/two.py").write_text("2")
    (source / "a.py").write_text("1")
    package.write_zip(source, tmp_path / "first.zip")
    (source / "a.py").touch()
    (source / "a.py").chmod(0o600)
    package.write_zip(source, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "first.zip") as made:
        assert made.namelist() == ["a.py", "b/two.py"]


def test_bytecode_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    python = package.deployed_python()
    if python is None:
        pytest.skip(f"no Python {package.VERSION} on this machine")
    (tmp_path / "one.py").write_text("def where():\n    return 1 / 0\n")
    package.compile_bytecode(python, tmp_path)
    (compiled,) = (tmp_path / "__pycache__").glob("one.cpython-313.pyc")
    assert str(tmp_path).encode() not in compiled.read_bytes()
    assert package.WWWROOT.encode() in compiled.read_bytes()
    assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00"  # by hash, and not compared with the source


def test_built_size(built: zipfile.ZipFile) -> None:
    assert Path(str(built.filename)).stat().st_size < LIMIT_ZIP_MB * 1e6
    assert sum(one.file_size for one in built.infolist()) < LIMIT_MB * 1e6
    assert len(built.infolist()) < LIMIT_FILES


def test_built_holds_bytecode_of_one_version_for_every_module(built: zipfile.ZipFile) -> None:
    if package.deployed_python() is None:
        pytest.skip(f"no Python {package.VERSION} on this machine")
    names = set(built.namelist())
    compiled = {name for name in names if name.endswith(".pyc")}
    assert [name for name in compiled if not name.endswith(".cpython-313.pyc")] == []
    sources = [name for name in names if name.endswith(".py") and name.startswith(("shared/", "functions/"))]
    assert sources
    for name in sources:
        folder, _, module = name.rpartition("/")
        assert f"{folder}/__pycache__/{module.removesuffix('.py')}.cpython-313.pyc" in compiled


def test_built_holds_nothing_of_ours_besides_the_app(built: zipfile.ZipFile) -> None:
    top = {name.partition("/")[0] for name in built.namelist()} - {"__pycache__"}
    assert top == {*package.APP, ".python_packages", ".funcignore"}
    example = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    assert not [name for name in built.namelist() if example["PERSON_KEY"].encode() in built.read(name)]


def test_built_runs_alone(unpacked: Path) -> None:
    """Unpacked into an empty folder, the deployed Python indexes the app and loads the trimmed Graph SDK."""
    python = package.deployed_python()
    if python is None:
        pytest.skip(f"no Python {package.VERSION} on this machine")
    script = (
        f"import sys; sys.path[:0] = ['{unpacked / SITE_PACKAGES}', '{unpacked}']\n"
        "from function_app import app\n"
        "import shared.liveness, json, importlib\n"
        "names = [one.get_function_name() for one in app.get_functions()]\n"
        "import azure.data.tables, azure.servicebus, azure.identity, numpy, jwt, tzdata, babel\n"
        "from msgraph import GraphServiceClient\n"
        "for part in ('users.users_request_builder', 'subscriptions.subscriptions_request_builder',\n"
        "             'users.item.messages.delta.delta_request_builder', 'groups.groups_request_builder',\n"
        "             'users.item.send_mail.send_mail_request_builder',\n"
        "             'users.item.calendar_view.calendar_view_request_builder'):\n"
        "    importlib.import_module('msgraph.generated.' + part)\n"
        "foreign = sorted(m.__file__ for m in list(sys.modules.values()) if (getattr(m, '__file__', '') or '').endswith('.py')\n"
        f"                 and 'site-packages' in m.__file__ and not m.__file__.startswith('{unpacked}'))\n"
        "stale = [m.__name__ for m in list(sys.modules.values()) if m.__name__.startswith('shared')\n"
        f"         and not m.__spec__.cached.startswith('{unpacked}')]\n"
        "print(json.dumps([names, foreign, stale]))\n"
    )
    command = [python, "-I", "-S", "-c", script]  # without the packages of the environment that runs the tests
    done = subprocess.run(command, cwd=unpacked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names, foreign, stale = json.loads(done.stdout.splitlines()[-1])
    assert {"post_crm_changes", "record_updates", "get_health"} <= set(names)
    assert (foreign, stale) == ([], [])
