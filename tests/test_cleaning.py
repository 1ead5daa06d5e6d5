import itertools

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textsent import cleaning
from textsent.emoticons import EMOTICONS
from textsent.preprocess import FILTERS, Preprocessor, Settings, split_words

TYPOGRAPHY = Settings(typography=True)
MARKUP = Settings(markup=True)
ELONGATED = Settings(elongated=True)
ALL = Settings(emoji=True, typography=True, markup=True, elongated=True)


def words_of_each(texts, settings):
    words, offsets = split_words(texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string()), settings)
    return [words.to_pylist()[start:end] for start, end in itertools.pairwise(offsets)]


def words_of(text, settings):
    return words_of_each([text], settings)[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don’t don‘t don`t don´t donʼt DON’T", ["don't"] * 6),
        ("'great' ‘great’ `great` ´great´ ''great''", ["great"] * 5),
        ("the guys' film, it's o'clock", ["the", "guys", "film", "it's", "o'clock"]),
        ("rock''n ' '' '", ["rock", "n"]),
        ("'", []),
        ("'a", ["a"]),
        ("a'", ["a"]),
        ("«So» „says“ she…and–he—went·home •now", ["so", "says", "she", "and", "he", "went", "home", "now"]),
        ("Foo™ €50 5′ 5″ A→B ¿no? ¡si!", ["foo", "50", "5", "5", "a", "b", "no", "si"]),
        ("un\u200bseen so\u00adft\ufeff l\u2066r\u2069 \u200b", ["unseen", "soft", "lr"]),
        ("ﬁne ﬂoor oﬃce", ["fine", "floor", "office"]),
        ("Ｆｕｌｌ，ｗｉｄｅ！ 𝗯𝗼𝗹𝗱 𝒮𝒸𝓇𝒾𝓅𝓉", ["full", "wide", "bold", "script"]),
        (
            "café naïve Straße 日本語、日本語。 ½ µ ª",
            ["café", "naïve", "straße", "日本語", "日本語", "½", "µ", "ª"],
        ),
        ("a\u00a0b\u2028c", ["a", "b", "c"]),
        ("they\x92re \x93so\x94 good\x96really\x85\uf0b7yes", ["they're", "so", "good", "really", "yes"]),
    ],
)
def test_typography_becomes_what_a_keyboard_would_have_given(text, words):
    assert words_of(text, TYPOGRAPHY) == words


def test_apostrophes_at_the_edges_of_words_stay_where_typography_is_off():
    assert words_of("'great' don’t", Settings()) == ["'great'", "don’t"]


def test_a_stop_word_and_a_removed_apostrophe_are_looked_for_after_typography():
    assert words_of("don’t ‘stop’", Settings(typography=True, removed="'")) == ["dont", "stop"]
    assert words_of("don’t ‘stop’", Settings(typography=True, stop_words=("don't",))) == ["stop"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<p>a</p><div class=\"x\">b</div> <A HREF='http://c.example/d'>e</A>", ["a", "b", "e"]),
        ("a<br/>b<BR>c</br>d<hr />e", ["a", "b", "c", "d", "e"]),
        ("<!DOCTYPE html><!-- not this --><?xml version='1.0'?>that", ["that"]),
        ("<o:p></o:p>x <td colspan=2>y", ["x", "y"]),
        ("<sigh> if a <b and c> d, a<b, <3 <Bob>", ["sigh", "if", "a", "b", "and", "c", "d", "a", "b", "3", "bob"]),
        ("AT&amp;T &lt;b&gt;bold&lt;/b&gt; you&rsquo;re caf&eacute;", ["at", "t", "bold", "you’re", "café"]),
        ("it&#39;s it&#x27;s it&apos;s", ["it's"] * 3),
        ("a&nbsp;b&amp;nbsp;c&nbsp d&amp;amp;e &bogus; f", [*"abcdef"]),
        ("R&D Q&A; black&region tom&jerry", ["r", "d", "q", "a", "black", "region", "tom", "jerry"]),
        ("see http://a.example/b?c=d#e, or HTTPS://F.example and www.g.example/h!", ["see", "or", "and"]),
        ("ask me.too+x@mail.example or <you@mail.example> mailto:a@b.example now", ["ask", "or", "now"]),
        ("@anna_1 @Müller hi .@bob me@home 5 @ 3 @50", ["hi", "me", "home", "5", "3", "50"]),
        ("#great day #1", ["great", "day", "1"]),
        ("awww. www", ["awww", "www"]),
    ],
)
def test_markup_counts_for_nothing(text, words):
    assert words_of(text, MARKUP) == words


def test_break_tags_are_markup_where_break_tags_is_off():
    assert words_of("a<br>b", Settings(break_tags=False, markup=True)) == ["a", "b"]


@pytest.mark.parametrize("name", ["lt", "gt", "amp", "quot", "nbsp", "rsquo", "hellip", "eacute", "NotEqualTilde"])
def test_an_entity_with_its_semicolon_leaves_no_name_behind(name):
    assert name.lower() not in words_of(f"a &{name}; b&{name};c &amp;{name}; d", MARKUP)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sooooo soo so", ["soo", "soo", "so"]),
        ("loooove cooool yesss YESSS NOoOoO", ["loove", "cool", "yess", "yess", "noo"]),
        ("Part III, xviii", ["part", "iii", "xvii"]),
        ("aaaaaaa 'zzzz' www", ["aaa", "'zzz'", "www"]),
        ("1000000 ---- éééé", ["1000000", "éééé"]),
        ("aaabbb caaa", ["aabb", "caa"]),
        ("éaaa aaaé", ["éaa", "aaé"]),
    ],
)
def test_a_letter_drawn_out_stands_twice_and_thrice_where_the_word_is_nothing_else(text, words):
    assert words_of(text, ELONGATED) == words


def test_case_stays_in_a_word_drawn_out_where_lower_is_off():
    assert words_of("SOOOO Sooo", Settings(lower=False, elongated=True)) == ["SOO", "Soo"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<p>:(</p>", ["🙁"]),
        ("I &lt;3 you &lt;/3", ["i", "❤", "you", "💔"]),
        ("it&rsquo;s &#128512;", ["it's", "😀"]),
        ("&quot;great&quot;:) &hellip; done", ["great", "🙂", "done"]),
        ("see http://a.example/:) :/ ok", ["see", "😕", "ok"]),
        ("soooo&nbsp;:DDD", ["soo", "😀"]),
        ("@bob ‘soooo’ good👍🏽 https://t.example/x", ["soo", "good", "👍"]),
    ],
)
def test_all_together_markup_goes_first_then_emoticons_then_typography(text, words):
    assert words_of(text, ALL) == words


PARTS = st.sampled_from(
    [
        *EMOTICONS, *FILTERS, *"aAbx'’‘`´…–«\u00ad\u200b\u200d\ufe0f👍🏽🇩❤★éﬁＡ𝗯日、Σ",
        "<br>", "<p>", "</p>", "<a href=x>", "&amp;", "&lt;", "&rsquo;", "&#39;", "lt", "www",
        "http://", "@b", "a@b.c", "aaa", "OoO", "iii", " ", " ", "\n", "\u00a0",
    ]
)  # fmt: skip
MIXED = st.lists(PARTS, max_size=12).map("".join) | st.text(st.characters(exclude_categories=["Cs", "Cn"]))
SETTINGS = st.builds(Settings, **dict.fromkeys(("emoji", "typography", "markup", "elongated"), st.booleans()))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.none() | MIXED, max_size=8), SETTINGS, st.sampled_from([pa.string(), pa.large_string()]))
@example(["a", ":)", "):", "aaa"], ALL, pa.string())
@example(["a:", ")", "<", "p>", "x", "D", "a", "aa", "'", "'a"], ALL, pa.string())
@example(["ww", "w.a", "8", "):", "-", ":(", "e", "\u0301", "👍", "🏽"], ALL, pa.string())
def test_a_text_has_the_same_words_whatever_stands_beside_it(texts, ours, data_type):
    together = words_of_each(pa.array(["x", *texts], data_type).slice(1), ours)
    assert together == [words_of(text, ours) for text in texts]


