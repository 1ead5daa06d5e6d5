"""Inputs that end at any byte, as after a failed download, and what becomes of them. Run by `pytest -m faults`."""

import bz2
import gzip
import io
import json
import sys
import tarfile
import zipfile
from collections import Counter
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textsent import cli, score

pytestmark = pytest.mark.faults

TEXTS = ["the great service", "those terrible guys", "the, and\nthe guys", "terrible service"]

MAIL = b"""\
From ann@example.com Tue Feb  3 09:14:22 2026
Subject: %d
%s

"""
MIXED = b"""\
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/html
Content-Transfer-Encoding: base64

PGI+dGhlIGdyZWF0IHNlcnZpY2U8L2I+
--x--"""
FILES = {
    "csv": [
        b"id,text\n",
        b"1,the great service\n",
        b"2,those terrible guys\n",
        b'3,"the, and\nthe guys"\n',
        b"4,terrible",
    ],
    "jsonl": [
        b"",
        *(json.dumps({"id": number, "text": text}).encode() + b"\n" for number, text in enumerate(TEXTS)),
    ],
    "txt": [b"", *(text.replace("\n", " ").encode() + b"\n" for text in TEXTS)],
    "mbox": [
        b"",
        *(MAIL % (row, content) for row, content in enumerate([b"\nthe great service", MIXED, b"\nterrible"])),
    ],
}
"""What stands before the first row, and each row."""


def parquet():
    file = io.BytesIO()
    pq.write_table(pa.table({"text": TEXTS}), file, row_group_size=2, write_statistics=False)
    return file.getvalue()


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number in range(2):
            member = tarfile.TarInfo(f"{number}.eml")
            member.size = 60
            archive.addfile(member, io.BytesIO(b"Subject: x\n\nthe great service\n".ljust(60)))
    return file.getvalue()[: 5 * 512]  # one block of zeros is an end, more are padding


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.eml", "Subject: x\n\nthe great service\n")
    return file.getvalue()


NO_PARQUET = "it is no Parquet file, or a part of one: write or fetch it again"
TOO_SHORT = "it is too short for a Parquet file: write or fetch it again"
TOO_EARLY = "its compressed data end too early: it is a part of a file, fetch it again"
BROKEN = "the archive is broken or encrypted: "
EMPTY = "the file is empty: it needs a line with the columns' names, and rows"
COMPRESSED = {"gz": gzip.compress, "zst": lambda data: pa.compress(data, "zstd", asbytes=True), "bz2": bz2.compress}

WHOLE = {
    "in.parquet": (parquet(), 1, (NO_PARQUET, TOO_SHORT)),
    **{
        f"in.{format}.{suffix}": (compress(b"".join(FILES[format])), 1, (TOO_EARLY, EMPTY, "no rows"))
        for format in ("csv", "mbox")
        for suffix, compress in COMPRESSED.items()
    },
    "in.parquet.gz": (gzip.compress(parquet()), 7, (TOO_EARLY, TOO_SHORT)),
    "in.zip": (zipped(), 1, (BROKEN,)),
    "in.tar": (tar(), 31, (BROKEN,)),
}
"""Files that tell where they end; of how many bytes one is tried; and why they are refused."""


@pytest.fixture
def score_bytes(tmp_path, tiny_preset, monkeypatch, capsys):
    """Returns a function that scores bytes as a file of a name.

    It returns the exit code, what was printed, and the rows of the output: None where there is none.
    """
    monkeypatch.setattr(score, "load", cache(score.load))  # thousands of runs take one model
    monkeypatch.chdir(tmp_path)
    options = ("--model", tiny_preset, "--device", "cpu", "--workers", 1, "--quiet")

    def run(name, data):
        (tmp_path / name).write_bytes(data)
        monkeypatch.setattr(sys, "argv", ["textsent", *map(str, ("score", name, "-o", "out.jsonl", *options))])
        code, rows = 0, None
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        left = {path.name: path for path in tmp_path.iterdir() if path.name != name}
        if code == 0:
            output = left.pop("out.jsonl")
            rows = [*map(json.loads, output.read_text("utf-8").splitlines())]
            output.unlink()
        assert left == {}
        return code, "".join(capsys.readouterr()), rows

    return run


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_tells_where_it_ends_is_refused_where_it_ends_before(score_bytes, capsys, name):
    data, step, reasons = WHOLE[name]
    code, printed, rows = score_bytes(name, data)
    assert (code, printed) == (0, "")
    assert rows
    sizes = range(0, len(data), step)
    for size in sizes:
        code, printed, _ = score_bytes(name, data[:size])
        assert (code, printed.count("\n")) == (1, 1), size
        assert printed.startswith((f"textsent: {name}", f"textsent: no rows in {name}")), printed
        assert any(reason in printed for reason in reasons), printed
    with capsys.disabled():
        print(f"\n{name}: cut {len(sizes)} times, refused {len(sizes)} times")


@pytest.mark.parametrize("format", FILES)
def test_of_a_file_that_ends_anywhere_no_row_is_lost_and_only_the_last_is_another(score_bytes, capsys, format):
    name, pieces = f"in.{format}", FILES[format]
    data = b"".join(pieces)
    ends = [len(b"".join(pieces[: number + 1])) for number in range(len(pieces))]
    code, printed, whole = score_bytes(name, data)
    assert (code, printed, len(whole)) == (0, "", len(pieces) - 1)
    outcomes = Counter()
    for size in range(len(data)):
        code, printed, rows = score_bytes(name, data[:size])
        begun = sum(end < size for end in ends[:-1])
        if code:
            assert (code, printed.count("\n")) == (1, 1), size
            assert printed.startswith((f"textsent: {name}", f"textsent: no rows in {name}")), printed
            assert size <= ends[0] or (format == "jsonl" and size < ends[1]), printed
            outcomes["refused"] += 1
            continue
        assert printed == ""
        if format == "mbox" and len(rows) < begun:  # it ends within the line that begins a mail
            assert len(data[ends[begun - 1] : size].splitlines()) == 1
            begun -= 1
        assert rows[: begun - 1] == whole[: begun - 1]
        assert len(rows) == begun or (format == "csv" and all(row["error"] for row in rows[begun - 1 :]))
        if rows[-1] == whole[begun - 1]:
            outcomes["all rows as in the whole file"] += 1
        elif rows[-1]["error"]:
            outcomes["the last row with an error"] += 1
        else:  # nothing tells that the text went on
            assert format == "mbox" or whole[begun - 1]["text"].startswith(rows[-1]["text"])
            outcomes["the last row with a part of its text"] += 1
    with capsys.disabled():
        counts = ", ".join(f"{count} times {outcome}" for outcome, count in outcomes.items())
        print(f"\n{name}: cut {len(data)} times: {counts}")
