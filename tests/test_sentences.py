import json
import random
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textsent.sentences import ABBREVIATIONS, PARAMETERS_FILE, TITLES, learn, split


def sentences(text):
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The lid fits. The hinge squeaks!", ["The lid fits.", "The hinge squeaks!"]),
        ("it arrived. thanks a lot. bye", ["it arrived.", "thanks a lot.", "bye"]),
        ("Why??? Because!!! Fine...", ["Why???", "Because!!!", "Fine..."]),
        ("  One.\n  Two.  ", ["One.", "Two."]),
        ("no end", ["no end"]),
    ],
)
def test_a_sentence_ends_at_its_punctuation(text, expected):
    assert sentences(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Mr. Crake met Dr. Otto and St. Paul at noon.",
        "(Prof. Anna Lind wrote it.)",
        "Bring tools, e.g. a spanner, and tape, i.e. the grey one.",
        "It costs $3.50 or 2.75 euros per piece.",
        "We waited... and waited... for an answer.",
        "The U.S. team asked for approx. 40 pieces, no. 7 to no. 46.",
        "We leave at 5 p.m. sharp.",
        "J. Pennock signed for it.",
        '"Is it on?" he asked.',
        "See example.com/a.b?c=d for more",
        "Version 2.1.0 runs on node.js just fine",
        "lines that\nwere wrapped\nby the mail program",
        "lines that\r\nwere wrapped\r\nby the mail program",
    ],
)
def test_what_is_no_end_is_not_taken_for_one(text):
    assert sentences(text) == [text]


@pytest.mark.parametrize("text", ["He left at 10 a.m. The bus was late.", "Is it? No. It is not."])
def test_an_abbreviation_may_end_a_sentence_too(text):
    assert len(sentences(text)) == text.count(". ") + text.count("? ") + 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so dull<br /><br />and long<BR>too", ["so dull", "and long", "too"]),
        ("<p class='x'>one</p><p>two</p>", ["one", "two"]),
        ("Hello\n\nthe box\n \n\t\nis empty", ["Hello", "the box", "is empty"]),
        ("Hello\r\n\r\nthe box\ris empty", ["Hello", "the box\ris empty"]),
        ("Wanted:\n- a lid\n* a box\n1. first\n 2) second\n(a) third", None),
        ("over\u2029and out\fdone", ["over", "and out", "done"]),
    ],
)
def test_blocks_lines_and_items_end_a_sentence(text, expected):
    expected = expected or ["Wanted:", "- a lid", "* a box", "1. first", "2) second", "(a) third"]
    assert sentences(text) == expected


@pytest.mark.parametrize("text", ["", " \n\t", "<br />", "<p> </p>\n\n"])
def test_a_text_of_white_space_and_tags_has_no_sentence(text):
    assert split(text) == []


def test_quotation_marks_and_brackets_close_with_their_sentence():
    assert sentences("“It works.” (At last!) Good.") == ["“It works.”", "(At last!)", "Good."]


@given(st.text() | st.text(alphabet="aB. ?!\n\r<br>/-1)\"'…"))
def test_sentences_lie_in_the_text_in_order_and_leave_only_white_space_and_tags(text):
    end, between = 0, ""
    for start, stop in split(text):
        assert end <= start < stop <= len(text)
        assert text[start:stop] == text[start:stop].strip()
        between += text[end:start]
        end = stop
    between += text[end:]
    assert not any(character.isalnum() for character in between.lower().replace("br", "").replace("p", ""))


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("a" * 1_000_000, 1),
        ("." * 1_000_000, 1),
        ("a." * 500_000, 1),
        ("!" * 1_000_000, 1),
        ('."' * 500_000, 1),
        (" " * 1_000_000, 0),
        ("\n " * 500_000, 0),
        ("<br" * 300_000, 1),
        ("x." + " " * 1_000_000 + "Y", 2),
        ("Stop. " * 160_000, 160_000),
    ],
)
def test_a_megabyte_made_to_take_long_is_split(text, most):
    assert len(split(text)) <= most


def test_the_stored_parameters_are_what_punkt_learns():
    stored = json.loads(files("textsent").joinpath(PARAMETERS_FILE).read_text("utf-8"))
    assert sorted(stored) == ["abbreviations", "cases", "collocations", "sentence starters"]
    assert {"c.i.a", "f.b.i"} <= set(stored["abbreviations"])
    assert all(word == word.lower() and not word.endswith(".") for word in (*TITLES, *ABBREVIATIONS))


def test_abbreviations_are_learned_from_texts_and_rare_words_forgotten():
    drawn = random.Random(0)
    nouns = ["lamp", "jar", "belt", "timer", "box"]
    texts = [
        f"The {drawn.choice(nouns)} of {drawn.randrange(9)} abt. {drawn.choice(nouns)} length broke. "
        f"<br />It was a {drawn.choice(nouns)}. We sent the {drawn.choice(nouns)} back."
        for _ in range(300)
    ]
    learned = learn(["\n\n".join(texts), "Zanzibar is far."])
    assert "abt" in learned["abbreviations"]
    known = " ".join(learned["cases"].values()).split()
    assert "the" in known
    assert "zanzibar" not in known
