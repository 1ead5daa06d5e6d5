import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import WORDS, FirstWordNetwork, add_ngrams
from hypothesis import given, settings
from hypothesis import strategies as st

from textsent import calibrate, cli
from textsent.calibrate import (
    ACCURACY,
    BALANCED_ACCURACY,
    CALIBRATION_ERROR,
    FOLDS,
    LEAST_NEUTRAL,
    LEAST_OF_A_LABEL,
    LEAST_TEXTS,
    LOG_LOSS,
    OF_THREE,
    Gain,
    Outcome,
    find_calibration,
    fit_band,
    fit_scaling,
    fit_temperature,
    write_calibrated,
)
from textsent.datasets import LabelledTexts, read_labelled
from textsent.errors import InputError, OptionError, OutputError
from textsent.evaluate import evaluate
from textsent.model import KerasOnCpu, SentimentModel
from textsent.odds import log_odds
from textsent.preprocess import Preprocessor
from textsent.presets import (
    CONFIG_FILE,
    METADATA_FILE,
    NGRAMS_FILE,
    PICTURES_FOLDER,
    PRESET_FILES,
    README_FILE,
    Calibration,
    read_json,
    write_json,
)
from textsent.score import Scorer, load
from textsent.windows import Layout

sys.path.append(str(Path(__file__).parents[1]))  # at the end: the textsent under test is the installed one

from benchmarks import calibration as benchmark

NOTHING = np.empty(0, np.float32)


def sigmoid(odds):
    return 1 / (1 + np.exp(-np.asarray(odds, np.float64)))


def scores_of(odds):
    return sigmoid(odds).astype(np.float32)


def made(count: int, factor: float = 1.0, shift: float = 0.0, seed: int = 0):
    """Return scores and labels, as many of each: the log-odds of the truth, shifted, then multiplied."""
    labels = (np.arange(count) % 2).astype(np.int8)
    odds = 1.5 * (np.random.default_rng(seed).standard_normal(count) + 1.5 * (labels - 0.5))
    return scores_of(factor * (odds + shift)), labels


def texts_labelled(labels, groups=None) -> LabelledTexts:
    names = pa.array([f"text {number}" for number in range(len(labels))])
    named = groups is not None
    return LabelledTexts(names, np.asarray(labels, np.int8), pa.array(groups) if named else names, named)


def found(scores, labels, neutral=NOTHING, class_weight="balanced", band=None) -> Outcome:
    return find_calibration(texts_labelled(labels), scores, neutral, class_weight, band)


def gain_of(outcome: Outcome, figure: str) -> Gain:
    (gain,) = (gain for gain in outcome.gains if gain.figure == figure)
    return gain


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.5])
def test_the_temperature_of_many_texts_is_what_log_odds_were_multiplied_by(factor):
    assert fit_temperature(*made(20_000, factor)) == pytest.approx(factor, rel=0.05)


def test_the_temperature_of_a_few_texts_stays_near_one():
    assert fit_temperature(scores_of([1, -1]), np.array([1, 0], np.int8)) == pytest.approx(1, abs=0.1)


def test_a_shift_of_many_texts_is_found_whatever_the_shares_of_the_labels():
    scores, labels = made(20_000, shift=0.8)
    rare = (labels == 0) | (np.arange(len(labels)) % 10 == 1)
    for chosen in (np.ones(len(labels), bool), rare):
        weights = calibrate._weights(labels[chosen], "balanced")
        fitted = fit_scaling(log_odds(scores[chosen]), labels[chosen], weights)
        assert fitted.bias == pytest.approx(-0.8, abs=0.07)
        assert fitted.temperature == pytest.approx(1, abs=0.06)


def test_without_class_weights_scores_are_probabilities_at_the_shares_of_the_texts():
    scores, labels = made(20_000)
    rare = (labels == 0) | (np.arange(len(labels)) % 10 == 1)
    fitted = fit_scaling(log_odds(scores[rare]), labels[rare], np.ones(rare.sum()))
    assert fitted.bias == pytest.approx(np.log(1 / 5), abs=0.1)


