"""A stream of Arrow record batches to a file, which appears whole or not at all."""

from __future__ import annotations

import base64
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

import pyarrow as pa
import pyarrow.compute as pc

from textsent.errors import OptionError, OutputError
from textsent.mail import annotated
from textsent.record import KEY, Record, record_path, sha256_of
from textsent.schema import MODEL_KEY, RAW_FIELDS, SCORE_SCHEMA, before_scoring, is_text
from textsent.sources import STANDARD_STREAM, format_by_suffix, without_values
from textsent.unfinished import UnfinishedOutput

LIST_SEPARATOR = ";"
"""Between the items of a list of texts in CSV, which has no lists."""

ROW_GROUP_BYTES = 16 << 20
"""Arrow data gathered before Parquet writes a row group: more reads faster later, and takes this much memory."""


class Writer:
    """Writes record batches to a file, or to standard output.

    Use it in a `with` statement: the file takes its name when the block ends well; when it ends with an error
    nothing is left of it, and a file that had the name before stays. Until then only its owner can read it. A link
    is followed: the file that it leads to is written, beside which the new one grows.

    Attributes:
        rows: Rows written.
        format: One of parquet, csv, jsonl, mbox.
        record: What the run was, for the file to hold or to have beside it; without one, that of a file that is
            replaced goes.
        holds_record: Whether the file can hold it: a Parquet file that isn't compressed as a whole.
    """

    def __init__(
        self,
        sink: str | Path,
        schema: pa.Schema,
        format: str | None = None,
        overwrite: bool = False,
        spreadsheet_safe: bool = False,
        unfinished: UnfinishedOutput | None = None,
    ) -> None:
        """Open the output.

        Args:
            sink: Path; `-` is standard output.
            schema: The columns of every batch.
            format: One of csv, jsonl, parquet, mbox; by default what the suffix says, and csv for standard output.
            overwrite: Replace a file of that name.
            spreadsheet_safe: Put an apostrophe before what a spreadsheet would take for a formula, in CSV.
            unfinished: Where the file grows, if whoever opens it has that folder already.

        Raises:
            OutputError: The file exists or can't be written.
            OptionError: The format isn't known, or not CSV where that is to be safe.
        """
        self._name = str(sink)
        format, compression = check_output(sink, format, overwrite, spreadsheet_safe)
        self.format = format
        self.holds_record = format == "parquet" and compression is None
        self.rows = 0
        self.record: Record | None = None
        self._unfinished = None
        if self._name != STANDARD_STREAM:
            self._unfinished = unfinished or UnfinishedOutput(sink)
            try:
                self._file: IO[bytes] = self._unfinished.path.open("wb")
            except OSError as exc:
                raise OutputError(f"{self._name} can't be written: {exc.strerror}") from exc
        elif sys.stdout is None:
            raise OutputError("standard output is closed: name a file with --output")
        else:
            self._file = sys.stdout.buffer
        self._compressed = pa.CompressedOutputStream(self._file, compression) if compression else None
        self._rows: _Rows | None = None
        try:
            stream = self._compressed or self._file
            self._rows = _CsvRows(stream, schema, True) if spreadsheet_safe else _FORMATS[format](stream, schema)
        except BaseException as exc:  # Ctrl-C too must leave nothing
            self._discard()
            if isinstance(exc, _FAILURES):
                raise self._failure(exc) from exc
            raise

    def __enter__(self) -> Self:
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Append a batch.

        Raises:
            OutputError: The batch can't be written, the disk is full for instance.
        """
        assert self._rows
        try:
            self._rows.write(batch)
        except _FAILURES as exc:
            raise self._failure(exc) from exc
        self.rows += batch.num_rows

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._discard()
            return
        assert self._rows
        try:
            if self.record and self.holds_record and isinstance(self._rows, _ParquetRows):
                self._rows.end()
                self._rows.note(KEY, self._record_of_file(self.record))
            self._rows.close()
            if self._compressed:
                self._compressed.close()
            if self._unfinished:
                self._file.close()
                beside = record_path(self._unfinished.target)
                if self.record and not self.holds_record:
                    partial = record_path(self._unfinished.path)
                    partial.write_text(self._record_of_file(self.record) + "\n", "utf-8")
                    partial.replace(beside)
                else:
                    beside.unlink(missing_ok=True)
                self._unfinished.complete()
            else:
                self._file.flush()
        except BaseException as exc:  # Ctrl-C too must leave nothing
            self._discard()
            if isinstance(exc, _FAILURES):
                raise self._failure(exc) from exc
            raise

    def _record_of_file(self, record: Record) -> str:
        """Return a run's record with the length and the checksum of what has been written."""
        assert self._unfinished
        if not self._file.closed:
            self._file.flush()
        path = self._unfinished.path
        size = path.stat().st_size
        return replace(record, size=size, sha256=sha256_of(path, size)).to_json()

    def _discard(self) -> None:
        # In this order, and each though the one before failed: a part that outlives its file complains.
        with ExitStack() as stack:
            if self._unfinished:
                stack.callback(self._unfinished.close)
                stack.enter_context(suppress(OSError))  # a full disk says so once more
                stack.callback(self._file.close)
            if self._compressed:
                stack.enter_context(suppress(*_FAILURES))
                stack.callback(self._compressed.close)
            if self._rows:
                self._rows.abandon()

    def _failure(self, exc: Exception) -> Exception:
        if isinstance(exc, BrokenPipeError):
            return exc  # whoever read the output has seen enough; the command line ends quietly
        if isinstance(exc, OSError):
            return OutputError(f"{self._name} can't be written: {exc.strerror or exc}")
        advice = ": try a .parquet file" if self.format != "parquet" else ""
        return OutputError(
            f"{self._name} can't hold these columns: {without_values(str(exc)).splitlines()[0]}{advice}"
        )


