import itertools
import json
import re
import sys
import unicodedata
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import WORDS
from hypothesis import example, given, settings
from hypothesis import strategies as st
from keras.src.legacy.preprocessing.text import Tokenizer, text_to_word_sequence

from textsent.errors import InputError, PresetError
from textsent.preprocess import (
    FILTERS,
    FIRST_WORD_ID,
    OUT_OF_VOCABULARY_ID,
    Preprocessor,
    Settings,
    as_text_array,
    split_words,
)
from textsent.presets import SETTINGS_FILE, VOCABULARY_FILE
from textsent.recipes import RECIPES

KERAS = Settings(split="space", break_tags=False)
RE2_SPACE = "[\t\n\f\r ]"
BREAK_TAG = re.compile(f"<br{RE2_SPACE}*/?>", re.IGNORECASE)

# Arrow's tables are newer than Python's, so a letter that only Arrow knows is lower-cased by Arrow alone.
CHARACTERS = st.characters(exclude_categories=["Cs", "Cn"])
TRICKY = st.sampled_from(
    [
        *("Σ", "ΟΔΟΣ", "ΣΑΣ.", "İ", "Iı", "ẞ", "ǅ", "👩\u200d💻", "🥖", "e\u0301", "\u0345", "\u00ad", "\u200b"),
        *("\u00a0", "\u2028", "\u3000", "\x85", "\r", "\r\n", "\n", "\t", "\x0b", "\x0c", "\x1c", "\x1f", " "),
        *("\x00", "\x7f", "'", "don't", "<br />", "<BR>", "<br\n/>", "</br>", "<br", "  ", *FILTERS),
    ]
)
TEXTS = st.lists(TRICKY | st.text(CHARACTERS, max_size=8), max_size=12).map("".join)
MAYBE_TEXTS = st.lists(st.none() | TEXTS, max_size=6)


def words_of(text, settings=None):
    words, _ = split_words(pa.array([text], pa.string()), settings or Settings())
    return words.to_pylist()


def ids_of(texts, preprocessor=None):
    word_ids = (preprocessor or Preprocessor(WORDS))(texts)
    return [word_ids[text].tolist() for text in range(len(word_ids))]


def keras_ids(tokenizer, text, size):
    ranks = (tokenizer.word_index.get(word, size + 1) for word in text_to_word_sequence(text))
    return [rank + FIRST_WORD_ID - 1 if rank <= size else OUT_OF_VOCABULARY_ID for rank in ranks]


@pytest.fixture
def reviews(imdb_train):
    return pq.read_table(imdb_train, columns=["text"]).column("text").to_pylist()[::4]


def test_ids_of_real_reviews_equal_those_of_keras(reviews):
    assert len(reviews) >= 5000
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(reviews)
    fitted = Preprocessor.fit(reviews, settings=KERAS)
    assert list(fitted.vocabulary) == list(tokenizer.word_index)
    size = 5000
    preprocessor = Preprocessor(fitted.vocabulary[:size], KERAS)
    assert ids_of(reviews, preprocessor) == [keras_ids(tokenizer, text, size) for text in reviews]


def test_default_ids_of_real_reviews_equal_those_of_keras_after_break_tags_and_white_space_become_spaces(reviews):
    cleaned = [" ".join(text.replace("<br />", " ").split()) for text in reviews]
    assert cleaned != reviews
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(cleaned)
    size = 5000
    preprocessor = Preprocessor.fit(reviews, size)
    assert list(preprocessor.vocabulary) == list(tokenizer.word_index)[:size]
    assert ids_of(reviews, preprocessor) == [keras_ids(tokenizer, text, size) for text in cleaned]


