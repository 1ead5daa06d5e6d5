"""What is to be known of a file of rows to read it: how it is written, and what becomes of bad rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from textsent.encodings import check_encoding, repaired
from textsent.errors import OptionError
from textsent.schema import UNDECODABLE, with_problems

BATCH_ROWS = 4096

MAX_ROW_BYTES = 16 << 20
"""Of a row of CSV, or a line; a longer one has no score."""

MAX_COLUMNS = 16_384
"""Of CSV: as many as a spreadsheet has. A megabyte of commas would take gigabytes."""

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "\\t": "\t"}
"""Names of delimiters that are hard to type."""

Note = Callable[[str], object]


@dataclass(frozen=True)
class TableOptions:
    """How a CSV, JSON Lines or text file is written, where it doesn't tell itself.

    Attributes:
        encoding: By a name that Python knows. By default a byte order mark decides; without one it is UTF-8, or
            what the file's beginning tells.
        delimiter: What stands between the fields of CSV: one character, or a name of DELIMITERS. By default a
            comma, in TSV a tab, or what the header tells.
        header: Whether the first row of CSV holds the columns' names.
        infer_types: Columns of CSV whose first rows hold numbers, dates, times or truths have these types; by
            default all hold the text that stood there.
        text_column: One that keeps its text; beside it the one named `text` does.
        keep_bad_rows: A bad row is kept, with what is wrong with it in PROBLEM_FIELDS; else it is an error.
        may_guess: An encoding may be guessed, and columns of one name given others; notes say so. Else the first is
            an error.
    """

    encoding: str | None = None
    delimiter: str | None = None
    header: bool = True
    infer_types: bool = False
    text_column: str | None = None
    keep_bad_rows: bool = False
    may_guess: bool = False

    def __post_init__(self) -> None:
        if self.encoding is not None:
            check_encoding(self.encoding)
        if self.delimiter is not None and not (
            len(self.delimiter_character) == 1
            and self.delimiter_character.isascii()
            and self.delimiter_character not in '"\r\n\0'
        ):
            raise OptionError(
                f"a delimiter must be one ASCII character, for instance ';', or one of "
                f"{', '.join(list(DELIMITERS)[:4])}. Received: {self.delimiter!r}"
            )

    @property
    def delimiter_character(self) -> str:
        """The delimiter that was given; empty where none was."""
        return DELIMITERS.get(self.delimiter or "", self.delimiter or "")


DEFAULT_TABLE_OPTIONS = TableOptions()


def on_guess(options: TableOptions, note: Note) -> Callable[[str], None]:
    """Return what is to be called with an encoding that was guessed.

    It raises ValueError where that may not be: what is read is learned from, for instance, and nobody sees a note.
    """

    def guessed(encoding: str) -> None:
        if not options.may_guess:
            raise ValueError(
                f"the text is not UTF-8, but probably {encoding}: convert it first, for instance with "
                f"`iconv -f {encoding.upper().replace('_', '-')} -t UTF-8`"
            )
        note(f"read as {encoding}; --encoding says otherwise")

    return guessed


def batch_of(
    columns: list[pa.Array], schema: pa.Schema, problems: list[str | None], lines: list[int]
) -> pa.RecordBatch:
    """Return rows with their problems; their lines are told where there is a problem."""
    found = pa.array(problems, pa.string())
    places = pa.array(
        [line if problem else None for line, problem in zip(lines, problems, strict=True)], pa.int64()
    )
    return with_problems(pa.RecordBatch.from_arrays(columns, schema=schema), found, places)


def strings_of(values: list[bytes | None], problems: list[str | None]) -> pa.Array:
    """Return an array of strings; a row with bytes that aren't UTF-8 gets a problem, unless it has one."""
    try:
        return pa.array(values, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        pass
    texts: list[str | None] = []
    for row, value in enumerate(values):
        try:
            texts.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            texts.append(repaired(value or b""))
            problems[row] = problems[row] or UNDECODABLE
    return pa.array(texts, pa.string())
