import itertools
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textsent.oversize import TextParts


def kept(*pieces, max_bytes=1 << 20):
    parts = TextParts(max_bytes)
    for piece in pieces:
        parts.feed(piece)
    return parts.content()


LINES = st.tuples(
    st.sampled_from(
        [
            b"Content-Type: multipart/mixed; boundary=b",
            b'Content-Type: multipart/alternative;\n boundary="c d"',
            b"Content-Type: text/html",
            b"Content-Type: image/png",
            b"Content-Type: message/rfc822",
            b"Subject: x",
            b"--b",
            b"--b--",
            b"--c d",
            b"--c d--",
            b"",
            b" ",
            b"text, and some more of it",
        ]
    ),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
).map(b"".join)
MESSAGES = st.lists(LINES, max_size=15).map(b"".join)


def cut(message, cuts):
    edges = [0, *sorted(cut % (len(message) + 1) for cut in cuts), len(message)]
    return [message[start:end] for start, end in itertools.pairwise(edges)]


@settings(max_examples=300, deadline=None)
@given(MESSAGES, st.lists(st.integers(0, 400), max_size=20), st.integers(1, 300))
def test_a_message_in_any_pieces_has_the_same_content(message, cuts, max_bytes):
    assert kept(*cut(message, cuts), max_bytes=max_bytes) == kept(message, max_bytes=max_bytes)


LONG_LINE = b"x" * ((1 << 16) - 1)


@pytest.mark.parametrize(
    "message",
    [
        b"Subject: x\n\n" + LONG_LINE + b"x\r\nAAAA\n",
        b"Subject: " + LONG_LINE + b" \nContent-Type: image/png\n\nAAAA\n",
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n"
        + LONG_LINE
        + b"--b\nContent-Type: image/png\n\nA\n",
    ],
    ids=["body", "header", "no boundary"],
)
@pytest.mark.parametrize("max_bytes", [100, 1 << 20])
def test_a_long_line_in_any_pieces_has_the_same_content(message, max_bytes):
    whole = kept(message, max_bytes=max_bytes)
    for size in (40_000, 65_535, 65_545, 65_600):
        pieces = [message[start : start + size] for start in range(0, len(message), size)]
        assert kept(*pieces, max_bytes=max_bytes) == whole


@settings(max_examples=200, deadline=None)
@given(MESSAGES)
@example(b"\n")
def test_a_content_is_lines_of_the_message_in_their_order(message):
    lines = iter(message.splitlines(keepends=True))
    assert all(line in lines for line in kept(message).splitlines(keepends=True))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([b"a: b\n", b"\n", b"text\n", b"--b\n", b"\xff\r\n", b"x"])).map(b"".join))
def test_a_message_of_text_is_kept_whole(message):
    assert kept(message) == message


HEAD = b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\npreamble\n"
TEXT = b"--b\nContent-Type: text/plain\n\nSo good.\n"
PICTURE = b"--b\nContent-Type: image/png\n\n"


def test_parts_that_are_no_text_lose_their_bodies():
    assert kept(HEAD + PICTURE + b"AAAA\n" + TEXT + b"--b--\n") == HEAD + PICTURE + TEXT + b"--b--\n"


def test_parts_within_parts_are_kept():
    inner = b'--b\nContent-Type: multipart/alternative;\n boundary="c d"\n\n--c d\n\nplain\n--c d--\n'
    assert kept(HEAD + inner + b"epilogue\n" + PICTURE + b"AAAA\n--b--\n") == HEAD + inner + PICTURE + b"--b--\n"


def test_messages_within_a_message_are_kept():
    forwarded = b"--b\nContent-Type: message/rfc822\n\nSubject: y\n\nSo bad.\n"
    picture = b"--b\nContent-Type: message/rfc822\n\nContent-Type: image/png\n\n"
    assert kept(HEAD + forwarded + picture + b"AAAA\n--b--\n") == HEAD + forwarded + picture + b"--b--\n"


def test_a_message_that_is_no_text_loses_its_body():
    assert kept(b"Subject: x\nContent-Type: application/pdf\n\nAAAA\n") == (
        b"Subject: x\nContent-Type: application/pdf\n\n"
    )


def test_a_line_like_a_boundary_of_another_message_is_text():
    assert kept(HEAD + TEXT + b"--other\n-- \nAnn\n") == HEAD + TEXT + b"--other\n-- \nAnn\n"


def test_of_too_much_text_only_the_header_is_kept():
    assert kept(b"Subject: x\nTo: y\n\n" + b"So good.\n" * 20, max_bytes=100) == b"Subject: x\nTo: y\n"


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (b"Subject: x\n\n", b"So good. So good.\n"),
        (b"", b"X-Header: So good. So good.\n"),
        (b"Subject: x\nContent-Type: image/png\n\n", b"AAAA\n"),
        (b"Subject: ", b"So good. So good. "),
        (HEAD, PICTURE + b"AAAA\n"),
    ],
    ids=["text", "header", "picture", "one line", "many parts"],
)
def test_a_message_of_any_length_takes_little_memory(head, line):
    pieces = [line * 500] * 60
    tracemalloc.start()
    try:
        content = kept(head, *pieces, max_bytes=10_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(content) < 200_000
    assert peak < 1_000_000
