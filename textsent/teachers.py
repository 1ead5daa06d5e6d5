"""Large LSTMs that read all texts before they learn the labels, and then teach a smaller one what they think.

A teacher begins as a language model (`textsent.language_model`). Then it learns the labels and the linear teacher's
opinions, from whole texts and from parts of them. What it thinks of texts that nobody labelled, averaged with the
others, is what the smaller network learns: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network",
2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from textsent.checkpoint import TrainingFolder
from textsent.fitting import Batches, Beginning, Fitting, Observer, compile_with
from textsent.language_model import SHARED_LAYERS, language_model
from textsent.options import Options
from textsent.preprocess import FIRST_WORD_ID, WordIds
from textsent.recipes import LANGUAGE_MODEL, TEACHER, Recipe
from textsent.teaching import Lesson, fitting_of, part_of, sentiment_model
from textsent.windows import Layout

LANGUAGE_VALIDATION = 512
"""Texts that a language model is judged by."""

_OPINIONS_FILE = "opinions.npz"

_Floats = np.ndarray[Any, np.dtype[np.float32]]


class Opinions(NamedTuple):
    """What a teacher thinks.

    Attributes:
        judged: float32, shape (judged texts,): the probability that each of the lesson's judged texts is positive.
        short: float32, shape (short texts,): likewise.
        vectors: float32, shape (words, embedding_size): what it learned of the words.
        accuracy: On the validation part, 0 … 1.
    """

    judged: _Floats
    short: _Floats
    vectors: _Floats
    accuracy: float


def teacher_opinions(
    number: int,
    lesson: Lesson,
    short: WordIds,
    words: int,
    folder: TrainingFolder,
    options: Options,
    observer: Observer,
) -> Opinions:
    """Train a teacher and ask it; or return what one thought that was trained in this folder before.

    Args:
        number: Which teacher, from 1 on; each has a seed of its own.
        lesson: What it learns from; its opinions are the linear teacher's. It stays as it is.
        short: Short texts to judge as well.
        words: In the vocabulary.
        folder: The training's.
        options: The training's: seed and precision count.
        observer: Is told how it goes.

    Raises:
        KeyboardInterrupt: Interrupted; the training can go on.
        DivergedError: The loss is no number any more.
    """
    own = folder.stage(f"teacher-{number}")
    if (saved := own.load_arrays(_OPINIONS_FILE)) is not None:
        return Opinions(saved["judged"], saved["short"], saved["vectors"], float(saved["accuracy"]))
    options = Options(seed=(options.seed + 1000 * number) % 2**32, precision=options.precision)
    sizes = {"vocabulary_size": words}
    observer.said(f"teacher {number} reads all texts, as a language model")
    reader = _language_model(lesson, LANGUAGE_MODEL, sizes, own.stage("language-model"), options, observer)
    starts = {name: reader.get_layer(name).get_weights() for name in SHARED_LAYERS}
    observer.said(f"teacher {number} learns the labels")
    config = {**TEACHER.config, **sizes}
    lesson = replace(lesson, targets=lesson.targets.copy())
    fitting = fitting_of(TEACHER, config, lesson, own, options, starts)
    observer.began(_beginning(lesson, words, fitting))
    fitting.run(observer)
    fitting.load_best()
    teacher = sentiment_model(fitting.model, Layout.from_config(config), own.path)
    assert lesson.opinions is not None
    judged = slice(lesson.labelled, lesson.labelled + len(lesson.opinions))
    (table,) = fitting.model.get_layer("embedding").get_weights()
    best = fitting.state.best
    opinions = Opinions(
        teacher.predict(part_of(lesson.texts, judged)),
        teacher.predict(short),
        table[FIRST_WORD_ID:],
        best.validation_accuracy if best else float("nan"),
    )
    own.save_arrays(_OPINIONS_FILE, {name: np.asarray(value) for name, value in opinions._asdict().items()})
    own.forget_checkpoints()
    return opinions


def _language_model(
    lesson: Lesson,
    chosen: Recipe,
    sizes: dict[str, int],
    folder: TrainingFolder,
    options: Options,
    observer: Observer,
) -> Any:
    """Return a language model that has read a lesson's texts, the judged ones too."""
    import keras

    config = {**chosen.config, **sizes}
    layout = Layout.from_config(config)
    keras.utils.set_random_seed(options.seed)
    model = language_model(config)
    texts = len(lesson.texts)
    nothing, same = np.zeros(texts, np.float32), np.ones(texts, np.float32)
    batches = Batches(layout.cut(lesson.texts), layout, nothing, same, chosen.batch_size, options.seed)
    compile_with(model, chosen, len(batches) * chosen.epochs, _loss, _accuracy)
    held_out = part_of(lesson.validation, slice(0, min(LANGUAGE_VALIDATION, len(lesson.validation))))

    def judge(epoch: int) -> _Foreseen:
        return _foreseen(model, held_out, layout, chosen.batch_size)

    fitting = Fitting(model, batches, judge, folder, {}, chosen.epochs, None, "last")
    if folder.has_checkpoint:
        fitting.load()
    observer.began(_beginning(lesson, sizes["vocabulary_size"], fitting))
    fitting.run(observer)
    return model


class _Foreseen(NamedTuple):
    """How well words were foreseen: cross-entropy in nats a word, and the share that was the likeliest."""

    log_loss: float
    accuracy: float


def _foreseen(model: Any, texts: WordIds, layout: Layout, size: int) -> _Foreseen:
    windows = layout.cut(texts)
    figures = []
    for at in range(0, len(windows.starts), size):
        rows = np.resize(np.arange(at, min(at + size, len(windows.starts))), size)  # one shape is compiled
        ids = layout.pad(windows.ids, windows.starts[rows], windows.ends[rows], layout.window)
        figures.append(np.asarray(model.predict_on_batch(ids)).mean(axis=0))
    loss, accuracy = np.mean(figures, axis=0)
    return _Foreseen(float(loss), float(accuracy))


def _loss(targets: Any, predicted: Any) -> Any:
    return predicted[:, 0]


def _accuracy(targets: Any, predicted: Any) -> Any:
    return predicted[:, 1]


def _beginning(lesson: Lesson, words: int, fitting: Fitting) -> Beginning:
    return Beginning(
        texts=len(lesson.texts),
        validation_texts=len(lesson.validation),
        cut_by_group=True,
        words=words,
        steps=len(fitting.batches),
        epochs=fitting.epochs,
        epoch=len(fitting.state.epochs) + 1,
        step=fitting.state.step,
        best_accuracy=None,
    )


def small_vectors(vectors: Sequence[_Floats], size: int, seen: int) -> _Floats:
    """Return vectors of fewer dimensions, in which most of what teachers know of the words is kept.

    Args:
        vectors: Of each teacher, float32, shape (words, its embedding_size).
        size: Dimensions to keep, by principal component analysis.
        seen: How many of the first words stood in what the teachers read; the others get zeros.

    Returns:
        float32, shape (words, size), with values of about ±0.25.
    """
    known = np.concatenate([each[:seen] / each[:seen].std() for each in vectors], axis=1)
    known = known - known.mean(axis=0)
    _, directions = np.linalg.eigh(known.T @ known)
    small = known @ directions[:, ::-1][:, :size]
    result = np.zeros((len(vectors[0]), size), np.float32)
    result[:seen, : small.shape[1]] = VECTOR_SCALE * small / small.std()
    return result


VECTOR_SCALE = 0.25
"""Standard deviation of the small vectors' values: it suits an LSTM's gates."""
