import bz2
import csv
import errno
import gzip
import io
import json
import math
import os
import re
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import WORDS, FirstWordNetwork
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from outlook_files import BODY, SUBJECT, msg_bytes

from textsent import unfinished, writers
from textsent.compression import compression_of, decompressed
from textsent.errors import InputError, OptionError, OutputError
from textsent.files import score_file
from textsent.mail import MailOptions
from textsent.model import SentimentModel
from textsent.preprocess import Preprocessor
from textsent.readers import open_reader
from textsent.score import Scorer
from textsent.windows import Layout
from textsent.writers import check_output, open_writer

TABLE = pa.table(
    {"text": ["so\ngood", "", None], "n": [1, None, 3], "score": pa.array([0.5, None, 1], pa.float32())}
)
SUFFIXES = ["csv", "jsonl", "parquet"]
COMPRESSIONS = ["", ".gz", ".bz2", ".zst"]
MAGIC = {".gz": b"\x1f\x8b", ".bz2": b"BZh", ".zst": b"\x28\xb5\x2f\xfd"}

each_suffix = pytest.mark.parametrize("suffix", SUFFIXES)
each_compression = pytest.mark.parametrize("compression", COMPRESSIONS)


class Interrupted(Exception):  # noqa: N818 - stands for whatever ends the block early
    pass


def write(table, path, **options):
    with open_writer(path, table.schema, **options) as writer:
        for batch in table.to_batches():
            writer.write(batch)
    return path


def read(path):
    with open_reader(path) as reader:
        return pa.Table.from_batches(reader, reader.schema)


def json_lines(table, folder):
    return [json.loads(line) for line in write(table, folder / "a.jsonl").read_text("utf-8").splitlines()]


def output_error(path, **options):
    with pytest.raises(OutputError) as error:
        write(TABLE, path, **options)
    return str(error.value)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_and_raise(error, path, **options):
    with open_writer(path, TABLE.schema, **options) as writer:
        writer.write(TABLE.to_batches()[0])
        raise error


@pytest.fixture
def standard_output(monkeypatch):
    def catch(buffer):
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=buffer))  # pytest sets its own after the fixtures
        return buffer

    return catch


@each_compression
def test_parquet_written_then_read_is_the_same(tmp_path, compression):
    assert read(write(TABLE, tmp_path / f"a.parquet{compression}")).equals(TABLE)


@each_compression
def test_json_lines_written_then_read_are_the_same(tmp_path, compression):
    assert read(write(TABLE, tmp_path / f"a.jsonl{compression}")).to_pylist() == TABLE.to_pylist()


@each_compression
def test_csv_written_then_read_is_the_same_as_text(tmp_path, compression):
    assert read(write(TABLE, tmp_path / f"a.csv{compression}")).to_pylist() == [
        {"text": "so\ngood", "n": "1", "score": "0.5"},
        {"text": "", "n": "", "score": ""},
        {"text": "", "n": "3", "score": "1"},
    ]


@each_suffix
@pytest.mark.parametrize("compression", COMPRESSIONS[1:])
def test_the_suffix_tells_the_compression(tmp_path, suffix, compression):
    data = write(TABLE, tmp_path / f"a.{suffix}{compression}").read_bytes()
    assert data.startswith(MAGIC[compression])


@pytest.mark.parametrize(("compression", "decompress"), [(".gz", gzip.decompress), (".bz2", bz2.decompress)])
def test_other_programs_can_read_compressed_output(tmp_path, compression, decompress):
    data = write(TABLE, tmp_path / f"a.jsonl{compression}").read_bytes()
    assert decompress(data) == write(TABLE, tmp_path / "a.jsonl").read_bytes()


def test_parquet_is_compressed_inside_with_zstd(tmp_path):
    metadata = pq.read_metadata(write(TABLE, tmp_path / "a.parquet"))
    assert metadata.row_group(0).column(0).compression == "ZSTD"


@each_suffix
def test_the_format_asked_for_goes_before_the_suffix(tmp_path, suffix):
    expected = write(TABLE, tmp_path / f"a.{suffix}").read_bytes()
    assert write(TABLE, tmp_path / "a.out", format=suffix).read_bytes() == expected


def test_csv_has_a_header_and_quotes_strings(tmp_path):
    table = pa.table({"text": ['so "good", really', "é"], "n": [1, None]})
    data = write(table, tmp_path / "a.csv").read_text("utf-8")
    assert data == '"text","n"\n"so ""good"", really",1\n"é",\n'


def test_json_lines_are_utf_8_without_escapes(tmp_path):
    data = write(pa.table({"text": ["é\n"], "n": [None]}), tmp_path / "a.jsonl").read_bytes()
    assert data == '{"text": "é\\n", "n": null}\n'.encode()


CELLS = {
    pa.string(): st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('",\r\n\t'), max_size=8),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(),
}


def tables(null=True, finite=False):
    cells = {**CELLS, pa.float64(): st.floats(allow_nan=not finite, allow_infinity=not finite)}
    columns = {"s": pa.string(), "t": pa.string(), "n": pa.int64(), "x": pa.float64()}
    rows = st.fixed_dictionaries(
        {name: st.none() | cells[kind] if null else cells[kind] for name, kind in columns.items()}
    )
    return st.lists(rows, min_size=1, max_size=6).map(
        lambda rows: pa.Table.from_pylist(rows, pa.schema(list(columns.items())))
    )


@settings(max_examples=40, deadline=None)
@given(table=tables(), compression=st.sampled_from(COMPRESSIONS))
def test_any_table_written_to_parquet_then_read_is_the_same(tmp_path_factory, table, compression):
    path = tmp_path_factory.mktemp("parquet") / f"a.parquet{compression}"
    back = read(write(table, path))
    assert back.schema == table.schema
    assert repr(back.to_pylist()) == repr(table.to_pylist())


