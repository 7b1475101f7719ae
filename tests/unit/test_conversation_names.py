"""One conversation under several names: from the copies of mailboxes and CRM to turns and counts (kpis 2.2, 5, 7.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest

from shared import columns
from shared.crm.activities import copy_of
from shared.crm.state import EntityState
from shared.entries import entries_of
from shared.graph.mail import mail_copy
from shared.interactions import InteractionCopy, merge
from shared.keys import keys
from shared.kpi.counts import count
from shared.kpi.inclusion import include
from shared.kpi.interactions import Membership, RecordType
from shared.kpi.parameters import Parameters
from shared.kpi.response import response
from shared.kpi.windows import kpi_window
from tests.conftest import PERSON_KEY
from tests.doubles.histories import A, instant
from tests.doubles.processes import forget

KIM, ANNA, BEN = "kim@cust.example", "anna@us.example", "ben@us.example"
PEOPLE = {"kim": KIM, "anna": ANNA, "ben": BEN}


@pytest.fixture(autouse=True)
def _person_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PERSON_KEY", PERSON_KEY)
    forget()
    yield
    forget()


@dataclass(frozen=True)
class Mail:
    """A mail of the second of March; `cc` gets it as well."""

    id: str
    hour: int
    sender: str
    to: str
    cc: str = ""
    answers: str = ""

    def in_mailbox(self, owner: str, conversation: str) -> InteractionCopy:
        """As Exchange tells it of the mailbox of `owner`."""
        named = {
            name: [{"emailAddress": {"address": PEOPLE[one]}} for one in ones] for name, ones in self._people().items()
        }
        at = datetime.fromtimestamp(self._at(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        message = {
            "id": f"{self.id}-{owner}", "internetMessageId": f"<{self.id}>", "conversationId": conversation, "sentDateTime": at,
            "from": {"emailAddress": {"address": PEOPLE[self.sender]}}, **named,
        }  # fmt: skip
        copy = mail_copy(message, f"m-{owner}", PEOPLE[owner])
        assert copy is not None
        return copy

    def in_crm(self) -> InteractionCopy:
        """As the CRM tells it: its message id, and that of the mail it answers."""
        facts = {"messageId": f"<{self.id}>", "sentAt": self._at(), "from": {"address": PEOPLE[self.sender]}}
        facts |= {"to": [{"address": PEOPLE[self.to]}], "status": "received" if self.sender == "kim" else "sent"}
        facts |= {"inReplyTo": f"<{self.answers}>"} if self.answers else {}
        copy = copy_of(EntityState("email", self.id, {name: (1, value) for name, value in facts.items()}))
        assert copy is not None
        return copy

    def _at(self) -> int:
        return instant(f"2026-03-02T{self.hour:02}:00Z")

    def _people(self) -> dict[str, list[str]]:
        return {"toRecipients": [self.to], "ccRecipients": [self.cc] if self.cc else []}


def told(*copies: InteractionCopy, stored: bool) -> tuple[int, int, int, int, int]:
    """Answers by us and by them, waiting, conversations begun by us and by them; `stored` through a partition's bytes."""
    entries = entries_of([(one, 0) for one in merge(copies)])
    facts = columns.decode(columns.encode(entries)).facts if stored else entries.facts
    nobody = np.empty(0, "u8")
    member = Membership(
        RecordType.CONTACT, 1, np.array([1], "u8"), nobody, nobody, nobody, np.array([keys().domain("us.example")], "u8"),
        np.array([keys().address(KIM)], "u8"),
    )  # fmt: skip
    history, window = include(facts, member, A, Parameters()).history(), kpi_window(A, Parameters())
    answers, counts = response(history, Parameters(), window), count(history, window)
    begun = (counts.conversations_ours, counts.conversations_theirs)
    return (answers.by_us.n, answers.by_them.n, answers.waiting_for_us.count, *begun)


@pytest.mark.parametrize("stored", [False, True])
def test_two_mailboxes_that_call_one_conversation_by_two_names(stored: bool) -> None:
    """Kim's third mail lies in ben's mailbox alone; the mail before it, in both, says that it is the same conversation."""
    ask, answer = Mail("a", 9, "kim", "anna"), Mail("b", 10, "anna", "kim", "ben")
    again, last = Mail("c", 11, "kim", "ben"), Mail("d", 12, "ben", "kim", "anna")
    copies = [
        ask.in_mailbox("anna", "C1"),
        answer.in_mailbox("anna", "C1"),
        answer.in_mailbox("ben", "D1"),
        again.in_mailbox("ben", "D1"),
        last.in_mailbox("anna", "C1"),
        last.in_mailbox("ben", "D1"),
    ]
    assert told(*copies, stored=stored) == (2, 1, 0, 0, 1)


@pytest.mark.parametrize("stored", [False, True])
def test_answers_to_answers_that_only_name_the_mail_before(stored: bool) -> None:
    chain = [Mail("a", 9, "kim", "anna"), Mail("b", 10, "anna", "kim", answers="a")]
    chain += [Mail("c", 11, "kim", "anna", answers="b"), Mail("d", 12, "anna", "kim", answers="c")]
    assert told(*(mail.in_crm() for mail in chain), stored=stored) == (2, 1, 0, 0, 1)


@pytest.mark.parametrize("stored", [False, True])
def test_a_question_known_to_the_crm_alone_is_answered_by_a_mail_that_both_know(stored: bool) -> None:
    ask, answer = Mail("a", 9, "kim", "anna"), Mail("b", 10, "anna", "kim", answers="a")
    assert told(ask.in_crm(), answer.in_crm(), answer.in_mailbox("anna", "C1"), stored=stored) == (1, 0, 0, 0, 1)


@pytest.mark.parametrize("stored", [False, True])
def test_mails_without_a_common_name_stay_apart(stored: bool) -> None:
    ask, other = Mail("a", 9, "kim", "anna"), Mail("b", 10, "anna", "kim")
    assert told(ask.in_mailbox("anna", "C1"), other.in_mailbox("anna", "C2"), stored=stored) == (0, 0, 1, 1, 1)
