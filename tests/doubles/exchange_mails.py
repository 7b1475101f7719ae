"""Mails that only Exchange knows of, put into the partitions as the reading of a mailbox does; and the consent to see them."""

from __future__ import annotations

import itertools

from msgspec.structs import replace

from shared import ingest
from shared.graph import consent_state
from shared.graph.consent import State, Transition
from shared.groups import HeldCopy
from shared.interactions import COMPLETED, FROM, IN_EXCHANGE, TO, InteractionCopy, Participant
from tests.doubles.talk import NOW

DAY = 86_400
_numbers = itertools.count(1)


def exchange_mail(days: float, sender: str, recipient: str) -> None:
    """A mail so many days ago between two addresses, found in a mailbox and nowhere else."""
    number, at = next(_numbers), int(NOW - days * DAY)
    people = ((sender, FROM), (recipient, TO))
    copy = InteractionCopy(
        copy_id=f"mailbox:{number}",
        source="exchange",
        merge_key=f"mail|exchange-{number}",
        kind=0,
        at=at,
        end=at,
        flags=COMPLETED | IN_EXCHANGE,
        participants=tuple(Participant(address, address, "", role, 0) for address, role in people),
        mailbox="mailbox",
    )
    ingest.place({copy.merge_key: {copy.copy_id: HeldCopy(1, copy)}})


def see_exchange(state: State, at: int) -> None:
    """Put a state of the consent in force, as of an instant."""
    consent_state.change(lambda held: Transition("test", replace(held, state=state, changed_at=at)), at, "test")
