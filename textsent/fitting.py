"""The fitting of a network: batches of like length, epochs, and checkpoints from which it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from math import isfinite, nan
from typing import Any, Protocol, Self

import numpy as np

from textsent.checkpoint import TrainingFolder
from textsent.errors import DivergedError
from textsent.interrupts import Uninterrupted
from textsent.model import keras_sees_gpu
from textsent.recipes import Recipe
from textsent.windows import Layout, Windows

WIDTHS = 6
"""Shapes that training batches are cut to: each costs a compilation, and padding gets less with each."""

NARROW_WIDTHS = 4
"""Shapes that the narrowest of these is cut to once more, for sentences."""

LEAST_BATCHES = 20
"""Batches that a width must have, or its windows are padded to the next one: fewer aren't worth a compilation."""

CHECKPOINT_SECONDS = 60.0
"""Time between two checkpoints, beside those after each epoch."""

CROP_WORDS = 8
"""Words of a cropped window, at least; rounding may take one of them."""

_Floats = np.ndarray[Any, np.dtype[np.float32]]
_Longs = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to.

    Attributes:
        number: From 1 on; 0 is the network as it was before it learned anything.
        loss: Mean cross-entropy while training, in nats, with dropout at work; NaN in epoch 0.
        accuracy: Share of the training windows on the right side, 0 … 1, with dropout at work; NaN in epoch 0.
        validation_loss: Cross-entropy on the validation part, without dropout.
        validation_accuracy: Share of the validation part's texts on the right side, 0 … 1.
        seconds: Duration, validation included.
        best: Whether its weights are to be kept rather than those of every earlier epoch.
    """

    number: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float
    best: bool


@dataclass(frozen=True)
class Beginning:
    """What is known when the fitting begins, or goes on.

    Attributes:
        texts: To train on.
        validation_texts: To validate with.
        cut_by_group: Whether no group has texts on both sides.
        words: In the vocabulary.
        steps: Batches an epoch.
        epochs: At most.
        epoch: The first that is to be done, from 1 on.
        step: Batches of it that are done already.
        best_accuracy: On the validation part, of the epoch that is kept so far; None before the first.
    """

    texts: int
    validation_texts: int
    cut_by_group: bool
    words: int
    steps: int
    epochs: int
    epoch: int = 1
    step: int = 0
    best_accuracy: float | None = None


class Judgement(Protocol):
    """How well a network does on what it is judged by.

    Attributes:
        log_loss: Mean cross-entropy, in nats.
        accuracy: Share that it has right, 0 … 1.
    """

    @property
    def log_loss(self) -> float: ...  # noqa: D102 - said above
    @property
    def accuracy(self) -> float: ...  # noqa: D102 - said above


class Observer(Protocol):
    """Is told how training goes."""

    def said(self, line: str) -> None:
        """Something that takes a while begins."""

    def began(self, beginning: Beginning) -> None:
        """The fitting begins, or goes on."""

    def step_done(self, epoch: int, step: int, windows: int, loss: float, accuracy: float) -> None:
        """A batch of `windows` windows is done, the epoch's `step`-th; loss and accuracy are the epoch's so far."""

    def epoch_done(self, epoch: Epoch) -> None:
        """An epoch is done and validated."""


class Observers:
    """Tells several observers."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def said(self, line: str) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.said(line)

    def began(self, beginning: Beginning) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.began(beginning)

    def step_done(self, epoch: int, step: int, windows: int, loss: float, accuracy: float) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.step_done(epoch, step, windows, loss, accuracy)

    def epoch_done(self, epoch: Epoch) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.epoch_done(epoch)


