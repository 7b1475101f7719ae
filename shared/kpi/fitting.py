"""Fitting the parameters of health to what happened: frequency, half-life and points, never the formula (kpis 8.8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import permutations

import numpy as np

from shared.kpi.contributions import NAMES, point_array
from shared.kpi.interactions import Bools, Floats
from shared.kpi.parameters import FREQUENCY_DAYS, Parameters, Points
from shared.kpi.ranking import area_difference, area_under_roc
from shared.kpi.ties import Ties

HALF_LIVES = (14.0, 30.0, 45.0, 60.0, 90.0, 120.0)
FEWEST_POINTS = 5.0  # no contribution is fitted away: the explanation keeps all its parts
STEP = 5.0
WORTHWHILE = 5e-5  # a smaller gain of AUC moves no points
FEWEST = 30  # ties that went on, and ties that did not, below which nothing is fitted
DOUBT = 1.645  # standard errors up to which a difference of AUC may be chance: 5 %, one side

Scorer = Callable[[Ties], Floats]


@dataclass(frozen=True)
class Sample:
    """The ties of several dates, one after the other."""

    ties: tuple[Ties, ...]

    @property
    def alive(self) -> Bools:
        """Which ties went on, shape (k,)."""
        return np.concatenate([ties.alive for ties in self.ties])

    def scores(self, scorer: Scorer) -> Floats:
        """The scorer's values of all ties, shape (k,)."""
        return np.concatenate([scorer(ties) for ties in self.ties])

    def auc(self, scorer: Scorer) -> float:
        """Area under the ROC curve of a scorer."""
        return area_under_roc(self.scores(scorer), self.alive)


def health_scorer(parameters: Parameters) -> Scorer:
    """Health by these parameters, 0 to 100, unrounded; breadth and kinds play no part."""
    points = point_array(parameters.points)[:4]
    return lambda ties: np.asarray(ties.values(parameters) @ points)


def fit_pace(sample: Sample, start: Parameters) -> Parameters:
    """The frequency and half-life with the highest AUC, points left as they are; equal ones: the first of the grid."""
    return max(_paces(start), key=lambda parameters: sample.auc(health_scorer(parameters)))


def fit_cautious_pace(sample: Sample, start: Parameters) -> Parameters:
    """The shortest half-life that the sample cannot tell from the best one, with its best frequency.

    The past tells how fast things faded, not whether they will go on doing so. Where it leaves the choice open, a short memory
    follows a change of habits sooner, and where it does not, nothing is given away.
    """
    grid = _paces(start)
    scores = [sample.scores(health_scorer(parameters)) for parameters in grid]
    areas = [area_under_roc(values, sample.alive) for values in scores]
    best = scores[int(np.argmax(areas))]
    open_to = [i for i, values in enumerate(scores) if _may_be_chance(best, values, sample.alive)]
    return grid[min(open_to, key=lambda i: (grid[i].half_life_days, -areas[i]))]


def _paces(start: Parameters) -> list[Parameters]:
    return [replace(start, frequency=f, half_life_days=h) for f in FREQUENCY_DAYS for h in HALF_LIVES]


def _may_be_chance(best: Floats, other: Floats, alive: Bools) -> bool:
    difference, error = area_difference(best, other, alive)
    return difference <= DOUBT * error


def fit(sample: Sample, start: Parameters) -> Parameters:
    """A cautious pace, then the points with the highest AUC; `start` where the sample is too small to say anything.

    Points move five at a time from one contribution to another, the best move first, and sum to 100 throughout.
    """
    if min(int(sample.alive.sum()), int((~sample.alive).sum())) < FEWEST:
        return start
    return _fit_points(sample, fit_cautious_pace(sample, start))


def _fit_points(sample: Sample, start: Parameters) -> Parameters:
    values, alive = np.concatenate([ties.values(start) for ties in sample.ties]), sample.alive
    points = point_array(start.points)[:4]
    auc = area_under_roc(values @ points, alive)
    while True:
        moves = [points + STEP * (_unit(to) - _unit(source)) for source, to in permutations(range(4), 2)]
        found = [
            (area_under_roc(values @ move, alive), i) for i, move in enumerate(moves) if move.min() >= FEWEST_POINTS
        ]
        gain, i = max(found)
        if gain < auc + WORTHWHILE:
            return replace(start, points=Points(*points.tolist()))
        auc, points = gain, moves[i]


def _unit(place: int) -> Floats:
    unit: Floats = np.eye(4)[place]
    return unit


def described(parameters: Parameters) -> dict[str, float]:
    """The fitted values by name: frequency and half-life in days, and the points of each contribution."""
    points = dict(zip(NAMES, asdict(parameters.points).values(), strict=True))
    del points["breadth"]
    return {"frequency_days": parameters.frequency_days, "half_life_days": parameters.half_life_days} | points
