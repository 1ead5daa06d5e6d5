"""JSON Lines, and files whose lines are texts, as streams of record batches."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import IO, Any, NamedTuple, TypeVar

import pyarrow as pa

from textsent.encodings import repaired, utf8_blocks
from textsent.schema import NOT_AN_OBJECT, NOT_JSON, TOO_LONG, UNDECODABLE, UNKNOWN_FIELD, WRONG_TYPE
from textsent.tables import BATCH_ROWS, MAX_ROW_BYTES, Note, TableOptions, batch_of, on_guess, strings_of

MAX_BATCH_BYTES = 32 << 20
"""Of the lines of a batch, about: it has fewer than BATCH_ROWS where they are long."""

_LINE_END = re.compile(rb"\r\n|\n|\r(?!\n|\Z)")
"""A line's end, but for a carriage return at the end of a block: it may be the first half of one."""

_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
"""How a half of a character is escaped in JSON; both halves together are one."""

_Item = TypeVar("_Item")


def lines_of(blocks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Yield the lines of a stream without their ends; None for one of more than MAX_ROW_BYTES."""
    held = b""
    is_skipping = False
    for block in chain(blocks, [b""]):
        is_last = not block
        data = held + block
        if is_skipping:
            end = _LINE_END.search(data)
            if not end:
                held = b"\r" * data.endswith(b"\r")
                continue
            data, is_skipping = data[end.end() :], False
        cut = len(data) if is_last else data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
        yield from data[:cut].splitlines()
        held = data[cut:]
        half_end = held.endswith(b"\r")
        if len(held) - half_end > MAX_ROW_BYTES:
            yield None
            held, is_skipping = b"\r" * half_end, True


def _batches_of(items: Iterable[_Item], size_of: Callable[[_Item], int]) -> Iterator[list[_Item]]:
    """Yield items BATCH_ROWS at a time, or fewer that together have MAX_BATCH_BYTES."""
    batch: list[_Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += size_of(item)
        if len(batch) == BATCH_ROWS or size >= MAX_BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def open_text(stream: IO[bytes], options: TableOptions, note: Note) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the column `text`, and the lines of a file in batches with PROBLEM_FIELDS; an empty line is a row."""
    schema = pa.schema([("text", pa.string())])
    lines = lines_of(utf8_blocks(stream, options.encoding, on_guess(options, note)))

    def batches() -> Iterator[pa.RecordBatch]:
        first = 1
        for texts in _batches_of(lines, lambda line: len(line or b"")):
            problems = [TOO_LONG if text is None else None for text in texts]
            column = strings_of(texts, problems)
            yield batch_of([column], schema, problems, list(range(first, first + len(texts))))
            first += len(texts)

    return schema, batches()


class _Row(NamedTuple):
    line: int
    size: int  # bytes
    values: dict[str, Any]
    problem: str | None = None


def open_jsonl(stream: IO[bytes], options: TableOptions, note: Note) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the columns of a JSON Lines file, and its rows in batches with PROBLEM_FIELDS.

    Columns and types are those of the first batch: of BATCH_ROWS rows, or fewer long ones. A field whose values
    have types that don't go together is a column of strings, which holds what is no string as JSON. Blank lines are
    no rows.

    Raises:
        ValueError: None of the first rows is a JSON object.
    """
    rows = _rows(lines_of(utf8_blocks(stream, options.encoding, on_guess(options, note))))
    cut = _batches_of(rows, lambda row: row.size)
    first = next(cut, [])
    names = list(dict.fromkeys(name for row in first for name in row.values))
    if first and all(row.problem in (NOT_JSON, NOT_AN_OBJECT, TOO_LONG) for row in first):
        raise ValueError(
            f"none of its first rows is a JSON object, line {first[0].line} is {first[0].problem}: "
            'each line must be one, {"text": "…"} for instance; for other files choose another --format'
        )
    schema = pa.schema([(name, _type_of([row.values.get(name) for row in first])) for name in names])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in chain([first] if first else [], cut):
            yield _batch(batch, schema)

    return schema, batches()


def _rows(lines: Iterator[bytes | None]) -> Iterator[_Row]:
    for number, line in enumerate(lines, start=1):
        if line is None:
            yield _Row(number, 0, {}, TOO_LONG)
        elif line.strip():
            yield _row(number, line)


def _row(number: int, line: bytes) -> _Row:
    problem = None
    line = line.removeprefix(codecs.BOM_UTF8)  # of a file that was put behind another one
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text, problem = repaired(line), UNDECODABLE
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return _Row(number, len(line), {}, NOT_JSON)
    if not isinstance(values, dict):
        return _Row(number, len(line), {}, NOT_AN_OBJECT)
    if "\\u" in text and _HALF_CHARACTER.search(text) and not _is_writable(values):
        values, problem = _writable(values), UNDECODABLE
    return _Row(number, len(line), values, problem)


def _is_writable(values: Any) -> bool:
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _writable(value: Any) -> Any:
    """Return a value whose strings can be written as UTF-8: lone halves of characters become U+FFFD."""
    if isinstance(value, dict):
        return {_writable(name): _writable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


_ARROW_ERRORS = (pa.ArrowException, OverflowError, ValueError, TypeError)


def _type_of(values: list[Any]) -> pa.DataType:
    """Return the type of a column that holds values: strings where they have none in common, or all are null."""
    try:
        found = pa.array(values).type
    except _ARROW_ERRORS:
        return pa.string()
    return pa.string() if pa.types.is_null(found) else found


def _batch(rows: list[_Row], schema: pa.Schema) -> pa.RecordBatch:
    problems = [row.problem for row in rows]
    misfits: dict[int, list[str]] = {}
    columns = []
    for field in schema:
        values = [row.values.get(field.name) for row in rows]
        column, unfit = _column(values, field.type)
        columns.append(column)
        for number in unfit:
            misfits.setdefault(number, []).append(field.name)
    known = set(schema.names)
    for number, row in enumerate(rows):
        if number in misfits:
            problems[number] = f"{WRONG_TYPE} of {' and '.join(map(repr, misfits[number]))}"
        elif not (problems[number] or row.values.keys() <= known):
            problems[number] = UNKNOWN_FIELD
    return batch_of(columns, schema, problems, [row.line for row in rows])


def _column(values: list[Any], data_type: pa.DataType) -> tuple[pa.Array, list[int]]:
    """Return values as an array of a type, and which rows' don't fit: among strings they are JSON, else null."""
    array = _fitting(values, data_type)
    if array is not None:
        return array, []
    kept, unfit = list(values), []
    for row, value in enumerate(values):
        if value is not None and _fitting([value], data_type) is None:
            unfit.append(row)
            kept[row] = json.dumps(value, ensure_ascii=False) if pa.types.is_string(data_type) else None
    return pa.array(kept, data_type), unfit


def _fitting(values: list[Any], data_type: pa.DataType) -> pa.Array | None:
    """Return values as an array of a type, or None where that would change one."""
    try:
        array = pa.array(values)
        if array.type.equals(data_type):
            return array
        both = (array.type, data_type)
        if all(map(_is_number, both)) or all(map(pa.types.is_nested, both)) or pa.types.is_null(array.type):
            array = pa.array(values, data_type)
            if _without_nulls(array.to_pylist()) == _without_nulls(values):
                return array
    except _ARROW_ERRORS:
        pass
    return None


def _is_number(data_type: pa.DataType) -> bool:
    return pa.types.is_integer(data_type) or pa.types.is_floating(data_type)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
