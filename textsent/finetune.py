"""Fine-tuning: training that starts from a model that there is, for labelled texts of which there are few.

Three things keep a few hundred texts from overwriting what the model knows. The embedding is left as it is, so that
words that stand in none of the texts still mean what they meant beside those that do. The weights kept lie between
those before and after: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022. And the model as it was is
epoch 0, which is kept where no other is better. What each gave is in `docs/adapting.md`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa

from textsent.calibrate import fit_temperature
from textsent.datasets import LabelledTexts
from textsent.errors import InputError, OptionError
from textsent.evaluate import Evaluation, evaluate
from textsent.fitting import Fitting
from textsent.model import KerasNetwork, import_keras
from textsent.new_words import new_words, vectors_from_contexts
from textsent.ngrams import NgramTable
from textsent.odds import log_odds, probabilities
from textsent.options import Options
from textsent.prepare import Prepared, Sources
from textsent.preprocess import OUT_OF_VOCABULARY_ID, Preprocessor
from textsent.presets import (
    CALIBRATION,
    CONFIG_FILE,
    NGRAMS,
    NGRAMS_FILE,
    NO_CALIBRATION,
    SETTINGS_FILE,
    VOCABULARY_FILE,
    WEIGHTS_FILE,
    Calibration,
    check_preset,
    find_preset,
    read_json,
    write_json,
)
from textsent.recipes import Recipe, recipe
from textsent.score import Scorer
from textsent.teaching import Lesson, sentiment_model
from textsent.windows import Layout

LEAST_TEXTS_OF_A_WORD = 3
"""Labelled texts that must hold a word that the model lacks, for it to be learned."""

FROZEN_UNDER = 10_000
"""With fewer texts the embedding is left as it is. With 200 and with 8,000 that was better than to train it."""

KEPT_SHARE = 0.75
"""How far the weights kept are from those before to those that training reached."""

RATE = 1.0
"""Learning rate, in the recipe's own."""

BATCH_SIZE, EPOCHS, VALIDATION = 16, 8, 0.2

_Floats = np.ndarray[Any, np.dtype[np.float32]]
_Weights = Sequence[_Floats]


