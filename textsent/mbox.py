"""The mbox format: a stream to its messages, in all the dialects that mail programs write."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from typing import IO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.oversize import TextParts

CHUNK_SIZE = 1 << 20  # bytes
_LONG_CHUNK_SIZE = 8 << 20

DEFAULT_MAX_MESSAGE_BYTES = 64 << 20

_BELIEVED_LENGTH = 8 << 20
"""Bytes of a Content-Length that is looked into. More is taken for a lie: to find out means to hold so much."""

_LENGTH_WITHIN = 1 << 16
"""Bytes of a message in which its Content-Length is looked for."""

_SEPARATOR_BYTES = 1000
_HEADER_BYTES = 8192
"""How long a separator's line may be, and how far after it its header is looked for."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_LINE_END = re.compile(rb"\r\n?|\n")
_BLANK_LINE = re.compile(rb"(?:\r\n?|\n){0,2}")
_BLANK_START = re.compile(rb"(?:%s)?(?:[ \t\f\v]*(?:\r\n?|\n))*" % BYTE_ORDER_MARK)
_LINE = re.compile(rb"From [^\r\n]{0,%d}" % _SEPARATOR_BYTES)

_CLOCK = rb"\d{1,2}:\d\d(?::\d\d(?:\.\d{1,9})?)?"
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_ZONE = rb"(?:[ \t]{0,4}(?:[+-]\d\d:?\d\d|[A-Za-z]{1,5}(?:[+-]\d{1,2}(?::?\d\d)?)?|\([^()\r\n]{1,40}\)))"
_DATED = (
    rb"From (?:[^\r\n]{0,500}?[ \t])?"
    rb"(?:"
    # as ctime(3) writes it, with the zone before or after the year: Tue Feb  3 09:14:22 +0100 2026
    rb"(?:[A-Z][a-z]{2,8},?[ \t]+)?"
    + _MONTH
    + rb",?[ \t]+\d{1,2},?[ \t]+"
    + _CLOCK
    + _ZONE
    + rb"{0,2}[ \t]+\d{2}(?:\d\d)?"
    # as a Date header has it: Tue, 3 Feb 2026 09:14:22 +0100
    + rb"|(?:[A-Z][a-z]{2,8},?[ \t]+)?\d{1,2}[ \t-]"
    + _MONTH
    + rb"[ \t-]\d{2}(?:\d\d)?,?[ \t]+"
    + _CLOCK
    # as ISO 8601 has it: 2026-02-03T09:14:22Z
    + rb"|\d{4}[-/]\d\d[-/]\d\d(?:T|[ \t]+)"
    + _CLOCK
    + rb")"
    + _ZONE
    + rb"{0,2}(?:[ \t]+remote from [^\r\n]{1,100})?[ \t]*\Z"
)
"""A separator's line names a sender and a date, as in `From ann@example.com Tue Feb  3 09:14:22 2026`; what follows
the date is a zone or UUCP's `remote from host`. "From 9:30 on we waited" is a line of text."""

_PLAIN_SEPARATOR = re.compile(
    rb"From \S{1,200} +(?!Mon Sep 17 00:00:00 2001)[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d "
    rb"(?:[+-]\d{4} )?\d{4}(?:\r?\n|\r(?=[^\n]))"
)
"""What most separators look like."""

_GIT_DATE = b"Mon Sep 17 00:00:00 2001"
"""The date of every separator that `git format-patch` writes; in a mail it stands in a patch that was pasted."""

_HEADER = re.compile(rb"([!-9;-~]+)[ \t]*:")
_KNOWN_HEADER = re.compile(
    rb"(?:x|content|list|resent|arc|dkim|received|delivered|return|reply|in-reply|message|mime|errors|original|"
    rb"authentication|thread|user|disposition|google)-[!-9;-~]*\Z|"
    rb"(?:received|from|to|cc|bcc|date|subject|sender|references|path|newsgroups|lines|status|organization|"
    rb"organisation|importance|priority|precedence|keywords|comments|article|xref|autocrypt|approved|envelope-to)\Z",
    re.IGNORECASE,
)
_CONTENT_LENGTH = re.compile(rb"(?:^|[\r\n])content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*[\r\n]", re.IGNORECASE)


@cache
def _dated() -> re.Pattern[bytes]:
    return re.compile(_DATED)  # takes 3 ms, and most mailboxes need only the plain one


