"""Peak memory of scoring a small and a large file, made for the purpose: it must not grow with the file.

A filler makes rows longer without more words to score, which keeps the run short; every byte is read and written.
What is quoted is the peak of the process that scores; one that reads mail for it takes less.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.generate import WRITERS
from benchmarks.measure import TEXTSENT, Figure, run

FILLER = 4000  # letters of a last word that no model knows


def figures(megabytes: Sequence[int], kinds: Sequence[str]) -> Iterator[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            peaks = []
            for size in megabytes:
                path = Path(folder, f"made.{kind}")
                WRITERS[kind](path, size * 10**6, FILLER)
                elapsed, peak = run(TEXTSENT, "score", path, "-o", Path(folder, "x.parquet"), "--overwrite", "-q")
                peaks.append(peak)
                what = f"{kind} of {size:,} MB, {elapsed:,.0f} s"
                yield Figure("memory", what, peak, "MB", reach=-700, series=(kind, size, peak))
                path.unlink()
            yield Figure(
                "memory", f"{kind}: peak of the largest file against the smallest", peaks[-1] / peaks[0], "times",
                reach=-1.05,
            )  # fmt: skip
