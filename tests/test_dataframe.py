import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import WORDS
from hypothesis import given, settings
from hypothesis import strategies as st

import textsent
from textsent.dataframe import score_frame, score_frames, score_series
from textsent.errors import InputError, OptionError, PresetError
from textsent.presets import CONFIG_FILE, new_preset, read_json, write_json
from textsent.score import load

REMEDY = "choose another, or make texts of it with .astype('str') or by reading it with dtype='str'"
ADDED = ["sentiment", "score", "words", "coverage", "error"]


@pytest.fixture(scope="module")
def scorer(tiny_preset):
    return textsent.load(tiny_preset, device="cpu")


INDEXES = {
    "range": pd.RangeIndex(4),
    "stepped": pd.RangeIndex(10, 2, -2, name="down"),
    "duplicates": pd.Index([3, 1, 3, 1], name="twice"),
    "strings": pd.Index(["d", "a", "c", "a"]),
    "with a gap": pd.Index([1.0, np.nan, np.nan, 2.0]),
    "dates": pd.DatetimeIndex(["2026-02-03", "2026-02-01", "2026-02-01", "2026-02-02"], tz="UTC"),
    "of two levels": pd.MultiIndex.from_tuples([("a", 1), ("a", 1), ("b", 0), ("a", 2)], names=["one", "two"]),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_index_order_columns_and_types_stay_as_they_are(scorer, index):
    frame = pd.DataFrame(
        {
            "number": np.array([4, 3, 2, 1], np.int8),
            "text": ["great service", None, "terrible", "..."],
            "day": pd.to_datetime(["2026-01-04", "2026-01-03", None, "2026-01-01"]),
            "kind": pd.Categorical(["a", "b", "a", "a"]),
            "thing": [object(), (1, 2), None, "x"],
            7: [0.5, np.nan, 1, 2],
        },
        index=index,
    )
    before = frame.copy(deep=True)
    scored = score_frame(frame, model=scorer)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(scored[before.columns], before)
    assert scored.columns.tolist() == [*before.columns, *ADDED]
    pd.testing.assert_index_equal(scored.index, index)
    expected = scorer.score(["great service", None, "terrible", "..."])
    np.testing.assert_allclose(scored["score"], expected, atol=1e-6, rtol=0)
    assert scored["error"].iloc[[1, 3]].tolist() == ["no text", "no words"]


def test_the_added_columns_have_the_types_of_scores_counts_and_strings(scorer):
    scored = score_frame(pd.DataFrame({"text": ["great", None]}), model=scorer)
    assert scored["score"].dtype == scored["coverage"].dtype == np.float32
    assert scored["words"].dtype == np.int32
    assert scored["sentiment"].dtype == scored["error"].dtype == pd.Series(["a", None]).dtype
    assert scored.iloc[1].isna().tolist() == [True, True, True, False, True, False]


@pytest.mark.parametrize(
    "dtype",
    [
        "object",
        "str",
        "string",
        pd.StringDtype("python"),
        pd.StringDtype("pyarrow"),
        pd.ArrowDtype(pa.string()),
        pd.ArrowDtype(pa.large_string()),
        pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())),
        "category",
    ],
    ids=str,
)
def test_texts_may_be_of_any_string_type_and_missing_in_any_way(scorer, dtype):
    texts = pd.Series(["great service", None, "the guys", float("nan"), pd.NA], dtype=dtype)
    scored = score_frame(pd.DataFrame({"text": texts}), model=scorer)
    expected = scorer.score(["great service", None, "the guys", None, None])
    np.testing.assert_allclose(scored["score"], expected, atol=1e-6, rtol=0)
    assert scored["error"].fillna("").tolist() == ["", "no text", "", "no text", "no text"]
    pd.testing.assert_series_equal(scored["text"], texts, check_names=False)


@settings(deadline=None, max_examples=30)
@given(texts=st.lists(st.one_of(st.none(), st.text(max_size=8), st.sampled_from(WORDS)), max_size=8))
def test_a_row_scores_what_its_text_scores_alone(scorer, texts):
    scored = score_frame(pd.DataFrame({"text": pd.Series(texts, dtype=object)}), model=scorer)
    np.testing.assert_allclose(scored["score"], scorer.score(texts), atol=1e-6, rtol=0)
    assert len(scored) == len(texts)


def test_a_frame_without_rows_keeps_its_columns_and_gets_the_added_ones(scorer):
    frame = pd.DataFrame({"text": pd.Series([], dtype=str), "number": pd.Series([], dtype=np.int8)})
    scored = score_frame(frame, model=scorer)
    assert len(scored) == 0
    assert scored.columns.tolist() == ["text", "number", *ADDED]
    assert scored["number"].dtype == np.int8