@settings(max_examples=40, deadline=None)
@given(table=tables(finite=True), compression=st.sampled_from(COMPRESSIONS))
def test_any_table_of_finite_numbers_written_to_json_lines_then_read_is_the_same(
    tmp_path_factory, table, compression
):
    path = tmp_path_factory.mktemp("json") / f"a.jsonl{compression}"
    assert repr(read(write(table, path)).to_pylist()) == repr(table.to_pylist())


@settings(max_examples=40, deadline=None)
@given(table=tables(null=False), compression=st.sampled_from(COMPRESSIONS))
def test_any_table_without_nulls_written_to_csv_then_read_is_the_same(tmp_path_factory, table, compression):
    path = tmp_path_factory.mktemp("csv") / f"a.csv{compression}"
    back = read(write(table, path))
    numbers = {"n": back["n"].cast(pa.int64()).to_pylist(), "x": [float(x) for x in back["x"].to_pylist()]}
    for name in ("s", "t"):
        assert back[name].to_pylist() == table[name].to_pylist()
    for name, values in numbers.items():
        assert repr(values) == repr(table[name].to_pylist())


@settings(max_examples=20, deadline=None)
@given(table=tables(), suffix=st.sampled_from(SUFFIXES), length=st.integers(1, 6))
def test_a_table_is_written_the_same_in_batches_of_any_length(tmp_path_factory, table, suffix, length):
    folder = tmp_path_factory.mktemp("batches")
    whole = write(table, folder / f"whole.{suffix}").read_bytes()
    in_batches = pa.Table.from_batches(table.to_batches(max_chunksize=length), table.schema)
    assert write(in_batches, folder / f"cut.{suffix}").read_bytes() == whole


@each_suffix
def test_a_table_without_rows_can_be_written(tmp_path, suffix):
    path = write(TABLE.schema.empty_table(), tmp_path / f"a.{suffix}")
    assert read(path).num_rows == 0


def test_an_empty_csv_file_keeps_its_header_and_parquet_its_schema(tmp_path):
    empty = TABLE.schema.empty_table()
    assert read(write(empty, tmp_path / "a.csv")).column_names == TABLE.column_names
    assert read(write(empty, tmp_path / "a.parquet")).schema == TABLE.schema


def test_parquet_row_groups_hold_many_batches(tmp_path, monkeypatch):
    batch = pa.record_batch({"text": ["so good", "bad"]})
    monkeypatch.setattr(writers, "ROW_GROUP_BYTES", 3 * batch.nbytes)
    path = tmp_path / "a.parquet"
    with open_writer(path, batch.schema) as writer:
        for _ in range(7):
            writer.write(batch)
    metadata = pq.read_metadata(path)
    assert [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)] == [6, 6, 2]


@each_suffix
@each_compression
def test_the_file_appears_when_the_block_ends(tmp_path, suffix, compression):
    path = tmp_path / f"a.{suffix}{compression}"
    with open_writer(path, TABLE.schema) as writer:
        writer.write(TABLE.to_batches()[0])
        assert not path.exists()
    assert names(tmp_path) == [path.name]


@each_suffix
@each_compression
def test_an_error_in_the_block_leaves_nothing(tmp_path, capfd, suffix, compression):
    path = tmp_path / f"a.{suffix}{compression}"
    with pytest.raises(Interrupted):
        write_and_raise(Interrupted, path)
    assert names(tmp_path) == []
    assert capfd.readouterr() == ("", "")


@each_suffix
@pytest.mark.parametrize("error", [Interrupted, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_block_keeps_the_old_file(tmp_path, suffix, error):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(error):
        write_and_raise(error, path, overwrite=True)
    assert names(tmp_path) == [path.name]
    assert path.read_bytes() == b"old"


@each_suffix
@each_compression
def test_ctrl_c_while_a_file_is_completed_leaves_nothing(tmp_path, monkeypatch, suffix, compression):
    monkeypatch.setattr(unfinished, "sync", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
    with (
        pytest.raises(KeyboardInterrupt),
        open_writer(tmp_path / f"a.{suffix}{compression}", TABLE.schema) as writer,
    ):
        writer.write(TABLE.to_batches()[0])
    assert names(tmp_path) == []


@each_suffix
def test_an_old_file_is_replaced_when_the_block_ends(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"old")
    with open_writer(path, TABLE.schema, overwrite=True) as writer:
        writer.write(TABLE.to_batches()[0])
        assert path.read_bytes() == b"old"
    assert read(path).num_rows == 3
    assert names(tmp_path) == [path.name]


def test_a_file_can_be_read_while_it_is_rewritten(tmp_path):
    path = write(TABLE, tmp_path / "a.parquet")
    with open_reader(path) as reader, open_writer(path, reader.schema, overwrite=True) as writer:
        for batch in reader:
            writer.write(batch)
    assert read(path).equals(TABLE)


def test_an_existing_file_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"old")
    assert output_error(path) == f"{path} exists already: choose another name, or replace it with --overwrite"
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "suffix"), [("a.txt", ".txt"), ("a.tsv", ".tsv"), ("a", ""), ("a.xlsx.gz", ".gz")]
)
def test_a_suffix_that_names_no_format_is_refused(tmp_path, name, suffix):
    path = tmp_path / name
    assert output_error(path) == (
        f"{path}: the suffix '{suffix}' names no format that textsent writes: "
        "use .parquet, .csv, .jsonl or .mbox, or choose one with --output-format"
    )
    assert names(tmp_path) == []


def test_a_format_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(OptionError) as error:
        check_output(tmp_path / "a.csv", "xml")
    assert str(error.value) == "'xml' can't be written: choose one of parquet, csv, jsonl, mbox"


