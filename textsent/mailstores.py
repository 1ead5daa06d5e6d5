"""Where mail is kept beside mailboxes: single messages, folders and archives of them."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import IO, Any, Self

from textsent.compression import (
    MAX_RATIO,
    Unpacked,
    UnpackedTooMuchError,
    decompressed,
    first_bytes,
    suffix_and_compression,
)
from textsent.mbox import BYTE_ORDER_MARK, CHUNK_SIZE, Message, beginning, split_mbox
from textsent.oversize import TextParts

SUFFIXES = {
    ".mbox": "mbox",
    ".mbx": "mbox",
    ".patch": "mbox",
    ".eml": "eml",
    ".emlx": "emlx",
    ".msg": "msg",
    ".zip": "zip",
    ".tar": "tar",
    ".tgz": "tar",
}
FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))
_ARCHIVES = frozenset({"zip", "tar"})

_MAILDIR_FOLDERS = frozenset({"cur", "new"})
_MAILDIR_INFO = re.compile(r"[:;!]2,[A-Za-z]*\Z")
_TRASHED = re.compile(r"[:;!]2,[A-Za-z]*T[A-Za-z]*\Z")
"""The flag of a Maildir file's name that says that the message is to go (https://cr.yp.to/proto/maildir.html)."""

_MSG_BYTES = 256 << 20
"""What an Outlook message may have: its parts stand anywhere in it, so that it is held whole. Exchange sends up to
150 MB."""

_BROKEN_ARCHIVE = "the archive is broken or encrypted"
_MEND_ARCHIVE = "fetch it again, or unpack it and name what was in it"

_EMLX_LENGTH = re.compile(rb"\s*(\d{1,12})\s*\n")
"""What Apple Mail puts before a message: its bytes. Behind it stands a property list."""


def read_store(
    stream: IO[bytes], format: str, max_message_bytes: int | None, unpacked: Unpacked | None = None
) -> Iterator[Message]:
    """Yield the messages of a mailbox, a file with a single message, or an archive.

    Args:
        stream: The file, decompressed.
        format: One of FORMATS.
        max_message_bytes: Bytes of a message that are held, see `split_mbox`.
        unpacked: Counts what is unpacked of an archive.

    Raises:
        ValueError: An archive is broken, needs a password or holds no mail; a single Outlook message is broken.
    """
    if format == "mbox":
        yield from beginning(split_mbox(stream, max_message_bytes=max_message_bytes))
    elif format in _ARCHIVES:
        yield from _read_archive(stream, format, max_message_bytes, unpacked or Unpacked())
    else:
        yield _single(stream, format, max_message_bytes)


class MailFolder:
    """A Maildir, or a folder with mail in it and in the folders below, file by file in the order of their names.

    Attributes:
        size: Bytes of all files with mail.
    """

    def __init__(self, path: str | Path, format: str | None = None, max_ratio: int = MAX_RATIO) -> None:
        """List the files.

        Args:
            path: The folder.
            format: What every file in it is; by default what each one's place, suffix or first bytes say.
            max_ratio: How many times as large as a file what is unpacked from it may be, see `Unpacked`.
        """
        self._files = list(_mail_files(Path(path), format))
        if any(found == "msg" for _, found, _ in self._files):
            from textsent.outlook import check_extra

            check_extra()
        self.size = sum(status.st_size for _, _, status in self._files)
        self._max_ratio = max_ratio
        self._read = 0
        self._file: IO[bytes] | None = None
        self.closed = False

    def __len__(self) -> int:
        return len(self._files)

    def tell(self) -> int:
        """Return the bytes of the files that are read, and of the one that is being read."""
        return self._read + (self._file.tell() if self._file and not self._file.closed else 0)

    @property
    def state(self) -> str:
        """What it held when it was opened, in words that differ where that does."""
        listed = "\n".join(f"{path} {status.st_size} {status.st_mtime_ns}" for path, _, status in self._files)
        return f"{len(self)} files, {hashlib.sha256(listed.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"

    def __enter__(self) -> MailFolder:
        return self

    def __exit__(self, *error: object) -> None:
        self.closed = True

    def messages(self, max_message_bytes: int | None) -> Iterator[Message]:
        """Yield the messages of all files; for what can't be read of one, a message with the flag `unreadable`."""
        for path, format, status in self._files:
            flags = _maildir_flags(path)
            unpacked = Unpacked(status.st_size, self._max_ratio)
            named = suffix_and_compression(path)[1]
            try:
                with path.open("rb") as self._file, decompressed(self._file, unpacked, named) as stream:
                    for message in read_store(stream, format, max_message_bytes, unpacked):
                        yield message._replace(flags=flags) if flags else message
            except _NoMailError:
                pass  # as of a folder with photographs
            except (OSError, ValueError, EOFError):
                yield Message(0, b"", b"", escaped=False, flags=(*flags, "unreadable"))
            self._read += status.st_size


