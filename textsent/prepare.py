"""What a training prepares before the first step: vocabulary, word vectors, a teacher's opinions.

It takes minutes on many texts, so it is kept in the training's folder for when the training goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from textsent.checkpoint import TrainingFolder
from textsent.datasets import LabelledTexts
from textsent.errors import InputError, OptionError
from textsent.fitting import Observer
from textsent.preprocess import Preprocessor, Settings
from textsent.presets import CONFIG_FILE, read_json, write_json
from textsent.recipes import Recipe

_OPINIONS_FILE = "opinions.npy"

_Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Sources:
    """What a training learns from beside the labelled texts.

    Attributes:
        unlabelled: Array of strings, or None.
        embeddings: File of word vectors, or None.
        stop_words: File of stop words; with None NLTK's, where the recipe leaves them out.
    """

    unlabelled: pa.Array | None = None
    embeddings: Path | None = None
    stop_words: Path | None = None

    def check(self, recipe: Recipe, name: str) -> None:
        """Check that a recipe can use them, and that what it takes to use them is there.

        Raises:
            OptionError: The recipe can't.
            MissingExtraError: A package isn't installed.
        """
        for given, usable, option in (
            (self.unlabelled, recipe.vectors != "none" or recipe.teacher, "--unlabelled"),
            (self.embeddings, recipe.vectors == "fixed", "--embeddings"),
            (self.stop_words, recipe.stop_words, "--stopwords"),
        ):
            if given is not None and not usable:
                raise OptionError(f"the recipe {name} has no use for {option}: leave it out")
        teaches = self.unlabelled is not None and recipe.teacher
        trains_vectors = self.embeddings is None and (
            recipe.vectors == "fixed" or (recipe.vectors == "start" and self.unlabelled is not None)
        )
        if teaches or trains_vectors:
            from textsent.unlabelled import check_extra

            check_extra(teaches)


@dataclass(frozen=True)
class Prepared:
    """What the fitting starts from.

    Attributes:
        preprocessor: Texts to word ids.
        config: What the network is built from.
        texts: Array of strings: what is trained on, the labelled texts first.
        targets: float32, shape (texts,): the probability that each is positive.
        opinions: float32, shape (unlabelled texts,): what the teacher thinks of the texts after the labelled ones;
            None without a teacher.
        vectors: float32, shape (words, size): the embedding's first values; None where they are random, or where
            the training goes on.
    """

    preprocessor: Preprocessor
    config: dict[str, Any]
    texts: pa.Array
    targets: _Floats
    opinions: _Floats | None
    vectors: _Floats | None


def prepare(
    name: str, recipe: Recipe, training: LabelledTexts, sources: Sources, seed: int, observer: Observer
) -> Prepared:
    """Return what the fitting starts from.

    Args:
        name: The recipe's name.
        recipe: The recipe.
        training: Labelled texts.
        sources: What else to learn from; the unlabelled texts hold none that is held out.
        seed: Of the word vectors.
        observer: Is told what takes a while.

    Raises:
        InputError: The texts hold no words, or a file can't be used.
    """
    texts = training.texts.cast(pa.large_string())
    corpus = texts if sources.unlabelled is None else pa.concat_arrays([texts, sources.unlabelled])
    opinions = None
    if recipe.teacher and sources.unlabelled is not None:
        from textsent.unlabelled import Teacher

        observer.said("a linear teacher reads the labelled texts and judges the unlabelled ones")
        opinions = Teacher(training.texts, training.labels).predict(sources.unlabelled)
        texts = corpus
    settings = _settings(recipe, sources.stop_words)
    preprocessor, vectors = _vocabulary(recipe, corpus, settings, sources, seed, observer)
    if not len(preprocessor.words):
        raise InputError("the texts to train on hold no words")
    config = {"recipe": name, "vocabulary_size": len(preprocessor.words), **recipe.config}
    if vectors is not None:
        config["embedding_size"] = vectors.shape[1]
    return Prepared(preprocessor, config, texts, _targets(training, opinions), opinions, vectors)


def save_prepared(prepared: Prepared, folder: TrainingFolder) -> None:
    """Keep in a training's folder what it takes long to prepare; the vectors are in the first checkpoint."""
    prepared.preprocessor.save(folder.path)
    write_json(folder.path / CONFIG_FILE, prepared.config)
    if prepared.opinions is not None:
        np.save(folder.path / _OPINIONS_FILE, prepared.opinions)


def load_prepared(folder: TrainingFolder, training: LabelledTexts, sources: Sources) -> Prepared:
    """Return what `save_prepared` kept, of the same texts.

    Raises:
        InputError: The opinions can't be read.
        PresetError: Another file is damaged.
    """
    texts = training.texts.cast(pa.large_string())
    opinions = None
    if (path := folder.path / _OPINIONS_FILE).is_file():
        try:
            opinions = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as exc:
            raise InputError(f"{path} can't be read: {exc}: begin anew with --overwrite") from exc
        texts = pa.concat_arrays([texts, sources.unlabelled])
    preprocessor, config = Preprocessor.from_preset(folder.path), read_json(folder.path / CONFIG_FILE)
    if len(preprocessor.words) != config.get("vocabulary_size"):
        raise InputError(
            f"{folder.path} is damaged: its vocabulary has {len(preprocessor.words)} words, its network "
            f"{config.get('vocabulary_size')}: begin anew with --overwrite"
        )
    return Prepared(
        preprocessor,
        config,
        texts,
        _targets(training, opinions),
        opinions,
        vectors=None,
    )


def _targets(training: LabelledTexts, opinions: _Floats | None) -> _Floats:
    targets = training.labels.astype(np.float32)
    return targets if opinions is None else np.concatenate([targets, opinions])


def _settings(recipe: Recipe, path: Path | None) -> Settings:
    """Return how a recipe's texts are cut into words.

    Stop words are compared with words as they are after all else, as in what was published: "don't" is no stop word
    where the apostrophe is taken out.
    """
    if not recipe.stop_words:
        return recipe.settings
    from textsent.stopwords import stop_words

    words = stop_words(path)
    return replace(recipe.settings, stop_words=tuple(map(str.lower, words)) if recipe.settings.lower else words)


def _vocabulary(
    recipe: Recipe, corpus: pa.Array, settings: Settings, sources: Sources, seed: int, observer: Observer
) -> tuple[Preprocessor, _Floats | None]:
    """Return the preprocessor with its vocabulary, and the vectors of its words where the recipe wants any."""
    if sources.embeddings is not None:
        from textsent.embeddings import read_vectors

        observer.said(f"word vectors are read from {sources.embeddings}")
        words, vectors = read_vectors(sources.embeddings, Preprocessor.fit(corpus, settings=settings).vocabulary)
        size = recipe.vocabulary_size
        return Preprocessor(words[:size], settings), vectors[:size]
    preprocessor = Preprocessor.fit(corpus, recipe.vocabulary_size, settings)
    wanted = recipe.vectors == "fixed" or (recipe.vectors == "start" and sources.unlabelled is not None)
    if not wanted or not len(preprocessor.words):
        return preprocessor, None
    from textsent.unlabelled import word_vectors

    observer.said(f"word vectors are trained on {len(corpus):,} texts")
    size = recipe.config["embedding_size"]
    return preprocessor, word_vectors(corpus, preprocessor.vocabulary, size, seed, settings)
