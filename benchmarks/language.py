"""Which texts a model says aren't in its language: precision and recall of the threshold, by language and length.

python -m benchmarks --only language [--data train.parquet] [--model M]

`data/languages.csv` holds mails in 29 languages, and English texts that are hard to tell from them: with few words,
or few that a film model knows. All were written for this. Odd and even rows are measured apart as well, as two
samples: a threshold is good where both say so. Only the preset's vocabulary and `min_coverage` count, no network.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.mail import MARK, REFERENCE
from benchmarks.measure import Figure
from textsent.language import MIN_COVERAGE, LanguageTest, read_min_coverage
from textsent.preprocess import Preprocessor, as_text_array
from textsent.presets import find_preset
from textsent.readers import open_reader
from textsent.schema import text_column

GROUP = "language"
DATA = Path(__file__).parent / "data"
MADE = DATA / "languages.csv"
ENGLISH, MIXED = "en", "mixed"
THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
LENGTHS = ((1, 4), (5, 8), (9, 16), (17, 40))
"""Words of a text, as the preset reads it."""

SENTENCE_WORDS = (3, 40)
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|<br />")

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Texts:
    """Texts whose language is known, and what a preset knows of their words.

    Attributes:
        languages: ISO 639-1 codes, or MIXED: object, shape (texts,).
        kinds: What is hard about an English text: object, shape (texts,).
        words: Words of each: int64, shape (texts,).
        known: Words of each that are in the vocabulary.
        refused: Whether each isn't in the model's language, by threshold: bool, shape (texts,).
    """

    languages: np.ndarray
    kinds: np.ndarray
    words: np.ndarray
    known: np.ndarray
    refused: dict[float, Mask]

    @property
    def is_english(self) -> Mask:
        """Whether each is English."""
        return self.languages == ENGLISH

    @property
    def is_other(self) -> Mask:
        """Whether each is in another language."""
        return ~self.is_english & (self.languages != MIXED)

    def new(self, threshold: float) -> Mask:
        """Return which texts lose their score by the threshold: those without a known word have none anyway."""
        return self.refused[threshold] & (self.known > 0)

    def precision(self, threshold: float, among: Mask) -> float:
        """Return the share of texts in another language among those that lose their score by the threshold."""
        lost = self.new(threshold) & among
        return np.sum(lost & self.is_other) / max(1, np.sum(lost & (self.is_other | self.is_english)))

    def recall(self, threshold: float, among: Mask) -> float:
        """Return the share of texts in another language with a known word that lose their score."""
        return _mean(self.new(threshold)[among & self.is_other & (self.known > 0)])

    def unscored(self, threshold: float, among: Mask) -> float:
        """Return the share of texts that have no score, by the threshold or without a known word: %."""
        return 100 * _mean((self.refused[threshold] | (self.known == 0))[among])


def read_texts(preprocessor: Preprocessor, thresholds: set[float], path: Path = MADE) -> Texts:
    """Return the texts of a file with the columns `language`, `kind` and `text`, as a preset reads them."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = pa.array([row["text"] for row in rows], pa.large_string())
    ids = preprocessor(texts)
    return Texts(
        np.array([row["language"] for row in rows], object),
        np.array([row["kind"] for row in rows], object),
        ids.words,
        ids.known_words,
        {threshold: LanguageTest(preprocessor, threshold).foreign(texts, ids) for threshold in thresholds},
    )


def figures(model: str, data: Path | None) -> Iterator[Figure]:
    """Yield what a preset's threshold finds and what it loses.

    Args:
        model: A preset's name or folder.
        data: English texts of the kind that the preset was trained on.
    """
    folder = find_preset(model)
    preprocessor = Preprocessor.from_preset(folder)
    threshold = read_min_coverage(folder) or MIN_COVERAGE
    texts = read_texts(preprocessor, {threshold, *THRESHOLDS})
    every = np.ones(len(texts.words), np.bool_)
    is_odd = np.arange(1, len(every) + 1) % 2 == 1
    for tried in THRESHOLDS:
        for name, among in (("odd", is_odd), ("even", ~is_odd)):
            name = f"{name} rows, threshold {tried:.2f}"
            yield Figure(GROUP, f"{name}: precision", texts.precision(tried, among), "precision")
            yield Figure(GROUP, f"{name}: recall", texts.recall(tried, among), "recall")
    name = f"all rows, threshold {threshold:.2f}"
    yield Figure(GROUP, f"{name}: precision", texts.precision(threshold, every), "precision")
    yield Figure(GROUP, f"{name}: recall", texts.recall(threshold, every), "recall")
    yield Figure(GROUP, f"{name}: recall of coverage alone", _recall_of_coverage(texts, threshold), "recall")
    yield Figure(GROUP, f"{name}: no score, of other languages", texts.unscored(threshold, texts.is_other), "%")
    yield from _by_length(texts, threshold)
    yield from _by_language(texts, threshold)
    yield from _english(texts, threshold)
    test = LanguageTest(preprocessor, threshold)
    yield from _reference_mails(test)
    for path in sorted((*DATA.glob("mail.csv"), *DATA.glob("domains/*.csv"))):
        refused, _, count = _counts(test, _texts_of(path))
        yield Figure(GROUP, f"refused of {count} texts of {path.name}", 100 * refused / count, "%")
    if data:
        yield from _films(test, data)


