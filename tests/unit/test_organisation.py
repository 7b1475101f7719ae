"""The organisation's settings: defaults, what is refused, and what parameters follow from them."""

from __future__ import annotations

import msgspec
import pytest

from shared.keys import keys
from shared.kpi.parameters import NeverLog, Parameters, WorkingCalendar
from shared.organisation import adapted, frequency_of, parameters_of
from shared.organisation_settings import Alarms, FrequencyRule, OrganisationSettings
from shared.rosters import Roster
from tests.conftest import PERSON_KEY
from tests.doubles.processes import forget


def read(text: str) -> OrganisationSettings:
    return msgspec.json.decode(text, type=OrganisationSettings)


def test_an_empty_document_gives_the_parameters_of_the_specification() -> None:
    assert parameters_of(read("{}")) == Parameters()


def test_a_document_survives_being_stored() -> None:
    settings = read(
        '{"frequencyRules": [{"frequency": "monthly", "recordType": "case"}], "workingTime": {"hours": {}}}'
    )
    assert read(msgspec.json.encode(settings).decode()) == settings


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ('{"wieghts": {}}', "unknown field"),
        ('{"weights": {"email": 5.1}}', "<= 5"),
        ('{"frequency": "hourly"}', "Invalid enum value"),
        ('{"grades": {"good": 40, "fair": 40}}', "good must be above fair"),
        ('{"grades": {"good": 100, "fair": 40}}', "<= 99"),
        ('{"points": {"rhythm": 30, "theirRhythm": 40, "volume": 20, "recency": 11}}', "add up to 101"),
        (
            '{"points": {"rhythm": 30, "theirRhythm": 40, "volume": 20, "recency": 5, "breadth": 5}}',
            "points has no breadth",
        ),
        ('{"halfLifeDays": 6}', ">= 7"),
        ('{"rollingWindowDays": 29}', ">= 30"),
        ('{"reportingTimeZone": "Europe/Atlantis"}', "IANA"),
        ('{"reportingTimeZone": "../etc/passwd"}', "IANA"),
        ('{"workingTime": {"hours": {"mon": [["9:00", "17:00"]]}}}', "HH:MM"),
        ('{"workingTime": {"hours": {"mon": [["12:00", "09:00"]]}}}', "follow one another"),
        ('{"workingTime": {"hours": {"mon": [["08:00", "12:00"], ["11:00", "17:00"]]}}}', "follow one another"),
        ('{"workingTime": {"holidays": ["2026-02-30"]}}', "date"),
        ('{"frequencyRules": [{"frequency": "daily"}]}', "names a recordType"),
        ('{"frequencyRules": [{"frequency": "daily", "attribute": "region"}]}', "go together"),
        ('{"frequencyRules": [{"frequency": "daily", "recordType": "case", "value": "EU"}]}', "go together"),
        ('{"alarms": {"cooling": 8, "probablyLost": 4}}', "above cooling"),
        ('{"similarDeals": {"weights": {"amount": 1, "region": 1, "stage": 0}}}', "at least 3"),
        ('{"leadInDays": 366}', "<= 365"),
        ('{"internalDomains": ["Us.Example"]}', "regex"),
        ('{"neverLog": ["Kim@cust.example"]}', "regex"),
        ('{"neverLog": ["kim+news@cust.example"]}', "regex"),
        ('{"neverLog": ["kim@"]}', "regex"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(document: str, complaint: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=complaint.replace("(", r"\(")):
        read(document)


def test_every_setting_of_the_figures_reaches_the_parameters() -> None:
    parameters = parameters_of(
        read(
            '{"weights": {"email": 2, "meeting": 4, "call": 1, "task": 0.5}, "frequency": "monthly", "halfLifeDays": 90,'
            '"grades": {"good": 70, "fair": 30}, "rollingWindowDays": 90, "timelineDays": 30, "twoYearRule": true,'
            '"reportingTimeZone": "Europe/Berlin", "minutesToRead": 1, "minutesToWrite": 6, "longestMeetingHours": 4,'
            '"recipientLimit": 10, "leadInDays": 60, "alarms": {"idleDays": 7, "cooling": 3, "probablyLost": 9},'
            '"strictOwnSide": true, "emailEngagement": false, "showHealth": false,'
            '"singleThreadPercent": 80, "whoKnowsWhom": {"halfLifeDays": 30},'
            '"points": {"rhythm": 40, "theirRhythm": 30, "volume": 20, "recency": 10},'
            '"pointsWithBreadth": {"rhythm": 20, "theirRhythm": 30, "volume": 20, "recency": 10, "breadth": 20},'
            '"workingTime": {"hours": {"sun": [["08:00", "12:00"], ["13:00", "24:00"]]}, "holidays": ["2026-12-25"]}}'
        )
    )
    assert (parameters.weights.email, parameters.weights.meeting, parameters.weights.call) == (2, 4, 1)
    assert (parameters.frequency_days, parameters.half_life_days, parameters.weights.task) == (30, 90, 0.5)
    assert (parameters.good_from, parameters.fair_from, parameters.two_year_rule) == (70, 30, True)
    assert (parameters.window_days, parameters.timeline_days, parameters.reporting_zone) == (90, 30, "Europe/Berlin")
    assert (parameters.minutes_to_read, parameters.minutes_to_write, parameters.longest_minutes) == (1, 6, 240)
    assert (parameters.recipient_limit, parameters.lead_in_days, parameters.idle_days) == (10, 60, 7)
    assert (parameters.cooling_ratio, parameters.lost_ratio, parameters.single_thread_share) == (3, 9, 0.8)
    assert (parameters.points.rhythm, parameters.points_with_breadth.breadth) == (40, 20)
    assert parameters.strength_half_life_days == 30
    assert (parameters.strict_own_side, parameters.email_engagement, parameters.show_health) == (True, False, False)
    week = ((),) * 6 + (((480, 720), (780, 1440)),)
    assert parameters.working_calendar == WorkingCalendar("Europe/Berlin", week, frozenset({"2026-12-25"}), True)


def test_the_never_log_list_becomes_keys_of_addresses_and_of_domains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSON_KEY", PERSON_KEY)
    forget()
    never = parameters_of(read('{"neverLog": ["bank.example", "kim@cust.example"]}')).never_log
    assert never == NeverLog((keys().address("kim@cust.example"),), (keys().domain("bank.example"),))
    forget()


RULES = OrganisationSettings(
    frequency="weekly",
    frequency_rules=(
        FrequencyRule(frequency="daily", record_type="opportunity", attribute="region", value="EU"),
        FrequencyRule(frequency="monthly", attribute="region", value="eu "),
        FrequencyRule(frequency="quarterly", record_type="account"),
    ),
)


@pytest.mark.parametrize(
    ("record", "segments", "expected"),
    [
        ("opportunity:1", {"region": "eu"}, "daily"),
        ("contact:1", {"region": "EU"}, "monthly"),
        ("account:1", {"region": "EU"}, "monthly"),
        ("account:1", {"region": "US"}, "quarterly"),
        ("account:1", {}, "quarterly"),
        ("lead:1", {"industry": "EU"}, "weekly"),
    ],
)
def test_the_first_rule_that_fits_gives_the_frequency(record: str, segments: dict[str, str], expected: str) -> None:
    roster = Roster(record=record, segments=segments)
    assert frequency_of(RULES, roster) == expected
    assert adapted(RULES, parameters_of(RULES), roster).frequency == expected


def test_each_record_type_may_have_its_own_idle_days() -> None:
    settings = OrganisationSettings(alarms=Alarms(idle_days=10, idle_days_of_type={"opportunity": 30}))
    whole = parameters_of(settings)
    assert adapted(settings, whole, Roster(record="opportunity:1")).idle_days == 30
    assert adapted(settings, whole, Roster(record="lead:1")) is whole
