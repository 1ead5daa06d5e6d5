"""`textsent evaluate` and `textsent describe`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textsent.commands.common import (
    TRAINING_DATA,
    BatchSize,
    Device,
    GroupColumn,
    LabelColumn,
    Model,
    NegativeLabels,
    PositiveLabels,
    Precision,
    TextColumn,
    TrustRecipe,
    console,
    labelled_texts,
    tell_left_out,
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
    data = labelled_texts(labelled, part, text_column, label_column, group_column, positive, negative)
    tell_left_out(console(stderr=True), data)
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

        print_evaluation(console(), evaluation)
        for name, value in changed.items():
            print(f"{name.replace('_', ' ')}  {value:.4f}")


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

    texts = labelled_texts(data, part, text_column, label_column, group_column, positive, negative)
    tell_left_out(console(stderr=True), texts)
    settings = Settings(break_tags=False, split="space") if keras else Settings()
    description = described(texts, settings, window)
    if json:
        print(dumps(description.to_json()))
    else:
        print_description(console(), description)
    if pictures:
        from textsent.pictures import save, telling_bars, word_count_chart

        save(word_count_chart(word_counts(texts.texts, settings), window), pictures, "words")
        save(telling_bars(description), pictures, "telling")
