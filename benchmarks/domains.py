"""What the model makes of other people's texts: mail, products, public posts, developers' comments; and short ones.

python -m benchmarks --only domains [--model M] [--data train.parquet]

The texts of `data/mail.csv` and `data/domains/` are held apart from anything that a model is trained on or fitted
to: no training, lexicon, word list or neutral band may be made from them, and no text of theirs may stand in
training data. `data/README.md` says who wrote them and how they are labelled. A choice between models that was made
by these figures makes them flattering: say so where they are quoted.

Side by side with the model stands VADER's lexicon (Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for
Sentiment Analysis of Social Media Text", 2014), on the same texts in the same run. A text with none of its words
has the compound score 0, so its balanced accuracy is given twice: with 0 counted as positive, and as half right.

The model's score is positive from 0.5 on. A text that it gives no score is half right too, stands in no mean and no
AUC, and has none of the three verdicts on mail. Those are by the model's own neutral band, or else by NEUTRAL_BAND.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.behaviour import NEUTRAL_BAND, verdict
from benchmarks.measure import Figure
from textsent.errors import InputError

DATA = Path(__file__).parent / "data"
MAIL = "mail.csv"
DOMAINS = ("products", "posts", "developers")

POSITIVE, NEUTRAL, NEGATIVE = "positive", "neutral", "negative"
LABELS = (POSITIVE, NEUTRAL, NEGATIVE)

LEXICON_BAND = ((1 - 0.05) / 2, (1 + 0.05) / 2)
"""VADER's own, of compound scores from -0.05 to 0.05: neutral is what lies between these, which are polar."""

CROPS = (10, 25, 50)
"""Words of the crops that are cut from film reviews."""

SENTENCE_WORDS = 4
"""What a sentence of a film review must have at least; fewer rarely say anything of the film."""

SURE = 1.0
"""Log-odds of a linear model that is sure of a sentence."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_TAG = re.compile(r"<[^>]*>")

Lexicon = Callable[[Sequence[str]], np.ndarray]
"""Texts to scores: float64, shape (texts,), 0 negative … 1 positive, 0.5 where it can't tell."""


@dataclass(frozen=True)
class LabelledSet:
    """Texts of one domain.

    Attributes:
        name: What it is called.
        texts: The texts.
        labels: For each its label, one of LABELS: array of str, shape (texts,).
    """

    name: str
    texts: list[str]
    labels: np.ndarray


def figures(
    model: str, data: Path | None = None, lexicon: Lexicon | None = None, folder: Path = DATA
) -> Iterator[Figure]:
    """Measure.

    Args:
        model: A shipped preset's name, or a preset's folder.
        data: The labelled film reviews that the model was trained on, for short texts of the part held out.
        lexicon: What stands beside the model, by default VADER.
        folder: Where the sets are.

    Raises:
        InputError: A set's columns or labels aren't those it must have, or the model was trained on other data.
    """
    from textsent.score import load

    scorer, lexicon = load(model, device="cpu"), lexicon or vader()
    mail = read_set(folder / MAIL)
    sets = [mail, *(read_set(folder / "domains" / f"{name}.csv") for name in DOMAINS)]
    ours, theirs = [], []
    for labelled in sets:
        scores, by_lexicon = scorer.score(labelled.texts), lexicon(labelled.texts)
        ours.append(balanced_accuracy(labelled, scores))
        theirs.append(balanced_accuracy(labelled, by_lexicon, middle=0.5))
        yield from two_classes(labelled, scores, by_lexicon)
        if labelled is mail:
            yield from three_classes(labelled, scores, scorer.model.calibration.neutral or NEUTRAL_BAND, by_lexicon)
    yield _figure(f"mean of {len(sets)} sets: balanced accuracy", mean(ours), "accuracy")
    yield _figure(f"mean of {len(sets)} sets: balanced accuracy, VADER", mean(theirs), "accuracy")
    below = sum(our < their for our, their in zip(ours, theirs, strict=True))
    yield _figure("sets on which it is below VADER", below, "sets")
    if data is not None:
        for labelled in film_parts(data, model):
            yield from two_classes(labelled, scorer.score(labelled.texts), lexicon(labelled.texts))


