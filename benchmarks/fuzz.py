"""Mutated inputs of each format, read by the hundred thousand: no row lost, and no exception but a refusal.

python -m benchmarks.fuzz [FORMAT ...] [--inputs 100000] [--seed 0]

Inputs are cut, doubled, overwritten and sprinkled with what parsers stumble over, and read by the reader that
`textsent score` has. The docstring of a format's check says what must come out. Each input must be read, or refused
in one line, in SLOW_SECONDS of processor time, and all of them in MOST_GROWTH of memory.
"""

import argparse
import bz2
import contextlib
import functools
import gzip
import io
import json
import random
import re
import resource
import shutil
import signal
import sys
import tarfile
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq

from textsent import cli, encodings, mail, mailworkers, score
from textsent.compression import compression_of
from textsent.errors import InputError, PresetError
from textsent.mail import MailOptions
from textsent.mbox import split_mbox
from textsent.readers import Mark, open_reader
from textsent.record import verify
from textsent.schema import why_no_text
from textsent.tables import TableOptions

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))

from outlook_files import BODY, HEADERS, HTML, MESSAGE_ID, SENDER_ADDRESS, SUBJECT, SUBMITTED, msg_bytes  # noqa: E402

SLOW_SECONDS = 5.0
MOST_GROWTH = 256 << 20
"""Bytes: of what Python and Arrow keep, too."""

_MOST_OF_PARQUET = 5 << 30
"""Arrow makes room for what a page says that it unpacks to, 2 GiB at most, before it looks."""

MOST_FAULTS = 20

_MARK = re.compile(rb"t\d+t")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TABLE_TOKENS = [
    b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xc3", _BYTE_ORDER_MARK, b";", b"\t", b" ",
    b"x" * 40, b"{", b"}", b"[", b"]", b"\\", b"\\ud800", b"null", b"NaN", b"1e999", b"-", b"PAR1", b"sep=;\n",
    b"'", b"=1+1", b"\x1b[2J", b"9" * 30, b"\xe2\x80\xae", b"\xed\xb3\xbf", b"[" * 500, b"\xef\xbf\xbd", b"\x1a",
]  # fmt: skip
TOKENS = [
    b"\r", b"\n", b"\r\n", b"\n\n", b"\x00", b"\xff", b"\xc3(", b"\xef\xbb\xbf", b"\x1b$B", b" ", b"\t", b"=",
    b"--", b"=?utf-8?q?", b"=?", b"?=", b"=?x?b?QUJD?=", b"=\n", b"=ZZ", b">", b"> ", b">>> ", b"-- \n", b"<",
    b"</", b"<!--", b"\nFrom ", b"\n>From ", b"From: ", b"Subject: ", b"Content-Type: ",
    b"multipart/mixed; boundary=b\n", b"\n--b\n", b"message/rfc822\n\n", b"text/html\n\n",
    b"text/plain; charset=utf-16\n", b"charset=utf-7\n", b"format=flowed\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n",
    b"Date: 99999999999\n", b"<blockquote>", b"<div style='display:none'>", b"On 1 Feb 2026, a@b.c wrote:\n",
    b"-----Original Message-----\n", b"-----BEGIN PGP MESSAGE-----\n", b"Sent from my iPhone\n",
    b"X-Mozilla-Status: 0009\n", b"X-Textsent-Score: 1\n",
]  # fmt: skip
_NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]

Rows = list[dict[str, Any]]
Found = Counter[str]


def mutated(data: bytes, chosen: random.Random, tokens: list[bytes] = _TABLE_TOKENS) -> bytes:
    """Return data with one to five things done to it."""
    changed = bytearray(data)
    for _ in range(chosen.randint(1, 5)):
        at = chosen.randint(0, len(changed))
        length = chosen.choice((1, 1, 4, 40, 400))
        kind = chosen.randrange(6)
        if kind == 0:
            changed[at:at] = chosen.choice(tokens)
        elif kind == 1:
            changed[at:at] = chosen.choice(tokens) * chosen.choice((2, 3, 100))
        elif kind == 2:
            del changed[at : at + length]
        elif kind == 3 and changed:
            changed[min(at, len(changed) - 1)] = chosen.randrange(256)
        elif kind == 4:
            changed[at:at] = changed[at : at + length]
        else:
            start = chosen.randint(0, len(changed))
            changed[at : at + length] = changed[start : start + length]
    return bytes(changed)


