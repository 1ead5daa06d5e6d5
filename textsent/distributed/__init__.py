"""Scoring on the machines of a cluster, on Ray Data and on Spark; each needs an extra of textsent.

from textsent.distributed import score_ray

scored = score_ray("s3://box/archive.mbox")
scored.write_parquet("s3://box/scored")

Importing this package imports neither of the engines.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textsent.distributed.ray import ray_errors, score_ray
    from textsent.distributed.spark import MailDataSource, score_spark, spark_errors

__all__ = ["MailDataSource", "ray_errors", "score_ray", "score_spark", "spark_errors"]

_HOMES = {
    "MailDataSource": "textsent.distributed.spark",
    "ray_errors": "textsent.distributed.ray",
    "score_ray": "textsent.distributed.ray",
    "score_spark": "textsent.distributed.spark",
    "spark_errors": "textsent.distributed.spark",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
