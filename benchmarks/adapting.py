"""What 200 labelled texts do for a model by `textsent train --init`, and texts without labels by `textsent adapt`.

python -m benchmarks --only adapting [--model M] [--data train.parquet]

Fine-tuning: of each set ROWS positive and negative texts are drawn, of which fine-tuning holds some out itself;
measured are the others, before and after, DRAWS times. Adapting: the whole set is read without its labels, neutral
texts among them, and then measured by its labels, since it is their owner's texts that are scored afterwards. The
three sets of `data/domains/` are one here: each by itself has too few texts. Where the labelled film reviews are
given, FILMS of those that were held out are measured too: what the model forgets.

The constants of `textsent.finetune` and `textsent.adapt` were chosen on these sets with the model of version 0.1:
the figures flatter them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.domains import DATA, DOMAINS, MAIL, NEUTRAL, POSITIVE, LabelledSet, read_set
from benchmarks.measure import Figure

ROWS, DRAWS, SEEDS = 200, 5, 3
FILMS = 500


class Measured(NamedTuple):
    """How a model does on the positive and negative texts of a set.

    Attributes:
        balanced_accuracy: Mean share of either label that is right, 0 … 1; a text without a score is half right.
        log_loss: In nats, over the texts with a score.
    """

    balanced_accuracy: float
    log_loss: float


def figures(model: str, data: Path | None = None, draws: int = DRAWS, seeds: int = SEEDS) -> Iterator[Figure]:
    """Measure.

    Args:
        model: A shipped preset's name, or a preset's folder.
        data: The labelled film reviews that the model was trained on.
        draws: How often ROWS texts are drawn of a set, and fine-tuned on.
        seeds: How often a model is adapted to a set.
    """
    films = _films(model, data) if data else None
    for name, texts, labels in _sets():
        changes, forgotten = [], []
        for seed in range(draws):
            drawn = np.random.default_rng(seed).permutation(np.flatnonzero(labels != NEUTRAL))
            rows, others = drawn[:ROWS], drawn[ROWS:]
            with tempfile.TemporaryDirectory() as folder:
                _fine_tune(model, Path(folder) / "tuned", texts.take(pa.array(rows)), labels[rows], seed)
                changes.append(
                    _changes(model, Path(folder) / "tuned", texts.take(pa.array(others)), labels[others])
                )
                forgotten += [_changes(model, Path(folder) / "tuned", *films)] if films else []
        yield from _told(f"{name}, {ROWS} labelled texts", changes, forgotten)
    for name, texts, labels in _sets():
        changes, forgotten = [], []
        for seed in range(1, seeds + 1):
            with tempfile.TemporaryDirectory() as folder:
                adapted = _adapt(model, Path(folder) / "adapted", texts, seed)
                changes.append(_changes(model, adapted, texts, labels))
                forgotten += [_changes(model, adapted, *films)] if films else []
        yield from _told(f"{name}, {len(texts)} texts without labels", changes, forgotten)


def _told(
    name: str, changes: list[tuple[Measured, Measured]], forgotten: list[tuple[Measured, Measured]]
) -> Iterator[Figure]:
    gains = [100 * (after.balanced_accuracy - before.balanced_accuracy) for before, after in changes]
    yield _figure(
        f"{name}: balanced accuracy before", mean(before.balanced_accuracy for before, _ in changes), "score"
    )
    yield _figure(f"{name}: after", mean(after.balanced_accuracy for _, after in changes), "score")
    yield _figure(f"{name}: gain, mean of {len(gains)}", mean(gains), "points")
    yield _figure(f"{name}: gain, least", min(gains), "points")
    yield _figure(f"{name}: log loss", mean(after.log_loss - before.log_loss for before, after in changes), "nats")
    if forgotten:
        losses = [100 * (after.balanced_accuracy - before.balanced_accuracy) for before, after in forgotten]
        yield _figure(f"{name}: on film reviews", mean(losses), "points")


def _sets() -> Iterator[tuple[str, pa.Array, np.ndarray]]:
    """Yield the name of each set, its texts, and their labels."""
    yield _joined("mail", [read_set(DATA / MAIL)])
    yield _joined("domains", [read_set(DATA / "domains" / f"{name}.csv") for name in DOMAINS])


def _joined(name: str, sets: list[LabelledSet]) -> tuple[str, pa.Array, np.ndarray]:
    texts = [text for each in sets for text in each.texts]
    return name, pa.array(texts, pa.large_string()), np.concatenate([each.labels for each in sets])


def _films(model: str, data: Path) -> tuple[pa.Array, np.ndarray]:
    from textsent.datasets import read_labelled
    from textsent.parts import validation_part
    from textsent.presets import find_preset

    held_out = validation_part(read_labelled(data, part="train"), find_preset(model)).limited(FILMS, 1)
    return held_out.texts, np.where(held_out.labels == 1, POSITIVE, "negative")


def _fine_tune(model: str, output: Path, texts: pa.Array, labels: np.ndarray, seed: int) -> None:
    from textsent.datasets import LabelledTexts
    from textsent.finetune import Start
    from textsent.fitting import Observers
    from textsent.options import Options
    from textsent.train import train

    start = Start.from_preset(model)
    data = LabelledTexts(texts, (labels == POSITIVE).astype(np.int8), texts, named_groups=False)
    options = Options(recipe=start.recipe_for(None), seed=seed)
    train(data, output, options, Observers([]), start=start, pictures=False)


def _adapt(model: str, output: Path, texts: pa.Array, seed: int) -> Path | str:
    """Return the folder of the adapted model, or the model where that was refused."""
    from textsent.adapt import find_adaptation, write_adapted
    from textsent.errors import InputError
    from textsent.finetune import Start
    from textsent.fitting import Observers

    drawn = texts.take(pa.array(np.random.default_rng(seed).permutation(len(texts))))
    try:
        write_adapted(find_adaptation(drawn, Start.from_preset(model), Observers([]), seed), output)
    except InputError as refused:
        print(refused)
        return model
    return output


def _changes(before: str, after: Path | str, texts: pa.Array, labels: np.ndarray) -> tuple[Measured, Measured]:
    polar = labels != NEUTRAL
    truth = labels[polar] == POSITIVE
    return tuple(_measured(model, texts.filter(pa.array(polar)), truth) for model in (before, after))  # type: ignore[return-value]


def _measured(model: Path | str, texts: pa.Array, truth: np.ndarray) -> Measured:
    from textsent.score import load

    scores = load(model, device="cpu").score(texts).astype(np.float64)
    scored = ~np.isnan(scores)
    right = np.where(scored, (scores >= 0.5) == truth, 0.5)
    given = np.clip(np.where(truth, scores, 1 - scores)[scored], 1e-7, None)
    return Measured(
        mean(float(right[truth == label].mean()) for label in (True, False)), float(-np.log(given).mean())
    )


def _figure(what: str, value: float, unit: str) -> Figure:
    return Figure("adapting", what, value, unit)
