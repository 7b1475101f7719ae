"""The supervisor with real processes: order, health, signals, deaths, the lock, leftovers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import pytest

from local.supervisor.folder import StateFolder
from local.supervisor.options import parse
from local.supervisor.pieces import RunningPiece, StackError
from local.supervisor.processes import Process
from local.supervisor.stack import check_ports
from tests.doubles.ports import free_port
from tests.local.stand_in_stack import piece

ROOT = Path(__file__).resolve().parents[2]
Outcome = tuple[int, str]


class Supervised:
    """A supervisor in a session of its own, with what it printed."""

    def __init__(self, folder: Path, *ways: str, ports: dict[str, int] | None = None, seconds: float = 20) -> None:
        self.folder = folder
        self.ports = ports or {f"piece{number}": free_port() for number in range(len(ways))}
        names = [f"{name}:{port}:{way}" for (name, port), way in zip(self.ports.items(), ways, strict=True)]
        self.output = folder.parent / f"{folder.name}.out"
        with self.output.open("wb") as output:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "tests.local.stand_in_stack", str(folder), str(seconds), *names],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def wait_for(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + 60
        while not condition():
            assert self.child.poll() is None and time.monotonic() < until, self.output.read_text()
            time.sleep(0.02)

    def pids(self) -> dict[str, int]:
        """The pieces, once all are healthy."""
        self.wait_for((self.folder / "ready.json").exists)
        found: dict[str, int] = json.loads((self.folder / "ready.json").read_text())
        return found

    def journal(self) -> list[str]:
        file = self.folder / "journal"
        return file.read_text().splitlines() if file.exists() else []

    def outcome(self) -> Outcome:
        return self.child.wait(60), self.output.read_text()


@contextmanager
def supervised(
    folder: Path, *ways: str, ports: dict[str, int] | None = None, seconds: float = 20
) -> Iterator[Supervised]:
    running = Supervised(folder, *ways, ports=ports, seconds=seconds)
    try:
        yield running
    finally:
        if running.child.poll() is None:
            running.child.terminate()
        running.child.wait(60)
        StateFolder(folder).end_leftovers()


def test_pieces_start_in_order_and_stop_in_reverse_each_by_its_signal(tmp_path: Path) -> None:
    """Ctrl-C goes to the whole group of the terminal: only the supervisor may see it."""
    with supervised(tmp_path / "a", "", "sigint", "") as running:
        running.pids()
        os.killpg(running.child.pid, signal.SIGINT)
        code, _ = running.outcome()
    assert code == 0
    assert running.journal() == [
        "piece0 starts",
        "piece1 starts",
        "piece2 starts",
        "piece2 SIGTERM",
        "piece1 SIGINT",
        "piece0 SIGTERM",
    ]
    assert not (tmp_path / "a" / "ready.json").exists()


def test_a_piece_that_dies_ends_the_stack_and_is_named_with_its_last_words(tmp_path: Path) -> None:
    with supervised(tmp_path / "a", "", "", "") as running:
        os.kill(running.pids()["piece1"], signal.SIGKILL)
        code, said = running.outcome()
    assert code == 1
    assert "piece1 was ended by SIGKILL" in said
    assert "piece1 has something to say" in said
    assert running.journal()[-2:] == ["piece2 SIGTERM", "piece0 SIGTERM"]
    assert not (tmp_path / "a" / "ready.json").exists()


def test_a_piece_that_ends_at_start_is_told_and_the_rest_never_starts(tmp_path: Path) -> None:
    with supervised(tmp_path / "a", "", "broken", "") as running:
        code, said = running.outcome()
    assert code == 1
    assert "piece1 ended with exit code 1" in said and "no such setting" in said
    assert running.journal() == ["piece0 starts", "piece0 SIGTERM"]


def test_a_piece_that_never_answers_runs_out_of_time(tmp_path: Path) -> None:
    with supervised(tmp_path / "a", "", "deaf", seconds=2) as running:
        code, said = running.outcome()
    assert code == 1
    assert "piece1 did not answer within 2 s" in said
    assert running.journal()[-2:] == ["piece1 SIGTERM", "piece0 SIGTERM"]


def test_a_stop_while_starting_ends_what_has_started(tmp_path: Path) -> None:
    with supervised(tmp_path / "a", "", "deaf") as running:
        running.wait_for(lambda: "piece1 starts" in running.journal())
        running.child.terminate()
        assert running.outcome()[0] == 0
    assert running.journal()[-2:] == ["piece1 SIGTERM", "piece0 SIGTERM"]


def test_a_second_stack_on_the_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with supervised(tmp_path / "a", "") as first:
        pids = first.pids()
        with supervised(tmp_path / "a", "") as second:
            code, said = second.outcome()
            assert code == 1
            assert f"runs in {tmp_path / 'a'} already (process {first.child.pid})" in said
            os.kill(pids["piece0"], 0)
            assert first.child.poll() is None


def test_two_stacks_run_side_by_side_in_two_folders(tmp_path: Path) -> None:
    with supervised(tmp_path / "a", "") as first, supervised(tmp_path / "b", "") as second:
        assert first.pids() and second.pids()


def test_a_taken_port_is_told_with_its_setting_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"free": free_port(), "taken": taken.getsockname()[1]}
        with supervised(tmp_path / "a", "", "", ports=ports) as running:
            code, said = running.outcome()
    assert code == 1
    assert f"Port {ports['taken']} is taken; set TAKEN_PORT" in said
    assert running.journal() == []


def test_one_port_for_two_is_told() -> None:
    port = free_port()
    with pytest.raises(StackError, match=f"ONE and TWO are both {port}"):
        check_ports({"ONE": port, "TWO": port})


def test_pieces_of_a_killed_supervisor_are_ended_by_the_next(tmp_path: Path) -> None:
    with supervised(tmp_path / "a", "", "") as first:
        orphans = [Process.of(name, pid) for name, pid in first.pids().items()]
        first.child.kill()
        first.child.wait()
        assert all(orphan.is_alive() for orphan in orphans)
        (tmp_path / "a" / "ready.json").unlink()
        with supervised(tmp_path / "a", "", "", ports=first.ports) as second:
            fresh = second.pids()
            assert not any(orphan.is_alive() for orphan in orphans)
            assert set(fresh.values()).isdisjoint(orphan.pid for orphan in orphans)


def test_stubborn_piece_is_killed_after_its_time(tmp_path: Path) -> None:
    port = free_port()
    running = RunningPiece.start(piece("stubborn", port, tmp_path / "journal", "stubborn"), tmp_path / "log")
    running.wait_healthy(Event())
    running.stop(0.3)
    assert running.child.returncode == -signal.SIGKILL
    assert (tmp_path / "journal").read_text().splitlines() == ["stubborn starts", "stubborn SIGTERM"]


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    missing = piece("missing", 1, tmp_path / "journal", "")
    missing = type(missing)("missing", [str(tmp_path / "nothing")], missing.healthy)
    with pytest.raises(StackError, match="missing cannot be started"):
        RunningPiece.start(missing, tmp_path / "log")


def test_a_reused_id_is_never_signalled() -> None:
    """The id is alive, its start time is another's: to the supervisor that process is gone."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        try:
            now = Process.of("now", child.pid)
            before = Process("before", child.pid, f"{now.started}0")
            assert now.is_alive() and not before.is_alive()
            assert before.end(0)
            assert child.poll() is None
            assert now.end(10)
        finally:
            with suppress(ProcessLookupError):
                child.kill()
    assert child.returncode == -signal.SIGTERM


