"""`python -m scripts.package_suite [pytest's options]` (make test-package): the test suite on what is deployed.

The package is unpacked, and tests, stand-ins and commands are put beside it in a folder of their own; the app and every package
it needs are then those of the package, its trimmed Graph SDK above all. Needs the development packages for the deployed
Python: `make setup PYTHON=python3.13`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from scripts.package import APP, ROOT, SITE_PACKAGES, VERSION, build

FOLDER = ROOT / "build/suite"
PYTHON = ROOT / f".venv/{VERSION}/bin/python"
# What the tests read beside the app: everything in git that is not part of the package.
LEFT_OUT = {*APP, "build"}
# These look at the project's files, not at the app, or build the package themselves.
IGNORED = ("tests/infra", "tests/docs", "tests/web", "tests/unit/test_import_arrows.py", "tests/unit/test_bench.py")


def put_together() -> None:
    """The package with the project's other files around it, in an empty folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with zipfile.ZipFile(build(ROOT / "build/package")) as package:
        package.extractall(FOLDER)
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    for name in listed.splitlines():
        if name.partition("/")[0] not in LEFT_OUT and (ROOT / name).is_file():
            place = FOLDER / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place)
    (FOLDER / "node_modules").symlink_to(ROOT / "node_modules")


def foreign_modules() -> list[str]:
    """Packages of the app that would come from elsewhere than the package: none, or the suite would prove nothing."""
    script = (
        "import azure.functions, azure.servicebus, azure.data.tables, azure.identity, msgraph, numpy, msgspec, jwt, shared\n"
        "import sys; names = 'azure.functions azure.servicebus msgraph numpy msgspec jwt shared'.split()\n"
        "print('\\n'.join(sys.modules[name].__file__ for name in names))"
    )
    command = [str(PYTHON), "-c", script]
    done = subprocess.run(command, cwd=FOLDER, env=environment(), capture_output=True, text=True, check=True)  # noqa: S603
    return [path for path in done.stdout.split() if not Path(path).is_relative_to(FOLDER)]


def environment() -> dict[str, str]:
    """This process's environment, with the package's folders before all others."""
    return os.environ | {"PYTHONPATH": f"{FOLDER / SITE_PACKAGES}{os.pathsep}{FOLDER}"}


def main() -> None:
    """Build, check, run."""
    if not PYTHON.exists():
        sys.exit(f"No development packages for Python {VERSION}: make setup PYTHON=python{VERSION}")
    put_together()
    if foreign := foreign_modules():
        sys.exit(f"Not from the package: {foreign}")
    options = [f"--ignore={name}" for name in IGNORED] + sys.argv[1:]
    command = [str(PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    sys.exit(subprocess.run(command, cwd=FOLDER, env=environment(), check=False).returncode)  # noqa: S603


if __name__ == "__main__":
    main()
