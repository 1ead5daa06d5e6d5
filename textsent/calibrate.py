"""Calibration: a temperature, a bias and a neutral band, fitted on a few labelled texts.

A calibrated score is sigmoid(log-odds / temperature + bias). The temperature is that of Guo et al., "On Calibration
of Modern Neural Networks", 2017; the bias makes it Platt's scaling, "Probabilistic Outputs for Support Vector
Machines", 1999. They have the greatest posterior probability under a prior by which the model is about right as it
is, so that fifty texts are enough. Kept is what helps, by cross-validation, on texts that it wasn't fitted on.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from textsent.datasets import LabelledTexts, class_weights
from textsent.errors import InputError, OptionError
from textsent.evaluate import CALIBRATION_BINS, calibration_bins
from textsent.odds import log_odds, probabilities
from textsent.presets import (
    CALIBRATION,
    CONFIG_FILE,
    HISTORY_FILE,
    METADATA_FILE,
    NO_CALIBRATION,
    PICTURES_FOLDER,
    README_FILE,
    Calibration,
    new_preset,
    preset_files,
    read_json,
    write_json,
)

CLASS_WEIGHTS = ("balanced", "none")

LEAST_TEXTS, LEAST_OF_A_LABEL, LEAST_NEUTRAL = 30, 5, 10
"""Texts with a score without which nothing is fitted: positive and negative ones, each of these, neutral ones."""

FOLDS, REPEATS = 5, 10

LOG_TEMPERATURE_SPREAD, BIAS_SPREAD = 0.35, 0.7
"""Standard deviations of the prior of the temperature's logarithm and of the bias. Chosen by a simulation, which
docs/adapting.md describes, among 0.2 to 0.7 and 0.5 to 1.5: wider ones do more harm where there is nothing to gain,
narrower ones gain less log loss."""

TEMPERATURE_ERRORS, BIAS_ERRORS, FALL_ERRORS, BAND_ERRORS = 1.0, 0.5, 0.5, 1.0
"""In standard errors: by how much a temperature must lower the log loss, and a bias must lower it further; by how
much a bias may lower the accuracy or the balanced accuracy; and by how much a neutral band must raise the balanced
accuracy of three labels. By the same simulation."""

ACCURACY, BALANCED_ACCURACY, LOG_LOSS, CALIBRATION_ERROR, OF_THREE = (
    "accuracy",
    "balanced accuracy",
    "log loss",
    "calibration error",
    "balanced accuracy, three labels",
)

_SECTION = "## Calibrated on other texts"
_RESAMPLES = 200
_BAND_PLACES = 100
_MOST_STEPS = 50

_Scores = np.ndarray[Any, np.dtype[np.float32]]
_Labels = np.ndarray[Any, np.dtype[np.int8]]
_Floats = np.ndarray[Any, np.dtype[np.float64]]
_Longs = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Gain:
    """What calibrating does to a figure, cross-validated.

    Attributes:
        figure: ACCURACY, BALANCED_ACCURACY, CALIBRATION_ERROR and OF_THREE: 0 … 1; LOG_LOSS: nats, 0 or more.
        before: Its value.
        after: Its value on texts that the calibration wasn't fitted on, the mean of REPEATS.
        error: Standard error of the change.
    """

    figure: str
    before: float
    after: float
    error: float

    @property
    def change(self) -> float:
        """What is added to the figure."""
        return self.after - self.before


@dataclass(frozen=True)
class Outcome:
    """What labelled texts say of a model's scores.

    Attributes:
        temperature: What the log-odds are to be divided by; 1 where that doesn't help.
        bias: What is then to be added to them; 0 where that doesn't help.
        neutral: The scores, so calibrated, from which to which texts are neutral; None where no band helps.
        gains: ACCURACY to CALIBRATION_ERROR by what is kept, or where nothing is by temperature and bias; with
            LEAST_NEUTRAL neutral texts OF_THREE too, by a band in place of the model's own.
        class_weight: `balanced` where both labels counted the same in log loss and calibration error, else `none`.
        texts: Texts with a score, by label: `negative`, `positive`, `neutral`.
    """

    temperature: float
    bias: float
    neutral: tuple[float, float] | None
    gains: tuple[Gain, ...]
    class_weight: str
    texts: dict[str, int]

    @property
    def helps(self) -> bool:
        """Whether anything is to be changed."""
        return self.neutral is not None or (self.temperature, self.bias) != (1.0, 0.0)

    def to_json(self) -> dict[str, Any]:
        """Return what a preset's metadata hold of it."""
        return {
            "temperature": self.temperature,
            "bias": self.bias,
            "neutral": None if self.neutral is None else list(self.neutral),
            "class_weight": self.class_weight,
            "texts": self.texts,
            "cross_validated": {
                gain.figure.replace(",", "").replace(" ", "_"): {
                    "before": gain.before,
                    "after": gain.after,
                    "standard_error_of_the_change": gain.error,
                }
                for gain in self.gains
            },
        }