def test_a_column_that_is_missing_throughout_has_no_scores_whatever_its_type(scorer):
    for nothing in ([None, None], [np.nan, np.nan]):
        scored = score_frame(pd.DataFrame({"text": nothing}), model=scorer)
        assert scored["error"].tolist() == ["no text", "no text"]


def test_another_column_may_be_named(scorer):
    scored = score_frame(pd.DataFrame({"text": ["guys"], "body": ["great"]}), "body", model=scorer)
    assert scored["score"].tolist() == pytest.approx(scorer.score(["great"]).tolist())


def test_a_column_that_is_not_there_is_an_error_that_lists_the_columns(scorer):
    with pytest.raises(InputError) as missing:
        score_frame(pd.DataFrame({"body": ["great"], 7: [1]}), model=scorer)
    assert str(missing.value) == "the frame has no column 'text': name one with column=. The columns are 'body', 7"


@pytest.mark.parametrize(
    ("numbers", "received"), [([1, 2], "int64"), ([1.5, None], "double"), ([True, False], "bool")]
)
def test_a_column_of_numbers_is_an_error(scorer, numbers, received):
    with pytest.raises(InputError) as refused:
        score_frame(pd.DataFrame({"text": numbers}), model=scorer)
    assert str(refused.value) == f"the column 'text' must hold texts. Received: {received}: {REMEDY}"


@pytest.mark.parametrize(
    "value", [7, 10**40, 7.5, True, ("great",), {"great": 1}, ["great"], pd.Timestamp(0), pd.DataFrame({"a": [1]})]
)
def test_what_is_no_text_among_texts_is_an_error_that_names_column_row_and_remedy(scorer, value):
    frame = pd.DataFrame({"body": pd.Series(["great", None, value, "guys"], dtype=object)})
    with pytest.raises(InputError) as refused:
        score_frame(frame, "body", model=scorer)
    received = f"{type(value).__name__} in row 2"
    assert str(refused.value) == f"the column 'body' must hold texts. Received: {received}: {REMEDY}"


def test_the_remedies_help(scorer):
    encoded = pd.DataFrame({"text": pd.Series([b"great", None], dtype=object)})
    with pytest.raises(InputError) as refused:
        score_frame(encoded, model=scorer)
    remedy = "choose another, or decode it with .str.decode('utf-8')"
    assert str(refused.value) == f"the column 'text' must hold texts. Received: binary: {remedy}"
    decoded = encoded.assign(text=encoded["text"].str.decode("utf-8"))
    assert score_frame(decoded, model=scorer)["score"].notna().tolist() == [True, False]
    frame = pd.DataFrame({"text": pd.Series(["great", None, 7], dtype=object)})
    scored = score_frame(frame.assign(text=frame["text"].astype("str")), model=scorer)
    assert scored["error"].fillna("").tolist() == ["", "no text", "no known words"]


def test_two_columns_of_texts_with_one_name_are_an_error(scorer):
    frame = pd.DataFrame([["great", "guys"]], columns=["text", "text"])
    with pytest.raises(InputError, match=r"^2 columns of the frame are named 'text': rename them$"):
        score_frame(frame, model=scorer)


def test_two_other_columns_of_one_name_stay(scorer):
    frame = pd.DataFrame([["great", 1, 2]], columns=["text", "number", "number"])
    assert score_frame(frame, model=scorer).columns.tolist() == ["text", "number", "number", *ADDED]


def test_a_column_of_several_levels_is_named_by_all_of_them(scorer):
    frame = pd.DataFrame([["great", 1]], columns=pd.MultiIndex.from_tuples([("mail", "text"), ("mail", "size")]))
    scored = score_frame(frame, ("mail", "text"), model=scorer)
    assert scored[("score", "")].tolist() == pytest.approx(scorer.score(["great"]).tolist())
    with pytest.raises(InputError, match=r"^the frame has no column 'mail': "):
        score_frame(frame, "mail", model=scorer)


@pytest.mark.parametrize(
    ("received", "message"),
    [
        (pd.Series(["great"]), "Series: call .textsent.score() on it"),
        (iter([pd.DataFrame({"text": ["great"]})]), "list_iterator: call score_frames for several"),
        (["great"], "list"),
        ("mail.csv", "str"),
        (None, "None"),
    ],
)
def test_what_is_no_frame_is_an_error_that_says_what_to_call(scorer, received, message):
    with pytest.raises(InputError) as refused:
        score_frame(received, model=scorer)
    assert str(refused.value) == f"score_frame takes a DataFrame. Received: {message}"


