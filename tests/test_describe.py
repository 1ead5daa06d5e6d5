import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textsent import describe as module
from textsent.datasets import LabelledTexts
from textsent.describe import TellingWord, describe, telling_words, word_counts, words_by_label, z_scores
from textsent.preprocess import Settings


def labelled(texts: list[str], labels: list[int], groups: list[str] | None = None) -> LabelledTexts:
    array = pa.array(texts, pa.large_string())
    named = groups is not None
    return LabelledTexts(array, np.array(labels, np.int8), pa.array(groups, pa.string()) if named else array, named)


FILMS = labelled(
    ["A great film, great!", "a dull film", "", "A great film, great!", "dull dull dull<br />dull"],
    [1, 0, 0, 1, 0],
    ["one", "two", "two", "", "three"],
)


def test_a_description_counts_texts_labels_groups_and_words():
    description = describe(FILMS, window=3)
    assert (description.texts, description.positive, description.negative) == (5, 2, 3)
    assert description.groups == 3  # the text without a film stands in none
    assert description.words == 4 + 3 + 0 + 4 + 4
    assert description.unique_words == 4
    assert description.empty == 1
    assert description.duplicates == 1


def test_a_description_tells_how_the_number_of_words_is_distributed():
    description = describe(FILMS, window=3)
    lengths = [4, 3, 0, 4, 4]
    assert description.mean == pytest.approx(3)
    assert description.spread == pytest.approx(np.std(lengths))
    assert description.median == 4
    assert description.quantile_10 == pytest.approx(1.2)  # four tenths of the way from 0 to 3
    assert (description.quantile_90, description.quantile_99, description.longest) == (4, 4, 4)
    assert (description.window, description.over_window) == (3, 0.6)


def test_a_text_of_just_the_window_is_not_over_it():
    assert describe(FILMS, window=4).over_window == 0


def test_a_description_names_the_words_that_tell_the_classes_apart():
    description = describe(FILMS)
    assert [word.word for word in description.telling_positive] == ["great", "a", "film"]
    assert [word.word for word in description.telling_negative] == ["dull"]
    great = description.telling_positive[0]
    assert (great.positive, great.negative) == (4, 0)


def test_a_description_names_as_many_words_as_it_is_asked_for():
    assert [word.word for word in describe(FILMS, telling=1).telling_positive] == ["great"]
    assert describe(FILMS, telling=0).telling_negative == ()


def test_words_are_cut_as_the_settings_say():
    keras = Settings(break_tags=False, split="space")
    assert describe(FILMS, keras).longest == 5  # br is a word
    assert word_counts(FILMS.texts, keras).tolist() == [4, 3, 0, 4, 5]


def test_data_without_named_groups_have_none():
    assert describe(labelled(["one", "two"], [1, 0])).groups is None


def test_each_repetition_of_a_text_counts_as_a_duplicate():
    assert describe(labelled(["same", "same", "other", "same"], [1, 0, 0, 1])).duplicates == 2


@pytest.mark.parametrize("label", [0, 1])
def test_texts_of_one_class_have_no_telling_words(label):
    description = describe(labelled(["good film", "good"], [label, label]))
    assert (description.positive, description.negative) == (2 * label, 2 - 2 * label)
    assert description.telling_positive == description.telling_negative == ()


def test_no_texts_have_counts_of_zero_and_no_means():
    description = describe(labelled([], []))
    assert (description.texts, description.words, description.longest, description.duplicates) == (0, 0, 0, 0)
    for figure in ("mean", "spread", "median", "quantile_10", "quantile_90", "quantile_99", "over_window"):
        assert math.isnan(getattr(description, figure))
        assert description.to_json()[figure] is None


def test_texts_without_a_word_have_lengths_of_zero():
    description = describe(labelled(["", "..."], [1, 0]))
    assert (description.empty, description.mean, description.unique_words) == (2, 0, 0)


def test_the_json_of_a_description_is_json():
    figures = describe(FILMS, telling=1).to_json()
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    (great,) = figures["telling_positive"]
    assert (great["word"], great["positive"], great["negative"]) == ("great", 4, 0)
    assert great["z"] > 0


def test_texts_are_counted_the_same_in_pieces(monkeypatch):
    whole, counts = describe(FILMS), word_counts(FILMS.texts)
    monkeypatch.setattr(module, "_ROWS", 2)
    assert describe(FILMS) == whole
    assert word_counts(FILMS.texts).tolist() == counts.tolist() == [4, 3, 0, 4, 4]


def test_word_counts_are_int64_also_where_there_are_no_texts():
    assert word_counts(pa.array([], pa.string())).dtype == np.int64
    assert word_counts(pa.array(["one two", None])).tolist() == [2, 0]


