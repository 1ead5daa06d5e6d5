import csv
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from conftest import WORDS, FirstWordNetwork
from nltk_files import go_offline, install_lexicons, private_folder
from outlook_files import BODY, SUBJECT, msg_bytes
from small_trainings import TONES, labelled, weights_of

from textsent import __version__, cli
from textsent.datasets import read_labelled
from textsent.describe import describe
from textsent.evaluate import evaluate
from textsent.files import Summary
from textsent.model import SentimentModel
from textsent.preprocess import Preprocessor
from textsent.presets import PRESET_FILES
from textsent.recipes import RECIPES
from textsent.score import Scorer
from textsent.windows import Layout

COMMANDS = [command.callback.__name__ for command in cli.app.registered_commands]
SUMMARY = re.compile(r"(\S+) rows in \d+\.\d s \([\d,]+ rows/s\)(, written to (.*))?")
FORMATS = "csv, tsv, parquet, jsonl, text, mbox, eml, emlx, msg, zip, tar"
HEADER = '"text","sentiment","score","words","coverage","error"\n'


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def textsent(here, monkeypatch, capfd):
    """Runs the command line in this process: arguments in; exit code, stdout and stderr out."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])  # where the command line hides pandas

    def run(*arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["textsent", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, *capfd.readouterr()

    return run


@pytest.fixture
def files(here):
    """One file of each kind that goes wrong, and some that don't."""
    (here / "good.csv").write_text('id,text\n1,great service\n2,\n3,"terrible, guys!"\n4,unknown\n')
    (here / "good.txt").write_text("great\n")
    (here / "wide.csv").write_text("text,score\ngreat,7\n")
    (here / "two.csv").write_text("title,body\na,b\n")
    (here / "empty.csv").touch()
    (here / "header.csv").write_text("id,text\n")
    (here / "latin.csv").write_bytes(b"text\ncaf\xe9\n")
    (here / "latin.txt").write_bytes(b"great\ncaf\xe9\n")
    (here / "torn.parquet").write_bytes(b"PAR1 and nothing else")
    (here / "bad.jsonl").write_text('{"text": "great"}\n{"text": \n')
    (here / "notes.docx").write_text("great")
    (here / "kept.csv").write_text("kept")
    (here / "folder").mkdir()
    return here


def everything_in(folder) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def run_module(*arguments: object, stdin: bytes = b"", **settings) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "textsent", *arguments], input=stdin, capture_output=True, timeout=120, **settings
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("missing.csv", "missing.csv: there is no such file: check the path"),
        (
            "missing",
            "missing: there is no such file: check the path, or score it as a text: echo missing | textsent score",
        ),
        ("good.csv missing.csv", "missing.csv: there is no such file: check the path"),
        (
            "folder",
            "folder is a folder without mail: textsent looks for .mbox, .eml, .emlx and .msg files and Maildirs "
            "in it; name other files one by one, for instance folder/*.csv",
        ),
        (
            "notes.docx",
            "notes.docx: the suffix '.docx' names no format that textsent reads: "
            f"choose one with --format: {FORMATS}",
        ),
        (
            "good.csv --format xml",
            f"there is no format 'xml': choose one of {FORMATS}",
        ),
        (
            "-",
            f"the format of standard input is not known: choose one with --format: {FORMATS}",
        ),
        (
            "good.csv --text-column body",
            "good.csv: there is no column 'body': choose one with --text-column. The columns are 'id', 'text'",
        ),
        (
            "two.csv",
            "two.csv: no column is named 'text' and 2 hold strings: "
            "choose one with --text-column. The columns are 'title', 'body'",
        ),
        (
            "wide.csv",
            "the input already has the column 'score': "
            "give the added columns a prefix, for instance --prefix textsent_",
        ),
        (
            "good.csv wide.csv",
            "wide.csv has other columns than good.csv: expected 'id' (string), found 'text' (string); "
            "score it in a run of its own",
        ),
        (
            "empty.csv",
            "empty.csv can't be read: the file is empty: it needs a line with the columns' names, and rows",
        ),
        ("header.csv", "no rows in header.csv: there is nothing to score, see whether it is the whole file"),
        (
            "latin.csv --on-error stop --encoding utf-8",
            "latin.csv can't be read: line 2: undecodable bytes: "
            "convert it, for instance with `iconv -f WINDOWS-1252 -t UTF-8`; textsent score has --encoding",
        ),
        (
            "bad.jsonl --on-error stop",
            "bad.jsonl can't be read: line 2: not JSON: mend the line or take it out",
        ),
        (
            "good.csv --on-error stop",
            "good.csv: row 2: no words: mend it, or keep such rows with --on-error keep",
        ),
        (
            "good.csv --max-errors 1",
            "good.csv: 2 of the first 4 rows have no score: no words (1×), no known words (1×); "
            "--max-errors allows 1: mend them, or allow more",
        ),
        ("good.csv --on-error ignore", "there is no way 'ignore' with errors: choose one of keep, skip, stop"),
        (
            "good.csv --encoding latin-9000",
            "there is no encoding 'latin-9000': "
            "name one that Python knows, for instance utf-8, cp1252 or shift_jis",
        ),
        (
            "good.csv --delimiter ab",
            "a delimiter must be one ASCII character, for instance ';', or one of comma, semicolon, tab, pipe. "
            "Received: 'ab'",
        ),
        (
            "good.csv --neutral 0.5",
            "--neutral needs two numbers, for instance 0.4,0.6. Received: '0.5'",
        ),
        (
            "good.csv --neutral low,high",
            "--neutral needs two numbers, for instance 0.4,0.6. Received: 'low,high'",
        ),
        (
            "good.csv --neutral 0.6,0.4",
            "a neutral band needs two values, 0 ≤ low ≤ high ≤ 1. Received: 0.6, 0.4",
        ),
        ("good.csv --batch-size 0", "the batch size must be 1 or more. Received: 0"),
        ("good.csv --batch-size -5", "the batch size must be 1 or more. Received: -5"),
        ("good.csv --device tpu", "there is no device 'tpu': choose one of auto, cpu, gpu"),
        (
            "good.csv --precision int4",
            "there is no precision 'int4': choose one of float32, int8, float16",
        ),
        (
            "good.csv --precision int8 --device gpu",
            "int8 needs --device cpu. Received: gpu",
        ),
        (
            "good.csv --precision float16",
            "float16 needs --device gpu. Received: auto",
        ),
    ],
)
def test_an_error_in_scoring_is_one_line_and_leaves_no_file(textsent, files, tiny_preset, arguments, message):
    before = everything_in(files)
    for output in ("out.csv", "out.parquet"):
        code, out, err = textsent("score", *arguments.split(), "--model", tiny_preset, "--output", output)
        assert (code, out, err) == (1, "", f"textsent: {message}\n")
        assert everything_in(files) == before


