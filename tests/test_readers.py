import bz2
import csv
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outlook_files import BODY, HEADERS, SENDER_NAME, SUBJECT, SUBMITTED, TO, msg_bytes

from textsent import lines, mail, mailworkers
from textsent.errors import InputError, OptionError
from textsent.mail import BATCH_BYTES, BATCH_MESSAGES, MailOptions
from textsent.readers import (
    BATCH_ROWS,
    Mark,
    lines_as_they_come,
    open_reader,
    read_standard_input,
)
from textsent.schema import MAIL_SCHEMA, RAW_FIELDS, scored_schema
from textsent.tables import TableOptions

NOT_UTF8 = (
    "the text is not UTF-8, but probably cp1252: convert it first, for instance with `iconv -f CP1252 -t UTF-8`"
)
UNDECODABLE = (
    "undecodable bytes: convert it, for instance with `iconv -f WINDOWS-1252 -t UTF-8`; "
    "textsent score has --encoding"
)
NO_CSV = "the file is empty: it needs a line with the columns' names, and rows"
FORMATS = "csv, tsv, parquet, jsonl, text, mbox, eml, emlx, msg, zip, tar"

TABLE = [{"id": 1, "text": "so\ngood"}, {"id": 2, "text": None}]
STRINGS = [{"id": "1", "text": "so\ngood"}, {"id": "2", "text": ""}]
MAIL = {
    "message_id": "<1@example.com>",
    "date": datetime(2026, 2, 3, 9, 14, 10, tzinfo=UTC),
    "from": "Ann <ann@example.com>",
    "to": "help@example.com",
    "subject": "It arrived!",
    "in_reply_to": None,
    "list_id": None,
    "text": "So good.",
    "attachments": 0,
    "flags": [],
    "offset": 0,
}
EML = b"""From: Ann <ann@example.com>
To: help@example.com
Subject: It arrived!
Message-ID: <1@example.com>
Date: Tue, 3 Feb 2026 09:14:10 +0000

So good.
"""
MBOX = b"From ann@example.com Tue Feb  3 09:14:20 2026\n" + EML
MSG = msg_bytes(
    {
        SENDER_NAME: "Ann",
        HEADERS: "From: Ann <ann@example.com>\r\nMessage-ID: <1@example.com>\r\n",
        TO: "help@example.com",
        SUBJECT: "It arrived!",
        SUBMITTED: MAIL["date"],
        BODY: "So good.\r\n",
    }
)


def parquet_bytes(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def zstd_bytes(data):
    return pa.compress(data, "zstd", asbytes=True)


def zip_bytes(name, data):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return sink.getvalue()


def tar_bytes(name, data):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return sink.getvalue()


SAMPLES = {
    "csv": (b'id,text\n1,"so\ngood"\n2,\n', STRINGS),
    "tsv": (b'id\ttext\n1\t"so\ngood"\n2\t\n', STRINGS),
    "parquet": (parquet_bytes(pa.Table.from_pylist(TABLE)), TABLE),
    "jsonl": (b'{"id": 1, "text": "so\\ngood"}\n{"id": 2, "text": null}\n', TABLE),
    "text": (b"so good\n\nbad\n", [{"text": "so good"}, {"text": ""}, {"text": "bad"}]),
    "mbox": (MBOX, [MAIL]),
    "eml": (EML, [MAIL]),
    "emlx": (b"%d\n%s<plist/>\n" % (len(EML), EML), [MAIL]),
    "msg": (MSG, [MAIL]),
    "zip": (zip_bytes("in.mbox", MBOX), [MAIL]),
    "tar": (tar_bytes("in.mbox", MBOX), [MAIL]),
}
SUFFIXES = {format: format for format in SAMPLES} | {"text": "txt"}
COMPRESSIONS = {"gz": gzip.compress, "bz2": bz2.compress, "zst": zstd_bytes}

each_format = pytest.mark.parametrize("format", SAMPLES)
each_compression = pytest.mark.parametrize("compression", COMPRESSIONS)


def written(path, data):
    path.write_bytes(data)
    return path


def rows(source, format=None):
    with open_reader(source, format) as reader:
        return [row for batch in reader for row in batch.to_pylist()]


def column(source, name="text"):
    return [row[name] for row in rows(source)]


def input_error(source, format=None):
    with pytest.raises(InputError) as error:
        rows(source, format)
    return str(error.value)


def scored_schema_of(source):
    """Read as scoring reads: the columns' names first."""
    with open_reader(source) as reader:
        schema = scored_schema(reader.schema)
        assert list(reader)
    return schema


def option_error(source, format=None):
    with pytest.raises(OptionError) as error:
        rows(source, format)
    return str(error.value)


@pytest.fixture
def standard_input(monkeypatch):
    def fill(data):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data))))

    return fill


@pytest.fixture
def piped_input(monkeypatch):
    def fill(data):
        read_end, write_end = os.pipe()
        with os.fdopen(write_end, "wb") as pipe:
            pipe.write(data)
        stream = os.fdopen(read_end)
        opened.append(stream)
        monkeypatch.setattr(sys, "stdin", stream)

    opened = []
    yield fill
    for stream in opened:
        stream.close()


@pytest.mark.parametrize(
    ("suffix", "format"),
    [
        ("csv", "csv"),
        ("tsv", "tsv"),
        ("parquet", "parquet"),
        ("pq", "parquet"),
        ("jsonl", "jsonl"),
        ("ndjson", "jsonl"),
        ("txt", "text"),
        ("mbox", "mbox"),
        ("mbx", "mbox"),
        ("eml", "eml"),
        ("emlx", "emlx"),
        ("msg", "msg"),
        ("zip", "zip"),
        ("tar", "tar"),
        ("tgz", "tar"),
        ("EML", "eml"),
        ("CSV", "csv"),
    ],
)
def test_the_suffix_tells_the_format(tmp_path, suffix, format):
    data, expected = SAMPLES[format]
    assert rows(written(tmp_path / f"mail.2026.{suffix}", data)) == expected


