"""Text to word ids, the Keras way, on Arrow kernels; and the vocabulary.

A text is lower-cased, each character of FILTERS becomes a space, the rest is split at white space, and each
word becomes the rank of its frequency in the texts that the vocabulary was fitted on. This gives the ids of
Keras's `text_to_word_sequence` and `Tokenizer`, with two exceptions, both on by default and both stored with
the preset: `<br>` tags count as white space, and every white space separates words, not only the space (Keras
leaves a carriage return or a no-break space inside a word). What mails, tickets and tweets hold besides words is
read where the settings say so: emoji, typography, markup and words drawn out. All four are off by default.

Lower-casing follows Python's `str.lower`. Arrow's kernel maps one code point to one, so texts with one of the
two letters where this shows (the capital sigma, whose lower case depends on its place in the word, and the
dotted capital I, whose lower case is two code points) go through Python. For letters that are newer than
Python's Unicode tables the kernel's table decides: ids don't depend on the version of Python.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.cleaning import clean
from textsent.errors import InputError, PresetError
from textsent.presets import SETTINGS_FILE, VOCABULARY_FILE, read_json
from textsent.schema import is_text

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""Characters that separate words: the default of Keras's `Tokenizer`. The apostrophe isn't one of them."""

PADDING_ID = 0
START_ID = 1
OUT_OF_VOCABULARY_ID = 2
FIRST_WORD_ID = 4
"""Ids as in `keras.datasets.imdb`: 0 padding, 1 start, 2 out of vocabulary, 3 unused, then the words."""

_BREAK_TAG = r"<(?i:br\s*/?>)"
_ASCII_SPACE = "\t\n\v\f\r\x1c\x1d\x1e\x1f"
_WIDE_SPACE = r"[\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
"""What else than the space is white space: as in Python's `str.split`."""

_SPACED = (pa.scalar(b"", pa.large_binary()), pa.scalar(b" ", pa.large_binary()))
_OUT_OF_VOCABULARY = np.int32(OUT_OF_VOCABULARY_ID - FIRST_WORD_ID)
_FITTING_ROWS = 10_000
_MISSING = ("NAType", "NaTType")  # pandas's
_SPECIAL = ("emoji", "typography", "markup", "elongated")


@dataclass(frozen=True)
class Settings:
    """What decides which words a text is cut into.

    Attributes:
        lower: Lower-case the text first.
        filters: ASCII characters that become a space.
        break_tags: Take `<br>`, `<br/>` and `<br />` for white space, not for the word `br`.
        split: `whitespace`, or `space` for Keras's own rule.
        removed: ASCII characters that are taken out, so that what stands around them becomes one word.
        stop_words: Words that are left out, as if they didn't stand there.
        emoji: Emoticons and emoji become words of their own: `great:)` is read as `great 🙂`, an emoticon as the
            emoji of its family (`textsent.emoticons.EMOTICONS`). Variation selectors and skin tones are dropped.
        typography: Typographic apostrophes and the grave accent become `'`, other punctuation that isn't ASCII
            separates words, invisible characters vanish, ligatures and full-width forms become plain letters. An
            apostrophe at the edge of a word is a quotation mark and goes, as two in a row do: `'great'` is read as
            `great`; `don't` stays.
        markup: What is left of HTML counts for nothing: tags, web and mail addresses and `@names` become a space,
            an entity becomes its character. A word after `#` stays.
        elongated: A letter that stands three times or more in a row stands twice, in a word that is nothing else
            three times: `sooooo` is read as `soo`, `cooool` as `cool`, `iii` stays.
    """

    lower: bool = True
    filters: str = FILTERS
    break_tags: bool = True
    split: str = "whitespace"
    removed: str = ""
    stop_words: tuple[str, ...] = ()
    emoji: bool = False
    typography: bool = False
    markup: bool = False
    elongated: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.stop_words, str):
            raise PresetError(f"stop words must be several strings. Received: {self.stop_words!r}")
        object.__setattr__(self, "stop_words", tuple(self.stop_words))  # JSON has lists
        if self.split not in ("whitespace", "space"):
            raise PresetError(f"split must be 'whitespace' or 'space'. Received: {self.split!r}")
        if not isinstance(self.filters, str) or not self.filters.isascii():
            raise PresetError(f"filters must be ASCII characters. Received: {self.filters!r}")
        if not isinstance(self.removed, str) or not self.removed.isascii():
            raise PresetError(f"removed must be ASCII characters. Received: {self.removed!r}")
        if not all(isinstance(word, str) for word in self.stop_words):
            raise PresetError(f"stop words must be strings. Received: {self.stop_words!r}")
        for name in ("lower", "break_tags", *_SPECIAL):
            if not isinstance(getattr(self, name), bool):
                raise PresetError(f"{name} must be true or false. Received: {getattr(self, name)!r}")


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
            settings = Settings(**read_json(folder / SETTINGS_FILE))
            words = _lines(folder / VOCABULARY_FILE)
        except (OSError, ValueError, TypeError) as exc:
            raise PresetError(f"{folder} is not a usable preset: {exc}") from exc
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
        pieces, offsets = _pieces(as_text_array(texts), self.settings)
        # The gaps between the words are looked up as well: to leave them out takes longer.
        ranks = pc.index_in(pieces, value_set=self.words)
        ids = np.where(_valid(ranks), _values(ranks), _OUT_OF_VOCABULARY)[::2] + FIRST_WORD_ID
        if self.settings.stop_words:
            kept, offsets = _without_stop_words(pieces, offsets, self.settings)
            ids = ids[kept]
        return WordIds(ids, offsets)


