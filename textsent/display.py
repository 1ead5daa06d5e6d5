"""What a person sees in a terminal: progress, summaries, tables."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Self

import pyarrow as pa
from rich.text import Text

from textsent.schema import before_scoring, text_column

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

    from textsent.adapt import Adaptation
    from textsent.calibrate import Outcome
    from textsent.describe import Description
    from textsent.evaluate import Evaluation
    from textsent.explain import Explanation
    from textsent.extremes import Extreme
    from textsent.files import Summary
    from textsent.fitting import Beginning, Epoch
    from textsent.info import ModelInfo
    from textsent.recipes import Recipe
    from textsent.train import Trained

SHOWN_ROWS = 50
"""Rows of the table that stands in for an output file."""

PLAIN_SECONDS = 30.0
"""Time between two lines of a training that is watched through no terminal."""

EXAMPLE_LENGTH = 90
"""Characters of a text that is shown as an example."""

SHOWN_SENTENCES = 10
"""Sentences in the table of an explanation."""

SHOWN_CHARACTERS = 10_000
"""Of the text of an explanation."""

_STRENGTHS = ((0.6, "bold reverse {}"), (0.3, "bold {}"), (0.1, "{}"))
"""From which share of the strongest word's effect on a word has which style."""

_COLOURS = {"positive": "green", "negative": "red", "neutral": "yellow"}


class RowTable:
    """A table of the first SHOWN_ROWS rows of a run."""

    def __init__(self, column: str | None, prefix: str) -> None:
        self._column = column
        self._prefix = prefix
        self._shown: list[pa.RecordBatch] = []
        self._rows = 0

    def add(self, scored: pa.RecordBatch) -> None:
        """Take what is still to be shown from a scored batch."""
        if self._rows < SHOWN_ROWS:
            self._shown.append(scored.slice(0, SHOWN_ROWS - self._rows))
            self._rows += self._shown[-1].num_rows

    def print(self, console: Console, all_rows: int) -> None:
        """Print the table, and how many of the run's rows it leaves out."""
        from rich.table import Table

        schema = self._shown[0].schema
        came_in = before_scoring(schema)
        is_mail = {"from", "subject"} <= set(came_in.names)
        described = ["from", "subject"] if is_mail else [text_column(came_in, self._column)]
        rows = [row for batch in self._shown for row in batch.to_pylist()]
        verdicts = [row[self._prefix + "sentiment"] or row[self._prefix + "error"] for row in rows]
        table = Table(box=None, pad_edge=False, expand=True)
        table.add_column("score", width=5)
        table.add_column("sentiment", width=max([14, *map(len, verdicts)]), no_wrap=True, overflow="ellipsis")
        for name in described:
            table.add_column(printable(name), no_wrap=True, overflow="ellipsis", ratio=1)
        for row, verdict in zip(rows, verdicts, strict=True):
            score = row[self._prefix + "score"]
            table.add_row(
                "" if score is None else f"{score:.3f}",
                Text(verdict, style=_COLOURS.get(verdict, "dim")),
                *(Text(printable("" if row[name] is None else str(row[name]))) for name in described),
            )
        console.print(table)
        if all_rows > self._rows:
            console.print(
                f"… and {all_rows - self._rows:,} more rows: write them all to a file with -o scored.parquet",
                style="dim",
            )


def verdict_lines(texts: Sequence[str], scored: pa.RecordBatch) -> list[Text]:
    """Return a line for each text: verdict, or why there is none, score, and the text without what could steer it.

    Args:
        texts: They.
        scored: The columns of SCORE_SCHEMA, a row for each.
    """
    rows = scored.to_pylist()
    width = max([8, *(len(row["error"] or "") for row in rows)])
    lines = []
    for text, row in zip(texts, rows, strict=True):
        score = "" if row["score"] is None else f"{row['score']:.2f}"
        style = _COLOURS.get(row["sentiment"], "dim")
        verdict = Text(f"{row['sentiment'] or row['error']:<{width}}", style=style)
        lines.append(Text.assemble(verdict, f"  {score:<4}  {printable(text)}"))
    return lines