@pytest.mark.parametrize("options", [{}, {"overwrite": True}])
def test_a_folder_is_refused(tmp_path, options):
    path = tmp_path / "a.csv"
    path.mkdir()
    assert output_error(path, **options) == (
        f"{path} is a folder: name a file in it, for instance {path / 'scored.parquet'}, or put / at its end "
        "to write in parts"
    )


def test_a_missing_folder_is_refused(tmp_path):
    path = tmp_path / "new" / "a.csv"
    assert output_error(path) == f"{path} can't be written: there is no folder {path.parent}"
    assert names(tmp_path) == []


def test_a_name_that_is_too_long_is_refused(tmp_path):
    path = tmp_path / ("a" * 250 + ".csv")
    assert output_error(path) == f"{path} can't be written: File name too long"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.csv", ("csv", None)),
        ("a.JSONL.GZ", ("jsonl", "gzip")),
        ("a.parquet.zst", ("parquet", "zstd")),
        ("-", ("csv", None)),
    ],
)
def test_format_and_compression_of_an_output_are_told_by_its_name(tmp_path, monkeypatch, name, found):
    monkeypatch.chdir(tmp_path)
    assert check_output(name) == found


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([[1]]), "list<item: int64>"),
        (pa.array([{"a": 1}]), "struct<a: int64>"),
    ],
)
def test_a_nested_column_does_not_fit_into_csv(tmp_path, column, kind):
    path = tmp_path / "a.csv"
    with pytest.raises(OutputError) as error:
        write(pa.table({"tags": column}), path)
    assert str(error.value) == (f"{path} can't hold these columns: Unsupported Type:{kind}: try a .parquet file")
    assert names(tmp_path) == []


def test_bytes_that_are_no_text_do_not_fit_into_csv(tmp_path):
    path = tmp_path / "a.csv"
    with pytest.raises(OutputError) as error:
        write(pa.table({"data": [b"\xff"]}), path)
    assert str(error.value) == (f"{path} can't hold these columns: Invalid UTF8 payload: try a .parquet file")
    assert names(tmp_path) == []


def test_a_column_that_parquet_has_no_type_for_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    with pytest.raises(OutputError) as error:
        write(pa.table({"meta": pa.array([{}], pa.struct([]))}), path)
    assert str(error.value).startswith(f"{path} can't hold these columns: ")
    assert names(tmp_path) == []


def test_a_value_that_parquet_cannot_hold_leaves_nothing(tmp_path):
    path = tmp_path / "a.parquet"
    with pytest.raises(OutputError) as error:
        write(pa.table({"when": pa.array([2**62], pa.timestamp("s"))}), path)
    assert str(error.value) == (
        f"{path} can't hold these columns: Integer overflow when casting timestamp value 4611686018427387904 "
        "from timestamp[s] to timestamp[ms]"
    )
    assert names(tmp_path) == []


@each_suffix
def test_a_dictionary_of_strings_is_written_as_strings(tmp_path, suffix):
    table = pa.table({"text": pa.array(["x", "y", "x"]).dictionary_encode(), "n": [1, 2, 3]})
    assert read(write(table, tmp_path / f"a.{suffix}"))["text"].to_pylist() == ["x", "y", "x"]


@each_suffix
def test_every_string_type_can_be_written(tmp_path, suffix):
    columns = {str(kind): pa.array(["x"], kind) for kind in (pa.string(), pa.large_string(), pa.string_view())}
    assert read(write(pa.table(columns), tmp_path / f"a.{suffix}")).to_pylist() == [dict.fromkeys(columns, "x")]


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()], ids=str)
def test_numbers_that_json_has_not_are_null(tmp_path, kind):
    column = pa.array([0.5, math.nan, math.inf, -math.inf, None], kind)
    assert [line["x"] for line in json_lines(pa.table({"x": column}), tmp_path)] == [0.5, None, None, None, None]


def test_numbers_that_json_has_not_are_null_inside_lists_and_objects_too(tmp_path):
    table = pa.table({"l": [[0.5, math.nan]], "o": [{"x": math.inf}]})
    assert json_lines(table, tmp_path) == [{"l": [0.5, None], "o": {"x": None}}]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (pa.array([date(2026, 2, 3)]), "2026-02-03"),
        (pa.array([datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC)]), "2026-02-03T09:14:10+00:00"),
        (pa.array([datetime(2026, 2, 3, 9, 14)]), "2026-02-03T09:14:00"),
        (pa.array([time(9, 14)]), "09:14:00"),
        (pa.array([timedelta(1)]), "1 day, 0:00:00"),
        (pa.array([Decimal("1.50")]), "1.50"),
        (pa.array([b"\xff\x00"]), "/wA="),
        (pa.array([True]), True),
        (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1),
        (pa.array([[b"\xff", None]]), ["/w==", None]),
        (pa.array([{"when": date(2026, 2, 3)}]), {"when": "2026-02-03"}),
        (pa.array(["x"]).dictionary_encode(), "x"),
        (pa.nulls(1), None),
    ],
)
def test_json_lines_hold_every_type(tmp_path, column, value):
    assert json_lines(pa.table({"a": column}), tmp_path) == [{"a": value}]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_of_the_same_name_are_both_written(tmp_path, suffix):
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["a", "a"])
    assert read(write(table, tmp_path / f"a.{suffix}")).equals(table)


def test_columns_of_the_same_name_do_not_fit_into_json_lines(tmp_path):
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["a", "a"])
    with pytest.raises(OutputError) as error:
        write(table, tmp_path / "a.jsonl")
    assert str(error.value) == (
        f"{tmp_path / 'a.jsonl'} can't hold these columns: 2 columns are named 'a': try a .parquet file"
    )
    assert names(tmp_path) == []


