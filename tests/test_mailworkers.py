import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from textsent import mailworkers
from textsent.errors import InputError
from textsent.mail import MailOptions, read_messages
from textsent.mailworkers import MailboxFile
from textsent.mbox import beginning, split_mbox
from textsent.readers import open_reader

MEMORY = "for want of memory perhaps"
ADVICE = "try again with --workers 1"
SEPARATOR = b"From ann@example.com Tue Feb  3 09:14:22 2026\n"
WITHIN = b"Good.\n\n" + SEPARATOR + b"Subject: within\nTo: y\n\nBad.\n"
WITH_LENGTH = SEPARATOR + b"Subject: long\nContent-Length: %d\n\n%s\n" % (len(WITHIN * 8), WITHIN * 8)
"""A message that holds, over several ranges, what looks like others."""


def mailbox_of(messages, start=0):
    return b"".join(
        SEPARATOR + b"Subject: %d\nMessage-ID: <%d@example.com>\n\nGreat service.\n> quoted\n\n" % (number, number)
        for number in range(start, start + messages)
    )


MAILBOX = mailbox_of(40) + WITH_LENGTH + mailbox_of(40, 40) + WITH_LENGTH
MESSAGES = 82


@pytest.fixture
def mailbox(tmp_path):
    path = tmp_path / "in.mbox"
    path.write_bytes(MAILBOX)
    return path


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch):
    """Makes small mailboxes large ones."""
    monkeypatch.setattr(mailworkers, "RANGE_BYTES", 300)
    monkeypatch.setattr(mailworkers, "_FEWEST_RANGES", 2)


@pytest.fixture
def started(monkeypatch):
    """The processes that are started, in their order."""

    class Noted(subprocess.Popen):
        def __init__(self, *arguments, **settings):
            processes.append(self)
            super().__init__(*arguments, **settings)

    processes = []
    monkeypatch.setattr(subprocess, "Popen", Noted)
    return processes


