"""A preset's network: word ids in, the probability that the text is positive out.

On a CPU the network runs in ONNX Runtime, and neither Keras nor its backend is imported; on a GPU Keras runs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from textsent.errors import DeviceError, OptionError, PresetError
from textsent.preprocess import PADDING_ID, WordIds
from textsent.presets import CONFIG_FILE, ONNX_FILE, WEIGHTS_FILE, check_preset, read_json

DEVICES = ("auto", "cpu", "gpu")
BATCH_SIZE = 32
"""Windows predicted together on a CPU: at 32 of like length ONNX Runtime is at its best on two cores."""

GPU_BATCH_SIZE = 512
_GPU_WIDTH_STEP = 50  # words; widths are rounded up to it, so that few shapes are compiled

IntArray = np.ndarray[Any, np.dtype[np.int32]]
FloatArray = np.ndarray[Any, np.dtype[np.float32]]


class Network(Protocol):
    """A network on an engine."""

    batch_size: int

    def __call__(self, ids: IntArray) -> FloatArray:
        """Return the probabilities, shape (batch,), for right-padded ids, shape (batch, words)."""


class SentimentModel:
    """Predicts the probability that a text is positive.

    Attributes:
        network: The network on its engine.
        window: Words that it reads at once. A longer text is cut into windows of equal length, and the mean of
            their log-odds counts.
    """

    def __init__(self, network: Network, window: int, threads: int = 1) -> None:
        self.network = network
        self.window = window
        self._threads = threads

    @classmethod
    def from_preset(cls, folder: Path, device: str = "auto") -> Self:
        """Return the model stored in a preset's folder.

        Args:
            folder: The preset.
            device: `cpu`, `gpu`, or `auto`: a GPU where there is one.

        Raises:
            PresetError: A file is missing or unusable.
            DeviceError: `gpu` was asked for and there is none.
        """
        if device not in DEVICES:
            raise OptionError(f"there is no device {device!r}: choose one of {', '.join(DEVICES)}")
        check_preset(folder)
        window = read_json(folder / CONFIG_FILE).get("window")
        if not isinstance(window, int) or window < 1:
            raise PresetError(f"{folder / CONFIG_FILE} must give the window in words. Received: {window!r}")
        if device == "gpu" or (device == "auto" and _may_have_gpu()):
            import_keras()
            if keras_sees_gpu():
                return cls(KerasNetwork.from_preset(folder), window)
            if device == "gpu":
                raise DeviceError(
                    "Keras sees no GPU: use --device cpu, or install a backend with GPU support "
                    "(for TensorFlow: pip install 'tensorflow[and-cuda]')"
                )
        return cls(OnnxNetwork.from_preset(folder), window, threads=usable_cores())

    def predict(self, texts: WordIds, batch_size: int | None = None) -> FloatArray:
        """Return the probability that each text is positive.

        Args:
            texts: The word ids of each text.
            batch_size: Windows predicted together; by default what suits the engine.

        Returns:
            float32, shape (texts,), 0 … 1; NaN for a text without words. The same text gets the same
            probability, to 1e-6, whatever the others are.
        """
        starts, ends, owners = cut_windows(texts.offsets, self.window)
        probabilities = np.empty(len(starts))
        # Two batches a thread at least, so that none waits for the longest.
        size = min(batch_size or self.network.batch_size, -(-len(starts) // (2 * self._threads)) or 1)
        batches = batches_by_length(ends - starts, size)

        def predict_batch(batch: np.ndarray[Any, np.dtype[np.int64]]) -> None:
            probabilities[batch] = self.network(pad(texts.ids, starts[batch], ends[batch]))

        with ThreadPoolExecutor(self._threads) as pool:  # one that is kept would hang after a fork
            for _ in pool.map(predict_batch, batches):
                pass
        return combine_windows(probabilities, owners, len(texts))


class OnnxNetwork:
    """A network run by ONNX Runtime on one core; any number of threads may call it at once."""

    batch_size = BATCH_SIZE

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # One core for a call and several calls at once: 7 % faster on two cores than the other way round.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # it keeps a plan for each shape of batch, and memory grows with them
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as exc:  # ONNX Runtime's errors have no common base but this
            raise PresetError(f"{path} can't be loaded by ONNX Runtime: {exc}") from exc

    @classmethod
    def from_preset(cls, folder: Path) -> Self:
        """Return the network stored in a preset's `model.onnx`."""
        return cls(folder / ONNX_FILE)

    def __call__(self, ids: IntArray) -> FloatArray:
        """Return the probabilities, shape (batch,), for right-padded ids, shape (batch, words)."""
        lengths = (ids != PADDING_ID).sum(axis=1, dtype=np.int32)
        (probabilities,) = self._session.run(["probability"], {"ids": ids, "lengths": lengths})
        return np.asarray(probabilities, np.float32)


