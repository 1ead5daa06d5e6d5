import bz2
import gzip
import io

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textsent.compression import SUFFIXES, compression_of, decompressed, first_bytes

COMPRESS = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "zstd": lambda data: pa.compress(data, "zstd", asbytes=True),
}
TEXT = b"From ann@example.com Tue Feb  3 09:14:22 2026\n\nso good\n"

each_kind = pytest.mark.parametrize("kind", COMPRESS)


def read(file):
    with decompressed(file) as stream:
        return stream.read()


class Trickle(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data, step):
        self._data = io.BytesIO(data)
        self._step = step

    def readable(self):
        return True

    def readinto(self, buffer):
        piece = self._data.read(min(self._step, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def test_each_suffix_names_a_compression_that_is_told_by_first_bytes():
    assert set(SUFFIXES.values()) == set(COMPRESS)


@each_kind
@given(data=st.binary(max_size=200))
def test_what_was_compressed_comes_back(kind, data):
    assert read(io.BytesIO(COMPRESS[kind](data))) == data


@given(
    data=st.binary(max_size=40)
    | st.sampled_from([b"BZh is the mark", b"\x1f", b"\x28\xb5\x2f", b"BZh9", b"PK\x03\x04"])
)
def test_what_is_not_compressed_stays_as_it_is(data):
    if not data.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
        assert read(io.BytesIO(data)) == data


@each_kind
@pytest.mark.parametrize("pieces", [2, 3])
def test_compressed_pieces_one_after_the_other_are_one_stream(kind, pieces):
    assert read(io.BytesIO(COMPRESS[kind](TEXT) * pieces)) == TEXT * pieces


@each_kind
def test_files_and_pipes_are_read_as_bytes_in_memory_are(tmp_path, kind):
    data = COMPRESS[kind](TEXT)
    (tmp_path / "a").write_bytes(data)
    with (tmp_path / "a").open("rb") as file:
        assert read(file) == TEXT
    with pa.OSFile(str(tmp_path / "a")) as file:
        assert read(file) == TEXT
    assert read(io.BufferedReader(Trickle(data, 16))) == TEXT


@each_kind
def test_a_stream_that_breaks_off_is_an_error(kind):
    with pytest.raises((OSError, pa.ArrowException)):
        read(io.BytesIO(COMPRESS[kind](TEXT)[:-10]))


@pytest.mark.parametrize("size", [0, 1, 5, 100])
def test_first_bytes_are_left_where_they_are(tmp_path, size):
    (tmp_path / "a").write_bytes(TEXT)
    opened = [
        io.BytesIO(TEXT),
        io.BufferedReader(io.BytesIO(TEXT)),
        pa.OSFile(str(tmp_path / "a")),
        (tmp_path / "a").open("rb"),
    ]
    for file in opened:
        with file:
            assert first_bytes(file, size) == TEXT[:size]
            assert file.read() == TEXT


def test_an_empty_stream_has_no_first_bytes():
    assert first_bytes(io.BytesIO(b""), 16) == b""
    assert first_bytes(io.BufferedReader(io.BytesIO(b"")), 16) == b""
    assert read(io.BytesIO(b"")) == b""


@each_kind
def test_the_first_bytes_tell_the_compression_and_are_left_where_they_are(tmp_path, kind):
    data = COMPRESS[kind](TEXT)
    (tmp_path / "a").write_bytes(data)
    opened = [
        io.BytesIO(data),
        io.BufferedReader(io.BytesIO(data)),
        io.BufferedReader(Trickle(data, 16)),
        pa.OSFile(str(tmp_path / "a")),
        (tmp_path / "a").open("rb"),
    ]
    for file in opened:
        with file:
            assert compression_of(file) == kind
            assert file.read() == data


@each_kind
def test_of_nothing_compressed_the_first_bytes_tell_the_compression_too(kind):
    assert compression_of(io.BytesIO(COMPRESS[kind](b""))) == kind


@pytest.mark.parametrize("data", [TEXT, b"", b"BZh", b"BZh9 is no block", b"\x1f", b"PK\x03\x04", b"\n\x1f\x8b"])
def test_what_is_not_compressed_has_no_compression(data):
    for file in (io.BytesIO(data), io.BufferedReader(io.BytesIO(data))):
        assert compression_of(file) is None
        assert file.read() == data