@settings(max_examples=200, deadline=None)
@given(TEXTS)
@example("ΟΔΥΣΣΕΥΣ ΣΑΣ Σ aΣ. Σ'")
@example("İSTANBUL Iİı")
@example("a\rb\u00a0c\x0bd\x1ce\u2028f")
@example("👩\u200d💻 e\u0301 E\u0301")
def test_words_equal_those_of_keras_when_only_spaces_separate_them(text):
    assert words_of(text, KERAS) == text_to_word_sequence(text)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_words_equal_those_of_keras_when_white_space_is_made_spaces_first(text):
    assert words_of(text, Settings(break_tags=False)) == text_to_word_sequence(" ".join(text.split()))


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_words_of_the_defaults_equal_those_of_keras_when_break_tags_are_made_spaces_first(text):
    assert words_of(text) == text_to_word_sequence(" ".join(BREAK_TAG.sub(" ", text).split()))


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.text(st.characters(max_codepoint=127), max_size=6), st.booleans())
def test_words_equal_those_of_keras_for_any_filters_and_with_or_without_lower_casing(text, filters, lower):
    ours = Settings(lower=lower, filters=filters, break_tags=False, split="space")
    assert words_of(text, ours) == text_to_word_sequence(text, filters=filters, lower=lower)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=6))
def test_fitted_vocabulary_and_ids_equal_those_of_keras(texts):
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(texts)
    preprocessor = Preprocessor.fit(texts, settings=KERAS)
    assert list(preprocessor.vocabulary) == list(tokenizer.word_index)
    assert ids_of(texts, preprocessor) == [
        [rank + FIRST_WORD_ID - 1 for rank in ranks] for ranks in tokenizer.texts_to_sequences(texts)
    ]


def test_every_assigned_code_point_is_lower_cased_as_by_python():
    assigned = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) not in ("Cn", "Cs")
    ]
    settings = Settings(filters="", break_tags=False, split="space")
    words, offsets = split_words(pa.array(assigned, pa.string()), settings)
    lowered = [" " if start == end else words[start].as_py() for start, end in itertools.pairwise(offsets)]
    assert [word for word in zip(assigned, lowered, strict=True) if word[0].lower() != word[1]] == []


def test_every_white_space_of_python_separates_words():
    spaces = [character for character in map(chr, range(sys.maxunicode + 1)) if character.isspace()]
    assert len(spaces) > 20
    assert words_of("great".join(spaces)) == ["great"] * (len(spaces) - 1)


def test_only_the_space_separates_words_under_the_rule_of_keras():
    assert words_of("a\rb\u00a0c d", KERAS) == ["a\rb\u00a0c", "d"]


def test_the_most_frequent_word_has_the_id_4_and_an_unknown_word_2():
    assert ids_of(["the great service", "guys terrible xyz"]) == [[4, 5, 6], [8, 7, 2]]


def test_the_apostrophe_belongs_to_the_word():
    assert words_of("Don't 'quote'") == ["don't", "'quote'"]


def test_every_filter_separates_words():
    assert words_of("a".join(FILTERS)) == ["a"] * (len(FILTERS) - 1)


def test_case_stays_where_lower_is_off():
    assert words_of("The THE the", Settings(lower=False)) == ["The", "THE", "the"]


@pytest.mark.parametrize(
    ("removed", "words"),
    [
        ("", ["don't", "'well", "made'", "o'clock"]),
        ("'", ["dont", "well", "made", "oclock"]),
        ("'-", ["dont", "wellmade", "oclock"]),
        ("t", ["don'", "'well", "made'", "o'clock"]),
        ("DWO", ["on't", "'well", "made'", "'clck"]),
        (" ", ["don't'well", "made'", "o'clock"]),
    ],
)
def test_what_is_removed_leaves_no_gap_and_comes_before_filters_and_lower_casing(removed, words):
    assert words_of("Don't 'well-made'\nO'CLOCK", Settings(removed=removed)) == words


def test_each_ascii_character_may_be_removed():
    for character in map(chr, range(128)):
        ours = Settings(lower=False, filters="", break_tags=False, split="space", removed=character)
        assert words_of(f"é{character}ß{character}{character}", ours) == ["éß"]


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.text(st.characters(max_codepoint=127), max_size=6))
def test_words_are_those_of_the_text_without_what_is_removed(text, removed):
    without = text.translate(dict.fromkeys(map(ord, removed)))
    ours = Settings(break_tags=False, removed=removed)
    assert words_of(text, ours) == words_of(without, Settings(break_tags=False))


def test_a_break_tag_separates_words_though_its_characters_are_removed():
    assert words_of("a<br />b<br>c <i>d</i>", Settings(removed="<>/")) == ["a", "b", "c", "idi"]


