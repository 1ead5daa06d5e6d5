"""`textsent score` as a person uses it: texts as arguments or piped in, progress, and what stands at the end."""

import io
import json
import os
import re
import subprocess
import sys

import pytest

from textsent import cli
from textsent.commands.score import _next_steps
from textsent.extremes import Extreme
from textsent.files import Summary

NOTHING = "there is nothing to score: name files, for instance textsent score emails.mbox -o scored.parquet; "


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def score(here, tiny_preset, monkeypatch, capfd):
    """Runs `textsent score` in this process: arguments in; exit code, stdout and stderr out."""
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])  # where the command line hides pandas
    monkeypatch.setenv("COLUMNS", "1000")

    def run(*arguments: str, stdin: bytes = b"", model: str = str(tiny_preset)) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["textsent", "score", "--model", model, *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, *capfd.readouterr()

    return run


def test_each_text_given_is_a_line_with_verdict_score_and_text(score):
    code, out, err = score("great service", "you guys are terrible", model="imdb-lstm")
    assert (code, err) == (0, "")
    assert out == "positive  0.93  great service\nnegative  0.07  you guys are terrible\n"


@pytest.mark.parametrize("options", [[], ["--quiet"], ["--progress", "plain"]])
def test_a_text_that_begins_with_a_dash_stands_behind_two(score, options):
    code, out, err = score(*options, "--", "-great service")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"(positive|negative)  0\.\d\d  -great service\n", out)


def test_a_text_in_an_option_s_place_is_wrong_usage(score):
    assert score("-great service")[0] == 2


def test_a_text_that_has_no_score_says_why(score):
    assert score("?! ...", "wholly unknown") == (
        0, "no words              ?! ...\nno known words        wholly unknown\n", "",
    )  # fmt: skip


def test_a_text_is_shown_on_one_line_without_what_could_steer_a_terminal(score):
    _, out, _ = score("great\nservice\x1b[2J \u202e[bold]guys[/bold]")
    assert re.fullmatch(r"\w+ +0\.\d\d  great service\[2J \[bold\]guys\[/bold\]\n", out)


def test_a_letter_that_the_output_s_encoding_lacks_is_escaped(here, tiny_preset):
    done = subprocess.run(
        [sys.executable, "-m", "textsent", "score", "-m", tiny_preset, "great café"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("  great caf\\xe9\n")


def test_a_huge_text_is_a_line_too(score):
    _, out, _ = score("great service " * 5000)
    assert out.count("\n") == 1
    assert len(out) > 50_000


def test_a_threshold_and_a_neutral_band_decide_the_verdict(score):
    assert score("great service", "--threshold", "1")[1].startswith("negative  ")
    assert score("great service", "--threshold", "0")[1].startswith("positive  ")
    assert score("great service", "--neutral", "0,1")[1].startswith("neutral   ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["word"],
            "word: there is no such file: check the path, or score it as a text: echo word | textsent score",
        ),
        (["my inbox.mbox"], "my inbox.mbox: there is no such file: check the path"),
        (
            ["great service", "table.csv"],
            "there is no file 'great service', and a text is scored in a run without files",
        ),
        (
            ["great service", "-o", "out.csv"],
            "texts given as arguments are printed with their scores: to have them in a file, put them into "
            "a .txt file, a text a line, and score that",
        ),
        (["great service", "--format", "text"], "great service: there is no such file: check the path"),
        (["table.csv", "--threshold", "1.5"], "the threshold must be a score, 0 … 1. Received: 1.5"),
        (["table.csv", "--threshold", "nan"], "the threshold must be a score, 0 … 1. Received: nan"),
        (
            ["table.csv", "--threshold", "0.5", "--neutral", "0.4,0.6"],
            "a threshold leaves no neutral band: give one of the two",
        ),
        (["table.csv", "--progress", "loud"], "there is no progress 'loud': choose one of auto, bar, plain, none"),
    ],
)
def test_an_error_is_one_line(score, here, arguments, message):
    (here / "table.csv").write_text("text\ngreat\n")
    code, out, err = score(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith(f"textsent: {message}")
    assert err.count("\n") == 1
    assert [path.name for path in here.iterdir()] == ["table.csv"]


def test_each_line_that_is_piped_in_is_a_text(score):
    code, out, err = score(stdin="great service\n\ncafé".encode())
    assert (code, err) == (0, "")
    first, second, third = out.splitlines()
    assert first.endswith("  great service")
    assert second.rstrip() == "no words"
    assert third.split() == ["no", "known", "words", "café"]


def test_bytes_of_a_line_that_cannot_be_decoded_are_told_after_all_lines(score):
    code, out, err = score(stdin=b"great service\ncaf\xe9\nth\xe9\nguys")
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()] == ["service", "caf\ufffd", "th\ufffd", "guys"]
    assert err == "textsent: undecodable bytes in line 2 and 1 more: --encoding says what they are in\n"
    assert score("--encoding", "cp1252", stdin=b"caf\xe9\n")[1:] == ("no known words        café\n", "")


