import bz2
import gzip
import io
import sys
import tarfile
import zipfile
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textsent import compression
from textsent.compression import (
    SUFFIXES,
    Unpacked,
    UnpackedTooMuchError,
    compression_of,
    decompressed,
    first_bytes,
)
from textsent.errors import InputError, OptionError
from textsent.readers import open_reader

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


# Bombs


MESSAGE = TEXT + b"\n"
ZEROS = 1 << 20
MANY_MAILS = MESSAGE * 20_000
MANY_ROWS = b"text\n" + b"so good\n" * 200_000
TOO_MUCH = (
    "it unpacks to more than 200 times its size: if you trust it, unpack it first, "
    "or allow more with --max-ratio 2000"
)


def zipped(*contents, name="a.mbox"):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}/{name}", content)
    return sink.getvalue()


def tarred(**members):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return sink.getvalue()


def sparse_tar(size):
    """Return an archive with a mail that claims to be so many bytes, nearly all of them a hole."""
    header = bytearray(tarred(a_eml=MESSAGE)[:512])
    header[156:157] = b"S"
    header[257:265] = b"ustar  \0"
    header[386:410] = b"%011o\0%011o\0" % (0, len(MESSAGE))
    header[483:495] = b"%011o\0" % size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + MESSAGE.ljust(512, b"\0") + bytes(1024)


def parquet():
    sink = io.BytesIO()
    table = pa.table({"text": ["so good"] * 200_000})
    pq.write_table(table, sink, compression="none", use_dictionary=False)
    return sink.getvalue()


BOMBS = {
    "a.mbox.gz": lambda: gzip.compress(MANY_MAILS),
    "a.mbox.bz2": lambda: bz2.compress(MANY_MAILS),
    "a.mbox.zst": lambda: COMPRESS["zstd"](MANY_MAILS),
    "a.eml.gz": lambda: gzip.compress(MESSAGE + bytes(ZEROS)),
    "a.csv.gz": lambda: gzip.compress(MANY_ROWS),
    "a.tsv.zst": lambda: COMPRESS["zstd"](MANY_ROWS),
    "a.txt.gz": lambda: gzip.compress(MANY_ROWS),
    "a.jsonl.gz": lambda: gzip.compress(b'{"text": "so good"}\n' * 100_000),
    "a.parquet.gz": lambda: gzip.compress(parquet()),
    "a.zip": lambda: zipped(MANY_MAILS),
    "many.zip": lambda: zipped(*[MESSAGE + bytes(200_000)] * 20, name="a.eml"),
    "nested.zip": lambda: zipped(gzip.compress(MANY_MAILS), name="a.mbox.gz"),
    "a.tar.gz": lambda: gzip.compress(tarred(a_mbox=MANY_MAILS)),
    "nested.tar": lambda: tarred(a_mbox=bz2.compress(3 * MANY_MAILS)),
    "sparse.tar": lambda: sparse_tar(1 << 33),
}
each_bomb = pytest.mark.parametrize("name", BOMBS)


@pytest.fixture
def judged_at_once(monkeypatch):
    monkeypatch.setattr(compression, "UNJUDGED_BYTES", 10_000)


def rows_of(source, **options):
    with open_reader(source, **options) as reader:
        return sum(batch.num_rows for batch in reader)


@each_kind
def test_a_stream_that_unpacks_to_too_much_is_left(judged_at_once, kind):
    data = COMPRESS[kind](bytes(8 * ZEROS))
    with (
        pytest.raises(UnpackedTooMuchError, match="more than 200 times"),
        decompressed(io.BytesIO(data), Unpacked(len(data))) as stream,
    ):
        stream.read()
    with decompressed(io.BytesIO(data), Unpacked(len(data), 10**6)) as stream:
        assert stream.read() == bytes(8 * ZEROS)


@each_kind
def test_what_is_not_over_the_size_that_is_unpacked_in_any_case_is_read(kind):
    data = COMPRESS[kind](bytes(ZEROS))
    with decompressed(io.BytesIO(data), Unpacked(len(data), 1)) as stream:
        assert stream.read() == bytes(ZEROS)


@each_bomb
def test_a_bomb_is_refused_in_one_line_that_says_how_to_lift_the_limit(judged_at_once, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(BOMBS[name]())
    with pytest.raises(InputError) as refused:
        rows_of(path)
    assert str(refused.value) == f"{path} can't be read: {TOO_MUCH}"


@pytest.mark.parametrize("name", [name for name in BOMBS if name != "sparse.tar"])
def test_a_larger_ratio_lets_it_pass(judged_at_once, tmp_path, name):
    (tmp_path / name).write_bytes(BOMBS[name]())
    assert rows_of(tmp_path / name, max_ratio=10**6)


@pytest.mark.parametrize("name", ["a.mbox.gz", "a.csv.gz", "a.txt.gz", "a.zip", "a.tar.gz", "nested.tar"])
def test_a_bomb_in_a_pipe_is_refused_too_and_what_is_none_is_read(judged_at_once, monkeypatch, name):
    honest = {
        "a.zip": zipped(MESSAGE),
        "a.tar.gz": gzip.compress(tarred(a_mbox=MESSAGE)),
        "nested.tar": tarred(a_mbox=gzip.compress(MESSAGE)),
    }
    format = name.split(".")[1].replace("txt", "text")
    for data, is_bomb in ((BOMBS[name](), True), (honest.get(name, gzip.compress(b"text\n" + MESSAGE)), False)):
        pipe = io.BufferedReader(Trickle(data, 1 << 16))
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=pipe))
        if is_bomb:
            with pytest.raises(InputError) as refused:
                rows_of("-", format=format)
            assert str(refused.value) == f"standard input can't be read: {TOO_MUCH}"
        else:
            assert rows_of("-", format=format)


def test_in_a_folder_a_bomb_is_a_row_that_says_so_and_the_others_are_read(judged_at_once, tmp_path):
    (tmp_path / "a.eml").write_bytes(MESSAGE)
    (tmp_path / "b.eml.gz").write_bytes(BOMBS["a.eml.gz"]())
    (tmp_path / "c.eml").write_bytes(MESSAGE)
    with open_reader(tmp_path) as reader:
        flags = [row["flags"] for batch in reader for row in batch.to_pylist()]
    assert flags == [[], ["unreadable"], []]


def test_a_ratio_below_one_makes_no_sense(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"so good\n")
    with pytest.raises(OptionError, match="must be 1 or more"):
        rows_of(tmp_path / "a.txt", max_ratio=0)
