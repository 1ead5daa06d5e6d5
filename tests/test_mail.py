import bz2
import io
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textsent import mail
from textsent.errors import OptionError
from textsent.mail import (
    MailOptions,
    annotated,
    annotation,
    read_mbox,
    read_message,
    read_messages,
    without_annotation,
)
from textsent.mbox import Message, split_mbox
from textsent.readers import open_reader
from textsent.schema import MAIL_SCHEMA, NO_TEXT, RAW_FIELDS

INBOX = Path(__file__).parents[1] / "examples" / "inbox.mbox"
SEPARATOR = b"From ann@example.com Tue Feb  3 09:14:22 2026\n"
HEADER = b"From: Ann <ann@example.com>\nTo: help@example.com\nSubject: Hello\n"


def rows_of(mailbox, **options):
    return [row for batch in read_mbox(io.BytesIO(mailbox), MailOptions(**options)) for row in batch.to_pylist()]


def rows(*messages, **options):
    return rows_of(b"".join(SEPARATOR + message + b"\n" for message in messages), **options)


def text_of(message, **options):
    (row,) = rows(message, **options)
    return row["text"]


# A message and its row


def test_a_message_becomes_a_row():
    header = HEADER + (
        b"Message-ID: <2@example.com>\nIn-Reply-To: <1@example.com>\nList-Id: Hoses <hoses.example.com>\n"
        b"Date: Tue, 3 Feb 2026 10:14:10 +0100\n"
    )
    assert rows(b"", header + b"\nSo good.\n")[1] == {
        "message_id": "<2@example.com>",
        "date": datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC),
        "from": "Ann <ann@example.com>",
        "to": "help@example.com",
        "subject": "Hello",
        "in_reply_to": "<1@example.com>",
        "list_id": "Hoses <hoses.example.com>",
        "text": "So good.",
        "attachments": 0,
        "flags": [],
        "offset": len(SEPARATOR) + 1,
    }


def test_what_a_header_does_not_say_is_null():
    (row,) = rows(b"Subject: \nTo:\nDate: yesterday\n\nSo good.\n")
    assert row == dict.fromkeys(MAIL_SCHEMA.names) | {
        "text": "So good.",
        "attachments": 0,
        "flags": [],
        "offset": 0,
    }


def test_the_columns_are_those_of_the_schema():
    assert tuple(read_message(Message(0, b"", HEADER))) == tuple(MAIL_SCHEMA.names)
    (batch,) = read_mbox(io.BytesIO(SEPARATOR))
    assert batch.schema == MAIL_SCHEMA


def test_a_message_of_dos_lines_has_unix_lines_of_text():
    (row,) = rows_of((SEPARATOR + HEADER + b"\nSo\ngood.\n").replace(b"\n", b"\r\n"))
    assert (row["subject"], row["text"]) == ("Hello", "So\ngood.")


@pytest.mark.parametrize("mark", [b"X-Mozilla-Status: 0009\n", b"X-Status: AD\n"])
def test_a_deleted_message_is_read_and_flagged(mark):
    (row,) = rows(mark + b"\nSo good.\n")
    assert (row["text"], row["flags"]) == ("So good.", ["deleted"])


def test_what_is_known_of_a_message_is_flagged_once():
    content = b"X-Mozilla-Status: 0009\n\nSo good.\n"
    assert read_message(Message(0, b"", content, flags=("deleted",)))["flags"] == ["deleted"]


def test_a_message_that_could_not_be_opened_has_a_row():
    row = read_message(Message(0, b"", b"", flags=("unreadable",)))
    assert (row["text"], row["flags"]) == (None, ["unreadable"])


# Lines that a mailbox escapes


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (b">From that day on\n", "From that day on"),
        (b"Hello\n>From that day on\n\nSo good.", "Hello\nFrom that day on\n\nSo good."),
        (b">>From that day on\n\n>>>From here", ">From that day on\n\n>>From here"),
        (b"> From that day on\nx >From here\n>Fromage", "> From that day on\nx >From here\n>Fromage"),
        (b">he said:\n>From that day on\n>so good", ">he said:\n>From that day on\n>so good"),
        (b"Hello\n>he said:\n>From that day on\nSo good.", "Hello\n>he said:\n>From that day on\nSo good."),
        (b">From that day on\n>so good\nHello", ">From that day on\n>so good\nHello"),
        (
            b">he said:\nHello\n>From that day on\nHello\n>so good",
            ">he said:\nHello\nFrom that day on\nHello\n>so good",
        ),
        (b">From that day on\nHello\n>so good", "From that day on\nHello\n>so good"),
        (b">he said:\n>>From that day on\n>so good", ">he said:\n>From that day on\n>so good"),
        (b">From that day on\n>From here", "From that day on\nFrom here"),
    ],
    ids=[
        "first line",
        "line within",
        "escaped before",
        "no escapes",
        "quoted",
        "quoted above",
        "quoted below",
        "quoted elsewhere",
        "quoted later",
        "quoted and escaped before",
        "two lines",
    ],
)
def test_lines_that_were_escaped_come_back(escaped, text):
    assert text_of(b"a: b\n\n" + escaped, keep_quotes=True) == text