def test_stop_words_are_left_out_as_if_they_did_not_stand_there():
    ours = Settings(stop_words=("the", "isn't", "Guys", "ist"))
    texts = ["The great THE service", "the", None, "", "it ISN'T terrible", "guys", "isn t"]
    found, offsets = split_words(pa.array(texts), ours)
    assert [found.to_pylist()[start:end] for start, end in itertools.pairwise(offsets)] == [
        ["great", "service"], [], [], [], ["it", "terrible"], ["guys"], ["isn", "t"],
    ]  # fmt: skip
    assert ids_of(texts, Preprocessor(WORDS, ours)) == [[5, 6], [], [], [], [2, 7], [8], [2, 2]]


def test_a_stop_word_is_looked_for_after_characters_were_removed():
    assert words_of("don't the-end", Settings(removed="'-", stop_words=("don't", "the"))) == ["dont", "theend"]
    assert words_of("don't the-end", Settings(removed="'-", stop_words=("dont", "the"))) == ["theend"]


def test_stop_words_get_no_place_in_a_vocabulary():
    ours = Settings(removed="'", stop_words=("the", "a"))
    fitted = Preprocessor.fit(["The guys' service", None, "a service, the", "a"], settings=ours)
    assert fitted == Preprocessor(("service", "guys"), ours)
    assert Preprocessor.fit(["the service a guys service"], 1, ours).vocabulary == ("service",)


STOP_WORDS = ("a", "the", "it", "is", "don't", "isn't", "and", "dont")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A well-made film/play", ["well", "made", "film", "play"]),
        ("The end.<br /><br />And it IS<br>great", ["end", "great"]),
        ("great<br/>service< br >", ["great", "service", "br"]),
        ("It's the guys' film", ["its", "guys", "film"]),
        ("Don't! It isn't...", ["isnt"]),
        ('50% "off"; (really)[now]{here} a_b #1 & me@home', ["50", "off", "reallynowhere", "ab", "1", "mehome"]),
        ("great,terrible", ["greatterrible"]),
        ("--- / -", []),
        ("«so» – they say", ["«so»", "–", "they", "say"]),
        ("tab\tand\nline\u00a0feed", ["tab", "line", "feed"]),
    ],
)
def test_the_recipe_without_stop_words_reads_a_text_as_its_author_did(text, words):
    ours = replace(RECIPES["stopwords-lstm-500"].settings, stop_words=STOP_WORDS)
    assert words_of(text, ours) == words
    assert Preprocessor.fit([text], settings=ours).vocabulary == tuple(dict.fromkeys(words))


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize(
    "tag", ["<br>", "<br/>", "<br />", "<BR>", "<Br />", "<br  />", "<br\n/>", "<br\t>", "<br ><br>"]
)
def test_a_break_tag_separates_words_and_is_none(tag, lower):
    assert words_of(f"a{tag}b", Settings(lower=lower)) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a<brown>b", ["a", "brown", "b"]),
        ("a<br", ["a", "br"]),
        ("a< br>b", ["a", "br", "b"]),
        ("a</br>b", ["a", "br", "b"]),
        ("br", ["br"]),
        ("a<br\u00a0>b", ["a", "br", "b"]),
        ("a<br\x0b>b", ["a", "br", "b"]),
    ],
)
def test_what_only_looks_like_a_break_tag_stays_a_word(text, words):
    assert words_of(text) == words


def test_a_break_tag_is_the_word_br_where_break_tags_is_off():
    assert words_of("a<br />b", Settings(break_tags=False)) == ["a", "br", "b"]


def test_a_null_text_has_no_words():
    word_ids = Preprocessor(WORDS)([None, "great", None])
    assert word_ids.words.tolist() == [0, 1, 0]


@pytest.mark.parametrize("text", ["", " ", "\n\t", "...!", "<br />"])
def test_a_blank_text_has_no_words(text):
    assert ids_of([text]) == [[]]


@pytest.mark.parametrize(
    "texts", [[], pa.array([], pa.string()), pa.chunked_array([], pa.large_string()), pa.nulls(0)]
)
def test_no_texts_give_no_ids(texts):
    word_ids = Preprocessor(WORDS)(texts)
    assert (len(word_ids), word_ids.ids.tolist(), word_ids.offsets.tolist()) == (0, [], [0])


