"""What `make package` left, for the tests that look at it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

import pytest

from scripts import package


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """What `make package` left; tests that need it are skipped while it is not there, or of other sources."""
    path = package.BUILD.with_suffix(".zip")
    if not path.exists():
        pytest.skip("make package first")
    now = tmp_path_factory.mktemp("sources")
    package.copy_app(now)
    with zipfile.ZipFile(path) as found:
        names = set(found.namelist())
        for file in (one for one in now.rglob("*") if one.is_file()):
            name = file.relative_to(now).as_posix()
            if name not in names or found.read(name) != file.read_bytes():
                pytest.skip(f"{name} changed since: make package")
        yield found
