"""Whether other settings would have foretold the last thirty days better: what is tried, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.kpi.health import health
from shared.kpi.parameters import DAY, Parameters, Points
from shared.preview_quality import HORIZON_DAYS, Trial, foretelling, trial
from tests.doubles.histories import BERLIN, A, Item, contact, email, history

RECENT = replace(BERLIN, points=Points(rhythm=10, their_rhythm=10, volume=10, recency=70))


def mails(ages: range) -> list[Item]:
    return [email(A - age * DAY, *(("anna", ["kim"]) if age % 2 else ("kim", ["anna"]))) for age in ages]


def tried(items: list[Item]) -> Trial | None:
    return trial(
        history(*items, of=contact("kim")), history(*items, of=contact("kim"), parameters=RECENT), BERLIN, RECENT
    )


@pytest.mark.parametrize(("youngest", "alive"), [(3, True), (29, True), (30, False), (31, False), (80, False)])
def test_a_record_is_scored_by_what_was_known_then_and_judged_by_what_came(youngest: int, alive: bool) -> None:
    items = mails(range(youngest, 200, 9))
    found = tried(items)
    past = A - HORIZON_DAYS * DAY

    def score(parameters: Parameters) -> float | None:
        return health(history(*items, of=contact("kim"), as_of=past, parameters=parameters), parameters).score

    assert found == Trial(score(BERLIN), score(RECENT), alive)
    assert found is not None and found.before != found.after


def test_a_record_without_a_score_then_is_not_tried() -> None:
    assert tried(mails(range(1, 40, 3))) is None


def test_the_change_and_its_interval_are_those_of_the_same_records() -> None:
    trials = [Trial(before=n % 7, after=n % 5 + 10 * (n % 2), alive=n % 2 == 1) for n in range(200)]
    found = foretelling(trials)
    assert (found.alive, found.ended, found.auc_after, found.reason) == (100, 100, 1.0, "")
    assert found.change == pytest.approx(found.auc_after - found.auc_before, abs=1e-4)
    assert found.low < found.change < found.high and found.low > 0.3
    same = foretelling(replace(one, after=one.before) for one in trials)
    assert (same.change, same.low, same.high) == (0.0, 0.0, 0.0)


def test_few_records_say_nothing() -> None:
    found = foretelling([Trial(1.0, 2.0, True)] * 200 + [Trial(1.0, 0.0, False)] * 29)
    assert (found.alive, found.ended, found.auc_before, found.change, found.reason) == (200, 29, None, None, "tooFew")
