import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import WORDS
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import SkipTestWarning
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted, validate_data
from small_trainings import labelled

import textsent
from textsent import finetune
from textsent.calibrate import fit_scaling
from textsent.classifier import TextsentClassifier, UnscoredWarning
from textsent.errors import ArgumentError, OptionError, PresetError, TextsentError
from textsent.odds import log_odds, probabilities

TEXTS = ["great service", "terrible", "the guys", "great great", "terrible service the", "guys guys great"] * 10
TONES = ["pos", "neg", "neg", "pos", "neg", "pos"] * 10


@pytest.fixture(scope="module")
def scorer(tiny_preset):
    return textsent.load(tiny_preset, device="cpu")


@pytest.fixture
def classifier(tiny_preset):
    return TextsentClassifier(tiny_preset, device="cpu")


class OfNumbers(TextsentClassifier):
    """Makes a text of a row of numbers, since scikit-learn's checks have nothing else.

    Which of their labels is positive can't be told; here it is the second.
    """

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        X, y = validate_data(self, X, y)  # noqa: N806
        return super().fit(self._texts(X), y, sample_weight)

    def decision_function(self, X):  # noqa: N803
        return super().decision_function(self._texts(validate_data(self, X, reset=False)))

    def _positive_of(self, classes):
        return 1

    @staticmethod
    def _texts(rows):
        return [" ".join(WORDS[int(abs(number) * 7) % len(WORDS)] for number in row) for row in rows]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        tags.input_tags.string = False
        tags.input_tags.allow_nan = False
        tags.classifier_tags.poor_score = True  # its model has random weights
        return tags


@pytest.fixture(scope="module")
def of_numbers(tiny_preset):
    return OfNumbers(tiny_preset, device="cpu", workers=1)


def test_it_passes_scikit_learn_s_checks_of_a_classifier(of_numbers):
    results = check_estimator(of_numbers, on_skip=None)
    assert len(results) > 50
    left_out = {result["check_name"] for result in results if result["status"] != "passed"}
    assert left_out <= {"check_array_api_input"}  # runs where SCIPY_ARRAY_API is set before SciPy is imported


def test_scikit_learn_is_told_that_it_takes_texts_and_two_classes(classifier):
    tags = classifier.__sklearn_tags__()
    assert (tags.input_tags.string, tags.input_tags.one_d_array, tags.input_tags.two_d_array) == (True, True, False)
    assert not tags.classifier_tags.multi_class
    assert not tags.requires_fit
    with pytest.warns(SkipTestWarning):  # no checks for what takes no numbers
        check_estimator(classifier, on_skip=None)


def test_without_fit_it_is_the_model_as_it_is(classifier, scorer):
    check_is_fitted(classifier)
    assert classifier.classes_.tolist() == ["negative", "positive"]
    assert classifier.positive_class_ == "positive"
    scores = scorer.score(TEXTS)
    np.testing.assert_allclose(classifier.predict_proba(TEXTS)[:, 1], scores, atol=1e-6)
    np.testing.assert_allclose(classifier.decision_function(TEXTS), log_odds(scores), atol=1e-5)
    assert classifier.predict(TEXTS).tolist() == ["positive" if score > 0.5 else "negative" for score in scores]


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, object),
        pd.Series(TEXTS, range(99, 99 + len(TEXTS))),
        pd.Series(TEXTS, dtype="string[python]"),
        pd.Series(TEXTS, dtype="category"),
        pd.Index(TEXTS),
        pa.array(TEXTS),
        pa.chunked_array([TEXTS[:7], TEXTS[7:]]),
        pa.array(TEXTS).dictionary_encode(),
    ],
    ids=lambda texts: f"{type(texts).__module__}.{type(texts).__name__}",
)
def test_texts_may_come_in_any_list_or_array(classifier, scorer, texts):
    np.testing.assert_allclose(classifier.predict_proba(texts)[:, 1], scorer.score(TEXTS), atol=1e-6)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("great", "X must be several texts, in a list for instance. Received: str"),
        (b"great", "X must be several texts, in a list for instance. Received: bytes"),
        (None, "X must be several texts, in a list for instance. Received: NoneType"),
        ({"great": 1}, "X must be several texts, in a list for instance. Received: dict"),
        ({"great"}, "X must be several texts, in a list for instance. Received: set"),
        (iter(["great"]), "X must be several texts, in a list for instance. Received: list_iterator"),
        (np.array("great"), "X must have one dimension, a text each. Received: the shape ()"),
        (np.array([["great"]]), "X must have one dimension, a text each. Received: the shape (1, 1)"),
        (
            pd.DataFrame({"text": ["great"]}),
            "X must have one dimension, a text each. Received: the shape (1, 1): choose a column",
        ),
        ([b"great", b"guys"], "X must be texts. Received: binary"),
        ([1, 2], "X must be texts. Received: int64"),
        ([["great"]], "X must be texts. Received: list<item: string>"),
        (["great", None, 7], "X must be texts. Received: int in row 2"),
        (["great", ["guys"]], "X must be texts. Received: list in row 1"),
    ],
)
def test_what_is_no_list_of_texts_is_an_error_of_one_line(classifier, texts, message):
    for method in (classifier.predict, classifier.predict_proba, lambda X: classifier.fit(X, TONES)):  # noqa: N803
        with pytest.raises(ValueError) as refused:  # noqa: PT011 - the message is compared
            method(texts)
        assert isinstance(refused.value, TextsentError)
        assert str(refused.value) == message