@each_suffix
def test_standard_output_gets_the_bytes_a_file_gets_and_stays_open(tmp_path, standard_output, suffix):
    expected = write(TABLE, tmp_path / f"a.{suffix}").read_bytes()
    buffer = standard_output(io.BytesIO())
    write(TABLE, "-", format=suffix)
    assert buffer.getvalue() == expected


def test_standard_output_that_is_closed_is_an_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert output_error("-") == "standard output is closed: name a file with --output"


def test_an_output_that_is_no_regular_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    for overwrite in (False, True):
        assert output_error(tmp_path / "a.csv", overwrite=overwrite) == (
            f"{tmp_path / 'a.csv'} is no regular file: choose another name, or - for standard output"
        )


def test_standard_output_is_csv_by_default(standard_output):
    buffer = standard_output(io.BytesIO())
    write(pa.table({"text": ["good"]}), "-")
    assert buffer.getvalue() == b'"text"\n"good"\n'


@each_suffix
def test_an_error_in_the_block_leaves_standard_output_open(standard_output, suffix):
    buffer = standard_output(io.BytesIO())
    with pytest.raises(Interrupted):
        write_and_raise(Interrupted, "-", format=suffix)
    assert not buffer.closed


class FullDisk(io.RawIOBase):
    def __init__(self, room, error):
        self._room = room
        self._error = error

    def writable(self):
        return True

    def write(self, data):
        self._room -= len(data)
        if self._room < 0:
            raise OSError(self._error, "No space left on device")
        return len(data)


@each_suffix
@pytest.mark.parametrize("room", [0, 20, 40])
def test_a_full_disk_is_an_error_wherever_it_shows(standard_output, suffix, room):
    standard_output(FullDisk(room, errno.ENOSPC))
    with pytest.raises(OutputError) as error:
        write(TABLE, "-", format=suffix)
    assert str(error.value) == "- can't be written: No space left on device"


@each_suffix
@pytest.mark.parametrize("room", [0, 20, 40])
def test_a_pipe_that_nobody_reads_any_more_stays_a_broken_pipe(standard_output, suffix, room):
    standard_output(FullDisk(room, errno.EPIPE))
    with pytest.raises(BrokenPipeError):
        write(TABLE, "-", format=suffix)


@pytest.fixture(scope="module")
def annotate(tmp_path_factory):
    """Writes inputs, paths or the bytes of a mailbox, into a mailbox with their scores; returns its bytes."""
    folder = tmp_path_factory.mktemp("annotated")

    def write_scores(inputs, scorer=FIRST_WORD_SCORER, **options):
        if isinstance(inputs, bytes):
            (folder / "in.mbox").write_bytes(inputs)
            inputs = folder / "in.mbox"
        score_file(inputs, folder / "out.mbox", scorer, overwrite=True, **options)
        return (folder / "out.mbox").read_bytes()

    return write_scores


@pytest.fixture(scope="module")
def words_of(tmp_path_factory):
    """Returns subject and text of each mail in what inputs, paths or the bytes of a mailbox, hold."""
    path = tmp_path_factory.mktemp("words") / "in.mbox"

    def read_words(inputs):
        if isinstance(inputs, bytes):
            path.write_bytes(inputs)
            inputs = path
        with open_reader(inputs) as reader:
            return [(row["subject"], row["text"]) for batch in reader for row in batch.to_pylist()]

    return read_words


FIRST_WORD_SCORER = Scorer(
    Preprocessor(WORDS), SentimentModel(FirstWordNetwork([0.2, 0.4, 0.5, 0.6, 0.8]), Layout(8)), name="by hand"
)

SCORE_LINES = re.compile(rb"X-Textsent-(?:Score|Sentiment|Model): [^\r\n]*(?:\r\n?|\n)")
SEPARATOR = b"From ann@example.com Tue Feb  3 09:14:22 2026\n"
LATER_SEPARATOR = b"From bob@example.com Wed Feb  4 10:15:00 2026\n"


def without_scores(mailbox):
    return SCORE_LINES.sub(b"", mailbox)


def score_lines(mailbox):
    """Return the lines that were added, in the order of the messages."""
    return [line.decode().strip() for line in SCORE_LINES.findall(mailbox)]


def assert_round_trip(mailbox, annotate, words_of):
    words = words_of(mailbox)
    if not words:
        with pytest.raises(InputError):
            annotate(mailbox)
        return
    written = annotate(mailbox)
    assert without_scores(written) == mailbox
    assert words_of(written) == words
    assert annotate(written) == written


def test_a_mailbox_is_written_with_its_scores_on_top_of_each_message(annotate):
    mailbox = SEPARATOR + b"Subject: Hello\n\ngreat service\n\n" + LATER_SEPARATOR + b"Subject: Again\n\nguys\n"
    written = annotate(mailbox)
    assert written == (
        SEPARATOR + b"X-Textsent-Score: 0.4000\nX-Textsent-Sentiment: negative\nX-Textsent-Model: by hand\n"
        b"Subject: Hello\n\ngreat service\n\n"
        + LATER_SEPARATOR
        + b"X-Textsent-Score: 0.8000\nX-Textsent-Sentiment: positive\nX-Textsent-Model: by hand\n"
        b"Subject: Again\n\nguys\n"
    )


