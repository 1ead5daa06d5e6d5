"""How a model behaves: minimal pairs of texts, each with what the two scores must do.

python -m benchmarks.behaviour [--model M] [--format table|markdown|json|failures]

After CheckList (Ribeiro, Wu, Guestrin and Singh, "Beyond Accuracy: Behavioral Testing of NLP Models with
CheckList", ACL 2020), with pairs of this project's own in `data/behaviour.csv`. Its three kinds of test:

- functionality: each of the two texts has a verdict that it must get: positive, negative, neutral, not negative or
  not positive. A pair passes if both do. Neutral are scores within the scorer's neutral band, its ends included; a
  scorer without one is judged by a band from 1/3 to 2/3, as CheckList judges two-class models. So a text that is
  expected to be positive fails where its score is 0.6.
- invariance: the texts say the same, and nothing of importance may move. A pair passes by CheckList's rule: the
  verdict stays, or the score moves by 0.1 at most.
- direction: the second text must be `higher` or `lower` than the first by MARGIN, unless both are already within
  MARGIN of that end of the scale; or it must be `not lower` or `not higher`, by more than 0.1.

Beside the share of pairs that pass stand three others. `by text` is CheckList's way to count: each text of
functionality is a test of its own, and so is each pair of the other kinds. `strict`: of invariance, the verdict
stays and the score moves by less than 0.1; of direction, no allowance is made. `by 0.5`: of functionality, the
verdicts are positive, from 0.5 on, and negative; texts that are expected to be neutral don't count.

A text that a model gives no score fails what is asked of it.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measure import Figure
from benchmarks.texts import MODEL
from textsent.errors import InputError, TextsentError

if TYPE_CHECKING:
    from textsent.score import Scorer

PAIRS = Path(__file__).parent / "data" / "behaviour.csv"

NEUTRAL_BAND = (1 / 3, 2 / 3)
"""Of scorers that have none of their own: what CheckList calls neutral of a two-class model."""

TOLERANCE = 0.1
"""How far a score may move where it shouldn't, as in CheckList."""

MARGIN = 0.05
"""How far a score must move where it should."""

FUNCTIONALITY, INVARIANCE, DIRECTION = "functionality", "invariance", "direction"
VERDICTS = ("positive", "negative", "neutral", "not positive", "not negative")
EXPECTED = {
    FUNCTIONALITY: VERDICTS,
    INVARIANCE: ("same",),
    DIRECTION: ("higher", "lower", "not higher", "not lower"),
}
"""What may be expected of a pair's second text, by kind; of its first text in functionality alone."""

ALL = "all"
_COLUMNS = ("capability", "kind", "pairs", "passed", "by text", "strict", "by 0.5")
REACH = 85  # % of the pairs, of a model that is shipped


@dataclass(frozen=True)
class Pair:
    """Two texts that differ in little, and what is expected of them; a row of the data file.

    Attributes:
        id: Names the pair: its capability and a number.
        capability: What a model must be capable of to pass.
        kind: A key of EXPECTED.
        expected_first: The verdict on the first text; empty where the kind isn't functionality.
        expected_second: The verdict on the second text, or what it does against the first.
        first: A text.
        second: The same text, changed.
    """

    id: str
    capability: str
    kind: str
    expected_first: str
    expected_second: str
    first: str
    second: str

    def __post_init__(self) -> None:
        if self.kind not in EXPECTED:
            raise InputError(f"{self.id}: the kind must be one of {', '.join(EXPECTED)}. Received: {self.kind!r}")
        allowed = VERDICTS if self.kind == FUNCTIONALITY else ("",)
        for value, choices in ((self.expected_first, allowed), (self.expected_second, EXPECTED[self.kind])):
            if value not in choices:
                names = ", ".join(name or "nothing" for name in choices)
                raise InputError(f"{self.id}: {self.kind} expects one of {names}. Received: {value!r}")


def read_pairs(path: Path = PAIRS) -> list[Pair]:
    """Return the pairs of a CSV file with the columns that `Pair` has, in their order.

    Raises:
        InputError: Columns or values are missing, or a row expects what its kind can't.
    """
    names = list(Pair.__dataclass_fields__)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != names:
            raise InputError(f"{path} must have the columns {', '.join(names)}. Received: {reader.fieldnames}")
        rows = list(reader)
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise InputError(f"{path}, row {number}: must have {len(names)} values. Received: {row}")
    return [Pair(**row) for row in rows]


