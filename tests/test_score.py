import gzip
import shutil
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
import pytest
from conftest import WORDS
from hypothesis import given, settings
from hypothesis import strategies as st

from textsent.errors import InputError, OptionError, OutputError, PresetError
from textsent.mail import MailOptions
from textsent.model import SentimentModel
from textsent.preprocess import FIRST_WORD_ID, SETTINGS_FILE, VOCABULARY_FILE, Preprocessor
from textsent.presets import PRESET_FILES
from textsent.schema import MAIL_SCHEMA, NO_TEXT, SCORE_SCHEMA
from textsent.score import NO_KNOWN_WORDS, NO_WORDS, NULL_TEXT, Scorer, load, score_file

FIRST_WORD_SCORES = {"the": 0.2, "great": 0.4, "service": 0.5, "terrible": 0.6, "guys": 0.8}

TEXTS = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.lists(st.sampled_from([*WORDS, "unknown", "...", "<br />"]), max_size=25).map(" ".join),
)


class FirstWordNetwork:
    """Gives a window the score of its first word."""

    batch_size = 4

    def __call__(self, ids):
        return np.array(list(FIRST_WORD_SCORES.values()), np.float32)[ids[:, 0] - FIRST_WORD_ID]


def first_word_scorer(window: int = 8, **attributes) -> Scorer:
    return Scorer(Preprocessor(WORDS), SentimentModel(FirstWordNetwork(), window), **attributes)


@pytest.fixture(scope="module")
def scorer(tiny_preset):
    return load(tiny_preset, device="cpu")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@settings(deadline=None, max_examples=50)
@given(
    rows=st.lists(st.tuples(st.integers(0, 9), TEXTS, st.text(max_size=3)), max_size=20), start=st.integers(0, 3)
)
def test_as_many_rows_come_out_as_went_in_in_their_order_with_all_their_columns(scorer, rows, start):
    schema = pa.schema([("number", pa.int64()), ("text", pa.string()), ("note", pa.string())], {"made": "by hand"})
    batch = pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
    batch = batch.slice(start)
    scored = scorer(batch)
    assert scored.select(schema.names).equals(batch)
    assert scored.schema == pa.schema([*schema, *SCORE_SCHEMA])
    assert scored.schema.metadata == {b"made": b"by hand", b"textsent.model": b"tiny"}
    for row in scored.to_pylist():
        if row["error"] is None:
            assert 0 <= row["score"] <= 1
            assert row["sentiment"] == ("positive" if row["score"] >= 0.5 else "negative")
            assert row["words"] > 0
            assert 0 < row["coverage"] <= 1
        else:
            assert row["error"] in (NULL_TEXT, NO_WORDS, NO_KNOWN_WORDS)
            assert row["score"] is row["sentiment"] is None


@settings(deadline=None, max_examples=50)
@given(texts=st.lists(TEXTS, max_size=15))
def test_texts_score_the_same_one_by_one_and_all_at_once(scorer, texts):
    together = scorer.score(texts)
    alone = np.array([scorer.score([text])[0] for text in texts], np.float32)
    np.testing.assert_allclose(together, alone, atol=1e-6, rtol=0)
    everything, each = scorer.score_columns(texts), [scorer.score_columns([text]) for text in texts]
    for name in ("words", "coverage", "error"):
        assert everything.column(name).to_pylist() == [one.column(name)[0].as_py() for one in each]


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_the_size_of_a_batch_changes_no_score(scorer, tiny_preset, batch_size):
    texts = ["great service", "the guys " * 30, "terrible", None, "the unknown guys"] * 4
    sized = load(tiny_preset, device="cpu", batch_size=batch_size)
    np.testing.assert_allclose(sized.score(texts), scorer.score(texts), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("text", "error", "words", "coverage"),
    [
        (None, "no text", 0, None),
        ("", "no words", 0, None),
        (" \t\r\n", "no words", 0, None),
        ("?! -- ...", "no words", 0, None),
        ("<br />", "no words", 0, None),
        ("nobody knows", "no known words", 2, 0.0),
        ("great unknown", None, 2, 0.5),
        ("The GUYS.", None, 2, 1.0),
    ],
)
def test_a_row_that_cannot_be_scored_keeps_its_place_and_says_why(text, error, words, coverage):
    rows = first_word_scorer().score_columns(["great", text, "guys"]).to_pylist()
    assert [rows[0]["score"], rows[2]["score"]] == pytest.approx([0.4, 0.8])
    assert rows[1]["error"] == error
    assert rows[1]["words"] == words
    assert rows[1]["coverage"] == coverage
    assert (rows[1]["score"] is None) == (rows[1]["sentiment"] is None) == (error is not None)


