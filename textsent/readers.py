"""Any input as a stream of Arrow record batches.

A file's format is told by its suffix (`.csv`, or `.csv.gz`), its compression by its first bytes. What can be read
from a path can be read from a URL too.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import pyarrow as pa

from textsent import mailstores
from textsent.compression import (
    MAX_RATIO,
    Unpacked,
    compression_of,
    decompressed,
    is_cut_within_magic,
    suffix_and_compression,
)
from textsent.delimited import open_csv
from textsent.encodings import decoder_of, without_marks
from textsent.errors import InputError, OptionError
from textsent.lines import open_jsonl, open_text
from textsent.mail import DEFAULT_OPTIONS, MailOptions, mail_schema, read_messages
from textsent.mailworkers import MailboxFile
from textsent.mbox import Message
from textsent.schema import ADVICE, is_text, split_problems, text_column, with_problems
from textsent.storage import (
    REASONS,
    Location,
    ask_each,
    expanded,
    is_of_a_store,
    is_url,
    reading,
    state_of,
    without_query,
)
from textsent.tables import BATCH_ROWS, DEFAULT_TABLE_OPTIONS, Note, TableOptions, strings_of

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

_PARQUET_BUFFER = 1 << 20  # bytes of a column that are read ahead
_LINES_BYTES = 1 << 18

_Batches = Iterable[pa.RecordBatch]


class _Counted:
    """Batches of a file that is read here and there, so that its own place tells nothing of them.

    Attributes:
        total: Its rows.
    """

    closed = False  # as of an open file

    def __init__(self, batches: Iterator[tuple[pa.RecordBatch, int]], total: int) -> None:
        """Take batches, each with the rows that were read up to its end."""
        self.total = total
        self._batches = batches
        self._rows = 0
        self._size = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch, rows in self._batches:
            self._rows = rows
            yield batch

    def place_in(self, size: int) -> None:
        """Say how many bytes the file has."""
        self._size = size

    def tell(self) -> int:
        """Return the bytes of the file that the batches so far take up."""
        return round(self._size * self._rows / self.total) if self.total else self._size


class Mark(NamedTuple):
    """A place between two batches, to which a reader of the same inputs can go.

    Attributes:
        rows: Rows that stand before it, by input: of those that were begun, in their order.
        offset: In a mailbox that can be read from any place, bytes before the next message; else None.
    """

    rows: tuple[int, ...]
    offset: int | None = None


_START = Mark((0,))


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


class Reader:
    """One or several inputs as a stream of record batches of one schema.

    Iterate over it once, inside a `with` statement.

    Attributes:
        schema: The columns of every batch; where bad rows are kept, those of PROBLEM_FIELDS stand behind them.
        size: Bytes of all inputs as they are stored; None where one is a pipe.
        total_rows: Rows of all inputs, where that is known before they are read: of one Parquet file; else None.
        rows: Rows that were read, by input: of those that were begun, in their order.
        states: What each input was when it was opened, in words that differ where it does; empty for a pipe.
        notes: What was decided by what an input looks like, as its encoding, in a sentence each.
        bounds: Of a span of a mailbox, once it is read, bytes before its first message and before the first one
            after it.
    """

    def __init__(
        self,
        sources: Sequence[str | Path],
        format: str | None = None,
        mail: MailOptions = DEFAULT_OPTIONS,
        with_raw: bool = False,
        workers: int = 1,
        max_ratio: int = MAX_RATIO,
        table: TableOptions = DEFAULT_TABLE_OPTIONS,
        span: Span | None = None,
    ) -> None:
        """Open the first input.

        Args:
            sources: Paths and URLs, also patterns of them; `-` is standard input. A path's folder is one of mail: a
                Maildir, or with mail in files; a URL's folder stands for the files in it.
            format: One of csv, tsv, parquet, jsonl, text, mbox, eml, emlx, msg, zip, tar; by default what the
                suffix says or, of a file without one, the first bytes. Of a folder it is that of each file.
            mail: What of a mail counts as its text.
            with_raw: Also yield the bytes of mails, in the columns of RAW_FIELDS; other inputs are an error.
            workers: Processes that read a large mailbox.
            max_ratio: How many times as large as an input what is unpacked from it may be, see
                `textsent.compression.Unpacked`.
            table: How CSV, JSON Lines and text files are written, and whether bad rows are kept.
            span: What is read of the input, which is one of a format of DIVISIBLE, and not compressed.

        Raises:
            InputError: An input is missing, of no known format, or unreadable.
        """
        if workers < 1:
            raise OptionError(f"there must be at least one worker. Received: {workers}")
        if max_ratio < 1:
            raise OptionError(f"the largest ratio must be 1 or more. Received: {max_ratio}")
        self._max_ratio = max_ratio
        self._mail = mail
        self._with_raw = with_raw
        self._workers = workers
        self._table = table
        self._span = span
        self.bounds: tuple[int, int] | None = None
        self.notes: list[str] = []
        self._stack = ExitStack()
        self._inputs = find_sources([str(source) for source in sources], format, max_ratio)
        sizes = [each.size for each in self._inputs]
        self.size = None if None in sizes else sum(size for size in sizes if size)
        if span and self.size is not None:
            self.size = max(0, min(span.end, self.size) - span.start)
        self.states = [each.state for each in self._inputs]
        self._start = _START
        self._read_before = 0  # bytes of the inputs that are done
        self._file: Any = None
        self.total_rows: int | None = None
        self.rows: list[int] = []
        try:
            self.schema, self._first = self._open(self._inputs[0])
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        first = len(self._start.rows) - 1
        yield from self._read(self._inputs[first], self._first, self._start.rows[-1])
        for each in self._inputs[first + 1 :]:
            schema, batches = self._open(each)
            if not schema.equals(self.schema):
                raise InputError(
                    f"{each.name} has other columns than {self._inputs[first].name}: "
                    f"{_difference(self.schema, schema)}; "
                    "score it in a run of its own"
                )
            yield from self._read(each, batches)

    def go_to(self, mark: Mark) -> None:
        """Begin at a place to which a reader of the same inputs had come; none of them may be a pipe.

        Raises:
            InputError: The input that it is in can't be read.
        """
        self._stack.close()
        self.notes.clear()
        self._start = mark
        self.rows = list(mark.rows[:-1])
        self._read_before = sum(each.size or 0 for each in self._inputs[: len(self.rows)])
        _, self._first = self._open(self._inputs[len(self.rows)], mark)

    def abandon(self) -> None:
        """Leave a pipe open for good: a thread is reading it, and may do so for ever."""
        if self.size is None:
            self._abandoned = self._stack.pop_all()

    @property
    def mark(self) -> Mark:
        """The place after the rows that were read so far."""
        return Mark(tuple(self.rows), self._file.next_offset if isinstance(self._file, MailboxFile) else None)

    @property
    def holds_mail(self) -> bool:
        """Whether all inputs are mailboxes, mails, or folders or archives of them."""
        return all(each.format == _FOLDER or each.format in mailstores.FORMATS for each in self._inputs)

    def text_column(self, name: str | None = None) -> str:
        """Return the name of the column that holds the texts, as `textsent.schema.text_column` does.

        Raises:
            InputError: There is no such column, or several could be meant; it says how the columns were told too.
        """
        try:
            return text_column(self.schema, name)
        except InputError as exc:
            raise InputError("; ".join([f"{shown_name(self.name)}: {exc}", *self.notes])) from exc

    @property
    def names(self) -> list[str]:
        """The inputs' names."""
        return [each.name for each in self._inputs]

    @property
    def name(self) -> str:
        """The inputs' names, for messages."""
        names = self.names
        return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"

    @property
    def position(self) -> int:
        """Bytes of `size` that the rows read so far take up, as near as can be told; 0 where `size` is None."""
        if self.size is None:
            return 0
        return self._read_before + (self._file.tell() if self._file and not self._file.closed else 0)

    def _open(self, source: Source, mark: Mark = _START) -> tuple[pa.Schema, _Batches]:
        """Return an input's columns, and its batches after a mark."""
        name, format, done = source.name, source.format, mark.rows[-1]
        if source.folder:
            self._file = self._stack.enter_context(source.folder)
            return self._open_mail(source.folder.messages(self._max_message_bytes), done)
        if format == "mbox" and source.size is not None and is_plain(name):
            with _errors_of(name):
                start, span = mark.offset, self._span
                if span:
                    start = span.first if start is None else start
                mailbox = MailboxFile(
                    name, self._mail, self._with_raw, self._workers, start, (span.start, span.end) if span else None
                )
            self._file = self._stack.enter_context(mailbox)
            return mail_schema(self._with_raw), mailbox.batches()
        self._file = _open_file(name, by_arrow=format != "zip")
        if name != STANDARD_STREAM:
            self._stack.enter_context(self._file)
        with _errors_of(name):
            unpacked = Unpacked(source.size, self._max_ratio)
            named = format_by_suffix(name)[1]
            stream = self._stack.enter_context(decompressed(self._file, unpacked, named))
            if format in mailstores.FORMATS:
                if format == "zip":
                    stream = _seekable(stream, self._stack)
                return self._open_mail(
                    mailstores.read_store(stream, format, self._max_message_bytes, unpacked), done
                )
            if self._with_raw:
                raise ValueError(
                    "it is no mail, which alone can be written into a mailbox: "
                    "write a .parquet, .csv or .jsonl file"
                )
            if format == "parquet":
                schema, rows = _open_parquet(_seekable(stream, self._stack), self._span)
                if source.size is not None:
                    rows.place_in(self.size if self._span and self.size else source.size)
                    self._file = rows
                    self.total_rows = rows.total if len(self._inputs) == 1 else None
                batches: _Batches = rows
            else:
                schema, batches = _OPENERS[format](stream, self._table, self._noting(name))
            schema.names  # noqa: B018 - decodes them, which fails where they aren't UTF-8
            return schema, _after(batches, done)

    def _noting(self, name: str) -> Note:
        return lambda note: self.notes.append(f"{shown_name(name)}: {note}")

    def _open_mail(self, messages: Iterator[Message], done: int) -> tuple[pa.Schema, _Batches]:
        wanted = islice(messages, done, None)
        return mail_schema(self._with_raw), read_messages(wanted, self._mail, self._with_raw)

    @property
    def _max_message_bytes(self) -> int | None:
        return self._mail.max_held_bytes(self._with_raw)

    def _read(self, source: Source, batches: _Batches, done: int = 0) -> Iterator[pa.RecordBatch]:
        self.rows.append(done)
        with _errors_of(source.name):
            for batch in batches:
                own, problems = split_problems(batch)
                if not self._table.keep_bad_rows:
                    _check(problems, self.rows[-1])
                    batch = own
                elif problems is None:
                    batch = with_problems(batch)
                self.rows[-1] += batch.num_rows
                yield batch
        self._stack.close()
        if isinstance(self._file, MailboxFile):
            self.bounds = self._file.first_offset, self._file.next_offset
        self._file = None
        self._read_before += source.size or 0


