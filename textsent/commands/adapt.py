"""`textsent calibrate` and `textsent adapt`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textsent.commands.common import (
    INTERRUPTED,
    TRAINING_DATA,
    Device,
    GroupColumn,
    LabelColumn,
    Model,
    NegativeLabels,
    Overwrite,
    PositiveLabels,
    Quiet,
    TextColumn,
    TrustRecipe,
    command_line,
    console,
    labelled_texts,
    tell_left_out,
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
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Fit a model's scores to labelled rows of your own, where that helps: temperature, bias, neutral band."""
    from textsent.calibrate import find_calibration, write_calibrated
    from textsent.display import print_calibration, printable
    from textsent.presets import find_preset
    from textsent.score import load
    from textsent.train import check_output_folder

    check_output_folder(output, overwrite)
    data = labelled_texts(labelled, "train", text_column, label_column, group_column, positive, negative, neutral)
    scorer = load(model, device=device, trust_recipe=trust_recipe)
    stderr = console(stderr=True, quiet=quiet)
    if sum(data.left_out.values()) > len(data.neutral):
        tell_left_out(stderr, data)
    band = scorer.model.calibration.neutral
    outcome = find_calibration(data, scorer.score(data.texts), scorer.score(data.neutral), class_weight, band)
    print_calibration(stderr, outcome)
    write_calibrated(outcome, data, find_preset(model), output, command_line())
    stderr.print(f"written to {printable(str(output))}", soft_wrap=True)


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
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Teach a model the words of texts that nobody labelled, by NLTK's lexicons, and tell what changes."""
    from textsent.adapt import find_adaptation, read_texts, write_adapted
    from textsent.display import TrainingDisplay, print_adaptation, printable
    from textsent.finetune import Start
    from textsent.train import check_output_folder

    check_output_folder(output, overwrite)
    start = Start.from_preset(model, trust_recipe)
    stderr = console(stderr=True, quiet=quiet)
    with TrainingDisplay(stderr) as display:
        try:
            texts = read_texts(inputs, format, text_column, seed=seed)
            adaptation = find_adaptation(texts, start, display, seed)
        except KeyboardInterrupt:
            stderr.print("textsent: interrupted: nothing is written", soft_wrap=True)
            raise typer.Exit(INTERRUPTED) from None
    print_adaptation(stderr, adaptation)
    write_adapted(adaptation, output, command_line())
    stderr.print(f"written to {printable(str(output))}", soft_wrap=True)
