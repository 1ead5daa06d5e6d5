"""The figures of a training, written for TensorBoard."""

from __future__ import annotations

from pathlib import Path

from textsent.errors import MissingExtraError
from textsent.fitting import Beginning, Epoch


class TensorBoardLog:
    """Writes loss and accuracy of each epoch, of the training and the validation part, as TensorBoard reads them.

    The tags are those of Keras's callback, `epoch_loss` and `epoch_accuracy`, in folders `train` and `validation`.
    """

    def __init__(self, folder: Path) -> None:
        """Open the log.

        Args:
            folder: What `tensorboard --logdir` is to be given.

        Raises:
            MissingExtraError: TensorFlow isn't installed.
        """
        try:
            from tensorflow import summary
        except ImportError as exc:
            raise MissingExtraError("--tensorboard needs TensorFlow: pip install tensorflow") from exc
        self._summary = summary
        self._writers = [summary.create_file_writer(str(folder / part)) for part in ("train", "validation")]

    def said(self, line: str) -> None:
        """Write nothing."""

    def began(self, beginning: Beginning) -> None:
        """Write nothing."""

    def step_done(self, epoch: int, step: int, windows: int, loss: float, accuracy: float) -> None:
        """Write nothing."""

    def epoch_done(self, epoch: Epoch) -> None:
        """Write an epoch's figures, so that they can be seen while the next one runs."""
        figures = ((epoch.loss, epoch.accuracy), (epoch.validation_loss, epoch.validation_accuracy))
        for writer, (loss, accuracy) in zip(self._writers, figures, strict=True):
            with writer.as_default(step=epoch.number):
                self._summary.scalar("epoch_loss", loss)
                self._summary.scalar("epoch_accuracy", accuracy)
            writer.flush()
