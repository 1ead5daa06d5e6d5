"""`textsent score`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from textsent.commands.common import (
    INTERRUPTED,
    OUTPUT_FORMATS,
    BatchSize,
    Delimiter,
    Device,
    Encoding,
    InferTypes,
    InputFormat,
    KeepQuotes,
    KeepSignatures,
    Model,
    NoHeader,
    Precision,
    Quiet,
    TextColumn,
    TrustRecipe,
    WithSubject,
    Workers,
    completing,
    console,
)
from textsent.errors import OptionError, TextsentError

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

    from textsent.display import RowTable
    from textsent.extremes import Extreme, MostNegative
    from textsent.files import Summary
    from textsent.score import Scorer


_AT_SCALE = "At scale"


def score(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT]...",
            help="Files to score: .mbox, .eml, .msg, .csv, .tsv, .parquet, .jsonl or .txt (a line is a text), each "
            "also .gz, .bz2 or .zst; a Maildir or a folder of mail; mail in .zip or .tar; URLs, as s3://box/a.csv, "
            "also of folders and patterns; - is standard input, and needs --format. Or texts, in quotes, after -- "
            "where one begins with a dash: each gives a line with verdict, score and text. Without INPUT, standard "
            "input is read like that, a text a line.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write: .parquet, .csv or .jsonl, or for mail .mbox: the mails as they were with their "
            "scores in their headers; - is standard output. With / at its end, a folder to write in parts.",
            show_default="a table in a terminal, CSV in a pipe",
        ),
    ] = None,
    format: InputFormat = None,
    output_format: Annotated[
        str | None,
        typer.Option(
            help="Format of the output: parquet, csv, jsonl or mbox.",
            show_default="by suffix",
            autocompletion=completing(*OUTPUT_FORMATS),
        ),
    ] = None,
    text_column: TextColumn = None,
    model: Model = "imdb-lstm",
    device: Device = "auto",
    precision: Precision = "float32",
    workers: Workers = None,
    batch_size: BatchSize = None,
    prefix: Annotated[str, typer.Option(help="Put before the names of the added columns.")] = "",
    neutral: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="Call scores from LOW to HIGH neutral, for instance 0.4,0.6; none calls no score so.",
            show_default="the model's own band, if it has one",
            autocompletion=completing("none"),
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Call scores from P on positive, all others negative, and none neutral.",
            show_default="0.5, beside the neutral band",
        ),
    ] = None,
    sentences: Annotated[
        bool,
        typer.Option(
            "--sentences", help="Add each text's lowest sentence and its score; takes about twice as long."
        ),
    ] = False,
    keep_quotes: KeepQuotes = False,
    keep_signatures: KeepSignatures = False,
    with_subject: WithSubject = False,
    max_message_mb: Annotated[
        int, typer.Option(min=1, help="Of a mail over so many MB only the text is held in memory.")
    ] = 64,
    max_ratio: Annotated[
        int,
        typer.Option(
            min=1, help="Refuse an input that unpacks to over 256 MiB and to more than so many times its size."
        ),
    ] = 200,
    spreadsheet_safe: Annotated[
        bool,
        typer.Option(
            "--spreadsheet-safe",
            help="In CSV, put an apostrophe before values and names that a spreadsheet would take for formulas.",
        ),
    ] = False,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    no_header: NoHeader = False,
    infer_types: InferTypes = False,
    on_error: Annotated[
        str,
        typer.Option(
            help="Rows without a score: keep writes them with the reason, skip leaves them out, stop ends at the "
            "first one, and at any bad row.",
            autocompletion=completing("keep", "skip", "stop"),
        ),
    ] = "keep",
    max_errors: Annotated[
        int | None,
        typer.Option(min=0, help="End, and write nothing, when more rows have no score.", show_default="no limit"),
    ] = None,
    trust_recipe: TrustRecipe = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an output that exists; begin an unfinished one anew.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with a run that didn't come to its end, if there is one; not through a pipe."
        ),
    ] = False,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Write OUTPUT.run.json beside the output, for verify; a .parquet file needs none."
        ),
    ] = False,
    progress: Annotated[
        str,
        typer.Option(
            help="bar; plain: a line every few seconds, for a log; none; auto: a bar in a terminal, else none.",
            autocompletion=completing("auto", "bar", "plain", "none"),
        ),
    ] = "auto",
    engine: Annotated[
        str,
        typer.Option(
            help="What scores the parts of an output folder: local, this process; ray, the machines of a cluster.",
            autocompletion=completing("local", "ray"),
            rich_help_panel=_AT_SCALE,
        ),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            help="Ray's cluster: its host:port, or auto: the one that this machine is in.",
            show_default="RAY_ADDRESS, else one on this machine for this run",
            rich_help_panel=_AT_SCALE,
        ),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Scorers at a time, each with --workers cores, by default one.",
            show_default="all that there is room for",
            rich_help_panel=_AT_SCALE,
        ),
    ] = None,
    gpus_per_worker: Annotated[
        float,
        typer.Option(min=0, help="GPUs of each scorer; may be a part of one, as 0.5.", rich_help_panel=_AT_SCALE),
    ] = 0,
    piece_mb: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="MB of an input scored at a time, into one part of a folder; by default 128.",
            rich_help_panel=_AT_SCALE,
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Score the rows of files and write them with their scores; or texts, given in quotes or piped in."""
    from textsent.display import shortened
    from textsent.files import ErrorOptions, Summary, score_file
    from textsent.mail import MailOptions
    from textsent.pieces import LOCAL, PIECE_BYTES, engine_of, job_for, score_folder
    from textsent.readers import lines_as_they_come
    from textsent.score import load
    from textsent.sources import STANDARD_STREAM, is_text_argument
    from textsent.storage import is_folder_name
    from textsent.tables import TableOptions

    to_terminal = sys.stdout is not None and sys.stdout.isatty()
    prints_verdicts = output is None and output_format is None and format is None
    texts: Iterable[Sequence[str]] | None = None
    undecodable: list[int] = []
    if not inputs:
        if sys.stdin is None or sys.stdin.isatty():
            raise typer.BadParameter(_NOTHING)
        inputs = [STANDARD_STREAM]
        texts = lines_as_they_come(encoding, undecodable.append) if prints_verdicts else None
        format = format or "text"
    elif format is None and any(given := list(map(is_text_argument, inputs))):
        if not all(given):
            text = shortened(inputs[given.index(True)], 40)
            raise OptionError(f"there is no file {text!r}, and a text is scored in a run without files")
        if not prints_verdicts:
            raise OptionError(
                "texts given as arguments are printed with their scores: to have them in a file, put them into "
                "a .txt file, a text a line, and score that"
            )
        texts = [inputs]
    if spreadsheet_safe and (texts is not None or (output is None and to_terminal)):
        raise OptionError("--spreadsheet-safe is for CSV: name a .csv file with --output, or leave it out")
    table_wanted = output is None and to_terminal
    target = None if table_wanted else output or "-"
    band = None if neutral is None else _band(neutral)
    mail = MailOptions(
        keep_quotes=keep_quotes,
        keep_signatures=keep_signatures,
        with_subject=with_subject,
        max_message_bytes=max_message_mb << 20,
    )
    table_options = TableOptions(
        encoding=encoding, delimiter=delimiter, header=not no_header, infer_types=infer_types
    )
    errors = ErrorOptions(on_error, max_errors)
    settings: dict[str, Any] = {
        "device": device,
        "precision": precision,
        "workers": workers,
        "column": text_column,
        "prefix": prefix,
        "neutral": band,
        "threshold": threshold,
        "sentences": sentences,
        "batch_size": batch_size,
        "trust_recipe": trust_recipe,
    }
    files: dict[str, Any] = {
        "format": format,
        "mail": mail,
        "table": table_options,
        "max_ratio": max_ratio,
        "spreadsheet_safe": spreadsheet_safe,
    }
    folder = output if output is not None and is_folder_name(output) else None
    if engine != LOCAL and folder is None:
        raise OptionError(f"--engine {engine} writes a folder, in parts: name it with --output, with / at its end")
    if piece_mb is not None and folder is None:
        raise OptionError("--piece-mb is for a folder, in parts: name it with --output, with / at its end")
    scored_by = engine_of(engine, address, concurrency, gpus_per_worker)
    if texts is not None:
        if sentences:
            raise OptionError(
                "--sentences adds columns to a file's rows: put the texts into a .txt file and score that"
            )
        _print_verdicts(texts, load(model, **settings))
        if undecodable:
            console(stderr=True, quiet=quiet).print(
                f"textsent: undecodable bytes in line {undecodable[0]:,}"
                + (f" and {len(undecodable) - 1:,} more" if len(undecodable) > 1 else "")
                + ": --encoding says what they are in",
                soft_wrap=True,
            )
        return

    from textsent.display import RowTable, print_summary
    from textsent.extremes import MostNegative
    from textsent.progress import progress_of

    stderr = console(stderr=True, quiet=quiet)
    table = RowTable(text_column, prefix)
    most_negative = MostNegative(text_column, prefix)
    shown = _Shown(
        stderr, table if table_wanted else None, most_negative if stderr.is_terminal and not quiet else None
    )
    if folder is not None:
        if overwrite:
            raise OptionError(f"a folder of parts isn't replaced: name another one than {folder}")
        run = partial(
            score_folder,
            inputs,
            job_for(model, settings, folder, output_format or "parquet", on_error, files),
            engine=scored_by,
            resume=resume,
            max_errors=max_errors,
            piece_bytes=PIECE_BYTES if piece_mb is None else piece_mb << 20,
            on_part=shown.show,
        )
    else:
        run = partial(
            score_file,
            inputs,
            target,
            load(model, **settings),
            output_format=output_format,
            overwrite=overwrite,
            resume=resume,
            record=record,
            errors=errors,
            on_batch=shown.show_batch,
            **files,
        )
    so_far = Summary()
    with progress_of(progress, stderr, target == STANDARD_STREAM and to_terminal) as shown.watcher:
        try:
            summary = run(summary=so_far)
        except KeyboardInterrupt:
            written = "they are written" if target == STANDARD_STREAM else _kept(so_far) or "nothing is written"
            stderr.print(f"textsent: interrupted after {so_far.rows:,} rows: {written}", soft_wrap=True)
            raise typer.Exit(INTERRUPTED) from None
        except (TextsentError, MemoryError) as exc:
            if so_far.rows and so_far.committed:
                exc.add_note(f"{so_far.committed:,} rows are kept: go on with --resume when that is mended")
            raise
    if table_wanted:
        table.print(console(), summary.rows - summary.left_out)
    options = {
        "--model": None if model == "imdb-lstm" else model,
        "--text-column": text_column,
        "--format": format,
        "--encoding": encoding,
        "--delimiter": delimiter,
        "--no-header": no_header,
        "--infer-types": infer_types,
        "--keep-quotes": keep_quotes,
        "--keep-signatures": keep_signatures,
        "--with-subject": with_subject,
        "--trust-recipe": trust_recipe,
    }
    print_summary(
        stderr,
        summary,
        None if target == STANDARD_STREAM else target,
        most_negative.found,
        _next_steps(summary, most_negative.found, options, None if target == STANDARD_STREAM else target),
    )


