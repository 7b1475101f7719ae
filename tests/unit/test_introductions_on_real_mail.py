"""Who knows whom against simpler rankings on real mail, pooled over eleven splits into colleagues and others.

The mail stays out of the repository: its folder is RAPPORT_MAIL_DATA, or `shared/data` beside the project. Single splits have
400 cases and differ by chance, so only the pool is held to be no worse.
"""

import os
from pathlib import Path

import pytest

from bench.evaluate_introductions import evaluate
from bench.mail_log import read_mail_log

FOLDER = Path(os.environ.get("RAPPORT_MAIL_DATA") or Path(__file__).parents[3] / "shared" / "data")
OTHERS = ("count", "recency", "decay_60_days")


def splits(people: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every second, third and fourth person, from each start, and both halves of the ids."""
    middle = len(people) // 2
    every = [people[start::step] for step in (2, 3, 4) for start in range(step)]
    return [*every, people[:middle], people[middle:]]


@pytest.fixture(scope="module", params=["enron.csv.gz", "radoslaw.csv.gz"])
def pooled(request) -> dict[str, dict[str, float]]:
    """Mean figures per ranking, each case with the same weight."""
    path = FOLDER / request.param
    if not path.exists():
        pytest.skip(f"{path} is not there: set RAPPORT_MAIL_DATA to the folder with the mail logs")
    log = read_mail_log(path)
    lines = [line for colleagues in splits(log.people) for line in evaluate(log, colleagues)]
    found = {}
    for ranking in ("rapport", *OTHERS):
        mine = [line for line in lines if line["ranking"] == ranking]
        cases = sum(line["n"] for line in mine)
        found[ranking] = {
            figure: sum(line[figure] * line["n"] for line in mine) / cases for figure in ("hit_at_1", "hit_at_5", "mrr")
        }
    return found


# Nearly everybody is found among the first five by every ranking: a thousandth is five cases of the pool.
@pytest.mark.parametrize(("figure", "slack"), [("hit_at_1", 0), ("hit_at_5", 0.001), ("mrr", 0)])
def test_no_simpler_ranking_is_better(pooled, figure, slack):
    assert pooled["rapport"][figure] >= max(pooled[other][figure] for other in OTHERS) - slack
