"""The administrator's list of mailboxes: what each is doing, what is wrong with it in words, page by page."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from shared.errors import InvalidInputError
from shared.graph import mailboxes, private_events
from shared.graph.administration import coverage
from shared.graph.mailbox_list import MailboxQuery, MailboxRow, listed
from shared.graph.mailboxes import Mailbox

DAY = 86_400
NOW = 1_790_000_000
START = NOW - 10 * DAY
LIVE = Mailbox(
    id="m1", address="anna@us.example", connected_at=START, target=START - 365 * DAY, mail_from=START - 365 * DAY,
    calendar_from=START - 365 * DAY, mail_until=NOW - 60, calendar_until=NOW - 120,
)  # fmt: skip
KNOWN = [
    LIVE,
    replace(LIVE, id="m2", address="ben@us.example", mail_from=START, calendar_from=START - 73 * DAY),
    replace(LIVE, id="m3", address="cleo@us.example", not_before=NOW + 90.5, error="TooManyRequests"),
    replace(LIVE, id="m4", address="dan@us.example", parked_until=NOW + DAY, error="ErrorAccessDenied"),
    replace(LIVE, id="m5", address="eva@us.example", parked_until=NOW + DAY, error="MailboxNotEnabledForRESTAPI"),
    replace(LIVE, id="m6", address="finn@us.example", state="held", mail_until=NOW - 9 * DAY),
    Mailbox(id="m7", address="gil@us.example", connected_at=NOW - 5, target=START),
    Mailbox(id="m8", address="", state="gone"),
    replace(LIVE, id="m9", address="hugo@us.example", mail_until=NOW - DAY),
]


@pytest.fixture
def known(storage: object) -> None:
    for mailbox in KNOWN:
        mailboxes.put(mailbox)
    # Totals of private events lie among the mailboxes' rows and are none.
    private_events.note("m1", [START], (START - DAY, START + DAY), NOW)


def rows(query: MailboxQuery) -> dict[str, MailboxRow]:
    return {row.id: row for row in listed(query, NOW).mailboxes}


def test_each_mailbox_says_what_it_is_doing(known: None) -> None:
    found = rows(MailboxQuery())
    states = {id: row.state for id, row in found.items()}
    assert states == {
        "m1": "live", "m2": "backfill", "m3": "waiting", "m4": "parked", "m5": "parked", "m6": "held", "m7": "connecting",
        "m9": "live",
    }  # fmt: skip
    assert (found["m1"].lag_seconds, found["m1"].last_synced) == (120, "2026-09-21T14:11:20Z")
    assert (found["m1"].progress, found["m2"].progress, found["m7"].progress) == (1.0, 0.1, 0.0)
    assert (found["m7"].last_synced, found["m7"].lag_seconds, found["m7"].read_back_to) == (None, None, None)
    assert [row.id for row in found.values() if row.lagging] == ["m9"]
    assert coverage(mailboxes.read_all(), NOW).lagging == 1


def test_errors_stand_in_words_beside_the_code(known: None) -> None:
    found = rows(MailboxQuery(language="de"))
    assert {row.error for row in found.values()} == {
        "",
        "TooManyRequests",
        "ErrorAccessDenied",
        "MailboxNotEnabledForRESTAPI",
    }
    assert found["m1"].error_text == "" and found["m1"].retry_at is None
    assert found["m3"].error_text.startswith("Exchange hat um eine Pause gebeten")
    assert found["m4"].error_text.startswith("Exchange lässt Rapport dieses Postfach nicht lesen")
    assert found["m5"].error_text.startswith("Hinter dieser Adresse steht kein Postfach")
    assert found["m3"].retry_at == "2026-09-21T14:14:50Z" and found["m4"].retry_at == "2026-09-22T14:13:20Z"


def test_pages_hold_every_mailbox_once_by_address(known: None) -> None:
    addresses: list[str] = []
    page: str | None = ""
    while page is not None:
        found = listed(MailboxQuery(limit=3, page=page), NOW)
        assert len(found.mailboxes) <= 3 and found.total == 8
        addresses += [row.address for row in found.mailboxes]
        page = found.next_page
    assert addresses == [one.address for one in KNOWN if one.address]


def test_a_filter_narrows_the_rows_and_not_the_counts(known: None) -> None:
    found = listed(MailboxQuery(state=("parked", "held"), limit=2), NOW)
    assert ([row.id for row in found.mailboxes], found.total) == (["m4", "m5"], 3)
    assert found.states == {"live": 2, "backfill": 1, "waiting": 1, "parked": 2, "held": 1, "connecting": 1}
    with pytest.raises(InvalidInputError):
        listed(MailboxQuery(page=found.next_page or ""), NOW)  # a page of the narrowed list


def test_without_mailboxes_the_list_is_empty(storage: object) -> None:
    assert listed(MailboxQuery(), NOW).mailboxes == []
