"""Any input as a stream of Arrow record batches.

A file's format is told by its suffix (`.csv`, or `.csv.gz`), its compression by its first bytes.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pyarrow as pa

from textsent.errors import InputError, OptionError
from textsent.schema import MAIL_SCHEMA

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
    ".mbox": "mbox",
    ".mbx": "mbox",
}

COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_MAGIC = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),  # a block, or the end of an empty stream
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd"),
}

BATCH_ROWS = 4096
_BLOCK_SIZE = 1 << 20  # bytes of CSV parsed at a time; a row must fit in, and Arrow reads 32 of them ahead

_Batches = Iterator[pa.RecordBatch]


class Reader:
    """One or several inputs as a stream of record batches of one schema.

    Iterate over it once, inside a `with` statement.

    Attributes:
        schema: The columns of every batch.
        size: Bytes of all inputs as they are stored; None where one is a pipe.
    """

    def __init__(self, sources: Sequence[str | Path], format: str | None = None) -> None:
        """Open the first input.

        Args:
            sources: Paths; `-` is standard input.
            format: One of csv, tsv, parquet, jsonl, text, mbox; by default what the suffix says.

        Raises:
            InputError: An input is missing, of no known format, or unreadable.
        """
        if not sources:
            raise OptionError("there is no input: name at least one file, or - for standard input")
        self._inputs = [(str(source), _format_of(source, format)) for source in sources]
        if [name for name, _ in self._inputs].count(STANDARD_STREAM) > 1:
            raise OptionError("standard input can be read only once: name - once")
        self.size = _total_size([name for name, _ in self._inputs])
        self._read_before = 0  # bytes of the inputs that are done
        self._stack = ExitStack()
        self._file: IO[bytes] | None = None
        try:
            self.schema, self._first = self._open(*self._inputs[0])
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

    def __iter__(self) -> _Batches:
        first_name = self._inputs[0][0]
        yield from self._read(first_name, self._first)
        for name, format in self._inputs[1:]:
            schema, batches = self._open(name, format)
            if not schema.equals(self.schema):
                raise InputError(
                    f"{name} has other columns than {first_name}: {_difference(self.schema, schema)}; "
                    "score it in a run of its own"
                )
            yield from self._read(name, batches)

    @property
    def name(self) -> str:
        """The inputs' names, for messages."""
        names = [name for name, _ in self._inputs]
        return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"

    @property
    def position(self) -> int:
        """Bytes read so far, of `size`; 0 where that is None."""
        if self.size is None:
            return 0
        return self._read_before + (self._file.tell() if self._file and not self._file.closed else 0)

    def _open(self, name: str, format: str) -> tuple[pa.Schema, _Batches]:
        self._file = self._stack.enter_context(_open_file(name))
        with _errors_of(name):
            stream = self._stack.enter_context(_decompressed(self._file))
            schema, batches = _OPENERS[format](stream, self._stack)
            schema.names  # noqa: B018 - decodes them, which fails where they aren't UTF-8
            return schema, batches

    def _read(self, name: str, batches: _Batches) -> _Batches:
        with _errors_of(name):
            yield from batches
        self._stack.close()
        if name != STANDARD_STREAM:
            self._read_before += Path(name).stat().st_size


def open_reader(source: str | Path | Sequence[str | Path], format: str | None = None) -> Reader:
    """Return a reader of one path or of several; see `Reader`."""
    return Reader([source] if isinstance(source, str | Path) else source, format)


