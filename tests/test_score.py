import gzip
import shutil
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
import pytest
from conftest import WORDS, FirstWordNetwork
from hypothesis import given, settings
from hypothesis import strategies as st

from textsent import files, mailworkers, score
from textsent.errors import DeviceError, InputError, OptionError, OutputError, PresetError
from textsent.files import ErrorOptions, score_file
from textsent.mail import MailOptions
from textsent.model import SentimentModel
from textsent.preprocess import Preprocessor, Settings
from textsent.presets import PRESET_FILES, SETTINGS_FILE, VOCABULARY_FILE, Calibration
from textsent.schema import MAIL_SCHEMA, NO_TEXT, SCORE_SCHEMA, text_column, with_problems
from textsent.score import NO_KNOWN_WORDS, NO_WORDS, NULL_TEXT, Scorer, load
from textsent.tables import TableOptions
from textsent.windows import Layout

FIRST_WORD_SCORES = (0.2, 0.4, 0.5, 0.6, 0.8)
"""Of WORDS."""

TEXTS = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.lists(st.sampled_from([*WORDS, "unknown", "...", "<br />"]), max_size=25).map(" ".join),
)


REPEATED_TEXTS = st.lists(
    st.sampled_from([None, "", "...", "unknown", "great", "Great!", "the guys " * 9, "guys", "terrible unknown"]),
    max_size=40,
)


def first_word_scorer(window: int = 8, **attributes) -> Scorer:
    return Scorer(
        Preprocessor(WORDS), SentimentModel(FirstWordNetwork(FIRST_WORD_SCORES), Layout(window)), **attributes
    )


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


