"""How well scores agree with labels: metrics as numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

import numpy as np

CALIBRATION_BINS = 15
"""Of equal width, as in Guo et al., "On Calibration of Modern Neural Networks", 2017."""

CONFIDENCE_Z = 1.959964
"""Normal quantile of intervals that hold the true value 95 times in 100."""

_Scores = np.ndarray[Any, np.dtype[np.float32]]
_Labels = np.ndarray[Any, np.dtype[np.int8]]


@dataclass(frozen=True)
class Evaluation:
    """Agreement of scores with labels. A score of 0.5 or more counts as positive.

    Attributes:
        texts: Texts with a score; the figures are about these.
        unscored: Texts without one, which count in no figure.
        accuracy: Share of texts on the right side, 0 … 1.
        f1: Harmonic mean of precision and recall of the positive texts, 0 … 1.
        auc: Probability that a positive text scores above a negative one, 0 … 1.
        log_loss: Mean of -log(probability given to the truth), in nats, 0 or more.
        calibration_error: Expected calibration error over CALIBRATION_BINS, 0 … 1.
        confusion: Texts by label and verdict: `confusion[label][verdict]`, 0 negative, 1 positive.
    """

    texts: int
    unscored: int
    accuracy: float
    f1: float
    auc: float
    log_loss: float
    calibration_error: float
    confusion: tuple[tuple[int, int], tuple[int, int]]

    def to_json(self) -> dict[str, Any]:
        """Return the figures by name; one that isn't defined, such as the AUC of a single label, is None."""
        return without_nan(asdict(self))


def evaluate(scores: _Scores, labels: _Labels) -> Evaluation:
    """Return how well scores agree with labels.

    Args:
        scores: float32, shape (texts,), 0 … 1; NaN where there is none.
        labels: int8, shape (texts,): 1 positive, 0 negative.
    """
    scored = ~np.isnan(scores)
    unscored = int((~scored).sum())
    probabilities, truth = scores[scored].astype(np.float64), labels[scored] == 1
    if not len(truth):
        nan = float("nan")
        return Evaluation(0, unscored, nan, nan, nan, nan, nan, ((0, 0), (0, 0)))
    verdict = probabilities >= 0.5
    tn, fp = int((~truth & ~verdict).sum()), int((~truth & verdict).sum())
    fn, tp = int((truth & ~verdict).sum()), int((truth & verdict).sum())
    given_to_truth = np.clip(np.where(truth, probabilities, 1 - probabilities), 1e-7, None)
    return Evaluation(
        texts=len(truth),
        unscored=unscored,
        accuracy=(tp + tn) / len(truth),
        f1=2 * tp / max(2 * tp + fp + fn, 1),
        auc=_auc(probabilities, truth),
        log_loss=float(-np.log(given_to_truth).mean()),
        calibration_error=_calibration_error(probabilities, truth),
        confusion=((tn, fp), (fn, tp)),
    )


def without_nan(figures: dict[str, Any]) -> dict[str, Any]:
    """Return figures with None for those that aren't defined, for which JSON has no number."""
    return {name: None if isinstance(value, float) and isnan(value) else value for name, value in figures.items()}


def change(scores: _Scores, exact: _Scores, labels: _Labels) -> dict[str, float]:
    """Return what a lower precision changes.

    Args:
        scores: float32, shape (texts,), 0 … 1; NaN where there is none.
        exact: The same texts' scores in float32.
        labels: int8, shape (texts,): 1 positive, 0 negative.

    Returns:
        `accuracy_in_float32`, `change_of_accuracy`, and `largest_change_of_a_score`, all 0 … 1 but the second.
    """
    before = evaluate(exact, labels).accuracy
    moved = np.abs(scores - exact)
    return {
        "accuracy_in_float32": before,
        "change_of_accuracy": evaluate(scores, labels).accuracy - before,
        "largest_change_of_a_score": float(moved[~np.isnan(moved)].max(initial=0)),
    }


def _auc(probabilities: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
    """Return the area under the ROC curve from the ranks; ties count half (Mann and Whitney, 1947)."""
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return float("nan")
    _, places, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def calibration_bins(probabilities: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return which of the CALIBRATION_BINS each probability falls into, from 0 on: int64, shape (texts,)."""
    return np.minimum((probabilities * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)


def _calibration_error(probabilities: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
    """Return the mean distance, over bins of the probability, of the probability from the share of positives."""
    bins = calibration_bins(probabilities)
    gap = np.bincount(bins, probabilities - truth, CALIBRATION_BINS)
    return float(np.abs(gap).sum() / len(truth))


def wilson(successes: Any, trials: Any, z: float = CONFIDENCE_Z) -> tuple[Any, Any]:
    """Return the ends of the intervals of shares, 0 … 1.

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.

    Args:
        successes: Numbers or arrays of them, 0 … trials.
        trials: The same, 0 or more; without any the interval goes from 0 to 1.
        z: The normal quantile; by default that of 95 %.
    """
    numbers = np.maximum(trials, 1)
    shares, square = successes / numbers, z**2 / numbers
    middle = (shares + square / 2) / (1 + square)
    half = z / (1 + square) * np.sqrt(shares * (1 - shares) / numbers + square / 4 / numbers)
    seen = np.asarray(trials) > 0
    return np.where(seen, np.maximum(middle - half, 0), 0)[()], np.where(seen, np.minimum(middle + half, 1), 1)[()]
