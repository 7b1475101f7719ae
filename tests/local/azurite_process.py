"""A real Azurite for tests: `with running_azurite(tmp_path) as azurite:`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from local import azurite
from local.supervisor.pieces import Piece, RunningPiece
from tests.doubles.ports import free_port


@dataclass(frozen=True)
class RunningAzurite:
    connection_string: str
    port: int
    running: RunningPiece


@contextmanager
def running_azurite(folder: Path, port: int | None = None, *, in_memory: bool = False) -> Iterator[RunningAzurite]:
    """Start Azurite's tables on a free port with its rows in `folder`; stop it as it wants, so that the rows are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = port or free_port()
    piece = Piece(
        "tables",
        azurite.tables_command(folder, chosen, in_memory=in_memory),
        lambda: azurite.lists_tables(chosen),
        stop_signal=azurite.STOP_SIGNAL,
    )
    running = RunningPiece.start(piece, folder / "azurite.log")
    try:
        running.wait_healthy(Event())
        yield RunningAzurite(azurite.connection_string(chosen), chosen, running)
    finally:
        running.stop()
