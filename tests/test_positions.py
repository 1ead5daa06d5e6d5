import numpy as np
import pytest
from conftest import WORDS
from hypothesis import given, settings
from hypothesis import strategies as st

from textsent.positions import word_parts
from textsent.preprocess import Preprocessor, Settings

MAIL = Settings(emoji=True, typography=True, markup=True, elongated=True)
KERAS = Settings(break_tags=False, split="space")
ODD = Settings(removed="'-", stop_words=("the",), markup=True)

PIECES = st.sampled_from(
    [
        *(
            "great",
            "<3",
            " days",
            ":(",
            "<b",
            ">",
            "<br />",
            "&lt;a href=",
            "&amp;",
            "http://",
            "a.b/c",
            "@ann",
            "😠",
        ),
        *(
            " ",
            "\n",
            "\xa0",
            "'",
            "’",
            "--",
            "_",
            "sooooo",
            "ΣΑΣ",
            "İ",
            "ﬁne",
            "\xad",
            "\u202e",
            "<!-- ",
            "-->",
            "the",
        ),
    ]
)


def shown(text, own=MAIL):
    (parts,) = word_parts([text], own)
    return [text[part.start : part.end] for part in parts]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Great, well-made lid!", ["Great", "well", "made", "lid"]),
        ("don't say 'great'", ["don't", "say", "great"]),
        ("“Sooooo” good:)", ["Sooooo", "good", ":)"]),
        ("see http://example.com/bad-lid now", ["see", "now"]),
        ("<b class='not bad'>fine</b>", ["fine"]),
        ("wait <3 days or <3 it", ["wait", "<3 days", "or", "<3", "it"]),
        ("he said &lt;b id='bad'&gt; no", ["he", "said", "no"]),
        ("don&#39;t", ["don&#39;t"]),
        ("ter\xadrible lid", ["ter\xadrible", "lid"]),
        ("😠😠 no", ["😠😠", "no"]),
        ("", []),
        (" ?! ", []),
        ("\xa0'great' ", ["great"]),
    ],
)
def test_the_parts_of_a_text_are_where_its_words_stand(text, parts):
    assert shown(text) == parts


def test_what_is_left_out_has_no_part():
    assert shown("the lid of the jar", Settings(stop_words=("the", "of"))) == ["lid", "jar"]


@settings(deadline=None)
@given(
    st.lists(st.text() | st.lists(PIECES).map("".join), max_size=4), st.sampled_from([MAIL, KERAS, ODD, Settings()])
)
def test_parts_lie_in_the_text_in_order_and_hold_its_words(texts, own):
    found = word_parts(texts, own)
    words = Preprocessor(WORDS, own)(texts).words
    assert [sum(part.words for part in parts) for parts in found] == words.tolist()
    for text, parts in zip(texts, found, strict=True):
        end = 0
        for part in parts:
            assert end <= part.start < part.end <= len(text)
            assert part.words > 0
            end = part.end


@settings(deadline=None, max_examples=50)
@given(st.lists(PIECES, min_size=100, max_size=400).map(" ".join))
def test_the_parts_of_a_long_text_hold_its_words(text):
    (parts,) = word_parts([text], MAIL)
    assert [sum(part.words for part in parts)] == Preprocessor(WORDS, MAIL)([text]).words.tolist()


def test_a_text_has_the_same_parts_whatever_the_others_are():
    texts = ["wait <3 days", "", "great:)", "<i>no</i>"]
    assert word_parts(texts, MAIL) == [word_parts([text], MAIL)[0] for text in texts]


def test_a_long_tag_that_is_escaped_costs_only_what_is_near_it():
    text = "great " * 500 + "&lt;a title=" + "very " * 100 + "&gt;" + " terrible" * 500
    parts = shown(text)
    assert parts.count("great") > 490
    assert parts.count("terrible") > 450
    assert "very" not in parts


@pytest.mark.parametrize("text", ["a" * 1_000_000, "a," * 500_000, "<a " * 200_000, "&lt;a href=" + "x " * 100_000])
def test_a_megabyte_made_to_take_long_is_cut(text):
    (parts,) = word_parts([text], MAIL)
    assert np.sum([part.words for part in parts]) == Preprocessor(WORDS, MAIL)([text]).words[0]


def test_what_only_keras_takes_for_a_word_has_a_place_too():
    assert shown("\xa0", KERAS) == ["\xa0"]
    assert shown("\xa0great lid\u2003", KERAS) == ["great", "lid"]
