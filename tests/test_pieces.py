"""Inputs cut into pieces, each scored into a part of a folder."""

import gzip
import io
import json
import os
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import store_in

from textsent import cli, mbox, pieces
from textsent.errors import InputError, NoRowsError, OptionError, OutputError, PresetError
from textsent.files import Summary, score_file
from textsent.mail import DEFAULT_OPTIONS, read_messages
from textsent.mbox import beginning, message_at, split_mbox
from textsent.outputfolder import OutputFolder, verify_folder
from textsent.pieces import Piece, check_end, cut, engine_of, here, job_for, partitions, score_folder
from textsent.readers import open_reader
from textsent.score import load
from textsent.sources import Source, Span, find_sources

SEPARATOR = b"From ann@example.com Tue Feb  3 09:14:22 2026\n"
WITHIN = b"Great.\n\n" + SEPARATOR + b"Subject: within\nTo: y\n\nTerrible.\n\n"


def message(number, body=b"the great service\n"):
    return SEPARATOR + b"Subject: %d\nFrom: ann@example.com\n\n%s\n" % (number, body)


def with_length(number, body):
    return SEPARATOR + b"Subject: %d\nContent-Length: %d\n\n%s\n" % (number, len(body), body)


PLAIN = b"".join(message(number, b"you guys are terrible\n" * (number % 4)) for number in range(30))
MAILBOXES = {
    "plain": PLAIN,
    "Content-Length": b"".join(
        with_length(number, WITHIN * (number % 5)) + message(number + 100) for number in range(12)
    ),
    "from git": b"".join(
        b"From 7f2f62b4 Mon Sep 17 00:00:00 2001\nSubject: %d\n\nGreat, and pasted:\n\n%s\nguys\n"
        % (number, SEPARATOR)
        for number in range(12)
    ),
    "preamble": b"This stands before all.\nIt is no mail.\n\n" + PLAIN[:1500],
    "blank": b"\n\n \n" + PLAIN[:1500],
    "CRLF": b"".join(message(number) for number in range(12)).replace(b"\n", b"\r\n"),
    "no separator": b"Subject: alone\n\n" + b"the great service\n" * 60,
    "large": message(0) + message(1, b"the great service\n" * 300) + message(2),
    "separators": SEPARATOR * 20,
    "empty": b"",
}


def rows_of(reader):
    with reader:
        return [row for batch in reader for row in batch.to_pylist()]


def whole(data):
    messages = beginning(split_mbox(io.BytesIO(data)))
    return [row for batch in read_messages(messages, DEFAULT_OPTIONS) for row in batch.to_pylist()]


def read_by_spans(path, cuts):
    """Return a mailbox's rows, read by the spans between these places."""
    rows, ended = [], None
    for start, end in pairwise(cuts):
        reader = open_reader(path, "mbox", span=Span(start, end))
        rows += rows_of(reader)
        assert ended is None or reader.bounds[0] == ended
        ended = reader.bounds[1]
    return rows


