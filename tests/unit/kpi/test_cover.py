"""The vectors of section 12, and the edges around them."""

from __future__ import annotations

import pytest

from shared.kpi.cover import Share, cover, departure, handover
from shared.kpi.health import State
from shared.kpi.parameters import Parameters
from tests.doubles import histories
from tests.doubles.ages import ANNA, BEN, CLEO, KIM, LEE, MAX, history, mail_in, mail_out, meeting
from tests.doubles.histories import DAY, A, email, person

P = Parameters()
TEAM = [*(mail_out(0) for _ in range(4)), meeting(0, ours=[ANNA, BEN]), mail_out(60, sender=BEN, to=[LEE])]


def test_anna_carries_most_vector_12_1():
    ours = cover(history(TEAM), P).ours
    assert ours.shares == (Share(ANNA, 0.7333), Share(BEN, 0.2667))
    assert (ours.largest, ours.effective_number, ours.single_threaded) == (0.7333, 1.64, True)


def test_what_is_left_without_each_vector_12_2():
    found = history(TEAM)
    without_anna, without_ben = (departure(found, P, person) for person in (ANNA, BEN))
    assert (without_anna.then.state, without_anna.then.evidence.interactions) == (State.NOT_ENOUGH, 2)
    assert without_ben.then.evidence.interactions == 5
    assert without_ben.now.score is not None


def test_one_colleague_carries_all_vector_12_3():
    ours = cover(history([mail_out(1), mail_in(2)]), P).ours
    assert (ours.shares, ours.effective_number) == ((Share(ANNA, 1.0),), 1.0)


def test_no_interaction_has_no_shares_vector_12_4():
    found = cover(history([]), P)
    assert found.ours == found.theirs
    assert (found.ours.shares, found.ours.largest, found.ours.effective_number) == ((), None, None)
    assert not found.ours.single_threaded


def test_their_side_counts_people_of_interest():
    theirs = cover(history(TEAM), P).theirs
    assert theirs.shares == (Share(KIM, 0.9333), Share(LEE, 0.0667))


def test_equal_shares_stand_by_last_contact_then_name_then_key():
    """A mail of now weighs as much as two of 60 days ago."""
    old = [mail_out(60, sender=who) for who in (ANNA, BEN) for _ in range(2)]
    found = history([*old, mail_out(0, sender=CLEO)])
    assert [(share.person, share.share) for share in cover(found, P).ours.shares] == [
        (CLEO, 0.3333), (ANNA, 0.3333), (BEN, 0.3333),
    ]  # fmt: skip
    by_name = cover(found, P, {ANNA: "zoe", BEN: "Adam", CLEO: "Zoran"}).ours
    assert [share.person for share in by_name.shares] == [CLEO, BEN, ANNA]


@pytest.mark.parametrize(("alone", "single"), [(7, True), (6, False)])
def test_single_threaded_from_seventy_percent(alone, single):
    contacts = [mail_out(0) for _ in range(alone)] + [mail_out(0, sender=BEN) for _ in range(10 - alone)]
    assert single == cover(history(contacts), P).ours.single_threaded


def test_handover_lists_whom_only_she_knows():
    contacts = [
        mail_out(5, to=[KIM]),
        mail_out(9, to=[LEE]),
        mail_in(9, sender=LEE, to=[BEN]),
        meeting(3, ours=[ANNA, CLEO], theirs=[MAX]),
    ]
    assert handover(history(contacts), ANNA) == (KIM,)
    assert handover(history(contacts), BEN) == ()


def test_handover_lists_people_whom_no_record_names():
    mails = [email(A - day * DAY, "anna", ["kim", "zoe@cust.example"]) for day in (3, 9, 16, 23)]
    found = histories.history(*mails, of=histories.contact("kim"))
    assert set(handover(found, person("anna"))) == {person("kim"), person("zoe@cust.example")}


def test_handover_looks_back_a_year():
    contacts = [
        mail_out(5, to=[KIM]),
        mail_out(364.9, sender=BEN, to=[KIM]),
        mail_out(5, to=[LEE]),
        mail_out(365, sender=BEN, to=[LEE]),
    ]
    assert handover(history(contacts), ANNA) == (LEE,)


def test_somebody_named_twice_counts_once():
    contacts = [mail_in(0, to=[ANNA, ANNA, BEN])]
    assert cover(history(contacts), P).ours.shares == (Share(ANNA, 0.5), Share(BEN, 0.5))