def overwritten(data: bytes, chosen: random.Random) -> bytes:
    """Return data that is as long, with some bits and numbers in it changed; or now and then mutated."""
    if chosen.random() < 0.15:
        return mutated(data, chosen)
    changed = bytearray(data)
    for _ in range(chosen.choice((1, 1, 2, 4))):
        at = chosen.randrange(len(changed))
        kind = chosen.randrange(3)
        if kind == 0:
            changed[at] ^= 1 << chosen.randrange(8)
        elif kind == 1:
            changed[at] = chosen.randrange(256)
        else:
            size = chosen.choice((1, 2, 4))
            number = chosen.choice(_NUMBERS) & (1 << 8 * size) - 1
            changed[at : at + size] = number.to_bytes(size, chosen.choice(("little", "big")))[: len(changed) - at]
    return bytes(changed)


def _read(
    path: Path, data: bytes | None = None, mark: Mark | None = None, **settings: Any
) -> tuple[Rows, int | None]:
    """Return the rows of a file, those after a mark, and how many it says that it has."""
    if data is not None:
        path.write_bytes(data)
    with open_reader(path, **settings) as reader:
        if mark:
            reader.go_to(mark)
        return [row for batch in reader for row in batch.to_pylist()], reader.total_rows


# Tables and texts


def _table(encoding: str | None = "utf-8", **options: Any) -> dict[str, TableOptions]:
    return {"table": TableOptions(encoding=encoding, keep_bad_rows=True, may_guess=True, **options)}


def csv_bytes(chosen: random.Random, delimiter: str = ",") -> bytes:
    """Return a mutated table of ids and texts with marks in them, in UTF-8."""
    lines = [f"id{delimiter}text"]
    for row in range(chosen.randint(1, 6)):
        words = chosen.choice(["so good", "caf\u00e9", 'say ""no""', "a\nb", f"a{delimiter} b", ""])
        quoted = chosen.random() < 0.6
        lines.append(f"{row}{delimiter}" + (f'"{words} t{row}t"' if quoted else f"good t{row}t"))
    return mutated(chosen.choice(["\n", "\n", "\r\n", "\r"]).join(lines).encode(), chosen)


def check_csv(folder: Path, chosen: random.Random, suffix: str = "csv", delimiters: str = ",;|") -> Found:
    """Check that each mark comes out, and the same rows whatever the blocks, and after any of them."""
    delimiter = chosen.choice(delimiters)
    data = csv_bytes(chosen, delimiter)
    settings = _table(delimiter=delimiter, header=chosen.random() < 0.9)
    if chosen.random() < 0.2:
        encoding = chosen.choice(("utf-16", "utf-32", "utf-16-le", "cp1252"))
        settings = _table(encoding, delimiter=delimiter)
        data = data.decode("utf-8", "replace").encode(encoding, "replace")
        marks = set(_MARK.findall(data.decode(encoding).encode("utf-8", "surrogatepass")))
    else:
        marks = set(_MARK.findall(data))
    path = folder / f"a.{suffix}"
    rows, _ = _read(path, data, **settings)
    with open_reader(path, **settings) as reader:
        names = reader.schema.names
    found = "\n".join([*names, *(str(value) for row in rows for value in row.values())]).encode()
    lost = marks - set(_MARK.findall(found))
    assert not lost, f"lost {lost} of {data!r}"
    _check_blocks(path, rows, chosen, settings)
    return _problems(rows)


def check_tsv(folder: Path, chosen: random.Random) -> Found:
    """Check what `check_csv` does."""
    return check_csv(folder, chosen, "tsv", "\t")


def check_guessed_csv(folder: Path, chosen: random.Random) -> Found:
    """Check that a table whose encoding, delimiter and types are told by what it holds is read, whatever it is."""
    data = csv_bytes(chosen, chosen.choice(",;|\t"))
    encoding = chosen.choice(("cp1252", "utf-16", "utf-8", "koi8-r"))
    data = data.decode("utf-8", "replace").encode(encoding, "replace")
    settings = _table(None, infer_types=chosen.random() < 0.5)
    rows, _ = _read(folder / "a.csv", data, **settings)
    assert repr(_read(folder / "a.csv", **settings)[0]) == repr(rows)  # a not-a-number is no other's equal
    return _problems(rows)