@each_format
def test_the_format_asked_for_goes_before_the_suffix(tmp_path, format):
    data, expected = SAMPLES[format]
    assert rows(written(tmp_path / "input.dat", data), format) == expected
    assert rows(written(tmp_path / "input.xlsx.csv", data), format) == expected


@each_format
@each_compression
def test_compressed_files_are_read(tmp_path, format, compression):
    data, expected = SAMPLES[format]
    path = written(tmp_path / f"input.{SUFFIXES[format]}.{compression}", COMPRESSIONS[compression](data))
    assert rows(path) == expected


@each_format
@each_compression
def test_the_first_bytes_tell_the_compression_not_the_name(tmp_path, format, compression):
    data, expected = SAMPLES[format]
    assert rows(written(tmp_path / f"a.{SUFFIXES[format]}", COMPRESSIONS[compression](data))) == expected
    assert rows(written(tmp_path / f"b.{SUFFIXES[format]}.{compression}", data)) == expected


@each_compression
def test_compressed_pieces_one_after_the_other_are_one_file(tmp_path, compression):
    compress = COMPRESSIONS[compression]
    path = written(tmp_path / "a.csv", compress(b"text\nso\n") + compress(b"good\n"))
    assert column(path) == ["so", "good"]


@each_format
def test_several_inputs_are_read_one_after_the_other(tmp_path, format):
    data, expected = SAMPLES[format]
    first = written(tmp_path / f"1.{SUFFIXES[format]}", data)
    second = written(tmp_path / f"2.{SUFFIXES[format]}", gzip.compress(data))
    assert rows([first, str(second), first]) == expected * 3


def test_inputs_of_several_formats_with_the_same_columns_are_read_together(tmp_path):
    first = written(tmp_path / "a.csv", b"text\nso\n")
    second = written(tmp_path / "b.txt", b"good\n")
    assert column([first, second]) == ["so", "good"]


def test_mail_of_every_format_and_folders_of_it_are_read_together(tmp_path):
    (tmp_path / "folder").mkdir()
    paths = [
        tmp_path / "folder",
        *(
            written(tmp_path / f"a.{format}", SAMPLES[format][0])
            for format in ("mbox", "eml", "emlx", "msg", "zip", "tar")
        ),
    ]
    written(tmp_path / "folder" / "a.eml", EML)
    assert rows(paths) == [MAIL] * 7


def test_mail_and_a_table_are_not_read_together(tmp_path):
    paths = [written(tmp_path / "a.mbox", MBOX), written(tmp_path / "b.csv", b"text\ngood\n")]
    assert input_error(paths) == (
        f"{paths[1]} has other columns than {paths[0]}: expected 'message_id' (string), found 'text' (string); "
        "score it in a run of its own"
    )


@pytest.mark.parametrize(
    ("format", "separator"),
    [
        ("mbox", MBOX.partition(b"\n")[0] + b"\n"),
        ("eml", None),
        ("emlx", None),
        ("zip", MBOX.partition(b"\n")[0] + b"\n"),
    ],
)
def test_the_bytes_of_mails_come_with_them_on_demand(tmp_path, format, separator):
    path = written(tmp_path / f"a.{format}", SAMPLES[format][0])
    with open_reader(path, with_raw=True) as reader:
        assert reader.schema == pa.schema([*MAIL_SCHEMA, *RAW_FIELDS])
        (row,) = [row for batch in reader for row in batch.to_pylist()]
    assert row == MAIL | {
        "raw_separator": separator, "raw_content": EML, "raw_begins": separator is not None,
    }  # fmt: skip


@pytest.mark.parametrize("format", ["csv", "tsv", "parquet", "jsonl", "text"])
def test_other_inputs_have_no_bytes_of_mails(tmp_path, format):
    path = written(tmp_path / f"a.{SUFFIXES[format]}", SAMPLES[format][0])
    with pytest.raises(InputError) as error:
        open_reader(path, with_raw=True)
    assert (
        str(error.value) == f"{path} can't be read: it is no mail, which alone can be written into a mailbox: "
        "write a .parquet, .csv or .jsonl file"
    )