@pytest.fixture
def no_process(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", fail)


def batches_of(path, workers, options=MailOptions(), with_raw=False):  # noqa: B008 - it is frozen
    with MailboxFile(path, options, with_raw, workers) as file:
        return list(file.batches())


def rows_of(batches):
    return [row for batch in batches for row in batch.to_pylist()]


def expected_rows(data=MAILBOX, options=MailOptions(), with_raw=False):  # noqa: B008
    limit = None if with_raw else options.max_message_bytes
    messages = beginning(split_mbox(io.BytesIO(data), max_message_bytes=limit))
    return rows_of(read_messages(messages, options, with_raw))


def is_running(pid):
    """Return whether a process runs; one that has ended may wait for someone to ask for its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


def wait_for(condition):
    """Wait until a condition holds, though not for ever."""
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


@pytest.mark.parametrize(
    ("options", "with_raw"),
    [
        (MailOptions(), False),
        (MailOptions(keep_quotes=True, with_subject=True, max_message_bytes=150), True),
    ],
    ids=["text", "bytes and other options"],
)
@pytest.mark.parametrize("workers", [2, 3])
def test_the_batches_are_equal_for_any_number_of_workers(mailbox, started, workers, options, with_raw):
    by_one = batches_of(mailbox, 1, options, with_raw)
    assert started == []
    by_several = batches_of(mailbox, workers, options, with_raw)
    assert len(started) == workers
    assert by_several == by_one
    assert len(by_one) > 4
    assert [batch.schema for batch in by_several] == [batch.schema for batch in by_one]
    assert rows_of(by_one) == expected_rows(options=options, with_raw=with_raw)
    assert len(rows_of(by_one)) == MESSAGES


@pytest.mark.parametrize("range_bytes", [1, 7, 100, 5000, 1 << 20])
def test_the_messages_are_the_same_for_any_size_of_the_ranges(mailbox, monkeypatch, range_bytes):
    monkeypatch.setattr(mailworkers, "RANGE_BYTES", range_bytes)
    assert rows_of(batches_of(mailbox, 1)) == expected_rows()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n" * 1000,
        b"Subject: x\n\n" + b"Great service.\n" * 100,
        SEPARATOR + b"Subject: x\n\n" + b"Great service.\n" * 100,
        SEPARATOR * 30,
        b"".join(b"From 7f2f62b4 Mon Sep 17 00:00:00 2001\nSubject: %d\n\nx\n" % number for number in range(30)),
    ],
    ids=["empty", "blank", "no separator", "one message", "separators alone", "git"],
)
def test_mailboxes_of_every_kind_are_read_by_ranges(tmp_path, no_process, data):
    (tmp_path / "in.mbox").write_bytes(data)
    assert rows_of(batches_of(tmp_path / "in.mbox", 1)) == expected_rows(data)


def test_a_mailbox_of_git_s_is_read_by_several_processes(tmp_path):
    data = b"".join(
        b"From 7f2f62b4 Mon Sep 17 00:00:00 2001\nSubject: %d\n\nGood.\n" % number for number in range(30)
    )
    (tmp_path / "in.mbox").write_bytes(data)
    rows = rows_of(batches_of(tmp_path / "in.mbox", 2))
    assert [row["subject"] for row in rows] == [str(number) for number in range(30)]
    assert rows == expected_rows(data)


def test_a_small_mailbox_starts_no_process(mailbox, no_process, monkeypatch):
    monkeypatch.setattr(mailworkers, "_FEWEST_RANGES", -(-len(MAILBOX) // 300) + 1)
    assert rows_of(batches_of(mailbox, 8)) == expected_rows()


def test_an_empty_mailbox_starts_no_process(tmp_path, no_process):
    (tmp_path / "in.mbox").touch()
    assert batches_of(tmp_path / "in.mbox", 8) == []


def test_opening_a_mailbox_starts_no_process(mailbox, no_process):
    with MailboxFile(mailbox, MailOptions(), workers=2) as file:
        assert file.tell() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_told_of_the_bytes_read_grows_up_to_the_size(mailbox, workers):
    with MailboxFile(mailbox, MailOptions(), workers=workers) as file:
        told = [file.tell()]
        told += [file.tell() for _ in file.batches()]
        told.append(file.tell())
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == len(MAILBOX)
    assert len(set(told)) > 4


@pytest.mark.parametrize("to_kill", [1, 2], ids=["one of two", "both"])
def test_a_worker_that_is_killed_ends_the_reading_with_an_error(mailbox, started, to_kill):
    rows = []
    with MailboxFile(mailbox, MailOptions(), workers=2) as file:
        batches = file.batches()
        rows += next(batches).to_pylist()
        for process in started[:to_kill]:
            process.kill()
        with pytest.raises(InputError) as error:
            rows.extend(row for batch in batches for row in batch.to_pylist())
    assert str(error.value) == f"{mailbox}: a process that read it was killed by signal 9, {MEMORY}: {ADVICE}"
    assert rows == expected_rows()[: len(rows)]
    assert 0 < len(rows) < MESSAGES
    assert not any(is_running(process.pid) for process in started)


def test_a_worker_that_is_killed_at_once_ends_the_reading_with_an_error(mailbox, monkeypatch):
    class Killed(subprocess.Popen):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            self.kill()
            self.wait()

    monkeypatch.setattr(subprocess, "Popen", Killed)
    with pytest.raises(InputError, match="killed by signal 9"):
        batches_of(mailbox, 2)


def write_interpreter(path, script):
    """Write what runs in the place of Python as a worker."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("read task; exit 3", "ended with exit code 3"),
        ("read task; read range; exit 0", "ended with exit code 0"),
        ("read task; read range; printf 'no Arrow stream'; exit 1", "ended with exit code 1"),
        ("read task; kill -9 $$", f"was killed by signal 9, {MEMORY}"),
    ],
    ids=["before it reads", "without an answer", "with another answer", "killed"],
)
def test_a_worker_that_ends_by_itself_ends_the_reading_with_an_error(
    mailbox, tmp_path, monkeypatch, script, reason
):
    monkeypatch.setattr(sys, "executable", write_interpreter(tmp_path / "python", script))
    with pytest.raises(InputError) as error:
        batches_of(mailbox, 2)
    assert str(error.value) == f"{mailbox}: a process that read it {reason}: {ADVICE}"


def test_a_worker_that_has_not_enough_memory_ends_the_reading_with_an_error(mailbox, tmp_path, monkeypatch):
    code = "from textsent import mailworkers as m; m._read_range = lambda *_: bytearray(1 << 62); m.serve()"
    script = f"exec {shlex.quote(sys.executable)} -P -c {shlex.quote(code)}"
    monkeypatch.setattr(sys, "executable", write_interpreter(tmp_path / "python", script))
    with pytest.raises(InputError) as error:
        batches_of(mailbox, 2)
    assert str(error.value) == (
        f"{mailbox} can't be read: there is not enough memory for the processes that read it: {ADVICE}"
    )