def open_reader(
    source: str | Path | Sequence[str | Path],
    format: str | None = None,
    mail: MailOptions = DEFAULT_OPTIONS,
    with_raw: bool = False,
    workers: int = 1,
    max_ratio: int = MAX_RATIO,
    table: TableOptions = DEFAULT_TABLE_OPTIONS,
    span: Span | None = None,
) -> Reader:
    """Return a reader of one path or of several; see `Reader`."""
    sources = [source] if isinstance(source, str | Path) else source
    return Reader(sources, format, mail, with_raw, workers, max_ratio, table, span)


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


def lines_as_they_come(
    encoding: str | None = None, on_undecodable: Callable[[int], object] | None = None
) -> Iterator[list[str]]:
    """Yield the lines of standard input, a text each, as many at a time as have come: none waits for the next one.

    Args:
        encoding: What it is in, by default UTF-8. What can't be decoded becomes U+FFFD.
        on_undecodable: Called with the number, from 1 on, of a line that has such bytes.

    Raises:
        InputError: It begins like a mailbox or an archive, or can't be read.
    """
    decoder = io.IncrementalNewlineDecoder(decoder_of(encoding), translate=True)
    number = 0

    def repaired_lines(text: str) -> list[str]:
        nonlocal number
        lines = []
        for line in text.split("\n"):
            number += 1
            line, is_broken = without_marks(line)
            if is_broken and on_undecodable:
                on_undecodable(number)
            lines.append(line)
        return lines

    held: list[str] = []  # of a line whose end hasn't come
    with _errors_of(STANDARD_STREAM), decompressed(_open_file(STANDARD_STREAM), Unpacked()) as stream:
        begun = False
        come: Any = stream.read1  # type: ignore[attr-defined]
        while chunk := come(_LINES_BYTES):
            if not begun and (found := mailstores.sniff_mail(io.BytesIO(chunk))):
                raise ValueError(f"it begins like {found}: say so with - --format {found}")
            begun = True
            ended, line_end, rest = decoder.decode(chunk).rpartition("\n")
            if line_end:
                yield repaired_lines("".join([*held, ended]))
                held = []
            held.append(rest)
        if last := "".join([*held, decoder.decode(b"", final=True)]):
            yield repaired_lines(last)