def test_a_batch_of_mail_is_limited_in_messages_and_in_bytes(tmp_path):
    small = written(tmp_path / "small.mbox", MBOX * (BATCH_MESSAGES + 1))
    large = written(tmp_path / "large.mbox", (MBOX + b"x" * (BATCH_BYTES // 2) + b"\n\n") * 5)
    for path, expected in ((small, [BATCH_MESSAGES, 1]), (large, [2, 2, 1])):
        with open_reader(path) as reader:
            assert [batch.num_rows for batch in reader] == expected


def test_the_name_tells_the_first_input_and_how_many_more(tmp_path):
    paths = [str(written(tmp_path / f"{number}.txt", b"a\n")) for number in range(3)]
    with open_reader(paths) as reader:
        assert reader.name == f"{paths[0]} and 2 more"
    with open_reader(paths[0]) as reader:
        assert reader.name == paths[0]


@pytest.mark.parametrize(
    ("second", "difference"),
    [
        (b'{"text": "a", "n": "1"}', "expected 'n' (int64), found 'n' (string)"),
        (b'{"text": "a", "m": 1}', "expected 'n' (int64), found 'm' (int64)"),
        (b'{"text": "a"}', "expected 2 columns, found 1"),
        (b'{"text": "a", "n": 1, "m": 1}', "expected 2 columns, found 3"),
    ],
)
def test_inputs_with_other_columns_than_the_first_are_refused(tmp_path, second, difference):
    paths = [written(tmp_path / "1.jsonl", b'{"text": "a", "n": 1}'), written(tmp_path / "2.jsonl", second)]
    assert input_error(paths) == (
        f"{paths[1]} has other columns than {paths[0]}: {difference}; score it in a run of its own"
    )


def test_metadata_of_parquet_files_may_differ(tmp_path):
    paths = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    for path in paths:
        pq.write_table(pa.table({"text": ["a"]}).replace_schema_metadata({"path": str(path)}), path)
    assert column(paths) == ["a", "a"]


def test_an_unreadable_later_input_is_named(tmp_path):
    paths = [written(tmp_path / "1.txt", b"a\n"), written(tmp_path / "2.txt", b"caf\xe9\n")]
    assert input_error(paths).startswith(f"{paths[1]}")


@each_format
def test_standard_input_is_read(standard_input, format):
    data, expected = SAMPLES[format]
    standard_input(data)
    assert rows("-", format) == expected


@each_format
@each_compression
def test_compressed_standard_input_is_read(standard_input, format, compression):
    data, expected = SAMPLES[format]
    standard_input(COMPRESSIONS[compression](data))
    assert rows("-", format) == expected


@each_format
def test_a_pipe_is_read(piped_input, format):
    data, expected = SAMPLES[format]
    piped_input(data)
    assert rows("-", format) == expected


@each_format
def test_a_pipe_has_a_position_but_no_size(piped_input, format):
    data, _ = SAMPLES[format]
    piped_input(data)
    with open_reader("-", format) as reader:
        positions = [reader.position for _ in reader]
        assert reader.size is None
    assert positions == sorted(positions)
    assert all(0 <= position <= len(data) for position in positions)


def test_standard_input_and_files_are_read_one_after_the_other(tmp_path, standard_input):
    standard_input(b"good\n")
    paths = [written(tmp_path / "1.txt", b"so\n"), "-", written(tmp_path / "2.txt", b"!\n")]
    assert [row["text"] for row in rows(paths, "text")] == ["so", "good", "!"]


def test_standard_input_is_named_in_messages(standard_input):
    standard_input(b"")
    assert input_error("-", "csv") == f"standard input can't be read: {NO_CSV}"


@pytest.mark.parametrize(
    "text", ["007", "NA", "None", "null", "NaN", "true", "1e5", " 1 ", "2026-01-02", "#N/A", "-"]
)
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_a_value_of_a_csv_file_stays_the_text_it_was(tmp_path, text, suffix):
    separator = "," if suffix == "csv" else "\t"
    path = written(tmp_path / f"a.{suffix}", f"text{separator}n\n{text}{separator}1\n".encode())
    assert rows(path) == [{"text": text, "n": "1"}]


def test_an_empty_value_of_a_csv_file_is_an_empty_text(tmp_path):
    assert rows(written(tmp_path / "a.csv", b'text,n\n,\n"",""\n')) == [{"text": "", "n": ""}] * 2


def test_quoted_values_of_a_csv_file_hold_line_breaks_quotes_and_commas(tmp_path):
    path = written(tmp_path / "a.csv", b'text,n\n"so\ngood\r\n",1\n"he said ""no"", twice",2\n')
    assert column(path) == ["so\ngood\r\n", 'he said "no", twice']


def test_a_tab_separated_file_holds_commas(tmp_path):
    assert rows(written(tmp_path / "a.tsv", b"text\tn\nso, good\t1\n")) == [{"text": "so, good", "n": "1"}]


def test_values_of_a_csv_file_stay_text_beyond_the_first_block(tmp_path):
    path = written(tmp_path / "a.csv", b"n\n" + b"0123456\n" * 700_000 + b"late\n")
    with open_reader(path) as reader:
        last = list(reader)[-1].column("n").to_pylist()
    assert last[-2:] == ["0123456", "late"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("suffix", ["csv", "txt"])
def test_every_line_ending_is_known(tmp_path, suffix, ending):
    lines = ["text", "so", "good"] if suffix == "csv" else ["so", "good"]
    path = written(tmp_path / f"a.{suffix}", "".join(line + ending for line in lines).encode())
    assert column(path) == ["so", "good"]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "txt"])
def test_the_last_line_needs_no_end(tmp_path, suffix):
    lines = b"good" if suffix == "txt" else b"text\ngood"
    assert column(written(tmp_path / f"a.{suffix}", lines)) == ["good"]


@pytest.mark.parametrize(
    ("suffix", "data"),
    [("csv", "text\ngood\n"), ("tsv", "text\ngood\n"), ("txt", "good\n"), ("jsonl", '{"text": "good"}\r\n')],
)
def test_a_byte_order_mark_is_no_text(tmp_path, suffix, data):
    assert rows(written(tmp_path / f"a.{suffix}", b"\xef\xbb\xbf" + data.encode())) == [{"text": "good"}]


def test_a_csv_file_may_have_no_rows(tmp_path):
    path = written(tmp_path / "a.csv", b"text,n\n")
    with open_reader(path) as reader:
        assert reader.schema == pa.schema([("text", pa.string()), ("n", pa.string())])
        assert list(reader) == []


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.mbox"])
def test_an_empty_file_without_a_header_has_no_rows(tmp_path, name):
    assert rows(written(tmp_path / name, b"")) == []


def test_a_line_of_a_text_file_is_a_text_whatever_else_it_holds(tmp_path):
    path = written(tmp_path / "a.txt", "a\x0bb\x0cc\x1cd\x85e\u2028f\n \n\n".encode())
    assert column(path) == ["a\x0bb\x0cc\x1cd\x85e\u2028f", " ", ""]


def test_a_text_file_may_begin_with_the_letters_that_begin_bz2_files(tmp_path):
    assert column(written(tmp_path / "a.txt", b"BZh is the mark of bz2\n")) == ["BZh is the mark of bz2"]


def test_fields_that_a_json_line_lacks_are_null(tmp_path):
    path = written(tmp_path / "a.jsonl", b'{"text": "a"}\n\n{"n": 1}\n  \n{}\n')
    assert rows(path) == [{"text": "a", "n": None}, {"text": None, "n": 1}, {"text": None, "n": None}]


def test_a_field_that_is_null_in_every_json_line_holds_strings(tmp_path):
    with open_reader(written(tmp_path / "a.jsonl", b'{"text": null}\n')) as reader:
        assert reader.schema == pa.schema([("text", pa.string())])
        assert next(iter(reader)).to_pylist() == [{"text": None}]


def test_json_values_keep_their_types(tmp_path):
    row = {"i": 2**53 + 1, "f": 0.1, "b": True, "s": "007", "l": [1, 2], "o": {"a": {"b": "c"}}}
    assert rows(written(tmp_path / "a.jsonl", json.dumps(row).encode())) == [row]


def test_parquet_columns_keep_their_types(tmp_path):
    table = pa.table(
        {
            "text": pa.array(["a", None], pa.large_string()),
            "when": pa.array([0, 1], pa.timestamp("us", "UTC")),
            "tags": pa.array([["x"], None]),
            "kind": pa.array(["x", "y"]).dictionary_encode(),
            "n": pa.array([1, None], pa.int8()),
        }
    )
    with open_reader(written(tmp_path / "a.parquet", parquet_bytes(table))) as reader:
        assert reader.schema == table.schema
        assert pa.Table.from_batches(reader).equals(table)


@pytest.mark.parametrize("format", ["csv", "tsv", "parquet", "jsonl", "text"])
def test_rows_come_in_order_in_batches_of_limited_length(tmp_path, format):
    texts = [str(row) for row in range(2 * BATCH_ROWS + 1)]
    data = {
        "csv": "\n".join(["text", *texts]).encode(),
        "tsv": "\n".join(["text", *texts]).encode(),
        "parquet": parquet_bytes(pa.table({"text": texts}), row_group_size=BATCH_ROWS + 5),
        "jsonl": "\n".join(json.dumps({"text": text}) for text in texts).encode(),
        "text": "\n".join(texts).encode(),
    }[format]
    with open_reader(written(tmp_path / f"a.{SUFFIXES[format]}", data)) as reader:
        batches = list(reader)
    assert max(batch.num_rows for batch in batches) <= BATCH_ROWS
    assert all(batch.schema == reader.schema for batch in batches)
    assert [text for batch in batches for text in batch.column("text").to_pylist()] == texts


LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\ufeff"), max_size=10)
VALUES = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('",\r\n\t'), max_size=10)


@settings(max_examples=50, deadline=None)
@given(lines=st.lists(LINES, max_size=5))
def test_lines_of_a_text_file_come_back_as_written(tmp_path_factory, lines):
    path = written(tmp_path_factory.mktemp("text") / "a.txt", "".join(line + "\n" for line in lines).encode())
    assert column(path) == lines


@settings(max_examples=50, deadline=None)
@given(values=st.lists(st.tuples(VALUES, VALUES), max_size=5), delimiter=st.sampled_from([",", "\t"]))
def test_values_of_a_csv_file_come_back_as_written(tmp_path_factory, values, delimiter):
    sink = io.StringIO(newline="")
    csv.writer(sink, quoting=csv.QUOTE_ALL, delimiter=delimiter).writerows([("a", "b"), *values])
    suffix = "csv" if delimiter == "," else "tsv"
    path = written(tmp_path_factory.mktemp("csv") / f"a.{suffix}", sink.getvalue().encode())
    assert [(row["a"], row["b"]) for row in rows(path)] == values


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(
        st.fixed_dictionaries({"s": st.none() | VALUES, "n": st.none() | st.integers(-(2**63), 2**63 - 1)}),
        max_size=5,
    ),
    escaped=st.booleans(),
)
def test_json_lines_come_back_as_written(tmp_path_factory, values, escaped):
    lines = "".join(json.dumps(value, ensure_ascii=escaped) + "\n" for value in values)
    assert rows(written(tmp_path_factory.mktemp("json") / "a.jsonl", lines.encode())) == values


