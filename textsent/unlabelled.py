"""What a network can learn from texts that nobody labelled: word vectors, and a teacher's opinion of them.

Needs the extra `textsent[unlabelled]`: gensim and scikit-learn.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from textsent.errors import InputError, MissingExtraError
from textsent.imdb import read_unlabelled_reviews
from textsent.ngrams import BITS, LAST_WORDS, NGRAMS, NgramTable, ngrams
from textsent.odds import log_odds, probabilities
from textsent.preprocess import Settings, WordIds, as_text_array, split_words
from textsent.readers import open_reader

TEACHER_C, TAUGHT_C = 0.05, 0.2
"""Inverse strength of the teacher's L2 penalty, with labels alone and with opinions too; these and LABEL_WEIGHT and
`textsent.ngrams.LAST_WORDS` were chosen on the training split of the Large Movie Review Dataset."""

TAUGHT_TEMPERATURE = 2.0
"""What its log-odds are divided by when it has learned from opinions: by then it is twice as sure as its pupil."""

LABEL_WEIGHT = 3.0
"""What a labelled text weighs against one whose opinion is sure."""

_LEAST_TEXTS = ((20_000, 4), (100, 2), (0, 1))
"""With so many texts an n-gram must stand in so many of them."""

VECTOR_EPOCHS = 5
VECTOR_WINDOW = 8  # words to each side
VECTOR_NEGATIVES = 8
VECTOR_SAMPLE = 1e-4  # words more frequent than this are dropped at random
VECTOR_SCALE = 0.5
"""word2vec's vectors are scaled by it: values of about ±0.25 suit an LSTM's gates."""

_ROWS = 5000  # texts cut into words at a time
_SETTINGS = Settings()

_Floats = np.ndarray[Any, np.dtype[np.float32]]


def read_unlabelled(path: Path, text: str | None = None) -> pa.Array:
    """Return the texts of a file, of a folder of .txt files, or of the Large Movie Review Dataset.

    Args:
        path: A file of any format that can be scored, or a folder. Of the dataset's archive `aclImdb_v1.tar.gz`,
            and of its folders `aclImdb` and `aclImdb/train`, the texts are those in `train/unsup`.
        text: Column of the texts, by default `text` or the only column of strings.

    Raises:
        InputError: There are none, or one can't be read.
    """
    texts = pa.array(read_unlabelled_reviews(path), pa.large_string())
    if not len(texts) and not path.is_dir():
        with open_reader(path) as reader:
            name = reader.text_column(text)
            table = pa.Table.from_batches(list(reader), reader.schema)
        texts = as_text_array(table.column(name)).drop_null()
    if not len(texts):
        raise InputError(f"{path} holds no texts")
    return texts


def check_extra(teacher: bool, vectors: bool) -> None:
    """Check that the packages that are needed are there.

    Args:
        teacher: By a linear teacher.
        vectors: By the training of word vectors.

    Raises:
        MissingExtraError: scikit-learn, or gensim, isn't installed.
    """
    needs = [("sklearn", "a teacher")] * teacher + [("gensim", "training word vectors")] * vectors
    for package, what in needs:
        if find_spec(package) is None:
            extra = "unlabelled" if teacher else "word2vec"
            raise MissingExtraError(f"{what} needs the package {package}: pip install 'textsent[{extra}]'")


def word_vectors(
    texts: pa.Array, vocabulary: Sequence[str], size: int, seed: int, settings: Settings | None = None
) -> _Floats:
    """Return vectors that are alike for words that stand among like words.

    Continuous bag of words with negative sampling: Mikolov et al., "Distributed Representations of Words and
    Phrases and their Compositionality", 2013. With more than one thread gensim's result hangs on their timing, so
    one is used: the same texts and seed give the same vectors.

    Args:
        texts: Array of strings.
        vocabulary: The words to give vectors for; one that `texts` don't hold gets zeros.
        size: Values in a vector.
        seed: Of the initial vectors.
        settings: How texts are cut into words.

    Returns:
        float32, shape (words, size).
    """
    from gensim.models import Word2Vec

    known = set(vocabulary)

    class Sentences:
        def __iter__(self) -> Iterator[list[str]]:
            for words in _words_of(texts, settings or Settings()):
                yield [word for word in words if word in known]

    model = Word2Vec(
        Sentences(),
        vector_size=size,
        window=VECTOR_WINDOW,
        negative=VECTOR_NEGATIVES,
        sample=VECTOR_SAMPLE,
        min_count=1,
        epochs=VECTOR_EPOCHS,
        workers=1,
        seed=seed,
        hashfxn=_hash,
    )
    vectors = np.zeros((len(vocabulary), size), np.float32)
    for row, word in enumerate(vocabulary):
        if word in model.wv:
            vectors[row] = model.wv[word] * VECTOR_SCALE
    return vectors


class Teacher:
    """A linear model on word n-grams, which judges what nobody has labelled.

    Logistic regression on the naive Bayes log-count ratios of the n-grams in a text: Wang and Manning, "Baselines
    and Bigrams: Simple, Good Sentiment and Topic Classification", 2012. Those of the last words, where reviews come
    to their verdict, count once more by themselves.

    It learns from its pupil in turn: each has its own view of a text, n-grams or the whole of it, and errs
    otherwise (Blum and Mitchell, "Combining Labeled and Unlabeled Data with Co-Training", 1998).
    """

    def __init__(
        self, labelled: pa.Array, labels: np.ndarray[Any, np.dtype[np.int8]], others: pa.Array | None = None
    ) -> None:
        """Take the texts; they are read when the teacher is asked for the first time.

        Args:
            labelled: Array of strings.
            labels: int8, shape (labelled texts,): 1 positive, 0 negative.
            others: Array of strings: what to judge.
        """
        self._texts = labelled.cast(pa.large_string())
        if others is not None:
            self._texts = pa.concat_arrays([self._texts, others])
        self._labels = labels

    @cached_property
    def _counter(self) -> Any:
        """What counts a text's n-grams."""
        from sklearn.feature_extraction.text import CountVectorizer

        least = next(least for texts, least in _LEAST_TEXTS if len(self._texts) >= texts)
        return CountVectorizer(analyzer=_ngrams, binary=True, min_df=least, dtype=np.float32)

    @cached_property
    def _counts(self) -> Any:
        """A sparse matrix, shape (texts, n-grams): 1 where a text holds an n-gram."""
        try:
            return self._counter.fit_transform(_words_of(self._texts, _SETTINGS))
        except ValueError as exc:
            raise InputError(
                "the texts have no words in common that a teacher could learn from: "
                "give more of them, or leave --unlabelled and --short-texts out"
            ) from exc

    @cached_property
    def _first(self) -> _Linear:
        """What it learned from the labels alone."""
        labels = self._labels.astype(np.float64)
        return _Linear(self._counts[: len(labels)], labels, np.ones(len(labels)), TEACHER_C)

    def predict(self, texts: pa.Array) -> _Floats:
        """Return the probability that each text is positive, by the labels alone: float32, shape (texts,).

        Raises:
            InputError: The texts that it learns from have no words, or there are many and no word is in two.
        """
        learned = self._first
        return learned.predict(self._counter.transform(_words_of(texts, _SETTINGS)))

    def opinions(self) -> _Floats:
        """Return the probability that each of the other texts is positive, by the labels alone: as `predict`."""
        return self._first.predict(self._counts[len(self._labels) :])

    def reconsidered(self, opinions: _Floats) -> _Floats:
        """Return what it thinks of the other texts when it has learned from opinions of them, too.

        It judges each half of them by what it learned from the other, lest it repeat what it was told.

        Args:
            opinions: float32, shape (other texts,): the probability that each is positive.
        """
        labelled = len(self._labels)
        targets = np.concatenate([self._labels, opinions]).astype(np.float64)
        weights = _weights(targets, labelled)
        thought = np.empty(len(opinions), np.float32)
        half = np.arange(len(opinions)) % 2
        for part in (0, 1):
            told = np.concatenate([np.arange(labelled), labelled + np.flatnonzero(half != part)])
            learned = _Linear(self._counts[told], targets[told], weights[told], TAUGHT_C)
            thought[half == part] = learned.predict(
                self._counts[labelled + np.flatnonzero(half == part)], TAUGHT_TEMPERATURE
            )
        return thought


