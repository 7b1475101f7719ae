"""Vectors of kpis 5: counts, ratio, conversations, last and next, people."""

from __future__ import annotations

import pytest

from shared.kpi.contacts import Contacted, most_contacted
from shared.kpi.counts import Counts, Ratio, count, ratio
from shared.kpi.interactions import Direction, Flag, Kind
from shared.kpi.last_next import last_next
from shared.kpi.parameters import Parameters
from shared.kpi.timeline import timeline
from shared.kpi.windows import Window, kpi_window
from tests.doubles.histories import BERLIN, A, Item, address, call, email, history, instant, meeting, person, task

WINDOW = kpi_window(A, BERLIN)
NAMES = {person("kim"): "Kim", person("lee"): "lee", person("max"): "Max", person("pat"): "Pat"}
DONE = Flag.COMPLETED | Flag.IN_CRM


def mails(sent: int, received: int) -> list[Item]:
    out = [email(A - 1000 - number, "anna", ["kim"], id=f"out {number}") for number in range(sent)]
    return out + [email(A - 500 - number, "kim", ["anna"], id=f"in {number}") for number in range(received)]


def test_vector_5_1_counts() -> None:
    found = count(
        history(
            *mails(3, 2),
            meeting("2026-03-02T09:00Z", "kim", ["anna"]),
            call("2026-03-03T09:00Z", "kim", ["anna"]),
            meeting("2026-03-04T09:00Z", "anna", ["kim"], flags=Flag.IN_EXCHANGE | Flag.CANCELLED),
            task("2026-03-05T09:00Z", "anna", 30, regarding=["O"]),
        ),
        WINDOW,
    )
    assert found == Counts(3, 2, 0, 1, 0, 1, conversations_ours=3, conversations_theirs=2)
    assert (found.ours, found.theirs) == (3, 4)


@pytest.mark.parametrize(
    ("sent", "received", "by_them", "by_us"),
    [
        pytest.param(8, 4, 0.50, 2.00, id="5-2"),
        pytest.param(3, 1, 0.33, 3.00, id="5-3"),
        pytest.param(0, 3, None, 0.00, id="5-4"),
        pytest.param(0, 0, None, None, id="5-5"),
    ],
)
def test_ratio(sent: int, received: int, by_them: float | None, by_us: float | None) -> None:
    assert ratio(count(history(*mails(sent, received)), WINDOW)) == Ratio(by_them, by_us, sent, received)


def test_vector_5_6_last_current_next() -> None:
    found = last_next(
        history(
            meeting("2026-03-15T11:30Z", "anna", ["kim"], minutes=60),
            email("2026-03-15T09:00Z", "anna", ["kim"]),
            meeting("2026-03-16T09:00Z", "anna", ["kim"]),
        )
    )
    assert found.last is not None
    assert (found.last.kind, found.last.at) == (Kind.EMAIL, instant("2026-03-15T09:00Z"))
    assert found.last.direction == Direction.OUT
    assert found.last.people == tuple(sorted([person("anna"), person("kim")]))
    assert len(found.last.key) == 32
    assert found.current is not None
    assert found.current.at == instant("2026-03-15T11:30Z")
    assert found.next is not None
    assert found.next.at == instant("2026-03-16T09:00Z")


def test_vector_5_7_meeting_that_starts_now_is_next() -> None:
    found = last_next(history(meeting(A, "anna", ["kim"])))
    assert found.next is not None
    assert (found.next.at, found.current, found.last) == (A, None, None)


def test_vector_5_8_overdue_call_is_not_next() -> None:
    found = last_next(history(call("2026-03-14T09:00Z", "anna", ["kim"], flags=Flag.IN_CRM)))
    assert (found.last, found.current, found.next) == (None, None, None)


def test_declined_invitee_is_not_among_the_people_of_next() -> None:
    found = last_next(history(meeting(A + 60, "anna", ["kim", "lee"], declined=["lee"])))
    assert found.next is not None
    assert found.next.people == tuple(sorted([person("anna"), person("kim")]))


def test_task_is_next_but_never_last() -> None:
    done = task("2026-03-14T09:00Z", "anna", 30, regarding=["O"])
    planned = task("2026-03-16T09:00Z", "anna", regarding=["O"], flags=Flag.IN_CRM)
    found = last_next(history(done, planned))
    assert found.last is None
    assert found.next is not None
    assert found.next.kind == Kind.TASK