def test_a_temperature_alone_changes_no_verdict_and_has_no_bias():
    scores, labels = made(200, 3.0, 1.0)
    fitted = fit_scaling(log_odds(scores), labels, np.ones(200), with_bias=False)
    assert fitted.bias == 0
    assert fitted.temperature > 1.5


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 1)), min_size=1, max_size=60),
    st.booleans(),
)
def test_a_scaling_of_any_scores_is_a_usable_one_and_no_worse_than_none(rows, with_bias):
    odds = log_odds(np.array([score for score, _ in rows], np.float32))
    labels = np.array([label for _, label in rows], np.int8)
    fitted = fit_scaling(odds, labels, np.ones(len(rows)), with_bias)
    assert 0.01 < fitted.temperature < 100
    assert abs(fitted.bias) < 20
    calibrated = odds / fitted.temperature + fitted.bias
    losses = [(np.logaddexp(0, values) - labels * values).sum() for values in (odds, calibrated)]
    assert losses[1] <= losses[0] + 1e-3


def test_log_odds_of_certain_scores_are_finite():
    assert log_odds(np.array([0, 0.5, 1], np.float32)).round(3).tolist() == [-16.118, 0, 16.118]


def test_a_model_that_leans_to_one_side_gets_a_bias():
    outcome = found(*made(50, shift=1.5))
    assert outcome.bias < -0.5
    assert outcome.helps
    assert gain_of(outcome, ACCURACY).change > 0.05
    assert gain_of(outcome, BALANCED_ACCURACY).change == pytest.approx(gain_of(outcome, ACCURACY).change)
    assert gain_of(outcome, LOG_LOSS).change < 0


def test_a_model_that_is_too_sure_gets_a_temperature_alone():
    outcome = found(*made(200, 4.0))
    assert outcome.temperature > 2
    assert outcome.bias == 0
    assert (gain_of(outcome, ACCURACY).change, gain_of(outcome, ACCURACY).error) == (0, 0)
    assert gain_of(outcome, LOG_LOSS).change < -0.1
    assert gain_of(outcome, CALIBRATION_ERROR).change < -0.05


@pytest.mark.parametrize("seed", range(5))
def test_a_model_without_a_fault_is_left_as_it_is(seed):
    outcome = found(*made(50, seed=seed))
    assert (outcome.temperature, outcome.bias, outcome.neutral) == (1, 0, None)
    assert not outcome.helps
    assert [gain.figure for gain in outcome.gains] == [ACCURACY, BALANCED_ACCURACY, LOG_LOSS, CALIBRATION_ERROR]


def test_scores_that_say_nothing_of_the_labels_get_no_bias():
    scores, labels = made(50)
    assert found(scores, np.random.default_rng(1).permutation(labels)).bias == 0


def test_of_twenty_draws_of_fifty_texts_none_makes_a_model_without_a_fault_worse_by_two_points():
    scores, labels = made(4000, seed=9)
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(len(labels))
        drawn, others = order[:50], order[50:]
        outcome = found(scores[drawn], labels[drawn])
        after = log_odds(scores[others]) / outcome.temperature + outcome.bias
        right = [
            ((values >= limit) == labels[others]).mean() for values, limit in ((scores[others], 0.5), (after, 0))
        ]
        assert right[1] >= right[0] - 0.02


def test_a_bias_that_would_cost_accuracy_is_left_out():
    """The model leans to the label of nine in ten texts: as far from both it would be right less often."""
    odds = np.concatenate([np.linspace(-1, 3, 180), np.linspace(-2, 1.9, 20)])
    labels = np.repeat([1, 0], [180, 20])
    assert found(scores_of(odds), labels).bias == 0
    assert found(scores_of(odds), np.tile([1, 0], 100)).bias == 0


def test_the_figures_before_are_those_of_evaluate():
    scores, labels = made(60, 2.0, 1.0)
    outcome, expected = found(scores, labels), evaluate(scores, labels)
    assert gain_of(outcome, ACCURACY).before == pytest.approx(expected.accuracy)
    assert gain_of(outcome, LOG_LOSS).before == pytest.approx(expected.log_loss, abs=1e-6)
    assert gain_of(outcome, CALIBRATION_ERROR).before == pytest.approx(expected.calibration_error, abs=1e-6)


