"""Words that say little by themselves, such as *the* and *of*: NLTK's, or those of a file."""

from __future__ import annotations

from pathlib import Path

from textsent.errors import InputError
from textsent.nltk_data import read_nltk_file

_ENGLISH = "corpora/stopwords/english"  # by NLTK's name for it


def stop_words(path: Path | None = None, index_url: str | None = None) -> tuple[str, ...]:
    """Return English stop words, in the order in which they are listed, each once.

    They are as they are written there: NLTK's are in lower case, with straight apostrophes in words like *don't*.

    Args:
        path: A text file in UTF-8 with a word a line; blank lines and lines that begin with # are skipped. None for
            NLTK's corpus `stopwords`, which its downloader gets on first use (about 30 kB), into the first of the
            folders in NLTK_DATA and of NLTK's own that can be written to.
        index_url: Where the downloader's list of packages is; None for NLTK's own.

    Raises:
        InputError: The file can't be opened, isn't UTF-8, or holds no words or more than one in a line; or NLTK's
            words are neither installed nor to be had.
    """
    if path is None:
        otherwise = "name a file of words with --stopwords"
        text = read_nltk_file(_ENGLISH, "NLTK's stop words", otherwise, index_url)
        return _words(text, "NLTK's list of stop words")
    try:
        text = path.read_bytes()
    except OSError as exc:
        raise InputError(f"{path} can't be opened: {exc.strerror}: check the path") from exc
    return _words(text, str(path))


def _words(text: bytes, source: str) -> tuple[str, ...]:
    """Return the words of a text that has one a line; `source` says where it is from."""
    try:
        lines = [line.strip() for line in text.decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError as exc:
        number = text.count(b"\n", 0, exc.start) + 1
        raise InputError(
            f"{source}, line {number}: the text is not UTF-8: convert it first, for instance with "
            "`iconv -f WINDOWS-1252 -t UTF-8`"
        ) from exc
    words: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        if len(line.split()) > 1:
            raise InputError(f"{source}, line {number}: {line[:40]!r} is more than one word: write one a line")
        words[line] = None
    if not words:
        raise InputError(f"{source} holds no words: write one a line")
    return tuple(words)
