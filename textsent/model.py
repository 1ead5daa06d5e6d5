"""A preset's network: word ids in, the probability that the text is positive out.

On a CPU the network runs in ONNX Runtime, and neither Keras nor its backend is imported; on a GPU Keras runs it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, Self

import numpy as np

from textsent._accessor import show_pandas
from textsent.cores import gpu_drivers, usable_cores
from textsent.errors import DeviceError, OptionError, PresetError
from textsent.graphs import Shapes, UnusualGraphError, shapes_of
from textsent.ngrams import NgramTable
from textsent.pipeline import pool_of
from textsent.preprocess import FIRST_WORD_ID, WordIds
from textsent.presets import (
    CONFIG_FILE,
    GET_ANEW,
    GRAPHS,
    IDS_KEY,
    NGRAMS,
    NO_CALIBRATION,
    NO_GRAPH,
    ONNX_FILE,
    PROJECTED,
    PROJECTION_FILE,
    RECURRENT_KERNELS,
    WEIGHTS_FILE,
    Calibration,
    check_preset,
    is_outside,
    read_json,
)
from textsent.windows import FloatArray, IntArray, Layout, LongArray, batches_by_words, combine_windows

DEVICES = ("auto", "cpu", "gpu")
PRECISIONS = {"float32": DEVICES, "int8": ("auto", "cpu"), "float16": ("gpu",)}
"""What a network may compute in, and on which devices."""

BATCH_WORDS = 1 << 16
BATCH_WINDOWS = 256
"""Words, and windows, predicted together on a CPU at most. With fewer than 128 windows an LSTM's step is over too
soon for what it costs to begin one; with more than 256 its matrices leave the processor's cache."""

GPU_BATCH_WORDS = 1 << 18
GPU_BATCH_WINDOWS = 4096

_SMALL_BATCH_WORDS = 1 << 12
_BATCHES = 16
"""The cut into batches depends on the texts alone, not on the cores, and so do the last bits of a score."""


class Network(Protocol):
    """A network on an engine.

    Attributes:
        batch_words: Words of the windows that are predicted together, at most.
        batch_windows: Their number, at most.
        batches: How many there should be, so that all cores have work, as long as each holds some words.
        width_step: Words; a batch is padded to a multiple of it.
    """

    batch_words: int
    batch_windows: int
    batches: int
    width_step: int

    def reading(self, ids: IntArray) -> Callable[[LongArray, LongArray], FloatArray]:
        """Return a function that predicts windows of a run of word ids; several threads may call it.

        Its arguments are where the windows start and end, int64, shape (batch,), none of them empty; it returns
        their probabilities, shape (batch,).
        """


