"""Word vectors that others have trained: the files of word2vec, GloVe and gensim."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from textsent.compression import compression_of, decompressed
from textsent.cores import usable_memory
from textsent.errors import InputError, MissingExtraError

MAX_SIZE = 100_000
"""Values in a vector at most: 20 times the longest in use, and less than half a buffer."""

_BUFFER = 1 << 22  # bytes read at a time
_LONGEST_WORD = 1 << 16  # bytes; a file without a space or a line's end for longer isn't one of vectors
_LONGEST_VALUE = 64  # bytes of a number that is written out; repr of a float64 takes 24 at most

_HEADER = re.compile(rb"[ \t]*(\d{1,18})[ \t]+(\d{1,18})[ \t]*\r?\n")
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_FASTTEXT_MAGIC = b"\xba\x16\x4f\x2f"
_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"
_SAMPLE_LINES = 10
_SAMPLE_BYTES = 32  # a vector's first bytes; that so many of a binary one are all printable is no accident

_WHAT_IS_READ = "textsent reads word2vec's binary and text files, GloVe's, and what gensim's save() writes"

_Floats = np.ndarray[Any, np.dtype[np.float32]]


def read_vectors(path: Path, words: Sequence[str]) -> tuple[list[str], _Floats]:
    """Return those words that a file has vectors for, and the vectors.

    The format is told by the content: word2vec's binary or text format, GloVe's text without a header line, or what
    gensim's `KeyedVectors.save` or `Word2Vec.save` wrote; compressed by gzip, bzip2 or Zstandard or not. The first
    three are read as a stream, of which only the vectors asked for stay in memory, and to the end, so that a broken
    file is noticed.

    A file of gensim's is a pickle, and a pickle runs whatever program its author put in: read one only from someone
    whose programs you would run. The other formats hold nothing but numbers.

    Args:
        path: The file. gensim's .npy files, where it wrote any, lie beside it.
        words: The words to look for, which a file's words must equal to the letter, case included. One that is
            asked for twice is returned once.

    Returns:
        The words found, in the order of `words`; and their vectors, float32, shape (words found, size). Where a
        file has a word twice, the first counts; its words that aren't UTF-8 are passed over.

    Raises:
        InputError: The file can't be read, is of another format, ends early, has lines of different sizes, or a
            value among those asked for that is no finite number; it has none of the words; or their vectors need
            more memory than there is.
        MissingExtraError: The file is gensim's, and gensim isn't installed.
    """
    try:
        with path.open("rb") as raw:
            compressed = compression_of(raw) is not None
            with decompressed(raw) as file:
                stream = _Stream(path, file)
                start = stream.read()
                if not _PICKLE.match(start):
                    return _read_stream(stream, start, words)
    except OSError as exc:
        raise InputError(f"{path} can't be opened: {exc.strerror or exc}: check the path") from exc
    return _read_gensim(path, start, compressed, words)


class _Stream:
    """A file that is read a buffer at a time, and how many words it has given so far.

    Attributes:
        path: The file.
        words: Words read so far.
        expected: Words that the header tells of; None where there is no header.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.words = 0
        self.expected: int | None = None
        self._file = file

    def read(self) -> bytes:
        """Return the bytes that come next, _BUFFER of them or fewer; none at the end."""
        try:
            return self._file.read(_BUFFER)
        except OSError as exc:
            # Of a compressed file, Arrow says here that it is corrupt or cut off.
            reason = exc.strerror or str(exc).rstrip(".")
            raise InputError(
                f"{self.path} can't be read any further {self.progress()}: {reason}: get the file anew"
            ) from exc

    def progress(self) -> str:
        """Return after how many words of how many something happened."""
        of = "" if self.expected is None else f" of {self.expected:,}"
        return f"after {self.words:,}{of} words"

    def fail(self, problem: str) -> NoReturn:
        """Raise an InputError that says what is wrong with the file."""
        raise InputError(f"{self.path} {problem}")