@pytest.mark.parametrize("shown", [False, True])
def test_what_a_worker_says_of_an_error_of_its_own_is_shown_on_demand_alone(
    mailbox, tmp_path, monkeypatch, capfd, shown
):
    if shown:
        monkeypatch.setenv("TEXTSENT_TRACEBACK", "1")
    monkeypatch.setattr(sys, "executable", write_interpreter(tmp_path / "python", "echo Traceback >&2; exit 1"))
    with pytest.raises(InputError, match="ended with exit code 1"):
        batches_of(mailbox, 2)
    assert ("Traceback" in capfd.readouterr().err) is shown


def test_a_worker_that_breaks_off_within_an_answer_ends_the_reading_with_an_error(mailbox, tmp_path, monkeypatch):
    serve = f"{shlex.quote(sys.executable)} -P -c 'from textsent.mailworkers import serve; serve()'"
    script = f'read -r task; read -r range; echo "$task\n$range" | {serve} | head -c 5000; exit 3'
    monkeypatch.setattr(sys, "executable", write_interpreter(tmp_path / "python", script))
    with pytest.raises(InputError, match="ended with exit code 3"):
        batches_of(mailbox, 2)


@pytest.mark.parametrize("taken", [0, 1])
def test_leaving_the_block_early_leaves_no_process(mailbox, started, taken):
    with MailboxFile(mailbox, MailOptions(), workers=2) as file:
        batches = file.batches()
        for _ in range(taken):
            next(batches)
        assert len(started) == 2 * taken
    assert file.closed
    assert all(process.returncode is not None for process in started)
    assert not any(is_running(process.pid) for process in started)


def test_an_error_in_the_block_leaves_no_process(mailbox, started):
    def fail(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), MailboxFile(mailbox, MailOptions(), workers=2) as file:
        fail(next(file.batches()))
    assert len(started) == 2
    assert not any(is_running(process.pid) for process in started)


SERVE = [sys.executable, "-P", "-c", "from textsent.mailworkers import serve; serve()"]


def task_for(file, answers):
    task = {
        "file": file,
        "answers": answers,
        "from_git": False,
        "options": {"keep_quotes": True},
        "with_raw": False,
    }
    return json.dumps(task).encode() + b"\n"