@each_format
def test_position_grows_to_the_size_of_all_inputs(tmp_path, format):
    data, _ = SAMPLES[format]
    paths = [
        written(tmp_path / f"1.{SUFFIXES[format]}", data),
        written(tmp_path / f"2.{SUFFIXES[format]}", gzip.compress(data)),
        written(tmp_path / f"3.{SUFFIXES[format]}", data),
    ]
    size = sum(path.stat().st_size for path in paths)
    with open_reader(paths) as reader:
        assert reader.size == size
        positions = [reader.position for _ in reader]
        assert reader.position == size
    assert positions == sorted(positions)
    assert 0 <= positions[0] <= positions[-1] <= size


def many(format: str) -> bytes:
    """Return 120,000 rows, in a few blocks where a format has them."""
    lines = "".join(f"{row * 7919 % 1_000_003:>40}\n" for row in range(120_000))
    match format:
        case "csv":
            return b"text\n" + lines.encode()
        case "jsonl":
            return "".join(f'{{"text": "{line}"}}\n' for line in lines.splitlines()).encode()
        case "parquet":
            sink = io.BytesIO()
            pq.write_table(pa.table({"text": lines.splitlines()}), sink, row_group_size=50_000)
            return sink.getvalue()
        case "mbox":
            mail = "From ann@example.com Tue Feb  3 09:14:22 2026\nSubject: a\n\n{}\n\n"
            noise = np.random.default_rng(1).bytes(16_000 * 300).hex()  # which is hard to compress
            return "".join(mail.format(noise[at : at + 600]) for at in range(0, len(noise), 600)).encode()
    return lines.encode()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("format", ["csv", "jsonl", "text", "parquet", "mbox"])
def test_position_follows_the_rows_of_a_long_file(tmp_path, format, compressed):
    data = many(format)
    path = written(tmp_path / f"a.{SUFFIXES.get(format, format)}", gzip.compress(data, 1) if compressed else data)
    with open_reader(path) as reader:
        seen = [(batch.num_rows, reader.position) for batch in reader]
        assert reader.position == reader.size
    counts, positions = zip(*seen, strict=True)
    shares = np.cumsum(counts) / sum(counts)
    assert len(positions) >= 4
    assert list(positions) == sorted(positions)
    assert max(abs(np.array(positions) / reader.size - shares)) < 0.15