class _Vectors:
    """The vectors of the words wanted, as far as they have turned up.

    Attributes:
        rows: The row of each word that hasn't turned up yet, by its UTF-8.
    """

    def __init__(self, path: Path, words: Sequence[str], size: int) -> None:
        """Make room for the vectors of all words.

        Raises:
            InputError: There is too little memory for them.
        """
        self._path = path
        self._words = list(dict.fromkeys(words))
        _check_memory(path, len(self._words) * size * 4, f"{len(self._words):,} vectors of {size:,} values")
        self.rows = {}
        for row, word in enumerate(self._words):
            with suppress(UnicodeEncodeError):  # half of a surrogate pair, which no UTF-8 can hold
                self.rows[word.encode()] = row
        self._values = np.empty((len(self._words), size), np.float32)  # shape (words, size)
        self._found = np.zeros(len(self._words), bool)

    def keep(self, row: int, values: _Floats) -> None:
        """Keep a word's vector: float32, shape (size,)."""
        if not np.isfinite(values).all():
            value = values[~np.isfinite(values)][0]
            raise InputError(
                f"{self._path} has a value of {value} in the vector of {self._words[row]!r}: "
                "only finite numbers can be used: train the vectors anew, or take another file"
            )
        self._values[row] = values
        self._found[row] = True

    def found(self) -> tuple[list[str], _Floats]:
        """Return the words that turned up, and their vectors: float32, shape (words found, size)."""
        rows = np.flatnonzero(self._found).tolist()
        if not rows:
            _fail_without_words(self._path, len(self._words))
        # Closing the gaps in place takes no memory for a second copy: a row only ever moves up.
        for place, row in enumerate(rows):
            if place != row:
                self._values[place] = self._values[row]
        return [self._words[row] for row in rows], self._values[: len(rows)]


def _read_stream(stream: _Stream, start: bytes, words: Sequence[str]) -> tuple[list[str], _Floats]:
    """Return what `read_vectors` does, of a file that begins with `start` and isn't gensim's."""
    header = _HEADER.match(start)
    if header:
        count, size = int(header[1]), int(header[2])
        if not count or not 1 <= size <= MAX_SIZE:
            stream.fail(
                f"tells of {count:,} words with {size:,} values each in its first line: there must be a word at "
                f"least, and 1 to {MAX_SIZE:,} values: check that it is a file of word vectors"
            )
        stream.expected = count
        start = start[header.end() :]
        binary = _is_binary(start, size)
    else:
        size, binary = _size_without_header(start), False
        if size < 2:  # with one value, any list of words and their counts would do
            if start.startswith(_FASTTEXT_MAGIC):
                stream.fail(
                    "is a .bin file of fastText's, which isn't read: take the .vec file of the same vectors"
                )
            seen = f"it begins with {start[:20]!r}" if start else "it is empty"
            stream.fail(f"is no file of word vectors, {seen}: {_WHAT_IS_READ}")
    vectors = _Vectors(stream.path, words, size)
    (_read_binary if binary else _read_text)(stream, start, size, vectors)
    return vectors.found()


def _is_binary(start: bytes, size: int) -> bool:
    """Return whether vectors are packed floats, and not written out, by what follows a header."""
    lines = (line.split() for line in _first_lines(start))
    if any(len(fields) == size + 1 and _are_numbers(fields[1:]) for fields in lines):
        return False
    # Here a text file has broken lines. With its vectors as long as usual it can still be told from a binary one.
    sample = start.partition(b" ")[2][: min(_SAMPLE_BYTES, 4 * size)]
    return len(sample) < _SAMPLE_BYTES or bool(sample.translate(None, _PRINTABLE))


def _size_without_header(start: bytes) -> int:
    """Return how many values the first line has behind its word; 0 where it is no such line."""
    fields = _first_lines(start)[0].split()
    size = len(fields) - 1
    return size if 0 < size <= MAX_SIZE and _are_numbers(fields[1:]) else 0