def test_flag_wins_over_variable_wins_over_default(tmp_path: Path) -> None:
    environ = {"RAPPORT_HOST_PORT": "8001", "RAPPORT_TABLES_PORT": "8002", "RAPPORT_SAMPLE": "0"}
    command, options = parse(["up", "--host-port", "9001", "--folder", str(tmp_path)], environ, ("up",))
    assert (command, options.host_port, options.tables_port, options.signin_port) == ("up", 9001, 8002, 7090)
    assert (options.sample, options.lock_seconds, options.host) == (False, None, "auto")


def test_options_come_back_from_their_environment(tmp_path: Path) -> None:
    given = ["up", "--folder", str(tmp_path), "--sample", "0", "--lock-seconds", "2.5", "--host", "local"]
    _, options = parse(given, {}, ("up",))
    assert parse(["up"], options.environment(), ("up",)) == ("up", options)


@pytest.mark.parametrize(
    ("name", "value"),
    [("host-port", "x"), ("host-port", "70000"), ("host", "docker"), ("sample", "yes"), ("lock-seconds", "soon")],
)
def test_a_wrong_option_is_named(name: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["up", f"--{name}", value], {}, ("up",))
    assert ended.value.code == 2
    assert f"RAPPORT_{name.upper().replace('-', '_')}" in capsys.readouterr().err
