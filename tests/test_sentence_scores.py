import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import WORDS, FirstWordNetwork

from textsent.cli import main
from textsent.model import SentimentModel
from textsent.preprocess import Preprocessor
from textsent.schema import SCORE_SCHEMA, SENTENCE_SCHEMA, before_scoring
from textsent.score import Scorer, load
from textsent.windows import Layout


@pytest.fixture
def scorer():
    """Gives a sentence the score of its first word: the, great, service, terrible, guys."""
    network = FirstWordNetwork([0.5, 0.9, 0.7, 0.1, 0.6])
    return Scorer(Preprocessor(WORDS), SentimentModel(network, Layout(8)), sentences=True)


def test_each_text_has_its_lowest_sentence_with_its_score(scorer):
    texts = ["Great service. Terrible guys! The guys.", "service", "Great.", None, "", "Xyzzy. Plugh.", "..."]
    rows = scorer.score_columns(texts).select(SENTENCE_SCHEMA.names).to_pylist()
    assert [row["lowest_sentence"] for row in rows] == ["Terrible guys!", "service", "Great.", *[None] * 4]
    assert [row["lowest_score"] and round(row["lowest_score"], 4) for row in rows] == [0.1, 0.7, 0.9, *[None] * 4]


def test_a_sentence_without_a_known_word_is_not_the_lowest(scorer):
    (row,) = scorer.score_columns(["Xyzzy. Great."]).to_pylist()
    assert (row["lowest_sentence"], round(row["lowest_score"], 4)) == ("Great.", 0.9)


def test_a_text_has_the_same_lowest_sentence_alone_and_among_others(scorer):
    texts = ["Great. Terrible.", "The guys. Great.", "Great. Terrible.", None] * 20
    together = scorer.score_columns(texts)
    assert together.to_pylist() == [scorer.score_columns([text]).to_pylist()[0] for text in texts]
    assert scorer.score_columns([]).schema == together.schema


def test_batches_frames_and_schemas_have_the_columns_after_the_others(scorer):
    import pandas as pd

    from textsent.dataframe import score_frame

    batch = pa.record_batch({"text": ["Great. Terrible."]})
    scored = scorer(batch)
    assert (
        scored.schema.names
        == ["text", *SCORE_SCHEMA.names, *SENTENCE_SCHEMA.names]
        == scorer.output_schema(batch.schema).names
    )
    assert before_scoring(scored.schema).names == ["text"]
    frame = score_frame(pd.DataFrame({"text": ["Great. Terrible."]}), "text", model=scorer)
    assert frame["lowest_sentence"].tolist() == ["Terrible."]


@pytest.mark.parametrize("output", ["out.parquet", "out.mbox", None])
def test_the_command_adds_them_and_writes_mailboxes_as_before(output, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.mbox").write_text(
        "From a@b.c Tue Feb  3 09:14:22 2026\nSubject: x\n\nI love it. I hate the case.\n\n"
    )
    arguments = ["textsent", "score", "in.mbox", "--sentences", *(["-o", output] if output else [])]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    if output == "out.parquet":
        assert pq.read_table(output)["lowest_sentence"].to_pylist() == ["I hate the case."]
    elif output:
        assert "X-Textsent-Score: 0." in (tmp_path / output).read_text()
    else:
        assert '"I hate the case."' in capsys.readouterr().out


def test_the_shipped_model_finds_the_sentence_that_complains():
    text = "Thank you for the quick delivery. The left speaker is broken and useless. Kind regards"
    (row,) = load("imdb-lstm", device="cpu", sentences=True).score_columns([text]).to_pylist()
    assert row["lowest_sentence"] == "The left speaker is broken and useless."
    assert row["lowest_score"] < 0.3
