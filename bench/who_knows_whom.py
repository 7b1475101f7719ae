"""What a question about who knows whom costs, and what an update: `python -m bench.who_knows_whom`.

A target known by 300 colleagues through 20,000 interactions, far more than any real one, among 2,000 other targets; in a real
Azurite. A question reads three rows whatever the number of other targets, so these stand for any number. Prints one JSON line
each for the question (median and 99th percentile of 300) and for the update.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np

from bench.stored_record import running_tables
from shared import acquaintance_rows, acquaintance_updates, membership, partitions, registry, targets
from shared.acquaintance import Known, Line
from shared.auth import READER, Caller
from shared.entries import entries_of
from shared.interactions import COMPLETED, EMAIL, FROM, IN_CRM, TO, Interaction, Participant
from shared.keys import keys
from shared.known_colleagues import AddressQuery
from shared.who_knows_whom import View, answer

NOW = 1_773_576_000
COLLEAGUES, INTERACTIONS, OTHERS, QUESTIONS = 300, 20_000, 2_000, 300
TARGET = "kim@cust.example"


def busiest() -> str:
    """Store the interactions of the busiest target; its name."""
    anchor = membership.person_anchor(keys().address(TARGET))
    partitions.fold(anchor, entries_of([(_mail(number), 1) for number in range(INTERACTIONS)]))
    registry.remember(Participant(f"p{n}@us.example", "", "", FROM, 0) for n in range(COLLEAGUES))
    return anchor


def _mail(number: int) -> Interaction:
    ours, out = Participant(f"p{number % COLLEAGUES}@us.example", "", "", FROM, 0), number % 2
    sender, recipient = (ours.address, TARGET) if out else (TARGET, ours.address)
    at = NOW - (number * 360 * 86_400) // INTERACTIONS
    return Interaction(
        key=number.to_bytes(16, "big"), kind=EMAIL, at=at, end=at, minutes=0.0, flags=COMPLETED | IN_CRM, conversation="",
        conversations=(), participants=(Participant(sender, "", "", FROM, 0), Participant(recipient, "", "", TO, 0)),
        regarding=(), sources=1, activity_id=f"email:{number}",
    )  # fmt: skip


def others() -> None:
    """Store rows of other targets, three colleagues each."""
    for number in range(OTHERS):
        lines = [Line(f"p{n}@us.example", n + 1, 1.0, True, 1, 1, 0, 0, NOW - 86_400) for n in range(3)]
        known = Known(lines, NOW, NOW + 86_400)
        acquaintance_rows.write(membership.person_anchor(keys().address(f"o{number}@cust.example")), known, b"")


def measured(work: Callable[[int], object], times: int) -> dict[str, float]:
    """Milliseconds of many calls: median and 99th percentile."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        work(number)
        taken.append(1000 * (time.perf_counter() - began))
    return {"p50_ms": round(float(np.percentile(taken, 50)), 1), "p99_ms": round(float(np.percentile(taken, 99)), 1)}


def main() -> None:
    """Measure and print."""
    who = Caller(id="bench", name="", roles=frozenset({READER}), tenant="t")
    with running_tables():
        target = busiest()
        others()
        print(
            json.dumps(
                {
                    "what": "update of the busiest target",
                    **measured(lambda _: acquaintance_updates.recompute(target, NOW), 5),
                }
            )
        )

        def ask(number: int) -> object:
            address = TARGET if number % 10 == 0 else f"o{number * 7 % OTHERS}@cust.example"
            view = View(who, NOW)
            return answer(targets.of_address(address, NOW, view.rule, view.ours), view, AddressQuery(), exact=False)

        print(json.dumps({"what": "question", **measured(ask, QUESTIONS)}))


if __name__ == "__main__":
    main()
