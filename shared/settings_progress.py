"""How far the computing by the settings in force has come, counted from the records themselves and not from a tally."""

from __future__ import annotations

from shared import list_store, publishing
from shared.list_rows import COMPUTING
from shared.rosters import RECORD_TYPES
from shared.widgets import Shape

_FAILED = 6


class TypeProgress(Shape, frozen=True):
    """Records of one type: `done` by the settings in force, of them `failed`; the rest stands at an older version, or was never
    computed."""

    type: str
    total: int
    done: int
    failed: int


class Progress(Shape, frozen=True):
    """Of all records, closed ones once they are computed. `finished` when none is left; `since` is when it was published."""

    version: int
    since: str | None
    total: int
    done: int
    failed: int
    finished: bool
    types: list[TypeProgress]


def progress() -> Progress:
    """Reads the lists' packed rows of every type."""
    about = publishing.current()
    types = [_of_type(kind, about.version) for kind in RECORD_TYPES]
    total, done, failed = (sum(getattr(one, name) for one in types) for name in ("total", "done", "failed"))
    return Progress(
        version=about.version, since=about.published_at, total=total, done=done, failed=failed, finished=done == total,
        types=types,
    )  # fmt: skip


def _of_type(kind: str, version: int) -> TypeProgress:
    figures = list_store.read(kind, closed=True).figures
    done = (figures["version"] >= version) & (figures["state"] != COMPUTING)
    failed = done & (figures["state"] == _FAILED)
    return TypeProgress(type=kind, total=len(figures), done=int(done.sum()), failed=int(failed.sum()))
