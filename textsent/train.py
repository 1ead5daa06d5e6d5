"""Training: labelled texts and a recipe in, a preset folder out."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.cores import usable_cores
from textsent.datasets import LabelledTexts
from textsent.errors import InputError, OptionError, OutputError, PresetError
from textsent.evaluate import Evaluation, evaluate
from textsent.export import export_lstm, round_embedding
from textsent.model import OnnxNetwork, SentimentModel, cut_windows, import_keras, keras_sees_gpu, pad
from textsent.preprocess import FIRST_WORD_ID, Preprocessor, WordIds
from textsent.presets import CONFIG_FILE, METADATA_FILE, WEIGHTS_FILE, read_json, write_json
from textsent.recipes import recipe

WIDTHS = 6
"""Shapes that training batches are cut to: each costs a compilation, and padding gets less with each."""

SELF_TEACHING_FROM = 2  # epochs


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        recipe: Name of the recipe.
        epochs: Passes over the training part, at most.
        batch_size: Windows in a batch; by default the recipe's.
        validation: Share of the groups held out to choose the best epoch by, above 0 and below 1.
        patience: Epochs without a better validation accuracy after which training stops.
        seed: Of the split, the initial weights, the order and the dropout.
    """

    recipe: str = "lstm"
    epochs: int = 10
    batch_size: int | None = None
    validation: float = 0.1
    patience: int = 3
    seed: int = 1

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise OptionError(f"the number of epochs must be 1 or more. Received: {self.epochs}")
        if self.batch_size is not None and self.batch_size < 1:
            raise OptionError(f"the batch size must be 1 or more. Received: {self.batch_size}")
        if self.patience < 1:
            raise OptionError(f"the patience must be 1 epoch or more. Received: {self.patience}")
        if not 0 <= self.seed < 2**32:
            raise OptionError(f"the seed must lie between 0 and {2**32 - 1}. Received: {self.seed}")
        recipe(self.recipe)
        if not 0 < self.validation < 1:
            raise OptionError(f"the validation share must lie between 0 and 1. Received: {self.validation}")


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to.

    Attributes:
        number: From 1 on.
        loss: Mean binary cross-entropy while training, in nats, with dropout at work.
        validation_loss: That of the validation part, without dropout.
        validation_accuracy: Share of the validation part's texts on the right side, 0 … 1.
        seconds: Duration, validation included.
        best: Whether it is more accurate than every earlier epoch.
    """

    number: int
    loss: float
    validation_loss: float
    validation_accuracy: float
    seconds: float
    best: bool


class Observer(Protocol):
    """Is told how training goes."""

    def said(self, line: str) -> None:
        """Something that takes a while begins."""

    def began(self, texts: int, validation: LabelledTexts, words: int, steps: int) -> None:
        """Training on `texts` texts begins, with a vocabulary of `words` words and `steps` batches an epoch."""

    def step_done(self, epoch: int, step: int, windows: int, loss: float) -> None:
        """A batch is done, `windows` windows of this epoch so far; `loss` is the mean of the last 100 batches."""

    def epoch_done(self, epoch: Epoch) -> None:
        """An epoch is done and validated."""


def train(
    data: LabelledTexts,
    output: Path,
    options: Options,
    observer: Observer,
    *,
    unlabelled: pa.Array | None = None,
    overwrite: bool = False,
    command: str = "",
) -> Evaluation:
    """Train a recipe and write it as a preset; return how well it does on the validation part.

    With unlabelled texts the network starts from word vectors trained on all texts but the validation part, and
    it also learns from what a linear teacher, trained on the training part, thinks of them. After each epoch
    from SELF_TEACHING_FROM on its own opinion is averaged with the teacher's: two that err differently are
    better together (Laine and Aila, "Temporal Ensembling for Semi-Supervised Learning", 2017).

    A KeyboardInterrupt ends training early: the best epoch so far becomes the preset.

    Args:
        data: Labelled texts.
        output: Folder to write the preset to; it appears when training is over.
        options: How to train.
        observer: Is told how training goes.
        unlabelled: Array of strings; needs the extra `textsent[unlabelled]`.
        overwrite: Replace a preset of that name.
        command: The command line, to be stored with the preset.

    Raises:
        InputError: There is too little data, or it is all of one label.
        OutputError: The folder exists or can't be written.
        MissingExtraError: There are unlabelled texts, but not the packages to use them.
        KeyboardInterrupt: Interrupted before the first epoch was over.
    """
    check_output_folder(output, overwrite)
    keras = import_keras()
    chosen = recipe(options.recipe)
    training, validation = data.split(options.validation, options.seed)
    for name, part in (("training", training), ("validation", validation)):
        if len(np.unique(part.labels)) < 2:
            raise InputError(
                f"the {name} part has {len(part)} texts but not of both labels: "
                "give more data, or another --validation share"
            )
    started = time.monotonic()
    keras.utils.set_random_seed(options.seed)
    # Some reviews were posted twice, also under two films.
    held_out = validation.texts.cast(pa.large_string())
    training = training.where(~_stands_in(training.texts, held_out))
    texts, targets = training.texts.cast(pa.large_string()), training.labels.astype(np.float32)
    if unlabelled is not None:
        from textsent.unlabelled import Teacher, check_extra, mean_opinion, word_vectors

        check_extra()
        unlabelled = unlabelled.filter(pa.array(~_stands_in(unlabelled, held_out)))
        observer.said("a linear teacher reads the labelled texts and judges the unlabelled ones")
        opinions = Teacher(training.texts, training.labels).predict(unlabelled)
        texts = pa.concat_arrays([texts, unlabelled.cast(pa.large_string())])
        targets = np.concatenate([targets, opinions])
    preprocessor = Preprocessor.fit(texts, chosen.vocabulary_size)
    words = len(preprocessor.words)
    if not words:
        raise InputError("the texts to train on hold no words")
    config = {"recipe": options.recipe, "vocabulary_size": words, **chosen.config}
    model = chosen.build(config)
    if unlabelled is not None:
        observer.said("word vectors are trained on all of them")
        vectors = word_vectors(texts, preprocessor.vocabulary, config["embedding_size"], options.seed)
        embedding = model.get_layer("embedding")
        embedding.set_weights([np.concatenate([embedding.get_weights()[0][:FIRST_WORD_ID], vectors])])
    batch_size = options.batch_size or chosen.batch_size
    batches = _Batches(preprocessor(texts), targets, config["window"], batch_size, options.seed)
    _compile(model, chosen.learning_rate, len(batches) * options.epochs)
    observer.began(len(texts), validation, words, len(batches))
    with _folder_for(output) as folder:
        ids = preprocessor(validation.texts)

        def judge(epoch: int) -> Evaluation:
            """Return how well an epoch does on the validation part, and prepare the next one's targets."""
            export_lstm(model, folder)
            student = SentimentModel(OnnxNetwork.from_preset(folder), config["window"], usable_cores())
            if unlabelled is not None and SELF_TEACHING_FROM <= epoch < options.epochs:
                targets[len(training) :] = mean_opinion(opinions, student.predict(preprocessor(unlabelled)))
            return evaluate(student.predict(ids), validation.labels)

        epochs = _fit(model, batches, judge, folder / WEIGHTS_FILE, options, observer)
        model.load_weights(folder / WEIGHTS_FILE)
        trained = chosen.build(config)  # without the optimizer's state, which would be saved too
        trained.set_weights(model.get_weights())
        write_network(trained, config, preprocessor, folder)
        final = SentimentModel(OnnxNetwork.from_preset(folder), config["window"], usable_cores())
        evaluation = evaluate(final.predict(ids), validation.labels)
        write_json(
            folder / METADATA_FILE,
            {
                "command": command,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "minutes": round((time.monotonic() - started) / 60, 1),
                "hardware": _hardware(),
                "versions": _versions(),
                "options": asdict(options),
                "data": {
                    "sha256": data.digest(),
                    "training_texts": len(training),
                    "unlabelled_texts": 0 if unlabelled is None else len(unlabelled),
                    "validation_texts": len(validation),
                    "cut_by_group": data.named_groups,
                },
                "history": [asdict(epoch) for epoch in epochs],
                "validation": evaluation.to_json(),
            },
        )
    return evaluation


