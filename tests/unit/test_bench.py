"""Each benchmark runs at a small size, and what it compares gives equal results: that is asserted where it compares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench import __main__ as bench
from bench import activity_rows, all_widgets, backfill, graph_client, import_cost, reading, table_formats
from bench.http_reads import compare as compare_http_reads
from bench.http_reads import running_stack
from bench.measure import in_turn, show
from bench.stored_record import running_tables, store
from shared import partitions


@pytest.fixture(scope="module")
def storage() -> Iterator[None]:
    with running_tables():
        yield


@pytest.mark.usefixtures("storage")
class TestWithTables:
    def test_rows_hold_what_the_partition_holds(self) -> None:
        name = reading.record_name(301)
        store(name, 301)
        ours, theirs = partitions.read(name).entries, activity_rows.read(name)
        for column, values in vars(ours.facts).items():
            np.testing.assert_array_equal(getattr(theirs.facts, column), values, column)
        assert ours.activity.tolist() == theirs.activity.tolist()
        assert reading.from_partition(name) == reading.from_rows(name)
        assert b'"interactionsOurs":0' not in reading.from_rows(name)

    def test_reading_is_compared_when_all_and_when_some_activities_are_rows(self) -> None:
        for size, sample in (300, 300), (400, 100):
            lines = reading.compare(size, rounds=1, sample=sample)
            assert [line[:2] for line in lines] == [[size, "read"], [size, "and recompute"]]

    def test_all_widgets_are_compared_with_polars(self) -> None:
        assert all_widgets.compare(500, rounds=1)[0] == 500

    def test_table_formats_are_compared(self) -> None:
        lines = table_formats.compare(150, rounds=2)
        ways = [("write", "library"), ("write", "ours"), ("read", "library"), ("read", "ours")]
        assert [tuple(line[:2]) for line in lines] == ways


@pytest.mark.stack
def test_http_reads_answer_as_they_should() -> None:
    with running_stack() as served:
        lines = compare_http_reads(served, number=20, connections=(1, 2))
    assert [line[0] for line in lines[:6]] == [
        "all widgets", "all widgets, gzip", "all widgets, 304", "one widget", "(function, no host)", "(point read)",
    ]  # fmt: skip
    sizes = [int(str(line[-1])) for line in lines[:4]]
    assert sizes[0] > sizes[1] > sizes[2] == 0 < sizes[3] < sizes[0]


def test_imports_are_measured_in_processes_of_their_own() -> None:
    base, app = import_cost.compare(rounds=1)
    assert base[:1] == ["azure.functions"] and app[:1] == ["function_app"]
    assert int(str(app[-1])) > int(str(base[-1]))


def test_environment_is_as_before_after_a_bench() -> None:
    before = dict(os.environ)
    with running_tables():
        assert "PERSON_KEY" in os.environ
    assert dict(os.environ) == before


def test_best_run_of_each_way_counts() -> None:
    calls: list[str] = []
    found = in_turn({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3)
    assert calls == ["a", "b"] * 3
    assert all(one.clock >= 0 and one.cpu >= 0 for one in found.values())


def test_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    show(("activities", "ms"), [(100, 1.234), (100_000, 1234.5)])
    assert capsys.readouterr().out == "activities     ms\n       100   1.23\n   100,000  1,234\n"


def test_every_part_has_a_title_and_a_main() -> None:
    for part in bench.PARTS:
        assert "`" not in bench.title(part)
        assert (Path(bench.__file__).parent / f"{part}.py").exists()


def test_ways_of_using_graph_are_compared() -> None:
    lines = graph_client.compare(rounds=1)
    assert [line[0] for line in lines] == ["webhook", "worker", "naive use of models"]
    assert lines[0][-1] == 0
    assert int(str(lines[1][-1])) < 70 < int(str(lines[2][-1]))


@pytest.mark.stack
def test_the_past_of_mailboxes_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    backfill.main(2, 10)
    printed = capsys.readouterr().out
    assert "1 mailboxes of 10 mails" in printed
    assert "over a limit 0, with body fields 0" in printed