@pytest.mark.parametrize("dtype", ["str", "string[pyarrow]", pd.ArrowDtype(pa.string()), "category"])
def test_texts_that_arrow_holds_are_not_copied(scorer, dtype):
    text = "great service " * 100
    texts = pd.Series([text] * 40_000, dtype=dtype)
    frame = pd.DataFrame({"text": pd.concat([texts, texts]) if dtype != "category" else texts})
    assert len(text) * len(frame) > 50_000_000
    pool, before = pa.system_memory_pool(), pa.default_memory_pool()
    assert pool.backend_name != before.backend_name  # what it has held at most is of this test alone
    pa.set_memory_pool(pool)
    try:
        scored = score_frame(frame, model=scorer)
    finally:
        pa.set_memory_pool(before)
    assert 0 < pool.max_memory() < 20_000_000
    assert scored["score"].nunique() == 1


def test_the_frame_that_comes_out_is_another_one(scorer):
    frame = pd.DataFrame({"text": ["great", "guys"], "number": [1, 2]})
    scored = score_frame(frame, model=scorer)
    scored.loc[0, "number"] = 7
    scored.loc[0, "text"] = "else"
    assert frame["number"].tolist() == [1, 2]
    assert frame["text"].tolist() == ["great", "guys"]


def test_frames_are_scored_one_by_one_as_they_are_asked_for(scorer, tmp_path):
    frame = pd.DataFrame({"id": range(10), "text": ["great service", "terrible"] * 5})
    frame.to_csv(tmp_path / "all.csv", index=False)
    taken = []

    def chunks():
        for chunk in pd.read_csv(tmp_path / "all.csv", chunksize=4):
            taken.append(len(chunk))
            yield chunk

    scored = score_frames(chunks(), model=scorer)
    assert taken == []
    first = next(scored)
    assert taken == [4]
    pd.testing.assert_frame_equal(pd.concat([first, *scored]), score_frame(frame, model=scorer))
    assert taken == [4, 4, 2]


def test_chunks_have_the_same_types_whatever_they_hold(scorer):
    chunks = [pd.DataFrame({"text": pd.Series(texts, dtype="str")}) for texts in (["great"], [None], ["..."], [])]
    types = {tuple(map(str, scored.dtypes)) for scored in score_frames(chunks, model=scorer)}
    assert types == {("str", "str", "float32", "int32", "float32", "str")}


@pytest.mark.parametrize(
    ("received", "message"),
    [
        (pd.DataFrame({"text": ["great"]}), "DataFrame: call score_frame"),
        (pd.Series(["great"]), "Series: call .textsent.score() on it"),
        ("mail.csv", "str"),
        (None, "None"),
    ],
)
def test_what_is_not_several_frames_is_an_error_at_once(scorer, received, message):
    with pytest.raises(InputError) as refused:
        score_frames(received, model=scorer)
    assert str(refused.value) == f"score_frames takes several DataFrames. Received: {message}"


def test_a_chunk_that_is_no_frame_is_an_error_in_its_place(scorer):
    scored = score_frames([pd.DataFrame({"text": ["great"]}), "great"], model=scorer)
    assert len(next(scored)) == 1
    with pytest.raises(InputError, match=r"^score_frames takes DataFrames. One of them is: str$"):
        next(scored)


def test_a_model_that_is_not_there_is_an_error_before_the_first_chunk(tmp_path):
    with pytest.raises(PresetError):
        score_frames([], model=tmp_path / "nowhere")


