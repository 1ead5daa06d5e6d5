"""A message of a mailbox to the columns of MAIL_SCHEMA: its header, and the words that its author wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa

from textsent.errors import OptionError
from textsent.headers import find_header, is_deleted, parse_fields, text_of, utc_of
from textsent.mbox import DEFAULT_MAX_MESSAGE_BYTES, Message, split_mbox
from textsent.oversize import TextParts
from textsent.schema import MAIL_SCHEMA, RAW_FIELDS

BATCH_MESSAGES = 4096
BATCH_BYTES = 4 << 20
"""A batch of mail ends at whichever comes first."""


@dataclass(frozen=True)
class MailOptions:
    """What of a message counts as its text.

    Attributes:
        keep_quotes: Also what is quoted and forwarded.
        keep_signatures: Also signatures, sign-offs and legal footers.
        with_subject: Also the subject, before the body.
        max_message_bytes: Of a longer message only the text parts are held, up to so many bytes.
    """

    keep_quotes: bool = False
    keep_signatures: bool = False
    with_subject: bool = False
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES

    def __post_init__(self) -> None:
        if self.max_message_bytes < 1:
            raise OptionError(f"a message must be allowed at least one byte. Received: {self.max_message_bytes}")

    def max_held_bytes(self, with_raw: bool) -> int | None:
        """Return what of a message may be held; of one that is to be written all of it, None."""
        return None if with_raw else self.max_message_bytes


DEFAULT_OPTIONS = MailOptions()


def read_mbox(
    stream: IO[bytes], options: MailOptions = DEFAULT_OPTIONS, with_raw: bool = False
) -> Iterator[pa.RecordBatch]:
    """Yield the messages of a mailbox as record batches of MAIL_SCHEMA, in their order.

    Args:
        stream: The mailbox; it is read to its end, and need not be seekable.
        options: What counts as a message's text.
        with_raw: Also yield the columns of RAW_FIELDS, the message's bytes; a long message is then held whole.
    """
    messages = split_mbox(stream, max_message_bytes=options.max_held_bytes(with_raw))
    return read_messages(messages, options, with_raw)


def read_messages(
    messages: Iterable[Message], options: MailOptions = DEFAULT_OPTIONS, with_raw: bool = False
) -> Iterator[pa.RecordBatch]:
    """Yield messages as record batches of MAIL_SCHEMA, in their order; see `read_mbox`.

    Args:
        messages: The messages.
        options: What counts as a message's text.
        with_raw: Also yield the columns of RAW_FIELDS.
    """
    schema = mail_schema(with_raw)
    rows: list[dict[str, Any]] = []
    size = 0
    for message in messages:
        row = read_message(message, options)
        if with_raw:
            separator = message.separator if message.escaped else None
            row.update(zip(RAW_FIELDS.names, (separator, message.content, message.begins), strict=True))
        rows.append(row)
        size += len(message.content)
        if len(rows) == BATCH_MESSAGES or size >= BATCH_BYTES:
            yield pa.RecordBatch.from_pylist(rows, schema)
            rows, size = [], 0
    if rows:
        yield pa.RecordBatch.from_pylist(rows, schema)


def mail_schema(with_raw: bool = False) -> pa.Schema:
    """Return MAIL_SCHEMA, with RAW_FIELDS after its own where the messages' bytes are wanted."""
    return pa.schema([*MAIL_SCHEMA, *RAW_FIELDS]) if with_raw else MAIL_SCHEMA


def read_message(message: Message, options: MailOptions = DEFAULT_OPTIONS) -> dict[str, Any]:
    """Return the columns of MAIL_SCHEMA for a message."""
    from textsent.bodies import read_text  # its patterns take a while to compile: not where a CSV file is read

    flags = list(message.flags)
    content = without_annotation(message.content)
    if _is_binary(content) and "unreadable" not in flags:
        flags.append("unreadable")
    if message.oversize or len(content) > options.max_message_bytes:
        flags.append("oversize")
        if not message.oversize:
            parts = TextParts(options.max_message_bytes)
            parts.feed(content)
            content = parts.content()
    header, content, recovered = find_header(content)
    fields = parse_fields(header)
    if is_deleted(fields) and "deleted" not in flags:
        flags.append("deleted")
    subject = text_of(fields.get("subject"))
    if recovered:
        flags.append("recovered")
    text, attachments = None, 0
    if "unreadable" not in flags:
        text, attachments = read_text(
            content,
            flags,
            is_escaped=message.escaped,
            keep_quotes=options.keep_quotes,
            keep_signatures=options.keep_signatures,
        )
    if options.with_subject and subject and text is not None:
        text = f"{subject}\n\n{text}"
    return {
        "message_id": text_of(fields.get("message-id")),
        "date": utc_of(fields.get("date")),
        "from": text_of(fields.get("from")),
        "to": text_of(fields.get("to")),
        "subject": subject,
        "in_reply_to": text_of(fields.get("in-reply-to")),
        "list_id": text_of(fields.get("list-id")),
        "text": text,
        "attachments": attachments,
        "flags": flags,
        "offset": message.offset,
    }


_ANNOTATION = re.compile(rb"X-Textsent-(Score|Sentiment|Model):")
_HEADER_LINE = re.compile(rb"(?:[!-9;-~]+[ \t]*:|[ \t])[^\r\n]*(?:\r\n?|\n)")


_MAGIC = (b"\xff\xfe", b"\xfe\xff", b"PK\x03\x04", b"\x1f\x8b", b"%PDF-", b"\x89PNG", b"\xd0\xcf\x11\xe0")


def _is_binary(content: bytes) -> bool:
    """Return whether what should be a mail is UTF-16, an archive, a picture or the like, by how it begins."""
    start = content[:1024]
    if _HEADER_LINE.match(start):
        return False
    return start.startswith(_MAGIC) or start.count(b"\0") > len(start) // 4


def annotated(content: bytes, values: dict[str, str], line_end: bytes) -> bytes:
    """Return a message with header lines put on top of it, in place of those that textsent put there before.

    Args:
        content: The message.
        values: What to write, by `Score`, `Sentiment` or `Model`; what isn't ASCII becomes a question mark.
        line_end: Ends the new lines.
    """
    lines = (f"X-Textsent-{name}: {' '.join(value.split())}" for name, value in values.items())
    return b"".join((*(line.encode("ascii", "replace") + line_end for line in lines), without_annotation(content)))


def annotation(content: bytes) -> dict[str, str]:
    """Return what `annotated` wrote into a message's header: `Score`, `Sentiment` and `Model`, or nothing."""
    found: dict[str, str] = {}
    for line in _lines_to_look_at(content):
        if name := _ANNOTATION.match(line):
            found.setdefault(name[1].decode(), line[name.end() :].decode("ascii", "replace").strip())
    return found


def without_annotation(content: bytes) -> bytes:
    """Return a message without the lines that textsent has put into its header, wherever there they stand now."""
    lines = list(_lines_to_look_at(content))
    kept = (line for line in lines if not _ANNOTATION.match(line))
    return b"".join((*kept, content[sum(map(len, lines)) :]))


def _lines_to_look_at(content: bytes) -> Iterator[bytes]:
    """Yield the lines of a message's header, where textsent may have put some into it."""
    end = 0
    if b"X-Textsent-" in content[:_ANNOTATED_WITHIN]:
        while end < _ANNOTATED_WITHIN and (line := _HEADER_LINE.match(content, end)):
            yield line[0]
            end = line.end()


_ANNOTATED_WITHIN = 1 << 16  # bytes