@contextmanager
def windows_of(rows: int, size: int = 1 << 20):
    """Make windows of fewer rows and bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score, "WINDOW_ROWS", rows)
        patch.setattr(files, "WINDOW_ROWS", rows)
        patch.setattr(files, "WINDOW_BYTES", size)
        yield


@settings(deadline=None, max_examples=100)
@given(texts=REPEATED_TEXTS, rows=st.integers(1, 50))
def test_texts_that_come_again_get_the_columns_that_each_gets_alone(texts, rows):
    scorer = first_word_scorer()
    with windows_of(rows):
        together = scorer.score_columns(texts)
    assert together.schema == SCORE_SCHEMA
    assert together.to_pylist() == [scorer.score_columns([text]).to_pylist()[0] for text in texts]


@settings(deadline=None, max_examples=30)
@given(texts=REPEATED_TEXTS, rows=st.integers(1, 50))
def test_texts_that_come_again_get_the_score_that_each_gets_alone(scorer, texts, rows):
    with windows_of(rows):
        together = scorer.score(texts)
    alone = np.array([scorer.score([text])[0] for text in texts], np.float32)
    np.testing.assert_allclose(together, alone, atol=1e-6, rtol=0)


@settings(deadline=None, max_examples=30)
@given(texts=REPEATED_TEXTS, start=st.integers(0, 5), data_type=st.sampled_from([pa.string(), pa.large_string()]))
def test_a_part_of_an_array_of_texts_that_come_again_is_scored_as_the_whole_is(texts, start, data_type):
    scorer = first_word_scorer()
    array = pa.array(texts, data_type)
    part = scorer.score_columns(array.slice(start))
    assert part.to_pylist() == scorer.score_columns(array).to_pylist()[start:]
    assert scorer.score_columns(array.dictionary_encode().slice(start)).equals(part)


def test_a_text_that_comes_twice_in_a_window_is_predicted_once():
    network = WindowCounter(FIRST_WORD_SCORES)
    scorer = Scorer(Preprocessor(WORDS), SentimentModel(network, Layout(8)))
    scores = scorer.score(["great", "guys", None, "great", "", "great", "guys"])
    np.testing.assert_allclose(scores, [0.4, 0.8, np.nan, 0.4, np.nan, 0.4, 0.8], rtol=1e-6)
    assert network.windows == 2


class WindowCounter(FirstWordNetwork):
    """Counts the windows of text that it is asked about."""

    windows = 0

    def reading(self, ids):
        read = super().reading(ids)

        def counted(starts, ends):
            self.windows += len(starts)
            return read(starts, ends)

        return counted


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


@pytest.mark.parametrize(
    ("text", "error", "words", "coverage"),
    [
        ("The great unknown", None, 2, 0.5),
        ("it's THE guys", None, 1, 1.0),
        ("the it's", "no words", 0, None),
        ("the unknown it's", "no known words", 1, 0.0),
        ("(the)-great", None, 1, 1.0),
        ("...", "no words", 0, None),
        (None, "no text", 0, None),
    ],
)
def test_stop_words_and_what_is_removed_count_for_no_words(text, error, words, coverage):
    preprocessor = Preprocessor(WORDS, Settings(filters="-", removed="().", stop_words=("the", "it's")))
    scorer = Scorer(preprocessor, SentimentModel(FirstWordNetwork(FIRST_WORD_SCORES), Layout(8, unknown="drop")))
    rows = scorer.score_columns(["service", text]).to_pylist()
    assert rows[0]["score"] == pytest.approx(0.5)
    assert (rows[1]["error"], rows[1]["words"], rows[1]["coverage"]) == (error, words, coverage)
    assert (rows[1]["score"] is None) == (rows[1]["sentiment"] is None) == (error is not None)


@pytest.mark.parametrize(("long_texts", "score"), [("windows", 0.5), ("first", 0.2), ("last", 0.8)])
def test_the_words_of_a_text_are_all_counted_though_a_part_of_it_is_read(long_texts, score):
    layout = Layout(1, long_texts, unknown="drop")
    scorer = Scorer(Preprocessor(WORDS), SentimentModel(FirstWordNetwork(FIRST_WORD_SCORES), layout))
    (row,) = scorer.score_columns(["unknown the guys unknown"]).to_pylist()
    assert row["score"] == pytest.approx(score)
    assert (row["words"], row["coverage"], row["error"]) == (4, 0.5, None)


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


@pytest.mark.parametrize(
    ("threshold", "sentiments"),
    [
        (0.0, ["positive"] * 5),
        (0.6, ["negative", "negative", "negative", "positive", "positive"]),
        (1.0, ["negative"] * 5),
    ],
)
@pytest.mark.parametrize("neutral", [None, "none"])
@pytest.mark.parametrize("own", [None, (0.3, 0.7)])
def test_scores_from_the_threshold_on_are_positive_and_none_is_neutral(own, neutral, threshold, sentiments):
    scorer = first_word_scorer(neutral=neutral, threshold=threshold)
    scorer.model.calibration = Calibration(neutral=own)
    assert scorer.score_columns([*WORDS, None]).column("sentiment").to_pylist() == [*sentiments, None]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_score_is_refused(threshold):
    with pytest.raises(OptionError, match="the threshold must be a score, 0 … 1"):
        first_word_scorer(threshold=threshold)


def test_a_threshold_and_a_neutral_band_are_refused_together():
    with pytest.raises(OptionError, match="a threshold leaves no neutral band: give one of the two"):
        first_word_scorer(threshold=0.5, neutral=(0.4, 0.6))


def test_a_word_other_than_none_is_no_neutral_band():
    with pytest.raises(OptionError) as refused:
        first_word_scorer(neutral="no")
    assert str(refused.value) == "a neutral band needs two values, or \"none\". Received: 'no'"


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
        (None, {"n": [1], "text": [2]}, "the column 'text' holds int64, not strings"),
        (None, {"n": [1]}, "no column is named 'text' and none holds strings"),
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


@settings(deadline=None, max_examples=30)
@given(batches=st.lists(REPEATED_TEXTS, max_size=4))
def test_batches_that_are_begun_come_out_as_they_do_one_by_one(scorer, batches):
    batches = [
        pa.record_batch({"text": pa.array(texts, pa.string()), "row": pa.array(range(len(texts)), pa.int32())})
        for texts in batches
    ]
    with ThreadPoolExecutor(2) as pool:
        finish = scorer.begin(batches, pool) if batches else list
        finished = list(finish())
    for batch, scored in zip(batches, finished, strict=True):
        assert scored.equals(scorer(batch), check_metadata=True)


def test_a_batch_that_is_begun_has_its_metadata_and_the_reasons_of_mail():
    scorer = first_word_scorer(prefix="our_", name="by hand")
    batch = mails(("great", []), (None, ["encrypted"]), ("great", []), (None, []))
    with ThreadPoolExecutor(1) as pool:
        (scored,) = scorer.begin([batch], pool)()
    assert scored.equals(scorer(batch), check_metadata=True)
    assert scored.column("our_error").to_pylist() == [None, "encrypted", None, "no text"]


@pytest.mark.parametrize(
    "texts",
    [pa.array(["great", None, "great"]).dictionary_encode(), pa.array(["great", None, "great"], pa.string_view())],
    ids=lambda texts: str(texts.type),
)
def test_a_batch_that_is_begun_may_hold_its_texts_in_any_type_of_strings(texts):
    with ThreadPoolExecutor(1) as pool:
        (scored,) = first_word_scorer().begin([pa.record_batch({"text": texts})], pool)()
    assert scored.column("text").equals(texts)
    assert scored.column("score").to_pylist() == pytest.approx([0.4, None, 0.4])


def test_a_batch_that_lacks_the_texts_cannot_be_begun():
    with ThreadPoolExecutor(1) as pool, pytest.raises(InputError, match="there is no column 'body'"):
        first_word_scorer(column="body").begin([pa.record_batch({"text": ["great"]})], pool)


@pytest.mark.parametrize(("threads", "windows"), [(1, 1), (8, 1), (9, 2), (64, 8)])
def test_windows_enough_are_begun_ahead_for_every_thread_to_find_work(threads, windows):
    scorer = Scorer(Preprocessor(WORDS), SentimentModel(FirstWordNetwork(FIRST_WORD_SCORES), Layout(8), threads))
    assert scorer.windows_ahead == windows


def test_the_workers_are_the_models_threads_and_by_default_the_cores_of_the_process(tiny_preset, monkeypatch):
    monkeypatch.setattr(score, "usable_cores", lambda: 6)
    for asked, workers in ((None, 6), (1, 1), (3, 3)):
        loaded = load(tiny_preset, device="cpu", workers=asked)
        assert (loaded.workers, loaded.model.threads) == (workers, workers)


@pytest.mark.parametrize("workers", [0, -2])
def test_fewer_workers_than_one_are_refused(tiny_preset, workers):
    with pytest.raises(OptionError) as refused:
        load(tiny_preset, device="cpu", workers=workers)
    assert str(refused.value) == f"there must be at least one worker. Received: {workers}"


def test_the_precision_reaches_the_model(tiny_preset, scorer):
    texts = ["great service", "the guys were terrible", "the", None]
    quick = load(tiny_preset, device="cpu", precision="int8").score(texts)
    assert 0 < np.nanmax(abs(quick - scorer.score(texts))) < 0.05
    for precision, device in (("int4", "cpu"), ("int8", "gpu"), ("float16", "cpu")):
        with pytest.raises(OptionError):
            load(tiny_preset, device=device, precision=precision)


def test_a_gpu_that_is_not_there_makes_no_scorer(tiny_preset, monkeypatch):
    monkeypatch.setattr("textsent.model.keras_sees_gpu", lambda: False)
    with pytest.raises(DeviceError):
        load(tiny_preset, device="gpu")


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
    assert str(empty.value) == f"no rows in {name}: there is nothing to score, see whether it is the whole file"
    assert [path.name for path in here.iterdir()] == [name]


def test_several_files_without_rows_are_named_together(here):
    for name in ("one.txt", "two.txt", "three.txt"):
        (here / name).touch()
    with pytest.raises(InputError) as empty:
        score_file(["one.txt", "two.txt", "three.txt"], None, first_word_scorer())
    assert (
        str(empty.value)
        == "no rows in one.txt and 2 more: there is nothing to score, see whether it is the whole file"
    )


def test_an_empty_file_among_others_is_no_error(here):
    (here / "one.txt").touch()
    (here / "two.txt").write_text("great\n")
    assert score_file(["one.txt", "two.txt"], None, first_word_scorer()).rows == 1


def test_a_file_that_breaks_off_leaves_no_output_and_the_one_that_was_there(here):
    (here / "one.txt").write_text("great\n")
    (here / "two.txt").write_bytes(gzip.compress(b"great\n")[:-4])
    (here / "kept.csv").write_text("kept")
    for output in ("new.csv", "kept.csv"):
        with pytest.raises(InputError) as broken:
            score_file(["one.txt", "two.txt"], output, first_word_scorer(), overwrite=True)
        assert str(broken.value).startswith("two.txt can't be read: its compressed data end")
    assert {path.name for path in here.iterdir()} == {"one.txt", "two.txt", "kept.csv"}
    assert (here / "kept.csv").read_text() == "kept"


BAD = b'id,text\n1,great\n2\n3,guys \xff\n4,the, guys\n5,\n6,"great\n7,terrible\n'
"""A row that is too short, bytes that aren't UTF-8, a row that is too long, no words, and an open quote."""


