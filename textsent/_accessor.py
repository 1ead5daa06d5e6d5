"""Gives pandas the accessor `Series.textsent` without importing pandas.

A program may import textsent before pandas, and pandas takes half a second to import, so the accessor is
registered as soon as pandas is there and not before.
"""

import importlib.util
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def register_when_pandas_is_imported() -> None:
    """Register the accessor now if pandas is imported already, else right after it will be."""
    if "pandas" in sys.modules:
        _register(sys.modules["pandas"])
    else:
        sys.meta_path.insert(0, _PandasFinder())


class _PandasFinder(MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name != "pandas":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                _register(module)

            spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec


def _register(pandas: ModuleType) -> None:
    class TextsentAccessor:
        """The tone of a Series of texts."""

        def __init__(self, series: Any) -> None:
            self._series = series

        def score(self, model: Any = None) -> Any:
            """Return the probability that each text is positive; see `textsent.dataframe.score_series`."""
            from textsent.dataframe import score_series

            return score_series(self._series, model)

    pandas.api.extensions.register_series_accessor("textsent")(TextsentAccessor)