def test_a_parquet_file_that_is_none_is_one_line_and_leaves_no_file(textsent, files, tiny_preset):
    before = everything_in(files)
    code, out, err = textsent("score", "torn.parquet", "--model", tiny_preset, "--output", "out.csv")
    assert (code, out) == (1, "")
    assert err.startswith("textsent: torn.parquet can't be read: ")
    assert err.count("\n") == 1
    assert everything_in(files) == before


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("kept.csv", "kept.csv exists already: choose another name, or replace it with --overwrite"),
        ("folder", "folder: the suffix '' names no format that textsent writes: "
         "use .parquet, .csv, .jsonl or .mbox, or choose one with --output-format"),
        ("out.xlsx", "out.xlsx: the suffix '.xlsx' names no format that textsent writes: "
         "use .parquet, .csv, .jsonl or .mbox, or choose one with --output-format"),
        ("nowhere/out.csv", "nowhere/out.csv can't be written: there is no folder nowhere"),
    ],
)  # fmt: skip
def test_an_output_that_cannot_be_is_one_line_and_changes_no_file(textsent, files, tiny_preset, output, message):
    before = everything_in(files)
    code, out, err = textsent("score", "good.csv", "--model", tiny_preset, "--output", output)
    assert (code, out, err) == (1, "", f"textsent: {message}\n")
    assert everything_in(files) == before


@pytest.mark.parametrize("name", PRESET_FILES)
@pytest.mark.parametrize("command", ["score", "evaluate"])
def test_a_model_that_lacks_a_file_is_one_line(textsent, files, tiny_preset, command, name):
    shutil.copytree(tiny_preset, "broken")
    (files / "broken" / name).unlink()
    before = everything_in(files)
    code, out, err = textsent(command, "good.csv", "--model", "broken")
    assert (code, out) == (1, "")
    assert err == (
        f"textsent: broken is not a complete preset, it lacks {name}: "
        "train it again with `textsent train`, or use --model imdb-lstm\n"
    )
    assert everything_in(files) == before


