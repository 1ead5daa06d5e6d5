"""CSV and TSV as a stream of record batches: rows that are as they should be by Arrow, others one by one."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import IO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.encodings import BLOCK_BYTES, repaired, utf8_blocks
from textsent.schema import (
    OPEN_QUOTE,
    TOO_FEW_FIELDS,
    TOO_LONG,
    TOO_MANY_FIELDS,
    WRONG_TYPE,
    split_problems,
    with_problems,
)
from textsent.tables import (
    BATCH_ROWS,
    DELIMITERS,
    MAX_COLUMNS,
    MAX_ROW_BYTES,
    Note,
    TableOptions,
    batch_of,
    on_guess,
    strings_of,
)

_ROWS_LOOKED_AT = 10
_MIN_ROWS = 256  # of a batch: those between bad rows are put together
_QUOTE = ord('"')
_LINE_ENDS = re.compile(rb"\r\n?|\n")
_QUOTED = re.compile(rb'"((?:[^"]++|"")*+)"(.*)', re.DOTALL)
_EXCEL_HINT = re.compile(rb"sep=([ !#-~\t])(?:\r\n?|\n)")
"""A first line by which Excel is told the delimiter."""

_HINT_BYTES = 7

_NUMBER = re.compile(r"\s*[+-]?\d+(?:[.,]\d+)?\s*")

_NAMES = {character: name for name, character in DELIMITERS.items() if len(name) > 2}


class _Piece(NamedTuple):
    """Whole rows, or one that can't be told from the next.

    Attributes:
        data: Their bytes.
        line: Of the file, from 1 on, in which they begin.
        problem: What is wrong with the one row; None of rows that are to be parsed.
    """

    data: bytes
    line: int
    problem: str | None = None


class _Grammar:
    """How rows and fields are told where a character stands between the fields.

    A quote opens a field at its beginning only, and is doubled within quotes; what stands behind the closing one
    belongs to the field, as long as all of it is in one line: else the quote was most likely meant for text, and
    would take in the rows below.
    """

    def __init__(self, delimiter: bytes) -> None:
        self.delimiter = delimiter
        d = re.escape(delimiter)
        ends = rb"[" + d + rb"\r\n]"
        field = (
            rb'(?>"(?:[^"]++|"")*+"(?=' + ends + rb'|\Z)|"(?:[^"\r\n]++|"")*+"[^' + d + rb"\r\n]*+"
            rb'|[^"' + d + rb"\r\n][^" + d + rb"\r\n]*+|)"
        )
        fields = field + rb"(?:" + d + field + rb")*+"
        self.field = re.compile(field)
        self.row = re.compile(rb"(" + fields + rb")(?:\r\n|\n|\r(?!\n|\Z))")
        self.last_row = re.compile(rb"(" + fields + rb")(?:\r\n?|\n|\Z)")
        self.beginning = re.compile(rb"(?:" + field + d + rb')*+(?:"(?:[^"]++|"")*+|' + field + rb")\r?\Z")
        self._beside = np.zeros(256, bool)
        self._beside[list(delimiter + b'\r\n"')] = True

    def end_of_rows(self, data: bytes, is_last: bool) -> int | None:
        """Return where the last whole row ends, 0 for none; None where a quote stands where it shouldn't.

        Args:
            data: Begins with a row.
            is_last: Nothing follows.
        """
        if b'"' not in data:
            return len(data) if is_last else data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
        characters = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(characters == _QUOTE)
        # Each second one closes a field, or is the first of two that stand for one; the others open one, or are the
        # second of two.
        before = quotes[0::2] - 1
        after = quotes[1::2] + 1
        before, after = (
            before[int(before[0] < 0) :],
            after[: len(after) - int(len(after) and after[-1] == len(data))],
        )
        if not (self._beside[characters[before]].all() and self._beside[characters[after]].all()):
            return None
        if is_last:
            return None if len(quotes) % 2 else len(data)
        for line_end in (b"\n", b"\r"):
            ends = np.flatnonzero(characters[: len(data) - (line_end == b"\r")] == line_end[0])
            ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
            if len(ends):
                return int(ends[-1]) + 1
        return 0

    def pieces(self, data: bytes, line: int, is_last: bool) -> Iterator[_Piece]:
        """Yield the rows of data in which a quote stands where it shouldn't, or a row is too long.

        What is left at the end without a piece is the beginning of a row.
        """
        row = self.last_row if is_last else self.row
        start = at = 0
        while at < len(data):
            if (found := row.match(data, at)) and found.end() > at:
                at = found.end()
                continue
            is_too_long = len(data) - at > MAX_ROW_BYTES
            if not is_last and not is_too_long and self.beginning.match(data, at):
                break
            if start < at:
                yield _Piece(data[start:at], line)
                line += _lines(data[start:at])
            end = _LINE_ENDS.search(data, at)
            if end and not is_last and end.end() == len(data) and data.endswith(b"\r"):
                return  # perhaps half of a line's end
            if end is None and not is_last:
                if is_too_long:
                    yield _Piece(data[at:], line, TOO_LONG)
                return
            start = end.end() if end else len(data)
            yield _Piece(data[at:start], line, OPEN_QUOTE)
            line += 1
            at = start
        if start < at:
            yield _Piece(data[start:at], line)

    def fields(self, row: bytes) -> list[bytes]:
        """Return the fields of a row without its line's end."""
        fields = []
        at = 0
        while True:
            found = self.field.match(row, at)
            assert found
            quoted = _QUOTED.fullmatch(found[0])
            fields.append(quoted[1].replace(b'""', b'"') + quoted[2] if quoted else found[0])
            at = found.end() + 1
            if at > len(row):
                return fields