def test_position_in_a_folder_lies_within_its_mailboxes(tmp_path):
    for name in "ab":
        written(tmp_path / f"{name}.mbox", many("mbox"))
    with open_reader(tmp_path) as reader:
        positions = [reader.position / reader.size for _ in reader]
    assert 0 < positions[0] < 0.25
    assert positions == sorted(positions)


def test_the_rows_of_one_parquet_file_are_known_beforehand_and_those_of_others_afterwards(tmp_path):
    paths = [written(tmp_path / f"{name}.parquet", many("parquet")) for name in "ab"]
    with open_reader(paths[0]) as reader:
        assert reader.total_rows == 120_000
    with open_reader(paths) as reader:
        assert reader.total_rows is None
        assert reader.rows == []
        for _ in reader:
            pass
        assert (reader.names, reader.rows) == ([str(path) for path in paths], [120_000, 120_000])


def come(monkeypatch, content: bytes) -> list[list[str]]:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
    return list(lines_as_they_come())


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"one", ["one"]),
        (b"\xef\xbb\xbfone\r\n\ntwo\x0bthree\n", ["one", "", "two\x0bthree"]),
        ("é".encode() * 300_000 + b"\nlast", ["é" * 300_000, "last"]),
        (gzip.compress(b"one\ntwo"), ["one", "two"]),
    ],
    ids=[
        "empty",
        "no end",
        "ends of all kinds",
        "long",
        "compressed",
    ],  # of what gzip writes one has the time in it
)
def test_standard_input_is_read_line_by_line(monkeypatch, content, lines):
    assert [line for some in come(monkeypatch, content) for line in some] == lines


def test_a_line_of_standard_input_does_not_wait_for_the_next_one(monkeypatch):
    ours, theirs = os.pipe()
    with os.fdopen(ours) as pipe, os.fdopen(theirs, "wb", buffering=0) as sent:
        monkeypatch.setattr("sys.stdin", pipe)
        lines = lines_as_they_come()
        for text in ("one", "two"):
            sent.write(f"{text}\n".encode())
            assert next(lines) == [text]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"From ann\nSubject: a\n", "it begins like mbox: say so with - --format mbox"),
        (b"PK\x03\x04", "it begins like zip: say so with - --format zip"),
    ],
)
def test_mail_on_standard_input_is_not_read_line_by_line(monkeypatch, content, reason):
    with pytest.raises(InputError, match=f"^standard input can't be read: {reason}$"):
        come(monkeypatch, content)


def test_bytes_of_a_line_of_standard_input_that_cannot_be_decoded_are_replaced_and_the_line_is_told(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"one\ncaf\xe9\ntwo\n\xff"))))
    told = []
    assert list(lines_as_they_come(on_undecodable=told.append)) == [["one", "caf\ufffd", "two"], ["\ufffd"]]
    assert told == [2, 4]


def test_lines_of_standard_input_may_be_in_another_encoding(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"caf\xe9\n"))))
    assert list(lines_as_they_come("cp1252")) == [["café"]]


@pytest.mark.parametrize(
    ("content", "encoding", "text"),
    [
        (b"", None, ""),
        ("\ufeffcafé\r\n".encode(), None, "café\r\n"),
        (b"caf\xe9", "cp1252", "café"),
        ("\ufeffcafé".encode("utf-16-le"), "utf-16", "café"),
    ],
)
def test_standard_input_is_read_as_one_text(standard_input, content, encoding, text):
    standard_input(content)
    assert read_standard_input(encoding) == text


@pytest.mark.parametrize(
    ("content", "encoding", "reason"),
    [
        (
            b"caf\xe9",
            None,
            "the text is not UTF-8: convert it first, for instance with `iconv -f WINDOWS-1252 -t UTF-8`",
        ),
        (b"caf\x81", "cp1252", "it is not in cp1252: choose another --encoding"),
    ],
)
def test_a_text_on_standard_input_that_cannot_be_decoded_is_an_error(standard_input, content, encoding, reason):
    standard_input(content)
    with pytest.raises(InputError) as error:
        read_standard_input(encoding)
    assert str(error.value) == (
        f"standard input: {reason}" if encoding is None else f"standard input can't be read: {reason}"
    )


def test_standard_input_that_is_closed_is_an_error(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert input_error("-", "text") == "standard input is closed: name a file"


def batches_of(reader):
    return [(batch.to_pylist(), reader.mark, reader.position) for batch in reader]


@each_format
def test_a_reader_goes_on_from_any_place_between_two_batches(tmp_path, monkeypatch, format):
    monkeypatch.setattr(mail, "BATCH_MESSAGES", 2)
    data = SAMPLES[format][0] if format not in ("mbox", "text") else SAMPLES[format][0] * 5
    paths = [written(tmp_path / f"{number}.{SUFFIXES[format]}", data) for number in range(3)]
    with open_reader(paths) as reader:
        read = batches_of(reader)
        total = reader.rows
    for at, (_, mark, _) in enumerate(read):
        with open_reader(paths) as reader:
            reader.go_to(mark)
            assert reader.mark.rows == mark.rows[:-1]
            assert batches_of(reader) == read[at + 1 :]
            assert reader.rows == total
            assert reader.position == reader.size


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet", "text"])
def test_a_reader_goes_on_from_a_row_within_a_batch(tmp_path, format):
    paths = [written(tmp_path / f"{number}.{SUFFIXES[format]}", SAMPLES[format][0]) for number in range(2)]
    expected = rows(paths)
    in_each = len(expected) // 2
    for done in range(2 * in_each):
        with open_reader(paths) as reader:
            reader.go_to(Mark((done,) if done < in_each else (in_each, done - in_each)))
            assert [row for batch in reader for row in batch.to_pylist()] == expected[done:]
            assert reader.rows == [in_each, in_each]


def test_what_was_told_of_an_input_is_told_once_after_going_on(tmp_path):
    path = written(tmp_path / "a.csv", b"id;text\n1;good\n")
    with open_reader(path, table=TableOptions(may_guess=True)) as reader:
        notes = list(reader.notes)
        reader.go_to(reader.mark._replace(rows=(0,)))
        assert reader.notes == notes
    assert notes == [f"{path}: its columns are separated by a semicolon; --delimiter says otherwise"]


def test_an_input_says_what_it_was_when_it_was_opened(tmp_path, standard_input):
    standard_input(b"good\n")
    path = written(tmp_path / "a.txt", b"so\n")
    os.utime(path, ns=(0, 1_770_110_062_000_000_045))
    with open_reader([path, "-"], "text") as reader:
        assert reader.states == ["3 bytes of 2026-02-03 09:14:22.000000045", ""]
        assert reader.size is None


def test_a_pipe_that_is_abandoned_stays_open_and_a_file_does_not(tmp_path, standard_input):
    standard_input(gzip.compress(b"so\ngood\n"))
    with open_reader("-", "text") as reader:
        reader.abandon()
    assert [batch.num_rows for batch in reader] == [2]
    with open_reader(written(tmp_path / "a.txt", gzip.compress(b"so\n"))) as reader:
        reader.abandon()
    with pytest.raises(InputError):
        list(reader)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 0}, "there must be at least one worker. Received: 0"),
        ({"max_ratio": 0}, "the largest ratio must be 1 or more. Received: 0"),
    ],
)
def test_a_setting_of_nothing_is_an_error(tmp_path, settings, message):
    path = written(tmp_path / "a.txt", b"so\n")
    with pytest.raises(OptionError) as error:
        open_reader(path, **settings)
    assert str(error.value) == message


