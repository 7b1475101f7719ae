"""What a mailbox alone told is out of all figures from the moment it leaves the scope, before anything of it is erased."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import json

from shared import exchange, ingest, partitions, reading
from shared.graph import consent_state, hiding, mailboxes, runs
from shared.graph.consent import State
from shared.graph.mailboxes import Mailbox
from shared.groups import HeldCopy
from shared.interactions import CC, COMPLETED, FROM, IN_CRM, IN_EXCHANGE, TO, InteractionCopy, Participant
from shared.keys import keys
from shared.kpi.interactions import Flag
from shared.membership import person_anchor
from shared.moments import instant
from shared.recompute import recompute
from shared.record_updates import PeopleUpdate, read_people_update
from tests.doubles.exchange_mails import see_exchange
from tests.doubles.queued import received
from tests.doubles.talk import NOW
from tests.doubles.won_deals import tell, won_deals

DAY = 86_400
ANNA, BEN, KIM = "anna@us.example", "ben@us.example", "kim@cust.example"
COVERED = NOW - 100 * DAY  # how far back Anna's mailbox is read

pytestmark = pytest.mark.usefixtures("storage", "queues")


def copy(name: str, days: float, ours: list[str], mailbox: str = "", source: str = "exchange") -> None:
    """A mail of Kim's to some of ours, as one mailbox or the CRM tells it; `name` is what makes copies one."""
    at = int(NOW - days * DAY)
    people = ((KIM, FROM), *((address, TO if n == 0 else CC) for n, address in enumerate(ours)))
    facts: dict[str, Any] = {
        "copy_id": f"{source}:{mailbox}:{name}", "source": source, "merge_key": f"mail|{name}", "kind": 0, "at": at, "end": at,
        "flags": COMPLETED | (IN_EXCHANGE if source == "exchange" else IN_CRM), "mailbox": mailbox,
        "participants": tuple(Participant(address, address, "", role, 0) for address, role in people),
    }  # fmt: skip
    held = InteractionCopy(**facts)
    ingest.place({held.merge_key: {held.copy_id: HeldCopy(1, held)}})


@pytest.fixture
def ben() -> Mailbox:
    """Two mailboxes that are read, and mails that one of them, both, or one of them and the CRM hold. Ben's is given."""
    tell(*won_deals(0))
    see_exchange(State.LIVE, NOW - 10 * DAY)
    read = {"connected_at": NOW, "mail_from": COVERED, "calendar_from": COVERED, "target": COVERED}
    mailboxes.put(Mailbox(id="anna", address=ANNA, **read))
    found = Mailbox(id="ben", address=BEN, **read)
    mailboxes.put(found)
    copy("only Ben", 1, [BEN], "ben")
    copy("only Anna", 2, [ANNA], "anna")
    for mailbox in ("anna", "ben"):
        copy("both", 3, [ANNA, BEN], mailbox)
    copy("Ben and the CRM", 4, [BEN], "ben")
    copy("Ben and the CRM", 4, [BEN], source="crm")
    copy("before Anna's mailbox was read", 200, [ANNA, BEN], "ben")
    return found


def shown() -> dict[float, bool]:
    """Days ago of each mail that may be used, and whether it is seen in Exchange."""
    facts = exchange.shown(partitions.read(person_anchor(keys().address(KIM))).live)[0].facts
    return {
        (NOW - at) / DAY: bool(flags & Flag.IN_EXCHANGE)
        for at, flags in zip(facts.at.tolist(), facts.flags.tolist(), strict=True)
    }


def test_only_what_others_hold_too_stays(ben: Mailbox) -> None:
    assert shown() == dict.fromkeys((1.0, 2.0, 3.0, 4.0, 200.0), True)
    hiding.hide([ben], NOW)
    assert shown() == {2.0: True, 3.0: True, 4.0: False}
    held = mailboxes.read("ben")
    assert held and (held.state, held.hidden) == ("held", True)


def test_a_figure_from_before_does_not_hold(ben: Mailbox) -> None:
    recompute("contact:kim", NOW)
    before = reading.one_widget("contact:kim", "lastInteraction", reading.AsOfQuery(), NOW + 1).body
    hiding.hide([ben], NOW + 2)
    after = reading.one_widget("contact:kim", "lastInteraction", reading.AsOfQuery(), NOW + 3).body
    assert json.decode(before)["data"]["last"]["at"] == instant(NOW - DAY)
    assert json.decode(after)["data"]["last"]["at"] == instant(NOW - 2 * DAY)


def test_hiding_again_says_nothing_new_and_another_mailbox_is_noticed_at_once(ben: Mailbox) -> None:
    hiding.hide([ben], NOW)
    assert shown()
    hidden = mailboxes.read("ben")
    assert hidden
    hiding.hide([hidden], NOW + 9)
    assert consent_state.read().hidden_at == NOW
    anna = mailboxes.read("anna")
    assert anna
    hiding.hide([anna], NOW)  # in the same second
    assert consent_state.read().hidden_at == NOW + 1
    assert shown() == {4.0: False}


def test_who_was_read_by_it_is_computed_again(ben: Mailbox) -> None:
    list(received("people-updates"))
    hiding.hide([ben], NOW)
    (told,) = map(read_people_update, received("people-updates"))
    assert isinstance(told, PeopleUpdate) and told.keys == sorted(runs.people_of(ben))