class _Linear:
    """Logistic regression on the log-count ratios of n-grams."""

    def __init__(self, counts: Any, targets: Any, weights: Any, c: float) -> None:
        """Learn from texts.

        Args:
            counts: Sparse matrix, shape (texts, n-grams): 1 where a text holds an n-gram, or how many there are.
            targets: float64, shape (texts,), 0 … 1: the probability that each is positive.
            weights: float64, shape (texts,): what each weighs.
            c: Inverse strength of the L2 penalty.
        """
        from sklearn.linear_model import LogisticRegression

        positive, negative = counts.T @ targets + 1, counts.T @ (1 - targets) + 1
        ratios = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
        self._ratios = ratios.astype(np.float32)
        self._regression = LogisticRegression(C=c, solver="liblinear")
        self._regression.fit(counts.multiply(self._ratios).tocsr(), targets > 0.5, sample_weight=weights)

    @property
    def weights(self) -> _Floats:
        """What each n-gram adds to a text's log-odds: float32, shape (n-grams,)."""
        return self._ratios * self._regression.coef_[0].astype(np.float32)

    @property
    def bias(self) -> float:
        """What is added to all of them."""
        return float(self._regression.intercept_[0])

    def predict(self, counts: Any, temperature: float = 1.0) -> _Floats:
        """Return the probability that each text is positive: float32, shape (texts,)."""
        if not counts.shape[0]:
            return np.empty(0, np.float32)
        odds = self._regression.decision_function(counts.multiply(self._ratios).tocsr()) / temperature
        return probabilities(odds).astype(np.float32)


