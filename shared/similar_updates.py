"""The queue `similar-updates`: which deals to look at, found once a day and after changes, worked off in batches.

There are two kinds of messages. *Find what is due* builds the pool anew, compares every open deal with what is stored for it, and
sends *refresh* messages of up to 200 deals. Deals that resemble each other are in one message, for they share most of their
neighbours. Nothing is kept about a round: what is due follows from what is stored, so a round that dies anywhere is taken up
where it stopped, by its messages coming again or by the next round.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import msgspec

from shared import decoders, queues, record_updates, telemetry
from shared.errors import PoisonMessageError
from shared.settings import settings

BATCH = 200
WINDOW_SECONDS = 300  # several changed deals become one round
_log = logging.getLogger(__name__)


class SimilarUpdate(msgspec.Struct, frozen=True):
    """Refresh these deals ("opportunity:<id>") as far as they are due; none: find all that are due."""

    deals: tuple[str, ...] = ()


_held: int | None = None  # the window in which this process has announced a round last


def announce_round() -> None:
    """Have everything that is due found at the end of the present window of five minutes; once a window is enough."""
    global _held
    now = time.time()
    if _held != now // WINDOW_SECONDS:
        body = msgspec.json.encode(SimilarUpdate())
        queues.send(settings().similar_updates_queue, [queues.in_window("round", body, now, WINDOW_SECONDS)])
        _held = int(now // WINDOW_SECONDS)


def work_off(body: bytes, now: int) -> None:
    """Do what a message asks for. Raises PoisonMessageError for a body that is no such message.

    A batch that is repeated has only those records computed again that it had not come to. Whatever snapshot a crash left
    without its new list is computed again within the hour when it is read, else by the nightly sweep.
    """
    try:
        message = decoders.of_json(SimilarUpdate).decode(body)
    except msgspec.DecodeError as error:
        raise PoisonMessageError(f"The message is no SimilarUpdate: {error}.") from None
    if not message.deals:
        send_round(now)
        return
    from shared.similar_deals import refresh

    record_updates.announce(refresh(message.deals, now), bulk=True)


def send_round(now: int, size: int = BATCH) -> int:
    """Build the pool anew and send every deal that is due in batches of so many; how many are due."""
    due = list(due_deals(now))
    batches = [SimilarUpdate(tuple(due[i : i + size])) for i in range(0, len(due), size)]
    queues.send(
        settings().similar_updates_queue, (queues.Message(body=msgspec.json.encode(batch)) for batch in batches)
    )
    _log.info("similar deals: %d due, %d batches", len(due), len(batches))
    telemetry.count("rapport.similar_due", len(due))
    return len(due)


def due_deals(now: int) -> Iterator[str]:
    """The deals that are due, from a pool built anew; open ones that resemble each other side by side."""
    from shared import deal_pool_rows, exchange, organisation, similar_results, stamps

    rules = organisation.settings_at(stamps.read().parameters).similar_deals
    changed_at = exchange.changed_at_now()
    stored = dict(similar_results.bases())
    for id, values in deal_pool_rows.rebuild(now).open_in_order():
        basis = stored.pop(id, None)
        if basis is None or basis.is_due(similar_results.tag_of(values, rules), now, changed_at):
            yield f"opportunity:{id}"
    # What is left is of closed deals, whose lists stay as they were unless they may not be shown any more.
    yield from (f"opportunity:{id}" for id, basis in stored.items() if not basis.holds(changed_at))
