"""The header of a message: where it ends, and what its fields say."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from textsent.charsets import decode

_HEADER_LINES = re.compile(rb"(?:[!-9;-~]+[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z))*")
_SURE_HEADER_LINE = re.compile(rb"(?:[A-Za-z]+-[!-9;-~]+|From|To|Cc|Subject|Date|Sender|Received):[ \t]", re.I)
_FIELD = re.compile(rb"(?:^|\n)([MDFTSILXmdftsilx][!-9;-~]*)[ \t]*:[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)")
_MAX_HEADER_LINES = 10_000


def find_header(content: bytes) -> tuple[bytes, bytes, bool]:
    """Return a message's header, the message with line feeds as line ends, and whether its header was mended.

    A message without a header gets the blank line that ends one. A line that is none of a header's, with one of a
    header's below it, is a slip and left out; with another below it, it is where the body begins.
    """
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = _HEADER_LINES.match(content)
    end = lines.end() if lines else 0
    ends = end == len(content) or content[end : end + 1] == b"\n"
    if ends and (end or not _SURE_HEADER_LINE.match(content, 1)):
        return content[:end], content, False
    kept = [content[:end]]
    mended = False
    for _ in range(_MAX_HEADER_LINES):
        line_end = content.find(b"\n", end) + 1
        if not line_end or not _SURE_HEADER_LINE.match(content, line_end):
            break
        lines = _HEADER_LINES.match(content, line_end)
        assert lines
        kept.append(lines[0])
        end, mended = lines.end(), True
        if content[end : end + 1] == b"\n":
            end += 1
            break
    header = b"".join(kept)
    return header, header + b"\n" + content[end:], mended


def parse_fields(header: bytes) -> dict[str, bytes]:
    """Return the fields that a row is made of, and some more, by lower-case name; the first of each counts."""
    fields: dict[str, bytes] = {}
    for name, value in _FIELD.findall(header):
        fields.setdefault(name.lower().decode("ascii"), value)
    return fields


_ENCODED_WORDS = re.compile(
    r"=\?([^?*\s]{1,60})(?:\*[^?\s]{0,60})?\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*){0,3})\?=(?:\s+(?==\?))?"
)


def text_of(value: bytes | None) -> str | None:
    """Return a header's value on one line, its encoded words (RFC 2047) decoded; None where nothing is in it."""
    if not value:
        return None
    text = decode(value)
    if "=?" in text:
        text = "".join(_decoded_words(text))
    return " ".join(text.replace("\0", "").split()) or None


def _decoded_words(text: str) -> Iterator[str]:
    waiting, charset = b"", ""  # a character may be cut between two words
    end = 0
    for word in _ENCODED_WORDS.finditer(text):
        if waiting and (word.start() > end or word[1].lower() != charset):
            yield decode(waiting, charset)
            waiting = b""
        yield text[end : word.start()]
        charset = word[1].lower()
        if word[2] in "bB":
            waiting += from_base64(word[3].encode("ascii", "ignore"))
        else:
            waiting += binascii.a2b_qp(word[3].encode("utf-8"), header=True)
        end = word.end()
    if waiting:
        yield decode(waiting, charset)
    yield text[end:]


def from_base64(data: bytes) -> bytes:
    """Return what base64 stands for; characters that aren't of it, and half a byte at its end, are left out."""
    digits = _NOT_BASE64.sub(b"", data)
    return binascii.a2b_base64(digits[: len(digits) - (len(digits) % 4 == 1)] + b"==")


_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")

_REPLY = "re|aw|antw|antwort|sv|vs|odp|res|rif|ynt|r|回复|答复|回覆|답장|返信"
_FORWARD = "fwd?|wg|vb|vl|enc|tr|rv|i|pd|ilt|doorst|转发|轉寄|전달|転送"
_SUBJECT_PREFIX = re.compile(
    rf"\s*(?:(?P<reply>{_REPLY})|{_FORWARD})\s{{0,3}}(?:\[\d{{1,3}}\]|\(\d{{1,3}}\)|\^\d{{1,3}})?\s{{0,3}}[:：]",
    re.IGNORECASE,
)


def bare_subject(subject: str) -> tuple[str, bool]:
    """Return a subject without `Re:`, `Fwd:` and their like in other languages, and whether it is a reply's.

    Letters are in one case, and white space is one space.
    """
    is_reply = False
    end = 0
    while found := _SUBJECT_PREFIX.match(subject, end):
        is_reply = is_reply or found["reply"] is not None
        end = found.end()
    return " ".join(subject[end:].casefold().split()), is_reply


_DATE = re.compile(
    rb"\s*(?:[A-Za-z]{2,9},?\s+)?(\d{1,2})\s+(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+(\d{4})\s+"
    rb"(\d\d):(\d\d)(?::(\d\d))?\s+([+-])(\d\d)(\d\d)\b"
)
_MONTHS = {
    month: number
    for number, month in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)
}


def utc_of(value: bytes | None) -> datetime | None:
    """Return the moment that a Date header names, None where it names none. Without a zone it counts as UTC."""
    if not value:
        return None
    try:
        if found := _DATE.match(value):
            day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
            zone = timedelta(hours=int(hours), minutes=int(minutes))
            numbers = (int(year), _MONTHS[month], int(day), int(hour), int(minute), min(int(second or 0), 59))
            return datetime(*numbers, tzinfo=UTC) - (-zone if sign == b"-" else zone)

        from email.utils import parsedate_to_datetime

        date = parsedate_to_datetime(decode(value[:200]).strip())
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def is_deleted(fields: dict[str, bytes]) -> bool:
    """Return whether Thunderbird (bit 3 of X-Mozilla-Status) or an mbox program marked the message as deleted."""
    mozilla = fields.get("x-mozilla-status", b"").strip()
    if re.fullmatch(rb"[0-9A-Fa-f]{4}", mozilla) and int(mozilla, 16) & 0x0008:
        return True
    return b"D" in fields.get("x-status", b"")