def test_half_of_a_character_is_an_error(classifier):
    with pytest.raises(ArgumentError, match=r"^X holds half of a character: "):
        classifier.predict(["great \ud83d"])


def test_a_text_without_a_score_has_the_probability_one_half_and_a_warning_counts_them(classifier, tiny_preset):
    texts = ["great", None, float("nan"), pd.NA, "", "...", "unheard"]
    fitted = TextsentClassifier(tiny_preset, device="cpu").fit(TEXTS, TONES)
    for each in (classifier, fitted):
        with pytest.warns(UnscoredWarning) as told:
            probabilities_ = each.predict_proba(texts)
        assert probabilities_[1:].tolist() == [[0.5, 0.5]] * 6
        assert probabilities_[0, 1] != 0.5
        assert str(told[0].message) == (
            "6 of 7 texts have no score, and a probability of 0.5: 3 no text, 2 no words, 1 no known words"
        )
        with pytest.warns(UnscoredWarning):
            assert set(each.predict([None, None])) == {each.classes_[0]}


def test_no_texts_give_no_predictions_and_cannot_be_learned_from(classifier):
    assert classifier.predict([]).shape == (0,)
    assert classifier.predict_proba([]).shape == (0, 2)
    with pytest.raises(ArgumentError, match=r"^fit needs texts with their labels. Received: no texts$"):
        classifier.fit([], [])


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (("neg", "pos"), "pos"),
        (("Negative", "POSITIVE"), "POSITIVE"),
        ((False, True), True),
        ((0, 1), 1),
        ((-1, 1), 1),
        ((0.0, 1.0), 1.0),
        (("bad", "good"), "good"),
        (("rotten", "fresh"), "fresh"),
    ],
)
@pytest.mark.parametrize(
    "make", [list, np.array, pd.Series, pd.Categorical, lambda y: pd.Series(y, dtype="category")]
)
def test_labels_may_be_any_two_of_known_meaning(classifier, labels, positive, make):
    y = make([labels[tone == "pos"] for tone in TONES])
    classifier.fit(TEXTS, y)
    assert classifier.classes_.tolist() == sorted(labels)
    assert classifier.positive_class_ == positive
    assert set(classifier.predict(TEXTS).tolist()) <= set(labels)
    assert 0 <= classifier.score(TEXTS, y) <= 1


