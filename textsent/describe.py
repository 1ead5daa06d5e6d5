"""What labelled texts are like: how many, how long, and which words tell their classes apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.datasets import LabelledTexts
from textsent.evaluate import without_nan
from textsent.preprocess import Settings, split_words

PRIOR = 0.1
"""Words that the prior of `z_scores` is worth, as a share of the words counted.

Between classes that don't differ, and are of like size, z-scores then spread by 1 / sqrt(1 + 2 × 0.1) = 0.91,
nearly the 1 of a true z-score. Less would leave a word that one class never has with too low a score: of 200 times
against none it is 6.5 with a prior of 0.01, 10.3 with 0.1, 8.0 with 1.
"""

TELLING_Z = 1.96
"""A z-score that chance alone passes once in 20 times, to either side."""

_ROWS = 10_000  # texts cut into words at a time

_Counts = np.ndarray[Any, np.dtype[np.int64]]
_Labels = np.ndarray[Any, np.dtype[np.int8]]
_Scores = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class TellingWord:
    """A word that one class has more often than the other.

    Attributes:
        word: The word.
        z: Its z-score: above 0 where the positive texts have it more often, below 0 where the negative ones do.
        positive: Times that it stands in positive texts.
        negative: Times that it stands in negative texts.
    """

    word: str
    z: float
    positive: int
    negative: int


@dataclass(frozen=True)
class Description:
    """What labelled texts are like. Where there are no texts, means and quantiles are NaN.

    Attributes:
        texts: Number of texts.
        positive: Those labelled positive.
        negative: Those labelled negative.
        groups: Groups that the data names, such as films; None where it names none.
        words: Words of all texts.
        unique_words: Different words among them.
        mean: Mean number of words a text.
        spread: Standard deviation of the number of words, that of the texts as a whole (divided by `texts`).
        median: Median number of words a text.
        quantile_10: Number of words that a tenth of the texts don't exceed.
        quantile_90: Number of words that nine tenths of the texts don't exceed.
        quantile_99: Number of words that 99 of 100 texts don't exceed.
        longest: Most words of a text.
        window: Number of words that `over_window` speaks of.
        over_window: Share of texts with more than `window` words, 0 … 1.
        empty: Texts without a word.
        duplicates: Texts that are equal to an earlier one, letter by letter.
        telling_positive: The words that tell most of a positive text, by falling z-score.
        telling_negative: The words that tell most of a negative text, by rising z-score.
    """

    texts: int
    positive: int
    negative: int
    groups: int | None
    words: int
    unique_words: int
    mean: float
    spread: float
    median: float
    quantile_10: float
    quantile_90: float
    quantile_99: float
    longest: int
    window: int
    over_window: float
    empty: int
    duplicates: int
    telling_positive: tuple[TellingWord, ...]
    telling_negative: tuple[TellingWord, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the figures by name, the telling words as lists; a figure that isn't defined is None."""
        telling = {
            name: [asdict(word) for word in words]
            for name, words in (
                ("telling_positive", self.telling_positive),
                ("telling_negative", self.telling_negative),
            )
        }
        return without_nan(asdict(self)) | telling


def describe(
    data: LabelledTexts, settings: Settings | None = None, window: int = 400, telling: int = 15
) -> Description:
    """Return what labelled texts are like.

    Args:
        data: Labelled texts.
        settings: How texts are cut into words.
        window: Count the texts with more words than this.
        telling: Number of telling words to name for each class.
    """
    in_positive: dict[str, int] = {}
    in_negative: dict[str, int] = {}
    counts = count_words(data.texts, data.labels, settings or Settings(), in_positive, in_negative)
    nan = float("nan")
    median, q10, q90, q99 = np.quantile(counts, [0.5, 0.1, 0.9, 0.99]).tolist() if len(counts) else [nan] * 4
    positive = int((data.labels == 1).sum())
    telling_positive, telling_negative = telling_words(in_positive, in_negative, telling)
    return Description(
        texts=len(data),
        positive=positive,
        negative=len(data) - positive,
        groups=_named(data.groups) if data.named_groups else None,
        words=int(counts.sum()),
        unique_words=len(in_positive),
        mean=float(counts.mean()) if len(counts) else nan,
        spread=float(counts.std()) if len(counts) else nan,
        median=median,
        quantile_10=q10,
        quantile_90=q90,
        quantile_99=q99,
        longest=int(counts.max(initial=0)),
        window=window,
        over_window=float((counts > window).mean()) if len(counts) else nan,
        empty=int((counts == 0).sum()),
        duplicates=len(data) - pc.count_distinct(data.texts, mode="all").as_py(),
        telling_positive=telling_positive,
        telling_negative=telling_negative,
    )


def word_counts(texts: pa.Array, settings: Settings | None = None) -> _Counts:
    """Return the number of words of each text: int64, shape (texts,).

    Args:
        texts: Array of type string or large_string; a null text has no words.
        settings: How texts are cut into words.
    """
    pieces = (np.diff(offsets) for _, offsets in _cut(texts, settings or Settings()))
    return np.concatenate([np.zeros(0, np.int64), *pieces])


