import base64
import bz2
import io
import itertools
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textsent import mail
from textsent.mail import read_mbox, split_mbox
from textsent.readers import open_reader
from textsent.schema import MAIL_SCHEMA

INBOX = Path(__file__).parents[1] / "examples" / "inbox.mbox"
SEPARATOR = b"From ann@example.com Tue Feb  3 09:14:22 2026\n"
HEADERS = b"From: Ann <ann@example.com>\nTo: help@example.com\nSubject: Hello\n"


def split(mailbox, chunk_size=mail.CHUNK_SIZE):
    return [(message.offset, message.content) for message in split_mbox(io.BytesIO(mailbox), chunk_size)]


def contents(mailbox):
    return [content for _, content in split(mailbox)]


def rows(*messages):
    mailbox = b"".join(SEPARATOR + message + b"\n" for message in messages)
    return [row for batch in read_mbox(io.BytesIO(mailbox)) for row in batch.to_pylist()]


def text_of(message):
    (row,) = rows(message)
    return row["text"]


def value_of(header, value):
    (row,) = rows(header.encode() + b": " + value + b"\n\nbody\n")
    return row[header]


def body(text, content_type="text/plain; charset=utf-8", encoding="8bit"):
    head = f"Content-Type: {content_type}\nContent-Transfer-Encoding: {encoding}\n\n"
    return HEADERS + head.encode() + text


def multipart(*parts, kind="mixed", boundary="b"):
    lines = [f'Content-Type: multipart/{kind}; boundary="{boundary}"', ""]
    for content in parts:
        lines += [f"--{boundary}", content]
    return "\n".join([*lines, f"--{boundary}--", ""])


def part(text, content_type="text/plain", disposition=None):
    return (
        f"Content-Type: {content_type}\n"
        + (f"Content-Disposition: {disposition}\n" if disposition else "")
        + f"\n{text}"
    )


LINES = st.sampled_from(
    [
        SEPARATOR,
        SEPARATOR.replace(b"\n", b"\r\n"),
        b"From MAILER-DAEMON Tue Feb 03 09:14 2026\n",
        b"From - Tue Feb 03 09:14:22 2026 +0100\n",
        b"From that day on\n",
        b"From ann@example.com\n",
        b"From \n",
        b"From",
        b"From: ann@example.com\n",
        b">From ann@example.com Tue Feb  3 09:14:22 2026\n",
        b" From ann@example.com Tue Feb  3 09:14:22 2026\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"text",
        b"text\n",
        b"\xff\x00\n",
        SEPARATOR.rstrip(),
    ]
)
MAILBOXES = st.lists(LINES, max_size=12).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(MAILBOXES, st.integers(1, 120))
@example(SEPARATOR * 3, 1)
@example(SEPARATOR + b"a: b\n\nx\n" + SEPARATOR.rstrip(), len(SEPARATOR) + 9)
def test_a_mailbox_splits_the_same_whatever_the_chunk_size(mailbox, chunk_size):
    assert split(mailbox, chunk_size) == split(mailbox)


@settings(max_examples=300, deadline=None)
@given(MAILBOXES, st.integers(1, 120))
def test_the_pieces_between_offsets_are_the_separators_and_contents(mailbox, chunk_size):
    messages = split(mailbox, chunk_size)
    offsets = [offset for offset, _ in messages]
    assert not mailbox[: offsets[0] if offsets else None].strip()
    for (start, end), (_, content) in zip(itertools.pairwise([*offsets, len(mailbox)]), messages, strict=True):
        piece = mailbox[start:end]
        assert piece.endswith(content)
        separator = piece[: len(piece) - len(content)]
        assert separator == b"" or re.fullmatch(rb"From [^\n]*\n?", separator)
        assert separator or start == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from([b"text\n", b"\n", b">From x\n", b"From that day on\n"])).map(b"".join)))
def test_joined_messages_come_apart_again(messages):
    assert contents(b"".join(SEPARATOR + message for message in messages)) == messages


