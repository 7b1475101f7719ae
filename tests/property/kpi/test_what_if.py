"""What-if figures on random histories: promises come true, shares add up, and who leaves takes only their own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.kpi.changes import at_instant, only
from shared.kpi.counterfactual import Deed, score_at, score_with
from shared.kpi.cover import cover, departure
from shared.kpi.interactions import RecordType
from shared.kpi.parameters import DAY, Parameters
from shared.kpi.shares import our_shares
from tests.doubles.ages import ANNA, BEN, CLEO, KIM, LEE, MAX, A, Contact, call_in, history, mail_in, mail_out, meeting

P = Parameters()
OURS, THEIRS = st.sampled_from([ANNA, BEN, CLEO]), st.sampled_from([KIM, LEE, MAX])


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    age = draw(st.integers(0, 500 * 8)) / 8
    ours, theirs = draw(OURS), draw(THEIRS)
    kinds = [
        mail_out(age, sender=ours, to=[theirs]),
        mail_in(age, sender=theirs, to=[ours]),
        call_in(age, theirs, ours),
        meeting(age, ours=[ours, draw(OURS)], theirs=[theirs, draw(THEIRS)]),
    ]
    return draw(st.sampled_from(kinds))


CASES = st.lists(contacts(), max_size=20)
HAPPENED = {
    Deed.REPLY: lambda person: mail_in(0, sender=person),
    Deed.MAIL: lambda person: mail_out(0, to=[person]),
    Deed.MEETING: lambda person: meeting(0, theirs=[person]),
}


@given(
    CASES,
    st.sampled_from(Deed),
    THEIRS,
    st.integers(1, 10 * 24),
    st.sampled_from([RecordType.CONTACT, RecordType.ACCOUNT]),
)
@settings(max_examples=100, deadline=None)
def test_what_was_promised_is_the_score_after_it_happened(found, deed, person, hours, record):
    later = A + hours * 3600
    promised = score_with(history(found, record=record), P, deed, person, later)
    older = [Contact(**{**vars(contact), "age": contact.age + hours / 24}) for contact in found]
    assert promised == score_at(history([*older, HAPPENED[deed](person)], as_of=later, record=record), P)


@given(CASES)
@settings(max_examples=80, deadline=None)
def test_shares_equal_sharing_one_by_one(found):
    expected: dict[int, float] = {}
    weights = {0: 1.0, 1: 3.0, 2: 2.0}
    for contact in found:
        ours = {person for person, _ in contact.people if person < 10}
        for person in ours:
            worth = weights[contact.kind] * 0.5 ** (contact.age / 60)
            expected[person] = expected.get(person, 0.0) + worth / len(ours)
    shares = our_shares(history(found), P)
    assert dict(zip(shares.person.tolist(), shares.amount.tolist(), strict=True)) == pytest.approx(expected)
    sides = cover(history(found), P)
    for side in (sides.ours, sides.theirs):
        if side.shares:
            assert sum(share.share for share in side.shares) == pytest.approx(1.0, abs=0.0002)
            assert 1 <= side.effective_number <= len(side.shares)


@given(CASES, OURS)
@settings(max_examples=60, deadline=None)
def test_whoever_leaves_takes_only_what_nobody_else_was_in(found, person):
    left = [contact for contact in found if {p for p, _ in contact.people if p < 10} != {person}]
    gone = departure(history(found), P, person)
    assert gone.then.score == score_at(history(left), P)
    recent = [contact for contact in found if contact.age < 365]
    people = {p for contact in recent for p, _ in contact.people if p > 10}
    known = {p for contact in recent if contact in left for p, _ in contact.people}
    assert gone.handover == tuple(sorted(people - known))


@given(CASES, st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_taking_rows_away_keeps_the_rest_as_it_was(found, days):
    whole = history(found)
    kept = np.arange(len(whole)) % 3 != 1
    part = only(whole, kept)
    assert part.key.tolist() == whole.key[kept].tolist()
    assert part.key[part.part_index].tolist() == whole.key[whole.part_index][kept[whole.part_index]].tolist()
    assert at_instant(part, A + days * DAY).as_of == A + days * DAY