def format_by_suffix(path: str | Path) -> tuple[str | None, str | None]:
    """Return the format and the compression that a path's suffixes name, None where they name none."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    return SUFFIXES.get(suffixes[-1]) if suffixes else None, compression


def _format_of(source: str | Path, format: str | None) -> str:
    if format is not None:
        if format not in _OPENERS:
            raise OptionError(f"there is no format {format!r}: choose one of {', '.join(_OPENERS)}")
        return format
    found, _ = format_by_suffix(source)
    if found:
        return found
    if str(source) == STANDARD_STREAM:
        raise OptionError(
            f"the format of standard input is not known: choose one with --format: {', '.join(_OPENERS)}"
        )
    if Path(source).is_file():
        raise InputError(
            f"{source}: the suffix {Path(source).suffix!r} names no format that textsent reads: "
            f"choose one with --format: {', '.join(_OPENERS)}"
        )
    raise _not_a_file(str(source))


def _not_a_file(name: str) -> InputError:
    if Path(name).is_dir():
        return InputError(f"{name} is a folder: name the files in it, for instance {Path(name, '*.mbox')}")
    return InputError(f"{name}: there is no such file: check the path")


def _total_size(names: list[str]) -> int | None:
    if STANDARD_STREAM in names:
        return None
    try:
        for name in names:
            if not Path(name).exists() or Path(name).is_dir():
                raise _not_a_file(name)
        sizes = [Path(name).stat().st_size if Path(name).is_file() else None for name in names]
    except OSError as exc:
        raise InputError(f"{name[:80]} can't be opened: {exc.strerror}") from exc
    return None if None in sizes else sum(size for size in sizes if size)


def _open_file(name: str) -> IO[bytes]:
    if name == STANDARD_STREAM:
        if sys.stdin is None:
            raise InputError("standard input is closed: name a file")
        return sys.stdin.buffer
    try:
        # Arrow reads on threads of its own, which can't take Python's lock once the process ends: where it can,
        # the file is Arrow's too.
        if Path(name).is_file() and name.isascii():
            return pa.OSFile(name)
        return Path(name).open("rb")
    except OSError as exc:
        # Arrow's own text names the file once more.
        raise InputError(f"{name} can't be opened: {os.strerror(exc.errno) if exc.errno else exc}") from exc


@contextmanager
def _decompressed(file: IO[bytes]) -> Iterator[IO[bytes]]:
    if isinstance(file, io.BufferedReader):
        first = file.peek(16)
    else:
        first = file.read(16)
        file.seek(0)
    compression = next((kind for kind, magic in _MAGIC.items() if magic.match(first)), None)
    if compression is None:
        yield file
    else:
        with pa.CompressedInputStream(file, compression) as stream:
            yield stream


@contextmanager
def _errors_of(name: str) -> Iterator[None]:
    """Turn what Arrow and Python say of a file's content into an InputError that names the file."""
    shown = "standard input" if name == STANDARD_STREAM else name
    try:
        yield
    except UnicodeDecodeError as exc:
        raise InputError(f"{shown}: {_NOT_UTF8}") from exc
    except (pa.ArrowException, ValueError, OSError, EOFError, OverflowError, RecursionError) as exc:
        reason = str(exc).splitlines()[0].rstrip(".")
        if "invalid UTF8" in reason or "Invalid UTF8" in reason:
            reason = _NOT_UTF8
        elif "straddl" in reason:
            reason = f"a row is longer than {_BLOCK_SIZE >> 20} MiB, or a quote is never closed"
        elif "Empty CSV file" in reason:
            reason = "the file is empty: it needs a line with the columns' names, and rows"
        raise InputError(f"{shown} can't be read: {reason}") from exc


_NOT_UTF8 = "the text is not UTF-8: convert it first, for instance with `iconv -f WINDOWS-1252 -t UTF-8`"


def _open_csv(stream: IO[bytes], stack: ExitStack, delimiter: str = ",") -> tuple[pa.Schema, _Batches]:
    import pyarrow.csv

    reader = pyarrow.csv.open_csv(
        stream,
        pyarrow.csv.ReadOptions(block_size=_BLOCK_SIZE),
        pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        # Every value stays the text it was: 007 is no number, and neither NA nor an empty field is missing.
        pyarrow.csv.ConvertOptions(default_column_type=pa.string(), strings_can_be_null=False),
    )
    stack.callback(reader.close)
    if len(reader.schema) == 1 and re.search("[;\t]", reader.schema.names[0]):
        raise ValueError("its columns are not separated by commas: --format tsv reads tabs; convert semicolons")
    return reader.schema, _cut(reader)


def _open_tsv(stream: IO[bytes], stack: ExitStack) -> tuple[pa.Schema, _Batches]:
    return _open_csv(stream, stack, delimiter="\t")


def _open_parquet(stream: IO[bytes], stack: ExitStack) -> tuple[pa.Schema, _Batches]:
    import pyarrow.parquet

    if not stream.seekable():
        import shutil
        import tempfile

        # A pipe, or compressed as a whole.
        spooled = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        shutil.copyfileobj(stream, spooled)
        stream = spooled
    file = pyarrow.parquet.ParquetFile(stream)

    def batches() -> _Batches:
        for batch in file.iter_batches(BATCH_ROWS):
            batch.validate(full=True)  # strings may hold what isn't UTF-8
            yield batch

    return file.schema_arrow, batches()


