"""Messages of Graph as copies: who takes part, what is left out, which names bring copies together."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from shared.graph.mail import SELECT, mail_copy
from shared.interactions import AUTOMATIC, CC, COMPLETED, FROM, IN_EXCHANGE, TO, merge

ANNA, BEN, KIM = "anna@us.example", "ben@us.example", "kim@cust.example"


def party(address: str) -> dict[str, Any]:
    return {"emailAddress": {"name": "", "address": address}}


def message(**more: Any) -> dict[str, Any]:
    return {
        "id": "AAA=", "internetMessageId": " <m1@cust.example> ", "conversationId": "c1",
        "sentDateTime": "2026-03-02T10:00:59Z", "from": party(KIM), "sender": party(KIM), "toRecipients": [party(ANNA)],
        "ccRecipients": [], "isDraft": False, **more,
    }  # fmt: skip


def roles(**more: Any) -> dict[str, int]:
    copy = mail_copy(message(**more), "m1", ANNA)
    assert copy
    return {person.address: person.role for person in copy.participants}


def test_mail_becomes_a_copy_of_its_mailbox() -> None:
    copy = mail_copy(message(), "m1", ANNA)
    assert copy
    assert (copy.source, copy.mailbox, copy.owner) == ("exchange", "m1", ANNA)
    assert (copy.at, copy.end, copy.flags) == (1772445659, 1772445659, COMPLETED | IN_EXCHANGE)
    assert copy.merge_key == "mail:<m1@cust.example>"
    assert not copy.is_sender


def test_nothing_of_what_a_mail_says_is_asked_for() -> None:
    assert not {"body", "bodyPreview", "uniqueBody", "subject", "attachments", "bccRecipients"} & set(SELECT.split(","))


def test_from_counts_and_not_the_delegate_who_pressed_send() -> None:
    found = roles(**{"from": party(ANNA), "sender": party("assistant@us.example"), "toRecipients": [party(KIM)]})
    assert found == {ANNA: FROM, KIM: TO}


def test_owner_whom_the_mail_does_not_name_counts_as_cc() -> None:
    assert roles(toRecipients=[party("list@us.example")]) == {KIM: FROM, "list@us.example": TO, ANNA: CC}


def test_addresses_are_brought_to_their_normal_form_and_what_is_none_is_left_out() -> None:
    directory_path = party("/O=EXCHANGELABS/OU=GROUP/CN=RECIPIENTS/CN=ben")
    assert roles(toRecipients=[party(" Anna+x@US.example "), directory_path]) == {KIM: FROM, ANNA: TO}


@pytest.mark.parametrize(
    "more",
    [{"isDraft": True}, {"@odata.type": "#microsoft.graph.eventMessageRequest"}, {"sentDateTime": None}],
    ids=["draft", "calendar mail", "never sent"],
)
def test_what_nobody_sent_is_left_out(more: dict[str, Any]) -> None:
    assert mail_copy(message(**more), "m1", ANNA) is None


def test_machine_senders_are_marked() -> None:
    copy = mail_copy(message(**{"from": party("no-reply@cust.example")}), "m1", ANNA)
    assert copy and copy.flags & AUTOMATIC


def test_ids_that_differ_in_case_only_are_two_copies() -> None:
    one, two = (mail_copy(message(id=id, internetMessageId=None), "m1", ANNA) for id in ("AAMkAa=", "AAMkAA="))
    assert one and two and one.copy_id != two.copy_id and len(merge([one, two])) == 2


def test_copies_of_two_mailboxes_are_one_mail_with_the_senders_times() -> None:
    sent = mail_copy(message(**{"from": party(ANNA), "toRecipients": [party(KIM)]}), "m9", ANNA)
    got = mail_copy(
        message(id="B=", sentDateTime="2026-03-02T10:01:00Z", **{"from": party(ANNA), "toRecipients": [party(KIM)]}),
        "m1",
        BEN,
    )
    assert sent and got
    [mail] = merge([got, sent])
    assert (mail.at, mail.sources) == (sent.at, 2)
    assert {person.address: person.role for person in mail.participants} == {ANNA: FROM, KIM: TO, BEN: CC}


def test_conversation_holds_within_its_mailbox_and_the_thread_everywhere() -> None:
    index = base64.b64encode(bytes(range(22)) + b"reply").decode()
    copy = mail_copy(message(conversationIndex=index), "m1", ANNA)
    assert copy and copy.conversations == (
        "exchange:m1:c1",
        f"thread:{bytes(range(22)).hex()}",
        "mail:<m1@cust.example>",
    )


@pytest.mark.parametrize("index", ["", "!!", base64.b64encode(b"short").decode(), None])
def test_broken_conversation_index_is_none(index: str | None) -> None:
    copy = mail_copy(message(conversationIndex=index), "m1", ANNA)
    assert copy and not any(name.startswith("thread:") for name in copy.conversations)