def test_a_model_that_is_not_there_is_one_line(textsent, files):
    code, out, err = textsent("score", "good.csv", "--model", "nowhere")
    assert (code, out) == (1, "")
    assert err.startswith("textsent: there is no model 'nowhere': give a folder made by `textsent train`, or ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("name", ["model.onnx", "projection.onnx"])
def test_a_damaged_model_is_one_line_however_many_the_cause_has(textsent, files, tiny_preset, name, precision):
    shutil.copytree(tiny_preset, "broken")
    (files / "broken" / name).write_bytes(b"not\na graph")
    code, out, err = textsent("score", "good.csv", "--model", "broken", "--precision", precision)
    assert (code, out) == (1, "")
    assert err.startswith(f"textsent: broken/{name} can't be loaded by ONNX Runtime: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["score", "evaluate"])
def test_a_gpu_that_is_not_there_is_one_line(textsent, files, tiny_preset, monkeypatch, command):
    monkeypatch.setattr("textsent.model.keras_sees_gpu", lambda: False)
    before = everything_in(files)
    code, out, err = textsent(command, "good.csv", "--model", tiny_preset, "--device", "gpu")
    assert (code, out) == (1, "")
    assert err == (
        "textsent: Keras sees no GPU: use --device cpu, or install a backend with GPU support "
        "(for TensorFlow: pip install 'tensorflow[and-cuda]')\n"
    )
    assert everything_in(files) == before


@pytest.mark.parametrize(
    "arguments",
    [
        "score",
        "score good.csv --batch-size many",
        "score good.csv --workers 0",
        "score good.csv --workers many",
        "score good.csv --colour red",
        "evaluate",
        "evaluate good.csv other.csv",
        "train --epochs many",
        "predict good.csv",
    ],
)
def test_wrong_usage_ends_with_code_2_and_says_where_help_is(textsent, files, arguments):
    code, out, err = textsent(*arguments.split())
    assert (code, out) == (2, "")
    assert err.startswith("Usage: textsent ")
    assert "--help' for help." in err
    assert "Traceback" not in err


def test_no_command_shows_the_help_and_ends_with_code_2(textsent):
    code, out, err = textsent()
    assert code == 2
    for command in COMMANDS:
        assert command in out + err


def test_a_model_s_own_neutral_band_is_left_out_where_none_is_asked_for(textsent, files, tiny_preset):
    shutil.copytree(tiny_preset, "banded")
    config = json.loads((files / "banded" / "config.json").read_text())
    (files / "banded" / "config.json").write_text(json.dumps(config | {"calibration": {"neutral": [0, 1]}}))
    for option, neutral in (((), True), (("--neutral", "none"), False)):
        _, out, _ = textsent("score", "good.csv", "--model", "banded", "-o", "-", "--quiet", *option)
        assert ('"neutral"' in out) == neutral


def test_an_interrupted_run_ends_with_code_130_and_leaves_no_file(textsent, files, tiny_preset, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    before = everything_in(files)
    monkeypatch.setattr(SentimentModel, "begin", interrupted)
    code, out, err = textsent("score", "good.csv", "--model", tiny_preset, "--output", "out.csv")
    assert (code, out) == (130, "")
    assert err == "textsent: interrupted after 0 rows: nothing is written\n"
    assert everything_in(files) == before


@pytest.fixture
def interrupted_after_two_windows(here, monkeypatch):
    """A file of three windows of 4,096 rows, and a Ctrl-C when two of them are done."""
    (here / "many.txt").write_text("great service\n" * 3 * 4096)
    show = Summary.count

    def count(summary, *arguments):
        if summary.rows == 8192:
            raise KeyboardInterrupt
        show(summary, *arguments)

    monkeypatch.setattr(Summary, "count", count)


@pytest.mark.parametrize("output", ["out.csv", "out.parquet", "kept.csv"])
def test_an_interrupted_run_says_after_how_many_rows_and_that_nothing_is_written(
    textsent, files, tiny_preset, interrupted_after_two_windows, output
):
    before = everything_in(files)
    arguments = ["score", "many.txt", "--model", tiny_preset, "--output", output, "--overwrite"]
    assert textsent(*arguments) == (130, "", "textsent: interrupted after 8,192 rows: nothing is written\n")
    assert textsent(*arguments, "--quiet") == (130, "", "")
    assert everything_in(files) == before


def test_a_run_that_is_interrupted_while_it_writes_to_a_pipe_says_that_rows_are_written(
    textsent, here, tiny_preset, interrupted_after_two_windows
):
    code, out, err = textsent("score", "many.txt", "--model", tiny_preset)
    assert (code, err) == (130, "textsent: interrupted after 8,192 rows: they are written\n")
    assert len(out.splitlines()) > 8192


def test_the_signal_of_ctrl_c_ends_a_run_with_code_130_and_no_traceback(here, tiny_preset):
    (here / "many.txt").write_text("great service\n" * 3 * 4096)
    code = (
        "import os, signal, sys\n"
        "from textsent import cli, files\n"
        "count = files.Summary.count\n"
        "def interrupted(summary, *arguments):\n"
        "    count(summary, *arguments)\n"
        "    if summary.rows == 8192:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "files.Summary.count = interrupted\n"
        "cli.run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "score", "many.txt", "--model", tiny_preset, "--output", "out.csv"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "textsent: interrupted after 8,192 rows: nothing is written\n"
    assert [path.name for path in here.iterdir()] == ["many.txt"]


def test_an_unforeseen_error_shows_no_locals(files, tiny_preset):
    code = (
        "import sys\n"
        "from textsent import cli, model\n"
        "def fail(self, texts, pool, batch_size=None):\n"
        "    secret = 'a private ' + 'letter'\n"
        "    raise RuntimeError('unforeseen')\n"
        "model.SentimentModel.begin = fail\n"
        "cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "score", "good.csv", "--model", tiny_preset, "--output", "out.csv"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("textsent: an error that shouldn't be: RuntimeError in score.py, line ")
    assert "private letter" not in done.stderr
    assert "great service" not in done.stderr
    assert not (files / "out.csv").exists()


def test_an_error_while_standard_input_is_still_being_read_ends_with_code_1(files, tiny_preset):
    code = (
        "import io, sys, time\n"
        "from textsent import cli\n"
        "class SlowPipe(io.RawIOBase):\n"
        "    sent = 0\n"
        "    def readable(self):\n"
        "        return True\n"
        "    def readinto(self, buffer):\n"
        "        if self.sent > 5_000_000:\n"
        "            time.sleep(1)\n"
        "        size = min(len(buffer), 20_000_000 - self.sent)\n"
        "        buffer[:size] = (b'great\\n' * (size // 6 + 1))[:size]\n"
        "        self.sent += size\n"
        "        return size\n"
        "sys.stdin = io.TextIOWrapper(io.BufferedReader(SlowPipe()))\n"
        "cli.run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "score", "-", "--format", "csv", "--text-column", "text", "-m", tiny_preset],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout == ""
    assert done.stderr == (
        "textsent: standard input: there is no column 'text': choose one with --text-column. "
        "The columns are 'great'\n"
    )
    assert done.returncode == 1


def test_a_file_is_scored_into_a_file_with_a_summary_on_stderr(textsent, files, tiny_preset):
    code, out, err = textsent("score", "good.csv", "--model", tiny_preset, "--output", "out.csv")
    assert (code, out) == (0, "")
    first, *shares = err.splitlines()
    assert SUMMARY.fullmatch(first).group(1, 3) == ("4", "out.csv")
    counts = {line[:16].strip(): line[16:].split() for line in shares}
    assert counts["no words"] == ["1", "25.0%"]
    assert counts["no known words"] == ["1", "25.0%"]
    assert int(counts["positive"][0]) + int(counts["negative"][0]) == 2
    rows = list(csv.DictReader((files / "out.csv").read_text().splitlines()))
    assert [row["text"] for row in rows] == ["great service", "", "terrible, guys!", "unknown"]
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["error"] for row in rows] == ["", "no words", "", "no known words"]
    assert 0 < float(rows[0]["score"]) < 1


def test_without_an_output_a_pipe_gets_csv(textsent, files, tiny_preset):
    code, out, err = textsent("score", "good.txt", "--model", tiny_preset)
    assert code == 0
    assert out.startswith(HEADER + '"great","')
    assert SUMMARY.fullmatch(err.splitlines()[0]).group(1, 2) == ("1", None)


def test_quiet_prints_nothing(textsent, files, tiny_preset):
    assert textsent("score", "good.csv", "-q", "-m", tiny_preset, "-o", "out.parquet") == (0, "", "")
    assert pa.parquet.read_metadata("out.parquet").num_rows == 4
    code, out, err = textsent("score", "good.txt", "--quiet", "-m", tiny_preset)
    assert (code, err) == (0, "")
    assert out.count("\n") == 2


@pytest.mark.parametrize("output_format", ["csv", "jsonl", "parquet"])
def test_the_formats_may_be_named(textsent, files, tiny_preset, output_format):
    shutil.copy("good.csv", "good")
    arguments = ["--format", "csv", "--output-format", output_format, "-m", tiny_preset, "-q"]
    assert textsent("score", "good", "-o", "out", *arguments) == (0, "", "")
    match output_format:
        case "csv":
            assert len(list(csv.DictReader((files / "out").read_text().splitlines()))) == 4
        case "jsonl":
            assert [json.loads(line)["id"] for line in (files / "out").read_text().splitlines()] == [
                "1",
                "2",
                "3",
                "4",
            ]
        case "parquet":
            assert pa.parquet.read_table("out")["id"].to_pylist() == ["1", "2", "3", "4"]


def test_several_inputs_of_several_suffixes_make_one_output(textsent, here, tiny_preset):
    (here / "one.csv").write_text("text,id\ngreat,1\n")
    (here / "two.tsv").write_text("text\tid\nguys\t2\n")
    assert textsent("score", "one.csv", "two.tsv", "-o", "out.jsonl", "-m", tiny_preset, "-q")[0] == 0
    assert [json.loads(line)["id"] for line in (here / "out.jsonl").read_text().splitlines()] == ["1", "2"]


def test_a_prefix_and_a_neutral_band_and_a_text_column_reach_the_rows(textsent, files, tiny_preset):
    code, _, err = textsent(
        "score", "wide.csv", "-o", "out.jsonl", "-m", tiny_preset,
        "--prefix", "our_", "--neutral", "0,1", "--text-column", "text", "--batch-size", "1", "--device", "cpu",
    )  # fmt: skip
    assert code == 0
    row = json.loads((files / "out.jsonl").read_text())
    assert list(row) == [
        "text", "score", "our_sentiment", "our_score", "our_words", "our_coverage", "our_error",
    ]  # fmt: skip
    assert row["our_sentiment"] == "neutral"
    assert "  neutral                 1  100.0%\n" in err


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_any_number_of_workers_writes_the_same_file(textsent, here, tiny_preset, suffix):
    (here / "in.txt").write_text("".join(f"{'great ' * (row % 17)}{'guys ' * (row % 5)}\n" for row in range(9000)))
    for workers in (1, 2):
        arguments = ["in.txt", "-o", f"{workers}.{suffix}", "-m", tiny_preset, "-q", "--workers", workers]
        assert textsent("score", *arguments) == (0, "", "")
    assert (here / f"1.{suffix}").read_bytes() == (here / f"2.{suffix}").read_bytes()


def test_a_precision_may_be_chosen(textsent, files, tiny_preset):
    scores = {}
    for precision in ("float32", "int8"):
        arguments = ["good.csv", "-o", f"{precision}.jsonl", "-m", tiny_preset, "-q", "--precision", precision]
        assert textsent("score", *arguments) == (0, "", "")
        rows = [json.loads(line) for line in (files / f"{precision}.jsonl").read_text().splitlines()]
        scores[precision] = [row["score"] for row in rows]
    assert scores["int8"] != scores["float32"]
    assert scores["int8"] == pytest.approx(scores["float32"], abs=0.05)


def test_an_output_that_exists_is_replaced_on_demand(textsent, files, tiny_preset):
    assert textsent("score", "good.txt", "-o", "kept.csv", "--overwrite", "-q", "-m", tiny_preset) == (0, "", "")
    assert (files / "kept.csv").read_text().startswith(HEADER)


def test_an_output_whose_name_looks_like_markup_is_named_as_it_is(textsent, files, tiny_preset):
    code, _, err = textsent("score", "good.txt", "-o", "[red]out[/red].csv".replace("/", ""), "-m", tiny_preset)
    assert code == 0
    assert err.splitlines()[0].endswith(", written to [red]out[red].csv")


def test_standard_input_is_scored_to_standard_output(here, tiny_preset):
    done = run_module(
        "score", "-", "--format", "csv", "--output", "-", "--output-format", "jsonl", "--model", tiny_preset,
        stdin=b'text,note\n"great\nservice",caf\xc3\xa9\n,b\n',
    )  # fmt: skip
    assert done.returncode == 0
    rows = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert [(row["text"], row["note"], row["words"]) for row in rows] == [
        ("great\nservice", "café", 2),
        ("", "b", 0),
    ]
    assert done.stderr.startswith(b"2 rows in ")


def test_an_error_in_standard_input_names_it(textsent, tiny_preset):
    code, out, err = textsent("score", "-", "--format", "jsonl", "-m", tiny_preset, stdin=b"[1]\n")
    assert (code, out) == (1, "")
    assert err.startswith(
        "textsent: standard input can't be read: none of its first rows is a JSON object, line 1 "
    )


def test_a_reader_that_has_seen_enough_ends_the_run_quietly(here, tiny_preset):
    command = [sys.executable, "-m", "textsent", "score", "many.txt", "--model", tiny_preset]
    (here / "many.txt").write_text("unknown words\n" * 100_000)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.readline() == HEADER.encode()
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) != 0


MAILBOX = b"""\
From ann@example.com Tue Feb  3 09:14:22 2026
From: Ann <ann@example.com>
Subject: =?utf-8?q?=1b[31mred=1b[0m=07?= [b]loud[/b] [/no]
Date: Tue, 3 Feb 2026 09:14:22 +0000

great service

From bob@example.com Tue Feb  3 09:15:00 2026
From: Bob <bob@example.com>
Subject: Nothing

...

"""


def test_a_terminal_gets_a_table_that_no_mail_can_steer(here, tiny_preset):
    pty = pytest.importorskip("pty")
    (here / "inbox.mbox").write_bytes(MAILBOX)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "textsent", "score", "inbox.mbox", "--model", tiny_preset],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=os.environ | {"TERM": "dumb"},
    ) as running:
        os.close(theirs)
        seen = b""
        try:
            while chunk := os.read(ours, 65536):
                seen += chunk
        except OSError:  # Linux says so when the other end is closed
            pass
        os.close(ours)
        summary = running.stderr.read()
    assert running.returncode == 0
    assert summary.startswith(b"2 rows in ")
    header, first, second = seen.decode().split("\r\n")[:3]
    assert header.split() == ["score", "sentiment", "from", "subject"]
    assert first.rstrip().endswith(" [31mred[0m [b]loud[/b] [/no]")
    assert "\x1b" not in first
    assert "\x07" not in first
    assert second.split() == ["no", "words", "Bob", "<bob@example.com>", "Nothing"]


MAIL = b"""\
Subject: the guys
Date: Tue, 3 Feb 2026 09:14:22 +0000

great service

> terrible guys

--\x20
Ann, service
"""
SEPARATOR = b"From ann@example.com Tue Feb  3 09:14:22 2026\n"
SCORE_LINES = re.compile(rb"X-Textsent-(?:Score|Sentiment|Model): [^\r\n]*\n")


@pytest.fixture
def mails(here):
    """Mail in stores of every kind, and in some that can't be read."""
    (here / "inbox.mbox").write_bytes(MAILBOX)
    (here / "one.eml").write_bytes(MAIL)
    (here / "Inbox").write_bytes(MAILBOX)
    for name in ("cur/1.host:2,ST", "new/2.host"):
        path = here / "Maildir" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(MAIL)
    for name, member, content in (("mails.zip", "inbox.mbox", MAILBOX), ("notes.zip", "notes.txt", b"notes")):
        with zipfile.ZipFile(here / name, "w") as archive:
            archive.writestr(member, content)
    locked = bytearray((here / "mails.zip").read_bytes())
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    (here / "locked.zip").write_bytes(locked)
    (here / "broken.zip").write_bytes(b"no archive, however long it may be")
    (here / "broken.msg").write_bytes(b"no message")
    (here / "whole.msg").write_bytes(msg_bytes({SUBJECT: "Hello", BODY: "great"}))
    (here / "table.csv").write_text("text\ngreat\n")
    return here


def texts(path):
    return [" ".join(json.loads(line)["text"].split()) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("", "great service"),
        ("--keep-quotes", "great service > terrible guys"),
        ("--keep-signatures", "great service -- Ann, service"),
        ("--with-subject", "the guys great service"),
        (
            "--keep-quotes --keep-signatures --with-subject",
            "the guys great service > terrible guys -- Ann, service",
        ),
    ],
)
def test_options_choose_what_of_a_mail_is_scored(textsent, mails, tiny_preset, options, text):
    arguments = ["one.eml", *options.split(), "-o", "out.jsonl", "-m", tiny_preset, "-q"]
    assert textsent("score", *arguments) == (0, "", "")
    assert texts(mails / "out.jsonl") == [text]


def test_of_a_mail_over_the_limit_the_text_is_scored(textsent, here, tiny_preset):
    image = b"--b\nContent-Type: image/png\n\n" + b"iVBORw0KGgo=\n" * 100_000
    header = b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n"
    (here / "big.mbox").write_bytes(SEPARATOR + header + b"--b\n\ngreat\n" + image + b"--b--\n")
    for size, flags in ((1, ["oversize"]), (64, [])):
        arguments = [
            "big.mbox",
            "--max-message-mb",
            size,
            "-o",
            "out.jsonl",
            "--overwrite",
            "-m",
            tiny_preset,
            "-q",
        ]
        assert textsent("score", *arguments) == (0, "", "")
        row = json.loads((here / "out.jsonl").read_text())
        assert (row["text"], row["flags"], row["error"]) == ("great", flags, None)


@pytest.mark.parametrize(
    ("source", "rows"),
    [("inbox.mbox", 2), ("one.eml", 1), ("Inbox", 2), ("Maildir", 2), ("mails.zip", 2), ("whole.msg", 1)],
)
def test_mail_is_scored_from_wherever_it_is_kept(textsent, mails, tiny_preset, source, rows):
    code, out, err = textsent("score", source, "-o", "out.jsonl", "-m", tiny_preset)
    assert (code, out) == (0, "")
    assert SUMMARY.fullmatch(err.splitlines()[0]).group(1, 3) == (str(rows), "out.jsonl")
    assert len(texts(mails / "out.jsonl")) == rows


def test_an_archive_is_scored_from_standard_input(textsent, mails, tiny_preset):
    arguments = ["score", "-", "--format", "zip", "-o", "out.jsonl", "-m", tiny_preset, "-q"]
    assert textsent(*arguments, stdin=(mails / "mails.zip").read_bytes()) == (0, "", "")
    assert texts(mails / "out.jsonl") == ["great service", "..."]


def test_an_archive_is_scored_from_a_pipe(mails, tiny_preset):
    done = run_module(
        "score", "-", "--format", "zip", "-o", "out.jsonl", "-m", tiny_preset, "-q",
        stdin=(mails / "mails.zip").read_bytes(),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert texts(mails / "out.jsonl") == ["great service", "..."]


def test_without_an_output_a_pipe_gets_mail_as_csv(textsent, mails, tiny_preset):
    code, out, _ = textsent("score", "inbox.mbox", "-m", tiny_preset)
    assert code == 0
    first, second = csv.DictReader(io.StringIO(out))
    assert (first["text"], second["text"], second["error"]) == ("great service", "...", "no words")


def test_a_mailbox_is_written_back_with_its_scores(textsent, mails, tiny_preset):
    code, out, err = textsent("score", "inbox.mbox", "-o", "out.mbox", "-m", tiny_preset)
    assert (code, out) == (0, "")
    assert SUMMARY.fullmatch(err.splitlines()[0]).group(1, 3) == ("2", "out.mbox")
    written = (mails / "out.mbox").read_bytes()
    score, sentiment, model = SCORE_LINES.findall(written)
    assert re.fullmatch(rb"X-Textsent-Score: [01]\.\d{4}\n", score)
    assert re.fullmatch(rb"X-Textsent-Sentiment: (positive|negative)\n", sentiment)
    assert model == b"X-Textsent-Model: tiny\n"
    assert SCORE_LINES.sub(b"", written) == MAILBOX


def test_a_mailbox_is_written_compressed(textsent, mails, tiny_preset):
    assert textsent("score", "inbox.mbox", "-o", "out.mbox.gz", "-m", tiny_preset, "-q") == (0, "", "")
    assert SCORE_LINES.sub(b"", gzip.decompress((mails / "out.mbox.gz").read_bytes())) == MAILBOX


def test_a_mailbox_is_written_to_standard_output(mails, tiny_preset):
    done = run_module(
        "score", "-", "--format", "mbox", "--output-format", "mbox", "-m", tiny_preset, "-q", stdin=MAILBOX
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert SCORE_LINES.sub(b"", done.stdout) == MAILBOX


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "broken.zip",
            "broken.zip can't be read: the archive is broken or encrypted: File is not a zip file: "
            "fetch it again, or unpack it and name what was in it",
        ),
        (
            "notes.zip",
            "notes.zip can't be read: the archive holds no mail: "
            "textsent looks for .mbox, .eml, .emlx and .msg files in it",
        ),
        (
            "broken.msg",
            "broken.msg can't be read: it is no Outlook message that can be read: "
            "not an OLE2 structured storage file: save it again, or as .eml",
        ),
        (
            "inbox.mbox table.csv",
            "table.csv has other columns than inbox.mbox: expected 'message_id' (string), found 'text' (string); "
            "score it in a run of its own",
        ),
    ],
)
def test_an_error_in_mail_is_one_line_and_leaves_no_file(textsent, mails, tiny_preset, arguments, message):
    before = everything_in(mails)
    code, out, err = textsent("score", *arguments.split(), "-m", tiny_preset, "-o", "out.parquet")
    assert (code, out, err) == (1, "", f"textsent: {message}\n")
    assert everything_in(mails) == before