def open_writer(
    sink: str | Path,
    schema: pa.Schema,
    format: str | None = None,
    overwrite: bool = False,
    spreadsheet_safe: bool = False,
    unfinished: UnfinishedOutput | None = None,
) -> Writer:
    """Return a writer; see `Writer`."""
    return Writer(sink, schema, format, overwrite, spreadsheet_safe, unfinished)


def check_output(
    sink: str | Path, format: str | None = None, overwrite: bool = False, spreadsheet_safe: bool = False
) -> tuple[str, str | None]:
    """Return the format and the compression that an output will have.

    Raises:
        OutputError: It can't be written there, or a file of that name exists and is not to be replaced.
        OptionError: The format isn't known, or not CSV where that is to be safe.
    """
    path = Path(sink)
    by_suffix, compression = format_by_suffix(sink)
    if format is not None and format not in _FORMATS:
        raise OptionError(f"{format!r} can't be written: choose one of {', '.join(_FORMATS)}")
    if str(sink) == STANDARD_STREAM:
        by_suffix = "csv"
    if spreadsheet_safe and (format or by_suffix) != "csv":
        raise OptionError("--spreadsheet-safe is for CSV: name a .csv file, or leave it out")
    if str(sink) == STANDARD_STREAM:
        return format or "csv", None
    if (format or by_suffix) not in _FORMATS:
        raise OutputError(
            f"{sink}: the suffix {path.suffix!r} names no format that textsent writes: "
            "use .parquet, .csv, .jsonl or .mbox, or choose one with --output-format"
        )
    try:
        path.exists()
    except OSError as exc:
        raise OutputError(f"{path.name[:80]} can't be written: {exc.strerror}") from exc
    if path.is_dir():
        raise OutputError(
            f"{sink} is a folder: name a file in it, for instance {path / 'scored.parquet'}, or put / at its end "
            "to write in parts"
        )
    if path.exists() and not path.is_file():
        raise OutputError(f"{sink} is no regular file: choose another name, or - for standard output")
    if path.exists() and not overwrite:
        raise OutputError(f"{sink} exists already: choose another name, or replace it with --overwrite")
    if not path.parent.is_dir():
        raise OutputError(f"{sink} can't be written: there is no folder {path.parent}")
    return str(format or by_suffix), compression


