"""An explanation as a page of HTML that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textsent.page import filled

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
    return filled(
        TEMPLATE,
        explanation=explanation,
        strongest=explanation.largest_effect,
        sentences=explanation.strongest_sentences(len(explanation.sentences)),
        words=explanation.strongest_words(words),
        model=model,
    )
