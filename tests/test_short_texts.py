import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from textsent import short_texts
from textsent.preprocess import Settings
from textsent.short_texts import EMOJI_TONES, FILM_WORDS, SPACES, changed, emoji_tones, sentences, tone_words
from textsent.templates import TABLES

THINGS = TABLES["thing"]

VALENCES = {
    "splendid": 3.2,
    "superb": 3.1,
    "gladly": 2.1,
    "nicely": 1.9,
    "awful": -2.0,
    "dire": -2.2,
    "adore": 2.6,
    "despise": -2.4,
    "meh": -0.3,
    "so-so": 1.0,
}
FILM = "The movie is a splendid film and the acting was good."


def strings(*texts):
    return pa.array(texts, pa.large_string())


@pytest.fixture
def only(monkeypatch):
    """Lets all sentences be changed in one way and in no other."""

    def only(name):
        for other in ("SWAPPED", "REPLACED", "DENIED", "WITH_EMOJI"):
            monkeypatch.setattr(short_texts, other, float(other == name))

    return only


def test_a_text_gives_its_sentences_which_end_at_a_tag_too():
    text = "The first half drags on<br /><br />What happens then? You would never guess it!! so it ends like this"
    assert sorted(sentences(strings(text), 10, seed=1)) == [
        "The first half drags on.",
        "What happens then?",
        "You would never guess it!!",
        "so it ends like this",
    ]


def test_a_sentence_that_is_too_short_or_too_long_is_not_taken():
    least, most = SPACES
    long = " ".join(["word"] * (most + 2))
    assert sentences(strings("So it is. No.", f"{long}. Enough of that now", "x" * 500), 10, seed=1) == [
        "Enough of that now"
    ]
    assert least == 3


def test_there_are_no_more_sentences_than_asked_for_and_none_of_no_texts():
    texts = strings(*(f"this is text number {number}. and this is its end" for number in range(50)))
    assert len(sentences(texts, 20, seed=1)) == 20
    assert len(sentences(texts, 1000, seed=1)) == 100
    assert sentences(strings(), 10, seed=1) == []


def test_one_long_text_does_not_give_all_of_the_sentences():
    long = ". ".join(f"this is sentence number {number}" for number in range(1000))
    texts = strings(long, *(f"here is another text {number}" for number in range(99)))
    found = sentences(texts, 100, seed=1)
    assert len([sentence for sentence in found if sentence.startswith("this is sentence")]) <= 2
    assert len(found) == 100


def test_the_same_seed_gives_the_same_sentences_and_another_others():
    texts = strings(*(f"this is text number {number}. and this is its end" for number in range(50)))
    assert sentences(texts, 20, seed=1) == sentences(texts, 20, seed=1)
    assert sentences(texts, 20, seed=1) != sentences(texts, 20, seed=2)
    lines = [FILM] * 200
    once, again, other = (changed(lines, VALENCES, seed) for seed in (1, 1, 2))
    assert once[0] == again[0]
    np.testing.assert_array_equal(once[1], again[1])
    assert once[0] != other[0]


def test_a_word_of_films_becomes_one_of_mail_whatever_its_case(only):
    only("SWAPPED")
    texts, as_found = changed([FILM] * 100, VALENCES, seed=1)
    assert not as_found.any()
    things, work = "|".join(THINGS), "|".join(FILM_WORDS["acting"])
    pattern = re.compile(rf"The ({things}) is a splendid ({things}) and the ({work}) was good\.")
    assert all(pattern.fullmatch(text) for text in texts)
    assert len(set(texts)) > 90
    (upper,), _ = changed(["MOVIE"], VALENCES, seed=1)
    assert upper in THINGS


def test_a_word_within_another_is_no_word_of_films(only):
    only("SWAPPED")
    text = "the filmmaker's storyline was castaway"
    assert changed([text], VALENCES, seed=1)[0] == [text]


