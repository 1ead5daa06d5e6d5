"""The figures of a training, written for TensorBoard."""

from __future__ import annotations

from importlib.util import find_spec
from math import isnan
from pathlib import Path
from typing import Any

from textsent.errors import MissingExtraError, OutputError
from textsent.fitting import Beginning, Epoch


class TensorBoardLog:
    """Writes loss and accuracy of each epoch, of the training and the validation part, as TensorBoard reads them.

    The tags are those of Keras's callback, `epoch_loss` and `epoch_accuracy`, in folders `train` and `validation`.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder.

        Args:
            folder: What `tensorboard --logdir` is to be given.

        Raises:
            MissingExtraError: TensorBoard isn't installed.
            OutputError: The folder can't be made.
        """
        if find_spec("tensorboard") is None:
            raise MissingExtraError(
                "--tensorboard needs the package tensorboard: pip install 'textsent[tensorboard]'"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise OutputError(f"{folder} can't be written: {exc.strerror}: name another folder") from exc
        self._folder = folder
        self._writers: list[Any] = []

    def said(self, line: str) -> None:
        """Write nothing."""

    def began(self, beginning: Beginning) -> None:
        """Open the log; TensorBoard imports TensorFlow, which by now has said what it says of the machine."""
        from tensorboard.summary import Writer

        self._writers = [Writer(str(self._folder / part)) for part in ("train", "validation")]

    def step_done(self, epoch: int, step: int, windows: int, loss: float, accuracy: float) -> None:
        """Write nothing."""

    def epoch_done(self, epoch: Epoch) -> None:
        """Write an epoch's figures, so that they can be seen while the next one runs."""
        figures = ((epoch.loss, epoch.accuracy), (epoch.validation_loss, epoch.validation_accuracy))
        for writer, (loss, accuracy) in zip(self._writers, figures, strict=True):
            if isnan(loss):  # in epoch 0 nothing is learnt
                continue
            writer.add_scalar("epoch_loss", loss, epoch.number)
            writer.add_scalar("epoch_accuracy", accuracy, epoch.number)
            writer.flush()