def test_a_bad_row_has_no_score_and_its_reason_and_one_with_undecodable_bytes_has_both(here):
    (here / "in.csv").write_bytes(BAD)
    summary = score_file("in.csv", "out.parquet", first_word_scorer(), table=TableOptions(encoding="utf-8"))
    rows = pa.parquet.read_table(here / "out.parquet")
    assert rows.column_names == ["id", "text", *SCORE_SCHEMA.names]
    assert rows["id"].to_pylist() == ["1", "2", "3", "4", "5", None, "7"]
    assert rows["text"].to_pylist() == ["great", None, "guys \ufffd", "the, guys", "", '6,"great', "terrible"]
    assert rows["score"].to_pylist() == pytest.approx([0.4, None, 0.8, None, None, None, 0.6])
    errors = [None, "too few fields", "undecodable bytes", "too many fields", "no words", "quote not closed", None]
    assert rows["error"].to_pylist() == errors
    assert summary.errors == {"too few fields": 1, "too many fields": 1, "no words": 1, "quote not closed": 1}
    assert summary.flagged == {"undecodable bytes": 1}
    assert (summary.rows, summary.left_out, summary.sentiments.total()) == (7, 0, 3)


def test_a_bad_row_scores_the_same_alone_and_among_others():
    own = pa.record_batch({"text": ["great", "guys", "great", None]})
    problems = pa.array([None, "undecodable bytes", "too few fields", "not JSON"])
    batch = with_problems(own, problems)
    scorer = first_word_scorer()
    whole = scorer(batch)
    assert whole.schema.names == ["text", *SCORE_SCHEMA.names]
    assert whole["error"].to_pylist() == [None, "undecodable bytes", "too few fields", "not JSON"]
    assert whole["score"].to_pylist() == pytest.approx([0.4, 0.8, None, None])
    assert pa.Table.from_batches([scorer(batch.slice(row, 1)) for row in range(4)]) == pa.Table.from_batches(
        [whole]
    )