def test_a_worker_without_a_task_ends():
    done = subprocess.run(SERVE, input=b"", capture_output=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_worker_ends_when_its_input_does(mailbox):
    answered, answering = os.pipe()
    with (
        mailbox.open("rb") as file,
        os.fdopen(answered, "rb") as pipe,
        subprocess.Popen(
            SERVE, stdin=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=(file.fileno(), answering)
        ) as worker,
    ):
        os.close(answering)
        worker.stdin.write(task_for(file.fileno(), answering) + b"[0, 300]\n[300, %d]\n" % len(MAILBOX))
        worker.stdin.close()
        with pa.ipc.open_stream(pipe) as stream:
            answers = list(stream.iter_batches_with_custom_metadata())
        assert worker.wait(60) == 0
        assert worker.stderr.read() == b""
    assert rows_of(batch for batch, _ in answers) == expected_rows(options=MailOptions(keep_quotes=True))
    assert [metadata and metadata[b"next_offset"] for _, metadata in answers] == [
        None,
        str(answers[2][0]["offset"][0]).encode(),
        None,
        b"null",
    ]


PARENT = """
import subprocess, sys
from textsent import mailworkers
from textsent.mail import MailOptions

mailworkers.RANGE_BYTES = 300
pids = []
class Noted(subprocess.Popen):
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        pids.append(self.pid)
subprocess.Popen = Noted
with mailworkers.MailboxFile(sys.argv[1], MailOptions(), workers=2) as file:
    next(file.batches())
    print(*pids, flush=True)
    sys.stdin.read()
"""


def kill_parent(mailbox, how):
    """Kill a process that has two workers, wait for their ends, and return what they said about it."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(mailbox)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as parent:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_running, pids))
        parent.send_signal(how)
        assert parent.wait(60) == -how
        wait_for(lambda: not any(map(is_running, pids)))
        return parent.stderr.read().decode()


def test_the_workers_of_a_process_that_is_killed_end(mailbox):
    kill_parent(mailbox, signal.SIGKILL)


def test_the_workers_of_a_process_that_is_ended_say_nothing(mailbox):
    assert kill_parent(mailbox, signal.SIGTERM) == ""


SCRIPT = """
import sys
import textsent
from textsent import mailworkers

print("once")
mailworkers.RANGE_BYTES = 300
summary = textsent.score_file(
    sys.argv[1], sys.argv[2], textsent.Scorer.from_preset(sys.argv[3], device="cpu", workers=2)
)
print(summary.rows)
"""


def test_workers_do_not_run_the_user_s_script_again(mailbox, tmp_path, tiny_preset):
    script = tmp_path / "score mail.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script, mailbox, tmp_path / "out.csv", tiny_preset],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout == f"once\n{MESSAGES}\n"
    assert done.stderr == ""


def test_a_file_that_is_not_there_is_an_error(tmp_path, no_process):
    with pytest.raises(FileNotFoundError):
        MailboxFile(tmp_path / "in.mbox", MailOptions())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_error(mailbox, no_process):
    mailbox.chmod(0)
    with pytest.raises(PermissionError):
        MailboxFile(mailbox, MailOptions())


@pytest.mark.parametrize("workers", [1, 2])
def test_of_a_mailbox_that_vanishes_no_message_is_silently_missing(mailbox, workers):
    rows = None
    with suppress(InputError), MailboxFile(mailbox, MailOptions(), workers=workers) as file:
        mailbox.unlink()
        rows = rows_of(file.batches())
    assert rows in (None, expected_rows())


def test_a_mailbox_that_vanishes_shows_no_traceback(mailbox, capfd):
    with suppress(InputError), MailboxFile(mailbox, MailOptions(), workers=2) as file:
        mailbox.unlink()
        list(file.batches())
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("workers", [1, 2])
def test_a_mailbox_that_is_replaced_is_not_read_in_the_place_of_the_one_that_was_opened(mailbox, tmp_path, workers):
    (tmp_path / "other.mbox").write_bytes(MAILBOX.replace(b"Great", b"Awful"))
    rows = None
    with suppress(InputError), MailboxFile(mailbox, MailOptions(), workers=workers) as file:
        (tmp_path / "other.mbox").replace(mailbox)
        rows = rows_of(file.batches())
    assert rows in (None, expected_rows())


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_appended_to_a_mailbox_while_it_is_read_changes_no_message_before_it(mailbox, workers):
    with MailboxFile(mailbox, MailOptions(), workers=workers) as file:
        with mailbox.open("ab") as appended:
            appended.write(mailbox_of(10))
        rows = rows_of(file.batches())
    assert rows[:MESSAGES] == expected_rows()


NAMES = [b"a b 'c' \"d\";$(e).mbox", b"a\nb\t.mbox", b"caf\xe9 \xff.mbox", "caf\u00e9 \U0001f600.mbox".encode()]


@pytest.mark.parametrize("name", NAMES, ids=["quotes", "newline", "not UTF-8", "UTF-8"])
def test_a_file_may_have_any_name(tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    try:
        path.write_bytes(MAILBOX)
    except OSError:
        pytest.skip("this file system has no such names")
    with open_reader(path, workers=2) as reader:
        assert rows_of(reader) == expected_rows()


def test_a_file_may_be_named_from_the_current_folder(mailbox, monkeypatch):
    monkeypatch.chdir(mailbox.parent)
    assert rows_of(batches_of("in.mbox", 2)) == expected_rows()


def test_files_of_the_current_folder_named_as_modules_do_a_worker_no_harm(mailbox, monkeypatch):
    for name in ("numpy", "json", "pyarrow", "textsent", "sitecustomize", "usercustomize"):
        (mailbox.parent / f"{name}.py").write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(mailbox.parent)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert rows_of(batches_of("in.mbox", 2)) == expected_rows()


def test_what_python_passes_over_in_its_path_does_a_worker_no_harm(mailbox, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, mailbox.parent, None, 7])
    assert rows_of(batches_of(mailbox, 2)) == expected_rows()


def test_a_worker_finds_textsent_where_this_process_does(mailbox, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(mailbox.parent / "nowhere"))
    assert rows_of(batches_of(mailbox, 2)) == expected_rows()


def test_an_interpreter_that_cannot_be_started_is_an_error(mailbox, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    with pytest.raises(InputError), open_reader(mailbox, workers=2) as reader:
        list(reader)
