"""Text to word ids, the Keras way, on Arrow kernels; and the vocabulary.

A text is lower-cased, each character of FILTERS becomes a space, the rest is split at white space, and each
word becomes the rank of its frequency in the texts that the vocabulary was fitted on. This gives the ids of
Keras's `text_to_word_sequence` and `Tokenizer`, with two exceptions, both on by default and both stored with
the preset: `<br>` tags count as white space, and every white space separates words, not only the space (Keras
leaves a carriage return or a no-break space inside a word).

Lower-casing follows Python's `str.lower`. Arrow's kernel maps one code point to one, so texts with one of the
two letters where this shows (the capital sigma, whose lower case depends on its place in the word, and the
dotted capital I, whose lower case is two code points) go through Python. For letters that are newer than
Python's Unicode tables the kernel's table decides: ids don't depend on the version of Python.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.errors import InputError, PresetError
from textsent.schema import is_text

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""Characters that separate words: the default of Keras's `Tokenizer`. The apostrophe isn't one of them."""

PADDING_ID = 0
OUT_OF_VOCABULARY_ID = 2
FIRST_WORD_ID = 4
"""Ids as in `keras.datasets.imdb`: 0 padding, 1 start, 2 out of vocabulary, 3 unused, then the words."""

SETTINGS_FILE = "preprocessor.json"
VOCABULARY_FILE = "vocabulary.txt"

_BREAK_TAG = r"<br\s*/?>"
_FITTING_ROWS = 10_000


@dataclass(frozen=True)
class Settings:
    """What decides which words a text is cut into.

    Attributes:
        lower: Lower-case the text first.
        filters: ASCII characters that become a space.
        break_tags: Take `<br>`, `<br/>` and `<br />` for white space, not for the word `br`.
        split: `whitespace`, or `space` for Keras's own rule.
    """

    lower: bool = True
    filters: str = FILTERS
    break_tags: bool = True
    split: str = "whitespace"

    def __post_init__(self) -> None:
        if self.split not in ("whitespace", "space"):
            raise PresetError(f"split must be 'whitespace' or 'space'. Received: {self.split!r}")
        if not isinstance(self.filters, str) or not self.filters.isascii():
            raise PresetError(f"filters must be ASCII characters. Received: {self.filters!r}")


