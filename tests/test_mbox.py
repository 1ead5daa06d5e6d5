import io
import itertools
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textsent.mbox import CHUNK_SIZE, DEFAULT_MAX_MESSAGE_BYTES, MboxRange, Message, is_from_git, split_mbox

INBOX = Path(__file__).parents[1] / "examples" / "inbox.mbox"
SEPARATOR = b"From ann@example.com Tue Feb  3 09:14:22 2026\n"
GIT = b"From 7f2f62b4b4c1e2d3a4958671b2c3d4e5f6071829 Mon Sep 17 00:00:00 2001\n"
MARK = b"\xef\xbb\xbf"


def split(mailbox, chunk_size=CHUNK_SIZE, max_message_bytes=DEFAULT_MAX_MESSAGE_BYTES):
    return list(split_mbox(io.BytesIO(mailbox), chunk_size, max_message_bytes))


def contents(mailbox):
    return [message.content for message in split(mailbox)]


def joined(messages):
    return b"".join(message.separator + message.content for message in messages)


LINES = st.sampled_from(
    [
        SEPARATOR.rstrip(),
        b"From MAILER-DAEMON Tue Feb 03 09:14 2026",
        b"From - Tue Feb 03 09:14:22 2026 +0100",
        b"From ann at example.com  Tue Feb  3 09:14:22 GMT CET 2026",
        b"From ann@example.com Tue, 3 Feb 2026 09:14:22 +0100",
        b"From ann@example.com 2026-02-03T09:14:22Z",
        b"From \xff\xe9 Tue Feb  3 09:14:22 2026",
        b"From ann!host Tue Feb  3 09:14:22 2026 remote from host",
        GIT.rstrip(),
        b"From ann@example.com",
        b"From that day on",
        b"From ",
        b"From",
        b"From: ann@example.com",
        b">" + SEPARATOR.rstrip(),
        b" " + SEPARATOR.rstrip(),
        MARK + SEPARATOR.rstrip(),
        b"Subject: x",
        b" folded",
        b"Name: value",
        b"Content-Length: 0",
        b"Content-Length: 5",
        b"Content-Length: 48",
        b"Content-Length: 100",
        b"Content-Length: 99999999999",
        b"",
        b"text",
        b"\xff\x00",
        MARK,
    ]
)
LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r", b""])


@st.composite
def mailboxes(draw):
    # Most have one kind of line end, as most mailboxes.
    line_ends = draw(st.sampled_from([st.just(b"\n"), st.just(b"\r\n"), st.just(b"\r"), LINE_ENDS]))
    lines = draw(st.lists(st.tuples(LINES, line_ends), max_size=14))
    return b"".join(itertools.chain.from_iterable(lines))


MAILBOXES = mailboxes()
CHUNK_SIZES = st.integers(1, 150)
WITH_LENGTH = SEPARATOR + b"Subject: y\nContent-Length: 48\n\n" + SEPARATOR + b"x\n" + SEPARATOR + b"a: b\n\n"
WITH_DOS_LENGTH = WITH_LENGTH.replace(b"\n", b"\r\n").replace(b"48", b"50")


@settings(max_examples=400, deadline=None)
@given(MAILBOXES, CHUNK_SIZES)
@example(SEPARATOR * 3, 1)
@example(SEPARATOR + b"a: b\n\nx\n" + SEPARATOR.rstrip(), len(SEPARATOR) + 9)
@example(WITH_LENGTH.replace(b"Subject: y\n", b""), len(SEPARATOR) + 30)
@example(WITH_DOS_LENGTH, len(SEPARATOR) + 60)
def test_a_mailbox_splits_the_same_whatever_the_chunk_size(mailbox, chunk_size):
    assert split(mailbox, chunk_size) == split(mailbox)


@settings(max_examples=400, deadline=None)
@given(MAILBOXES, CHUNK_SIZES, st.integers(1, 200))
@example(WITH_LENGTH, 12, 1)
def test_messages_over_the_limit_are_the_same_whatever_the_chunk_size(mailbox, chunk_size, max_message_bytes):
    assert split(mailbox, chunk_size, max_message_bytes) == split(mailbox, max_message_bytes=max_message_bytes)


