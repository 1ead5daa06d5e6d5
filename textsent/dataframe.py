"""Scores in pandas."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

import pandas as pd
import pyarrow as pa

from textsent.errors import InputError, OptionError
from textsent.preprocess import first_wrong
from textsent.schema import is_text
from textsent.score import DEFAULT_MODEL, Scorer, loaded

_TO_TEXT = "choose another, or make texts of it with .astype('str') or by reading it with dtype='str'"
_FROM_BYTES = "choose another, or decode it with .str.decode('utf-8')"

_Model = str | PathLike[str] | Scorer | None


def score_frame(
    frame: pd.DataFrame,
    column: Hashable = "text",
    *,
    model: str | PathLike[str] | Scorer | None = None,
    prefix: str = "",
    progress: bool = False,
) -> pd.DataFrame:
    """Return a frame with the columns sentiment, score, words, coverage and error after its own.

    Rows, index and the columns that came in stay as they are, and so does the frame itself. A row whose text is
    None, NaN or empty gets no score and a reason in `error`. Texts that Arrow holds are not copied.

    Args:
        frame: Any frame; its texts may be of type object, str, string, category, or Arrow's.
        column: The column of the texts.
        model: A shipped preset's name, a preset's folder, or a scorer; by default the shipped model. The last four
            models that were named stay loaded.
        prefix: Put before the name of each added column.
        progress: Show how far it is, in a terminal as a bar on stderr, in a notebook as a line.

    Raises:
        InputError: There is no such column, or it holds something else than text.
        OptionError: The frame has a column of an added one's name already.
        PresetError: There is no such model.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"score_frame takes a DataFrame. Received: {_kind(frame)}{_advice(frame)}")
    with _rows(progress, len(frame)) as on_rows:
        return _scored(frame, column, _scorer(model), prefix, on_rows)


def score_frames(
    frames: Iterable[pd.DataFrame],
    column: Hashable = "text",
    *,
    model: str | PathLike[str] | Scorer | None = None,
    prefix: str = "",
    progress: bool = False,
) -> Iterator[pd.DataFrame]:
    """Return an iterator over frames as `score_frame` returns them, each scored when it is asked for.

    For what is too large for one frame: no more than one is held, so memory doesn't grow with their number::

        for chunk in textsent.score_frames(pd.read_csv("big.csv", chunksize=10_000, dtype={"text": "str"})):
            ...

    Args:
        frames: Frames, such as those that pandas reads with `chunksize`.
        column: The column of the texts.
        model: As of `score_frame`.
        prefix: Put before the name of each added column.
        progress: Show the number of rows so far, in a terminal on stderr or in a notebook.

    Raises:
        InputError: What comes is no frame, has no such column, or it holds something else than text.
        OptionError: A frame has a column of an added one's name already.
        PresetError: There is no such model.
    """
    if isinstance(frames, pd.DataFrame | pd.Series | str) or not isinstance(frames, Iterable):
        raise InputError(f"score_frames takes several DataFrames. Received: {_kind(frames)}{_advice(frames)}")
    scorer = _scorer(model)

    def scored() -> Iterator[pd.DataFrame]:
        with _rows(progress, None) as on_rows:
            for frame in frames:
                if not isinstance(frame, pd.DataFrame):
                    raise InputError(f"score_frames takes DataFrames. One of them is: {_kind(frame)}")
                yield _scored(frame, column, scorer, prefix, on_rows)

    return scored()


def score_series(series: pd.Series[Any], model: str | PathLike[str] | Scorer | None = None) -> pd.Series[Any]:
    """Return the probability that each text is positive, as a float32 Series named `score` with the same index.

    Where there is no score it is NaN.

    Args:
        series: Texts, of type object, str, string, category, or Arrow's.
        model: As of `score_frame`.

    Raises:
        InputError: The Series holds something else than text.
        PresetError: There is no such model.
    """
    return pd.Series(_scorer(model).score(_texts(series)), series.index, name="score")


