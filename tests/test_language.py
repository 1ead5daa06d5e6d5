import json
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from conftest import WORDS, FirstWordNetwork
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.language import MADE, figures, read_texts
from textsent import language
from textsent.errors import OptionError, PresetError
from textsent.files import score_file
from textsent.language import ADDED_WORDS, MIN_COVERAGE, OWN_WORDS, LanguageTest, read_min_coverage, small_words
from textsent.model import SentimentModel
from textsent.preprocess import Preprocessor, Settings
from textsent.presets import CONFIG_FILE, find_preset
from textsent.score import NO_KNOWN_WORDS, NO_WORDS, NOT_IN_LANGUAGE, NULL_TEXT, Scorer, load
from textsent.windows import Layout

MODEL = "imdb-lstm"
SCORES = (0.2, 0.4, 0.5, 0.6, 0.8)
"""Of WORDS."""

GERMAN = "Der Techniker war pünktlich, freundlich und hat den Fehler in zehn Minuten gefunden."


def is_foreign(*texts, preprocessor=None, min_coverage=0.5):
    preprocessor = preprocessor or Preprocessor(WORDS)
    array = pa.array(texts, pa.large_string())
    return LanguageTest(preprocessor, min_coverage).foreign(array, preprocessor(array)).tolist()


def scorer(min_coverage, **attributes):
    model = SentimentModel(FirstWordNetwork(SCORES), Layout(8))
    return Scorer(Preprocessor(WORDS), model, min_coverage=min_coverage, **attributes)


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("wo bleibt das", False),  # against the three that are added
        ("wo bleibt das paket", True),
        ("wo bleibt das paket guys", False),
        ("wo bleibt das paket denn guys", True),
        ("wo bleibt das paket the great service guys", False),
        ("wo bleibt das paket " * 10 + "the great service guys", True),
        ("the great service guys", False),
        ("", False),
        ("?!", False),
        (None, False),
    ],
)
def test_a_text_is_foreign_whose_unknown_words_outnumber_the_known_ones_and_three_more(text, foreign):
    assert ADDED_WORDS == 3
    assert is_foreign(text) == [foreign]


@pytest.mark.parametrize("word", ["8", "'", "2024", "a1", "x²", "don’t", "»wo", "😡", "5€", "x·y"])
def test_an_unknown_word_with_a_digit_or_a_sign_says_nothing(word):
    assert is_foreign(" ".join([word] * 50), f"{word} wo bleibt das {word}", f"wo bleibt das paket {word}") == [
        False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["où", "ГДЕ", "ভাল", "qu'à"])
def test_an_unknown_word_with_a_letter_that_is_not_ascii_counts_twice(word):
    assert is_foreign(word, f"{word} {word}", f"{word} wo bleibt", f"{word} wo") == [False, True, True, False]


def test_small_words_of_other_languages_count_as_unknown_where_they_are_in_the_vocabulary():
    words = [f"word{number}" for number in range(OWN_WORDS)]
    known = Preprocessor([*words, "der", "est", "film"])
    own = Preprocessor(["der", "est", "film", *words])
    text = "der est der est film"
    assert is_foreign(text, preprocessor=known) == [False]
    assert is_foreign(text + " der", preprocessor=known) == [True]
    assert is_foreign(text + " der", preprocessor=own) == [False]
    (row,) = Scorer(known, SentimentModel(FirstWordNetwork(np.ones(OWN_WORDS + 3)), Layout(8)), min_coverage=0.5)\
        .score_columns([text + " der"]).to_pylist()  # fmt: skip
    assert (row["coverage"], row["error"]) == (1.0, NOT_IN_LANGUAGE)


def test_words_are_those_that_the_settings_make():
    preprocessor = Preprocessor(WORDS, Settings(stop_words=("the",), removed="."))
    assert is_foreign("the wo the bleibt the das", "w.o bleibt das the paket", preprocessor=preprocessor) == [
        False, True,
    ]  # fmt: skip