def test_an_escaped_line_is_no_quote():
    assert text_of(b"a: b\n\nSo good.\n\n>From that day on it was quiet.\n") == (
        "So good.\n\nFrom that day on it was quiet."
    )


def test_a_message_of_no_mailbox_has_no_escapes():
    message = Message(0, b"", b"\nSo good.\n>From that day on\n", escaped=False)
    assert read_message(message, MailOptions(keep_quotes=True))["text"] == "So good.\n>From that day on"


# Options


BODY = (
    b"Subject: Hoses\n\nSo good.\n\nBest\nAnn\n\nOn Tue, 3 Feb 2026 at 09:14, Bob <bob@example.com> wrote:\n> Hi\n"
)


def test_options_say_what_counts_as_text():
    quote = "\n\nOn Tue, 3 Feb 2026 at 09:14, Bob <bob@example.com> wrote:\n> Hi"
    assert text_of(BODY) == "So good."
    assert text_of(BODY, with_subject=True) == "Hoses\n\nSo good."
    assert text_of(BODY, keep_signatures=True) == "So good.\n\nBest\nAnn"
    assert text_of(BODY, keep_quotes=True).endswith(quote)
    assert text_of(BODY, keep_quotes=True, keep_signatures=True) == f"So good.\n\nBest\nAnn{quote}"
    assert text_of(BODY, keep_quotes=True, keep_signatures=True, with_subject=True).startswith("Hoses\n\nSo good.")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"a: b\n\nSo good.\n", "So good."),
        (b"Subject: =?utf-8?q?Sch=C3=B6n?=\n\nSo good.\n", "Schön\n\nSo good."),
        (b"Subject: x\nContent-Type: image/png\n\nAAAA\n", None),
    ],
    ids=["no subject", "encoded subject", "no text"],
)
def test_a_subject_comes_before_the_text(message, text):
    assert text_of(message, with_subject=True) == text


PICTURE = (
    b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSo good.\n--b\nContent-Type: image/png\n\n"
    + b"AAAA\n" * 1000
    + b"--b--\n"
)


def test_of_a_message_over_the_limit_the_text_is_read():
    (row,) = rows(PICTURE, max_message_bytes=1000)
    assert (row["subject"], row["text"], row["attachments"], row["flags"]) == ("x", "So good.", 1, ["oversize"])
    (row,) = rows(PICTURE, max_message_bytes=len(PICTURE) + 1)
    assert (row["text"], row["flags"]) == ("So good.", [])


def test_a_message_whose_text_is_over_the_limit_has_a_row():
    (row, after) = rows(b"Subject: x\n\n" + b"So good.\n" * 200, b"a: b\n\nFine.\n", max_message_bytes=1000)
    assert (row["subject"], row["text"], row["flags"]) == ("x", None, ["oversize"])
    assert after["text"] == "Fine."


def test_a_message_from_elsewhere_has_the_same_limit():
    message = Message(0, b"", PICTURE)
    row = read_message(message, MailOptions(max_message_bytes=1000))
    assert (row["text"], row["flags"]) == ("So good.", ["oversize"])


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_of_nothing_is_an_error(limit):
    with pytest.raises(OptionError, match=f"at least one byte. Received: {limit}"):
        MailOptions(max_message_bytes=limit)


# Batches


def test_batches_end_at_a_number_of_messages(monkeypatch):
    monkeypatch.setattr(mail, "BATCH_MESSAGES", 2)
    batches = list(read_mbox(io.BytesIO((SEPARATOR + b"a: b\n\nx\n") * 5)))
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert all(batch.schema == MAIL_SCHEMA for batch in batches)


def test_batches_end_at_a_number_of_bytes(monkeypatch):
    monkeypatch.setattr(mail, "BATCH_BYTES", 10)
    batches = list(read_mbox(io.BytesIO((SEPARATOR + b"a: b\n\nx\n") * 5)))
    assert [batch.num_rows for batch in batches] == [2, 2, 1]


@pytest.mark.parametrize("mailbox", [b"", b"\n", b"\r\n\r\n"])
def test_an_empty_mailbox_has_no_batches(mailbox):
    assert list(read_mbox(io.BytesIO(mailbox))) == []