@dataclass
class _Shown:
    """What is shown of a run that goes on.

    Attributes:
        console: Where what was decided about the inputs is told.
        table: What takes the rows that are to be printed.
        most_negative: What looks for the rows to name at the end.
        watcher: What shows how far the run is.
    """

    console: Console
    table: RowTable | None
    most_negative: MostNegative | None
    watcher: Any = None
    _noted: int = 0

    def show(self, summary: Summary) -> None:
        from textsent.display import printable

        for note in summary.notes[self._noted :]:
            self.console.print(f"textsent: {printable(note)}", soft_wrap=True)
        self._noted = len(summary.notes)
        self.watcher.show(summary)

    def show_batch(self, scored: pa.RecordBatch, summary: Summary) -> None:
        self.show(summary)
        if self.table:
            self.table.add(scored)
        if self.most_negative:
            self.most_negative.add(scored)


def _kept(summary: Summary) -> str:
    return f"{summary.committed:,} of them are kept, go on with --resume" if summary.committed else ""


_NOTHING = (
    "there is nothing to score: name files, for instance textsent score emails.mbox -o scored.parquet; give a "
    'text, textsent score "Thank you, that was quick."; or pipe texts in, a line each'
)


def _print_verdicts(texts: Iterable[Sequence[str]], scorer: Scorer) -> None:
    from textsent.display import print_verdicts

    stdout = console()
    rows = 0
    for some in texts:
        print_verdicts(stdout, some, scorer.score_columns(some))
        rows += len(some)
    if not rows:
        raise typer.BadParameter(_NOTHING)