def find_calibration(
    data: LabelledTexts,
    scores: _Scores,
    neutral_scores: _Scores,
    class_weight: str = "balanced",
    band: tuple[float, float] | None = None,
) -> Outcome:
    """Return the calibration that helps on texts like the labelled ones.

    Args:
        data: Labelled texts. Those of one group are never both fitted on and measured on.
        scores: float32, shape (texts,): a model's scores of them, 0 … 1; those that are NaN are left out.
        neutral_scores: float32, shape (neutral texts,): its scores of `data.neutral`.
        class_weight: `balanced`: both labels count the same, so that 0.5 is as far from one as from the other,
            however many texts have them; `none`: scores are probabilities where labels are as frequent as in
            `data`.
        band: The model's own neutral band, which another one must be better than; None where it has none.

    Raises:
        InputError: There are too few texts to tell.
        OptionError: There is no such class weight.
    """
    if class_weight not in CLASS_WEIGHTS:
        raise OptionError(f"the class weight must be one of {', '.join(CLASS_WEIGHTS)}. Received: {class_weight!r}")
    scored = ~np.isnan(scores)
    odds, labels = log_odds(scores[scored]), data.labels[scored]
    neutral_odds = log_odds(neutral_scores[~np.isnan(neutral_scores)])
    groups = np.unique(data.groups.to_numpy(zero_copy_only=False)[scored], return_inverse=True)[1]
    positive = int((labels == 1).sum())
    texts = {"negative": len(labels) - positive, "positive": positive, "neutral": len(neutral_odds)}
    _check_numbers(texts, len(scores) - len(labels))
    draw = np.random.default_rng(0)
    folds = np.stack([_folds(labels, groups, draw) for _ in range(REPEATS)])
    found, gains = _scaling(odds, labels, groups, folds, class_weight)
    better_band = None
    if len(neutral_odds) >= LEAST_NEUTRAL:
        neutral_folds = np.stack([draw.permutation(len(neutral_odds)) % FOLDS for _ in range(REPEATS)])
        kept = _Kept(found.temperature != 1, found.bias != 0, class_weight)
        gain = _band_gain(odds, labels, groups, folds, neutral_odds, neutral_folds, kept, band)
        gains = (*gains, gain)
        if gain.change > BAND_ERRORS * gain.error:
            moved, neutral = (part / found.temperature + found.bias for part in (odds, neutral_odds))
            better_band = fit_band(moved[labels == 0], neutral, moved[labels == 1])
    return Outcome(found.temperature, found.bias, better_band, gains, class_weight, texts)