def _open_jsonl(stream: IO[bytes], stack: ExitStack) -> tuple[pa.Schema, _Batches]:
    rows = _objects(_text_lines(stream, stack))
    first = list(islice(rows, BATCH_ROWS))
    names = list(dict.fromkeys(name for row in first for name in row))
    types = [_inferred(name, [row.get(name) for row in first]).type for name in names]
    # A field that was null in all of the first rows is most likely to be a string later on.
    types = [pa.string() if pa.types.is_null(data_type) else data_type for data_type in types]
    schema = pa.schema(zip(names, types, strict=True))

    def batches() -> _Batches:
        batch = first
        while batch:
            unknown = {name for row in batch for name in row}.difference(names)
            if unknown:
                raise ValueError(
                    f"the field {min(unknown)!r} first appears after row {BATCH_ROWS:,}: "
                    "put it into the first row, null where it is missing"
                )
            columns = [_json_column(field, [row.get(field.name) for row in batch]) for field in schema]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
            batch = list(islice(rows, BATCH_ROWS))

    return schema, batches()


def _json_column(field: pa.Field, values: list[Any]) -> pa.Array:
    """Return values as an array of the field's type, or raise ValueError where that would change one."""
    array = _inferred(field.name, values)
    if array.type.equals(field.type):
        return array
    both = (array.type, field.type)
    if all(map(_is_number, both)) or all(map(pa.types.is_nested, both)) or pa.types.is_null(array.type):
        array = pa.array(values, field.type)
        if _without_nulls(array.to_pylist()) == _without_nulls(values):
            return array
    raise ValueError(
        f"the field {field.name!r} holds {field.type} in the first rows and {both[0]} later on: "
        "give it one type, for instance strings"
    )


def _inferred(name: str, values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError) as exc:
        reason = str(exc).splitlines()[0]
        raise ValueError(f"the field {name!r} can't be one column: {reason}") from exc


def _is_number(data_type: pa.DataType) -> bool:
    return pa.types.is_integer(data_type) or pa.types.is_floating(data_type)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _objects(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as exc:
            raise ValueError(f"line {number} is not JSON: {exc.msg} at character {exc.pos + 1}") from exc
        if not isinstance(row, dict):
            raise ValueError(f"line {number} must be a JSON object. Received: {type(row).__name__}")
        yield row


def _open_text(stream: IO[bytes], stack: ExitStack) -> tuple[pa.Schema, _Batches]:
    schema = pa.schema([("text", pa.string())])
    lines = _text_lines(stream, stack)

    def batches() -> _Batches:
        while texts := [line.rstrip("\n") for line in islice(lines, BATCH_ROWS)]:
            yield pa.record_batch([pa.array(texts, pa.string())], schema=schema)

    return schema, batches()


def _open_mbox(stream: IO[bytes], stack: ExitStack) -> tuple[pa.Schema, _Batches]:
    from textsent.mail import read_mbox

    return MAIL_SCHEMA, read_mbox(stream)


_OPENERS: dict[str, Callable[[IO[bytes], ExitStack], tuple[pa.Schema, _Batches]]] = {
    "csv": _open_csv,
    "tsv": _open_tsv,
    "parquet": _open_parquet,
    "jsonl": _open_jsonl,
    "text": _open_text,
    "mbox": _open_mbox,
}


def _text_lines(stream: IO[bytes], stack: ExitStack) -> Iterator[str]:
    """Return lines of UTF-8, each with a line feed at its end; a byte order mark is no text."""
    lines = io.TextIOWrapper(stream, "utf-8-sig")
    stack.callback(lines.detach)  # or it would close the stream when it is collected
    return lines


def _cut(batches: _Batches) -> _Batches:
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.slice(start, BATCH_ROWS)


def _difference(expected: pa.Schema, received: pa.Schema) -> str:
    for left, right in zip(expected, received, strict=False):
        if not left.equals(right):
            return f"expected {left.name!r} ({left.type}), found {right.name!r} ({right.type})"
    return f"expected {len(expected)} columns, found {len(received)}"
