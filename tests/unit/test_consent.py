"""The consent life cycle against its table: transitions T1 to T12 and the checks K1 to K9."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.graph import consent
from shared.graph.consent import Consent, Scope, State, Transition


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


ENABLED = at("2026-03-01T10:00:00Z")
SALES = Scope(roles=("salesperson",))
MINUTE = 60


def pending(enabled_at: int = ENABLED) -> Consent:
    done = consent.enable(Consent(), SALES, enabled_at)
    assert done and done.name == "T1"
    return done.consent


def live() -> Consent:
    done = consent.probed(pending(), True, ENABLED)
    assert done and done.name == "T2"
    after = consent.backfilled(done.consent)
    assert after and after.name == "T5"
    return after.consent


def state_of(done: Transition | None) -> tuple[str, State]:
    assert done
    return done.name, done.consent.state


def test_k1_the_first_day() -> None:
    assert consent.day_of(pending(), ENABLED) == (1, 14)


@pytest.mark.parametrize(
    ("now", "day"), [("2026-03-08T09:59:59Z", (7, 8)), ("2026-03-08T10:00:00Z", (8, 7))], ids=["before", "at"]
)
def test_k2_days_begin_at_the_hour_of_enabling(now: str, day: tuple[int, int]) -> None:
    assert consent.day_of(pending(), at(now)) == day


def test_k3_the_last_second_of_day_14_is_still_pending() -> None:
    now = at("2026-03-15T09:59:59Z")
    assert consent.day_of(pending(), now) == (14, 1)
    assert consent.probed(pending(), False, now) is None


def test_k4_deadline_and_a_failed_probe_switch_off() -> None:
    assert state_of(consent.probed(pending(), False, at("2026-03-15T10:00:00Z"))) == ("T3", State.AUTO_OFF)


def test_k5_a_late_timer_whose_probe_succeeds_connects() -> None:
    assert state_of(consent.probed(pending(), True, at("2026-03-15T18:00:00Z"))) == ("T2", State.BACKFILL)


def test_consent_in_the_last_minute_of_day_14_connects() -> None:
    assert state_of(consent.probed(pending(), True, ENABLED + consent.PERIOD - MINUTE)) == ("T2", State.BACKFILL)


def test_deadline_waits_for_evidence() -> None:
    """A service that is away says nothing about the permission; the probe decides, and there was none."""
    assert consent.probed(pending(), None, at("2026-03-15T10:00:00Z")) is None


def test_k6_enabling_again_restarts_the_count() -> None:
    off = consent.probed(pending(), False, ENABLED + consent.PERIOD)
    assert off
    again = consent.enable(off.consent, SALES, at("2026-04-02T08:00:00Z"))
    assert state_of(again) == ("T4", State.PENDING_CONSENT)
    assert again and again.consent.deadline == at("2026-04-16T08:00:00Z")


def test_k7_one_failure_stops_reading_and_hides_nothing() -> None:
    suspect = consent.probed(live(), False, at("2026-05-01T09:00:00Z"))
    assert suspect and suspect.consent.is_visible and not suspect.consent.is_reading
    cleared = consent.probed(suspect.consent, True, at("2026-05-01T09:15:00Z"))
    assert state_of(cleared) == ("T9", State.LIVE)
    assert cleared and cleared.consent.is_reading and cleared.consent.changed_at == live().changed_at


def test_k8_a_second_failure_15_minutes_later_is_withdrawal() -> None:
    suspect = consent.probed(live(), False, at("2026-05-01T09:00:00Z"))
    assert suspect
    early = consent.probed(suspect.consent, False, at("2026-05-01T09:14:59Z"))
    gone = consent.probed(suspect.consent, False, at("2026-05-01T09:15:00Z"))
    assert early is None
    assert state_of(gone) == ("T8", State.WITHDRAWN)
    assert gone and not gone.consent.is_visible and gone.consent.changed_at == at("2026-05-01T09:15:00Z")


def test_k9_clock_changes_do_not_count() -> None:
    berlin = int(datetime(2026, 3, 20, 10, tzinfo=ZoneInfo("Europe/Berlin")).timestamp())
    deadline = datetime.fromtimestamp(pending(berlin).deadline, UTC).astimezone(ZoneInfo("Europe/Berlin"))
    assert (deadline.month, deadline.day, deadline.hour) == (4, 3, 11)


def test_no_evidence_changes_nothing() -> None:
    assert consent.probed(live(), None, ENABLED) is None


def test_switch_off_and_on_again_with_data_held() -> None:
    off = consent.switch_off(live(), ENABLED + 10)
    assert state_of(off) == ("T6", State.CRM_ONLY)
    assert off and not off.consent.is_visible and off.consent.changed_at == ENABLED + 10
    assert consent.switch_on(off.consent, False, ENABLED + 20) is None
    assert consent.switch_on(off.consent, None, ENABLED + 20) is None
    assert state_of(consent.switch_on(off.consent, True, ENABLED + 20)) == ("T7", State.LIVE)


def test_switch_on_after_erasing_reads_everything_anew() -> None:
    off = consent.switch_off(live(), ENABLED)
    assert off
    gone = consent.erased(off.consent)
    assert gone and state_of(consent.switch_on(gone.consent, True, ENABLED + 9)) == ("T7", State.BACKFILL)


def test_withdrawal_during_back_fill() -> None:
    first = consent.probed(pending(), True, ENABLED)
    assert first
    suspect = consent.probed(first.consent, False, ENABLED + 100)
    assert suspect
    assert state_of(consent.probed(suspect.consent, False, ENABLED + 100 + consent.CONFIRM_AFTER)) == (
        "T8",
        State.WITHDRAWN,
    )


def test_withdrawn_and_proven_again_reads_anew() -> None:
    withdrawn = Consent(state=State.WITHDRAWN, scope=SALES, stopped_at=9, changed_at=9)
    assert consent.probed(withdrawn, False, 10) is None
    assert state_of(consent.probed(withdrawn, True, 10)) == ("T10", State.BACKFILL)


@pytest.mark.parametrize("state", [State.DISABLED, State.AUTO_OFF])
@pytest.mark.parametrize("passes", [True, False])
def test_consent_that_nobody_enabled_reads_nothing(state: State, passes: bool) -> None:
    assert consent.probed(Consent(state=state), passes, ENABLED) is None
    assert not Consent(state=state).wants_probe


def test_disable_hides_and_keeps_since_when() -> None:
    assert state_of(consent.disable(live(), ENABLED + 5)) == ("T11", State.DISABLED)
    assert consent.disable(Consent(), ENABLED) is None


def test_other_roles_change_the_scope_alone() -> None:
    done = consent.enable(live(), Scope(groups=("g",)), ENABLED)
    assert state_of(done) == ("T12", State.LIVE)
    assert consent.enable(live(), SALES, ENABLED) is None


_STEPS: dict[str, Callable[[Consent, int], Transition | None]] = {
    "enable": lambda held, now: consent.enable(held, SALES, now),
    "disable": consent.disable,
    "off": consent.switch_off,
    "on": lambda held, now: consent.switch_on(held, True, now),
    "pass": lambda held, now: consent.probed(held, True, now),
    "fail": lambda held, now: consent.probed(held, False, now),
    "nothing": lambda held, now: consent.probed(held, None, now),
    "backfilled": lambda held, _: consent.backfilled(held),
    "erased": lambda held, _: consent.erased(held),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(_STEPS)), st.integers(0, 3 * consent.DAY)), max_size=30))
def test_whatever_happens_reading_implies_visible_and_every_change_of_sight_is_dated(
    events: list[tuple[str, int]],
) -> None:
    current, now = Consent(), ENABLED
    for name, passed in events:
        now += passed
        done = _STEPS[name](current, now)
        after = done.consent if done else current
        assert after.is_visible or not after.is_reading
        if after.is_visible != current.is_visible:
            assert after.changed_at == now
        if after.is_visible:
            assert not after.erased
        current = after


@pytest.mark.parametrize(
    ("days", "names"),
    [
        ([1, 5.9], []),
        ([6, 6.5, 10.9, 11, 12, 12.5, 13.9], ["reminder7", "reminder12", "reminder13"]),
        ([12.5], ["reminder13"]),  # the timers slept until then
        ([7, 14, 15], ["reminder7"]),  # day 8, and after the deadline
    ],
)
def test_reminders_come_once_on_days_7_12_and_13(days: list[float], names: list[str]) -> None:
    held, found = pending(), []
    for day in days:
        if done := consent.remind(held, ENABLED + int(day * consent.DAY)):
            held = done.consent
            found.append(done.name)
    assert found == names


def test_nobody_is_reminded_of_what_was_given_and_a_new_start_reminds_anew() -> None:
    assert consent.remind(live(), ENABLED + 7 * consent.DAY) is None
    reminded = consent.remind(pending(), ENABLED + 12 * consent.DAY)
    assert reminded
    off = consent.probed(reminded.consent, False, ENABLED + consent.PERIOD)
    assert off and off.consent.state is State.AUTO_OFF
    again = consent.enable(off.consent, SALES, ENABLED + 20 * consent.DAY)
    assert again and again.consent.reminded == 0
