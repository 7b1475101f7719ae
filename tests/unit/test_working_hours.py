"""Whose working hours an answer is measured by: what is known of the person, field by field, else the organisation's."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from shared.crm.records import User
from shared.directory import Directory
from shared.kpi.hours import calendar_of, working_seconds
from shared.kpi.parameters import Parameters, WorkingCalendar
from shared.organisation import parameters_of
from shared.organisation_settings import OrganisationSettings
from tests.doubles.histories import instant

BERLIN = {"reportingTimeZone": "Europe/Berlin"}
HOLIDAY = {**BERLIN, "workingTime": {"holidays": ["2026-05-01"]}}
SUNDAY_TO_THURSDAY = {day: [["08:00", "17:00"]] for day in ("sun", "mon", "tue", "wed", "thu")}
EIGHT_TO_FIVE = {day: [["08:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
VECTOR_7_12 = ("2026-04-30T15:00:00Z", "2026-05-04T07:00:00Z")


def calendar(settings: dict[str, Any], **user: Any) -> WorkingCalendar:
    directory = Directory(1, {"anna": User(id="anna", **user)}, {}, {}, frozenset())
    own = directory.own_hours("anna")
    assert own is not None
    return calendar_of(own, parameters(settings))


def parameters(settings: dict[str, Any]) -> Parameters:
    return parameters_of(msgspec.convert(settings, OrganisationSettings))


def hours(calendar: WorkingCalendar, start: str, end: str) -> float:
    return working_seconds(calendar, np.array([instant(start)]), np.array([instant(end)])).tolist()[0] / 3600


@pytest.mark.parametrize(
    ("settings", "user"),
    [
        (HOLIDAY, {"time_zone": "Europe/Berlin"}),
        (HOLIDAY, {"time_zone": "Europe/Berlin", "working_hours": EIGHT_TO_FIVE}),
        (BERLIN, {"days_off": ("2026-05-01",)}),
        (BERLIN, {"time_zone": "Europe/Berlin", "working_hours": EIGHT_TO_FIVE, "days_off": ("2026-05-01",)}),
        (HOLIDAY, {"days_off": ("2026-05-05",)}),
    ],
)
def test_vector_7_12_holds_wherever_the_day_off_is_known_from(settings: dict[str, Any], user: dict[str, Any]) -> None:
    assert hours(calendar(settings, **user), *VECTOR_7_12) == 1.0


def test_hours_without_a_zone_are_read_in_the_reporting_zone_and_that_is_assumed() -> None:
    found = calendar(BERLIN, working_hours={"mon": [["08:00", "09:00"]]})
    assert hours(found, "2026-03-02T07:00:00Z", "2026-03-02T08:00:00Z") == 1.0
    assert found.assumed


def test_a_zone_without_hours_takes_the_organisations_week() -> None:
    settings = {**BERLIN, "workingTime": {"hours": SUNDAY_TO_THURSDAY}}
    found = calendar(settings, time_zone="Europe/Berlin")
    assert hours(found, "2026-03-06T08:00:00Z", "2026-03-08T08:00:00Z") == 1.0  # Friday is free, Sunday from 08:00 on
    assert found.assumed


def test_own_hours_in_an_own_zone_are_not_assumed() -> None:
    found = calendar(HOLIDAY, time_zone="America/New_York", working_hours={"tue": [["09:00", "17:00"]]})
    assert hours(found, "2026-03-10T09:00:00Z", "2026-03-10T14:00:00Z") == 1.0  # vector 7-14
    assert not found.assumed


def test_of_a_user_without_any_of_it_nothing_is_known() -> None:
    directory = Directory(1, {"anna": User(id="anna", name="Anna")}, {}, {}, frozenset())
    assert directory.own_hours("anna") is None
    assert directory.own_hours("nobody") is None