@pytest.mark.parametrize(
    ("problem", "score"), [("wrong type of 'n'", 0.4), ("unknown field", 0.4), ("wrong type of 'text'", None)]
)
def test_a_field_of_the_wrong_type_takes_the_score_only_where_it_is_the_text(problem, score):
    batch = with_problems(pa.record_batch({"text": ["great"], "n": [1]}), pa.array([problem]))
    (row,) = first_word_scorer()(batch).to_pylist()
    assert row["score"] == pytest.approx(score)
    assert row["error"] == problem


def test_rows_without_a_score_are_left_out_on_demand(here):
    (here / "in.csv").write_bytes(BAD)
    summary = score_file(
        "in.csv",
        "out.jsonl",
        first_word_scorer(),
        table=TableOptions(encoding="utf-8"),
        errors=ErrorOptions("skip"),
    )
    assert read_back(here / "out.jsonl")["id"].to_pylist() == ["1", "3", "7"]
    assert (summary.rows, summary.left_out) == (7, 4)


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        (
            ErrorOptions("stop"),
            "in.csv can't be read: line 3: too few fields: "
            "give it a field for each column, empty where there is no value",
        ),
        (
            ErrorOptions(max_errors=3),
            "in.csv: 4 of the first 7 rows have no score: too few fields (1×), "
            "too many fields (1×), no words (1×); --max-errors allows 3: mend them, or allow more",
        ),
        (
            ErrorOptions("skip", 0),
            "in.csv: 4 of the first 7 rows have no score: too few fields (1×), "
            "too many fields (1×), no words (1×); --max-errors allows 0: mend them, or allow more",
        ),
    ],
)
def test_a_run_ends_at_an_error_or_after_a_number_of_them_and_leaves_no_output(here, errors, message):
    (here / "in.csv").write_bytes(BAD)
    with pytest.raises(InputError) as ended:
        score_file("in.csv", "out.csv", first_word_scorer(), table=TableOptions(encoding="utf-8"), errors=errors)
    assert str(ended.value) == message
    assert [path.name for path in here.iterdir()] == ["in.csv"]


