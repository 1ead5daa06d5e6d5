"""Words that say little by themselves, such as *the* and *of*: NLTK's, or those of a file."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from textsent.errors import InputError

_PACKAGE = "stopwords"  # by NLTK's name for it
_ENGLISH = f"corpora/{_PACKAGE}/english"


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
        return _words(_nltk_words(index_url), "NLTK's list of stop words")
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


def _nltk_words(index_url: str | None) -> bytes:
    """Return NLTK's file of English stop words, downloaded where it isn't installed.

    Raises:
        InputError: It can't be had or read.
    """
    # What NLTK has to say, it prints or warns of.
    with warnings.catch_warnings(record=True) as warned, redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            installed = _installed()
        except (OSError, ValueError, BadZipFile) as exc:
            raise InputError(
                f"NLTK's stop words are installed and can't be read: {_one_line(exc)}: get them anew with "
                f"`python -m nltk.downloader --force {_PACKAGE}`, or name a file of words with --stopwords"
            ) from exc
        if installed is not None:
            return installed
        # Such as that others can write to a folder, which NLTK passes over for it.
        refused = [f": {_one_line(one.message)}" for one in warned if one.category is RuntimeWarning][:1]
        try:
            _download(index_url)
            installed = _installed()
            if installed is None:
                raise ValueError(f"what was downloaded has no {_ENGLISH}")
        # A list of packages that isn't as it should be: a TypeError where it lacks something, a ParseError where it
        # is no XML, as the page that a hotel's network answers with.
        except (OSError, ValueError, TypeError, ParseError, BadZipFile) as exc:
            raise InputError(
                f"NLTK's stop words aren't installed{''.join(refused)} and can't be downloaded: {_one_line(exc)}: "
                f"run `python -m nltk.downloader {_PACKAGE}` on a machine with a network and name the folder that "
                "it says in NLTK_DATA, or name a file of words with --stopwords"
            ) from exc
        return installed


def _installed() -> bytes | None:
    """Return NLTK's file of English stop words; None where it isn't installed."""
    import nltk

    try:
        pointer = nltk.data.find(_ENGLISH)
    except LookupError:
        return None
    with pointer.open() as file:
        return file.read()


def _download(index_url: str | None) -> None:
    """Download NLTK's corpus of stop words.

    Raises:
        ValueError: It can't be downloaded; of some reasons NLTK raises another error.
    """
    from nltk.downloader import Downloader

    # Unless told otherwise, the downloader prints why it failed and returns False.
    downloader = Downloader(index_url)
    downloader.download(_PACKAGE, quiet=True, raise_on_error=True, print_error_to=io.StringIO())


def _one_line(said: Warning | Exception | str) -> str:
    return " ".join(str(said).split()).rstrip(".") or type(said).__name__