def evenly(size, count):
    return [size * number // count for number in range(count + 1)]


@pytest.mark.parametrize("count", [1, 2, 7, 100])
@pytest.mark.parametrize("kind", MAILBOXES)
def test_a_mailbox_in_spans_holds_the_same_messages(tmp_path, kind, count):
    path = tmp_path / "in.mbox"
    path.write_bytes(MAILBOXES[kind])
    assert read_by_spans(path, evenly(len(MAILBOXES[kind]), count)) == whole(MAILBOXES[kind])


@pytest.mark.parametrize("kind", ["plain", "Content-Length", "from git", "preamble", "CRLF", "large"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15)
@given(data=st.data())
def test_a_mailbox_cut_anywhere_holds_the_same_messages(tmp_path, kind, data):
    path, size = tmp_path / "in.mbox", len(MAILBOXES[kind])
    path.write_bytes(MAILBOXES[kind])
    cuts = data.draw(st.lists(st.integers(0, size), max_size=8, unique=True))
    assert read_by_spans(path, sorted({0, *cuts, size})) == whole(MAILBOXES[kind])


@pytest.mark.parametrize("kind", sorted(MAILBOXES.keys() - {"preamble", "blank"}))
def test_the_first_message_at_each_place_is_found(kind):
    data = MAILBOXES[kind]
    offsets = [each.offset for each in split_mbox(io.BytesIO(data))]
    for place in range(1, len(data), 37):
        expected = next((offset for offset in offsets if offset >= place), None)
        assert message_at(io.BytesIO(data), place, kind == "from git") == expected, place


def test_a_span_of_a_mailbox_reads_little_of_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr(mbox, "_LOOK_BACK", 20_000)
    monkeypatch.setattr(mbox, "CHUNK_SIZE", 10_000)
    store = store_in(tmp_path, monkeypatch)
    data = b"".join(message(number, b"the great service\n" * 33) for number in range(20_000))
    (tmp_path / "box" / "in.mbox").write_bytes(data)
    middle = len(data) // 2
    rows = rows_of(open_reader("hdfs://box/in.mbox", span=Span(middle, middle + 20_000)))
    assert 25 < len(rows) < 35
    assert store.bytes_read < len(data) / 3


def test_a_parquet_file_in_spans_holds_the_same_rows(tmp_path):
    path = tmp_path / "in.parquet"
    texts = [f"great service {number}" for number in range(1000)]
    pyarrow.parquet.write_table(pa.table({"text": texts}), path, row_group_size=90)
    size = path.stat().st_size
    for count in (1, 2, 7, 100):
        rows = [
            row["text"]
            for start, end in pairwise(evenly(size, count))
            for row in rows_of(open_reader(path, span=Span(start, end)))
        ]
        assert rows == texts


@pytest.mark.parametrize(("look_back", "is_right"), [(mbox._LOOK_BACK, True), (10, False)])
def test_who_reads_a_single_piece_is_told_where_the_next_one_begins_elsewhere(
    tmp_path, monkeypatch, look_back, is_right
):
    path = tmp_path / "in.mbox"
    path.write_bytes(message(0) + with_length(1, WITHIN * 20) + message(2))
    monkeypatch.setattr(mbox, "_LOOK_BACK", look_back)
    piece, *_, last = cut(find_sources([str(path)]), 300)
    reader = open_reader(path, span=piece.span)
    rows_of(reader)
    with nullcontext() if is_right else pytest.raises(InputError) as failed:
        check_end(piece, reader.bounds)
    assert is_right or str(failed.value) == (
        f"{path} can't be cut at byte 300: a message there holds what looks like others: read it in one piece, of "
        "the size of the mailbox"
    )
    check_end(piece, None)
    check_end(last, (0, path.stat().st_size))
    path.unlink()
    with pytest.raises(InputError, match="No such file"):
        check_end(piece, reader.bounds)


@pytest.mark.parametrize("place", [-5, 1 << 40])
def test_a_row_group_that_is_said_to_stand_outside_of_its_file_is_in_one_span(tmp_path, monkeypatch, place):
    path = tmp_path / "in.parquet"
    pyarrow.parquet.write_table(pa.table({"text": ["great", "service"]}), path)
    group = pyarrow.parquet.ParquetFile(path).metadata.row_group(0)
    column = SimpleNamespace(data_page_offset=place, dictionary_page_offset=None)
    said = SimpleNamespace(num_rows=group.num_rows, num_columns=1, column=lambda _: column)
    metadata = SimpleNamespace(num_rows=2, row_group=lambda _: said)
    monkeypatch.setattr(pyarrow.parquet.ParquetFile, "metadata", property(lambda file: metadata))
    cuts = pairwise(evenly(path.stat().st_size, 7))
    rows = [row for start, end in cuts for row in rows_of(open_reader(path, span=Span(start, end)))]
    assert [row["text"] for row in rows] == ["great", "service"]


def source(name, size, format="mbox"):
    return Source(name, format, size, "")


def test_a_large_mailbox_is_cut_and_small_files_share_a_piece(tmp_path):
    path = tmp_path / "in.mbox"
    path.write_bytes(bytes(250))
    found = list(
        cut([source("a", 40), source("b", 40), source("c", 40), source(str(path), 250), source("d", 1)], 100)
    )
    assert [(piece.sources, piece.span, piece.size) for piece in found] == [
        (("a", "b"), None, 80), (("c",), None, 40), ((str(path),), Span(0, 100), 100),
        ((str(path),), Span(100, 200), 100), ((str(path),), Span(200, 250), 50), (("d",), None, 1),
    ]  # fmt: skip
    assert [piece.number for piece in found] == list(range(6))


def test_what_cannot_be_cut_is_one_piece(tmp_path):
    packed = tmp_path / "in.mbox.gz"
    packed.write_bytes(gzip.compress(os.urandom(300)))
    found = list(cut([source("a.csv", 1000, "csv"), source(str(packed), 300), source("b.csv", 10, "csv")], 100))
    assert [(len(piece.sources), piece.span) for piece in found] == [(1, None)] * 3


def test_files_of_another_format_or_partition_are_in_a_piece_of_their_own():
    names = ["s3://box/year=2025/a", "s3://box/year=2025/b", "s3://box/year=2026/c"]
    found = list(cut([*(source(name, 1) for name in names), source(f"{names[2]}.csv", 1, "csv")], 100))
    assert [piece.sources for piece in found] == [tuple(names[:2]), (names[2],), (f"{names[2]}.csv",)]
    assert [piece.folder for piece in found] == ["year=2025", "year=2026", "year=2026"]


def test_a_thousand_files_are_a_piece_at_most():
    found = list(cut([source(f"s3://box/{number}.eml", 1, "eml") for number in range(2500)]))
    assert [len(piece.sources) for piece in found] == [1000, 1000, 500]


def test_no_input_is_no_piece_and_a_pipe_cannot_be_cut():
    assert list(cut([])) == []
    with pytest.raises(OptionError) as failed:
        list(cut([source("-", None)]))
    assert str(failed.value) == "standard input is a pipe, which can't be scored in parts: name files"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("s3://box/year=2026/month=02/a.mbox", "year=2026/month=02"),
        ("s3://box/a/b=/c/d.mbox?scheme=http", "b="),
        ("s3://box/_a=1/.b=2/c.mbox", ""),
        ("a=1.mbox", ""),
    ],
)
def test_hive_partitions_are_told_by_a_file_s_folders(name, folder):
    assert partitions(name) == folder


