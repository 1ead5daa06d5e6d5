"""Probabilities and their log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np

_Floats = np.ndarray[Any, np.dtype[np.float64]]


def log_odds(probabilities: np.ndarray[Any, Any]) -> _Floats:
    """Return the log-odds of probabilities: float64, of the same shape; those of 0 and 1 are about -16 and 16."""
    inner = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    return np.log(inner) - np.log1p(-inner)


def probabilities(odds: np.ndarray[Any, Any]) -> _Floats:
    """Return the probabilities, 0 … 1, whose log-odds these are: float64, of the same shape."""
    with np.errstate(over="ignore"):  # infinity gives 0, as it should
        return 1 / (1 + np.exp(-np.asarray(odds, np.float64)))