@dataclass(frozen=True)
class Start:
    """A model that training starts from.

    Attributes:
        folder: The preset.
        sha256: Of the preset's configuration, settings, vocabulary and weights.
        config: What its network is built from.
        preprocessor: Its texts to word ids, with any new words at the vocabulary's end.
        weights: Those of its network, as Keras lists them. Its calibration is part of them.
        table: Which of them is the embedding's.
        calibration: What the preset made of the network's log-odds beside.
        ngrams: What n-grams say beside the network, calibrated like its weights; None for nothing. They aren't
            trained further.
        is_calibrated: Whether that could be made part of the weights; otherwise training goes without it.
        new_words: Words that the model lacked, with the number of texts that hold each.
        trains_embedding: Whether the vectors of words that are known change too.
        is_trusted: Whether a recipe's code from outside textsent may be run.
    """

    folder: Path
    sha256: str
    config: dict[str, Any]
    preprocessor: Preprocessor
    weights: _Weights
    table: int
    calibration: Calibration
    is_calibrated: bool
    ngrams: NgramTable | None = None
    new_words: dict[str, int] = field(default_factory=dict)
    trains_embedding: bool = False
    is_trusted: bool = False

    @classmethod
    def from_preset(cls, name: str | Path, trust_recipe: bool = False) -> Self:
        """Return what is in a preset.

        Args:
            name: A shipped preset's name, or a preset's folder.
            trust_recipe: Import the code of a recipe from outside textsent.

        Raises:
            PresetError: There is none, it is damaged, or its recipe is from outside and not trusted.
        """
        folder = find_preset(name)
        check_preset(folder)
        import_keras()
        calibration = Calibration.from_preset(folder)
        model = KerasNetwork.from_preset(folder, trust_recipe=trust_recipe).model
        config = {key: value for key, value in read_json(folder / CONFIG_FILE).items() if key not in _ADDED}
        files = [CONFIG_FILE, SETTINGS_FILE, VOCABULARY_FILE, WEIGHTS_FILE]
        hashed = hashlib.sha256()
        ngrams = None
        if read_json(folder / CONFIG_FILE).get(NGRAMS):
            ngrams = NgramTable.from_preset(folder)
            files.append(NGRAMS_FILE)
        for file in files:
            hashed.update(hashlib.sha256((folder / file).read_bytes()).digest())
        is_calibrated = _calibrate(model, calibration)
        if ngrams is not None and is_calibrated:
            ngrams = ngrams.calibrated(calibration.temperature, calibration.bias)
        return cls(
            folder=folder,
            sha256=hashed.hexdigest(),
            config=config,
            preprocessor=Preprocessor.from_preset(folder),
            is_calibrated=is_calibrated,
            ngrams=ngrams,
            weights=model.get_weights(),
            table=_place(model.get_layer("embedding").weights[0], model.weights),
            calibration=calibration,
            is_trusted=trust_recipe,
        )

    @property
    def name(self) -> str:
        """The preset's name."""
        return self.folder.name

    def recipe_for(self, asked: str | None) -> str:
        """Return the name of the model's recipe.

        Args:
            asked: The recipe that was asked for; None where none was.

        Raises:
            OptionError: It is another.
        """
        own: str = self.config["recipe"]
        if asked not in (None, own):
            raise OptionError(
                f"the model {self.name} is of the recipe {own}, and can't become one of {asked}: leave --recipe out"
            )
        return own

    def check(self, options: Options, sources: Sources) -> None:
        """Check that nothing is asked for that doesn't go with a model that there is.

        Args:
            options: Those of the training.
            sources: What was given beside the labelled texts.

        Raises:
            OptionError: Something is.
        """
        self.recipe_for(options.recipe)
        for given, option in (
            (sources.unlabelled is not None, "--unlabelled"),
            (sources.embeddings is not None, "--embeddings"),
            (sources.stop_words is not None, "--stopwords"),
            (options.short_texts, "--short-texts"),
        ):
            if given:
                raise OptionError(
                    f"{option} doesn't go with --init: the model has learnt its words already: leave it out"
                    + (", and see textsent adapt" if option == "--unlabelled" else "")
                )

    def learning_from(self, texts: pa.Array, least: int = LEAST_TEXTS_OF_A_WORD) -> Self:
        """Return this start with the words that it lacks of texts that are to be learnt from.

        A new word begins with a vector that is told from its contexts (`textsent.new_words`). A model that leaves
        unknown words out, or whose vectors were made elsewhere, gets no new ones; nor does one of which another
        layer than the embedding hangs on the vocabulary.

        Args:
            texts: Array of strings.
            least: Texts that must hold a word.
        """
        known = len(self.preprocessor.words)
        reads_unknown = Layout.from_config(self.config).unknown == "mark" and self.config.get("trainable", True)
        found = new_words(texts, self.preprocessor, least) if reads_unknown else {}
        start = replace(self, trains_embedding=len(texts) >= FROZEN_UNDER)
        if not found or not self._can_grow:
            return start
        words = pa.concat_arrays([self.preprocessor.words, pa.array(list(found), pa.large_string())])
        grown = Preprocessor(words, self.preprocessor.settings)
        table = self.weights[self.table]
        vectors = vectors_from_contexts(texts, grown, table, known, least)
        weights = list(self.weights)
        weights[self.table] = np.concatenate([table, vectors])
        config = {**self.config, "vocabulary_size": len(words)}
        return replace(start, config=config, preprocessor=grown, weights=weights, new_words=found)

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe of the model, for a training that starts from it."""
        own = recipe(self.config["recipe"])
        return replace(
            own,
            build=self._build,
            learning_rate=RATE * own.learning_rate,
            cosine=True,
            clip_norm=own.clip_norm or 1.0,
            averaging=0.0,
            batch_size=BATCH_SIZE,
            epochs=EPOCHS,
            patience=None,
            keep="last",
            validation=VALIDATION,
            limit=None,
            vectors="none",
            teacher=False,
            crops=0.0,
        )

    def prepared(self, training: LabelledTexts) -> Prepared:
        """Return labelled texts as a training takes them."""
        return Prepared(
            preprocessor=self.preprocessor,
            config=self.config,
            texts=training.texts.cast(pa.large_string()),
            targets=training.labels.astype(np.float32),
            weights=np.ones(len(training), np.float32),
            opinions=None,
            vectors=None,
        )

    def watch(self, fitting: Fitting, lesson: Lesson) -> None:
        """Have a fitting judge what would be kept, from epoch 0 on.

        Log loss is what is left of it at the best temperature, which the model gets when it is written: a network
        that learns from few texts becomes too sure long before it ceases to order them better. Kept is the last
        epoch that is better than the model as it was, and isn't worse than the best by more than the standard error
        of the difference: forty texts, which validate two hundred, tell whether it helps, and not when most.
        """
        model, layout, folder = fitting.model, Layout.from_config(self.config), fitting.folder
        labels = lesson.validation_labels
        is_better: dict[int, bool] = {}

        def judge(epoch: int) -> Evaluation:
            reached = model.get_weights()
            model.set_weights(self.kept(reached, epoch))
            scores = sentiment_model(model, layout, folder.path, self.ngrams).predict(lesson.validation)
            model.set_weights(reached)
            scores = at_best_temperature(scores, labels)
            losses = _losses(scores, labels)
            known = {"first": losses, "least": losses} if epoch == 0 else folder.load_arrays(_LOSSES_FILE)
            if known is None:
                raise InputError(f"{folder.path / _LOSSES_FILE} is missing: begin anew with --overwrite")
            first, least = known["first"], known["least"]
            helps = bool(losses.mean() < first.mean()) and not _is_worse(losses, least)
            is_better[epoch] = epoch == 0 or helps
            if losses.mean() < least.mean() or epoch == 0:
                folder.save_arrays(_LOSSES_FILE, {"first": first, "least": losses})
            return evaluate(scores, labels)

        fitting.judge = judge
        fitting.first_epoch = 0
        fitting.may_keep = lambda epoch: is_better[epoch]

    def kept(self, reached: _Weights, epoch: int) -> list[_Floats]:
        """Return the weights that are kept of an epoch: of epoch 0 those with which the model scores as it did.

        Args:
            reached: The weights that training has reached.
            epoch: Its number.
        """
        if epoch:
            pairs = zip(self.weights, reached, strict=True)
            return [
                np.asarray((1 - KEPT_SHARE) * before + KEPT_SHARE * after, np.float32) for before, after in pairs
            ]
        before = list(self.weights)
        table = before[self.table].copy()
        if self.new_words:
            table[-len(self.new_words) :] = table[OUT_OF_VOCABULARY_ID]
        before[self.table] = table
        return before

    def scorer(self) -> Scorer:
        """Return what scores with the model as it is."""
        return Scorer.from_preset(self.folder, trust_recipe=self.is_trusted)

    def evaluate(self, data: LabelledTexts) -> Evaluation:
        """Return how well the model does as it is."""
        scorer = self.scorer()
        return evaluate(scorer.model.predict(scorer.preprocessor(data.texts)), data.labels)

    def write_calibration(
        self, folder: Path, scores: _Floats, labels: np.ndarray[Any, np.dtype[np.int8]], epoch: int
    ) -> Calibration:
        """Write into a preset what is to be made of its network's log-odds; return it.

        The temperature is fitted; where the model is kept as it was it has the scores that it had. The neutral band
        stays: scores are probabilities before and after.

        Args:
            folder: The preset.
            scores: float32, shape (texts,): what its network makes of the validation part; NaN where there is none.
            labels: int8, shape (texts,): 1 positive, 0 negative.
            epoch: Number of the epoch that is kept.
        """
        if epoch:
            scored = ~np.isnan(scores)
            calibration = Calibration(fit_temperature(scores[scored], labels[scored]))
        else:
            calibration = Calibration() if self.is_calibrated else self.calibration
        return self._write(calibration, folder)

    def write_neutral_band(self, folder: Path) -> None:
        """Write into a preset which scores it calls neutral."""
        self._write(NO_CALIBRATION, folder)

    def _write(self, calibration: Calibration, folder: Path) -> Calibration:
        calibration = replace(calibration, neutral=self.calibration.neutral)
        if calibration != NO_CALIBRATION:
            write_json(
                folder / CONFIG_FILE, {**read_json(folder / CONFIG_FILE), CALIBRATION: calibration.to_json()}
            )
        return calibration

    def facts(self) -> dict[str, Any]:
        """Return what a preset's metadata hold of the model that it was made from."""
        return {"model": self.name, "sha256": self.sha256, "new_words": len(self.new_words)}

    @property
    def _can_grow(self) -> bool:
        """Whether no other of the network's weights than the embedding's hang on the vocabulary."""
        larger = {**self.config, "vocabulary_size": self.config["vocabulary_size"] + 1}
        shapes = [weights.shape for weights in recipe(self.config["recipe"]).build(larger).get_weights()]
        if len(shapes) != len(self.weights):
            return False
        changed = [place for place, shape in enumerate(shapes) if shape != self.weights[place].shape]
        return changed == [self.table]

    def _build(self, config: dict[str, Any]) -> Any:
        """Return the network with its weights; the embedding stays as it is where it isn't to be trained."""
        model = recipe(self.config["recipe"]).build(config)
        model.set_weights(self.weights)
        if not self.trains_embedding:
            model.get_layer("embedding").trainable = False
        return model