@pytest.fixture
def job(tiny_preset, tmp_path):
    """Scores into the folder `scored`, five rows or so to a piece."""
    return job_for(tiny_preset, {"device": "cpu", "workers": 1}, str(tmp_path / "scored"))


@pytest.fixture
def mailbox(tmp_path):
    path = tmp_path / "in.mbox"
    path.write_bytes(MAILBOXES["Content-Length"])
    return path


def scored_rows(folder):
    return pyarrow.dataset.dataset(sorted(map(str, Path(folder).rglob("part-*.parquet")))).to_table().to_pylist()


def local_rows(sources, tiny_preset, tmp_path, **settings):
    output = tmp_path / "local.parquet"
    summary = score_file(sources, output, load(tiny_preset, device="cpu", workers=1), overwrite=True, **settings)
    return pyarrow.parquet.read_table(output).to_pylist(), summary


def is_equal(left, right):
    """Return whether rows are equal, their scores to 1e-6."""

    def without_scores(rows):
        return [{name: value for name, value in row.items() if name != "score"} for row in rows]

    scores = [[row["score"] for row in rows] for rows in (left, right)]
    return without_scores(left) == without_scores(right) and scores[0] == pytest.approx(scores[1], abs=1e-6)


@pytest.mark.parametrize("piece_bytes", [1 << 20, 400])
def test_the_rows_of_a_folder_are_those_of_a_local_run_in_order(job, mailbox, tmp_path, tiny_preset, piece_bytes):
    table = tmp_path / "in.parquet"
    texts = ["great service", None, "", "terrible guys", "unknown"] * 20
    pyarrow.parquet.write_table(pa.table({"text": texts}), table, row_group_size=7)
    for name in (mailbox, table):
        output = str(tmp_path / f"scored-{name.suffix[1:]}")
        summary = score_folder(name, replace(job, output=output), piece_bytes=piece_bytes)
        rows, expected = local_rows(name, tiny_preset, tmp_path)
        assert is_equal(scored_rows(output), rows)
        assert (summary.rows, summary.sentiments, summary.errors, summary.inputs) == (
            expected.rows, expected.sentiments, expected.errors, expected.inputs,
        )  # fmt: skip
        assert (summary.position, summary.share) == (name.stat().st_size, 1.0)
        assert verify_folder(output).rows == len(rows)