@pytest.mark.parametrize("inputs", ["table.csv", "inbox.mbox table.csv"])
def test_a_table_written_into_a_mailbox_is_an_error_of_one_line(textsent, mails, tiny_preset, inputs):
    before = everything_in(mails)
    code, out, err = textsent("score", *inputs.split(), "-m", tiny_preset, "-o", "out.mbox")
    assert (code, out) == (1, "")
    assert err == (
        "textsent: table.csv can't be read: it is no mail, which alone can be written into a mailbox: "
        "write a .parquet, .csv or .jsonl file\n"
    )
    assert everything_in(mails) == before


def test_a_missing_extra_is_an_error_of_one_line(textsent, mails, tiny_preset, monkeypatch):
    monkeypatch.setitem(sys.modules, "oxmsg", None)
    code, out, err = textsent("score", "whole.msg", "-m", tiny_preset, "-o", "out.parquet")
    assert (code, out) == (1, "")
    assert err == (
        "textsent: reading Outlook's .msg files needs another package: pip install 'textsent[outlook]'\n"
    )
    assert not (mails / "out.parquet").exists()


def test_an_archive_with_a_password_is_an_error_of_one_line(textsent, mails, tiny_preset):
    code, out, err = textsent("score", "locked.zip", "-m", tiny_preset, "-o", "out.parquet")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("textsent: locked.zip can't be read: the archive is broken or encrypted: ")
    assert "password" in err
    assert not (mails / "out.parquet").exists()


