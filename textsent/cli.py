"""The command line: its commands, and how it ends."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from textsent import __version__
from textsent._accessor import hide_pandas
from textsent.commands.adapt import adapt, calibrate
from textsent.commands.evaluate import describe, evaluate
from textsent.commands.explain import explain
from textsent.commands.info import doctor, info, verify
from textsent.commands.report import report
from textsent.commands.score import score
from textsent.commands.train import recipes, train
from textsent.errors import TextsentError

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
    ended_by = 0
    if sys.stderr is None:  # it is closed; what is opened next must not be taken for it
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal ended_by
        ended_by = number
        raise KeyboardInterrupt  # what is told to end tidies up as after Ctrl-C

    if not os.environ.get("TEXTSENT_TRACEBACK"):
        sys.unraisablehook = lambda _: None  # it prints a traceback
        threading.excepthook = lambda _: None

    for number in _ENDING:
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores one
            signal.signal(number, end)
    try:
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        for stream in filter(None, (sys.stdout, sys.stderr)):  # None where it is closed
            stream.flush()
    except KeyboardInterrupt:  # at any time, also while what was printed is written
        code = 128 + signal.SIGINT
    except OSError:  # whoever read the output has gone
        code = code or 1
    if ended_by:
        code = 128 + ended_by
    os._exit(code if isinstance(code, int) else 0)


_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def main() -> None:
    """Run the command line; an error is one line on stderr, and one for each note on it, and exit code 1.

    Of an error that is no TextsentError only its kind and its place are shown: what it says may quote someone's
    mail. With TEXTSENT_TRACEBACK in the environment it is raised as it is.
    """
    hide_pandas()
    try:
        app()
    except TextsentError as exc:
        _end_with(str(exc), *_notes(exc))
    except OSError as exc:  # of standard output most often, into a file on a full disk
        _end_with(f"can't be written, or read: {exc.strerror or type(exc).__name__}")
    except Exception as exc:  # whatever it is, it must not be shown as it is
        if os.environ.get("TEXTSENT_TRACEBACK"):
            raise
        if _is_want_of_memory(exc):
            _end_with(
                "there is not enough memory, or no more threads may be started: end other programs, or raise the "
                "limits that `ulimit -a` shows; textsent score takes less with --workers 1",
                *_notes(exc),
            )
        _end_with(
            f"an error that shouldn't be: {type(exc).__name__} in {_place_of(exc)}: please report it, with what "
            "TEXTSENT_TRACEBACK=1 shows if there is nothing private in it"
        )


def _end_with(*messages: str) -> NoReturn:
    for message in messages:
        line = " ".join(message.split())  # it may quote the input, which must not steer the terminal
        print("textsent:", "".join(filter(str.isprintable, line)), file=sys.stderr)
    sys.exit(1)


def _notes(error: Exception) -> list[str]:
    return getattr(error, "__notes__", [])


def _is_want_of_memory(error: BaseException | None) -> bool:
    """Return whether an error, or one that it comes from, says that memory or threads are short."""
    while error is not None:
        if isinstance(error, MemoryError) or str(error) == "can't start new thread":
            return True
        error = error.__cause__ or error.__context__
    return False


def _place_of(error: BaseException) -> str:
    """Return where in textsent an error was raised, or where something was called that raised it."""
    from traceback import extract_tb

    here = Path(__file__).parent
    frames = [frame for frame in extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(here)]
    return (
        f"{Path(frames[-1].filename).relative_to(here)}, line {frames[-1].lineno}" if frames else "another package"
    )


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


for _command, _example in (
    (score, "textsent score emails.mbox -o scored.parquet"),
    (report, "textsent report scored.parquet -o report.html"),
    (explain, "textsent explain --row 7 emails.mbox"),
    (train, "textsent train --data reviews.csv --epochs 10 --output my-model"),
    (recipes, "textsent recipes"),
    (describe, "textsent describe reviews.csv --pictures pictures"),
    (evaluate, "textsent evaluate labelled.csv"),
    (calibrate, "textsent calibrate labelled.csv --output my-model"),
    (adapt, "textsent adapt archive.mbox --output my-model"),
    (verify, "textsent verify scored.parquet"),
    (info, "textsent info imdb-lstm"),
    (doctor, "textsent doctor"),
):
    app.command(epilog=f"Example:  {_example}")(_command)
