"""Scores in pandas."""

from __future__ import annotations

from functools import lru_cache
from os import PathLike
from typing import Any

import pandas as pd
import pyarrow as pa

from textsent.errors import InputError
from textsent.schema import scored_schema
from textsent.score import DEFAULT_MODEL, Scorer, load


def score_frame(
    frame: pd.DataFrame,
    column: str = "text",
    *,
    model: str | PathLike[str] | Scorer | None = None,
    prefix: str = "",
) -> pd.DataFrame:
    """Return a copy of a frame with the columns sentiment, score, words, coverage and error after its own.

    Rows, index and the columns that came in stay as they are. A row whose text is None, NaN or empty gets no
    score and a reason in `error`.

    Args:
        frame: Any frame; its texts may be of type object, str, or Arrow's.
        column: The column of the texts.
        model: A shipped preset's name, a preset's folder, or a scorer; by default the shipped model.
        prefix: Put before the name of each added column.

    Raises:
        InputError: There is no such column, or it holds something else than text.
        OptionError: The frame has a column of an added one's name already.
    """
    if list(frame.columns).count(column) > 1:
        raise InputError(f"several columns of the frame are named {column!r}: rename them")
    if column not in frame.columns:
        raise InputError(
            f"the frame has no column {column!r}: name one with column=. "
            f"The columns are {', '.join(map(repr, frame.columns))}"
        )
    scored_schema(pa.schema([(str(name), pa.null()) for name in frame.columns]), prefix)
    added = _scorer(model).score_columns(_texts(frame[column])).to_pandas().set_axis(frame.index)
    added["score"] = added["score"].astype("float32")
    result = frame.copy()
    for name, values in added.items():
        result[f"{prefix}{name}"] = values
    return result


def score_series(series: pd.Series[Any], model: str | PathLike[str] | Scorer | None = None) -> pd.Series[Any]:
    """Return the probability that each text is positive, as a float32 Series named `score` with the same index.

    Where there is no score it is NaN.

    Args:
        series: Texts, of type object, str, or Arrow's.
        model: A shipped preset's name, a preset's folder, or a scorer; by default the shipped model.
    """
    return pd.Series(_scorer(model).score(_texts(series)), series.index, name="score")


def _texts(series: pd.Series[Any]) -> pa.Array:
    try:
        texts = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as exc:
        raise InputError(f"the column {series.name!r} must hold texts: {exc}") from exc
    except UnicodeEncodeError as exc:
        raise InputError(f"the column {series.name!r} holds half of a character: {exc}") from exc
    # A column of nothing but NaN, or of nothing at all, is one of numbers to pandas.
    return pa.nulls(len(texts), pa.string()) if texts.null_count == len(texts) else texts


def _scorer(model: str | PathLike[str] | Scorer | None) -> Scorer:
    return model if isinstance(model, Scorer) else _loaded(str(model or DEFAULT_MODEL))


@lru_cache(maxsize=4)
def _loaded(model: str) -> Scorer:
    return load(model)
