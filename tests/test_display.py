import io
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from itertools import chain, repeat

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from textsent.display import (
    SHOWN_ROWS,
    RowTable,
    TrainingDisplay,
    print_evaluation,
    print_recipes,
    print_summary,
    print_verdicts,
    printable,
)
from textsent.evaluate import Evaluation
from textsent.extremes import Extreme
from textsent.files import Summary
from textsent.fitting import Beginning, Epoch
from textsent.recipes import Recipe
from textsent.schema import MAIL_SCHEMA, SCORE_SCHEMA


def console(**settings) -> Console:
    """A console such as the command line makes, where markup is text."""
    return Console(file=io.StringIO(), width=80, markup=False, emoji=False, highlight=False, **settings)


def lines(console: Console) -> list[str]:
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def scored(columns: dict, scores: list[float | None], prefix: str = "") -> pa.RecordBatch:
    added = {
        "sentiment": [None if score is None else "positive" if score >= 0.5 else "negative" for score in scores],
        "score": scores,
        "words": [0 if score is None else 1 for score in scores],
        "coverage": [None if score is None else 1.0 for score in scores],
        "error": ["no words" if score is None else None for score in scores],
    }
    came_in = pa.record_batch(columns)
    return pa.RecordBatch.from_arrays(
        [*came_in.columns, *(pa.array(added[field.name], field.type) for field in SCORE_SCHEMA)],
        names=[*came_in.schema.names, *(prefix + name for name in added)],
    )


def shown(batch: pa.RecordBatch, column: str | None = None, prefix: str = "", **settings) -> list[str]:
    table = RowTable(column, prefix)
    table.add(batch)
    target = console(**settings)
    table.print(target, batch.num_rows)
    return lines(target)


def mail(subject: str | None, sender: str | None = "ann@example.com") -> dict:
    values = {"from": sender, "subject": subject, "text": "great"}
    return {field.name: pa.array([values.get(field.name)], field.type) for field in MAIL_SCHEMA}


def test_the_table_shows_score_sentiment_and_text_of_each_row():
    header, *rows = shown(scored({"id": [1, 2, 3], "text": ["fine", "", "awful"]}, [0.98765, None, 0.25]))
    assert header.split() == ["score", "sentiment", "text"]
    assert [row.split() for row in rows] == [
        ["0.988", "positive", "fine"], ["no", "words"], ["0.250", "negative", "awful"],
    ]  # fmt: skip


def test_the_table_shows_sender_and_subject_of_mail():
    header, row = shown(scored(mail("Your order"), [0.5]))
    assert header.split() == ["score", "sentiment", "from", "subject"]
    assert row.split() == ["0.500", "positive", "ann@example.com", "Your", "order"]


def test_a_mail_without_sender_and_subject_has_its_row():
    _, row = shown(scored(mail(None, None), [0.5]))
    assert row.split() == ["0.500", "positive"]


def test_the_table_shows_the_column_that_was_scored():
    header, row = shown(scored({"text": ["one"], "body": ["two"]}, [0.5]), column="body")
    assert header.split() == ["score", "sentiment", "body"]
    assert row.split()[-1] == "two"


def test_the_table_finds_the_scores_behind_their_prefix():
    _, row = shown(scored({"text": ["one"], "score": [7]}, [0.25], "our_"), prefix="our_")
    assert row.split() == ["0.250", "negative", "one"]


def test_the_table_shows_a_long_text_on_one_line_that_ends_in_an_ellipsis():
    _, row = shown(scored({"text": ["so\nlong " * 100]}, [0.5]))
    assert len(row) == 80
    assert row.endswith("…")


def test_the_reason_why_a_row_has_no_score_stands_on_one_line_of_the_table():
    reason = "not in the model's language"
    batch = scored(mail("Bonjour à tous"), [None])
    batch = batch.set_column(batch.schema.get_field_index("error"), "error", pa.array([reason]))
    header, row = shown(batch)
    assert re.split(" {2,}", row.strip()) == [reason, "ann@example.com", "Bonjour à tous"]
    assert header.index("from") == row.index("ann@")


@pytest.mark.parametrize("rows", [SHOWN_ROWS - 1, SHOWN_ROWS, SHOWN_ROWS + 1, 2500])
def test_the_table_ends_after_its_rows_and_says_how_many_it_leaves_out(rows):
    table = RowTable(None, "")
    for start in range(0, rows, 7):
        count = min(7, rows - start)
        table.add(scored({"text": [f"number{start + row}" for row in range(count)]}, [0.5] * count))
    target = console()
    table.print(target, rows)
    _, *shown_rows = lines(target)
    kept = min(rows, SHOWN_ROWS)
    assert [row.split()[-1] for row in shown_rows[:kept]] == [f"number{row}" for row in range(kept)]
    assert shown_rows[kept:] == (
        [f"… and {rows - kept:,} more rows: write them all to a file with -o scored.parquet"] if rows > kept else []
    )