MESSAGE_LINES = st.sampled_from(
    [
        b"Subject: great",
        b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=",
        b"Date: Tue, 3 Feb 2026 09:14:10 +0000",
        b"X-Status: D",
        b"Content-Type: text/html",
        b"Content-Length: 40",
        b" folded",
        b"",
        b"",
        b"great service",
        b"the guys were terrible",
        b"> great",
        b">From the guys",
        b"From the guys",
        b"From here: great",
        b"-- ",
        b"caf\xe9",
    ]
)
SEPARATOR_LINES = st.sampled_from(
    [
        SEPARATOR.strip(),
        b"From - Tue Feb 03 09:14:22 2026",
        b"From ann at example.com  Tue Feb  3 09:14:22 2026",
        b"From ann@example.com Tue Feb  3 09:14 +0100 2026",
        b"From ann@example.com Tue Feb  3 09:14:22 MET DST 2026",
        b"From \xe9va@example.com Tue Feb  3 09:14:22 2026",
        b"From ann@example.com 2026-02-03T09:14:22Z",
        b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001",
        b"From ann@example.com",
        b"From ",
    ]
)
LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@st.composite
def mailboxes(draw):
    """A mailbox of one kind of line end, or of all kinds, with or without blank lines before its separators."""
    end = draw(st.none() | LINE_ENDS)
    lines = draw(st.lists(st.sampled_from([b"", b"garbage"]), max_size=1))
    for _ in range(draw(st.integers(0, 4))):
        lines += [draw(SEPARATOR_LINES), *draw(st.lists(MESSAGE_LINES, max_size=6))]
    mailbox = b"".join(line + (end or draw(LINE_ENDS)) for line in lines)
    mark = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]))
    return mark + (mailbox if draw(st.booleans()) else mailbox.rstrip(b"\r\n"))


@settings(max_examples=120, deadline=None)
@given(mailbox=mailboxes())
def test_any_mailbox_comes_back_when_its_scores_are_taken_out_again(annotate, words_of, mailbox):
    assert_round_trip(mailbox, annotate, words_of)


@settings(max_examples=80, deadline=None)
@given(pieces=st.lists(st.binary(max_size=30) | SEPARATOR_LINES | MESSAGE_LINES | LINE_ENDS, max_size=12))
def test_any_bytes_come_back_when_their_scores_are_taken_out_again(annotate, words_of, pieces):
    mailbox = b"".join(pieces)
    assume(compression_of(io.BytesIO(mailbox)) is None)  # which would be decompressed
    assert_round_trip(mailbox, annotate, words_of)


HARD_MAILBOXES = {
    "no final newline": SEPARATOR + b"Subject: x\n\ngreat",
    "no body": SEPARATOR + b"Subject: x\n",
    "no header": SEPARATOR + b"\ngreat\n",
    "no header and a text that looks like one": SEPARATOR + b"\nSubject: great\n",
    "no separator": b"Subject: x\n\ngreat\n",
    "no separator and no header": b"great\n",
    "no separator, blank lines before": b"\n\r\n\rSubject: x\n\ngreat\n",
    "no separator, a mark before": b"\xef\xbb\xbfSubject: x\n\ngreat\n",
    "a mark": b"\xef\xbb\xbf" + SEPARATOR + b"Subject: x\n\ngreat\n",
    "garbage": b"garbage\n" + SEPARATOR + b"Subject: x\n\ngreat\n",
    "a message before the first separator": b"Subject: x\n\ngreat\n" + SEPARATOR + b"Subject: y\n\nguys\n",
    "a folded line on top": SEPARATOR + b" folded\nSubject: x\n\ngreat\n",
    "git": b"From 0123 Mon Sep 17 00:00:00 2001\nSubject: x\n\ngreat\n" * 2,
    "no date": b"From ann\nFoo: x\n\ngreat\n",
    "one line end each": SEPARATOR + b"Subject: x\r\n\rgreat\n\r" + SEPARATOR.strip() + b"\rTo: y\r\rguys\r",
    "another line end before the first separator": b"\r" + SEPARATOR + b"\ngreat\n",
    "a Content-Length in a body": SEPARATOR
    + b"\nContent-Length: %d\n\n" % len(SEPARATOR + b"great\n")
    + SEPARATOR
    + b"great\n"
    + SEPARATOR
    + b"Subject: y\n\nguys\n",
    "a Content-Length that is right": SEPARATOR
    + b"Content-Length: %d\n\n" % len(SEPARATOR + b"great\n")
    + SEPARATOR
    + b"great\n"
    + LATER_SEPARATOR
    + b"Subject: y\n\nguys\n",
    "a separator that is indented": b" " + SEPARATOR + b"Subject: x\n\ngreat\n",
}


@pytest.mark.parametrize("mailbox", HARD_MAILBOXES.values(), ids=HARD_MAILBOXES)
def test_a_mailbox_that_is_hard_to_mark_comes_back(annotate, words_of, mailbox):
    assert_round_trip(mailbox, annotate, words_of)


HAZARDS = Path(__file__).parent / "data" / "mail"


@pytest.mark.parametrize("path", sorted(HAZARDS.glob("*.mbox*")), ids=lambda path: path.name)
def test_every_example_of_a_mailbox_comes_back(annotate, words_of, path):
    if path.is_dir():
        path /= "mbox"
    with path.open("rb") as file, decompressed(file) as stream:
        assert_round_trip(stream.read(), annotate, words_of)


@pytest.mark.parametrize(
    "path", sorted(path for path in HAZARDS.iterdir() if ".json" not in path.name), ids=lambda path: path.name
)
def test_every_example_of_mail_says_the_same_in_the_mailbox_that_it_is_written_into(annotate, words_of, path):
    words = words_of(path)
    if words:
        written = annotate(path)
        assert words_of(written) == words
        assert annotate(written) == written


def test_all_examples_together_say_the_same_in_one_mailbox(annotate, words_of):
    paths = sorted(path for path in HAZARDS.iterdir() if ".json" not in path.name)
    written = annotate(paths)
    assert words_of(written) == words_of(paths)
    assert annotate(written) == written


