"""Runs that don't come to their end, and others that go on with them."""

import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from textsent import delimited, files, journal, lines, mail, mailworkers, readers
from textsent.errors import InputError, OptionError, OutputError
from textsent.files import score_file
from textsent.score import load

TEXTS = ["the great service", "those terrible guys", "", "the", "Ünknown", "great guys", "terrible service", "a\nb"]
ROWS = [{"id": number, "text": f"{TEXTS[number % 8]} {number % 5}"} for number in range(60)]
MESSAGE = "From ann@example.com Tue Feb  3 09:14:22 2026\nSubject: number {id}\n\n{text}\n\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, in which every window has few rows and each is committed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(journal, "COMMIT_SECONDS", 0.0)
    monkeypatch.setattr(files, "WINDOW_ROWS", 8)
    for module in (delimited, lines, readers):
        monkeypatch.setattr(module, "BATCH_ROWS", 7)
    monkeypatch.setattr(mail, "BATCH_MESSAGES", 7)
    monkeypatch.setattr(mailworkers, "RANGE_BYTES", 1500)
    return tmp_path


@pytest.fixture
def scorer(tiny_preset):
    return load(tiny_preset, workers=1)


def write_input(name):
    """Write ROWS into an input; return its path."""
    path = Path(name)
    table = pa.Table.from_pylist(ROWS)
    mailbox = "".join(MESSAGE.format(**row) for row in ROWS).encode()
    if name == "Maildir":
        for folder in ("cur", "new", "tmp"):
            (path / folder).mkdir(parents=True)
        for row in ROWS:
            (path / "cur" / f"{row['id']:03}.host:2,S").write_text(f"Subject: number\n\n{row['text']}\n", "utf-8")
        return path
    match path.suffixes[0]:
        case ".mbox":
            content = mailbox
        case ".jsonl":
            content = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
        case ".txt":
            content = "".join(row["text"].replace("\n", " ") + "\n" for row in ROWS).encode()
        case ".csv":
            content = b"id,text\n" + "".join(f'{row["id"]},"{row["text"]}"\n' for row in ROWS).encode()
        case ".parquet":
            pyarrow.parquet.write_table(table, path, row_group_size=11)
            return path
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


class StopError(Exception):
    """Stands for what ends a run before its end."""


def stopped_after(windows, *arguments, error=StopError, **options):
    """Score until some windows are done; then the run ends with an error."""
    summary = files.Summary()

    def stop(scored, summary):
        if summary.rows >= 8 * windows + 8:
            raise error

    with pytest.raises(error):
        score_file(*arguments, on_batch=stop, summary=summary, **options)
    return summary.committed


INPUTS = ("in.csv", "in.csv.gz", "in.parquet", "in.jsonl", "in.txt", "in.mbox", "in.mbox.gz", "Maildir")
OUTPUTS = ("out.parquet", "out.csv", "out.jsonl", "out.csv.gz", "out.jsonl.zst", "out.csv.bz2", "out.mbox")
PAIRS = [
    (source, output)
    for source in INPUTS
    for output in OUTPUTS
    if output != "out.mbox" or "mbox" in source or source == "Maildir"
]


@pytest.mark.parametrize(("source", "output"), PAIRS)
def test_a_run_that_goes_on_gives_the_bytes_of_an_uninterrupted_one(here, scorer, source, output):
    source = write_input(source)
    score_file(source, f"whole-{output}", scorer)
    for windows in (1, 3, 4):
        stopped_after(windows, source, output, scorer, resume=True)
        assert not Path(output).exists()
    summary = score_file(source, output, scorer, resume=True)
    assert Path(output).read_bytes() == Path(f"whole-{output}").read_bytes()
    assert summary.rows == len(ROWS)
    assert 24 <= summary.resumed < len(ROWS)
    assert not Path(f"{output}.partial").exists()


@pytest.mark.parametrize("windows", range(1, 14))
def test_a_run_over_several_files_goes_on_in_any_of_them(here, scorer, windows):
    inputs = [write_input(name) for name in ("a.mbox", "b.mbox.gz")]
    inputs.append(write_input("c.mbox"))
    score_file(inputs, "whole.parquet", scorer)
    stopped_after(windows, inputs, "out.parquet", scorer)
    summary = score_file(inputs, "out.parquet", scorer, resume=True)
    assert Path("out.parquet").read_bytes() == Path("whole.parquet").read_bytes()
    assert summary.inputs == [("a.mbox", 60), ("b.mbox.gz", 60), ("c.mbox", 60)]