@dataclass(frozen=True)
class WordIds:
    """The word ids of a number of texts, end to end.

    Attributes:
        ids: int32, shape (words of all texts,). FIRST_WORD_ID and above, or OUT_OF_VOCABULARY_ID.
        offsets: int64, shape (texts + 1,). Text i owns `ids[offsets[i]:offsets[i + 1]]`.
    """

    ids: np.ndarray[Any, np.dtype[np.int32]]
    offsets: np.ndarray[Any, np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, text: int) -> np.ndarray[Any, np.dtype[np.int32]]:
        return self.ids[self.offsets[text] : self.offsets[text + 1]]

    @property
    def words(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Number of words of each text: int64, shape (texts,)."""
        return np.diff(self.offsets)

    @property
    def known_words(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Number of words of each text that are in the vocabulary: int64, shape (texts,)."""
        known = np.concatenate([[0], np.cumsum(self.ids != OUT_OF_VOCABULARY_ID)])
        return np.diff(known[self.offsets])


@dataclass(frozen=True)
class Preprocessor:
    """Turns texts into word ids.

    Attributes:
        words: The words by falling frequency, an Arrow array or anything that can be made one; word i has the id
            i + FIRST_WORD_ID.
        settings: How texts are cut into words.
    """

    words: pa.Array
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", as_text_array(self.words).cast(pa.large_string()))

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The words as Python strings."""
        return tuple(self.words.to_pylist())

    @classmethod
    def fit(
        cls,
        texts: Iterable[str | None] | pa.Array | pa.ChunkedArray,
        size: int | None = None,
        settings: Settings | None = None,
    ) -> Self:
        """Return a preprocessor whose vocabulary holds the most frequent words of `texts`.

        Args:
            texts: Strings; null ones count for nothing.
            size: Number of words to keep; all of them with None. Of two words as frequent as each other the
                one seen first comes first, as in Keras.
            settings: How texts are cut into words.
        """
        settings = settings or Settings()
        counts: dict[str, int] = {}
        for chunk in _chunks(as_text_array(texts), _FITTING_ROWS):
            words, _ = split_words(chunk, settings)
            counted = words.value_counts()
            for word, count in zip(
                counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True
            ):
                counts[word] = counts.get(word, 0) + count
        ranked = sorted(counts, key=counts.__getitem__, reverse=True)
        return cls(tuple(ranked[:size]), settings)

    @classmethod
    def from_preset(cls, folder: Path) -> Self:
        """Return the preprocessor stored in a preset's folder.

        Raises:
            PresetError: A file is missing or doesn't hold what it should.
        """
        try:
            settings = Settings(**json.loads((folder / SETTINGS_FILE).read_text("utf-8")))
            lines = (folder / VOCABULARY_FILE).read_bytes().decode("utf-8").removesuffix("\n")
        except (OSError, ValueError, TypeError) as exc:
            raise PresetError(f"{folder} is not a usable preset: {exc}") from exc
        words = pc.split_pattern(pa.array([lines] if lines else [], pa.large_string()), "\n").values
        return cls(words, settings)

    def save(self, folder: Path) -> None:
        """Write `preprocessor.json` and `vocabulary.txt` (a word a line) into a preset's folder.

        Raises:
            PresetError: A word holds a line feed, which only settings without one in `filters` allow.
        """
        if pc.any(pc.match_substring(self.words, "\n")).as_py():
            raise PresetError("a word of the vocabulary holds a line feed: put it into the settings' filters")
        (folder / SETTINGS_FILE).write_text(json.dumps(asdict(self.settings), indent=2) + "\n", "utf-8")
        words = "".join(word + "\n" for word in self.vocabulary)
        (folder / VOCABULARY_FILE).write_bytes(words.encode("utf-8"))

    def __call__(self, texts: Iterable[str | None] | pa.Array | pa.ChunkedArray) -> WordIds:
        """Return the word ids of each text. A null text has no words.

        Args:
            texts: Strings, as a Python iterable or as an Arrow array of type string, large_string,
                string_view, or a dictionary of these.

        Raises:
            InputError: The values aren't strings.
        """
        words, offsets = split_words(as_text_array(texts), self.settings)
        ranks = pc.index_in(words, value_set=self.words)
        ranks = pc.fill_null(ranks, OUT_OF_VOCABULARY_ID - FIRST_WORD_ID)
        return WordIds(ranks.to_numpy(zero_copy_only=False) + np.int32(FIRST_WORD_ID), offsets)


def as_text_array(texts: Iterable[str | None] | pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return `texts` as one Arrow array of type string or large_string.

    Raises:
        InputError: The values aren't strings.
    """
    if not isinstance(texts, pa.Array | pa.ChunkedArray):
        if isinstance(texts, str):
            raise InputError("texts must be several strings, in a list for instance. Received: one string")
        try:
            texts = pa.array(texts, pa.large_string(), from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError) as exc:
            raise InputError(f"texts must be strings: {exc}") from exc
    if pa.types.is_null(texts.type):
        texts = texts.cast(pa.string())
    if not is_text(texts.type):
        raise InputError(f"texts must be strings. Received: {texts.type}")
    if isinstance(texts, pa.ChunkedArray):
        chunks = [as_text_array(chunk).cast(pa.large_string()) for chunk in texts.chunks]
        return pa.concat_arrays(chunks or [pa.array([], pa.large_string())])
    if pa.types.is_dictionary(texts.type):
        values = as_text_array(texts.dictionary)
        return pa.DictionaryArray.from_arrays(texts.indices, values).dictionary_decode()
    return texts.cast(pa.large_string()) if pa.types.is_string_view(texts.type) else texts


def split_words(texts: pa.Array, settings: Settings) -> tuple[pa.Array, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return the words of all texts, end to end, and where each text's words begin.

    Args:
        texts: Array of type string or large_string.
        settings: How texts are cut into words.

    Returns:
        words: Array of strings, none of them empty.
        offsets: int64, shape (texts + 1,). The words of text i are `words[offsets[i]:offsets[i + 1]]`.
    """
    texts = pc.fill_null(texts, "")
    if settings.lower:
        texts = _lower(texts)
    if settings.break_tags and pc.any(pc.match_substring(texts, "<br", ignore_case=not settings.lower)).as_py():
        texts = pc.replace_substring_regex(texts, f"(?i:{_BREAK_TAG})", " ")
    texts = _translate(texts, settings.filters)
    split = pc.utf8_split_whitespace(texts) if settings.split == "whitespace" else pc.split_pattern(texts, " ")
    words, offsets = split.values, split.offsets.to_numpy()
    # The split leaves an empty word before a leading and after a trailing separator.
    filled = pc.greater(pc.binary_length(words), 0)
    kept = np.concatenate([[0], np.cumsum(filled.to_numpy(zero_copy_only=False))])
    return words.filter(filled), kept[offsets]


def _lower(texts: pa.Array) -> pa.Array:
    lowered = pc.utf8_lower(texts)
    special = pc.match_substring_regex(texts, "[Σİ]")
    if not pc.any(special).as_py():
        return lowered
    by_python = pa.array((text.lower() for text in texts.filter(special).to_pylist()), texts.type)
    return pc.replace_with_mask(lowered, special, by_python)


def _translate(texts: pa.Array, filters: str) -> pa.Array:
    """Return `texts` with each of `filters` replaced by a space.

    In UTF-8 an ASCII byte is never part of another character, so the whole buffer is translated at once: four
    times as fast as a regular expression.
    """
    validity, offsets, data = texts.buffers()
    if data is None:
        return texts
    table = bytes.maketrans(filters.encode("ascii"), b" " * len(filters))
    translated = pa.py_buffer(memoryview(data).tobytes().translate(table))
    return pa.Array.from_buffers(texts.type, len(texts), [validity, offsets, translated], offset=texts.offset)


def _chunks(texts: pa.Array, rows: int) -> Iterator[pa.Array]:
    for start in range(0, len(texts), rows):
        yield texts.slice(start, rows)
