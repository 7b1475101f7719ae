"""The organisation's settings in force, and the parameters of the figures that follow from them for a record.

A version never changes once it is written, so what was read of it is kept for the life of the process.
"""

from __future__ import annotations

import functools
from typing import cast

from shared import decoders, stamps, tables
from shared.errors import FormatVersionError, NotFoundError
from shared.kpi.parameters import NeverLog, Parameters, Points, Weights, WorkingCalendar
from shared.noise import SIGN_NAMES
from shared.organisation_settings import WEEKDAYS, ContributionPoints, OrganisationSettings, RecordType, WorkingTime
from shared.rosters import Roster

TABLE = "settings"
PARTITION = "organisation"
VERSION = 1


def row_key(version: int) -> str:
    """The RowKey of a published version.

    >>> row_key(12)
    '0000000012'
    """
    return f"{version:010d}"


@functools.lru_cache(maxsize=64)
def settings_at(version: int) -> OrganisationSettings:
    """The settings of a published version; version 0 are the defaults. Raises NotFoundError for one that never was."""
    if version == 0:
        return OrganisationSettings()
    row = tables.read(TABLE, PARTITION, row_key(version))
    if row is None:
        raise NotFoundError("There is no such version of the settings.")
    return settings_in(row)


def settings_in(row: tables.Row) -> OrganisationSettings:
    """The settings that a version's row holds. Raises FormatVersionError for a newer format."""
    if row["v"] != VERSION:
        raise FormatVersionError(f"settings have format {row['v']}, this app reads {VERSION}")
    return decoders.of_json(OrganisationSettings).decode(tables.unsplit(row))


def in_force() -> OrganisationSettings:
    """The settings in force: one small read."""
    return settings_at(stamps.read().parameters)


@functools.lru_cache(maxsize=64)
def parameters(version: int) -> Parameters:
    """The parameters at a published version, with the frequency that holds where no rule says otherwise."""
    return parameters_of(settings_at(version))


def parameters_for(version: int, roster: Roster) -> Parameters:
    """The parameters for one record: the first frequency rule that fits it, else the organisation's frequency; and the idle days
    of its type."""
    return adapted(settings_at(version), parameters(version), roster)


def adapted(settings: OrganisationSettings, whole: Parameters, roster: Roster) -> Parameters:
    """`whole`, the parameters of `settings`, with the frequency and the idle days that hold for the record."""
    from dataclasses import replace

    frequency = frequency_of(settings, roster)
    idle_days = settings.alarms.idle_days_of_type.get(cast(RecordType, roster.type), settings.alarms.idle_days)
    if (frequency, idle_days) == (whole.frequency, whole.idle_days):
        return whole
    return replace(whole, frequency=frequency, idle_days=idle_days)


def frequency_of(settings: OrganisationSettings, roster: Roster) -> str:
    """The expected frequency of a record: of the first rule whose record type and segment are the record's."""
    for rule in settings.frequency_rules:
        own = roster.segments.get(rule.attribute or "", "").strip().casefold()
        fits_segment = rule.attribute is None or own == rule.value.strip().casefold()
        if rule.record_type in (None, roster.type) and fits_segment:
            return rule.frequency
    return settings.frequency


def parameters_of(settings: OrganisationSettings) -> Parameters:
    """The parameters of the figures by these settings, for any record without a frequency rule."""
    weights, alarms, strength = settings.weights, settings.alarms, settings.who_knows_whom
    return Parameters(
        reporting_zone=settings.reporting_time_zone,
        window_days=settings.rolling_window_days,
        timeline_days=settings.timeline_days,
        weights=Weights(weights.email, weights.meeting, weights.call, weights.task),
        frequency=settings.frequency,
        half_life_days=settings.half_life_days,
        points=_points(settings.points),
        points_with_breadth=_points(settings.points_with_breadth),
        good_from=settings.grades.good,
        fair_from=settings.grades.fair,
        two_year_rule=settings.two_year_rule,
        minutes_to_read=settings.minutes_to_read,
        minutes_to_write=settings.minutes_to_write,
        longest_minutes=settings.longest_meeting_hours * 60,
        recipient_limit=settings.recipient_limit,
        noise_rules=sum(sign for sign, name in SIGN_NAMES.items() if name in settings.noise_rules),
        lead_in_days=settings.lead_in_days,
        strength_half_life_days=strength.half_life_days,
        strength_basic=strength.basic,
        strength_window_days=strength.window_days,
        strength_one_way=strength.one_way,
        strength_damping=strength.damping,
        strength_regularity=strength.regularity,
        strength_silence_half_life_days=strength.silence_half_life_days,
        cooling_ratio=alarms.cooling,
        lost_ratio=alarms.probably_lost,
        idle_days=alarms.idle_days,
        single_thread_share=settings.single_thread_percent / 100,
        strict_own_side=settings.strict_own_side,
        email_engagement=settings.email_engagement,
        show_health=settings.show_health,
        never_log=_never_log(settings.never_log),
        working_calendar=_calendar(settings.working_time, settings.reporting_time_zone),
    )


def _never_log(names: tuple[str, ...]) -> NeverLog:
    if not names:
        return NeverLog()
    from shared.never_log import never_log_of

    return never_log_of(names)


def _points(points: ContributionPoints) -> Points:
    return Points(points.rhythm, points.their_rhythm, points.volume, points.recency, points.breadth)


def _calendar(time: WorkingTime, zone: str) -> WorkingCalendar:
    week = tuple(tuple((_minutes(a), _minutes(b)) for a, b in time.hours.get(day, ())) for day in WEEKDAYS)
    return WorkingCalendar(zone, week, frozenset(day.isoformat() for day in time.holidays), assumed=True)


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:5])