def write_network(model: Any, config: dict[str, Any], preprocessor: Preprocessor, folder: Path) -> None:
    """Write all of a preset but its metadata.

    Args:
        model: An uncompiled `keras.Model` built from `config`; its embedding is rounded in place.
        config: What the recipe was built from, with `recipe`, `vocabulary_size` and `window`.
        preprocessor: What turns texts into the network's ids.
        folder: An existing folder.
    """
    round_embedding(model)
    model.save_weights(folder / WEIGHTS_FILE)
    export_lstm(model, folder)
    preprocessor.save(folder)
    write_json(folder / CONFIG_FILE, config)


def validation_part(data: LabelledTexts, preset: Path) -> LabelledTexts:
    """Return the part of the data that was held out when the preset was trained on it.

    Raises:
        InputError: It was trained on other data.
        PresetError: Its metadata don't say what was held out.
    """
    metadata = read_json(preset / METADATA_FILE)
    try:
        digest = metadata["data"]["sha256"]
        share, seed = metadata["options"]["validation"], metadata["options"]["seed"]
    except (KeyError, TypeError) as exc:
        raise PresetError(f"{preset / METADATA_FILE} doesn't say what was held out: it lacks {exc}") from exc
    if digest != data.digest():
        raise InputError(
            f"the model {preset.name} was trained on other data than this: "
            "leave --validation out to evaluate on all of it"
        )
    return data.split(share, seed)[1]