def read_set(path: Path) -> LabelledSet:
    """Return the texts of a CSV file with the columns `text` and `label`, and any others.

    Raises:
        InputError: A column is missing, a text is empty, or a label isn't one of LABELS.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        missing = {"text", "label"} - set(rows.fieldnames or ())
        if missing:
            raise InputError(f"{path} must have the columns text and label. It lacks: {', '.join(sorted(missing))}")
        texts, labels = [], []
        for number, row in enumerate(rows, 1):
            if row["label"] not in LABELS:
                names = ", ".join(LABELS)
                raise InputError(f"{path}, row {number}: label must be one of {names}. Received: {row['label']!r}")
            if not row["text"]:
                raise InputError(f"{path}, row {number} has no text: write one, or leave the row out")
            texts.append(row["text"])
            labels.append(row["label"])
    return LabelledSet(path.stem, texts, np.array(labels, str))


def film_parts(data: Path, model: str) -> Iterator[LabelledSet]:
    """Yield sets of one short text from each film review that was held out in training, with the review's label.

    They are random crops of as many words as CROPS say, from the reviews that are as long, and random sentences of
    SENTENCE_WORDS or more. A part of a review need not say what the review says: no model gets all of them right.
    So the last set has all sentences of which a linear model of n-grams, trained on the reviews that weren't held
    out, is sure: its log-odds are beyond SURE. Their labels are the reviews' too, whatever that model says.

    Args:
        data: The labelled reviews that the model was trained on.
        model: A shipped preset's name, or a preset's folder.
    """
    from textsent.datasets import read_labelled
    from textsent.parts import validation_part
    from textsent.presets import find_preset
    from textsent.unlabelled import Teacher

    labelled = read_labelled(data, part="train")
    held_out = validation_part(labelled, find_preset(model))
    reviews = [_TAG.sub(" ", text) for text in held_out.texts.to_pylist()]
    labels = np.where(held_out.labels == 1, POSITIVE, NEGATIVE)
    for words in CROPS:
        drawn = np.random.default_rng(words)
        yield _short(f"films, {words} words", [_crop(text, words, drawn) for text in reviews], labels)
    drawn = np.random.default_rng(0)
    yield _short("films, a sentence", [_sentence(text, drawn) for text in reviews], labels)
    is_held_out = pc.is_in(labelled.groups, value_set=held_out.groups).to_numpy(zero_copy_only=False)
    others = labelled.where(~is_held_out)
    teacher = Teacher(others.texts, others.labels)
    sentences = [(part, label) for text, label in zip(reviews, labels, strict=True) for part in _sentences(text)]
    opinions = teacher.predict(pa.array([part for part, _ in sentences], pa.large_string()))
    sure = np.abs(np.log(opinions) - np.log1p(-opinions)) > SURE
    parts = [part if is_sure else None for (part, _), is_sure in zip(sentences, sure, strict=True)]
    yield _short("films, sure sentences", parts, np.array([label for _, label in sentences]))


def _short(name: str, texts: list[str | None], labels: np.ndarray) -> LabelledSet:
    found = np.array([text is not None for text in texts], bool)
    return LabelledSet(name, [text for text in texts if text is not None], labels[found])


def _crop(text: str, count: int, drawn: np.random.Generator) -> str | None:
    words = text.split()
    if len(words) < count:
        return None
    start = int(drawn.integers(len(words) - count + 1))
    return " ".join(words[start : start + count])


def _sentence(text: str, drawn: np.random.Generator) -> str | None:
    sentences = _sentences(text)
    return sentences[int(drawn.integers(len(sentences)))] if sentences else None


def _sentences(text: str) -> list[str]:
    return [part for part in _SENTENCE_END.split(text.strip()) if len(part.split()) >= SENTENCE_WORDS]


def vader() -> Lexicon:
    """Return VADER as a function of texts: (compound score + 1) / 2."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return lambda texts: np.array([(analyzer.polarity_scores(text)["compound"] + 1) / 2 for text in texts])


