import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import WORDS
from hypothesis import given, settings
from hypothesis import strategies as st

import textsent
from textsent.dataframe import score_frame, score_series
from textsent.errors import InputError, OptionError

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
    assert str(refused.value).endswith(f"must be strings. Received: {received}")


def test_a_number_among_texts_is_an_error_that_names_the_column(scorer):
    with pytest.raises(InputError) as refused:
        score_frame(pd.DataFrame({"body": ["great", 7]}), "body", model=scorer)
    assert str(refused.value).startswith("the column 'body' must hold texts: ")


def test_two_columns_of_texts_with_one_name_are_an_error(scorer):
    frame = pd.DataFrame([["great", "guys"]], columns=["text", "text"])
    with pytest.raises(InputError):
        score_frame(frame, model=scorer)


def test_a_prefix_stands_before_the_names_of_the_added_columns(scorer):
    frame = pd.DataFrame({"text": ["great"], "score": [7]})
    scored = score_frame(frame, model=scorer, prefix="our_")
    assert scored.columns.tolist() == ["text", "score", *(f"our_{name}" for name in ADDED)]
    assert scored["score"].tolist() == [7]


def test_a_column_that_has_an_added_ones_name_is_an_error_that_names_the_prefix(scorer):
    with pytest.raises(OptionError, match=r"the input already has the column 'score': .*prefix"):
        score_frame(pd.DataFrame({"text": ["great"], "score": [7]}), model=scorer)


def test_the_model_may_be_a_scorer_or_a_presets_folder(scorer, tiny_preset):
    frame = pd.DataFrame({"text": ["great service"]})
    for model in (tiny_preset, str(tiny_preset)):
        pd.testing.assert_frame_equal(score_frame(frame, model=model), score_frame(frame, model=scorer))


def test_a_neutral_band_of_the_scorer_counts_in_a_frame(tiny_preset):
    scorer = textsent.load(tiny_preset, device="cpu", neutral=(0, 1))
    assert score_frame(pd.DataFrame({"text": ["great"]}), model=scorer)["sentiment"].tolist() == ["neutral"]


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_a_series_of_texts_gives_a_series_of_scores_with_its_index(scorer, index):
    texts = pd.Series(["great service", None, "terrible", "..."], index, name="body")
    for scores in (score_series(texts, scorer), texts.textsent.score(scorer)):
        assert scores.name == "score"
        assert scores.dtype == np.float32
        pd.testing.assert_index_equal(scores.index, index)
        np.testing.assert_allclose(scores, scorer.score(texts.tolist()), atol=1e-6, rtol=0)


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
