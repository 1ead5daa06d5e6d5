"""Runs that are killed, told to end, or can't write, and what is on the disk then. Run by `pytest -m faults`."""

import errno
import fcntl
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from test_journal import PAIRS, write_input

KILLS = 200
SIGNALS = 60
WORKER_KILLS = 30
BROKEN_PIPES = 30
PATIENCE = 300.0
"""Seconds after which a run is taken to hang."""

SETTINGS = {
    "journal.COMMIT_SECONDS": 0.0,
    "files.WINDOW_ROWS": 8,
    "delimited.BATCH_ROWS": 7,
    "lines.BATCH_ROWS": 7,
    "readers.BATCH_ROWS": 7,
    "mail.BATCH_MESSAGES": 7,
    "mailworkers.RANGE_BYTES": 400,
    "writers.ROW_GROUP_BYTES": 2000,
}
"""Much happens in a run of few rows with these."""

FAULTS = Path(__file__).parent / "faults"

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills processes as Linux does"),
]


def kill(process, number):
    with suppress(ProcessLookupError):
        os.kill(process, number)


class Server:
    """The process of `faults/server.py`."""

    def __init__(self, folder, **environment):
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, FAULTS / "server.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        assert self._process.stdout.readline() == "ready\n"

    def run(self, *arguments, number=None, after=0.0, meanwhile=None, **request):
        """Run the command line; return its exit code, or less than 0 the signal that ended it, and its stderr.

        Args:
            arguments: Those of the command line.
            number: A signal to send it.
            after: Seconds after which it is sent.
            meanwhile: Called with the process's number while it runs.
            request: The others of `faults/server.py`.
        """
        request |= {"arguments": [*map(str, arguments)], "folder": str(self.folder), "settings": SETTINGS}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        process = int(self._process.stdout.readline())
        watchdog = threading.Timer(PATIENCE, kill, (process, signal.SIGABRT))
        watchdog.start()
        if number is not None:
            time.sleep(after)
            kill(process, number)
        if meanwhile:
            meanwhile(process)
        code = os.waitstatus_to_exitcode(int(self._process.stdout.readline()))
        watchdog.cancel()
        assert code != -signal.SIGABRT, "it hangs"
        return code, (self.folder.parent / "stderr").read_text()

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("faults") / "here")
    yield server
    server.close()


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """A server whose writes can be made to fail."""
    folder = tmp_path_factory.mktemp("failing")
    library = folder / "failing_writes.so"
    compiler = os.environ.get("CC", "cc")
    try:
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", library, FAULTS / "failing_writes.c", "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as exc:
        pytest.skip(f"needs a C compiler to make writes fail: {exc}")
    server = Server(folder / "here", LD_PRELOAD=str(library))
    yield server
    server.close()


@pytest.fixture
def inputs(monkeypatch):
    """Returns a function that makes a new folder, with one input, for a server."""

    def prepare(server, source):
        subprocess.run(["rm", "-rf", server.folder], check=True)
        server.folder.mkdir()
        monkeypatch.chdir(server.folder)
        write_input(source)

    return prepare


class Expected:
    """What uninterrupted runs write, and how long they take."""

    def __init__(self, tiny_preset):
        self._preset = tiny_preset
        self._known = {}

    def command(self, source, output, workers=1):
        return (
            "score",
            source,
            "-o",
            output,
            "--model",
            self._preset,
            "--workers",
            workers,
            "--device",
            "cpu",
            "--record",
        )

    def of(self, server, source, output):
        """Return the bytes that an output must have, and the seconds that it took; the folder is as it was."""
        if (source, output) not in self._known:
            began = time.monotonic()
            code, err = server.run(*self.command(source, output))
            seconds = time.monotonic() - began
            assert code == 0, err
            self._known[source, output] = self._files(output), seconds
            for path in server.folder.glob("out*"):
                path.unlink()
        return self._known[source, output]

    def check_resumed(self, server, source, output, workers=1):
        """Go on with a run, to its end; its files must be those of an uninterrupted one, and nothing else."""
        code, err = server.run(*self.command(source, output, workers), "--resume")
        assert code == 0, err
        assert not [path for path in server.folder.iterdir() if path.name.endswith(".partial")]
        self.check_complete(server, source, output)

    def check_complete(self, server, source, output):
        """Check that an output is that of an uninterrupted run."""
        assert self._files(output) == self.of(server, source, output)[0]
        code, out = server.run("verify", output)
        assert code == 0, out

    def _files(self, output):
        """Return an output's bytes, and its record's, whose paths are the same in each folder."""
        return Path(output).read_bytes(), [path.read_text() for path in Path().glob("out*.run.json")]


@pytest.fixture(scope="module")
def expected(tiny_preset):
    return Expected(tiny_preset)


