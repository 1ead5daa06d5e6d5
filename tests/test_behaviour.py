import re
from collections import Counter
from difflib import SequenceMatcher

import numpy as np
import pytest

from benchmarks.behaviour import ALL, EXPECTED, Pair, judge, markdown, rates, read_pairs, run, table
from textsent.errors import InputError
from textsent.presets import Calibration
from textsent.score import load

PAIRS = read_pairs()

FLOORS = {
    ALL: 0.66,
    "functionality": 0.52,
    "invariance": 0.88,
    "direction": 0.8,
    "negation": 0.65,
    "negated negatives": 0.0,
    "negation at a distance": 0.0,
    "double and framed negation": 0.0,
    "intensity": 0.0,
    "degree words": 0.0,
    "comparison": 0.0,
    "then and now": 0.0,
    "contrast": 0.0,
    "neutral facts": 0.0,
    "neutral questions": 0.0,
    "emoji and emoticons": 0.0,
    "support mail": 0.0,
    "sarcasm": 0.0,
    "reported opinions": 0.0,
    "question and answer": 0.0,
    "words in context": 0.0,
    "neutral filler": 0.85,
    "names and places": 0.0,
    "signature": 0.0,
    "typos": 0.0,
    "contractions": 0.0,
    "capitals and punctuation": 1.0,
    "politeness": 0.0,
    "html leftovers": 1.0,
}
"""Share of the pairs that the shipped model passes at least: of all, of a kind, of a capability."""


def outcome_of(kind, expected, scores, **band):
    pair = Pair("a-01", "a", kind, *expected, "one text", "another text")
    return judge([pair], np.array([scores], np.float32), **band)[0]


def test_there_are_at_least_450_pairs_and_20_of_each_capability():
    assert len(PAIRS) >= 450
    assert min(Counter(pair.capability for pair in PAIRS).values()) >= 20


def test_each_kind_has_at_least_50_pairs():
    assert set(EXPECTED) == {pair.kind for pair in PAIRS}
    assert min(Counter(pair.kind for pair in PAIRS).values()) >= 50


def test_no_text_comes_twice_even_with_other_case_and_punctuation_in_another_pair():
    def bare(text):  # without marks, but with emoji
        return " ".join(re.sub(r"[^\w\x80-\U0010ffff]", " ", text).lower().split())

    texts = [text for pair in PAIRS for text in {bare(pair.first), bare(pair.second)}]
    assert [text for text, count in Counter(texts).items() if count > 1] == []
    assert len({pair.id for pair in PAIRS}) == len(PAIRS)


def test_the_texts_of_a_pair_differ_and_have_no_space_around_them():
    for pair in PAIRS:
        assert pair.first != pair.second, pair.id
        assert {pair.first, pair.second} == {pair.first.strip(), pair.second.strip()}, pair.id
        assert pair.first, pair.id


def test_the_second_text_of_an_invariance_pair_resembles_the_first():
    for pair in PAIRS:
        if pair.kind == "invariance":
            blocks = SequenceMatcher(None, pair.first.lower(), pair.second.lower(), autojunk=False)
            same = sum(block.size for block in blocks.get_matching_blocks())
            assert same > 0.6 * len(pair.first), pair.id


def test_the_ids_are_the_capability_and_a_number_from_1_on():
    numbers = Counter()
    for pair in PAIRS:
        numbers[pair.capability] += 1
        assert pair.id == f"{pair.capability.replace(' ', '-')}-{numbers[pair.capability]:02}"


def test_positive_and_negative_are_expected_about_as_often():
    expected = Counter(verdict for pair in PAIRS for verdict in (pair.expected_first, pair.expected_second))
    positive = expected["positive"] + expected["not negative"]
    negative = expected["negative"] + expected["not positive"]
    assert 0.8 < positive / negative < 1.25
    assert expected["neutral"] >= 80


@pytest.mark.parametrize(
    ("expected", "scores", "passed", "tests", "by_half"),
    [
        (("positive", "negative"), (0.9, 0.1), True, (True, True), True),
        (("positive", "negative"), (0.6, 0.1), False, (False, True), True),
        (("positive", "negative"), (0.9, 0.55), False, (True, False), False),
        (("neutral", "positive"), (0.5, 0.7), True, (True, True), True),
        (("neutral", "positive"), (0.9, 0.7), False, (False, True), True),
        (("neutral", "neutral"), (0.4, 0.6), True, (True, True), None),
        (("negative", "not negative"), (0.2, 0.4), True, (True, True), False),
        (("negative", "not positive"), (0.2, 0.7), False, (True, False), False),
        (("neutral", "not negative"), (np.nan, np.nan), False, (False, False), False),
    ],
)
def test_functionality_passes_where_both_texts_have_the_verdict_of_three(expected, scores, passed, tests, by_half):
    outcome = outcome_of("functionality", expected, scores)
    assert (outcome.passed, outcome.tests, outcome.by_half, outcome.strict) == (passed, tests, by_half, None)


def test_a_band_of_the_scorer_s_own_says_what_is_neutral_its_ends_included():
    expected = ("neutral", "positive")
    assert outcome_of("functionality", expected, (0.25, 0.8), band=(0.25, 0.75)).passed
    assert not outcome_of("functionality", expected, (0.25, 0.75), band=(0.25, 0.75)).passed
    assert not outcome_of("functionality", expected, (0.25, 0.8)).passed


