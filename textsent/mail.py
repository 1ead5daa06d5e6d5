"""Mailboxes: an mbox file to messages, a message to the columns of MAIL_SCHEMA."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

from textsent.schema import MAIL_SCHEMA

if TYPE_CHECKING:
    from email.message import Message as ParsedMessage

    import fast_mail_parser

CHUNK_SIZE = 1 << 20  # bytes

BATCH_MESSAGES = 4096
BATCH_BYTES = 8 << 20
"""A batch of mail ends at whichever comes first."""

_SEPARATOR = re.compile(rb"From [^\n]{0,250}?\d\d?:\d\d(?::\d\d)?[^\n]{0,40}? \d{4}\b")
"""A separator's line names a sender and a date, as in `From ann@example.com Tue Feb  3 09:14:22 2026`; "From
that day on" is a line of text."""

_HEADER_NEXT = re.compile(rb"From [^\n]*\n[!-9;-~]+:")
"""At the start of a file a line "From " with a header under it is a separator even without a date."""

_ESCAPED_FROM = re.compile(r"^>(>*From )", re.MULTILINE)
"""How the mboxrd format writes a line of text that begins with "From "."""


@dataclass(frozen=True)
class Message:
    """A message as it stands in a mailbox.

    Attributes:
        offset: Bytes from the start of the mailbox to the separator's line.
        content: The message's bytes without that line.
    """

    offset: int
    content: bytes


def split_mbox(stream: IO[bytes], chunk_size: int = CHUNK_SIZE) -> Iterator[Message]:
    """Yield the messages of a mailbox, holding one message and one chunk in memory.

    Args:
        stream: The mailbox; it is read to its end, and need not be seekable.
        chunk_size: Bytes to read at a time.
    """
    rest = b""  # begins with a separator's line, or at the start of the file
    offset = 0
    searched = 0
    while chunk := stream.read(chunk_size):
        rest += chunk
        start = 0
        while (place := rest.find(b"\nFrom ", searched)) >= 0:
            line_end = rest.find(b"\n", place + 1)
            if line_end < 0:
                break  # the rest of the line is in the next chunk
            searched = line_end
            if _SEPARATOR.match(rest, place + 1, line_end):
                yield from _message(rest[start : place + 1], offset + start)
                start = place + 1
        else:
            searched = max(searched, len(rest) - len("\nFrom ") + 1)
        rest, offset, searched = rest[start:], offset + start, searched - start
    place = rest.find(b"\nFrom ", searched)
    if place >= 0 and _SEPARATOR.match(rest, place + 1):
        yield from _message(rest[: place + 1], offset)
        rest, offset = rest[place + 1 :], offset + place + 1
    yield from _message(rest, offset)


def _message(raw: bytes, offset: int) -> Iterator[Message]:
    if _SEPARATOR.match(raw) or _HEADER_NEXT.match(raw):
        yield Message(offset, raw.partition(b"\n")[2])
    elif raw.strip():
        yield Message(offset, raw)


def read_mbox(stream: IO[bytes]) -> Iterator[pa.RecordBatch]:
    """Yield the messages of a mailbox as record batches of MAIL_SCHEMA, in their order."""
    batch: list[Message] = []
    size = 0
    for message in split_mbox(stream):
        batch.append(message)
        size += len(message.content)
        if len(batch) == BATCH_MESSAGES or size >= BATCH_BYTES:
            yield _read_messages(batch)
            batch, size = [], 0
    if batch:
        yield _read_messages(batch)


def _read_messages(messages: list[Message]) -> pa.RecordBatch:
    import fast_mail_parser

    parsed = fast_mail_parser.parse_many([message.content for message in messages])
    rows = []
    for message, mail in zip(messages, parsed, strict=True):
        if isinstance(mail, fast_mail_parser.ParseError) or _lost_its_body(mail):
            row = _read_by_standard_library(message.content)
        else:
            row = _read_parsed(mail)
        rows.append({**row, "offset": message.offset})
    return pa.RecordBatch.from_pylist(rows, MAIL_SCHEMA)


def _lost_its_body(mail: fast_mail_parser.PyMail) -> bool:
    """Return whether a multipart came out without text, as where a blank line before a boundary is missing."""
    content_type = _first(mail.headers, "content-type") or ""
    blank = not any(part.strip() for part in (*mail.text_plain, *mail.text_html))
    return blank and content_type.lower().startswith("multipart/")


def _read_parsed(mail: fast_mail_parser.PyMail) -> dict[str, Any]:
    return {
        "message_id": _stripped(_first(mail.headers, "message-id")),
        "date": _utc(mail.date),
        "from": _stripped(_first(mail.headers, "from")),
        "to": _stripped(_first(mail.headers, "to")),
        "subject": _stripped(mail.subject),
        "text": _body(mail.text_plain, mail.text_html),
    }


def _read_by_standard_library(content: bytes) -> dict[str, Any]:
    from email.parser import BytesHeaderParser, BytesParser
    from email.policy import compat32

    try:
        message = BytesParser(policy=compat32).parsebytes(content)
        parts = list(message.walk())
    except RecursionError:  # parts within parts, a thousand deep
        message = BytesHeaderParser(policy=compat32).parsebytes(content)
        parts = []
    plain = [_decoded(part) for part in parts if _is_body(part, "text/plain")]
    html = [_decoded(part) for part in parts if _is_body(part, "text/html")]
    return {
        "message_id": _stripped(_decoded_header(message["message-id"])),
        "date": _utc(_decoded_header(message["date"]) or ""),
        "from": _stripped(_decoded_header(message["from"])),
        "to": _stripped(_decoded_header(message["to"])),
        "subject": _stripped(_decoded_header(message["subject"])),
        "text": _body(plain, html),
    }


def _body(plain: list[str], html: list[str]) -> str:
    """Return a message's text: its plain parts or, where these are blank, its HTML parts without the markup."""
    text = "\n".join(plain)
    if not text.strip() and html:
        from resiliparse.extract.html2text import extract_plain_text

        text = "\n".join(
            extract_plain_text(part, preserve_formatting=True, list_bullets=False, alt_texts=False) for part in html
        )
    return _ESCAPED_FROM.sub(r"\1", text.replace("\r\n", "\n").strip())


def _is_body(part: ParsedMessage, content_type: str) -> bool:
    return part.get_content_type() == content_type and part.get_content_disposition() != "attachment"


def _decoded(part: ParsedMessage) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)  # text/* is no multipart
    try:
        return _without_surrogates(payload.decode(part.get_content_charset("utf-8")))
    except (LookupError, ValueError):  # no such charset, or not what it says
        return payload.decode("cp1252", errors="replace")


def _decoded_header(value: Any) -> str | None:
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    if value is None:
        return None
    try:
        return _without_surrogates(str(make_header(decode_header(value))))
    except (LookupError, ValueError, HeaderParseError):
        return _without_surrogates(str(value))


def _without_surrogates(text: str) -> str:
    """Return text that can be written as UTF-8: some charsets decode to halves of a character."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _first(headers: dict[str, list[str]], name: str) -> str | None:
    """Return the first value of a header whatever its case, None where there is none."""
    return next((values[0] for key, values in headers.items() if key.lower() == name and values), None)


def _stripped(value: str | None) -> str | None:
    """Return a header's value on one line; None where nothing is in it."""
    return " ".join(value.split()) or None if value else None


def _utc(value: str) -> datetime | None:
    """Return the moment that a Date header names, None where it names none. Without a zone it counts as UTC."""
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(value.strip())
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
