import random
import re

import numpy as np
import pytest

from textsent.frames import Words, framed_sentences, made_sentences, misspelled
from textsent.templates import TABLES

WORDS = Words(good=("splendid", "sturdy"), bad=("wonky", "rattling"), like=("cherish",), dislike=("loathe",))
NUMBER = 30_000
GOOD, BAD = ("(splendid|sturdy)", "(wonky|rattling)")
THE_THING = "(the|this|that|your|our|my|the new|the old) [a-z ]+"


FEW = {
    "good adjective": ("sturdy",),
    "bad adjective": ("rattling",),
    "good predicate": ("splendid",),
    "bad predicate": ("wonky",),
    "good fact": ("keep up the good work", "it saved my day"),
    "bad fact": ("save your money", "it ruined my day"),
    "plain fact": ("we ate at noon", "my order number is four"),
    "plain verb": ("measure, measured",),
    "thing": ("parcel", "hotel"),
}
"""In place of tables that are so long that few of their lines would come."""


@pytest.fixture(scope="module")
def made():
    """Sentences with their targets, as float64 so that they compare with what is written here."""
    with pytest.MonkeyPatch.context() as patch:
        for table, lines in FEW.items():
            patch.setitem(TABLES, table, lines)
        texts, targets = made_sentences(WORDS, NUMBER, seed=1)
    return list(zip(texts, targets.astype(np.float64).round(4).tolist(), strict=True))


def targets_of(made, *patterns):
    """Return the targets of texts that are a whole match of a pattern."""
    found = [{target for text, target in made if re.fullmatch(pattern, text)} for pattern in patterns]
    assert all(found), [pattern for pattern, targets in zip(patterns, found, strict=True) if not targets]
    return set().union(*found)


def test_there_are_as_many_as_asked_for_with_a_target_each():
    texts, targets = made_sentences(WORDS, 300, seed=1)
    assert len(texts) == 300
    assert (targets.dtype, targets.shape) == (np.float32, (300,))
    assert ((targets > 0) & (targets < 1)).all()
    none, no_targets = made_sentences(WORDS, 0, seed=1)
    assert (none, no_targets.shape) == ([], (0,))


def test_the_same_seed_gives_the_same_sentences_and_another_others():
    texts, targets = made_sentences(WORDS, 500, seed=3)
    again, targets_again = made_sentences(WORDS, 500, seed=3)
    assert again == texts
    np.testing.assert_array_equal(targets_again, targets)
    assert made_sentences(WORDS, 500, seed=4)[0] != texts


def test_more_sentences_begin_with_the_same_ones():
    texts, _ = made_sentences(WORDS, 500, seed=3)
    assert made_sentences(WORDS, 100, seed=3)[0] == texts[:100]


def test_what_is_plainly_said_has_the_tone_of_its_word(made):
    said = "i ((really|truly|absolutely) )?cherish (it|them|everything)", f"(it|that) (is|was) {GOOD}"
    assert targets_of(made, GOOD, *said) == {0.96}
    assert targets_of(made, BAD, *(text.replace("cherish", "loathe").replace(GOOD, BAD) for text in said)) == {0.04}


def test_a_negated_good_clause_is_negative_a_bad_one_not_negative_and_one_without_tone_is_neither(made):
    denied = ["no, (it|that) (isn't|wasn't|is not|was not) {}"]
    assert targets_of(made, *(pattern.format(GOOD) for pattern in denied)) == {0.06}
    assert targets_of(made, *(pattern.format(BAD) for pattern in denied)) == {0.66}
    assert targets_of(made, "(they|we|i) (did not|didn't) measure .*") == {0.5}


def test_a_question_has_the_tone_of_its_answer(made):
    no, yes = (f"({'|'.join(TABLES[answer])})" for answer in ("no", "yes"))
    asked = rf"(is|was|has|does) {THE_THING} (been |seem |feel |look )?{{}}\? {{}}"
    assert targets_of(made, asked.format(GOOD, yes)) == {0.92}
    assert targets_of(made, asked.format(GOOD, no)) == {0.06}
    assert targets_of(made, asked.format(BAD, yes)) == {0.07}
    assert targets_of(made, asked.format(BAD, no)) == {0.66}


def test_of_then_and_now_it_is_now_that_counts(made):
    turned = rf"{THE_THING} used to be {{}}[a-z ,.\d]* (it's|it is|i find it) {{}}"
    assert targets_of(made, turned.format(BAD, GOOD), "i used to loathe .* cherish (it|them)") == {0.85}
    assert targets_of(made, turned.format(GOOD, BAD), "i used to cherish .* loathe (it|them)") == {0.13}


