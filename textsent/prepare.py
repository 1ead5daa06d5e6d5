"""What a training prepares before the first step: vocabulary, word vectors, short texts, a teacher's opinions.

It takes minutes on many texts, so it is kept in the training's folder for when the training goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from textsent.checkpoint import TrainingFolder
from textsent.datasets import LabelledTexts
from textsent.errors import InputError, OptionError
from textsent.fitting import Observer
from textsent.frames import framed_sentences, made_sentences
from textsent.lexicons import Lexicons
from textsent.odds import log_odds, probabilities
from textsent.options import Options
from textsent.parts import Parts
from textsent.preprocess import Preprocessor, Settings, split_words
from textsent.presets import CONFIG_FILE, read_json, write_json
from textsent.recipes import Recipe, recipe
from textsent.short_texts import EMOJI_TONES, ShortTexts, changed, emoji_tones, sentences, tone_words
from textsent.teaching import Lesson
from textsent.unlabelled import Teacher, check_extra

SHORT_TEXTS = 300_000
"""Sentences of the texts that a network learns from beside them; five a text where that is less."""

MADE_SENTENCES, FRAMED_SENTENCES = 300_000, 60_000
"""Sentences made from lexicons that it learns from as well, and sentences of the texts put into the same frames; in
proportion to the others where these are fewer."""

SHORT_WEIGHT, MADE_WEIGHT = 0.2, 0.75
"""What a sentence of the texts weighs against a whole one, and what one that is made or framed does."""

AS_FOUND, CHANGED = (2.0, 2.0, 1.0), (1.0, 3.0, 1.0)
"""A sentence's log-odds are so many times its teacher's log-odds, VADER's compound score, and the score of Hu and
Liu's opinion words, which lie within -1 … 1. Of sentences as they were found, the teacher knows more: against the
labels of the reviews that held-out ones are from it has an AUC of 0.75, VADER of 0.62, and both so added up of
0.72."""

EMOJI_SHARE = 1.5
"""And so many times its emoji's tone, -1 … 1."""

TONE_SCALE, EMOJI_VALENCE = 0.15, 2.5
"""The last value of a word's vector is its valence, -4 … 4, times the first; that of an emoji is its tone times the
second."""

_TONE_TEXTS = 25_000  # in which it is looked up how words are used
_ARRAYS_FILE = "prepared.npz"
_SHORT_FILE = "short.parquet"

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

    def check(self, recipe: Recipe, options: Options) -> None:
        """Check that a recipe can use them, and that what it takes to use them is there.

        Raises:
            OptionError: The recipe can't.
            MissingExtraError: A package isn't installed.
        """
        name = options.recipe
        for given, usable, option in (
            (self.unlabelled, recipe.vectors != "none" or recipe.teacher, "--unlabelled"),
            (self.embeddings, recipe.vectors == "fixed", "--embeddings"),
            (self.stop_words, recipe.stop_words, "--stopwords"),
        ):
            if given is not None and not usable:
                raise OptionError(f"the recipe {name} has no use for {option}: leave it out")
        if options.short_texts and not recipe.teacher:
            raise OptionError(f"the recipe {name} has no use for --short-texts: leave it out")
        teaches = (self.unlabelled is not None or options.short_texts) and recipe.teacher
        trains_vectors = self.embeddings is None and (
            recipe.vectors == "fixed" or (recipe.vectors == "start" and self.unlabelled is not None)
        )
        check_extra(teaches, trains_vectors)


@dataclass(frozen=True)
class Prepared:
    """What the fitting starts from.

    Attributes:
        preprocessor: Texts to word ids.
        config: What the network is built from.
        texts: Array of strings: what is trained on, the labelled texts first, then the unlabelled ones where a
            teacher judges them, then the short ones: found, made and framed.
        targets: float32, shape (texts,): the probability that each is positive.
        weights: float32, shape (texts,): what each weighs.
        opinions: float32, shape (unlabelled texts,): what the teacher thinks of the unlabelled texts; None where
            it judges none.
        vectors: float32, shape (words, size): the embedding's first values; None where they are random, or where
            the training goes on.
        teacher: Whose opinions they are; None without one.
    """

    preprocessor: Preprocessor
    config: dict[str, Any]
    texts: pa.Array
    targets: _Floats
    weights: _Floats
    opinions: _Floats | None
    vectors: _Floats | None
    teacher: Teacher | None = None

    def short_texts(self, parts: Parts) -> pa.Array:
        """Return those of the texts that are neither labelled nor unlabelled ones."""
        judged = 0 if self.opinions is None else len(self.opinions)
        return self.texts.slice(len(parts.training) + judged)

    def lesson(self, parts: Parts) -> Lesson:
        """Return what the network learns from, as word ids."""
        return Lesson(
            texts=self.preprocessor(self.texts),
            targets=self.targets,
            weights=self.weights,
            labelled=len(parts.training),
            opinions=self.opinions,
            reconsidered=None if self.teacher is None else self.teacher.reconsidered,
            validation=self.preprocessor(parts.validation.texts),
            validation_labels=parts.validation.labels,
        )


