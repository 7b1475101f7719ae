"""All parts of the simulator, tied together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.graph.behaviour import Behaviour
from local.graph.clock import Clock
from local.graph.consent import Consent
from local.graph.directory import Directory
from local.graph.draws import Draws
from local.graph.faults import FaultPlan
from local.graph.gate import Gate, SlidingWindows
from local.graph.log import RequestLog
from local.graph.mailboxes import Mailboxes
from local.graph.store import Store
from local.tokens import KeyRing


class World:
    """State that outlives the process lies in `store`; limits, faults and the log belong to this run."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.keys = KeyRing(folder)
        self.clock = Clock(float(self.store.get("state", "clock", 0.0)))
        self.behaviour = Behaviour.of(self.store.get("state", "behaviour", {}))
        self.draws = Draws(int(self.store.get("state", "seed", 1)))
        self.mailboxes = Mailboxes(self.store, self.clock)
        self.directory = Directory(self.store)
        self.consent = Consent(self.store, self.clock)
        self.gate = Gate(self.clock)
        self.subscription_rates = SlidingWindows(self.clock, 20.0)
        self.faults = FaultPlan(self.draws)
        self.log = RequestLog(self.clock)

    def save_clock(self) -> None:
        self.store.put("state", "clock", self.clock.offset)

    def change_behaviour(self, wanted: dict[str, Any]) -> None:
        """Raises ValueError for an unknown switch."""
        self.behaviour.change(wanted)
        self.store.put("state", "behaviour", vars(self.behaviour))
        self.clock.wake()

    def unique(self) -> int:
        """A number that is never given twice, over restarts too."""
        number = int(self.store.get("state", "unique", 0)) + 1
        self.store.put("state", "unique", number)
        return number

    def reset(self) -> None:
        """Everything but the clock, the mailboxes, the directory and the consent as in a new folder."""
        self.change_behaviour(vars(Behaviour()))
        self.faults.rules.clear()
        self.log.clear()
        self.gate.clear()
        self.subscription_rates.clear()
        for kind in ("subscription", "foreign subscriptions", "sent"):
            self.store.drop_all(kind)

    def set_seed(self, seed: int) -> None:
        self.store.put("state", "seed", seed)
        self.draws.seed = seed
        self.draws.counts.clear()