def print_verdicts(console: Console, texts: Sequence[str], scored: pa.RecordBatch) -> None:
    """Print `verdict_lines`, cut where a terminal's line ends."""
    lines = verdict_lines(texts, scored)
    if console.is_terminal:
        for line in lines:
            line.truncate(console.width, overflow="ellipsis")
    console.print(Text("\n").join(lines), soft_wrap=True)


def print_summary(
    console: Console,
    summary: Summary,
    output: str | None,
    most_negative: Sequence[Extreme] = (),
    next_steps: Sequence[tuple[str, str]] = (),
) -> None:
    """Print rows, shares, errors and speed of a finished run; in a terminal also what its numbers are made of.

    Args:
        console: Where to.
        summary: What the run has done.
        output: Name of the file that it has written, if any.
        most_negative: Rows to show in a terminal.
        next_steps: Questions that one may have then, and the commands that answer them.
    """
    rate = (summary.rows - summary.resumed) / max(summary.seconds, 1e-9)
    console.print(
        (f"{summary.resumed:,} rows of an earlier run and " if summary.resumed else "")
        + f"{summary.rows - summary.resumed:,} rows in {summary.seconds:.1f} s ({rate:,.0f} rows/s)"
        + (f", {summary.left_out:,} left out" if summary.left_out else "")
        + (f", written to {printable(output)}" if output else ""),
        highlight=False,
        soft_wrap=True,
    )
    if console.is_terminal:
        _print_bars(console, summary)
        _print_extremes(console, most_negative)
        for question, command in next_steps:
            console.print(f"\n{question}\n  {printable(command)}", soft_wrap=True)
        return
    flagged = {f"{error}, scored": count for error, count in summary.flagged.most_common()}
    width = max([14, *map(len, (*summary.errors, *flagged))])
    for sentiment in ("positive", "neutral", "negative"):
        if sentiment in summary.sentiments or sentiment != "neutral":
            count, style = summary.sentiments[sentiment], _COLOURS[sentiment]
            _print_share(console, sentiment, count, summary.rows, width, style)
    for reason, count in summary.errors.most_common():
        _print_share(console, reason, count, summary.rows, width, "dim")
    for error, count in flagged.items():
        _print_share(console, error, count, summary.rows, width, "dim")


def _print_share(console: Console, name: str, count: int, rows: int, width: int, style: str) -> None:
    console.print(Text(f"  {name:<{width}} {count:>10,}  {count / rows:>6.1%}", style=style))


def _print_bars(console: Console, summary: Summary) -> None:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    names = max(map(len, ("positive", *summary.errors, *summary.flagged)))
    width = max(10, min(30, console.width - names - len(f"{summary.rows:,}") - 14))  # ten for "not scored"
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(width=width)
    for _ in ("count", "share"):
        table.add_column(justify="right", no_wrap=True)
    for sentiment in ("negative", "neutral", "positive"):
        if sentiment in summary.sentiments or sentiment != "neutral":
            count, style = summary.sentiments[sentiment], _COLOURS[sentiment]
            # A bar of ASCII where the terminal has no other letters.
            bar = ProgressBar(summary.rows, count, width=width, complete_style=style, finished_style=style)
            table.add_row(Text(sentiment, style=style), bar, f"{count:,}", f"{count / summary.rows:.1%}")
    for reason, count in summary.errors.most_common():
        table.add_row(Text(reason, style="dim"), "not scored", f"{count:,}", f"{count / summary.rows:.1%}")
    for error, count in summary.flagged.most_common():
        table.add_row(Text(error, style="dim"), "scored all the same", f"{count:,}", f"{count / summary.rows:.1%}")
    console.print()
    console.print(table)


def _print_extremes(console: Console, most_negative: Sequence[Extreme]) -> None:
    if not most_negative:
        return
    width = max(len(f"{extreme.row:,}") for extreme in most_negative)
    console.print("\nmost negative")
    for extreme in most_negative:
        score = Text(f"{extreme.score:.3f}", style=_COLOURS["negative"])
        line = Text.assemble(score, f"  row {extreme.row:>{width},}  {printable(extreme.text)}")
        line.truncate(console.width, overflow="ellipsis")
        console.print(line, soft_wrap=True)


