"""Who is who in a real store: any order of arrivals gives the same people, and splitting what was merged restores both."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import identity, looking_up
from shared.auth import READER, Caller
from shared.known_colleagues import RecordQuery
from tests.doubles.talk import NOW, organisation, told, when

pytestmark = pytest.mark.usefixtures("storage")
ASKER = Caller(id="oid", name="", roles=frozenset({READER}), tenant="t")
CONTACTS, ADDRESSES = 4, 5
_worlds = itertools.count()
some_addresses = st.lists(st.integers(0, ADDRESSES - 1), max_size=3, unique=True)
pairs = st.tuples(st.integers(0, CONTACTS - 1), st.integers(0, CONTACTS - 1)).filter(lambda pair: pair[0] < pair[1])
events = st.one_of(
    st.tuples(st.just("emails"), st.integers(0, CONTACTS - 1), some_addresses),
    st.tuples(st.just("merge"), pairs),
    st.tuples(st.just("split"), st.integers(0, CONTACTS - 1)),
    st.tuples(st.just("mail"), st.sampled_from(["anna", "ben", "cleo"]), st.integers(0, ADDRESSES - 1)),
)
stories = st.lists(events, min_size=3, max_size=12)
brisk = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class World:
    """Contacts and addresses of their own, so that many worlds fit into one store."""

    def __init__(self) -> None:
        self.name = f"w{next(_worlds)}"

    def address(self, number: int) -> str:
        return f"a{number}@{self.name}.example"

    def contact(self, number: int) -> str:
        return f"{self.name}c{number}"

    def changes(self, story: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
        """The story as the CRM tells it; versions are the story's order."""
        begin = [("emails", number, [number]) for number in range(CONTACTS)]
        return [self._change(version, *event) for version, event in enumerate([*begin, *story], 1)]

    def _change(self, version: int, kind: str, *facts: Any) -> dict[str, Any]:
        if kind == "mail":
            sender, number = facts
            parties = {"from": {"address": f"{sender}@us.example"}, "to": [{"address": self.address(number)}]}
            attributes = {**parties, "sentAt": when(version), "status": "sent"}
            return {"entity": "email", "id": f"{self.name}m{version}", "version": version, "operation": "upsert",
                    "attributes": attributes}  # fmt: skip
        if kind == "emails":
            number, addresses = facts
            attributes = {"name": "C", "emails": [self.address(each) for each in addresses]}
            return {"entity": "contact", "id": self.contact(number), "version": version, "operation": "upsert",
                    "attributes": attributes}  # fmt: skip
        if kind == "merge":
            ((gone, kept),) = facts
            return {"entity": "contact", "id": self.contact(gone), "version": version, "operation": "merge",
                    "into": self.contact(kept)}  # fmt: skip
        return {"entity": "contact", "id": self.contact(facts[0]), "version": version, "operation": "split"}

    def seen(self) -> list[object]:
        """Of every address the people behind it, of every contact who knows it; without the world's own name."""
        people = [
            [person.id.replace(self.name, "") for person in identity.resolve(self.address(number)).people]
            for number in range(ADDRESSES)
        ]
        return [*people, *(self._knowing(number) for number in range(CONTACTS))]

    def _knowing(self, number: int) -> tuple[str, dict[str, int]]:
        found = looking_up.record(f"contact:{self.contact(number)}", RecordQuery(), ASKER, NOW)
        known = {each.person.id: each.evidence.emails for each in found.colleagues}
        return found.target.replace(self.name, ""), known


def lived(changes: list[dict[str, Any]], world: World, pieces: int) -> list[object]:
    for start in range(0, len(changes), pieces):
        told(changes[start : start + pieces])
    return world.seen()


@brisk
@given(stories, st.randoms(use_true_random=False), st.integers(1, 6))
def test_any_order_of_arrivals_gives_the_same_people(story: list[tuple[Any, ...]], random: Any, pieces: int) -> None:
    told(organisation()[:3])
    one, other = World(), World()
    shuffled = other.changes(story)
    random.shuffle(shuffled)
    assert lived(one.changes(story), one, 100) == lived(shuffled, other, pieces)


@brisk
@given(stories, pairs)
def test_splitting_what_was_merged_restores_both(story: list[tuple[Any, ...]], pair: tuple[int, int]) -> None:
    told(organisation()[:3])
    story = [event for event in story if event[0] in ("emails", "mail")]
    one, other = World(), World()
    before = lived(one.changes(story), one, 100)
    merged = [*story, ("merge", pair)]
    lived(other.changes(merged), other, 100)
    assert lived(other.changes([*merged, ("split", pair[0])])[-1:], other, 100) == before