def format_by_suffix(path: str | Path) -> tuple[str | None, str | None]:
    """Return the format and the compression that a path's suffixes name, None where they name none."""
    suffix, compression = suffix_and_compression(Path(without_query(str(path))))
    return SUFFIXES.get(suffix), compression


def read_standard_input(encoding: str | None = None) -> str:
    """Return all of standard input as one text in an encoding, by default UTF-8.

    Raises:
        InputError: It is closed, or in another encoding.
    """
    with _errors_of(STANDARD_STREAM):
        try:
            return _open_file(STANDARD_STREAM).read().decode(encoding or "utf-8-sig")
        except UnicodeDecodeError as exc:
            if encoding is None:
                raise
            raise ValueError(f"it is not in {encoding}: choose another --encoding") from exc


_FOLDER = "folder"


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
    """Return the files and folders that names stand for, in their order; see `Reader`.

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


def _source(name: str, info: Any, format: str | None, max_ratio: int) -> Source:
    found = _format_of(name, format)
    if found == _FOLDER:
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
    known = (*_TABLES, *mailstores.FORMATS)
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
            if format in _TABLES:
                raise OptionError(f"{name} is a folder, and no folder of {format} is read: name the files in it")
            return _FOLDER
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
        with _open_file(name) as file, _errors_of(name):
            found = mailstores.sniff_mail(file)
    if not found:
        raise InputError(
            f"{name}: the suffix {Path(without_query(name)).suffix!r} names no format that textsent reads: "
            f"choose one with --format: {', '.join(known)}"
        )
    return found


def is_plain(name: str) -> bool:
    """Return whether a file isn't compressed, nor ends before that can be told."""
    compression = format_by_suffix(name)[1]
    with _open_file(name, by_arrow=False) as file, _errors_of(name):
        is_cut = compression is not None and is_cut_within_magic(file, compression)
        return compression_of(file) is None and not is_cut


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


