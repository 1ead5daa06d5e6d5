"""Scoring by many machines, on Ray Data and on Spark; each needs an extra of textsent."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textsent.distributed.spark import MailDataSource, score_spark, spark_errors

__all__ = ["MailDataSource", "score_spark", "spark_errors"]

_HOMES = {
    "MailDataSource": "textsent.distributed.spark",
    "score_spark": "textsent.distributed.spark",
    "spark_errors": "textsent.distributed.spark",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