def sentiment_of_series(
    series: pd.Series[Any], model: str | PathLike[str] | Scorer | None = None
) -> pd.Series[Any]:
    """Return `positive`, `negative` or `neutral` for each text, as a str Series named `sentiment`, the same index.

    Where there is no score it is NaN.

    Args:
        series: Texts, of type object, str, string, category, or Arrow's.
        model: As of `score_frame`. Which scores are neutral is its calibration's, or the scorer's `neutral`.

    Raises:
        InputError: The Series holds something else than text.
        PresetError: There is no such model.
    """
    sentiments = _scorer(model).score_columns(_texts(series)).column("sentiment")
    return pd.Series(sentiments.to_pandas().array, series.index, name="sentiment")


def explain_series(series: pd.Series[Any], model: str | PathLike[str] | Scorer | None = None) -> pd.Series[Any]:
    """Return what moved each text's score, as a Series of `Explanation` named `explanation`, with the same index.

    Args:
        series: Texts, of type object, str, string, category, or Arrow's.
        model: As of `score_frame`.

    Raises:
        InputError: The Series holds something else than text.
        PresetError: There is no such model.
    """
    explanations = _scorer(model).explain(_texts(series))
    return pd.Series(explanations, series.index, dtype=object, name="explanation")


def _scored(
    frame: pd.DataFrame, column: Hashable, scorer: Scorer, prefix: str, on_rows: Callable[[int], object] | None
) -> pd.DataFrame:
    names: list[Any] = frame.columns.tolist()
    if names.count(column) > 1:
        raise InputError(f"{names.count(column)} columns of the frame are named {column!r}: rename them")
    if column not in names:
        raise InputError(
            f"the frame has no column {column!r}: name one with column=. "
            f"The columns are {', '.join(map(repr, names)) or 'none'}"
        )
    levels = frame.columns.nlevels
    added = [
        prefix + name if levels == 1 else (prefix + name, *[""] * (levels - 1)) for name in scorer.added_columns
    ]
    clashes = [name for name in added if name in names]
    if clashes:
        raise OptionError(
            f"the frame already has the column{'s'[: len(clashes) > 1]} {', '.join(map(repr, clashes))}: "
            "give the added columns a prefix, for instance prefix='textsent_'"
        )
    scored = scorer.score_columns(_texts(frame[column]), on_rows).to_pandas().astype({"score": "float32"})
    result = frame.copy(deep=False)  # written to, either of them becomes a copy
    for name, source in zip(added, scored.columns, strict=True):
        result[name] = scored[source].array
    return result


def _texts(series: pd.Series[Any]) -> pa.Array | pa.ChunkedArray:
    name = "the Series" if series.name is None else f"the column {series.name!r}"
    try:
        texts = pa.array(series, from_pandas=True)
    except UnicodeEncodeError as exc:
        raise InputError(f"{name} holds half of a character: {exc}") from exc
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        raise InputError(f"{name} must hold texts. Received: {first_wrong(series)}: {_TO_TEXT}") from None
    # A column of nothing but NaN, or of nothing at all, is one of numbers to pandas.
    if texts.null_count == len(texts):
        return pa.nulls(len(texts), pa.string())
    if not is_text(texts.type):
        remedy = _FROM_BYTES if pa.types.is_binary(texts.type) else _TO_TEXT
        raise InputError(f"{name} must hold texts. Received: {texts.type}: {remedy}")
    return texts


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _advice(received: object) -> str:
    """Return what to call for what a function of this module doesn't take."""
    if isinstance(received, pd.Series):
        return ": call .textsent.score() on it"
    if isinstance(received, pd.DataFrame):
        return ": call score_frame"
    if isinstance(received, Iterator):
        return ": call score_frames for several"
    return ""


@contextmanager
def _rows(progress: bool, total: int | None) -> Iterator[Callable[[int], object] | None]:
    """Yield what is told how many more rows are scored; None where nobody watches."""
    if not progress:
        yield None
        return
    from rich.console import Console

    from textsent.progress import NotebookProgress, RowProgress

    console = Console(stderr=True)
    with NotebookProgress(total) if console.is_jupyter else RowProgress(console, total) as shown:
        yield shown.add


def _scorer(model: _Model) -> Scorer:
    return model if isinstance(model, Scorer) else loaded(DEFAULT_MODEL if model is None else str(model))
