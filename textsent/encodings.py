"""Text in any encoding, as blocks of UTF-8."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import IO

from textsent.errors import OptionError

BLOCK_BYTES = 1 << 18
"""Bytes read at a time. The first block is the sample by which an encoding is told."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before that of UTF-16, which it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_WITHOUT_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""What Python's codecs of these names refuse to read without a mark."""

_CANDIDATES = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp932", "euc_jp", "gb18030",
    "big5", "cp949", "koi8_r", "mac_roman", "cp437", "cp850",
]  # fmt: skip
_GUESSED_BYTES = 1 << 16
_MIN_WIDE_BYTES = 16
_MAX_BROKEN_SHARE = 0.5
_MIN_RUN_SHARE = 0.3
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{3,}")

_NO_TEXT = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook: save the sheet as CSV, or unpack the archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Office file: save the sheet as CSV"),
    (b"PAR1", "a Parquet file: say --format parquet"),
    (b"%PDF-", "a PDF file: take its text out first"),
    (b"SQLite format 3\0", "an SQLite database: export the table as CSV"),
)
"""How files begin that hold no text, and what they are."""

_NO_TEXT_ENCODINGS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})

_MARK = "\udcff"
_MARK_BYTES = _MARK.encode("utf-8", "surrogatepass")
_REPLACEMENT = "\ufffd".encode()
_MARKING = "textsent.mark"
codecs.register_error(_MARKING, lambda error: (_MARK, error.end))  # type: ignore[attr-defined]


def check_encoding(name: str) -> None:
    """Check that Python knows an encoding of text by a name.

    Raises:
        OptionError: It doesn't.
    """
    try:
        found = codecs.lookup(name)
        if found.name in _NO_TEXT_ENCODINGS:
            raise LookupError
        "".encode(name)  # which the codecs refuse that are no encodings of text
    except (LookupError, ValueError):
        raise OptionError(
            f"there is no encoding {name!r}: name one that Python knows, for instance utf-8, cp1252 or shift_jis"
        ) from None


def utf8_blocks(
    stream: IO[bytes], encoding: str | None = None, on_guess: Callable[[str], object] | None = None
) -> Iterator[bytes]:
    """Yield the content of a stream as blocks of UTF-8, without a byte order mark; an empty stream gives none.

    Bytes that can't be decoded are passed on as bytes that aren't UTF-8: `repaired` makes text of them. A block may
    end within a character.

    Args:
        stream: Read block by block.
        encoding: What the content is in, by a name that Python knows. By default its byte order mark says it;
            without one it is UTF-8, or what its first block tells.
        on_guess: Called with the encoding's name where it was told by the first block alone.

    Raises:
        ValueError: It begins like a file that isn't text.
    """
    first = stream.read(BLOCK_BYTES)
    for beginning, what in _NO_TEXT:
        if first.startswith(beginning):
            raise ValueError(f"it is {what}")
    found, mark = _marked(first)
    if encoding is not None:
        asked = codecs.lookup(encoding).name.removesuffix("-sig")
        if found is None or not found.startswith(asked):
            found, mark = _WITHOUT_MARK.get(asked, asked), b""
    elif found is None:
        found = guessed(first, len(first) < BLOCK_BYTES)
        if found != "utf-8" and on_guess:
            on_guess(found)
    block = first[len(mark) :]
    if found == "utf-8":
        while block:
            yield block
            block = stream.read(BLOCK_BYTES)
        return
    decoder = codecs.getincrementaldecoder(found)(_MARKING)
    more = bool(first)
    while more:
        if text := decoder.decode(block):
            yield text.encode("utf-8", "surrogatepass")
        block = stream.read(BLOCK_BYTES)
        more = bool(block)
    if text := decoder.decode(b"", final=True):
        yield text.encode("utf-8", "surrogatepass")


def guessed(sample: bytes, is_all: bool) -> str:
    """Return the name of the encoding that a sample is most likely in.

    That is UTF-8 where most of what isn't ASCII is. Letters other than ASCII come one by one in text of western
    European languages, which is cp1252 where it can be; in other scripts they come in runs, and charset-normalizer
    tells them apart: of short text of the first kind it is no good judge.

    Args:
        sample: What the content begins with.
        is_all: It ends there too: it isn't cut within a character.
    """
    for end, codec in ((0, "utf-16-be"), (1, "utf-16-le")):  # half of the bytes of ASCII text are zero
        zeros, others = sample[end::2].count(0), sample[1 - end :: 2].count(0)
        if len(sample) >= _MIN_WIDE_BYTES and zeros > len(sample) * 0.35 and others < zeros * 0.05:
            return codec
    decoded, _ = codecs.utf_8_decode(sample, "replace", is_all)
    beyond = len(decoded) - len(decoded.encode("ascii", "ignore"))
    if decoded.count("\ufffd") <= _MAX_BROKEN_SHARE * beyond:
        return "utf-8"
    high = _HIGH_BYTE.search(sample)
    start = sample.rfind(b"\n", 0, high.start()) + 1 if high else 0
    part = sample[start : start + _GUESSED_BYTES]
    runs = sum(map(len, _HIGH_RUN.findall(part)))
    is_latin = runs < _MIN_RUN_SHARE * len(_HIGH_BYTE.findall(part))
    try:
        if is_latin and part.decode("cp1252"):
            return "cp1252"
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    best = from_bytes(part, cp_isolation=_CANDIDATES).best()
    return best.encoding if best and best.encoding in _CANDIDATES else "cp1252"


def decoder_of(encoding: str | None = None) -> codecs.IncrementalDecoder:
    """Return what decodes text piece by piece, by default UTF-8, and marks what it can't: see `without_marks`."""
    return codecs.getincrementaldecoder(encoding or "utf-8-sig")(_MARKING)


def without_marks(text: str) -> tuple[str, bool]:
    """Return what a decoder of `decoder_of` gave with U+FFFD for marks, and whether there was one."""
    return text.replace(_MARK, "\ufffd"), _MARK in text


def repaired(value: bytes) -> str:
    """Return bytes of a block of `utf8_blocks` as text: what couldn't be decoded is U+FFFD."""
    return value.replace(_MARK_BYTES, _REPLACEMENT).decode("utf-8", "replace")


def _marked(first: bytes) -> tuple[str | None, bytes]:
    """Return the encoding that a byte order mark names, and the mark."""
    return next(((codec, mark) for mark, codec in _MARKS if first.startswith(mark)), (None, b""))
