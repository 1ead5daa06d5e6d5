"""`textsent info`, `textsent verify` and `textsent doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from textsent.commands.common import complete_models, console
from textsent.errors import TextsentError

if TYPE_CHECKING:
    from textsent.record import Record

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


def verify(
    scored: Annotated[
        list[str],
        typer.Argument(
            metavar="SCORED...",
            help="Files that score has written: .parquet, others with --record; or folders, also by URLs.",
        ),
    ],
) -> None:
    """Check that scored files are complete, and as they were written: exit code 0 where all are, else 1."""
    from textsent.display import printable
    from textsent.outputfolder import verify as verified

    stdout, stderr = console(), console(stderr=True)
    failed = False
    for name in scored:
        try:
            record = verified(name)
        except TextsentError as exc:
            failed = True
            stderr.print(f"textsent: {printable(str(exc))}", soft_wrap=True, highlight=False)
        else:
            stdout.print(f"{printable(name)}: {_told(record)}", soft_wrap=True, highlight=False)
    raise typer.Exit(1 if failed else 0)


_INSTALLED = {
    True: "as it is installed here",
    False: "of which another version is installed here",
    None: "which is not installed here",
}


def _told(record: Record) -> str:
    from textsent.display import printable
    from textsent.record import installed_model

    inputs = ", ".join(printable(name) for name, _ in record.inputs[:3])
    more = f" and {len(record.inputs) - 3} more" if len(record.inputs) > 3 else ""
    left_out = f" ({record.left_out:,} with an error left out)" if record.left_out else ""
    return (
        f"complete, {record.rows:,} rows of {inputs}{more}{left_out}, written by textsent "
        f"{record.facts.get('textsent')} with the model {record.facts.get('model')}, "
        f"{_INSTALLED[installed_model(record)]}"
    )


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