@pytest.mark.parametrize(
    ("scores", "passed", "strict"),
    [
        ((0.9, 0.95), True, True),
        ((0.99, 0.7), True, False),
        ((0.7, 0.64), True, False),
        ((0.7, 0.55), False, False),
        ((0.5, 0.5), True, True),
        ((np.nan, 0.5), False, False),
        ((np.nan, np.nan), False, False),
    ],
)
def test_invariance_passes_where_the_verdict_stays_or_the_score_hardly_moves(scores, passed, strict):
    outcome = outcome_of("invariance", ("", "same"), scores)
    assert (outcome.passed, outcome.strict, outcome.by_half) == (passed, strict, None)


@pytest.mark.parametrize(
    ("expected", "scores", "passed", "strict"),
    [
        ("higher", (0.4, 0.5), True, True),
        ("higher", (0.4, 0.42), False, False),
        ("higher", (0.98, 0.96), True, False),
        ("higher", (0.93, 0.97), False, False),
        ("lower", (0.9, 0.2), True, True),
        ("lower", (0.02, 0.03), True, False),
        ("lower", (0.2, 0.9), False, False),
        ("not lower", (0.9, 0.85), True, False),
        ("not lower", (0.9, 0.91), True, True),
        ("not lower", (0.9, 0.7), False, False),
        ("not higher", (0.3, 0.35), True, False),
        ("not higher", (0.3, 0.3), True, True),
        ("not higher", (0.3, 0.5), False, False),
        ("lower", (0.5, np.nan), False, False),
        ("not higher", (np.nan, 0.5), False, False),
    ],
)
def test_direction_passes_where_the_second_score_goes_where_it_should(expected, scores, passed, strict):
    outcome = outcome_of("direction", ("", expected), scores)
    assert (outcome.passed, outcome.strict, outcome.by_half) == (passed, strict, None)


def test_rates_are_by_capability_and_kind_then_by_kind_then_of_all():
    pairs = [
        Pair("a-01", "a", "functionality", "positive", "negative", "1", "2"),
        Pair("a-02", "a", "functionality", "neutral", "neutral", "3", "4"),
        Pair("b-01", "b", "invariance", "", "same", "5", "6"),
        Pair("a-03", "a", "direction", "", "lower", "7", "8"),
    ]
    found = rates(judge(pairs, np.array([[0.9, 0.6], [0.5, 0.5], [0.9, 0.7], [0.2, 0.4]])))
    assert [(rate.capability, rate.kind, rate.pairs, rate.passed) for rate in found] == [
        ("a", "functionality", 2, 0.5),
        ("b", "invariance", 1, 1.0),
        ("a", "direction", 1, 0.0),
        (ALL, "functionality", 2, 0.5),
        (ALL, "invariance", 1, 1.0),
        (ALL, "direction", 1, 0.0),
        (ALL, ALL, 4, 0.5),
    ]
    assert (found[-1].by_text, found[-1].strict, found[-1].by_half) == (4 / 6, 0.0, 0.0)
    assert markdown(found).splitlines()[2:4] == [
        "| a | functionality | 2 | 50.0 | 75.0 | | 0.0 |",
        "| b | invariance | 1 | 100.0 | 100.0 | 0.0 | |",
    ]
    assert table(found).splitlines()[-1].split() == ["all", "all", "4", "50.0", "66.7", "0.0", "0.0"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a-01,a,unknown,,same,x,y", "a-01: the kind must be one of functionality, invariance, direction"),
        ("a-01,a,invariance,positive,same,x,y", "a-01: invariance expects one of nothing. Received: 'positive'"),
        ("a-01,a,direction,,up,x,y", "a-01: direction expects one of higher, lower, not higher, not lower"),
        ("a-01,a,direction,,higher,x", "row 1: must have 7 values"),
        ("a-01,a,direction,,higher,x,y,z", "row 1: must have 7 values"),
    ],
)
def test_a_row_that_makes_no_sense_is_named(tmp_path, row, message):
    path = tmp_path / "pairs.csv"
    path.write_text(f"id,capability,kind,expected_first,expected_second,first,second\n{row}\n", "utf-8")
    with pytest.raises(InputError, match=message):
        read_pairs(path)


def test_a_file_with_other_columns_is_refused(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("id,text\n1,x\n", "utf-8")
    with pytest.raises(InputError, match="must have the columns id, capability, kind"):
        read_pairs(path)


def test_every_kind_and_capability_has_a_floor():
    assert set(FLOORS) == {ALL, *EXPECTED, *(pair.capability for pair in PAIRS)}


@pytest.mark.parametrize("given", ["scorer", "model"])
def test_the_neutral_band_is_the_scorer_s_or_else_its_model_s(given):
    scorer = load("imdb-lstm", device="cpu", neutral=(0.0, 1.0) if given == "scorer" else None)
    if given == "model":
        scorer.model.calibration = Calibration(neutral=(0.0, 1.0))
    for outcome in run(scorer):
        if outcome.pair.kind == "functionality":
            expected = {outcome.pair.expected_first, outcome.pair.expected_second}
            assert outcome.passed == (expected <= {"neutral", "not positive", "not negative"})


@pytest.fixture(scope="module")
def outcomes_of_the_shipped_model():
    return run(load("imdb-lstm", device="cpu"))


@pytest.mark.parametrize("name", FLOORS)
def test_the_shipped_model_passes_as_many_pairs_as_it_should(name, outcomes_of_the_shipped_model):
    passed = [
        outcome.passed
        for outcome in outcomes_of_the_shipped_model
        if name in (ALL, outcome.pair.kind, outcome.pair.capability)
    ]
    assert sum(passed) / len(passed) >= FLOORS[name]
