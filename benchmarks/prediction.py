"""Prediction on a CPU: against Keras's `predict`, as a share of the machine's peak, and in 8-bit integers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measure import Figure, in_turn, ratio
from benchmarks.texts import MODEL, Texts
from textsent.cores import usable_cores

if TYPE_CHECKING:
    from textsent.model import SentimentModel

KERAS_BATCH_SIZES = (32, 128)
"""What `predict` takes by default, and a larger one, which it is faster with."""

_PEAK_SIZE = 2048  # rows and columns of the matrices whose product is the machine's peak


def figures(texts: Texts, rounds: int) -> Iterator[Figure]:
    """Measure."""
    from textsent.model import KerasNetwork, SentimentModel, import_keras
    from textsent.preprocess import Preprocessor
    from textsent.presets import CONFIG_FILE, find_preset, read_json

    folder = find_preset(MODEL)
    ids = Preprocessor.from_preset(folder)(texts.texts)
    model = SentimentModel.from_preset(folder, "cpu")
    matrix = np.random.default_rng(0).random((_PEAK_SIZE, _PEAK_SIZE), np.float32)
    model.predict(ids)
    ours, product = in_turn(3 * rounds, lambda: model.predict(ids), lambda: matrix @ matrix)
    peak = 2 * _PEAK_SIZE**3 / min(product)
    config = read_json(folder / CONFIG_FILE)
    operations = operations_a_word(config) * len(ids.ids)
    yield Figure("prediction", "texts/s, both cores", len(ids) / median(ours), "texts/s")
    yield Figure("prediction", "peak of a matrix product in NumPy", peak / 1e9, "GFLOP/s")
    share = 100 * operations / median(ours) / peak
    yield Figure("prediction", "operations by the model's shape, as a share of that peak", share, "%", reach=85)
    done = config["units"] / (config["units"] + config["embedding_size"])  # the rest is done once a word
    yield Figure("prediction", "operations that are done, as a share of that peak", share * done, "%")

    small = SentimentModel.from_preset(folder, "cpu", "int8")
    small.predict(ids)
    times, _, _ = ratio(2 * rounds, lambda: small.predict(ids), lambda: model.predict(ids))
    exact, rough = model.predict(ids), small.predict(ids)
    scored = ~np.isnan(exact)
    yield Figure("prediction", "--precision int8 against float32", times, "times")
    yield Figure("prediction", "largest change of a score by int8", float(np.abs(exact - rough)[scored].max()), "")
    if texts.labels is not None:
        for name, scores in (("float32", exact), ("int8", rough)):
            accuracy = float(((scores >= 0.5) == texts.labels)[scored].mean())
            yield Figure("prediction", f"accuracy in {name}", accuracy, "accuracy")

    import_keras()
    plain = plain_lstm(config["vocabulary_size"], model.layout.window)
    plain.predict(ids)
    times, _, _ = ratio(2 * rounds, lambda: model.predict(ids), lambda: plain.predict(ids))
    shape = "embedding 64, LSTM of 128 units one way, its last state, on ONNX Runtime"
    yield Figure("prediction", f"against {shape}", times, "times", reach=0.5)

    network = KerasNetwork.from_preset(folder)
    window = model.layout.window
    read, starts, ends, owners = model.layout.cut(ids)
    padded = model.layout.pad(read, starts, ends, window)
    for size in KERAS_BATCH_SIZES:
        network.model.predict(padded[:size], batch_size=size, verbose=0)  # traced, not timed

        def by_keras(size: int = size) -> np.ndarray:
            return network.model.predict(padded, batch_size=size, verbose=0)[:, 0]

        times, _, _ = ratio(rounds, lambda: model.predict(ids), by_keras)
        default = size == KERAS_BATCH_SIZES[0]
        yield Figure(
            "prediction", f"against Keras predict padded to {window} words, batches of {size}"
            + (", its default" if default else ""),
            times, "times", reach=5.5,
        )  # fmt: skip
    whole = np.diff(ids.offsets)[owners] <= window
    uncalibrated = SentimentModel(model.network, model.layout, model.threads).predict(ids)
    difference = np.abs(uncalibrated[owners[whole]] - by_keras()[whole]).max()
    yield Figure("prediction", "largest difference to Keras, in millionths", float(difference) * 1e6, "", reach=-10)


def plain_lstm(vocabulary_size: int, window: int) -> SentimentModel:
    """Return an untrained model of the usual shape, run as our own are: batches of like length, a core for each."""
    from textsent.export import export
    from textsent.model import SentimentModel, WholeOnnxNetwork
    from textsent.recipes import last_state_lstm
    from textsent.windows import Layout

    network = last_state_lstm(
        {
            "vocabulary_size": vocabulary_size,
            "embedding_size": 64,
            "mask_zero": True,
            "units": 128,
            "input_dropout": 0.0,
            "recurrent_dropout": 0.0,
            "dropout": 0.0,
        }
    )
    layout = Layout(window)
    with TemporaryDirectory() as folder:
        export(network, Path(folder))
        return SentimentModel(WholeOnnxNetwork.from_preset(Path(folder), layout), layout, usable_cores())


def operations_a_word(config: dict) -> int:
    """Return the floating-point operations of an LSTM for a word, by its shape: multiplications and additions."""
    directions = 2 if config["bidirectional"] else 1
    return directions * 2 * (config["embedding_size"] + config["units"]) * 4 * config["units"]