def test_offsets_count_the_decompressed_bytes(tmp_path):
    mailbox = (SEPARATOR + b"a: b\n\nx\n") * 2
    path = tmp_path / "a.mbox.bz2"
    path.write_bytes(bz2.compress(mailbox))
    with open_reader(path) as reader:
        assert [row["offset"] for batch in reader for row in batch.to_pylist()] == [0, len(mailbox) // 2]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([SEPARATOR, HEADER, b"\n", b"\r\n", b"x\n", b"\xef\xbb\xbf", PICTURE])).map(b"".join)
)
def test_the_bytes_of_messages_are_carried_on_demand(mailbox):
    options = MailOptions(max_message_bytes=100)
    batches = list(read_mbox(io.BytesIO(mailbox), options, with_raw=True))
    carried = [row for batch in batches for row in batch.to_pylist()]
    assert all(batch.schema.names == [*MAIL_SCHEMA.names, *RAW_FIELDS.names] for batch in batches)
    if carried:
        assert b"".join(row["raw_separator"] + row["raw_content"] for row in carried) == mailbox


def test_a_message_of_no_mailbox_carries_no_separator():
    message = Message(0, b"", b"\nx\n", escaped=False)
    (batch,) = read_messages([message], with_raw=True)
    assert batch.select(RAW_FIELDS.names).to_pylist() == [
        {"raw_separator": None, "raw_content": b"\nx\n", "raw_begins": False}
    ]


# What textsent itself has written into a header

SCORES = {"Score": "0.97", "Sentiment": "positive", "Model": "imdb"}


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=30) | st.sampled_from([HEADER, b"\n", b"X-Textsent: x\n\n", b"X-Textsent-Other: x\n"]),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_what_was_put_on_top_of_a_message_comes_off(content, line_end):
    with_scores = annotated(content, SCORES, line_end)
    assert with_scores.startswith(b"X-Textsent-Score: 0.97" + line_end)
    # Its line feed would belong to the carriage return above.
    assert without_annotation(with_scores) == content or (line_end == b"\r" and content.startswith(b"\n"))


def test_what_was_written_into_a_header_is_read_from_it_and_the_first_counts():
    content = b"Subject: x\nX-Textsent-Score: 0.9\n\nX-Textsent-Score: 0.8\n"
    assert annotation(content) == {"Score": "0.9"}
    once = annotated(content, SCORES, b"\r\n")
    assert annotation(once) == SCORES
    assert annotation(b"X-Textsent-Score: 0.1\n" + content) == {"Score": "0.1"}
    assert annotation(b"Subject: x\n\nX-Textsent-Score: 0.8\n") == {}


def test_a_message_is_annotated_once():
    content = HEADER + b"\nSo good.\n"
    once = annotated(content, SCORES, b"\n")
    assert (
        annotated(once, SCORES, b"\n")
        == once
        == (b"X-Textsent-Score: 0.97\nX-Textsent-Sentiment: positive\nX-Textsent-Model: imdb\n" + content)
    )
    assert rows(once) == rows(content)


# Messages that were made to break a program, or broke


def refused(content_type=b"text/plain; charset=utf-8", payload="U28gZ29vZC4=", header=HEADER):
    """Return a message that fast-mail-parser refuses: its base64 begins with what is none."""
    encoding = b"\nContent-Transfer-Encoding: base64\n\n!"
    return header + b"Content-Type: " + content_type + encoding + payload.encode()


HOSTILE = {
    "refused": refused(),
    "half a character in UTF-7": refused(b"text/plain; charset=utf-7", "KzJBQS0="),
    "codec for other things": refused(b"text/plain; charset=unicode_escape", "XHVkODAw"),
    "charset with a null": refused(b'text/plain; charset="utf-8\0"'),
    "charset undefined": refused(b"text/plain; charset=undefined"),
    "charset idna": refused(b"text/plain; charset=idna", "/y5h"),
    "charset hex": refused(b"text/plain; charset=hex"),
    "half a character in a subject": refused(header=b"Subject: =?utf-7?q?+2AA-?=\n"),
    "subject of an undefined charset": refused(header=b"Subject: =?undefined?q?a?=\n"),
    "subject of half a base64": refused(header=b"Subject: =?utf-8?b?a?=\n"),
    "subject of base64 with other characters": refused(header=b"Subject: =?utf-8?b?\xff\xc3\xa9a:b==?=\n"),
    "fields of bytes": refused(header=b"Subject: \xff\0\nFrom: \xff\nTo: \xff\nDate: \xff\nMessage-ID: \xff\n"),
    "null bytes": b"Subject: a\0b\n\na\0b\n",
    "no field name": b": x\n\nbody\n",
    "a field of 200,000 characters": b"Subject: " + b"x " * 100_000 + b"\n\nSo good.\n",
    "20,000 fields": b"X-A: b\n" * 20_000 + b"\nSo good.\n",
    "20,000 recipients": b"To: " + b"=?utf-8?q?Ann?= <ann@example.com>,\n " * 20_000 + b"x\n\nSo good.\n",
    "2,000 parts within parts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(2000)
    ),
    "2,000 messages within messages": b"Content-Type: message/rfc822\n\n" * 2000,
    "20,000 tags within tags": b"Content-Type: text/html\n\n" + b"<div>" * 20_000,
    "20,000 quotes within quotes": b"\n" + b">" * 20_000 + b"\n",
    "a line over a quote, again and again": b"\n" + b"On " * 40_000 + b"wrote:\n",
}


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_message_gets_a_row_and_so_do_its_neighbours(message):
    first, _, last = rows(b"a: b\n\none\n", message, b"a: b\n\ntwo\n")
    assert (first["text"], last["text"]) == ("one", "two")