def test_no_archive_ends_with_a_traceback(textsent, mails, tiny_preset):
    whole = (mails / "mails.zip").read_bytes()
    entry = whole.index(b"PK\x01\x02")
    (mails / "short.zip").write_bytes(whole[: entry + 20] + (9999).to_bytes(4, "little") * 2 + whole[entry + 28 :])
    code, out, err = textsent("score", "short.zip", "-m", tiny_preset, "-o", "out.parquet")
    assert (code, out) == (0, "")
    assert "unreadable" in err


@pytest.fixture
def first_word_scorer(monkeypatch):
    """Makes the command line load a model that gives a text the score of its first word."""
    scorer = Scorer(
        Preprocessor(WORDS), SentimentModel(FirstWordNetwork([0.125, 0.75, 0.5, 0.25, 0.875]), Layout(8))
    )
    monkeypatch.setattr("textsent.score.load", lambda *_, **__: scorer)


LABELLED = 'text,label\nthe,neg\ngreat,pos\n"service, the",neg\nterrible,1\nguys,positive\n...,0\n'


def test_evaluating_prints_the_figures_and_a_matrix(textsent, here, first_word_scorer):
    (here / "labelled.csv").write_text(LABELLED)
    code, out, err = textsent("evaluate", "labelled.csv")
    assert (code, err) == (0, "")
    assert [line.rstrip() for line in out.splitlines()] == [
        "texts              5",
        "without a score    1",
        "accuracy           0.6000",
        "F1                 0.6667",
        "AUC                0.8333",
        "log loss           0.5268",
        "calibration error  0.3500",
        "",
        "                   scored negative  scored positive",
        "labelled negative                1                1",
        "labelled positive                1                2",
    ]


def test_evaluating_prints_the_figures_as_json(textsent, here, first_word_scorer):
    (here / "labelled.csv").write_text(LABELLED)
    code, out, err = textsent("evaluate", "labelled.csv", "--json")
    assert (code, err) == (0, "")
    figures = json.loads(out)
    expected = evaluate(
        np.array([0.125, 0.75, 0.5, 0.25, 0.875, np.nan], np.float32), np.array([0, 1, 0, 1, 1, 0], np.int8)
    )
    assert figures.pop("confusion") == [[1, 1], [1, 2]]
    assert figures == pytest.approx({name: getattr(expected, name) for name in figures})
    assert set(figures) == {"texts", "unscored", "accuracy", "f1", "auc", "log_loss", "calibration_error"}


