"""Widgets over HTTP from the local stack, warm, beside the point read that each of them is: `python -m bench http_reads`.

Client, host and storage share the machine's cores, so requests a second are a lower bound. CPU is that of the host process for
one request; for the two lines in brackets, which need no host, that of this process.
"""

from __future__ import annotations

import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import azure.functions as func

from bench.http_client import Answer, Load, load, request
from bench.measure import show
from bench.reading import record_name
from bench.stored_record import setting_up, store
from local.supervisor import rapport
from local.supervisor.folder import StateFolder
from local.supervisor.options import OPTIONS, Options, parse
from local.supervisor.ready import token
from local.supervisor.stack import Stack
from shared import insights, recompute
from tests.local.azurite_process import free_port

NUMBER = 2_000
ACTIVITIES = 1_000
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Served:
    """A running stack that holds one computed record: its port, a reader's token and the host's process id."""

    port: int
    token: str
    host: int
    record: str


@contextmanager
def running_stack() -> Iterator[Served]:
    """The whole local stack on free ports in a folder of its own, with one record."""
    with tempfile.TemporaryDirectory() as name:
        folder, options = StateFolder(Path(name)), _options(name)
        folder.create()
        pieces = rapport.pieces(options, folder, func=False)
        stack = Stack(folder, Event(), lambda _: None)
        with folder.locked():
            try:
                stack.start(pieces)
                with setting_up(next(piece for piece in pieces if piece.name == "host").environment or {}):
                    record = record_name(ACTIVITIES)
                    store(record, ACTIVITIES, as_rows=0)
                    recompute.recompute(record, int(time.time()))
                    host = next(each.process.pid for each in stack.running if each.piece.name == "host")
                    yield Served(
                        options.host_port,
                        token(options.signin_url, "Rapport.Reader", "Rapport.CoverRisk"),
                        host,
                        record,
                    )
            finally:
                stack.end()


def _options(folder: str) -> Options:
    ports = [option.flag for option in OPTIONS if option.flag.endswith("-port")]
    flags = [text for flag in ports for text in (flag, str(free_port()))]
    return parse(["up", "--folder", folder, "--host", "local", *flags], {}, ("up",))[1]


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def compare(served: Served, number: int, connections: tuple[int, ...] = (1, 16)) -> list[list[object]]:
    """One line per kind of answer and number of connections. Raises AssertionError when an answer is not what it should be."""
    kind, _, id = served.record.partition(":")
    path, bearer = f"/api/records/{kind}/{id}/widgets", {"Authorization": f"Bearer {served.token}"}
    stored = insights.read(served.record)
    assert stored is not None
    plain = load(served.port, request(served.port, path, bearer), 1).last
    packed = load(served.port, request(served.port, path, {**bearer, "Accept-Encoding": "gzip"}), 1).last
    assert plain.body == zlib.decompress(packed.body, 31) == stored.body, "the answers differ"
    kinds = {
        "all widgets": (path, {}, 200),
        "all widgets, gzip": (path, {"Accept-Encoding": "gzip"}, 200),
        "all widgets, 304": (path, {"If-None-Match": plain.headers["etag"]}, 304),
        "one widget": (f"{path}/health", {}, 200),
    }
    lines = []
    for many in connections:
        for name, (where, headers, status) in kinds.items():
            asked = request(served.port, where, {**bearer, **headers})
            before = cpu_seconds(served.host)
            found = load(served.port, asked, number, many)
            assert found.last.status == status, found.last
            lines.append(_line(name, many, found, 1e3 * (cpu_seconds(served.host) - before) / number))
        lines += in_process(served, number, many)
    return lines


def _line(name: str, connections: int, found: Load, cpu: float) -> list[object]:
    times = (found.percentile(0.5), found.percentile(0.99))
    return [name, connections, found.per_second, *times, cpu, len(found.last.body)]


def in_process(served: Served, number: int, threads: int) -> list[list[object]]:
    """The function called without a host, and the point read that it is made of, both in this process."""
    from functions import widgets

    kind, _, id = served.record.partition(":")
    function = widgets.get_record_widgets._function.get_user_function()
    headers, route = {"authorization": f"Bearer {served.token}"}, {"type": kind, "id": id}

    def answer() -> bytes:
        request = func.HttpRequest("GET", "http://127.0.0.1/", headers=headers, route_params=route, params={}, body=b"")
        body: bytes = function(request).get_body()
        return body

    def read() -> bytes:
        stored = insights.read(served.record)
        return stored.body if stored else b""

    assert answer() == read() != b"", "the function answers with something else than what is stored"
    return [_called("(function, no host)", answer, number, threads), _called("(point read)", read, number, threads)]


def _called(name: str, work: Callable[[], bytes], number: int, threads: int) -> list[object]:
    def timed(_: int) -> float:
        start = time.perf_counter()
        work()
        return 1e3 * (time.perf_counter() - start)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(timed, range(threads)))  # connections are opened
        start, cpu = time.perf_counter(), time.process_time()
        found = Load(list(pool.map(timed, range(number))), time.perf_counter() - start, Answer(200, {}, work()))
        cpu = time.process_time() - cpu
    return _line(name, threads, found, 1e3 * cpu / number)


def main(number: int = NUMBER) -> None:
    """Print the table."""
    header = ("answer", "connections", "a second", "p50 ms", "p99 ms", "CPU ms", "bytes")
    with running_stack() as served:
        load(served.port, request(served.port, "/api/health", {}), 50)
        show(header, compare(served, number))
