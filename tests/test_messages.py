"""What `textsent score` says of each kind of bad input: whole lines, which must say what to do."""

import gzip
import io
import os
import pickle
import sys
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import add_ngrams

from textsent import cli, compression
from textsent.schema import ADVICE


@pytest.fixture
def score(tmp_path, tiny_preset, monkeypatch, capsys):
    """Returns a function that runs `textsent score` in a folder with one file; it returns exit code and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(name, data, *options, output="out.csv"):
        (tmp_path / name).write_bytes(data)
        options = ("--model", "tiny", "--device", "cpu", "--workers", "1", "-o", output, *options)
        monkeypatch.setattr(sys, "argv", ["textsent", "score", name, *options])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        return code, capsys.readouterr().err

    (tmp_path / "tiny").symlink_to(tiny_preset)
    return run


def parquet(**columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def tar_of(name, content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def zip_of(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


EARLY = "its compressed data end too early: it is a part of a file, fetch it again"
NO_PARQUET = "it is no Parquet file, or a part of one: write or fetch it again"
FETCH = "fetch it again, or unpack it and name what was in it"
CSV = b"id,text\n1,great\n"
LINE = b'{"text": "great"}\n'

REFUSED = {
    "empty CSV": (
        ("in.csv", b""),
        "in.csv can't be read: the file is empty: it needs a line with the columns' names, and rows",
    ),
    "a header alone": (
        ("in.csv", b"id,text\n"),
        "no rows in in.csv: there is nothing to score, see whether it is the whole file",
    ),
    "no column of texts": (
        ("in.csv", b"a,b\n1,2\n"),
        "in.csv: no column is named 'text' and 2 hold strings: choose one with --text-column. "
        "The columns are 'a', 'b'",
    ),
    "a delimiter that can't be told": (
        ("in.csv", b"like it; or not\nI like it\n"),
        "in.csv can't be read: its header has one column, or 2 that are separated by a semicolon: say which with "
        "--delimiter comma or --delimiter semicolon",
    ),
    "too many columns": (
        ("in.csv", b"text" + 20_000 * b"," + b"\ngreat\n", "--delimiter", "comma"),
        "in.csv can't be read: its first row has 20,001 fields, of at most 16,384: see whether it is CSV, or say "
        "which character stands between its fields with --delimiter",
    ),
    "a quote in the header": (
        ("in.csv", b'id,"text\n1,great\n'),
        "in.csv can't be read: quote not closed in its first line: mend it, or choose another format with --format",
    ),
    "an unknown encoding": (
        ("in.csv", CSV, "--encoding", "latin-9000"),
        "there is no encoding 'latin-9000': name one that Python knows, for instance utf-8, cp1252 or shift_jis",
    ),
    "an Excel workbook": (
        ("in.csv", b"PK\x03\x04"),
        "in.csv can't be read: it is a zip archive or an Excel workbook: save the sheet as CSV, or "
        "unpack the archive",
    ),
    "truncated Parquet": (("in.parquet", parquet(text=["great"])[:-7]), f"in.parquet can't be read: {NO_PARQUET}"),
    "encrypted Parquet": (
        ("in.parquet", b"PARE" + b"x" * 50 + b"\x10\0\0\0PARE"),
        "in.parquet can't be read: it is an encrypted Parquet file: write it without encryption",
    ),
    "Parquet with bytes": (
        ("in.parquet", parquet(text=[b"great"])),
        "in.parquet: the column 'text' holds binary, not strings: write it as strings, in pandas with "
        ".str.decode('utf-8'): choose one with --text-column. The columns are 'text'",
    ),
    "nested Parquet into CSV": (
        ("in.parquet", parquet(text=["great"], n=[{"a": 1}])),
        "out.csv can't hold these columns: Unsupported Type:struct<a: int64>: try a .parquet file",
    ),
    "no JSON Lines": (
        ("in.jsonl", b'[{"text": "great"},\n'),
        "in.jsonl can't be read: none of its first rows is a JSON object, line 1 is not JSON: each line must be "
        'one, {"text": "…"} for instance; for other files choose another --format',
    ),
    "truncated gzip": (("in.csv.gz", gzip.compress(CSV)[:-4]), f"in.csv.gz can't be read: {EARLY}"),
    "truncated zstd": (
        ("in.csv.zst", pa.compress(CSV, "zstd", asbytes=True)[:-4]),
        f"in.csv.zst can't be read: {EARLY}",
    ),
    "a bad row, and --on-error stop": (
        ("in.jsonl", LINE + b"no JSON\n", "--on-error", "stop"),
        "in.jsonl can't be read: line 2: not JSON: mend the line or take it out",
    ),
    "a row without a score, and --on-error stop": (
        ("in.jsonl", LINE + b'{"text": ""}\n', "--on-error", "stop"),
        "in.jsonl: row 2: no words: mend it, or keep such rows with --on-error keep",
    ),
    "more errors than allowed": (
        ("in.jsonl", LINE + b"no JSON\n" * 2, "--max-errors", "1"),
        "in.jsonl: 2 of the first 3 rows have no score: not JSON (2×); --max-errors allows 1: "
        "mend them, or allow more",
    ),
    "a broken zip": (
        ("in.zip", zip_of("a.eml", b"Subject: x\n\ngreat\n")[:-9]),
        f"in.zip can't be read: the archive is broken or encrypted: File is not a zip file: {FETCH}",
    ),
    "a tar that breaks off": (
        ("in.tar", tar_of("a.eml", b"Subject: x\n\ngreat\n")[:1024]),
        f"in.tar can't be read: the archive is broken or encrypted: it breaks off at byte 1,024: {FETCH}",
    ),
    "a formula where no spreadsheet is": (
        ("in.csv", CSV, "--spreadsheet-safe", "-o", "out.jsonl"),
        "--spreadsheet-safe is for CSV: name a .csv file, or leave it out",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_refused_in_one_line_that_says_what_to_do(score, arguments, message):
    assert score(*arguments) == (1, f"textsent: {message}\n")


NOTED = {
    "cp1252": (("in.csv", "id,text\n1,great café\n".encode("cp1252")), "read as cp1252; --encoding says otherwise"),
    "UTF-16 without a mark": (
        ("in.csv", "id,text\n1,great\n".encode("utf-16-le")),
        "read as utf-16-le; --encoding says otherwise",
    ),
    "another delimiter": (
        ("in.csv", b"id;text\n1;great\n"),
        "its columns are separated by a semicolon; --delimiter says otherwise",
    ),
    "no header": (
        ("in.csv", b"great,5\ngreat,5\n", "--text-column", "great"),
        "its first line is taken for the columns' names, '5' for one; if not, say --no-header",
    ),
    "duplicate names": (
        ("in.csv", b"text,n,n\ngreat,1,2\n"),
        "2 of its columns are named 'n': from the second on they are n_2",
    ),
}


@pytest.mark.parametrize(("arguments", "note"), NOTED.values(), ids=NOTED)
def test_what_a_file_was_taken_for_is_told_in_one_line(score, arguments, note):
    assert score(*arguments, "--quiet") == (0, "")
    code, err = score(*arguments, "--overwrite")
    assert (code, err.splitlines()[0]) == (0, f"textsent: in.csv: {note}")


BAD_ROWS = {
    "mixed encodings": (b"id,text\n1,great caf\xc3\xa9\n2,great \xe9\n", "undecodable bytes"),
    "too few fields": (b"id,text\n1,great\n2\n", "too few fields"),
    "too many fields": (b"id,text\n1,great\n2,great,x\n", "too many fields"),
    "quote not closed": (b'id,text\n1,great\n2,"great\n', "quote not closed"),
    "row too long": (b"id,text\n1,great\n2," + b"great " * 100_000 + b"\n", "row too long"),
}


@pytest.mark.parametrize(("data", "error"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_says_what_is_wrong_and_strict_readers_what_to_do(score, monkeypatch, data, error):
    monkeypatch.setattr("textsent.delimited.MAX_ROW_BYTES", 1 << 18)
    code, err = score("in.csv", data, "--encoding", "utf-8", "-o", "out.jsonl")
    assert code == 0
    assert f"  {error}" in err
    code, err = score("in.csv", data, "--encoding", "utf-8", "--on-error", "stop")
    advice = ADVICE[error]
    assert (code, err) == (1, f"textsent: in.csv can't be read: line 3: {error}: {advice}\n")


def test_a_bomb_is_refused_with_what_to_do(score, monkeypatch):
    monkeypatch.setattr(compression, "UNJUDGED_BYTES", 1 << 20)
    code, err = score("in.csv.gz", gzip.compress(b"text\n" + b"great\n" * 1_000_000))
    assert err.splitlines()[-1] == (
        "textsent: in.csv.gz can't be read: it unpacks to more than 200 times its size: if you trust it, unpack it "
        "first, or allow more with --max-ratio 2000"
    )
    assert code == 1


def test_an_output_that_is_a_pipe_a_folder_or_there_is_refused_with_what_to_do(score, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo("pipe.csv")
    (tmp_path / "old.csv").touch()
    (tmp_path / "led.csv").symlink_to("old.csv")
    exists = "exists already: choose another name, or replace it with --overwrite"
    for output, message in {
        "folder.csv": "folder.csv is a folder: name a file in it, for instance folder.csv/scored.parquet, or put / "
        "at its end to write in parts",
        "pipe.csv": "pipe.csv is no regular file: choose another name, or - for standard output",
        "old.csv": f"old.csv {exists}",
        "led.csv": f"led.csv {exists}",
    }.items():
        assert score("in.csv", CSV, output=output) == (1, f"textsent: {message}\n")


def test_a_folder_that_others_can_enter_is_not_written_into(score, tmp_path):
    folder = tmp_path / "out.csv.partial"
    folder.mkdir(0o755)
    assert score("in.csv", CSV) == (
        1,
        f"textsent: out.csv can't be written: {folder}, where it would grow, is no folder of your own that nobody "
        "else can enter: move that away, or name another output\n",
    )


@pytest.fixture
def strange_preset(tmp_path, tiny_preset):
    import shutil

    shutil.copytree(tiny_preset, tmp_path / "strange")
    return tmp_path / "strange"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ngrams.npz", "strange/ngrams.npz can't be read: File is not a zip file"),
        ("projection.onnx", "strange/projection.onnx can't be loaded by ONNX Runtime: "),
        ("config.json", "strange/config.json can't be read: "),
    ],
)
def test_a_stranger_s_model_that_is_none_of_textsent_s_is_refused_with_what_to_do(
    score, strange_preset, name, reason
):
    if name == "ngrams.npz":
        add_ngrams(strange_preset)
    (strange_preset / name).write_bytes(pickle.dumps(np.zeros(4)))
    code, err = score("in.csv", CSV, "--model", "strange")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith(f"textsent: {reason}")
    assert err.endswith(": get the model's files anew\n")
