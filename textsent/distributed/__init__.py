"""Scoring on the machines of a cluster, by engines that are made for that.

from textsent.distributed import score_ray

scored = score_ray("s3://box/archive.mbox")
scored.write_parquet("s3://box/scored")

Importing this package imports neither of the engines.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textsent.distributed.ray import score_ray

__all__ = ["score_ray"]

_HOMES = {"score_ray": "textsent.distributed.ray"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
