"""Training on a CPU: the recipe `lstm-80` by `textsent train`, against Keras's own `fit` of the same network."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median

import numpy as np

from benchmarks.measure import Figure

RECIPE = "lstm-80"
SEEDS = (1, 2, 3)


class Clock:
    """Takes the time from the first step's beginning to the end of each epoch."""

    def said(self, line: str) -> None:
        """Take no time."""

    def began(self, beginning: object) -> None:
        """Begin."""
        self._began = time.perf_counter()

    def step_done(self, *figures: object) -> None:
        """Take no time."""

    def epoch_done(self, epoch: object) -> None:
        """Take the time."""
        self.seconds = time.perf_counter() - self._began


def figures(data: Path) -> Iterator[Figure]:
    """Train with each seed both ways, one after the other, on labelled texts; both validate after each epoch."""
    from textsent.datasets import read_labelled
    from textsent.model import import_keras
    from textsent.options import Options
    from textsent.parts import cut
    from textsent.preprocess import Preprocessor
    from textsent.recipes import recipe
    from textsent.train import train
    from textsent.windows import Layout

    keras = import_keras()
    labelled, chosen = read_labelled(data), recipe(RECIPE)
    ratios, ours, theirs = [], [], []
    for seed in SEEDS:
        options, clock = Options(recipe=RECIPE, seed=seed).completed(), Clock()
        parts = cut(labelled, options)
        with tempfile.TemporaryDirectory() as folder:
            trained = train(labelled, Path(folder, "model"), options, clock, pictures=False)
        preprocessor = Preprocessor.fit(parts.training.texts, chosen.vocabulary_size)
        layout = Layout.from_config(chosen.config)
        ids = []
        for part in (parts.training, parts.validation):
            windows = layout.cut(preprocessor(part.texts))
            ids.append(layout.pad(windows.ids, windows.starts, windows.ends, layout.window))
        keras.utils.set_random_seed(seed)
        model = chosen.build({"vocabulary_size": len(preprocessor.words), **chosen.config})
        model.compile(chosen.optimizer, "binary_crossentropy", metrics=["accuracy"])
        validation = (ids[1], parts.validation.labels.astype(np.float32))
        began = time.perf_counter()
        fitted = model.fit(
            ids[0],
            parts.training.labels.astype(np.float32),
            batch_size=chosen.batch_size,
            epochs=chosen.epochs,
            validation_data=validation,
            verbose=0,
        )
        by_keras = time.perf_counter() - began
        ratios.append(by_keras / clock.seconds)
        ours.append(trained.validation.accuracy)
        theirs.append(fitted.history["val_accuracy"][-1])
        texts = chosen.epochs * len(parts.training)
        yield Figure("training", f"{RECIPE}, seed {seed}: texts/s", texts / clock.seconds, "texts/s")
        yield Figure("training", f"{RECIPE}, seed {seed}: texts/s by fit", texts / by_keras, "texts/s")
        yield Figure("training", f"{RECIPE}, seed {seed}: accuracy", ours[-1], "accuracy")
        yield Figure("training", f"{RECIPE}, seed {seed}: accuracy by fit", theirs[-1], "accuracy")
    yield Figure("training", "against fit of the same network on the same ids", median(ratios), "times", reach=1.5)
    yield Figure("training", "mean accuracy", mean(ours), "accuracy")
    yield Figure("training", "mean accuracy by fit", mean(theirs), "accuracy")