def test_standard_input_given_twice_is_an_error(standard_input):
    standard_input(b"good\n")
    assert option_error(["-", "-"], "text") == "standard input can be read only once: name - once"


def test_a_table_is_not_read_from_a_folder(tmp_path):
    assert option_error(tmp_path, "csv") == (
        f"{tmp_path} is a folder, and no folder of csv is read: name the files in it"
    )


def test_a_name_that_is_too_long_is_an_error():
    name = "x" * 300 + ".csv"
    assert input_error(name) == f"{name[:80]} can't be opened: File name too long"


@pytest.mark.parametrize("name", ["a.csv", "ä.csv"])
def test_a_file_that_cannot_be_opened_is_an_error(tmp_path, name):
    path = written(tmp_path / name, b"text\na\n")
    with open_reader([written(tmp_path / "first.csv", b"text\na\n"), path]) as reader:
        batches = iter(reader)
        next(batches)
        path.unlink()
        with pytest.raises(InputError) as error:
            next(batches)
    assert str(error.value) == f"{path} can't be opened: No such file or directory"


def test_a_parquet_file_without_rows_is_read_to_its_end(tmp_path):
    path = written(tmp_path / "a.parquet", parquet_bytes(pa.table({"text": pa.array([], pa.string())})))
    with open_reader(path) as reader:
        assert (reader.total_rows, list(reader)) == (0, [])
        assert reader.position == reader.size


def test_a_missing_file_is_an_error(tmp_path):
    path = tmp_path / "a.csv"
    assert input_error(path) == f"{path}: there is no such file: check the path"
    path = tmp_path / "a"
    assert input_error(path) == f"{path}: there is no such file: check the path"


def test_a_word_that_is_no_file_may_be_meant_as_a_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert input_error("don't") == (
        "don't: there is no such file: check the path, or score it as a text: "
        """echo 'don'"'"'t' | textsent score"""
    )


def test_a_missing_later_file_is_an_error_at_once(tmp_path):
    missing = tmp_path / "b.csv"
    with pytest.raises(InputError) as error:
        open_reader([written(tmp_path / "a.csv", b"text\na\n"), missing])
    assert str(error.value) == f"{missing}: there is no such file: check the path"


@pytest.mark.parametrize("name", ["mail", "mail.mbox"])
def test_a_folder_without_mail_is_an_error(tmp_path, name):
    path = tmp_path / name
    path.mkdir()
    written(path / "a.csv", b"text\na\n")
    assert input_error(path) == (
        f"{path} is a folder without mail: textsent looks for .mbox, .eml, .emlx and .msg files and Maildirs "
        f"in it; name other files one by one, for instance {path / '*.csv'}"
    )


@pytest.mark.parametrize(("name", "suffix"), [("a.docx", ".docx"), ("a", ""), ("a.docx.gz", ".gz")])
def test_a_suffix_that_names_no_format_is_an_error(tmp_path, name, suffix):
    path = written(tmp_path / name, b"a")
    assert input_error(path) == (
        f"{path}: the suffix '{suffix}' names no format that textsent reads: choose one with --format: {FORMATS}"
    )


def test_a_format_that_is_not_known_is_an_error(tmp_path):
    path = written(tmp_path / "a.csv", b"text\na\n")
    assert option_error(path, "xml") == f"there is no format 'xml': choose one of {FORMATS}"


def test_standard_input_needs_a_format():
    assert option_error("-") == (f"the format of standard input is not known: choose one with --format: {FORMATS}")