def _fit(
    model: Any,
    batches: _Batches,
    judge: Callable[[int], Evaluation],
    checkpoint: Path,
    options: Options,
    observer: Observer,
) -> list[Epoch]:
    """Fit the network, keep the weights of its best epoch in `checkpoint`, and return the epochs.

    The loop is our own: Keras's `fit` wants to know from the first batches how wide the others will be.
    """
    epochs: list[Epoch] = []
    best = 0  # number of the best epoch
    try:
        for number in range(1, options.epochs + 1):
            started = time.monotonic()
            losses = []
            for ids, targets in batches.shuffled():
                losses.append(float(model.train_on_batch(ids, targets)))
                observer.step_done(number, len(losses), len(losses) * batches.size, float(np.mean(losses[-100:])))
            evaluation = judge(number)
            is_best = all(evaluation.accuracy > earlier.validation_accuracy for earlier in epochs)
            if is_best:
                unfinished = checkpoint.with_name(f"unfinished.{checkpoint.name}")
                model.save_weights(unfinished)
                unfinished.replace(checkpoint)
                best = number
            epochs.append(
                Epoch(
                    number=number,
                    loss=float(np.mean(losses)),
                    validation_loss=evaluation.log_loss,
                    validation_accuracy=evaluation.accuracy,
                    seconds=time.monotonic() - started,
                    best=is_best,
                )
            )
            observer.epoch_done(epochs[-1])
            if number - best >= options.patience:
                break
    except KeyboardInterrupt:
        if not epochs:
            raise
    return epochs


class _Batches:
    """The windows of the training texts in batches of like length.

    A window carries its text's target, the probability that it is positive; the targets may change between
    epochs. There are WIDTHS widths at most, and every batch is full, so that few shapes are compiled: a width's
    last batch repeats some of its windows.
    """

    def __init__(
        self,
        ids: WordIds,
        targets: np.ndarray[Any, np.dtype[np.float32]],
        window: int,
        size: int,
        seed: int,
    ) -> None:
        self.size = size
        self._ids = ids.ids
        self._targets = targets
        self._starts, self._ends, self._owners = cut_windows(ids.offsets, window)
        step = -(-window // WIDTHS)
        widths = np.minimum(-(-(self._ends - self._starts) // step) * step, window)
        self._by_width = {int(width): np.flatnonzero(widths == width) for width in np.unique(widths)}
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return sum(-(-len(windows) // self.size) for windows in self._by_width.values())

    def shuffled(self) -> Iterator[tuple[Any, Any]]:
        """Yield ids, int32, shape (size, width), and targets, float32, shape (size, 1), newly shuffled."""
        batches = []
        for width, windows in self._by_width.items():
            count = -(-len(windows) // self.size)
            batches += [
                (width, batch) for batch in np.resize(self._random.permutation(windows), (count, self.size))
            ]
        self._random.shuffle(batches)
        for width, batch in batches:
            padded = pad(self._ids, self._starts[batch], self._ends[batch], width)
            yield padded, self._targets[self._owners[batch], None]


def _compile(model: Any, learning_rate: float, steps: int) -> None:
    import keras

    # On a GPU XLA would keep cuDNN's LSTM out; PyTorch's compiler gains nothing on loops over words.
    jit = keras.config.backend() != "torch" and not keras_sees_gpu()
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps), clipnorm=1.0),
        "binary_crossentropy",
        jit_compile=jit or "auto",
    )


@contextmanager
def _folder_for(output: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes its name when all went well; otherwise nothing of it is left."""
    output = output.resolve()
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        partial.mkdir()
    except OSError as exc:
        raise OutputError(f"{output} can't be written: {exc.strerror}") from exc
    try:
        yield partial
        if output.exists():
            old = output.with_name(f".{output.name}.{os.getpid()}.old")
            output.rename(old)
            partial.rename(output)
            shutil.rmtree(old)
        else:
            partial.rename(output)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_output_folder(output: Path, overwrite: bool) -> None:
    """Check that a preset can be written.

    Raises:
        OutputError: Something of that name exists and is not to be replaced, or the folder around it is missing.
    """
    if output.exists() and not (overwrite and (output / CONFIG_FILE).is_file()):
        advice = ", or replace it with --overwrite" if (output / CONFIG_FILE).is_file() else ""
        raise OutputError(f"{output} exists already: choose another folder with --output{advice}")
    if not output.absolute().parent.is_dir():
        raise OutputError(f"{output} can't be written: there is no folder {output.parent}")


def _stands_in(texts: pa.Array, others: pa.Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return whether each text stands in `others`, word for word: bool, shape (texts,)."""
    return pc.is_in(texts.cast(pa.large_string()), value_set=others).to_numpy(zero_copy_only=False)


def _hardware() -> dict[str, Any]:
    return {
        "machine": platform.machine(),
        "cores": usable_cores(),
        "gpu": keras_sees_gpu(),
    }


def _versions() -> dict[str, str]:
    import keras

    packages = ("textsent", "keras", "numpy", "onnx", "onnxruntime", "pyarrow", keras.config.backend())
    return {"python": platform.python_version()} | {package: version(package) for package in packages}
