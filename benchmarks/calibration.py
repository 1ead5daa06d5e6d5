"""What fifty labelled texts do for a model on texts of another kind, by `textsent calibrate`; and what harm.

python -m benchmarks --only calibration [--model M] [--data train.parquet]

For each set fifty texts are drawn, the model is calibrated by them, or isn't where that wouldn't help, and measured
on the others; DRAWS times. The sets are those of `benchmarks.domains` with their positive and negative texts, the
short film texts of the part held out where the labelled reviews are given, and made log-odds: what a model with no
fault would give, with one fault each. The constants of `textsent.calibrate` were chosen on made log-odds and film
texts, on none of the other sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.domains import DATA, DOMAINS, MAIL, NEUTRAL, POSITIVE, film_parts, read_set
from benchmarks.measure import Figure
from textsent.odds import log_odds, probabilities

ROWS, DRAWS = 50, 50

WORSE = 1.0  # points of balanced accuracy: the size of a loss that counts as one

_MADE = 4000  # texts
_DISTANCE = 1.5  # of the labels' means, in standard deviations
FAULTS = {"no fault": (1.0, 0.0), "too sure": (2.5, 0.0), "too positive": (1.0, 1.0), "both": (2.5, 1.0)}
"""What made log-odds are multiplied by, and what is added to them before, in standard deviations."""


class Scored(NamedTuple):
    """A set with a model's scores.

    Attributes:
        name: What it is called.
        scores: float32, shape (texts,), 0 … 1, none of them NaN.
        labels: int8, shape (texts,): 1 positive, 0 negative.
    """

    name: str
    scores: np.ndarray
    labels: np.ndarray


class Change(NamedTuple):
    """What calibrating by some texts changes on the others.

    Attributes:
        accuracy: Points that are gained.
        balanced_accuracy: Points that are gained.
        log_loss: Nats that are lost, both labels counting the same.
        is_changed: Whether anything was found to help.
    """

    accuracy: float
    balanced_accuracy: float
    log_loss: float
    is_changed: bool


def figures(model: str, data: Path | None = None, draws: int = DRAWS) -> Iterator[Figure]:
    """Measure.

    Args:
        model: A shipped preset's name, or a preset's folder.
        data: The labelled film reviews that the model was trained on.
        draws: How often fifty texts are drawn of a set.
    """
    sets = list(scored_sets(model))
    films = list(scored_films(model, data)) if data else []
    gains, losses = {}, []
    for scored in (*sets, *films, *made_sets()):
        changes = [change(scored, seed) for seed in range(draws)]
        gains[scored.name] = mean(one.balanced_accuracy for one in changes)
        losses += [one.balanced_accuracy < -WORSE for one in changes]
        for what, value, unit in (
            ("draws in which it is calibrated", 100 * mean(one.is_changed for one in changes), "%"),
            ("accuracy", mean(one.accuracy for one in changes), "points"),
            ("balanced accuracy", gains[scored.name], "points"),
            ("balanced accuracy that a bias can add, in hindsight", most(scored), "points"),
            ("log loss", -mean(one.log_loss for one in changes), "nats"),
        ):
            yield _figure(f"{scored.name}: {what}", value, unit)
    names = [scored.name for scored in sets]
    yield _figure(f"mean of {', '.join(names)}", mean(gains[name] for name in names), "points", 3)
    yield _figure("largest mean loss of a set", max(0.0, *(-gain for gain in gains.values())), "points", -0.5)
    yield _figure(f"draws that lose more than {WORSE:g} point", 100 * mean(losses), "%", -1)


def scored_sets(model: str) -> Iterator[Scored]:
    """Yield the sets of other people's texts, scored, but for those that are neutral."""
    from textsent.score import load

    scorer = load(model, device="cpu")
    for path in (*(DATA / "domains" / f"{name}.csv" for name in DOMAINS), DATA / MAIL):
        found = read_set(path)
        yield _scored(found.name, scorer.score(found.texts), found.labels)


def scored_films(model: str, data: Path) -> Iterator[Scored]:
    """Yield the short texts of the films that were held out, scored."""
    from textsent.score import load

    scorer = load(model, device="cpu")
    for found in film_parts(data, model):
        yield _scored(found.name, scorer.score(found.texts), found.labels)


def made_sets() -> Iterator[Scored]:
    """Yield scores of a made model: log-odds normally distributed by label, with the faults of FAULTS."""
    drawn = np.random.default_rng(0)
    labels = (np.arange(_MADE) % 2).astype(np.int8)
    for name, (factor, shift) in FAULTS.items():
        # With this mean and this standard deviation they are the log-odds of the truth.
        exact = _DISTANCE * (drawn.standard_normal(_MADE) + _DISTANCE * (labels - 0.5))
        odds = factor * (exact + shift * _DISTANCE)
        yield Scored(f"made, {name}", probabilities(odds).astype(np.float32), labels)


def most(scored: Scored) -> float:
    """Return the points of balanced accuracy that the best bias adds, found by the very texts it is measured on."""
    order = np.argsort(scored.scores, kind="stable")
    scores, labels = scored.scores[order], scored.labels[order]
    last = np.append(scores[1:] > scores[:-1], True)  # texts of one score are on one side
    below = [np.cumsum(labels == label)[last] / (labels == label).sum() for label in (0, 1)]
    balanced = float(max((1 + below[0] - below[1]).max() / 2, 0.5))
    return 100 * (balanced - _measured(scored.scores - 0.5, scored.labels)[1])


def change(scored: Scored, seed: int) -> Change:
    """Return what calibrating by ROWS texts, drawn at random, changes on the others."""
    from textsent.calibrate import find_calibration
    from textsent.datasets import LabelledTexts

    order = np.random.default_rng(seed).permutation(len(scored.labels))
    drawn, others = order[:ROWS], order[ROWS:]
    names = pa.array([str(number) for number in drawn])
    labelled = LabelledTexts(names, scored.labels[drawn], names, named_groups=False)
    found = find_calibration(labelled, scored.scores[drawn], np.empty(0, np.float32))
    before, labels = log_odds(scored.scores[others]), scored.labels[others]
    after = before / found.temperature + found.bias
    (accuracy, balanced, loss), (new_accuracy, new_balanced, new_loss) = (
        _measured(odds, labels) for odds in (before, after)
    )
    points = 100 * (new_accuracy - accuracy), 100 * (new_balanced - balanced)
    return Change(*points, loss - new_loss, found.helps)


def _measured(odds: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    """Return accuracy, balanced accuracy, and the log loss with both labels counting the same."""
    right, losses = (odds >= 0) == labels, np.logaddexp(0, odds) - labels * odds
    balanced, loss = (mean(float(part[labels == label].mean()) for label in (0, 1)) for part in (right, losses))
    return float(right.mean()), balanced, loss


def _scored(name: str, scores: np.ndarray, labels: np.ndarray) -> Scored:
    polar = (labels != NEUTRAL) & ~np.isnan(scores)
    return Scored(name, scores[polar], (labels[polar] == POSITIVE).astype(np.int8))


def _figure(what: str, value: float, unit: str, reach: float | None = None) -> Figure:
    return Figure("calibration", what, value, unit, reach)
