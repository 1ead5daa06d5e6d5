"""What the text of a message is read from, kept of one that is too large to hold."""

from __future__ import annotations

import re

_PIECE_BYTES = 1 << 20
_LINE_BYTES = 1 << 14
_HEADER_LINES = 500
_BOUNDARIES = 1000
"""What is looked at of a line, of a header, and of a message."""

_BOUNDARY = re.compile(rb"""boundary[ \t]*=[ \t]*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
_HEADER_END = re.compile(rb"\n\r?\n|\r\r")
_ATTACHMENT = re.compile(rb"(?:^|[\r\n])content-disposition[ \t]*:\s*attachment", re.IGNORECASE)
_CONTENT_TYPE = re.compile(rb"(?:^|[\r\n])content-type[ \t]*:\s*([^\s;]+)", re.IGNORECASE)


class TextParts:
    """Takes a message in pieces and keeps its header, its boundaries and the parts that are text or messages.

    The memory it takes doesn't grow with the message.
    """

    def __init__(self, max_bytes: int) -> None:
        """Begin a message.

        Args:
            max_bytes: Bytes to keep at most.
        """
        self._max_bytes = max_bytes
        self._kept = bytearray()
        self._is_too_long = False
        self._rest = b""  # what was fed of a line whose end was not
        self._is_within_line = False  # the line's first bytes are taken already
        self._boundaries: set[bytes] = set()
        self._header: list[bytes] | None = []  # lines of the header that is being read; None within a body
        self._keeps_body = True

    def feed(self, data: bytes) -> None:
        """Take the next piece of the message."""
        for start in range(0, len(data), _PIECE_BYTES):
            self._feed(data[start : start + _PIECE_BYTES])

    def content(self) -> bytes:
        """Return the message without its other parts; only its header where its text alone is too long."""
        self._take_line(self._rest)
        self._rest = b""
        if not self._is_too_long:
            return bytes(self._kept)
        end = _HEADER_END.search(self._kept)
        return bytes(self._kept[: end.start() + 1 if end else 0])

    def _feed(self, data: bytes) -> None:
        lines = (self._rest + data).splitlines(keepends=True)
        # A carriage return may be the first half of a line's end.
        rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            self._take_line(line)
        cut = max(0, len(rest) - 1) // _LINE_BYTES * _LINE_BYTES
        self._take_beginning(rest[:cut])
        self._rest = rest[cut:]

    def _take_line(self, line: bytes) -> None:
        self._take_beginning(line)
        self._is_within_line = False

    def _take_beginning(self, line: bytes) -> None:
        for start in range(0, len(line), _LINE_BYTES):
            self._take(line[start : start + _LINE_BYTES])
            self._is_within_line = True

    def _take(self, piece: bytes) -> None:
        bare = b"-" if self._is_within_line else piece.strip()
        if self._header is None and bare.startswith(b"--"):
            name = bare[2:]
            if name in self._boundaries or name.removesuffix(b"--") in self._boundaries:
                self._keep(piece)
                ended = name not in self._boundaries
                self._header, self._keeps_body = (None, False) if ended else ([], True)
                return
        if self._header is None:
            if self._keeps_body:
                self._keep(piece)
            return
        self._keep(piece)
        if bare and len(self._header) < _HEADER_LINES:
            self._header.append(piece)
        elif not bare:
            self._end_header(b"".join(self._header))

    def _end_header(self, header: bytes) -> None:
        found = _CONTENT_TYPE.search(header)
        content_type = found[1].lower() if found else b"text/plain"
        boundary = _BOUNDARY.search(header)
        if content_type.startswith(b"multipart/") and boundary and len(self._boundaries) < _BOUNDARIES:
            self._boundaries.add((boundary[1] or boundary[2]).strip())
        self._header = [] if content_type == b"message/rfc822" else None
        is_text = content_type in (b"text/plain", b"text/html") and not _ATTACHMENT.search(header)
        self._keeps_body = is_text or content_type.startswith(b"multipart/")

    def _keep(self, piece: bytes) -> None:
        if len(self._kept) + len(piece) > self._max_bytes:
            self._is_too_long = True
        else:
            self._kept += piece
