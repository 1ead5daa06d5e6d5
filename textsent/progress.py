"""What a person sees while rows are scored: a bar, or lines every few seconds; files, frames and notebooks."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol, Self

from textsent.errors import OptionError

if TYPE_CHECKING:
    from rich.console import Console

    from textsent.files import Summary

AUTO, BAR, PLAIN, NONE = "auto", "bar", "plain", "none"
KINDS = (AUTO, BAR, PLAIN, NONE)

LINE_SECONDS = 5.0
"""Time between two lines of a run that is watched through no terminal."""

NOTEBOOK_SECONDS = 0.2
"""Time between two changes of what a notebook shows, at least."""

_WIDE = 100
"""Columns of a terminal in which there is room for units beside a bar."""


class Watcher(Protocol):
    """Shows how far a run has come."""

    def show(self, summary: Summary) -> None:
        """Show what a run has done so far."""


def progress_of(kind: str, console: Console, rows_on_terminal: bool = False) -> AbstractContextManager[Watcher]:
    """Return what shows a run's progress, to be used in a `with` statement.

    Args:
        kind: One of KINDS. `auto` is a bar in a terminal or a notebook that can draw one, lines where they can't,
            nothing elsewhere. `bar` is one in any case.
        console: Where to; one that is quiet shows nothing.
        rows_on_terminal: The scored rows themselves are written to a terminal, where `auto` leaves them alone.

    Raises:
        OptionError: There is no such kind.
    """
    if kind not in KINDS:
        raise OptionError(f"there is no progress {kind!r}: choose one of {', '.join(KINDS)}")
    if kind == AUTO:
        kind = NONE if rows_on_terminal else _kind_for(console)
    if kind == NONE or console.quiet:
        return nullcontext(_Silence())
    return ProgressBar(console) if kind == BAR else ProgressLines(console)


def _kind_for(console: Console) -> str:
    if console.is_jupyter:  # where Rich draws through a widget
        return BAR if importlib.util.find_spec("ipywidgets") else PLAIN
    if not console.is_terminal:
        return NONE
    return PLAIN if console.is_dumb_terminal else BAR


class _Silence:
    def show(self, summary: Summary) -> None:
        pass


class _Pace:
    """Tells how long a run will go on, by how far it has come since it was first seen: starting doesn't count."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None

    def seconds_left(self, summary: Summary) -> float | None:
        """Return the seconds that a run of known size will still take; None where that can't be told yet."""
        share, seconds = summary.share, summary.seconds
        if share is None:
            return None
        if self._first is None:
            self._first = share, seconds
        done, since = share - self._first[0], seconds - self._first[1]
        if done <= 0:
            done, since = share, seconds
        return since * (1 - share) / done if done else None


class ProgressBar:
    """A bar on one line that vanishes at the end: of the bytes of the inputs, or of the rows where they are known.

    Of an input of unknown size the bar only moves, and the time that has passed is shown instead of what is left.
    """

    def __init__(self, console: Console) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, Task, TextColumn
        from rich.table import Column, Table

        class OneLine(Progress):
            def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
                """Leave room for the ^C that a terminal writes, or it would go on to another line."""
                table = super().make_tasks_table(tasks)
                table.width = console.width - 3
                return table

        if not console.is_terminal:  # it was asked for all the same
            console = Console(file=console.file, force_terminal=True, highlight=False)
        self._is_wide = console.width >= _WIDE
        self._pace = _Pace()
        self._progress = OneLine(
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            TextColumn("{task.fields[figures]}", markup=False, table_column=Column(no_wrap=True)),
            console=console,
            transient=True,
            expand=True,
            refresh_per_second=4,  # drawing takes time from scoring
            redirect_stdout=False,  # the rows may be on their way there
        )
        self._task = self._progress.add_task("score", total=None, figures="0 rows")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def show(self, summary: Summary) -> None:
        """Move the bar."""
        self._progress.update(
            self._task,
            completed=summary.position,
            total=summary.size,
            figures="  ".join(_figures(summary, self._pace, self._is_wide)),
        )


class ProgressLines:
    """A line every LINE_SECONDS; it suits a log as well."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._pace = _Pace()
        self._printed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def show(self, summary: Summary) -> None:
        """Print a line if the last one is old enough."""
        now = time.monotonic()
        if now - self._printed >= LINE_SECONDS:
            self._console.print(", ".join(_figures(summary, self._pace)), soft_wrap=True)
            self._printed = now


class RowProgress:
    """Rows scored, a bar where their number is known, and rows/s; nothing where stderr is no terminal."""

    def __init__(self, console: Console, total: int | None) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            ProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        of_known: list[ProgressColumn] = [BarColumn(), TimeRemainingColumn()]
        self._progress = Progress(
            TextColumn("{task.completed:,} rows" if total is None else "{task.completed:,} of {task.total:,} rows"),
            *([TimeElapsedColumn()] if total is None else of_known),
            TextColumn("{task.fields[rate]:,.0f} rows/s"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("score", total=total, rate=0.0)
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def add(self, rows: int) -> None:
        """Show that so many more rows are scored."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        done = self._progress.tasks[0].completed + rows
        self._progress.update(self._task, completed=done, rate=done / seconds)


class NotebookProgress:
    """A line of rows and rows/s under a notebook's cell, which stays.

    Rich's bar needs ipywidgets there, and warns each time where it is missing.
    """

    def __init__(self, total: int | None) -> None:
        self._of = "" if total is None else f" of {total:,}"
        self._rows = 0
        self._started = self._shown_at = time.monotonic()

    def __enter__(self) -> Self:
        from IPython.display import display

        self._line = display(self._text(), raw=True, display_id=True)  # type: ignore[no-untyped-call, unused-ignore]
        return self

    def __exit__(self, *error: object) -> None:
        self._line.update(self._text(), raw=True)

    def add(self, rows: int) -> None:
        """Show that so many more rows are scored."""
        self._rows += rows
        if time.monotonic() - self._shown_at >= NOTEBOOK_SECONDS:
            self._shown_at = time.monotonic()
            self._line.update(self._text(), raw=True)

    def _text(self) -> dict[str, str]:
        rate = self._rows / max(time.monotonic() - self._started, 1e-9)
        return {"text/plain": f"{self._rows:,}{self._of} rows, {rate:,.0f} rows/s"}


def _figures(summary: Summary, pace: _Pace, with_units: bool = True) -> list[str]:
    rows, share, unscored = summary.rows, summary.share, summary.errors.total()
    of = f" of {summary.total_rows:,}" if summary.total_rows and with_units else ""
    left = pace.seconds_left(summary)
    return [
        *([] if share is None else [f"{int(100 * share)}%"]),
        *([_megabytes(summary)] if summary.size and not summary.total_rows and with_units else []),
        f"{rows:,}{of} rows",
        f"{(rows - summary.resumed) / max(summary.seconds, 1e-9):,.0f}{' rows' if with_units else ''}/s",
        f"{summary.sentiments['negative'] / max(rows, 1):.0%} negative",
        *([f"{unscored:,} not scored"] if unscored else []),
        _clock(summary.seconds) if left is None else f"{_clock(left)} left",
    ]


def _megabytes(summary: Summary) -> str:
    assert summary.size is not None
    digits = 0 if summary.size >= 100e6 else 1 if summary.size >= 1e6 else 3
    return f"{summary.position / 1e6:,.{digits}f} of {summary.size / 1e6:,.{digits}f} MB"


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"