def _mail_files(folder: Path, format: str | None) -> Iterator[tuple[Path, str, os.stat_result]]:
    with os.scandir(folder) as scanned:
        entries = sorted(scanned, key=lambda entry: entry.name)
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            hidden = entry.name.startswith(".")  # in a Maildir, a folder within it
            if not hidden or any((path / name).is_dir() for name in _MAILDIR_FOLDERS):
                yield from _mail_files(path, format)
        elif entry.is_file() and not entry.name.startswith("."):
            found = format or _format_of(path) or _format_inside(path)
            if found:
                yield path, found, entry.stat()


def _format_of(path: PurePath) -> str | None:
    """Return the format that a file's name and place tell."""
    if path.parent.name in _MAILDIR_FOLDERS and (_MAILDIR_INFO.search(path.name) or path.suffix not in SUFFIXES):
        return "eml"
    if path.name == "mbox":
        return "mbox"
    return SUFFIXES.get(suffix_and_compression(path)[0])


def _format_inside(path: Path) -> str | None:
    """Return the format that the first bytes of a file tell whose name tells none, as of Thunderbird's "Inbox"."""
    try:
        with path.open("rb") as file:
            found = sniff_mail(file)
    except PermissionError:
        return None if path.suffix else "mbox"  # to be read as a row that says so
    except (OSError, ValueError):
        return None
    return found if found == "mbox" or not path.suffix else None


def sniff_mail(file: IO[bytes]) -> str | None:
    """Return mbox, zip or tar where a file begins like one, else None. The file isn't used after that."""
    with decompressed(file) as stream:
        first = stream.read(512) if stream is not file else first_bytes(file, 512)
    if _begins_mailbox(first):
        return "mbox"
    if first.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    return "tar" if first[257:262] == b"ustar" else None


def _begins_mailbox(first: bytes) -> bool:
    return first.removeprefix(BYTE_ORDER_MARK).lstrip(b"\r\n").startswith(b"From ")


def _maildir_flags(path: PurePath) -> tuple[str, ...]:
    is_trashed = path.parent.name in _MAILDIR_FOLDERS and _TRASHED.search(path.name)
    return ("deleted",) if is_trashed else ()


def _single(stream: IO[bytes], format: str, max_message_bytes: int | None) -> Message:
    if format == "msg":
        from textsent.outlook import check_extra, read_msg

        check_extra()
        data = stream.read(_MSG_BYTES + 1)
        if len(data) > _MSG_BYTES:
            return Message(0, b"", b"", oversize=True, escaped=False)
        return Message(0, b"", read_msg(data), escaped=False)
    held: list[bytes] = []
    size = 0
    parts = None
    while chunk := stream.read(CHUNK_SIZE):
        size += len(chunk)
        held.append(chunk)
        if max_message_bytes is not None and size > max_message_bytes:
            parts = parts or TextParts(max_message_bytes)
            for part in held:
                parts.feed(part)
            held = []
    if parts:
        return Message(0, b"", parts.content(), oversize=True, escaped=False)
    content = b"".join(held)
    if format == "emlx" and (length := _EMLX_LENGTH.match(content)):
        content = content[length.end() : length.end() + int(length[1])]
    return Message(0, b"", content, escaped=False)