@pytest.mark.parametrize(
    "line",
    [
        b"From ann@example.com Tue Feb  3 09:14:22 2026",
        b"From MAILER-DAEMON Tue Feb 03 09:14:22 2026",
        b"From - Tue Feb 03 09:14 2026",
        b"From ???@??? Tue Feb 03 09:14:22 2026",
        b"From ann at example.com  Tue Feb  3 09:14:22 2026",
        b"From ann@example.com Tue Feb  3 09:14:22 GMT 2026",
        b"From ann@example.com Tue Feb  3 09:14:22 2026 +0100",
        b"From ann@example.com Tue Feb  3 09:14:22 +0100 2026",
    ],
)
def test_a_line_that_names_sender_and_date_separates(line):
    assert contents(SEPARATOR + b"a: b\n\nx\n\n" + line + b"\nc: d\n\ny\n") == [b"a: b\n\nx\n\n", b"c: d\n\ny\n"]


@pytest.mark.parametrize(
    "line",
    [
        b"From that day on",
        b"From ann@example.com",
        b"From 9:30 on we waited",
        b"From May 2026 until now",
        b"From: Ann",
        b"from ann@example.com Tue Feb  3 09:14:22 2026",
        b">From ann@example.com Tue Feb  3 09:14:22 2026",
        b" From ann@example.com Tue Feb  3 09:14:22 2026",
    ],
)
def test_another_line_does_not_separate(line):
    message = b"a: b\n\nx\n\n" + line + b"\ny\n"
    assert contents(SEPARATOR + message) == [message]


def test_a_separator_needs_no_blank_line_before_it():
    assert split(SEPARATOR + b"a: b\n\nx\n" + SEPARATOR + b"c: d\n\ny") == [
        (0, b"a: b\n\nx\n"),
        (len(SEPARATOR) + 8, b"c: d\n\ny"),
    ]


def test_a_mailbox_of_dos_lines_is_split():
    message = b"a: b\r\n\r\nx\r\n\r\n"
    separator = SEPARATOR.replace(b"\n", b"\r\n")
    assert contents((separator + message) * 2) == [message, message]


def test_a_file_without_a_separator_is_one_message():
    assert split(b"a: b\n\nx\n") == [(0, b"a: b\n\nx\n")]


def test_a_file_without_a_separator_that_begins_with_from_keeps_its_first_line():
    assert contents(b"From that day on\nall was well\n") == [b"From that day on\nall was well\n"]


@pytest.mark.parametrize("mailbox", [b"", b"\n", b"\r\n\r\n"])
def test_an_empty_file_has_no_messages(mailbox):
    assert split(mailbox) == []
    assert list(read_mbox(io.BytesIO(mailbox))) == []


def test_blank_lines_before_the_first_separator_are_no_message():
    assert split(b"\n\n" + SEPARATOR + b"a: b\n\nx\n") == [(2, b"a: b\n\nx\n")]


def test_a_separator_without_a_message_is_an_empty_message():
    assert split(SEPARATOR + SEPARATOR.rstrip()) == [(0, b""), (len(SEPARATOR), b"")]


def test_the_example_mailbox_has_a_row_for_each_separator():
    mailbox = INBOX.read_bytes()
    separators = [match.start() for match in re.finditer(rb"^From ", mailbox, re.MULTILINE)]
    assert len(separators) == 66
    with open_reader(INBOX) as reader:
        batches = list(reader)
    assert [offset for batch in batches for offset in batch.column("offset").to_pylist()] == separators


def test_offsets_count_the_decompressed_bytes(tmp_path):
    mailbox = (SEPARATOR + b"a: b\n\nx\n") * 2
    path = tmp_path / "a.mbox.bz2"
    path.write_bytes(bz2.compress(mailbox))
    with open_reader(path) as reader:
        assert [row["offset"] for batch in reader for row in batch.to_pylist()] == [0, len(mailbox) // 2]


def test_batches_end_at_a_number_of_messages(monkeypatch):
    monkeypatch.setattr(mail, "BATCH_MESSAGES", 2)
    batches = list(read_mbox(io.BytesIO((SEPARATOR + b"a: b\n\nx\n") * 5)))
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert all(batch.schema == MAIL_SCHEMA for batch in batches)


def test_batches_end_at_a_number_of_bytes(monkeypatch):
    monkeypatch.setattr(mail, "BATCH_BYTES", 10)
    batches = list(read_mbox(io.BytesIO((SEPARATOR + b"a: b\n\nx\n") * 5)))
    assert [batch.num_rows for batch in batches] == [2, 2, 1]


def test_a_plain_message_becomes_a_row():
    message = HEADERS + b"Message-ID: <1@example.com>\nDate: Tue, 3 Feb 2026 10:14:10 +0100\n\nSo good.\n\nAnn\n"
    assert rows(b"", message)[1] == {
        "message_id": "<1@example.com>",
        "date": datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC),
        "from": "Ann <ann@example.com>",
        "to": "help@example.com",
        "subject": "Hello",
        "text": "So good.\n\nAnn",
        "offset": len(SEPARATOR) + 1,
    }


