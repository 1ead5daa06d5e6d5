"""What it costs that a run can be gone on with: scoring with and without commits, in turn."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from benchmarks.generate import WRITERS
from benchmarks.measure import Figure, in_turn
from benchmarks.texts import MODEL
from textsent.files import score_file
from textsent.journal import Journal
from textsent.score import load

MEGABYTES = 60
PAIRS = (("csv", "parquet"), ("csv", "csv"), ("mbox", "parquet"), ("mbox", "mbox"))
REACH = 3.0  # per cent


def figures(rounds: int) -> Iterator[Figure]:
    """Measure."""
    scorer = load(MODEL, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        for kind, output_kind in PAIRS:
            source, output = Path(folder, f"made.{kind}"), Path(folder, f"scored.{output_kind}")
            WRITERS[kind](source, MEGABYTES * 10**6)
            used: tuple[list[float], list[float]] = ([], [])

            def scored(seconds: list[float], source: Path = source, output: Path = output) -> None:
                began = time.process_time()
                score_file(source, output, scorer, overwrite=True)
                seconds.append(time.process_time() - began)

            def without(seconds: list[float] = used[1], scored: Callable[[list[float]], None] = scored) -> None:
                with mock.patch.multiple(Journal, write=_nothing, end_window=_nothing):
                    scored(seconds)

            times = in_turn(rounds, partial(scored, used[0]), without)
            for what, pair in (("time", times), ("processor time", used)):
                cost = median(100 * (first / second - 1) for first, second in zip(*pair, strict=True))
                yield Figure(
                    "commits", f"{kind} to {output_kind}: {what} more than without", cost, "%", reach=-REACH
                )
            source.unlink()


def _nothing(journal: Journal, added: Any) -> None:
    pass