def jsonl_bytes(chosen: random.Random) -> bytes:
    """Return mutated JSON Lines."""
    values = [
        {"text": f"good {row}", "n": chosen.choice([row, None, 0.5, "x", 1 << 70]), "o": {"a": [row]}}
        for row in range(chosen.randint(3, 8))
    ]
    return mutated("".join(json.dumps(value) + "\n" for value in values).encode(), chosen)


def check_jsonl(folder: Path, chosen: random.Random) -> Found:
    """Check that each line is a row, that one with a text has it, and that blocks change nothing."""
    data = jsonl_bytes(chosen)
    path = folder / "a.jsonl"
    lines = [line for line in data.removeprefix(_BYTE_ORDER_MARK).splitlines() if line.strip()]
    rows, _ = _read(path, data, **_table())
    assert len(rows) == len(lines), data
    for row, line in zip(rows, lines, strict=True):
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(line.removeprefix(_BYTE_ORDER_MARK).decode())
            text = value.get("text") if isinstance(value, dict) else None
            if isinstance(text, str) and b"\\ud" not in line.lower():
                assert row["text"] == text.replace("\udcff", "\ufffd"), data
    _check_blocks(path, rows, chosen, _table())
    return _problems(rows)


def check_text(folder: Path, chosen: random.Random) -> Found:
    """Check that each line is a row, with what can be decoded of it."""
    texts = [chosen.choice(["so good", "", "caf\u00e9", "a\tb", "\u202eabc"]) for _ in range(chosen.randint(1, 8))]
    data = mutated(chosen.choice(["\n", "\r\n", "\r"]).join(texts).encode(), chosen)
    path = folder / "a.txt"
    rows, _ = _read(path, data, **_table())
    lines = data.removeprefix(_BYTE_ORDER_MARK).splitlines()
    assert [row["text"] for row in rows] == [encodings.repaired(line) for line in lines], data
    _check_blocks(path, rows, chosen, _table())
    return _problems(rows)


def _check_blocks(path: Path, rows: Rows, chosen: random.Random, settings: dict[str, Any]) -> None:
    """Check that in small blocks, and from a row on, a file has the same rows."""
    size, first = chosen.choice((5, 11, 23, 61)), chosen.randint(0, len(rows))
    with mock.patch.object(encodings, "BLOCK_BYTES", size):
        again, _ = _read(path, mark=Mark((first,)), **settings)
    assert repr(again) == repr(rows[first:]), f"in blocks of {size}, from row {first} on: {path.read_bytes()!r}"


def _problems(rows: Rows) -> Found:
    return Counter(re.sub(r"^wrong type.*", "wrong type", row["problem"] or "good") for row in rows)


