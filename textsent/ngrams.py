"""Word n-grams beside a network: a second opinion of a text.

A network reads a text as a whole and a linear model counts its n-grams; they err differently, and the mean of
their log-odds is right more often than either (`docs/model.md` has the figures). The n-grams are numbers in a table
that is too small for all of them, so that some share a place: Weinberger et al., "Feature Hashing for Large Scale
Multitask Learning", 2009.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from textsent.errors import PresetError
from textsent.preprocess import WordIds
from textsent.presets import GET_ANEW, NGRAMS_FILE

NGRAMS = 3
"""Single words, pairs and triples are counted."""

LAST_WORDS = 40
"""A text's last words, whose n-grams count by themselves too: reviews come to their verdict there."""

BITS = 20
"""The table has 2**BITS places, 2 MB. With four times as many it was no better beside a network."""

HALF_WORDS, MOST_WORDS = 100, 400
"""The opinion's share in the mean is half of words / (words + HALF_WORDS), up to MOST_WORDS; a longer text's
n-grams count as if it had so many. Those of film reviews say little of short texts: with the same share they gave
one in twenty neutral mails a tone."""

_MIX, _ALL, _LAST = np.uint32(2654435761), np.uint32(2246822519), np.uint32(3266489917)
_SHIFT = np.uint32(15)
"""They spread numbers over 32 bits: odd multipliers, those of Knuth's multiplicative hashing and of xxHash, and a
shift that brings high bits down."""

_Floats = np.ndarray[Any, np.dtype[np.float64]]
_Places = np.ndarray[Any, np.dtype[np.uint32]]
_Flags = np.ndarray[Any, np.dtype[np.bool_]]
_Longs = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class NgramTable:
    """What n-grams say of texts.

    Attributes:
        weights: float16, shape (places,), places a power of 2: what an n-gram of that place adds to log-odds.
        bias: What is added to them in any case.
        scale: By which the sum of the weights is multiplied.
    """

    weights: np.ndarray[Any, np.dtype[np.float16]]
    bias: float
    scale: float = 1.0

    @classmethod
    def from_preset(cls, folder: Path) -> Self:
        """Return the table stored in a preset.

        Raises:
            PresetError: It can't be read.
        """
        path = folder / NGRAMS_FILE
        try:
            _check_sizes(path)
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                table = cls(arrays["weights"], float(arrays["bias"]), float(arrays["scale"]))
        except (*_DAMAGED, zipfile.BadZipFile, zlib.error) as exc:
            raise PresetError(f"{path} can't be read: {exc}: {GET_ANEW}") from exc
        weights = table.weights
        is_power = weights.size > 1 and weights.size & (weights.size - 1) == 0
        if weights.dtype != np.float16 or weights.ndim != 1 or not is_power:
            raise PresetError(
                f"{path} isn't what textsent wrote: it holds {weights.dtype}, {weights.shape}: {GET_ANEW}"
            )
        if not (np.isfinite([table.bias, table.scale]).all() and np.isfinite(table._exact_weights).all()):
            raise PresetError(f"{path} isn't what textsent wrote: it holds values that are no numbers: {GET_ANEW}")
        return table

    def save(self, folder: Path) -> None:
        """Write the table into a preset's folder."""
        np.savez(folder / NGRAMS_FILE, weights=self.weights, bias=self.bias, scale=self.scale)

    @cached_property
    def _exact_weights(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        return self.weights.astype(np.float32)  # which a processor adds up faster

    def opinion(self, texts: WordIds) -> tuple[_Floats, _Floats]:
        """Return each text's log-odds by its n-grams, and their weight beside a network's.

        Returns:
            odds: float64, shape (texts,).
            shares: float64, shape (texts,), 0 … 0.4: with this share they count in a mean.
        """
        weights, sums = self._exact_weights, np.zeros(len(texts))
        for places, is_whole, offsets in ngrams(texts, len(weights).bit_length() - 1):
            added = np.where(is_whole, weights[places], 0)
            sums += np.diff(np.concatenate([[0.0], np.cumsum(added, dtype=np.float64)])[offsets])
        words = np.minimum(texts.words, MOST_WORDS)
        sums *= words / np.maximum(texts.words, 1)
        return self.scale * sums + self.bias, words / (words + HALF_WORDS) / 2

    def calibrated(self, temperature: float, bias: float) -> NgramTable:
        """Return the table whose log-odds are these divided by a temperature, and a bias added."""
        return replace(self, scale=self.scale / temperature, bias=self.bias / temperature + bias)


_DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, OverflowError)
_MOST_BYTES = 1 << 28


def _check_sizes(path: Path) -> None:
    """Check that no array of a file claims more than it holds, or unpacks to too much, before it is read.

    Raises:
        ValueError: One does.
    """
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > _MOST_BYTES:
                raise ValueError(f"it unpacks to {member.file_size:,} bytes, and {_MOST_BYTES:,} at most are read")
            with archive.open(member) as array:
                version = np.lib.format.read_magic(array)
                header = (
                    np.lib.format.read_array_header_1_0
                    if version == (1, 0)
                    else np.lib.format.read_array_header_2_0
                )
                shape, _, dtype = header(array)
            if math.prod(shape) * dtype.itemsize > member.file_size:
                raise ValueError(f"an array of the shape {shape} isn't in it")


def ngrams(texts: WordIds, bits: int) -> Iterator[tuple[_Places, _Flags, _Longs]]:
    """Yield the n-grams of texts, kind by kind: by their length, and of all words or of the last ones.

    Args:
        texts: The word ids of each text.
        bits: The places are numbers below 2**bits, 1 … 32.

    Yields:
        places: uint32, shape (words,): of the n-gram that begins with each word.
        is_whole: bool, shape (words,): whether it ends within its text; otherwise there is none.
        offsets: int64, shape (texts + 1,): text i owns the words from `offsets[i]` to `offsets[i + 1]`.
    """
    ids, ends, down = texts.ids.astype(np.uint32), texts.offsets[1:], np.uint32(32 - bits)
    last_offsets = np.concatenate([[0], np.cumsum(np.minimum(texts.words, LAST_WORDS))])
    last = np.arange(last_offsets[-1]) + np.repeat(ends - last_offsets[1:], np.diff(last_offsets))
    hashed, is_whole = np.zeros(len(ids), np.uint32), np.ones(len(ids), bool)
    for further in range(NGRAMS):
        hashed[: len(ids) - further] ^= ids[further:]
        hashed *= _MIX
        hashed ^= hashed >> _SHIFT
        if further:
            beyond = ends - further
            is_whole[beyond[beyond >= 0]] = False
        yield hashed * _ALL >> down, is_whole, texts.offsets
        yield hashed[last] * _LAST >> down, is_whole[last], last_offsets