def _lines(path: Path) -> pa.Array:
    """Return the lines of a file as an array of strings; the file is mapped, not read."""
    if path.stat().st_size == 0:
        return pa.array([], pa.large_string())
    with pa.memory_map(str(path)) as file:
        content = file.read_buffer()
        end = len(content) - (content[len(content) - 1 :].to_pybytes() == b"\n")
        offsets = pa.py_buffer(np.array([0, end], np.int64))
        whole = pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, content])
        try:
            whole.validate(full=True)
        except pa.ArrowInvalid as exc:
            raise ValueError(f"{path.name} is not UTF-8") from exc
        return pc.split_pattern(whole, "\n").values if end else pa.array([], pa.large_string())


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


def first_wrong(values: Iterable[object]) -> str:
    """Return which value is the first that is neither text nor missing, for a message: `int in row 3`."""
    for row, value in enumerate(values):
        name = type(value).__name__
        is_nan = isinstance(value, float) and value != value
        if not (isinstance(value, str) or value is None or name in _MISSING or is_nan):
            return f"{name} in row {row}"
    return "no text"


def split_words(texts: pa.Array, settings: Settings) -> tuple[pa.Array, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return the words of all texts, end to end, and where each text's words begin.

    Args:
        texts: Array of type string or large_string.
        settings: How texts are cut into words.

    Returns:
        words: Array of large strings, none of them empty.
        offsets: int64, shape (texts + 1,). The words of text i are `words[offsets[i]:offsets[i + 1]]`.
    """
    pieces, offsets = _pieces(texts, settings)
    words = np.arange(0, len(pieces), 2)
    if settings.stop_words:
        kept, offsets = _without_stop_words(pieces, offsets, settings)
        words = words[kept]
    return pieces.take(pa.array(words)), offsets


def _without_stop_words(
    pieces: pa.Array, offsets: np.ndarray[Any, np.dtype[np.int64]], settings: Settings
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], np.ndarray[Any, np.dtype[np.int64]]]:
    """Return which of the words stay, bool, shape (words,), and the offsets among those."""
    stopped = pc.is_in(pieces, value_set=pa.array(settings.stop_words, pa.large_string()))
    kept = ~stopped.to_numpy(zero_copy_only=False)[::2]
    return kept, np.concatenate([[0], np.cumsum(kept)])[offsets]


def _pieces(texts: pa.Array, settings: Settings) -> tuple[pa.Array, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return the words of all texts with the gaps between them, and where each text's words begin.

    The texts become one run of bytes, in which a few passes over all of it find where the words begin and end: less
    than half of the time of Arrow's split, whose words are copied one by one.

    Returns:
        pieces: Array of large strings: a word, the space that follows it, a word, and so on.
        offsets: int64, shape (texts + 1,). Text i has the words from number `offsets[i]` to `offsets[i + 1]`.
    """
    texts = pc.fill_null(texts, "")
    if settings.break_tags or settings.markup:  # first: what else than ASCII is white space makes no tag
        texts = pc.replace_substring_regex(texts, _BREAK_TAG, " ")
    special = {name: getattr(settings, name) for name in _SPECIAL}
    if any(special.values()):
        texts = clean(texts, **special)
    if settings.removed:
        texts = pc.replace_substring_regex(texts, f"[{re.escape(settings.removed)}]+", "")
    ascii_only = pc.string_is_ascii(texts)
    if not pc.all(ascii_only).as_py():
        others = pc.invert(ascii_only)
        texts = pc.replace_with_mask(texts, others, _plain(texts.filter(others), settings))
    if settings.lower:
        texts = pc.ascii_lower(texts)
    # A space after each text, so that none of its words goes on in the next.
    spaced = pc.binary_join_element_wise(texts.cast(pa.large_binary()), *_SPACED)
    ends = np.frombuffer(spaced.buffers()[1], np.int64, len(spaced) + 1, 8 * spaced.offset)
    letters = memoryview(spaced.buffers()[2] or b"").tobytes().translate(_separators(settings))
    characters = np.frombuffer(letters, np.uint8)
    is_word = characters != ord(" ")
    if settings.typography:
        is_word[_quotation_marks(characters, is_word)] = False
    edges = np.flatnonzero(np.diff(is_word, prepend=False))  # where words begin and, every other one, end
    words = edges[::2]
    pieces = pa.Array.from_buffers(
        pa.large_string(), max(0, len(edges) - 1), [None, pa.py_buffer(edges), pa.py_buffer(characters)]
    )
    return pieces, np.searchsorted(words, ends)


def _quotation_marks(
    characters: np.ndarray[Any, np.dtype[np.uint8]], is_word: np.ndarray[Any, np.dtype[np.bool_]]
) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return where apostrophes stand at the edge of a word, or several in a row. The last character is a space."""
    apostrophes = np.flatnonzero((characters == ord("'")) & is_word)
    in_row = np.diff(apostrophes) == 1
    several = np.append(in_row, False) | np.append(False, in_row) if len(apostrophes) else in_row
    inside = is_word[apostrophes - 1] & is_word[apostrophes + 1]
    return apostrophes[several | ~inside]


def _plain(texts: pa.Array, settings: Settings) -> pa.Array:
    """Return texts that aren't ASCII, lower-cased and their white space made spaces where the settings say so."""
    if settings.lower:
        lowered = pc.utf8_lower(texts)
        special = pc.match_substring_regex(texts, "[Σİ]")
        if pc.any(special).as_py():
            by_python = pa.array((text.lower() for text in texts.filter(special).to_pylist()), texts.type)
            lowered = pc.replace_with_mask(lowered, special, by_python)
        texts = lowered
    return pc.replace_substring_regex(texts, _WIDE_SPACE, " ") if settings.split == "whitespace" else texts


@lru_cache
def _separators(settings: Settings) -> bytes:
    """Return the table by which `bytes.translate` makes a space of each ASCII character that separates words.

    In UTF-8 an ASCII byte is never part of another character.
    """
    characters = settings.filters + (_ASCII_SPACE if settings.split == "whitespace" else "")
    table = bytearray(bytes.maketrans(characters.encode("ascii"), b" " * len(characters)))
    if settings.typography:
        table[ord("`")] = table[ord("'")]
    return bytes(table)


def _values(array: pa.Array) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return what an int32 array holds, without a copy; where it is null that means nothing."""
    return np.frombuffer(array.buffers()[1] or b"", np.int32, len(array))


def _valid(array: pa.Array) -> np.ndarray[Any, np.dtype[np.bool_]] | np.bool_:
    """Return where an array isn't null."""
    bitmap = array.buffers()[0]
    if bitmap is None:
        return np.True_
    return np.unpackbits(np.frombuffer(bitmap, np.uint8), count=len(array), bitorder="little").view(bool)


def _chunks(texts: pa.Array, rows: int) -> Iterator[pa.Array]:
    for start in range(0, len(texts), rows):
        yield texts.slice(start, rows)