def _open_file(name: str, by_arrow: bool = True) -> IO[bytes]:
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


def _check(problems: pa.RecordBatch | None, rows: int) -> None:
    """Raise ValueError where a row has a problem; `rows` stand before the first of them."""
    if problems is None or problems.column("problem").null_count == problems.num_rows:
        return
    row, found = next((row, found) for row, found in enumerate(problems.to_pylist(), 1) if found["problem"])
    problem, line = found["problem"], found["line"]
    place = f"row {rows + row}" if line is None else f"line {line}"
    raise ValueError(
        f"{place}: {problem}: {next(advice for name, advice in ADVICE.items() if problem.startswith(name))}"
    )


@contextmanager
def _errors_of(name: str) -> Iterator[None]:
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


def _open_parquet(stream: IO[bytes], span: Span | None) -> tuple[pa.Schema, _Counted]:
    import pyarrow.parquet

    # As it comes, Arrow holds a whole row group.
    file = pyarrow.parquet.ParquetFile(stream, buffer_size=_PARQUET_BUFFER, pre_buffer=False)
    last_byte = stream.seek(0, os.SEEK_END) - 1
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    wanted = [
        number
        for number, group in enumerate(groups)
        if span is None or span.start <= _first_byte(group, last_byte) < span.end
    ]
    total = sum(groups[number].num_rows for number in wanted)

    def check(told: int, found: int) -> None:
        if told != found:
            raise ValueError(
                f"it says that it has {told:,} rows, and {found:,} are in it: it may be damaged, write or fetch it "
                "again"
            )

    check(file.metadata.num_rows, sum(group.num_rows for group in groups))

    def batches() -> Iterator[tuple[pa.RecordBatch, int]]:
        rows = 0
        for batch in file.iter_batches(BATCH_ROWS, wanted) if wanted else ():
            rows += batch.num_rows
            yield _with_valid_strings(batch), rows
        check(total, rows)

    return file.schema_arrow, _Counted(batches(), total)


