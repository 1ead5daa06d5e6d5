"""Files scored from beginning to end, against prediction alone on the same texts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.generate import WRITERS
from benchmarks.measure import Figure, ratio
from benchmarks.texts import MODEL
from textsent.model import SentimentModel
from textsent.pipeline import pool_of
from textsent.preprocess import WordIds

MEGABYTES = 100
REACH = {"csv": 0.9, "parquet": 0.9, "mbox": 0.85}


def figures(rounds: int) -> Iterator[Figure]:
    """Measure."""
    import pyarrow as pa

    from textsent.files import score_file
    from textsent.readers import open_reader
    from textsent.score import WINDOW_ROWS, load

    scorer = load(MODEL, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "scored.parquet")
        for kind, reach in REACH.items():
            path = Path(folder, f"made.{kind}")
            WRITERS[kind](path, MEGABYTES * 10**6)
            with open_reader(path) as reader:
                texts = pa.concat_arrays([batch.column("text") for batch in reader])
            windows = [texts.slice(start, WINDOW_ROWS) for start in range(0, len(texts), WINDOW_ROWS)]
            ids = [scorer.preprocessor(window) for window in windows]
            share, whole, alone = ratio(
                rounds,
                lambda path=path: score_file(path, output, scorer, overwrite=True),
                lambda ids=ids: _predict(scorer.model, ids),
            )
            yield Figure("end to end", f"{kind} to Parquet", len(texts) / whole, "texts/s")
            yield Figure(
                "end to end", f"prediction alone on the texts of the {kind}", len(texts) / alone, "texts/s"
            )
            yield Figure("end to end", f"{kind} to Parquet against prediction alone", share, "times", reach=reach)
            path.unlink()


def _predict(model: SentimentModel, windows: list[WordIds]) -> None:
    """Predict all windows, none of them waiting for the one before."""
    with pool_of(model.threads) as pool:
        for finish in [model.begin(ids, pool) for ids in windows]:
            finish()