_FAILURES = (pa.ArrowException, OSError, ValueError, OverflowError)
"""What Arrow, Python's conversions and the operating system raise of an output."""


class _Rows(Protocol):
    def write(self, batch: pa.RecordBatch) -> None: ...

    def close(self) -> None:
        """Write what is still to be written."""

    def abandon(self) -> None:
        """Write nothing more."""


class _ParquetRows:
    def __init__(self, stream: IO[bytes], schema: pa.Schema) -> None:
        import pyarrow.parquet

        self._writer = pyarrow.parquet.ParquetWriter(stream, schema, compression="zstd")
        self._schema = schema
        self._gathered: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        self._gathered.append(batch)
        if sum(gathered.nbytes for gathered in self._gathered) >= ROW_GROUP_BYTES:
            self._write_row_group()

    def note(self, key: str, value: str) -> None:
        self._writer.add_key_value_metadata({key: value})

    def end(self) -> None:
        """Write all rows; the metadata are still to come."""
        self._write_row_group()

    def close(self) -> None:
        self.end()
        self._writer.close()

    def abandon(self) -> None:
        self._writer.is_open = False  # or it would write a footer when it is collected

    def _write_row_group(self) -> None:
        if self._gathered:
            self._writer.write_table(pa.Table.from_batches(self._gathered, self._schema))
            self._gathered = []


class _JsonRows:
    def __init__(self, stream: IO[bytes], schema: pa.Schema) -> None:
        name, count = Counter(schema.names).most_common(1)[0]
        if count > 1:
            raise pa.ArrowInvalid(f"{count} columns are named {name!r}")
        self._stream = stream

    def write(self, batch: pa.RecordBatch) -> None:
        for row in batch.to_pylist():
            try:
                line = json.dumps(row, ensure_ascii=False, allow_nan=False, default=_to_json)
            except ValueError:
                line = json.dumps(_finite(row), ensure_ascii=False, default=_to_json)
            self._stream.write(line.encode("utf-8") + b"\n")

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass


class _CsvRows:
    def __init__(self, stream: IO[bytes], schema: pa.Schema, spreadsheet_safe: bool = False) -> None:
        import pyarrow.csv

        self._lists = [number for number, field in enumerate(schema) if _is_list_of_text(field.type)]
        self._schema = pa.schema([field.with_type(_csv_type(field.type)) for field in schema])
        self._texts: list[int] = []
        header = self._schema
        if spreadsheet_safe:
            self._texts = [number for number, field in enumerate(self._schema) if is_text(field.type)]
            header = pa.schema([field.with_name(_FORMULA.sub(r"'\1", field.name)) for field in self._schema])
        self._header = header
        self._writer = pyarrow.csv.CSVWriter(stream, header)

    def write(self, batch: pa.RecordBatch) -> None:
        for number in self._lists:
            joined = pc.binary_join(batch.column(number), LIST_SEPARATOR)
            batch = batch.set_column(number, batch.schema.names[number], joined)
        batch = batch.cast(self._schema)
        for number in self._texts:
            safe = pc.replace_substring_regex(batch.column(number), _FORMULA.pattern, r"'\1")
            batch = batch.set_column(number, self._schema.field(number), safe)
        self._writer.write(batch.rename_columns(self._header.names))

    def close(self) -> None:
        self._writer.close()

    def abandon(self) -> None:
        pass


_FORMULA = re.compile("\\A([=+\\-@\t\r\n＝＋－＠])")
"""How a cell begins that a spreadsheet computes, https://owasp.org/www-community/attacks/CSV_Injection; some take
full-width signs for the others."""