def _first_byte(group: Any, last_byte: int) -> int:
    """Return the bytes before a row group; a place within the file, whatever it says, so that a span has it."""
    if not group.num_columns:
        return 0
    column = group.column(0)
    place = min(column.data_page_offset, column.dictionary_page_offset or column.data_page_offset)
    return min(max(0, place), last_byte)


def _with_valid_strings(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose strings are UTF-8; where they weren't, with PROBLEM_FIELDS."""
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        problems: list[str | None] = [None] * batch.num_rows
        columns = []
        for column, field in zip(batch.columns, batch.schema, strict=True):
            if not is_text(field.type):
                column.validate(full=True)
                columns.append(column)
                continue
            plain = column.dictionary_decode() if pa.types.is_dictionary(field.type) else column
            values = plain.cast(_BYTES_OF.get(plain.type, pa.binary())).to_pylist()
            columns.append(strings_of(values, problems).cast(field.type))
        return with_problems(
            pa.RecordBatch.from_arrays(columns, schema=batch.schema), pa.array(problems, pa.string())
        )
    return batch


_BYTES_OF = {pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}


def _seekable(stream: IO[bytes], stack: ExitStack) -> IO[bytes]:
    """Return a stream that can be read in any order: a pipe, or what is compressed as a whole, goes into a file."""
    if stream.seekable():
        return stream
    import shutil
    import tempfile

    spooled = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    shutil.copyfileobj(stream, spooled)
    return spooled


_OPENERS: dict[str, Callable[[IO[bytes], TableOptions, Note], tuple[pa.Schema, _Batches]]] = {
    "csv": open_csv,
    "tsv": partial(open_csv, delimiter="\t"),
    "jsonl": open_jsonl,
    "text": open_text,
}
_TABLES = ("csv", "tsv", "parquet", "jsonl", "text")


def _after(batches: _Batches, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield what comes after the first rows."""
    for batch in batches:
        if rows < batch.num_rows:
            yield batch.slice(rows)
        rows = max(0, rows - batch.num_rows)


def _difference(expected: pa.Schema, received: pa.Schema) -> str:
    for left, right in zip(expected, received, strict=False):
        if not left.equals(right):
            return f"expected {left.name!r} ({left.type}), found {right.name!r} ({right.type})"
    return f"expected {len(expected)} columns, found {len(received)}"
