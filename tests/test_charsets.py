import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from textsent.charsets import decode, without_surrogates

LABELS = [
    *("utf-8", "utf-7", "utf-16", "utf-16le", "utf-32", "latin-1", "us-ascii", "windows-1252", "koi8-r", "hz"),
    *("iso-2022-jp", "iso-2022-kr", "shift_jis", "euc-jp", "gb2312", "gb18030", "big5", "big5-hkscs", "euc-kr"),
    *("idna", "punycode", "undefined", "unicode_escape", "hex", "rot13", "mbcs", "replacement", "x-user-defined"),
    *("ibm037", "cp65001", "macintosh", "tis-620", "johab", "nonsense", "", " ", "utf-8\0", "ü", None),
]

# U+FEFF and U+FFFE at the beginning of a text are no characters but a mark.
TEXTS = st.text(st.characters(exclude_characters="\ufeff\ufffe", exclude_categories=["Cs"]))


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=40), st.sampled_from(LABELS) | st.text(max_size=10))
def test_any_bytes_of_any_label_become_text(data, label):
    decode(data, label).encode("utf-8")


@settings(max_examples=200, deadline=None)
@given(
    TEXTS,
    st.sampled_from([None, "utf-8", "latin-1", "koi8-r", "gb18030", "nonsense", "ibm037"]),
)
def test_utf_8_is_read_as_such_whatever_the_label(text, label):
    assert decode(text.encode(), label) == text


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.booleans())
def test_utf_16_is_read_with_and_without_a_mark(text, with_mark):
    data = text.encode("utf-16" if with_mark else "utf-16-le")
    assume(not data.isascii() or b"\0" in data)  # of nothing but ASCII it is ASCII, whatever the label
    assert decode(data, "utf-16") == text


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("windows-1252", "„Größe“ €"),
        ("iso-8859-15", "Größe €"),
        ("koi8-r", "Привет"),
        ("windows-1251", "Привет"),
        ("cp866", "Привет"),
        ("shift_jis", "こんにちは"),
        ("iso-2022-jp", "こんにちは"),
        ("euc-jp", "こんにちは"),
        ("gb18030", "你好"),
        ("gb2312", "你好"),
        ("hz", "你好"),
        ("big5", "你好"),
        ("euc-kr", "안녕"),
        ("iso-2022-kr", "안녕"),
        ("utf-16-le", "Grüße"),
        ("utf-16-be", "Grüße"),
        ("utf-7", "Grüße"),
        ("cp437", "Größe"),
        ("macintosh", "Größe"),
        ("tis-620", "สวัสดี"),
    ],
)
def test_text_is_decoded_by_its_label(label, text):
    assert decode(text.encode(label), label) == text
    assert decode(text.encode(label), f" {label.upper()} ") == text


@pytest.mark.parametrize("label", ["iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii", "iso-8859-1 "])
def test_latin_1_is_what_windows_makes_of_it(label):
    assert decode(b"\x93So good\x94 \x96 5 \x80", label) == "“So good” – 5 €"


@pytest.mark.parametrize("label", [None, "nonsense", "undefined", "us-ascii", "utf-8", "iso-2022-jp"])
def test_text_that_is_not_what_the_label_says_is_western(label):
    assert decode(b"caf\xe9", label) == "café"


@pytest.mark.parametrize("label", ["koi8-r", "iso-2022-jp", "utf-7", "hz", "shift_jis"])
def test_a_wrong_label_does_not_harm_utf_8(label):
    assert decode("Grüße aus Köln".encode(), label) == "Grüße aus Köln"


@pytest.mark.parametrize("label", [None, "utf-8", "latin-1", "nonsense"])
def test_a_byte_order_mark_is_no_text(label):
    assert decode(b"\xef\xbb\xbfGreat", label) == "Great"


def test_a_broken_byte_does_not_spoil_the_rest():
    assert decode("Grüße aus dem schönen Köln, für dich".encode() + b"\xff", "utf-8").startswith("Grüße aus dem")
    assert decode("こんにちは".encode("shift_jis") + b"\xff", "shift_jis").startswith("こんにちは")


def test_ascii_that_is_said_to_be_something_else_stays():
    assert decode(b"plain, and so good", "iso-2022-jp") == "plain, and so good"
    assert decode(b"plain, and so good", "gb2312") == "plain, and so good"


def test_halves_of_a_character_are_replaced():
    assert without_surrogates("a\ud800b") == "a?b"
