"""Scores the tone of e-mail and other text, in batches.

    import textsent

    textsent.load().score(["great service", "you guys are terrible"])
    textsent.score_frame(frame, column="text")
    frame["text"].textsent.score()

Importing this package imports neither Arrow nor pandas nor a model: the names below arrive when they are used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from textsent._accessor import register_when_pandas_is_imported

if TYPE_CHECKING:
    from textsent.dataframe import score_frame
    from textsent.errors import TextsentError
    from textsent.mail import MailOptions
    from textsent.preprocess import Preprocessor
    from textsent.readers import open_reader
    from textsent.replies import own_words
    from textsent.score import Scorer, load, score_file

__version__ = "0.1.0"

__all__ = [
    "MailOptions",
    "Preprocessor",
    "Scorer",
    "TextsentError",
    "__version__",
    "load",
    "open_reader",
    "own_words",
    "score_file",
    "score_frame",
]

_HOMES = {
    "MailOptions": "textsent.mail",
    "Preprocessor": "textsent.preprocess",
    "Scorer": "textsent.score",
    "TextsentError": "textsent.errors",
    "load": "textsent.score",
    "open_reader": "textsent.readers",
    "own_words": "textsent.replies",
    "score_file": "textsent.score",
    "score_frame": "textsent.dataframe",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


register_when_pandas_is_imported()
