"""What of a text a network reads: its words as windows of ids, batches of like length, padding.

Training and scoring lay texts out by the same `Layout`, which is stored in a preset's `config.json`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np

from textsent import odds
from textsent.errors import OptionError
from textsent.preprocess import OUT_OF_VOCABULARY_ID, PADDING_ID, START_ID, WordIds

IntArray = np.ndarray[Any, np.dtype[np.int32]]
LongArray = np.ndarray[Any, np.dtype[np.int64]]
FloatArray = np.ndarray[Any, np.dtype[np.float32]]

MAX_WINDOW = (1 << 31) - 1

MAX_FULL_WIDTH = 1 << 16
"""Words of a row that is always filled up: a preset from elsewhere must not take all of the memory."""

_CHOICES = {
    "long_texts": ("windows", "first", "last"),
    "unknown": ("mark", "drop"),
    "padding": ("after", "before"),
}


class Windows(NamedTuple):
    """Runs of word ids that a network reads at once.

    Attributes:
        ids: int32, shape (words of all texts,).
        starts: int64, shape (windows,): where each window begins in `ids`.
        ends: int64, shape (windows,): where it ends.
        owners: int64, shape (windows,): the number of its text.
    """

    ids: IntArray
    starts: LongArray
    ends: LongArray
    owners: LongArray


@dataclass(frozen=True)
class Layout:
    """How the words of a text become the rows that a network reads.

    Attributes:
        window: Words that are read at once.
        long_texts: What is read of a text that is longer: `windows`, all of it in windows of equal length, whose
            log-odds are averaged; `first` or `last`, so many of its words.
        start: Whether START_ID stands before a text, as one of its words.
        unknown: What becomes of a word outside the vocabulary: `mark` makes it OUT_OF_VOCABULARY_ID, `drop` leaves
            it out.
        padding: Where the zeros stand in a row that a window doesn't fill: `after` or `before` it.
        full_width: Whether every row is as wide as the window may be. A network that doesn't mask the zeros, or
            whose weights belong to places in the row, needs it.
    """

    window: int = 400
    long_texts: str = "windows"
    start: bool = False
    unknown: str = "mark"
    padding: str = "after"
    full_width: bool = False

    def __post_init__(self) -> None:
        if type(self.window) is not int or self.window < 1:  # True is an int too
            raise OptionError(f"the window must be a number of words, 1 or more. Received: {self.window!r}")
        if self.window > MAX_WINDOW:
            raise OptionError(f"the window must be {MAX_WINDOW:,} words at most. Received: {self.window}")
        if self.full_width and self.window > MAX_FULL_WIDTH:
            raise OptionError(
                f"with full_width the window must be {MAX_FULL_WIDTH} at most. Received: {self.window}"
            )
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise OptionError(f"{name} must be one of {', '.join(choices)}. Received: {getattr(self, name)!r}")
        for name in ("start", "full_width"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(f"{name} must be true or false. Received: {getattr(self, name)!r}")
        if self.padding == "before" and not self.full_width:
            raise OptionError("padding before a text needs full_width")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the layout that the keys of a configuration describe; one that is missing has its default.

        Raises:
            OptionError: The window is missing, or a value makes no sense.
        """
        known = {field.name: config[field.name] for field in fields(cls) if field.name in config}
        return cls(**{"window": None, **known})

    def cut(self, texts: WordIds) -> Windows:
        """Return the windows of texts. A text of which no word is left has none."""
        texts = self._arranged(texts)
        if self.long_texts == "windows":
            return Windows(texts.ids, *cut_windows(texts.offsets, self.window))
        owners = np.flatnonzero(texts.words)
        starts, ends = texts.offsets[owners], texts.offsets[owners + 1]
        if self.long_texts == "first":
            ends = np.minimum(ends, starts + self.window)
        else:
            starts = np.maximum(starts, ends - self.window)
        return Windows(texts.ids, starts, ends, owners)

    def read_range(self, ids: IntArray) -> tuple[int, int]:
        """Return from which to which of a text's words, int32, shape (words,), the network reads."""
        kept = np.flatnonzero(ids != OUT_OF_VOCABULARY_ID) if self.unknown == "drop" else np.arange(len(ids))
        if self.long_texts == "windows" or len(kept) + self.start <= self.window:
            return 0, len(ids)
        if self.long_texts == "last":
            return int(kept[-min(self.window, len(kept))]), len(ids)
        return 0, int(kept[self.window - self.start - 1]) + 1 if self.window > self.start else 0

    def widths(self, lengths: LongArray, step: int) -> LongArray:
        """Return the widths of rows for windows of these lengths: multiples of `step`, or all one width."""
        return np.full_like(lengths, self.window) if self.full_width else rounded_up(lengths, step)

    def pad(self, ids: IntArray, starts: LongArray, ends: LongArray, width: int | None = None) -> IntArray:
        """Return windows of `ids` as the rows of a matrix: int32, shape (windows, width).

        Without a width, rows are as wide as the longest window, or as `window` with `full_width`.
        """
        longest = self.window if self.full_width else int((ends - starts).max())
        return pad(ids, starts, ends, width or longest, self.padding)

    def _arranged(self, texts: WordIds) -> WordIds:
        ids, offsets = texts.ids, texts.offsets
        if self.unknown == "drop":
            kept = ids != OUT_OF_VOCABULARY_ID
            ids, offsets = ids[kept], np.concatenate([[0], np.cumsum(kept)])[offsets]
        if self.start:
            begun = np.diff(offsets) > 0
            ids = np.insert(ids, offsets[:-1][begun], np.int32(START_ID))
            offsets = offsets + np.concatenate([[0], np.cumsum(begun)])
        return WordIds(ids, offsets)