def test_evaluating_in_a_lower_precision_prints_what_it_changes(textsent, here, tiny_preset):
    (here / "labelled.csv").write_text(LABELLED)
    arguments = ["evaluate", "labelled.csv", "--model", tiny_preset]
    exact = json.loads(textsent(*arguments, "--json")[1])
    code, out, err = textsent(*arguments, "--json", "--precision", "int8")
    assert (code, err) == (0, "")
    quick = json.loads(out)
    changes = {name: quick[name] for name in quick.keys() - exact.keys()}
    assert changes.keys() == {"accuracy_in_float32", "change_of_accuracy", "largest_change_of_a_score"}
    assert changes["accuracy_in_float32"] == exact["accuracy"]
    assert changes["change_of_accuracy"] == pytest.approx(quick["accuracy"] - exact["accuracy"])
    assert 0 < changes["largest_change_of_a_score"] < 0.05
    code, out, err = textsent(*arguments, "--precision", "int8")
    assert (code, err) == (0, "")
    assert f"\naccuracy in float32  {exact['accuracy']:.4f}\n" in out
    assert "change of accuracy" in out
    assert "largest change of a score" in out
    assert "change" not in textsent(*arguments)[1]


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("labelled", ["text,label\ngreat,pos\n", "text,label\n...,pos\n...,neg\n"])
def test_the_json_of_an_evaluation_is_json_where_a_figure_cannot_be_had(
    textsent, here, first_word_scorer, labelled, precision
):
    (here / "labelled.csv").write_text(labelled)
    code, out, _ = textsent("evaluate", "labelled.csv", "--json", "--precision", precision)

    def refuse(constant: str):
        raise AssertionError(f"{constant} is no JSON")

    assert code == 0
    assert json.loads(out, parse_constant=refuse)["auc"] is None


def test_a_folder_of_reviews_is_evaluated_on_its_part_to_test_on(textsent, here, first_word_scorer):
    for name, text in {
        "train/pos/0_9": "guys",
        "train/neg/0_1": "the",
        "test/pos/0_9": "the",
        "test/neg/0_1": "the",
    }.items():
        path = here / "aclImdb" / f"{name}.txt"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    code, out, _ = textsent("evaluate", "aclImdb", "--json")
    assert code == 0
    assert json.loads(out)["confusion"] == [[1, 0], [1, 0]]


def test_columns_may_be_named_in_an_evaluation(textsent, here, first_word_scorer):
    (here / "labelled.csv").write_text("text,body,label,verdict,author\nthe,guys,neg,pos,ann\n")
    code, out, _ = textsent(
        "evaluate", "labelled.csv", "--json", "--text-column", "body", "--label-column", "verdict",
        "--group-column", "author",
    )  # fmt: skip
    assert code == 0
    assert json.loads(out)["confusion"] == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("missing.csv", "missing.csv: there is no such file: check the path"),
        ("folder", "folder is a folder but has no folder 'pos' in it: name a file, or aclImdb"),
        (
            "good.csv",
            "good.csv has no column 'label' or 'sentiment': "
            "choose one with --label-column. The columns are 'id', 'text'",
        ),
        (
            "good.csv --label-column stars",
            "good.csv has no column 'stars': choose one with --label-column. The columns are 'id', 'text'",
        ),
        (
            "good.csv --label-column id --group-column film",
            "good.csv has no column 'film': choose one with --group-column",
        ),
        (
            "good.csv --label-column id",
            "good.csv: these labels are not known: '1' (1×, first in row 1), '2' (1×), '3' (1×), '4' (1×): "
            "say which are positive and which negative, for instance --positive 4 --positive 5 --negative 1 "
            "--negative 2; rows with any other label are then left out",
        ),
        ("good.csv --batch-size 0", "the batch size must be 1 or more. Received: 0"),
        (
            "good.csv --precision int4",
            "there is no precision 'int4': choose one of float32, int8, float16",
        ),
    ],
)
def test_an_error_in_evaluating_is_one_line(textsent, files, tiny_preset, arguments, message):
    code, out, err = textsent("evaluate", *arguments.split(), "--model", tiny_preset)
    assert (code, out, err) == (1, "", f"textsent: {message}\n")


@pytest.fixture
def no_download(monkeypatch):
    def forbidden():
        raise AssertionError("nothing must be downloaded before the options are checked")

    monkeypatch.setattr("textsent.imdb.imdb_folder", forbidden)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--epochs 0", "the number of epochs must be 1 or more. Received: 0"),
        ("--batch-size 0", "the batch size must be 1 or more. Received: 0"),
        ("--validation 1", "the validation share must lie between 0 and 1. Received: 1.0"),
        ("--validation 0", "the validation share must lie between 0 and 1. Received: 0.0"),
        ("--output folder", "folder exists already: choose another folder with --output"),
        ("--output folder --overwrite", "folder exists already: choose another folder with --output"),
        ("--output kept.csv --overwrite", "kept.csv exists already: choose another folder with --output"),
        ("--output nowhere/model", "nowhere/model can't be written: there is no folder nowhere"),
        ("--recipe gru", f"there is no recipe 'gru': choose one of {', '.join(RECIPES)}"),
        ("--patience 0", "the patience must be 1 or more. Received: 0"),
        ("--limit -1", "the limit must be a number of texts, or 0 for all of them. Received: -1"),
        ("--seed -1", "the seed must lie between 0 and 4294967295. Received: -1"),
        ("--class-weight fair", "the class weight must be one of none, balanced. Received: 'fair'"),
        ("--precision int8", "the precision must be one of float32, float16, bfloat16. Received: 'int8'"),
        (
            "--test 1",
            "the test share must be 0 or more, and with the validation share less than 1. Received: 1.0",
        ),
        (
            "--validation half",
            "--validation needs a share, for instance 0.1, or a labelled file. Received: 'half'",
        ),
        ("--test test.csv", "--test needs a share, for instance 0.1, or a labelled file. Received: 'test.csv'"),
    ],
)
def test_an_error_in_the_options_of_training_is_one_line_before_anything_is_downloaded(
    textsent, files, no_download, arguments, message
):
    before = everything_in(files)
    assert textsent("train", *arguments.split()) == (1, "", f"textsent: {message}\n")
    assert everything_in(files) == before


def test_a_model_that_exists_is_not_trained_over_by_accident(textsent, files, no_download, tiny_preset):
    shutil.copytree(tiny_preset, "model")
    code, out, err = textsent("train", "--output", "model")
    assert (code, out) == (1, "")
    assert err == (
        "textsent: model exists already: choose another folder with --output, or replace it with --overwrite\n"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("missing.csv", "missing.csv: there is no such file: check the path"),
        ("header.csv --label-column id", "header.csv has no rows with a text"),
    ],
)
def test_an_error_in_the_data_to_train_on_is_one_line(textsent, files, data, message):
    before = everything_in(files)
    code, out, err = textsent("train", "--output", "model", "--data", *data.split())
    assert (code, out, err) == (1, "", f"textsent: {message}\n")
    assert everything_in(files) == before


def test_a_training_that_was_not_begun_cannot_go_on(textsent, files, no_download):
    before = everything_in(files)
    code, out, err = textsent("train", "--resume", "--output", "model")
    assert (code, out) == (1, "")
    assert err == (
        f"textsent: there is no unfinished training in {files / 'model.training'}: "
        "leave --resume out to begin one\n"
    )
    assert everything_in(files) == before


