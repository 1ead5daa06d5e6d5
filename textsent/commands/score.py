"""`textsent score`."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from textsent.commands.common import (
    INTERRUPTED,
    BatchSize,
    Device,
    Model,
    Precision,
    Quiet,
    TextColumn,
    TrustRecipe,
    Workers,
    console,
)
from textsent.errors import OptionError

if TYPE_CHECKING:
    import pyarrow as pa


def score(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Files to score: .mbox, .eml, .msg, .csv, .tsv, .parquet, .jsonl or .txt (a line is a text), each "
            "also .gz, .bz2 or .zst; a Maildir or a folder of mail; mail in .zip or .tar; - is standard input.",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write: .parquet, .csv or .jsonl, or for mail .mbox: the mails as they were with their "
            "scores in their headers; - is standard output.",
            show_default="a table in a terminal, CSV in a pipe",
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            help="Format of the inputs: mbox, eml, emlx, msg, zip, tar, csv, tsv, parquet, jsonl or text.",
            show_default="by suffix",
        ),
    ] = None,
    output_format: Annotated[
        str | None,
        typer.Option(help="Format of the output: parquet, csv, jsonl or mbox.", show_default="by suffix"),
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
        ),
    ] = None,
    keep_quotes: Annotated[
        bool, typer.Option("--keep-quotes", help="Score a mail with what it quotes and forwards.")
    ] = False,
    keep_signatures: Annotated[
        bool, typer.Option("--keep-signatures", help="Score a mail with signatures and legal footers.")
    ] = False,
    with_subject: Annotated[
        bool, typer.Option("--with-subject", help="Score a mail's subject with its body.")
    ] = False,
    max_message_mb: Annotated[
        int, typer.Option(min=1, help="Of a mail over so many MB only the text is held in memory.")
    ] = 64,
    trust_recipe: TrustRecipe = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    quiet: Quiet = False,
) -> None:
    """Score the rows of files and write them with their scores."""
    from textsent.mail import MailOptions
    from textsent.score import Summary, load, score_file

    table_wanted = output is None and sys.stdout is not None and sys.stdout.isatty()
    target = None if table_wanted else output or "-"
    band = None if neutral is None else _band(neutral)
    mail = MailOptions(
        keep_quotes=keep_quotes,
        keep_signatures=keep_signatures,
        with_subject=with_subject,
        max_message_bytes=max_message_mb << 20,
    )
    scorer = load(
        model,
        device=device,
        precision=precision,
        workers=workers,
        column=text_column,
        prefix=prefix,
        neutral=band,
        batch_size=batch_size,
        trust_recipe=trust_recipe,
    )

    from textsent.display import RowTable, ScoreProgress, print_summary

    stderr = console(stderr=True, quiet=quiet)
    table = RowTable(text_column, prefix)
    with ScoreProgress(stderr) if stderr.is_terminal else nullcontext() as progress:
        so_far = Summary()

        def show(scored: pa.RecordBatch, summary: Summary) -> None:
            nonlocal so_far
            so_far = summary
            if progress:
                progress.show(summary)
            if table_wanted:
                table.add(scored)

        try:
            summary = score_file(
                inputs,
                target,
                scorer,
                format=format,
                output_format=output_format,
                overwrite=overwrite,
                mail=mail,
                on_batch=show,
            )
        except KeyboardInterrupt:
            written = "they are" if target == "-" else "nothing is"
            stderr.print(f"textsent: interrupted after {so_far.rows:,} rows: {written} written", soft_wrap=True)
            raise typer.Exit(INTERRUPTED) from None
    if table_wanted:
        table.print(console(), summary.rows)
    print_summary(stderr, summary, None if target == "-" else target)


def _band(value: str) -> tuple[float, float] | Literal["none"]:
    if value == "none":
        return "none"
    try:
        low, high = (float(number) for number in value.split(","))
    except ValueError:
        raise OptionError(f"--neutral needs two numbers, for instance 0.4,0.6. Received: {value!r}") from None
    return low, high
