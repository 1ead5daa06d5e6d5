"""A model as an estimator of scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
import pyarrow as pa

from textsent.calibrate import fit_scaling
from textsent.datasets import LabelledTexts, known_labels, spelling
from textsent.errors import ArgumentError, MissingExtraError, OptionError
from textsent.odds import log_odds, probabilities
from textsent.preprocess import first_wrong
from textsent.presets import NO_CALIBRATION, Calibration
from textsent.schema import is_text
from textsent.score import DEFAULT_MODEL, Scorer, loaded

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state, compute_sample_weight
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import _check_sample_weight, check_consistent_length, validate_data
except ImportError as exc:
    raise MissingExtraError(
        "TextsentClassifier needs scikit-learn: install it with pip install 'textsent[sklearn]'"
    ) from exc

FITTINGS = ("calibrate", "finetune", "none")

UNFITTED_LABELS = ("negative", "positive")

_SHOWN_LABELS = 10

_Floats = np.ndarray[Any, np.dtype[np.float64]]


class UnscoredWarning(UserWarning):
    """Some texts have no score, and so a probability of 0.5."""


class BadLabelsError(OptionError, AttributeError):
    """The parameter `labels` makes no sense, so that there are no `classes_` before `fit` either."""


class TextsentClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
    """Tells positive from negative texts with a model that is trained already.

    It predicts without `fit` too, with the model as it is. `fit` adapts the model to labelled texts of yours.
    Texts, `X`, come in one dimension: a list, a Series, an Index, a NumPy array of strings or objects, an Arrow
    array; not a frame, nor one string. None and NaN may stand for a text.

    A text that can't be scored (null, without a word that the model knows, in another language) says nothing: its
    probability is 0.5, its decision 0, its class `classes_[0]`, and an `UnscoredWarning` tells how many there are.
    `fit` learns nothing from it.

    The model is loaded when it is first needed, in each process anew, and stays loaded. A pickle holds the
    parameters and what was fitted: after `fitting="finetune"` the model too, some megabytes; otherwise a few
    numbers, and the model's name, which must be there when it is used.

    Args:
        model: A shipped preset's name, or a preset's folder.
        fitting: What `fit` does. `"calibrate"`: fits a temperature and a bias to the labels, as
            `textsent.calibrate.fit_scaling` does, in a second and useful from some thirty texts on. Both have a
            prior by which the model is about right. `"finetune"`: trains the network on, as `textsent train --init`
            does, in seconds to minutes, for 200 texts or more; the model stays as it was where that is no better on
            a fifth of the texts, held out. `"none"`: learns which labels there are, and nothing else.
        labels: The negative label, then the positive one. With None `fit` tells them apart where they are like
            `neg` and `pos`, False and True, 0 and 1, or -1 and 1; before it they are `"negative"` and `"positive"`.
        class_weight: None: probabilities are as if labels were as frequent as in `y`; `"balanced"`: both labels
            count the same; or, for `"calibrate"`, a dict of weights by label.
        device: `"cpu"`, `"gpu"`, or `"auto"`: a GPU where there is one.
        workers: Threads that predict on a CPU; by default as many as this process may use cores. Take 1 where
            scikit-learn runs several processes by `n_jobs`.
        random_state: Of `"finetune"`: the cut, the order and the dropout. An int for the same weights each time.

    Attributes:
        classes_: The two labels, sorted: array of shape (2,).
        positive_class_: That of them which means positive.
        calibration_: What `"calibrate"` fitted: a `textsent.presets.Calibration`. Only after `fit`.
    """

    def __init__(
        self,
        model: str | PathLike[str] = DEFAULT_MODEL,
        *,
        fitting: str = "calibrate",
        labels: Sequence[Any] | None = None,
        class_weight: str | dict[Any, float] | None = None,
        device: str = "auto",
        workers: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.model = model
        self.fitting = fitting
        self.labels = labels
        self.class_weight = class_weight
        self.device = device
        self.workers = workers
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803 - scikit-learn's name
        """Adapt the model to labelled texts, as `fitting` says.

        Args:
            X: Texts, shape (texts,).
            y: Their labels, shape (texts,): strings, bools or numbers, two different ones.
            sample_weight: What each text counts, shape (texts,), 0 or more; for `"calibrate"`.

        Raises:
            ArgumentError: The texts aren't strings, or there are none; which labels are positive can't be told; no
                text has a score.
            ValueError: `y` isn't of two classes, or not as long as `X`; a weight makes no sense.
            OptionError: A parameter makes no sense.
            InputError: There are too few texts to fine-tune.
            PresetError: There is no such model.
        """
        if self.fitting not in FITTINGS:
            raise OptionError(f"fitting must be one of {', '.join(FITTINGS)}. Received: {self.fitting!r}")
        texts = _texts(X)
        if not len(texts):
            raise ArgumentError("fit needs texts with their labels. Received: no texts")
        y = validate_data(self, X="no_validation", y=_labels(y))
        check_consistent_length(texts, y)
        classes, encoded = self._classes_of(y)
        positive = self._positive_of(classes)
        is_positive = (encoded == positive).astype(np.int8)
        weights = None
        if sample_weight is not None:
            if self.fitting == "finetune":
                raise OptionError("fine-tuning takes no sample_weight: leave it out, or take fitting='calibrate'")
            weights = _check_sample_weight(sample_weight, texts, dtype=np.float64, ensure_non_negative=True)
        self._forget()
        if self.fitting == "calibrate":
            self.calibration_ = self._calibrated(texts, is_positive, y, weights)
        elif self.fitting == "finetune":
            self._preset = self._fine_tuned(texts, is_positive)
        self._fitted = classes, positive
        return self

    def predict(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803
        """Return the more probable label of each text: shape (texts,), of the type of `classes_`."""
        classes, _ = self._both_labels()
        return classes[(self.decision_function(X) > 0).astype(np.intp)]

    def predict_proba(self, X: Any) -> _Floats:  # noqa: N803
        """Return the probabilities of `classes_`: float64, shape (texts, 2), 0 … 1, 1 in sum."""
        of_second = probabilities(self.decision_function(X))
        return np.stack([1 - of_second, of_second], axis=1)

    def decision_function(self, X: Any) -> _Floats:  # noqa: N803
        """Return the log-odds of `classes_[1]`: float64, shape (texts,), about -16 … 16, more where calibrated."""
        texts = _texts(X)
        columns = self._scorer().score_columns(texts)
        scores = columns.column("score").to_numpy(zero_copy_only=False)
        _warn_of_unscored(columns.column("error"))
        calibration = getattr(self, "calibration_", NO_CALIBRATION)
        odds = log_odds(scores) / calibration.temperature + calibration.bias
        _, positive = self._both_labels()
        return np.where(np.isnan(odds), 0.0, odds if positive == 1 else -odds)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: N803
        """Return the accuracy on labelled texts, 0 … 1.

        Raises:
            ArgumentError: None of the labels is one of `classes_`.
        """
        labels = _labels(y)
        if len(labels) and not np.isin(labels, self.classes_).any():
            raise ArgumentError(
                f"y has the labels {_shown(labels)}, the classifier {_shown(self.classes_)}: "
                "fit it, or say labels=(negative, positive)"
            )
        return float(super().score(X, labels, sample_weight))

    @property
    def classes_(self) -> np.ndarray[Any, Any]:
        """The two labels, sorted."""
        return self._both_labels()[0]

    @property
    def positive_class_(self) -> Any:
        """The label that means positive."""
        classes, positive = self._both_labels()
        return classes[positive]

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        tags.requires_fit = False
        return tags

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_tuned"}

    def _both_labels(self) -> tuple[np.ndarray[Any, Any], int]:
        """Return the two labels, sorted, and the place of the positive one."""
        found: tuple[np.ndarray[Any, Any], int] | None = getattr(self, "_fitted", None)
        if found is None:
            negative, positive = UNFITTED_LABELS if self.labels is None else _pair(self.labels)
            classes = np.unique([negative, positive])
            return classes, int(classes[1] == positive)
        return found

    def _classes_of(self, y: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the two labels, sorted, and which each text has: 0 or 1, shape (texts,)."""
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind != "binary":
            raise ArgumentError(
                f"Only binary classification is supported. The type of the target is {kind}: "
                "leave out texts of other labels, such as neutral"
            )
        classes, encoded = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ArgumentError(f"fit needs texts of two classes. y has 1 class: {_shown(classes)}")
        return classes, encoded

    def _positive_of(self, classes: np.ndarray[Any, Any]) -> int:
        """Return which of two labels is the positive one: 0 or 1."""
        if self.labels is not None:
            negative, positive = _pair(self.labels)
            places = [place for place, label in enumerate(classes) if label == positive]
            if not places or classes[1 - places[0]] != negative:
                raise ArgumentError(f"y has the labels {_shown(classes)}, and labels says {tuple(self.labels)!r}")
            return places[0]
        spellings = [spelling(label) for label in classes.tolist()]
        known = known_labels(set(spellings), set())
        kinds = [known.get(name) for name in spellings]
        if sorted(map(str, kinds)) != ["0", "1"]:
            raise ArgumentError(
                f"which of the labels {_shown(classes)} is the positive one can't be told: "
                "say it by labels=(negative, positive)"
            )
        return kinds.index(1)

    def _calibrated(
        self,
        texts: pa.Array | pa.ChunkedArray,
        is_positive: np.ndarray[Any, np.dtype[np.int8]],
        y: np.ndarray[Any, Any],
        weights: _Floats | None,
    ) -> Calibration:
        columns = self._scorer().score_columns(texts)
        scores = columns.column("score").to_numpy(zero_copy_only=False)
        scored = ~np.isnan(scores)
        if not scored.any():
            raise ArgumentError(
                f"none of the {len(scores):,} texts has a score ({_reasons(columns.column('error'))})"
            )
        counted = compute_sample_weight(self.class_weight, y) * (1.0 if weights is None else weights)
        return fit_scaling(log_odds(scores[scored]), is_positive[scored], counted[scored])

    def _fine_tuned(
        self, texts: pa.Array | pa.ChunkedArray, is_positive: np.ndarray[Any, np.dtype[np.int8]]
    ) -> dict[str, bytes]:
        """Return the files of the model, trained on, by their names."""
        from textsent.finetune import Start
        from textsent.fitting import Observers
        from textsent.options import Options
        from textsent.preprocess import as_text_array
        from textsent.presets import preset_files
        from textsent.train import train

        if self.class_weight not in (None, "balanced"):
            raise OptionError(f"fine-tuning takes no class_weight but 'balanced'. Received: {self.class_weight!r}")
        start = Start.from_preset(_path(self.model))
        options = Options(
            recipe=start.recipe_for(None),
            seed=int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max)),
            class_weight=self.class_weight or "none",
        )
        present = texts.is_valid()
        texts = as_text_array(texts.filter(present))
        labels = is_positive[present.to_numpy(zero_copy_only=False)]
        with TemporaryDirectory() as folder:
            output = Path(folder, "model")
            train(
                LabelledTexts(texts, labels, texts, False),
                output,
                options,
                Observers([]),
                start=start,
                pictures=False,
            )
            return {name: (output / name).read_bytes() for name in preset_files(output)}

    def _scorer(self) -> Scorer:
        files: dict[str, bytes] | None = getattr(self, "_preset", None)
        if files is None:
            return loaded(_path(self.model), device=self.device, workers=self.workers)
        if not hasattr(self, "_tuned"):
            # A vocabulary is mapped, and stays readable; Windows keeps the file of one.
            with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                for name, content in files.items():
                    Path(folder, name).write_bytes(content)
                self._tuned = Scorer.from_preset(folder, device=self.device, workers=self.workers)
        tuned: Scorer = self._tuned
        return tuned

    def _forget(self) -> None:
        for name in ("_fitted", "_preset", "_tuned", "calibration_"):
            self.__dict__.pop(name, None)