@settings(max_examples=300, deadline=None)
@given(MAILBOXES, CHUNK_SIZES)
def test_separators_and_contents_joined_are_the_mailbox(mailbox, chunk_size):
    messages = split(mailbox, chunk_size, None)
    assert joined(messages) == mailbox or (not messages and not mailbox.removeprefix(MARK).strip())


@settings(max_examples=300, deadline=None)
@given(MAILBOXES, CHUNK_SIZES)
def test_an_offset_is_that_of_the_line_before_the_content(mailbox, chunk_size):
    end = 0
    for message in split(mailbox, chunk_size):
        start = end + len(message.separator)
        line = mailbox[message.offset : start]
        assert line == b"" or (line.startswith(b"From ") and len(line.splitlines()) == 1)
        end = start + len(message.content)


@settings(max_examples=300, deadline=None)
@given(MAILBOXES, CHUNK_SIZES, st.integers(1, 200))
def test_a_limit_changes_no_message_but_those_over_it(mailbox, chunk_size, max_message_bytes):
    mailbox = SEPARATOR + mailbox
    whole = split(mailbox)
    limited = split(mailbox, chunk_size, max_message_bytes)
    assert [message.offset for message in limited] == [message.offset for message in whole]
    for short, message in zip(limited, whole, strict=True):
        assert short.oversize == (len(message.content) > max_message_bytes)
        assert short.oversize or short == message


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from([b"text\n", b"\n", b">From x\n", b"From that day on\n"])).map(b"".join)))
def test_joined_messages_come_apart_again(messages):
    assert contents(b"".join(SEPARATOR + message for message in messages)) == messages


def test_a_message_says_where_it_stands():
    assert split(SEPARATOR + b"a: b\n\nx\n" + SEPARATOR + b"c: d\n\ny") == [
        Message(0, SEPARATOR, b"a: b\n\nx\n"),
        Message(len(SEPARATOR) + 8, SEPARATOR, b"c: d\n\ny"),
    ]


def test_the_example_mailbox_has_a_message_for_each_separator():
    mailbox = INBOX.read_bytes()
    messages = split(mailbox)
    assert len(messages) == 66
    assert all(mailbox.startswith(b"From ", message.offset) for message in messages)
    assert joined(messages) == mailbox