def test_a_run_that_goes_on_in_its_second_input_writes_the_metadata_of_the_first(here, scorer):
    for name in ("a.parquet", "b.parquet"):
        table = pa.Table.from_pylist(ROWS).replace_schema_metadata({"of": name})
        pyarrow.parquet.write_table(table, name)
    inputs = ["a.parquet", "b.parquet"]
    score_file(inputs, "whole.parquet", scorer)
    stopped_after(10, inputs, "out.parquet", scorer)
    assert score_file(inputs, "out.parquet", scorer, resume=True).resumed > len(ROWS)
    assert Path("out.parquet").read_bytes() == Path("whole.parquet").read_bytes()


@pytest.mark.parametrize("output", ["out.csv", "out.parquet"])
def test_rows_that_are_left_out_are_counted_once_by_a_run_that_goes_on(here, scorer, output):
    source = write_input("in.jsonl")
    lines = source.read_text().splitlines()
    lines[5::9] = ["no JSON"] * len(lines[5::9])
    source.write_text("\n".join(lines))
    errors = files.ErrorOptions("skip")
    whole = score_file(source, f"whole-{output}", scorer, errors=errors)
    stopped_after(3, source, output, scorer, errors=errors)
    summary = score_file(source, output, scorer, errors=errors, resume=True)
    assert Path(output).read_bytes() == Path(f"whole-{output}").read_bytes()
    assert (summary.rows, summary.left_out, summary.errors) == (whole.rows, whole.left_out, whole.errors)
    assert summary.left_out > 7
    assert summary.resumed


def test_a_run_goes_on_with_another_number_of_workers(here, tiny_preset):
    source = write_input("in.mbox")
    stopped_after(2, source, "out.csv", load(tiny_preset, workers=1))
    score_file(source, "out.csv", load(tiny_preset, workers=2), resume=True)
    score_file(source, "whole.csv", load(tiny_preset, workers=1))
    assert Path("out.csv").read_bytes() == Path("whole.csv").read_bytes()


def test_what_an_unfinished_run_has_left_is_named_with_both_ways_on(here, scorer):
    source = write_input("in.csv")
    rows = stopped_after(2, source, "out.csv", scorer)
    with pytest.raises(OutputError) as raised:
        score_file(source, "out.csv", scorer)
    assert str(raised.value) == (
        f"{here / 'out.csv.partial'} holds {rows} rows of a run that didn't come to its end: go on with --resume, "
        "or begin anew with --overwrite"
    )
    assert score_file(source, "out.csv", scorer, overwrite=True).resumed == 0
    assert sorted(path.name for path in here.iterdir()) == ["in.csv", "out.csv"]


def test_an_output_is_not_touched_before_the_one_that_replaces_it_is_complete(here, scorer):
    source = write_input("in.csv")
    Path("out.csv").write_text("old")
    stopped_after(2, source, "out.csv", scorer, overwrite=True)
    assert Path("out.csv").read_text() == "old"
    score_file(source, "out.csv", scorer, resume=True)
    assert Path("out.csv").read_text().startswith('"id","text"')


def test_an_output_that_has_come_meanwhile_is_not_replaced(here, scorer):
    source = write_input("in.csv")
    stopped_after(2, source, "out.csv", scorer)
    Path("out.csv").write_text("another")
    with pytest.raises(OutputError, match=r"out\.csv exists already"):
        score_file(source, "out.csv", scorer, resume=True)
    assert Path("out.csv").read_text() == "another"
    assert score_file(source, "out.csv", scorer, resume=True, overwrite=True).resumed


def test_a_run_that_had_committed_nothing_leaves_nothing(here, scorer, monkeypatch):
    monkeypatch.setattr(journal, "COMMIT_SECONDS", 1e9)
    source = write_input("in.csv")
    with pytest.raises(StopError):
        score_file(source, "out.csv", scorer, on_batch=lambda *_: (_ for _ in ()).throw(StopError()))
    assert [path.name for path in here.iterdir()] == ["in.csv"]