def test_ten_thousand_messages_come_back(annotate, words_of):
    ends = (b"\n", b"\n", b"\r\n")
    mailbox = b"".join(
        b"From ann@example.com Tue Feb  3 %02d:%02d:22 2026\nSubject: %d\nX-Number: %d\n\n%s\n> quoted\n\n".replace(
            b"\n", ends[number % 3]
        )
        % (number % 24, number % 60, number, number, b" ".join([b"great service", b"the guys"] * (number % 9)))
        for number in range(10_000)
    )
    written = annotate(mailbox)
    assert without_scores(written) == mailbox
    assert annotate(written) == written
    words = words_of(written)
    assert [subject for subject, _ in words] == [str(number) for number in range(10_000)]
    assert words == words_of(mailbox)


def test_a_message_without_a_score_gets_no_lines(annotate):
    mailbox = SEPARATOR + b"Subject: x\n\n...\n" + LATER_SEPARATOR + b"Subject: y\n\nunknown\n"
    assert annotate(mailbox) == mailbox


STALE = b"X-Textsent-Score: 0.1234\nX-Textsent-Sentiment: positive\nX-Textsent-Model: older\n"


@pytest.mark.parametrize("stale", [STALE, STALE * 2, b"X-Textsent-Score: 1\r\n", STALE.replace(b"\n", b"\r\n")])
def test_lines_of_an_earlier_run_are_replaced(annotate, stale):
    rest = b"Subject: x\n\ngreat\n"
    assert annotate(SEPARATOR + stale + rest) == annotate(SEPARATOR + rest)


def test_lines_of_an_earlier_run_are_taken_off_a_message_that_has_no_score_now(annotate):
    rest = b"Subject: x\n\n...\n"
    assert annotate(SEPARATOR + STALE + rest) == SEPARATOR + rest


def test_lines_of_an_earlier_run_below_those_that_a_mail_program_added_are_replaced(annotate):
    mailbox = SEPARATOR + b"X-Mozilla-Status: 0001\n" + STALE + b"Subject: x\n\ngreat\n"
    assert b"older" not in annotate(mailbox)


def test_a_body_may_hold_such_lines(annotate):
    mailbox = SEPARATOR + b"Subject: x\n\n" + STALE + b"great\n"
    assert annotate(mailbox).endswith(b"Subject: x\n\n" + STALE + b"great\n")


def test_the_scores_of_a_mailbox_are_no_part_of_its_text(annotate, words_of):
    assert words_of(annotate(SEPARATOR + b"\ngreat\n")) == [(None, "great")]


@pytest.mark.parametrize(
    ("attributes", "lines"),
    [
        ({"name": None}, ["Score: 0.4000", "Sentiment: negative", "Model: unnamed"]),
        ({"name": "modèle"}, ["Score: 0.4000", "Sentiment: negative", "Model: mod?le"]),
        ({"neutral": (0.4, 0.6)}, ["Score: 0.4000", "Sentiment: neutral", "Model: by hand"]),
        ({"prefix": "our_"}, ["Score: 0.4000", "Sentiment: negative", "Model: by hand"]),
    ],
)
def test_the_lines_say_what_the_columns_say(annotate, attributes, lines):
    written = annotate(SEPARATOR + b"\ngreat\n", scorer=replace(FIRST_WORD_SCORER, **attributes))
    assert score_lines(written) == ["X-Textsent-" + line for line in lines]


@pytest.mark.parametrize("name", ["two\nlines", "two\r\n\r\nlines"])
def test_the_name_of_a_model_adds_no_line(annotate, words_of, name):
    written = annotate(SEPARATOR + b"Subject: x\n\ngreat\n", scorer=replace(FIRST_WORD_SCORER, name=name))
    assert words_of(written) == [("x", "great")]
    assert without_scores(written) == SEPARATOR + b"Subject: x\n\ngreat\n"


JOINED = {
    "a mailbox without a final newline first": (
        {"a.mbox": SEPARATOR + b"Subject: a\n\ngreat", "b.mbox": SEPARATOR + b"Subject: b\n\nguys\n"}
    ),
    "a mailbox without a separator second": (
        {"a.mbox": SEPARATOR + b"Subject: a\n\ngreat", "b.mbox": b"Subject: b\n\nguys"}
    ),
    "mailboxes without separators": {"a.mbox": b"Subject: a\n\ngreat", "b.mbox": b"\n\nSubject: b\n\nguys"},
    "mailboxes of several line ends": (
        {
            "a.mbox": SEPARATOR.replace(b"\n", b"\r") + b"Subject: a\r\rgreat",
            "b.mbox": b"\n" + SEPARATOR + b"Subject: b\n\nguys\n",
            "c.mbox": SEPARATOR.replace(b"\n", b"\r\n") + b"Subject: c\r\n\r\nthe",
        }
    ),
    "a message and a mailbox": {"a.eml": b"Subject: a\n\ngreat", "b.mbox": SEPARATOR + b"Subject: b\n\nguys\n"},
    "a mailbox and a message": {"a.mbox": SEPARATOR + b"Subject: a\n\ngreat", "b.eml": b"Subject: b\n\nguys\n"},
    "an empty mailbox": {"a.mbox": b"", "b.mbox": SEPARATOR + b"Subject: b\n\nguys\n"},
    "a message of nothing": {"a.eml": b"", "b.eml": b"Subject: b\n\nguys\n", "c.eml": b""},
    "a mark second": (
        {"a.mbox": SEPARATOR + b"Subject: a\n\ngreat\n", "b.mbox": b"\xef\xbb\xbf" + SEPARATOR + b"To: b\n\nguys\n"}
    ),
    "garbage second": (
        {"a.mbox": SEPARATOR + b"Subject: a\n\ngreat\n", "b.mbox": b"garbage\n" + SEPARATOR + b"To: b\n\nguys\n"}
    ),
    "git second": (
        {
            "a.mbox": SEPARATOR + b"Subject: a\n\ngreat\n",
            "b.mbox": b"From 0123 Mon Sep 17 00:00:00 2001\nTo: b\n\nguys\n" * 2,
        }
    ),
    "no date second": {"a.mbox": SEPARATOR + b"Subject: a\n\ngreat\n", "b.mbox": b"From ann\nFoo: b\n\n...\n"},
    "a date in the middle ages": {
        "a.eml": b"Subject: a\n\n",
        "b.eml": b"Date: Mon, 1 Jan 0999 00:00:00 +0000\n\n...",
    },
}