MARKUP = ["[bold]loud[/bold]", "[/nope]", "[link=x]y[/link]", ":smile:", "[red", "\\[x]"]


@pytest.mark.parametrize("text", MARKUP)
def test_markup_in_a_row_is_shown_as_it_is(text):
    assert shown(scored({"text": [text]}, [0.5]))[1].split()[-1] == text
    assert text in shown(scored(mail(text, "[b]"), [0.5]))[1]


@pytest.mark.parametrize("name", MARKUP)
def test_markup_in_a_columns_name_is_shown_as_it_is(name):
    assert shown(scored({name: ["fine"]}, [0.5]))[0].split()[-1] == name


@pytest.mark.parametrize(
    "text", ["\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x9b2J", "over\rwritten", "\u202edlog\b"]
)
def test_what_steers_a_terminal_in_a_row_is_not_passed_on(text):
    tables = scored({"text": [text]}, [0.5]), scored({text: ["fine"]}, [0.5]), scored(mail(text, text), [0.5])
    for row in (row for table in tables for row in shown(table)):
        assert not any(unicodedata.category(character) in ("Cc", "Cf") for character in row)


def test_columns_that_only_look_like_mail_are_shown_too():
    _, row = shown(scored({"from": [7], "subject": ["Your order"], "text": ["fine"]}, [0.5]))
    assert row.split() == ["0.500", "positive", "7", "Your", "order"]


def test_a_terminal_that_has_colours_shows_sentiments_in_them():
    row = shown(scored({"text": ["fine"]}, [0.75]), force_terminal=True, color_system="standard")[1]
    assert "\x1b[32mpositive" in row


@given(st.text())
def test_printable_text_is_one_line_without_control_and_formatting_characters(text):
    line = printable(text)
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in line)


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_printable_text_keeps_letters_numbers_and_signs(text):
    assert printable(text) == text


SUMMARY = Summary(
    rows=4000,
    sentiments=Counter(positive=3000, negative=500),
    errors=Counter({"no words": 400, "no text": 100}),
    seconds=2.0,
)


def test_the_summary_gives_rows_speed_shares_and_reasons():
    target = console()
    print_summary(target, SUMMARY, "scored.parquet")
    assert lines(target) == [
        "4,000 rows in 2.0 s (2,000 rows/s), written to scored.parquet",
        "  positive            3,000   75.0%",
        "  negative              500   12.5%",
        "  no words              400   10.0%",
        "  no text               100    2.5%",
    ]


def test_the_summary_counts_neutral_rows_where_there_are_any():
    target = console()
    print_summary(target, Summary(rows=2, sentiments=Counter(neutral=2), seconds=1.0), None)
    assert lines(target) == [
        "2 rows in 1.0 s (2 rows/s)",
        "  positive                0    0.0%",
        "  neutral                 2  100.0%",
        "  negative                0    0.0%",
    ]


def test_in_a_terminal_the_summary_has_bars_reasons_the_most_negative_rows_and_what_to_do_next():
    target = console(force_terminal=True, color_system=None)
    extremes = [Extreme(0.01, 1234, "[b]Still[/b]\x1b[2J \u202ewaiting"), Extreme(0.0456, 7, "x" * 1000)]
    print_summary(target, SUMMARY, None, extremes, [("why", "textsent explain --row 1234 a.mbox")])
    assert lines(target) == [
        "4,000 rows in 2.0 s (2,000 rows/s)",
        "",
        "negative  ━━━╸                              500  12.5%",
        "positive  ━━━━━━━━━━━━━━━━━━━━━━╸         3,000  75.0%",
        "no words  not scored                        400  10.0%",
        "no text   not scored                        100   2.5%",
        "",
        "most negative",
        "0.010  row 1,234  [b]Still[/b][2J waiting",
        "0.046  row     7  " + "x" * 61 + "…",
        "",
        "why",
        "  textsent explain --row 1234 a.mbox",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "</script><img src=x onerror=alert(2)>",
        "javascript:alert(3)",
        "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
        "[bold]not bold[/bold] [/nope] :smile:",
        "left \u202eright\u202c \u2066to\u2069 left",
        "w" * 1_000_000,
    ],
)
def test_whatever_a_text_holds_it_is_a_line_of_text_in_a_terminal(text):
    batch = scored({"text": [text]}, [0.25])
    target = console(force_terminal=True, color_system=None)
    print_summary(target, SUMMARY, None, [Extreme(0.01, 1, text)])
    print_verdicts(target, [text], batch)
    beginning = printable(text)[:20]
    written = [*lines(target), *shown(batch)]
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "".join(written))
    assert len([line for line in written if beginning in line]) == 3
    assert max(map(len, written)) <= 80