def test_progress_shows_in_a_terminal_where_it_is_asked_for_and_leaves_nothing(scorer, capsys, monkeypatch):
    frame = pd.DataFrame({"text": ["great service"] * 5000})
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    score_frame(frame, model=scorer)
    list(score_frames([frame], model=scorer))
    assert capsys.readouterr() == ("", "")
    score_frame(frame, model=scorer, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "5,000 of 5,000 rows" in err
    assert sum(len(chunk) for chunk in score_frames([frame, frame], model=scorer, progress=True)) == 10_000
    assert "10,000 rows" in capsys.readouterr().err
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    score_frame(frame, model=scorer, progress=True)
    assert capsys.readouterr() == ("", "")


def test_a_prefix_stands_before_the_names_of_the_added_columns(scorer):
    frame = pd.DataFrame({"text": ["great"], "score": [7]})
    scored = score_frame(frame, model=scorer, prefix="our_")
    assert scored.columns.tolist() == ["text", "score", *(f"our_{name}" for name in ADDED)]
    assert scored["score"].tolist() == [7]


def test_a_column_that_has_an_added_ones_name_is_an_error_that_names_the_prefix(scorer):
    with pytest.raises(
        OptionError, match=r"^the frame already has the column 'score': .*, for instance prefix='textsent_'$"
    ):
        score_frame(pd.DataFrame({"text": ["great"], "score": [7]}), model=scorer)


def test_the_model_may_be_a_scorer_or_a_presets_folder(scorer, tiny_preset):
    frame = pd.DataFrame({"text": ["great service"]})
    for model in (tiny_preset, str(tiny_preset)):
        pd.testing.assert_frame_equal(score_frame(frame, model=model), score_frame(frame, model=scorer))


def test_a_neutral_band_of_the_scorer_counts_in_a_frame(tiny_preset):
    scorer = textsent.load(tiny_preset, device="cpu", neutral=(0, 1))
    assert score_frame(pd.DataFrame({"text": ["great"]}), model=scorer)["sentiment"].tolist() == ["neutral"]


def test_progress_in_a_notebook_is_a_line_that_stays(scorer, monkeypatch):
    lines = []
    shown = SimpleNamespace(update=lambda data, raw: lines.append(data["text/plain"]))

    def display(data, raw, display_id):
        shown.update(data, raw)
        return shown

    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    score_frame(pd.DataFrame({"text": ["great service"] * 5000}), model=scorer, progress=True)
    assert lines[0] == "0 of 5,000 rows, 0 rows/s"
    assert lines[-1].startswith("5,000 of 5,000 rows, ")


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_a_series_of_texts_gives_a_series_of_scores_with_its_index(scorer, index):
    texts = pd.Series(["great service", None, "terrible", "..."], index, name="body")
    for scores in (score_series(texts, scorer), texts.textsent.score(scorer)):
        assert scores.name == "score"
        assert scores.dtype == np.float32
        pd.testing.assert_index_equal(scores.index, index)
        np.testing.assert_allclose(scores, scorer.score(texts.tolist()), atol=1e-6, rtol=0)


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_a_series_of_texts_gives_a_series_of_sentiments_with_its_index(scorer, index):
    texts = pd.Series(["great service", None, "terrible", "..."], index, name="body")
    sentiments = texts.textsent.sentiment(scorer)
    pd.testing.assert_index_equal(sentiments.index, index)
    expected = score_frame(texts.to_frame(), "body", model=scorer)["sentiment"]
    pd.testing.assert_series_equal(sentiments, expected)
    assert sentiments.isna().tolist() == [False, True, False, True]


def test_texts_are_explained_each_where_it_stood():
    series = pd.Series(["a terrible waste of money", None, "a terrible waste of money"], [3, 3, 1])
    explained = series.textsent.explain()
    assert (explained.name, explained.dtype, explained.index.tolist()) == ("explanation", object, [3, 3, 1])
    first, nothing, again = explained
    assert min(first.words, key=lambda word: word.effect).text in ("terrible", "waste")
    assert nothing.error == "no text"
    assert again == first


def test_a_model_stays_loaded_until_its_preset_changes(tiny_preset, tmp_path, monkeypatch):
    preset = shutil.copytree(tiny_preset, tmp_path / "model")
    loads = []
    monkeypatch.setattr(
        "textsent.score.load", lambda *args, **settings: loads.append(args) or load(*args, **settings)
    )
    texts = pd.Series(["great service"])
    first = texts.textsent.score(preset)
    for _ in range(3):
        texts.textsent.sentiment(str(preset))
    assert len(loads) == 1
    config = read_json(preset / CONFIG_FILE)
    with new_preset(preset) as folder:
        shutil.copytree(tiny_preset, folder, dirs_exist_ok=True)
        write_json(folder / CONFIG_FILE, {**config, "calibration": {"temperature": 1.0, "bias": 2.0}})
    assert (texts.textsent.score(preset) > first).all()
    assert len(loads) == 2


def test_a_series_of_numbers_has_no_scores(scorer):
    with pytest.raises(InputError):
        pd.Series([1, 2]).textsent.score(scorer)


@pytest.mark.parametrize(
    "imports",
    [
        "import pandas, textsent",
        "import textsent, pandas",
        "import textsent.cli, pandas",
        "import textsent; from pandas import Series",
        "import textsent, importlib.util; importlib.util.find_spec('pandas'); import pandas",
    ],
)
def test_the_accessor_is_there_whichever_is_imported_first(tiny_preset, imports):
    code = (
        f"{imports}\n"
        "import pandas, sys\n"
        "scores = pandas.Series(['great', None]).textsent.score(sys.argv[1])\n"
        "print(scores.isna().tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tiny_preset], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout == "[False, True]\n", done.stderr


def test_the_import_of_the_package_leaves_pandas_alone():
    code = "import sys, textsent; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "False\n"