def test_words_are_counted_by_label_and_both_sides_have_all_of_them():
    positive, negative = words_by_label(FILMS)
    assert positive == {"a": 2, "great": 4, "film": 2, "dull": 0}
    assert negative == {"a": 1, "great": 0, "film": 1, "dull": 5}
    assert list(positive) == list(negative)


@given(st.lists(st.tuples(st.lists(st.sampled_from(["a", "b", "c"]), max_size=5), st.booleans()), max_size=12))
def test_what_is_counted_by_label_adds_up(rows):
    data = labelled([" ".join(words) for words, _ in rows], [int(label) for _, label in rows])
    description = describe(data)
    positive, negative = words_by_label(data)
    assert sum(positive.values()) + sum(negative.values()) == description.words == word_counts(data.texts).sum()
    assert len(positive) == description.unique_words


def counts(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def test_the_z_score_is_the_one_computed_by_hand():
    # A prior of half of the words: 3 of the first word and 2 of the second.
    first = math.log((4 + 3) / (1 + 2)) - math.log((2 + 3) / (3 + 2))
    spread = math.sqrt(1 / (4 + 3) + 1 / (2 + 3))
    assert z_scores(counts(4, 1), counts(2, 3), prior=0.5)[0] == pytest.approx(first / spread)


@pytest.mark.parametrize(("prior", "z"), [(0.01, 6.5), (0.1, 10.3), (1, 8.0)])
def test_a_word_that_one_class_never_has_gets_the_z_score_that_the_prior_s_documentation_says(prior, z):
    assert z_scores(counts(200, 10**7), counts(0, 10**7), prior)[0] == pytest.approx(z, abs=0.05)


def test_z_scores_of_classes_that_do_not_differ_spread_by_nearly_one():
    draws = np.random.default_rng(0).poisson(500, (2, 4000))
    assert z_scores(draws[0], draws[1]).std() == pytest.approx(1 / math.sqrt(1.2), abs=0.03)


def test_of_two_shares_the_better_known_one_has_the_larger_z_score():
    often, seldom, _ = z_scores(counts(300, 3, 10_000), counts(100, 1, 10_000))
    assert often > seldom > 0


def test_words_as_frequent_in_both_classes_have_a_z_score_of_zero_whatever_the_sizes():
    assert z_scores(counts(20, 40, 60), counts(1, 2, 3)) == pytest.approx([0, 0, 0], abs=1e-12)


@pytest.mark.parametrize(
    ("positive", "negative"),
    [((), ()), ((5,), (3,)), ((5, 2), (0, 0)), ((0, 0), (5, 2)), ((0, 0), (0, 0)), ((0, 7), (0, 2))],
)
def test_where_there_is_nothing_to_compare_every_z_score_is_zero(positive, negative):
    assert z_scores(counts(*positive), counts(*negative)).tolist() == [0] * len(positive)


def test_a_word_that_neither_class_has_changes_no_other_and_has_a_z_score_of_zero():
    with_it = z_scores(counts(4, 0, 1), counts(2, 0, 3))
    assert with_it[1] == 0
    assert with_it[[0, 2]].tolist() == z_scores(counts(4, 1), counts(2, 3)).tolist()


several = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=8)


@given(several)
def test_z_scores_are_finite_and_turn_round_with_the_classes(rows):
    positive, negative = counts(*(row[0] for row in rows)), counts(*(row[1] for row in rows))
    z = z_scores(positive, negative)
    assert np.isfinite(z).all()
    assert z_scores(negative, positive) == pytest.approx(-z)


@given(several)
def test_telling_words_lie_on_their_side_and_are_in_order(rows):
    words = [f"word{place}" for place in range(len(rows))]
    positive, negative = telling_words(
        dict(zip(words, (row[0] for row in rows), strict=True)),
        dict(zip(words, (row[1] for row in rows), strict=True)),
    )
    assert all(word.z > 0 for word in positive)
    assert all(word.z < 0 for word in negative)
    assert [word.z for word in positive] == sorted((word.z for word in positive), reverse=True)
    assert [word.z for word in negative] == sorted(word.z for word in negative)
    assert not {word.word for word in positive} & {word.word for word in negative}


def test_a_word_that_only_one_side_names_is_counted_as_zero_on_the_other():
    positive, negative = telling_words({"good": 5, "film": 9}, {"bad": 4, "film": 9})
    assert [(word.word, word.positive, word.negative) for word in positive] == [("good", 5, 0)]
    assert [(word.word, word.positive, word.negative) for word in negative] == [
        ("bad", 0, 4), ("film", 9, 9),
    ]  # fmt: skip


def test_of_words_that_tell_as_much_the_one_named_first_comes_first():
    positive, _ = telling_words({"b": 5, "a": 5, "film": 9}, {"film": 19})
    assert [word.word for word in positive] == ["b", "a"]
    assert positive[0] == TellingWord("b", positive[1].z, 5, 0)
