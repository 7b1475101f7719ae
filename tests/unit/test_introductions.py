"""The evaluation of introductions: reading mail logs, its dates, its cases, and its figures on hand-made mail."""

import gzip
import json
from dataclasses import fields, replace
from unittest.mock import ANY

import msgspec
import pytest

from bench.evaluate_introductions import evaluate, main, settings_of
from bench.introductions import (
    GRID,
    HIDDEN,
    Case,
    by_count,
    by_decay,
    by_recency,
    by_strength,
    cases,
    dates_of,
    pairs_of,
)
from bench.mail_log import read_mail_log
from shared.kpi.interactions import Interactions, Role
from shared.kpi.parameters import DAY, Parameters
from shared.organisation import parameters_of
from shared.organisation_settings import OrganisationSettings

START = 1_600_000_000
STRENGTH = [field.name for field in fields(Parameters) if field.name.startswith("strength_")]
RANKINGS = ["rapport", "rapport_default", "count", "recency", "decay_60_days"]


def log_of(tmp_path, *rows: str):
    """A log of rows `sender recipient day`."""
    lines = ["sender,recipient,unix_time"]
    for row in rows:
        sender, recipient, day = row.split()
        lines.append(f"{sender},{recipient},{START + int(float(day) * DAY)}")
    path = tmp_path / "mail.csv"
    path.write_text("\n".join(lines) + "\n")
    return read_mail_log(path)


def keys(log, *people: str) -> list[int]:
    return [log.people.index(person) + 1 for person in people]


def test_rows_of_one_sender_at_one_instant_are_one_mail(tmp_path):
    log = log_of(tmp_path, "a x 1", "a y 1", "b x 1", "a a 2", "a x 1")
    assert log.people == ("a", "b", "x", "y")
    assert len(log.interactions) == 2
    assert log.interactions.part_index.tolist() == [0, 0, 0, 1, 1]
    assert log.interactions.part_person.tolist() == [1, 3, 4, 2, 3]
    assert log.interactions.part_role.tolist() == [Role.FROM, Role.TO, Role.TO, Role.FROM, Role.TO]


def test_the_other_form_has_iso_times_and_roles(tmp_path):
    path = tmp_path / "mail.csv.gz"
    with gzip.open(path, "wt") as lines:
        lines.write("time,sender,recipient,recipient_type\n2001-05-01T12:00:00Z,a,x,to\n2001-05-01T12:00:00Z,a,y,cc\n")
        lines.write("2001-05-01T12:00:00Z,a,z,bcc\n")
    log = read_mail_log(path)
    assert log.people == ("a", "x", "y")
    assert log.interactions.at.tolist() == [988_718_400]
    assert log.interactions.part_role.tolist() == [Role.FROM, Role.TO, Role.CC]


def test_another_header_is_refused(tmp_path):
    path = tmp_path / "mail.csv"
    path.write_text("from,to\na,b\n")
    with pytest.raises(ValueError, match="no mail log"):
        read_mail_log(path)


def test_an_empty_log_has_no_interaction(tmp_path):
    assert len(log_of(tmp_path).interactions) == 0
    with pytest.raises(ValueError, match="240 days"):
        dates_of(pairs_of(Interactions.empty(), [1]).met)


def test_what_is_fitted_lies_before_the_middle_and_what_is_hidden_after_it(tmp_path):
    log = log_of(tmp_path, *(f"a x {day}" for day in range(1001)))
    fit, test = dates_of(pairs_of(log.interactions, keys(log, "a")).met)
    middle = START + 500 * DAY
    assert max(fit) <= middle <= min(test) - HIDDEN
    assert min(fit) >= START + HIDDEN + 30 * DAY
    assert max(test) <= START + 1000 * DAY
    assert len(fit) == len(test) == 6


ROWS = (
    *(f"a x {day}" for day in (1, 2, 3)),  # a: often, long ago
    "x b 95",  # b: once, lately
    "b x 150",  # in the hidden 90 days of day 190
    "c y 150",  # y was unknown before: no case
    "c z 99",  # nobody met z in the hidden days: no case
)


