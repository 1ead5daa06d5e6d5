"""Inputs by their names: what files a name stands for, of what format they are, and how they are opened.

A file's format is told by its suffix (`.csv`, or `.csv.gz`), its compression by its first bytes.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa

from textsent import mailstores
from textsent.compression import MAX_RATIO, compression_of, is_cut_within_magic, suffix_and_compression
from textsent.errors import InputError, OptionError
from textsent.storage import (
    REASONS,
    SUCCESS_FILE,
    UNFINISHED_FOLDER,
    Location,
    ask_each,
    is_folder,
    is_of_a_store,
    is_there,
    is_url,
    reading,
    state_of,
    without_file_scheme,
    without_query,
)

STANDARD_STREAM = "-"
"""Stands for standard input or standard output where a path is expected."""

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "text",
    **mailstores.SUFFIXES,
}

TABLES = ("csv", "tsv", "parquet", "jsonl", "text")
"""Formats, beside those of mail."""

FOLDER = "folder"
"""What a folder of mail has for a format."""


class Span(NamedTuple):
    """A range of a file's bytes: what begins within it is read. A file can be cut into spans anywhere.

    Attributes:
        start: Its first byte.
        end: The byte after its last.
        first: In a mailbox, bytes before the first message that begins at `start` or after it, if that is known.
    """

    start: int
    end: int
    first: int | None = None


DIVISIBLE = ("mbox", "parquet")
"""Formats of which a span can be read, where they aren't compressed: its messages, or its row groups."""


class Source(NamedTuple):
    """A file or a folder that is an input.

    Attributes:
        name: Its path or URL, or `-`.
        format: What it is.
        size: Its bytes as they are stored; None of a pipe.
        state: What it was when it was found, in words that differ where it does; empty for a pipe.
        folder: Its mail, where it is a folder of it.
    """

    name: str
    format: str
    size: int | None
    state: str
    folder: mailstores.MailFolder | None = None


def find_sources(names: Sequence[str], format: str | None = None, max_ratio: int = MAX_RATIO) -> list[Source]:
    """Return the files and folders that names stand for, in their order; see `textsent.readers.Reader`.

    Raises:
        InputError: There is none for one of them, or it is of no known format.
        OptionError: No name is given, or standard input is named twice, or its format not at all.
    """
    if not names:
        raise OptionError("there is no input: name at least one file, or - for standard input")
    if list(names).count(STANDARD_STREAM) > 1:
        raise OptionError("standard input can be read only once: name - once")
    listed = [file for some in ask_each(expanded, names) for file in some]
    return ask_each(lambda file: _source(file.name, file.info, format, max_ratio), listed)


class Listed(NamedTuple):
    """A file that an input's name stands for.

    Attributes:
        name: Its path or URL.
        info: What Arrow knows of it, where that came along; else None.
    """

    name: str
    info: Any = None


def expanded(name: str) -> list[Listed]:
    """Return the files that an input's name stands for, in the order of their names.

    Args:
        name: A path or a URL. A pattern stands for all files that it matches, `**` in it for any number of folders,
            unless a file or folder has that very name.
            The URL of a folder, and the path of one that `textsent score` has written in parts, stand for all files
            in it and below, without hidden ones. Another folder's path stands for itself.

    Raises:
        InputError: There are none, or they can't be listed, or the folder isn't complete.
    """
    path = without_file_scheme(name)
    if path == name and not is_url(name):
        return _expanded_path(name)
    with reading(name):
        if path != name and not Path(path).is_dir():
            return _expanded_path(path)
        location = Location.of(name)
        wildcard, info = _WILDCARD.search(without_query(location.name)), location.info
        if wildcard is None or is_there(info):
            return _files_of(location) if is_folder(info) else [Listed(name, info)]
        query = location.name[len(without_query(location.name)) :]
        base = Location.of(location.name[: wildcard.start()].rpartition("/")[0] + query)
        pattern = _pattern(without_query(location.name))
        found = [file for file in base.files_below() if pattern.fullmatch(without_query(file.name))]
        if not found:
            raise InputError(f"{name}: no file has such a name: check the URL")
        return [Listed(file.name, file.listed) for file in found]