def test_partitions_are_kept(job, tmp_path):
    for year in (2025, 2026):
        folder = tmp_path / "in" / f"year={year}"
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("text\ngreat\n")
    score_folder(str(tmp_path / "in" / "*" / "*.csv"), job)
    assert [str(path.relative_to(job.output)) for path in sorted(Path(job.output).rglob("part-*"))] == [
        "year=2025/part-000000.parquet", "year=2026/part-000001.parquet",
    ]  # fmt: skip
    table = pyarrow.dataset.dataset(job.output, partitioning="hive").to_table()
    assert table.column("year").to_pylist() == [2025, 2026]


@pytest.mark.parametrize("format", ["csv", "jsonl", "mbox"])
def test_parts_have_the_format_asked_for(job, mailbox, tmp_path, format):
    score_folder(mailbox, replace(job, output_format=format), piece_bytes=800)
    found = sorted(Path(job.output).glob(f"part-*.{format}"))
    assert len(found) > 2
    rows = [row for path in found for row in rows_of(open_reader(path))]
    assert len(rows) == len(whole(mailbox.read_bytes()))
    if format == "mbox":
        assert all(b"X-Textsent-Score:" in path.read_bytes() for path in found)


def test_a_span_that_began_within_a_message_is_read_again_and_leaves_no_part_of_what_was_none(
    job, tmp_path, monkeypatch, tiny_preset
):
    path = tmp_path / "in.mbox"
    path.write_bytes(message(0) + with_length(1, WITHIN * 20) + message(2))
    monkeypatch.setattr(mbox, "_LOOK_BACK", 10)
    seen = []

    def engine(job, found):
        seen.append([piece.number for piece in found])
        return here(job, found)

    summary = score_folder(path, job, engine=engine, piece_bytes=300)
    assert len(seen) > 1
    assert summary.rows == 3
    assert is_equal(scored_rows(job.output), local_rows(path, tiny_preset, tmp_path)[0])
    assert verify_folder(job.output).inputs == [(str(path), 3)]


def test_a_mailbox_that_is_named_twice_is_scored_twice(job, mailbox, tmp_path, tiny_preset):
    assert score_folder([mailbox, mailbox], job, piece_bytes=400).rows == 48
    assert is_equal(scored_rows(job.output), local_rows([mailbox, mailbox], tiny_preset, tmp_path)[0])


def test_a_run_that_was_cut_off_goes_on_part_by_part(job, mailbox, tmp_path, tiny_preset):
    def engine(job, found):
        for piece in found[:3]:
            yield job.score(piece)
        raise KeyboardInterrupt

    so_far = Summary()
    with pytest.raises(KeyboardInterrupt):
        score_folder(mailbox, job, engine=engine, piece_bytes=400, summary=so_far)
    assert so_far.committed == so_far.rows > 0
    assert not (tmp_path / "scored" / "_SUCCESS").exists()
    parts = sorted((tmp_path / "scored").glob("part-*"))
    parts[0].write_bytes(parts[0].read_bytes()[:-1])
    done = []

    def rest(job, found):
        done.extend(piece.number for piece in found)
        return here(job, found)

    summary = score_folder(mailbox, job, engine=rest, piece_bytes=400, resume=True)
    assert done[0] == 0
    assert 1 not in done
    assert 2 not in done
    assert 0 < summary.resumed < summary.rows
    rows, expected = local_rows(mailbox, tiny_preset, tmp_path)
    assert is_equal(scored_rows(job.output), rows)
    assert (summary.rows, summary.sentiments, summary.inputs) == (
        expected.rows, expected.sentiments, expected.inputs,
    )  # fmt: skip
    verify_folder(job.output)


def never(job, found):
    raise AssertionError("it began")


def stop(job, found):
    yield job.score(found[0])
    raise KeyboardInterrupt