def ngram_table(texts: WordIds, targets: _Floats, labelled: int) -> NgramTable:
    """Return what n-grams say of texts, by a linear model as the teacher is one when it has heard opinions.

    Args:
        texts: The word ids of each text, the labelled ones first.
        targets: float32, shape (texts,): the label, or the probability that a text is positive.
        labelled: How many texts are labelled.
    """
    from scipy.sparse import csr_matrix

    rows, columns = [], []
    for places, is_whole, offsets in ngrams(texts, BITS):
        rows.append(np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(offsets))[is_whole])
        columns.append(places[is_whole].astype(np.int32))
    where = np.concatenate(rows), np.concatenate(columns)
    counts = csr_matrix((np.ones(len(where[0]), np.float32), where), (len(texts), 1 << BITS))
    learned = _Linear(counts, targets.astype(np.float64), _weights(targets, labelled), TAUGHT_C)
    return NgramTable(learned.weights.astype(np.float16), learned.bias)


def _weights(targets: np.ndarray[Any, Any], labelled: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return what each text weighs: LABEL_WEIGHT, or how sure it is where none labelled it."""
    weights = np.abs(2 * targets.astype(np.float64) - 1)
    weights[:labelled] = LABEL_WEIGHT
    return weights


def mean_opinion(*opinions: _Floats) -> _Floats:
    """Return the probabilities whose log-odds are the mean of several opinions' log-odds.

    Where one opinion is missing (NaN), as of a text without words, the others stand.
    """
    odds = np.nanmean([log_odds(opinion) for opinion in opinions], axis=0)
    return probabilities(odds).astype(np.float32)


def _ngrams(words: list[str]) -> Iterator[str]:
    yield from _runs(words)
    for run in _runs(words[-LAST_WORDS:]):
        yield f"{run}\n"  # no word holds a line feed


def _runs(words: list[str]) -> Iterator[str]:
    for length in range(1, NGRAMS + 1):
        yield from map(" ".join, zip(*(words[start:] for start in range(length)), strict=False))


def _words_of(texts: pa.Array, settings: Settings) -> Iterator[list[str]]:
    """Yield each text's words."""
    for start in range(0, len(texts), _ROWS):
        words, offsets = split_words(texts.slice(start, _ROWS), settings)
        listed = words.to_pylist()
        for first, end in pairwise(offsets):
            yield listed[first:end]


def _hash(word: str) -> int:
    """Return a number for a word that is the same in every process, unlike Python's own."""
    return zlib.crc32(word.encode())