class _NoMailError(ValueError):
    """An archive holds no mail."""


def _read_archive(
    stream: IO[bytes], format: str, max_message_bytes: int | None, unpacked: Unpacked
) -> Iterator[Message]:
    import lzma
    import struct
    import tarfile
    import zipfile
    import zlib

    members = _zip_members(stream, unpacked) if format == "zip" else _tar_members(stream, unpacked)
    found = False
    try:
        for name, member in members:
            path = PurePath(name)
            if path.name.startswith("."):
                continue
            flags = _maildir_flags(path)
            try:
                with decompressed(member, unpacked, suffix_and_compression(path)[1]) as content:
                    content = _buffered(content)
                    member_format = _format_of(path) or ("mbox" if _begins_mailbox(content.peek(512)) else None)
                    if member_format is None or member_format in _ARCHIVES:
                        continue
                    found = True
                    for message in read_store(content, member_format, max_message_bytes):
                        yield message._replace(flags=flags) if flags else message
            except UnpackedTooMuchError:
                raise
            except (OSError, ValueError, EOFError, zlib.error, lzma.LZMAError):
                found = True
                yield Message(0, b"", b"", escaped=False, flags=(*flags, "unreadable"))
    except (tarfile.TarError, zipfile.BadZipFile) as exc:
        raise ValueError(f"{_BROKEN_ARCHIVE}: {exc}: {_MEND_ARCHIVE}") from exc
    except (zlib.error, lzma.LZMAError, struct.error, EOFError, RuntimeError, LookupError) as exc:
        raise ValueError(f"{_BROKEN_ARCHIVE}: {exc or type(exc).__name__}: {_MEND_ARCHIVE}") from exc
    if not found:
        raise _NoMailError("the archive holds no mail: textsent looks for .mbox, .eml, .emlx and .msg files in it")


def _zip_members(stream: IO[bytes], unpacked: Unpacked) -> Iterator[tuple[str, IO[bytes]]]:
    import zipfile

    with zipfile.ZipFile(unpacked.input(stream)) as archive:
        for member in archive.infolist():
            if not member.filename.endswith("/"):  # is_dir() stumbles over a name of no letters
                with archive.open(member) as file:
                    yield member.filename, unpacked.counted(file)


def _tar_members(stream: IO[bytes], unpacked: Unpacked) -> Iterator[tuple[str, IO[bytes]]]:
    import tarfile

    class Header(tarfile.TarInfo):
        """A header; at one that is damaged or missing `tarfile` takes the archive for ended, but for the first."""

        @classmethod
        def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
            try:
                return super().fromtarfile(archive)
            except tarfile.EOFHeaderError as exc:  # type: ignore[attr-defined]  # of a block of zeros
                if any(archive.fileobj.read(tarfile.BLOCKSIZE)):  # two of them are its end
                    raise tarfile.ReadError(f"it breaks off at byte {archive.offset:,}") from exc
                raise
            except tarfile.HeaderError as exc:
                if archive.offset == 0:
                    raise
                raise tarfile.ReadError(f"it breaks off at byte {archive.offset:,}") from exc

    ending: Any = _Ending(unpacked.input(stream))
    with tarfile.open(fileobj=ending, mode="r|", tarinfo=Header) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file:
                yield member.name, unpacked.counted(file) if member.issparse() else _buffered(file)


class _Ending:
    """A stream that says only once that it has ended: `tarfile` reads all that a header tells of, be it 4 EiB."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._ended = False

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        if not data and self._ended:
            raise EOFError("unexpected end of data")
        self._ended = not data
        return data


def _buffered(file: Any) -> io.BufferedReader:
    return io.BufferedReader(file)  # its first bytes can be looked at
