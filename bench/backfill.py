"""Reading the past of mailboxes from the simulator into Azurite: `python -m bench.backfill [MAILBOXES MAILS]`, default 50 400.

Everything is real but Graph itself: the app's own workers in this process, two at a time, the client library, the storage and
the queues. Requests are the simulator's own count. The records' snapshots are computed later, by other functions, and are no
part of it. Not one of the parts of `python -m bench`: it takes minutes.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import json

from bench.measure import show
from bench.stored_record import app_settings, setting_up
from local.graph.arrivals import message_body
from local.graph.mailboxes import MESSAGE
from local.graph.world import World
from local.tokens import TENANT
from shared import ingest
from shared.changes import parse_batch
from tests.doubles.processes import forget
from tests.local.azurite_process import running_azurite
from tests.local.bus_process import running_bus
from tests.local.graph_process import POLL, RunningGraph, running_graph

WORKERS = 2
CUSTOMERS = 40  # outside people who write to each of our own
DAY = 86_400


def addresses(mailboxes: int) -> list[str]:
    """Our own people."""
    return [f"seller{number}@us.example" for number in range(mailboxes)]


def fill(folder: Path, owners: Sequence[str], mails: int, now: int) -> None:
    """Mail of a year, evenly, half of it sent; a customer each, in turn. The simulator must not run yet."""
    world = World(folder)
    with world.mailboxes.many():
        for number, owner in enumerate(owners):
            user = world.directory.add_user(owner)["id"]
            for position in range(mails):
                at = now - DAY - position * (360 * DAY // mails) - number
                customer, sent = f"p{(position // 2 + number) % CUSTOMERS}@cust.example", position % 2
                wanted = {"from": owner if sent else customer, "to": [customer if sent else owner]}
                body = message_body({**wanted, "at": _text(at)}, at, number * mails + position)
                world.mailboxes.keep(user, MESSAGE, "sentitems" if sent else "inbox", at, at, body)
    world.store.close()


def _text(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def tell_the_crm(owners: Sequence[str]) -> None:
    """Our people, an account, its contacts and a deal of each of the first ten."""

    def row(entity: str, id: str, **attributes: Any) -> dict[str, Any]:
        return {"entity": entity, "id": id, "version": 1, "operation": "upsert", "attributes": attributes}

    rows = [row("user", f"u{n}", name=owner, emails=[owner], roles=["seller"]) for n, owner in enumerate(owners)]
    rows += [row("account", "a", name="Cust", ownerId="user:u0")]
    rows += [row("contact", f"c{n}", emails=[f"p{n}@cust.example"], accountId="a") for n in range(CUSTOMERS)]
    deals = ({"accountId": "a", "contactId": f"c{n}", "ownerId": "user:u0"} for n in range(10))
    rows += [row("opportunity", f"d{n}", name="Deal", **deal) for n, deal in enumerate(deals)]
    ingest.take_in(parse_batch(json.encode({"changes": rows})))


@contextmanager
def prepared(mailboxes: int, mails: int) -> Iterator[RunningGraph]:
    """All processes, filled, and the app in this process set up to use them, with the consent given."""
    from shared.graph import consent, consent_state
    from shared.graph.client import close
    from shared.graph.consent import Scope

    with tempfile.TemporaryDirectory() as root:
        folder, now = Path(root), int(time.time())
        (folder / "graph").mkdir()
        (folder / "bus").mkdir()
        fill(folder / "graph", addresses(mailboxes), mails, now)
        with (
            running_azurite(folder) as azurite,
            running_bus(folder / "bus") as bus,
            running_graph(folder / "graph") as graph,
            setting_up(app_settings(azurite) | graph_settings(graph) | {"SERVICEBUS": bus.connection_string}),
        ):
            forget()
            tell_the_crm(addresses(mailboxes))
            consent_state.change(lambda held: consent.enable(held, Scope(roles=("seller",)), now), now, "bench")
            consent_state.change(lambda held: consent.probed(held, True, now), now, "bench")
            yield graph
            close()
            forget()


def graph_settings(graph: RunningGraph) -> dict[str, str]:
    """The settings by which the app reaches the simulator."""
    return {
        "GRAPH_ENDPOINT": graph.graph_url, "GRAPH_LOGIN": graph.base_url, "GRAPH_TENANT_ID": TENANT,
        "GRAPH_CLIENT_ID": POLL.client_id, "GRAPH_CLIENT_SECRET": POLL.secret, "GRAPH_MODE": "poll",
    }  # fmt: skip


def read_whole(user: dict[str, Any]) -> None:
    """Connect one mailbox and read its past, as the workers do from message to message."""
    from shared.graph import mailboxes, runs, work
    from shared.graph.client import graph as client

    runs.connect(client(), user["id"], user["mail"], int(time.time()))
    while not (held := mailboxes.read(user["id"])) or not held.is_backfilled:
        runs.backfill(json.encode(work.Backfill(user["id"])))


def peak() -> float:
    """The most memory that this process has had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def kind_of(entry: dict[str, Any]) -> str:
    """What a request of the log was for."""
    if entry["in_batch"] or entry["path"] == "/$batch":
        return "headers, one by one" if entry["in_batch"] else "headers, batches"
    if "calendarView" in entry["path"]:
        return "calendar"
    if entry["path"].endswith("/messages"):
        return "lists of mail"
    return "anchors (delta)" if entry["path"].endswith("/messages/delta") else "folders"


def main(mailboxes: int = 50, mails: int = 400) -> None:
    """Print requests by kind, and what the whole took."""
    with prepared(mailboxes, mails) as graph:
        users = [user for user in graph.control.get("users") if user["mail"] in set(addresses(mailboxes))]
        graph.control.delete("requests")
        read_whole(users[0])  # imports, connections, tables
        before, clock, cpu = peak(), time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(read_whole, users[1:]))
        clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
        entries, report = graph.control.get("requests"), graph.control.get("report")
    counts = Counter(map(kind_of, (entry for entry in entries if entry["mailbox"] or entry["path"] == "/$batch")))
    show(("requests", "all", "a mailbox"), [[kind, n, n / len(users)] for kind, n in counts.most_common()])
    print(f"{len(users) - 1} mailboxes of {mails} mails, {WORKERS} at a time: {clock:.0f} s, of which CPU {cpu:.0f} s")
    print(f"peak {peak():.0f} MiB, {before:.0f} after the first mailbox; most at once {report['mostConcurrent']} of 4")
    print(f"over a limit {report['overLimit']}, with body fields {report['withBodyFields']}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