def people_of_5_9() -> list[Item]:
    kim = [email(f"2026-02-2{day}T09:00Z", "kim", ["anna"]) for day in (7, 8)] + [
        email("2026-03-01T09:00Z", "kim", ["anna"])
    ]
    lee = [email(f"2026-02-2{day}T10:00Z", "lee", ["anna"]) for day in (7, 8)] + [
        meeting("2026-03-05T09:00Z", "lee", ["ben"])
    ]
    pat = [email(f"2026-02-2{day}T11:00Z", "pat", ["anna"]) for day in (7, 8)]
    both = [email("2026-02-27T12:00Z", "max", ["anna"]), email("2026-02-28T12:00Z", "max", ["anna"])]
    return kim + lee + pat + both + [email("2026-03-01T09:00Z", "max", ["anna"])]


def test_vector_5_9_people_by_number_then_newer_then_name() -> None:
    found = most_contacted(history(*people_of_5_9()), WINDOW, NAMES)
    assert [one.person for one in found.customers] == [person(name) for name in ("lee", "kim", "max")]
    assert found.customers[0] == Contacted(person("lee"), 3, 2, 1, 0, instant("2026-03-05T09:00Z"))
    assert (found.customers_total, found.colleagues_total) == (3, 2)  # pat is no contact of the account


@pytest.mark.parametrize(
    "names", [NAMES, {person("kim"): "zoe", person("max"): "Adam"}], ids=["kim first", "max first"]
)
def test_names_decide_equals(names: dict[int, str]) -> None:
    found = most_contacted(history(*people_of_5_9()), WINDOW, names, limit=1, offset=1)
    expected = "kim" if names is NAMES else "max"
    assert [one.person for one in found.customers] == [person(expected)]


def test_colleagues_of_the_record() -> None:
    found = most_contacted(history(*people_of_5_9()), WINDOW, NAMES)
    assert [(one.person, one.number) for one in found.colleagues] == [(person("anna"), 8), (person("ben"), 1)]


def test_vector_5_10_last_lies_outside_the_window() -> None:
    parameters = Parameters(reporting_zone="Europe/Berlin", window_days=365)
    found = history(email(A - 400 * 86_400, "kim", ["anna"]))
    assert count(found, kpi_window(A, parameters)) == Counts(0, 0, 0, 0, 0, 0, 0, 0)
    last = last_next(found).last
    assert last is not None
    assert last.at == A - 400 * 86_400


def test_conversation_belongs_to_its_first_mail() -> None:
    """One begun before the window is nobody's; a mail of theirs that opens one makes it theirs, whatever follows."""
    found = history(
        email("2024-10-01T09:00Z", "kim", ["anna"], conversation="old"),
        email("2026-03-01T09:00Z", "anna", ["kim"], conversation="old"),
        email("2026-03-02T09:00Z", "kim", ["anna"], conversation="theirs"),
        email("2026-03-02T10:00Z", "anna", ["kim"], conversation="theirs"),
        email("2026-03-03T10:00Z", "anna", ["kim"], conversation="ours"),
        email("2026-03-04T10:00Z", "anna", ["kim"]),
    )
    counts = count(found, WINDOW)
    assert (counts.conversations_ours, counts.conversations_theirs) == (2, 1)


def test_timeline_has_six_series() -> None:
    found = timeline(
        history(
            email("2026-03-15T09:00Z", "anna", ["kim"]),
            email("2026-03-15T09:01Z", "kim", ["anna"]),
            meeting("2026-03-14T09:00Z", "anna", ["kim"]),
            meeting("2026-03-14T10:00Z", "kim", ["anna"]),
            call("2026-01-14T22:59Z", "anna", ["kim"], flags=DONE | Flag.CALL_OUT),  # 14 January, before the 60 days
            call("2026-01-14T23:00Z", "kim", ["anna"], flags=DONE | Flag.CALL_IN),
        ),
        BERLIN,
    )
    assert (found.emails_sent[-1], found.emails_received[-1]) == (1, 1)
    assert (found.meetings_sent[-2], found.meetings_received[-2]) == (1, 1)
    assert (found.calls_received[0], sum(found.calls_made)) == (1, 0)


def test_nothing_gives_zero_and_none() -> None:
    found = history()
    assert count(found, WINDOW).ours == 0
    assert most_contacted(found, WINDOW).customers == ()
    assert last_next(found).last is None
    assert count(history(email(A, "kim", [address("anna")])), Window(A, A)).emails_received == 1
