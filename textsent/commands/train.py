"""`textsent train` and `textsent recipes`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textsent.commands.common import (
    INTERRUPTED,
    RECIPES,
    TRAINING_DATA,
    GroupColumn,
    LabelColumn,
    NegativeLabels,
    PositiveLabels,
    Quiet,
    TextColumn,
    TrustRecipe,
    command_line,
    complete_models,
    completing,
    console,
    labelled_texts,
    tell_left_out,
)
from textsent.errors import OptionError

if TYPE_CHECKING:
    from textsent.datasets import LabelledTexts


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
            autocompletion=completing(*RECIPES),
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Fine-tune a model that there is, a shipped one's name or a folder; useful from 200 texts on.",
            autocompletion=complete_models,
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
        str,
        typer.Option(
            help="none, or balanced: both labels count the same, however many texts have them.",
            autocompletion=completing("none", "balanced"),
        ),
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
            help="float32; on a GPU also float16 and bfloat16: half of the bits, weights stay in float32.",
            autocompletion=completing("float32", "float16", "bfloat16"),
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
    quiet: Quiet = False,
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
    from textsent.train import check_output_folder, checked
    from textsent.train import train as train_recipe
    from textsent.unlabelled import read_unlabelled

    def labelled(path: Path, part: str) -> LabelledTexts:
        return labelled_texts(path, part, text_column, label_column, group_column, positive, negative)

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
    not_read = pa.nulls(0, pa.string()) if unlabelled else None
    checked(options, Sources(not_read, embeddings, stopwords), start)
    texts = labelled(data or imdb_folder(), "train")
    stderr = console(stderr=True, quiet=quiet)
    tell_left_out(stderr, texts)
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
                command=command_line(),
            )
        except KeyboardInterrupt:
            stderr.print(
                go_on if unfinished.exists else "textsent: interrupted: nothing is written", soft_wrap=True
            )
            raise typer.Exit(INTERRUPTED) from None
    stderr.print(f"\nThe epoch kept, now in {printable(str(output))}, on the validation part:\n", soft_wrap=True)
    print_evaluation(stderr, trained.validation)
    if trained.test:
        stderr.print("\nOn the test part:\n")
        print_evaluation(stderr, trained.test)
    print_fine_tuned(stderr, trained, start.name if start else "")
    if unfinished.exists:
        stderr.print(f"\n{go_on}", soft_wrap=True)
        raise typer.Exit(INTERRUPTED)


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


def recipes() -> None:
    """List the recipes that train can train: shape, published figures and origin of each."""
    from textsent.display import print_recipes
    from textsent.recipes import RECIPES

    print_recipes(console(), RECIPES)
