"""An explanation as a page of HTML that needs nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from textsent.display import visible
from textsent.errors import OutputError
from textsent.readers import STANDARD_STREAM

if TYPE_CHECKING:
    from textsent.explain import Explanation

TEMPLATE = "explanation.html"


def page(explanation: Explanation, words: int, model: str | None = None) -> str:
    """Return a page with the text, its words coloured by their effects, and tables of its sentences and words.

    The text stands there as text, whatever it holds, without control characters. The page has no script, and loads
    nothing.

    Args:
        explanation: What is shown.
        words: How many words are listed at most.
        model: The model's name.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("textsent", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["visible"] = visible
    return environment.get_template(TEMPLATE).render(
        explanation=explanation,
        strongest=max((abs(word.effect) for word in explanation.words), default=0.0) or 1.0,
        sentences=explanation.strongest_sentences(len(explanation.sentences)),
        words=explanation.strongest_words(words),
        model=model,
    )


def write_page(content: str, path: str | Path, overwrite: bool = False) -> None:
    """Write a page.

    Args:
        content: The page.
        path: Its file; `-` is standard output.
        overwrite: Replace a file of that name.

    Raises:
        OutputError: The file exists, or can't be written.
    """
    if str(path) == STANDARD_STREAM:
        sys.stdout.write(content)
        return
    try:
        with Path(path).open("w" if overwrite else "x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise OutputError(f"{path} exists already: choose another name, or replace it with --overwrite") from None
    except (OSError, ValueError) as exc:
        raise OutputError(f"{path} can't be written: {getattr(exc, 'strerror', None) or exc}") from exc
