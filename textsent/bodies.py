"""The body of a message: its parts, and what they say to its reader."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

from textsent.charsets import decode
from textsent.headers import from_base64
from textsent.html import has_images, html_to_text
from textsent.phrases import holds_any
from textsent.replies import own_words

if TYPE_CHECKING:
    from email.message import Message as EmailMessage

_CAREFUL_FROM = 20_000  # bytes
_MAX_ENCODED_WORDS = 64
"""fast-mail-parser's time grows with the square of a header's encoded words. More are hidden from it: what it makes
of them isn't used. In a short message there is no time to lose."""

_MAX_PARTS = 10_000

_LONG_TYPE = re.compile(rb"^content-[a-z-]{1,20}:[^\n]{20000}", re.IGNORECASE | re.MULTILINE)
_MAX_COMPARISONS = 5_000_000
_MAX_BOUNDARIES = 1000
"""The standard library compares each line with each open boundary, and reads a header once for each parameter;
a message that asks for more is given up."""

_PLAIN = frozenset({"text/plain", "text/markdown", "text/x-markdown"})
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_STRUCTURE = frozenset(
    {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "message/delivery-status",
        "message/disposition-notification",
        "text/rfc822-headers",
    }
)
"""Parts that no mail program shows as attachments."""


class _Part(Protocol):
    """A node of a message's tree, as fast-mail-parser has it."""

    content_type: str
    headers: dict[str, list[str]]
    filename: str
    content_id: str | None
    disposition: str | None
    is_message: bool
    encoded_size: int | None
    children: list[Any]

    @property
    def content(self) -> bytes | None: ...


class _StandardPart:
    """A node of a message's tree as the standard library has it, with the names of the other."""

    def __init__(self, message: EmailMessage) -> None:
        self._message = message
        children = message.get_payload() if message.is_multipart() else []
        self.children = [_StandardPart(child) for child in children if not isinstance(child, str)]
        content_type = message.get_content_type()
        # A multipart without a boundary is text to whoever reads it.
        is_text = content_type.startswith("multipart/") and not message.is_multipart()
        self.content_type = "text/plain" if is_text else content_type
        names = ("Content-Type", "Content-Transfer-Encoding")
        self.headers = {name: [str(message[name])] for name in names if name in message}
        self.filename = message.get_filename() or ""
        self.content_id = message.get("Content-ID")
        self.disposition = message.get_content_disposition()
        self.is_message = content_type == "message/rfc822"
        self.encoded_size = None if self.children else len(str(message.get_payload()))

    @property
    def content(self) -> bytes | None:
        payload = self._message.get_payload(decode=True)
        if not isinstance(payload, bytes):
            return None
        # Base64 with a digit too many is handed back as it is, its lines joined.
        encoded = str(self._message.get_payload()).encode("utf-8", "surrogateescape")
        is_base64 = _header(self, "content-transfer-encoding").lower().strip('"') == "base64"
        return from_base64(payload) if is_base64 and payload == b"".join(encoded.splitlines()) else payload


@dataclass
class _Leaves:
    """The leaves of a message's tree, sorted by what they are to its reader.

    Attributes:
        texts: Parts of text, each with the number of the multipart/alternative that it belongs to.
        forwarded: The same of messages within the message.
        attachments: Number of parts that a mail program shows as attachments.
        images: Number of parts that are images, shown as attachments or not.
        is_encrypted: Whether there is a part that needs a key.
        is_cut: Whether there were more parts than are looked at.
        is_broken: Whether a multipart has no parts, or only empty ones.
    """

    texts: list[tuple[int | None, str, str]] = field(default_factory=list)
    forwarded: list[tuple[int | None, str, str]] = field(default_factory=list)
    attachments: int = 0
    images: int = 0
    is_encrypted: bool = False
    is_cut: bool = False
    is_broken: bool = False

    def has_text(self) -> bool:
        return any(text.strip() for _, _, text in (*self.texts, *self.forwarded))

    def came_out_empty(self) -> bool:
        """Return whether there must be more in the message than was found."""
        return not (self.is_encrypted or self.attachments or self.images or self.has_text())