def test_with_nothing_to_go_on_with_a_run_begins(here, scorer):
    assert score_file(write_input("in.csv"), "out.csv", scorer, resume=True).resumed == 0


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"neutral": (0.4, 0.6)}, "neutral was not given, now [0.4, 0.6]"),
        ({"prefix": "s_"}, "prefix was '', now 's_'"),
        ({"min_coverage": 0.5}, "min_coverage was 0.0, now 0.5"),
    ],
)
def test_a_run_with_another_option_does_not_go_on(here, scorer, tiny_preset, changes, differs):
    source = write_input("in.csv")
    stopped_after(2, source, "out.csv", scorer)
    with pytest.raises(OptionError) as raised:
        score_file(source, "out.csv", load(tiny_preset, workers=1, **changes), resume=True)
    assert str(raised.value) == (
        f"the run in {here / 'out.csv.partial'} can't go on, it began otherwise: {differs}: "
        "give what it began with, or begin anew with --overwrite"
    )
    assert score_file(source, "out.csv", scorer, resume=True).resumed


def test_a_run_that_had_too_many_errors_goes_on_where_more_are_allowed(here, scorer):
    path = write_input("in.jsonl")
    path.write_bytes(path.read_bytes() + b"no JSON\n" * 3)
    score_file(path, "whole.csv", scorer)
    with pytest.raises(InputError, match="--max-errors allows 20"):
        score_file(path, "out.csv", scorer, errors=files.ErrorOptions(max_errors=20))
    assert score_file(path, "out.csv", scorer, errors=files.ErrorOptions(max_errors=99), resume=True).resumed
    assert Path("out.csv").read_bytes() == Path("whole.csv").read_bytes()


def test_a_run_does_not_go_on_after_an_input_was_changed(here, scorer):
    source = write_input("in.csv")
    stopped_after(2, source, "out.csv", scorer)
    status = source.stat()
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    with pytest.raises(OptionError, match=r"the input in\.csv was '\d+ bytes of .*', now '\d+ bytes of"):
        score_file(source, "out.csv", scorer, resume=True)


def test_a_run_does_not_go_on_after_a_mail_in_a_folder_was_changed(here, scorer):
    source = write_input("Maildir")
    stopped_after(2, source, "out.csv", scorer)
    status = (source / "cur" / "007.host:2,S").stat()
    os.utime(source / "cur" / "007.host:2,S", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    with pytest.raises(OptionError, match=r"the input Maildir was '60 files, \w+', now '60 files, \w+'"):
        score_file(source, "out.csv", scorer, resume=True)


@pytest.mark.parametrize("inputs", [["in.csv", "in.csv"], ["other.csv"]])
def test_a_run_does_not_go_on_with_other_inputs(here, scorer, inputs):
    write_input("other.csv")
    stopped_after(2, write_input("in.csv"), "out.csv", scorer)
    with pytest.raises(OptionError, match="began otherwise: inputs was"):
        score_file(inputs, "out.csv", scorer, resume=True)


def test_a_run_does_not_go_on_with_another_model(here, scorer, tiny_preset, tmp_path_factory):
    import shutil

    other = tmp_path_factory.mktemp("other") / "tiny"
    shutil.copytree(tiny_preset, other)
    (other / "metadata.json").write_text('{"command": "another"}')
    source = write_input("in.csv")
    stopped_after(2, source, "out.csv", scorer)
    with pytest.raises(OptionError, match="model_files was '"):
        score_file(source, "out.csv", load(other, workers=1), resume=True)


@pytest.mark.parametrize(
    ("name", "damage", "kept"),
    [
        ("journal.jsonl", lambda content: content[:-1], 2),
        ("journal.jsonl", lambda content: content[:-20], 2),
        ("journal.jsonl", lambda content: b"", 0),
        ("2.arrow", lambda content: content[:-1], 2),
        ("2.arrow", lambda content: content[:-1] + b"?", 2),
        ("0.arrow", lambda content: b"", 0),
    ],
)
def test_what_is_damaged_was_not_committed(here, scorer, name, damage, kept):
    source = write_input("in.csv")
    score_file(source, "whole.parquet", scorer)
    stopped_after(3, source, "out.parquet", scorer)
    path = Path("out.parquet.partial") / name
    path.write_bytes(damage(path.read_bytes()))
    summary = score_file(source, "out.parquet", scorer, resume=True)
    assert (summary.resumed > 0) == (kept > 0)
    assert Path("out.parquet").read_bytes() == Path("whole.parquet").read_bytes()


def test_a_journal_whose_beginning_was_changed_is_told_of_and_begun_anew_on_demand_alone(here, scorer):
    source = write_input("in.csv")
    stopped_after(3, source, "out.csv", scorer)
    path = Path("out.csv.partial/journal.jsonl")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"textsent", b"textsend", 1))
    for resume in (False, True):
        with pytest.raises(OutputError) as raised:
            score_file(source, "out.csv", scorer, resume=resume)
        assert str(raised.value) == (
            f"{here / 'out.csv.partial'} holds what is left of a run that didn't come to its end, but its "
            "journal is damaged: begin anew with --overwrite"
        )
    path.write_bytes(content.replace(b'"bytes": ', b'"bytes": 1', 1))  # of the first part
    with pytest.raises(OutputError, match="its journal is damaged"):
        score_file(source, "out.csv", scorer, resume=True)
    assert score_file(source, "out.csv", scorer, overwrite=True).rows == 60


