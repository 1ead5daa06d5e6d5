"""The command line: it parses, calls, and shows; what is done is done elsewhere."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from textsent import __version__
from textsent._accessor import hide_pandas
from textsent.errors import OptionError, TextsentError

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

    from textsent.datasets import LabelledTexts

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


TRAINING_DATA = "Labelled texts: .csv, .tsv, .parquet or .jsonl, an aclImdb folder, or its .tar.gz."

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
        trust_recipe=trust_recipe,
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
            help=TRAINING_DATA,
            show_default="the Large Movie Review Dataset, downloaded once (84 MB)",
        ),
    ] = None,
    unlabelled: Annotated[
        Path | None,
        typer.Option(
            help="More texts to learn from, without labels: a file, a folder of .txt files, or aclImdb. "
            "Needs pip install 'textsent[unlabelled]'."
        ),
    ] = None,
    short_texts: Annotated[
        bool,
        typer.Option(
            "--short-texts",
            help="Learn from single sentences too, which the teacher and NLTK's lexicons judge (downloaded once): "
            "better on mail and other short texts.",
        ),
    ] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write the model to.")] = Path(
        "trained-model"
    ),
    recipe: Annotated[
        str | None,
        typer.Option(
            help="What to train: see textsent recipes; or your own, such as my_recipes.py:bag_of_words.",
            show_default="lstm, or what --init is of",
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Fine-tune a model that there is, a shipped one's name or a folder; useful from 200 texts on.",
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the data, at most.", show_default="the recipe's")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Texts in a training batch.", show_default="the recipe's")
    ] = None,
    validation: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE|FILE",
            help="Held out to measure each epoch on, and choose the best by: a share of the texts (of the films, "
            "where they are named), or a labelled file.",
            show_default="the recipe's share",
        ),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE|FILE",
            help="Held out from all of the training, to measure the result by: a share, or a labelled file.",
            show_default="none",
        ),
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Epochs without a gain after which to stop.", show_default="the recipe's")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            help="Texts to use, drawn so that labels keep their shares; 0 for all.", show_default="the recipe's"
        ),
    ] = None,
    class_weight: Annotated[
        str, typer.Option(help="none, or balanced: both labels count the same, however many texts have them.")
    ] = "none",
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    positive: PositiveLabels = None,
    negative: NegativeLabels = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            help="Word vectors, for a recipe that reads them: word2vec's binary or text format, also .gz, "
            "or gensim's, which can run code: only from people you trust.",
            show_default="trained on the texts, which needs pip install 'textsent[word2vec]'",
        ),
    ] = None,
    stopwords: Annotated[
        Path | None,
        typer.Option(
            help="Stop words, a word a line, for a recipe that leaves them out.",
            show_default="NLTK's, downloaded once",
        ),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            help="float32; on a GPU also float16 and bfloat16: half of the bits, weights stay in float32."
        ),
    ] = "float32",
    seed: Annotated[int, typer.Option(help="Of the cut, the weights, the order and the dropout.")] = 1,
    pictures: Annotated[bool, typer.Option(help="Draw pictures of the training into the model's folder.")] = True,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the figures of each epoch for TensorBoard.")
    ] = None,
    trust_recipe: TrustRecipe = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a training that was interrupted, where it stopped.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a model of that name, and an unfinished training of it.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Train a model on labelled texts; Ctrl-C keeps the best epoch so far, and --resume goes on."""
    import pyarrow as pa

    from textsent.checkpoint import TrainingFolder
    from textsent.display import TrainingDisplay, print_evaluation, print_fine_tuned, printable
    from textsent.finetune import Start
    from textsent.fitting import Observer, Observers
    from textsent.imdb import imdb_folder
    from textsent.options import DEFAULT_RECIPE, Options
    from textsent.prepare import Sources
    from textsent.train import check_options, check_output_folder
    from textsent.train import train as train_recipe
    from textsent.unlabelled import read_unlabelled

    def labelled(path: Path, part: str) -> LabelledTexts:
        return _labelled(path, part, text_column, label_column, group_column, positive, negative)

    validation_share, validation_file = _share_or_file(validation, "--validation")
    test_share, test_file = _share_or_file(test, "--test")
    if validation_file and validation_file == test_file:
        raise OptionError(
            f"--validation and --test are one file, {test_file}: nothing may be chosen by what it is tested on"
        )
    if init and not data:
        raise OptionError(f"--init {init} needs texts of your own to learn from: give them with --data")
    start = Start.from_preset(init, trust_recipe) if init else None
    options = Options(
        recipe=start.recipe_for(recipe) if start else recipe or DEFAULT_RECIPE,
        epochs=epochs,
        batch_size=batch_size,
        validation=validation_share,
        patience=patience,
        seed=seed,
        test=test_share or 0.0,
        limit=limit,
        class_weight=class_weight,
        precision=precision,
        short_texts=short_texts,
    )
    check_output_folder(output, overwrite, resume)
    check_options(options, Sources(pa.nulls(0, pa.string()) if unlabelled else None, embeddings, stopwords), start)
    texts = labelled(data or imdb_folder(), "train")
    stderr = _console(stderr=True, quiet=quiet)
    _tell_left_out(stderr, texts)
    unfinished = TrainingFolder(output)
    go_on = f"textsent: interrupted: the same command with --resume goes on from {printable(unfinished.path.name)}"
    with TrainingDisplay(stderr) as display:
        observers: list[Observer] = [display]
        if tensorboard:
            from textsent.tensorboard import TensorBoardLog

            observers.append(TensorBoardLog(tensorboard))
        try:
            trained = train_recipe(
                texts,
                output,
                options,
                Observers(observers),
                start=start,
                unlabelled=read_unlabelled(unlabelled, text_column) if unlabelled else None,
                validation=labelled(validation_file, "train") if validation_file else None,
                test=labelled(test_file, "test") if test_file else None,
                embeddings=embeddings,
                stop_words=stopwords,
                pictures=pictures,
                overwrite=overwrite,
                resume=resume,
                command=printable(shlex.join(["textsent", *sys.argv[1:]])),
            )
        except KeyboardInterrupt:
            stderr.print(
                go_on if unfinished.exists else "textsent: interrupted: nothing is written", soft_wrap=True
            )
            raise typer.Exit(_INTERRUPTED) from None
    stderr.print(f"\nThe epoch kept, now in {printable(str(output))}, on the validation part:\n", soft_wrap=True)
    print_evaluation(stderr, trained.validation)
    if trained.test:
        stderr.print("\nOn the test part:\n")
        print_evaluation(stderr, trained.test)
    print_fine_tuned(stderr, trained, start.name if start else "")
    if unfinished.exists:
        stderr.print(f"\n{go_on}", soft_wrap=True)
        raise typer.Exit(_INTERRUPTED)