def test_a_run_that_was_killed_anywhere_goes_on_to_the_same_rows(server, expected, inputs, capsys):
    chance = random.Random(6)
    killed, ended, pairs = 0, 0, Counter()
    while killed < KILLS:
        source, output = PAIRS[(killed + ended) % len(PAIRS)]
        inputs(server, source)
        _, seconds = expected.of(server, source, output)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            command = (*expected.command(source, output), "--resume")
            if chance.random() < 0.5:
                code, err = server.run(*command, kill_at=chance.randint(1, 40))
            else:
                code, err = server.run(*command, number=signal.SIGKILL, after=chance.uniform(0, seconds))
            assert code in (0, -signal.SIGKILL), err
            killed += code != 0
            pairs[source, output] += code != 0
            if code == 0:
                ended += 1
                break
            if Path(output).exists():  # it was killed while it tidied up
                break
        if Path(output).exists():
            expected.check_complete(server, source, output)
            code, err = server.run(*expected.command(source, output), "--overwrite")
            assert code == 0, err
            expected.check_complete(server, source, output)
        else:
            expected.check_resumed(server, source, output)
    with capsys.disabled():
        print(f"\n{killed} runs killed, of {len(pairs)} pairs of formats: {killed} went on to the same rows")


def test_a_run_that_is_told_to_end_says_what_is_kept_and_goes_on_to_the_same_rows(server, expected, inputs, capsys):
    chance = random.Random(7)
    codes = Counter()
    for number in range(SIGNALS):
        source, output = PAIRS[number % len(PAIRS)]
        told = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[number % 3]
        inputs(server, source)
        _, seconds = expected.of(server, source, output)
        code, err = server.run(*expected.command(source, output), number=told, after=chance.uniform(0, seconds))
        codes[code] += 1
        # Before the command line has begun a signal does what it does to any process.
        assert code in (0, 128 + told, -told), err
        assert "Traceback" not in err
        if Path(output).exists():  # it came too late
            assert "interrupted" not in err
            expected.check_complete(server, source, output)
            codes["too late"] += code != 0
            continue
        assert code != 0, err
        if code > 0:
            assert "go on with --resume" in err or not Path(f"{output}.partial").exists()
        expected.check_resumed(server, source, output)
    with capsys.disabled():
        early = SIGNALS - codes[0] - codes["too late"]
        print(f"\n{SIGNALS} runs told to end: {early} ended early, and went on to the same rows")


