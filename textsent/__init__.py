"""Scores the tone of e-mail and other text, in batches.

    import textsent

    textsent.load().score(["great service", "you guys are terrible"])
    textsent.score_frame(frame, column="text")
    frame["text"].textsent.score()
    textsent.TextsentClassifier().fit(texts, labels)

Importing this package imports neither Arrow nor pandas nor a model: the names below arrive when they are used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from textsent._accessor import register_when_pandas_is_imported

if TYPE_CHECKING:
    from textsent.classifier import TextsentClassifier as TextsentClassifier
    from textsent.dataframe import score_frame, score_frames
    from textsent.errors import TextsentError
    from textsent.files import ErrorOptions, score_file
    from textsent.mail import MailOptions
    from textsent.preprocess import Preprocessor
    from textsent.readers import open_reader
    from textsent.replies import own_words
    from textsent.score import Scorer, load
    from textsent.tables import TableOptions

__version__ = "0.1.0"

__all__ = [
    "ErrorOptions",
    "MailOptions",
    "Preprocessor",
    "Scorer",
    "TableOptions",
    "TextsentError",
    "__version__",
    "load",
    "open_reader",
    "own_words",
    "score_file",
    "score_frame",
    "score_frames",
]

_HOMES = {
    "ErrorOptions": "textsent.files",
    "MailOptions": "textsent.mail",
    "Preprocessor": "textsent.preprocess",
    "Scorer": "textsent.score",
    "TableOptions": "textsent.tables",
    "TextsentClassifier": "textsent.classifier",
    "TextsentError": "textsent.errors",
    "load": "textsent.score",
    "open_reader": "textsent.readers",
    "own_words": "textsent.replies",
    "score_file": "textsent.files",
    "score_frame": "textsent.dataframe",
    "score_frames": "textsent.dataframe",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    from importlib.util import find_spec

    # Not of __all__: where scikit-learn is missing, `from textsent import *` and help() must work all the same.
    return sorted([*__all__, *(["TextsentClassifier"] if find_spec("sklearn") else [])])


register_when_pandas_is_imported()