def foreign_by_the_book(text, min_coverage, small):
    """The rule, a word at a time."""
    known, unknown = ADDED_WORDS, 0
    for word in (text or "").lower().split():
        if word in WORDS and word not in small:
            known += 1
        elif word.strip("'") and all(unicodedata.category(letter)[0] in "LM" or letter == "'" for letter in word):
            unknown += 1 if word.isascii() else 2
    return known < min_coverage * (known + unknown)


@settings(deadline=None, max_examples=200)
@given(
    texts=st.lists(
        st.none()
        | st.lists(st.sampled_from([*WORDS, "wo", "où", "it's", "'", "a1", "€"]), max_size=25).map(" ".join),
        max_size=8,
    ),
    min_coverage=st.sampled_from([0, 0.3, 0.45, 0.5, 0.75, 1]),
)
def test_texts_are_told_as_by_the_rule_and_each_for_itself(texts, min_coverage):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language, "small_words", lambda: ["guys", "terrible"])
        patch.setattr(language, "OWN_WORDS", 0)
        small = {"guys", "terrible"}
        told = is_foreign(*texts, min_coverage=min_coverage)
        assert told == [foreign_by_the_book(text, min_coverage, small) for text in texts]
        assert told == [is_foreign(text, min_coverage=min_coverage)[0] for text in texts]


@pytest.mark.parametrize(
    ("text", "error", "words", "coverage"),
    [
        ("guys wo bleibt das paket denn", NOT_IN_LANGUAGE, 6, 1 / 6),
        ("wo bleibt das paket denn", NO_KNOWN_WORDS, 5, 0.0),
        ("guys wo bleibt das paket", None, 5, 0.2),
        ("...", NO_WORDS, 0, None),
        (None, NULL_TEXT, 0, None),
    ],
)
def test_a_row_in_another_language_keeps_its_place_and_says_why(text, error, words, coverage):
    rows = scorer(0.5).score_columns(["great", text, "guys", text]).to_pylist()
    assert [rows[0]["score"], rows[2]["score"]] == pytest.approx([0.4, 0.8])
    assert rows[1] == rows[3]
    assert (rows[1]["error"], rows[1]["words"], rows[1]["coverage"]) == (error, words, pytest.approx(coverage))
    assert (rows[1]["score"] is None) == (rows[1]["sentiment"] is None) == (error is not None)


def test_without_a_threshold_every_text_with_a_known_word_is_scored():
    assert scorer(0).score(["guys wo bleibt das paket denn"])[0] == pytest.approx(0.8)


