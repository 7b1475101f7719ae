"""The fault plan: which calls go wrong, and how. Rules are added and taken away while the simulator runs."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from local.graph.draws import Draws

KINDS = (
    "status",  # {"status", "code"?, "html"?: true, "headers"?}
    "throttle",  # 429 {"retryAfter": "179" | an HTTP date | null, "seconds"?: how long the throttle lasts}
    "empty",  # 200 without a body
    "reset",  # the connection is cut; {"after": true}: when the call has done its work
    "slow",  # the answer takes {"seconds"}
    "syncStateLost",  # {"status": 410|400|404, "code"}; 410 carries a Location with an empty token
    "claims",  # 401 with a claims challenge
    "accepted",  # 503 although the work was done
)


@dataclass
class Rule:
    """`match` is searched in "METHOD /path?query"; it strikes the calls in `nth` (from 1), else a share `rate`."""

    id: str
    match: re.Pattern[str]
    fault: dict[str, Any]
    nth: Collection[int] = ()
    rate: float = 1.0
    times: int | None = None
    seen: int = 0
    struck: int = 0

    def hits(self, draws: Draws) -> bool:
        """Count a call that matches; whether it is one of those to strike."""
        self.seen += 1
        hit = self.seen in self.nth if self.nth else draws.number(f"fault {self.id}") < self.rate
        return hit and (self.times is None or self.struck < self.times)


@dataclass
class FaultPlan:
    """The first rule that strikes wins."""

    draws: Draws
    rules: dict[str, Rule] = field(default_factory=dict)

    def add(self, wanted: dict[str, Any]) -> Rule:
        """From {"id"?, "match", "fault": {"kind", ...}, "nth"?, "rate"?, "times"?}. Raises ValueError."""
        fault = wanted.get("fault", {})
        if fault.get("kind") not in KINDS:
            raise ValueError(f"a fault is one of {', '.join(KINDS)}")
        key = str(wanted.get("id") or f"rule-{len(self.rules) + 1}")
        try:
            pattern = re.compile(wanted["match"])
        except (KeyError, re.error) as error:
            raise ValueError(f"match is no pattern: {error}") from error
        rule = Rule(key, pattern, fault, wanted.get("nth", ()), wanted.get("rate", 1.0), wanted.get("times"))
        self.rules[key] = rule
        return rule

    def for_call(self, line: str) -> dict[str, Any] | None:
        """Every rule that matches counts the call, whichever strikes."""
        hits = [rule for rule in self.rules.values() if rule.match.search(line) and rule.hits(self.draws)]
        if not hits:
            return None
        hits[0].struck += 1
        return hits[0].fault
