"""`textsent info` and `textsent doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from textsent.commands.common import complete_models, console

AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def info(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A shipped model's name, or a folder made by train.",
            autocompletion=complete_models,
        ),
    ] = "imdb-lstm",
    json: AsJson = False,
) -> None:
    """Show what is known of a model: its model card, size, vocabulary, calibration, and when it was made."""
    from json import dumps

    from textsent.info import model_info

    found = model_info(model)
    if json:
        print(dumps(found.to_json(), indent=2))
        return
    from textsent.display import print_model

    print_model(console(), found)


def doctor(
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Also import Keras and its backend, and ask them for GPUs, which takes seconds."
        ),
    ] = False,
    json: AsJson = False,
) -> None:
    """Check that scoring works on this machine, and say with what: exit code 0 where it does, else 1."""
    from json import dumps

    from textsent.doctor import examine

    diagnosis = examine(full)
    if json:
        print(dumps(diagnosis.to_json(), indent=2))
    else:
        stdout = console()
        *lines, verdict = diagnosis.lines()
        stdout.print("\n".join(lines), soft_wrap=True)
        stdout.print(verdict, style="green" if diagnosis.works else "red")
    raise typer.Exit(0 if diagnosis.works else 1)
