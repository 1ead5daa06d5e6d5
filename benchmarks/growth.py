"""How cost grows: with the file, from 1 MB on, and with the text, from 10 words to 10,000."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.generate import WRITERS
from benchmarks.measure import Figure, run_score, seconds
from benchmarks.texts import MODEL

WORDS = (10, 30, 100, 300, 1000, 3000, 10_000)
WORDS_IN_ALL = 1_000_000


def figures(megabytes: Sequence[int], kinds: Sequence[str]) -> Iterator[Figure]:
    """Measure."""
    from textsent.score import load

    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            for size in megabytes:
                path = Path(folder, f"made.{kind}")
                WRITERS[kind](path, size * 10**6)
                elapsed = run_score(path, folder).seconds
                yield Figure(
                    "growth", f"{kind} of {size:,} MB, {elapsed:,.1f} s", size / elapsed, "MB/s",
                    series=(kind, size, elapsed),
                )  # fmt: skip
                path.unlink()
    scorer = load(MODEL, device="cpu")
    vocabulary = np.array(scorer.preprocessor.vocabulary)
    random = np.random.default_rng(0)
    for words in WORDS:
        drawn = vocabulary[(len(vocabulary) ** random.random((WORDS_IN_ALL // words, words))).astype(int) - 1]
        texts = [" ".join(of_text) for of_text in drawn]
        elapsed = min(seconds(lambda texts=texts: scorer.score(texts)) for _ in range(2))
        yield Figure(
            "growth", f"texts of {words:,} words", drawn.size / elapsed / 1e6, "M words/s",
            series=("words", words, elapsed / len(texts) * 1000),
        )  # fmt: skip