def _parquet_files() -> list[bytes]:
    count = 60
    texts = ["so good", None, "caf\u00e9", ""] * (count // 4)
    table = pa.table(
        {
            "text": pa.array(texts),
            "n": pa.array(range(count)),
            "tags": pa.array([["x"], None, []] * (count // 3)),
            "large": pa.array(texts, pa.large_string()),
            "kind": pa.array(texts).dictionary_encode(),
            "day": pa.array(range(count), pa.int32()).cast(pa.date32()),
            "at": pa.array(range(count), pa.timestamp("us", "UTC")),
        }
    )
    files = []
    for options in (
        {"compression": "none", "use_dictionary": False},
        {"compression": "snappy"},
        {"compression": "zstd", "data_page_version": "2.0", "row_group_size": 25},
        {"compression": "gzip", "write_page_checksum": True, "data_page_size": 64},
        {"compression": "none", "use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY"}},
    ):
        sink = io.BytesIO()
        pq.write_table(table.select(["text", "n", "tags"]) if len(files) % 2 else table, sink, **options)
        files.append(sink.getvalue())
    return files


_PARQUET = _parquet_files()


def parquet_bytes(chosen: random.Random) -> bytes:
    """Return a Parquet file with something changed in it."""
    return overwritten(chosen.choice(_PARQUET), chosen)


def check_parquet(folder: Path, chosen: random.Random) -> Found:
    """Check that a file has as many rows as it says, and the same when it is read again."""
    data = parquet_bytes(chosen)
    path = folder / "a.parquet"
    path.write_bytes(data)
    columns = []
    for _ in range(2):
        with open_reader(path, **_table()) as reader:
            batches = list(reader)
            assert sum(batch.num_rows for batch in batches) == reader.total_rows, "not as many rows as it says"
            names = [name for name in ("text", "problem") if name in reader.schema.names]
            columns.append([repr(batch.column(name).to_pylist()) for batch in batches for name in names])
    assert columns[0] == columns[1], "other rows when it is read again"
    return Counter(good=sum(batch.num_rows for batch in batches))


# Mail


def originals() -> list[bytes]:
    """Return the messages that are mutated: those of examples/inbox.mbox and of the hazard mailboxes."""
    files = [ROOT / "examples" / "inbox.mbox", *sorted((ROOT / "tests" / "data" / "mail").glob("*.mbox"))]
    found = []
    for path in files:
        if path.is_file() and "zip" not in path.name and "zst" not in path.name:
            with path.open("rb") as file:
                found += [message.content for message in split_mbox(file)]
    return [content for content in found if 0 < len(content) < _LONG_MESSAGE]


_LONG_MESSAGE = 4000  # bytes
_MAILS = originals()
_SEPARATOR = b"From fuzz@example.com Tue Feb  3 09:14:22 2026"
_MAIL_OPTIONS = [MailOptions(), MailOptions(True, True, True), MailOptions(max_message_bytes=600)]


def mail_bytes(chosen: random.Random) -> bytes:
    """Return a mutated message, perhaps with a piece of another one in it."""
    data = mutated(chosen.choice(_MAILS), chosen, TOKENS)
    if chosen.random() < 0.2:
        at, other = chosen.randint(0, len(data)), chosen.choice(_MAILS)
        data = data[:at] + other[chosen.randint(0, len(other)) :][:1000] + data[at:]
    return data


def mailbox(chosen: random.Random) -> tuple[bytes, list[int]]:
    """Return a mailbox of mutated messages, and the places of its separators."""
    data = b""
    offsets = []
    for _ in range(chosen.randint(1, 3)):
        # A length that is right by chance hides what it spans, as it should.
        content = mail_bytes(chosen).replace(b"ength", b"engtn")
        line_end = chosen.choice((b"\n", b"\n", b"\n", b"\r\n", b"\r"))
        if data and data[-1:] not in b"\r\n":
            data += line_end
        offsets.append(len(data))
        data += _SEPARATOR + line_end + content.lstrip(b"\r\n")
    return data, offsets


def check_mbox(folder: Path, chosen: random.Random) -> Found:
    """Check that each separator is a row, and the rows the same in ranges, and from any of them on."""
    data, offsets = mailbox(chosen)
    if chosen.random() < 0.2:
        data, offsets = mutated(data, chosen, TOKENS), []
    options = chosen.choice(_MAIL_OPTIONS)
    settings = {"mail": options}
    path = folder / "a.mbox"
    rows, _ = _read(path, data, **settings)
    lost = set(offsets) - {row["offset"] for row in rows}
    assert not lost, f"no row for the separators at {sorted(lost)} of {data!r}"
    messages = list(split_mbox(io.BytesIO(data), chosen.choice((17, 101, 999)), None))
    assert b"".join(part for message in messages for part in message[1:3]) in (data, b""), data
    if options.max_message_bytes > len(data):
        assert [message.offset for message in messages] == [row["offset"] for row in rows], data
    size = chosen.randint(150, 1500)
    with (
        mock.patch.object(mailworkers, "RANGE_BYTES", size),
        mock.patch.object(mail, "BATCH_MESSAGES", 1),
        open_reader(path, **settings) as reader,
    ):
        marks = [reader.mark, *(reader.mark for batch in reader)]
        assert [mark.rows for mark in marks[1:]] == [(number,) for number in range(1, len(rows) + 1)], (size, data)
        first = chosen.randint(0, len(rows))
        again, _ = _read(path, mark=marks[first] if first else None, **settings)
    assert again == rows[first:], f"in ranges of {size}, from row {first} on: {data!r}"
    return _mails(rows)


def check_eml(folder: Path, chosen: random.Random) -> Found:
    """Check that a message is one row, and the same one as in a mailbox."""
    data = mail_bytes(chosen)
    rows, _ = _read(folder / "a.eml", data)
    assert len(rows) == 1, data
    if b"From " not in data:
        (other,), _ = _read(folder / "a.mbox", _SEPARATOR + b"\n" + data)
        assert {**other, "offset": 0} == rows[0], data
    return _mails(rows)


def check_emlx(folder: Path, chosen: random.Random) -> Found:
    """Check that a message of Apple Mail is one row."""
    content = chosen.choice(_MAILS)
    data = mutated(b"%d\n%b<?xml version='1.0'?><plist></plist>" % (len(content), content), chosen, TOKENS)
    rows, _ = _read(folder / "a.emlx", data)
    assert len(rows) == 1, data
    return _mails(rows)


_MSG = [
    msg_bytes({SUBJECT: "Timer", BODY: "The timer works.\r\nSo good!\r\n", MESSAGE_ID: "<1@example.com>"}),
    msg_bytes({SUBJECT: "Timer", HTML: b"<p>So <b>good</b></p>", SENDER_ADDRESS: "ann@example.com"}),
    msg_bytes({SUBJECT: "Timer", BODY: "So good " * 700, SUBMITTED: datetime(2026, 2, 3, tzinfo=UTC)}),
    msg_bytes({HEADERS: "From: a@example.com\r\nDate: Tue, 3 Feb 2026 09:14:22 +0100\r\n"}, ({SUBJECT: "a"},) * 2),
]


def check_msg(folder: Path, chosen: random.Random) -> Found:
    """Check that an Outlook message is one row, or refused."""
    rows, _ = _read(folder / "a.msg", overwritten(chosen.choice(_MSG), chosen))
    assert len(rows) == 1
    return _mails(rows)


def check_maildir(folder: Path, chosen: random.Random) -> Found:
    """Check that each file of a Maildir is one row."""
    inside = folder / "maildir"
    for name in ("cur", "new"):
        (inside / name).mkdir(parents=True, exist_ok=True)
    names = chosen.sample(["cur/1:2,S", "cur/2:2,ST", "new/3", "cur/4.eml", "new/5;2,", "cur/\u00e9\x1b.6"], 2)
    for name in names:
        (inside / name).write_bytes(mail_bytes(chosen))
    rows, _ = _read(inside)
    for name in names:
        (inside / name).unlink()
    assert len(rows) == len(names)
    return _mails(rows)


def _archives(format: str) -> list[bytes]:
    made = []
    for number in range(12):
        chosen = random.Random(number)
        sink = io.BytesIO()
        members = [(f"mail/{name}.eml", chosen.choice(_MAILS)) for name in "abc"]
        members.append(("box.mbox", mailbox(chosen)[0]))
        if format == "zip":
            with zipfile.ZipFile(sink, "w", chosen.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
                for name, content in members:
                    archive.writestr(name, content)
        else:
            kind = chosen.choice((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT))
            with tarfile.open(fileobj=sink, mode="w", format=kind) as tar:
                for name, content in members:
                    entry = tarfile.TarInfo(name if number % 3 else f"{'long/' * 40}{name}"[-250:])
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
                end = sink.tell() + 1024  # without what pads it to 10 KiB
        made.append(sink.getvalue()[: end if format == "tar" else None])
    return made


_ZIP, _TAR = _archives("zip"), _archives("tar")


def check_zip(folder: Path, chosen: random.Random) -> Found:
    """Check that each mail in an archive's directory is a row."""
    data = overwritten(chosen.choice(_ZIP), chosen)
    rows, _ = _read(folder / "a.zip", data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [PurePath(name) for name in archive.namelist() if not name.endswith("/")]
    expected = sum(name.suffix == ".eml" and not name.name.startswith(".") for name in names)
    assert len(rows) >= expected, f"{len(rows)} rows of {expected} mails in {names}"
    return _mails(rows)


def check_tar(folder: Path, chosen: random.Random) -> Found:
    """Check that an archive whose headers or contents are damaged is refused, or has all of its mails."""
    whole = chosen.choice(_TAR)
    data = overwritten(whole, chosen) if chosen.random() < 0.7 else _with_damaged_header(whole, chosen)
    rows, _ = _read(folder / "a.tar", data)
    changed = {at for at in range(0, len(whole), 512) if data[at : at + 512] != whole[at : at + 512]}
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        names = {at for member in tar for at in range(member.offset + 512, member.offset_data - 512, 512)}
        headers = {at for member in tar for at in (member.offset, member.offset_data - 512)}
    others = {at for at in changed & headers if _is_tar_header(data[at : at + 512])}  # with the same sum, by chance
    if len(data) == len(whole) and not changed & names and not others:  # names have no checksum
        assert len(rows) >= _ARCHIVED, f"{len(rows)} rows"
    return _mails(rows)


_ARCHIVED = 4


def _is_tar_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _with_damaged_header(data: bytes, chosen: random.Random) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        offset = chosen.choice(tar.getmembers()).offset
    return data[:offset] + overwritten(data[offset : offset + 512], chosen) + data[offset + 512 :]


def _mails(rows: Rows) -> Found:
    """Check what every row of mail must be, and return what the rows are flagged with."""
    for row in rows:
        assert row["text"] is not None or why_no_text(row["flags"]), f"no text, and nothing says why: {row}"
        assert len(set(row["flags"])) == len(row["flags"]), row
        for name in ("text", "subject", "from", "to", "message_id"):
            assert "\0" not in (row[name] or ""), row
    return Counter(name for row in rows for name in row["flags"] or ["good"])


# Compressed files


_PLAIN = b"id,text\n" + b"".join(b"%d,so good t%dt\n" % (row, row) for row in range(30))
_MAILBOX = b"".join(_SEPARATOR + b"\nSubject: %d\n\nIt works.\n\n" % row for row in range(20))


def _check_compressed(compress: Callable[[bytes], bytes], suffix: str) -> Callable[[Path, random.Random], Found]:
    files = {
        "csv": [compress(_PLAIN), compress(_PLAIN[:200]) + compress(_PLAIN[200:])],
        "mbox": [compress(_MAILBOX), compress(_MAILBOX[:200]) + compress(_MAILBOX[200:])],
    }
    counts = {"csv": _PLAIN.count(b"\n") - 1, "mbox": _MAILBOX.count(b"From ")}

    def check(folder: Path, chosen: random.Random) -> Found:
        """Check that what is still taken for compressed has all of its rows, or is refused."""
        kind = chosen.choice(list(files))
        original = chosen.choice(files[kind])
        data = overwritten(original, chosen)
        path = folder / f"a.{kind}.{suffix}"
        rows, _ = _read(path, data, **_table())
        is_as_often = data.count(original[:3]) == original.count(original[:3])  # a stream may stand there twice
        # Arrow writes zstd without a checksum.
        if compression_of(io.BytesIO(data)) and suffix != "zst" and is_as_often:
            assert len(rows) == counts[kind], f"{len(rows)} rows of {data!r}"
        return _problems(rows) if kind == "csv" else _mails(rows)

    return check


# Presets


def _changed_json(content: dict[str, Any], chosen: random.Random) -> dict[str, Any]:
    odd = [None, True, 0, -1, 1, 1e308, 1 << 70, "", "x", [], {}, [[]], "whole", float("nan"), [0.1, 0.9]]
    name = chosen.choice([*content, "graph", "calibration", "min_coverage", "ngrams", "long_texts", "start", "x"])
    changed = {**content, name: chosen.choice(odd)}
    if chosen.random() < 0.2:
        changed.pop(name)
    if name == "calibration":
        keys = ("temperature", "bias", "neutral")
        changed[name] = {chosen.choice(keys): chosen.choice([*odd, 1e-3, 99, [0.4, 0.6], [0.6, 0.4]])}
    return changed


PRESET_FILES = ("config.json", "preprocessor.json", "vocabulary.txt", "projection.onnx", "model.onnx", "ngrams.npz")
_OTHER_PRESETS = {
    "cnn": ("cnn-500", {"embedding_size": 6, "filters": 4, "kernel_size": 3, "dense_units": 5, "window": 16}),
    "stacked": ("stacked-lstm-256", {"embedding_size": 6, "units": 5, "dense_units": 5, "window": 16}),
}
"""By folder: a recipe whose network is one graph, and its sizes."""


def write_presets(folder: Path) -> None:
    """Write what `check_preset` and `check_command` change."""
    from conftest import add_ngrams, write_tiny_preset

    write_tiny_preset(folder / "preset")
    add_ngrams(folder / "preset")
    for name, (recipe, sizes) in _OTHER_PRESETS.items():
        write_tiny_preset(folder / name, recipe, **sizes)


def check_preset(folder: Path, chosen: random.Random) -> Found:
    """Check that a preset with a changed file is refused, or gives scores from 0 to 1.

    The folder must hold what `write_presets` writes.
    """
    if chosen.random() < 0.5:
        path = folder / chosen.choice(list(_OTHER_PRESETS)) / "model.onnx"
    else:
        path = folder / "preset" / chosen.choice(PRESET_FILES)
    whole = path.read_bytes()
    if path.suffix == ".json" and chosen.random() < 0.7:
        data = json.dumps(_changed_json(json.loads(whole), chosen)).encode()
    elif path.suffix in (".json", ".txt"):
        data = mutated(whole, chosen)
    else:
        data = overwritten(whole, chosen)
    try:
        path.write_bytes(data)
        scored = score.load(path.parent, device="cpu", workers=1).score_columns(["the great service", "the", None])
    finally:
        path.write_bytes(whole)
    for row in scored.to_pylist():
        assert row["score"] is None or 0 <= row["score"] <= 1, row
    return Counter(read=1)


# The command


def check_command(folder: Path, chosen: random.Random) -> Found:
    """Check that `textsent score` ends with 0 and a complete output, or with 1, one line and none.

    The folder must hold what `write_presets` writes.
    """
    inside = folder / "command"
    inside.mkdir()
    name, make = chosen.choice(list(_COMMAND_INPUTS.items()))
    path = inside / f"in.{name}"
    path.write_bytes(make(chosen))
    formats = ["parquet", "csv", "jsonl", "csv.gz", *(["mbox"] if name in ("mbox", "eml", "zip", "tar") else [])]
    output = inside / f"out.{chosen.choice(formats)}"
    options = [
        ["--on-error", chosen.choice(("skip", "stop"))],
        ["--sentences"],
        ["--text-column", "text"],
        ["--infer-types"],
        ["--with-subject", "--keep-quotes"],
        ["--record"],
        ["--max-errors", "2"],
        *([["--spreadsheet-safe"]] if ".csv" in output.name else []),
    ]
    given = [part for option in options if chosen.random() < 0.15 for part in option]
    arguments = ["score", str(path), "-o", str(output), "-m", str(folder / "preset"), "--device", "cpu", *given]
    stderr, stdout = io.StringIO(), io.StringIO()
    try:
        with (
            mock.patch.object(sys, "argv", ["textsent", *arguments]),
            mock.patch.object(score, "load", _loaded),
            contextlib.redirect_stderr(stderr),
            contextlib.redirect_stdout(stdout),
        ):
            cli.main()
    except SystemExit as ended:
        code = ended.code
    lines = stderr.getvalue().splitlines()
    try:
        assert "shouldn't be" not in stderr.getvalue(), (lines, arguments)
        assert stdout.getvalue() == "", arguments
        if code:
            assert code == 1, (code, lines, arguments)
            assert lines[-1].startswith("textsent: "), (lines, arguments)
            assert all(line.startswith("textsent: ") for line in lines), (lines, arguments)
            assert [left.name for left in inside.iterdir()] == [path.name], (lines, arguments)
            return Counter(refused=1)
        assert output.is_file(), arguments
        if output.suffix == ".parquet" or "--record" in arguments:
            verify(output)
        return Counter(good=1)
    finally:
        shutil.rmtree(inside)


_loaded = functools.lru_cache(score.load)

_COMMAND_INPUTS: dict[str, Callable[[random.Random], bytes]] = {
    "csv": csv_bytes,
    "tsv": lambda chosen: csv_bytes(chosen, "\t"),
    "jsonl": jsonl_bytes,
    "txt": csv_bytes,
    "parquet": parquet_bytes,
    "mbox": lambda chosen: mailbox(chosen)[0],
    "eml": mail_bytes,
    "msg": lambda chosen: overwritten(chosen.choice(_MSG), chosen),
    "zip": lambda chosen: overwritten(chosen.choice(_ZIP), chosen),
    "tar": lambda chosen: overwritten(chosen.choice(_TAR), chosen),
    "csv.gz": lambda chosen: overwritten(gzip.compress(_PLAIN), chosen),
}


def _zstd(data: bytes) -> bytes:
    return pa.compress(data, "zstd", asbytes=True)


CHECKS: dict[str, Callable[[Path, random.Random], Found]] = {
    "csv": check_csv,
    "tsv": check_tsv,
    "guessed-csv": check_guessed_csv,
    "jsonl": check_jsonl,
    "text": check_text,
    "parquet": check_parquet,
    "mbox": check_mbox,
    "eml": check_eml,
    "emlx": check_emlx,
    "msg": check_msg,
    "maildir": check_maildir,
    "zip": check_zip,
    "tar": check_tar,
    "gzip": _check_compressed(gzip.compress, "gz"),
    "bz2": _check_compressed(bz2.compress, "bz2"),
    "zstd": _check_compressed(_zstd, "zst"),
    "preset": check_preset,
    "command": check_command,
}


class TooSlowError(BaseException):
    """An input took more than SLOW_SECONDS of processor time."""


def _too_slow(number: int, frame: Any) -> None:
    raise TooSlowError


def checked(format: str, folder: Path, seed: int) -> Found:
    """Return what became of the rows of an input; it may be refused, but in one line."""
    signal.signal(signal.SIGPROF, _too_slow)
    signal.setitimer(signal.ITIMER_PROF, SLOW_SECONDS)
    try:
        return CHECKS[format](folder, random.Random(seed))
    except (InputError, PresetError) as exc:
        message = str(exc)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    assert "\n" not in message, message
    quotes = format != "preset" and _MARK.search(message.encode("utf-8", "replace"))
    assert not quotes, f"a text is quoted: {message}"
    return Counter(refused=1)


def main() -> None:
    """Read mutated inputs, and print what became of their rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"of {', '.join(CHECKS)}; default: all")
    parser.add_argument("--inputs", type=int, default=100_000, help="of each format")
    parser.add_argument("--seed", type=int, default=0, help="of the first one; the next has the next number")
    options = parser.parse_args()
    faults = 0
    shared_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared_memory if shared_memory.is_dir() else None) as folder:
        formats = options.formats or list(CHECKS)
        if {"preset", "command"}.intersection(formats):
            write_presets(Path(folder))
        for format in formats:
            faults += _fuzz(format, Path(folder), range(options.seed, options.seed + options.inputs))
    sys.exit(1 if faults else 0)


def _fuzz(format: str, folder: Path, seeds: range) -> int:
    """Print what became of a format's inputs, and return how many showed a fault."""
    warnings.simplefilter("error")  # else they are printed
    found: Found = Counter()
    faults = 0
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.monotonic()
    for seed in seeds:
        try:
            found += checked(format, folder, seed)
        except (Exception, TooSlowError) as exc:
            faults += 1
            print(f"{format}, seed {seed}: {type(exc).__name__}: {str(exc)[:3000]}", flush=True)
        growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before.ru_maxrss) << 10
        most = _MOST_OF_PARQUET if format == "parquet" else MOST_GROWTH
        if growth > most:
            faults += 1
            print(f"{format}, seed {seed}: memory grew by {growth >> 20} MiB", flush=True)
        if growth > most or faults == MOST_FAULTS:
            break
        if seed % 1000 == 999:
            print(f"{format}: {seed + 1 - seeds.start:,}", file=sys.stderr, flush=True)
    after = resource.getrusage(resource.RUSAGE_SELF)
    refused = found.pop("refused", 0)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rows = ", ".join(f"{name} {count:,}" for name, count in found.most_common())
    print(
        f"{format}: {seed + 1 - seeds.start:,} inputs, {faults} faults, {refused:,} refused; rows: {rows}; "
        f"{time.monotonic() - started:.0f} s, {seconds:.0f} s of a core, "
        f"{(after.ru_maxrss - before.ru_maxrss) >> 10} MiB more",
        flush=True,
    )
    return faults


if __name__ == "__main__":
    main()
