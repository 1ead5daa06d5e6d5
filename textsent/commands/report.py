"""`textsent report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textsent.commands.common import Quiet, console


def report(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="SCORED",
            help="What `textsent score` wrote: .parquet, .csv, .jsonl or .mbox, a folder, or URLs.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path("report.html"),
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="COLUMN",
            help="Also tell the tone by this column's values; may be given several times.",
            show_default="sender, domain and list of a mail",
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Of the page.", show_default="the inputs' names")] = None,
    date_column: Annotated[
        str | None, typer.Option(help="Column of the dates.", show_default="date, where there is one")
    ] = None,
    text_column: Annotated[
        str | None, typer.Option(help="Column of the texts.", show_default="text, where there is one")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Before the names of the columns that scoring added.")] = "",
    format: Annotated[
        str | None,
        typer.Option(help="Format of the inputs: parquet, csv, tsv, jsonl or mbox.", show_default="by suffix"),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="The model that says which words moved a score; none marks no words.",
            show_default="the one that scored",
        ),
    ] = None,
    anonymize: Annotated[
        bool,
        typer.Option("--anonymize", help="Replace names and addresses of people, links, handles and long numbers."),
    ] = False,
    open: Annotated[bool, typer.Option("--open", help="Show the page in a browser.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a page that exists.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a page about scored rows: what their tone is, how it moved, and the texts."""
    from textsent.display import printable
    from textsent.report import ReportOptions, write_report

    options = ReportOptions(
        by=tuple(by or ()),
        date_column=date_column,
        text_column=text_column,
        prefix=prefix,
        format=format,
        model=model,
        anonymize=anonymize,
        title=title,
    )
    found = write_report(inputs, output, options, overwrite)
    stderr = console(stderr=True, quiet=quiet)
    for sentence in (*found.headline, *found.notes):
        stderr.print(printable(sentence), soft_wrap=True)
    stderr.print(f"written to {printable(str(output))}", soft_wrap=True)
    if open:
        typer.launch(output.absolute().as_uri())