@pytest.fixture
def verdicts(here):
    """Writes a table of what authors said, and how it was meant, for training to read."""

    def write(name, data, *more):
        rows = [
            {"id": "none", "body": text, "verdict": "good" if label else "bad", "author": author}
            for text, label, author in zip(
                data.texts.to_pylist(), data.labels.tolist(), data.groups.to_pylist(), strict=True
            )
        ]
        (here / name).write_text("".join(json.dumps(row) + "\n" for row in [*rows, *more]))

    return write


COLUMNS = (
    "--text-column", "body", "--label-column", "verdict", "--group-column", "author",
    "--positive", "good", "--negative", "bad",
)  # fmt: skip


def test_a_training_with_every_option_of_its_data_leaves_a_model_that_scores(textsent, here, verdicts):
    mixed = {"id": "none", "body": "the guys", "verdict": "mixed \x1b[31m", "author": "ann"}
    verdicts("reviews.jsonl", labelled(), *[mixed] * 5)
    verdicts("held.jsonl", labelled(60, seed=8))
    arguments = [
        "--data", "reviews.jsonl", *COLUMNS, "--recipe", "small_trainings:bag", "--limit", "200",
        "--validation", "held.jsonl", "--test", "0.2", "--class-weight", "balanced", "--epochs", "3",
        "--batch-size", "8", "--patience", "1", "--seed", "3", "--precision", "float32", "--no-pictures",
        "--tensorboard", "logs", "--output", "model",
    ]  # fmt: skip
    code, out, err = textsent("train", *arguments)
    assert (code, out) == (0, "")
    first, second, *lines = err.splitlines()
    assert first == r"rows left out for their labels: 'mixed \x1b[31m' (5×)"
    assert re.fullmatch(
        r"1\d\d texts to train on, 60 to validate with \(cut by group\), a vocabulary of 7 words", second
    )
    assert lines[0].startswith("epoch 1: loss ")
    assert lines[0].endswith(", kept")
    metadata = json.loads((here / "model" / "metadata.json").read_text())
    assert metadata["options"] == {
        "recipe": "small_trainings:bag", "epochs": 3, "batch_size": 8, "validation": 0.3, "patience": 1, "seed": 3,
        "test": 0.2, "limit": 200, "class_weight": "balanced", "precision": "float32", "short_texts": False,
    }  # fmt: skip
    assert metadata["command"] == " ".join(["textsent", "train", *arguments])
    assert metadata["data"]["training_texts"] + metadata["data"]["test_texts"] <= 200
    assert metadata["data"]["test_texts"] > 20
    epochs = len(json.loads((here / "model" / "history.json").read_text()))
    for part in ("train", "validation"):
        (events,) = (here / "logs" / part).iterdir()
        assert events.read_bytes().count(b"epoch_accuracy") >= epochs
    assert sorted(path.name for path in here.iterdir()) == ["held.jsonl", "logs", "model", "reviews.jsonl"]

    code, out, _ = textsent("evaluate", "held.jsonl", *COLUMNS, "--model", "model", "--json")
    assert code == 0
    assert json.loads(out)["accuracy"] == metadata["validation"]["accuracy"] > 0.7


def test_a_training_reads_vectors_stop_words_unlabelled_texts_and_a_part_to_test_on(textsent, here, verdicts):
    verdicts("reviews.jsonl", labelled())
    verdicts("test.jsonl", labelled(40, seed=9))
    verdicts("more.jsonl", labelled(30, seed=10))
    (here / "vectors.txt").write_text("great 1 2 3\nbad 4 5 6\nthe 7 8 9\nguys 1 1 1\n")
    (here / "words.txt").write_text("the\nit\n")
    arguments = [
        "--data", "reviews.jsonl", *COLUMNS, "--recipe", "small_trainings:reading", "--validation", "0.4",
        "--test", "test.jsonl", "--unlabelled", "more.jsonl", "--embeddings", "vectors.txt",
        "--stopwords", "words.txt", "--epochs", "1", "--no-pictures", "--output", "model",
    ]  # fmt: skip
    code, out, err = textsent("train", *arguments)
    assert (code, out) == (0, "")
    assert err.splitlines()[0] == "word vectors are read from vectors.txt"
    metadata = json.loads((here / "model" / "metadata.json").read_text())
    assert metadata["test"]["texts"] + metadata["test"]["unscored"] == 40
    assert 0 < metadata["data"]["unlabelled_texts"] <= 30
    vocabulary = (here / "model" / "vocabulary.txt").read_text().split()
    assert sorted(vocabulary) == ["bad", "great", "guys"]
    vectors = {"great": [1, 2, 3], "bad": [4, 5, 6], "guys": [1, 1, 1]}
    (table,) = (weights for weights in weights_of(here / "model").values() if weights.shape == (7, 3))
    assert table[4:].tolist() == [vectors[word] for word in vocabulary]
    assert json.loads((here / "model" / "preprocessor.json").read_text())["stop_words"] == ["the", "it"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "--recipe small_trainings:bag",
            "the recipe small_trainings:bag has no use for --short-texts: leave it out",
        ),
        (
            "--recipe small_trainings:small_lstm --class-weight balanced",
            "--class-weight balanced doesn't go with --unlabelled and --short-texts, whose texts have no class",
        ),
    ],
)
def test_short_texts_go_with_some_recipes_and_labels_as_they_are(textsent, here, more, message):
    arguments = ["--data", "reviews.jsonl", *COLUMNS, "--short-texts", "--output", "model", *more.split()]
    assert textsent("train", *arguments) == (1, "", f"textsent: {message}\n")  # before the data are looked for
    assert not list(here.iterdir())


SHORT = ["--recipe", "small_trainings:small_lstm", "--short-texts", "--output", "model", "--no-pictures"]


def test_without_nltk_s_lexicons_a_training_with_short_texts_says_how_to_get_them(
    textsent, here, verdicts, tmp_path_factory, monkeypatch
):
    private_folder(tmp_path_factory.mktemp("home"), monkeypatch)
    go_offline(monkeypatch)
    verdicts("reviews.jsonl", labelled())
    code, out, err = textsent("train", "--data", "reviews.jsonl", *COLUMNS, *SHORT)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("textsent: VADER's ratings of words aren't installed and can't be downloaded: ")
    assert "run `python -m nltk.downloader vader_lexicon` on a machine with a network and name the folder" in err
    assert err.endswith("in NLTK_DATA, or leave --short-texts out\n")
    assert [path.name for path in here.iterdir()] == ["reviews.jsonl"]


