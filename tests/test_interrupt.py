"""Ctrl-C, as a terminal sends it, to real processes."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from textsent.score import WINDOW_ROWS

MAIL = b"""\
From ann@example.com Tue Feb  3 09:14:22 2026
Subject: Hello

%s
"""
TEXT = b"the great service of those terrible guys %d "
SEVERAL_WINDOWS = 4 << 20
"""Bytes of an output: what was written before, as much as is scored at a time, is counted when they are there."""

LAUNCH = ("-c", "from textsent import cli, journal; journal.COMMIT_SECONDS = 1e9; cli.run()")
"""Runs the command line so that it commits nothing, however long it takes."""

COMMITTING = ("-c", "from textsent import cli, journal; journal.COMMIT_SECONDS = 0.0; cli.run()")

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


def wait_for(condition):
    """Wait until a condition holds, though not for ever; return what it came to."""
    for _ in range(6000):
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("it never came")


def children(pid):
    """Return the processes that a process has started and that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_bytes().rpartition(b")")[2].split()[:2]
        except OSError:  # it has ended meanwhile
            continue
        if int(parent) == pid and state not in (b"Z", b"X"):
            found.append(int(path.parent.name))
    return found


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def start(here, tiny_preset):
    """Starts `textsent score`; what is still running at the end is killed."""

    def run(*arguments, stdin=subprocess.DEVNULL, launch=LAUNCH):
        command = [sys.executable, *launch, "score", *arguments, "--model", tiny_preset, "--device", "cpu"]
        running.append(
            subprocess.Popen(
                [*map(str, command), "--workers", "2"], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        )
        return running[-1]

    running = []
    yield run
    for process in running:
        process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
        process.wait()


def interrupted(process):
    """Interrupt a process; return its exit code, the rows that it names and its last words about them."""
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    line = re.fullmatch(r"textsent: interrupted after ([\d,]+) rows: (.*)\n", err.decode())
    assert line, err.decode()
    return process.returncode, int(line[1].replace(",", "")), line[2]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A mailbox and a table of some 28 MB, which take seconds to score."""
    folder = tmp_path_factory.mktemp("inputs")
    texts = [TEXT % number * 7 for number in range(85_000)]
    (folder / "in.mbox").write_bytes(b"".join(MAIL % text for text in texts))
    (folder / "in.csv").write_bytes(b"text\n" + b"\n".join(texts) + b"\n")
    return folder


SMALL_RANGES = (
    "-c",
    "from textsent import cli, journal, mailworkers; journal.COMMIT_SECONDS = 1e9; "
    "mailworkers.RANGE_BYTES = 1 << 18; cli.run()",
)
"""Runs the command line so that workers have much to do in a mailbox of a few MB."""


@pytest.mark.parametrize("launch", [LAUNCH, SMALL_RANGES], ids=["few ranges", "many ranges"])
def test_ctrl_c_while_a_mailbox_is_scored_leaves_neither_a_file_nor_a_process(here, inputs, start, launch):
    process = start(inputs / "in.mbox", "-o", "out.parquet", launch=launch)
    wait_for(lambda: list(here.glob("out.parquet.partial/out.parquet")))
    workers = wait_for(lambda: len(found := children(process.pid)) == 2 and found)
    code, _, written = interrupted(process)
    assert (code, written) == (130, "nothing is written")
    assert list(here.iterdir()) == []
    wait_for(lambda: not any(map(is_running, workers)))


def test_ctrl_c_while_a_table_is_scored_leaves_no_file(here, inputs, start):
    process = start(inputs / "in.csv", "-o", "out.csv")
    wait_for(
        lambda: [path for path in here.glob("out.csv.partial/out.csv") if path.stat().st_size > SEVERAL_WINDOWS]
    )
    code, rows, written = interrupted(process)
    assert (code, written) == (130, "nothing is written")
    assert rows > 0
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_what_was_committed_before_a_run_was_ended_is_kept_for_the_next_one(here, inputs, start, number, code):
    process = start(inputs / "in.csv", "-o", "out.csv", launch=COMMITTING)
    wait_for(lambda: list(here.glob("out.csv.partial/1.arrow")))
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    line = re.fullmatch(
        r"textsent: interrupted after ([\d,]+) rows: ([\d,]+) of them are kept, go on with --resume\n", err.decode()
    )
    assert line, err.decode()
    assert process.returncode == code
    assert [path.name for path in here.iterdir()] == ["out.csv.partial"]
    process = start(inputs / "in.csv", "-o", "out.csv", "--resume", launch=COMMITTING)
    _, err = process.communicate(timeout=120)
    assert err.decode().startswith(f"{line[2]} rows of an earlier run and ")
    assert [path.name for path in here.iterdir()] == ["out.csv"]


def test_an_output_that_was_there_before_ctrl_c_stays(here, inputs, start):
    (here / "out.csv").write_text("kept")
    process = start(inputs / "in.csv", "-o", "out.csv", "--overwrite")
    wait_for(lambda: list(here.glob("out.csv.partial/out.csv")))
    assert interrupted(process)[::2] == (130, "nothing is written")
    assert [path.read_text() for path in here.iterdir()] == ["kept"]


def test_after_ctrl_c_the_rows_that_were_told_are_on_standard_output(inputs, start):
    process = start(inputs / "in.csv", "-o", "-")
    begun = b""
    while len(begun) < SEVERAL_WINDOWS:
        begun += os.read(process.stdout.fileno(), 1 << 16)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    header, _, out = (begun + out).partition(b"\n")
    line = re.fullmatch(r"textsent: interrupted after ([\d,]+) rows: they are written\n", err.decode())
    assert line, err.decode()
    assert process.returncode == 130
    assert header == b'"text","sentiment","score","words","coverage","error"'
    rows = int(line[1].replace(",", ""))
    assert 0 < rows <= out.count(b"\n") <= rows + 2 * WINDOW_ROWS  # what was being written may be there too


READ = {"x86_64": 0, "aarch64": 63}.get(os.uname().machine)
"""The number that the kernel calls read(2) by."""

sees_reads = pytest.mark.skipif(
    READ is None or not os.access("/proc/self/syscall", os.R_OK), reason="can't see what a process waits for"
)


def reads_standard_input(process):
    """Return whether one of a process's threads waits for its standard input."""
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        try:
            if (task / "syscall").read_text().startswith(f"{READ} 0x0 "):
                return True
        except OSError:  # the thread has ended
            continue
    return False


BEGUN = {
    "csv": b"text\n" + b"great service\n" * 2,
    "tsv": b"text\tid\ngreat\t1\n",
    "jsonl": b'{"text": "great"}\n',
    "text": b"great\n",
    "mbox": MAIL % b"great",
    "eml": b"Subject: x\n\ngreat",
    "tar": b"",
    "parquet": b"PAR1",
}


@sees_reads
@pytest.mark.parametrize("format", BEGUN)
@pytest.mark.parametrize("begun", [False, True], ids=["silent", "silent after some bytes"])
def test_ctrl_c_while_it_waits_for_a_pipe_ends_it(here, start, format, begun):
    process = start("-", "--format", format, "-o", "out.csv", stdin=subprocess.PIPE)
    process.stdin.write(BEGUN[format] if begun else b"")
    process.stdin.flush()
    wait_for(lambda: reads_standard_input(process))
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert process.stderr.read() == b"textsent: interrupted after 0 rows: nothing is written\n"
    assert list(here.iterdir()) == []