def test_an_empty_vocabulary_knows_no_word():
    assert ids_of(["the great", ""], Preprocessor(())) == [[2, 2], []]


def test_ids_are_int32_and_offsets_int64():
    word_ids = Preprocessor(WORDS)(["the great", None])
    assert (word_ids.ids.dtype, word_ids.offsets.dtype) == (np.int32, np.int64)


def test_words_and_known_words_are_counted_by_text():
    word_ids = Preprocessor(WORDS)(["the xyz the", "", "xyz", "great"])
    assert len(word_ids) == 4
    assert word_ids.words.tolist() == [3, 0, 1, 1]
    assert word_ids.known_words.tolist() == [2, 0, 0, 1]


TEXT_TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.int64(), pa.large_string()),
    pa.dictionary(pa.int32(), pa.string_view()),
]


def arrow_texts(texts, data_type):
    if not pa.types.is_dictionary(data_type):
        return pa.array(texts, data_type)
    values = list(dict.fromkeys(text for text in texts if text is not None))
    indices = [None if text is None else values.index(text) for text in texts]
    return pa.DictionaryArray.from_arrays(
        pa.array(indices, data_type.index_type), pa.array(values, data_type.value_type)
    )


@pytest.mark.parametrize("data_type", TEXT_TYPES, ids=str)
def test_every_text_type_gives_the_ids_of_a_list(data_type):
    texts = ["The great", None, "", "İ ΣΑΣ <br>guys", "The great"]
    expected = ids_of(texts)
    array = arrow_texts(texts, data_type)
    assert array.type == data_type
    assert ids_of(array) == expected
    assert ids_of(array.slice(1, 3)) == expected[1:4]
    assert ids_of(pa.chunked_array([array.slice(3), array.slice(0, 3)])) == expected[3:] + expected[:3]


def test_nulls_without_a_type_are_null_texts():
    assert ids_of(pa.nulls(2)) == [[], []]


@pytest.mark.parametrize("texts", [("the", "guys"), iter(["the", "guys"]), (word for word in ("the", "guys"))])
def test_any_iterable_of_strings_is_taken(texts):
    assert ids_of(texts) == [[4], [8]]


def test_not_a_number_counts_as_a_null_text_as_in_pandas():
    assert ids_of([float("nan"), "the"]) == [[], [4]]


@settings(max_examples=50, deadline=None)
@given(MAYBE_TEXTS)
def test_texts_one_by_one_have_the_ids_they_have_together(texts):
    preprocessor = Preprocessor.fit([text for text in texts[::2] if text])
    assert ids_of(texts, preprocessor) == [ids_of([text], preprocessor)[0] for text in texts]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["a<br", ">b"], [["a", "br"], ["b"]]),
        (["a<br", None, ">b"], [["a", "br"], [], ["b"]]),
        (["a<br ", "", "/>b"], [["a", "br"], [], ["b"]]),
        (["a<", "br>b"], [["a"], ["br", "b"]]),
        (["gre", "at"], [["gre"], ["at"]]),
        (["gre", "", None, "at"], [["gre"], [], [], ["at"]]),
        (["ΑΣ", "Α"], [["ας"], ["α"]]),  # the sigma at the end of a word, though another text follows
        (["e", "\u0301a"], [["e"], ["\u0301a"]]),
        (["é<br", ">é"], [["é", "br"], ["é"]]),
    ],
)
def test_what_one_text_ends_with_and_the_next_begins_with_stays_apart(texts, words):
    for data_type in (pa.string(), pa.large_string()):
        found, offsets = split_words(pa.array(["x", *texts], data_type).slice(1), Settings())
        assert [found.to_pylist()[start:end] for start, end in itertools.pairwise(offsets)] == words


def ids_by_python(texts, vocabulary):
    """The ids as Python's own strings and dictionaries give them."""
    ids = {word: rank + FIRST_WORD_ID for rank, word in enumerate(vocabulary)}
    table = str.maketrans(dict.fromkeys(FILTERS, " "))
    words = [BREAK_TAG.sub(" ", (text or "").lower()).translate(table).split() for text in texts]
    return [[ids.get(word, OUT_OF_VOCABULARY_ID) for word in own] for own in words]