def test_labels_of_no_known_meaning_are_given_the_negative_one_first(classifier, tiny_preset):
    y = ["happy" if tone == "pos" else "unhappy" for tone in TONES]
    with pytest.raises(ArgumentError) as untold:
        classifier.fit(TEXTS, y)
    assert str(untold.value) == (
        "which of the labels 'happy', 'unhappy' is the positive one can't be told: "
        "say it by labels=(negative, positive)"
    )
    told = TextsentClassifier(tiny_preset, device="cpu", labels=("unhappy", "happy"))
    plain = TextsentClassifier(tiny_preset, device="cpu").fit(TEXTS, TONES)
    for each, reference in ((told, classifier), (clone(told).fit(TEXTS, y), plain)):
        assert each.classes_.tolist() == ["happy", "unhappy"]
        assert each.positive_class_ == "happy"
        np.testing.assert_allclose(each.predict_proba(TEXTS)[:, ::-1], reference.predict_proba(TEXTS))
        np.testing.assert_allclose(each.decision_function(TEXTS), -reference.decision_function(TEXTS))
        unhappy = np.array(y) == "unhappy"
        assert roc_auc_score(unhappy, each.decision_function(TEXTS)) == pytest.approx(
            roc_auc_score(~unhappy, reference.decision_function(TEXTS))
        )


@pytest.mark.parametrize("labels", ["ab", 5, ("a",), ("a", "a"), ("a", "b", "c")])
def test_labels_that_are_no_two_are_an_error(tiny_preset, labels):
    with pytest.raises(OptionError, match=r"^labels must be the negative label and the positive one. Received: "):
        TextsentClassifier(tiny_preset, device="cpu", labels=labels).fit(TEXTS, TONES)


@pytest.mark.parametrize("labels", [None, ("bad", "good"), "good"])
def test_it_is_drawn_in_a_notebook_whatever_its_parameters_are(labels):
    assert "TextsentClassifier" in TextsentClassifier(labels=labels)._repr_html_()


def test_labels_other_than_those_of_the_data_are_an_error(tiny_preset):
    with pytest.raises(ArgumentError) as refused:
        TextsentClassifier(tiny_preset, device="cpu", labels=("bad", "good")).fit(TEXTS, TONES)
    assert str(refused.value) == "y has the labels 'neg', 'pos', and labels says ('bad', 'good')"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            ["neg", "pos", "neutral"] * 20,
            "Only binary classification is supported. The type of the target is multiclass",
        ),
        (["pos"] * 60, "fit needs texts of two classes. y has 1 class: 'pos'"),
        (["pos", None, "neg"] * 20, "y has no label in 20 of 60 rows: leave them out"),
        (pd.Series(["pos", None, "neg"] * 20), "y has no label in 20 of 60 rows: leave them out"),
        (["pos", float("nan"), "neg"] * 20, "y has no label in 20 of 60 rows: leave them out"),
        ("pos", "y must be several labels, in a list for instance. Received: str"),
        (None, "y must be several labels, in a list for instance. Received: NoneType"),
        (["pos", "neg"] * 29, "inconsistent numbers of samples"),
        ([0.25, 0.5, 0.75] * 20, "Unknown label type: continuous"),
    ],
)
def test_labels_of_which_nothing_can_be_learned_are_an_error(classifier, y, message):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the message is compared
        classifier.fit(TEXTS, y)
    assert message in str(refused.value)


def test_calibrating_is_fitting_a_temperature_and_a_bias(classifier, scorer):
    odds = log_odds(scorer.score(TEXTS))
    expected = fit_scaling(odds, np.array([tone == "pos" for tone in TONES], np.int8), np.ones(len(TEXTS)))
    assert classifier.fit(TEXTS, TONES).calibration_ == expected
    calibrated = probabilities(odds / expected.temperature + expected.bias)
    np.testing.assert_allclose(classifier.predict_proba(TEXTS)[:, 1], calibrated, atol=1e-6)


def test_a_text_that_weighs_two_counts_as_two_and_one_that_weighs_nothing_as_none(tiny_preset):
    weights = [2, 0, 1, 1, 1, 1] * 10
    rows = np.repeat(np.arange(60), weights)
    weighted, repeated = (TextsentClassifier(tiny_preset, device="cpu") for _ in range(2))
    weighted.fit(TEXTS, TONES, sample_weight=weights)
    repeated.fit([TEXTS[row] for row in rows], [TONES[row] for row in rows])
    assert weighted.calibration_ == repeated.calibration_