def prepare(parts: Parts, sources: Sources, options: Options, observer: Observer) -> Prepared:
    """Return what the fitting starts from.

    Args:
        parts: Labelled texts, to learn from and to validate with.
        sources: What else to learn from; the unlabelled texts hold none that is held out.
        options: How to train.
        observer: Is told what takes a while.

    Raises:
        InputError: The texts hold no words, or a file can't be used.
    """
    chosen, training = recipe(options.recipe), parts.training
    texts = training.texts.cast(pa.large_string())
    unlabelled = pa.array([], pa.large_string()) if sources.unlabelled is None else sources.unlabelled
    corpus = pa.concat_arrays([texts, unlabelled])
    settings = _settings(chosen, sources.stop_words)
    lexicons = Lexicons.from_nltk("leave --short-texts out") if options.short_texts else None
    short = None if lexicons is None else _short_texts(corpus, lexicons, settings, options.seed)
    vocabulary = _vocabulary(chosen, corpus, settings, sources)
    if not len(vocabulary.words):
        raise InputError("the texts to train on hold no words")
    if short is not None and lexicons is not None:
        vocabulary = _with_known_words(vocabulary, short, lexicons)
    opinions, short_opinions, vectors = None, None, None
    teacher = _teacher(chosen, training, sources, options)
    if teacher is not None:
        observer.said("a linear teacher reads the labelled texts and judges the others")
        opinions = None if sources.unlabelled is None else teacher.opinions()
        short_opinions = None if short is None else teacher.predict(short.found)
    config = {"recipe": options.recipe, "vocabulary_size": len(vocabulary.words), **chosen.config}
    if (
        sources.embeddings is not None
        or chosen.vectors == "fixed"
        or (chosen.vectors == "start" and sources.unlabelled is not None)
    ):
        vocabulary, vectors = _vectors(chosen, corpus, vocabulary, sources, options.seed, observer)
        config = {**config, "vocabulary_size": len(vocabulary.words), "embedding_size": vectors.shape[1]}
    learned = texts if opinions is None else corpus
    targets, weights = _targets(training, opinions), np.ones(len(learned), np.float32)
    if short is not None and short_opinions is not None and lexicons is not None:
        if vectors is not None:
            vectors = _with_tones(vectors, vocabulary, lexicons)
        judged_short = _judged(short, short_opinions, lexicons, settings, observer)
        number = round(FRAMED_SENTENCES * len(short.found) / SHORT_TEXTS)
        framed, framed_targets = framed_sentences(
            short.words, short.found.to_pylist(), judged_short, number, options.seed
        )
        learned = pa.concat_arrays([learned, short.found, short.made, pa.array(framed, pa.large_string())])
        targets = np.concatenate([targets, judged_short, short.made_targets, framed_targets])
        made_weights = np.full(len(short.made) + len(framed), MADE_WEIGHT, np.float32)
        weights = np.concatenate([weights, np.full(len(short.found), SHORT_WEIGHT, np.float32), made_weights])
    return Prepared(vocabulary, config, learned, targets, weights, opinions, vectors, teacher)


def save_prepared(prepared: Prepared, parts: Parts, folder: TrainingFolder) -> None:
    """Keep in a training's folder what it takes long to prepare; the vectors are in the first checkpoint."""
    prepared.preprocessor.save(folder.path)
    write_json(folder.path / CONFIG_FILE, prepared.config)
    pq.write_table(pa.table({"text": prepared.short_texts(parts)}), folder.path / _SHORT_FILE)
    arrays = {"targets": prepared.targets, "weights": prepared.weights}
    if prepared.opinions is not None:
        arrays["opinions"] = prepared.opinions
    folder.save_arrays(_ARRAYS_FILE, arrays)


def load_prepared(folder: TrainingFolder, parts: Parts, sources: Sources, options: Options) -> Prepared:
    """Return what `save_prepared` kept, of the same texts.

    Raises:
        InputError: A file is missing or damaged.
        PresetError: So is one of those that a preset has too.
    """
    arrays = folder.load_arrays(_ARRAYS_FILE)
    try:
        short = pq.read_table(folder.path / _SHORT_FILE).column("text").combine_chunks().cast(pa.large_string())
    except (OSError, pa.ArrowException, KeyError) as exc:
        raise InputError(f"{folder.path / _SHORT_FILE} can't be read: {exc}: begin anew with --overwrite") from exc
    texts = [parts.training.texts.cast(pa.large_string()), short]
    if arrays is not None and "opinions" in arrays and sources.unlabelled is not None:
        texts.insert(1, sources.unlabelled)
    preprocessor, config = Preprocessor.from_preset(folder.path), read_json(folder.path / CONFIG_FILE)
    if len(preprocessor.words) != config.get("vocabulary_size"):
        raise InputError(
            f"{folder.path} is damaged: its vocabulary has {len(preprocessor.words)} words, its network "
            f"{config.get('vocabulary_size')}: begin anew with --overwrite"
        )
    lengths = {len((arrays or {}).get(name, ())) for name in ("targets", "weights")}
    if arrays is None or lengths != {sum(map(len, texts))}:
        raise InputError(f"{folder.path / _ARRAYS_FILE} is missing or damaged: begin anew with --overwrite")
    return Prepared(
        preprocessor,
        config,
        pa.concat_arrays(texts),
        arrays["targets"],
        arrays["weights"],
        arrays.get("opinions"),
        vectors=None,
        teacher=_teacher(recipe(options.recipe), parts.training, sources, options),
    )


