import ast
import csv
import json
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from textsent import distributed
from textsent.files import score_file
from textsent.score import load

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_every_message_of_the_example_inbox_becomes_a_row(tmp_path):
    summary = score_file(EXAMPLES / "inbox.mbox", tmp_path / "scored.parquet", load(device="cpu"))
    messages = (EXAMPLES / "inbox.mbox").read_bytes().count(b"\nFrom ") + 1
    table = pq.read_table(tmp_path / "scored.parquet")
    assert summary.rows == table.num_rows == messages == 66
    assert table.column_names == [
        "message_id", "date", "from", "to", "subject", "in_reply_to", "list_id", "text", "attachments",
        "flags", "offset",
        "sentiment", "score", "words", "coverage", "error",
    ]  # fmt: skip
    assert summary.errors == {"no words": 1, "only images": 1, "not in the model's language": 3}


def test_most_of_the_example_inbox_s_polar_messages_are_judged_as_their_reader_did(tmp_path):
    score_file(EXAMPLES / "inbox.mbox", tmp_path / "scored.parquet", load(device="cpu", neutral="none"))
    sentiments = pq.read_table(tmp_path / "scored.parquet").column("sentiment").to_pylist()
    with (EXAMPLES / "inbox_labels.csv").open(encoding="utf-8", newline="") as file:
        tones = [row["tone"] for row in csv.DictReader(file)]
    polar = [(sentiment, tone) for sentiment, tone in zip(sentiments, tones, strict=True) if tone != "neutral"]
    scored = [(sentiment, tone) for sentiment, tone in polar if sentiment is not None]
    assert (len(polar), len(scored)) == (48, 45)  # three are in other languages
    assert sum(sentiment == tone for sentiment, tone in scored) / len(scored) > 0.73


def test_the_queries_of_duckdb_run(capsys):
    pytest.importorskip("duckdb")
    runpy.run_path(str(EXAMPLES / "duckdb_queries.py"))
    printed = capsys.readouterr().out
    assert "2026-02-02" in printed
    assert "1970" not in printed
    assert "not in the model's language" in printed


def test_the_notebook_runs_and_has_its_outputs_stored(monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(EXAMPLES)
    path = Path("mail_in_pandas.ipynb")
    assert path.stat().st_size < 100_000
    cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    scope = {}
    for cell in cells:
        exec("".join(cell["source"]), scope)
    assert len(scope["mail"]) == 66
    assert set(scope["search"].best_estimator_.classes_) == {"negative", "positive"}
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} == {"stream", "execute_result"}
    assert not any(output.get("name") == "stderr" for output in outputs)


ONE_MAIL = (
    b"From ann Tue Feb  3 09:14:22 2026\nFrom: Ann <ann@example.org>\nX-Textsent-Sentiment: positive\n"
    b"Subject: Timer\n\nWhat a terrible waste of money. It never worked.\n"
)


def filter_of(name, pattern):
    """Return what a command in an example does as a filter, in a shell that finds textsent."""
    (command,) = re.findall(pattern, (EXAMPLES / name).read_text("utf-8"), re.MULTILINE)
    assert command.startswith("textsent ")
    arguments = [sys.executable, "-m", *shlex.split(command)]
    return lambda mail: subprocess.run(arguments, input=mail, capture_output=True, timeout=120, check=False)


def test_the_filter_of_procmail_writes_the_tone_above_the_header_and_leaves_the_rest():
    done = filter_of("procmailrc", r"^\| (.+)$")(ONE_MAIL)
    assert (done.returncode, done.stderr) == (0, b"")
    separator, *header, model = done.stdout.partition(b"From: Ann")[0].splitlines()
    assert separator == b"From ann Tue Feb  3 09:14:22 2026"
    assert re.fullmatch(rb"X-Textsent-Score: 0\.\d+", header[0])
    assert header[1] == b"X-Textsent-Sentiment: negative"
    assert model == b"X-Textsent-Model: imdb-lstm"
    forged = b"X-Textsent-Sentiment: positive\n"
    assert done.stdout.endswith(ONE_MAIL.partition(b"\n")[2].replace(forged, b""))
    (folder,) = re.findall(r"^\* \^(X-.+)$", (EXAMPLES / "procmailrc").read_text("utf-8"), re.MULTILINE)
    assert folder.encode() == header[1]


def test_the_filter_of_procmail_leaves_a_mail_without_a_score_as_it_was():
    mail = b"From ann Tue Feb  3 09:14:22 2026\nFrom: Ann <ann@example.org>\nSubject: Timer\n\n\xff\x00...\n"
    done = filter_of("procmailrc", r"^\| (.+)$")(mail)
    assert (done.returncode, done.stdout) == (0, mail)


def test_the_filter_of_procmail_fails_on_nothing_so_that_procmail_keeps_what_came():
    done = filter_of("procmailrc", r"^\| (.+)$")(b"")
    assert (done.returncode, done.stdout) == (1, b"")


def test_mutt_reads_the_headers_that_are_written_and_shows_a_mail_s_tone():
    settings = (EXAMPLES / "muttrc").read_text("utf-8")
    written = filter_of("procmailrc", r"^\| (.+)$")(ONE_MAIL).stdout.decode()
    (pattern,) = re.findall(r'^spam "(.+?)" "%1"$', settings, re.MULTILINE)
    assert re.search(pattern.replace("\\\\", "\\"), written)
    for tone in re.findall(r"~h '(.+?)'", settings):
        assert tone.rpartition(" ")[0] + " negative" in written
    shown = filter_of("muttrc", r"<pipe-message>(textsent .+?)<enter>")(ONE_MAIL.partition(b"\n")[2])
    assert shown.returncode == 0
    assert b"negative" in shown.stdout


def test_the_pandas_workflow_runs(capsys):
    runpy.run_path(str(EXAMPLES / "pandas_workflow.py"))
    printed = capsys.readouterr().out
    assert "The model agrees with" in printed
    assert "The three most negative:" in printed


def test_the_job_of_spark_is_written_for_this_version():
    tree = ast.parse((EXAMPLES / "spark_job.py").read_text("utf-8"))
    imported = {
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("textsent")
        for alias in node.names
    }
    assert {name for module, name in imported if module == "textsent.distributed"} <= set(distributed.__all__)
    assert ("textsent.errors", "TextsentError") in imported