def cut_windows(offsets: LongArray, window: int) -> tuple[LongArray, ...]:
    """Cut texts into windows of at most `window` words, each text into windows of equal length.

    Args:
        offsets: int64, shape (texts + 1,): text i owns the words from `offsets[i]` to `offsets[i + 1]`.
        window: Words.

    Returns:
        starts, ends, owners: int64, shape (windows,): first word, end, and the text's number. A text without
        words has no window.
    """
    words = np.diff(offsets)
    windows = -(-words // window)
    owners = np.repeat(np.arange(len(words)), windows)
    first_window = np.cumsum(windows) - windows
    number = np.arange(len(owners)) - first_window[owners]  # of the window within its text
    starts = offsets[owners] + words[owners] * number // windows[owners]
    ends = offsets[owners] + words[owners] * (number + 1) // windows[owners]
    return starts, ends, owners


def batches_by_words(lengths: LongArray, words: int, windows: int) -> Iterator[LongArray]:
    """Yield the numbers of the windows in batches of like length, the longest first.

    Args:
        lengths: Words of each window.
        words: What a batch may hold, counting each window as long as its longest; but one window it holds always.
        windows: How many windows it may hold.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        end = start + min(windows, max(1, words // int(lengths[order[start]])))
        yield order[start:end]
        start = end


def rounded_up(lengths: LongArray, step: int) -> LongArray:
    """Return the least multiples of `step` that are no less than the lengths."""
    return -(-lengths // step) * step


def pad(
    ids: IntArray,
    starts: LongArray,
    ends: LongArray,
    width: int | None = None,
    padding: str = "after",
) -> IntArray:
    """Return windows of `ids` as the rows of a matrix, padded: int32, shape (windows, width).

    Without a width the longest window's length is taken.
    """
    places = np.arange(width or (ends - starts).max())
    if padding == "after":
        places = starts[:, None] + places
        inside = places < ends[:, None]
    else:
        places = ends[:, None] - len(places) + places
        inside = places >= starts[:, None]
    return np.where(inside, ids[np.where(inside, places, 0)], np.int32(PADDING_ID))


def combine_windows(
    probabilities: np.ndarray[Any, np.dtype[np.float64]],
    owners: LongArray,
    texts: int,
    temperature: float = 1.0,
    bias: float = 0.0,
    opinion: tuple[np.ndarray[Any, np.dtype[np.float64]], ...] | None = None,
) -> FloatArray:
    """Return each text's probability: float32, shape (texts,).

    It is the mean of its windows' log-odds, divided by the temperature and added to the bias, as a probability. A
    text without windows gets NaN.

    Args:
        probabilities: float64, shape (windows,), 0 … 1.
        owners: int64, shape (windows,): the number of each window's text.
        texts: How many there are.
        temperature: Above 0.
        bias: Log-odds.
        opinion: Other log-odds of the texts, and their shares, 0 … 1, in the mean with those of the windows:
            float64, shape (texts,).
    """
    with np.errstate(invalid="ignore"):
        mean = np.bincount(owners, odds.log_odds(probabilities), texts) / np.bincount(owners, minlength=texts)
        if opinion is not None:
            others, shares = opinion
            mean += shares * (others - mean)
        return odds.probabilities(mean / temperature + bias).astype(np.float32)
