"""What a stranger's input may not do to the one who scores it, whatever part of textsent it comes to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textsent import cli
from textsent.errors import OptionError
from textsent.score import Scorer

SECRET = "my father is ill"
STEERING = "\x1b]0;title\x07\x1b[2J\x9b31m\u202e"
STEERS = frozenset("\x1b\x07\x9b\u202e")
MAIL = """\
From ann@example.com Tue Feb  3 09:14:22 2026
From: {name} <a@example.com>
Subject: {name}

the great {name}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    """Run the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "textsent", *map(str, arguments)], capture_output=True, text=True, timeout=300
    )


def ends(monkeypatch, capsys, *arguments):
    """Run the command line in this process; return its exit code and what it printed."""
    monkeypatch.setattr(sys, "argv", ["textsent", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    return ended.value.code, printed.out + printed.err


# Texts in errors


UNREADABLE = {
    "columns.csv": f"text,n\nso good,1\n{SECRET}, and more,2\n",
    "quotes.csv": f'text\n"so good"\n"{SECRET}\n',
    "numbers.jsonl": f'{{"text": 1}}\n{{"text": "{SECRET}"}}\n',
    "nested.jsonl": f'{{"text": {{"a": 1}}}}\n{{"text": "{SECRET}"}}\n',
    "broken.jsonl": f'{{"text": "{SECRET}"\n',
    "list.jsonl": f'["{SECRET}"]\n',
    "later.jsonl": '{"text": 1}\n' * 5000 + f'{{"text": "{SECRET}"}}\n',
    "text.parquet": SECRET,
    "text.zip": SECRET,
    "text.csv.gz": SECRET,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_says_that_a_file_can_not_be_read_quotes_nothing_of_it(here, tiny_preset, monkeypatch, capsys, name):
    (here / name).write_text(UNREADABLE[name], "utf-8")
    code, printed = ends(
        monkeypatch, capsys, "score", name, "-m", tiny_preset, "--device", "cpu", "-o", "a.parquet"
    )
    assert SECRET not in printed
    if code:
        assert printed.startswith("textsent: ")
        assert printed.count("\n") == 1


def test_scores_that_are_texts_are_not_quoted_by_a_report(here, monkeypatch, capsys):
    (here / "scored.csv").write_text(f"text,score,sentiment\nso good,{SECRET},positive\n", "utf-8")
    code, printed = ends(monkeypatch, capsys, "report", "scored.csv", "--model", "none")
    assert (code, SECRET in printed) == (1, False)


@pytest.mark.parametrize("error", [ValueError(SECRET), KeyError(SECRET), SystemError(SECRET), UnicodeError(SECRET)])
def test_of_an_error_that_should_not_be_nothing_is_shown_but_its_kind_and_place(
    here, tiny_preset, monkeypatch, capsys, error
):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(Scorer, "score_columns", fail)
    given = ("score", SECRET, "-m", tiny_preset, "--device", "cpu")
    code, printed = ends(monkeypatch, capsys, *given)
    assert code == 1
    assert printed.startswith(
        f"textsent: an error that shouldn't be: {type(error).__name__} in commands/score.py, line "
    )
    assert printed.count("\n") == 1
    assert SECRET not in printed
    monkeypatch.setenv("TEXTSENT_TRACEBACK", "1")
    monkeypatch.setattr(sys, "argv", ["textsent", *map(str, given)])
    with pytest.raises(type(error)):
        cli.main()


def broken_by_memory():
    """Return an error as Python's and Arrow's own code raises it when memory is short."""
    error = SystemError(SECRET)
    error.__cause__ = MemoryError()
    return error


@pytest.mark.parametrize(
    "error",
    [MemoryError(), pa.ArrowMemoryError(SECRET), broken_by_memory(), RuntimeError("can't start new thread")],
)
def test_where_memory_is_short_it_is_told_what_to_do(here, tiny_preset, monkeypatch, capsys, error):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(Scorer, "score_columns", fail)
    assert ends(monkeypatch, capsys, "score", SECRET, "-m", tiny_preset, "--device", "cpu") == (
        1,
        "textsent: there is not enough memory, or no more threads may be started: end other programs, or raise the "
        "limits that `ulimit -a` shows; textsent score takes less with --workers 1\n",
    )


def test_an_error_of_another_package_has_no_place_here():
    assert cli._place_of(OptionError("never raised")) == "another package"


# What steers a terminal


@pytest.mark.parametrize("where", ["file", "column", "value", "missing"])
def test_no_name_or_value_steers_the_terminal(here, tiny_preset, where):
    name = f"a{STEERING}.csv" if where in ("file", "missing") else "a.csv"
    column = f"text{STEERING}" if where == "column" else "text"
    if where != "missing":
        (here / name).write_text(f"{column}\nthe great {STEERING} service\n", "utf-8")
    common = ("-m", tiny_preset, "--device", "cpu")
    for arguments in (
        ("score", name, *common, "-o", f"out{STEERING}.parquet"),
        ("score", name, *common, "--text-column", f"no{STEERING}"),
        ("explain", "--row", "1", name, *common),
        ("explain", "--row", "99", name, *common),
        ("describe", name, "--label-column", f"no{STEERING}"),
        ("report", name, "--by", f"no{STEERING}"),
        ("info", name),
        ("score", f"-{STEERING}"),
        (f"no{STEERING}",),
    ):
        done = run(*arguments)
        printed = done.stderr if arguments[0] == "score" else done.stdout + done.stderr
        assert STEERS.isdisjoint(printed), arguments
        assert "Traceback" not in printed


# Sockets


FORBIDDING = """
import os, sys

