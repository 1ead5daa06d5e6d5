"""The command line: it parses, calls, and shows; what is done is done elsewhere."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from textsent import __version__
from textsent._accessor import hide_pandas
from textsent.errors import OptionError, TextsentError

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

app = typer.Typer(
    name="textsent",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks can show locals, and these hold people's mail
    rich_markup_mode=None,  # plain help: Rich's takes as long to import as all the rest
)


def run() -> NoReturn:
    """Run the command line as a process of its own.

    The process ends without Python's tidying up: everything is written by then, the tidying takes a sixth of a
    short run, and Arrow's threads may still be reading, which aborts the process when it waits for them.
    """
    gc.set_threshold(100_000)  # importing makes many objects and no garbage
    code: object = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):  # None where it is closed
            stream.flush()
    except OSError:  # whoever read the output has gone
        code = code or 1
    os._exit(code if isinstance(code, int) else 0)


def main() -> None:
    """Run the command line; an error that is the user's to mend is one line on stderr and exit code 1."""
    hide_pandas()
    try:
        app()
    except TextsentError as exc:
        line = " ".join(str(exc).split())  # it may quote the input, which must not steer the terminal
        print("textsent:", "".join(filter(str.isprintable, line)), file=sys.stderr)
        sys.exit(1)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"textsent {__version__}")
        raise typer.Exit


@app.callback()
def textsent(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Tell the tone of e-mail and other text."""


_INTERRUPTED = 130  # exit code: 128 and the number of the signal

Model = Annotated[str, typer.Option("--model", "-m", help="A shipped model's name, or a folder made by train.")]
Device = Annotated[str, typer.Option(help="auto, cpu or gpu; auto takes a GPU where there is one.")]
TextColumn = Annotated[
    str | None,
    typer.Option(help="Column of the texts.", show_default="text, else the only column of strings"),
]
Precision = Annotated[
    str,
    typer.Option(
        help="float32; int8: faster on a CPU, scores change by hundredths at most; float16: faster on a GPU, they "
        "change by less than a thousandth."
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


@app.command(
    epilog="Example:  textsent score emails.mbox -o scored.parquet",
)
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
            help="Call scores from LOW to HIGH neutral, for instance 0.4,0.6.",
            show_default="no score is",
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
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
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
    )

    from textsent.display import RowTable, ScoreProgress, print_summary

    stderr = _console(stderr=True, quiet=quiet)
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
            raise typer.Exit(_INTERRUPTED) from None
    if table_wanted:
        table.print(_console(), summary.rows)
    print_summary(stderr, summary, None if target == "-" else target)


@app.command(
    epilog="Example:  textsent train --data reviews.csv --epochs 10 --output my-model",
)
def train(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Labelled texts: .csv, .tsv, .parquet or .jsonl, or an aclImdb folder.",
            show_default="the Large Movie Review Dataset, downloaded once (84 MB)",
        ),
    ] = None,
    unlabelled: Annotated[
        Path | None,
        typer.Option(
            help="More texts to learn from, without labels: a file, or a folder of .txt files. "
            "Needs pip install 'textsent[unlabelled]'."
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write the model to.")] = Path(
        "trained-model"
    ),
    recipe: Annotated[str, typer.Option(help="The architecture.")] = "lstm",
    epochs: Annotated[int, typer.Option(help="Passes over the data, at most.")] = 10,
    batch_size: Annotated[
        int | None, typer.Option(help="Texts in a training batch.", show_default="the recipe's")
    ] = None,
    validation: Annotated[
        float, typer.Option(help="Share of the texts (of the films, where they are named) held out.")
    ] = 0.1,
    patience: Annotated[int, typer.Option(help="Epochs without a gain after which to stop.")] = 3,
    text_column: TextColumn = None,
    label_column: Annotated[
        str | None,
        typer.Option(
            help="Column of the labels: pos or neg, positive or negative, 1 or 0, 1 or -1.",
            show_default="label, else sentiment",
        ),
    ] = None,
    group_column: Annotated[
        str | None,
        typer.Option(
            help="Rows with one value here are never on both sides of the validation cut.",
            show_default="movie, film or group, where there is one",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the cut, the weights, the order and the dropout.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model of that name.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Train a model on labelled texts; Ctrl-C keeps the best epoch so far."""
    from textsent.datasets import imdb_folder, read_labelled
    from textsent.display import TrainingDisplay, print_evaluation
    from textsent.train import Options, check_output_folder
    from textsent.train import train as train_recipe
    from textsent.unlabelled import check_extra, read_unlabelled

    options = Options(recipe, epochs, batch_size, validation, patience, seed)
    check_output_folder(output, overwrite)
    if unlabelled:
        check_extra()
    labelled = read_labelled(
        data or imdb_folder(), part="train", text=text_column, label=label_column, group=group_column
    )
    stderr = _console(stderr=True, quiet=quiet)
    with TrainingDisplay(stderr) as display:
        evaluation = train_recipe(
            labelled,
            output,
            options,
            display,
            unlabelled=read_unlabelled(unlabelled, text_column) if unlabelled else None,
            overwrite=overwrite,
            command=shlex.join(["textsent", *sys.argv[1:]]),
        )
    stderr.print(f"\nThe best epoch, now in {output}, on the validation part:\n", soft_wrap=True)
    print_evaluation(stderr, evaluation)


@app.command(
    epilog="Example:  textsent evaluate labelled.csv",
)
def evaluate(
    labelled: Annotated[
        Path,
        typer.Argument(
            metavar="LABELLED", help="Labelled texts: .csv, .tsv, .parquet or .jsonl, or an aclImdb folder."
        ),
    ],
    model: Model = "imdb-lstm",
    validation: Annotated[
        bool,
        typer.Option(
            "--validation",
            help="Use only the part that was held out when the model was trained on this same data.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    text_column: TextColumn = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column of the labels.", show_default="label, else sentiment")
    ] = None,
    group_column: Annotated[
        str | None,
        typer.Option(help="Column that the validation cut went by.", show_default="movie, film or group"),
    ] = None,
    device: Device = "auto",
    precision: Precision = "float32",
    batch_size: BatchSize = None,
) -> None:
    """Compare a model's scores with labels."""
    from json import dumps

    from textsent.datasets import read_labelled
    from textsent.evaluate import change, without_nan
    from textsent.evaluate import evaluate as compare
    from textsent.presets import find_preset
    from textsent.score import load

    scorer = load(model, device=device, precision=precision, batch_size=batch_size)
    data = read_labelled(
        labelled,
        part="train" if validation else "test",
        text=text_column,
        label=label_column,
        group=group_column,
    )
    if validation:
        from textsent.train import validation_part

        data = validation_part(data, find_preset(model))
    scores = scorer.score(data.texts)
    evaluation = compare(scores, data.labels)
    changed = {}
    if precision != "float32":
        same_device = "cpu" if precision == "int8" else device
        exact = load(model, device=same_device, batch_size=batch_size)
        changed = change(scores, exact.score(data.texts), data.labels)
    if json:
        print(dumps(evaluation.to_json() | without_nan(changed)))
    else:
        from textsent.display import print_evaluation

        print_evaluation(_console(), evaluation)
        for name, value in changed.items():
            print(f"{name.replace('_', ' ')}  {value:.4f}")


def _band(value: str) -> tuple[float, float]:
    try:
        low, high = (float(number) for number in value.split(","))
    except ValueError:
        raise OptionError(f"--neutral needs two numbers, for instance 0.4,0.6. Received: {value!r}") from None
    return low, high


def _console(stderr: bool = False, quiet: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)