def test_no_input_is_an_error():
    assert option_error([]) == "there is no input: name at least one file, or - for standard input"


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_csv_file_is_an_error(tmp_path, name, data):
    path = written(tmp_path / name, data)
    assert input_error(path) == f"{path} can't be read: {NO_CSV}"


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.csv", b"text\ncaf\xe9\n", NOT_UTF8),
        ("a.csv", b"caf\xe9\nx\n", NOT_UTF8),
        ("a.tsv", b"text\ncaf\xe9\n", NOT_UTF8),
        ("a.txt", b"caf\xe9\n", NOT_UTF8),
        ("a.jsonl", b'{"text": "caf\xe9"}\n', NOT_UTF8),
        ("a.csv", b"text\n" + b"x\n" * 150_000 + b"caf\xe9\n", f"line 150002: {UNDECODABLE}"),
        ("a.txt", b"x\n" * 150_000 + b"caf\xe9\n", f"line 150001: {UNDECODABLE}"),
        ("a.jsonl", b'{"text": "x"}\n' * 20_000 + b'{"text": "caf\xe9"}\n', f"line 20001: {UNDECODABLE}"),
    ],
    ids=["row", "header", "tsv", "text", "json", "late row", "late text", "late json"],
)
def test_a_file_that_is_not_utf_8_is_an_error(tmp_path, name, data, problem):
    path = written(tmp_path / name, data)
    assert input_error(path) == f"{path} can't be read: {problem}"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            b"a,b\n1,2\n1,2,3\n",
            "line 3: too many fields: put fields that hold the delimiter or a line's end into quotes",
        ),
        (
            b"a,b\n1\n",
            "line 2: too few fields: give it a field for each column, empty where there is no value",
        ),
        (
            b'a,b\n1,"' + b"x,y\n" * 2,
            "line 2: quote not closed: close it, and write a quote within quotes twice",
        ),
        (b'"a,b\n1,2\n', "quote not closed in its first line: mend it, or choose another format with --format"),
    ],
    ids=["too many", "too few", "open quote", "open quote in the header"],
)
def test_a_csv_row_that_cannot_be_parsed_is_an_error(tmp_path, data, problem):
    path = written(tmp_path / "a.csv", data)
    assert input_error(path) == f"{path} can't be read: {problem}"


NO_PARQUET = "it is no Parquet file, or a part of one: write or fetch it again"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"text\nnot a parquet file\n", NO_PARQUET),
        (SAMPLES["parquet"][0][:-20], NO_PARQUET),
        (gzip.compress(b"text\nnot a parquet file\n"), NO_PARQUET),
        (b"", "it is too short for a Parquet file: write or fetch it again"),
    ],
    ids=["other", "truncated", "compressed", "empty"],
)
def test_a_parquet_file_that_is_none_is_an_error(tmp_path, data, problem):
    path = written(tmp_path / "a.parquet", data)
    assert input_error(path) == f"{path} can't be read: {problem}"


TRUNCATED = "its compressed data end too early: it is a part of a file, fetch it again"


@each_format
def test_a_truncated_gzip_file_is_an_error(tmp_path, format):
    data, _ = SAMPLES[format]
    path = written(
        tmp_path / f"a.{SUFFIXES[format]}.gz", gzip.compress(data)[:-20]
    )  # a tar ends before its padding does
    assert input_error(path) == f"{path} can't be read: {TRUNCATED}"


DAMAGED = "unknown compression method: it may be damaged, write or fetch it again"


def test_a_corrupt_gzip_file_is_an_error(tmp_path):
    path = written(tmp_path / "a.csv.gz", b"\x1f\x8bgarbage")
    assert input_error(path) == f"{path} can't be read: zlib inflate failed: {DAMAGED}"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"a": 1}\n{"a": x}\n', "line 2: not JSON: mend the line or take it out"),
        (b'\n\n{"a": 1}\n{"a": 1} {"a": 2}\n', "line 4: not JSON: mend the line or take it out"),
        (b'{"a": 1}\n[1]\n', 'line 2: not a JSON object: write it like {"text": "…"}'),
        (
            b'"text"\n',
            "none of its first rows is a JSON object, line 1 is not a JSON object: each line must be one, "
            '{"text": "…"} for instance; for other files choose another --format',
        ),
        (
            b'{"a": 1}\n{"a": "x"}\n',
            "line 1: wrong type of 'a': give the values of a field one type, for instance strings",
        ),
        (
            b'{"a": "x"}\n{"a": 1}\n',
            "line 2: wrong type of 'a': give the values of a field one type, for instance strings",
        ),
        (b'{"a": "\\ud800"}\n', f"line 1: {UNDECODABLE}"),
        (
            b'{"a": 1}\n' * BATCH_ROWS + b'{"a": 1, "c": 2, "b": 2}\n',
            "line 4097: unknown field: put all fields into the first line, null where they are missing",
        ),
    ],
)
def test_a_bad_json_line_is_an_error(tmp_path, data, problem):
    path = written(tmp_path / "a.jsonl", data)
    assert input_error(path) == f"{path} can't be read: {problem}"


def test_a_bad_json_line_is_numbered_beyond_the_first_batch(tmp_path):
    path = written(tmp_path / "a.jsonl", b'{"a": 1}\n' * BATCH_ROWS + b"x\n")
    assert input_error(path) == (
        f"{path} can't be read: line {BATCH_ROWS + 1}: not JSON: mend the line or take it out"
    )


@pytest.mark.parametrize(
    "data",
    [b'{"a": 1}\n{"a": true}\n', b'{"a": %d}\n' % 2**70, b'{"a": ' + b"[" * 100_000],
    ids=["truth among numbers", "huge number", "deep nesting"],
)
def test_json_values_that_no_column_can_hold_are_an_error(tmp_path, data):
    path = written(tmp_path / "a.jsonl", data)
    assert input_error(path).startswith(f"{path} can't be read: ")


@pytest.mark.parametrize(
    ("early", "late"),
    [
        (b'{"a": 1}\n', b'{"a": 1.5}\n'),
        (b'{"a": 0.5}\n', b'{"a": true}\n'),
        (b'{"a": {"b": 1}}\n', b'{"a": {"c": 2}}\n'),
        (b'{"a": "x"}\n', b'{"a": 1}\n'),
        (b'{"a": null}\n', b'{"a": 1}\n'),
    ],
    ids=["fraction", "truth", "inner field", "number", "number after nulls"],
)
def test_a_late_value_that_the_column_cannot_hold_is_an_error_not_another_value(tmp_path, early, late):
    path = written(tmp_path / "a.jsonl", early * BATCH_ROWS + late)
    assert input_error(path).startswith(f"{path} can't be read: ")


def test_an_input_without_a_name_is_an_error():
    assert input_error("") == "an input has no name: name a file, or - for standard input"


