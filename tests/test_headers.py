import base64
import quopri
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textsent.headers import bare_subject, is_deleted, text_of, utc_of
from textsent.mail import read_message
from textsent.mbox import Message


@pytest.mark.parametrize(
    ("subject", "bare", "is_reply"),
    [
        ("Your  Order", "your order", False),
        ("Re: AW: Fwd: Your order", "your order", True),
        ("SV:Your order", "your order", True),
        ("RE[2]: re (3) : Your order", "your order", True),
        ("回复：Your order", "your order", True),
        ("WG: Your order", "your order", False),
        ("Fw: Your order", "your order", False),
        ("Regarding: your order", "regarding: your order", False),
        ("Re:", "", True),
        ("", "", False),
    ],
)
def test_a_subject_is_bared_of_what_answers_and_forwards_put_before_it(subject, bare, is_reply):
    assert bare_subject(subject) == (bare, is_reply)


def test_a_huge_subject_is_bared_in_no_time():
    assert bare_subject("Re: " * 100_000 + "x") == ("x", True)
    assert bare_subject("re " * 100_000) == (" ".join(["re"] * 100_000), False)


def read(content):
    return read_message(Message(0, b"", content))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?utf-8?B?R3LDtsOfZQ==?=", "Größe"),
        (b"=?utf-8?b?R3LDtsOfZQ?=", "Größe"),
        (b"=?iso-8859-1?Q?Gr=F6=DFe_eins?=", "Größe eins"),
        (b"=?utf-8?q?Gr=C3=B6?= =?utf-8?q?=C3=9Fe?=", "Größe"),
        (b"=?utf-8?q?Gr=C3=B6?=\n =?utf-8?q?=C3=9Fe?=", "Größe"),
        (b"=?utf-8?q?Gr=C3?= =?utf-8?q?=B6=C3=9Fe?=", "Größe"),
        (b"=?UTF-8?Q?Gr=C3?= =?utf-8?B?tsOfZQ==?=", "Größe"),
        (b"=?iso-2022-jp?B?GyRCJCIbKEI=?= =?iso-2022-jp?B?GyRCJCIbKEI=?=", "ああ"),
        (b"=?utf-8?q?caf=C3=A9?= =?iso-8859-1?q?_cr=E8me?=", "café crème"),
        (b"=?iso-8859-5?q?=D2=D5=DB=D8=DA=DE?= =?utf-8?q?_=C3=A9?=", "велико é"),
        (b"=?iso-8859-5?q?=D2=D5=DB=D8=DA=DE?= =?koi8-r?q?_=C1?=", "велико а"),
        (b"=?iso-8859-5?q?=D2=D5?= and =?iso-8859-5?q?=DB=D8?=", "ве and ли"),
        (b"plain =?UTF-8?q?=F0=9F=A5=96?= bread", "plain 🥖 bread"),
        (b'"=?utf-8?q?Ann?=" <ann@example.com>', '"Ann" <ann@example.com>'),
        (b"(=?utf-8?q?a?=)", "(a)"),
        (b"=?utf-8?q?a?=stuck", "astuck"),
        (b"=?utf-8*en?q?caf=C3=A9?=", "café"),
        (b"=?utf-8?Q?with raw blanks?=", "with raw blanks"),
        (b"=?utf-8?Q?Really??=", "Really?"),
        (b"=?utf-8?q?two=0Alines?=", "two lines"),
        (b"a long\n folded\n\tvalue", "a long folded value"),
        (b"  wide   space ", "wide space"),
        (b"nu\0ll", "null"),
    ],
)
def test_a_value_is_decoded_onto_one_line(value, text):
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?nonsense?q?abc?=", "abc"),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?utf-8?q?broken", "=?utf-8?q?broken"),
        (b"=?utf-8?q?100=ZZ?=", "100=ZZ"),
        (b"=?utf-8?b?R3Lf?=", "Grß"),
        (b"=?utf-8?b?R3L?=", "Gr"),
        (b"x =?utf-8?b?a?=", "x"),
        (b"x =?utf-8?b?R3LDt\xff:sOfZ?=", "x Größ"),
        (b"x =?utf-8?b?\xc3\xa9?=", "x"),
        (b"x =?utf-8?b?a=b=c=d=e?=", "x"),
        (b"Gr\xfc\xdfe", "Grüße"),
        ("Grüße".encode(), "Grüße"),
    ],
)
def test_a_broken_value_is_read_as_far_as_it_goes(value, text):
    assert (text_of(value) or "").startswith(text)


@pytest.mark.parametrize("value", [None, b"", b" \n ", b"=?utf-8?q??=", b"\0"])
def test_a_value_of_nothing_is_null(value):
    assert text_of(value) is None