@pytest.mark.parametrize("files", JOINED.values(), ids=JOINED)
def test_inputs_written_into_one_mailbox_stay_apart(tmp_path, annotate, words_of, files):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    paths = [tmp_path / name for name in files]
    written = annotate(paths)
    assert words_of(written) == words_of(paths)
    assert annotate(written) == written


def test_a_separator_that_tells_no_date_gets_that_of_its_mail_behind_another_mailbox(tmp_path, annotate):
    first = SEPARATOR + b"Subject: a\n\n..."
    second = b"From ann\r\nDate: Tue, 3 Feb 2026 10:14:10 +0100\r\nTo: b\r\n\r\n...\r\n"
    git = b"From 0123 Mon Sep 17 00:00:00 2001\n"
    third = git + b"Subject: c\n\n...\n" + git + b"To: d\n\n...\n"
    (tmp_path / "a.mbox").write_bytes(first)
    (tmp_path / "b.mbox").write_bytes(second)
    (tmp_path / "c.mbox").write_bytes(third)
    assert annotate([tmp_path / "b.mbox"]) == second
    assert annotate([tmp_path / "c.mbox"]) == third
    assert annotate([tmp_path / f"{name}.mbox" for name in "abc"]) == (
        first
        + b"\r\n"
        + second.replace(b"From ann", b"From - Tue Feb  3 09:14:10 2026")
        + third.replace(git, b"From - Thu Jan  1 00:00:00 1970\n")
    )


def test_a_message_that_had_a_file_of_its_own_gets_a_separator_with_its_date(tmp_path, annotate):
    (tmp_path / "a.eml").write_bytes(b"Date: Tue, 3 Feb 2026 10:14:10 +0100\nSubject: a\n\n...\n")
    (tmp_path / "b.eml").write_bytes(b"Subject: b\r\n\r\n...")
    assert annotate([tmp_path / "a.eml", tmp_path / "b.eml"]) == (
        b"From - Tue Feb  3 09:14:10 2026\nDate: Tue, 3 Feb 2026 10:14:10 +0100\nSubject: a\n\n...\n\n"
        b"From - Thu Jan  1 00:00:00 1970\r\nSubject: b\r\n\r\n...\r\n\r\n"
    )


