"""An entrance for changes that understands them as the app does, and keeps the states that follow from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.acceptance import parse
from shared.changes import Change
from shared.crm.state import EntityState, encode, members, merged_state
from shared.errors import RapportError
from tests.doubles.serving import Asked, Reply, as_json, serving


class Inbox:
    """What was accepted: all changes in their order, and the state of each row by (entity, id)."""

    def __init__(self) -> None:
        self.address = ""
        self.changes: list[Change] = []
        self.states: dict[tuple[str, str], EntityState] = {}
        self.fail: list[int] = []  # statuses of the next answers

    def answer(self, asked: Asked) -> Reply:
        """The reply to a request."""
        return as_json(self.take(asked.body) if asked.path == "/api/crm/changes" else 404, None)

    def take(self, body: bytes) -> int:
        """The status of an answer to a body."""
        if self.fail:
            return self.fail.pop(0)
        try:
            changes = parse(body)
        except RapportError:
            return 400
        for change in changes:
            key = (change.entity, change.id)
            self.states[key] = merged_state(self.states.get(key), change)
        self.changes += changes
        return 202

    def attributes(self, entity: str, id: str) -> dict[str, Any]:
        """The attributes of a row, without versions."""
        return {name: value for name, (_, value) in self.states[entity, id].attributes.items()}

    def members(self, entity: str, id: str, relationship: str) -> tuple[str, ...]:
        """A list of a row, with the links that amend it."""
        return members(self.states[entity, id], relationship)

    def content(self) -> dict[tuple[str, str], bytes]:
        """Everything, to compare with another inbox."""
        return {key: encode(state) for key, state in self.states.items()}


@contextmanager
def inbox() -> Iterator[Inbox]:
    """A running, empty inbox."""
    entrance = Inbox()
    with serving(entrance.answer) as entrance.address:
        yield entrance
