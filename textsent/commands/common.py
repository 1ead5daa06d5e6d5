"""What several commands take and do."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from textsent.datasets import LabelledTexts

INPUT_FORMATS = ("mbox", "eml", "emlx", "msg", "zip", "tar", "csv", "tsv", "parquet", "jsonl", "text")
OUTPUT_FORMATS = ("parquet", "csv", "jsonl", "mbox")
RECIPES = (
    "lstm",
    "word2vec-lstm-350",
    "lstm-80",
    "mlp-500",
    "cnn-500",
    "stacked-lstm-256",
    "stopwords-lstm-500",
)
"""What a shell completes: here too, since the modules that know them take long to import. A test compares them."""

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of the signal."""


def complete_models(incomplete: str) -> list[str]:
    """Return the shipped models whose names begin so; a shell completes folders by itself."""
    from textsent.presets import shipped_presets

    return [name for name in shipped_presets() if name.startswith(incomplete)]


def completing(*values: str) -> Callable[[str], list[str]]:
    """Return what completes an option of these values."""

    def complete(incomplete: str) -> list[str]:
        return [value for value in values if value.startswith(incomplete)]

    return complete


Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="A shipped model's name, or a folder made by train.",
        autocompletion=complete_models,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        help="auto, cpu or gpu; auto takes a GPU where there is one.",
        autocompletion=completing("auto", "cpu", "gpu"),
    ),
]
InputFormat = Annotated[
    str | None,
    typer.Option(
        help="Format of the inputs: mbox, eml, emlx, msg, zip, tar, csv, tsv, parquet, jsonl or text.",
        show_default="by suffix",
        autocompletion=completing(*INPUT_FORMATS),
    ),
]
KeepQuotes = Annotated[bool, typer.Option("--keep-quotes", help="Read a mail with what it quotes and forwards.")]
KeepSignatures = Annotated[
    bool, typer.Option("--keep-signatures", help="Read a mail with signatures and legal footers.")
]
WithSubject = Annotated[bool, typer.Option("--with-subject", help="Read a mail's subject with its body.")]
TextColumn = Annotated[
    str | None,
    typer.Option(help="Column of the texts.", show_default="text, else the only column of strings"),
]
Precision = Annotated[
    str,
    typer.Option(
        help="float32; int8: faster on a CPU, scores change by hundredths at most; float16: faster on a GPU, they "
        "change by less than a thousandth.",
        autocompletion=completing("float32", "int8", "float16"),
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(help="Texts, or pieces of long ones, predicted together at most.", show_default="by their length"),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Cores to use: threads that predict on a CPU, and processes that read a large mailbox.",
        show_default="all that the process may use",
    ),
]

TRAINING_DATA = "Labelled texts: .csv, .tsv, .parquet or .jsonl, an aclImdb folder, or its .tar.gz."

Encoding = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="What CSV, JSON Lines and text files are written in, for instance cp1252.",
        show_default="by byte order mark, else UTF-8, else guessed",
        autocompletion=completing("utf-8", "utf-16", "cp1252", "latin-1", "shift_jis", "gb18030"),
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        help="What stands between the fields of CSV: a character, or comma, semicolon, tab or pipe.",
        show_default="a comma, in .tsv a tab, or what the header tells",
        autocompletion=completing("comma", "semicolon", "tab", "pipe"),
    ),
]
NoHeader = Annotated[
    bool,
    typer.Option(
        "--no-header",
        help="The first row of CSV holds no names: the columns are column_1, column_2 and so on, or text.",
    ),
]
InferTypes = Annotated[
    bool,
    typer.Option(
        "--infer-types",
        help="Take numbers, dates and truths of CSV for such; without it each value stays the text it was.",
    ),
]

LabelColumn = Annotated[
    str | None,
    typer.Option(
        help="Column of the labels: pos or neg, positive or negative, good or bad, 1 or 0, 1 or -1.",
        show_default="label, else sentiment",
    ),
]
GroupColumn = Annotated[
    str | None,
    typer.Option(
        help="Rows with one value here are never on both sides of a cut; '' cuts by text.",
        show_default="movie, film or group, where there is one",
    ),
]
PositiveLabels = Annotated[
    list[str] | None,
    typer.Option("--positive", metavar="LABEL", help="A label that means positive; may be given several times."),
]
NegativeLabels = Annotated[
    list[str] | None,
    typer.Option(
        "--negative", metavar="LABEL", help="A label that means negative. Rows with other labels are left out."
    ),
]
TrustRecipe = Annotated[
    bool,
    typer.Option(
        "--trust-recipe", help="Run the code of a model's recipe that isn't textsent's, where Keras needs it."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a model of that name.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


def command_line() -> str:
    """Return the command line of this process, as it is stored with a model: in one printable line."""
    from textsent.display import printable

    return printable(shlex.join(["textsent", *sys.argv[1:]]))


def labelled_texts(
    path: Path,
    part: str,
    text_column: str | None,
    label_column: str | None,
    group_column: str | None,
    positive: list[str] | None,
    negative: list[str] | None,
    neutral: list[str] | None = None,
) -> LabelledTexts:
    """Return the labelled texts of a file, or of a part of the Large Movie Review Dataset."""
    from textsent.datasets import read_labelled

    return read_labelled(
        path,
        part=part,
        text=text_column,
        label=label_column,
        group=group_column,
        positive=positive or (),
        negative=negative or (),
        neutral=neutral or (),
    )


def tell_left_out(stderr: Console, texts: LabelledTexts) -> None:
    """Say which rows were left out for their labels, if any were."""
    from textsent.datasets import describe_labels

    if texts.left_out:
        stderr.print(f"rows left out for their labels: {describe_labels(texts.left_out)}", soft_wrap=True)


def console(stderr: bool = False, quiet: bool = False) -> Console:
    """Return a console that prints text as it is."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")  # where the terminal's encoding lacks a letter
    return Console(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)
