"""What else a user might pick, on the same texts: from strings to scores.

Those that learn do so from what the shipped model learned its labels from. "As it is called" is a peer in one
process, as a script has it; where texts/s are compared, one that works on one core is given the second for nothing.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.measure import Figure, in_turn, ratio
from benchmarks.texts import MODEL, Texts

_TOKENS = 256
_FEW = 64  # texts for the slowest


@dataclass(frozen=True)
class Peer:
    """A way to score texts.

    Attributes:
        name: What it is called.
        score: Texts to numbers, `middle` or more for positive ones.
        texts: How many it is given, so that it ends the same day.
        cores: That it works on.
        middle: Between negative and positive.
        reach: How many times as fast textsent should be.
        is_trained: Whether its verdicts mean anything.
    """

    name: str
    score: Callable[[list[str]], np.ndarray]
    texts: int
    cores: int = 1
    middle: float = 0.0
    reach: float | None = None
    is_trained: bool = True


def figures(texts: Texts, rounds: int) -> Iterator[Figure]:
    """Measure."""
    from textsent.score import load

    scorer = load(MODEL, device="cpu")
    scorer.score(texts.texts)
    (ours,) = in_turn(rounds, lambda: scorer.score(texts.texts))
    yield from _of("textsent", len(texts.texts) / median(ours), scorer.score(texts.texts), texts.labels, 0.5)
    for peer in _peers(texts):
        some = texts.texts[: peer.texts]
        peer.score(some[:2])
        # textsent scores all of them: few would not fill its batches.
        _, ours, theirs = ratio(rounds, lambda: scorer.score(texts.texts), lambda p=peer, s=some: p.score(s))
        words = _words(texts.texts) / len(texts.texts)
        rate = _words(some) / theirs / words  # of texts as long as all of them are
        times = len(texts.texts) / ours / rate
        rate *= 2 / peer.cores
        yield Figure("peers", f"against {peer.name}, as it is called", times, "times", reach=peer.reach)
        labels = texts.labels if peer.is_trained else None
        yield from _of(
            peer.name, rate, peer.score(texts.texts) if labels is not None else None, labels, peer.middle
        )


def _words(texts: list[str]) -> int:
    return sum(len(text.split()) for text in texts)


def _of(
    name: str, rate: float, scores: np.ndarray | None, labels: np.ndarray | None, middle: float
) -> Iterator[Figure]:
    yield Figure("peers", f"{name}, both cores", rate, "texts/s")
    if scores is not None and labels is not None:
        accuracy = float(((np.asarray(scores) >= middle) == labels).mean())
        yield Figure("peers", f"{name}: accuracy", accuracy, "accuracy", series=(name, rate, accuracy))


def _peers(texts: Texts) -> Iterator[Peer]:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    yield Peer(
        "vaderSentiment",
        lambda some: np.array([analyzer.polarity_scores(text)["compound"] for text in some]),
        texts=500,
        reach=9,
    )

    from textblob import TextBlob

    yield Peer("textblob", lambda some: np.array([TextBlob(text).sentiment.polarity for text in some]), texts=300)
    yield _distilbert()
    if texts.training_texts is not None and texts.training_labels is not None:
        yield _linear(texts.training_texts, texts.training_labels)
        yield _fasttext(texts.training_texts, texts.training_labels)


def _distilbert() -> Peer:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    model = DistilBertForSequenceClassification(DistilBertConfig(num_labels=2)).eval()
    ids = np.random.default_rng(0).integers(1000, 30000, _TOKENS)

    def score(some: list[str]) -> np.ndarray:
        # Of as many tokens each, as if they had been tokenized: that time is left out.
        with torch.inference_mode():
            batches = (some[start : start + 32] for start in range(0, len(some), 32))
            logits = [model(torch.tensor(np.tile(ids, (len(batch), 1)))).logits[:, 1] for batch in batches]
        return torch.cat(logits).numpy()

    name = f"transformers DistilBERT at {_TOKENS} tokens, random weights"
    return Peer(name, score, texts=_FEW, cores=2, reach=400, is_trained=False)


def _linear(training_texts: list[str], labels: np.ndarray) -> Peer:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True), LogisticRegression(C=30, max_iter=200)
    ).fit(training_texts, labels)
    return Peer(
        "scikit-learn TF-IDF + regression, bigrams",
        lambda some: model.predict_proba(some)[:, 1],
        texts=1000,
        middle=0.5,
    )


def _fasttext(training_texts: list[str], labels: np.ndarray) -> Peer:
    import fasttext

    def cleaned(text: str) -> str:
        return "".join(letter if letter.isalnum() or letter == "'" else " " for letter in text.lower())

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.txt")
        with path.open("w", encoding="utf-8") as file:
            for text, label in zip(training_texts, labels, strict=True):
                file.write(f"__label__{int(label)} {cleaned(text)}\n")
        model = fasttext.train_supervised(str(path), lr=0.5, epoch=10, wordNgrams=2, dim=20, thread=2, verbose=0)

    def score(some: list[str]) -> np.ndarray:
        named, sure = model.predict([cleaned(text) for text in some])
        positive = np.array([label[0] == "__label__1" for label in named])
        return np.where(positive, [value[0] for value in sure], [1 - value[0] for value in sure])

    return Peer("fastText, bigrams", score, texts=2000, middle=0.5)