PIECES = st.sampled_from(
    [
        *WORDS, *(word.upper() for word in WORDS), "café", "ΟΔΟΣ", "İstanbul", "ẞ", "🥖", "x'y",
        "\x00", "\u200b", "\u0301",
        "<br>", "<BR />", "<br", ">", "br>", "<br/", "/>", *" \t\n\r\x0b\x1c\x85\u00a0\u2028\u3000", *FILTERS,
    ]
)  # fmt: skip
MIXES = st.lists(st.none() | st.lists(PIECES, max_size=20).map("".join), max_size=60)
KNOWN = (*WORDS, "café", "οδος", "i̇stanbul", "ß", "🥖", "x'y", "br")


@settings(max_examples=200, deadline=None)
@given(MIXES, st.integers(0, 5), st.sampled_from([pa.string(), pa.large_string(), pa.string_view()]))
def test_ids_of_any_mix_of_texts_are_those_of_python_s_own_strings(texts, start, data_type):
    array = pa.array(texts, data_type).slice(start)
    assert ids_of(array, Preprocessor(KNOWN)) == ids_by_python(texts[start:], KNOWN)


@settings(max_examples=100, deadline=None)
@given(MIXES, st.lists(st.sampled_from(KNOWN), max_size=5))
def test_ids_without_stop_words_are_those_that_remain_of_the_ids_with_them(texts, stop_words):
    ours = Preprocessor(KNOWN, Settings(stop_words=tuple(stop_words)))
    stopped = {KNOWN.index(word) + FIRST_WORD_ID for word in stop_words}
    everything = ids_of(texts, Preprocessor(KNOWN))
    assert ids_of(texts, ours) == [[word for word in ids if word not in stopped] for ids in everything]
    words, offsets = split_words(pa.array(texts, pa.string()), ours.settings)
    assert offsets.tolist() == ours(texts).offsets.tolist()
    assert not set(words.to_pylist()) & set(stop_words)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(min_codepoint=128, exclude_categories=["Cs", "Cn"]), max_size=8), max_size=8))
def test_ids_of_texts_without_an_ascii_letter_are_those_of_python_s_own_strings(texts):
    vocabulary = tuple(dict.fromkeys(word for text in texts[::2] for word in text.lower().split()))
    assert ids_of(texts, Preprocessor(vocabulary)) == ids_by_python(texts, vocabulary)


def test_ids_of_many_texts_are_those_of_python_s_own_strings():
    random = np.random.default_rng(9)
    pieces = [
        *KNOWN,
        *(word.upper() for word in KNOWN),
        "unknown",
        "<br />",
        "<br",
        ">",
        ".",
        "a\u00a0b",
        " ",
        "\n",
    ]
    texts = [" ".join(random.choice(pieces, size)) for size in random.integers(0, 40, 5000)]
    texts[::17] = [None] * len(texts[::17])
    assert ids_of(texts, Preprocessor(KNOWN)) == ids_by_python(texts, KNOWN)


@pytest.mark.parametrize("data_type", TEXT_TYPES, ids=str)
@pytest.mark.parametrize("texts", [[], [None], [None] * 9, ["", None, ""], ["ÉÉ", "日本語", "Ω"]])
def test_arrays_of_nothing_of_nulls_and_of_foreign_letters_have_their_ids(data_type, texts):
    vocabulary = ("日本語", "éé")
    whole = arrow_texts(["the", *texts, "guys"], data_type)
    for array in (arrow_texts(texts, data_type), whole.slice(1, len(texts))):
        assert ids_of(array, Preprocessor(vocabulary)) == ids_by_python(texts, vocabulary)


def test_a_vocabulary_may_be_a_slice_of_an_array():
    assert ids_of(["the great guys"], Preprocessor(pa.array(["x", *WORDS]).slice(1, 2))) == [[4, 5, 2]]


