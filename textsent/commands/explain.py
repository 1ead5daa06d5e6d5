"""`textsent explain`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from textsent.commands.common import (
    Delimiter,
    Device,
    Encoding,
    InferTypes,
    InputFormat,
    KeepQuotes,
    KeepSignatures,
    Model,
    NoHeader,
    TextColumn,
    TrustRecipe,
    WithSubject,
    console,
)
from textsent.errors import OptionError


def explain(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT",
            help="The text; - is standard input, all of it. With --row a file of any kind that textsent score "
            "reads.",
        ),
    ],
    row: Annotated[
        int | None,
        typer.Option(min=1, help="Explain this row of a file, whose first row is 1.", show_default=False),
    ] = None,
    words: Annotated[int, typer.Option(min=0, help="Strongest words that are listed.")] = 10,
    json: Annotated[
        bool, typer.Option("--json", help="Print the explanation as JSON, all words and sentences with offsets.")
    ] = False,
    html: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write a page with the text in colours; - is standard output."),
    ] = None,
    text_column: TextColumn = None,
    format: InputFormat = None,
    keep_quotes: KeepQuotes = False,
    keep_signatures: KeepSignatures = False,
    with_subject: WithSubject = False,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    no_header: NoHeader = False,
    infer_types: InferTypes = False,
    model: Model = "imdb-lstm",
    device: Device = "auto",
    trust_recipe: TrustRecipe = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a page that exists.")] = False,
) -> None:
    """Show which sentences and words moved a text's score."""
    from textsent.explain import explain_row
    from textsent.mail import MailOptions
    from textsent.readers import read_standard_input
    from textsent.score import load
    from textsent.sources import STANDARD_STREAM
    from textsent.tables import TableOptions

    if row is None and os.path.isfile(text):  # noqa: PTH113 - of a text that can't be a path it is false
        raise OptionError(f"{text} is a file: choose one of its rows, for instance --row 1")
    table = TableOptions(encoding=encoding, delimiter=delimiter, header=not no_header, infer_types=infer_types)
    scorer = load(model, device=device, column=text_column, trust_recipe=trust_recipe)
    if row is None:
        explanation = scorer.explain([read_standard_input(encoding) if text == STANDARD_STREAM else text])[0]
    else:
        mail = MailOptions(keep_quotes=keep_quotes, keep_signatures=keep_signatures, with_subject=with_subject)
        explanation = explain_row(scorer, text, row, format=format, mail=mail, table=table)
    if json:
        from json import dumps

        print(dumps(explanation.to_json()))
    if html:
        from textsent.explanation_page import page
        from textsent.page import write_page

        write_page(page(explanation, words, scorer.name), html, overwrite)
    if not json and not html:
        from textsent.display import print_explanation

        print_explanation(console(), explanation, words)
