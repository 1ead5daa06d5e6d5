"""Prediction on a GPU: texts a second, how busy it is, and how long it waits for the host.

It needs one, and so isn't part of a run unless `--only gpu` asks for it.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.measure import Figure, seconds
from benchmarks.texts import MODEL, Texts

_REPEATED = 20  # times, so that the GPU has something to do


def figures(texts: Texts, rounds: int) -> Iterator[Figure]:
    """Measure."""
    from textsent.score import load

    many = texts.texts * _REPEATED
    reference = load(MODEL, device="cpu").score(texts.texts)
    for precision in ("float32", "float16"):
        scorer = load(MODEL, device="gpu", precision=precision)
        ids = scorer.preprocessor(many)
        model: Any = scorer.model
        clock = _Clock(model.network.model.predict_on_batch)
        model.network.model.predict_on_batch = clock
        scores = model.predict(ids)  # each shape is compiled
        clock.busy = 0.0
        with _Utilisation() as utilisation:
            elapsed = seconds(lambda m=model, i=ids: [m.predict(i) for _ in range(rounds)])
        what = f"GPU in {precision}"
        yield Figure("gpu", f"{what}, prediction alone", rounds * len(many) / elapsed, "texts/s")
        outside = 100 * (1 - clock.busy / elapsed)
        yield Figure("gpu", f"{what}: time outside Keras's predict_on_batch", outside, "%")
        if utilisation.seen:
            yield Figure("gpu", f"{what}: utilisation by nvidia-smi", float(np.mean(utilisation.seen)), "%")
        largest = float(np.nanmax(np.abs(scores[: len(reference)] - reference)))
        yield Figure("gpu", f"{what}: largest change of a score", largest * 1000, "per mille", reach=-1.0)


class _Clock:
    """Adds up how long calls take."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self.busy = 0.0

    def __call__(self, batch: Any) -> Any:
        started = time.perf_counter()
        result = np.asarray(self._call(batch))  # which waits for the device
        self.busy += time.perf_counter() - started
        return result


class _Utilisation:
    """Asks nvidia-smi, ten times a second, how busy the GPU is."""

    def __init__(self) -> None:
        self.seen: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Utilisation:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        while not self._ended.wait(0.1):
            try:
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            except (OSError, subprocess.CalledProcessError):
                return
            self.seen.append(float(said.split()[0]))