def test_a_run_ends_at_a_row_that_cannot_be_scored_and_names_the_file_that_it_is_in(here):
    (here / "one.txt").write_text("great\nguys\n")
    (here / "two.txt").write_text("great\n\n")
    with pytest.raises(InputError) as ended:
        score_file(["one.txt", "two.txt"], "out.csv", first_word_scorer(), errors=ErrorOptions("stop"))
    assert str(ended.value) == "two.txt: row 2: no words: mend it, or keep such rows with --on-error keep"


def test_as_many_errors_as_are_allowed_end_no_run(here):
    (here / "in.csv").write_bytes(BAD)
    table = TableOptions(encoding="utf-8")
    summary = score_file("in.csv", "out.csv", first_word_scorer(), table=table, errors=ErrorOptions(max_errors=4))
    assert summary.rows == 7


def test_what_was_decided_by_what_a_file_looks_like_is_told(here):
    (here / "in.csv").write_bytes("id;text;n;n\n1;the café;2;3\n".encode("cp1252"))
    summary = score_file("in.csv", "out.csv", first_word_scorer())
    assert summary.notes == [
        "in.csv: read as cp1252; --encoding says otherwise",
        "in.csv: its columns are separated by a semicolon; --delimiter says otherwise",
        "in.csv: 2 of its columns are named 'n': from the second on they are n_2",
    ]


def test_where_no_column_holds_the_texts_it_is_told_how_the_columns_were_found(here):
    (here / "in.csv").write_text("great,5\nguys,1\n")
    with pytest.raises(InputError) as unlike:
        score_file("in.csv", None, first_word_scorer())
    assert str(unlike.value) == (
        "in.csv: no column is named 'text' and 2 hold strings: choose one with --text-column. The columns are "
        "'great', '5'; in.csv: its first line is taken for the columns' names, '5' for one; if not, say --no-header"
    )


@pytest.mark.parametrize("number", [-1, -5])
def test_a_number_of_errors_below_none_is_refused(number):
    with pytest.raises(OptionError) as refused:
        ErrorOptions(max_errors=number)
    assert str(refused.value) == f"the number of errors must be 0 or more. Received: {number}"


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


