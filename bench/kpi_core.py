"""The figures of one record by the core, by polars and by pandas: same numbers, checked, at 100 to 1,000,000 activities.

`python -m bench.kpi_core` prints milliseconds, the best of several runs. All three start from the counted interactions in
memory: a History here, two data frames there (interactions, participations). polars computes everything in one lazy query.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from bench.kpi_data import AS_OF, record
from shared.kpi.contacts import most_contacted
from shared.kpi.counts import count, ratio
from shared.kpi.inclusion import include
from shared.kpi.interactions import History
from shared.kpi.last_next import last_next
from shared.kpi.parameters import Parameters
from shared.kpi.time_spent import hours
from shared.kpi.timeline import timeline
from shared.kpi.windows import kpi_window, local_date

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
PARAMETERS = Parameters(reporting_zone="Europe/Berlin")
ZONE = PARAMETERS.reporting_zone
WINDOW = kpi_window(AS_OF, PARAMETERS)
FIRST_DAY = local_date(AS_OF, ZONE) - timedelta(days=PARAMETERS.timeline_days - 1)
SIX = [(kind, direction) for kind in range(3) for direction in range(2)]


def core(history: History) -> tuple[Any, ...]:
    """The eight counts, bars per day, three people a side, minutes, last, as for a History never seen before."""
    history = replace(history)
    window = kpi_window(history.as_of, PARAMETERS)
    counts = count(history, window)
    ratio(counts)
    bars = timeline(history, PARAMETERS)
    people = most_contacted(history, window)
    spent = hours(history, window, PARAMETERS)
    last = last_next(history).last
    return counts, bars, people, spent, last


def comparable(figures: tuple[Any, ...]) -> tuple[Any, ...]:
    """The core's answer in the shape in which the data frames give theirs."""
    counts, bars, people, spent, last = figures
    series = (bars.emails_sent, bars.emails_received, bars.meetings_sent, bars.meetings_received)
    rows = dict(zip(bars.dates, zip(*series, bars.calls_made, bars.calls_received, strict=True), strict=True))
    sides = [[(one.number, one.last_at) for one in side] for side in (people.customers, people.colleagues)]
    minutes = (spent.our_minutes, spent.their_minutes, spent.face_minutes, spent.wider_team_minutes)
    return astuple(counts), {day: row for day, row in rows.items() if any(row)}, sides, minutes, last and last.at


def bars_of(rows: list[tuple[date, int, int, int]]) -> dict[str, tuple[int, ...]]:
    """Counts per day out of (day, kind, direction, number)."""
    table: dict[str, list[int]] = {}
    for day, kind, direction, number in rows:
        table.setdefault(day.isoformat(), [0] * 6)[2 * kind + direction] = number
    return {day: tuple(row) for day, row in table.items()}


