import re

import numpy as np
import pytest

from textsent import templates
from textsent.templates import THINGS, Words, made_sentences

WORDS = Words(good=("splendid", "sturdy"), bad=("wonky", "rattling"), like=("cherish",), dislike=("loathe",))
TONE = re.compile(r"\b(splendid|sturdy|wonky|rattling|cherish|loathe)\b")
NUMBER = 20_000


@pytest.fixture(scope="module")
def made():
    """Sentences with their targets, as float64 so that they compare with what is written here."""
    texts, targets = made_sentences(WORDS, NUMBER, seed=1)
    return list(zip(texts, targets.astype(np.float64).round(4).tolist(), strict=True))


def targets_of(made, *patterns):
    """Return the targets of texts that are a whole match of a pattern."""
    found = [{target for text, target in made if re.fullmatch(pattern, text)} for pattern in patterns]
    assert all(found), "no such text"
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


THE_THING = "(the|this|your|our|my|that) [a-z ]+"


def test_what_is_plainly_said_has_the_tone_of_its_word(made):
    good = [f"{THE_THING} (is|was|seems|looks) (splendid|sturdy)", f"i (really )?cherish {THE_THING}", "sturdy"]
    bad = [f"{THE_THING} (is|was|seems|looks) (wonky|rattling)", f"i (really )?loathe {THE_THING}", "wonky"]
    assert targets_of(made, *good) == {0.96}
    assert targets_of(made, *bad) == {0.04}


def test_a_negated_good_word_is_negative_and_a_negated_bad_one_somewhat_positive(made):
    negated = ["not a {} [a-z ]+", f"{THE_THING} is(n't| not) {{}}", f"{THE_THING} was (never|anything but) {{}}"]
    assert targets_of(made, *(pattern.format("(splendid|sturdy)") for pattern in negated)) == {0.06}
    assert targets_of(made, *(pattern.format("(wonky|rattling)") for pattern in negated)) == {0.74}
    assert targets_of(made, f"i (never|can't say i) cherish {THE_THING}") == {0.06}


def test_stronger_words_are_further_from_the_middle_than_weaker_ones(made):
    strong, weak = "(extremely|absolutely|truly|incredibly)", "(slightly|somewhat|a bit|a little)"
    (best,) = targets_of(made, f"{THE_THING} is {strong} splendid")
    (better,) = targets_of(made, f"{THE_THING} is {weak} splendid")
    (worse,) = targets_of(made, f"{THE_THING} is {weak} wonky")
    (worst,) = targets_of(made, f"{THE_THING} is {strong} wonky")
    assert best > better > 0.5 > worse > worst


def test_of_two_halves_the_last_one_counts(made):
    assert targets_of(made, rf"{THE_THING} was (wonky|rattling), but {THE_THING} was (splendid|sturdy)") == {0.84}
    assert targets_of(made, rf"{THE_THING} was (splendid|sturdy), but {THE_THING} was (wonky|rattling)") == {0.12}


def test_of_then_and_now_it_is_now_that_counts(made):
    assert targets_of(made, f"{THE_THING} used to be wonky, now it is splendid") == {0.88}
    assert targets_of(made, f"{THE_THING} is rattling, it was sturdy before") == {0.1}


def test_of_two_people_it_is_the_writer_who_counts(made):
    assert targets_of(made, f"i cherish {THE_THING}, though others loathe it") == {0.88}
    assert targets_of(made, f"people call {THE_THING} splendid, i call it wonky") == {0.12}


def test_a_question_has_the_tone_of_its_answer(made):
    assert targets_of(made, r"was it splendid\? yes") == {0.93}
    assert targets_of(made, r"was it splendid\? no") == {0.06}
    assert targets_of(made, r"was it wonky\? yes") == {0.06}
    assert targets_of(made, r"was it wonky\? no") == {0.72}


def test_what_holds_no_word_of_a_tone_and_no_customer_s_verdict_is_in_the_middle(made):
    verdicts = (*templates._PLEASED, *templates._ANGRY)
    comparisons = re.compile(r"\b(better|worse|beats|not as (good|bad) as)\b")
    neutral = [
        (text, target)
        for text, target in made
        if not TONE.search(text)
        and not comparisons.search(text)
        and not any(verdict in text for verdict in verdicts)
    ]
    assert len(neutral) > NUMBER / 10
    assert {target for _, target in neutral} == {0.5}
    assert targets_of(made, *THINGS[:3], "i live in [A-Z][a-z]+", r"my order number is \d+") == {0.5}


def test_what_is_in_the_middle_holds_no_word_of_a_tone(made):
    assert not [text for text, target in made if target == 0.5 and TONE.search(text)]


def test_customers_are_pleased_or_not(made):
    assert targets_of(made, "keep up the good work", "you saved my day") == {0.95}
    assert targets_of(made, "you charged me twice", "stay away") == {0.05}


def test_a_letter_around_a_sentence_and_facts_beside_it_change_no_target(made):
    pleased, angry = ("|".join(map(re.escape, phrases)) for phrases in (templates._PLEASED, templates._ANGRY))
    letter = r"(hi|hello|dear team|hey there), ({})\. (regards|best|yours), [A-Z][a-z]+"
    before, after = r"(i live in|we moved to) [A-Z][a-z ]+\. ({})", r"({})\. i live in [A-Z][a-z]+"
    for around in (letter, before, after):
        assert targets_of(made, around.format(pleased)) == {0.95}
        assert targets_of(made, around.format(angry)) == {0.05}


def test_every_pattern_is_filled_and_there_are_many_of_each_side_and_of_neither(made):
    assert not [text for text, _ in made if re.search(r"[{}]|  |^ | $", text)]
    targets = np.array([target for _, target in made])
    assert 0.13 < (targets == 0.5).mean() < 0.17
    assert 0.3 < (targets > 0.5).mean() < 0.5
    assert 0.35 < (targets < 0.5).mean() < 0.55


def test_every_kind_of_thing_customer_and_fact_comes(made):
    whole = "\n".join(text for text, _ in made)
    for phrase in (*THINGS, *templates._PLEASED, *templates._ANGRY, *templates._NAMES, *templates._PLACES):
        assert phrase in whole, phrase


def test_no_phrase_stands_twice_in_its_list():
    for phrases in (THINGS, templates._PLEASED, templates._ANGRY, templates._PLAIN, templates._NAMES):
        assert len(set(phrases)) == len(phrases)