def mails(*rows):
    """A batch of mails of texts and flags."""
    return pa.RecordBatch.from_pylist([{"text": text, "flags": flags} for text, flags in rows], MAIL_SCHEMA)


@pytest.mark.parametrize(("flag", "reason"), NO_TEXT.items())
@pytest.mark.parametrize("others", [[], ["deleted"], ["recovered", "deleted"]])
def test_a_mail_without_text_has_the_reason_that_its_flags_tell(flag, reason, others):
    scored = first_word_scorer()(mails(("great", []), (None, [*others, flag]), ("guys", [])))
    assert scored.column("error").to_pylist() == [None, reason, None]
    assert scored.column("score").to_pylist() == pytest.approx([0.4, None, 0.8])


@pytest.mark.parametrize(
    ("text", "flags", "error"),
    [
        (None, [], "no text"),
        (None, None, "no text"),
        (None, ["deleted", "quotes_kept"], "no text"),
        (None, ["images_only", "encrypted"], "only images"),
        ("", ["encrypted"], "no words"),
        ("unknown", ["encrypted"], "no known words"),
        ("great", ["oversize"], None),
    ],
)
def test_flags_tell_a_reason_only_where_there_is_no_text(text, flags, error):
    scored = first_word_scorer(prefix="our_")(mails((text, flags), (None, ["unreadable"])))
    assert scored.column("our_error").to_pylist() == [error, "unreadable"]


@pytest.mark.parametrize("flags", [["encrypted"], [7]])
def test_a_column_named_flags_of_other_tables_is_no_reason(flags):
    scored = first_word_scorer()(pa.record_batch({"text": pa.array([None], pa.string()), "flags": flags}))
    assert scored.column("error").to_pylist() == ["no text"]


def test_the_name_of_the_model_is_in_the_metadata_of_what_was_scored(here, scorer):
    assert scorer.name == "tiny"
    scored = scorer(pa.record_batch({"text": ["great"]}))
    assert scored.schema.metadata == {b"textsent.model": b"tiny"}
    assert first_word_scorer()(pa.record_batch({"text": ["great"]})).schema.metadata is None
    (here / "in.txt").write_text("great\n")
    score_file("in.txt", "out.parquet", scorer)
    assert pa.parquet.read_schema(here / "out.parquet").metadata[b"textsent.model"] == b"tiny"


def test_the_columns_that_come_out_are_known_before_a_row_is_scored(scorer):
    batch = mails(("great", []))
    assert scorer.output_schema(batch.schema).equals(scorer(batch).schema, check_metadata=True)


def test_a_score_of_a_half_or_more_is_positive():
    assert first_word_scorer().score_columns(WORDS).column("sentiment").to_pylist() == [
        "negative", "negative", "positive", "positive", "positive",
    ]  # fmt: skip


def test_scores_from_one_end_of_the_neutral_band_to_the_other_are_neutral():
    scorer = first_word_scorer(neutral=(0.4, 0.6))
    assert scorer.score_columns([*WORDS, None]).column("sentiment").to_pylist() == [
        "negative", "neutral", "neutral", "neutral", "positive", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("band", "shown"), [((0.6, 0.4), "0.6, 0.4"), ((-0.1, 0.5), "-0.1, 0.5"), ((0.5, 2), "0.5, 2")]
)
def test_a_neutral_band_that_is_none_is_refused(band, shown):
    with pytest.raises(OptionError) as refused:
        first_word_scorer(neutral=band)
    assert str(refused.value) == f"a neutral band needs two values, 0 ≤ low ≤ high ≤ 1. Received: {shown}"