def test_labels_count_the_same_however_many_texts_have_them_unless_none_is_asked_for():
    scores, labels = made(400, 2.0)
    rare = (labels == 0) | (np.arange(400) % 10 == 1)
    given_to_truth = np.where(labels == 1, scores, 1 - scores)[rare]
    losses = -np.log(given_to_truth)
    by_label = [losses[labels[rare] == label].mean() for label in (0, 1)]
    for class_weight, expected in (("balanced", np.mean(by_label)), ("none", losses.mean())):
        outcome = found(scores[rare], labels[rare], class_weight=class_weight)
        assert gain_of(outcome, LOG_LOSS).before == pytest.approx(expected, abs=1e-4)
        assert outcome.class_weight == class_weight


def test_another_class_weight_is_refused():
    with pytest.raises(OptionError) as refused:
        found(*made(50), class_weight="even")
    assert str(refused.value) == "the class weight must be one of balanced, none. Received: 'even'"


def test_the_same_texts_give_the_same_outcome():
    assert found(*made(50, 2.0, 1.0)) == found(*made(50, 2.0, 1.0))


def test_texts_without_a_score_are_left_out():
    scores, labels = made(60, shift=1.5)
    holed = np.insert(scores, [0, 30], np.nan)
    outcome = found(holed, np.insert(labels, [0, 30], 1), np.array([np.nan], np.float32))
    assert outcome.texts == {"negative": 30, "positive": 30, "neutral": 0}
    assert outcome.bias == found(scores, labels).bias


@pytest.mark.parametrize(
    ("positive", "negative", "unscored", "message"),
    [
        (15, 14, 0, "30 labelled texts or more, better 50. Received: 15 positive and 14 negative"),
        (
            20, 9, 3,
            "30 labelled texts or more, better 50. Received: 20 positive and 9 negative (3 more have no score)",
        ),
        (46, 4, 0, "5 texts or more of each label. Received: 46 positive and 4 negative"),
        (0, 50, 0, "5 texts or more of each label. Received: 0 positive and 50 negative"),
    ],
)  # fmt: skip
def test_too_few_texts_are_an_error_that_says_how_many_it_takes(positive, negative, unscored, message):
    assert (LEAST_TEXTS, LEAST_OF_A_LABEL) == (30, 5)
    labels = np.repeat([1, 0, 0], [positive, negative, unscored])
    scores = np.where(np.arange(len(labels)) < positive + negative, 0.5, np.nan).astype(np.float32)
    with pytest.raises(InputError) as refused:
        found(scores, labels)
    assert str(refused.value) == f"calibrating takes {message}"


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=1, max_size=60), st.integers(0, 9))
def test_texts_of_one_group_are_in_one_fold_and_single_ones_spread_by_label(rows, seed):
    labels, groups = (np.array(column) for column in zip(*rows, strict=True))
    groups = np.unique(groups, return_inverse=True)[1]
    folds = calibrate._folds(labels.astype(np.int8), groups, np.random.default_rng(seed))
    for group in np.unique(groups):
        assert len(np.unique(folds[groups == group])) == 1
    alone = calibrate._folds(labels.astype(np.int8), np.arange(len(labels)), np.random.default_rng(seed))
    for label in (0, 1):
        counts = np.bincount(alone[labels == label], minlength=FOLDS)
        assert counts.max() - counts.min() <= 1


def test_texts_of_one_group_count_as_one_in_the_standard_error():
    before, after = np.zeros(8), np.array([0.0, 1, 1, 0, 1, 0, 1, 1])
    alone = calibrate._gain(ACCURACY, before, after, np.ones(8), np.arange(8))
    assert alone == Gain(ACCURACY, 0.0, 0.625, pytest.approx(after.std(ddof=1) / np.sqrt(8)))
    five_times = [np.repeat(values, 5) for values in (before, after, np.ones(8), np.arange(8))]
    assert calibrate._gain(ACCURACY, *five_times) == Gain(ACCURACY, 0.0, 0.625, pytest.approx(alone.error))


def test_labels_of_which_one_stands_in_a_single_group_give_an_outcome():
    scores, labels = made(60, 2.0, 1.0)
    groups = ["all of them" if label else f"group {number}" for number, label in enumerate(labels)]
    outcome = find_calibration(texts_labelled(labels, groups), scores, NOTHING)
    assert outcome.texts == {"negative": 30, "positive": 30, "neutral": 0}