def _first_lines(start: bytes) -> list[bytes]:
    return start.split(b"\n", _SAMPLE_LINES)[:_SAMPLE_LINES]


def _read_binary(stream: _Stream, block: bytes, size: int, vectors: _Vectors) -> None:
    """Read words, each followed by a space and `size` float32, little-endian, and maybe a newline."""
    rows, width = vectors.rows, 4 * size
    count = stream.expected or 0
    place = 0  # where in the block the next word begins
    for done in range(count):
        space = block.find(b" ", place)
        while space < 0 or space + width >= len(block):
            stream.words = done
            if space < 0 and len(block) - place > _LONGEST_WORD:
                stream.fail(
                    f"has no space in {_LONGEST_WORD:,} bytes {stream.progress()}, where a word should end: "
                    "check that it is whole and a file of word vectors"
                )
            more = stream.read()
            if not more:
                stream.fail(f"ends {stream.progress()}: it is cut off: get the file anew")
            block, place = block[place:] + more, 0
            space = block.find(b" ")
        row = rows.pop(block[place:space].removeprefix(b"\n"), None) if rows else None
        place = space + 1 + width
        if row is not None:
            stream.words = done
            vectors.keep(row, np.frombuffer(block, "<f4", size, space + 1))
    stream.words = count
    rest = block[place:]
    while not rest.strip() and (rest := stream.read()):
        pass
    if rest:
        _fail_with_more_words(stream)


def _read_text(stream: _Stream, block: bytes, size: int, vectors: _Vectors) -> None:
    """Read lines of a word and `size` numbers."""
    rows = vectors.rows
    first = 1 if stream.expected is None else 2
    for number, line in enumerate(_lines(stream, block, _LONGEST_WORD + size * _LONGEST_VALUE), first):
        line = line.rstrip(b" \t\r")
        if not line:
            continue
        if stream.words == stream.expected:
            _fail_with_more_words(stream)
        usual = line.count(b" ") == size
        word = line[: line.find(b" ")] if usual else _word_with_spaces(stream, line, number, size)
        row = rows.pop(word, None)
        if row is not None:
            values = line[len(word) :].split()
            try:
                vector = _numbers(values)
            except ValueError:
                wrong = next(value for value in values if not _are_numbers([value]))
                stream.fail(f"has {wrong[:40]!r} in line {number:,}, where a number should be: get the file anew")
            if len(vector) != size:
                _fail_by_size(stream, number, len(vector), size)
            vectors.keep(row, vector)
        stream.words += 1
    if stream.expected is not None and stream.words < stream.expected:
        stream.fail(f"ends {stream.progress()}: it is cut off: get the file anew")


def _word_with_spaces(stream: _Stream, line: bytes, number: int, size: int) -> bytes:
    """Return the word of a line that has more or fewer spaces than values.

    The largest of GloVe's files has words with spaces in them, such as `. . .`.
    """
    fields = line.split()
    extra = len(fields) - 1 - size
    if extra < 0 or (extra and _are_numbers(fields[1 : 1 + extra])):
        _fail_by_size(stream, number, len(fields) - 1, size)
    return line.rsplit(maxsplit=size)[0]


def _lines(stream: _Stream, block: bytes, longest: int) -> Iterator[bytes]:
    """Yield a file's lines without their ends, from `block` on."""
    while True:
        *lines, rest = block.split(b"\n")
        yield from lines
        if len(rest) > longest:
            stream.fail(
                f"has a line longer than {longest:,} bytes {stream.progress()}: "
                "check that it is whole and a file of word vectors"
            )
        more = stream.read()
        if not more:
            yield rest
            return
        block = rest + more


