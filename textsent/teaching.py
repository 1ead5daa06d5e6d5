"""How a network is taught: by labels, by teachers' opinions, and by its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textsent.checkpoint import TrainingFolder, writing
from textsent.cores import usable_cores
from textsent.errors import InputError
from textsent.evaluate import Evaluation, evaluate
from textsent.export import export
from textsent.fitting import Batches, Fitting, compile_network
from textsent.model import (
    KerasNetwork,
    KerasOnCpu,
    Network,
    OnnxNetwork,
    SentimentModel,
    WholeOnnxNetwork,
    keras_sees_gpu,
)
from textsent.ngrams import NgramTable
from textsent.options import PRECISIONS, Options
from textsent.preprocess import WordIds
from textsent.presets import NO_GRAPH, PROJECTED
from textsent.recipes import Recipe, build_network
from textsent.windows import Layout

_Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Lesson:
    """What a network learns from, and what it is judged by.

    Attributes:
        texts: The word ids of each text: the labelled ones first, then those that teachers judged, then any others.
        targets: float32, shape (texts,): the probability that each is positive; those of the judged texts change
            when the network and the teacher have learned from each other.
        weights: float32, shape (texts,), 0 or more.
        labelled: How many texts are labelled.
        opinions: float32, shape (judged texts,): what a teacher thinks of the judged texts; None where it judges
            none.
        validation: The word ids of the texts to judge by.
        validation_labels: int8, shape (validation texts,): 1 positive, 0 negative.
        reconsidered: Returns what the teacher thinks of the judged texts when it has learned from opinions of them.
    """

    texts: WordIds
    targets: _Floats
    weights: _Floats
    labelled: int
    opinions: _Floats | None
    validation: WordIds
    validation_labels: np.ndarray[Any, np.dtype[np.int8]]
    reconsidered: Callable[[_Floats], _Floats] | None = None


def fitting_of(
    chosen: Recipe,
    config: dict[str, Any],
    lesson: Lesson,
    folder: TrainingFolder,
    options: Options,
    starts: Mapping[str, Sequence[np.ndarray[Any, Any]]],
) -> Fitting:
    """Return a network that is ready to be fitted, at its beginning or where its last checkpoint was.

    After each epoch the network and its teacher learn from each other's opinions of the judged texts: two that err
    differently are better together (Laine and Aila, "Temporal Ensembling for Semi-Supervised Learning", 2017).

    Args:
        chosen: The recipe.
        config: What the network is built from.
        lesson: What it learns from.
        folder: Where checkpoints go.
        options: Those of the training; epochs, batch size and patience are the recipe's where they are None.
        starts: The first weights of layers, by the layer's name; the others' are random.

    Raises:
        InputError: The texts to validate with hold no words, or a checkpoint is damaged.
    """
    import keras

    layout = Layout.from_config(config)
    epochs, batch_size = options.epochs or chosen.epochs, options.batch_size or chosen.batch_size
    keras.utils.set_random_seed(options.seed)
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(PRECISIONS[options.precision])
    try:
        model = build_network(chosen, config)
    finally:
        keras.config.set_dtype_policy(usual)
    for name, weights in starts.items():
        model.get_layer(name).set_weights(weights)
    targets = lesson.targets.copy()
    windows = layout.cut(lesson.texts)
    crops = chosen.crops if options.short_texts else 0.0
    batches = Batches(windows, layout, targets, lesson.weights, batch_size, options.seed, crops)
    compile_network(model, chosen, len(batches), epochs)
    if not len(layout.cut(lesson.validation).owners):
        raise InputError("the texts to validate with hold no words of the vocabulary: give more data")
    arrays = {"targets": targets}
    if lesson.opinions is not None:
        # Each epoch reads one row and writes the other: interrupted before it is over, it does the same once more.
        arrays["opinions"] = np.stack([lesson.opinions, lesson.opinions])

    def judge(epoch: int) -> Evaluation:
        """Return how well an epoch does on the validation part, and prepare the next one's targets."""
        student = sentiment_model(model, layout, folder.path)
        if lesson.opinions is not None and lesson.reconsidered is not None and epoch < epochs:
            from textsent.unlabelled import mean_opinion

            judged = slice(lesson.labelled, lesson.labelled + len(lesson.opinions))
            before, after = arrays["opinions"][epoch % 2], arrays["opinions"][(epoch + 1) % 2]
            own = student.predict(part_of(lesson.texts, judged))
            after[:] = lesson.reconsidered(mean_opinion(before, own))
            targets[judged] = mean_opinion(after, own)
        return evaluate(student.predict(lesson.validation), lesson.validation_labels)

    fitting = Fitting(model, batches, judge, folder, arrays, epochs, options.patience, chosen.keep)
    if folder.has_checkpoint:
        fitting.load()
    else:
        fitting.save()
    return fitting


def sentiment_model(model: Any, layout: Layout, folder: Path, ngrams: NgramTable | None = None) -> SentimentModel:
    """Return what predicts with a Keras network; ONNX Runtime's graph, on a CPU, goes to `folder`."""
    with writing(folder):
        graph = NO_GRAPH if keras_sees_gpu() else export(model, folder)
    return SentimentModel(network_of(graph, folder, model, layout), layout, usable_cores(), ngrams=ngrams)


def network_of(graph: str, folder: Path, model: Any, layout: Layout) -> Network:
    """Return a network on the engine that its graph is for."""
    if graph == NO_GRAPH:
        return KerasNetwork(model, layout) if keras_sees_gpu() else KerasOnCpu(model, layout)
    return OnnxNetwork.from_preset(folder) if graph == PROJECTED else WholeOnnxNetwork.from_preset(folder, layout)


def part_of(texts: WordIds, rows: slice) -> WordIds:
    """Return the word ids of a run of texts."""
    start, end = texts.offsets[rows.start], texts.offsets[rows.stop]
    return WordIds(texts.ids[start:end], texts.offsets[rows.start : rows.stop + 1] - start)
