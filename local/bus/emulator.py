"""`python -m local.bus.emulator > Config.json`: the queue list as Microsoft's own Service Bus emulator wants it.

The emulator runs in Docker and keeps nothing over a restart, so `make run` uses the stand-in; who wants to compare the two
starts the emulator with this file (docs/service-bus-stand-in.md). It bounds some options more narrowly than the cloud.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local.bus.queues import QueueOptions, load_queues

QUEUES = Path(__file__).resolve().parents[2] / "infra/queues.json"
NAMESPACE = "sbemulatorns"  # the only name that it takes
LONGEST_LIFE, LONGEST_WINDOW = 3_600_000, 300_000  # milliseconds: its bounds for time to live and for duplicates
SHORTEST_WINDOW = 20_000


def duration(milliseconds: int) -> str:
    """An ISO-8601 duration.

    >>> duration(300_000), duration(90_000), duration(3_600_000)
    ('PT5M', 'PT1M30S', 'PT1H')
    """
    hours, rest = divmod(milliseconds // 1000, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number]
    return f"PT{''.join(parts) or '0S'}"


def configuration(queues: Iterable[QueueOptions]) -> dict[str, Any]:
    """The content of `Config.json`."""
    listed = [{"Name": queue.name, "Properties": _properties(queue)} for queue in queues]
    namespace = {"Name": NAMESPACE, "Queues": listed, "Topics": []}
    return {"UserConfig": {"Namespaces": [namespace], "Logging": {"Type": "File"}}}


def _properties(queue: QueueOptions) -> dict[str, Any]:
    window = min(max(queue.duplicate_window or SHORTEST_WINDOW, SHORTEST_WINDOW), LONGEST_WINDOW)
    return {
        "DeadLetteringOnMessageExpiration": queue.dead_letter_expired,
        "DefaultMessageTimeToLive": duration(min(queue.time_to_live or LONGEST_LIFE, LONGEST_LIFE)),
        "DuplicateDetectionHistoryTimeWindow": duration(window),
        "ForwardDeadLetteredMessagesTo": "",
        "ForwardTo": "",
        "LockDuration": duration(queue.lock_duration),
        "MaxDeliveryCount": queue.max_delivery_count,
        "RequiresDuplicateDetection": queue.duplicate_window is not None,
        "RequiresSession": False,
    }


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(prog="python -m local.bus.emulator", description=__doc__)
    parser.add_argument("--queues", type=Path, default=QUEUES, help="the queue list")
    print(json.dumps(configuration(load_queues(parser.parse_args().queues)), indent=2))


if __name__ == "__main__":
    main()