def test_what_is_kept_stays_until_the_run_that_begins_anew_reads_its_input(here, scorer):
    source = write_input("in.csv")
    rows = stopped_after(3, source, "out.csv", scorer)
    for mistaken in (("nothing.csv", "out.csv", scorer), (source, "out.csv", replace(scorer, column="none"))):
        with pytest.raises(InputError):
            score_file(*mistaken, overwrite=True)
    assert score_file(source, "out.csv", scorer, resume=True).resumed == rows


@pytest.mark.parametrize("name", ["thesis.txt", "folder/a", "lock/a", "0.arrow/a", "journal.jsonl/a"])
def test_a_folder_that_holds_what_is_not_textsents_is_not_touched(here, scorer, name):
    path = Path("out.csv.partial", name)
    Path("out.csv.partial").mkdir(0o700)
    path.parent.mkdir(exist_ok=True)
    path.write_text("precious")
    with pytest.raises(OutputError, match="which isn't textsent's: move that away, or name another output"):
        score_file(write_input("in.csv"), "out.csv", scorer, overwrite=True)
    assert path.read_text() == "precious"


def test_a_run_of_which_nothing_is_left_but_its_folder_is_taken_over(here, scorer):
    folder = Path("out.csv.partial")
    folder.mkdir(0o700)
    (folder / "out.csv").write_text("half a r")
    score_file(write_input("in.csv"), "out.csv", scorer)
    assert Path("out.csv").read_text().count("\n") > 60
    assert not folder.exists()


def test_an_output_that_another_run_writes_is_refused(here, scorer):
    source = write_input("in.csv")
    with pytest.raises(OutputError) as raised:
        score_file(
            source, "out.csv", scorer, on_batch=lambda *_: score_file(source, "out.csv", scorer, overwrite=True)
        )
    assert str(raised.value) == "out.csv is being written by another run: wait for it, or name another output"
    assert score_file(source, "out.csv", scorer, resume=True).rows == 60


@pytest.mark.parametrize("output", ["-", None])
def test_what_goes_through_a_pipe_cannot_go_on(here, scorer, output):
    with pytest.raises(OptionError) as raised:
        score_file(write_input("in.csv"), output, scorer, resume=True)
    assert str(raised.value) == (
        "a pipe can't be gone on with: leave out --resume, or name files to read and to write"
    )


def test_what_comes_through_a_named_pipe_cannot_go_on_and_leaves_nothing(here, scorer):
    import threading

    os.mkfifo("in.csv")
    content = b"id,text\n" + b"1,the great service\n" * 60
    writing = threading.Thread(target=lambda: Path("in.csv").write_bytes(content))
    writing.start()
    assert stopped_after(0, "in.csv", "out.csv", scorer) == 0
    writing.join()
    assert [path.name for path in here.iterdir()] == ["in.csv"]


def test_an_error_in_an_input_keeps_what_was_committed(here, scorer):
    with pytest.raises(InputError, match="--max-errors allows 15"):
        score_file(write_input("in.jsonl"), "out.csv", scorer, errors=files.ErrorOptions(max_errors=15))
    assert Path("out.csv.partial/journal.jsonl").read_bytes().count(b"\n") > 1


def test_only_the_owner_can_read_what_is_unfinished(here, scorer):
    stopped_after(2, write_input("in.csv"), "out.csv", scorer)
    assert Path("out.csv.partial").stat().st_mode & 0o777 == 0o700
