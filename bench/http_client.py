"""A lean HTTP/1.1 client: the same request again and again over kept connections, so that the measured server sets the pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case) and body as sent."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Load:
    """Milliseconds of each answer, the seconds that all took together, and the last answer."""

    milliseconds: list[float]
    seconds: float
    last: Answer

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: float) -> float:
        """The time in which that share of the answers came, by the nearest rank."""
        ordered = sorted(self.milliseconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def request(port: int, path: str, headers: Mapping[str, str]) -> bytes:
    """A GET request as bytes."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> Answer:
    """One request, one answer; the answer must say its length."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(int(head[0].split()[1]), headers, body)


def load(port: int, request: bytes, number: int, connections: int = 1) -> Load:
    """Send the request `number` times, shared by the connections, each of which waits for its answer before it asks again."""
    return asyncio.run(_load(port, request, number, connections))


async def _load(port: int, request: bytes, number: int, connections: int) -> Load:
    times: list[float] = []
    left = number

    async def ask() -> Answer:
        nonlocal left
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while left > 0:
                left -= 1
                start = time.perf_counter()
                answer = await send(reader, writer, request)
                times.append(1e3 * (time.perf_counter() - start))
        finally:
            writer.close()
            await writer.wait_closed()
        return answer

    start = time.perf_counter()
    answers = await asyncio.gather(*(ask() for _ in range(min(connections, number))))
    return Load(times, time.perf_counter() - start, answers[-1])
