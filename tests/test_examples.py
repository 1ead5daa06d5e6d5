import csv
import runpy
from pathlib import Path

import pyarrow.parquet as pq

from textsent.score import load, score_file

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


def test_the_pandas_workflow_runs(capsys):
    runpy.run_path(str(EXAMPLES / "pandas_workflow.py"))
    printed = capsys.readouterr().out
    assert "The model agrees with" in printed
    assert "The three most negative:" in printed