class Message(NamedTuple):
    """A message as it stands in a mailbox.

    Attributes:
        offset: Bytes from the start of the mailbox to the separator's line.
        separator: What stands between the message before and this one: the separator's line and, before the first
            one, whatever the mailbox begins with. Empty where there is none.
        content: The message's bytes; of an oversize message the parts its text is read from.
        oversize: Whether the message was longer than the limit.
        escaped: Whether a line that begins with ">From " began with "From " before it was put into a mailbox.
        begins: Whether it is known to be the first of its mailbox.
        flags: What is known of the message from elsewhere, as `deleted`.
    """

    offset: int
    separator: bytes
    content: bytes
    oversize: bool = False
    escaped: bool = True
    begins: bool = False
    flags: tuple[str, ...] = ()


def split_mbox(
    stream: IO[bytes], chunk_size: int = CHUNK_SIZE, max_message_bytes: int | None = DEFAULT_MAX_MESSAGE_BYTES
) -> Iterator[Message]:
    """Yield the messages of a mailbox, holding no more than a message and two chunks in memory.

    A mailbox without a separator is one message; one of nothing but white space has none. The separators and
    contents, joined in their order, are the mailbox, where no message is oversize.

    Args:
        stream: The mailbox; it is read to its end, and need not be seekable.
        chunk_size: Bytes to read at a time.
        max_message_bytes: Bytes of a message that are held; of a longer one what isn't text is left out. None: any.
    """
    return _Splitter(stream, chunk_size, max_message_bytes).messages()


def beginning(messages: Iterator[Message]) -> Iterator[Message]:
    """Yield the messages of a mailbox, the first one marked as such."""
    for first in messages:
        yield first._replace(begins=True)
        break
    yield from messages


class MboxRange:
    """The messages of a mailbox whose separators begin within a range of bytes.

    A mailbox can be cut into ranges anywhere: the first one begins at 0, and each message is in the range in which
    its separator begins. But a body can hold what looks like a separator, which only its Content-Length tells: a
    range that begins within such a body begins with a message that is none. So `next_offset` of one range must be
    the first message's offset in the next; where it isn't, that range is to be read from there.

    Attributes:
        next_offset: Offset of the first separator after the range, known once the messages are read; None where the
            mailbox ends first.
    """

    def __init__(
        self,
        file: IO[bytes],
        start: int,
        end: int,
        from_git: bool = False,
        chunk_size: int = CHUNK_SIZE,
        max_message_bytes: int | None = DEFAULT_MAX_MESSAGE_BYTES,
    ) -> None:
        """Go to the range's start.

        Args:
            file: The mailbox, seekable.
            start: Its first byte.
            end: The byte after its last.
            from_git: Whether the mailbox is one of git's, see `is_from_git`; what begins at 0 finds out by itself.
            chunk_size: Bytes to read at a time.
            max_message_bytes: As for `split_mbox`.
        """
        self._splitter = _Splitter(file, chunk_size, max_message_bytes, start, end)
        self._splitter.from_git = from_git

    @property
    def next_offset(self) -> int | None:  # noqa: D102 - the class says it
        return self._splitter.next_offset

    def messages(self) -> Iterator[Message]:
        """Yield the messages."""
        return self._splitter.messages()


def message_at(file: IO[bytes], place: int, from_git: bool = False) -> int | None:
    """Return the offset of the first message that begins at a place or after it; None where none does.

    It is found by reading the mailbox from further up: a message whose Content-Length says that the place is within
    its body has begun there.

    Args:
        file: The mailbox, seekable.
        place: Any place in it, in bytes.
        from_git: As for `MboxRange`.
    """
    start = max(0, place - _LOOK_BACK)
    before = MboxRange(file, start, place, from_git)
    if sum(1 for _ in before.messages()) or start == 0:
        return before.next_offset
    after = next(MboxRange(file, place, sys.maxsize, from_git).messages(), None)
    return after.offset if after else None


_LOOK_BACK = 2 * _BELIEVED_LENGTH
"""Bytes before a place. Twice what a message can say of its length, since what is read first may be none."""


def is_from_git(file: IO[bytes]) -> bool:
    """Return whether a mailbox, which is read up to its second message, was written by `git format-patch`."""
    file.seek(0)
    splitter = _Splitter(file, CHUNK_SIZE, DEFAULT_MAX_MESSAGE_BYTES)
    next(splitter.messages(), None)
    return splitter.from_git


def _find_all(data: bytes, start: int) -> list[int]:
    """Return the places of b"From " from `start` on. Arrow's RE2 is four times as fast as `bytes.find`."""
    if start >= len(data):
        return []
    size = np.array([0, len(data) - start], np.int64)
    text = pa.Array.from_buffers(pa.large_binary(), 1, [None, pa.py_buffer(size), pa.py_buffer(data).slice(start)])
    between = pc.split_pattern_regex(text, "From ").values
    ends = np.frombuffer(between.buffers()[1], np.int64)[1 : len(between)]
    return (ends + np.arange(0, 5 * len(ends), 5) + start).tolist()