def _pair(labels: Sequence[Any]) -> tuple[Any, Any]:
    is_pair = isinstance(labels, Sequence) and not isinstance(labels, str) and len(labels) == 2
    if not is_pair or labels[0] == labels[1]:
        raise BadLabelsError(f"labels must be the negative label and the positive one. Received: {labels!r}")
    return labels[0], labels[1]


def _path(model: str | PathLike[str]) -> str | Path:
    if not isinstance(model, str | PathLike):
        raise OptionError(f"model must be a preset's name or its folder. Received: {type(model).__name__}")
    return model if isinstance(model, str) else Path(model)


def _texts(values: Any) -> pa.Array | pa.ChunkedArray:
    """Return texts, in one dimension, as an array of Arrow.

    Raises:
        ArgumentError: They are something else.
    """
    if len(shape := getattr(values, "shape", (0,))) != 1:
        advice = ": choose a column" if hasattr(values, "columns") else ""
        raise ArgumentError(f"X must have one dimension, a text each. Received: the shape {shape}{advice}")
    if isinstance(values, pa.Array | pa.ChunkedArray):
        texts = values
    else:
        _check_is_list("X", "texts", values)
        try:
            texts = pa.array(values, from_pandas=True)
        except UnicodeEncodeError as exc:
            raise ArgumentError(f"X holds half of a character: {exc}") from exc
        except (TypeError, ValueError, pa.ArrowException, OverflowError) as exc:
            raise ArgumentError(f"X must be texts. Received: {first_wrong(values)}") from exc
    if texts.null_count == len(texts):
        return pa.nulls(len(texts), pa.string())
    if not is_text(texts.type):
        raise ArgumentError(f"X must be texts. Received: {texts.type}")
    return texts


