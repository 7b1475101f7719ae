"""Starts the Service Bus stand-in as a child process, for tests that talk to it through the real client."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.servicebus import ServiceBusClient, ServiceBusReceiver, ServiceBusSender, ServiceBusSubQueue

from tests.doubles.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
KEY = "a key of the tests"


@dataclass
class RunningBus:
    """A stand-in that listens. `kill()` ends it at once, as a crash would; `stop()` asks it to end."""

    process: subprocess.Popen[str]
    port: int
    status_port: int
    log: list[str] = field(default_factory=list)

    @property
    def connection_string(self) -> str:
        return self.connection_string_with(KEY)

    def connection_string_with(self, key: str) -> str:
        name = "SharedAccessKeyName=RootManageSharedAccessKey"
        return f"Endpoint=sb://localhost:{self.port};{name};SharedAccessKey={key};UseDevelopmentEmulator=true;"

    @property
    def status_url(self) -> str:
        return f"http://127.0.0.1:{self.status_port}"

    def depths(self, queue: str) -> dict[str, int]:
        with urllib.request.urlopen(f"{self.status_url}/queues", timeout=60) as answer:
            depths: dict[str, int] = json.load(answer)[queue]
        return depths

    def empty(self) -> None:
        """Drop all messages of all queues, and what is known of their ids."""
        urllib.request.urlopen(f"{self.status_url}/empty", b"", timeout=60).close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=60)

    def stop(self) -> int:
        """End it in order; gives the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=60)


class Desk:
    """Senders and receivers of one client, opened once and kept: opening one takes half a second in the client."""

    def __init__(self, bus: RunningBus, **options: Any) -> None:
        self.bus = bus
        # Without retries, unless asked for: an error that a test expects would cost seconds.
        self.client = ServiceBusClient.from_connection_string(bus.connection_string, **{"retry_total": 0, **options})
        self._open: dict[Any, Any] = {}

    def _kept(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._open:
            self._open[key] = make()
        return self._open[key]

    def sender(self, queue: str) -> ServiceBusSender:
        sender: ServiceBusSender = self._kept(("send", queue), lambda: self.client.get_queue_sender(queue))
        return sender

    def receiver(self, queue: str, **options: Any) -> ServiceBusReceiver:
        key = ("receive", queue, *options.items())
        receiver: ServiceBusReceiver = self._kept(key, lambda: self.client.get_queue_receiver(queue, **options))
        return receiver

    def dead(self, queue: str) -> ServiceBusReceiver:
        return self.receiver(queue, sub_queue=ServiceBusSubQueue.DEAD_LETTER)

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        with ThreadPoolExecutor(8) as pool:  # each close takes half a second
            list(pool.map(lambda link: link.close(), self._open.values()))
        self.client.close()


def write_queues(folder: Path, queues: Sequence[str | Mapping[str, Any]], **defaults: Any) -> Path:
    """A queue list of names, or names with options, in `folder`."""
    listed = [{"name": queue} if isinstance(queue, str) else dict(queue) for queue in queues]
    path = folder / "queues.json"
    path.write_text(json.dumps({"queues": listed, "defaults": defaults}), "utf-8")
    return path


@contextmanager
def running_bus(
    folder: Path,
    queues: Path = ROOT / "infra" / "queues.json",
    lock_seconds: float | None = None,
    port: int | None = None,
) -> Iterator[RunningBus]:
    """The stand-in on a free port, with its messages in `folder`; stopped by its process id at the end.

    Raises RuntimeError with its last words when it does not start.
    """
    port, status_port = port or free_port(), free_port()
    command = [sys.executable, "-m", "local.bus", "--port", str(port), "--status-port", str(status_port)]
    command += ["--folder", str(folder), "--queues", str(queues), "--key", KEY]
    if lock_seconds is not None:
        command += ["--lock-seconds", str(lock_seconds)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    bus = RunningBus(process, port, status_port)
    # Read on, or a full pipe would stop it.
    reader = threading.Thread(target=lambda stream: bus.log.extend(stream), args=(process.stderr,), daemon=True)
    reader.start()
    try:
        if "listening" not in process.stdout.readline():
            process.wait(timeout=60)
            reader.join(timeout=60)
            raise RuntimeError("".join(bus.log[-5:]))
        yield bus
    finally:
        bus.stop()
        reader.join(timeout=60)
        process.stdout.close()
        process.stderr.close()