ENCODED_WORDS = st.tuples(
    st.sampled_from([b"utf-8", b"UTF-7", b"iso-2022-jp", b"koi8-r", b"nonsense", b"utf-8*en", b"idna", b""]),
    st.sampled_from([b"b", b"Q", b"x"]),
    st.binary(max_size=12) | st.sampled_from([b"a", b"abc", b"R3LDtg", b"+2AA-", b"=", b"=\xe9", b"a:b=="]),
).map(lambda word: b"=?%s?%s?%s?=" % word)
VALUES = st.lists(ENCODED_WORDS | st.binary(max_size=8) | st.sampled_from([b" ", b"\n ", b"=?"])).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_any_value_is_one_line_of_text(value):
    text = text_of(value)
    assert text is None or text == " ".join(text.split()) != ""
    (text or "").encode("utf-8")


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30),
    st.integers(1, 40),
    st.booleans(),
)
def test_encoded_words_cut_anywhere_come_together(text, size, in_base64):
    encoded = text.encode()
    pieces = [encoded[start : start + size] for start in range(0, len(encoded), size)]
    if in_base64:
        words = [b"=?utf-8?B?" + base64.b64encode(piece) + b"?=" for piece in pieces]
    else:
        quoted = [quopri.encodestring(piece, quotetabs=True, header=True) for piece in pieces]
        words = [b"=?utf-8?q?" + piece.replace(b"=\n", b"").replace(b"?", b"=3F") + b"?=" for piece in quoted]
    assert text_of(b"\n ".join(words)) == text


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"Tue, 3 Feb 2026 09:14:10 +0000", datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)),
        (b"Tue, 3 Feb 2026 00:14:10 +0530 (IST)", datetime(2026, 2, 2, 18, 44, 10, tzinfo=UTC)),
        (b"Tue, 3 Feb 2026 09:14:10 -0800", datetime(2026, 2, 3, 17, 14, 10, tzinfo=UTC)),
        (b"Tue, 3 Feb 2026 09:14:10 EST", datetime(2026, 2, 3, 14, 14, 10, tzinfo=UTC)),
        (b"Tue, 3 Feb 2026 09:14:10 -0000", datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)),
        (b"Tue, 3 Feb 2026 09:14:10", datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)),
        (b"Tue, 3 Feb 2026 09:14 +0000", datetime(2026, 2, 3, 9, 14, tzinfo=UTC)),
        (b"Tue, 03 February 2026 09:14:10 +0000", datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)),
        (b"Di., 3 Feb 2026 09:14:10 +0100", datetime(2026, 2, 3, 8, 14, 10, tzinfo=UTC)),
        (b"3 Feb 26 09:14 GMT", datetime(2026, 2, 3, 9, 14, tzinfo=UTC)),
        (b"Tue Feb  3 09:14:10 2026", datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)),
        (b"Wed, 31 Dec 1969 23:59:59 +0000", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"Tue,\n 3 Feb 2026 09:14:10 +0000", datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)),
        (b"Sat, 31 Dec 2016 23:59:60 +0000", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_date_is_a_moment_in_utc(value, moment):
    assert utc_of(value) == moment


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"yesterday",
        b"Tue, 31 Feb 2026 09:14:10 +0000",
        b"Tue, 3 Feb 2026 25:14:10 +0000",
        b"Fri, 31 Dec 9999 23:59:59 -1200",
        b"Mon, 1 Jan 0001 00:00:00 +2359",
        b"Tue, 3 Feb 99999999999 09:14:10 +0000",
        b"Tue, 3 Feb 2026 09:14:10 +99999999999999999999",
        b"2026-02-03T09:14:10Z",
        b"\xff",
    ],
)
def test_an_unreadable_date_is_null(value):
    assert utc_of(value) is None


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"Tue,", b"3", b"Feb", b"2026", b"09:14:10", b"+0100", b"-9999", b"99999", b"EST", b"("])
        | st.binary(max_size=5)
    ).map(b" ".join)
)
def test_any_date_is_null_or_in_utc(value):
    moment = utc_of(value)
    assert moment is None or moment.utcoffset() == datetime(2026, 1, 1, tzinfo=UTC).utcoffset()


@pytest.mark.parametrize(
    ("fields", "deleted"),
    [
        ({}, False),
        ({"x-mozilla-status": b"0009"}, True),
        ({"x-mozilla-status": b"0001"}, False),
        ({"x-mozilla-status": b"0010"}, False),
        ({"x-mozilla-status": b" 8008\n"}, True),
        ({"x-mozilla-status": b"many"}, False),
        ({"x-status": b"AD"}, True),
        ({"x-status": b"A"}, False),
    ],
)
def test_a_message_that_a_program_marked_is_deleted(fields, deleted):
    assert is_deleted(fields) == deleted


def test_the_names_of_fields_have_any_case():
    row = read(b"SUBJECT: a\nfrom: b\nTO: c\nmessage-ID: d\nDATE: Tue, 3 Feb 2026 09:14:10 +0000\n\nbody\n")
    assert (row["subject"], row["from"], row["to"], row["message_id"]) == ("a", "b", "c", "d")
    assert row["date"] == datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)


def test_the_first_of_several_fields_counts():
    assert read(b"From: a\nFrom: b\n\nbody\n")["from"] == "a"


@pytest.mark.parametrize(
    "content", [b"Subject : x\n\ny", b"Subject:x\n\ny", b"Subject:\n x\n\ny", b"Subject: x\n\n\ny"]
)
def test_blanks_around_a_colon_and_below_a_header_do_not_matter(content):
    row = read(content)
    assert (row["subject"], row["text"], row["flags"]) == ("x", "y", [])


@pytest.mark.parametrize(
    "content",
    [
        b"To: a\nno field\nSubject: x\n\ny",
        b">From ann@example.com Tue Feb  3 09:14:22 2026\nSubject: x\n\ny",
        b"\nSubject: x\n\ny",
        b"To: a\n=20\nSubject: x\nFrom: b\n\ny",
    ],
    ids=["within", "escaped separator", "blank line first", "before two fields"],
)
def test_a_stray_line_in_a_header_is_left_out(content):
    row = read(content)
    assert (row["subject"], row["text"], row["flags"]) == ("x", "y", ["recovered"])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"Subject: x\nno blank line\nmore", "no blank line\nmore"),
        (b"\nno header here\n", "no header here"),
        (b"no header here\n", "no header here"),
        (b": x\n\nbody\n", ": x\n\nbody"),
        (b"Subject: x", ""),
        (b"", ""),
    ],
)
def test_a_body_begins_where_the_header_ends(content, text):
    assert read(content)["text"] == text
