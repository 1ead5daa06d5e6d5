import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textsent.evaluate import change, evaluate

NAN = math.nan


def compare(scores: list[float], labels: list[int]):
    return evaluate(np.array(scores, np.float32), np.array(labels, np.int8))


def test_the_figures_are_those_computed_by_hand():
    evaluation = compare([0.875, 0.75, 0.25, 0.125, 0.625], [1, 1, 1, 0, 0])
    assert evaluation.texts == 5
    assert evaluation.unscored == 0
    assert evaluation.confusion == ((1, 1), (1, 2))
    assert evaluation.accuracy == pytest.approx(3 / 5)
    assert evaluation.f1 == pytest.approx(2 / 3)  # precision and recall are 2/3 both
    assert evaluation.auc == pytest.approx(5 / 6)  # of six pairs only 0.25 and 0.625 are the wrong way round
    assert evaluation.log_loss == pytest.approx(-math.log(0.875 * 0.75 * 0.25 * 0.875 * 0.375) / 5)
    assert evaluation.calibration_error == pytest.approx((0.125 + 0.25 + 0.75 + 0.125 + 0.625) / 5)


def test_a_score_of_exactly_a_half_counts_as_positive():
    assert compare([0.5, 0.5], [0, 1]).confusion == ((0, 1), (0, 1))


def test_scores_that_are_all_right_get_the_best_figures():
    evaluation = compare([0.0, 1.0], [0, 1])
    assert (evaluation.accuracy, evaluation.f1, evaluation.auc) == (1, 1, 1)
    assert evaluation.log_loss == evaluation.calibration_error == 0


def test_being_quite_sure_and_wrong_costs_a_finite_log_loss():
    assert compare([1.0, 0.0], [0, 1]).log_loss == pytest.approx(-math.log(1e-7))


@pytest.mark.parametrize(
    ("scores", "labels", "auc"),
    [
        ([0.5, 0.5], [0, 1], 0.5),
        ([0.3, 0.3, 0.7], [0, 1, 1], 0.75),
        ([0.3, 0.3, 0.3, 0.7], [1, 0, 0, 0], 1 / 3),
        ([0.9, 0.1], [0, 1], 0),
    ],
)
def test_a_tie_counts_as_half_a_pair_in_the_auc(scores, labels, auc):
    assert compare(scores, labels).auc == pytest.approx(auc)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.booleans()), min_size=2, max_size=30))
def test_the_auc_is_the_share_of_pairs_that_are_the_right_way_round(rows):
    scores, labels = zip(*rows, strict=True)
    pairs = [
        0.5 if high == low else float(high > low)
        for high, positive in rows
        for low, other in rows
        if positive and not other
    ]
    auc = compare(list(scores), list(labels)).auc
    if pairs:
        assert auc == pytest.approx(sum(pairs) / len(pairs))
    else:
        assert math.isnan(auc)


@pytest.mark.parametrize(("label", "f1", "confusion"), [(1, 2 / 3, ((0, 0), (1, 1))), (0, 0, ((1, 1), (0, 0)))])
def test_data_of_one_label_have_every_figure_but_the_auc(label, f1, confusion):
    evaluation = compare([0.25, 0.75], [label, label])
    assert math.isnan(evaluation.auc)
    assert evaluation.accuracy == 0.5
    assert evaluation.f1 == pytest.approx(f1)
    assert evaluation.confusion == confusion
    assert evaluation.log_loss == pytest.approx(-math.log(0.25 * 0.75) / 2)


def test_no_positive_text_and_none_called_so_has_an_f1_of_zero():
    assert compare([0.1], [0]).f1 == 0


def test_a_text_without_a_score_is_counted_and_changes_no_figure():
    with_gaps = compare([NAN, 0.875, 0.25, NAN, 0.125, NAN], [1, 1, 1, 0, 0, 0])
    without = compare([0.875, 0.25, 0.125], [1, 1, 0])
    assert with_gaps.unscored == 3
    for figure in ("texts", "accuracy", "f1", "auc", "log_loss", "calibration_error", "confusion"):
        assert getattr(with_gaps, figure) == getattr(without, figure)


@pytest.mark.parametrize("scores", [[], [NAN, NAN]])
def test_texts_that_have_no_scores_at_all_have_no_figures(scores):
    evaluation = compare(scores, [1] * len(scores))
    assert (evaluation.texts, evaluation.unscored) == (0, len(scores))
    for figure in ("accuracy", "f1", "auc", "log_loss", "calibration_error"):
        assert math.isnan(getattr(evaluation, figure))
    assert evaluation.confusion == ((0, 0), (0, 0))


@pytest.mark.parametrize(
    ("scores", "labels", "error"),
    [
        ([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0], 0),  # one bin, right three times out of four
        ([0.75, 0.75, 0.75, 0.75], [0, 0, 0, 0], 0.75),
        ([0.7, 0.7, 0.1, 0.1], [1, 0, 0, 0], 0.15),  # two bins: 0.2 off and 0.1 off, as many in each
        ([0.67, 0.73], [1, 0], 0.2),  # 10/15 ≤ both < 11/15
        ([1.0, 1.0], [1, 0], 0.5),
    ],
)
def test_the_calibration_error_is_the_mean_gap_over_fifteen_bins(scores, labels, error):
    assert compare(scores, labels).calibration_error == pytest.approx(error, abs=1e-6)


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=30))
def test_every_figure_lies_where_it_must(rows):
    scores, labels = zip(*rows, strict=True)
    evaluation = compare(list(scores), list(labels))
    assert sum(map(sum, evaluation.confusion)) == evaluation.texts == len(rows)
    for figure in ("accuracy", "f1", "calibration_error"):
        assert 0 <= getattr(evaluation, figure) <= 1 + 1e-9
    assert evaluation.log_loss >= 0
    assert math.isnan(evaluation.auc) or 0 <= evaluation.auc <= 1


def changed(scores: list[float], exact: list[float], labels: list[int]) -> dict[str, float]:
    return change(np.array(scores, np.float32), np.array(exact, np.float32), np.array(labels, np.int8))


def test_what_a_lower_precision_changes_is_the_accuracy_and_the_scores():
    changes = changed([0.75, 0.5, 0.25, 0.125], [0.625, 0.4375, 0.3125, 0.125], [1, 1, 0, 1])
    assert changes == {
        "accuracy_in_float32": 0.5, "change_of_accuracy": 0.25, "largest_change_of_a_score": 0.125,
    }  # fmt: skip


def test_a_text_without_a_score_is_none_that_a_lower_precision_changes():
    changes = changed([0.75, NAN, 0.25], [0.75, NAN, 0.375], [1, 0, 0])
    assert changes == {
        "accuracy_in_float32": 1, "change_of_accuracy": 0, "largest_change_of_a_score": 0.125,
    }  # fmt: skip


def test_the_same_scores_change_nothing():
    assert set(changed([0.75, 0.25], [0.75, 0.25], [0, 1]).values()) == {0}


def test_texts_without_scores_have_no_accuracy_that_could_change():
    changes = changed([NAN], [NAN], [1])
    assert math.isnan(changes["accuracy_in_float32"])
    assert changes["largest_change_of_a_score"] == 0