def test_headers_that_are_missing_or_blank_are_null():
    (row,) = rows(b"Subject: \nTo:\n\nbody\n")
    assert row == dict.fromkeys(MAIL_SCHEMA.names) | {"text": "body", "offset": 0}


@pytest.mark.parametrize("message", [b"", b"\n", b"Subject: x\n", b"Subject: x\n\n  \n"])
def test_a_message_without_a_body_has_an_empty_text(message):
    assert text_of(message) == ""


def test_a_message_without_headers_is_all_text():
    assert text_of(b"\nno headers here\n") == "no headers here"


def test_lines_of_text_that_were_escaped_come_back():
    assert text_of(b"a: b\n\n>From that day on\n>>From here\n> From there\nx >From y\n") == (
        "From that day on\n>From here\n> From there\nx >From y"
    )


def test_a_message_of_dos_lines_has_unix_lines_of_text():
    message = HEADERS.replace(b"\n", b"\r\n") + b"\r\nSo\r\ngood.\r\n"
    (row,) = rows(message)
    assert (row["subject"], row["text"]) == ("Hello", "So\ngood.")


@pytest.mark.parametrize(
    ("charset", "encoded"),
    [
        ("utf-8", "Größe 🥖".encode()),
        ("iso-8859-1", "Größe".encode("latin-1")),
        ("windows-1252", "„Größe“ €".encode("cp1252")),
        ("iso-8859-15", "Größe €".encode("iso-8859-15")),
        ("koi8-r", "Привет".encode("koi8-r")),
        ("windows-1251", "Привет".encode("cp1251")),
        ("shift_jis", "こんにちは".encode("shift_jis")),
        ("iso-2022-jp", "こんにちは".encode("iso-2022-jp")),
        ("gb18030", "你好".encode("gb18030")),
        ("big5", "你好".encode("big5")),
        ("euc-kr", "안녕".encode("euc-kr")),
    ],
)
@pytest.mark.parametrize("encoding", ["8bit", "base64"])
def test_text_of_many_charsets_is_decoded(charset, encoded, encoding):
    raw = base64.encodebytes(encoded) if encoding == "base64" else encoded
    assert text_of(body(raw, f"text/plain; charset={charset}", encoding)) == encoded.decode(charset)


def test_quoted_printable_text_is_decoded():
    assert text_of(body(b"Gr=C3=B6=C3=9Fe and a so=\nft break =3D\n", encoding="quoted-printable")) == (
        "Größe and a soft break ="
    )


def test_a_charset_that_is_not_known_loses_no_ascii_text():
    assert text_of(body(b"plain caf\xe9 text\n", "text/plain; charset=nonsense")).startswith("plain caf")


def test_html_becomes_text():
    html = (
        b"<html><head><style>p {}</style></head><body><p>un<i>happy</i></p><p>you &amp; me</p><script>x()</script>"
    )
    assert text_of(body(html, "text/html; charset=utf-8")) == "unhappy\n\nyou & me"


def test_deeply_nested_html_keeps_its_text():
    assert text_of(body(b"<div>" * 5000 + b"deep" + b"</div>" * 5000, "text/html")) == "deep"


def test_html_is_not_read_where_there_is_plain_text():
    assert (
        text_of(multipart(part("plain"), part("<b>html</b>", "text/html"), kind="alternative").encode()) == "plain"
    )


def test_html_is_read_where_the_plain_text_is_blank():
    message = multipart(part(" \n"), part("<b>html</b>", "text/html"), kind="alternative")
    assert text_of(message.encode()) == "html"


def test_plain_parts_are_joined_and_attachments_left_out():
    message = multipart(
        part("one"),
        part("attached", disposition='attachment; filename="a.txt"'),
        part("AAAA", "image/png"),
        part("two", disposition="inline"),
    )
    assert text_of(message.encode()).split() == ["one", "two"]