@app.command(
    epilog="Example:  textsent recipes",
)
def recipes() -> None:
    """List the recipes that train can train: shape, published figures and origin of each."""
    from textsent.display import print_recipes
    from textsent.recipes import RECIPES

    print_recipes(_console(), RECIPES)


@app.command(
    epilog="Example:  textsent describe reviews.csv --pictures pictures",
)
def describe(
    data: Annotated[Path, typer.Argument(metavar="DATA", help=TRAINING_DATA)],
    part: Annotated[str, typer.Option(help="Of aclImdb: train, test or all.")] = "all",
    window: Annotated[int, typer.Option(min=1, help="Words; the share of longer texts is told.")] = 400,
    keras: Annotated[
        bool,
        typer.Option(
            "--keras", help="Cut texts into words by Keras's own rule, which knows no tags: <br /> is the word br."
        ),
    ] = False,
    pictures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder to draw the lengths and the telling words into.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    positive: PositiveLabels = None,
    negative: NegativeLabels = None,
) -> None:
    """Tell what labelled texts are like: labels, words, lengths, and the words that tell the labels apart."""
    from json import dumps

    from textsent.describe import describe as described
    from textsent.describe import word_counts
    from textsent.display import print_description
    from textsent.preprocess import Settings

    texts = _labelled(data, part, text_column, label_column, group_column, positive, negative)
    _tell_left_out(_console(stderr=True), texts)
    settings = Settings(break_tags=False, split="space") if keras else Settings()
    description = described(texts, settings, window)
    if json:
        print(dumps(description.to_json()))
    else:
        print_description(_console(), description)
    if pictures:
        from textsent.pictures import save, telling_bars, word_count_chart

        save(word_count_chart(word_counts(texts.texts, settings), window), pictures, "words")
        save(telling_bars(description), pictures, "telling")