def test_a_summary_in_a_terminal_with_nothing_negative_ends_with_its_bars():
    target = console(force_terminal=True, color_system=None)
    print_summary(target, Summary(rows=2, sentiments=Counter(neutral=1, positive=1), seconds=1.0), None)
    assert [line.split()[0] for line in lines(target)[2:]] == ["negative", "neutral", "positive"]


def test_the_summary_elsewhere_has_no_text_of_anybody():
    target = console()
    print_summary(target, SUMMARY, None, [Extreme(0.01, 1, "private")], [("why", "textsent explain")])
    assert "private" not in target.file.getvalue()
    assert "explain" not in target.file.getvalue()


def verdicts(texts: list[str], scores: list[float | None], **settings) -> list[str]:
    target = console(**settings)
    print_verdicts(target, texts, scored({"text": texts}, scores).select(SCORE_SCHEMA.names))
    return lines(target)


def test_a_verdict_is_a_line_of_sentiment_score_and_text():
    texts = ["great", "bad\nday", "", "\x1b[31m[b]x[/b]\u202e " + "y" * 100]
    expected = ["positive  0.97  great", "negative  0.04  bad day", "no words", "positive  0.50  [31m[b]x[/b] "]
    expected[3] += "y" * 100
    assert verdicts(texts, [0.97, 0.04, None, 0.5]) == expected
    expected[3] = f"{expected[3][:79]}…"
    assert verdicts(texts, [0.97, 0.04, None, 0.5], force_terminal=True, color_system=None) == expected


@pytest.mark.parametrize("name", ["[red]out.csv", "out[/].csv", "[/nope].csv", "a:smile:.csv"])
def test_markup_in_the_outputs_name_is_shown_as_it_is(name):
    target = console()
    print_summary(target, SUMMARY, name)
    assert lines(target)[0].endswith(f", written to {name}")


def test_the_summary_of_a_long_output_name_stays_on_its_line():
    target = console()
    print_summary(target, SUMMARY, "folder/" * 20 + "scored.parquet")
    assert lines(target)[0].endswith("scored.parquet")


BEGINNING = Beginning(
    texts=25000, validation_texts=2500, cut_by_group=True, words=30000, steps=2, epochs=2
)  # fmt: skip
EPOCH = Epoch(
    number=1, loss=0.61234, accuracy=0.71, validation_loss=0.5, validation_accuracy=0.75, seconds=12.4, best=True
)  # fmt: skip


def watched(beginning=BEGINNING, **settings) -> Console:
    """Show a training of two epochs of two steps."""
    target = console(color_system=None, **settings)
    with TrainingDisplay(target) as display:
        display.said("something takes a while")
        display.began(beginning)
        for epoch in (1, 2):
            display.step_done(epoch, 1, 32, 0.7, 0.6)
            display.step_done(epoch, 2, 32, 0.6, 0.7)
            display.epoch_done(replace(EPOCH, number=epoch, best=epoch == 1))
    return target


TRAINING_LINES = [
    "something takes a while",
    "25,000 texts to train on, 2,500 to validate with (cut by group), a vocabulary of 30,000 words",
    "epoch 1: loss 0.6123, accuracy 0.7100, validation loss 0.5000, validation accuracy 0.7500, 12 s, kept",
    "epoch 2: loss 0.6123, accuracy 0.7100, validation loss 0.5000, validation accuracy 0.7500, 12 s",
]


@pytest.mark.parametrize("terminal", [False, True])
def test_training_shows_what_it_works_on_and_a_line_an_epoch(terminal):
    target = watched(force_terminal=terminal)
    if terminal:
        for line in TRAINING_LINES:
            assert line in target.file.getvalue()
    else:
        assert lines(target) == TRAINING_LINES


def test_training_on_texts_without_groups_says_so():
    target = console()
    with TrainingDisplay(target) as display:
        display.began(Beginning(10, 2, False, 5, 1, 1))
    assert lines(target) == ["10 texts to train on, 2 to validate with (cut by text), a vocabulary of 5 words"]


@pytest.mark.parametrize(
    ("epoch", "step", "line"),
    [
        (1, 0, None),
        (2, 0, "going on with epoch 2"),
        (1, 1234, "going on with epoch 1 after 1,234 of 2,000 steps"),
        (2, 5, "going on with epoch 2 after 5 of 2,000 steps"),
    ],
)
def test_a_training_that_goes_on_says_from_where(epoch, step, line):
    target = console()
    with TrainingDisplay(target) as display:
        display.began(replace(BEGINNING, steps=2000, epoch=epoch, step=step))
    assert lines(target)[1:] == ([line] if line else [])


