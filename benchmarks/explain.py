"""Whether the words that an explanation names are those that the score hangs on, and how long explaining takes.

python -m benchmarks --only explain [--model M] [--data train.parquet]

Measured by a deletion curve (Samek et al., "Evaluating the Visualization of What a Deep Neural Network Has
Learned", 2017; of texts DeYoung et al., "ERASER: A Benchmark to Evaluate Rationalized NLP Models", 2020, who call
it comprehensiveness): from each text a share of its words is deleted, those that support its verdict most by the
explanation, and the text is scored anew. Counted is by how much its log-odds move towards the other side, on
average, against DRAWS random choices of as many of its words. The words are deleted from the text itself, as a
person would, while an explanation makes them unknown ones: it isn't measured by its own means.

The texts are the positive and negative ones of `data/mail.csv` and, where the labelled film reviews are given,
REVIEWS of those that were held out in training. Their labels don't matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.domains import DATA, MAIL, NEUTRAL, read_set
from benchmarks.measure import Figure, in_turn
from textsent.odds import log_odds
from textsent.positions import word_parts

if TYPE_CHECKING:
    from textsent.explain import Explanation
    from textsent.positions import Part
    from textsent.score import Scorer

REVIEWS = 200
SHARES = (0.05, 0.1, 0.2)
DRAWS = 5
LEAST_RATIO = 2.0

Explainer = Callable[[Sequence[str]], "list[Explanation]"]


def figures(model: str, data: Path | None = None, rounds: int = 3) -> Iterator[Figure]:
    """Measure.

    Args:
        model: A shipped preset's name, or a preset's folder.
        data: The labelled film reviews that the model was trained on.
        rounds: How often the time is taken.
    """
    from textsent.score import load

    scorer = load(model, device="cpu")
    for name, texts in _sets(model, data):
        yield from faithfulness(name, texts, scorer, scorer.explain)
        words = int(scorer.preprocessor(texts).words.sum())
        of_scoring, of_explaining = in_turn(rounds, partial(scorer.score, texts), partial(scorer.explain, texts))
        took = median(of_explaining)
        yield _figure(f"{name}, {words / len(texts):.0f} words each: explained", len(texts) / took, "texts/s")
        yield _figure(f"{name}: time of explaining against that of scoring", took / median(of_scoring), "times")


def _sets(model: str, data: Path | None) -> Iterator[tuple[str, list[str]]]:
    mail = read_set(DATA / MAIL)
    yield "mail", [text for text, label in zip(mail.texts, mail.labels, strict=True) if label != NEUTRAL]
    if data:
        from textsent.datasets import read_labelled
        from textsent.parts import validation_part
        from textsent.presets import find_preset

        held_out = validation_part(read_labelled(data, part="train"), find_preset(model)).texts.to_pylist()
        drawn = np.random.default_rng(0).permutation(len(held_out))[:REVIEWS]
        yield "films held out", [held_out[row] for row in drawn]


def faithfulness(name: str, texts: Sequence[str], scorer: Scorer, explain: Explainer) -> Iterator[Figure]:
    """Yield how far scores move when words go that an explanation says support them, against any words.

    Args:
        name: Of the texts.
        texts: Those without a score don't count.
        scorer: What scores them.
        explain: What explains them, in Effect.start and Effect.end of `words`.
    """
    found = [explanation for explanation in explain(texts) if explanation.score is not None]
    own = [explanation.text or "" for explanation in found]
    odds = log_odds(scorer.score(own))
    sides = np.where(odds >= 0, 1, -1)
    parts = word_parts(own, scorer.preprocessor.settings)
    told, by_chance = [], []
    for share in SHARES:
        counts = [max(1, round(share * len(of_text))) for of_text in parts]
        supporting = [
            [(word.start, word.end) for word in _supporting(explanation, side)[:count]]
            for explanation, side, count in zip(found, sides, counts, strict=True)
        ]
        drawn = np.random.default_rng(0)
        random = [
            [_drawn(of_text, count, drawn) for of_text, count in zip(parts, counts, strict=True)]
            for _ in range(DRAWS)
        ]
        told.append(_moved(scorer, own, odds, sides, supporting))
        by_chance.append(mean(_moved(scorer, own, odds, sides, spans) for spans in random))
        percent = f"{name}: {share:.0%} of words deleted"
        yield _figure(f"{percent}, those that support most", told[-1], "log-odds")
        yield _figure(f"{percent}, any", by_chance[-1], "log-odds")
    yield _figure(
        f"{name}: those that support most against any", mean(told) / mean(by_chance), "times", LEAST_RATIO
    )


def _supporting(explanation: Explanation, side: int) -> Sequence[Part]:
    return sorted(explanation.words, key=lambda word: -side * word.effect)


def _drawn(parts: Sequence[Part], count: int, drawn: np.random.Generator) -> list[tuple[int, int]]:
    chosen = drawn.permutation(len(parts))[:count]
    return [(parts[number].start, parts[number].end) for number in chosen]


def _moved(
    scorer: Scorer,
    texts: Sequence[str],
    odds: np.ndarray,
    sides: np.ndarray,
    spans: Sequence[Sequence[tuple[int, int]]],
) -> float:
    """Return by how much log-odds move towards the other side without spans of the texts, on average.

    A text that has no score any more has lost all of its log-odds.
    """
    after = scorer.score([deleted(text, of_text) for text, of_text in zip(texts, spans, strict=True)])
    return float(((odds - np.nan_to_num(log_odds(after))) * sides).mean())


def deleted(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return a text without some of its spans, which are apart from each other."""
    kept, start = [], 0
    for begin, end in sorted(spans):
        kept.append(text[start:begin])
        start = end
    return "".join([*kept, text[start:]])


def _figure(what: str, value: float, unit: str, reach: float | None = None) -> Figure:
    return Figure("explain", what, value, unit, reach)