def test_parts_of_parts_are_read():
    inner = multipart(part("plain"), part("<b>html</b>", "text/html"), kind="alternative", boundary="inner")
    assert text_of(multipart(inner, part("AAAA", "image/png")).encode()) == "plain"


def test_an_inner_boundary_may_extend_the_outer_one():
    inner = multipart(part("plain"), kind="alternative", boundary="b-1")
    assert text_of(multipart(inner).encode()) == "plain"


def test_a_part_that_is_never_closed_is_read():
    assert text_of(multipart(part("plain")).replace("--b--\n", "").encode()) == "plain"


# fast-mail-parser finds no body where no blank line ends the headers of an inner multipart.
UNREADABLE = multipart(part("plain"), kind="alternative", boundary="inner").replace("\n\n--inner\n", "\n--inner\n")


@pytest.mark.parametrize(
    "parts",
    [[UNREADABLE.rstrip()], [UNREADABLE], [UNREADABLE.rstrip(), part("AAAA", "image/png")]],
    ids=["alone", "before a blank line", "before an attachment"],
)
def test_a_multipart_whose_body_the_fast_parser_loses_is_read(parts):
    assert text_of(multipart(*parts).encode()) == "plain"


def refused(content_type=b"text/plain; charset=utf-8", payload=b"So good.", headers=HEADERS):
    """Return a message that fast-mail-parser refuses: its base64 begins with what is none."""
    encoded = b"!" + base64.encodebytes(payload)
    return headers + b"Content-Type: " + content_type + b"\nContent-Transfer-Encoding: base64\n\n" + encoded


def test_a_message_that_the_fast_parser_refuses_still_gets_its_row():
    headers = (
        HEADERS.replace(b"Hello", b"=?utf-8?q?Gr=C3=B6=C3=9Fe?=\n =?iso-8859-1?q?_caf=E9?=")
        + b"Message-ID: <1@example.com>\nDate: Tue, 3 Feb 2026 10:14:10 +0100\n"
    )
    first, second, third = rows(
        b"a: b\n\none\n", refused(payload="Größe".encode(), headers=headers), b"a: b\n\ntwo\n"
    )
    assert second == {
        "message_id": "<1@example.com>",
        "date": datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC),
        "from": "Ann <ann@example.com>",
        "to": "help@example.com",
        "subject": "Größe café",
        "text": "Größe",
        "offset": second["offset"],
    }
    assert (first["text"], third["text"]) == ("one", "two")
    assert first["offset"] < second["offset"] < third["offset"]


def test_a_refused_message_of_html_becomes_text():
    assert text_of(refused(b"text/html", b"<p>un<i>happy</i></p>")) == "unhappy"


def test_a_refused_attachment_keeps_the_text():
    message = multipart(part("plain"), part("!AAAA", "image/png", "attachment\nContent-Transfer-Encoding: base64"))
    assert text_of(message.encode()) == "plain"


@pytest.mark.parametrize(
    ("content_type", "payload", "text"),
    [
        (b"text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
        (b"text/plain; charset=utf-8", b"caf\xe9", "café"),
        (b"text/plain; charset=nonsense", b"caf\xe9", "café"),
        (b"text/plain", "café".encode(), "café"),
    ],
)
def test_the_text_of_a_refused_message_is_decoded_as_far_as_can_be(content_type, payload, text):
    assert text_of(refused(content_type, payload)) == text


HOSTILE = {
    "surrogate in utf-7": refused(b"text/plain; charset=utf-7", b"+2AA-"),
    "surrogate in unicode_escape": refused(b"text/plain; charset=unicode_escape", rb"\ud800"),
    "charset with a null": refused(b'text/plain; charset="utf-8\0"'),
    "charset undefined": refused(b"text/plain; charset=undefined"),
    "charset idna": refused(b"text/plain; charset=idna", b"\xff.a"),
    "charset punycode": refused(b"text/plain; charset=punycode", b"\xff-a!"),
    "charset hex": refused(b"text/plain; charset=hex", b"zz"),
    "subject with a surrogate": refused(headers=b"Subject: =?utf-7?q?+2AA-?=\n"),
    "subject of an undefined charset": refused(headers=b"Subject: =?undefined?q?a?=\n"),
    "subject of an unknown charset": refused(headers=b"Subject: =?nonsense?q?a?=\n"),
    "subject of broken base64": refused(headers=b"Subject: =?utf-8?b?a?=\n"),
    "headers of bytes": refused(headers=b"Subject: \xff\0\nFrom: \xff\nTo: \xff\nDate: \xff\n"),
    "nested too deep": "".join(
        f'Content-Type: multipart/mixed; boundary="b{level}x"\n\n--b{level}x\n' for level in range(1500)
    ).encode()
    + b"\ndeep\n",
    "null bytes": b"Subject: a\0b\n\na\0b\n",
    "no header name": b": x\n\nbody\n",
}


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_message_gets_a_row_and_so_do_its_neighbours(message):
    first, _, last = rows(b"a: b\n\none\n", message, b"a: b\n\ntwo\n")
    assert (first["text"], last["text"]) == ("one", "two")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.binary(max_size=60) | st.sampled_from([HEADERS, b"\n", multipart(part("x")).encode()]), max_size=6)
)
def test_any_bytes_give_a_row_a_message(pieces):
    mailbox = b"".join(pieces)
    batches = list(read_mbox(io.BytesIO(mailbox)))
    assert [row["offset"] for batch in batches for row in batch.to_pylist()] == [
        offset for offset, _ in split(mailbox)
    ]


