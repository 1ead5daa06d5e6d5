"""Compressed streams, told by their first bytes, and how much of one is read."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, Any

import pyarrow as pa

SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_MAGIC = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),  # a block, or the end of an empty stream
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd"),
}
_MAGIC_BYTES = 16
_BEGINNINGS = {
    "gzip": [b"\x1f\x8b"],
    "bz2": [b"BZh%d" % level + mark for level in range(1, 10) for mark in (b"1AY&SY", b"\x17rE8P\x90")],
    "zstd": [b"\x28\xb5\x2f\xfd"],
}

MAX_RATIO = 200
"""What is unpacked may be so many times as large as what it is unpacked from. Mail and tables are packed 2 to 20
times; what gzip and zstd make of one mail repeated for ever, 900 and 10,000 times."""

UNJUDGED_BYTES = 256 << 20
"""So much is unpacked in any case: some minutes of scoring, whatever it holds."""


class UnpackedTooMuchError(ValueError):
    """An input unpacks to more than it may."""


class Unpacked:
    """Counts what is unpacked from an input, with all that is packed within it."""

    def __init__(self, stored: int | None = None, max_ratio: int = MAX_RATIO) -> None:
        """Begin an input.

        Args:
            stored: Its bytes; None of a pipe, of which those count that were read.
            max_ratio: How many times as large as these what is unpacked may be, once it is over UNJUDGED_BYTES.
        """
        self._is_pipe = stored is None
        self._stored = stored or 0
        self._max_ratio = max_ratio
        self._total = 0

    def add(self, size: int) -> None:
        """Count some bytes more.

        Raises:
            UnpackedTooMuchError: They are too many.
        """
        self._total += size
        if self._total > UNJUDGED_BYTES and self._total > self._max_ratio * self._stored:
            raise UnpackedTooMuchError(
                f"it unpacks to more than {self._max_ratio} times its size: if you trust it, unpack it first, or "
                f"allow more with --max-ratio {10 * self._max_ratio}"
            )

    def counted(self, stream: Any) -> io.BufferedReader:
        """Return a stream that counts what is read of another one."""
        return io.BufferedReader(_Counted(stream, self.add), _BUFFER_BYTES)

    def input(self, file: Any) -> Any:
        """Return the input itself, or of a pipe a stream that counts what is read of it; later on what is given."""
        if not self._is_pipe:
            return file
        self._is_pipe = False
        if file.seekable():  # a file instead, or what was put into one
            place = file.tell()
            self._stored = file.seek(0, io.SEEK_END) - place
            file.seek(place)
            return file
        return io.BufferedReader(_Counted(file, self._read), _BUFFER_BYTES)

    def _read(self, size: int) -> None:
        self._stored += size


_BUFFER_BYTES = 1 << 18


class _Counted(io.RawIOBase):
    def __init__(self, stream: Any, count: Callable[[int], object]) -> None:
        self._stream = stream
        self._count = count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = self._stream.readinto(buffer)
        self._count(size)
        return size


def suffix_and_compression(path: PurePath) -> tuple[str, str | None]:
    """Return a file's suffix in lower case, and the compression that one behind it names."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = SUFFIXES.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    return suffixes[-1] if suffixes else "", compression


@contextmanager
def decompressed(
    file: IO[bytes], unpacked: Unpacked | None = None, named: str | None = None
) -> Iterator[IO[bytes]]:
    """Yield a file's content, decompressed where its first bytes say that it is compressed.

    Args:
        file: The file.
        unpacked: Counts what is decompressed, and stops where it is too much; with None nothing does.
        named: The compression that the file's name tells of.

    Raises:
        ValueError: The file ends within the first bytes of that.
    """
    compression = compression_of(file)
    if compression is None:
        if named and is_cut_within_magic(file, named):
            raise ValueError("Truncated compressed stream")
        yield file
    else:
        with pa.CompressedInputStream(unpacked.input(file) if unpacked else file, compression) as stream:
            yield unpacked.counted(stream) if unpacked else stream


def compression_of(file: IO[bytes]) -> str | None:
    """Return the compression that a file's first bytes tell of."""
    first = first_bytes(file, _MAGIC_BYTES)
    return next((kind for kind, magic in _MAGIC.items() if magic.match(first)), None)


def is_cut_within_magic(file: IO[bytes], compression: str) -> bool:
    """Return whether a file ends within the first bytes that tell its compression."""
    first = first_bytes(file, _MAGIC_BYTES)
    return bool(first) and any(magic != first and magic.startswith(first) for magic in _BEGINNINGS[compression])


def first_bytes(file: IO[bytes], size: int) -> bytes:
    """Return what a file begins with, and leave it there; a buffered pipe too, up to the size of its buffer."""
    if isinstance(file, io.BufferedReader):
        return file.peek(size)[:size]
    first = file.read(size)
    file.seek(0)
    return first
