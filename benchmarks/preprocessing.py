"""Text to word ids, against the few lines of Python that anyone would write, on one core and on two."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from benchmarks.measure import Figure, ratio
from benchmarks.texts import MODEL, Texts


def figures(texts: Texts, rounds: int) -> Iterator[Figure]:
    """Measure."""
    from textsent.preprocess import FILTERS, FIRST_WORD_ID, OUT_OF_VOCABULARY_ID, Preprocessor
    from textsent.presets import find_preset

    preprocessor = Preprocessor.from_preset(find_preset(MODEL))
    array = pa.array(texts.texts)
    half = len(array) // 2
    table = str.maketrans(FILTERS, " " * len(FILTERS))
    ids = {word: number for number, word in enumerate(preprocessor.vocabulary, FIRST_WORD_ID)}

    def by_python() -> list[list[int]]:
        return [
            [ids.get(word, OUT_OF_VOCABULARY_ID) for word in text.lower().translate(table).split()]
            for text in texts.texts
        ]

    times, ours, _ = ratio(5 * rounds, lambda: preprocessor(array), by_python)
    yield Figure("preprocessing", "texts/s, one core", len(array) / ours, "texts/s")
    yield Figure("preprocessing", "against str.lower().translate().split() and a dict", times, "times", reach=3.5)
    with ThreadPoolExecutor(2) as pool:
        times, _, _ = ratio(
            5 * rounds, lambda: list(pool.map(preprocessor, [array.slice(0, half), array.slice(half)])), by_python
        )
    yield Figure("preprocessing", "the same, our texts in two threads", times, "times", reach=6)