def test_how_a_table_is_written_is_said_or_told(score, here):
    (here / "a.csv").write_bytes("great;caf\xe9\nguys;x\n".encode("cp1252"))
    code, out, err = score("a.csv", "--no-header", "--text-column", "column_1", "-o", "-", "--progress", "none")
    assert code == 0
    assert [line.split(",")[1] for line in out.splitlines()] == ['"column_2"', '"café"', '"x"']
    assert err.splitlines()[:2] == [
        "textsent: a.csv: read as cp1252; --encoding says otherwise",
        "textsent: a.csv: its columns are separated by a semicolon; --delimiter says otherwise",
    ]
    said = ["--encoding", "cp1250", "--delimiter", "semicolon", "--quiet"]
    assert score("a.csv", "--no-header", "--text-column", "column_1", "-o", "-", *said) == (0, out, "")


def test_rows_that_are_left_out_are_counted(score, here):
    (here / "a.csv").write_text("id,text\n1,great\n2\n")
    code, out, err = score("a.csv", "-o", "-", "--on-error", "skip")
    assert (code, len(out.splitlines())) == (0, 2)
    assert re.match(r"2 rows in .*, 1 left out\n", err)
    assert re.search(r"too few fields +1   50.0%", err)


def test_with_an_output_lines_that_are_piped_in_become_rows(score, here):
    assert score("-o", "out.jsonl", "--quiet", stdin=b"great\nguys\n") == (0, "", "")
    assert [json.loads(line)["text"] for line in (here / "out.jsonl").read_text().splitlines()] == ["great", "guys"]
    _, out, _ = score("--output-format", "csv", stdin=b"great\n")
    assert out.startswith('"text","sentiment",')
    _, out, _ = score("--format", "csv", stdin=b"id,text\n1,great\n")
    assert out.startswith('"id","text","sentiment",')


def test_nothing_at_all_is_wrong_usage(score):
    code, out, err = score()
    assert (code, out) == (2, "")
    assert NOTHING in err


def test_standard_input_that_is_closed_is_wrong_usage(here, tiny_preset):
    code = "import sys\nsys.stdin = None\nfrom textsent import cli\ncli.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "score", "-m", tiny_preset], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert NOTHING in done.stderr


def in_terminal(*arguments: object, stdout: bool = False, columns: int = 80, **settings) -> tuple[int, str, str]:
    """Run `textsent score` with standard input and error, and on demand output, in a terminal.

    Returns the exit code, and what was read from standard output's pipe and from the terminal.
    """
    pty = pytest.importorskip("pty")
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-m", "textsent", "score", *map(str, arguments)],
        stdin=theirs,
        stdout=theirs if stdout else subprocess.PIPE,
        stderr=theirs,
        env=environment | {"TERM": "xterm"} | settings,
    ) as running:
        os.close(theirs)
        seen = b""
        out = running.stdout.read().decode() if running.stdout else ""
        try:
            while chunk := os.read(ours, 65536):
                seen += chunk
        except OSError:  # Linux says so when the other end is closed
            pass
        os.close(ours)
    return running.returncode, out, seen.decode().replace("\r\n", "\n")


MAILBOX = "".join(
    f"From ann@example.com Tue Feb  3 09:14:22 2026\nSubject: {subject}\n\n{text}\n\n"
    for subject, text in (
        ("=?utf-8?q?=1b[31mred=1b[0m=07=e2=80=ae?= [bold]loud[/bold]", "you guys are terrible"),
        ("x" * 1_000_000, "a terrible, terrible waste"),
        ("Thanks", "great service"),
    )
)


def test_on_a_terminal_without_arguments_the_usage_says_what_can_be_given(here):
    code, out, seen = in_terminal()
    assert (code, out) == (2, "")
    assert NOTHING.split(";")[0][:40] in seen