def words_by_label(data: LabelledTexts, settings: Settings | None = None) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many times each word stands in the positive texts, and in the negative ones.

    Args:
        data: Labelled texts.
        settings: How texts are cut into words.

    Returns:
        positive: Count by word, of every word of all texts, so also 0.
        negative: The same words in the same order.
    """
    positive: dict[str, int] = {}
    negative: dict[str, int] = {}
    count_words(data.texts, data.labels, settings or Settings(), positive, negative)
    return positive, negative


def telling_words(
    counts_positive: Mapping[str, int],
    counts_negative: Mapping[str, int],
    number: int = 15,
    prior: float = PRIOR,
) -> tuple[tuple[TellingWord, ...], tuple[TellingWord, ...]]:
    """Return the words that tell most of a positive text, and those that tell most of a negative one.

    Args:
        counts_positive: Times that each word stands in positive texts. A word that isn't there has none.
        counts_negative: The same of negative texts.
        number: Words to return of each class, at most: a word that tells nothing is of neither.
        prior: See `z_scores`.

    Returns:
        positive: By falling z-score, all above 0; of equal ones the one named first comes first.
        negative: By rising z-score, all below 0.
    """
    words = list(dict.fromkeys([*counts_positive, *counts_negative]))
    positive = np.fromiter((counts_positive.get(word, 0) for word in words), np.int64, len(words))
    negative = np.fromiter((counts_negative.get(word, 0) for word in words), np.int64, len(words))
    z = z_scores(positive, negative, prior)

    def first(order: np.ndarray[Any, np.dtype[np.intp]]) -> tuple[TellingWord, ...]:
        return tuple(
            TellingWord(words[place], float(z[place]), int(positive[place]), int(negative[place]))
            for place in order[:number]
        )

    by_rising_z = np.argsort(z, kind="stable")
    by_falling_z = np.argsort(-z, kind="stable")
    return first(by_falling_z[z[by_falling_z] > 0]), first(by_rising_z[z[by_rising_z] < 0])


def z_scores(positive: _Counts, negative: _Counts, prior: float = PRIOR) -> _Scores:
    """Return how far from chance it is that one class has a word more often, for each word.

    It is the log-odds ratio with an informative Dirichlet prior, divided by its standard deviation: Monroe,
    Colaresi and Quinn, "Fightin' Words: Lexical Feature Selection and Evaluation for Identifying the Content of
    Political Conflict", 2008. The prior has the words in the shares in which both classes together have them: it
    holds back rare words, whose share is known badly.

    Args:
        positive: Times that each word stands in positive texts: int64, shape (words,).
        negative: The same of negative texts.
        prior: Words that the prior is worth, as a share of the words counted; above 0.

    Returns:
        float64, shape (words,): above 0 where the positive texts have the word more often. 0 for a word that
        neither class has, and for all words where a class has none, or there is but one word.
    """
    z = np.zeros(len(positive))
    seen = positive + negative > 0
    if seen.sum() < 2 or not positive.any() or not negative.any():
        return z
    expected = prior * (positive[seen] + negative[seen])
    own = (positive[seen] + expected).astype(np.float64)
    other = (negative[seen] + expected).astype(np.float64)
    z[seen] = (_log_odds(own) - _log_odds(other)) / np.sqrt(1 / own + 1 / other)
    return z


def _log_odds(weights: _Scores) -> _Scores:
    """Return the logarithm of each word's odds to be the word that stands in some place of the class."""
    return np.log(weights) - np.log(weights.sum() - weights)


def count_words(
    texts: pa.Array, labels: _Labels, settings: Settings, positive: dict[str, int], negative: dict[str, int]
) -> _Counts:
    """Add the words of texts to the counts of their class; return the number of words of each text.

    Args:
        texts: Array of type string or large_string.
        labels: int8, shape (texts,): 1 positive, else negative.
        settings: How texts are cut into words.
        positive: The counts by word; every word gets one, 0 where the class has it not.
        negative: The same of the others.
    """
    lengths = [np.zeros(0, np.int64)]
    first = 0
    for words, offsets in _cut(texts, settings):
        lengths.append(np.diff(offsets))
        counted = words.dictionary_encode()
        ids = counted.indices.to_numpy()
        is_positive = np.repeat(labels[first : first + len(offsets) - 1] == 1, lengths[-1])
        first += len(offsets) - 1
        in_all = np.bincount(ids, minlength=len(counted.dictionary))
        in_positive = np.bincount(ids[is_positive], minlength=len(counted.dictionary))
        for word, count, of_positive in zip(
            counted.dictionary.to_pylist(), in_all.tolist(), in_positive.tolist(), strict=True
        ):
            positive[word] = positive.get(word, 0) + of_positive
            negative[word] = negative.get(word, 0) + count - of_positive
    return np.concatenate(lengths)


def _cut(texts: pa.Array, settings: Settings) -> Iterator[tuple[pa.Array, _Counts]]:
    """Yield the words and offsets of _ROWS texts at a time, so that never all words are held at once."""
    for start in range(0, len(texts), _ROWS):
        yield split_words(texts.slice(start, _ROWS), settings)


def _named(groups: pa.Array) -> int:
    """Return the number of groups; a text without one stands in the group "", which isn't counted."""
    return pc.count_distinct(groups.filter(pc.not_equal(groups, ""))).as_py()