@settings(max_examples=50, deadline=None)
@given(MAYBE_TEXTS, st.integers(0, 6), st.integers(0, 6))
def test_a_slice_has_the_ids_it_has_in_the_whole(texts, start, length):
    preprocessor = Preprocessor.fit(texts)
    whole = ids_of(pa.array(texts, pa.string()), preprocessor)
    assert ids_of(pa.array(texts, pa.string()).slice(start, length), preprocessor) == whole[start : start + length]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one", "texts must be several strings, in a list for instance. Received: one string"),
        ([1], "texts must be strings: Expected bytes, got a 'int' object"),
        ([["a"]], "texts must be strings: Expected bytes, got a 'list' object"),
        (
            ["\ud800"],
            "texts must be strings: 'utf-8' codec can't encode character '\\ud800' in position 0: "
            "surrogates not allowed",
        ),
        (pa.array([1]), "texts must be strings. Received: int64"),
        (pa.chunked_array([pa.array([b"a"])]), "texts must be strings. Received: binary"),
        (
            pa.array([1]).dictionary_encode(),
            "texts must be strings. Received: dictionary<values=int64, indices=int32, ordered=0>",
        ),
    ],
)
def test_other_values_than_strings_are_refused(texts, message):
    with pytest.raises(InputError) as error:
        as_text_array(texts)
    assert str(error.value) == message


def test_fitting_ranks_by_frequency_and_ties_by_first_appearance():
    preprocessor = Preprocessor.fit(["b a c", None, "c a", "", "C d"])
    assert preprocessor.vocabulary == ("c", "a", "b", "d")


def test_fitting_keeps_the_size_asked_for():
    assert Preprocessor.fit(["b a c", "c a", "c"], 2).vocabulary == ("c", "a")


def test_fitting_ranks_ties_by_first_appearance_across_the_chunks_it_counts_by():
    texts = [f"w{row}" for row in range(10_001)]
    preprocessor = Preprocessor.fit([*texts, "w10000 w3"])
    assert preprocessor.vocabulary == ("w3", "w10000", *(word for word in texts if word not in ("w3", "w10000")))


def test_fitting_on_no_words_gives_an_empty_vocabulary():
    assert Preprocessor.fit([None, "", "!"]).vocabulary == ()


def test_a_stored_preprocessor_comes_back_the_same(tmp_path):
    vocabulary = (
        "the",
        "\r",
        "\x0b",
        "\x1c",
        "\x85",
        "\u2028",
        "a\rb",
        "\u00a0",
        "don't",
        "🥖",
        "İ",
        "\x00",
        "\ufeff",
    )
    stored = Preprocessor(
        vocabulary,
        Settings(
            lower=False,
            filters="!\n\t",
            break_tags=False,
            split="space",
            removed="'\"\\-]^\r\0",
            stop_words=("the", "İ", "don't", ""),
            emoji=True,
            typography=True,
            markup=True,
            elongated=True,
        ),
    )
    stored.save(tmp_path)
    assert Preprocessor.from_preset(tmp_path) == stored


def test_settings_that_were_stored_before_there_were_stop_words_have_none(tmp_path):
    Preprocessor(WORDS).save(tmp_path)
    (tmp_path / SETTINGS_FILE).write_text('{"lower": true, "filters": "!", "break_tags": true, "split": "space"}')
    stored = Preprocessor.from_preset(tmp_path).settings
    assert stored == Settings(filters="!", split="space")
    assert (stored.removed, stored.stop_words) == ("", ())
    assert (stored.emoji, stored.typography, stored.markup, stored.elongated) == (False, False, False, False)


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(TEXTS, max_size=4))
def test_a_fitted_preprocessor_gives_the_same_ids_after_storing(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("preset")
    fitted = Preprocessor.fit(texts, settings=KERAS)
    fitted.save(folder)
    stored = Preprocessor.from_preset(folder)
    assert stored == fitted
    assert ids_of(texts, stored) == ids_of(texts, fitted)


def test_a_word_with_a_line_feed_cannot_be_stored(tmp_path):
    fitted = Preprocessor.fit(["a\nb c"], settings=Settings(filters="", split="space"))
    assert fitted.vocabulary == ("a\nb", "c")
    with pytest.raises(PresetError) as error:
        fitted.save(tmp_path)
    assert str(error.value) == "a word of the vocabulary holds a line feed: put it into the settings' filters"
    assert list(tmp_path.iterdir()) == []


def test_the_stored_files_are_json_and_a_word_a_line(tmp_path):
    Preprocessor(WORDS).save(tmp_path)
    assert json.loads((tmp_path / SETTINGS_FILE).read_text("utf-8")) == {
        "lower": True,
        "filters": FILTERS,
        "break_tags": True,
        "split": "whitespace",
        "removed": "",
        "stop_words": [],
        "emoji": False,
        "typography": False,
        "markup": False,
        "elongated": False,
    }
    assert (tmp_path / VOCABULARY_FILE).read_bytes() == b"the\ngreat\nservice\nterrible\nguys\n"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"split": "tab"}, "split must be 'whitespace' or 'space'. Received: 'tab'"),
        ({"filters": "!é"}, "filters must be ASCII characters. Received: '!é'"),
        ({"filters": 5}, "filters must be ASCII characters. Received: 5"),
        ({"removed": "’"}, "removed must be ASCII characters. Received: '’'"),
        ({"removed": ["'"]}, 'removed must be ASCII characters. Received: ["\'"]'),
        ({"stop_words": ["the", 5]}, "stop words must be strings. Received: ('the', 5)"),
        ({"stop_words": "the"}, "stop words must be several strings. Received: 'the'"),
        ({"lower": []}, "lower must be true or false. Received: []"),
        ({"break_tags": {}}, "break_tags must be true or false. Received: {}"),
        ({"emoji": 1}, "emoji must be true or false. Received: 1"),
        ({"typography": "yes"}, "typography must be true or false. Received: 'yes'"),
        ({"markup": None}, "markup must be true or false. Received: None"),
        ({"elongated": []}, "elongated must be true or false. Received: []"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values, message):
    with pytest.raises(PresetError) as error:
        Settings(**values)
    assert str(error.value) == message


