import io
import re
from collections import Counter

import pytest
from rich.console import Console

from textsent import progress
from textsent.errors import OptionError
from textsent.files import Summary
from textsent.progress import ProgressBar, ProgressLines, progress_of


def console(width: int = 80, **settings) -> Console:
    """A console such as the command line makes, where markup is text."""
    return Console(file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False, **settings)


def terminal(**settings) -> Console:
    return console(force_terminal=True, color_system=None, **settings)


def summary(rows: int, position: int = 0, size: int | None = None, seconds: float = 1.0, **settings) -> Summary:
    return Summary(
        rows=rows, sentiments=Counter(negative=rows // 4, positive=rows - rows // 4), position=position, size=size,
        seconds=seconds, **settings,
    )  # fmt: skip


def last_line(target: Console, *summaries: Summary) -> str:
    """Return what a bar looks like in the end, without the codes that move the cursor."""
    with ProgressBar(target) as bar:
        for one in summaries:
            bar.show(one)
        target.file.seek(0)
        target.file.truncate()
        bar._progress.refresh()
        drawn = target.file.getvalue()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", drawn)


def test_a_bar_shows_share_rows_speed_negatives_and_the_time_left_on_one_line_of_80_columns():
    line = last_line(
        terminal(),
        summary(1_000_000, 200_000_000, 1_000_000_000, seconds=200.0),
        summary(
            2_000_000, 450_000_000, 1_000_000_000, seconds=700.0, errors=Counter({"no words": 1200, "no text": 34})
        ),
    )
    assert len(line) == 77  # and room for ^C
    assert re.fullmatch(r"[━╸╺ ]+ 45%  2,000,000 rows  2,857/s  25% negative  1,234 not scored  0:18:20 left", line)


def test_a_wide_terminal_also_shows_the_bytes():
    line = last_line(terminal(width=110), summary(500, 1_250_000, 5_000_000))
    assert re.fullmatch(r"[━╸╺ ]+ 25%  1\.2 of 5\.0 MB  500 rows  500 rows/s  25% negative  0:00:03 left", line)


def test_the_bar_of_rows_that_are_counted_beforehand_shows_how_many_there_are():
    line = last_line(terminal(width=110), summary(500, 1_250_000, 5_000_000, total_rows=2000))
    assert re.fullmatch(r"[━╸╺ ]+ 25%  500 of 2,000 rows  500 rows/s  25% negative  0:00:03 left", line)


def test_a_pipe_has_no_share_and_the_time_that_has_passed():
    line = last_line(terminal(), summary(5000, seconds=65.0))
    assert re.fullmatch(r"[━╸╺ ]+ 5,000 rows  77/s  25% negative  0:01:05", line)


def test_before_the_first_row_there_is_a_bar_already():
    assert re.fullmatch(r"[━╸╺ ]+ 0 rows", last_line(terminal()))


def test_the_bar_is_full_when_all_is_scored_and_the_rest_takes_no_time():
    line = last_line(terminal(), summary(10, 99, 100), summary(20, 100, 100, seconds=2.0))
    assert re.fullmatch(r"━+ 100%  20 rows  10/s  25% negative  0:00:00 left", line)


def test_a_file_that_grew_while_it_was_read_is_no_more_than_full():
    assert " 100%  " in last_line(terminal(), summary(10, 150, 100))


def test_the_time_left_does_not_count_how_long_it_took_to_start():
    line = last_line(terminal(), summary(10, 10, 1000, seconds=50.0), summary(20, 110, 1000, seconds=60.0))
    assert line.endswith(" 0:01:29 left")


def test_a_bar_leaves_nothing_behind():
    target = terminal()
    with ProgressBar(target) as bar:
        bar.show(summary(10, 10, 100))
    assert target.file.getvalue().endswith("\x1b[1A\x1b[2K")


def test_a_bar_does_not_take_what_is_written_to_standard_output(capsys):
    target = terminal()
    with ProgressBar(target):
        print("a row")
    assert capsys.readouterr().out == "a row\n"
    assert "a row" not in target.file.getvalue()


def plain(*summaries: Summary) -> list[str]:
    target = console()
    with ProgressLines(target) as lines:
        for one in summaries:
            lines.show(one)
    return target.file.getvalue().splitlines()


def test_plain_lines_say_what_a_bar_does(monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0)
    assert plain(summary(1000, 100, 400), summary(5000, 0, None, errors=Counter({"no text": 7}), seconds=2.0)) == [
        "25%, 0.000 of 0.000 MB, 1,000 rows, 1,000 rows/s, 25% negative, 0:00:03 left",
        "5,000 rows, 2,500 rows/s, 25% negative, 7 not scored, 0:00:02",
    ]


def test_plain_lines_are_some_seconds_apart(monkeypatch):
    clock = iter([0.0, 4.9, 5.0, 9.0, 10.1])
    monkeypatch.setattr("textsent.progress.time.monotonic", lambda: next(clock))
    assert [line.split()[0] for line in plain(*(summary(rows) for rows in (1, 2, 3, 4)))] == ["2", "4"]


@pytest.mark.parametrize(
    ("kind", "settings", "shown_as"),
    [
        ("auto", {}, None),
        ("auto", {"force_terminal": True}, ProgressBar),
        ("auto", {"force_terminal": True, "quiet": True}, None),
        ("auto", {"force_terminal": True, "_environ": {"TERM": "dumb"}}, ProgressLines),
        ("bar", {}, ProgressBar),
        ("bar", {"quiet": True}, None),
        ("plain", {}, ProgressLines),
        ("plain", {"force_terminal": True}, ProgressLines),
        ("plain", {"quiet": True}, None),
        ("none", {"force_terminal": True}, None),
    ],
)
def test_progress_is_shown_as_it_is_asked_for_or_as_the_terminal_can(kind, settings, shown_as):
    target = console(**{"_environ": {"TERM": "xterm"}, **settings})
    with progress_of(kind, target) as watcher:
        watcher.show(summary(1))
        assert (type(watcher) is shown_as) if shown_as else not target.file.getvalue()


@pytest.mark.parametrize("has_widgets", [False, True])
def test_a_notebook_gets_a_bar_where_it_can_draw_one_and_lines_where_it_cannot(monkeypatch, has_widgets):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: has_widgets or None)
    shown = progress_of("auto", console(force_jupyter=True, _environ={}))
    assert type(shown) is (ProgressBar if has_widgets else ProgressLines)


def test_rows_on_their_way_to_the_terminal_are_not_disturbed_unless_that_is_asked_for():
    with progress_of("auto", terminal(), rows_on_terminal=True) as watcher:
        assert not isinstance(watcher, ProgressBar | ProgressLines)
    assert isinstance(progress_of("bar", terminal(), rows_on_terminal=True), ProgressBar)


def test_a_bar_that_is_asked_for_is_drawn_into_a_pipe_as_well():
    target = console()
    with progress_of("bar", target) as bar:
        bar.show(summary(1234))
    assert "1,234 rows" in target.file.getvalue()


def test_progress_of_another_kind_is_an_error():
    with pytest.raises(OptionError, match="there is no progress 'loud': choose one of auto, bar, plain, none"):
        progress_of("loud", console())
