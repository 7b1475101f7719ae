"""The package, built for the tests that look at it; kept until a source of it changes."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import package

FOLDER = package.ROOT / "build/tests"  # not in git, and away from what azd uploads


def sources() -> str:
    """A digest of everything that goes into the package."""
    digest = hashlib.sha256(str(package.deployed_python()).encode())
    named = [package.LOCK, Path(package.__file__), *(package.ROOT / name for name in package.APP)]
    for one in named:
        for path in [one] if one.is_file() else sorted(one.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(package.ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def built_zip() -> Path:
    """The zip of the sources as they are now; built if it is not there yet. Test processes wait for one another."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = FOLDER / f"{sources()}.zip"
        if not path.exists():
            for old in FOLDER.glob("*.zip"):
                old.unlink()
            package.build(FOLDER / "package").rename(path)
        return path


@pytest.fixture(scope="module")
def built() -> Iterator[zipfile.ZipFile]:
    """What `make package` builds of the present sources."""
    with zipfile.ZipFile(built_zip()) as found:
        yield found


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package in a folder that was empty. Nobody writes into it."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(built_zip()) as found:
        found.extractall(folder)
    return folder