@dataclass(frozen=True)
class Outcome:
    """What came of a pair.

    Attributes:
        pair: The pair.
        first: Score of the first text, 0 negative to 1 positive; NaN without one.
        second: Score of the second text.
        passed: Whether the pair passes.
        tests: Whether each test in it passes: two texts of functionality, or the pair.
        strict: Whether it passes by the strict rule; None of functionality.
        by_half: Whether it passes with 0.5 between positive and negative; None where no text is expected to be
            either, and of other kinds than functionality.
    """

    pair: Pair
    first: float
    second: float
    passed: bool
    tests: tuple[bool, ...]
    strict: bool | None = None
    by_half: bool | None = None

    def __str__(self) -> str:
        pair = self.pair
        return "\n".join(
            f"{name:<32} {expected:<13} {score:.3f}  {' '.join(text.split())}"
            for name, expected, score, text in (
                (pair.id, pair.expected_first, self.first, pair.first),
                ("", pair.expected_second, self.second, pair.second),
            )
        )


def run(scorer: Scorer) -> list[Outcome]:
    """Return what comes of each pair of the data file, by the scorer's neutral band or else by NEUTRAL_BAND."""
    pairs = read_pairs()
    scores = scorer.score([text for pair in pairs for text in (pair.first, pair.second)])
    band = scorer.neutral or scorer.model.calibration.neutral
    return judge(pairs, scores.reshape(-1, 2), band if isinstance(band, tuple) else NEUTRAL_BAND)


def judge(pairs: Sequence[Pair], scores: np.ndarray, band: tuple[float, float] = NEUTRAL_BAND) -> list[Outcome]:
    """Return what comes of each pair.

    Args:
        pairs: The pairs.
        scores: Those of their texts: float, 0 … 1 or NaN, shape (pairs, 2).
        band: Scores from the first to the second value are neutral.
    """
    scored = zip(pairs, scores, strict=True)
    return [_outcome(pair, float(first), float(second), band) for pair, (first, second) in scored]


def verdict(score: float, band: tuple[float, float]) -> str | None:
    """Return `positive`, `negative` or, from the band's low end to its high end, `neutral`; None of NaN."""
    if np.isnan(score):
        return None
    low, high = band
    return "negative" if score < low else "positive" if score > high else "neutral"


def _outcome(pair: Pair, first: float, second: float, band: tuple[float, float]) -> Outcome:
    if pair.kind == FUNCTIONALITY:
        expected = ((pair.expected_first, first), (pair.expected_second, second))
        tests = tuple(_meets(verdict(score, band), wanted) for wanted, score in expected)
        halves = [_meets(_half(score), wanted) for wanted, score in expected if wanted != "neutral"]
        return Outcome(pair, first, second, all(tests), tests, by_half=all(halves) if halves else None)
    if pair.kind == INVARIANCE:
        passed, strict = _stays(first, second, band)
    else:
        passed, strict = _moves(pair.expected_second, first, second)
    return Outcome(pair, first, second, passed, (passed,), strict)


def _stays(first: float, second: float, band: tuple[float, float]) -> tuple[bool, bool]:
    moved = abs(second - first)  # NaN, and so within no bounds, where a text has no score
    stays = verdict(first, band) == verdict(second, band) is not None
    return stays or moved <= TOLERANCE, stays and moved < TOLERANCE


def _moves(wanted: str, first: float, second: float) -> tuple[bool, bool]:
    if wanted in ("lower", "not higher"):  # to fall is to rise on the scale turned round
        first, second = 1 - first, 1 - second
    rise = second - first
    if wanted.startswith("not "):
        return rise >= -TOLERANCE, rise >= 0
    return rise >= MARGIN or min(first, second) >= 1 - MARGIN, rise >= MARGIN


def _half(score: float) -> str | None:
    return None if np.isnan(score) else "positive" if score >= 0.5 else "negative"


def _meets(found: str | None, expected: str) -> bool:
    if found is None:
        return False
    return found != expected.removeprefix("not ") if expected.startswith("not ") else found == expected