def write_calibrated(
    outcome: Outcome, data: LabelledTexts, preset: Path, output: Path, command: str = ""
) -> Calibration:
    """Write a preset again with the calibration that was found; return what that makes of its own.

    Args:
        outcome: Found by the scores of this preset.
        data: By which it was found.
        preset: Its folder.
        output: Folder to write; one of that name is replaced.
        command: The command line, to be stored with the new preset.

    Raises:
        InputError: Nothing that was found helps.
        OutputError: The folder can't be written.
    """
    if not outcome.helps:
        accuracy, _, log_loss, *_ = outcome.gains
        raise InputError(
            "calibrating wouldn't help: on texts that it isn't fitted on, accuracy would go from "
            f"{accuracy.before:.3f} to {accuracy.after:.3f} and log loss from {log_loss.before:.3f} to "
            f"{log_loss.after:.3f}, which is no gain or may be chance: keep the model as it is, or label more texts"
        )
    calibration = Calibration.from_preset(preset).then(outcome.temperature, outcome.bias)
    if outcome.neutral is not None:
        calibration = replace(calibration, neutral=outcome.neutral)
    config, metadata = read_json(preset / CONFIG_FILE), read_json(preset / METADATA_FILE)
    sha256 = _with_neutral(data).digest()
    created = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {"command": command, "created": created, "sha256": sha256, **outcome.to_json()}
    with new_preset(output) as folder:
        for name in {*preset_files(preset), HISTORY_FILE, README_FILE}:
            if (preset / name).is_file():
                shutil.copyfile(preset / name, folder / name)
        if (preset / PICTURES_FOLDER).is_dir():
            shutil.copytree(preset / PICTURES_FOLDER, folder / PICTURES_FOLDER)
        write_json(folder / CONFIG_FILE, {**config, CALIBRATION: calibration.to_json()})
        write_json(folder / METADATA_FILE, {**metadata, CALIBRATION: facts})
        card = folder / README_FILE
        before = card.read_text("utf-8") if card.is_file() else ""
        card.write_text(_card(before, outcome, sha256, command), "utf-8")
    return calibration


def fit_temperature(scores: _Scores, labels: _Labels) -> float:
    """Return the temperature by which scores are probabilities, with no bias; it changes no verdict.

    Args:
        scores: float32, shape (texts,), 0 … 1, none of them NaN.
        labels: int8, shape (texts,): 1 positive, 0 negative.
    """
    return fit_scaling(log_odds(scores), labels, np.ones(len(labels)), with_bias=False).temperature


def fit_scaling(odds: _Floats, labels: _Labels, weights: _Floats, with_bias: bool = True) -> Calibration:
    """Return the temperature, and the bias, that have the greatest posterior probability.

    That of the logarithm of the temperature and of the bias is found by Fisher scoring, each step halved until it
    is no step back.

    Args:
        odds: float64, shape (texts,): log-odds.
        labels: int8, shape (texts,): 1 positive, 0 negative.
        weights: float64, shape (texts,): what each text counts.
        with_bias: Whether a bias is fitted too.
    """
    spread = np.array([LOG_TEMPERATURE_SPREAD, BIAS_SPREAD][: 1 + with_bias])

    def cost(point: _Floats) -> float:
        calibrated = np.exp(-point[0]) * odds + point[1:].sum()
        losses = np.logaddexp(0, calibrated) - labels * calibrated
        return float((weights * losses).sum() + ((point / spread) ** 2).sum() / 2)

    point = np.zeros(len(spread))
    least = cost(point)
    for _ in range(_MOST_STEPS):
        scaled = np.exp(-point[0]) * odds
        positive = probabilities(scaled + point[1:].sum())
        slopes = np.stack([-scaled, np.ones(len(odds))])[: len(point)]  # (parameters, texts)
        gradient = slopes @ (weights * (positive - labels)) + point / spread**2
        curvature = (slopes * (weights * positive * (1 - positive))) @ slopes.T + np.diag(spread**-2.0)
        step = np.linalg.solve(curvature, gradient)
        while (reached := cost(point - step)) > least and np.abs(step).max() > 1e-9:
            step = step / 2
        if reached > least:
            break
        point, least = point - step, reached
        if np.abs(step).max() < 1e-6:
            break
    return Calibration(round(float(np.exp(point[0])), 4), round(float(point[1:].sum()), 4))