class _UnreadableError(Exception):
    """Neither parser can read the message in reasonable time."""


def _read_leaves(content: bytes, is_escaped: bool) -> tuple[_Leaves, bool]:
    """Return the leaves of a message, and whether the second parser was needed.

    Raises:
        _UnreadableError: Parts stand within parts, more than 256 deep, or a multipart is broken and huge.
    """
    import fast_mail_parser

    if len(content) > _CAREFUL_FROM and content.count(b"=?") > _MAX_ENCODED_WORDS:
        content = _HEADER_FIELD.sub(_hidden_words, content)
    try:
        tree = fast_mail_parser.parse_email_tree(content, mode="lazy")
        leaves = _sorted_leaves(tree, is_escaped)
    except fast_mail_parser.MimeStructureError as exc:
        raise _UnreadableError from exc
    except (fast_mail_parser.ParseError, _UnknownEncodingError):
        return _sorted_leaves(_parsed_by_standard_library(content), is_escaped), True
    if leaves.is_broken or (tree.content_type.startswith("multipart/") and leaves.came_out_empty()):
        try:
            second = _sorted_leaves(_parsed_by_standard_library(content), is_escaped)
        except _UnreadableError:
            return leaves, False
        if second.has_text():
            return second, True
    return leaves, False


_HEADER_FIELD = re.compile(rb"^[!-9;-~]+:[^\n]*(?:\n[ \t][^\n]*)*", re.MULTILINE)


def _hidden_words(field: re.Match[bytes]) -> bytes:
    return field[0].replace(b"=?", b"= ?") if field[0].count(b"=?") > _MAX_ENCODED_WORDS else field[0]


def _parsed_by_standard_library(content: bytes) -> _StandardPart:
    from email.parser import BytesParser

    boundaries = content.lower().count(b"boundary")
    comparisons = content.count(b"\n") * (boundaries + 1)
    if boundaries > _MAX_BOUNDARIES or comparisons > _MAX_COMPARISONS or _LONG_TYPE.search(content):
        raise _UnreadableError
    try:
        return _StandardPart(BytesParser().parsebytes(content))
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as exc:
        raise _UnreadableError from exc


class _UnknownEncodingError(Exception):
    """fast-mail-parser has left a part's transfer encoding as it is."""


def _sorted_leaves(tree: _Part, is_escaped: bool) -> _Leaves:
    leaves = _Leaves()
    stack: list[tuple[_Part, int | None, bool]] = [(tree, None, False)]
    alternatives = seen = 0
    while stack:
        part, alternative, is_forwarded = stack.pop()
        seen += 1
        if seen > _MAX_PARTS:
            leaves.is_cut = True
            break
        content_type = part.content_type
        if content_type in _ENCRYPTED:
            leaves.is_encrypted = True
        elif part.children or part.is_message or content_type.startswith("multipart/"):
            leaves.is_broken |= not any(child.children or child.encoded_size for child in part.children)
            if part.is_message:
                leaves.attachments += not is_forwarded and part is not tree
                is_forwarded = True
            elif content_type == "multipart/alternative" and alternative is None:
                alternative = alternatives = alternatives + 1
            stack.extend((child, alternative, is_forwarded) for child in reversed(part.children))
        elif _is_text(part, alternative, leaves):
            kind = "html" if content_type in _HTML else "plain"
            texts = leaves.forwarded if is_forwarded else leaves.texts
            texts.append((alternative, kind, _decoded(part, kind, is_escaped)))
        elif not is_forwarded and content_type not in _STRUCTURE and (alternative is None or part.filename):
            is_image = content_type.startswith("image/")
            leaves.images += is_image
            leaves.attachments += not (is_image and part.content_id and part.disposition != "attachment")
    return leaves


def _is_text(part: _Part, alternative: int | None, leaves: _Leaves) -> bool:
    # RFC 2045, 5.2: what has no slash is text/plain.
    if "/" in part.content_type and part.content_type not in _PLAIN and part.content_type not in _HTML:
        return False
    if (part.disposition or "").lower() == "attachment":
        return False
    return not (part.filename and alternative is None and leaves.texts)


