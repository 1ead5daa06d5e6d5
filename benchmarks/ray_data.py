"""Ray Data against the local pipeline: the rate of rows once both are at work, and what the driver holds.

Neither is measured before its first rows have come: a cluster takes seconds to begin, and so does a worker.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.generate import texts
from benchmarks.measure import Figure, run
from benchmarks.texts import MODEL

PIECES = 40
"""The last of them leaves a core idle, for a fortieth of the time at most."""

GROUP_ROWS = 500
BATCH_ROWS = 5000


def figures(rows: int, rounds: int) -> Iterator[Figure]:
    """Measure."""
    import ray

    from textsent.cores import usable_cores
    from textsent.distributed.ray import ray_engine
    from textsent.files import score_file
    from textsent.pieces import job_for, score_folder
    from textsent.score import load

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made.parquet")
        _write(path, rows)
        piece_bytes = max(1, path.stat().st_size // PIECES)
        scorer = load(MODEL, device="cpu")
        ray.init("local", num_cpus=usable_cores(), include_dashboard=False, log_to_driver=False)
        try:
            ratios, locally, on_ray = [], [], []
            for number in range(rounds):
                watch = _Watch()
                score_file(path, Path(folder, f"{number}.parquet"), scorer, on_batch=watch.after_batch)
                locally.append(watch.rate)
                watch = _Watch()
                job = job_for(MODEL, {}, f"{folder}/{number}")
                score_folder(path, job, engine=ray_engine(), piece_bytes=piece_bytes, on_part=watch)
                on_ray.append(watch.rate)
                ratios.append(locally[-1] / on_ray[-1])
        finally:
            ray.shutdown()
        yield Figure("ray", f"the local pipeline, {rows:,} texts", median(locally), "texts/s")
        yield Figure("ray", f"Ray Data on as many cores, {rows:,} texts", median(on_ray), "texts/s")
        yield Figure(
            "ray", "time of Ray Data against the local pipeline, start-up apart", median(ratios), "times", -1.3
        )
        peaks = []
        for number, size in enumerate((rows // 10, rows)):
            _write(path, size)
            output = f"{folder}/driver{number}/"
            megabytes = str(max(1, path.stat().st_size // PIECES >> 20))
            done = run(
                sys.executable,
                "-m",
                "textsent",
                "score",
                path,
                "-o",
                output,
                "--engine",
                "ray",
                "--piece-mb",
                megabytes,
                "--quiet",
            )
            peaks.append(done.peak)
            yield Figure("ray", f"peak of the driver, {size:,} texts", done.peak, "MB")
        yield Figure("ray", "peak of the driver, ten times the texts", peaks[1] / peaks[0], "times", -1.05)


class _Watch:
    """Takes summaries, and tells the rate of the rows that came after the first of them."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None
        self._last = (0.0, 0)

    def __call__(self, summary: Any) -> None:
        self._last = time.perf_counter(), summary.rows
        self._first = self._first or self._last

    def after_batch(self, _: Any, summary: Any) -> None:
        self(summary)

    @property
    def rate(self) -> float:
        """Rows a second."""
        assert self._first is not None
        return (self._last[1] - self._first[1]) / (self._last[0] - self._first[0])


def _write(path: Path, rows: int) -> None:
    """Write texts in small row groups, at which a file can be cut."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = texts()
    schema = pa.schema({"text": pa.string()})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, BATCH_ROWS):
            some = [next(made) for _ in range(min(BATCH_ROWS, rows - start))]
            writer.write_table(pa.table({"text": some}, schema=schema), row_group_size=GROUP_ROWS)