@app.command(
    epilog="Example:  textsent evaluate labelled.csv",
)
def evaluate(
    labelled: Annotated[
        Path,
        typer.Argument(metavar="LABELLED", help=TRAINING_DATA),
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
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    positive: PositiveLabels = None,
    negative: NegativeLabels = None,
    device: Device = "auto",
    precision: Precision = "float32",
    batch_size: BatchSize = None,
    trust_recipe: TrustRecipe = False,
) -> None:
    """Compare a model's scores with labels."""
    from json import dumps

    from textsent.evaluate import change, without_nan
    from textsent.evaluate import evaluate as compare
    from textsent.presets import find_preset
    from textsent.score import load

    scorer = load(model, device=device, precision=precision, batch_size=batch_size, trust_recipe=trust_recipe)
    part = "train" if validation else "test"
    data = _labelled(labelled, part, text_column, label_column, group_column, positive, negative)
    _tell_left_out(_console(stderr=True), data)
    if validation:
        from textsent.parts import validation_part

        data = validation_part(data, find_preset(model))
    scores = scorer.score(data.texts)
    evaluation = compare(scores, data.labels)
    changed = {}
    if precision != "float32":
        same_device = "cpu" if precision == "int8" else device
        exact = load(model, device=same_device, batch_size=batch_size, trust_recipe=trust_recipe)
        changed = change(scores, exact.score(data.texts), data.labels)
    if json:
        print(dumps(evaluation.to_json() | without_nan(changed)))
    else:
        from textsent.display import print_evaluation

        print_evaluation(_console(), evaluation)
        for name, value in changed.items():
            print(f"{name.replace('_', ' ')}  {value:.4f}")


@app.command(
    epilog="Example:  textsent calibrate labelled.csv --output my-model",
)
def calibrate(
    labelled: Annotated[
        Path,
        typer.Argument(metavar="LABELLED", help=f"{TRAINING_DATA} 30 rows or more, better 50."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write the calibrated model to.")],
    model: Model = "imdb-lstm",
    class_weight: Annotated[
        str,
        typer.Option(
            help="balanced: 0.5 is as far from one label as from the other, however many rows have them; none: "
            "scores are probabilities where labels are as frequent as in the rows."
        ),
    ] = "balanced",
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    positive: PositiveLabels = None,
    negative: NegativeLabels = None,
    neutral: Annotated[
        list[str] | None,
        typer.Option(
            "--neutral",
            metavar="LABEL",
            help="A label that means neutral; with 10 rows or more of it a neutral band is fitted.",
            show_default="neutral",
        ),
    ] = None,
    device: Device = "auto",
    trust_recipe: TrustRecipe = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model of that name.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Fit a model's scores to labelled rows of your own, where that helps: temperature, bias, neutral band."""
    from textsent.calibrate import find_calibration, write_calibrated
    from textsent.display import print_calibration, printable
    from textsent.presets import find_preset
    from textsent.score import load
    from textsent.train import check_output_folder

    check_output_folder(output, overwrite)
    data = _labelled(labelled, "train", text_column, label_column, group_column, positive, negative, neutral)
    scorer = load(model, device=device, trust_recipe=trust_recipe)
    stderr = _console(stderr=True, quiet=quiet)
    if sum(data.left_out.values()) > len(data.neutral):
        _tell_left_out(stderr, data)
    band = scorer.model.calibration.neutral
    outcome = find_calibration(data, scorer.score(data.texts), scorer.score(data.neutral), class_weight, band)
    print_calibration(stderr, outcome)
    command = printable(shlex.join(["textsent", *sys.argv[1:]]))
    write_calibrated(outcome, data, find_preset(model), output, command)
    stderr.print(f"written to {printable(str(output))}", soft_wrap=True)


@app.command(
    epilog="Example:  textsent adapt archive.mbox --output my-model",
)
def adapt(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="Texts like those to be scored, 200 or more: whatever score reads."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write the adapted model to.")],
    model: Model = "imdb-lstm",
    format: Annotated[
        str | None,
        typer.Option(help="Format of the inputs, as of score.", show_default="by suffix"),
    ] = None,
    text_column: TextColumn = None,
    seed: Annotated[int, typer.Option(help="Of the draw, the order and the dropout.")] = 1,
    trust_recipe: TrustRecipe = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model of that name.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Teach a model the words of texts that nobody labelled, by NLTK's lexicons, and tell what changes."""
    from textsent.adapt import find_adaptation, read_texts, write_adapted
    from textsent.display import TrainingDisplay, print_adaptation, printable
    from textsent.finetune import Start
    from textsent.train import check_output_folder

    check_output_folder(output, overwrite)
    start = Start.from_preset(model, trust_recipe)
    stderr = _console(stderr=True, quiet=quiet)
    with TrainingDisplay(stderr) as display:
        try:
            texts = read_texts(inputs, format, text_column, seed=seed)
            adaptation = find_adaptation(texts, start, display, seed)
        except KeyboardInterrupt:
            stderr.print("textsent: interrupted: nothing is written", soft_wrap=True)
            raise typer.Exit(_INTERRUPTED) from None
    print_adaptation(stderr, adaptation)
    write_adapted(adaptation, output, printable(shlex.join(["textsent", *sys.argv[1:]])))
    stderr.print(f"written to {printable(str(output))}", soft_wrap=True)


def _labelled(
    path: Path,
    part: str,
    text_column: str | None,
    label_column: str | None,
    group_column: str | None,
    positive: list[str] | None,
    negative: list[str] | None,
    neutral: list[str] | None = None,
) -> LabelledTexts:
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


def _tell_left_out(stderr: Console, texts: LabelledTexts) -> None:
    from textsent.datasets import describe_labels

    if texts.left_out:
        stderr.print(f"rows left out for their labels: {describe_labels(texts.left_out)}", soft_wrap=True)


def _band(value: str) -> tuple[float, float] | Literal["none"]:
    if value == "none":
        return "none"
    try:
        low, high = (float(number) for number in value.split(","))
    except ValueError:
        raise OptionError(f"--neutral needs two numbers, for instance 0.4,0.6. Received: {value!r}") from None
    return low, high


def _share_or_file(value: str | None, option: str) -> tuple[float | None, Path | None]:
    """Return what an option gave: a share, or a file where it is no number."""
    if value is None:
        return None, None
    try:
        return float(value), None
    except ValueError:
        pass
    if not value or not Path(value).exists():
        raise OptionError(f"{option} needs a share, for instance 0.1, or a labelled file. Received: {value!r}")
    return None, Path(value)


def _console(stderr: bool = False, quiet: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)