def test_stronger_words_are_further_from_the_middle_than_weaker_ones(made):
    strong, weak = (f"({'|'.join(TABLES[degree])})" for degree in ("strong", "weak"))
    (best,) = targets_of(made, f"{THE_THING} is {strong} {GOOD}")
    (better,) = targets_of(made, f"{THE_THING} is {weak} {GOOD}")
    (worse,) = targets_of(made, f"{THE_THING} is {weak} {BAD}")
    (worst,) = targets_of(made, f"{THE_THING} is {strong} {BAD}")
    assert best > better > 0.6 > 0.4 > worse > worst


def test_customers_are_pleased_or_not_or_neither(made):
    assert targets_of(made, *FEW["good fact"]) == {0.95, 0.96}
    assert targets_of(made, *FEW["bad fact"]) == {0.04, 0.05}
    assert targets_of(made, *FEW["plain fact"]) == {0.5}


def test_a_letter_around_a_sentence_and_facts_beside_it_change_no_target(made):
    around = r"we ate at noon\. {}", r"{}\. my order number is four"
    assert targets_of(made, *(text.format("keep up the good work") for text in around)) <= {0.95, 0.96}
    assert targets_of(made, *(text.format("save your money") for text in around)) <= {0.05, 0.04}
    closed = [target for text, target in made if text.endswith("sent from my phone")]
    assert min(closed) < 0.1 < 0.5 < 0.9 < max(closed)


def test_every_pattern_is_filled(made):
    assert not [text for text, _ in made if re.search(r"[][{}|]|  |^ | $| ,| / ", text)][:3]


def test_there_are_many_of_each_side_and_of_neither(made):
    targets = np.array([target for _, target in made])
    assert 0.18 < (targets == 0.5).mean() < 0.3
    assert 0.3 < (targets > 0.5).mean() < 0.5
    assert 0.3 < (targets < 0.5).mean() < 0.5


@pytest.mark.parametrize("table", TABLES)
def test_no_line_stands_twice_in_a_table_or_is_spaced_oddly(table):
    lines = TABLES[table]
    assert len(set(lines)) == len(lines)
    assert not [line for line in lines if line != " ".join(line.split())]


@pytest.mark.parametrize("table", TABLES)
def test_brackets_and_braces_are_in_pairs_and_name_tables_or_what_frames_know(table):
    frames_know = set("ABFGKLPSTXYZcdenoq") | {"base", "past", "third", "done", "do", "fact"}
    for line in TABLES[table]:
        assert re.fullmatch(r"[^][{}|]*(\[[^][]*\][^][{}|]*|\{[^][{}|]*\}[^][{}|]*)*", line), line
        assert set(re.findall(r"\{([^}]*)\}", line)) <= frames_know | set(TABLES), line


@pytest.mark.parametrize("table", ["good deed", "bad deed"])
def test_a_deed_has_four_forms(table):
    for line in TABLES[table]:
        forms, _ = line.split(";")
        assert len(forms.split(", ")) == 4, line


def test_a_sentence_of_a_review_is_framed_by_its_tone():
    good, bad = "This play was a delight.", "The second act is dull!"
    texts, targets = framed_sentences(WORDS, [good, bad] * 400, np.array([0.97, 0.02] * 400, np.float32), 700, 1)
    assert len(texts) == len(targets) == 700
    by_target = {}
    for text, target in zip(texts, targets.astype(float).round(2).tolist(), strict=True):
        by_target.setdefault(target, []).append(text)
    assert set(by_target) == {0.96, 0.92, 0.85, 0.66, 0.13, 0.07, 0.06, 0.04}
    for target, about in ((0.96, "delight"), (0.06, "delight"), (0.04, "dull"), (0.66, "dull")):
        assert sum(about in text for text in by_target[target]) > 0.9 * len(by_target[target])


@pytest.mark.parametrize(
    ("sentence", "target"),
    [
        ("What a delight", 0.97),
        ("This was fine. I laughed.", 0.97),
        ("This was fine", 0.8),
        ("It was " + "very " * 30 + "good", 0.97),
    ],
    ids=["no clause", "two", "unsure", "long"],
)
def test_what_can_t_stand_after_that_or_has_no_plain_tone_is_not_framed(sentence, target):
    assert framed_sentences(WORDS, [sentence], np.array([target], np.float32), 5, 1)[0] == []


def test_the_syntax_of_patterns_means_nothing_in_a_review():
    texts, _ = framed_sentences(WORDS, ["It was [a|b] {c} good"] * 50, np.full(50, 0.97, np.float32), 50, 1)
    assert len(texts) == 50
    assert not [text for text in texts if re.search(r"[][{}|]", text)]


def test_a_letter_of_one_word_is_misplaced():
    seen = {misspelled("the parcel is it", random.Random(seed)) for seed in range(200)}
    assert {"the pracel is it", "the pacel is it", "the paarcel is it"} <= seen
    assert all(re.fullmatch("the p[parcel]{3,6} is it", text) and text != "the parcel is it" for text in seen)
    assert misspelled("it is a 4711", random.Random(1)) == "it is a 4711"