_CHARSET = re.compile(r"""charset(?:\*0?\*?)?\s*=\s*(?:[\w-]*'[\w-]*')?["']?([^\s;"']{1,60})""", re.IGNORECASE)
_META_CHARSET = re.compile(rb"""<meta[^<>]{0,200}charset\s{0,5}=\s{0,5}["']?([\w:.-]{1,40})""", re.IGNORECASE)
_FLOWED = re.compile(r"format\s*=\s*\"?flowed", re.IGNORECASE)
_DELSP = re.compile(r"delsp\s*=\s*\"?yes", re.IGNORECASE)
_MAX_FLOWED_LINES = 1_000_000
_KNOWN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})


def _decoded(part: _Part, kind: str, is_escaped: bool) -> str:
    """Return a part's text with line feeds as line ends, and lines that were folded (RFC 3676) whole."""
    encoding = _header(part, "content-transfer-encoding").lower().strip('"')
    if encoding not in _KNOWN_ENCODINGS and not isinstance(part, _StandardPart):
        raise _UnknownEncodingError
    data = part.content or b""
    content_type = _header(part, "content-type")
    charset = _CHARSET.search(content_type)
    label = charset[1] if charset else None
    if kind == "html" and label is None and (meta := _META_CHARSET.search(data, 0, 4096)):
        label = meta[1].decode("ascii")
    text = decode(data, label).replace("\0", "")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if is_escaped and encoding != "base64" and ">From " in text:
        text = _ESCAPED_FROM.sub(_unescaped, text)
    if kind == "plain" and _FLOWED.search(content_type):
        text = _unfolded(text, bool(_DELSP.search(content_type)))
    return text


_ESCAPED_FROM = re.compile(r"^>(>*From )", re.MULTILINE)


def _unescaped(found: re.Match[str]) -> str:
    """Return a line's start as it was before the line was put into a mailbox.

    Below or above a line that is quoted without a space, it is quoted too: the oldest dialect doesn't tell.
    """
    text, start = found.string, found.start()
    above = text.rfind("\n", 0, start - 1) + 1 if start else len(text)
    below = text.find("\n", start) + 1 or len(text)
    is_quoted = any(_QUOTED_TIGHTLY.match(text, place) for place in (above, below))
    return found[0] if is_quoted and found[1] == "From " else found[1]


_QUOTED_TIGHTLY = re.compile(r">(?!>*From )[^\s>]")


def _header(part: _Part, name: str) -> str:
    """Return the first value of a part's header whatever its case, an empty string where there is none."""
    values = part.headers.get(name.title())
    if values is None:
        values = next((values for key, values in part.headers.items() if key.lower() == name), [""])
    return values[0]


def _unfolded(text: str, delete_space: bool) -> str:
    """Return flowed text with its paragraphs on a line each; quoted ones keep their marks."""
    if text.count("\n") > _MAX_FLOWED_LINES:
        return text
    paragraphs: list[list[str]] = []
    flows_on = -1  # depth of the quote that the line before leaves open
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        if flows and delete_space:
            content = content[:-1]
        if flows_on == depth and content != "-- ":
            paragraphs[-1].append(content)
        else:
            paragraphs.append([">" * depth + " " * bool(depth), content])
        flows_on = depth if flows else -1
    return "\n".join(map("".join, paragraphs))


_MAX_POINTER = 600  # characters
_POINTING_WORDS = ("html", "browser", "online", "mail client", "mail program", "mail reader", "display", "view")
"""A short text beside HTML that has one of these words may only say where the real one is. If it doesn't, no harm
is done: the HTML says the same."""