def test_a_training_with_short_texts_says_what_it_does_and_its_model_knows_what_it_can_read(
    textsent, here, verdicts, tmp_path_factory, monkeypatch
):
    install_lexicons(private_folder(tmp_path_factory.mktemp("home"), monkeypatch), TONES)
    verdicts("reviews.jsonl", labelled())
    code, out, err = textsent("train", "--data", "reviews.jsonl", *COLUMNS, *SHORT, "--epochs", "1")
    assert (code, out) == (0, "")
    lines = err.splitlines()
    assert lines[0] == "a linear teacher reads the labelled texts and judges the others"
    assert re.fullmatch(r"lexicons judge \d+ single sentences", lines[1])
    (here / "texts.csv").write_text("text\ngreat service\nder Service ist leider sehr schlecht gewesen\n", "utf-8")
    code, out, err = textsent("score", "texts.csv", "--model", "model", "-o", "-")
    assert code == 0
    assert [row["error"] for row in csv.DictReader(io.StringIO(out))] == ["", "not in the model's language"]


def test_without_a_terminal_a_training_prints_plain_lines_and_none_when_quiet(
    textsent, here, verdicts, monkeypatch
):
    monkeypatch.setattr("textsent.display.PLAIN_SECONDS", 0)
    verdicts("reviews.jsonl", labelled())
    arguments = ["--data", "reviews.jsonl", *COLUMNS, "--recipe", "small_trainings:bag", "--no-pictures"]
    code, out, err = textsent("train", *arguments, "--epochs", "1")
    assert (code, out) == (0, "")
    assert "\x1b" not in err
    lines = err.splitlines()
    steps = int(re.fullmatch(r"epoch 1, step 1 of (\d+): .*", lines[1])[1])
    assert lines[steps + 1].startswith("epoch 1: loss ")
    for step, line in enumerate(lines[1 : steps + 1], 1):
        assert re.fullmatch(
            rf"epoch 1, step {step} of {steps}: [\d,]+ texts/s  loss \d\.\d{{4}}  accuracy \d\.\d{{4}}", line
        )
    assert textsent("train", *arguments, "--epochs", "1", "--overwrite", "--quiet") == (0, "", "")


def test_recipes_are_listed_with_what_they_are(textsent):
    code, out, err = textsent("recipes")
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if not line.startswith(" ")] == list(RECIPES)
    assert out.split("lstm-80\n")[1].split("mlp-500\n")[0] == (
        "  embedding 32, the last 80 words, LSTM 100 with dropout, sigmoid\n"
        "  adam, batches of 32, 3 epochs, 19,996 words\n"
        "  published: train 0.9025, test 0.8206\n"
        "  from a write-up after Keras's example imdb_lstm\n"
    )


FILMS = """\
text,label,film
great great guys<br />,pos,one
"fine, great film!",pos,one
bad bad film,neg,two
...,neg,three
"""


def test_data_are_described_in_a_table(textsent, here):
    (here / "films.csv").write_text(FILMS)
    code, out, err = textsent("describe", "films.csv", "--window", "2")
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for line in (
        "texts 4", "positive 2", "negative 2", "groups 3", "without a word 1", "words 9", "unique words 5",
        "words a text: mean 2.25", "longest 3", "more than 2 75.0% of the texts",
    ):  # fmt: skip
        assert line in lines
    (great,) = (line for line in lines if line.startswith("great "))
    assert great.split()[2:] == ["3", "0"]


def test_data_are_described_as_json_and_by_keras_rule(textsent, here):
    (here / "films.csv").write_text(FILMS)
    data = read_labelled(here / "films.csv")
    code, out, err = textsent("describe", "films.csv", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == describe(data).to_json()
    code, out, _ = textsent("describe", "films.csv", "--json", "--keras")
    assert json.loads(out)["words"] == json.loads(json.dumps(describe(data).to_json()))["words"] + 1  # br


def test_columns_labels_and_the_part_to_describe_may_be_named(textsent, here, verdicts):
    verdicts("reviews.jsonl", labelled(8))
    code, out, _ = textsent("describe", "reviews.jsonl", *COLUMNS, "--json")
    assert code == 0
    assert {name: json.loads(out)[name] for name in ("texts", "positive", "groups")} == {
        "texts": 8, "positive": 4, "groups": 2,
    }  # fmt: skip
    for name in ("train/pos/0_9", "train/neg/0_1", "test/pos/0_9", "test/neg/0_1", "test/neg/1_1"):
        path = here / "aclImdb" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"great {name}")
    counts = [
        json.loads(textsent("describe", "aclImdb", "--json", *part)[1])["texts"]
        for part in ([], ["--part", "train"], ["--part", "test"], ["--part", "all"])
    ]
    assert counts == [5, 2, 3, 5]


def test_pictures_of_data_are_drawn_into_a_folder(textsent, here):
    (here / "films.csv").write_text(FILMS)
    code, _, err = textsent("describe", "films.csv", "--pictures", "new/pictures")
    assert (code, err) == (0, "")
    assert sorted(path.name for path in (here / "new" / "pictures").iterdir()) == [
        "telling.png", "telling.svg", "words.png", "words.svg",
    ]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_ends_with_an_example(textsent, command):
    code, out, err = textsent(command, "--help")
    assert (code, err) == (0, "")
    assert f"{out.strip().splitlines()[-1].strip()} ".startswith(f"Example:  textsent {command} ")


@pytest.mark.parametrize("command", cli.app.registered_commands, ids=COMMANDS)
def test_the_help_of_every_command_is_one_sentence_and_every_option_has_its_own(textsent, command):
    assert command.callback.__doc__.count("\n") == 0
    assert command.callback.__doc__.endswith(".")
    _, out, _ = textsent(command.callback.__name__, "--help")
    arguments = {
        "score": "inputs", "describe": "data", "evaluate": "labelled", "calibrate": "labelled", "adapt": "inputs",
        "info": "model", "report": "inputs", "verify": "scored",
    }  # fmt: skip
    for name in command.callback.__annotations__.keys() - {"return", arguments.get(command.callback.__name__)}:
        option = "--" + name.replace("_", "-")
        assert re.search(rf"{option}\b.*[A-Za-z]{{3}}", out), option


def test_the_help_lists_every_command(textsent):
    code, out, err = textsent("--help")
    assert (code, err) == (0, "")
    assert COMMANDS == [
        "score", "report", "explain", "train", "recipes", "describe", "evaluate", "calibrate", "adapt", "verify",
        "info", "doctor",
    ]  # fmt: skip
    for command in COMMANDS:
        assert re.search(rf"^\W*{command} ", out, re.MULTILINE)


def test_the_version_is_printed(textsent):
    assert textsent("--version") == (0, f"textsent {__version__}\n", "")


def test_the_package_runs_as_a_module(here):
    done = run_module("--version")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines() == [f"textsent {__version__}"]
    done = run_module("score", "missing.csv", "--model", "nowhere")
    assert done.returncode == 1
    assert done.stderr.startswith(b"textsent: there is no model 'nowhere'")


@pytest.mark.parametrize("arguments", [["--help"], ["score", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    heavy = {
        "numpy", "pandas", "pyarrow", "onnxruntime", "onnx", "keras", "tensorflow", "h5py", "pooch", "requests",
        "rich.progress", "textsent.files", "textsent.score", "textsent.readers",
    }  # fmt: skip
    code = (
        "import sys\n"
        "from textsent import cli\n"
        "try:\n"
        "    cli.main()\n"
        "finally:\n"
        f"    print(*(name for name in {heavy!r} if sys.modules.get(name)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert done.stderr == "\n"