def _expanded_path(name: str) -> list[Listed]:
    own = (SUCCESS_FILE, UNFINISHED_FOLDER)
    if any(os.path.exists(os.path.join(name, file)) for file in own):  # noqa: PTH110, PTH118 - any name is taken
        with reading(name):
            return _files_of(Location.of(name))
    if not _WILDCARD.search(name) or os.path.lexists(name):
        return [Listed(name)]
    found = sorted(path for path in glob.glob(name, recursive=True) if Path(path).is_file())  # noqa: PTH207
    return [Listed(path) for path in found or [name]]


def _files_of(folder: Location) -> list[Listed]:
    """Return the files in a folder and below."""
    if is_folder((folder / UNFINISHED_FOLDER).info) and not (folder / SUCCESS_FILE).info.is_file:
        raise InputError(f"{folder.name} isn't complete: go on with the run that writes it, with --resume")
    found = [Listed(file.name, file.listed) for file in folder.files_below()]
    if not found:
        raise InputError(f"{folder.name} is a folder without files: check its name")
    return found


def _pattern(url: str) -> re.Pattern[str]:
    """Return what URLs match a pattern of wildcards."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^]/]+\])", url)
    meanings = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile(
        "".join(
            re.escape(part) if number % 2 == 0 else meanings.get(part) or part.replace("[!", "[^", 1)
            for number, part in enumerate(parts)
        ),
        re.DOTALL,
    )


_WILDCARD = re.compile(r"[*?[]")


def _source(name: str, info: Any, format: str | None, max_ratio: int) -> Source:
    found = _format_of(name, format)
    if found == FOLDER:
        folder = _open_folder(name, format, max_ratio)
        return Source(name, found, folder.size, folder.state, folder)
    if is_url(name):
        if info.size is None:
            raise InputError(f"{name}: there is no such file: check the URL")
        return Source(name, found, info.size, state_of(info))
    if name == STANDARD_STREAM or not Path(name).is_file():
        return Source(name, found, None, "")
    status = Path(name).stat()
    changed = datetime.fromtimestamp(status.st_mtime_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
    state = f"{status.st_size} bytes of {changed}.{status.st_mtime_ns % 10**9:09}"
    return Source(name, found, status.st_size, state)


def _format_of(name: str, format: str | None) -> str:
    known = (*TABLES, *mailstores.FORMATS)
    if format is not None and format not in known:
        raise OptionError(f"there is no format {format!r}: choose one of {', '.join(known)}")
    if name == STANDARD_STREAM:
        if format is None:
            raise OptionError(
                f"the format of standard input is not known: choose one with --format: {', '.join(known)}"
            )
        return format
    if not name:
        raise InputError("an input has no name: name a file, or - for standard input")
    path = Path(name)
    try:
        if is_url(name):
            pass  # it was listed, or its size will be asked for
        elif path.is_dir():
            if format in TABLES:
                raise OptionError(f"{name} is a folder, and no folder of {format} is read: name the files in it")
            return FOLDER
        elif not path.exists():
            as_text = (
                ""
                if path.suffix or len(path.parts) > 1
                else (f", or score it as a text: echo {shlex.quote(name)} | textsent score")
            )
            raise InputError(f"{name}: there is no such file: check the path{as_text}")
    except OSError as exc:
        raise InputError(f"{name[:80]} can't be opened: {exc.strerror}") from exc
    found = format or format_by_suffix(name)[0]
    if not found and (is_url(name) or path.is_file()):
        with open_file(name) as file, errors_of(name):
            found = mailstores.sniff_mail(file)
    if not found:
        raise InputError(
            f"{name}: the suffix {Path(without_query(name)).suffix!r} names no format that textsent reads: "
            f"choose one with --format: {', '.join(known)}"
        )
    return found


def format_by_suffix(path: str | Path) -> tuple[str | None, str | None]:
    """Return the format and the compression that a path's suffixes name, None where they name none."""
    suffix, compression = suffix_and_compression(Path(without_query(str(path))))
    return SUFFIXES.get(suffix), compression


def is_plain(name: str) -> bool:
    """Return whether a file isn't compressed, nor ends before that can be told."""
    compression = format_by_suffix(name)[1]
    with open_file(name, by_arrow=False) as file, errors_of(name):
        is_cut = compression is not None and is_cut_within_magic(file, compression)
        return compression_of(file) is None and not is_cut


def is_text_argument(argument: str) -> bool:
    """Return whether what stands for an input is rather a text itself.

    That is so where it holds white space, is no file, and looks neither like a path nor like a file's name.
    """
    if not any(map(str.isspace, argument)) or argument.startswith(("/", "./", "../", "~/")):
        return False
    if any(format_by_suffix(argument)):
        return False
    try:
        return not os.path.lexists(argument)
    except ValueError:
        return True


