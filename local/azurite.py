"""Azurite, the table storage of the local stack: its command, its connection string, whether it answers.

Stop it with SIGINT: the program for tables alone ends at SIGTERM without saving the rows of the last seconds.
"""

from __future__ import annotations

import signal
from pathlib import Path

from local.node import ROOT, node_command

HOST = "127.0.0.1"
STOP_SIGNAL = signal.SIGINT
PROGRAMS = ROOT / "node_modules" / "azurite" / "dist" / "src"
# The development account and its key, published in Azurite's documentation; they open nothing else.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def tables_command(folder: Path, port: int, *, in_memory: bool = False) -> list[str]:
    """The program for tables alone, which is all that the local host needs. Raises FileNotFoundError without node."""
    state = ["--inMemoryPersistence"] if in_memory else ["--location", str(folder)]
    return [*_program("table/main.js"), *state, "--tableHost", HOST, "--tablePort", str(port), *_QUIET]


def storage_command(folder: Path, tables: int, blobs: int, queues: int) -> list[str]:
    """Blobs, queues and tables, which `func` needs: it keeps keys and timer status in blobs."""
    hosts = [argument for kind in ("table", "blob", "queue") for argument in (f"--{kind}Host", HOST)]
    ports = ["--tablePort", str(tables), "--blobPort", str(blobs), "--queuePort", str(queues)]
    return [*_program("azurite.js"), "--location", str(folder), *hosts, *ports, *_QUIET]


_QUIET = ("--silent", "--disableTelemetry")


def _program(name: str) -> list[str]:
    program = PROGRAMS / name
    if not program.exists():
        raise FileNotFoundError("Azurite is not installed: run `make setup`")
    return [node_command(), str(program)]


def connection_string(tables: int, blobs: int | None = None, queues: int | None = None) -> str:
    """How clients reach it; the parts for blobs and queues are there when their ports are given."""
    ports = {"Table": tables, "Blob": blobs, "Queue": queues}
    ends = [f"{kind}Endpoint=http://{HOST}:{port}/{ACCOUNT};" for kind, port in ports.items() if port]
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{''.join(ends)}"


def lists_tables(port: int) -> bool:
    """Whether the SDK gets an answer to its question for tables."""
    from azure.core.exceptions import AzureError
    from azure.data.tables import TableServiceClient

    with TableServiceClient.from_connection_string(connection_string(port), retry_total=0) as client:
        try:
            list(client.list_tables(results_per_page=1))
        except AzureError:
            return False
        return True
