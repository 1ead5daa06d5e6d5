"""Peak memory of scoring a small and a large file, made for the purpose: it must not grow with the file.

A filler makes rows longer without more words to score, which keeps the run short; every byte is read and written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.generate import WRITERS
from benchmarks.measure import Figure, run_score

FILLER = 4000  # letters of a last word that no model knows


def figures(megabytes: Sequence[int], kinds: Sequence[str]) -> Iterator[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            peaks = []
            for size in megabytes:
                path = Path(folder, f"made.{kind}")
                WRITERS[kind](path, size * 10**6, FILLER)
                done = run_score(path, folder)
                peaks.append(done.peak)
                what = f"{kind} of {size:,} MB, {done.seconds:,.0f} s"
                yield Figure("memory", f"{what}: the process that scores", done.peak, "MB", reach=-700)
                yield Figure("memory", f"{what}: with those that read for it", done.peak_of_all, "MB")
                path.unlink()
            yield Figure(
                "memory", f"{kind}: peak of the largest file against the smallest", peaks[-1] / peaks[0], "times",
                reach=-1.05,
            )  # fmt: skip