def _labels(values: Any) -> Any:
    """Return labels as an array of NumPy.

    Raises:
        ArgumentError: They are no list of labels, or one is missing.
    """
    import pandas as pd

    if isinstance(values, pa.Array | pa.ChunkedArray):
        values = values.to_pylist()
    _check_is_list("y", "labels", values)
    missing = int(np.sum(np.asarray(pd.isna(values))))
    if missing:
        raise ArgumentError(f"y has no label in {missing:,} of {len(values):,} rows: leave them out")
    return values.to_numpy() if isinstance(values, pd.Series) else np.asarray(values)


def _check_is_list(name: str, held: str, values: object) -> None:
    """Check that there are several values, in an order.

    Raises:
        ArgumentError: There aren't.
    """
    is_list = isinstance(values, Sequence) or hasattr(values, "__array__")
    if isinstance(values, str | bytes) or not is_list:
        raise ArgumentError(
            f"{name} must be several {held}, in a list for instance. Received: {type(values).__name__}"
        )


def _warn_of_unscored(errors: pa.Array) -> None:
    unscored = len(errors) - errors.null_count
    if unscored:
        warnings.warn(
            f"{unscored:,} of {len(errors):,} texts have no score, and a probability of 0.5: {_reasons(errors)}",
            UnscoredWarning,
            stacklevel=4,
        )


def _reasons(errors: pa.Array) -> str:
    counts = errors.drop_null().value_counts().to_pylist()
    return ", ".join(f"{item['counts']:,} {item['values']}" for item in counts)


def _shown(labels: Any) -> str:
    found = np.unique(labels).tolist()
    return ", ".join(map(repr, found[:_SHOWN_LABELS])) + (", …" if len(found) > _SHOWN_LABELS else "")