def _csv_type(data_type: pa.DataType) -> pa.DataType:
    """Return the type of a column for Arrow's CSV writer, which knows neither string views nor lists."""
    if pa.types.is_dictionary(data_type):
        data_type = data_type.value_type
    if pa.types.is_string_view(data_type):
        return pa.large_string()
    return pa.string() if _is_list_of_text(data_type) else data_type


def _is_list_of_text(data_type: pa.DataType) -> bool:
    return pa.types.is_list(data_type) and pa.types.is_string(data_type.value_type)


class _MailboxRows:
    """Mails as they were, each with its score on top; one that had a file of its own gets a separator."""

    def __init__(self, stream: IO[bytes], schema: pa.Schema) -> None:
        if not set(RAW_FIELDS.names) <= set(schema.names):
            raise pa.ArrowInvalid("only mail can be written into a mailbox")
        self._stream = stream
        self._last = b""  # byte written
        self._mailboxes = 0  # begun
        added = dict(zip(SCORE_SCHEMA.names, schema.names[len(before_scoring(schema)) :], strict=False))
        self._columns = (*RAW_FIELDS.names, "date", added["score"], added["sentiment"])
        self._model = (schema.metadata or {}).get(MODEL_KEY.encode(), b"").decode() or "unnamed"

    def write(self, batch: pa.RecordBatch) -> None:
        columns = (batch.column(name).to_pylist() for name in self._columns)
        for separator, content, begins, sent, score, sentiment in zip(*columns, strict=True):
            self._mailboxes += begins or not self._last
            values = {}
            if score is not None:
                values = {"Score": f"{score:.4f}", "Sentiment": sentiment, "Model": self._model}
            self._write_message(separator, content, values, sent)

    def _write_message(
        self, separator: bytes | None, content: bytes, values: dict[str, str], sent: datetime | None
    ) -> None:
        line_end = _LAST_LINE_END.search(separator or b"") or _LINE_END.search(content)
        end = line_end[0] if line_end else b"\n"
        if separator is None:
            separator = _made_separator(sent, end)
            content = _FROM.sub(rb">\1", content) + end * (1 + (not content.endswith(end)))
        elif self._mailboxes > 1:
            # What is told by the beginning of its mailbox only would be lost within another.
            separator = separator if _PLAINLY_DATED.match(separator) else _made_separator(sent, end)
            content = _GIT_LINE.sub(rb">\1", content)
        between = end if self._last not in b"\r\n" else b""
        written = b"".join((between, separator, annotated(content, values, end)))
        self._stream.write(written)
        self._last = written[-1:]

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass


def _made_separator(sent: datetime | None, line_end: bytes) -> bytes:
    return f"From - {(sent or datetime(1970, 1, 1)).ctime()}".encode("ascii") + line_end


_LINE_END = re.compile(rb"\r\n?|\n")
_LAST_LINE_END = re.compile(rb"(?:\r\n?|\n)\Z")
_FROM = re.compile(rb"(?:(?<=[\r\n])|\A)(>*From )")
_GIT_LINE = re.compile(rb"(?:(?<=[\r\n])|\A)(From [^\r\n]{0,200}Mon Sep 17 00:00:00 2001)")
_PLAINLY_DATED = re.compile(rb"From (?![^\r\n]*Mon Sep 17 00:00:00 2001)[^\r\n]*\d:\d\d[^\r\n]*\d{4}")


_FORMATS: dict[str, Callable[[IO[bytes], pa.Schema], _Rows]] = {
    "parquet": _ParquetRows,
    "csv": _CsvRows,
    "jsonl": _JsonRows,
    "mbox": _MailboxRows,
}


def _finite(value: Any) -> Any:
    """Return a value with what JSON has no number for, infinities and not-a-number, made null."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _to_json(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)