def _open_folder(name: str, format: str | None, max_ratio: int) -> mailstores.MailFolder:
    try:
        folder = mailstores.MailFolder(name, format, max_ratio)
    except OSError as exc:
        raise InputError(f"{exc.filename or name} can't be opened: {exc.strerror}") from exc
    if not len(folder):
        raise InputError(
            f"{name} is a folder without mail: textsent looks for .mbox, .eml, .emlx and .msg files and Maildirs "
            f"in it; name other files one by one, for instance {Path(name, '*.csv')}"
        )
    return folder


def open_file(name: str, by_arrow: bool = True) -> IO[bytes]:
    """Open a file by its path or URL, or standard input.

    Args:
        name: Its name.
        by_arrow: Whether it may be a file of Arrow's, which Python's own modules for archives can't read.

    Raises:
        InputError: It can't be opened.
    """
    if name == STANDARD_STREAM:
        if sys.stdin is None:
            raise InputError("standard input is closed: name a file")
        return sys.stdin.buffer
    if is_url(name):
        with reading(name):
            return Location.of(name).open()
    try:
        # Arrow reads on threads of its own, which can't take Python's lock once the process ends: where it can,
        # the file is Arrow's too.
        if by_arrow and Path(name).is_file() and name.isascii():
            return pa.OSFile(name)
        return Path(name).open("rb")
    except OSError as exc:
        # Arrow's own text names the file once more.
        raise InputError(f"{name} can't be opened: {os.strerror(exc.errno) if exc.errno else exc}") from exc


def shown_name(name: str) -> str:
    """Return an input's name as messages show it."""
    return "standard input" if name == STANDARD_STREAM else name


@contextmanager
def errors_of(name: str) -> Iterator[None]:
    """Turn what Arrow and Python say of a file's content into an InputError that names the file."""
    shown = shown_name(name)
    try:
        yield
    except MemoryError:  # Arrow's is one of its own errors too
        raise
    except UnicodeDecodeError as exc:
        raise InputError(f"{shown}: {_NOT_UTF8}") from exc
    except Exception as exc:
        if not isinstance(exc, _OF_CONTENT) and not is_of_a_store(exc):
            raise
        reason = without_values((str(exc).splitlines() or [type(exc).__name__])[0]).rstrip(".")
        is_arrows = isinstance(exc, pa.ArrowException) or (isinstance(exc, OSError) and not exc.errno)
        advice = ": it may be damaged, write or fetch it again" if is_arrows else ""
        known = (*_REASONS, *REASONS)
        reason = next((ours for theirs, ours in known if theirs in reason), reason + advice)
        raise InputError(f"{shown} can't be read: {reason}") from exc


_OF_CONTENT = (pa.ArrowException, ValueError, EOFError, OverflowError, RecursionError)


def without_values(message: str) -> str:
    """Return what Arrow says of a value without the value: it may be a text of someone's mail."""
    return _QUOTED_VALUE.sub("a value", _QUOTED_ROW.sub(r"\1", message))


_QUOTED_ROW = re.compile(r"(?<=columns, got )(?P<columns>\d+): .*", re.DOTALL)


_QUOTED_VALUE = re.compile(
    r"(?<=Could not convert )['\"].*['\"](?= with type)|(?<=Failed to parse string: )'.*'(?= as )", re.DOTALL
)


_NOT_UTF8 = "the text is not UTF-8: convert it first, for instance with `iconv -f WINDOWS-1252 -t UTF-8`"


_REASONS = (
    ("invalid UTF8", _NOT_UTF8),
    ("Invalid UTF8", _NOT_UTF8),
    ("Truncated compressed stream", "its compressed data end too early: it is a part of a file, fetch it again"),
    ("Parquet magic bytes not found", "it is no Parquet file, or a part of one: write or fetch it again"),
    ("Parquet file size is", "it is too short for a Parquet file: write or fetch it again"),
    (
        "Failed to launch worker thread",
        "no thread can be started to read it: end other programs, or raise the limits that `ulimit -a` shows",
    ),
    ("decrypt", "it is an encrypted Parquet file: write it without encryption"),
)
"""What Arrow says of a file's content, and what is said of it here."""
