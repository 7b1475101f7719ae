"""Trouble on request, so that tests can see how the app takes it: what the cloud does now and then, done at will."""

from __future__ import annotations

from dataclasses import dataclass

from local.bus.errors import BusyError

OPERATIONS = ("send", "settle", "manage")


@dataclass(slots=True)
class _Plan:
    operation: str
    remaining: int
    delay: float | None


class Faults:
    """Planned faults; each strikes once."""

    def __init__(self) -> None:
        self._plans: list[_Plan] = []

    def plan(self, operation: str, nth: int, delay: float | None = None) -> None:
        """Refuse the `nth` operation from now (1 is the next), or answer it `delay` seconds late.

        Raises ValueError for an operation that does not exist, or a number below 1.
        """
        if operation not in OPERATIONS or nth < 1 or (delay is not None and delay <= 0):
            raise ValueError(f"operation is one of {', '.join(OPERATIONS)}; nth is 1 or more; delay is above 0")
        self._plans.append(_Plan(operation, nth, delay))

    def strike(self, operation: str) -> float:
        """Count one operation; gives the seconds its answer is to wait. Raises BusyError to refuse it."""
        due = []
        for plan in self._plans:
            if plan.operation == operation:
                plan.remaining -= 1
                if plan.remaining == 0:
                    due.append(plan)
        self._plans = [plan for plan in self._plans if plan.remaining]
        if any(plan.delay is None for plan in due):
            raise BusyError("A test asked for this operation to be refused.")
        return max((plan.delay or 0.0 for plan in due), default=0.0)