def _recall_of_coverage(texts: Texts, threshold: float) -> float:
    """Return the recall of the plain share of known words, where it loses no more English texts."""
    coverage = texts.known / np.maximum(texts.words, 1)
    scored = texts.known > 0
    lost = np.sum(texts.new(threshold) & texts.is_english)
    limit = np.sort(coverage[scored & texts.is_english])[lost]
    return _mean(coverage[scored & texts.is_other] < limit)


def _by_length(texts: Texts, threshold: float) -> Iterator[Figure]:
    for low, high in LENGTHS:
        among = (texts.words >= low) & (texts.words <= high)
        name = f"{low} to {high} words"
        yield Figure(GROUP, f"{name}: precision", texts.precision(threshold, among), "precision")
        yield Figure(GROUP, f"{name}: recall", texts.recall(threshold, among), "recall")


def _by_language(texts: Texts, threshold: float) -> Iterator[Figure]:
    is_mail = texts.kinds == "mail"
    for language in sorted(set(texts.languages[is_mail])):
        share = texts.unscored(threshold, is_mail & (texts.languages == language))
        yield Figure(GROUP, f"no score, {language}", share, "%")
    yield Figure(GROUP, "no score, with English words", texts.unscored(threshold, texts.is_other & ~is_mail), "%")
    yield Figure(GROUP, "no score, half English", texts.unscored(threshold, texts.languages == MIXED), "%")


def _english(texts: Texts, threshold: float) -> Iterator[Figure]:
    for kind in dict.fromkeys(texts.kinds[texts.is_english]):
        lost = texts.new(threshold)[texts.is_english & (texts.kinds == kind)]
        yield Figure(GROUP, f"refused of {len(lost)} English texts, {kind}", 100 * _mean(lost), "%")
    lost = texts.new(threshold)[texts.is_english]
    yield Figure(GROUP, f"refused of {len(lost)} English texts, all of these", 100 * _mean(lost), "%")


def _reference_mails(test: LanguageTest) -> Iterator[Figure]:
    """What authors of mails wrote, in the files that reading mail is tested by."""
    mails = [(path.stem[:2], path.read_text("utf-8").split(MARK)[1]) for path in sorted(REFERENCE.glob("*.txt"))]
    for is_english in (False, True):
        texts = [text for language, text in mails if (language == ENGLISH) == is_english]
        refused, unknown, count = _counts(test, pa.array(texts, pa.large_string()))
        if is_english:
            yield Figure(GROUP, f"refused of {count} English reference mails", 100 * refused / count, "%")
        else:
            share = 100 * (refused + unknown) / count
            yield Figure(GROUP, f"no score, of {count} reference mails in other languages", share, "%")


def _films(test: LanguageTest, data: Path) -> Iterator[Figure]:
    reviews, sentences = np.zeros(3), np.zeros(3)
    with open_reader(data) as reader:
        column = text_column(reader.schema)
        for batch in reader:
            texts = batch.column(column)
            reviews += _counts(test, texts)
            found = [part for text in texts.to_pylist() for part in _SENTENCE_ENDS.split(text or "")]
            short = [part for part in found if SENTENCE_WORDS[0] <= len(part.split()) <= SENTENCE_WORDS[1]]
            sentences += _counts(test, pa.array(short, pa.large_string()))
    refused, _, count = reviews
    name = f"refused of {count:,.0f} texts of {data.name}"
    yield Figure(GROUP, name, 10_000 * refused / count, "in 10,000", reach=-1)
    refused, _, count = sentences
    low, high = SENTENCE_WORDS
    name = f"refused of {count:,.0f} of their sentences, of {low} to {high} words"
    yield Figure(GROUP, name, 10_000 * refused / max(1, count), "in 10,000")


def _counts(test: LanguageTest, texts: pa.Array) -> tuple[int, int, int]:
    """Return how many texts lose their score by the test, how many have no known word, and how many there are."""
    texts = as_text_array(texts)
    ids = test.preprocessor(texts)
    is_unknown = ids.known_words == 0
    return int(np.sum(test.foreign(texts, ids) & ~is_unknown)), int(np.sum(is_unknown)), len(texts)


def _texts_of(path: Path) -> pa.Array:
    with path.open(encoding="utf-8", newline="") as file:
        return pa.array([row["text"] for row in csv.DictReader(file)], pa.large_string())


def _mean(values: Mask) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