def test_without_a_terminal_a_line_tells_of_the_steps_now_and_then(monkeypatch):
    monkeypatch.setattr("textsent.display.PLAIN_SECONDS", 0)
    said, began, *others = lines(watched())
    assert [said, began] == TRAINING_LINES[:2]
    assert [re.sub(r"[0-9,]+ texts/s", "N texts/s", line) for line in others] == [
        "epoch 1, step 1 of 2: N texts/s  loss 0.7000  accuracy 0.6000",
        "epoch 1, step 2 of 2: N texts/s  loss 0.6000  accuracy 0.7000",
        TRAINING_LINES[2],
        "epoch 2, step 1 of 2: N texts/s  loss 0.7000  accuracy 0.6000",
        "epoch 2, step 2 of 2: N texts/s  loss 0.6000  accuracy 0.7000",
        TRAINING_LINES[3],
    ]


def test_in_a_terminal_no_line_tells_of_the_steps(monkeypatch):
    monkeypatch.setattr("textsent.display.PLAIN_SECONDS", 0)
    assert "step 1 of 2" not in watched(force_terminal=True).file.getvalue()


@pytest.fixture
def bars():
    """Gives the last two lines that a training shows in a terminal of 80 columns when it is told something."""

    def show(beginning, tell):
        target = console(force_terminal=True, color_system=None)
        with TrainingDisplay(target) as display:
            display.began(beginning)
            tell(display)
            target.file.seek(0)
            target.file.truncate()
            display._progress.refresh()
            shown = target.file.getvalue()
        return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", shown).split("\n")]

    return show


def test_a_terminal_shows_a_bar_of_all_steps_and_one_of_the_epochs_on_a_line_each(bars, monkeypatch):
    clock = chain([100.0], repeat(116.0))
    monkeypatch.setattr("textsent.display.time.monotonic", lambda: next(clock))
    whole, epoch = bars(
        replace(BEGINNING, steps=500, epochs=3), lambda display: display.step_done(1, 250, 32_000, 0.7, 0.6)
    )
    assert re.fullmatch(r"training [━╸]+ +250/1500 +(-:--:--|\d:\d\d:\d\d)", whole)
    assert re.fullmatch(
        r"epoch 1 +[━╸]+ +250/500 +2,000 texts/s  loss 0\.7000  accuracy 0\.6000 (-:--:--|\d:\d\d:\d\d)", epoch
    )
    assert len(whole) <= len(epoch) <= 80


def test_the_bars_name_the_accuracy_that_is_kept_so_far_and_the_next_epoch(bars):
    def tell(display):
        display.epoch_done(EPOCH)
        display.epoch_done(replace(EPOCH, number=2, validation_accuracy=0.7, best=False))

    whole, epoch = bars(replace(BEGINNING, epochs=3), tell)
    assert "validation accuracy 0.7500 kept so far" in whole
    assert epoch.startswith("epoch 3 ")


def test_the_bars_of_a_training_that_goes_on_begin_where_it_stopped(bars):
    going_on = replace(BEGINNING, steps=500, epochs=3, epoch=2, step=100, best_accuracy=0.8125)
    whole, epoch = bars(going_on, lambda display: None)
    assert " 600/1500 " in whole
    assert "validation accuracy 0.8125 kept so far" in whole
    assert re.match(r"epoch 2 .* 100/500 ", epoch)


RECIPE = Recipe(
    build=dict,
    config={},
    vocabulary_size=5000,
    batch_size=64,
    optimizer="rmsprop",
    epochs=40,
    shape="embedding 32, LSTM 100, sigmoid",
    origin="a write-up of [loud] features",
    published="test 0.8991 and 0.8913",
)


def test_recipes_are_listed_with_shape_training_figures_and_origin():
    target = console()
    print_recipes(target, {"one": RECIPE, "two": replace(RECIPE, patience=None, epochs=2, shape="", published="")})
    assert lines(target) == [
        "one",
        "  embedding 32, LSTM 100, sigmoid",
        "  rmsprop, batches of 64, up to 40 epochs, 5,000 words",
        "  published: test 0.8991 and 0.8913",
        "  from a write-up of [loud] features",
        "two",
        "  rmsprop, batches of 64, 2 epochs, 5,000 words",
        "  from a write-up of [loud] features",
    ]


def test_an_evaluation_is_shown_as_figures_and_a_matrix():
    target = console()
    print_evaluation(
        target, Evaluation(12345, 6, 0.98765, 0.9, float("nan"), 0.25, 0.01, ((6000, 45), (1300, 5000)))
    )
    assert lines(target) == [
        "texts              12,345",
        "without a score    6",
        "accuracy           0.9877",
        "F1                 0.9000",
        "AUC                nan",
        "log loss           0.2500",
        "calibration error  0.0100",
        "",
        "                   scored negative  scored positive",
        "labelled negative            6,000               45",
        "labelled positive            1,300            5,000",
    ]