def fit_band(negative: _Floats, neutral: _Floats, positive: _Floats) -> tuple[float, float] | None:
    """Return the scores between which texts are best called neutral, or None where none should be.

    Each end is where the shares of the two labels beside it that lie on their own sides are largest in sum,
    Youden's index, with the distributions smoothed (Fluss, Faraggi and Reiser, "Estimation of the Youden Index and
    its Associated Cutoff Point", 2005). So the three labels count the same. The band holds 0.5.

    Args:
        negative: float64, shape (texts,): calibrated log-odds of texts labelled negative, at least one.
        neutral: Those of texts labelled neutral.
        positive: Those of texts labelled positive.
    """
    least, most = (pick(np.concatenate([negative, neutral, positive])) for pick in (np.min, np.max))
    below, above = np.linspace(min(least, 0), 0, _BAND_PLACES), np.linspace(0, max(most, 0), _BAND_PLACES)
    low = below[np.argmax(_share_below(below, negative) - _share_below(below, neutral))]
    high = above[np.argmax(_share_below(above, neutral) - _share_below(above, positive))]
    if low == high:
        return None
    return round(float(probabilities(low)), 3), round(float(probabilities(high)), 3)


@dataclass(frozen=True)
class _Kept:
    """What of a scaling is fitted, so that it can be fitted again."""

    has_temperature: bool
    has_bias: bool
    class_weight: str

    def fit(self, odds: _Floats, labels: _Labels) -> Calibration:
        if not self.has_temperature and not self.has_bias:
            return NO_CALIBRATION
        return fit_scaling(odds, labels, _weights(labels, self.class_weight), self.has_bias)


def _scaling(
    odds: _Floats, labels: _Labels, groups: _Longs, folds: _Longs, class_weight: str
) -> tuple[Calibration, tuple[Gain, ...]]:
    """Return the temperature and bias that help, and what they change."""
    weights = _weights(labels, class_weight)
    by_temperature, by_both = _Kept(True, False, class_weight), _Kept(True, True, class_weight)
    warmed, moved = (_calibrated(kept, odds, labels, folds) for kept in (by_temperature, by_both))
    of_temperature, of_both = (_gains(odds, after, labels, weights, groups) for after in (warmed, moved))
    of_bias = _gain(LOG_LOSS, _losses(warmed, labels), _losses(moved, labels), weights, groups)
    accuracy, balanced, log_loss, _ = of_both
    if (
        log_loss.change < -BIAS_ERRORS * log_loss.error
        and of_bias.change < -BIAS_ERRORS * of_bias.error
        and accuracy.change >= -FALL_ERRORS * accuracy.error
        and balanced.change >= -FALL_ERRORS * balanced.error
    ):
        return by_both.fit(odds, labels), of_both
    log_loss = of_temperature[2]
    if log_loss.change < -TEMPERATURE_ERRORS * log_loss.error:
        return by_temperature.fit(odds, labels), of_temperature
    return NO_CALIBRATION, of_both