@settings(max_examples=100, deadline=None)
@given(st.lists(MIXED, max_size=6))
def test_blocks_of_any_size_give_the_same_words(texts):
    whole = words_of_each(texts, ALL)
    for size in (3, 4, 7):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cleaning, "_BLOCK", size)
            assert words_of_each(texts, ALL) == whole


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("abcdefgh \n,.!?-xyzé")))
def test_plain_texts_have_the_words_that_they_have_without_the_settings(text):
    ours = Settings(emoji=True, typography=True, markup=True)
    assert words_of(text, ours) == words_of(text, Settings())


@settings(max_examples=100, deadline=None)
@given(MIXED)
def test_nothing_that_typography_takes_out_is_left_in_a_word(text):
    words = words_of(text, TYPOGRAPHY)
    assert not [word for word in words if set(word) & set("’‘`´…–«\u00ad\u200b\u200dﬁＡ𝗯、")]
    assert not [word for word in words if word.startswith("'") or word.endswith("'") or "''" in word]


@pytest.mark.parametrize(
    "piece",
    [
        *(":(", ":) ", "<", "<a ", "<!--", "&", "&amp;", "&nbsp;", "@", "@a", "a@a.", "www.", "http://", "a", "'"),
        *("’", "e\u0301", "👍\u200d", "\ufe0f", "<3", "<3 ", ")", "):", "ﬁ", "aaab", "&#", "<3  ", "<3.", "T_T "),
    ],
)
def test_a_text_of_a_million_times_the_same_has_its_words(piece):
    text = piece * (1_000_000 // len(piece))
    assert len(Preprocessor(["🙂"], ALL)([text, "fine"])) == 2


def test_texts_that_are_null_or_empty_have_no_words():
    assert words_of_each([None, "", "a", None], ALL) == [[], [], ["a"], []]
    assert words_of_each(pa.array([], pa.string()), ALL) == []


def test_fitting_reads_texts_as_the_settings_say():
    assert Preprocessor.fit(["great:) great&nbsp;:)", "‘great’"], settings=ALL).vocabulary == ("great", "🙂")
