"""How Graph judges an address by its answers: normal, slow (notifications come late), drop (they are lost)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WINDOW = 600.0
SLOW_SHARE, DROP_SHARE = 0.10, 0.15
ENOUGH = 10  # below this many answers in a window a share says nothing; the service does not name its number


@dataclass
class Endpoint:
    """The answers of the last 10 minutes, as (time, whether over the slow limit, whether over the drop limit)."""

    answers: deque[tuple[float, bool, bool]] = field(default_factory=deque)
    slow_until: float = 0.0
    drop_until: float = 0.0

    def answered(self, at: float, seconds: float, slow: float, drop: float) -> None:
        """Count an answer, and change the mode for 10 minutes when a share is passed; then it is tried afresh."""
        self.answers.append((at, seconds > slow, seconds > drop))
        while self.answers[0][0] <= at - WINDOW:
            self.answers.popleft()
        if len(self.answers) < ENOUGH:
            return
        if sum(answer[2] for answer in self.answers) > DROP_SHARE * len(self.answers):
            self.drop_until = at + WINDOW
            self.answers.clear()
        elif sum(answer[1] for answer in self.answers) > SLOW_SHARE * len(self.answers):
            self.slow_until = at + WINDOW
            self.answers.clear()

    def mode(self, at: float) -> str:
        return "drop" if at < self.drop_until else "slow" if at < self.slow_until else "normal"