def _band_gain(
    odds: _Floats,
    labels: _Labels,
    groups: _Longs,
    folds: _Longs,
    neutral_odds: _Floats,
    neutral_folds: _Longs,
    kept: _Kept,
    own_band: tuple[float, float] | None,
) -> Gain:
    """Return how a fitted neutral band changes the balanced accuracy of three labels, against its own or none."""
    own = Calibration(neutral=own_band)
    before = np.zeros((REPEATS, len(odds) + len(neutral_odds)))
    after = np.zeros_like(before)
    for repeat, (fold_of, neutral_fold_of) in enumerate(zip(folds, neutral_folds, strict=True)):
        for fold in range(FOLDS):
            fitted_on, held_out = fold_of != fold, fold_of == fold
            found = kept.fit(odds[fitted_on], labels[fitted_on])
            moved, neutral = (part / found.temperature + found.bias for part in (odds, neutral_odds))
            band = fit_band(
                moved[fitted_on & (labels == 0)], neutral[neutral_fold_of != fold], moved[fitted_on & (labels == 1)]
            )
            right, scores, neutral_scores = (moved >= 0) == labels, probabilities(moved), probabilities(neutral)
            for verdicts, used in ((before, own.then(found.temperature, found.bias).neutral), (after, band)):
                low, high = used or (2.0, 2.0)
                outside = (scores < low) | (scores > high)
                verdicts[repeat, : len(odds)][held_out] = (right & outside)[held_out]
                inside = (neutral_scores >= low) & (neutral_scores <= high)
                verdicts[repeat, len(odds) :][neutral_fold_of == fold] = inside[neutral_fold_of == fold]
    three = np.concatenate([labels, np.full(len(neutral_odds), 2)])
    weights = (len(three) / (3 * np.bincount(three)))[three]
    all_groups = np.concatenate([groups, groups.max() + 1 + np.arange(len(neutral_odds))])
    return _gain(OF_THREE, before, after, weights, all_groups)


def _calibrated(kept: _Kept, odds: _Floats, labels: _Labels, folds: _Longs) -> _Floats:
    """Return log-odds calibrated by the other folds: float64, shape (repeats, texts)."""
    calibrated = np.empty(folds.shape)
    for repeat, fold_of in enumerate(folds):
        for fold in range(FOLDS):
            fitted_on, held_out = fold_of != fold, fold_of == fold
            found = kept.fit(odds[fitted_on], labels[fitted_on])
            calibrated[repeat, held_out] = odds[held_out] / found.temperature + found.bias
    return calibrated


def _gains(
    before: _Floats, after: _Floats, labels: _Labels, weights: _Floats, groups: _Longs
) -> tuple[Gain, Gain, Gain, Gain]:
    """Return the gains from log-odds, shape (texts,), to calibrated ones, shape (repeats, texts)."""
    right_before, right_after = (((odds >= 0) == labels).astype(np.float64) for odds in (before, after))
    return (
        _gain(ACCURACY, right_before, right_after, np.ones(len(labels)), groups),
        _gain(BALANCED_ACCURACY, right_before, right_after, _weights(labels, "balanced"), groups),
        _gain(LOG_LOSS, _losses(before, labels), _losses(after, labels), weights, groups),
        _gain_of_calibration(before, after, labels, weights),
    )


def _gain(figure: str, before: _Floats, after: _Floats, weights: _Floats, groups: _Longs) -> Gain:
    """Return the gain of a weighted mean over texts, from values of shape (texts,) or (repeats, texts) to others.

    Texts of one group count as one in the standard error.
    """
    before, after = (np.atleast_2d(values).mean(axis=0) * weights for values in (before, after))
    changes = after - before
    by_group = np.bincount(groups, changes - changes.mean())
    error = np.sqrt((by_group**2).sum() * len(by_group) / max(len(by_group) - 1, 1)) / len(changes)
    return Gain(figure, float(before.mean()), float(after.mean()), float(error))


def _gain_of_calibration(before: _Floats, after: _Floats, labels: _Labels, weights: _Floats) -> Gain:
    """Return the gain of the expected calibration error; its standard error is found by resampling texts."""
    scores, calibrated = probabilities(before), probabilities(after)

    def error(scores: _Floats, rows: _Longs) -> float:
        gaps = np.bincount(
            calibration_bins(scores[rows]), (weights * (scores - labels))[rows], minlength=CALIBRATION_BINS
        )
        return float(np.abs(gaps).sum() / len(rows))

    draw, rows = np.random.default_rng(0), np.arange(len(labels))
    changes = []
    for number in range(_RESAMPLES):
        drawn = draw.choice(rows, len(rows))
        changes.append(error(calibrated[number % REPEATS], drawn) - error(scores, drawn))
    after_error = float(np.mean([error(row, rows) for row in calibrated]))
    return Gain(CALIBRATION_ERROR, error(scores, rows), after_error, float(np.std(changes)))