def test_a_neutral_band_lies_between_the_labels_and_holds_the_middle():
    negative, neutral, positive = (np.linspace(middle - 1, middle + 1, 30) for middle in (-4, -0.5, 4))
    low, high = fit_band(negative, neutral, positive)
    assert sigmoid(-3) <= low <= sigmoid(-1.5)
    assert sigmoid(0.5) <= high <= sigmoid(3)
    assert fit_band(negative, neutral + 3.5, positive)[0] <= 0.5


def test_there_is_no_neutral_band_where_neutral_texts_lie_beyond_the_others():
    spread = np.linspace(-1, 1, 20)
    assert fit_band(spread, spread - 9, spread) is None or fit_band(spread, spread - 9, spread)[1] == 0.5


@settings(deadline=None)
@given(*[st.lists(st.floats(-16, 16), min_size=1, max_size=30).map(np.array)] * 3)
def test_a_neutral_band_of_any_texts_is_one_of_scores_with_the_middle_in_it(negative, neutral, positive):
    band = fit_band(negative, neutral, positive)
    assert band is None or 0 <= band[0] <= 0.5 <= band[1] <= 1


def test_ten_neutral_texts_in_the_middle_give_a_band():
    odds, labels = np.concatenate([np.linspace(-5, -2, 20), np.linspace(2, 5, 20)]), np.repeat([0, 1], 20)
    neutral = scores_of(np.linspace(-1, 1, LEAST_NEUTRAL))
    outcome = found(scores_of(odds), labels, neutral)
    gain = gain_of(outcome, OF_THREE)
    assert gain.before == pytest.approx(2 / 3)
    assert gain.after > 0.9
    assert outcome.neutral[0] < 0.3
    assert outcome.neutral[1] > 0.7
    assert outcome.texts["neutral"] == LEAST_NEUTRAL
    fewer = found(scores_of(odds), labels, neutral[1:])
    assert fewer.neutral is None
    assert OF_THREE not in [gain.figure for gain in fewer.gains]


def test_a_band_alone_helps_where_the_scores_are_as_they_should_be():
    scores, labels = made(200)
    outcome = found(scores, labels, scores_of(np.linspace(-0.2, 0.2, 30)))
    assert (outcome.temperature, outcome.bias) == (1, 0)
    assert outcome.neutral is not None
    assert outcome.helps


def test_a_band_must_be_better_than_the_models_own():
    scores, labels = made(200, seed=3)
    neutral = scores_of(np.random.default_rng(3).standard_normal(100) / 3)
    without = found(scores, labels, neutral)
    assert without.neutral is not None
    assert found(scores, labels, neutral, band=without.neutral).neutral is None
    narrow = found(scores, labels, neutral, band=(0.499, 0.501))
    assert narrow.neutral == without.neutral
    assert gain_of(narrow, OF_THREE).before < gain_of(narrow, OF_THREE).after


def test_neutral_texts_that_score_like_the_others_give_no_band():
    scores, labels = made(100)
    outcome = found(scores, labels, made(40, seed=4)[0])
    assert outcome.neutral is None
    assert gain_of(outcome, OF_THREE).change < 0.1


FITTED = Outcome(
    2.0,
    -0.5,
    (0.4, 0.65),
    (
        Gain(ACCURACY, 0.5, 0.75, 0.01),
        Gain(BALANCED_ACCURACY, 0.5, 0.75, 0.01),
        Gain(LOG_LOSS, 0.7, 0.5, 0.02),
        Gain(CALIBRATION_ERROR, 0.2, 0.1, 0.03),
        Gain(OF_THREE, 0.4, 0.5, 0.04),
    ),
    "balanced",
    {"negative": 20, "positive": 30, "neutral": 10},
)
DATA = texts_labelled([0, 1])
TEXTS = ["great service", "terrible", "guys the great", "terrible " * 20, "unknown", ""]


def scores_by(preset, device="cpu", **settings):
    return load(preset, device=device, **settings).score(TEXTS)


def moved(scores, temperature, bias):
    return sigmoid(log_odds(scores) / temperature + bias)