def children_of(process):
    """Return the numbers of the processes that a process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == process and state != "Z":
                found.append(int(path.parent.name))
    return found


WORKER_OUTPUTS = ("out.parquet", "out.csv", "out.mbox", "out.jsonl.zst")
WORKER_KILLED = re.compile(
    r"textsent: in\.mbox: a process that read it was killed by signal 9, for want of memory perhaps: "
    r"try again with --workers 1\n"
    r"(textsent: \d+ rows are kept: go on with --resume when that is mended\n)?"
)


def test_a_worker_that_was_killed_anywhere_ends_its_run_which_goes_on_to_the_same_rows(
    server, expected, inputs, capsys
):
    chance = random.Random(8)
    outcomes = Counter()
    while outcomes["killed"] < WORKER_KILLS:
        output = WORKER_OUTPUTS[outcomes["runs"] % len(WORKER_OUTPUTS)]
        inputs(server, "in.mbox")
        expected.of(server, "in.mbox", output)
        parts = chance.choice((0, 0, 1, 2, 3))
        after = chance.uniform(0, 0.3) if parts == 0 else 0
        both = chance.random() < 0.3

        def kill_workers(process, output=output, parts=parts, after=after, both=both):
            while not (workers := children_of(process)) and Path(f"/proc/{process}/stat").exists():
                time.sleep(0.002)
            while len([*Path().glob(f"{output}.partial/*.arrow")]) < parts and not Path(output).exists():
                time.sleep(0.002)
            time.sleep(after)
            for worker in workers if both else workers[:1]:
                kill(worker, signal.SIGKILL)

        code, err = server.run(*expected.command("in.mbox", output, workers=2), meanwhile=kill_workers)
        outcomes["runs"] += 1
        if code == 0:  # all was read by then
            expected.check_complete(server, "in.mbox", output)
            continue
        outcomes["killed"] += 1
        assert code == 1, err
        found = WORKER_KILLED.fullmatch(err)
        assert found, err
        assert not Path(output).exists()
        assert Path(f"{output}.partial").exists() == bool(found[1])
        outcomes["kept"] += bool(found[1])
        expected.check_resumed(server, "in.mbox", output, chance.choice((1, 2)))
    with capsys.disabled():
        print(
            f"\n{outcomes['killed']} workers killed: each run told it, {outcomes['kept']} had kept rows, "
            f"{outcomes['killed']} went on to the same rows"
        )


WORKER_MEMORY = (8_000, 30_000, 60_000, 120_000, 180_000, 220_000, 260_000, 300_000)  # KiB
SHORT_OF_MEMORY = re.compile(
    r"textsent: in\.mbox(: a process that read it (ended with exit code \d+|was killed by signal \d+"
    r"(, for want of memory perhaps)?)| can't be read: there is not enough memory for the processes that read it)"
    r": try again with --workers 1\n"
)


def test_workers_without_enough_memory_end_their_run_with_what_to_do(server, expected, inputs, capsys):
    worker = server.folder.parent / "worker"
    short = 0
    for memory in WORKER_MEMORY:
        inputs(server, "in.mbox")
        expected.of(server, "in.mbox", "out.csv")
        worker.write_text(f'#!/bin/sh\nulimit -v {memory}\nexec {sys.executable} "$@"\n')
        worker.chmod(0o755)
        code, err = server.run(*expected.command("in.mbox", "out.csv", workers=2), worker=str(worker))
        if code == 0:
            expected.check_complete(server, "in.mbox", "out.csv")
            continue
        short += 1
        assert code == 1, err
        assert SHORT_OF_MEMORY.fullmatch(err), err
        assert not Path("out.csv").exists()
        expected.check_resumed(server, "in.mbox", "out.csv")
    assert short > 3
    with capsys.disabled():
        print(f"\n{short} runs whose workers had too little memory: each said so, and was made good")


PIPED = [
    ("in.csv", "csv"),
    ("in.jsonl", "jsonl"),
    ("in.mbox", "mbox"),
    ("in.parquet", "parquet"),
    ("in.mbox", "csv"),
]


def test_a_run_whose_reader_goes_away_ends_without_a_word(server, expected, inputs, capsys):
    chance = random.Random(9)
    codes = Counter()
    for number in range(BROKEN_PIPES):
        source, format = PIPED[number % len(PIPED)]
        inputs(server, source)
        os.mkfifo("pipe")
        wanted = chance.choice((0, 1, 100, 5000))

        def read_some(process, wanted=wanted):
            with Path("pipe").open("rb", buffering=0) as pipe:
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
                left = wanted
                while left and (data := pipe.read(left)):
                    left -= len(data)

        command = [*expected.command(source, "-")[:-1], "--output-format", format]
        command[1:2] = [source] * 10  # more than a pipe holds
        code, err = server.run(*command, stdout="pipe", meanwhile=read_some)
        codes[code] += 1
        assert (code, err) == (1, ""), (source, format, wanted)
        assert sorted(path.name for path in Path().iterdir()) == sorted({source, "pipe"})
    with capsys.disabled():
        print(f"\n{BROKEN_PIPES} runs whose reader went away: {codes[1]} ended with exit code 1, and left nothing")


FAILING = [("in.csv", "out.parquet"), ("in.csv", "out.csv"), ("in.jsonl", "out.jsonl.zst"), ("in.mbox", "out.mbox")]


@pytest.mark.parametrize(("source", "output"), FAILING)
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_a_write_that_fails_is_an_error_and_leaves_no_output(
    failing, expected, inputs, source, output, error, capsys
):
    failures = 0
    for number in range(1, 400):
        inputs(failing, source)
        expected.of(failing, source, output)
        code, err = failing.run(*expected.command(source, output), failing=[number, error, error == errno.ENOSPC])
        if code == 0:  # it has fewer writes
            break
        failures += 1
        assert code == 1, err
        assert f"{os.strerror(error)}" in err
        assert "can't be written" in err
        assert "Traceback" not in err
        assert not Path(output).exists()
        expected.check_resumed(failing, source, output)
    assert failures > 20
    with capsys.disabled():
        print(f"\n{failures} writes of {output} failed with {errno.errorcode[error]}: each was told, and made good")


@pytest.mark.parametrize(("source", "output"), FAILING)
def test_a_write_that_is_interrupted_is_tried_again(failing, expected, inputs, source, output, capsys):
    numbers = range(1, 60, 3)
    for number in numbers:
        inputs(failing, source)
        expected.of(failing, source, output)
        code, err = failing.run(*expected.command(source, output), failing=[number, errno.EINTR, 0])
        assert code == 0, err
        expected.check_complete(failing, source, output)
    with capsys.disabled():
        print(f"\n{len(numbers)} writes of {output} interrupted: each was tried again")


def test_an_old_output_stays_when_writing_the_new_one_fails(failing, expected, inputs):
    for number in range(1, 400, 4):
        inputs(failing, "in.csv")
        whole, _ = expected.of(failing, "in.csv", "out.csv")
        Path("out.csv").write_text("old")
        code, err = failing.run(
            *expected.command("in.csv", "out.csv"), "--overwrite", failing=[number, errno.ENOSPC, 1]
        )
        if code == 0:
            break
        assert code == 1, err
        assert Path("out.csv").read_text() == "old"
    assert number > 20
    assert Path("out.csv").read_bytes() == whole[0]
