"""The most negative rows of a run, to be read by whoever wants to know what its numbers are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from textsent.schema import before_scoring, is_mail, text_column

COUNT = 3
HELD_CHARACTERS = 1000


class Extreme(NamedTuple):
    """A row that stands out.

    Attributes:
        score: Its score, 0 … 1.
        row: Its number in the run, from 1 on.
        text: A mail's subject, or else the text: HELD_CHARACTERS of it at most.
    """

    score: float
    row: int
    text: str


class MostNegative:
    """The COUNT rows called negative with the lowest scores, of equal texts the first.

    Attributes:
        found: They, the lowest score first.
    """

    def __init__(self, column: str | None = None, prefix: str = "") -> None:
        """Take what the scorer was given: the column of the texts, and the prefix of the added ones."""
        self.found: list[Extreme] = []
        self._column = column
        self._prefix = prefix
        self._rows = 0

    def add(self, scored: pa.RecordBatch) -> None:
        """Look through the next scored batch."""
        scores = scored.column(self._prefix + "score").to_numpy(zero_copy_only=False)
        sentiments = scored.column(self._prefix + "sentiment")
        came_in = before_scoring(scored.schema)
        texts = scored.column(text_column(came_in, self._column))
        subjects = scored.column("subject") if is_mail(came_in) else texts
        for place in np.argsort(scores, kind="stable"):  # NaN stands last
            score = float(scores[place])
            full = len(self.found) == COUNT
            if np.isnan(score) or (full and score >= self.found[-1].score):
                break
            if sentiments[place].as_py() != "negative":
                continue
            text = ((subjects[place].as_py() or "").strip() or texts[place].as_py().strip())[:HELD_CHARACTERS]
            if any(text == extreme.text and score >= extreme.score for extreme in self.found):
                continue
            others = [extreme for extreme in self.found if extreme.text != text]
            self.found = sorted([*others, Extreme(score, self._rows + int(place) + 1, text)])[:COUNT]
        self._rows += scored.num_rows


def place_of(row: int, inputs: Sequence[tuple[str, int]]) -> tuple[str, int]:
    """Return the name of the input that a run's row is in, and its number there, from 1 on.

    Args:
        row: Its number in the run, from 1 on.
        inputs: The names of the inputs and how many rows each has.
    """
    for name, rows in inputs:
        if row <= rows:
            return name, row
        row -= rows
    raise IndexError("there is no such row")
