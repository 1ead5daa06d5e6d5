import signal
import subprocess
from pathlib import Path

import pytest

from textsent.processes import ServingProcess

SERVING = """
import os, sys
def serve():
    for line in sys.stdin.buffer:
        match line.split():
            case [b"answer", descriptor]:
                print("this is not the answer")
                os.write(int(descriptor), b"the answer")
            case [b"end", code]:
                os._exit(int(code))
            case [b"read", descriptor, answers]:
                os.write(int(answers), os.read(int(descriptor), 100))
"""


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Start processes that serve a module which this process can import."""
    (tmp_path / "serving.py").write_text(SERVING)
    monkeypatch.syspath_prepend(tmp_path)
    processes = []

    def start(*arguments):
        processes.append(ServingProcess("serving", *arguments))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.close()


def ask(process, *words):
    process.asked.write(b" ".join(str(word).encode() for word in words) + b"\n")
    process.asked.flush()


def test_it_answers_by_a_pipe_of_its_own_whatever_it_prints(started):
    process = started()
    ask(process, "answer", process.answers_descriptor)
    assert process.answers.read(10) == b"the answer"


def test_it_has_the_files_that_it_is_given_under_the_same_numbers(started, tmp_path):
    (tmp_path / "file").write_bytes(b"what is in it")
    with (tmp_path / "file").open("rb") as file:
        process = started([file.fileno()])
        ask(process, "read", file.fileno(), process.answers_descriptor)
        assert process.answers.read(13) == b"what is in it"


def test_it_says_how_it_ended(started):
    process = started()
    assert process.why_it_ended("has its reasons") == "has its reasons"
    ask(process, "end", 3)
    assert process.why_it_ended("") == "ended with exit code 3"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGTERM, "was killed by signal 15"),
        (signal.SIGKILL, "was killed by signal 9, for want of memory perhaps"),
    ],
)
def test_it_says_what_signal_killed_it(started, number, reason):
    process = started()
    process._process.send_signal(number)
    assert process.why_it_ended("") == reason


def open_descriptors():
    """Return how many files this process has open, where the system tells."""
    descriptors = Path("/proc/self/fd")
    return len(list(descriptors.iterdir())) if descriptors.exists() else None


def test_where_none_can_be_started_no_pipe_stays_open(monkeypatch):
    def refused(*_, **__):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    before = open_descriptors()
    monkeypatch.setattr(subprocess, "Popen", refused)
    with pytest.raises(BlockingIOError):
        ServingProcess("serving")
    assert open_descriptors() == before