@pytest.mark.parametrize("min_coverage", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_share_is_refused(min_coverage):
    with pytest.raises(OptionError, match=r"^the least coverage must be a share, 0 … 1. Received: "):
        scorer(min_coverage)


def test_texts_in_another_language_are_counted_by_their_reason(tmp_path):
    (tmp_path / "in.txt").write_text("great\nguys wo bleibt das paket denn\nwo\n")
    summary = score_file(tmp_path / "in.txt", tmp_path / "out.csv", scorer(0.5))
    assert (tmp_path / "out.csv").read_text().splitlines()[2].endswith(',"not in the model\'s language"')
    assert summary.errors == {NOT_IN_LANGUAGE: 1, NO_KNOWN_WORDS: 1}


@pytest.fixture
def configured(tiny_preset, tmp_path):
    """Return a function that copies the tiny preset with more in its configuration."""

    def copy(**more):
        for path in tiny_preset.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        config = json.loads((tmp_path / CONFIG_FILE).read_text())
        (tmp_path / CONFIG_FILE).write_text(json.dumps({**config, **more}))
        return tmp_path

    return copy


TEXT = "guys wo bleibt das paket denn"


def test_a_preset_without_a_threshold_takes_every_text_for_its_own(tiny_preset):
    assert read_min_coverage(tiny_preset) == 0
    assert not np.isnan(load(tiny_preset, device="cpu").score([TEXT])[0])


def test_a_preset_s_threshold_is_used_unless_another_is_asked_for(configured):
    folder = configured(min_coverage=0.5)
    assert load(folder, device="cpu").score_columns([TEXT]).column("error").to_pylist() == [NOT_IN_LANGUAGE]
    assert load(folder, device="cpu", min_coverage=0).score_columns([TEXT]).column("error").to_pylist() == [None]


@pytest.mark.parametrize("value", ["0.5", True, -1, 1.5, None, [0.5]])
def test_a_preset_s_threshold_that_is_no_share_is_refused(configured, value):
    with pytest.raises(PresetError, match=r"config.json: min_coverage must be a number from 0 to 1. Received: "):
        load(configured(min_coverage=value), device="cpu")


def test_the_small_words_are_lower_case_and_none_is_among_the_commonest_of_films():
    words = small_words()
    assert words == sorted(set(words))
    assert all(word.islower() for word in words)
    assert not set(words) & set(Preprocessor.from_preset(find_preset(MODEL)).vocabulary[:OWN_WORDS])


@pytest.mark.parametrize(
    "text",
    [
        GERMAN,
        "Le colis est arrivé ouvert et il manque deux articles.",
        "Quiero cancelar mi suscripción hoy mismo, no funciona.",
        "Kiitos, paketti tuli perille rikkinäisenä ja kaksi osaa puuttuu on the box.",
        "Приложение на iPhone не работает после update, верните деньги за Premium.",
    ],
)
def test_the_shipped_model_gives_a_mail_in_another_language_no_score(text):
    (row,) = load(MODEL, device="cpu").score_columns([text]).to_pylist()
    assert (row["score"], row["sentiment"], row["error"]) == (None, None, NOT_IN_LANGUAGE)


@pytest.mark.parametrize(
    "text",
    [
        "great service",
        "Danke Jürgen",
        "Where is order A7731-QZ?",
        "thx 4 ur help m8",
        "Kind regards, Siobhán Ní Dhomhnaill",
        "The label is in Polish: „przechowywać w suchym miejscu“. What does it say about washing?",
        "Qty 4 @ 19.99, qty 2 @ 5.49, VAT 20%",
    ],
)
def test_the_shipped_model_scores_english_with_names_codes_and_foreign_words(text):
    (row,) = load(MODEL, device="cpu").score_columns([text]).to_pylist()
    assert row["error"] is None


def test_the_shipped_threshold_is_as_good_on_made_mails_as_its_documentation_says():
    assert read_min_coverage(find_preset(MODEL)) == MIN_COVERAGE
    measured = {figure.what: figure.value for figure in figures(MODEL, None)}
    name = f"all rows, threshold {MIN_COVERAGE:.2f}"
    assert measured[f"{name}: precision"] >= 0.95
    assert measured[f"{name}: recall"] >= 0.74
    assert measured["17 to 40 words: recall"] >= 0.95
    ordinary = [
        value for what, value in measured.items() if what.endswith(("mail.csv", "reference mails", "plain"))
    ]
    assert len(ordinary) == 3
    assert set(ordinary) == {0}


def test_the_made_mails_are_in_many_languages_and_each_stands_once():
    texts = read_texts(Preprocessor(WORDS), set())
    languages, counts = np.unique(texts.languages[texts.kinds == "mail"].astype(str), return_counts=True)
    assert len(languages) >= 24
    assert counts.min() >= 12
    assert texts.is_english.sum() >= 200
    lines = MADE.read_text("utf-8").splitlines()
    assert len(set(lines)) == len(lines)


def test_the_shipped_threshold_refuses_no_film_review(imdb_train):
    refused = [figure for figure in figures(MODEL, imdb_train) if figure.reach]
    assert [figure.is_reached for figure in refused] == [True]