def test_a_word_of_a_known_tone_becomes_another_of_the_same_tone_and_form(only):
    only("REPLACED")
    texts, _ = changed(["Splendid and awful, gladly so; meh"] * 100, VALENCES, seed=1)
    seen = [re.fullmatch(r"(\w+) and (\w+), (\w+) so; meh", text).groups() for text in texts]
    good, bad, adverbs = ({*words} for words in zip(*seen, strict=True))
    assert good == {"splendid", "superb", "adore"}
    assert bad == {"awful", "dire", "despise"}
    assert adverbs == {"gladly", "nicely"}


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("The soup was good", "the soup was not good"),
        ("The soup was not good", "the soup was good"),
        ("The soup wasn't good", "the soup was good"),
        ("they do help and we will come", "they do not help and we will come"),
        ("no verb in here", "no verb in here"),
    ],
)
def test_a_sentence_is_denied_by_one_word_more_or_less(only, text, denied):
    only("DENIED")
    assert changed([text], VALENCES, seed=1)[0] == [denied]


def test_an_emoji_with_a_tone_is_put_at_the_end(only):
    only("WITH_EMOJI")
    texts, as_found = changed(["so it was"] * 300, VALENCES, seed=1)
    ends = {text.removeprefix("so it was ") for text in texts}
    assert ends <= {symbol for symbol, tone in EMOJI_TONES.items() if tone}
    assert len(ends) > 50
    assert not as_found.any()


def test_most_sentences_with_nothing_of_films_in_them_stay_as_they_were():
    texts, as_found = changed([f"number {number} it stays" for number in range(2000)], {}, seed=1)
    assert as_found.dtype == np.bool_
    np.testing.assert_array_equal(
        as_found, [text == f"number {number} it stays" for number, text in enumerate(texts)]
    )
    assert as_found.mean() == pytest.approx(1 - short_texts.WITH_EMOJI, abs=0.03)


def test_a_sentence_in_other_case_is_as_it_was(only):
    only("REPLACED")
    texts, as_found = changed(["Nothing Of Any Tone"], VALENCES, seed=1)
    assert (texts, as_found.tolist()) == (["nothing of any tone"], [True])


def test_the_tone_of_emoji_is_their_mean_and_nought_where_there_are_none():
    tones = emoji_tones(["none", "😀", "😡😡", "well 😀 then 😡", "🙂 é", "é", "🦆"])
    assert tones.dtype == np.float32
    np.testing.assert_allclose(tones, [0, 1, -1, 0, 0.7, 0, 0], atol=1e-6)


def test_no_emoji_has_two_tones_and_each_is_one_character_of_its_own():
    assert all(
        len(symbol) == 1 and not symbol.isascii() and -1 <= tone <= 1 for symbol, tone in EMOJI_TONES.items()
    )
    listed = "".join(re.findall(r'fromkeys\("(.+?)"', Path(short_texts.__file__).read_text("utf-8")))
    assert len(set(listed)) == len(listed) == len(EMOJI_TONES)


def test_adjectives_and_verbs_are_told_by_the_words_around_them():
    texts = strings(
        *["it was very splendid and so awful"] * 5,
        *["i adore this but we despise the rest"] * 5,
        *["very superb"] * 4,
    )
    words = tone_words(texts, VALENCES, Settings())
    assert (list(words.good), list(words.bad)) == (["splendid"], ["awful"])
    assert (list(words.like), list(words.dislike)) == (["adore"], ["despise"])


@pytest.mark.parametrize("texts", [[], [""], ["splendid"], ["very splendid"], ["nothing of it"]])
def test_where_texts_show_no_word_of_a_tone_common_ones_stand_in(texts):
    words = tone_words(strings(*texts), VALENCES, Settings())
    assert (*words.good, *words.bad) == ("good", "great", "bad", "terrible")
    assert (*words.like, *words.dislike) == ("like", "love", "dislike", "hate")


def test_words_that_are_hardly_of_a_tone_or_have_a_hyphen_make_no_sentences():
    words = tone_words(strings(*["so meh, very so-so"] * 9), VALENCES, Settings())
    assert (*words.good, *words.bad) == ("good", "great", "bad", "terrible")