@dataclass(frozen=True)
class State:
    """Where the fitting is.

    Attributes:
        epochs: Those that are done.
        step: Batches done of the epoch that is not.
        loss: Sum of the losses of its windows, in nats, by their weights.
        right: Sum of the weights of its windows that were on the right side.
        weight: Sum of the weights of its windows.
        seconds: Time spent on it.
    """

    epochs: tuple[Epoch, ...] = ()
    step: int = 0
    loss: float = 0.0
    right: float = 0.0
    weight: float = 0.0
    seconds: float = 0.0

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Self:
        """Return the state that `asdict` made into JSON."""
        return cls(**{**saved, "epochs": tuple(Epoch(**epoch) for epoch in saved["epochs"])})

    @property
    def done(self) -> int:
        """How many epochs are done that something was learnt in."""
        return self.epochs[-1].number if self.epochs else 0

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights are kept so far."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.best), None)


@dataclass
class Fitting:
    """A network that is being fitted.

    Attributes:
        model: A compiled `keras.Model`.
        batches: What it learns from.
        judge: Returns how well it does on the validation part after an epoch, given the epoch's number, and may
            change the targets of the next ones; it does the same when it is called again after an interrupt.
        folder: Where checkpoints go.
        arrays: What else changes from epoch to epoch, for the checkpoints.
        epochs: How many at most.
        patience: Epochs without a gain after which to stop; None for never.
        keep: Which epoch's weights to keep; see `textsent.recipes.Recipe`.
        state: Where it is.
        first_epoch: 0 where the network is judged, and may be kept, as it is before it learns anything; else 1.
        may_keep: Says of an epoch that has been judged, by its number, whether its weights may be kept at all.
    """

    model: Any
    batches: Batches
    judge: Callable[[int], Judgement]
    folder: TrainingFolder
    arrays: dict[str, np.ndarray[Any, Any]]
    epochs: int
    patience: int | None
    keep: str
    state: State = field(default_factory=State)
    first_epoch: int = 1
    may_keep: Callable[[int], bool] = lambda epoch: True

    def save(self) -> None:
        """Write a checkpoint."""
        self.folder.save(self.model, asdict(self.state), self.arrays)

    def load(self) -> None:
        """Go on from the last checkpoint."""
        self.state = State.from_json(self.folder.load(self.model, self.arrays))

    def run(self, observer: Observer) -> None:
        """Fit the network; the weights of the epoch to keep are in the folder then.

        The loop is our own: Keras's `fit` wants to know from the first batches how wide the others will be.

        Raises:
            KeyboardInterrupt: Interrupted; a checkpoint has been written.
            DivergedError: The loss is no number any more.
        """
        try:
            while not self.is_over:
                self._epoch(observer)
        except KeyboardInterrupt:
            self.save()
            raise

    @property
    def is_over(self) -> bool:
        """Whether no epoch is left to be done."""
        done, best = self.state.done, self.state.best
        waited = best is not None and self.patience is not None and done - best.number >= self.patience
        return done >= self.epochs or waited

    @property
    def next_epoch(self) -> int:
        """Number of the epoch that is to be done next."""
        return self.state.done + 1 if self.state.epochs else self.first_epoch

    def _epoch(self, observer: Observer) -> None:
        number = self.next_epoch
        began = time.monotonic() - self.state.seconds
        saved = time.monotonic()
        for ids, targets, weights in self.batches.of_epoch(number, self.state.step) if number else ():
            with Uninterrupted():
                _seed_torch(self.batches.seed, number, self.state.step)
                figures = self.model.train_on_batch(ids, targets, weights, return_dict=True)
                if not isfinite(figures["loss"]):
                    raise DivergedError(
                        f"the loss is {figures['loss']} in epoch {number}, step {self.state.step + 1}: "
                        "lower the recipe's learning rate, or give it a clip_norm"
                    )
                weight = float(weights.sum())
                self.state = replace(
                    self.state,
                    step=self.state.step + 1,
                    loss=self.state.loss + float(figures["loss"]) * len(weights),
                    right=self.state.right + float(figures["accuracy"]) * weight,
                    weight=self.state.weight + weight,
                    seconds=time.monotonic() - began,
                )
            loss, accuracy = self._so_far()
            observer.step_done(number, self.state.step, int(np.count_nonzero(weights)), loss, accuracy)
            if time.monotonic() - saved >= CHECKPOINT_SECONDS:
                self.save()
                saved = time.monotonic()
        with self._averaged():
            evaluation = self.judge(number)
        loss, accuracy = self._so_far()
        epoch = Epoch(
            number=number,
            loss=loss,
            accuracy=accuracy,
            validation_loss=evaluation.log_loss,
            validation_accuracy=evaluation.accuracy,
            seconds=time.monotonic() - began,
            best=self.may_keep(number) and self._is_best(evaluation),
        )
        with Uninterrupted():
            if epoch.best:
                with self._averaged():
                    self.folder.save_best(self.model, number)
            self.state = State((*self.state.epochs, epoch))
            self.save()
            observer.epoch_done(epoch)

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """Have the network hold its averaged weights, if its optimizer keeps any; then all is as it was."""
        variables = self.model.trainable_variables
        before = [np.array(variable) for variable in variables]
        try:
            self.model.optimizer.finalize_variable_values(variables)
            yield
        finally:
            with Uninterrupted():
                for variable, value in zip(variables, before, strict=True):
                    variable.assign(value)

    def _so_far(self) -> tuple[float, float]:
        """Return the epoch's mean loss and accuracy so far; NaN before its first batch."""
        weight = self.state.weight or nan
        return self.state.loss / weight, self.state.right / weight

    @property
    def kept_epoch(self) -> int:
        """Number of the epoch whose weights are kept, or where none is, of the last one."""
        best = self.state.best
        return self.state.done if best is None else best.number

    def load_best(self) -> None:
        """Give the network the weights of the epoch that is kept."""
        if self.state.best is not None:
            self.folder.load_best(self.model, self.state.best.number)

    def _is_best(self, evaluation: Judgement) -> bool:
        match self.keep:
            case "accuracy":
                return all(evaluation.accuracy > epoch.validation_accuracy for epoch in self.state.epochs)
            case "loss":
                return all(evaluation.log_loss < epoch.validation_loss for epoch in self.state.epochs)
            case _:
                return True