def test_a_run_with_another_option_or_input_does_not_go_on(job, mailbox, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        score_folder(mailbox, job, engine=stop, piece_bytes=400)
    again = {"engine": never, "piece_bytes": 400, "resume": True}
    with pytest.raises(OptionError, match="it began otherwise: prefix was not given, now 'tone_': "):
        score_folder(mailbox, replace(job, scorer={**job.scorer, "prefix": "tone_"}), **again)
    with pytest.raises(OptionError, match="it began otherwise: piece_bytes was 400, now 500: "):
        score_folder(mailbox, job, **{**again, "piece_bytes": 500})
    with pytest.raises(OptionError, match="it began otherwise: on_error was 'keep', now 'skip': "):
        score_folder(mailbox, replace(job, on_error="skip"), **again)
    os.utime(mailbox, (1, 1))
    with pytest.raises(OptionError, match=r"it began otherwise: the input .*in\.mbox was "):
        score_folder(mailbox, job, **again)


def test_a_folder_that_is_not_empty_or_complete_is_refused_before_any_work(job, mailbox, tmp_path):
    score_folder(mailbox, job)
    for resume in (False, True):
        with pytest.raises(OutputError, match="is complete already: name another folder"):
            score_folder(mailbox, job, engine=never, resume=resume)
    with pytest.raises(OutputError, match="isn't empty, it holds"):
        score_folder(mailbox, replace(job, output=str(tmp_path)), engine=never)


def test_the_parts_are_an_input(job, mailbox, tiny_preset):
    summary = score_folder(mailbox, job, piece_bytes=400)
    assert len(rows_of(open_reader(job.output))) == summary.rows
    assert find_sources([job.output])[0].name == f"{job.output}/part-000000.parquet"


def test_no_rows_are_an_error_and_the_folder_is_not_complete(job, tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("text\n")
    with pytest.raises(NoRowsError, match=r"no rows in .*\*\.csv: there is nothing to score"):
        score_folder(str(tmp_path / "*.csv"), job, piece_bytes=1)
    with pytest.raises(InputError, match="isn't complete"):
        verify_folder(job.output)


def test_a_run_ends_when_more_rows_have_no_score_than_are_allowed_also_when_it_goes_on(job, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("text\n?\ngreat\n!\n")
    for resume in (False, True):
        with pytest.raises(InputError) as failed:
            score_folder(path, job, max_errors=1, resume=resume)
        assert str(failed.value) == (
            f"{path}: 2 of the first 3 rows have no score: no words (2×); --max-errors allows 1: mend them, or "
            "allow more"
        )
    assert score_folder(path, job, max_errors=2, resume=True).errors == {"no words": 2}


def test_rows_without_a_score_are_left_out_or_end_the_run(job, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("text\n?\ngreat\n")
    with pytest.raises(InputError, match=r"in\.csv: row 1: no words"):
        score_folder(path, replace(job, on_error="stop", output=str(tmp_path / "stopped")))
    summary = score_folder(path, replace(job, on_error="skip"))
    assert (summary.rows, summary.left_out) == (2, 1)
    assert [row["text"] for row in scored_rows(job.output)] == ["great"]
    assert verify_folder(job.output).left_out == 1


def test_what_was_decided_about_an_input_is_told(job, tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes("text;a\ngreat café;b\nservice;c\n".encode("cp1252"))
    summary = score_folder(path, job)
    assert [note for note in summary.notes if "cp1252" in note]


def test_a_piece_is_tried_again_where_a_store_fails(job, tmp_path, monkeypatch, tiny_preset):
    store = store_in(tmp_path, monkeypatch)
    (tmp_path / "box" / "in.mbox").write_bytes(PLAIN)
    waits = []
    monkeypatch.setattr(pieces.time, "sleep", waits.append)
    found = list(cut(find_sources(["hdfs://box/in.mbox"]), 500))
    folder = OutputFolder(job.output)
    folder.take_up({}, resume=False)
    job = replace(job, run=folder.run)
    job.score(found[0])
    reads = store.requests
    job.score(found[0])
    reads = store.requests - reads
    for failing in range(1, reads + 1):
        store.requests, store.fails_at = 0, {failing}
        assert job.score(found[0]).rows > 0
    assert waits == [2.0] * reads
    store.requests, store.fails_at = 0, {1, 2}
    waits.clear()
    assert job.score(found[0]).rows > 0
    assert waits == [2.0, 4.0]
    store.requests, store.fails_at = 0, set(range(100))
    with pytest.raises(InputError, match=r"hdfs://box/in\.mbox can't be read: the line was cut"):
        job.score(found[0])
    store.failure = type("ServerDisconnectedError", (Exception,), {"__module__": "aiohttp.client_exceptions"})(
        "gone"
    )
    with pytest.raises(InputError, match=r"hdfs://box/in\.mbox can't be read: gone"):
        job.score(found[0])
    store.requests, store.fails_at = 0, {1}
    assert job.score(found[0]).rows > 0


def test_a_folder_in_a_store_holds_what_a_local_one_does(job, mailbox, tmp_path, monkeypatch):
    store_in(tmp_path, monkeypatch)
    summary = score_folder(mailbox, replace(job, output="hdfs://box/scored"), piece_bytes=400)
    score_folder(mailbox, job, piece_bytes=400)
    assert is_equal(scored_rows(tmp_path / "box" / "scored"), scored_rows(job.output))
    assert sorted(path.name for path in (tmp_path / "box" / "scored").iterdir()) == sorted(
        path.name for path in Path(job.output).iterdir()
    )
    assert verify_folder("hdfs://box/scored").rows == summary.rows


def test_another_run_at_the_folder_ends_this_one(job, mailbox):
    def engine(job, found):
        for piece in found:
            yield job.score(piece)
            (Path(job.output) / "_unfinished" / "run").write_text("another")

    with pytest.raises(OutputError, match="was taken up by another run"):
        score_folder(mailbox, job, engine=engine, piece_bytes=400)


def test_another_run_that_has_written_nothing_yet_keeps_the_folder(job, mailbox, tmp_path):
    def engine(job, found):
        (Path(job.output) / "_unfinished" / "run").write_text("another")
        yield job.score(found[0])

    with pytest.raises(OutputError, match="was taken up by another run"):
        score_folder(mailbox, job, engine=engine, piece_bytes=400)
    assert sorted(path.name for path in (tmp_path / "scored").rglob("*")) == ["_unfinished", "plan.json", "run"]


def test_a_run_that_is_interrupted_before_its_first_part_leaves_the_folder_as_it_was(job, mailbox, tmp_path):
    def engine(job, found):
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        score_folder(mailbox, job, engine=engine)
    assert score_folder(mailbox, job).rows == 24


def test_another_version_or_preset_on_a_worker_is_refused(job):
    with pytest.raises(OptionError, match=r"^textsent \S+ is installed on \S+, but 0\.0\.1 where the run began"):
        replace(job, version="0.0.1").load()
    with pytest.raises(
        PresetError, match="is another than where the run began: put the same files on all machines"
    ):
        replace(job, model_files="0" * 64).load()


def test_no_input_at_all_is_told(job):
    with pytest.raises(OptionError, match="there is no input: name at least one file"):
        score_folder([], job, engine=never)


def test_more_pieces_than_names_are_refused(job, mailbox, monkeypatch):
    monkeypatch.setattr(pieces, "_MOST_PIECES", 3)
    with pytest.raises(
        OptionError, match="3 at most can be scored into one folder: make them larger with --piece-mb"
    ):
        score_folder(mailbox, job, engine=never, piece_bytes=100)


def test_an_engine_or_format_that_is_not_there_is_refused(tiny_preset):
    with pytest.raises(OptionError, match=r"^there is no engine 'steam': choose one of local, ray$"):
        engine_of("steam")
    with pytest.raises(OptionError, match="are for --engine ray"):
        engine_of("local", concurrency=2)
    with pytest.raises(OptionError, match="'xml' can't be written: choose one of parquet, csv, jsonl, mbox"):
        job_for(tiny_preset, {}, "scored", "xml")


def test_a_job_and_its_pieces_can_be_sent_to_another_machine(job):
    import pickle

    for value in (job, Piece(1, ("a.mbox",), Span(0, 9, 3), 9, "year=2026")):
        assert pickle.loads(pickle.dumps(value)) == value


@pytest.fixture
def score(tiny_preset, tmp_path, monkeypatch, capfd):
    """Runs `textsent score` in this process: arguments in; exit code, stdout and stderr out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.meta_path", [*__import__("sys").meta_path])

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["textsent", "score", "-m", str(tiny_preset), *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, *capfd.readouterr()

    return run


def test_the_command_line_writes_a_folder_where_a_slash_ends_its_name(score, mailbox, tmp_path):
    code, out, err = score("in.mbox", "-o", "scored/")
    assert (code, out) == (0, "")
    assert err.startswith("24 rows in ")
    assert json.loads((tmp_path / "scored" / "_manifest.json").read_text())["rows"] == 24
    assert score("in.mbox", "-o", "scored/")[::2] == (
        1, "textsent: scored is complete already: name another folder\n",
    )  # fmt: skip
    assert score("in.mbox", "-o", "scored/", "--overwrite")[::2] == (
        1, "textsent: a folder of parts isn't replaced: name another one than scored/\n",
    )  # fmt: skip
    assert score("in.mbox", "-o", f"{(tmp_path / 'other').as_uri()}/", "--output-format", "csv")[0] == 0
    assert (tmp_path / "other" / "part-000000.csv").is_file()


def test_a_folder_s_url_may_have_settings_behind_it(score, mailbox, tmp_path, monkeypatch):
    store_in(tmp_path, monkeypatch)
    code, _, err = score("in.mbox", "-o", "hdfs://box/scored/?replication=2")
    assert code == 0
    assert "written to hdfs://box/scored/?replication=2\n" in err
    assert verify_folder("hdfs://box/scored?replication=2").rows == 24
    assert score("hdfs://box/scored/?replication=2", "-o", "again.csv", "--prefix", "x_", "--quiet")[::2] == (0, "")


def test_the_command_line_writes_a_file_where_a_file_url_says(score, mailbox, tmp_path):
    assert score((tmp_path / "in.mbox").as_uri(), "-o", (tmp_path / "scored.csv").as_uri())[0] == 0
    assert (tmp_path / "scored.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in.mbox", "-o", "s3.parquet/", "--concurrency", "2"], "--address, --concurrency and --gpus-per-worker "),
        (["in.mbox", "-o", "s3.parquet", "--concurrency", "2"], "--address, --concurrency and --gpus-per-worker "),
        (
            ["in.mbox", "--engine", "ray"],
            "--engine ray writes a folder, in parts: name it with --output, with / at ",
        ),
        (["in.mbox", "--engine", "ray", "-o", "out.csv"], "--engine ray writes a folder, in parts: name it "),
        (["great service", "-o", "scored/"], "texts given as arguments are printed with their scores: "),
    ],
)
def test_an_option_that_makes_no_sense_is_one_line(score, mailbox, arguments, message):
    code, _, err = score(*arguments)
    assert code == 1
    assert err.startswith(f"textsent: {message}")
    assert err.count("\n") == 1


def test_an_output_s_url_is_named_in_an_error_not_the_place_where_it_grows(score, mailbox, tmp_path, monkeypatch):
    store_in(tmp_path, monkeypatch)
    assert score("in.mbox", "-o", "hdfs://box/scored.nonsense")[::2] == (
        1, "textsent: hdfs://box/scored.nonsense: the suffix '.nonsense' names no format that textsent writes: use "
        ".parquet, .csv, .jsonl or .mbox, or choose one with --output-format\n",
    )  # fmt: skip
    assert score("in.mbox", "-o", "hdfs://box/scored.csv", "--resume")[::2] == (
        1, "textsent: what goes to hdfs://box/scored.csv at once can't be gone on with: leave out --resume, or "
        "name a folder, with / at its end, to write in parts\n",
    )  # fmt: skip
    assert score("in.mbox", "-o", "hdfs://box/scored.csv", "--record", "--quiet") == (0, "", "")
    assert sorted(path.name for path in (tmp_path / "box").iterdir()) == ["scored.csv", "scored.csv.run.json"]
