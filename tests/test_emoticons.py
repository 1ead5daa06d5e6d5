import pyarrow as pa
import pytest

from textsent.emoticons import EMOTICONS
from textsent.preprocess import Settings, split_words

EMOJI = Settings(emoji=True)


def words_of(text, settings=EMOJI):
    return split_words(pa.array([text]), settings)[0].to_pylist()


@pytest.mark.parametrize(("emoticon", "emoji"), EMOTICONS.items())
def test_an_emoticon_is_read_as_the_emoji_of_its_family(emoticon, emoji):
    for before, after in (("", ""), ("fine ", ""), ("", " fine"), ("fine. ", ", fine"), ("fine\n", "\nfine")):
        assert [word for word in words_of(before + emoticon + after) if word != "fine"] == [emoji]
    assert words_of(f"{emoticon} {emoticon}") == [emoji, emoji]


@pytest.mark.parametrize(("emoticon", "emoji"), EMOTICONS.items())
def test_an_emoticon_is_read_the_same_whatever_text_stands_before_it(emoticon, emoji):
    words, offsets = split_words(pa.array(["letters", emoticon, "letters"]), EMOJI)
    assert (words.to_pylist(), offsets.tolist()) == (["letters", emoji, "letters"], [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("thanks:) so sad:(\ngreat;)", ["thanks", "🙂", "so", "sad", "🙁", "great", "😉"]),
        ("late :))) again :-((( ha :DDD hm xDD", ["late", "🙂", "again", "🙁", "ha", "😀", "hm", "😀"]),
        ("(works now :))", ["works", "now", "🙂"]),
        ("wow...:( and ~:)", ["wow", "🙁", "and", "🙂"]),
        ("I <3 it, I <3. I <3", ["i", "❤", "it", "i", "❤", "i", "❤"]),
        ("we <33 you </3 him", ["we", "❤", "you", "💔", "him"]),
        (">:( and :'( and :’(", ["😠", "and", "😢", "and", "😢"]),
        ("two<br />:(<br>lines", ["two", "🙁", "lines"]),
        (":) :( :D", ["🙂", "🙁", "😀"]),
    ],
)
def test_an_emoticon_may_stand_at_a_word_and_be_drawn_out(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize(
    "text",
    [
        *(
            "http://a.example/b",
            "ftp://x",
            "C:/temp C:\\temp",
            "note:(see below)",
            "a): first (b): second",
            "10:03",
        ),
        *("see (8) and 8)", "lolXD Windows XP", "under <3 days", "<3.5 <3% <3GB <3 GB", '{"a":["b"],"c":{}}'),
        *("{:o} {:d}", "list[1:] x[:2]", "snake_case_o", "std::vector", "a := b", "1:-1:0", "|:-|:-|", "(1:2)"),
        *("see (page 3): there", "x:p", "re:D2", "Title (1999): a film", "a<3b", "0.3</3x"),
    ],
)
def test_what_only_looks_like_an_emoticon_stays(text):
    assert words_of(text) == words_of(text, Settings())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("great👍👍works", ["great", "👍", "👍", "works"]),
        ("ok👍🏽 👍🏿", ["ok", "👍", "👍"]),
        ("love ❤\ufe0f and ❤", ["love", "❤", "and", "❤"]),
        ("👩\u200d💻 🤷🏽\u200d♀\ufe0f", ["👩", "💻", "🤷"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("step 1\ufe0f\u20e3", ["step", "1"]),
        ("★★☆ ☺", ["★", "★", "☆", "☺"]),
        ("🏴\U000e0067\U000e0062\U000e007f end", ["🏴", "end"]),
        ("🏽 alone", ["alone"]),
        ("ÄRGER😡", ["ärger", "😡"]),
    ],
)
def test_an_emoji_is_a_word_without_its_variation_and_skin_tone(text, words):
    assert words_of(text) == words


def test_emoticons_and_emoji_are_left_as_they_are_where_emoji_is_off():
    assert words_of("great :) and👍🏽", Settings()) == ["great", "and👍🏽"]