def watch(event, arguments):
    is_network = event in ("socket.connect", "socket.bind") and isinstance(arguments[1], tuple)
    if is_network or event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        os.write(2, f"opened a connection: {event} {arguments}".encode())
        os._exit(99)

sys.addaudithook(watch)
"""
"""Python imports it as it starts, in the processes that it starts too."""


@pytest.fixture
def forbidden(here, monkeypatch):
    """Ends a process of Python that opens a network connection."""
    (here / "site").mkdir()
    (here / "site" / "sitecustomize.py").write_text(FORBIDDING)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(here / "site"), str(Path(cli.__file__).parents[1])]))


def test_the_test_of_connections_sees_one(forbidden):
    code = "import urllib.request; urllib.request.urlopen('http://192.0.2.1/')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, "opened a connection" in done.stderr) == (99, True)


def test_scoring_explaining_and_reporting_open_no_connection(here, forbidden, tiny_preset):
    mailbox = MAIL.format(name="http://192.0.2.1/a.png") * 5 + MAIL.format(name="<img src=http://192.0.2.1/b.png>")
    (here / "a.mbox").write_text(mailbox)
    (here / "a.csv").write_text("text\nthe great http://192.0.2.1/\n")
    (here / "a.jsonl").write_text(json.dumps({"text": "the great service"}) + "\n")
    pq.write_table(pa.table({"text": ["terrible guys"]}), here / "a.parquet")
    common = ("-m", tiny_preset, "--device", "cpu")
    for arguments in (
        *(("score", f"a.{kind}", *common, "-o", f"{kind}.parquet") for kind in ("mbox", "csv", "jsonl", "parquet")),
        ("score", "a.mbox", *common, "--workers", "2", "--sentences", "-o", "again.csv"),
        ("explain", "--row", "1", "a.mbox", *common, "--html", "explained.html"),
        ("report", "mbox.parquet", "-m", tiny_preset),
        ("info", tiny_preset),
        ("doctor",),
    ):
        done = run(*arguments)
        assert (arguments[0], done.returncode, done.stderr if done.returncode else "") == (arguments[0], 0, "")


def test_the_engine_keeps_nothing_of_what_it_did_and_sends_it_nowhere(here, tiny_preset, monkeypatch):
    home = here / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name in ("CI", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY"):
        monkeypatch.delenv(name, raising=False)
    (here / "a.csv").write_text("text\nthe great service\n")
    for arguments in (("score", "a.csv", "-m", tiny_preset, "--device", "cpu", "-o", "a.parquet"), ("doctor",)):
        assert run(*arguments).returncode == 0
    assert list(home.rglob("*")) == []
