"""Compressed streams, told by their first bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO

import pyarrow as pa

SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_MAGIC = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),  # a block, or the end of an empty stream
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd"),
}
_MAGIC_BYTES = 16


def suffix_and_compression(path: PurePath) -> tuple[str, str | None]:
    """Return a file's suffix in lower case, and the compression that one behind it names."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = SUFFIXES.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    return suffixes[-1] if suffixes else "", compression


@contextmanager
def decompressed(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield a file's content, decompressed where its first bytes say that it is compressed."""
    compression = compression_of(file)
    if compression is None:
        yield file
    else:
        with pa.CompressedInputStream(file, compression) as stream:
            yield stream


def compression_of(file: IO[bytes]) -> str | None:
    """Return the compression that a file's first bytes tell of."""
    first = first_bytes(file, _MAGIC_BYTES)
    return next((kind for kind, magic in _MAGIC.items() if magic.match(first)), None)


def first_bytes(file: IO[bytes], size: int) -> bytes:
    """Return what a file begins with, and leave it there; a buffered pipe too, up to the size of its buffer."""
    if isinstance(file, io.BufferedReader):
        return file.peek(size)[:size]
    first = file.read(size)
    file.seek(0)
    return first
