"""Whole files: their rows read, scored and written, and gone on with where a run didn't come to its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from textsent.compression import MAX_RATIO
from textsent.errors import InputError, NoRowsError, OptionError, OutputError
from textsent.extremes import place_of
from textsent.interrupts import Uninterrupted
from textsent.journal import Journal
from textsent.mail import DEFAULT_OPTIONS, MailOptions
from textsent.pipeline import ahead, pool_of
from textsent.readers import Mark, Reader, open_reader
from textsent.record import Record
from textsent.score import WINDOW_ROWS, Finish, Scorer
from textsent.sources import STANDARD_STREAM, Span, shown_name
from textsent.storage import is_url, uploading, without_file_scheme
from textsent.tables import DEFAULT_TABLE_OPTIONS, TableOptions
from textsent.unfinished import UnfinishedOutput
from textsent.writers import Writer, check_output, open_writer

WINDOW_BYTES = 8 << 20
"""What the rows of a window may take, beside that they are WINDOW_ROWS at most."""

ON_ERROR = ("keep", "skip", "stop")


@dataclass(frozen=True)
class ErrorOptions:
    """What becomes of rows that have no score.

    Attributes:
        on_error: `keep` writes them with it, `skip` leaves them out, `stop` ends the run at the first one.
        max_errors: The run ends when there are more; with None it never does.
    """

    on_error: str = "keep"
    max_errors: int | None = None

    def __post_init__(self) -> None:
        if self.on_error not in ON_ERROR:
            raise OptionError(f"there is no way {self.on_error!r} with errors: choose one of {', '.join(ON_ERROR)}")
        if self.max_errors is not None and self.max_errors < 0:
            raise OptionError(f"the number of errors must be 0 or more. Received: {self.max_errors}")

    def check(self, errors: Counter[str], rows: int, name: str) -> None:
        """Check that no more rows have no score than may.

        Args:
            errors: Those that have none, by reason.
            rows: Of so many.
            name: The inputs', for messages.

        Raises:
            InputError: There are more.
        """
        if self.max_errors is not None and errors.total() > self.max_errors:
            reasons = ", ".join(f"{reason} ({count:,}×)" for reason, count in errors.most_common(3))
            raise InputError(
                f"{name}: {errors.total():,} of the first {rows:,} rows have no score: {reasons}; --max-errors "
                f"allows {self.max_errors:,}: mend them, or allow more"
            )


DEFAULT_ERROR_OPTIONS = ErrorOptions()


@dataclass
class Summary:
    """What a run has done so far.

    Attributes:
        rows: Rows read and scored.
        sentiments: Rows by sentiment.
        errors: Rows without a score, by reason.
        flagged: Rows with a score and an error, by error.
        left_out: Rows that weren't written, since they have no score.
        position: Bytes of the inputs that these rows take up, as near as can be told.
        size: Bytes of the inputs; None where one is a pipe.
        committed: Rows that are on the disk, so that `resume` goes on after them.
        resumed: Rows that an earlier run has scored.
        total_rows: Rows of the input, where it tells them, as Parquet does; else None.
        seconds: Time since the inputs were opened.
        inputs: The inputs that were read to their end, by name, each with its rows.
        bounds: Of a span of a mailbox that was read, bytes before its first message and before the first one after
            it.
        notes: What was decided by what an input looks like, as its encoding, in a sentence each.
    """

    rows: int = 0
    sentiments: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    position: int = 0
    size: int | None = None
    committed: int = 0
    resumed: int = 0
    total_rows: int | None = None
    seconds: float = 0.0
    inputs: list[tuple[str, int]] = field(default_factory=list)
    bounds: tuple[int, int] | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        """How much of the inputs is done, 0 … 1; None where one is a pipe, or all are empty."""
        return min(1.0, self.position / self.size) if self.size else None

    def count(self, scored: pa.RecordBatch, prefix: str = "") -> None:
        """Add the rows of a scored batch."""
        self.rows += scored.num_rows
        sentiments, errors = scored.column(prefix + "sentiment"), scored.column(prefix + "error")
        _count(sentiments, self.sentiments)
        if errors.null_count < len(errors):
            _count(errors.filter(pc.is_null(sentiments)), self.errors)
            _count(errors.filter(pc.is_valid(sentiments)), self.flagged)


def _count(values: pa.Array, counts: Counter[str]) -> None:
    for item in values.drop_null().value_counts().to_pylist():
        counts[item["values"]] += item["counts"]


def score_file(
    sources: str | Path | Sequence[str | Path],
    output: str | Path | None,
    scorer: Scorer,
    *,
    format: str | None = None,
    output_format: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    record: bool = False,
    mail: MailOptions = DEFAULT_OPTIONS,
    table: TableOptions = DEFAULT_TABLE_OPTIONS,
    errors: ErrorOptions = DEFAULT_ERROR_OPTIONS,
    max_ratio: int = MAX_RATIO,
    spreadsheet_safe: bool = False,
    on_batch: Callable[[pa.RecordBatch, Summary], None] | None = None,
    summary: Summary | None = None,
    span: Span | None = None,
) -> Summary:
    """Score the rows of files and write them, with their scores, into one file.

    Reading, predicting and writing go on at the same time. Memory doesn't grow with the input. Where inputs and
    output are files, what is done is put on the disk every few seconds, in a folder beside the output; see
    `textsent.journal`.

    Args:
        sources: Paths or URLs of the inputs, or one; `-` is standard input.
        output: Path or URL of the output; `-` is standard output; None writes nothing. What goes to a URL grows in
            a folder for temporary files, and is uploaded when it is complete.
        scorer: What scores.
        format: Format of the inputs, by default what their suffixes say.
        output_format: Format of the output, by default what its suffix says.
        overwrite: Replace an output that exists, and drop what an unfinished run has left.
        resume: Go on with an unfinished run, if there is one; the output is what that would have given.
        record: Write what the run was into a file beside the output, for `textsent.record.verify`; Parquet holds it
            itself.
        mail: What of a mail counts as its text.
        table: How CSV, JSON Lines and text files are written.
        errors: What becomes of rows without a score; where they end the run, there is no output.
        max_ratio: How many times as large as an input what is unpacked from it may be, once it is over 256 MiB.
        spreadsheet_safe: Put an apostrophe before what a spreadsheet would take for a formula, in a CSV output.
        on_batch: Called after each batch with the scored rows that are kept and the summary so far.
        summary: What to fill and to return, for one who wants to know how far a run came that was interrupted.
        span: What is scored of the input, which is one; see `Reader`.

    Raises:
        NoRowsError: The inputs have no rows.
        InputError: An input can't be read, or has more rows with an error than are allowed.
        OutputError: The output can't be written, or another run is at it, or an unfinished one has left rows.
        OptionError: The run can't be gone on with, for it began otherwise, or reads or writes a pipe.
    """
    table = replace(table, keep_bad_rows=errors.on_error != "stop", may_guess=True, text_column=scorer.column)
    run = _Run(scorer, errors, on_batch, summary or Summary())
    unfinished = None
    try:
        with ExitStack() as stack:
            journal = None
            to_mailbox, named = False, ""
            if output is not None:
                named = output = without_file_scheme(str(output))
                if is_url(named):
                    if resume:
                        raise OptionError(
                            f"what goes to {named} at once can't be gone on with: leave out --resume, or name a "
                            "folder, with / at its end, to write in parts"
                        )
                    output = str(stack.enter_context(uploading(named, overwrite)))
                try:
                    written_as, _ = check_output(output, output_format, overwrite or resume, spreadsheet_safe)
                except OutputError as exc:
                    raise OutputError(str(exc).replace(output, named)) from exc
                to_mailbox = written_as == "mbox"
            if output not in (None, STANDARD_STREAM):
                with Uninterrupted():  # or the folder would be nobody's
                    unfinished = stack.enter_context(UnfinishedOutput(str(output)))
                journal = stack.enter_context(Journal(unfinished))
                if not is_url(named):
                    stack.callback(run.note_committed, journal)
                overwrite = journal.may_replace(overwrite, resume)
            # In another thread, since Arrow's way of waiting for a pipe's first bytes hears no Ctrl-C.
            settings = (format, mail, to_mailbox, scorer.workers, max_ratio, table, span)
            opening = (open_reader(sources, *settings) for _ in range(1))
            reader = stack.enter_context(next(stack.enter_context(ahead(opening, 1))))
            if resume and (journal is None or reader.size is None):
                raise OptionError(
                    "a pipe can't be gone on with: leave out --resume, or name files to read and to write"
                )
            if not reader.schema.names:
                raise _no_rows(reader)
            reader.text_column(scorer.column)
            facts: dict[str, Any] = {}
            if journal:
                facts = {
                    **scorer.facts(),
                    **asdict(mail),
                    **asdict(table),
                    "on_error": errors.on_error,
                    "format": format,
                }
                written = {"output_format": output_format, "spreadsheet_safe": spreadsheet_safe}
                journal.take_up({**facts, **written, **_input_facts(reader)}, overwrite)
                if journal.mark:
                    reader.go_to(journal.mark)
            if output is not None:
                schema = scorer.output_schema(reader.schema)
                run.writer = stack.enter_context(
                    open_writer(output, schema, output_format, overwrite, spreadsheet_safe, unfinished)
                )
            run.go(reader, journal)
            if run.writer and journal and (record or run.writer.holds_record):
                run.writer.record = Record(facts, run.summary.inputs, run.writer.rows, run.summary.left_out)
    except KeyboardInterrupt:
        if unfinished is None or not unfinished.is_complete:  # else it came too late
            raise
    return run.summary


@dataclass
class _Run:
    """The rows of a reader on their way to a writer."""

    scorer: Scorer
    errors: ErrorOptions
    on_batch: Callable[[pa.RecordBatch, Summary], None] | None
    summary: Summary
    writer: Writer | None = None
    started: float = field(default_factory=time.monotonic)

    def go(self, reader: Reader, journal: Journal | None) -> None:
        """Write all rows: those that are committed, then those that the reader reads."""
        summary = self.summary
        summary.size, summary.total_rows, summary.notes = reader.size, reader.total_rows, reader.notes
        if journal:
            for scored in journal.batches():
                summary.resumed += scored.num_rows
                self._take(scored, reader, reader.position)
        if reader.size is None:
            journal = None  # a pipe can't be read again
        with (
            pool_of(self.scorer.model.threads) as pool,
            ahead(_begun(reader, self.scorer, pool), self.scorer.windows_ahead, reader.abandon) as windows,
        ):
            for finish, position, mark in windows:
                for scored in finish():
                    if journal:
                        journal.write(scored)
                    self._take(scored, reader, position)
                if journal:
                    journal.end_window(mark)
        summary.bounds = reader.bounds
        if summary.rows == 0:
            raise _no_rows(reader)
        if self.writer and self.writer.rows + summary.left_out != sum(reader.rows):
            raise OutputError(
                f"nothing is written: {sum(reader.rows):,} rows were read, but {self.writer.rows:,} came out, "
                "which is a fault of textsent: please report it"
            )
        summary.inputs = list(zip(reader.names, reader.rows, strict=True))

    def note_committed(self, journal: Journal) -> None:
        """Count the rows that another run can go on after."""
        self.summary.committed = journal.rows

    def _take(self, scored: pa.RecordBatch, reader: Reader, position: int) -> None:
        prefix, summary = self.scorer.prefix, self.summary
        unscored = pc.is_null(scored.column(prefix + "sentiment"))
        found = pc.if_else(unscored, scored.column(prefix + "error"), pa.scalar(None, pa.string()))
        kept = _kept(scored, found, self.errors, summary, reader)
        if self.writer:
            self.writer.write(kept)
        summary.count(scored, prefix)
        summary.left_out += scored.num_rows - kept.num_rows
        summary.position = position
        summary.seconds = time.monotonic() - self.started
        if self.on_batch:
            self.on_batch(kept, summary)


def _input_facts(reader: Reader) -> dict[str, Any]:
    states = {f"the input {name}": state for name, state in zip(reader.names, reader.states, strict=True)}
    return {"inputs": reader.names, **states}


def _kept(
    scored: pa.RecordBatch, found: pa.Array, options: ErrorOptions, summary: Summary, reader: Reader
) -> pa.RecordBatch:
    """Return the rows that are written of a scored batch.

    Args:
        scored: The batch.
        found: Why rows of it have no score; null where one has.
        options: What becomes of them.
        summary: Of the batches before it.
        reader: Where the rows come from, for messages.

    Raises:
        InputError: There are more errors than are allowed.
    """
    if found.null_count == len(found):
        return scored
    counts = summary.errors.copy()
    _count(found, counts)
    if options.on_error == "stop":
        at = pc.is_valid(found).index(True).as_py()
        inputs = list(zip(reader.names, reader.rows, strict=False))
        name, row = place_of(summary.rows + at + 1, inputs)
        raise InputError(
            f"{shown_name(name)}: row {row:,}: {found[at].as_py()}: mend it, or keep such rows with --on-error keep"
        )
    options.check(counts, summary.rows + len(found), reader.name)
    if options.on_error == "keep":
        return scored
    return scored.filter(pc.is_null(found))


def _begun(reader: Reader, scorer: Scorer, pool: Executor) -> Iterator[tuple[Finish, int, Mark]]:
    """Yield the windows of what is read, begun, with the bytes that were read up to their ends, and the places."""
    window: list[pa.RecordBatch] = []
    position, mark = reader.position, reader.mark
    for batch in reader:
        rows = sum(part.num_rows for part in window)
        if window and (
            rows + batch.num_rows > WINDOW_ROWS or sum(part.nbytes for part in window) + batch.nbytes > WINDOW_BYTES
        ):
            yield scorer.begin(window, pool), position, mark
            window = []
        window.append(batch)
        position, mark = reader.position, reader.mark
    if window:
        yield scorer.begin(window, pool), reader.position, mark


def scored_batches(reader: Reader, scorer: Scorer) -> Iterator[pa.RecordBatch]:
    """Yield what is read, scored; reading goes on meanwhile.

    Raises:
        InputError: It can't be read, or the column of the texts is missing.
        OptionError: There is a column of an added one's name already.
    """
    reader.text_column(scorer.column)
    with (
        pool_of(scorer.model.threads) as pool,
        ahead(_begun(reader, scorer, pool), scorer.windows_ahead, reader.abandon) as windows,
    ):
        for finish, _, _ in windows:
            yield from finish()


def _no_rows(reader: Reader) -> InputError:
    return NoRowsError(f"no rows in {reader.name}: there is nothing to score, see whether it is the whole file")