def _teacher(chosen: Recipe, training: LabelledTexts, sources: Sources, options: Options) -> Teacher | None:
    if not chosen.teacher or (sources.unlabelled is None and not options.short_texts):
        return None
    return Teacher(training.texts, training.labels, sources.unlabelled)


def _targets(training: LabelledTexts, opinions: _Floats | None) -> _Floats:
    targets = training.labels.astype(np.float32)
    return targets if opinions is None else np.concatenate([targets, opinions])


def _short_texts(corpus: pa.Array, lexicons: Lexicons, settings: Settings, seed: int) -> ShortTexts:
    """Return sentences of the texts, changed, and sentences made from lexicons."""
    valences = lexicons.valences()
    share = min(1.0, len(corpus) / SHORT_TEXTS * 5)  # of few texts there are few sentences
    found, as_found = changed(sentences(corpus, int(SHORT_TEXTS * share), seed), valences, seed)
    tones = tone_words(corpus.slice(0, _TONE_TEXTS), valences, settings)
    made, targets = made_sentences(tones, int(MADE_SENTENCES * share), seed)
    return ShortTexts(
        pa.array(found, pa.large_string()), as_found, tones, pa.array(made, pa.large_string()), targets
    )


def _judged(
    short: ShortTexts, opinions: _Floats, lexicons: Lexicons, settings: Settings, observer: Observer
) -> _Floats:
    """Return what teacher and lexicons think together of found sentences: float32, shape (sentences,), 0 … 1."""
    observer.said(f"lexicons judge {len(short.found):,} single sentences")
    thought = (
        log_odds(opinions),
        lexicons.compound_scores(short.found),
        lexicons.opinion_scores(short.found, settings),
    )
    odds = EMOJI_SHARE * emoji_tones(short.found.to_pylist())
    for values, as_found, after_change in zip(thought, AS_FOUND, CHANGED, strict=True):
        odds += np.where(short.as_found, as_found, after_change) * values
    return probabilities(odds).astype(np.float32)


def _with_known_words(vocabulary: Preprocessor, short: ShortTexts, lexicons: Lexicons) -> Preprocessor:
    """Return a vocabulary with what lexicons, emoji and made sentences add to it."""
    made, _ = split_words(short.made, vocabulary.settings)
    known = set(vocabulary.vocabulary)
    rated, _ = split_words(pa.array(list(lexicons.valences()), pa.large_string()), vocabulary.settings)
    more = dict.fromkeys([*made.to_pylist(), *rated.to_pylist(), *EMOJI_TONES])
    return Preprocessor(
        [*vocabulary.vocabulary, *(word for word in more if word not in known)], vocabulary.settings
    )


def _with_tones(vectors: _Floats, vocabulary: Preprocessor, lexicons: Lexicons) -> _Floats:
    """Return word vectors whose last value is a word's tone in the lexicons, so that rare words have one too."""
    valences = lexicons.valences()
    tones = [valences.get(word, EMOJI_VALENCE * EMOJI_TONES.get(word, 0.0)) for word in vocabulary.vocabulary]
    vectors = vectors.copy()
    vectors[:, -1] = [TONE_SCALE * tone for tone in tones]
    return vectors


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


def _vocabulary(chosen: Recipe, corpus: pa.Array, settings: Settings, sources: Sources) -> Preprocessor:
    """Return the preprocessor; its vocabulary has all words where they are to be looked up in a file of vectors."""
    size = None if sources.embeddings is not None else chosen.vocabulary_size
    return Preprocessor.fit(corpus, size, settings)


def _vectors(
    chosen: Recipe, corpus: pa.Array, vocabulary: Preprocessor, sources: Sources, seed: int, observer: Observer
) -> tuple[Preprocessor, _Floats]:
    """Return word vectors that are read or trained, and the vocabulary of those words that have one."""
    if sources.embeddings is not None:
        from textsent.embeddings import read_vectors

        observer.said(f"word vectors are read from {sources.embeddings}")
        words, vectors = read_vectors(sources.embeddings, vocabulary.vocabulary)
        size = chosen.vocabulary_size
        return Preprocessor(words[:size], vocabulary.settings), vectors[:size]
    from textsent.unlabelled import word_vectors

    observer.said(f"word vectors are trained on {len(corpus):,} texts")
    size = chosen.config["embedding_size"]
    return vocabulary, word_vectors(corpus, vocabulary.vocabulary, size, seed, vocabulary.settings)