class GivenReader:
    """Stands for a reader of a file: yields batches, and has read a byte for each row."""

    name = "given"

    def __init__(self, batches):
        self._batches = batches
        self.schema = batches[0].schema
        self.size = self.total_rows = sum(batch.num_rows for batch in batches)
        self.position = 0
        self.mark = self.bounds = None
        self.names = [self.name]
        self.notes = []
        self.rows = [self.size]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def abandon(self):
        pass

    def text_column(self, name):
        return text_column(self.schema, name)

    def __iter__(self):
        for batch in self._batches:
            self.position += batch.num_rows
            yield batch


def scored_windows(batches, scorer, rows, size=1 << 20):
    """Return the windows of rows in which batches are scored, and the summary's rows and position after each."""
    windows, after = [], {}
    begin = Scorer.begin

    def watched(self, batches, pool):
        finish = begin(self, batches, pool)

        def results():
            scored = list(finish())
            windows.append(pa.Table.from_batches(scored))
            return scored

        return results

    with windows_of(rows, size), pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "open_reader", lambda *_: GivenReader(batches))
        patch.setattr(Scorer, "begin", watched)
        summary = score_file(
            "given", None, scorer, on_batch=lambda _, summary: after.update({summary.position: summary.rows})
        )
    assert summary.rows == sum(window.num_rows for window in windows)
    return windows, [(so_far, position) for position, so_far in after.items()]


def numbered(sizes):
    """Batches of so many rows, which are numbered throughout."""
    texts = ["great", "guys", None, "the guys", "great", "", "unknown"]
    batches, row = [], 0
    for size in sizes:
        rows = range(row, row + size)
        column = pa.array([texts[number % 7] for number in rows], pa.string())
        batches.append(pa.record_batch({"text": column, "row": pa.array(rows, pa.int64())}))
        row += size
    return batches


@settings(deadline=None, max_examples=60)
@given(sizes=st.lists(st.integers(0, 12), min_size=1, max_size=15).filter(any), rows=st.integers(1, 20))
def test_whatever_batches_a_file_is_read_in_its_rows_keep_their_order_and_their_scores(sizes, rows):
    batches = numbered(sizes)
    scorer = first_word_scorer()
    windows, after = scored_windows(batches, scorer, rows)
    assert pa.concat_tables(windows) == pa.Table.from_batches([scorer(batch) for batch in batches])
    assert all(window.num_rows <= max(rows, *sizes) for window in windows)
    assert {so_far for so_far, _ in after} == set(np.cumsum([window.num_rows for window in windows]).tolist())
    assert all(so_far == position for so_far, position in after)


def test_batches_are_gathered_until_the_next_one_would_be_too_many_rows():
    windows, _ = scored_windows(numbered([2, 2, 1, 3, 9, 1, 4]), first_word_scorer(), 5)
    assert [window.num_rows for window in windows] == [5, 3, 9, 5]


def test_batches_are_gathered_until_the_next_one_would_be_too_many_bytes():
    batches = [pa.record_batch({"text": ["great " * length]}) for length in (10, 10, 10, 100, 10, 10)]
    windows, _ = scored_windows(batches, first_word_scorer(), 1000, 150)
    assert [window.num_rows for window in windows] == [2, 1, 1, 2]


@pytest.mark.parametrize("index_type", [pa.int8(), pa.int32()])
def test_batches_whose_texts_are_dictionaries_are_gathered(index_type):
    dictionary = pa.dictionary(index_type, pa.string())
    batches = [
        pa.record_batch({"text": pa.array([f"{word} {row}" for row in range(100)]).cast(dictionary)})
        for word in ("great", "guys")
    ]
    windows, _ = scored_windows(batches, first_word_scorer(), 1000)
    scores = [value for window in windows for value in window.column("score").to_pylist()]
    assert scores == pytest.approx([0.4] * 100 + [0.8] * 100)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("rows", [1, 7, 100])
def test_a_file_of_many_windows_comes_out_whole_and_in_its_order(here, suffix, rows):
    table = pa.Table.from_batches(numbered([100, 60, 3]))
    pa.parquet.write_table(table, here / "in.parquet", row_group_size=30)
    with windows_of(rows):
        score_file("in.parquet", f"out{suffix}", first_word_scorer())
    written = read_back(here / f"out{suffix}")
    assert written["row"].to_pylist() == list(range(163))
    expected = first_word_scorer().score_columns(table["text"])["score"].to_pylist()
    assert written["score"].to_pylist() == pytest.approx(expected)


