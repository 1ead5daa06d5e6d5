"""The texts that everything is measured on: labelled ones that were given, or made ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.generate import texts as made_texts

MODEL = "imdb-lstm"


@dataclass(frozen=True)
class Texts:
    """Texts to measure on.

    Attributes:
        texts: Those to score: of given data what the shipped model was not trained on.
        labels: 1 positive, 0 negative; None where the texts were made.
        training_texts: What peers learn from: what the shipped model was trained on.
        training_labels: Their labels.
    """

    texts: list[str]
    labels: np.ndarray | None = None
    training_texts: list[str] | None = None
    training_labels: np.ndarray | None = None


def load_texts(data: Path | None, count: int) -> Texts:
    """Return labelled texts from a file, cut as when the shipped model was trained, or made ones."""
    if data is None:
        return Texts(list(islice(made_texts(), count)))
    from textsent.datasets import read_labelled
    from textsent.parts import validation_part
    from textsent.presets import find_preset

    labelled = read_labelled(data, part="train")
    held_out = validation_part(labelled, find_preset(MODEL))
    chosen = np.random.default_rng(0).permutation(len(held_out.texts))[:count]
    known = set(held_out.texts.to_pylist())
    pairs = zip(labelled.texts.to_pylist(), labelled.labels, strict=True)
    training = [(text, label) for text, label in pairs if text not in known]
    return Texts(
        [held_out.texts[int(number)].as_py() for number in chosen],
        np.asarray(held_out.labels)[chosen],
        [text for text, _ in training],
        np.array([label for _, label in training]),
    )