def test_a_batch_of_no_texts_is_refused():
    with pytest.raises(OptionError) as refused:
        first_word_scorer(batch_size=0)
    assert str(refused.value) == "the batch size must be 1 or more. Received: 0"


def test_a_long_text_scores_the_mean_log_odds_of_its_windows():
    assert first_word_scorer(window=1).score(["the guys", "guys guys", "the the guys guys"]) == pytest.approx(
        [0.5, 0.8, 0.5]
    )


@pytest.mark.parametrize(
    "texts",
    [
        ["great", None],
        ("great", None),
        iter(["great", None]),
        pa.array(["great", None]),
        pa.array(["great", None], pa.large_string()),
        pa.array(["great", None], pa.string_view()),
        pa.array(["great", None]).dictionary_encode(),
        pa.chunked_array([["great"], [None]]),
    ],
    ids=lambda texts: str(getattr(texts, "type", type(texts).__name__)),
)
def test_texts_come_as_any_iterable_or_arrow_array_of_strings(texts):
    scores = first_word_scorer().score(texts)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, [0.4, np.nan], rtol=1e-6)


def test_no_texts_get_no_scores():
    scores = first_word_scorer().score([])
    assert scores.shape == (0,)
    assert scores.dtype == np.float32


def test_one_string_is_refused_where_several_are_wanted():
    with pytest.raises(InputError) as refused:
        first_word_scorer().score("great service")
    assert str(refused.value) == "texts must be several strings, in a list for instance. Received: one string"


def test_numbers_are_refused_where_texts_are_wanted():
    with pytest.raises(InputError) as refused:
        first_word_scorer().score(pa.array([1, 2]))
    assert str(refused.value) == "texts must be strings. Received: int64"


def test_a_prefix_stands_before_the_name_of_each_added_column():
    batch = pa.record_batch({"text": ["great"], "score": [7]})
    scored = first_word_scorer(prefix="textsent_")(batch)
    assert scored.schema.names == [
        "text", "score",
        "textsent_sentiment", "textsent_score", "textsent_words", "textsent_coverage", "textsent_error",
    ]  # fmt: skip
    assert scored.column("score").to_pylist() == [7]


@pytest.mark.parametrize(
    ("columns", "clash"),
    [
        ({"text": ["great"], "score": [7]}, "column 'score'"),
        ({"error": [7], "text": ["great"], "words": [7]}, "columns 'words', 'error'"),
    ],
)
def test_a_column_that_has_an_added_ones_name_is_an_error_that_names_the_prefix(columns, clash):
    with pytest.raises(OptionError) as clashing:
        first_word_scorer()(pa.record_batch(columns))
    assert str(clashing.value) == (
        f"the input already has the {clash}: give the added columns a prefix, for instance --prefix textsent_"
    )


@pytest.mark.parametrize(
    ("column", "columns"),
    [
        (None, {"title": ["guys"], "text": ["great"]}),
        (None, {"number": [1], "body": ["great"]}),
        ("body", {"text": ["guys"], "body": ["great"]}),
    ],
)
def test_the_texts_are_in_the_column_named_or_in_text_or_in_the_only_one_of_strings(column, columns):
    scored = first_word_scorer(column=column)(pa.record_batch(columns))
    assert scored.column("score").to_pylist() == pytest.approx([0.4])


@pytest.mark.parametrize(
    ("column", "columns", "problem"),
    [
        ("body", {"text": ["great"], "n": [1]}, "there is no column 'body'"),
        ("n", {"text": ["great"], "n": [1]}, "the column 'n' holds int64, not strings"),
        (None, {"one": ["great"], "two": ["guys"]}, "no column is named 'text' and 2 hold strings"),
        (None, {"n": [1], "text": [2]}, "no column is named 'text' and none holds strings"),
    ],
)
def test_a_column_of_texts_that_cannot_be_told_is_an_error_that_lists_the_columns(column, columns, problem):
    with pytest.raises(InputError) as unclear:
        first_word_scorer(column=column)(pa.record_batch(columns))
    assert str(unclear.value) == (
        f"{problem}: choose one with --text-column. The columns are {', '.join(map(repr, columns))}"
    )