@pytest.mark.parametrize(
    "line",
    [
        b"From ann@example.com Tue Feb  3 09:14:22 2026",
        b"From ann@example.com Tue Feb 3 09:14:22 2026",
        b"From MAILER-DAEMON Tue Feb 03 09:14:22 2026",
        b"From - Tue Feb 03 09:14 2026",
        b"From ???@??? Tue Feb 03 09:14:22 2026",
        b"From  Tue Feb 03 09:14:22 2026",
        b"From Tue Feb 03 09:14:22 2026",
        b"From ann at example.com  Tue Feb  3 09:14:22 2026",
        b'From "ann smith"@example.com Tue Feb  3 09:14:22 2026',
        b"From \xe4nn@example.com Tue Feb  3 09:14:22 2026",
        b"From ann@example.com Tue Feb  3 09:14:22 GMT 2026",
        b"From ann@example.com Tue Feb  3 09:14:22 MET DST 2026",
        b"From ann@example.com Tue Feb  3 09:14:22 2026 +0100",
        b"From ann@example.com Tue Feb  3 09:14:22 +0100 2026",
        b"From ann@example.com Tue Feb  3 09:14:22 2026 -0800 (PST)",
        b"From ann@example.com Tue Feb  3 09:14:22 26",
        b"From 1724463534187213413@xxx Tue Feb 03 09:14:22 +0000 2026",
        b"From host!ann Tue Feb  3 09:14:22 2026 remote from host",
        b"From ann@example.com Tue, 3 Feb 2026 09:14:22 +0100",
        b"From ann@example.com 3 Feb 2026 09:14:22",
        b"From ann@example.com 2026-02-03T09:14:22Z",
        b"From ann@example.com 2026-02-03 09:14:22",
    ],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_a_line_that_names_a_date_separates(line, line_end):
    first, second = b"a: b\n\nx\n\n".replace(b"\n", line_end), b"c: d\n\ny\n".replace(b"\n", line_end)
    separator = SEPARATOR.replace(b"\n", line_end)
    assert contents(separator + first + line + line_end + second) == [first, second]


@pytest.mark.parametrize(
    "line",
    [
        b"From that day on",
        b"From ann@example.com",
        b"From 9:30 on we waited",
        b"From May 2026 until now",
        b"From Tuesday 3 Feb 2026 I was without water",
        b"From Feb 3 09:14:22 2026 on it leaked",
        b"From: Ann",
        b"From",
        b"from ann@example.com Tue Feb  3 09:14:22 2026",
        b">From ann@example.com Tue Feb  3 09:14:22 2026",
        b" From ann@example.com Tue Feb  3 09:14:22 2026",
        b"x From ann@example.com Tue Feb  3 09:14:22 2026",
        b"From " + b"x" * 2000 + b" Tue Feb  3 09:14:22 2026",
        GIT.rstrip(),
    ],
    ids=lambda line: line.decode()[:50],
)
def test_another_line_does_not_separate(line):
    message = b"a: b\n\nx\n\n" + line + b"\ny\n"
    assert contents(SEPARATOR + message) == [message]


@pytest.mark.parametrize(
    "header",
    [
        b"Subject: x\nTo: y\n",
        b"X-Anything: x\nDate: y\n",
        b"Received: from a\n by b\nMessage-ID: <1@example.com>\n",
        b"Unknown: x\nUnheard-of: y\nReturn-Path: <>\n",
    ],
)
def test_a_separator_needs_no_date_where_a_header_follows(header):
    first = b"a: b\n\nx\n\n"
    assert contents(SEPARATOR + first + b"From ann@example.com\n" + header + b"\ny\n") == [first, header + b"\ny\n"]


@pytest.mark.parametrize(
    "lines",
    [
        b"Subject: x\nno header\n",
        b"Pros: cheap\nCons: loud\n",
        b"\nSubject: x\nTo: y\n",
        b"",
    ],
    ids=["one line", "unknown names", "after a blank line", "end"],
)
def test_a_line_without_a_date_or_a_header_below_does_not_separate(lines):
    message = b"a: b\n\nx\n\nFrom ann@example.com\n" + lines
    assert contents(SEPARATOR + message) == [message]


def test_the_date_of_git_separates_in_a_mailbox_that_begins_with_it():
    assert contents(GIT + b"Subject: one\n\n" + GIT + b"Subject: two\n\n") == [
        b"Subject: one\n\n",
        b"Subject: two\n\n",
    ]


def test_a_patch_in_a_message_does_not_end_it():
    message = b"Subject: please apply\n\n" + GIT + b"From: Ann <ann@example.com>\nSubject: [PATCH] x\n\ndiff\n"
    assert contents(SEPARATOR + message + SEPARATOR) == [message, b""]


def test_a_separator_needs_no_blank_line_before_it():
    assert contents(SEPARATOR + b"a: b\n\nx\n" + SEPARATOR + b"c: d\n\ny") == [b"a: b\n\nx\n", b"c: d\n\ny"]


def test_line_ends_may_differ_from_line_to_line():
    first, second = b"a: b\r\n\nx\r", b"c: d\r\r\ny\n"
    separator = SEPARATOR.replace(b"\n", b"\r\n")
    assert contents(separator + first + SEPARATOR + second) == [first, second]


def test_a_mailbox_without_a_separator_is_one_message():
    assert split(b"a: b\n\nx\n") == [Message(0, b"", b"a: b\n\nx\n")]


def test_a_mailbox_without_a_separator_that_begins_with_from_keeps_its_first_line():
    assert contents(b"From that day on\nall was well\n") == [b"From that day on\nall was well\n"]


@pytest.mark.parametrize("mailbox", [b"", b"\n", b"\r\n\r\n", b" \t\n", MARK, MARK + b"\n"])
def test_a_mailbox_of_white_space_has_no_messages(mailbox):
    assert split(mailbox) == []


def test_a_first_message_whose_separator_is_damaged_is_a_message():
    damaged = b"F\x0eom ann@example.com Tue Feb  3 09:14:22 2026\n" + b"From: Ann\nSubject: one\n\nx\n\n"
    assert [(message.offset, message.content) for message in split(damaged + SEPARATOR + b"a: b\n\ny\n")] == [
        (0, damaged),
        (len(damaged), b"a: b\n\ny\n"),
    ]


@pytest.mark.parametrize(
    "preamble",
    [b"\n\n", b"\r\n", MARK, MARK + b"\n", b"*mbx*\n", b"Export of 3 messages\n\n", b"\0\0\0\0\n"],
)
def test_what_is_no_message_before_the_first_separator_is_part_of_it(preamble):
    assert split(preamble + SEPARATOR + b"a: b\n\nx\n") == [
        Message(len(preamble), preamble + SEPARATOR, b"a: b\n\nx\n")
    ]


def test_a_message_before_the_first_separator_is_kept():
    assert split(b"\nSubject: x\n\ny\n" + SEPARATOR + b"a: b\n\nz\n") == [
        Message(1, b"\n", b"Subject: x\n\ny\n"),
        Message(15, SEPARATOR, b"a: b\n\nz\n"),
    ]


def test_a_separator_without_a_message_is_an_empty_message():
    assert split(SEPARATOR + SEPARATOR.rstrip()) == [
        Message(0, SEPARATOR, b""),
        Message(len(SEPARATOR), SEPARATOR.rstrip(), b""),
    ]


def with_length(length, body, line_end=b"\n", first=b""):
    """Return a message of a header with a Content-Length, and a body."""
    header = first + b"Content-Length: " + str(length).encode() + b"\n\n"
    return (header + body).replace(b"\n", line_end)


@pytest.mark.parametrize("chunk_size", [1, 30, 70, CHUNK_SIZE])
@pytest.mark.parametrize("first", [b"", b"Subject: x\n"], ids=["first field", "second field"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("blank", [b"", b"\n"], ids=["no blank line", "blank line"])
def test_a_right_content_length_keeps_separators_within_a_body(blank, line_end, first, chunk_size):
    body = b"x\n\n" + SEPARATOR + b"Subject: y\n\nz\n"
    separator = SEPARATOR.replace(b"\n", line_end)
    length = len(body.replace(b"\n", line_end))
    message = with_length(length, body, line_end, first) + blank.replace(b"\n", line_end)
    assert [content for _, _, content, *_ in split((separator + message) * 2, chunk_size)] == [message, message]


@pytest.mark.parametrize(
    "length", [0, 1, 5, 30, 47, 49, 60, 1000, 99999999999, "99999999999999999999", -1, "many", ""]
)
def test_a_wrong_content_length_is_not_believed(length):
    first = with_length(length, b"x\n")
    assert contents(SEPARATOR + first + SEPARATOR + b"a: b\n\n" + b"y\n" * 20) == [first, b"a: b\n\n" + b"y\n" * 20]


def test_a_content_length_within_a_body_is_text():
    first = b"a: b\n\nContent-Length: 53\n\nx\n"
    assert contents(SEPARATOR + first + SEPARATOR + b"c: d\n\n") == [first, b"c: d\n\n"]


def test_a_message_over_the_limit_keeps_its_text():
    picture = b"--b\nContent-Type: image/png\n\n" + b"AAAA\n" * 1000
    head = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nGood.\n"
    mailbox = SEPARATOR + head + picture + b"--b--\n" + SEPARATOR + b"a: b\n\nx\n"
    first, second = split(mailbox, 100, 1000)
    assert first == Message(0, SEPARATOR, head + b"--b\nContent-Type: image/png\n\n--b--\n", oversize=True)
    assert second == Message(len(mailbox) - len(SEPARATOR) - 8, SEPARATOR, b"a: b\n\nx\n")


class Endless(io.RawIOBase):
    """A mailbox of one message of 8 MB."""

    def __init__(self):
        self.chunks = iter([SEPARATOR + b"Subject: x\n\n", *[b"Good. " * 1000 + b"\n"] * 1400])

    def read(self, size=-1):
        return next(self.chunks, b"")


def test_a_long_message_is_not_held():
    tracemalloc.start()
    try:
        (message,) = split_mbox(Endless(), max_message_bytes=100_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert message == Message(0, SEPARATOR, b"Subject: x\n", oversize=True)
    assert peak < 2_000_000


def by_ranges(mailbox, cuts, chunk_size=CHUNK_SIZE, max_message_bytes=DEFAULT_MAX_MESSAGE_BYTES):
    """Return a mailbox's messages, read range by range as MboxRange says, and which ranges were read again."""
    file = io.BytesIO(mailbox)
    from_git = is_from_git(file)

    def read(start):
        file.seek(start)
        mbox_range = MboxRange(file, start, end, from_git, chunk_size, max_message_bytes)
        return list(mbox_range.messages()), mbox_range.next_offset

    bounds = [0, *sorted(cut for cut in set(cuts) if 0 < cut < len(mailbox)), len(mailbox)]
    messages, again = [], []
    expected = 0
    for start, end in itertools.pairwise(bounds):
        if expected is None or expected >= end:
            continue  # the message before goes on
        found, after = read(start)
        if start and (not found or found[0].offset != expected):
            found, after = read(expected)
            again.append(start)
        messages += found
        expected = after
    assert expected is None or expected >= len(mailbox)
    return messages, again


def messages_by_ranges(mailbox, cuts, *limits):
    return by_ranges(mailbox, cuts, *limits)[0]


EXAMPLES = [
    path.read_bytes() for path in sorted((Path(__file__).parent / "data" / "mail").glob("*.mbox")) if path.is_file()
]
JOINED = st.lists(st.one_of(st.sampled_from(EXAMPLES), MAILBOXES), min_size=1, max_size=4).map(b"".join)
SHARES = st.lists(st.floats(0, 1), max_size=6)
"""Where a mailbox is cut, of its length."""


def cuts_at(mailbox, shares):
    return [round(share * len(mailbox)) for share in shares]


@settings(max_examples=400, deadline=None)
@given(MAILBOXES, SHARES, CHUNK_SIZES)
@example(WITH_LENGTH, [0.5], 7)
@example(WITH_DOS_LENGTH, [0.5, 0.6], 7)
def test_a_mailbox_read_by_ranges_has_each_message_once(mailbox, shares, chunk_size):
    assert messages_by_ranges(mailbox, cuts_at(mailbox, shares), chunk_size) == split(mailbox)


@settings(max_examples=200, deadline=None)
@given(JOINED, SHARES, st.sampled_from([61, 257, 1000, 10_000]))
def test_example_mailboxes_joined_and_read_by_ranges_have_each_message_once(mailbox, shares, chunk_size):
    assert messages_by_ranges(mailbox, cuts_at(mailbox, shares), chunk_size) == split(mailbox)


@settings(max_examples=400, deadline=None)
@given(MAILBOXES, SHARES, CHUNK_SIZES, st.integers(1, 200))
def test_a_mailbox_read_by_ranges_has_the_same_messages_over_the_limit(
    mailbox, shares, chunk_size, max_message_bytes
):
    cuts = cuts_at(mailbox, shares)
    expected = split(mailbox, max_message_bytes=max_message_bytes)
    assert messages_by_ranges(mailbox, cuts, chunk_size, max_message_bytes) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, INBOX.stat().st_size), min_size=1, max_size=30), st.sampled_from([100, 4000]))
def test_the_example_mailbox_read_by_ranges_has_each_message_once(cuts, chunk_size):
    mailbox = INBOX.read_bytes()
    assert messages_by_ranges(mailbox, cuts, chunk_size) == split(mailbox)


RANGED = {
    "LF": SEPARATOR + b"a: b\n\nx\n\n" + SEPARATOR + b"c: d\n\ny\n",
    "CRLF": (SEPARATOR + b"a: b\n\nx\n\n" + SEPARATOR + b"c: d\n\ny\n").replace(b"\n", b"\r\n"),
    "CR": (SEPARATOR + b"a: b\n\nx\n\n" + SEPARATOR + b"c: d\n\ny\n").replace(b"\n", b"\r"),
    "byte order mark": MARK + SEPARATOR + b"a: b\n\nx\n" + SEPARATOR + b"c: d\n\ny\n",
    "preamble": b"*mbx*\n\n" + SEPARATOR + b"a: b\n\nx\n" + SEPARATOR + b"c: d\n\ny\n",
    "message before": b"\nSubject: x\n\ny\n" + SEPARATOR + b"a: b\n\nz\n",
    "git": GIT + b"Subject: one\n\n" + GIT + b"Subject: two\n\n" + GIT + b"Subject: three\n\n",
    "patch in a body": SEPARATOR + b"Subject: apply\n\n" + GIT + b"Subject: [PATCH] x\nTo: y\n\n" + SEPARATOR,
    "without a date": SEPARATOR + b"a: b\n\nFrom ann@example.com\nSubject: x\nTo: y\n\nz\n",
    "no separator": b"Subject: x\n\nsome lines\nof text\n",
    "no separator, but From": b"From that day on\nall was well\n",
    "separators alone": SEPARATOR * 3,
    "separator at the end": SEPARATOR + b"a: b\n\nx\n" + SEPARATOR.rstrip(),
    "length": WITH_LENGTH,
    "length, CRLF": WITH_DOS_LENGTH,
    "blank": MARK + b"\n \t\r\n\n",
    "empty": b"",
}


@pytest.mark.parametrize("mailbox", RANGED.values(), ids=RANGED)
@pytest.mark.parametrize("chunk_size", [1, 16, CHUNK_SIZE])
def test_a_mailbox_may_be_cut_at_any_byte(mailbox, chunk_size):
    whole = split(mailbox)
    for cut in range(1, len(mailbox)):
        assert messages_by_ranges(mailbox, [cut], chunk_size) == whole, cut


@pytest.mark.parametrize("mailbox", RANGED.values(), ids=RANGED)
def test_a_mailbox_may_be_cut_into_single_bytes(mailbox):
    assert messages_by_ranges(mailbox, range(len(mailbox))) == split(mailbox)


SECOND = len(SEPARATOR) + 9
"""Where the second separator begins in the mailboxes below."""
TWO = SEPARATOR + b"a: b\n\nx\n\n" + SEPARATOR + b"c: d\n\ny\n"


def read_range(mailbox, start, end, **settings):
    file = io.BytesIO(mailbox)
    mbox_range = MboxRange(file, start, end, **settings)
    return [message.offset for message in mbox_range.messages()], mbox_range.next_offset


@pytest.mark.parametrize("chunk_size", [1, 16, CHUNK_SIZE])
@pytest.mark.parametrize(
    ("cut", "first", "second"),
    [
        (SECOND - 1, ([0], SECOND), ([SECOND], None)),
        (SECOND, ([0], SECOND), ([SECOND], None)),
        (SECOND + 1, ([0, SECOND], None), ([], None)),
        (SECOND + 10, ([0, SECOND], None), ([], None)),
    ],
    ids=["before", "at its first byte", "one byte after", "within it"],
)
def test_a_message_is_in_the_range_in_which_its_separator_begins(cut, first, second, chunk_size):
    assert read_range(TWO, 0, cut, chunk_size=chunk_size) == first
    assert read_range(TWO, cut, len(TWO), chunk_size=chunk_size) == second


def test_a_range_says_where_the_first_message_after_it_begins():
    mailbox = TWO * 2
    assert read_range(mailbox, 0, 1) == ([0], SECOND)
    assert read_range(mailbox, 1, SECOND) == ([], SECOND)
    assert read_range(mailbox, 1, SECOND + 1) == ([SECOND], len(TWO))
    assert read_range(mailbox, len(TWO) + 1, len(mailbox)) == ([len(TWO) + SECOND], None)


def test_a_message_may_be_longer_than_several_ranges():
    long = SEPARATOR + b"a: b\n\n" + b"text\n" * 400
    mailbox = long + TWO + long
    cuts = range(0, len(mailbox), 100)
    assert by_ranges(mailbox, cuts, 30) == (split(mailbox), [])


def test_a_range_that_begins_within_a_body_of_a_right_length_is_read_again():
    body = b"x\n\n" + SEPARATOR + b"Subject: y\nTo: z\n\nz\n"
    message = with_length(len(body), body) + b"\n"
    mailbox = (SEPARATOR + message) * 3
    within = mailbox.index(SEPARATOR, 1)
    for cut in (within - 1, within):
        messages, again = by_ranges(mailbox, [cut])
        assert ([message.content for message in messages], again) == ([message] * 3, [cut])
    assert by_ranges(mailbox, [within + 1]) == (split(mailbox), [])


def test_git_s_separators_are_found_in_every_range():
    mailbox = b"".join(GIT + b"Subject: %d\n\n" % number for number in range(5))
    length = len(mailbox) // 5
    assert is_from_git(io.BytesIO(mailbox))
    assert read_range(mailbox, 1, length * 3, from_git=True) == ([length, length * 2], length * 3)
    assert read_range(mailbox, 1, length * 3) == ([], None)


@pytest.mark.parametrize(
    ("mailbox", "expected"),
    [
        (GIT + b"Subject: x\n\n", True),
        (MARK + b"\n" + GIT + b"Subject: x\n\n", True),
        (SEPARATOR + b"Subject: x\n\n" + GIT, False),
        (b"Subject: x\n\n" + GIT, False),
        (b"Subject: x\n\ny\n", False),
        (b"", False),
    ],
    ids=["git", "git after a blank line", "pasted", "after a message", "no separator", "empty"],
)
def test_what_a_mailbox_begins_with_tells_whether_git_wrote_it(mailbox, expected):
    assert is_from_git(io.BytesIO(mailbox)) is expected


@pytest.mark.parametrize("before", [b"Subject: x\n\n", b"Some words of a text\n"], ids=["mail", "text"])
def test_a_long_message_before_the_first_separator_is_limited_by_ranges_too(before):
    mailbox = before + b"words\n" * 20_000 + SEPARATOR + b"a: b\n\nx\n" + GIT + b"Subject: y\n\n" + SEPARATOR
    for cut in (10, 50_000, len(mailbox) - 60):
        assert messages_by_ranges(mailbox, [cut], 1000, 500) == split(mailbox, 1000, 500)


class Counting(io.BytesIO):
    """A mailbox that knows how far it was read."""

    furthest = 0

    def read(self, size=-1):
        data = super().read(size)
        self.furthest = max(self.furthest, self.tell())
        return data


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2000), min_size=3, max_size=40), st.data(), st.sampled_from([100, 500]))
def test_a_range_reads_no_more_than_the_last_message_and_two_chunks_beyond_its_end(lengths, data, chunk_size):
    messages = [SEPARATOR + b"a: b\n\n" + b"x" * length + b"\n" for length in lengths]
    mailbox = b"".join(messages)
    start = data.draw(st.integers(0, len(mailbox) - 1))
    end = data.draw(st.integers(start + 1, len(mailbox)))
    file = Counting(mailbox)
    file.seek(start)
    tracked = MboxRange(file, start, end, chunk_size=chunk_size)
    list(tracked.messages())
    longest = max(map(len, messages))
    # What is read at a time grows with what is held of a message.
    assert file.furthest <= end + 2 * longest + 2 * chunk_size


def test_a_range_without_a_separator_is_not_held():
    mailbox = SEPARATOR + b"Subject: x\n\n" + b"Good.\n" * 1_000_000
    file = io.BytesIO(mailbox)
    tracemalloc.start()
    try:
        found = list(MboxRange(file, 1000, 5_900_000, chunk_size=10_000).messages())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == []
    assert file.tell() < 5_950_000
    assert peak < 500_000


class Broken(io.BytesIO):
    """A mailbox on a disk that fails."""

    def read(self, size=-1):
        raise OSError(5, "Input/output error")


def test_an_error_while_a_range_is_read_is_raised():
    with pytest.raises(OSError, match="Input/output"):
        list(MboxRange(Broken(TWO), 10, 20).messages())
