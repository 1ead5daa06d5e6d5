"""What a network can learn from texts that nobody labelled: word vectors, and a teacher's opinion of them.

Needs the extra `textsent[unlabelled]`: gensim and scikit-learn.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from textsent.errors import InputError, MissingExtraError
from textsent.imdb import read_unlabelled_reviews
from textsent.preprocess import Settings, as_text_array, split_words
from textsent.readers import open_reader
from textsent.schema import text_column

NGRAMS = 3
"""The teacher looks at single words, pairs and triples."""

TEACHER_C = 0.05
"""Inverse strength of the teacher's L2 penalty, chosen on the training split of the Large Movie Review Dataset."""

VECTOR_EPOCHS = 5
VECTOR_WINDOW = 8  # words to each side
VECTOR_NEGATIVES = 8
VECTOR_SAMPLE = 1e-4  # words more frequent than this are dropped at random
VECTOR_SCALE = 0.5
"""word2vec's vectors are scaled by it: values of about ±0.25 suit an LSTM's gates."""

_ROWS = 5000  # texts cut into words at a time

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
            name = text_column(reader.schema, text)
            table = pa.Table.from_batches(list(reader), reader.schema)
        texts = as_text_array(table.column(name)).drop_null()
    if not len(texts):
        raise InputError(f"{path} holds no texts")
    return texts


def check_extra(teacher: bool, vectors: bool) -> None:
    """Check that what a linear teacher, or the training of word vectors, needs is there.

    Raises:
        MissingExtraError: scikit-learn, or gensim, isn't installed.
    """
    needs = [("sklearn", "a teacher", "unlabelled")] * teacher + [
        ("gensim", "training word vectors", "word2vec")
    ] * vectors
    for package, what, extra in needs:
        if find_spec(package) is None:
            extra = "unlabelled" if teacher else extra
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
    """A linear model on word n-grams, which labels what nobody has.

    Logistic regression on the naive Bayes log-count ratios of the n-grams in a text: Wang and Manning, "Baselines
    and Bigrams: Simple, Good Sentiment and Topic Classification", 2012.
    """

    def __init__(self, texts: pa.Array, labels: np.ndarray[Any, np.dtype[np.int8]]) -> None:
        """Learn from labelled texts.

        Args:
            texts: Array of strings.
            labels: int8, shape (texts,): 1 positive, 0 negative.

        Raises:
            InputError: The texts have no words, or there are many and no word stands in two of them.
        """
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression

        self._settings = Settings()
        self._counter = CountVectorizer(
            analyzer=_ngrams, binary=True, min_df=2 if len(texts) > 100 else 1, dtype=np.float32
        )
        try:
            counts = self._counter.fit_transform(_words_of(texts, self._settings))
        except ValueError as exc:
            raise InputError(
                "the labelled texts have no words in common that a teacher could learn from: "
                "give more of them, or leave --unlabelled out"
            ) from exc
        positive = np.asarray(counts[labels == 1].sum(axis=0)).ravel() + 1
        negative = np.asarray(counts[labels == 0].sum(axis=0)).ravel() + 1
        self._ratios = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
        self._regression = LogisticRegression(C=TEACHER_C, solver="liblinear")
        self._regression.fit(counts.multiply(self._ratios).tocsr(), labels)

    def predict(self, texts: pa.Array) -> _Floats:
        """Return the probability that each text is positive: float32, shape (texts,)."""
        counts = self._counter.transform(_words_of(texts, self._settings))
        return self._regression.predict_proba(counts.multiply(self._ratios).tocsr())[:, 1].astype(np.float32)


def mean_opinion(*opinions: _Floats) -> _Floats:
    """Return the probabilities whose log-odds are the mean of several opinions' log-odds.

    Where one opinion is missing (NaN), as of a text without words, the others stand.
    """
    odds = [np.log(np.clip(p, 1e-6, 1 - 1e-6)) - np.log1p(-np.clip(p, 1e-6, 1 - 1e-6)) for p in opinions]
    return (1 / (1 + np.exp(-np.nanmean(odds, axis=0)))).astype(np.float32)


def _ngrams(words: list[str]) -> Iterator[str]:
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