@pytest.mark.parametrize("column", [None, "text"])
def test_two_columns_of_texts_with_one_name_are_an_error(column):
    batch = pa.RecordBatch.from_arrays([pa.array(["great"]), pa.array(["guys"])], names=["text", "text"])
    with pytest.raises(InputError) as unclear:
        first_word_scorer(column=column)(batch)
    assert str(unclear.value) == "2 columns are named 'text': rename them"


@pytest.mark.parametrize("name", PRESET_FILES)
def test_a_preset_that_lacks_a_file_makes_no_scorer(tiny_preset, tmp_path, name):
    folder = shutil.copytree(tiny_preset, tmp_path / "copy")
    (folder / name).unlink()
    with pytest.raises(PresetError) as incomplete:
        load(folder)
    assert str(incomplete.value) == (
        f"{folder} is not a complete preset, it lacks {name}: "
        "train it again with `textsent train`, or use --model imdb-lstm"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (SETTINGS_FILE, b"{"),
        (SETTINGS_FILE, b"[]"),
        (SETTINGS_FILE, b'{"colour": "red"}'),
        (VOCABULARY_FILE, b"caf\xe9\n"),
    ],
)
def test_a_preset_with_a_damaged_preprocessor_makes_no_scorer(tiny_preset, tmp_path, name, content):
    folder = shutil.copytree(tiny_preset, tmp_path / "copy")
    (folder / name).write_bytes(content)
    with pytest.raises(PresetError):
        load(folder, device="cpu")


def test_a_scorer_is_loaded_by_path_or_by_name_with_its_settings(tiny_preset):
    for name in (tiny_preset, str(tiny_preset)):
        assert load(name, device="cpu", prefix="x_", neutral=(0.4, 0.6)).prefix == "x_"


def read_back(path):
    match path.suffix:
        case ".csv":
            return pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(strings_can_be_null=True))
        case ".jsonl":
            return pa.json.read_json(path)
        case ".parquet":
            return pa.parquet.read_table(path)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_file_is_scored_into_a_file_of_each_format(here, suffix):
    (here / "in.csv").write_text('text,note\ngreat service,a\n,"b, c"\n"guys, great",d\nunknown,e\n')
    summary = score_file("in.csv", f"out{suffix}", first_word_scorer())
    rows = read_back(here / f"out{suffix}")
    assert rows.column_names == ["text", "note", "sentiment", "score", "words", "coverage", "error"]
    assert rows["note"].to_pylist() == ["a", "b, c", "d", "e"]
    assert rows["sentiment"].to_pylist() == ["negative", None, "positive", None]
    assert rows["score"].to_pylist() == pytest.approx([0.4, None, 0.8, None])
    assert rows["words"].to_pylist() == [2, 0, 2, 1]
    assert rows["coverage"].to_pylist() == [1.0, None, 1.0, 0.0]
    assert rows["error"].to_pylist() == [None, "no words", None, "no known words"]
    assert summary.rows == 4
    assert summary.sentiments == {"negative": 1, "positive": 1}
    assert summary.errors == {"no words": 1, "no known words": 1}
    assert summary.position == summary.size == (here / "in.csv").stat().st_size
    assert summary.seconds >= 0


def test_several_files_are_scored_into_one_in_their_order(here):
    (here / "one.txt").write_text("the\n\n")
    (here / "two.txt").write_bytes(gzip.compress(b"great\n"))
    (here / "three.txt").write_text("guys")
    summary = score_file(["one.txt", here / "two.txt", "three.txt"], "out.parquet", first_word_scorer())
    rows = pa.parquet.read_table(here / "out.parquet")
    assert rows["text"].to_pylist() == ["the", "", "great", "guys"]
    assert rows["score"].to_pylist() == pytest.approx([0.2, None, 0.4, 0.8])
    assert summary.rows == 4
    assert summary.position == summary.size == sum(path.stat().st_size for path in here.glob("*.txt"))