class Batches:
    """The windows of the training texts in batches of like length.

    A window carries its text's target, the probability that it is positive, and the text's weight; the targets may
    change between epochs. There are WIDTHS + NARROW_WIDTHS - 1 widths at most, and every batch is full, so that few
    shapes are compiled: a width's last batch is filled up with windows that weigh nothing.

    Attributes:
        size: Windows in a batch.
        seed: Of the order.
        crops: Share of the windows of which only a part is read, another one in each epoch.
    """

    def __init__(
        self,
        windows: Windows,
        layout: Layout,
        targets: _Floats,
        weights: _Floats,
        size: int,
        seed: int,
        crops: float = 0.0,
    ) -> None:
        """Cut the windows into batches.

        Args:
            windows: Of the texts.
            layout: How they are padded.
            targets: float32, shape (texts,), 0 … 1.
            weights: float32, shape (texts,), 0 or more.
            size: Windows in a batch.
            seed: Of the order, which hangs on it and on the epoch's number alone.
            crops: Share of the windows of which only a part is read, 0 … 1.
        """
        self.size = size
        self.crops = crops
        self._windows = windows
        self._layout = layout
        self._targets = targets
        self._weights = weights
        self.seed = seed
        widths = _widths(windows.ends - windows.starts, layout, LEAST_BATCHES * size)
        self._by_width = {int(width): np.flatnonzero(widths == width) for width in np.unique(widths)}

    def __len__(self) -> int:
        return sum(-(-len(members) // self.size) for members in self._by_width.values())

    def of_epoch(self, number: int, done: int = 0) -> Iterator[tuple[Any, _Floats, _Floats]]:
        """Yield an epoch's batches, but for the first `done` of them.

        Yields:
            ids: int32, shape (size, width).
            targets: float32, shape (size, 1).
            weights: float32, shape (size,).
        """
        random = np.random.default_rng([self.seed, number])
        batches = []
        for width, members in self._by_width.items():
            shuffled = random.permutation(members)
            batches += [(width, shuffled[at : at + self.size]) for at in range(0, len(members), self.size)]
        random.shuffle(batches)
        starts, ends = self._windows.starts, self._windows.ends
        if self.crops:
            starts, ends = _cropped(starts, ends, self.crops, random)
        for width, batch in batches[done:]:
            filled = np.resize(batch, self.size)
            owners = self._windows.owners[filled]
            weights = np.where(np.arange(self.size) < len(batch), self._weights[owners], np.float32(0))
            ids = self._layout.pad(self._windows.ids, starts[filled], ends[filled], width)
            yield ids, self._targets[owners, None], weights


def _widths(lengths: np.ndarray[Any, np.dtype[np.int64]], layout: Layout, least: int) -> np.ndarray[Any, Any]:
    """Return the width that each window is padded to; a width of fewer than `least` windows is widened."""
    step = -(-layout.window // WIDTHS)
    fine = layout.widths(lengths, -(-step // NARROW_WIDTHS))
    widths = np.minimum(np.where(lengths <= step, fine, layout.widths(lengths, step)), layout.window)
    for width, wider in zip(used := np.unique(widths), used[1:], strict=False):
        if np.count_nonzero(widths == width) < least:
            widths[widths == width] = wider
    return widths


def _cropped(starts: _Longs, ends: _Longs, share: float, random: np.random.Generator) -> tuple[_Longs, _Longs]:
    """Return where windows start and end of which a share is cut to a part, whose length's logarithm is uniform."""
    lengths = ends - starts
    least = np.minimum(lengths, CROP_WORDS)
    kept = np.exp(random.uniform(np.log(least), np.log(lengths)) + 1e-9).astype(np.int64)  # ln 5 is rounded down
    kept = np.where(random.random(len(lengths)) < share, kept, lengths)
    starts = starts + random.integers(0, lengths - kept, endpoint=True)
    return starts, starts + kept


def compile_network(model: Any, recipe: Recipe, steps: int, epochs: int) -> None:
    """Compile a network for training by a recipe, and build its optimizer.

    Args:
        model: What the recipe built.
        recipe: Says which optimizer and learning rate.
        steps: Batches in an epoch, over a share of which weights are averaged.
        epochs: Epochs, along which a cosine falls.
    """
    import keras

    rate = (
        keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps * epochs)
        if recipe.cosine
        else recipe.learning_rate
    )
    averaged = recipe.averaging * steps
    kind = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}[recipe.optimizer]

    def cross_entropy(targets: Any, predicted: Any) -> Any:
        # A sigmoid's output is passed on as it is, since Keras takes the logits from it, which is exacter.
        positive = predicted if predicted.shape[-1] == 1 else predicted[:, -1:]
        return keras.losses.binary_crossentropy(targets, positive)

    def accuracy(targets: Any, predicted: Any) -> Any:
        right = keras.ops.equal(targets[:, 0] >= 0.5, predicted[:, -1] >= 0.5)
        return keras.ops.cast(right, "float32")

    # On a GPU XLA would keep cuDNN's LSTM out; PyTorch's compiler gains nothing on loops over words.
    jit = keras.config.backend() != "torch" and not keras_sees_gpu()
    model.compile(
        kind(rate, clipnorm=recipe.clip_norm, use_ema=averaged > 1, ema_momentum=1 - 1 / max(1.0, averaged)),
        cross_entropy,
        weighted_metrics=[accuracy],
        jit_compile=jit or "auto",
    )
    model.optimizer.build(model.trainable_variables)


def _seed_torch(*numbers: int) -> None:
    """Seed PyTorch's generator, so that what is drawn from it hangs on the step alone.

    Keras's dropout draws from it; on other backends it draws from variables, which are in the checkpoints.
    """
    import keras

    if keras.config.backend() == "torch":
        import torch

        torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
