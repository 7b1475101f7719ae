"""Who may import whom, walked over the source; and what a fresh process has loaded when the app is registered."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = "shared.kpi"
# Heavy packages, and the only modules that may name them. A module not listed here may not, wherever the import stands.
DOORS = {
    "azure.data": {"shared.tables"},
    "azure.servicebus": {"shared.queues"},
    "azure.identity": {"shared.credentials"},
    "jwt": {"shared.auth", "shared.signing_keys"},
}
HEAVY = ("numpy", "azure.data", "azure.core", "azure.servicebus", "azure.identity", "jwt", "msgraph", "kiota", "babel")


@dataclass(frozen=True)
class Import:
    """`module` imports `target`; `at_top` where it is done when the module is loaded."""

    module: str
    target: str
    at_top: bool


def _modules() -> dict[str, Path]:
    files = [ROOT / "function_app.py", *(ROOT / "functions").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
    return {_name(file): file for file in files}


def _name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(module: str, file: Path, modules: dict[str, Path]) -> Iterator[Import]:
    tree = ast.parse(file.read_text("utf-8"))
    only_types = {id(inner) for node in ast.walk(tree) if _is_for_types(node) for inner in ast.walk(node)}
    inside = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) not in only_types:
            for target in _targets(node, modules):
                yield Import(module, target, id(node) not in inside)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _targets(node: ast.AST, modules: dict[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            yield inner if inner in modules else str(node.module)


MODULES = _modules()
IMPORTS = [found for name, file in MODULES.items() for found in _imports(name, file, MODULES)]


def _below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_shared_never_imports_functions() -> None:
    assert [i for i in IMPORTS if _below(i.module, "shared") and _below(i.target, "functions")] == []


def test_core_imports_numpy_and_the_standard_library_only() -> None:
    allowed = sys.stdlib_module_names | {"numpy"}
    foreign = [i for i in IMPORTS if _below(i.module, CORE) and not _below(i.target, CORE)]
    assert [i for i in foreign if i.target.partition(".")[0] not in allowed] == []


def test_core_has_no_clock_no_randomness_and_no_files() -> None:
    forbidden = {"time", "random", "os", "io", "pathlib", "socket", "secrets"}
    assert [i for i in IMPORTS if _below(i.module, CORE) and i.target.partition(".")[0] in forbidden] == []


@pytest.mark.parametrize("folder", ["local", "tests", "bench", "scripts"])
def test_app_never_imports_tools(folder: str) -> None:
    assert [i for i in IMPORTS if _below(i.target, folder)] == []


@pytest.mark.parametrize("at_top_only", [True, False], ids=["when loaded", "inside functions too"])
def test_import_graph_has_no_cycle(at_top_only: bool) -> None:
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for found in IMPORTS:
        if found.target in MODULES and (found.at_top or not at_top_only):
            graph[found.module].add(found.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


@pytest.mark.parametrize("package", DOORS)
def test_services_are_spoken_to_by_their_own_modules_only(package: str) -> None:
    speaking = {i.module for i in IMPORTS if _below(i.target, package)}
    assert speaking <= DOORS[package]
    assert speaking, "the list names a package that nobody uses"


def test_graph_library_is_used_in_its_own_folder_only() -> None:
    names = ("msgraph", "msgraph_core", "kiota_abstractions", "kiota_authentication_azure", "kiota_http")
    users = {i.module for i in IMPORTS if any(_below(i.target, name) for name in names)}
    assert {module for module in users if not _below(module, "shared.graph")} == set()


def test_functions_load_nothing_heavy_by_themselves() -> None:
    loaded = _loaded_by("functions")
    assert [
        i for i in IMPORTS if i.module in loaded and i.at_top and any(_below(i.target, name) for name in HEAVY)
    ] == []


def _loaded_by(package: str) -> set[str]:
    """All modules of ours that are loaded when those of a package are."""
    graph: dict[str, set[str]] = {}
    for found in IMPORTS:
        if found.at_top and found.target in MODULES:
            graph.setdefault(found.module, set()).add(found.target)
    loaded: set[str] = set()
    pending = [name for name in MODULES if _below(name, package)]
    while pending:
        module = pending.pop()
        if module not in loaded:
            loaded.add(module)
            pending += graph.get(module, ())
    return loaded


def test_fresh_process_with_the_app_registered_has_nothing_heavy() -> None:
    script = "import sys, function_app; function_app.app.get_functions(); print('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert "functions.widgets" in loaded
    assert [name for name in loaded if any(_below(name, heavy) for heavy in HEAVY)] == []