def test_a_prefix_stands_in_a_files_columns_and_the_rows_are_counted_all_the_same(here):
    (here / "in.csv").write_text("text,score\ngreat,7\n,8\n")
    summary = score_file("in.csv", "out.parquet", first_word_scorer(prefix="our_"))
    rows = pa.parquet.read_table(here / "out.parquet")
    assert rows["our_score"].to_pylist() == pytest.approx([0.4, None])
    assert rows["score"].to_pylist() == ["7", "8"]
    assert summary.sentiments == {"negative": 1}
    assert summary.errors == {"no words": 1}


def test_each_batch_is_reported_with_the_summary_so_far(here):
    (here / "one.txt").write_text("the\n" * 4097)
    (here / "two.txt").write_text("guys\n")
    seen = []
    score_file(
        ["one.txt", "two.txt"],
        None,
        first_word_scorer(),
        on_batch=lambda scored, summary: seen.append((scored.num_rows, summary.rows, dict(summary.sentiments))),
    )
    assert seen == [
        (4096, 4096, {"negative": 4096}),
        (1, 4097, {"negative": 4097}),
        (1, 4098, {"negative": 4097, "positive": 1}),
    ]
    assert {path.name for path in here.iterdir()} == {"one.txt", "two.txt"}


@pytest.mark.parametrize("name", ["in.csv", "in.txt", "in.mbox", "in.parquet", "in.jsonl"])
def test_a_file_without_rows_is_an_error_and_leaves_no_output(here, name):
    match name:
        case "in.csv":
            (here / name).write_text("id,text\n")
        case "in.parquet":
            pa.parquet.write_table(pa.table({"text": pa.array([], pa.string())}), here / name)
        case _:
            (here / name).touch()
    with pytest.raises(InputError) as empty:
        score_file(name, "out.csv", first_word_scorer())
    assert str(empty.value) == f"no rows in {name}: there is nothing to score"
    assert [path.name for path in here.iterdir()] == [name]


def test_several_files_without_rows_are_named_together(here):
    for name in ("one.txt", "two.txt", "three.txt"):
        (here / name).touch()
    with pytest.raises(InputError) as empty:
        score_file(["one.txt", "two.txt", "three.txt"], None, first_word_scorer())
    assert str(empty.value) == "no rows in one.txt and 2 more: there is nothing to score"


def test_an_empty_file_among_others_is_no_error(here):
    (here / "one.txt").touch()
    (here / "two.txt").write_text("great\n")
    assert score_file(["one.txt", "two.txt"], None, first_word_scorer()).rows == 1


def test_a_file_that_breaks_off_leaves_no_output_and_the_one_that_was_there(here):
    (here / "one.txt").write_text("great\n")
    (here / "two.txt").write_bytes(b"caf\xe9\n")
    (here / "kept.csv").write_text("kept")
    for output in ("new.csv", "kept.csv"):
        with pytest.raises(InputError) as broken:
            score_file(["one.txt", "two.txt"], output, first_word_scorer(), overwrite=True)
        assert str(broken.value).startswith("two.txt: the text is not UTF-8: ")
    assert {path.name for path in here.iterdir()} == {"one.txt", "two.txt", "kept.csv"}
    assert (here / "kept.csv").read_text() == "kept"


def test_files_with_other_columns_than_the_first_leave_no_output(here):
    (here / "one.csv").write_text("text\ngreat\n")
    (here / "two.csv").write_text("text,id\ngreat,1\n")
    with pytest.raises(InputError) as unlike:
        score_file(["one.csv", "two.csv"], "out.csv", first_word_scorer())
    assert str(unlike.value) == (
        "two.csv has other columns than one.csv: expected 1 columns, found 2; score it in a run of its own"
    )
    assert {path.name for path in here.iterdir()} == {"one.csv", "two.csv"}


def test_an_output_that_exists_is_replaced_only_on_demand(here):
    (here / "in.txt").write_text("great\n")
    (here / "out.csv").write_text("kept")
    with pytest.raises(OutputError) as existing:
        score_file("in.txt", "out.csv", first_word_scorer())
    assert str(existing.value) == ("out.csv exists already: choose another name, or replace it with --overwrite")
    assert (here / "out.csv").read_text() == "kept"
    score_file("in.txt", "out.csv", first_word_scorer(), overwrite=True)
    assert (here / "out.csv").read_text().splitlines() == [
        '"text","sentiment","score","words","coverage","error"',
        '"great","negative",0.4,1,1,',
    ]