def _next_steps(
    summary: Summary, most_negative: Sequence[Extreme], options: Mapping[str, str | bool | None], output: str | None
) -> list[tuple[str, str]]:
    """Return what one may want to know next, each with the command that tells it: the place for all of them."""
    from textsent.extremes import place_of
    from textsent.sources import STANDARD_STREAM
    from textsent.storage import is_folder_name, without_query

    steps = []
    if most_negative and not summary.left_out:  # rows are numbered as they were written
        name, row = place_of(most_negative[0].row, summary.inputs)
        given = [part for option, value in options.items() if value for part in (option, value) if part is not True]
        if name != STANDARD_STREAM:
            dashes = ["--"] if name.startswith("-") else []
            command = shlex.join(["textsent", "explain", "--row", str(row), *map(str, given), *dashes, name])
            steps.append(("which words made the first of them so", command))
    if output is not None and (is_folder_name(output) or Path(without_query(output)).suffix in _REPORTED):
        steps.append(("the tone of all of them as a page", shlex.join(["textsent", "report", output])))
    return steps


_REPORTED = (".parquet", ".csv", ".jsonl", ".mbox")
"""What `textsent report` reads."""


def _band(value: str) -> tuple[float, float] | Literal["none"]:
    if value == "none":
        return "none"
    try:
        low, high = (float(number) for number in value.split(","))
    except ValueError:
        raise OptionError(f"--neutral needs two numbers, for instance 0.4,0.6. Received: {value!r}") from None
    return low, high