def _losses(odds: _Floats, labels: _Labels) -> _Floats:
    """Return -log(probability given to the label), of the shape of the log-odds."""
    return np.logaddexp(0, odds) - labels * odds


def _weights(labels: _Labels, class_weight: str) -> _Floats:
    """Return what each text counts, 1 on average: float64, shape (texts,)."""
    if class_weight == "none" or len(np.unique(labels)) < 2:
        return np.ones(len(labels))
    return class_weights(labels).astype(np.float64)[labels]


def _folds(labels: _Labels, groups: _Longs, draw: np.random.Generator) -> _Longs:
    """Return each text's fold: int64, shape (texts,). Groups are kept together, and spread by their first label."""
    _, firsts = np.unique(groups, return_index=True)
    drawn = draw.permutation(len(firsts))
    ordered = drawn[np.argsort(labels[firsts][drawn], kind="stable")]
    fold_of_group = np.empty(len(firsts), np.int64)
    fold_of_group[ordered] = np.arange(len(firsts)) % FOLDS
    return fold_of_group[groups]


def _share_below(places: _Floats, values: _Floats) -> _Floats:
    """Return the share of values, each spread by Silverman's rule, below each place: float64, shape (places,)."""
    width = max(1.06 * float(values.std()) * len(values) ** -0.2 * np.sqrt(3) / np.pi, 1e-6)
    return probabilities((places[:, None] - values) / width).mean(axis=1)


def _with_neutral(data: LabelledTexts) -> LabelledTexts:
    """Return labelled texts with the neutral ones among them, labelled 2."""
    texts, groups = (
        pa.concat_arrays([part.cast(pa.large_string()), data.neutral.cast(pa.large_string())])
        for part in (data.texts, data.groups)
    )
    labels = np.concatenate([data.labels, np.full(len(data.neutral), 2, np.int8)])
    return LabelledTexts(texts, labels, groups, data.named_groups)


def _check_numbers(texts: dict[str, int], unscored: int) -> None:
    """Check that there are enough texts to calibrate by.

    Raises:
        InputError: There aren't.
    """
    positive, negative = texts["positive"], texts["negative"]
    without = f" ({unscored} more have no score)" if unscored else ""
    found = f"Received: {positive} positive and {negative} negative{without}"
    if positive + negative < LEAST_TEXTS:
        raise InputError(f"calibrating takes {LEAST_TEXTS} labelled texts or more, better 50. {found}")
    if min(positive, negative) < LEAST_OF_A_LABEL:
        raise InputError(f"calibrating takes {LEAST_OF_A_LABEL} texts or more of each label. {found}")


def _card(before: str, outcome: Outcome, sha256: str, command: str) -> str:
    """Return a preset's page with a section on its calibration, in place of an earlier one."""
    kept = re.sub(rf"^{_SECTION}\n.*?(?=^## |\Z)", "", before, flags=re.MULTILINE | re.DOTALL).rstrip()
    numbers = ", ".join(f"{count:,} {label}" for label, count in outcome.texts.items() if count)
    band = outcome.neutral
    lines = [
        *([kept, ""] if kept else []),
        _SECTION,
        "",
        *(["```sh", command, "```", ""] if command else []),
        f"Temperature {outcome.temperature:g}, bias {outcome.bias:g}, "
        + ("no new neutral band." if band is None else f"neutral from {band[0]:g} to {band[1]:g}."),
        f"Fitted on {numbers} texts. SHA-256 of the data: `{sha256}`.",
        "",
        "| cross-validated | before | after | standard error of the change |",
        "|---|---|---|---|",
        *(f"| {gain.figure} | {gain.before:.4f} | {gain.after:.4f} | {gain.error:.4f} |" for gain in outcome.gains),
    ]
    return "\n".join(lines) + "\n"
