"""Prediction on a CPU: textsent against Keras's own `predict` on fixed padding, same weights, same texts.

python -m benchmarks.predict [--data reviews.parquet] [--texts 2000] [--rounds 3]
"""

import argparse
import os
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def main() -> None:
    """Print texts/s of both, their ratio pair by pair, and how far their probabilities lie apart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="texts to predict, with a column text; made ones by default")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="imdb-lstm")
    options = parser.parse_args()

    from benchmarks.generate import texts as made_texts
    from textsent.model import KerasNetwork, SentimentModel, cut_windows, find_preset, pad
    from textsent.preprocess import Preprocessor
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
    network = KerasNetwork.from_preset(folder)
    starts, ends, _ = cut_windows(ids.offsets, model.window)
    padded = pad(ids.ids, starts, ends, model.window)
    print(
        f"{len(texts):,} texts of {ids.words.mean():.0f} words on average, "
        f"{len(padded):,} windows of {model.window} words at most"
    )

    def by_keras() -> np.ndarray[Any, Any]:
        return network.model.predict(padded, batch_size=128, verbose=0)[:, 0]

    by_keras()  # traced, not timed
    model.predict(ids)
    ratios = []
    for round_number in range(options.rounds):
        ours = _rate(lambda: model.predict(ids), len(texts))
        theirs = _rate(by_keras, len(texts))
        ratios.append(ours / theirs)
        print(
            f"round {round_number + 1}: ONNX Runtime {ours:,.0f} texts/s, "
            f"Keras predict padded to {model.window} {theirs:,.0f} texts/s, ratio {ratios[-1]:.2f}"
        )
    one_window = np.flatnonzero(np.diff(ids.offsets) <= model.window)
    by_text = model.predict(ids)[one_window]
    windows = by_keras()[np.isin(cut_windows(ids.offsets, model.window)[2], one_window)]
    print(f"median ratio {np.median(ratios):.2f}")
    print(f"largest difference of a probability {np.abs(by_text - windows).max():.1e}")


def _rate(predict: Callable[[], Any], texts: int) -> float:
    started = time.perf_counter()
    predict()
    return texts / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