def many_sentences(number):
    random = np.random.default_rng(8)
    sentences = [" ".join(random.choice([*WORDS, "unknown"], size)) for size in random.integers(0, 30, number)]
    return [*sentences, *sentences[::7]]


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_number_of_workers_changes_not_a_bit_of_a_file(here, tiny_preset, suffix, precision):
    (here / "in.txt").write_text("\n".join(many_sentences(1000)) + "\n")
    written = set()
    for workers in (1, 2, 3):
        scorer = load(tiny_preset, device="cpu", precision=precision, workers=workers)
        with windows_of(300):
            score_file("in.txt", f"{workers}{suffix}", scorer)
        written.add((here / f"{workers}{suffix}").read_bytes())
    assert len(written) == 1


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".mbox"])
def test_the_number_of_workers_changes_not_a_bit_of_a_scored_mailbox(here, tiny_preset, monkeypatch, suffix):
    monkeypatch.setattr(mailworkers, "RANGE_BYTES", 10_000)
    messages = (f"{SEPARATOR}Subject: {row}\n\n{text}\n\n" for row, text in enumerate(many_sentences(300)))
    (here / "in.mbox").write_text("".join(messages))
    assert (here / "in.mbox").stat().st_size > 40_000  # which is enough for workers to be started
    written = set()
    for workers in (1, 2):
        score_file("in.mbox", f"{workers}{suffix}", load(tiny_preset, device="cpu", workers=workers))
        written.add((here / f"{workers}{suffix}").read_bytes())
    assert len(written) == 1


class FailingNetwork(FirstWordNetwork):
    """Has no room for a text that begins with guys."""

    def __init__(self, fails_while_reading):
        super().__init__(FIRST_WORD_SCORES)
        self._fails_while_reading = fails_while_reading

    def reading(self, ids):
        if self._fails_while_reading and 8 in ids:
            raise MemoryError("no room")
        read = super().reading(ids)

        def failing(starts, ends):
            if 8 in ids[starts]:
                raise MemoryError("no room")
            return read(starts, ends)

        return failing


@pytest.mark.parametrize("place", [0, 3, 60, 99])
@pytest.mark.parametrize("fails_while_reading", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_while_predicting_is_raised_as_it_is_and_leaves_no_output(
    here, fails_while_reading, place, threads
):
    scorer = Scorer(Preprocessor(WORDS), SentimentModel(FailingNetwork(fails_while_reading), Layout(8), threads))
    texts = ["great"] * 100
    texts[place] = "guys"
    pa.parquet.write_table(pa.table({"text": texts}), here / "in.parquet", row_group_size=4)
    (here / "kept.csv").write_text("kept")
    with windows_of(5):
        for output in ("new.csv", "new.parquet", "kept.csv"):
            with pytest.raises(MemoryError, match=r"^no room$"):
                score_file("in.parquet", output, scorer, overwrite=True)
        with pytest.raises(MemoryError, match=r"^no room$"):
            scorer.score(texts)
    assert {path.name for path in here.iterdir()} == {"in.parquet", "kept.csv"}
    assert (here / "kept.csv").read_text() == "kept"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_error_of_the_one_who_is_told_of_the_rows_ends_the_run_and_leaves_no_output(here, error):
    pa.parquet.write_table(pa.table({"text": ["great"] * 100}), here / "in.parquet", row_group_size=4)
    threads = threading.active_count()

    def told(scored, summary):
        if summary.rows > 20:
            raise error

    with windows_of(5), pytest.raises(error):
        score_file("in.parquet", "out.csv", first_word_scorer(), on_batch=told)
    assert {path.name for path in here.iterdir()} == {"in.parquet"}
    assert threading.active_count() == threads
