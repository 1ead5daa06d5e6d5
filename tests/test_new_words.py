import random

import numpy as np
import pyarrow as pa
import pytest

from textsent import new_words as module
from textsent.new_words import new_words, vectors_from_contexts
from textsent.preprocess import FIRST_WORD_ID, OUT_OF_VOCABULARY_ID, Preprocessor, Settings

KNOWN = Preprocessor(("the", "great", "service"))


def test_words_that_enough_texts_hold_are_found_with_the_number_of_texts():
    texts = ["The app crashed, the app!", "Great app.", "the ticket, app and ticket", "crashed ticket", None]
    assert new_words(pa.array(texts), KNOWN, 3) == {"app": 3}
    assert new_words(pa.array(texts), KNOWN, 2) == {"app": 3, "crashed": 2, "ticket": 2}


def test_known_words_and_numbers_are_no_new_words_and_emoji_are():
    texts = pa.array(["the 2026 great 🙂 naïve mp3 4711-12"] * 2)
    assert set(new_words(texts, KNOWN, 2)) == {"🙂", "naïve", "mp3"}


def test_words_are_cut_as_the_model_cuts_them():
    texts = pa.array(["Wi-Fi WI-FI"])
    assert set(new_words(texts, Preprocessor((), Settings(filters="", lower=False)), 1)) == {"Wi-Fi", "WI-FI"}


def test_of_too_many_words_the_most_frequent_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST_NEW_WORDS", 2)
    assert list(new_words(pa.array(["a b c", "b c", "c"]), Preprocessor(()), 1)) == ["c", "b"]


def test_texts_without_words_have_no_new_ones():
    for texts in ([], [None], ["", " ! "]):
        assert new_words(pa.array(texts, pa.string()), KNOWN, 1) == {}


def test_many_texts_are_counted_as_one_after_another(monkeypatch):
    texts = pa.array([f"w{number % 7} w{number % 3}" for number in range(100)])
    whole = new_words(texts, KNOWN, 1)
    monkeypatch.setattr(module, "_ROWS", 9)
    assert new_words(texts, KNOWN, 1) == whole


@pytest.fixture(scope="module")
def corpus():
    """Two kinds of sentences; each of 40 words stands in sentences of its kind, among five of the same kind."""
    drawn = random.Random(1)
    words = [[f"{kind}{number}" for number in range(40)] for kind in ("good", "bad")]
    return [" ".join(drawn.choices(words[number % 2], k=6)) for number in range(800)], words


def table_of(words, size=4):
    """Vectors whose first value is the word's kind, the others random."""
    rows = np.random.default_rng(1).normal(0, 0.1, (FIRST_WORD_ID + len(words), size)).astype(np.float32)
    rows[FIRST_WORD_ID:, 0] += [1 if word.startswith("good") else -1 for word in words]
    return rows


def test_a_new_word_gets_a_vector_like_those_of_the_words_that_stand_in_like_places(corpus, monkeypatch):
    sentences, (good, bad) = corpus
    known, new = good[:-3] + bad[:-3], [*good[-3:], *bad[-3:]]
    table, grown = table_of(known), Preprocessor([*known, *new])
    vectors = vectors_from_contexts(pa.array(sentences), grown, table, len(known), 3)
    assert (vectors.shape, vectors.dtype) == ((6, 4), np.float32)
    assert (vectors[:3, 0] > 0.3).all()
    assert (vectors[3:, 0] < -0.3).all()
    monkeypatch.setattr(module, "_ROWS", 7)
    in_pieces = vectors_from_contexts(pa.array(sentences), grown, table, len(known), 3)
    np.testing.assert_allclose(in_pieces, vectors, atol=1e-5)


def test_a_context_ends_with_its_text(corpus):
    sentences, (good, bad) = corpus
    known, table = good + bad, table_of(good + bad)
    grown = Preprocessor([*known, "alone"])
    texts = [text for pair in zip(sentences, ["alone"] * len(sentences), strict=True) for text in pair]
    (vector,) = vectors_from_contexts(pa.array(texts), grown, table, len(known), 3)
    np.testing.assert_array_equal(vector, table[OUT_OF_VOCABULARY_ID])


def test_where_there_is_too_little_to_tell_from_a_new_word_is_read_as_before(corpus):
    sentences, (good, bad) = corpus
    known = good[:3] + bad[:3]
    table = table_of(known)
    vectors = vectors_from_contexts(pa.array(sentences), Preprocessor([*known, *good[3:]]), table, len(known), 3)
    np.testing.assert_array_equal(vectors, np.repeat(table[OUT_OF_VOCABULARY_ID][None], len(good) - 3, axis=0))


def test_texts_of_one_word_or_none_have_no_contexts():
    table = table_of(["good1"])
    for texts in (["good1"], ["new"], [None], []):
        (vector,) = vectors_from_contexts(pa.array(texts, pa.string()), Preprocessor(("good1", "new")), table, 1, 1)
        np.testing.assert_array_equal(vector, table[OUT_OF_VOCABULARY_ID])