_LOSSES_FILE = "losses.npz"

_ADDED = ("graph", CALIBRATION, NGRAMS)
"""Keys of a preset's configuration that are written anew."""


def at_best_temperature(scores: _Floats, labels: np.ndarray[Any, np.dtype[np.int8]]) -> _Floats:
    """Return scores by the temperature that suits them best: float32, shape (texts,).

    Args:
        scores: float32, shape (texts,), 0 … 1; NaN where there is none.
        labels: int8, shape (texts,): 1 positive, 0 negative.
    """
    scored = ~np.isnan(scores)
    temperature = fit_temperature(scores[scored], labels[scored])
    return probabilities(log_odds(scores) / temperature).astype(np.float32)


def _losses(scores: _Floats, labels: np.ndarray[Any, np.dtype[np.int8]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return -log(probability given to the label) of each text that has a score."""
    given = np.where(labels == 1, scores, 1 - scores).astype(np.float64)
    return -np.log(np.clip(given[~np.isnan(scores)], 1e-7, None))


def _is_worse(losses: np.ndarray[Any, Any], others: np.ndarray[Any, Any]) -> bool:
    """Return whether the mean of losses exceeds others' by more than the standard error of the difference."""
    differences = losses - others
    return bool(differences.mean() > differences.std() / np.sqrt(len(differences)))


def _calibrate(model: Any, calibration: Calibration) -> bool:
    """Make a calibration part of a network's last layer; return whether that could be done."""
    from keras import activations, layers

    if (calibration.temperature, calibration.bias) == (1.0, 0.0):
        return True
    last = model.layers[-1]
    if not (
        isinstance(last, layers.Dense)
        and last.use_bias
        and (last.units, last.activation) in ((1, activations.sigmoid), (2, activations.softmax))
    ):
        return False
    kernel, bias = (weights / np.float32(calibration.temperature) for weights in last.get_weights())
    bias[-1] += calibration.bias
    last.set_weights([kernel, bias])
    return True


def _place(variable: Any, variables: Sequence[Any]) -> int:
    return next(place for place, other in enumerate(variables) if other is variable)