@pytest.fixture
def small_ranges(monkeypatch):
    """Makes small mailboxes large ones."""
    monkeypatch.setattr(mailworkers, "RANGE_BYTES", 300)
    monkeypatch.setattr(mailworkers, "_FEWEST_RANGES", 2)


@pytest.fixture
def no_process(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", fail)


def read_by_workers(source, format=None, **settings):
    with open_reader(source, format, workers=2, **settings) as reader:
        return [row for batch in reader for row in batch.to_pylist()]


def positions_of(source, workers):
    """Return how far a reader says to have come, before it reads, after each batch and at the end."""
    with open_reader(source, workers=workers) as reader:
        told = [reader.position, *(reader.position for _ in reader), reader.position]
        return told, reader.size


MANY = MBOX * 30


@pytest.mark.parametrize("with_raw", [False, True], ids=["text", "bytes"])
def test_large_mailboxes_are_read_by_several_workers_as_by_one(tmp_path, small_ranges, with_raw):
    paths = [written(tmp_path / "a.mbox", MANY), written(tmp_path / "b.mbox", MANY)]
    with open_reader(paths, with_raw=with_raw) as reader:
        expected = [row for batch in reader for row in batch.to_pylist()]
    assert [row["offset"] for row in expected] == [*range(0, len(MANY), len(MBOX))] * 2
    assert read_by_workers(paths, with_raw=with_raw) == expected


def test_what_of_a_mail_is_its_text_is_told_to_the_workers(tmp_path, small_ranges):
    path = written(tmp_path / "a.mbox", MANY)
    read = read_by_workers(path, mail=MailOptions(with_subject=True))
    assert [row["text"] for row in read] == ["It arrived!\n\nSo good."] * 30


@pytest.mark.parametrize("workers", [1, 2])
def test_the_position_grows_from_mailbox_to_mailbox_up_to_the_size(tmp_path, small_ranges, workers):
    paths = [written(tmp_path / "a.mbox", MANY), written(tmp_path / "b.mbox", MANY)]
    told, size = positions_of(paths, workers)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, size) == (0, 2 * len(MANY))


@each_compression
def test_a_compressed_mailbox_is_read_by_this_process(tmp_path, small_ranges, no_process, compression):
    path = written(tmp_path / "a.mbox", COMPRESSIONS[compression](MANY))  # whatever its name says
    assert len(read_by_workers(path)) == 30


@pytest.mark.parametrize("format", ["eml", "emlx", "msg", "zip", "tar", "csv", "tsv", "jsonl", "parquet", "text"])
def test_other_formats_are_read_by_this_process(tmp_path, small_ranges, no_process, format):
    data, expected = SAMPLES[format]
    assert read_by_workers(written(tmp_path / f"a.{SUFFIXES[format]}", data)) == expected


def test_a_mailbox_on_standard_input_is_read_by_this_process(small_ranges, no_process, standard_input):
    standard_input(MANY)
    assert len(read_by_workers("-", "mbox")) == 30


def test_a_mailbox_in_a_pipe_is_read_by_this_process(small_ranges, no_process, piped_input):
    piped_input(MANY)
    assert len(read_by_workers("-", "mbox")) == 30


def test_a_mailbox_in_a_named_pipe_is_read_by_this_process(tmp_path, small_ranges, no_process):
    os.mkfifo(tmp_path / "a.mbox")
    writing = threading.Thread(target=written, args=(tmp_path / "a.mbox", MANY))
    writing.start()
    assert len(read_by_workers(tmp_path / "a.mbox")) == 30
    writing.join()


def test_mailboxes_in_a_folder_are_read_by_this_process(tmp_path, small_ranges, no_process):
    written(tmp_path / "a.mbox", MANY)
    assert len(read_by_workers(tmp_path)) == 30


def test_a_mailbox_that_is_not_there_any_more_when_its_turn_comes_is_an_error(tmp_path):
    paths = [written(tmp_path / "a.mbox", MBOX), written(tmp_path / "b.mbox", MBOX)]
    with open_reader(paths) as reader:
        batches = iter(reader)
        assert next(batches).num_rows == 1
        paths[1].unlink()
        with pytest.raises(InputError, match=r"b\.mbox can't be "):
            list(batches)


def test_a_mailbox_whose_disk_fails_is_an_error_that_names_it(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    path = written(tmp_path / "a.mbox", MANY)
    monkeypatch.setattr(mailworkers, "_read_range", fail)
    assert input_error(path) == f"{path} can't be read: [Errno 5] Input/output error"


def test_where_no_thread_can_be_started_the_file_is_not_taken_for_damaged(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("Unknown error: Failed to launch worker thread: Resource temporarily unavailable")
        yield

    path = written(tmp_path / "a.txt", b"great\n")
    monkeypatch.setattr(lines, "utf8_blocks", fail)
    assert input_error(path) == (
        f"{path} can't be read: no thread can be started to read it: end other programs, or raise the limits that "
        "`ulimit -a` shows"
    )


def test_where_memory_is_short_the_file_is_not_taken_for_damaged(tmp_path, monkeypatch):
    def fail(*_):
        raise pa.ArrowMemoryError("malloc of size 1 failed")
        yield

    path = written(tmp_path / "a.txt", b"great\n")
    monkeypatch.setattr(lines, "utf8_blocks", fail)
    with pytest.raises(MemoryError), open_reader(path) as reader:
        list(reader)


def test_a_reader_says_whether_all_its_inputs_are_mail(tmp_path):
    (tmp_path / "a.mbox").write_text("From a Tue Feb  3 09:14:22 2026\nSubject: x\n\ny\n")
    (tmp_path / "a.csv").write_text("text\ny\n")
    for names, holds_mail in ((["a.mbox"], True), (["a.csv"], False), (["a.mbox", "a.csv"], False)):
        with open_reader([tmp_path / name for name in names]) as reader:
            assert reader.holds_mail is holds_mail