def two_classes(labelled: LabelledSet, scores: np.ndarray, by_lexicon: np.ndarray) -> Iterator[Figure]:
    """Yield what the scores of a set's positive and negative texts are worth, and the mean score of each class.

    Args:
        labelled: The set.
        scores: The model's: float32, shape (texts,), 0 negative … 1 positive; NaN where there is none.
        by_lexicon: The lexicon's: float64, shape (texts,), 0 … 1.
    """
    name = labelled.name
    counts = ", ".join(
        f"{(labelled.labels == label).sum()} {label}" for label in LABELS if label in labelled.labels
    )
    yield _figure(f"{name}: {counts}", len(labelled.texts), "rows")
    if np.isnan(scores).any():
        yield _figure(f"{name}: without a score", int(np.isnan(scores).sum()), "rows")
    for what, value in (
        ("", balanced_accuracy(labelled, scores)),
        (", VADER, from 0 on positive", balanced_accuracy(labelled, by_lexicon)),
        (", VADER, 0 half right", balanced_accuracy(labelled, by_lexicon, middle=0.5)),
    ):
        yield _figure(f"{name}: balanced accuracy{what}", value, "accuracy")
    for what, values in (("", scores), (", VADER", by_lexicon)):
        yield _figure(f"{name}: AUC{what}", _auc(labelled, values), "AUC")
    for what, values in (("", scores), (", VADER", by_lexicon)):
        for label in LABELS:
            of_label = labelled.labels == label
            if of_label.any():
                yield _figure(f"{name}: mean score of {label} texts{what}", _mean(values[of_label]), "score")


def three_classes(
    labelled: LabelledSet, scores: np.ndarray, band: tuple[float, float], by_lexicon: np.ndarray
) -> Iterator[Figure]:
    """Yield precision and recall of the verdicts positive, neutral and negative, and the mean of the recalls.

    Args:
        labelled: The set.
        scores: The model's: float32, shape (texts,), 0 negative … 1 positive; NaN where there is none.
        band: Scores that are neutral, the ends included.
        by_lexicon: The lexicon's: float64, shape (texts,), 0 … 1; LEXICON_BAND is neutral.
    """
    low, high = LEXICON_BAND
    ours = np.array([verdict(float(score), band) or "" for score in scores], str)
    theirs = np.where(by_lexicon >= high, POSITIVE, np.where(by_lexicon <= low, NEGATIVE, NEUTRAL))
    for whose, verdicts in ((f"neutral {band[0]:.2f} to {band[1]:.2f}", ours), ("VADER", theirs)):
        recalls = []
        for label in LABELS:
            precision, recall = precision_and_recall(labelled.labels, verdicts, label)
            recalls.append(recall)
            yield _figure(f"{labelled.name}, {whose}: precision of {label}", precision, "precision")
            yield _figure(f"{labelled.name}, {whose}: recall of {label}", recall, "recall")
        yield _figure(f"{labelled.name}, {whose}: balanced accuracy of three", mean(recalls), "accuracy")


def balanced_accuracy(labelled: LabelledSet, scores: np.ndarray, *, middle: float = 1.0) -> float:
    """Return the mean of the shares of positive and of negative texts whose verdict is right, 0 … 1.

    Args:
        labelled: The set; its neutral texts don't count.
        scores: Shape (texts,), 0 negative … 1 positive; NaN, no score, is half right.
        middle: How positive a verdict 0.5 is: 1, as of a probability, or 0.5 of a lexicon that can't tell.
    """
    positive = np.select([np.isnan(scores), scores == 0.5, scores > 0.5], [0.5, middle, 1.0], 0.0)
    of_positive, of_negative = positive[labelled.labels == POSITIVE], positive[labelled.labels == NEGATIVE]
    return (_mean(of_positive) + _mean(1 - of_negative)) / 2


def precision_and_recall(labels: np.ndarray, verdicts: np.ndarray, label: str) -> tuple[float, float]:
    """Return precision and recall of a label; 0 and 0 where it was never the verdict, NaN where no text has it."""
    right = int(((labels == label) & (verdicts == label)).sum())
    said, there = int((verdicts == label).sum()), int((labels == label).sum())
    return right / said if said else 0.0, right / there if there else float("nan")


def _auc(labelled: LabelledSet, scores: np.ndarray) -> float:
    from textsent.evaluate import evaluate

    polar = labelled.labels != NEUTRAL
    return evaluate(scores[polar], (labelled.labels[polar] == POSITIVE).astype(np.int8)).auc


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _figure(what: str, value: float, unit: str) -> Figure:
    return Figure("domains", what, value, unit)