_grammar = lru_cache(maxsize=16)(_Grammar)


class _Csv:
    """A file's rows.

    Attributes:
        schema: Its columns, all of strings unless types are inferred.
    """

    def __init__(self, stream: IO[bytes], options: TableOptions, note: Note, delimiter: str) -> None:
        blocks = utf8_blocks(stream, options.encoding, on_guess(options, note))
        first, self._line = _beginning(blocks)
        if hint := _EXCEL_HINT.match(first):
            first, delimiter, self._line = first[hint.end() :], hint[1].decode(), self._line + 1
        elif not options.delimiter:
            delimiter = _told_delimiter(first, delimiter, note)
        self._grammar = _grammar((options.delimiter_character or delimiter).encode())
        self._blocks = chain([first] if first else [], blocks)
        self._pieces = self._whole_rows()
        names = self._first_row()
        if len(names) > MAX_COLUMNS:
            raise ValueError(
                f"its first row has {len(names):,} fields, of at most {MAX_COLUMNS:,}: see whether it is CSV, or "
                "say which character stands between its fields with --delimiter"
            )
        if not options.header:
            names = [f"column_{number}" for number in range(1, len(names) + 1)] if len(names) > 1 else ["text"]
        elif options.may_guess:
            names = _unique(names, note)
            is_text = len(names) == 1 and len(names[0].split()) > 3
            if unlike := names[0] if is_text else next(filter(_NUMBER.fullmatch, names), None):
                shown = unlike[:40]
                note(f"its first line is taken for the columns' names, {shown!r} for one; if not, say --no-header")
        self._texts = pa.schema([(name, pa.string()) for name in names])
        self._width = len(names)
        self._skips_first = options.header
        self.schema = self._typed(("text", options.text_column)) if options.infer_types else self._texts

    def _first_row(self) -> list[str]:
        """Return the first row, which stays among the pieces."""
        piece = next(self._pieces, None)
        if piece is None:
            raise ValueError("the file is empty: it needs a line with the columns' names, and rows")
        found = None if piece.problem else self._grammar.last_row.match(piece.data)
        if not found:
            raise ValueError(f"{piece.problem} in its first line: mend it, or choose another format with --format")
        self._pieces = chain([piece], self._pieces)
        return [repaired(field) for field in self._grammar.fields(found[1])]

    def _typed(self, kept: tuple[str | None, ...]) -> pa.Schema:
        """Return the columns with the types that the first piece tells of all but those that are kept."""
        from pyarrow import csv

        piece = next(self._pieces)
        self._pieces = chain([piece], self._pieces)
        header = self._grammar.last_row.match(piece.data) if self._skips_first else None
        data = piece.data[header.end() if header else 0 :].strip(b"\r\n")
        if not data:
            return self._texts
        data += b"\n"  # without which Arrow sees no row in a single one
        try:
            rows = csv.read_csv(
                pa.py_buffer(data),
                csv.ReadOptions(block_size=len(data) + 1, autogenerate_column_names=True),
                csv.ParseOptions(
                    delimiter=self._grammar.delimiter.decode(), invalid_row_handler=lambda row: "skip"
                ),
                csv.ConvertOptions(null_values=[""], check_utf8=False),
            )
        except pa.ArrowInvalid:
            return self._texts
        fields = list(self._texts)
        with_zeros = _with_leading_zeros(data, self._grammar)
        for number, found in enumerate(rows.schema.types[: self._width]):
            is_kept = fields[number].name in kept or number in with_zeros
            if not is_kept and any(test(found) for test in _INFERRED):
                fields[number] = fields[number].with_type(found)
        return pa.schema(fields)

    def _with_types(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return strings in the types of their columns; one that has another is null, and a problem."""
        if self.schema is self._texts:
            return batch
        own, found = split_problems(batch)
        assert found is not None
        problems = found.column("problem").to_pylist()
        columns = []
        for column, field in zip(own.columns, self.schema, strict=True):
            converted, unfit = _converted(column, field.type)
            for row in unfit:
                problems[row] = problems[row] or f"{WRONG_TYPE} of {field.name!r}"
            columns.append(converted)
        typed = pa.RecordBatch.from_arrays(columns, schema=self.schema)
        return with_problems(typed, pa.array(problems, pa.string()), found.column("line"))

    def _whole_rows(self) -> Iterator[_Piece]:
        grammar, line = self._grammar, self._line
        held: list[bytes] = []
        size = wanted = 0
        is_skipping = False  # what is left of a row that is too long
        for block in chain(self._blocks, [b""]):
            is_last = not block
            if is_skipping and not is_last:
                end = _LINE_ENDS.search(block)
                if not end:
                    continue
                block, is_skipping, line = block[end.end() :], False, line + 1
            held.append(block)
            size += len(block)
            if not size or (size < wanted and not is_last):  # so that a long row is looked at few times
                continue
            data = b"".join(held)
            cut = grammar.end_of_rows(data, is_last)
            if cut == 0 and size > MAX_ROW_BYTES:
                cut = None
            if cut is None:
                cut = 0
                for piece in grammar.pieces(data, line, is_last):
                    yield piece
                    cut += len(piece.data)
                    line = piece.line + _lines(piece.data)
                    is_skipping = piece.problem == TOO_LONG
            elif cut:
                yield _Piece(data[:cut], line)
                line += _lines(data[:cut])
            held = [data[cut:]] if cut < len(data) else []
            size = len(data) - cut
            wanted = min(2 * size, MAX_ROW_BYTES + 1) if not cut else 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows; the problem of a bad one is beside it."""
        held: list[pa.RecordBatch] = []
        rows = size = 0
        for batch in self._small_batches():
            held.append(batch)
            rows += batch.num_rows
            size += batch.nbytes
            if rows >= _MIN_ROWS or size >= BLOCK_BYTES // 2:
                yield from map(self._with_types, _cut(held))
                held = []
                rows = size = 0
        yield from map(self._with_types, _cut(held))

    def _small_batches(self) -> Iterator[pa.RecordBatch]:
        is_first = self._skips_first
        for piece in self._pieces:
            if is_first:
                header = self._grammar.last_row.match(piece.data)
                assert header
                line = piece.line + _lines(piece.data[: header.end()])
                piece = _Piece(piece.data[header.end() :], line)
                is_first = False
            if piece.problem:
                yield self._bad_row(piece)
            else:
                yield from self._parsed(piece)

    def _bad_row(self, piece: _Piece) -> pa.RecordBatch:
        """Return the row of a piece with a problem; its bytes stay in its last column, unless they are too many."""
        values: list[bytes | None] = [None] * self._width
        if piece.problem != TOO_LONG:
            values[-1] = piece.data.rstrip(b"\r\n")
        problems: list[str | None] = [piece.problem]
        columns = [strings_of([value], problems) for value in values]
        return batch_of(columns, self._texts, problems, [piece.line])

    def _parsed(self, piece: _Piece) -> Iterator[pa.RecordBatch]:
        if not piece.data.strip(b"\r\n"):
            return
        if piece.data.startswith(codecs.BOM_UTF8):  # within the file, and Arrow would leave it out
            yield from self._one_by_one(piece)
            return
        from pyarrow import csv

        names = [str(number) for number in range(self._width)]
        try:
            table = csv.read_csv(
                pa.py_buffer(piece.data),
                csv.ReadOptions(use_threads=False, block_size=len(piece.data) + 1, column_names=names),
                csv.ParseOptions(delimiter=self._grammar.delimiter.decode()),
                # Every value stays the text it was: 007 is no number, and neither NA nor an empty field is missing.
                csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
            )
        except pa.ArrowInvalid:
            yield from self._one_by_one(piece)
            return
        for batch in table.to_batches():
            yield with_problems(pa.RecordBatch.from_arrays(batch.columns, schema=self._texts))

    def _one_by_one(self, piece: _Piece) -> Iterator[pa.RecordBatch]:
        data, line, at = piece.data, piece.line, 0
        rows: list[list[bytes | None]] = []
        problems: list[str | None] = []
        lines: list[int] = []

        def batch() -> pa.RecordBatch:
            columns = [strings_of(list(values), problems) for values in zip(*rows, strict=True)]
            return batch_of(columns, self._texts, problems, lines)

        while at < len(data):
            found = self._grammar.last_row.match(data, at)
            assert found
            if found[1]:
                fields, problem = self._fitted(found[1])
                rows.append(fields)
                problems.append(problem)
                lines.append(line)
            line += _lines(found[0])
            at = found.end()
            if len(rows) == BATCH_ROWS:
                yield batch()
                rows, problems, lines = [], [], []
        if rows:
            yield batch()

    def _fitted(self, row: bytes) -> tuple[list[bytes | None], str | None]:
        """Return as many fields as there are columns: what is left over stays in the last one."""
        fields: list[bytes | None] = [*self._grammar.fields(row)]
        if len(fields) < self._width:
            return fields + [None] * (self._width - len(fields)), TOO_FEW_FIELDS
        if len(fields) > self._width:
            last = self._grammar.delimiter.join(field or b"" for field in fields[self._width - 1 :])
            return [*fields[: self._width - 1], last], TOO_MANY_FIELDS
        return fields, None


def open_csv(
    stream: IO[bytes], options: TableOptions, note: Note, delimiter: str = ","
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the columns of a CSV file, and its rows in batches with PROBLEM_FIELDS.

    Blank lines are no rows.

    Args:
        stream: The file.
        options: How it is written.
        note: Called with what was decided by what the file looks like.
        delimiter: The one it has unless the options or the file name another.

    Raises:
        ValueError: It is empty, or its columns can't be told.
    """
    file = _Csv(stream, options, note, delimiter)
    return file.schema, file.batches()


def _cut(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of batches, BATCH_ROWS at a time."""
    if batches:
        whole = pa.concat_batches(batches) if len(batches) > 1 else batches[0]
        for start in range(0, whole.num_rows, BATCH_ROWS):
            yield whole.slice(start, BATCH_ROWS)


def _beginning(blocks: Iterator[bytes]) -> tuple[bytes, int]:
    """Return a file's first block from its first row on, and the number of that row's line."""
    held, line = b"", 1
    is_more = True
    while is_more and len(held) < _HINT_BYTES:
        block = next(blocks, b"")
        is_more = bool(block)
        held += block
        rows = held.lstrip(b"\r\n")
        if is_more and not rows and held.endswith(b"\r"):  # perhaps half of a line's end
            rows = b"\r"
        line += _lines(held[: len(held) - len(rows)])
        held = rows
    return held, line


_INFERRED = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
)


def _with_leading_zeros(data: bytes, grammar: _Grammar) -> set[int]:
    """Return the places of fields that hold a number like 007, which as one would lose its zeros."""
    places: set[int] = set()
    at = 0
    while at < len(data) and (found := grammar.last_row.match(data, at)):
        places.update(
            place
            for place, field in enumerate(grammar.fields(found[1]))
            if re.fullmatch(rb"\s*[+-]?0\d[^:]*", field)  # a time has a colon
        )
        at = found.end()
    return places


def _converted(texts: pa.Array, data_type: pa.DataType) -> tuple[pa.Array, list[int]]:
    """Return texts as values of a type, null for empty ones; and the rows whose texts are none, null as well."""
    if pa.types.is_string(data_type):
        return texts, []
    filled = pc.if_else(pc.equal(texts, ""), None, texts)
    try:
        return filled.cast(data_type), []
    except pa.ArrowInvalid:
        pass
    values, unfit = filled.to_pylist(), []
    for row, value in enumerate(values):
        try:
            pa.array([value], pa.string()).cast(data_type)
        except pa.ArrowInvalid:
            values[row] = None
            unfit.append(row)
    return pa.array(values, pa.string()).cast(data_type), unfit


def _told_delimiter(first: bytes, usual: str, note: Note) -> str:
    """Return the delimiter of a file: the usual one unless its first row has one field, and more with another.

    Raises:
        ValueError: It has more with another one, and most of the rows below haven't.
    """
    if _widths(first, usual)[0] > 1:
        return usual
    widths = {other: _widths(first, other) for other in (",", ";", "\t", "|") if other != usual}
    best = max(widths, key=lambda other: widths[other][0])
    if widths[best][0] == 1:
        return usual
    header, *others = widths[best]
    if 2 * others.count(header) >= len(others):
        note(f"its columns are separated by a {_NAMES[best]}; --delimiter says otherwise")
        return best
    raise ValueError(
        f"its header has one column, or {header} that are separated by a {_NAMES[best]}: "
        f"say which with --delimiter {_NAMES[usual]} or --delimiter {_NAMES[best]}"
    )


def _widths(first: bytes, delimiter: str) -> list[int]:
    """Return how many fields the header and some rows below it have."""
    grammar = _grammar(delimiter.encode())
    widths: list[int] = []
    at = 0
    while at < len(first) and len(widths) < _ROWS_LOOKED_AT:
        found = grammar.last_row.match(first, at)
        if not found:
            break
        if found[1]:
            widths.append(len(grammar.fields(found[1])))
        at = found.end()
    return widths or [1]


def _unique(names: list[str], note: Note) -> list[str]:
    """Return names of columns that differ, and have one: 'n', 'n' are 'n', 'n_2'."""
    counts = Counter(names)
    taken = set(names)
    unique: list[str] = []
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        number = seen[name]
        new = name
        while number > 1 and new in taken:
            new = f"{name}_{number}"
            number += 1
        taken.add(new)
        unique.append(new)
    for name, count in counts.items():
        if count > 1:
            others = [new for old, new in zip(names, unique, strict=True) if old == name][1:]
            note(f"{count} of its columns are named {name!r}: from the second on they are {', '.join(others)}")
    return unique


def _lines(data: bytes) -> int:
    """Return how many lines end in data."""
    line_feeds = data.count(b"\n")
    return line_feeds + data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else line_feeds