class TrainingDisplay:
    """Training as a terminal shows it: a bar of the epochs and one of the epoch's batches, and a line an epoch.

    Elsewhere there are lines alone: those of the epochs, and one every PLAIN_SECONDS in between.
    """

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.table import Column

        self._console = console
        # In a terminal of 80 columns there is room for all of it beside a short bar, which alone may shrink.
        self._progress = _progress(
            console,
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(elapsed_when_finished=True, table_column=Column(no_wrap=True)),
        )
        self._beginning: Beginning | None = None
        self._all = self._progress.add_task("training", visible=False, figures="")
        self._epoch = self._progress.add_task("epoch", visible=False, figures="")
        self._windows = 0  # since the epoch began, or since the training went on with it
        self._began = self._printed = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def said(self, line: str) -> None:
        """Print what takes a while now."""
        self._console.print(printable(line), soft_wrap=True)

    def began(self, beginning: Beginning) -> None:
        """Print what is trained on."""
        cut = "cut by group" if beginning.cut_by_group else "cut by text"
        self._console.print(
            f"{beginning.texts:,} texts to train on, {beginning.validation_texts:,} to validate with ({cut}), "
            f"a vocabulary of {beginning.words:,} words",
            soft_wrap=True,
        )
        steps, step = beginning.steps, beginning.step
        if beginning.epoch > 1 or step:
            after = f" after {step:,} of {steps:,} steps" if step else ""
            self._console.print(f"going on with epoch {beginning.epoch}{after}")
        self._beginning = beginning
        done = steps * (beginning.epoch - 1) + step
        self._progress.reset(self._all, total=steps * beginning.epochs, completed=done, visible=True)
        self._progress.reset(
            self._epoch, total=steps, completed=step, description=f"epoch {beginning.epoch}", visible=True
        )
        self._show_best(beginning.best_accuracy)
        self._began = self._printed = time.monotonic()

    def step_done(self, epoch: int, step: int, windows: int, loss: float, accuracy: float) -> None:
        """Move the bars."""
        assert self._beginning is not None
        now = time.monotonic()
        self._windows += windows
        rate = self._windows / max(now - self._began, 1e-9)
        figures = f"{rate:,.0f} texts/s  loss {loss:.4f}  accuracy {accuracy:.4f}"
        done = self._beginning.steps * (epoch - 1) + step
        self._progress.update(self._all, completed=done)
        self._progress.update(self._epoch, completed=step, description=f"epoch {epoch}", figures=figures)
        if not self._console.is_terminal and now - self._printed >= PLAIN_SECONDS:
            self._console.print(
                f"epoch {epoch}, step {step:,} of {self._beginning.steps:,}: {figures}", soft_wrap=True
            )
            self._printed = now

    def epoch_done(self, epoch: Epoch) -> None:
        """Print an epoch's figures."""
        learnt = f"loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.4f}" if epoch.number else "the model as it is"
        self._console.print(
            f"epoch {epoch.number}: {learnt}, "
            f"validation loss {epoch.validation_loss:.4f}, validation accuracy {epoch.validation_accuracy:.4f}, "
            f"{epoch.seconds:.0f} s" + (", kept" if epoch.best else ""),
            soft_wrap=True,
        )
        if epoch.best:
            self._show_best(epoch.validation_accuracy)
        self._progress.reset(self._epoch, description=f"epoch {epoch.number + 1}", figures="")
        self._windows, self._began = 0, time.monotonic()

    def _show_best(self, accuracy: float | None) -> None:
        if accuracy is not None:
            self._progress.update(self._all, figures=f"validation accuracy {accuracy:.4f} kept so far")


