"""Any input as a stream of Arrow record batches.

What can be read from a path can be read from a URL too; `textsent.sources` finds the files.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import pyarrow as pa

from textsent import mailstores
from textsent.compression import MAX_RATIO, Unpacked, decompressed
from textsent.delimited import open_csv
from textsent.encodings import decoder_of, without_marks
from textsent.errors import InputError, OptionError
from textsent.lines import open_jsonl, open_text
from textsent.mail import DEFAULT_OPTIONS, MailOptions, mail_schema, read_messages
from textsent.mailworkers import MailboxFile
from textsent.mbox import Message
from textsent.schema import ADVICE, is_text, split_problems, text_column, with_problems
from textsent.sources import (
    FOLDER,
    STANDARD_STREAM,
    Source,
    Span,
    errors_of,
    find_sources,
    format_by_suffix,
    is_plain,
    open_file,
    shown_name,
)
from textsent.tables import BATCH_ROWS, DEFAULT_TABLE_OPTIONS, Note, TableOptions, strings_of

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
        return all(each.format == FOLDER or each.format in mailstores.FORMATS for each in self._inputs)

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
            with errors_of(name):
                mailbox = MailboxFile(name, self._mail, self._with_raw, self._workers, mark.offset, self._span)
            self._file = self._stack.enter_context(mailbox)
            return mail_schema(self._with_raw), mailbox.batches()
        self._file = open_file(name, by_arrow=format != "zip")
        if name != STANDARD_STREAM:
            self._stack.enter_context(self._file)
        with errors_of(name):
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
        with errors_of(source.name):
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
    with errors_of(STANDARD_STREAM), decompressed(open_file(STANDARD_STREAM), Unpacked()) as stream:
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


def read_standard_input(encoding: str | None = None) -> str:
    """Return all of standard input as one text in an encoding, by default UTF-8.

    Raises:
        InputError: It is closed, or in another encoding.
    """
    with errors_of(STANDARD_STREAM):
        try:
            return open_file(STANDARD_STREAM).read().decode(encoding or "utf-8-sig")
        except UnicodeDecodeError as exc:
            if encoding is None:
                raise
            raise ValueError(f"it is not in {encoding}: choose another --encoding") from exc


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