MESSAGES = {
    "a line": b"Subject: a\n\ngreat\nFrom here on\nthe guys\n",
    "a separator": b"Subject: a\n\ngreat\n" + SEPARATOR + b"the guys\n",
    "a separator with headers": b"Subject: a\n\ngreat\n\n" + SEPARATOR + b"Subject: b\nTo: c\n\nthe guys\n",
    "a separator in dos lines": b"Subject: a\r\n\r\ngreat\r\n" + SEPARATOR.strip() + b"\r\nguys\r\n",
    "a separator in lines of old Macs": b"Subject: a\r\rgreat\r" + SEPARATOR.strip() + b"\rthe guys\r",
    "escaped lines": b"Subject: a\n\ngreat\n>From here\n>>From there\nthe guys\n",
    "a line below a quoted one": b"Subject: a\n\n> great\nFrom here on it was great\n",
    "a line above a quoted one": b"Subject: a\n\nFrom here on it was great\n> great\n",
    "two lines": b"Subject: a\n\nFrom Monday on it was great.\nFrom Tuesday on it was not.\n",
    "a separator on top": SEPARATOR + b"Subject: a\n\ngreat\n",
    "a separator in the header": b"Subject: a\n" + SEPARATOR + b"To: b\n\ngreat\n",
    "two blank lines at its end": b"Subject: a\n\ngreat\n\n\n",
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_a_message_with_lines_that_begin_with_from_says_the_same_in_a_mailbox(
    tmp_path, annotate, words_of, message
):
    paths = [tmp_path / "a.eml", tmp_path / "b.eml"]
    for path in paths:
        path.write_bytes(message)
    written = annotate(paths)
    assert words_of(written) == words_of(paths)
    assert annotate(written) == written


BLOCKS = st.sampled_from(
    [
        [b"Subject: great"],
        [b""],
        [b"the guys were terrible"],
        [b"the guys", b"From here on", b"great service"],
        [b"the guys", SEPARATOR.strip(), b"great service"],
        [b"the guys", b">From here on", b"great service"],
        [b"> the guys"],
        [b"-- "],
    ]
)


@settings(max_examples=80, deadline=None)
@given(messages=st.lists(st.tuples(st.lists(BLOCKS, max_size=5), LINE_ENDS, st.booleans()), min_size=1, max_size=3))
def test_any_messages_say_the_same_in_a_mailbox(tmp_path_factory, annotate, words_of, messages):
    folder = tmp_path_factory.mktemp("messages")
    for number, (blocks, end, is_ended) in enumerate(messages):
        message = end.join([line for block in blocks for line in block])
        (folder / f"{number}.eml").write_bytes(message + end * is_ended)
    written = annotate(folder)
    assert words_of(written) == words_of(folder)
    assert annotate(written) == written


@pytest.mark.parametrize("names", [("a.msg", "b.eml"), ("b.eml", "c.msg")])
def test_a_message_that_cannot_be_read_keeps_its_place_in_the_mailbox(tmp_path, annotate, words_of, names):
    for name in names:
        (tmp_path / name).write_bytes(b"Subject: x\n\ngreat\n")
    subjects = [None if name.endswith(".msg") else "x" for name in names]
    assert [subject for subject, _ in words_of(tmp_path)] == subjects
    assert [subject for subject, _ in words_of(annotate(tmp_path))] == subjects


def test_an_outlook_message_becomes_mail_in_a_mailbox(tmp_path, annotate, words_of):
    (tmp_path / "a.msg").write_bytes(msg_bytes({SUBJECT: "Größe", BODY: "great\r\nFrom here on\r\n"}))
    written = annotate(tmp_path / "a.msg")
    assert written.startswith(b"From - Thu Jan  1 00:00:00 1970\nX-Textsent-Score: ")
    assert words_of(written) == [("Größe", "great\nFrom here on")]


def test_a_message_over_the_limit_is_written_whole(annotate):
    mailbox = (
        SEPARATOR + b"Subject: x\n\ngreat " + b"service " * 1000 + b"\n" + LATER_SEPARATOR + b"To: y\n\nguys\n"
    )
    written = annotate(mailbox, mail=MailOptions(max_message_bytes=100))
    assert without_scores(written) == mailbox


@pytest.mark.parametrize(("compression", "magic"), MAGIC.items())
def test_a_mailbox_is_written_compressed_where_its_name_says_so(tmp_path, annotate, compression, magic):
    (tmp_path / "in.mbox").write_bytes(SEPARATOR + b"Subject: x\n\ngreat\n")
    path = tmp_path / f"out.mbox{compression}"
    score_file(tmp_path / "in.mbox", path, FIRST_WORD_SCORER)
    assert path.read_bytes().startswith(magic)
    with path.open("rb") as file, decompressed(file) as stream:
        assert stream.read() == annotate(tmp_path / "in.mbox")


def test_a_mailbox_is_written_to_standard_output(tmp_path, annotate, standard_output):
    (tmp_path / "in.mbox").write_bytes(SEPARATOR + b"Subject: x\n\ngreat\n")
    buffer = standard_output(io.BytesIO())
    score_file(tmp_path / "in.mbox", "-", FIRST_WORD_SCORER, output_format="mbox")
    assert buffer.getvalue() == annotate(tmp_path / "in.mbox")


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.csv", b"text\ngreat\n"), ("a.txt", b"great\n"), ("a.jsonl", b'{"text": "great"}\n')],
)
def test_what_is_no_mail_cannot_be_written_into_a_mailbox(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    (tmp_path / "in.mbox").write_bytes(SEPARATOR + b"Subject: x\n\ngreat\n")
    for inputs in ([tmp_path / name], [tmp_path / "in.mbox", tmp_path / name]):
        with pytest.raises(InputError) as error:
            score_file(inputs, tmp_path / "out.mbox", FIRST_WORD_SCORER)
        assert str(error.value) == (
            f"{tmp_path / name} can't be read: it is no mail, which alone can be written into a mailbox: "
            "write a .parquet, .csv or .jsonl file"
        )
    assert names(tmp_path) == sorted([name, "in.mbox"])


def test_columns_without_the_mails_themselves_do_not_fit_into_a_mailbox(tmp_path):
    with pytest.raises(OutputError) as error:
        write(TABLE, tmp_path / "a.mbox")
    assert str(error.value) == (
        f"{tmp_path / 'a.mbox'} can't hold these columns: only mail can be written into a mailbox: "
        "try a .parquet file"
    )
    assert names(tmp_path) == []


def test_a_mailbox_may_be_annotated_in_place(tmp_path, annotate):
    path = tmp_path / "in.mbox"
    path.write_bytes(SEPARATOR + b"Subject: x\n\ngreat\n")
    expected = annotate(path)
    for _ in range(2):
        score_file(path, path, FIRST_WORD_SCORER, overwrite=True)
        assert path.read_bytes() == expected
    assert names(tmp_path) == ["in.mbox"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_mail_fits_into_every_other_format(tmp_path, suffix):
    (tmp_path / "in.mbox").write_bytes(SEPARATOR + b"X-Status: D\nSubject: x\n\ngreat\n")
    score_file(tmp_path / "in.mbox", tmp_path / f"out.{suffix}", FIRST_WORD_SCORER)
    (row,) = read(tmp_path / f"out.{suffix}").to_pylist()
    assert (row["subject"], row["text"], row["sentiment"]) == ("x", "great", "negative")
    assert "deleted" in row["flags"]


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a"]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.list_(pa.string()),
        pa.dictionary(pa.int32(), pa.string()),
    ],
    ids=str,
)
def test_a_spreadsheet_computes_nothing_of_what_is_made_safe_for_it(tmp_path, kind):
    values = [*FORMULAS, "a=1", " =1", "'=1", "", None]
    texts = (
        pa.array(values)
        if not pa.types.is_list(kind)
        else pa.array([None if value is None else [value] for value in values])
    )
    table = pa.table({"=cmd()": texts.cast(kind), "n": pa.array([-1.5] * len(values))})
    path = write(table, tmp_path / "a.csv", spreadsheet_safe=True)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["'=cmd()", "n"]
    assert [text for text, _ in rows] == [*(f"'{formula}" for formula in FORMULAS), "a=1", " =1", "'=1", "", ""]
    assert {number for _, number in rows} == {"-1.5"}


def test_without_being_asked_no_value_is_changed(tmp_path):
    table = pa.table({"text": FORMULAS})
    assert read(write(table, tmp_path / "a.csv")).equals(table)


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.mbox", "-"])
def test_only_csv_is_made_safe_for_a_spreadsheet(tmp_path, name):
    format = "jsonl" if name == "-" else None
    with pytest.raises(OptionError) as error:
        check_output(name if name == "-" else tmp_path / name, format, spreadsheet_safe=True)
    assert str(error.value) == "--spreadsheet-safe is for CSV: name a .csv file, or leave it out"
    assert check_output("-", spreadsheet_safe=True) == ("csv", None)