def test_a_terminal_gets_a_summary_with_the_most_negative_subjects_that_no_mail_can_steer(here):
    (here / "my inbox.mbox").write_text(MAILBOX)
    code, out, seen = in_terminal("my inbox.mbox", "-o", "out.csv", NO_COLOR="1")
    assert (code, out) == (0, "")
    *_, extremes = seen.partition("\nmost negative\n")
    first, second, nothing, _, command, _, _, report = extremes.splitlines()
    rows = [re.fullmatch(r"0\.[01]\d\d  row (\d)  (.*)", line).groups() for line in (first, second)]
    assert dict(rows)["1"] == "[31mred[0m [bold]loud[/bold]"
    assert re.fullmatch("x+…", dict(rows)["2"])
    assert max(map(len, (first, second))) <= 80
    assert nothing == ""
    assert command == f"  textsent explain --row {rows[0][0]} 'my inbox.mbox'"
    assert report == "  textsent report out.csv"
    assert "\x07" not in seen


def test_the_bar_is_drawn_on_the_terminal_and_the_pipe_has_the_rows_alone(here):
    (here / "in.txt").write_text("great service\n" * 20_000)
    code, out, seen = in_terminal("in.txt", "--neutral", "none")
    assert code == 0
    assert out.count("\n") == 20_001
    assert "\x1b" not in out
    assert " 100%  20,000 rows  " in seen


@pytest.mark.parametrize("arguments", [["-o", "-"], []])
def test_rows_that_go_to_the_terminal_are_not_mixed_with_a_bar(here, arguments):
    (here / "in.txt").write_text("great service\n" * 9000)
    _, _, seen = in_terminal("in.txt", *arguments, stdout=True)
    assert ("% " in seen.partition("9,000 rows in ")[0] and " negative" in seen) is (not arguments)


@pytest.mark.parametrize("options", [["--quiet"], ["--progress", "none", "--quiet"]])
def test_a_quiet_run_leaves_the_terminal_alone(here, options):
    (here / "in.txt").write_text("great service\n" * 9000)
    assert in_terminal("in.txt", "-o", "out.csv", *options) == (0, "", "")


def test_a_text_is_cut_where_the_terminal_s_line_ends(here):
    _, _, seen = in_terminal("great service " * 20, stdout=True, columns=40)
    (line,) = re.sub(r"\x1b\[[0-9;]*m", "", seen).splitlines()
    assert len(line) == 40
    assert line.endswith("…")


def summary(*inputs: tuple[str, int]) -> Summary:
    return Summary(rows=10, inputs=list(inputs))


@pytest.mark.parametrize(
    ("row", "inputs", "options", "command"),
    [
        (3, [("a.csv", 10)], {}, "textsent explain --row 3 a.csv"),
        (3, [("a.csv", 2), ("b c.csv", 8)], {}, "textsent explain --row 1 'b c.csv'"),
        (
            3, [("a.csv", 10)], {"--model": "mine", "--text-column": "the body", "--format": None},
            "textsent explain --row 3 --model mine --text-column 'the body' a.csv",
        ),
        (
            3, [("a.mbox", 10)], {"--keep-quotes": True, "--with-subject": False},
            "textsent explain --row 3 --keep-quotes a.mbox",
        ),
        (3, [("-odd.csv", 10)], {}, "textsent explain --row 3 -- -odd.csv"),
        (3, [("-", 10)], {}, None),
    ],
)  # fmt: skip
def test_what_to_do_next_names_the_input_and_the_row_in_it(row, inputs, options, command):
    steps = _next_steps(summary(*inputs), [Extreme(0.1, row, "text")], options, None)
    assert [command for _, command in steps] == ([command] if command else [])


def test_a_run_without_negative_rows_has_no_command_that_explains_them():
    assert _next_steps(summary(("a.csv", 10)), [], {}, None) == []


@pytest.mark.parametrize(
    ("output", "command"),
    [
        ("s.parquet", "textsent report s.parquet"),
        ("my s.csv", "textsent report 'my s.csv'"),
        ("s.mbox", "textsent report s.mbox"),
        ("scored/", "textsent report scored/"),
        ("s3://box/s.csv?scheme=http", "textsent report 's3://box/s.csv?scheme=http'"),
        ("s3://box/scored/?scheme=http", "textsent report 's3://box/scored/?scheme=http'"),
        ("s3://box/s.csv", "textsent report s3://box/s.csv"),
        ("s.csv.gz", None),
    ],
)
def test_a_scored_file_that_a_report_can_be_made_of_is_named(output, command):
    steps = _next_steps(summary(("a.csv", 10)), [], {}, output)
    assert [command for _, command in steps] == ([command] if command else [])
