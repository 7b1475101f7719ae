"""Vectors 8-26 and 8-27, the target instant, and that what was promised comes true."""

from __future__ import annotations

from datetime import datetime

import pytest

from shared.kpi.changes import SUPPOSED, Event, at_instant, only, with_event
from shared.kpi.counterfactual import Deed, counterfactual, score_at, target_instant
from shared.kpi.interactions import Direction, Kind, RecordType
from shared.kpi.parameters import DAY, Parameters
from tests.doubles.ages import KIM, LEE, A, both, call_in, history, mail_in, mail_out, meeting, weeks

P = Parameters(reporting_zone="Europe/Berlin")
X = [mail_out(2), mail_in(5), meeting(9), call_in(20), mail_out(33), mail_in(40)]
FRIDAY = int(datetime.fromisoformat("2026-03-20T16:00:00+00:00").timestamp())


def scores(found):
    return {outlook.deed: outlook.score for outlook in found.outlooks}


def test_silent_year_vector_8_26():
    found = counterfactual(history(weeks(30)), P)
    assert (found.target, found.now, found.without) == (FRIDAY, 72.1, 66.7)
    assert scores(found) == {Deed.REPLY: 79.1, Deed.MAIL: 76.0, Deed.MEETING: 79.7}
    assert {outlook.person for outlook in found.outlooks} == {KIM}


def test_mixed_contact_vector_8_27():
    found = counterfactual(history(X), P)
    assert (found.now, found.without, scores(found)[Deed.REPLY]) == (57.4, 54.4, 64.1)


@pytest.mark.parametrize(
    ("deed", "happened"),
    [(Deed.REPLY, mail_in(0)), (Deed.MAIL, mail_out(0)), (Deed.MEETING, meeting(0))],
)
def test_score_is_what_was_promised(deed, happened):
    """The event that then happens at the target instant gives exactly that score."""
    days = (FRIDAY - A) / DAY
    promised = scores(counterfactual(history(X), P))[deed]
    later = [type(contact)(**{**vars(contact), "age": contact.age + days}) for contact in X]
    assert promised == score_at(history([*later, happened], as_of=FRIDAY), P)


def test_breadth_grows_with_whom_it_is():
    """A reply of somebody who has not written yet widens an account; one of the only writer does not."""
    account = history([*weeks(), mail_out(3, to=[LEE])], record=RecordType.ACCOUNT)
    known, new = (scores(counterfactual(account, P, person))[Deed.REPLY] for person in (KIM, LEE))
    assert new == pytest.approx(known + 5, abs=0.11)


def test_closed_record_has_no_future():
    assert counterfactual(history(weeks(), closed=A - DAY), P) is None


def test_nothing_known_gives_no_score_and_no_outlook():
    found = counterfactual(history([]), P)
    assert (found.now, found.without, found.outlooks) == (None, None, ())


def test_a_reply_can_make_a_score_possible():
    found = counterfactual(history(both([20])), P)
    assert (found.now, found.without) == (None, None)
    assert scores(found)[Deed.REPLY] is not None


@pytest.mark.parametrize(
    ("now", "friday"),
    [
        ("2026-03-19T15:59:59+00:00", "2026-03-20T16:00:00+00:00"),
        ("2026-03-19T16:00:00+00:00", "2026-03-20T16:00:00+00:00"),
        ("2026-03-19T16:00:01+00:00", "2026-03-27T16:00:00+00:00"),
        ("2026-03-20T16:00:00+00:00", "2026-03-27T16:00:00+00:00"),
        ("2026-03-28T12:00:00+00:00", "2026-04-03T15:00:00+00:00"),
    ],
    ids=["a day and a second", "exactly a day", "less than a day", "on Friday", "summer time"],
)
def test_target_is_a_friday_at_least_a_day_away(now, friday):
    expected = int(datetime.fromisoformat(friday).timestamp())
    assert expected == target_instant(int(datetime.fromisoformat(now).timestamp()), "Europe/Berlin")


def test_histories_move_forward_only():
    with pytest.raises(ValueError, match="back in time"):
        at_instant(history(X), A - 1)


def test_event_is_appended_and_can_be_taken_away_again():
    found = history(X)
    event = Event(Kind.EMAIL, Direction.IN, from_them=True, person=KIM, colleague=1)
    more = with_event(found, event, A + DAY)
    assert (len(more), bytes(more.key[-1]), more.as_of) == (len(found) + 1, SUPPOSED, A + DAY)
    less = only(more, more.key != SUPPOSED)
    assert (less.part_index == found.part_index).all() and (less.key == found.key).all()