class _Splitter:
    """Holds what was read and not yet yielded. A place is an index into it, an offset one into the mailbox."""

    def __init__(
        self,
        stream: IO[bytes],
        chunk_size: int,
        max_message_bytes: int | None,
        range_start: int = 0,
        range_end: int | None = None,
    ) -> None:
        self.stream = stream
        self.chunk_size = chunk_size
        self.max_message_bytes = max_message_bytes
        self.range_end = range_end
        self.next_offset: int | None = None
        self.is_inside = range_start > 0  # what comes before the first separator belongs to another range
        self.held = b""
        self.base = max(0, range_start - 1)  # its offset; the byte before tells whether a line begins
        if range_end is not None:
            stream.seek(self.base)
        self.ended = False
        self.start = 0  # place of the content of the message that is being read
        self.blank = self.blank_seen = 0  # bytes of blank lines that the mailbox begins with, among so many held
        self.separator: bytes | None = None  # of that message; None before the first one
        self.offset = 0  # of the separator's line
        self.parts: TextParts | None = None  # what was put aside of an oversize message
        self.claimed: int | None = None  # offset of its end by Content-Length; -1 where that is missing or wrong
        self.from_git = False  # the mailbox begins with a separator of git's date

    def messages(self) -> Iterator[Message]:
        searched = int(self.is_inside)  # place before which every separator was found
        while not self.ended:
            if self.is_inside and self.separator is None and self._is_past_range(self.base + searched):
                return
            # A long message is read in longer pieces: each is copied to what is held.
            longest = len(self.held) if self.max_message_bytes is None else _LONG_CHUNK_SIZE
            chunk = self.stream.read(max(self.chunk_size, min(len(self.held), longest)))
            self.ended = not chunk
            held = self.held = self.held + chunk
            waiting = None
            for place in _find_all(held, searched):
                if place and held[place - 1] not in b"\r\n" and not self._follows_mark(place):
                    continue
                plain = _PLAIN_SEPARATOR.match(held, place)
                end = plain.end() if plain else self._separator_end(place)
                if end and self._claims_more(place):
                    end = self._end_unless_inside(end)
                if end is None:
                    waiting = place  # for what decides, in the next chunk
                    break
                if end:
                    offset = self.base + place
                    is_first = self.separator is None and not self.is_inside
                    has_preamble = is_first and self._is_preamble(place)
                    if is_first:
                        self.from_git = _GIT_DATE in held[place:end]
                    if self.separator is not None or (is_first and not has_preamble):
                        yield self._message(place)
                    if self._is_past_range(offset) and not has_preamble:
                        self.next_offset = offset
                        return
                    separator = held[:end] if has_preamble else held[place:end]
                    self.start, self.separator = end, separator
                    self.offset, self.claimed = offset, None
            searched = max(self.start, searched, len(held) - 4) if waiting is None else waiting
            searched -= self._let_go(searched)
        if self.separator is not None or (not self.is_inside and self.held[self._blank_start() :].strip()):
            yield self._message(len(self.held))

    def _is_past_range(self, offset: int) -> bool:
        return self.range_end is not None and offset >= self.range_end

    def _message(self, end: int) -> Message:
        """Return the message that is being read, now that its end is known."""
        if self.separator is None:
            self._begin_without_separator()
        assert self.separator is not None
        content = self.held[self.start : end]
        limit = self.max_message_bytes
        if limit is None or (not self.parts and len(content) <= limit):
            return Message(self.offset, self.separator, content)
        parts, self.parts = self.parts or TextParts(limit), None
        parts.feed(content)
        return Message(self.offset, self.separator, parts.content(), oversize=True)

    def _begin_without_separator(self) -> None:
        """Take what the mailbox begins with for a message."""
        self.offset = self.start = self._blank_start()
        self.separator, self.claimed = self.held[: self.start], -1

    def _let_go(self, searched: int) -> int:
        """Forget the messages that are done, and what isn't text of an oversize one; return the number of bytes."""
        if self.separator is None and self.is_inside:
            self.held = self.held[searched - 1 :]
            self.base += searched - 1
            return searched - 1
        limit = self.max_message_bytes
        start = self._blank_start() if self.separator is None else self.start
        if limit is not None and (
            searched - start > max(limit, _LENGTH_WITHIN) or (self.parts and searched > start)
        ):
            if self.separator is None:
                self._begin_without_separator()
            if self.claimed is None:
                self.claimed = self._claimed_end(searched)
            self.parts = self.parts or TextParts(limit)
            cut = searched - 1  # the last byte tells whether a line begins at `searched`
            self.parts.feed(self.held[self.start : cut])
            self.start = cut
        gone = self.start if self.separator is not None else 0
        self.held = self.held[gone:]
        self.base += gone
        self.start -= gone
        return gone

    def _follows_mark(self, place: int) -> bool:
        is_after = place == len(BYTE_ORDER_MARK) and self.held.startswith(BYTE_ORDER_MARK)
        return is_after and self._holds_beginning()

    def _holds_beginning(self) -> bool:
        return self.base == 0 and not self.is_inside

    def _blank_start(self) -> int:
        """Return the place of the first byte of the mailbox that is neither its mark nor a blank line."""
        if not self._holds_beginning():
            return 0
        if self.blank_seen != len(self.held):
            blank = _BLANK_START.match(self.held)
            assert blank
            self.blank_seen, self.blank = len(self.held), blank.end()
        return self.blank

    def _is_preamble(self, end: int) -> bool:
        """Return whether what the mailbox begins with, up to its first separator, is no message."""
        start = self._blank_start()
        if self.max_message_bytes is not None and end - start > self.max_message_bytes:
            return False
        if start >= end:
            return True
        below = _LINE_END.search(self.held, start)  # of a separator that is damaged, perhaps
        return not (
            self._header_follows(start, known=True, count=1)
            or (below and self._header_follows(below.end(), known=True, count=2))
        )

    def _separator_end(self, place: int) -> int | None:
        """Return the place after a separator's line; 0 where it is none, None where what decides wasn't read."""
        line = _LINE.match(self.held, place)
        assert line
        end = line.end()
        if not self.ended and len(self.held) - end < 2 and len(line[0]) < _SEPARATOR_BYTES:
            return None  # the line's end, or the line feed after its carriage return, is in the next chunk
        line_end = _LINE_END.match(self.held, end)
        if not line_end and end < len(self.held):
            return 0
        end = line_end.end() if line_end else end
        at_beginning = self.separator is None and self._blank_start() >= place
        if _GIT_DATE in line[0]:
            separates: bool | None = at_beginning or self.from_git
        else:
            separates = bool(_dated().match(line[0])) or self._header_follows(
                end, known=not at_beginning, count=1 if at_beginning else 2
            )
        return end if separates else None if separates is None else 0

    def _header_follows(self, place: int, known: bool, count: int) -> bool | None:
        """Return whether `count` lines of a header stand at a place, one of them of a known name where `known`."""
        limit = place + _HEADER_BYTES
        found = 0
        while found < count or known:
            end = _LINE_END.search(self.held, place, limit)
            if not end and not self.ended and len(self.held) < limit:
                return None
            line = self.held[place : end.start() if end else limit]
            if not found or line[:1] not in (b" ", b"\t"):
                header = _HEADER.match(line)
                if not header:
                    return False
                found += 1
                known = known and not _KNOWN_HEADER.match(header[1])
            place = end.end() if end else limit
        return True

    def _claims_more(self, place: int) -> bool:
        """Return whether the message's Content-Length says that it goes on at a place."""
        if self.claimed is None:
            self.claimed = self._claimed_end(place)
        return self.claimed > self.base + place

    def _end_unless_inside(self, separator_end: int) -> int | None:
        """Return a separator's end, or 0 where it stands within a body whose Content-Length is right.

        It is right where another separator or the mailbox's end stands at the place that it names. None where that
        wasn't read yet.
        """
        assert self.claimed is not None
        end = self.claimed - self.base
        right: bool | None
        if end > len(self.held):
            right = False if self.ended else None
        else:
            blank = _BLANK_LINE.match(self.held, end)
            assert blank
            end = blank.end()
            if len(self.held) - end < 5:
                right = end == len(self.held) if self.ended else None
            else:
                begins = self.held.startswith(b"From ", end) and self.held[end - 1] in b"\r\n"
                next_end = self._separator_end(end) if begins else 0
                right = None if next_end is None else next_end > 0
        if right is False:
            self.claimed = -1
        return separator_end if right is False else 0 if right else None

    def _claimed_end(self, place: int) -> int:
        if self.separator is None or self.held[self.start : self.start + 1] in (b"\r", b"\n"):
            return -1
        blank = b"\n\r\n" if self.separator.endswith(b"\r\n") else b"\n\n"
        end = self.held.find(blank, self.start, min(place, self.start + _LENGTH_WITHIN))
        if end < 0 or self.held.find(b"ength", self.start, end) < 0:
            return -1
        length = _CONTENT_LENGTH.search(self.held, max(0, self.start - 1), end + 1)
        if not length or int(length[1]) > _BELIEVED_LENGTH:
            return -1
        return self.base + end + len(blank) + int(length[1])