def test_the_header_of_a_message_that_a_parser_refuses_is_read():
    (row,) = rows(
        refused(header=HEADER.replace(b"Hello", b"=?utf-8?q?Gr=C3=B6=C3=9Fe?=\n =?iso-8859-1?q?_caf=E9?="))
    )
    assert (row["subject"], row["from"], row["text"]) == ("Größe café", "Ann <ann@example.com>", "So good.")


def check_rows(mailbox, **options):
    """Read a mailbox, and check that it has a row for each message, and each row a text or a reason."""
    found = rows_of(mailbox, **options)
    messages = list(split_mbox(io.BytesIO(mailbox), max_message_bytes=MailOptions(**options).max_message_bytes))
    assert [row["offset"] for row in found] == [message.offset for message in messages]
    assert all(row["text"] is not None or set(row["flags"]) & set(NO_TEXT) for row in found)


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "keep_quotes": st.booleans(),
        "keep_signatures": st.booleans(),
        "with_subject": st.booleans(),
        "max_message_bytes": st.integers(1, 1000),
    },
)
PIECES = st.sampled_from(
    [
        *(SEPARATOR, HEADER, b"\n", b"--b\n", b"--b--\n", b"> x\n", b"-- \n", b"=?utf-8?b?a", b"?=\n", b"\xff\n"),
        *(b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: text/html; charset=koi8-r\n"),
        *(b"Content-Type: message/rfc822\n", b"Content-Transfer-Encoding: base64\n", b"Content-Type: image/png\n"),
        *(b"Content-Transfer-Encoding: x-uuencode\n", b"<p>So good.\n", b"-----BEGIN PGP MESSAGE-----\n"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=60) | PIECES, max_size=12).map(b"".join), OPTIONS)
@example(b"From: \r\n", {})
def test_any_bytes_give_a_row_a_message(mailbox, options):
    check_rows(mailbox, **options)


INBOX_BYTES = INBOX.read_bytes()


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, len(INBOX_BYTES) - 1),
    st.lists(
        st.tuples(
            st.integers(0, 3999),
            st.integers(0, 40),
            st.binary(max_size=4)
            | PIECES
            | st.tuples(st.integers(0, len(INBOX_BYTES) - 1), st.integers(0, 200)).map(
                lambda place: INBOX_BYTES[place[0] : sum(place)]
            ),
        ),
        max_size=8,
    ),
    OPTIONS,
)
def test_a_mutated_mailbox_has_a_row_a_message(start, changes, options):
    mailbox = INBOX_BYTES[start : start + 4000]
    for place, removed, added in changes:
        mailbox = mailbox[:place] + added + mailbox[place + removed :]
    check_rows(mailbox, **options)


def test_a_mailbox_with_every_byte_at_risk_has_a_row_a_message():
    generator = random.Random(1)
    for _ in range(20):
        mailbox = bytearray(INBOX_BYTES)
        for _ in range(300):
            mailbox[generator.randrange(len(mailbox))] = generator.randrange(256)
        check_rows(bytes(mailbox))


def test_the_example_mailbox_is_read():
    found = rows_of(INBOX_BYTES)
    assert len(found) == 66
    assert [(row["text"], row["flags"]) for row in found if not row["text"]] == [(None, ["images_only"]), ("", [])]


@pytest.mark.parametrize(
    "content",
    ["From: a\n\nSo good.".encode("utf-16"), b"PK\3\4" + b"x" * 50, b"\0\1\2\0" * 100, b"\x1f\x8b\x08abc"],
    ids=["UTF-16", "an archive", "bytes", "gzip"],
)
def test_what_is_no_mail_has_a_row_that_says_so(content):
    row = read_message(Message(0, b"", content))
    assert (row["text"], row["flags"]) == (None, ["unreadable"])