class SentimentModel:
    """Predicts the probability that a text is positive.

    Attributes:
        network: The network on its engine.
        layout: What of a text the network reads. Where that is several windows, the mean of their log-odds counts.
        threads: How many batches are predicted at once.
        calibration: What becomes of that mean, or of the mean of it and the n-grams' opinion.
        ngrams: What has that opinion; None where the network's stands alone.
    """

    def __init__(
        self,
        network: Network,
        layout: Layout,
        threads: int = 1,
        calibration: Calibration = NO_CALIBRATION,
        ngrams: NgramTable | None = None,
    ) -> None:
        self.network = network
        self.layout = layout
        self.threads = threads
        self.calibration = calibration
        self.ngrams = ngrams

    @classmethod
    def from_preset(
        cls,
        folder: Path,
        device: str = "auto",
        precision: str = "float32",
        threads: int | None = None,
        trust_recipe: bool = False,
    ) -> Self:
        """Return the model stored in a preset's folder.

        Args:
            folder: The preset.
            device: `cpu`, `gpu`, or `auto`: a GPU where there is one.
            precision: `float32`; `int8`: faster on a CPU, scores change by hundredths at most; `float16`: faster on
                a GPU, with sums in float32 (Keras's `mixed_float16`), scores change by less than a thousandth.
            threads: How many batches a CPU predicts at once; by default as many as it has cores for this process.
            trust_recipe: Where Keras is to run a recipe from outside textsent, import its code.

        Raises:
            PresetError: A file is missing or unusable.
            DeviceError: `gpu` was asked for and there is none.
            OptionError: There is no such device or precision, or not both together.
        """
        if precision not in PRECISIONS:
            raise OptionError(f"there is no precision {precision!r}: choose one of {', '.join(PRECISIONS)}")
        if device not in DEVICES:
            raise OptionError(f"there is no device {device!r}: choose one of {', '.join(DEVICES)}")
        if device not in PRECISIONS[precision]:
            raise OptionError(f"{precision} needs --device {PRECISIONS[precision][-1]}. Received: {device}")
        check_preset(folder)
        config = read_json(folder / CONFIG_FILE)
        try:
            layout = Layout.from_config(config)
        except OptionError as exc:
            raise PresetError(f"{folder / CONFIG_FILE}: {exc}") from exc
        calibration = Calibration.from_preset(folder)
        ngrams = NgramTable.from_preset(folder) if config.get(NGRAMS) else None
        graph = config.get("graph", PROJECTED)
        may_import = trust_recipe or not is_outside(config.get("recipe", ""))
        if device == "gpu" or (device == "auto" and precision == "float32" and may_import and _may_have_gpu()):
            import_keras()
            if keras_sees_gpu():
                _share_gpu_memory()
                policy = "mixed_float16" if precision == "float16" else "float32"
                network = KerasNetwork.from_preset(folder, policy, trust_recipe)
                return cls(network, layout, 2, calibration, ngrams)  # one thread pads while the other predicts
            if device == "gpu":
                raise DeviceError(
                    "Keras sees no GPU: use --device cpu, or install a backend with GPU support "
                    "(for TensorFlow: pip install 'tensorflow[and-cuda]')"
                )
        if precision == "int8" and graph != PROJECTED:
            raise OptionError(f"the model {folder.name} has no 8-bit form: leave --precision out")
        if graph == NO_GRAPH:
            import_keras()
            return cls(KerasOnCpu.from_preset(folder, trust_recipe=trust_recipe), layout, 2, calibration, ngrams)
        on_cpu: OnnxNetwork | WholeOnnxNetwork
        if graph == PROJECTED:
            on_cpu = OnnxNetwork.from_preset(folder, precision)
        else:
            on_cpu = WholeOnnxNetwork.from_preset(folder, layout)
        if on_cpu.ids - FIRST_WORD_ID != config.get("vocabulary_size"):
            raise PresetError(
                f"{folder / GRAPHS[graph][0]} is made for {on_cpu.ids - FIRST_WORD_ID} words, "
                f"{folder / CONFIG_FILE} for another number: take the preset's files from one place"
            )
        _check_shapes(folder, graph, config)
        return cls(on_cpu, layout, threads or usable_cores(), calibration, ngrams)

    def predict(self, texts: WordIds, batch_size: int | None = None) -> FloatArray:
        """Return the probability that each text is positive.

        Args:
            texts: The word ids of each text.
            batch_size: Windows predicted together at most; by default what suits the engine.

        Returns:
            float32, shape (texts,), 0 … 1; NaN for a text without words. The same text gets the same
            probability, to 1e-6, whatever the others are; to 1e-3 where it is calibrated by a temperature over 1,
            which makes the last bits of a probability near 1 larger.
        """
        with pool_of(self.threads) as pool:
            return self.begin(texts, pool, batch_size)()

    def begin(self, texts: WordIds, pool: Executor, batch_size: int | None = None) -> Callable[[], FloatArray]:
        """Begin to predict in the threads of a pool; return a function that waits for what `predict` returns."""
        opinion = None if self.ngrams is None else pool.submit(self.ngrams.opinion, texts)
        ids, starts, ends, owners = self.layout.cut(texts)
        network = self.network
        read = network.reading(ids)
        widths = self.layout.widths(ends - starts, network.width_step)
        words = min(network.batch_words, max(_SMALL_BATCH_WORDS, int(widths.sum()) // network.batches))
        batches = list(batches_by_words(widths, words, batch_size or network.batch_windows))
        predicted = pool.map(lambda batch: read(starts[batch], ends[batch]), batches)

        def result() -> FloatArray:
            probabilities = np.empty(len(starts))
            for batch, values in zip(batches, predicted, strict=True):
                probabilities[batch] = values
            if np.isnan(probabilities).any():
                raise PresetError(
                    "the model gives scores that are no numbers: its weights are damaged, fetch it again"
                )
            temperature, bias = self.calibration.temperature, self.calibration.bias
            other = None if opinion is None else opinion.result()
            return combine_windows(probabilities, owners, len(texts), temperature, bias, other)

        return result


class OnnxNetwork:
    """A network run by ONNX Runtime, a core for each thread that calls it.

    Attributes:
        ids: The number of word ids that it knows, from 0 on.
    """

    batch_words = BATCH_WORDS
    batch_windows = BATCH_WINDOWS
    batches = _BATCHES
    width_step = 1

    def __init__(self, projection: Path, network: Path, precision: str = "float32") -> None:
        """Load the two graphs that `textsent.export` describes."""
        self._projection = _onnx_session(projection, keeps_memory=False)
        if precision == "int8":
            from textsent.export import quantized

            self._network = _onnx_session(network, quantized)
        else:
            self._network = _onnx_session(network)
        self._all_inputs: FloatArray | None = None
        try:
            inputs, steps, _ = self._network.get_inputs()
            (projected,) = self._projection.get_outputs()
            self._directions: int = steps.shape[1]
            self.ids = int(self._projection.get_modelmeta().custom_metadata_map[IDS_KEY])
            fits = inputs.shape == projected.shape
        except (ValueError, KeyError, IndexError) as exc:
            raise PresetError(f"{projection} and {network} aren't what textsent wrote: {exc}: {GET_ANEW}") from exc
        if not fits:
            raise PresetError(f"{projection} and {network} don't fit: take the preset's files from one place")

    @classmethod
    def from_preset(cls, folder: Path, precision: str = "float32") -> Self:
        """Return the network stored in a preset's `projection.onnx` and `model.onnx`."""
        return cls(folder / PROJECTION_FILE, folder / ONNX_FILE, precision)

    def reading(self, ids: IntArray) -> Callable[[LongArray, LongArray], FloatArray]:
        """Return a function that predicts windows of `ids`; see `Network.reading`.

        What a word adds to the network's gates is computed here: of few texts for each word that occurs, of many
        for the whole vocabulary, once and for all.
        """
        if len(ids) < self.ids:
            words, positions = np.unique(ids, return_inverse=True)
            inputs, places = self._inputs(words), positions.astype(np.int32)
        else:
            places = ids
            if self._all_inputs is None:
                self._all_inputs = self._inputs(np.arange(self.ids, dtype=np.int32))
            inputs = self._all_inputs
        rows = places * np.int32(self._directions)  # of the inputs, for each word of the texts

        def read(starts: LongArray, ends: LongArray) -> FloatArray:
            time = np.arange((ends - starts).max())[:, None]
            steps = [rows[np.minimum(starts + time, ends - 1)]]  # after its end a window's last word is repeated
            if self._directions == 2:
                steps.append(rows[np.maximum(ends - 1 - time, starts)] + np.int32(1))
            feed = {
                "inputs": inputs,
                "steps": np.stack(steps, axis=1),  # (time, directions, batch)
                "lengths": (ends - starts).astype(np.int32),
            }
            return _run(self._network, "probability", feed)

        return read

    def _inputs(self, words: IntArray) -> FloatArray:
        return _run(self._projection, "inputs", {"words": words})


class WholeOnnxNetwork:
    """A network in one ONNX graph that takes padded word ids, run by ONNX Runtime, a core for each thread.

    Attributes:
        ids: The number of word ids that it knows, from 0 on.
    """

    batch_words = BATCH_WORDS
    batch_windows = BATCH_WINDOWS
    batches = _BATCHES
    width_step = 1

    def __init__(self, network: Path, layout: Layout) -> None:
        """Load the graph that `textsent.export.export_chain` describes; `layout` says how its rows are padded."""
        self._network = _onnx_session(network)
        self._layout = layout
        width = layout.window if layout.full_width else None
        try:
            (taken,), (given,) = self._network.get_inputs(), self._network.get_outputs()
            self.ids = int(self._network.get_modelmeta().custom_metadata_map[IDS_KEY])
            columns = taken.shape[1]
            if (taken.name, given.name) != ("ids", "probability"):
                raise ValueError(f"it makes {given.name} of {taken.name}")
        except (IndexError, KeyError, ValueError) as exc:
            raise PresetError(f"{network} isn't what textsent wrote: {exc}: {GET_ANEW}") from exc
        if isinstance(columns, int) and columns != width:
            raise PresetError(
                f"{network} reads {columns} words at once, the layout gives it {width or 'any number'}: "
                "take the preset's files from one place"
            )

    @classmethod
    def from_preset(cls, folder: Path, layout: Layout) -> Self:
        """Return the network stored in a preset's `model.onnx`."""
        return cls(folder / ONNX_FILE, layout)

    def reading(self, ids: IntArray) -> Callable[[LongArray, LongArray], FloatArray]:
        """Return a function that predicts windows of `ids`; see `Network.reading`."""

        def read(starts: LongArray, ends: LongArray) -> FloatArray:
            return _run(self._network, "probability", {"ids": self._layout.pad(ids, starts, ends)})

        return read


def _onnx_session(path: Path, changed: Callable[[Path], bytes] | None = None, keeps_memory: bool = True) -> Any:
    """Return ONNX Runtime's session of a graph, or of what `changed` makes of it.

    A session keeps the memory of its largest run for the next one; not one that has a large run once.

    Raises:
        PresetError: The file is damaged, or holds what textsent doesn't write.
    """
    onnxruntime = import_onnxruntime()
    _shapes_of(path)
    options = onnxruntime.SessionOptions()
    # One core for a call and several calls at once: faster than the other way round.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it keeps a plan for each shape of batch, and memory grows with them
    options.enable_cpu_mem_arena = keeps_memory
    options.log_severity_level = 4  # what is an error is raised too
    try:
        return onnxruntime.InferenceSession(
            changed(path) if changed else path,
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # it is to the same provider, and printed
        )
    except Exception as exc:  # ONNX Runtime's errors have no common base but this
        raise PresetError(f"{path} can't be loaded by ONNX Runtime: {_on_one_line(exc)}: {GET_ANEW}") from exc


def _run(session: Any, output: str, inputs: dict[str, Any]) -> FloatArray:
    try:
        return session.run([output], inputs)[0]
    except Exception as exc:  # as of loading
        if "bad_alloc" in str(exc):
            raise MemoryError from exc
        raise PresetError(
            f"the model's graph can't be run by ONNX Runtime: {_on_one_line(exc)}: {GET_ANEW}"
        ) from exc


def _on_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _shapes_of(path: Path) -> Shapes:
    try:
        return shapes_of(path)
    except (UnusualGraphError, OSError) as exc:
        raise PresetError(f"{path} can't be loaded by ONNX Runtime: {exc}: {GET_ANEW}") from exc


def _check_shapes(folder: Path, graph: str, config: dict[str, Any]) -> None:
    """Check that the matrices in a preset's graphs have the shapes that its configuration tells of.

    Raises:
        PresetError: One hasn't.
    """
    shapes: Shapes = {}
    for name in GRAPHS[graph]:
        shapes |= _shapes_of(folder / name)
    rows = config["vocabulary_size"] + FIRST_WORD_ID
    if graph == PROJECTED:
        try:
            (words, size), (inputs, gates) = shapes["table"], shapes["kernels"]
            directions, units, recurrent_gates = shapes[RECURRENT_KERNELS]
        except (KeyError, ValueError) as exc:
            raise PresetError(
                f"{folder / PROJECTION_FILE} and {ONNX_FILE} aren't what textsent wrote: {GET_ANEW}"
            ) from exc
        found = (words, inputs, gates, recurrent_gates, size, units)
        told = (config.get("embedding_size", size), config.get("units", units))
        fits = found == (rows, size, directions * 4 * units, 4 * units, *told)
    else:
        fits = any(len(shape) == 2 and shape[0] == rows for shape in shapes.values())
    if not fits:
        raise PresetError(
            f"the shapes in {folder / GRAPHS[graph][0]} aren't those that {folder / CONFIG_FILE} tells of: "
            "take the preset's files from one place"
        )


_ANY_WIDTH = Layout()


def _check_size(folder: Path, config: dict[str, Any]) -> None:
    """Check that a network isn't larger than its file of weights, before memory is taken for it.

    Raises:
        PresetError: It is, or the recipe isn't known.
    """
    from textsent.recipes import least_weights

    least = least_weights(config)
    size = (folder / WEIGHTS_FILE).stat().st_size
    if least is None or least * _LEAST_WEIGHT_BYTES > size:
        told = "no sizes that make a network" if least is None else f"{least:,} weights"
        raise PresetError(
            f"{folder / WEIGHTS_FILE} doesn't fit {folder / CONFIG_FILE}: that tells of {told}, the file has "
            f"{size:,} bytes: {GET_ANEW}"
        )


_LEAST_WEIGHT_BYTES = 2
"""Half precision; textsent and Keras store weights as they are."""


class KerasNetwork:
    """A network run by Keras on whichever device its backend prefers."""

    batch_words = GPU_BATCH_WORDS
    batch_windows = GPU_BATCH_WINDOWS
    batches = 1
    width_step = 50  # so that few shapes are compiled

    def __init__(self, model: Any, layout: Layout = _ANY_WIDTH) -> None:
        """Take a `keras.Model` as `textsent.recipes` describes them; `layout` says how its rows are padded."""
        self.model = model
        self._layout = layout
        self._device = Lock()

    @classmethod
    def from_preset(cls, folder: Path, policy: str = "float32", trust_recipe: bool = False) -> Self:
        """Return the network stored in a preset's Keras weights.

        Args:
            folder: The preset.
            policy: What Keras's layers compute in, and keep weights in: `float32` or `mixed_float16`. With
                `mixed_bfloat16` scores change by more than 0.003.
            trust_recipe: Import the code of a recipe from outside textsent.

        Raises:
            PresetError: The files don't fit together, or the recipe is from outside and not trusted.
        """
        import keras

        from textsent.recipes import recipe

        config = read_json(folder / CONFIG_FILE)
        if is_outside(config.get("recipe", "")) and not trust_recipe:
            raise PresetError(
                f"the model {folder.name} needs the code of the recipe {config['recipe']!r}, which isn't "
                "textsent's: if you trust it, use --trust-recipe"
            )
        _check_size(folder, config)
        usual = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            model = recipe(config["recipe"]).build(config)
        except KeyError as exc:
            raise PresetError(f"{folder / CONFIG_FILE} lacks {exc}") from exc
        except OptionError as exc:
            raise PresetError(f"{folder / CONFIG_FILE}: {exc}") from exc
        finally:
            keras.config.set_dtype_policy(usual)
        try:
            model.load_weights(folder / WEIGHTS_FILE)
        except (OSError, ValueError, KeyError, MemoryError) as exc:
            raise PresetError(f"{folder / WEIGHTS_FILE} doesn't fit {folder / CONFIG_FILE}: {exc}") from exc
        return cls(model, Layout.from_config(config))

    def reading(self, ids: IntArray) -> Callable[[LongArray, LongArray], FloatArray]:
        """Return a function that predicts windows of `ids`; see `Network.reading`."""

        def read(starts: LongArray, ends: LongArray) -> FloatArray:
            width = int(self._layout.widths(ends - starts, self.width_step).max())
            windows = self._windows(len(starts), width)
            # A batch is filled up with its first window: each new shape is compiled.
            spare = np.zeros(windows - len(starts), np.int64)
            padded = self._layout.pad(ids, np.append(starts, starts[spare]), np.append(ends, ends[spare]), width)
            with self._device:
                predicted = self._predict(padded)
            return np.asarray(predicted, np.float32)[: len(starts), -1]

        return read

    def _predict(self, padded: IntArray) -> Any:
        return self.model.predict_on_batch(padded)

    def _windows(self, windows: int, width: int) -> int:
        """Return how many windows of a width make a batch: as many as it may hold, or else a power of two."""
        most = max(1, min(self.batch_windows, self.batch_words // width))
        return most if most // 2 < windows <= most else 1 << (windows - 1).bit_length()


class KerasOnCpu(KerasNetwork):
    """A network run by Keras on a CPU, in batches that suit one."""

    batch_words = BATCH_WORDS
    batch_windows = BATCH_WINDOWS

    def _predict(self, padded: IntArray) -> Any:
        import keras

        with keras.device("cpu"):
            return super()._predict(padded)


def import_onnxruntime() -> Any:
    """Return the module `onnxruntime`, which then tells nobody of it, unless ORT_DISABLE_TELEMETRY says 0.

    From 1.29 on it writes what it does into a database in the user's cache, and sends that to its makers.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def import_keras() -> Any:
    """Return the module `keras`, imported without what TensorFlow's libraries print of the machine they are on.

    They print past Python and past TF_CPP_MIN_LOG_LEVEL. When the import fails, what they said is shown.
    """
    import tempfile

    show_pandas()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryFile() as said:
        stderr = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            import keras

            keras_sees_gpu()  # which makes the backend look at the machine
            # Keras gives PyTorch an LSTM's weights piece by piece, and PyTorch says so at each of its calls.
            warnings.filterwarnings("ignore", "RNN module weights are not part of single contiguous chunk")
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


def _share_gpu_memory() -> None:
    """Keep TensorFlow from taking all of a GPU's memory at once; the other backends take what they need."""
    import keras

    if keras.config.backend() == "tensorflow":
        import tensorflow

        for gpu in tensorflow.config.list_physical_devices("GPU"):
            with suppress(RuntimeError):  # it is in use already
                tensorflow.config.experimental.set_memory_growth(gpu, True)


def _may_have_gpu() -> bool:
    return bool(gpu_drivers())
