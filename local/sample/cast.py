"""What every row of an activity needs: the clock that moves it near today, and the people in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.sample.deals import Deal
from local.sample.draw import draw
from local.sample.mail import END
from local.sample.people import Person

Row = tuple[str, int, str, str, dict[str, Any]]  # key of the customer company, when, entity, id, attributes


@dataclass(frozen=True)
class Clock:
    """Moves recorded instants by whole weeks and writes them as RFC 3339."""

    shift: int

    def text(self, at: int) -> str:
        return datetime.fromtimestamp(at + self.shift, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Cast:
    """The people, and how a row names them."""

    def __init__(self, people: Mapping[str, Person], deals: Sequence[Deal]) -> None:
        self.people = people
        self.opportunities: dict[str, list[Deal]] = defaultdict(list)
        for deal in deals:
            if deal.entity == "opportunity":
                self.opportunities[deal.contact].append(deal)

    def is_ours(self, key: str) -> bool:
        return self.people[key].entity == "user"

    def company(self, *people: str) -> str:
        """The key of the company of the first customer among these people."""
        return next(self.people[key].company for key in people if not self.is_ours(key))

    def party(self, key: str, *at: object) -> dict[str, str]:
        """Name and address; people with two addresses use the second in one mail of five."""
        person = self.people[key]
        second = len(person.addresses) > 1 and draw("which address", key, *at) < 0.2
        return {"address": person.addresses[1 if second else 0], "name": person.name}

    def opportunity(self, people: frozenset[str], at: int) -> Deal | None:
        """The opportunity that these people work on at this time: its contact and one of its own are among them."""
        for contact in sorted(people):
            for deal in self.opportunities.get(contact, ()):
                if deal.created <= at < (deal.closed or END) and not people.isdisjoint((deal.owner, *deal.team)):
                    return deal
        return None


def regarding(deal: Deal | None) -> list[str]:
    return [f"{deal.entity}:{deal.id}"] if deal else []