def print_recipes(console: Console, recipes: Mapping[str, Recipe]) -> None:
    """Print what recipes there are: shape, training, published figures and origin of each."""
    for name, recipe in recipes.items():
        console.print(Text(name, style="bold"))
        epochs = f"{recipe.epochs} epochs" if recipe.patience is None else f"up to {recipe.epochs} epochs"
        for line in (
            recipe.shape,
            f"{recipe.optimizer}, batches of {recipe.batch_size}, {epochs}, {recipe.vocabulary_size:,} words",
            f"published: {recipe.published}" if recipe.published else "",
            f"from {recipe.origin}",
        ):
            if line:
                console.print(f"  {line}", soft_wrap=True)


def print_evaluation(console: Console, evaluation: Evaluation) -> None:
    """Print an evaluation's figures and its confusion matrix."""
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in (
        ("texts", f"{evaluation.texts:,}"),
        ("without a score", f"{evaluation.unscored:,}"),
        ("accuracy", f"{evaluation.accuracy:.4f}"),
        ("F1", f"{evaluation.f1:.4f}"),
        ("AUC", f"{evaluation.auc:.4f}"),
        ("log loss", f"{evaluation.log_loss:.4f}"),
        ("calibration error", f"{evaluation.calibration_error:.4f}"),
    ):
        table.add_row(name, value)
    console.print(table)
    matrix = Table(box=None, pad_edge=False)
    matrix.add_column("")
    matrix.add_column("scored negative", justify="right")
    matrix.add_column("scored positive", justify="right")
    for name, row in zip(("labelled negative", "labelled positive"), evaluation.confusion, strict=True):
        matrix.add_row(name, *(f"{count:,}" for count in row))
    console.print()
    console.print(matrix)