def test_a_missing_file_of_a_preset_is_named(tmp_path):
    Preprocessor(WORDS).save(tmp_path)
    (tmp_path / VOCABULARY_FILE).unlink()
    with pytest.raises(PresetError) as error:
        Preprocessor.from_preset(tmp_path)
    path = tmp_path / VOCABULARY_FILE
    assert str(error.value) == (f"{tmp_path} is not a usable preset: [Errno 2] No such file or directory: '{path}'")


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "{",
        "[]",
        "[1]",
        "1",
        '{"speed": 1}',
        '{"split": "tab"}',
        '{"split": []}',
        '{"filters": 5}',
        '{"filters": null}',
        '{"removed": null}',
        '{"removed": "é"}',
        '{"stop_words": null}',
        '{"stop_words": "the"}',
        '{"stop_words": [[]]}',
        '{"emoji": null}',
    ],
)
def test_settings_that_do_not_hold_what_they_should_are_refused(tmp_path, stored):
    Preprocessor(WORDS).save(tmp_path)
    (tmp_path / SETTINGS_FILE).write_text(stored)
    with pytest.raises(PresetError):
        Preprocessor.from_preset(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ()),
        (b"\n", ()),
        (b"the", ("the",)),
        (b"the\n", ("the",)),
        (b"the\ngreat", ("the", "great")),
        (b"the\n\ngreat\n", ("the", "", "great")),
        ("ß\n🥖\n".encode(), ("ß", "🥖")),
        ("the\r\ngreat\x00\x85\n".encode(), ("the\r", "great\x00\x85")),
    ],
)
def test_a_line_of_the_vocabulary_is_a_word(tmp_path, content, words):
    Preprocessor(WORDS).save(tmp_path)
    (tmp_path / VOCABULARY_FILE).write_bytes(content)
    assert Preprocessor.from_preset(tmp_path).vocabulary == words


def test_a_preprocessor_does_not_change_with_the_files_that_it_was_stored_in(tmp_path):
    Preprocessor(WORDS).save(tmp_path)
    stored = Preprocessor.from_preset(tmp_path)
    (tmp_path / VOCABULARY_FILE).write_bytes(b"")
    assert stored.vocabulary == WORDS
    assert ids_of(["the great guys"], stored) == [[4, 5, 8]]


def test_a_vocabulary_that_is_not_utf_8_is_refused(tmp_path):
    Preprocessor(WORDS).save(tmp_path)
    (tmp_path / VOCABULARY_FILE).write_bytes(b"caf\xe9\n")
    with pytest.raises(PresetError, match=r" is not a usable preset: vocabulary\.txt is not UTF-8"):
        Preprocessor.from_preset(tmp_path)