def test_a_file_may_be_scored_into_itself(here):
    (here / "mails.csv").write_text("text\ngreat\n")
    score_file("mails.csv", "mails.csv", first_word_scorer(), overwrite=True)
    assert read_back(here / "mails.csv")["score"].to_pylist() == pytest.approx([0.4])


def test_formats_may_be_named_where_the_suffix_says_nothing(here):
    (here / "in").write_text('{"text": "great"}\n')
    score_file("in", "out", first_word_scorer(), format="jsonl", output_format="jsonl")
    assert (here / "out").read_text().startswith('{"text": "great", "sentiment": "negative", "score": 0.4')


SEPARATOR = "From ann@example.com Tue Feb  3 09:14:22 2026\n"
MAIL = "Subject: guys\n\ngreat service\n\n> terrible\n\n-- \nAnn, the best\n"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "great service"),
        ({"keep_quotes": True}, "great service > terrible"),
        ({"keep_signatures": True}, "great service -- Ann, the best"),
        ({"with_subject": True}, "guys great service"),
        (
            {"keep_quotes": True, "keep_signatures": True, "with_subject": True},
            "guys great service > terrible -- Ann, the best",
        ),
    ],
)
@pytest.mark.parametrize("name", ["in.mbox", "in.eml"])
def test_what_of_a_mail_is_scored_may_be_chosen(here, name, options, text):
    (here / name).write_text(SEPARATOR + MAIL if name == "in.mbox" else MAIL)
    score_file(name, "out.parquet", first_word_scorer(), mail=MailOptions(**options))
    rows = pa.parquet.read_table(here / "out.parquet")
    assert " ".join(rows["text"][0].as_py().split()) == text
    assert rows["score"].to_pylist() == pytest.approx([0.8 if options.get("with_subject") else 0.4])


def test_the_reasons_of_mails_without_text_are_counted(here):
    image = "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n\n"
    encrypted = "Content-Type: application/pkcs7-mime\n\nMIIB\n\n"
    (here / "in.mbox").write_text(SEPARATOR + image + SEPARATOR + encrypted + SEPARATOR + image + SEPARATOR + MAIL)
    summary = score_file("in.mbox", None, first_word_scorer())
    assert summary.rows == 4
    assert summary.errors == {"only images": 2, "encrypted": 1}


def test_every_message_of_a_folder_and_an_archive_is_scored(here):
    (here / "mail/deep").mkdir(parents=True)
    (here / "mail/a.eml").write_text("Subject: a\n\ngreat\n")
    (here / "mail/b.msg").write_text("no Outlook message")
    (here / "mail/deep/c.mbox").write_text((SEPARATOR + MAIL) * 2)
    with zipfile.ZipFile(here / "d.zip", "w") as archive:
        archive.write(here / "mail/a.eml", "a.eml")
    summary = score_file(["mail", "d.zip"], "out.parquet", first_word_scorer())
    assert summary.rows == 5
    assert summary.errors == {"unreadable": 1}
    assert summary.position <= summary.size
    assert pa.parquet.read_table(here / "out.parquet")["subject"].to_pylist() == ["a", None, "guys", "guys", "a"]


def test_a_mailbox_that_cannot_be_written_leaves_nothing(here):
    (here / "in.mbox").write_text(SEPARATOR + MAIL)
    (here / "torn.mbox.gz").write_bytes(gzip.compress((SEPARATOR + MAIL).encode())[:-12])
    with pytest.raises(InputError):
        score_file(["in.mbox", "torn.mbox.gz"], "out.mbox", first_word_scorer())
    assert {path.name for path in here.iterdir()} == {"in.mbox", "torn.mbox.gz"}


@pytest.mark.parametrize("size", [0, -1])
def test_a_message_of_no_bytes_is_refused(size):
    with pytest.raises(OptionError) as refused:
        MailOptions(max_message_bytes=size)
    assert str(refused.value) == f"a message must be allowed at least one byte. Received: {size}"