@dataclass(frozen=True)
class Rate:
    """How many pairs passed, of a capability, a kind or all; shares are 0 to 1, None where nothing can be said.

    Attributes:
        capability: The capability, or ALL.
        kind: The kind, or ALL.
        pairs: Their number.
        passed: Share of the pairs that passes.
        by_text: Share that passes where each text of functionality counts alone.
        strict: Share of invariance and direction that passes by the strict rule.
        by_half: Share of functionality that passes with 0.5 between positive and negative.
    """

    capability: str
    kind: str
    pairs: int
    passed: float
    by_text: float
    strict: float | None
    by_half: float | None


def rates(outcomes: Sequence[Outcome]) -> list[Rate]:
    """Return the rate of each capability in each of its kinds, then of each kind, then of all pairs."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.pair.capability, outcome.pair.kind), []).append(outcome)
    for kind in EXPECTED:
        groups[ALL, kind] = [outcome for outcome in outcomes if outcome.pair.kind == kind]
    groups[ALL, ALL] = list(outcomes)
    return [
        Rate(
            *name,
            len(group),
            _share(outcome.passed for outcome in group) or 0.0,
            _share(passed for outcome in group for passed in outcome.tests) or 0.0,
            _share(outcome.strict for outcome in group),
            _share(outcome.by_half for outcome in group),
        )
        for name, group in groups.items()
        if group
    ]


def _share(values: Iterator[bool | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def markdown(of_pairs: Sequence[Rate]) -> str:
    """Return rates as a Markdown table, in percent."""
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    lines += [f"| {' | '.join(_cells(rate))} |".replace("  ", " ") for rate in of_pairs]
    return "\n".join(lines) + "\n"


def table(of_pairs: Sequence[Rate]) -> str:
    """Return rates as lines with columns of fixed width, in percent."""
    rows = [_COLUMNS, *map(_cells, of_pairs)]
    return "".join(
        f"{capability:<28} {kind:<14} {' '.join(f'{number:>7}' for number in numbers)}".rstrip() + "\n"
        for capability, kind, *numbers in rows
    )


def _cells(rate: Rate) -> tuple[str, ...]:
    shares = (rate.passed, rate.by_text, rate.strict, rate.by_half)
    return (rate.capability, rate.kind, str(rate.pairs), *map(_percent, shares))


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def as_json(model: str, of_pairs: Sequence[Rate], outcomes: Sequence[Outcome]) -> str:
    """Return rates, and the ids of the pairs that failed, as JSON."""
    content: dict[str, Any] = {
        "model": model,
        "rates": [asdict(rate) for rate in of_pairs],
        "failed": [outcome.pair.id for outcome in outcomes if not outcome.passed],
    }
    return json.dumps(content, indent=2) + "\n"


def figures(model: str) -> Iterator[Figure]:
    """Measure."""
    from textsent.score import load

    for rate in rates(run(load(model, device="cpu"))):
        what = f"{rate.capability:<28} {rate.kind:<14} {rate.pairs:>4} pairs"
        reach = REACH if rate.kind == ALL else None
        yield Figure("behaviour", what, 100 * rate.passed, "% passed", reach)
        if rate.capability == ALL:
            by_text = rate.by_text if rate.kind in (FUNCTIONALITY, ALL) else None  # of the others it's the same
            for name, share in (("by text", by_text), ("strict", rate.strict), ("by 0.5", rate.by_half)):
                if share is not None:
                    yield Figure("behaviour", f"{'':<28} {rate.kind:<14} {name}", 100 * share, "% passed")


def main() -> None:
    """Print how a model behaves."""
    from textsent.score import load

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=MODEL, help="a shipped preset's name, or a preset's folder")
    parser.add_argument(
        "--format",
        choices=("table", "markdown", "json", "failures"),
        default="table",
        help="the rates as one of three, or the pairs that fail with their scores",
    )
    options = parser.parse_args()
    try:
        outcomes = run(load(options.model, device="cpu"))
    except TextsentError as exc:
        parser.error(str(exc))
    found = rates(outcomes)
    if options.format == "failures":
        print(*(outcome for outcome in outcomes if not outcome.passed), sep="\n")
    elif options.format == "json":
        print(as_json(Path(options.model).name, found, outcomes), end="")
    else:
        print(markdown(found) if options.format == "markdown" else table(found), end="")


if __name__ == "__main__":
    main()