class KerasNetwork:
    """A network run by Keras on whichever device its backend prefers."""

    batch_size = GPU_BATCH_SIZE

    def __init__(self, model: Any) -> None:
        self.model = model

    @classmethod
    def from_preset(cls, folder: Path) -> Self:
        """Return the network stored in a preset's Keras weights."""
        from textsent.recipes import recipe

        config = read_json(folder / CONFIG_FILE)
        try:
            model = recipe(config["recipe"]).build(config)
        except KeyError as exc:
            raise PresetError(f"{folder / CONFIG_FILE} lacks {exc}") from exc
        try:
            model.load_weights(folder / WEIGHTS_FILE)
        except (OSError, ValueError) as exc:
            raise PresetError(f"{folder / WEIGHTS_FILE} doesn't fit {folder / CONFIG_FILE}: {exc}") from exc
        return cls(model)

    def __call__(self, ids: IntArray) -> FloatArray:
        """Return the probabilities, shape (batch,), for right-padded ids, shape (batch, words).

        The batch is filled up to a shape that has been seen before wherever possible: each new one is compiled.
        """
        texts, width = ids.shape
        rows = self.batch_size if texts > self.batch_size // 2 else 1 << (texts - 1).bit_length()
        columns = -(-width // _GPU_WIDTH_STEP) * _GPU_WIDTH_STEP
        padded = np.full((max(rows, texts), columns), PADDING_ID, np.int32)
        padded[:texts, :width] = ids
        padded[texts:, 0] = ids[0, 0]  # a row of nothing but padding has no mean
        return np.asarray(self.model.predict_on_batch(padded), np.float32)[:texts, 0]


def cut_windows(
    offsets: np.ndarray[Any, np.dtype[np.int64]], window: int
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], ...]:
    """Cut texts into windows of at most `window` words, each text into windows of equal length.

    Args:
        offsets: int64, shape (texts + 1,): text i owns the words from `offsets[i]` to `offsets[i + 1]`.
        window: Words.

    Returns:
        starts, ends, owners: int64, shape (windows,): first word, end, and the text's number. A text without
        words has no window.
    """
    words = np.diff(offsets)
    windows = -(-words // window)
    owners = np.repeat(np.arange(len(words)), windows)
    first_window = np.cumsum(windows) - windows
    number = np.arange(len(owners)) - first_window[owners]  # of the window within its text
    starts = offsets[owners] + words[owners] * number // windows[owners]
    ends = offsets[owners] + words[owners] * (number + 1) // windows[owners]
    return starts, ends, owners


def batches_by_length(
    lengths: np.ndarray[Any, np.dtype[np.int64]], size: int
) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    """Yield the numbers of the windows in batches of like length, the longest first."""
    order = np.argsort(-lengths, kind="stable")
    for start in range(0, len(order), size):
        yield order[start : start + size]


def pad(
    ids: IntArray,
    starts: np.ndarray[Any, np.dtype[np.int64]],
    ends: np.ndarray[Any, np.dtype[np.int64]],
    width: int | None = None,
) -> IntArray:
    """Return windows of `ids` as the rows of a matrix, right-padded: int32, shape (windows, width).

    Without a width the longest window's length is taken.
    """
    places = starts[:, None] + np.arange(width or (ends - starts).max())
    inside = places < ends[:, None]
    return np.where(inside, ids[np.where(inside, places, 0)], np.int32(PADDING_ID))


def combine_windows(
    probabilities: np.ndarray[Any, np.dtype[np.float64]],
    owners: np.ndarray[Any, np.dtype[np.int64]],
    texts: int,
) -> FloatArray:
    """Return each text's probability, the mean of its windows' log-odds: float32, shape (texts,).

    A text without windows gets NaN.
    """
    inner = np.clip(probabilities, 1e-7, 1 - 1e-7)
    log_odds = np.bincount(owners, np.log(inner) - np.log1p(-inner), texts)
    windows = np.bincount(owners, minlength=texts)
    with np.errstate(invalid="ignore"):
        return (1 / (1 + np.exp(-log_odds / windows))).astype(np.float32)


def import_keras() -> Any:
    """Return the module `keras`, imported without what TensorFlow's libraries print of the machine they are on.

    They print past Python and past TF_CPP_MIN_LOG_LEVEL. When the import fails, what they said is shown.
    """
    import tempfile

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryFile() as said:
        stderr = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            import keras

            keras_sees_gpu()  # which makes the backend look at the machine
        except BaseException:
            said.seek(0)
            os.write(stderr, said.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
    return keras


def keras_sees_gpu() -> bool:
    """Return whether the backend of Keras has a GPU. Imports Keras, which takes seconds."""
    import keras

    match keras.config.backend():
        case "tensorflow":
            import tensorflow

            return bool(tensorflow.config.list_physical_devices("GPU"))
        case "jax":
            import jax

            return any(device.platform == "gpu" for device in jax.devices())
        case "torch":
            import torch

            return bool(torch.cuda.is_available())
    return False


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _may_have_gpu() -> bool:
    """Return whether a look at the machine, which costs nothing, finds a driver for NVIDIA's or AMD's GPUs."""
    return any(Path(path).exists() for path in ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd"))