class _Pieces:
    """The texts of a message that are read one after another."""

    def __init__(self, texts: list[tuple[int | None, str, str]]) -> None:
        self._pieces: list[tuple[str, str]] = []  # kind, text
        for alternative, group in groupby(texts, key=itemgetter(0)):
            parts = [(kind, text) for _, kind, text in group if text.strip()]
            if alternative is None:
                self._pieces += parts
                continue
            plain = [part for part in parts if part[0] == "plain"]
            html = [part for part in parts if part[0] == "html"]
            length = sum(len(text) for _, text in plain)
            if html and (not plain or (length < _MAX_POINTER and _points_elsewhere(plain))):
                self._pieces += html
            else:
                self._pieces += plain

    def text(self, **kept: bool) -> str:
        """Return the texts, those of pages with what `kept` says of `html_to_text`."""
        return _joined(html_to_text(text, **kept) if kind == "html" else text for kind, text in self._pieces)

    def has_images(self) -> bool:
        return any(kind == "html" and has_images(text) for kind, text in self._pieces)


def _points_elsewhere(parts: list[tuple[str, str]]) -> bool:
    lower = " ".join(text for _, text in parts).lower()
    return holds_any(lower, _POINTING_WORDS)


def _joined(texts: Iterable[str]) -> str:
    return "\n\n".join(stripped for text in texts if (stripped := text.strip()))


def read_text(
    content: bytes,
    flags: list[str],
    *,
    is_escaped: bool = False,
    keep_quotes: bool = False,
    keep_signatures: bool = False,
) -> tuple[str | None, int]:
    """Return a message's text, None where there is none that can be read, and its number of attachments.

    Args:
        content: The message, its header well-formed, with line feeds as line ends.
        flags: What is to be known of the text is added here; one of NO_TEXT where there is none.
        is_escaped: A line that begins with ">From " began with "From " before it was put into a mailbox.
        keep_quotes: Quoted and forwarded messages are text too.
        keep_signatures: Signatures, sign-offs and footers are text too.
    """
    try:
        leaves, recovered = _read_leaves(content, is_escaped)
    except _UnreadableError:
        flags.append("unreadable")
        return None, 0
    if recovered and "recovered" not in flags:
        flags.append("recovered")
    if leaves.is_cut and "oversize" not in flags:
        flags.append("oversize")
    pieces, forwarded = _Pieces(leaves.texts), _Pieces(leaves.forwarded)
    kept = {"keep_quotes": keep_quotes, "keep_signatures": keep_signatures}
    text, is_encrypted = _without_armour(pieces.text(**kept))
    text = own_words(text, **kept)
    if keep_quotes:
        text = _joined([text, _without_armour(forwarded.text())[0]])
    if text:
        return text, leaves.attachments
    text, has_armour = _without_armour(_joined([pieces.text(), forwarded.text()]))
    if text:
        flags.append("quotes_kept")
        return text, leaves.attachments
    reason = None
    if leaves.is_encrypted or is_encrypted or has_armour:
        reason = "encrypted"
    elif "oversize" in flags:
        reason = "oversize"
    elif leaves.attachments > leaves.images:
        reason = "attachments_only"
    elif leaves.images or pieces.has_images():
        reason = "images_only"
    if reason and reason not in flags:
        flags.append(reason)
    return None if reason else "", leaves.attachments


_ARMOUR = re.compile(r"^-----BEGIN PGP (MESSAGE|SIGNATURE|PUBLIC KEY BLOCK)-----", re.MULTILINE)
_DASH_ESCAPED = re.compile(r"^- ", re.MULTILINE)
_SIGNED = re.compile(r"^-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Za-z]+: [^\n]*\n)*", re.MULTILINE)


def _without_armour(text: str) -> tuple[str, bool]:
    """Return text without what OpenPGP (RFC 9580) has put around or into it, and whether that was a message."""
    if "-----BEGIN PGP " not in text:
        return text, False
    is_encrypted = False
    kept = []
    end = 0
    while armour := _ARMOUR.search(text, end):
        kept.append(text[end : armour.start()])
        is_encrypted = is_encrypted or armour[1] == "MESSAGE"
        closing = f"-----END PGP {armour[1]}-----"
        end = text.find(closing, armour.end())
        end = len(text) if end < 0 else end + len(closing)
    kept.append(text[end:])
    text, signed = _SIGNED.subn("", "".join(kept))
    return (_DASH_ESCAPED.sub("", text) if signed else text).strip(), is_encrypted
