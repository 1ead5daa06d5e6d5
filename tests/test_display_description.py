import io
import unicodedata
from dataclasses import replace

import pytest
from rich.console import Console

from textsent.describe import Description, TellingWord
from textsent.display import print_description

NAN = float("nan")
FILMS = Description(
    texts=25000, positive=12500, negative=12500, groups=3456, words=5841002, unique_words=88075, mean=233.64008,
    spread=173.38584, median=174.0, quantile_10=90.0, quantile_90=458.0, quantile_99=911.01, longest=2473,
    window=400, over_window=0.1334, empty=1, duplicates=96,
    telling_positive=(TellingWord("great", 34.444, 6409, 2636),),
    telling_negative=(TellingWord("bad", -50.555, 1896, 7374), TellingWord("worst", -35.254, 250, 2477)),
)  # fmt: skip


def printed(description: Description, **settings) -> list[str]:
    console = Console(file=io.StringIO(), width=80, markup=False, emoji=False, highlight=False, **settings)
    print_description(console, description)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_description_is_a_table_of_figures_and_one_of_each_class_s_telling_words():
    assert printed(FILMS) == [
        "texts                    25,000",
        "positive                 12,500",
        "negative                 12,500",
        "groups                   3,456",
        "without a word           1",
        "equal to an earlier one  96",
        "words                    5,841,002",
        "unique words             88,075",
        "words a text: mean       233.64",
        "  standard deviation     173.39",
        "  median                 174.0",
        "  10 % have at most      90.0",
        "  90 % have at most      458.0",
        "  99 % have at most      911.0",
        "  longest                2,473",
        "  more than 400          13.3% of the texts",
        "",
        "telling of positive       z-score  in positive  in negative",
        "great                        34.4        6,409        2,636",
        "",
        "telling of negative       z-score  in positive  in negative",
        "bad                         -50.6        1,896        7,374",
        "worst                       -35.3          250        2,477",
    ]


def test_figures_that_are_not_defined_are_dashes():
    lines = printed(
        replace(FILMS, mean=NAN, spread=NAN, median=NAN, quantile_10=NAN, quantile_90=NAN, quantile_99=NAN,
                over_window=NAN)
    )  # fmt: skip
    assert sum(line.endswith("–") for line in lines) == 7
    assert not any("nan" in line for line in lines)


def test_data_that_names_no_groups_is_said_to():
    assert "groups                   none named" in printed(replace(FILMS, groups=None))


def test_a_class_without_telling_words_has_no_table():
    lines = printed(replace(FILMS, telling_positive=()))
    assert not any("telling of positive" in line for line in lines)
    assert any("telling of negative" in line for line in lines)


@pytest.mark.parametrize("word", ["[bold]", "[/nope]", ":smile:", "<script>", "don't"])
def test_markup_in_a_word_is_shown_as_it_is(word):
    lines = printed(replace(FILMS, telling_positive=(TellingWord(word, 3.0, 2, 1),)))
    assert any(line.split() == [word, "3.0", "2", "1"] for line in lines)


def test_what_steers_a_terminal_in_a_word_is_not_passed_on():
    lines = printed(replace(FILMS, telling_positive=(TellingWord("\x1b[31mred\x07", 3.0, 2, 1),)))
    assert not any(unicodedata.category(character) == "Cc" for line in lines for character in line)


def test_a_long_word_stays_on_its_line():
    lines = printed(replace(FILMS, telling_positive=(TellingWord("very" * 30, 3.0, 2, 1),)))
    (row,) = (line for line in lines if line.startswith("very"))
    assert row.split()[0] == ("very" * 6)[:23] + "…"
    assert row.split()[1:] == ["3.0", "2", "1"]


def test_telling_words_have_their_sentiment_s_colour_in_a_terminal():
    text = "\n".join(printed(FILMS, force_terminal=True, color_system="standard"))
    assert "\x1b[32mgreat" in text
    assert "\x1b[31mbad" in text