@pytest.mark.parametrize(
    ("ranking", "expected"),
    [(by_count, Case(False, True, 0.5)), (by_recency, Case(True, True, 1.0)), (by_decay, Case(False, True, 0.5))],
)
def test_a_case_says_where_the_right_colleague_stood(tmp_path, ranking, expected):
    log = log_of(tmp_path, *ROWS)
    pairs = pairs_of(log.interactions, keys(log, "a", "b", "c"))
    found = cases(pairs, ranking, START + 190 * DAY)
    assert list(found.values()) == [expected]


def test_nothing_after_the_cut_is_read(tmp_path):
    log = log_of(tmp_path, *ROWS, *(f"b x {day}" for day in range(101, 180)))
    pairs = pairs_of(log.interactions, keys(log, "a", "b", "c"))
    for ranking in (by_count, by_decay, by_strength(Parameters())):
        assert cases(pairs, ranking, START + 190 * DAY) == {0: Case(False, True, 0.5)}


def test_a_colleague_nobody_could_have_ranked_is_a_miss(tmp_path):
    log = log_of(tmp_path, "a x 1", "b x 150")
    found = cases(pairs_of(log.interactions, keys(log, "a", "b")), by_count, START + 190 * DAY)
    assert list(found.values()) == [Case(False, False, 0.0)]


def steady_log(tmp_path):
    """a writes to x each week, b to x each month, both ways; c met x once. 400 days."""
    rows = [
        f"{who} {whom} {day + shift}" for day in range(0, 400, 7) for who, whom, shift in (("a", "x", 0), ("x", "a", 1))
    ]
    rows += [f"b x {day}" for day in range(2, 100, 30)] + ["c x 5"]
    return log_of(tmp_path, *rows)


def test_everyone_finds_the_only_colleague_in_contact(tmp_path):
    lines = evaluate(steady_log(tmp_path), ["a", "b", "c", "nobody"])
    assert [line["ranking"] for line in lines] == RANKINGS
    assert {(line["hit_at_1"], line["hit_at_5"], line["mrr"], line["n"]) for line in lines} == {(1.0, 1.0, 1.0, 6)}


def test_the_command_prints_a_json_line_per_ranking(tmp_path, capsys):
    steady_log(tmp_path)
    (tmp_path / "colleagues").write_text("a\nb\n")
    assert main([str(tmp_path / "mail.csv"), str(tmp_path / "colleagues")]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["ranking"] for line in lines] == RANKINGS
    assert all({"hit_at_1", "hit_at_5", "mrr", "n"} <= set(line) for line in lines)


def test_without_files_it_is_the_sample_and_ours_leads_there(capsys):
    assert main([]) == 0
    ours, _, *simpler = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert all(ours[measure] >= line[measure] for line in simpler for measure in ("hit_at_1", "hit_at_5", "mrr"))
    assert ours["n"] > 300


def test_the_printed_settings_make_the_app_rank_as_it_was_measured(tmp_path):
    settings = evaluate(steady_log(tmp_path), ["a", "b", "c"])[0]["settings"]
    served = parameters_of(msgspec.convert(settings, OrganisationSettings))
    assert served == replace(Parameters(), **{name: getattr(GRID[0], name) for name in STRENGTH}, working_calendar=ANY)


def test_each_fitted_choice_can_be_published():
    for choice in GRID:
        document = msgspec.json.encode({"whoKnowsWhom": settings_of(choice)})
        served = parameters_of(msgspec.json.decode(document, type=OrganisationSettings))
        assert [getattr(served, name) for name in STRENGTH] == [getattr(choice, name) for name in STRENGTH]


def test_the_command_says_how_it_is_used(capsys):
    assert main(["mail.csv"]) == 2
    assert "MAIL COLLEAGUES" in capsys.readouterr().err
