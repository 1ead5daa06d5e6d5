"""Prediction on a CPU: textsent against Keras's own `predict` on fixed padding, same weights, same texts.

python -m benchmarks.predict [--data reviews.parquet] [--texts 2000] [--rounds 3]
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

KERAS_BATCH_SIZES = (32, 128)
"""What `predict` takes by default, and what it is fastest with on two cores."""


def main() -> None:
    """Print texts/s of both, their ratio pair by pair, and how far their probabilities lie apart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="texts to predict, with a column text; made ones by default")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="imdb-lstm")
    options = parser.parse_args()

    from benchmarks.generate import texts as made_texts
    from textsent.model import KerasNetwork, SentimentModel, cut_windows, import_keras, pad
    from textsent.preprocess import Preprocessor
    from textsent.presets import find_preset
    from textsent.readers import open_reader

    if options.data:
        with open_reader(options.data) as reader:
            texts = [text for batch in reader for text in batch.column("text").to_pylist()]
        texts = np.random.default_rng(0).permutation(np.array(texts, object))[: options.texts].tolist()
    else:
        texts = list(islice(made_texts(), options.texts))
    folder = find_preset(options.model)
    ids = Preprocessor.from_preset(folder)(texts)
    model = SentimentModel.from_preset(folder, device="cpu")
    import_keras()
    network = KerasNetwork.from_preset(folder)
    starts, ends, owners = cut_windows(ids.offsets, model.window)
    padded = pad(ids.ids, starts, ends, model.window)
    print(
        f"{len(texts):,} texts of {ids.words.mean():.0f} words on average, "
        f"{len(padded):,} windows of {model.window} words at most"
    )

    def by_keras(batch_size: int) -> np.ndarray[Any, Any]:
        return network.model.predict(padded, batch_size=batch_size, verbose=0)[:, 0]

    model.predict(ids)
    for batch_size in KERAS_BATCH_SIZES:
        network.model.predict(padded[:batch_size], batch_size=batch_size, verbose=0)  # traced, not timed
    ratios: dict[int, list[float]] = {batch_size: [] for batch_size in KERAS_BATCH_SIZES}
    for _ in range(options.rounds):
        for batch_size in KERAS_BATCH_SIZES:
            ours = _rate(lambda: model.predict(ids), len(texts))
            theirs = _rate(partial(by_keras, batch_size), len(texts))
            ratios[batch_size].append(ours / theirs)
            print(
                f"ONNX Runtime {ours:,.0f} texts/s, Keras predict padded to {model.window}, "
                f"batches of {batch_size}, {theirs:,.0f} texts/s: ratio {ours / theirs:.2f}"
            )
    for batch_size, of_batch_size in ratios.items():
        default = " (its default)" if batch_size == KERAS_BATCH_SIZES[0] else ""
        print(f"median ratio to Keras in batches of {batch_size}{default}: {np.median(of_batch_size):.2f}")
    of_whole_texts = np.diff(ids.offsets)[owners] <= model.window
    by_text = model.predict(ids)[owners[of_whole_texts]]
    difference = np.abs(by_text - by_keras(128)[of_whole_texts]).max()
    print(f"largest difference of a probability: {difference:.1e}")


def _rate(predict: Callable[[], Any], texts: int) -> float:
    started = time.perf_counter()
    predict()
    return texts / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
