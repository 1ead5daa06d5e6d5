"""Trainings of seconds: recipes whose networks are little but their compilation, data, and one that watches.

A training that is to be killed runs in a process of its own, which imports this too: `small_trainings:bag` is an
import path that `--recipe` takes where this folder is on Python's path.
"""

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa

from textsent.datasets import LabelledTexts
from textsent.fitting import Beginning, Epoch
from textsent.preprocess import Settings
from textsent.presets import HISTORY_FILE, WEIGHTS_FILE
from textsent.recipes import RECIPES, Recipe, last_state_lstm

WORDS = {0: ("awful", "bad"), 1: ("great", "fine"), None: ("the", "it", "guys")}
"""What negative and positive reviews are made of, and what both are."""

TONES = {"awful": -2.5, "bad": -2.0, "great": 3.0, "fine": 1.5, "splendid": 3.2, "hate": -2.7}
"""What lexicons know, among it words that stand in no review."""


def build_bag(config: dict[str, Any]) -> Any:
    """Return embedding → dropout → mean → sigmoid."""
    import keras
    from keras import layers

    ids = keras.Input((None,), dtype="int32")
    vectors = layers.Embedding(
        config["vocabulary_size"] + 4,
        config["embedding_size"],
        mask_zero=True,
        trainable=config.get("trainable", True),
        name="embedding",
    )(ids)
    mean = layers.GlobalAveragePooling1D()(layers.Dropout(0.3)(vectors))
    return keras.Model(ids, layers.Dense(1, activation="sigmoid")(mean))


bag = Recipe(
    build=build_bag,
    config={"embedding_size": 4, "window": 12},
    vocabulary_size=7,
    batch_size=16,
    learning_rate=0.02,
    epochs=2,
    validation=0.3,
    patience=2,
)

reading = replace(
    bag,
    config=bag.config | {"trainable": False},
    settings=Settings(removed="'"),
    stop_words=True,
    vectors="fixed",
)
"""Reads words through vectors that stay as they are, and leaves stop words out."""

recurrent = Recipe(
    build=last_state_lstm,
    config={
        "embedding_size": 4,
        "mask_zero": True,
        "units": 3,
        "input_dropout": 0.2,
        "recurrent_dropout": 0.2,
        "dropout": 0.2,
        "window": 6,
        "long_texts": "last",
    },
    vocabulary_size=7,
    batch_size=16,
    learning_rate=0.02,
    optimizer="rmsprop",
    epochs=2,
    validation=0.3,
    keep="loss",
    patience=None,
)

small_lstm = replace(
    RECIPES["lstm"],
    config=RECIPES["lstm"].config | {"embedding_size": 4, "units": 3, "bidirectional": False, "window": 12},
    vocabulary_size=7,
    batch_size=16,
    learning_rate=0.02,
    epochs=3,
    validation=0.3,
)


class Observer:
    """Keeps what it is told, and does something when it is told a certain event.

    Events are `("said",)`, `("began",)`, `("step", epoch, step)` and `("epoch", epoch)`.
    """

    def __init__(self, at: tuple | None = None, act: Callable[[], None] | None = None) -> None:
        """Without `act` the training is interrupted at the event."""
        self.lines: list[str] = []
        self.beginnings: list[Beginning] = []
        self.steps: list[tuple[int, int, int, float, float]] = []
        self.epochs: list[Epoch] = []
        self._at = at
        self._act = act or interrupt

    def said(self, line: str) -> None:
        self.lines.append(line)
        self.happened("said")

    def began(self, beginning: Beginning) -> None:
        self.beginnings.append(beginning)
        self.happened("began")

    def step_done(self, epoch: int, step: int, windows: int, loss: float, accuracy: float) -> None:
        self.steps.append((epoch, step, windows, loss, accuracy))
        self.happened("step", epoch, step)

    def epoch_done(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)
        self.happened("epoch", epoch.number)

    def happened(self, *event: object) -> None:
        if event == self._at:
            self._act()


def interrupt() -> None:
    raise KeyboardInterrupt


def texts_of(labels: list[int | None], seed: int, errs: float = 0.2) -> list[str]:
    """Return a review of 1 to 12 words for each label; a word of the other label stands in it now and then.

    A label of None gives words of both.
    """
    drawn = random.Random(seed)
    reviews = []
    for number, label in enumerate(labels):
        words = [WORDS[None][number % 3]]
        for _ in range(drawn.randrange(12)):
            wrong = drawn.random() < errs
            words += drawn.choices(WORDS[drawn.randrange(2) if label is None else label ^ wrong])
        reviews.append(" ".join(words))
    return reviews


def labelled(count: int = 240, seed: int = 1) -> LabelledTexts:
    """Return reviews of films, four a film, of which every other one is positive."""
    labels = [number % 2 for number in range(count)]
    films = pa.array([f"film {number // 4}" for number in range(count)])
    return LabelledTexts(pa.array(texts_of(labels, seed)), np.array(labels, np.int8), films, True)


def unlabelled(count: int = 100) -> pa.Array:
    """Return reviews that nobody has labelled."""
    return pa.array(texts_of([None] * count, seed=2))


def write_csv(path: Path, data: LabelledTexts) -> Path:
    """Write labelled texts to a file with the columns `text`, `label` and `film`."""
    rows = zip(data.texts.to_pylist(), data.labels.tolist(), data.groups.to_pylist(), strict=True)
    path.write_text("text,label,film\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows))
    return path


def weights_of(preset: Path) -> dict[str, np.ndarray]:
    """Return a preset's weights by their names."""
    weights = {}
    with h5py.File(preset / WEIGHTS_FILE) as file:
        file.visititems(
            lambda name, item: weights.update({name: item[()]} if isinstance(item, h5py.Dataset) else {})
        )
    return weights


def history_of(preset: Path) -> list[dict[str, Any]]:
    """Return a preset's history but for the seconds, which no two trainings have in common."""
    epochs = json.loads((preset / HISTORY_FILE).read_text())
    return [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in epochs]


def environment() -> dict[str, str]:
    """Return what a process needs to import this module."""
    return os.environ | {"PYTHONPATH": str(Path(__file__).parent), "TF_CPP_MIN_LOG_LEVEL": "3"}