def test_balanced_classes_count_the_same(tiny_preset):
    rows = [row for row in range(60) if TONES[row] == "pos" or row < 12]
    texts, tones = [TEXTS[row] for row in rows], [TONES[row] for row in rows]
    plain, balanced, by_hand = (
        TextsentClassifier(tiny_preset, device="cpu", class_weight=weight).fit(texts, tones)
        for weight in (None, "balanced", {"pos": 36 / 60, "neg": 36 / 12})
    )
    assert plain.calibration_.bias > balanced.calibration_.bias
    assert by_hand.calibration_ == balanced.calibration_


def test_texts_without_a_score_are_not_learned_from(tiny_preset):
    classifiers = [TextsentClassifier(tiny_preset, device="cpu") for _ in range(2)]
    classifiers[0].fit(TEXTS, TONES)
    classifiers[1].fit([*TEXTS, None, "...", "unheard"], [*TONES, "neg", "neg", "neg"])
    assert classifiers[0].calibration_ == classifiers[1].calibration_
    with pytest.raises(ArgumentError, match=r"^none of the 2 texts has a score \(2 no known words\)$"):
        classifiers[0].fit(["unheard", "of"], ["pos", "neg"])


def test_fitting_none_learns_the_labels_alone(tiny_preset, scorer):
    fitted = TextsentClassifier(tiny_preset, device="cpu", fitting="none").fit(TEXTS, TONES)
    assert fitted.classes_.tolist() == ["neg", "pos"]
    assert not hasattr(fitted, "calibration_")
    np.testing.assert_allclose(fitted.predict_proba(TEXTS)[:, 1], scorer.score(TEXTS), atol=1e-6)


def test_fitting_anew_forgets_what_was_fitted(tiny_preset):
    fitted = TextsentClassifier(tiny_preset, device="cpu").fit(TEXTS, TONES)
    assert hasattr(fitted, "calibration_")
    assert not hasattr(fitted.set_params(fitting="none").fit(TEXTS, TONES), "calibration_")


def test_an_unknown_fitting_is_an_error(tiny_preset):
    with pytest.raises(OptionError, match=r"^fitting must be one of calibrate, finetune, none. Received: 'train'$"):
        TextsentClassifier(tiny_preset, fitting="train").fit(TEXTS, TONES)


def test_labels_that_the_classifier_does_not_have_are_not_scored_as_errors(classifier):
    with pytest.raises(ArgumentError) as refused:
        classifier.score(TEXTS, TONES)
    assert str(refused.value) == (
        "y has the labels 'neg', 'pos', the classifier 'negative', 'positive': "
        "fit it, or say labels=(negative, positive)"
    )
    assert classifier.set_params(labels=("neg", "pos")).score(TEXTS, TONES) == np.mean(
        classifier.predict(TEXTS) == TONES
    )


@pytest.fixture(scope="module")
def tuned(tiny_preset):
    data = labelled(240)
    classifier = TextsentClassifier(tiny_preset, device="cpu", fitting="finetune", random_state=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finetune, "RATE", 20.0)  # the model's weights are random
        return classifier.fit(pa.chunked_array([data.texts, [None]]), [*data.labels.tolist(), 1])


@pytest.mark.filterwarnings("ignore::textsent.classifier.UnscoredWarning")
def test_fine_tuning_learns_the_labels(tuned, tiny_preset):
    data = labelled(240, seed=2)
    before = TextsentClassifier(tiny_preset, device="cpu", labels=(0, 1))
    assert tuned.classes_.tolist() == [0, 1]
    assert tuned.score(data.texts, data.labels) > before.score(data.texts, data.labels) + 0.1


def test_a_pickle_holds_the_fine_tuned_model_and_no_other(tuned, classifier, tmp_path):
    probabilities_ = tuned.predict_proba(TEXTS)
    joblib.dump(tuned, tmp_path / "tuned.joblib")
    back = joblib.load(tmp_path / "tuned.joblib").set_params(model=tmp_path / "gone")
    np.testing.assert_allclose(back.predict_proba(TEXTS), probabilities_, atol=1e-6)
    fitted = classifier.fit(TEXTS, TONES)
    probabilities_ = fitted.predict_proba(TEXTS)
    assert len(pickle.dumps(fitted)) < 2000
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(TEXTS), probabilities_)