def print_calibration(console: Console, outcome: Outcome) -> None:
    """Print what a calibration changes on texts that it wasn't fitted on, and what of it is kept."""
    from rich.table import Table

    from textsent.calibrate import FOLDS, LEAST_NEUTRAL, REPEATS

    numbers = ", ".join(f"{count:,} {label}" for label, count in outcome.texts.items() if count)
    console.print(f"cross-validated on {numbers} texts, {REPEATS} times in {FOLDS} parts:\n", soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for heading in ("before", "after", "change", "its standard error"):
        table.add_column(heading, justify="right")
    for gain in outcome.gains:
        table.add_row(
            gain.figure, f"{gain.before:.4f}", f"{gain.after:.4f}", f"{gain.change:+.4f}", f"{gain.error:.4f}"
        )
    console.print(table)
    if not outcome.helps:
        return
    if outcome.neutral:
        band = "neutral from {:g} to {:g}".format(*outcome.neutral)
    elif outcome.texts["neutral"] >= LEAST_NEUTRAL:
        band = "no new neutral band, which wouldn't help"
    else:
        band = f"no new neutral band, which takes {LEAST_NEUTRAL} neutral texts"
    bias = f"bias {outcome.bias:+g}" if outcome.bias else "no bias"
    console.print(f"\ntemperature {outcome.temperature:g}, {bias}, {band}", soft_wrap=True)


def print_fine_tuned(console: Console, trained: Trained, name: str) -> None:
    """Print how well a model does beside the one that its training started from, where there is one."""
    if trained.before is None:
        return
    for part, before, after in (
        ("validation", trained.before.validation, trained.validation),
        ("test", trained.before.test, trained.test),
    ):
        if before and after:
            console.print(
                f"\n{printable(name)} as it was, on the {part} part: accuracy {before.accuracy:.4f}, "
                f"log loss {before.log_loss:.4f}; now {after.accuracy:.4f} and {after.log_loss:.4f}",
                soft_wrap=True,
            )
    if not trained.has_learned:
        console.print(
            "\nFine-tuning did not help: no epoch was better on the validation part than the model as it was, so "
            "that is what was written. Label more texts, or keep the model.",
            soft_wrap=True,
        )


def print_adaptation(console: Console, adaptation: Adaptation) -> None:
    """Print what adapting a model to texts changes."""
    from rich.table import Table

    from textsent.adapt import SHOWN_WORDS
    from textsent.datasets import describe_labels

    left_out, words, changed = adaptation.left_out, adaptation.start.new_words, adaptation.changed
    reasons = f", {sum(left_out.values()):,} left out: {describe_labels(left_out)}" if left_out else ""
    console.print(f"\n{adaptation.texts:,} different texts{reasons}", soft_wrap=True)
    if words:
        shown = ", ".join(f"{printable(word)} ({count:,})" for word, count in list(words.items())[:SHOWN_WORDS])
        more = f" and {len(words) - SHOWN_WORDS:,} more" if len(words) > SHOWN_WORDS else ""
        console.print(f"words that are new, and in how many texts: {shown}{more}", soft_wrap=True)
    else:
        console.print("no words that are new")
    console.print(
        f"model and lexicons agree on {adaptation.agreed['positive']:,} positive and "
        f"{adaptation.agreed['negative']:,} negative texts\n",
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for heading in ("before", "after"):
        table.add_column(heading, justify="right")
    table.add_row("words known", *(f"{share:.2%}" for share in adaptation.coverage))
    held_out = "" if adaptation.untaught else " held out"
    judged = f"on the lexicons' side, of {adaptation.judged:,} texts{held_out}"
    table.add_row(judged, *(f"{share:.1%}" for share in adaptation.agreement))
    table.add_row("plain sentences right", *(f"{number:,}" for number in adaptation.plain))
    console.print(table)
    share = sum(changed.values()) / adaptation.texts
    console.print(
        f"\n{changed['negative']:,} verdicts become negative and {changed['positive']:,} positive ({share:.1%})",
        soft_wrap=True,
    )
    for example in adaptation.examples:
        text = printable(example.text)
        console.print(
            f"  {example.before:.3f} → {example.after:.3f}  {shortened(text, EXAMPLE_LENGTH)}", soft_wrap=True
        )


def print_model(console: Console, model: ModelInfo) -> None:
    """Print what is known of a model, and its model card: laid out in a terminal, as Markdown elsewhere."""
    for name, value in model.facts().items():
        console.print(Text.assemble((f"{name:<12}", "bold"), printable(value)), soft_wrap=True)
    console.print()
    if model.card is None:
        console.print("it has no model card")
    elif console.is_terminal:
        from rich.markdown import Markdown

        console.print(Markdown(_printable_lines(model.card), hyperlinks=False))
    else:
        console.print(Text(_printable_lines(model.card).rstrip("\n")), soft_wrap=True)


def print_explanation(console: Console, explanation: Explanation, words: int) -> None:
    """Print a text with its words coloured by their effects, and a table of sentences and one of words.

    Where there are no colours the strongest words stand in brackets, as `[+great]`.

    Args:
        console: Where to.
        explanation: What to print.
        words: How many words are listed at most.
    """
    from rich.table import Table

    if explanation.error is not None:
        console.print(f"no score: {explanation.error}", soft_wrap=True)
        return
    sentiment = explanation.sentiment or ""
    console.print(Text.assemble(f"{explanation.score:.3f}  ", (sentiment, _COLOURS[sentiment])), end="\n\n")
    listed, sentences = explanation.strongest_words(words), explanation.strongest_sentences(SHOWN_SENTENCES)
    console.print(
        _coloured(explanation, {word.start for word in listed} if console.color_system is None else set())
    )
    for what, effects, others in (
        ("sentence", sentences, len(explanation.sentences) - len(sentences)),
        ("word", listed, len(explanation.words) - len(listed)),
    ):
        if not effects:
            continue
        table = Table(box=None, pad_edge=False, expand=True)
        table.add_column("effect", justify="right", width=6)
        table.add_column(what, no_wrap=True, overflow="ellipsis", ratio=1)
        for found in effects:
            style = _COLOURS["positive" if found.effect > 0 else "negative"]
            table.add_row(Text(f"{found.effect:+.2f}", style=style), Text(printable(found.text)))
        console.print()
        console.print(table)
        if others:
            console.print(f"… and {others:,} more with smaller effects", style="dim")
    if not explanation.strongest_words(1):
        console.print("\nNo word by itself moves the score.", style="dim")
    console.print("\nAn effect is what the text's log-odds of being positive lose without that part.", style="dim")


def _coloured(explanation: Explanation, bracketed: set[int]) -> Text:
    """Return a text with its words in the colours of their effects, those that start at some places in brackets."""
    shown, start = Text(), 0
    strongest = explanation.largest_effect
    for run, effect in explanation.runs():
        run_text = visible(run[: max(0, SHOWN_CHARACTERS - start)])
        colour = _COLOURS["positive" if effect > 0 else "negative"]
        if start in bracketed and effect and run_text:
            shown.append(f"[{'+' if effect > 0 else '-'}{run_text}]")
        else:
            styles = (style for least, style in _STRENGTHS if abs(effect) >= least * strongest)
            shown.append(run_text, style=next(styles, "").format(colour))
        start += len(run)
    shown.rstrip()
    if start > SHOWN_CHARACTERS:
        shown.append(f" … and {start - SHOWN_CHARACTERS:,} more characters", style="dim")
    return shown


def print_description(console: Console, description: Description) -> None:
    """Print what labelled texts are like: their figures, and the telling words of each class."""
    from rich.table import Table

    over = description.over_window
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in (
        ("texts", f"{description.texts:,}"),
        ("positive", f"{description.positive:,}"),
        ("negative", f"{description.negative:,}"),
        ("groups", "none named" if description.groups is None else f"{description.groups:,}"),
        ("without a word", f"{description.empty:,}"),
        ("equal to an earlier one", f"{description.duplicates:,}"),
        ("words", f"{description.words:,}"),
        ("unique words", f"{description.unique_words:,}"),
        ("words a text: mean", _words(description.mean, 2)),
        ("  standard deviation", _words(description.spread, 2)),
        ("  median", _words(description.median, 1)),
        ("  10 % have at most", _words(description.quantile_10, 1)),
        ("  90 % have at most", _words(description.quantile_90, 1)),
        ("  99 % have at most", _words(description.quantile_99, 1)),
        ("  longest", f"{description.longest:,}"),
        (f"  more than {description.window:,}", "–" if isnan(over) else f"{over:.1%} of the texts"),
    ):
        table.add_row(name, value)
    console.print(table)
    for sentiment, words in (
        ("positive", description.telling_positive),
        ("negative", description.telling_negative),
    ):
        if not words:
            continue
        telling = Table(box=None, pad_edge=False)
        telling.add_column(f"telling of {sentiment}", width=24, no_wrap=True, overflow="ellipsis")
        for heading in ("z-score", "in positive", "in negative"):
            telling.add_column(heading, justify="right")
        for word in words:
            telling.add_row(
                Text(printable(word.word), style=_COLOURS[sentiment]),
                f"{word.z:.1f}",
                f"{word.positive:,}",
                f"{word.negative:,}",
            )
        console.print()
        console.print(telling)


def _words(number: float, digits: int) -> str:
    """Return a number of words, or a dash where there are no texts to count them in."""
    return "–" if isnan(number) else f"{number:,.{digits}f}"


def _progress(console: Console, *columns: ProgressColumn) -> Progress:
    """Return a progress display that leaves nothing behind, and shows nothing where there is no terminal."""
    from rich.progress import Progress

    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _printable_lines(text: str) -> str:
    """Return text, with its lines and tabs, without what could steer a terminal."""
    return "\n".join(re.sub(r"\S+|[^\t ]", lambda run: printable(run[0]), line) for line in text.split("\n"))


def printable(text: str) -> str:
    """Return text on one line without what could steer a terminal: control and formatting characters."""
    return visible(" ".join(text.split()))


def shortened(text: str, characters: int) -> str:
    """Return a text of so many characters at most: itself, or its beginning and an ellipsis."""
    return text if len(text) <= characters else f"{text[: characters - 1].rstrip()}…"


def visible(text: str) -> str:
    """Return text in its lines without what could steer a terminal; a tab is a space."""
    return "".join(
        character
        for character in _LINE_END.sub("\n", text).replace("\t", " ")
        if character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
    )


_LINE_END = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