def frames(history: History) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns of the two data frames; a mail without a conversation has one of its own."""
    names = ("at", "end", "kind", "direction", "minutes")
    interactions = {name: getattr(history, name) for name in names} | {"row": np.arange(len(history))}
    interactions["time"] = history.at.astype("datetime64[s]").astype("datetime64[us]")
    interactions["conversation"] = np.where(
        history.conversation == 0, history.key.view("u8")[::2], history.conversation
    )
    parts = {"row": history.part_index, "person": history.part_person, "internal": history.part_internal}
    return interactions, parts | {"counts": history.part_counts}


def with_polars(history: History) -> Callable[[], tuple[Any, ...]]:
    """The same figures as one polars query over frames that are already there."""
    import polars as pl

    columns, part_columns = frames(history)
    facts = pl.DataFrame(columns).with_columns(pl.col("time").dt.replace_time_zone("UTC")).lazy()
    parts = pl.DataFrame(part_columns).lazy()
    kind, at = pl.col("kind"), pl.col("at")
    first_instant = datetime.combine(FIRST_DAY, datetime.min.time()).replace(tzinfo=UTC) - timedelta(hours=1)

    def compute() -> tuple[Any, ...]:
        inside = facts.filter(at.is_between(WINDOW.start, WINDOW.end))
        counts = inside.group_by("kind", "direction").len()
        threads = facts.filter(kind == 0).group_by("conversation").agg(at.first(), pl.col("direction").first())
        begun = threads.filter(at.is_between(WINDOW.start, WINDOW.end)).group_by("direction").len()
        day = pl.col("time").dt.convert_time_zone(ZONE).dt.date().alias("day")
        recent = facts.filter((pl.col("time") >= first_instant) & (kind != 3)).with_columns(day)
        bars = recent.filter(pl.col("day") >= FIRST_DAY).group_by("day", "kind", "direction").len()
        contacts = parts.join(inside.filter(kind != 3).select("row", "kind", "at"), on="row")
        per_kind = [(kind == number).sum().alias(f"kind{number}") for number in range(3)]
        people = contacts.group_by("internal", "person").agg(pl.len(), *per_kind, at.max())
        people = people.sort(["len", "at", "person"], descending=[True, True, False]).group_by("internal").head(3)
        ours = parts.filter("internal").group_by("row").agg(pl.col("counts").sum().alias("team"), pl.len().alias("all"))
        length = (
            pl.when(kind == 1).then((pl.col("end") - at) / 60).otherwise(pl.col("minutes").fill_nan(0)).clip(0, 480)
        )
        timed = inside.filter(kind != 0).join(ours, on="row", how="left").with_columns(length.alias("d"))
        d, team = pl.col("d"), pl.col("team").fill_null(0)
        spent = timed.select(
            (d * pl.when(kind == 3).then(1).otherwise(team.clip(1))).sum().alias("ours"),
            d.filter(kind != 3).sum().alias("theirs"),
            d.filter(kind == 1).sum().alias("face"),
            (d * pl.when(kind == 3).then(0).otherwise(pl.col("all").fill_null(0) - team)).sum().alias("wider"),
        )
        last = facts.filter(kind != 3).select(at.max())
        found = pl.collect_all([counts, begun, bars, people, spent, last])
        numbers = {(row[0], row[1]): row[2] for row in found[0].iter_rows()}
        threads_of = dict(found[1].iter_rows())
        ranked = [[(row[2], row[-1]) for row in found[3].iter_rows() if row[0] == side] for side in (False, True)]
        return finish(numbers, threads_of, bars_of(found[2].rows()), ranked, found[4].row(0), found[5].item())

    return compute


def with_pandas(history: History) -> Callable[[], tuple[Any, ...]]:
    """The same figures in pandas."""
    import pandas as pd

    columns, part_columns = frames(history)
    facts, parts = pd.DataFrame(columns), pd.DataFrame(part_columns)
    facts["time"] = facts["time"].dt.tz_localize("UTC")
    first_instant = pd.Timestamp(FIRST_DAY, tz=ZONE)

    def compute() -> tuple[Any, ...]:
        inside = facts[facts["at"].between(WINDOW.start, WINDOW.end)]
        numbers = inside.groupby(["kind", "direction"]).size().to_dict()
        threads = facts[facts["kind"] == 0].drop_duplicates("conversation")
        begun = threads[threads["at"].between(WINDOW.start, WINDOW.end)].groupby("direction").size().to_dict()
        recent = facts[(facts["time"] >= first_instant) & (facts["kind"] != 3)]
        day = recent["time"].dt.tz_convert(ZONE).dt.date
        bars = [(*key, number) for key, number in recent.groupby([day, "kind", "direction"]).size().items()]
        contacts = parts.merge(inside.loc[inside["kind"] != 3, ["row", "kind", "at"]], on="row")
        for number in range(3):
            contacts[f"kind{number}"] = contacts["kind"] == number
        wanted = {"number": ("row", "size"), "at": ("at", "max")} | {f"k{n}": (f"kind{n}", "sum") for n in range(3)}
        people = contacts.groupby(["internal", "person"]).agg(**wanted).reset_index()
        people = people.sort_values(["number", "at", "person"], ascending=[False, False, True])
        ranked = [
            list(people.loc[people["internal"] == side, ["number", "at"]].head(3).itertuples(index=False, name=None))
            for side in (False, True)
        ]
        ours = parts[parts["internal"]].groupby("row")["counts"].agg(team="sum", all="size")
        timed = inside[inside["kind"] != 0].join(ours, on="row")
        d = timed["minutes"].fillna(0).where(timed["kind"] != 1, (timed["end"] - timed["at"]) / 60).clip(0, 480)
        team, task = timed["team"].fillna(0), timed["kind"] == 3
        others = (timed["all"].fillna(0) - team).mask(task, 0)
        minutes = (
            (d * team.clip(lower=1).mask(task, 1)).sum(),
            d[~task].sum(),
            d[timed["kind"] == 1].sum(),
            (d * others).sum(),
        )
        return finish(numbers, begun, bars_of(bars), ranked, minutes, facts.loc[facts["kind"] != 3, "at"].max())

    return compute


def finish(
    numbers: dict[Any, int], begun: dict[int, int], bars: dict[str, Any], ranked: list[Any], minutes: Any, last: int
) -> tuple[Any, ...]:
    """Add the mails' flat minutes and put all in one shape."""
    sent, received = numbers.get((0, 0), 0), numbers.get((0, 1), 0)
    ours, theirs = minutes[0] + 5 * sent + 2.5 * received, minutes[1] + 2.5 * sent + 5 * received
    counts = (*(numbers.get(code, 0) for code in SIX), begun.get(0, 0), begun.get(1, 0))
    return counts, bars, ranked, tuple(round(value, 1) for value in (ours, theirs, *minutes[2:])), last


def milliseconds(work: Callable[[], object], seconds: float = 1.0) -> float:
    """Best time of at least three runs, for about this long."""
    best, end, runs = float("inf"), time.perf_counter() + seconds, 0
    while runs < 3 or (time.perf_counter() < end and runs < 200):
        start = time.perf_counter()
        work()
        best, runs = min(best, time.perf_counter() - start), runs + 1
    return best * 1000


def main() -> None:
    """Print the table; stop when the three do not agree."""
    names = ("include", "history", "figures", "polars", "pandas")
    print(f"{'activities':>10} {' '.join(f'{name:>9}' for name in names)}   polars/figures pandas/figures")
    for size in SIZES:
        facts, membership = record(size)
        inclusion = include(facts, membership, AS_OF, PARAMETERS)
        history = inclusion.history()
        polars, pandas = with_polars(history), with_pandas(history)
        ours = comparable(core(history))
        for name, theirs in ("polars", polars()), ("pandas", pandas()):
            if theirs != ours:
                raise SystemExit(f"{name} disagrees at {size}: {theirs} != {ours}")
        deciding = milliseconds(lambda f=facts, m=membership: include(f, m, AS_OF, PARAMETERS), 0.4)  # type: ignore[misc]
        times = [deciding, milliseconds(inclusion.history, 0.4), milliseconds(lambda h=history: core(h), 0.6)]  # type: ignore[misc]
        times += [milliseconds(polars, 0.8), milliseconds(pandas, 0.8)]
        shown = " ".join(f"{value:9.3f}" for value in times)
        print(f"{size:>10,} {shown}   {times[3] / times[2]:14.1f} {times[4] / times[2]:14.1f}", flush=True)


if __name__ == "__main__":
    main()
