"""Gives pandas the accessor `Series.textsent` without importing pandas.

A program may import textsent before pandas, and pandas takes half a second to import, so the accessor is
registered as soon as pandas is there and not before.
"""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def register_when_pandas_is_imported() -> None:
    """Register the accessor now if pandas is imported already, else right after it will be."""
    if "pandas" in sys.modules:
        _register(sys.modules["pandas"])
    else:
        sys.meta_path.insert(0, _PandasFinder())


def hide_pandas() -> None:
    """Make importing pandas fail from now on, as if it weren't installed, unless it is imported already.

    For a process that has no use for it: pyarrow imports it, which takes longer than scoring a mailbox, only to
    ask whether a list is a Series.
    """
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandasFinder())


def show_pandas() -> None:
    """Let pandas be imported again: PyTorch looks for it, and stumbles where that fails."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _NoPandasFinder)]


class _PandasFinder:  # no importlib.abc.MetaPathFinder: that module takes longer to import than all of this
    _asking = False  # the other finders, which are asked through this one too

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name != "pandas" or self._asking:
            return None
        self._asking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._asking = False
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                sys.meta_path.remove(self)
                execute(module)
                _register(module)

            spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec


class _NoPandasFinder:
    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is hidden from the command line", name=name)


def _register(pandas: ModuleType) -> None:
    class TextsentAccessor:
        """The tone of a Series of texts.

        Each method takes a model: a shipped preset's name, a preset's folder, or a scorer; by default the shipped
        model. Those that were named last stay loaded.
        """

        def __init__(self, series: Any) -> None:
            self._series = series

        def score(self, model: Any = None) -> Any:
            """Return the probability that each text is positive: float32, 0 … 1, NaN where there is no score."""
            from textsent.dataframe import score_series

            return score_series(self._series, model)

        def sentiment(self, model: Any = None) -> Any:
            """Return `positive`, `negative` or `neutral` for each text, NaN where there is no score."""
            from textsent.dataframe import sentiment_of_series

            return sentiment_of_series(self._series, model)

        def explain(self, model: Any = None) -> Any:
            """Return what moved each text's score: a Series of `textsent.explain.Explanation`."""
            from textsent.dataframe import explain_series

            return explain_series(self._series, model)

    pandas.api.extensions.register_series_accessor("textsent")(TextsentAccessor)