def test_a_calibrated_preset_scores_as_it_says_and_is_otherwise_the_same(tiny_preset, tmp_path):
    copy = shutil.copytree(tiny_preset, tmp_path / "copy")
    (copy / PICTURES_FOLDER).mkdir()
    (copy / PICTURES_FOLDER / "learning.svg").write_text("<svg/>")
    (copy / README_FILE).write_text("# A model\n\n## Where it fails\n\nAt times.\n")
    (copy / "private.csv").write_text("not a file of a preset")
    add_ngrams(copy)
    before = scores_by(copy)
    assert write_calibrated(FITTED, DATA, copy, tmp_path / "new", "textsent calibrate mine.csv") == Calibration(
        2.0, -0.5, (0.4, 0.65)
    )
    np.testing.assert_allclose(scores_by(tmp_path / "new"), moved(before, 2, -0.5), atol=1e-6)
    names = {str(path.relative_to(tmp_path / "new")) for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert names == {*PRESET_FILES, NGRAMS_FILE, README_FILE, f"{PICTURES_FOLDER}/learning.svg"}
    for name in {*PRESET_FILES, NGRAMS_FILE} - {CONFIG_FILE, METADATA_FILE}:
        assert (tmp_path / "new" / name).read_bytes() == (copy / name).read_bytes()
    calibration = {"temperature": 2.0, "bias": -0.5, "neutral": [0.4, 0.65]}
    assert read_json(tmp_path / "new" / CONFIG_FILE) == read_json(copy / CONFIG_FILE) | {"calibration": calibration}
    metadata = read_json(tmp_path / "new" / METADATA_FILE)
    facts = metadata.pop("calibration")
    assert metadata == read_json(copy / METADATA_FILE)
    created, sha256 = facts.pop("created"), facts.pop("sha256")
    assert created.endswith("+00:00")
    assert len(sha256) == 64
    assert facts == {"command": "textsent calibrate mine.csv", **FITTED.to_json()}
    assert facts["cross_validated"]["log_loss"] == {
        "before": 0.7, "after": 0.5, "standard_error_of_the_change": 0.02,
    }  # fmt: skip
    assert (
        (tmp_path / "new" / README_FILE).read_text()
        == f"""# A model

## Where it fails

At times.

## Calibrated on other texts

```sh
textsent calibrate mine.csv
```

Temperature 2, bias -0.5, neutral from 0.4 to 0.65.
Fitted on 20 negative, 30 positive, 10 neutral texts. SHA-256 of the data: `{sha256}`.

| cross-validated | before | after | standard error of the change |
|---|---|---|---|
| accuracy | 0.5000 | 0.7500 | 0.0100 |
| balanced accuracy | 0.5000 | 0.7500 | 0.0100 |
| log loss | 0.7000 | 0.5000 | 0.0200 |
| calibration error | 0.2000 | 0.1000 | 0.0300 |
| balanced accuracy, three labels | 0.4000 | 0.5000 | 0.0400 |
"""
    )


def test_a_calibrated_preset_can_be_calibrated_again(tiny_preset, tmp_path):
    write_calibrated(FITTED, DATA, tiny_preset, tmp_path / "once")
    again = Outcome(0.5, 0.25, None, FITTED.gains, "none", FITTED.texts)
    write_calibrated(again, DATA, tmp_path / "once", tmp_path / "twice")
    calibration = read_json(tmp_path / "twice" / CONFIG_FILE)["calibration"]
    assert (calibration["temperature"], calibration["bias"]) == (1.0, -0.75)
    assert calibration["neutral"] == pytest.approx([1 / (1 + (3 / 2) ** 2), 1 / (1 + (7 / 13) ** 2)])
    np.testing.assert_allclose(
        scores_by(tmp_path / "twice"), moved(scores_by(tmp_path / "once"), 0.5, 0.25), atol=1e-6
    )
    card = (tmp_path / "twice" / README_FILE).read_text()
    assert card.count("## Calibrated on other texts") == 1
    assert "Temperature 0.5, bias 0.25, no new neutral band.\n" in card


def test_a_section_on_an_earlier_calibration_is_replaced_and_what_follows_it_stays(tiny_preset, tmp_path):
    copy = shutil.copytree(tiny_preset, tmp_path / "copy")
    (copy / README_FILE).write_text("# A model\n\n## Calibrated on other texts\n\nOld.\n\n## Licence\n\nFree.\n")
    write_calibrated(FITTED, DATA, copy, tmp_path / "new")
    card = (tmp_path / "new" / README_FILE).read_text()
    assert card.startswith("# A model\n\n## Licence\n\nFree.\n\n## Calibrated on other texts\n\nTemperature 2,")
    assert "Old." not in card


@pytest.mark.parametrize("inside", [False, True])
def test_a_preset_takes_the_place_of_another_and_may_lie_in_the_one_it_is_made_of(tiny_preset, tmp_path, inside):
    copy = shutil.copytree(tiny_preset, tmp_path / "copy")
    output = copy / "new" if inside else copy
    before = scores_by(copy)
    write_calibrated(FITTED, DATA, copy, output)
    np.testing.assert_allclose(scores_by(output), moved(before, 2, -0.5), atol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_what_does_not_help_is_not_written(tiny_preset, tmp_path):
    outcome = Outcome(1.0, 0.0, None, FITTED.gains[:4], "balanced", FITTED.texts)
    with pytest.raises(InputError) as refused:
        write_calibrated(outcome, DATA, tiny_preset, tmp_path / "new")
    assert str(refused.value) == (
        "calibrating wouldn't help: on texts that it isn't fitted on, accuracy would go from 0.500 to 0.750 and "
        "log loss from 0.700 to 0.500, which is no gain or may be chance: keep the model as it is, or label more "
        "texts"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_preset_that_cannot_be_written_leaves_nothing(tiny_preset, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(calibrate, "write_json", full)
    with pytest.raises(OutputError) as refused:
        write_calibrated(FITTED, DATA, tiny_preset, tmp_path / "new")
    assert str(refused.value) == f"{tmp_path / 'new'} can't be written: No space left on device"
    assert list(tmp_path.iterdir()) == []


def test_the_digest_of_the_data_counts_neutral_texts(tiny_preset, tmp_path):
    (tmp_path / "data.csv").write_text("text,label\none,positive\ntwo,negative\nthree,neutral\n")
    data = read_labelled(tmp_path / "data.csv")
    digests = set()
    for name, part in (("all", data), ("polar", data.where(np.array([True, True])))):
        write_calibrated(FITTED, part, tiny_preset, tmp_path / name)
        digests.add(read_json(tmp_path / name / METADATA_FILE)["calibration"]["sha256"])
    assert len(digests) == 2
    assert data.digest() not in digests - {data.where(np.array([True, True])).digest()}


def calibrated_copy(preset, folder, **calibration):
    copy = shutil.copytree(preset, folder)
    write_json(copy / CONFIG_FILE, {**read_json(copy / CONFIG_FILE), "calibration": calibration})
    return copy


@pytest.mark.parametrize("recipe", ["lstm", "mlp-500"])
def test_every_engine_calibrates_alike(tiny_preset, tmp_path, monkeypatch, recipe):
    from textsent import model as engines

    source = tiny_preset
    if recipe != "lstm":
        from textsent.recipes import RECIPES
        from textsent.train import write_network

        chosen = RECIPES[recipe]
        config = {"recipe": recipe, "vocabulary_size": len(WORDS), **chosen.config}
        source = tmp_path / "whole"
        source.mkdir()
        write_network(chosen.build(config), config, Preprocessor(WORDS), source)
        write_json(source / METADATA_FILE, {})
    copy = calibrated_copy(source, tmp_path / "copy", temperature=1.5, bias=0.7)
    expected = moved(scores_by(source), 1.5, 0.7)
    np.testing.assert_allclose(scores_by(copy), expected, atol=1e-6)
    monkeypatch.setattr(engines, "_may_have_gpu", lambda: True)
    monkeypatch.setattr(engines, "keras_sees_gpu", lambda: True)
    by_keras = load(copy, device="gpu")
    assert isinstance(by_keras.model.network, engines.KerasNetwork)
    np.testing.assert_allclose(by_keras.score(TEXTS), expected, atol=1e-5)


def test_keras_on_a_cpu_calibrates_too(tiny_preset, tmp_path):
    copy = calibrated_copy(tiny_preset, tmp_path / "copy", temperature=1.5, bias=0.7, neutral=[0.2, 0.8])
    write_json(copy / CONFIG_FILE, {**read_json(copy / CONFIG_FILE), "graph": "none"})
    scorer = load(copy, device="cpu")
    assert isinstance(scorer.model.network, KerasOnCpu)
    np.testing.assert_allclose(scorer.score(TEXTS), moved(scores_by(tiny_preset), 1.5, 0.7), atol=1e-5)


def test_windows_are_combined_before_they_are_calibrated():
    network = FirstWordNetwork((0.9, 0.2, 0.5, 0.5, 0.5))
    model = SentimentModel(network, Layout(1), calibration=Calibration(2.0, 0.3))
    scorer = Scorer(Preprocessor(WORDS), model)
    mean = (log_odds(np.array([0.9, 0.2], np.float32))).mean()
    assert scorer.score(["the great"])[0] == pytest.approx(sigmoid(mean / 2 + 0.3), abs=1e-6)


def test_a_calibration_to_its_limits_gives_scores(tiny_preset, tmp_path):
    copy = calibrated_copy(tiny_preset, tmp_path / "copy", temperature=0.01, bias=-100)
    assert ((scores_by(copy)[:4] >= 0) & (scores_by(copy)[:4] <= 1)).all()


def test_the_model_s_own_band_counts_where_none_is_given(tiny_preset, tmp_path):
    copy = calibrated_copy(tiny_preset, tmp_path / "copy", neutral=[0, 1])

    def sentiments(**settings):
        return load(copy, device="cpu", **settings).score_columns(["great"]).column("sentiment").to_pylist()

    assert sentiments() == ["neutral"]
    assert sentiments(neutral="none") != ["neutral"]
    assert sentiments(neutral=(0.0, 0.0)) != ["neutral"]
    np.testing.assert_array_equal(scores_by(copy), scores_by(tiny_preset))


# The command line.


@pytest.fixture
def leaning(tmp_path, monkeypatch):
    """A folder in which the command line's model finds everything too positive."""
    network = FirstWordNetwork((0.55, 0.97, 0.5, 0.6, 0.75))
    scorer = Scorer(Preprocessor(WORDS), SentimentModel(network, Layout(1)))
    monkeypatch.setattr("textsent.score.load", lambda *_, **__: scorer)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def labelled_file(path, neutral=0):
    """Write 60 texts, of which the positive ones alone have words that the model scores over 0.7."""
    random = np.random.default_rng(3)
    rows = []
    for number in range(60):
        kinds = (("terrible", "the"), ("great", "guys"))[number % 2]
        words = [*random.choice(kinds, 4), *["the"] * (number // 10)]
        rows.append((" ".join(words), ("negative", "positive")[number % 2]))
    rows += [("service " * (number % 3 + 1), "neutral") for number in range(neutral)]
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))


def run(capsys, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["textsent", "calibrate", *map(str, arguments)])
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code or 0, *capsys.readouterr()


def test_the_command_prints_the_gain_and_writes_the_model(leaning, tiny_preset, capsys, monkeypatch):
    labelled_file(leaning / "mine.csv")
    code, out, err = run(capsys, monkeypatch, "mine.csv", "--model", tiny_preset, "-o", "model")
    assert (code, out) == (0, "")
    lines = err.splitlines()
    assert lines[0] == "cross-validated on 30 negative, 30 positive texts, 10 times in 5 parts:"
    assert lines[2].split() == ["before", "after", "change", "its", "standard", "error"]
    assert [line.split("  ")[0] for line in lines[3:7]] == [
        "accuracy", "balanced accuracy", "log loss", "calibration error",
    ]  # fmt: skip
    calibration = read_json(leaning / "model" / CONFIG_FILE)["calibration"]
    assert lines[8] == (
        f"temperature {calibration['temperature']:g}, bias {calibration['bias']:+g}, "
        "no new neutral band, which takes 10 neutral texts"
    )
    assert lines[9] == "written to model"
    assert calibration["bias"] < -0.3
    command = read_json(leaning / "model" / METADATA_FILE)["calibration"]["command"]
    assert command == f"textsent calibrate mine.csv --model {tiny_preset} -o model"


def test_a_quiet_run_prints_nothing(leaning, tiny_preset, capsys, monkeypatch):
    labelled_file(leaning / "mine.csv")
    assert run(capsys, monkeypatch, "mine.csv", "-m", tiny_preset, "-o", "model", "--quiet") == (0, "", "")
    assert (leaning / "model").is_dir()


def test_the_command_refuses_where_it_would_not_help(leaning, tiny_preset, capsys, monkeypatch):
    labels = np.random.default_rng(0).permutation(["positive", "negative"] * 30)
    rows = [f"{'service ' * (number + 1)},{label}" for number, label in enumerate(labels)]
    (leaning / "mine.csv").write_text("\n".join(["text,label", *rows]))
    code, out, err = run(capsys, monkeypatch, "mine.csv", "--model", tiny_preset, "-o", "model")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith(
        "textsent: calibrating wouldn't help: on texts that it isn't fitted on, "
    )
    assert [path.name for path in leaning.iterdir()] == ["mine.csv"]


def test_a_model_that_is_there_is_replaced_only_where_that_is_said(leaning, tiny_preset, capsys, monkeypatch):
    labelled_file(leaning / "mine.csv")
    shutil.copytree(tiny_preset, leaning / "model")
    code, _, err = run(capsys, monkeypatch, "mine.csv", "--model", tiny_preset, "-o", "model")
    assert code == 1
    assert err.startswith("textsent: model exists already: choose another folder with --output, or replace it")
    code, _, _ = run(capsys, monkeypatch, "mine.csv", "--model", tiny_preset, "-o", "model", "--overwrite")
    assert code == 0
    assert "calibration" in read_json(leaning / "model" / CONFIG_FILE)


def test_labels_columns_and_class_weight_are_named_by_options(leaning, tiny_preset, capsys, monkeypatch):
    labelled_file(leaning / "mine.csv", neutral=12)
    rows = [line.rsplit(",", 1) for line in (leaning / "mine.csv").read_text().splitlines()[1:]]
    stars = {"negative": 1, "positive": 5, "neutral": 3}
    rows += [["the", "unsure"]]
    with (leaning / "stars.jsonl").open("w") as file:
        for number, (text, label) in enumerate(rows):
            row = {"id": str(number), "body": text, "stars": str(stars.get(label, label)), "thread": str(number)}
            file.write(json.dumps(row) + "\n")
    code, _, err = run(
        capsys, monkeypatch, "stars.jsonl", "-m", tiny_preset, "-o", "model", "--text-column", "body",
        "--label-column", "stars", "--group-column", "thread", "--positive", "5", "--negative", "1",
        "--neutral", "3", "--class-weight", "none",
    )  # fmt: skip
    assert code == 0
    assert "rows left out for their labels: '3' (12×), 'unsure' (1×)\n" in err
    facts = read_json(leaning / "model" / METADATA_FILE)["calibration"]
    assert facts["texts"] == {"negative": 30, "positive": 30, "neutral": 12}
    assert facts["class_weight"] == "none"
    assert "balanced accuracy, three labels" in err
    code, _, err = run(capsys, monkeypatch, "mine.csv", "-m", tiny_preset, "-o", "other", "--class-weight", "some")
    assert (code, err) == (1, "textsent: the class weight must be one of balanced, none. Received: 'some'\n")
    code, _, err = run(capsys, monkeypatch, "mine.csv", "-m", tiny_preset, "-o", "other")
    assert code == 0
    assert "left out" not in err


# The benchmark.


def test_the_benchmark_tells_what_calibrating_gains_and_what_the_best_bias_would():
    made_sets = {scored.name: scored for scored in benchmark.made_sets()}
    leaning, faultless = made_sets["made, too positive"], made_sets["made, no fault"]
    changes = [benchmark.change(leaning, seed) for seed in range(3)]
    assert all(one.is_changed and 5 < one.balanced_accuracy < 12 and one.log_loss > 0.1 for one in changes)
    assert all(one.accuracy == pytest.approx(one.balanced_accuracy, abs=0.5) for one in changes)
    assert max(one.balanced_accuracy for one in changes) <= benchmark.most(leaning) + 0.5
    assert 0 <= benchmark.most(faultless) < 1


@pytest.mark.parametrize(
    ("scores", "labels", "points"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 0),
        ([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], 50),
        ([0.9, 0.9, 0.9, 0.9], [0, 0, 1, 1], 0),
        ([0.6, 0.7, 0.7, 0.8], [0, 0, 1, 1], 25),
        ([0.8, 0.9, 0.1, 0.2], [0, 0, 1, 1], 50),
    ],
)
def test_the_best_bias_in_hindsight_lies_between_scores(scores, labels, points):
    scored = benchmark.Scored("four", np.array(scores, np.float32), np.array(labels, np.int8))
    assert benchmark.most(scored) == pytest.approx(points)
