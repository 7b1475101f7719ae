"""How well a score sorts and foretells: area under the ROC curve, average precision, Brier score, calibration."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shared.kpi.interactions import Bools, Floats

_NEWTON_STEPS = 50
_RIDGE = 1e-6  # keeps the fit finite when a score separates perfectly


def area_under_roc(scores: Floats, positive: Bools) -> float:
    """Probability that a positive scores above a negative, ties counting half; 0.5 is chance, 1 is best.

    Both kinds must be present, else ValueError. Mann-Whitney's U by mean ranks.

    >>> area_under_roc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, True, False, True]))
    0.875
    """
    n, positives = len(scores), int(positive.sum())
    if positives in (0, n):
        raise ValueError("the area under the curve needs positives and negatives")
    _, group, size = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(size) - (size - 1) / 2)[group]
    return float((rank[positive].sum() - positives * (positives + 1) / 2) / (positives * (n - positives)))


def area_difference(scores: Floats, others: Floats, positive: Bools) -> tuple[float, float]:
    """By how much the area of `scores` exceeds that of `others` on the same cases, and the standard error of this.

    The two are compared case by case, so what both get wrong does not blur the difference (DeLong, DeLong, Clarke-Pearson
    1988). Both kinds must be there at least twice, else ValueError.

    >>> alive = np.array([False, False, True, True])
    >>> [round(n, 4) for n in area_difference(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 1.0, 1.0, 4.0]), alive)]
    [0.375, 0.3953]
    """
    if min(int(positive.sum()), int((~positive).sum())) < 2:
        raise ValueError("comparing two areas needs two positives and two negatives")
    above, below = (a - b for a, b in zip(_placements(scores, positive), _placements(others, positive), strict=True))
    variance = above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below)
    return float(above.mean()), math.sqrt(float(variance))


def _placements(scores: Floats, positive: Bools) -> tuple[Floats, Floats]:
    """For each positive the share of negatives below it, for each negative the share of positives above; ties count half."""
    high, low = scores[positive], scores[~positive]
    return _share_below(high, np.sort(low)), 1.0 - _share_below(low, np.sort(high))


def _share_below(values: Floats, ordered: Floats) -> Floats:
    places = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    share: Floats = places / (2 * len(ordered))
    return share


def average_precision(scores: Floats, positive: Bools) -> float:
    """Mean precision at each positive, best score first; equal scores are taken in one step. Needs a positive (ValueError).

    >>> average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True])).__round__(4)
    0.8333
    """
    if not positive.any():
        raise ValueError("average precision needs positives")
    order = np.argsort(-scores, kind="stable")
    last_of_step = np.append(np.diff(scores[order]) != 0, True)
    hits = np.cumsum(positive[order])[last_of_step]
    precision = hits / (np.flatnonzero(last_of_step) + 1)
    return float((np.diff(hits, prepend=0) * precision).sum() / hits[-1])


@dataclass(frozen=True)
class Logistic:
    """Probability from a score: `1 / (1 + exp(−(a + b·(score − centre)/scale)))`."""

    a: float
    b: float
    centre: float
    scale: float

    def probability(self, scores: Floats) -> Floats:
        """Probabilities, 0 to 1, of the same shape as the scores."""
        return _sigmoid(self.a + self.b * (scores - self.centre) / self.scale)


def fit_logistic(scores: Floats, positive: Bools) -> Logistic:
    """Maximum likelihood by Newton's method, with a very small ridge. A constant score gives the base rate."""
    centre, scale = float(scores.mean()), float(scores.std()) or 1.0
    x = np.stack([np.ones(len(scores)), (scores - centre) / scale], axis=1)
    beta = np.zeros(2)
    for _ in range(_NEWTON_STEPS):
        p = _sigmoid(x @ beta)
        gradient = x.T @ (positive - p) - _RIDGE * beta
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(2), gradient)
        beta = beta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:
            break
    return Logistic(float(beta[0]), float(beta[1]), centre, scale)


def brier(probabilities: Floats, positive: Bools) -> float:
    """Mean squared distance of the probabilities from what happened; 0 is best, 0.25 is a coin."""
    return float(((probabilities - positive) ** 2).mean())


def calibration_error(probabilities: Floats, positive: Bools, groups: int = 10) -> float:
    """Mean distance between the foretold and the seen share over groups of equal size, by probability; 0 is best."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, groups) if len(part)]
    gaps = [len(part) * abs(float(probabilities[part].mean() - positive[part].mean())) for part in parts]
    return sum(gaps) / len(order)


def _sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -500.0, 500.0)))