def test_a_clone_of_what_was_fitted_is_not_fitted(tuned):
    copied = clone(tuned)
    assert copied.get_params() == tuned.get_params()
    assert copied.classes_.tolist() == ["negative", "positive"]


def test_fine_tuning_takes_no_weights_of_texts(tiny_preset):
    fine = TextsentClassifier(tiny_preset, fitting="finetune")
    with pytest.raises(OptionError, match=r"^fine-tuning takes no sample_weight: "):
        fine.fit(TEXTS, TONES, sample_weight=[1] * 60)
    with pytest.raises(
        OptionError, match=r"^fine-tuning takes no class_weight but 'balanced'. Received: {'pos': 2}"
    ):
        fine.set_params(class_weight={"pos": 2}).fit(TEXTS, TONES)


def test_a_model_that_is_not_there_is_an_error_when_it_is_needed(tmp_path):
    nowhere = TextsentClassifier(tmp_path / "nowhere")
    with pytest.raises(PresetError, match=r"^there is no model "):
        nowhere.predict(["great"])


@pytest.mark.parametrize(
    ("model", "received"), [(None, "NoneType"), (7, "int"), (textsent.MailOptions(), "MailOptions")]
)
def test_a_model_is_a_name_or_a_folder(model, received):
    with pytest.raises(OptionError) as refused:
        TextsentClassifier(model).predict(["great"])
    assert str(refused.value) == f"model must be a preset's name or its folder. Received: {received}"


def test_it_is_validated_searched_and_calibrated_by_scikit_learn(classifier):
    assert cross_val_score(classifier, pd.Series(TEXTS), pd.Series(TONES), cv=3).shape == (3,)
    in_processes = cross_val_predict(
        classifier.set_params(workers=1), TEXTS, TONES, cv=3, n_jobs=2, method="predict_proba"
    )
    np.testing.assert_allclose(
        in_processes, cross_val_predict(classifier, TEXTS, TONES, cv=3, method="predict_proba"), atol=1e-6
    )
    grid = {"fitting": ["none", "calibrate"], "class_weight": [None, "balanced"]}
    search = GridSearchCV(classifier, grid, scoring="neg_log_loss", cv=3).fit(np.array(TEXTS), TONES)
    assert search.best_estimator_.classes_.tolist() == ["neg", "pos"]
    isotonic = CalibratedClassifierCV(FrozenEstimator(classifier.fit(TEXTS, TONES)), method="isotonic")
    assert isotonic.fit(TEXTS, TONES).predict_proba(TEXTS).shape == (60, 2)


def test_it_is_a_step_of_a_pipeline(classifier, scorer):
    frame = pd.DataFrame({"subject": TEXTS, "number": range(60)})
    steps = [("column", FunctionTransformer(lambda frame: frame["subject"])), ("tone", classifier)]
    pipeline = Pipeline(steps).fit(frame, TONES)
    assert pipeline.predict(frame).shape == (60,)
    lowered = Pipeline([("lower", FunctionTransformer(lambda texts: texts.str.lower())), ("tone", classifier)])
    assert lowered.fit(frame["subject"], TONES).score(frame["subject"], TONES) == classifier.score(TEXTS, TONES)


def test_scikit_learn_is_asked_for_where_it_is_missing():
    code = (
        "import sys\n"
        "sys.modules['sklearn'] = None\n"
        "import textsent\n"
        "from textsent import *\n"
        "print(hasattr(textsent, 'load'))\n"
        "try:\n    textsent.TextsentClassifier\n"
        "except textsent.TextsentError as exc:\n    print(type(exc).__name__, exc)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == (
        "True\nMissingExtraError TextsentClassifier needs scikit-learn: "
        "install it with pip install 'textsent[sklearn]'\n"
    )
