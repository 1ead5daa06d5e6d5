"""A message that Outlook has saved (.msg) as the mail that it was."""

from __future__ import annotations

import base64
import hashlib
import io
from email.utils import format_datetime
from typing import Any

from textsent.charsets import decode
from textsent.errors import MissingExtraError

_ENCRYPTED_CLASS = "IPM.Note.SMIME"


def check_extra() -> None:
    """Raise MissingExtraError where the package that reads these files isn't installed."""
    try:
        import oxmsg  # noqa: F401 - looked for, not used
    except ImportError as exc:
        raise MissingExtraError(
            "reading Outlook's .msg files needs another package: pip install 'textsent[outlook]'"
        ) from exc


def read_msg(data: bytes) -> bytes:
    """Return an Outlook message as an Internet message, its attachments empty.

    Args:
        data: The bytes of the .msg file.

    Raises:
        ValueError: They are no such file, or a broken one.
    """
    import oxmsg
    from oxmsg.domain.model import UnrecognizedCodePageError, UnsupportedEncodingError

    known = (UnrecognizedCodePageError, UnsupportedEncodingError, RecursionError)
    try:
        _check_sizes(data)
        return _as_mail(oxmsg.Message.load(data))
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError, *known) as exc:
        raise ValueError(f"it is no Outlook message that can be read: {exc}: save it again, or as .eml") from exc


def _check_sizes(data: bytes) -> None:
    """Check that what stands in a compound file claims no more than that has: its table may lead round in a circle.

    Raises:
        ValueError: It does.
    """
    import olefile

    with olefile.OleFileIO(io.BytesIO(data)) as file:
        streams = sum(entry.size for entry in file.direntries if entry and entry is not file.root)
        table = file.num_mini_fat_sectors * file.sector_size
        if max(streams, file.root.size, table) > len(data):
            raise ValueError("a part of it claims to be larger than the file")


def _text(properties: Any, property_id: int) -> str | None:
    try:
        return properties.str_prop_value(property_id)
    except UnicodeDecodeError as exc:  # a byte that the code page lacks
        return decode(exc.object, exc.encoding)


def _as_mail(message: Any) -> bytes:
    from oxmsg.domain import constants

    sent = {name.lower(): value for name, value in message.message_headers.items()}
    properties = message.properties
    fields = {
        "Message-ID": sent.get("message-id") or _text(properties, constants.PID_INTERNET_MESSAGE_ID),
        "Date": sent.get("date") or (message.sent_date and format_datetime(message.sent_date)),
        "From": message.sender,
        "To": sent.get("to") or _text(properties, constants.PID_DISPLAY_TO),
        "Subject": _text(properties, constants.PID_SUBJECT),
        "In-Reply-To": sent.get("in-reply-to") or _text(properties, constants.PID_IN_REPLY_TO_ID),
        "List-ID": sent.get("list-id"),
    }
    header = [f"{name}: {' '.join(str(value).split())}" for name, value in fields.items() if value]
    if message.message_class.startswith(_ENCRYPTED_CLASS) and "Multipart" not in message.message_class:
        return "\n".join([*header, "Content-Type: application/pkcs7-mime", "", ""]).encode()
    html = properties.binary_prop_value(constants.PID_HTML)
    texts = {
        "text/plain": _text(properties, constants.PID_BODY),
        "text/html": decode(html, properties.body_encoding) if html else _text(properties, constants.PID_BODY_HTML),
    }
    # A boundary that no text holds, and that is the same at each reading.
    digest = hashlib.sha256(repr(texts).encode("utf-8", "replace")).hexdigest()
    mixed, alternative = f"=_{digest[:32]}", f"=_{digest[32:]}"
    lines = [*header, f'Content-Type: multipart/mixed; boundary="{mixed}"', ""]
    lines += [f"--{mixed}", f'Content-Type: multipart/alternative; boundary="{alternative}"', ""]
    for content_type, text in texts.items():
        encoded = base64.b64encode((text or "").encode("utf-8", "replace")).decode("ascii")
        lines += [f"--{alternative}", f"Content-Type: {content_type}; charset=utf-8"]
        lines += ["Content-Transfer-Encoding: base64", "", encoded]
    lines.append(f"--{alternative}--")
    for attachment in message.attachments:
        content_type = attachment.mime_type or "application/octet-stream"
        lines += [f"--{mixed}", f"Content-Type: {content_type}", "Content-Disposition: attachment", "", ""]
    return "\n".join([*lines, f"--{mixed}--", ""]).encode("utf-8", "replace")