@pytest.mark.parametrize("header", ["subject", "from", "to"])
@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        (b"=?utf-8?B?R3LDtsOfZQ==?=", "Größe"),
        (b"=?iso-8859-1?Q?Gr=F6=DFe_eins?=", "Größe eins"),
        (b"=?utf-8?q?Gr=C3=B6?= =?utf-8?q?=C3=9Fe?=", "Größe"),
        (b"=?utf-8?q?Gr=C3=B6?=\n =?utf-8?q?=C3=9Fe?=", "Größe"),
        (b"plain =?UTF-8?q?=F0=9F=A5=96?= bread", "plain 🥖 bread"),
        (b"a long\n folded\n\tvalue", "a long folded value"),
        (b"  wide   space ", "wide space"),
        (b"=?nonsense?q?abc?=", "=?nonsense?q?abc?="),
    ],
)
def test_headers_are_decoded_onto_one_line(header, value, decoded):
    assert value_of(header, value) == decoded


def test_the_names_of_headers_have_any_case():
    (row,) = rows(b"SUBJECT: a\nfrom: b\nTO: c\nmessage-ID: d\nDATE: Tue, 3 Feb 2026 09:14:10 +0000\n\nbody\n")
    assert (row["subject"], row["from"], row["to"], row["message_id"]) == ("a", "b", "c", "d")
    assert row["date"] == datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)


def test_the_first_of_several_headers_counts():
    assert [row["from"] for row in rows(b"From: a\nFrom: b\n\nbody\n")] == ["a"]


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"Tue, 3 Feb 2026 09:14:10 +0000", datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)),
        (b"Tue, 3 Feb 2026 00:14:10 +0530 (IST)", datetime(2026, 2, 2, 18, 44, 10, tzinfo=UTC)),
        (b"Tue, 3 Feb 2026 09:14:10 EST", datetime(2026, 2, 3, 14, 14, 10, tzinfo=UTC)),
        (b"Tue, 3 Feb 2026 09:14:10 -0000", datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)),
        (b"Tue, 3 Feb 2026 09:14:10", datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)),
        (b"3 Feb 26 09:14 GMT", datetime(2026, 2, 3, 9, 14, tzinfo=UTC)),
        (b"Wed, 31 Dec 1969 23:59:59 +0000", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"Tue,\n 3 Feb 2026 09:14:10 +0000", datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)),
    ],
)
def test_a_date_is_a_moment_in_utc(value, moment):
    assert value_of("date", value) == moment


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"yesterday",
        b"Tue, 31 Feb 2026 09:14:10 +0000",
        b"Tue, 3 Feb 2026 25:14:10 +0000",
        b"Fri, 31 Dec 9999 23:59:59 -1200",
        b"Tue, 3 Feb 99999999999 09:14:10 +0000",
        b"Tue, 3 Feb 2026 09:14:10 +99999999999999999999",
        b"2026-02-03T09:14:10Z",
        b"\xff",
    ],
)
def test_an_unreadable_date_is_null(value):
    assert value_of("date", value) is None
