"""The broker against a model that is slow and plain: whatever is done in whatever order, both say the same.

The model knows no heap and no index; it walks all messages each time. Restarts from the file happen in between, so
what is written is compared as well.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from local.bus.broker import DEAD_LETTERS, Broker, Changes
from local.bus.entity import Message
from local.bus.errors import LockLostError, MessageNotFoundError, NotAllowedError
from local.bus.messages import DATA, HEADER, PROPERTIES, Content, parse, scheduled, section
from local.bus.queues import QueueOptions
from local.bus.store import Store
from local.bus.values import Uint

LOCK, MAXIMUM, WINDOW = 100, 3, 300
OPTIONS = QueueOptions("q", LOCK, MAXIMUM, None, True, WINDOW)


@dataclass
class Twin:
    """A message in the model. `place`: ready, locked, scheduled, deferred; `dead` when in the dead letters."""

    sequence: int
    text: str
    place: str
    ttl: int | None
    count: int = 0
    due: int = 0
    expires: int | None = None
    token: UUID | None = None
    until: int = 0
    is_deferred: bool = False
    dead: bool = False


def _content(text: str, message_id: str, ttl: int | None) -> Content:
    header = section(HEADER, [None, None, None if ttl is None else Uint(ttl)])
    return parse(header + section(PROPERTIES, [message_id]) + section(DATA, text.encode()))


class BrokerMachine(RuleBasedStateMachine):
    tokens = Bundle("tokens")
    numbers = Bundle("numbers")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now = 1_000
        self.twins: list[Twin] = []
        self.next = {False: 1, True: 1}
        self.seen: dict[str, int] = {}
        self.sent = 0
        self._start()

    def _start(self) -> None:
        self.store = Store(Path(self.folder.name))
        self.broker = Broker([OPTIONS], uuid4)
        self.store.load(self.broker)
        self.queue, self.grave = self.broker.entity("Q"), self.broker.entity("q" + DEAD_LETTERS)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    # What the model does

    def _number(self, *, dead: bool = False) -> int:
        self.next[dead] += 1
        return self.next[dead] - 1

    def _bury(self, twin: Twin) -> None:
        twin.dead, twin.place, twin.expires, twin.is_deferred = True, "ready", None, False
        twin.sequence = self._number(dead=True)

    def _give_back(self, twin: Twin, *, failed: bool) -> None:
        twin.count += failed
        twin.token = None
        if (twin.expires is not None and twin.expires <= self.now) or (
            failed and not twin.dead and twin.count >= MAXIMUM
        ):
            self._bury(twin)
        else:
            twin.place = "deferred" if twin.is_deferred else "ready"

    def _next_event(self, twin: Twin) -> int | None:
        if twin.place == "locked":
            return twin.until
        return twin.due if twin.place == "scheduled" else twin.expires

    def _pass_time(self) -> None:
        """Events in the order of their times, until none is due."""
        while True:
            events = [
                (time, twin.dead, twin.sequence, twin)
                for twin in self.twins
                if (time := self._next_event(twin)) is not None
            ]
            due = [event for event in events if event[0] <= self.now]
            if not due:
                return
            twin = min(due, key=lambda event: event[:3])[3]
            if twin.place == "locked":
                self._give_back(twin, failed=True)
            elif twin.place == "scheduled":
                twin.sequence, twin.place = self._number(), "ready"
                twin.expires = None if twin.ttl is None else self.now + twin.ttl
            else:
                self._bury(twin)

    def _twin(self, token: UUID, *, dead: bool) -> Twin | None:
        return next((twin for twin in self.twins if twin.token == token and twin.dead == dead), None)

    # What is done to both

    @rule(step=st.integers(1, 150))
    def time_passes(self, step: int) -> None:
        self.now += step
        deadline = self.broker.next_deadline()
        events = [time for twin in self.twins if (time := self._next_event(twin)) is not None]
        assert deadline == min(events, default=None)
        self.broker.advance(self.now)
        self._pass_time()

    @rule(
        target=numbers,
        message_id=st.integers(0, 6).map(str),
        ttl=st.none() | st.integers(1, 250),
        delay=st.integers(-50, 250),
    )
    def send(self, message_id: str, ttl: int | None, delay: int) -> int:
        self.sent += 1
        text = f"m{self.sent}"
        content = _content(text, message_id, ttl)
        if delay:
            content = scheduled(content, self.now + delay)
        (number,) = self.broker.send(self.queue, [content], self.now)
        assert number == self._number()
        if message_id in self.seen and self.now < self.seen[message_id] + WINDOW:
            return number
        self.seen[message_id] = self.now
        twin = Twin(number, text, "scheduled" if delay > 0 else "ready", ttl, due=self.now + delay)
        if delay <= 0 and ttl is not None:
            twin.expires = self.now + ttl
        self.twins.append(twin)
        return number

    @rule(number=numbers)
    def cancel(self, number: int) -> None:
        found = [twin for twin in self.twins if twin.place == "scheduled" and twin.sequence == number]
        if found:
            self.broker.cancel(self.queue, [number])
            self.twins.remove(found[0])
        else:
            with pytest.raises(MessageNotFoundError):
                self.broker.cancel(self.queue, [number])

    def _locked(self, message: Message | None, twin: Twin | None) -> UUID:
        if message is None or twin is None:
            assert message is None and twin is None
            return uuid4()  # a token of nobody
        assert message.lock is not None and (message.sequence, message.delivery_count) == (twin.sequence, twin.count)
        twin.place, twin.token, twin.until = "locked", message.lock, self.now + LOCK
        return message.lock

    @rule(target=tokens, dead=st.booleans())
    def receive(self, dead: bool) -> UUID:
        ready = [twin for twin in self.twins if twin.place == "ready" and twin.dead == dead]
        first = min(ready, key=lambda twin: twin.sequence, default=None)
        return self._locked(self.broker.receive(self.grave if dead else self.queue, self.now), first)

    @rule()
    def take(self) -> None:
        ready = [twin for twin in self.twins if twin.place == "ready" and not twin.dead]
        first = min(ready, key=lambda twin: twin.sequence, default=None)
        taken = self.broker.take(self.queue)
        assert (taken and taken.sequence) == (first and first.sequence)
        if first is not None:
            self.twins.remove(first)

    @rule(target=tokens, number=numbers)
    def receive_deferred(self, number: int) -> UUID:
        found = [twin for twin in self.twins if twin.place == "deferred" and twin.sequence == number and not twin.dead]
        if found:
            (message,) = self.broker.receive_deferred(self.queue, [number], self.now, delete=False)
            return self._locked(message, found[0])
        with pytest.raises(MessageNotFoundError):
            self.broker.receive_deferred(self.queue, [number], self.now, delete=False)
        return uuid4()

    @rule(
        token=tokens,
        dead=st.booleans(),
        how=st.sampled_from(["complete", "abandon", "release", "defer", "dead_letter", "renew"]),
    )
    def settle(self, token: UUID, dead: bool, how: str) -> None:
        entity, twin = self.grave if dead else self.queue, self._twin(token, dead=dead)
        if twin is None or (dead and how == "dead_letter"):
            with pytest.raises(LockLostError if twin is None else NotAllowedError):
                self._act(entity, token, how)
            return
        self._act(entity, token, how)
        if how == "renew":
            twin.until = self.now + LOCK
        elif how == "complete":
            self.twins.remove(twin)
        elif how == "dead_letter":
            twin.token = None
            self._bury(twin)
        elif how == "defer":
            twin.token, twin.place, twin.is_deferred, twin.count = None, "deferred", True, twin.count + 1
        else:
            self._give_back(twin, failed=how == "abandon")
        self._pass_time()
        self.broker.advance(self.now)

    def _act(self, entity: object, token: UUID, how: str) -> None:
        if how == "renew":
            assert self.broker.renew(entity, [token], self.now) == [self.now + LOCK]  # type: ignore[arg-type]
        else:
            getattr(self.broker, how)(entity, token, self.now)

    @rule()
    def restart(self) -> None:
        self.store.write(self.broker.changes)
        self.broker.changes = Changes()
        self.store.close()
        self._start()

    @rule()
    def write(self) -> None:
        self.store.write(self.broker.changes)
        self.broker.changes = Changes()

    # What must be the same

    @invariant()
    def both_hold_the_same_messages(self) -> None:
        for entity, dead in ((self.queue, False), (self.grave, True)):
            mine = sorted((t.sequence, t.text, t.place, t.count, t.token) for t in self.twins if t.dead == dead)
            theirs = [
                (
                    m.sequence,
                    m.content.bare.rpartition(b"\xa0")[2][1:].decode(),
                    self._place(m),
                    m.delivery_count,
                    m.lock,
                )
                for m in self.broker.peek(entity, 0, 1000)
            ]
            assert mine == theirs
            places = [place for _, _, place, _, _ in mine]
            assert entity.counts() == {
                "active": places.count("ready"),
                **{place: places.count(place) for place in ("scheduled", "locked", "deferred")},
            }

    @staticmethod
    def _place(message: Message) -> str:
        return "locked" if message.lock else ("ready", "deferred", "scheduled")[message.state]


TestBroker = BrokerMachine.TestCase
TestBroker.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