def _numbers(fields: list[bytes]) -> _Floats:
    """Return numbers that are written out; one that float32 can't hold becomes infinite.

    Raises:
        ValueError: There is one that isn't a number.
    """
    with np.errstate(over="ignore"):
        return np.array(list(map(float, fields))).astype(np.float32)


def _are_numbers(fields: list[bytes]) -> bool:
    try:
        _numbers(fields)
    except ValueError:
        return False
    return True


def _read_gensim(path: Path, start: bytes, compressed: bool, words: Sequence[str]) -> tuple[list[str], _Floats]:
    """Return what `read_vectors` does, of a file that gensim saved and that begins with `start`."""
    if {".bin", ".txt", ".vec"} & set(path.suffixes[-2:]):
        raise InputError(
            f"{path} is a pickle under the name of a file of vectors: opening it could run code. "
            "If gensim wrote it and you trust it, give it another name, such as vectors.kv"
        )
    # The class comes first. This is no safeguard: it keeps another program's pickle from being loaded by mistake.
    if b"gensim" not in start[:200]:
        raise InputError(f"{path} is a pickle that gensim didn't write: {_WHAT_IS_READ}")
    try:
        from gensim.models import KeyedVectors
        from gensim.utils import SaveLoad
    except ImportError as exc:
        raise MissingExtraError(
            f"{path} is a file of gensim's, which needs the package gensim: pip install 'textsent[word2vec]'"
        ) from exc
    # A pickle is unpacked as a whole, and takes more in memory than on the disk.
    _check_memory(path, path.stat().st_size, "the file")
    try:
        # Loading a pickle runs whatever its author wrote into it: only files of someone trusted may come here.
        # gensim can't map what it has compressed.
        model = SaveLoad.load(str(path), mmap=None if compressed else "r")
    except Exception as exc:  # unpickling may raise anything
        reason = " ".join(str(exc).split()) or type(exc).__name__
        raise InputError(
            f"{path} can't be loaded by gensim: {reason}: check that it is whole, that the .npy files that were "
            "saved with it lie beside it, and that gensim is no older than the one that saved it"
        ) from exc
    vectors = getattr(model, "wv", model)
    if not isinstance(vectors, KeyedVectors) or vectors.vectors is None or vectors.vectors.ndim != 2:
        raise InputError(f"{path} holds a {type(model).__name__}, which has no word vectors: {_WHAT_IS_READ}")
    found = [word for word in dict.fromkeys(words) if word in vectors.key_to_index]
    if not found:
        _fail_without_words(path, len(words))
    kept = _Vectors(path, found, vectors.vectors.shape[1])
    with np.errstate(over="ignore"):
        for row, word in enumerate(found):
            kept.keep(row, vectors.vectors[vectors.key_to_index[word]].astype(np.float32))
    return kept.found()


def _check_memory(path: Path, needed: int, what: str) -> None:
    """Check that there is memory enough.

    Args:
        path: The file that needs it.
        needed: Bytes.
        what: What needs them.

    Raises:
        InputError: There isn't.
    """
    free = usable_memory()
    if free is not None and needed > free:
        raise InputError(
            f"{path} needs {math.ceil(needed / 1e6):,} MB of memory for {what}, and {free // 10**6:,} MB are free: "
            "look for fewer words, take shorter vectors, or use a machine with more memory"
        )


def _fail_by_size(stream: _Stream, number: int, received: int, size: int) -> NoReturn:
    stream.fail(
        f"has {received:,} values in line {number:,} and should have {size:,}, as its first line says: "
        "it is damaged or cut off: get the file anew"
    )


def _fail_with_more_words(stream: _Stream) -> NoReturn:
    stream.fail(
        f"holds more than the {stream.expected:,} words that its first line tells of: "
        "correct that line, or get the file anew"
    )


def _fail_without_words(path: Path, count: int) -> NoReturn:
    raise InputError(
        f"{path} has a vector for none of the {count:,} words that are looked for: "
        "check that it is of the same language, and in lower case where they are"
    )
