"""`python -m scripts.package` (make package): build what is deployed, `build/package/` and `build/package.zip`.

The folder holds the app, its dependencies as wheels for the platform that runs them, and their bytecode. What goes
in is a list, so nothing gets in by accident. The same sources give the same bytes. The dependencies are kept in
`build/dependencies/` until the lock changes. Standard library only, because azd runs this with whatever Python it finds;
bytecode needs a Python 3.13 on the machine and is left out without one.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build/package"
KEPT = ROOT / "build/dependencies"
VERSION = "3.13"  # runtime.version in infra/modules/function-app.bicep; a test compares them
LOCK = ROOT / f"requirements/run-{VERSION}.lock"
APP = ("function_app.py", "host.json", "functions", "shared", "web")
KINDS = {".py", ".json", ".js"}  # what of the app's folders is needed at run time
SITE_PACKAGES = ".python_packages/lib/site-packages"
# The newest manylinux images that the Functions host's Debian can load.
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux2014_x86_64")
# The builders of Graph that the app walks through; the others are 146 of the SDK's 205 MB.
MSGRAPH_KEEPS = frozenset(
    {"models", "users", "subscriptions", "groups", "organization"}
    | {"service_principals", "service_principals_with_app_id"}
)
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold
WWWROOT = "/home/site/wwwroot"  # where the app lies in Azure; shown in tracebacks


def copy_app(target: Path) -> None:
    """The app's own files, by name and kind."""
    for name in APP:
        source = ROOT / name
        for path in [source] if source.is_file() else sorted(source.rglob("*")):
            if path.is_file() and path.suffix in KINDS:
                place = target / path.relative_to(ROOT)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)


def install(site_packages: Path) -> None:
    """The locked dependencies as wheels for the deployed Python, whatever Python and system run this."""
    options = ["--python-version", VERSION, "--implementation", "cp", "--only-binary=:all:", "--require-hashes"]
    # The lock was resolved for that Python, and is complete: nothing is left to ask the Python that runs pip.
    options += ["--no-deps", "--ignore-requires-python"]
    options += [option for platform in PLATFORMS for option in ("--platform", platform)]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-compile"]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *quiet,
        *options,
        "--target",
        str(site_packages),
        "-r",
        str(LOCK),
    ]
    subprocess.run(command, check=True)  # noqa: S603
    shutil.rmtree(site_packages / "bin", ignore_errors=True)


def trim_msgraph(site_packages: Path) -> None:
    """Drop the parts of the Graph SDK that the app never imports."""
    generated = site_packages / "msgraph/generated"
    (generated / "kiota-dom-export.txt").unlink(missing_ok=True)
    for folder in sorted(generated.iterdir()):
        if folder.is_dir() and folder.name not in MSGRAPH_KEEPS:
            shutil.rmtree(folder)


def _candidates() -> Iterator[str]:
    yield sys.executable
    yield from filter(None, [shutil.which(f"python{VERSION}")])
    yield from map(str, sorted((Path.home() / ".pyenv/versions").glob(f"{VERSION}.*/bin/python")))


def deployed_python() -> str | None:
    """A Python of the deployed version on this machine; None if there is none."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in _candidates():
        answer = subprocess.run([candidate, "-c", ask], capture_output=True, text=True, check=False)  # noqa: S603
        if answer.stdout.strip() == VERSION:
            return candidate
    return None


def compile_bytecode(python: str, target: Path, *parts: str) -> None:
    """Bytecode that is used without a look at the sources' times, which the way to Azure changes; of all parts by default."""
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(target), "-p", WWWROOT]
    environ = os.environ | {"PYTHONHASHSEED": "0"}  # sets in constants are written in the order of their hashes
    paths = [str(target / part) for part in parts] or [str(target)]
    subprocess.run([python, "-m", "compileall", *options, *paths], check=True, env=environ)  # noqa: S603


def dependencies(python: str | None) -> Path:
    """A folder with the trimmed dependencies and their bytecode; made anew when the lock, this file or the Python changes."""
    asked = "no bytecode" if python is None else f"{python} {Path(python).stat().st_mtime_ns}"
    content = LOCK.read_bytes() + Path(__file__).read_bytes() + asked.encode()
    folder = KEPT / hashlib.sha256(content).hexdigest()[:16]
    if not folder.exists():
        shutil.rmtree(KEPT, ignore_errors=True)
        unfinished = folder.with_suffix(".part")
        install(unfinished / SITE_PACKAGES)
        trim_msgraph(unfinished / SITE_PACKAGES)
        if python:
            compile_bytecode(python, unfinished)
        unfinished.rename(folder)
    return folder


def write_zip(source: Path, path: Path) -> None:
    """All files of `source` in the order of their names, with one date and one mode."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for file in sorted(one for one in source.rglob("*") if one.is_file()):
            entry = zipfile.ZipInfo(str(file.relative_to(source).as_posix()), EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, file.read_bytes())


def _linked(source: str, target: str) -> None:
    """A second name for a file, which costs nothing; a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def build(target: Path) -> Path:
    """Build the folder anew and its zip beside it; gives the zip's path."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    python = deployed_python()
    shutil.copytree(dependencies(python), target, dirs_exist_ok=True, copy_function=_linked)
    copy_app(target)
    # While a .funcignore exists, azd takes the folder as it is; without one it leaves all bytecode out.
    (target / ".funcignore").touch()
    if python:
        compile_bytecode(python, target, *(one for one in APP if one.endswith(".py") or (target / one).is_dir()))
    else:
        print(f"package: no Python {VERSION} here, so no bytecode: the app will start more slowly", file=sys.stderr)
    path = target.with_suffix(".zip")
    write_zip(target, path)
    return path


def main() -> None:
    """Build, and print the size."""
    parser = argparse.ArgumentParser(prog="python -m scripts.package", description=__doc__)
    parser.add_argument("--target", type=Path, default=BUILD, help="folder to build; what it holds is deleted")
    target = parser.parse_args().target.resolve()
    path = build(target)
    files = [file for file in target.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files) / 1e6
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB; {len(files)} files, {size:.0f} MB unpacked")


if __name__ == "__main__":
    main()
