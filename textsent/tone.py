"""What the tone of scored rows is, and how it moved: as a whole, by period, by group, by thread.

All figures are of all rows. Nothing here reads a file or draws; `textsent.report` does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np

from textsent.evaluate import CONFIDENCE_Z, wilson

NEGATIVE, NEUTRAL, POSITIVE, UNSCORED = 0, 1, 2, 3
SENTIMENTS = ("negative", "neutral", "positive")

DAYS, WEEKS = 45, 3 * 366
"""Days that a timeline by days, and one by weeks, spans at most; longer ones are by months."""

FAR_SHARE, FAR_SPANS = 0.05, 3
"""Of the rows at either end of the time so many may have wrong dates, as mails of 1970 have: those that lie further
from the others than these span, so many times over, are left out of the timeline."""

LEAST_TEXTS, LEAST_TEXTS_OF_A_GROUP = 10, 2
"""Scored texts that a period must have to be compared with others, and that a group must have to be one."""

SIGNIFICANCE = 0.01
"""Chance at most, all periods together, that a break is named where there is none."""

PERMUTATIONS = 1999

_Codes = np.ndarray[Any, np.dtype[np.int8]]
_Scores = np.ndarray[Any, np.dtype[np.float32]]
_Numbers = np.ndarray[Any, np.dtype[np.int64]]
_Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Rows:
    """What is known of each scored row.

    Attributes:
        sentiments: int8, shape (rows,): NEGATIVE, NEUTRAL, POSITIVE or UNSCORED.
        scores: float32, shape (rows,), 0 negative … 1 positive; NaN where there is none.
        times: int64, shape (rows,): seconds since 1970 in UTC; NO_TIME where there is none.
    """

    sentiments: _Codes
    scores: _Scores
    times: _Numbers

    def __len__(self) -> int:
        return len(self.sentiments)


NO_TIME = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Tone:
    """The tone of a number of rows.

    Attributes:
        rows: All of them.
        negative, neutral, positive: Those with such a score.
        mean: Mean of their scores, 0 negative … 1 positive; NaN without any.
        mean_low, mean_high: Ends of its interval of 95 %, by the normal distribution.
        share: Share of negative ones among those with a score, 0 … 1; NaN without any.
        share_low, share_high: Ends of its interval of 95 %: Wilson, "Probable Inference, the Law of Succession, and
            Statistical Inference", 1927.
    """

    rows: int
    negative: int
    neutral: int
    positive: int
    mean: float
    mean_low: float
    mean_high: float
    share: float
    share_low: float
    share_high: float

    @property
    def scored(self) -> int:
        """Rows that have a score."""
        return self.negative + self.neutral + self.positive


@dataclass(frozen=True)
class Period:
    """A day, week or month.

    Attributes:
        start: Its first moment, UTC.
        end: The first moment after it.
        unit: `day`, `week` or `month`.
        tone: Of the rows in it.
    """

    start: datetime
    end: datetime
    unit: str
    tone: Tone

    @property
    def key(self) -> str:
        """Its first day, as `2026-03-02`."""
        return self.start.strftime("%Y-%m-%d")

    @property
    def last(self) -> str:
        """Its last day."""
        return (self.end - timedelta(days=1)).strftime("%Y-%m-%d")

    @property
    def name(self) -> str:
        """How one calls it: `2 March 2026`, `the week of 2 March 2026`, `March 2026`."""
        if self.unit == "month":
            return f"{self.start:%B %Y}"
        day = f"{self.start.day} {self.start:%B %Y}"
        return day if self.unit == "day" else f"the week of {day}"


@dataclass(frozen=True)
class Break:
    """A period whose tone is not that of the others.

    Attributes:
        period: Its place in the timeline.
        is_worse: Whether more of its texts are negative than of the others, or fewer.
        p: Chance, all periods together, of one that differs as much.
        since: Place of the last period of LEAST_TEXTS or more before it that was as bad, or as good; None where
            there was none.
    """

    period: int
    is_worse: bool
    p: float
    since: int | None


@dataclass(frozen=True)
class Change:
    """A lasting change of tone.

    Attributes:
        period: Place in the timeline of the first period after it.
        before: Share of negative texts before it, 0 … 1.
        after: And from it on.
        p: Chance of one as large, were the periods in any order.
    """

    period: int
    before: float
    after: float
    p: float


@dataclass(frozen=True)
class Timeline:
    """The tone over time.

    Attributes:
        periods: From the first to the last, those without a row among them.
        breaks: Periods that differ from the others, the surest first.
        change: The lasting change; None where none is sure.
        undated: Rows without a date.
        far: Rows whose date is so far from the others' that it may be wrong; they are in no period.
    """

    periods: tuple[Period, ...]
    breaks: tuple[Break, ...]
    change: Change | None
    undated: int
    far: int


@dataclass(frozen=True)
class Group:
    """Rows that have a value in common.

    Attributes:
        value: The value.
        tone: Of its rows.
        expected: Share of negative ones to expect of it, 0 … 1: its own, drawn the nearer to that of all groups the
            fewer rows it has. A beta distribution is fitted to the groups' shares by its moments (empirical Bayes:
            Efron and Morris, "Data Analysis Using Stein's Estimator and its Generalizations", 1975).
        differs: 1 where its share lies above that of all groups, -1 where below, and 0 where that may be chance: of
            all groups together one is wrongly told to differ 5 times in 100 at most (Bonferroni).
    """

    value: str
    tone: Tone
    expected: float
    differs: int


@dataclass(frozen=True)
class Thread:
    """A conversation that began in one tone and ended in the other.

    Attributes:
        rows: Places of its rows, in the order of time.
        first: Score of the first one.
        last: Score of the last one.
    """

    rows: tuple[int, ...]
    first: float
    last: float


def tone_of(sentiments: _Codes, scores: _Scores) -> Tone:
    """Return the tone of rows; see `Rows` for the arrays."""
    counts = np.bincount(sentiments, minlength=4)
    negative, neutral, positive, _ = counts.tolist()
    scored = negative + neutral + positive
    if not scored:
        nan = math.nan
        return Tone(len(sentiments), 0, 0, 0, nan, nan, nan, nan, nan, nan)
    values = scores[sentiments != UNSCORED].astype(np.float64)
    mean = float(values.mean())
    # Of one score nothing tells how far others are from it.
    margin = CONFIDENCE_Z * float(values.std(ddof=1)) / math.sqrt(scored) if scored > 1 else 1.0
    low, high = wilson(negative, scored)
    return Tone(
        len(sentiments), negative, neutral, positive,
        mean, max(0.0, mean - margin), min(1.0, mean + margin),
        negative / scored, float(low), float(high),
    )  # fmt: skip


def timeline(rows: Rows) -> Timeline:
    """Return the tone over time, by days, weeks or months."""
    dated = np.flatnonzero(rows.times != NO_TIME)
    undated = len(rows) - len(dated)
    kept = dated[_near(rows.times[dated])]
    if not len(kept):
        return Timeline((), (), None, undated, len(dated))
    times = rows.times[kept]
    edges, unit = _edges(int(times.min()), int(times.max()))
    starts = np.array([int(edge.timestamp()) for edge in edges])
    places = np.searchsorted(starts, times, side="right") - 1
    periods = []
    order = np.argsort(places, kind="stable")
    bounds = np.searchsorted(places[order], np.arange(len(edges)))
    for place in range(len(edges) - 1):
        members = kept[order[bounds[place] : bounds[place + 1]]]
        tone = tone_of(rows.sentiments[members], rows.scores[members])
        periods.append(Period(edges[place], edges[place + 1], unit, tone))
    breaks = find_breaks([period.tone for period in periods])
    change = find_change([period.tone for period in periods], leave_out={found.period for found in breaks})
    return Timeline(tuple(periods), breaks, change, undated, len(dated) - len(kept))


def _near(times: _Numbers) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which times aren't far from the others."""
    if not len(times):
        return np.zeros(0, bool)
    low, high = np.quantile(times, [FAR_SHARE, 1 - FAR_SHARE], method="closest_observation")
    span = FAR_SPANS * max(int(high - low), 7 * 86400)
    return (times >= low - span) & (times <= high + span)


def _edges(first: int, last: int) -> tuple[list[datetime], str]:
    """Return the first moments of the periods from one time to another, and of that after them; and their unit."""
    start, end = (datetime.fromtimestamp(time, UTC) for time in (first, last))
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    days = (end - day).days + 1
    if days <= WEEKS:
        unit, step = ("day", 1) if days <= DAYS else ("week", 7)
        edge = day if unit == "day" else day - timedelta(days=day.weekday())
        edges = [edge]
        while edges[-1] <= end:
            edges.append(edges[-1] + timedelta(days=step))
        return edges, unit
    edges = [day.replace(day=1)]
    while edges[-1] <= end:
        month = edges[-1]
        edges.append(month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1))
    return edges, "month"


def find_breaks(tones: Sequence[Tone]) -> tuple[Break, ...]:
    """Return the periods whose share of negative texts is not that of the others, the surest first.

    The share of a period of LEAST_TEXTS or more is compared with that of all others together, smaller ones among
    them, by the score test of two proportions, and where few negative texts are to be expected of it by Fisher's
    exact test as well; the less sure of them counts. Mails
    come in bursts, so that periods differ more than if texts were drawn: the variance is multiplied by the
    dispersion, estimated by the median of the squared z-scores, which a few broken periods don't move (McCullagh
    and Nelder, "Generalized Linear Models", 1989). Of all periods together a false break is named with a chance of
    SIGNIFICANCE at most (Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979).

    Args:
        tones: Of the periods, in order.
    """
    negative = np.array([tone.negative for tone in tones], np.float64)
    scored = np.array([tone.scored for tone in tones], np.float64)
    compared = np.flatnonzero(scored >= LEAST_TEXTS)
    if len(compared) < 3:
        return ()
    z = _z_against_others(negative, scored)[compared]
    overall = float(negative.sum() / scored.sum())
    dispersion = max(1.0, float(np.median(z**2)) / _MEDIAN_OF_CHI2)
    p = np.array([math.erfc(abs(value) / math.sqrt(2 * dispersion)) for value in z])
    for place, period in enumerate(compared.tolist()):
        if scored[period] * min(overall, 1 - overall) < _FEW_EXPECTED:
            p[place] = max(p[place], _exact(tones[period], int(negative.sum()), int(scored.sum())))
    found = []
    adjusted = 0.0
    shares = negative / np.maximum(scored, 1)
    for tested, place in enumerate(np.argsort(p, kind="stable").tolist()):
        adjusted = max(adjusted, min(1.0, float(p[place]) * (len(compared) - tested)))
        if adjusted > SIGNIFICANCE:
            break
        period, is_worse = int(compared[place]), bool(z[place] > 0)
        earlier = compared[compared < period]
        sign = 1 if is_worse else -1
        as_bad = earlier[sign * shares[earlier] >= sign * shares[period]]
        found.append(Break(period, is_worse, adjusted, int(as_bad[-1]) if len(as_bad) else None))
    return tuple(found)


def _exact(tone: Tone, negative: int, scored: int) -> float:
    """Return Fisher's chance of a share of negative texts that lies as far to its side, doubled for both sides.

    Args:
        tone: Of the period.
        negative: Negative texts of all periods.
        scored: Texts with a score of all periods.
    """

    def chance(count: int) -> float:
        return math.exp(
            _log_choices(negative, count)
            + _log_choices(scored - negative, tone.scored - count)
            - _log_choices(scored, tone.scored)
        )

    most, least = min(negative, tone.scored), max(0, tone.scored - (scored - negative))
    below = sum(chance(count) for count in range(least, tone.negative + 1))
    above = sum(chance(count) for count in range(tone.negative, most + 1))
    return min(1.0, 2 * min(below, above))


def _log_choices(number: int, drawn: int) -> float:
    return math.lgamma(number + 1) - math.lgamma(drawn + 1) - math.lgamma(number - drawn + 1)


_FEW_EXPECTED = 25
"""Negative texts, or others, of which fewer are too few for the score test's normal distribution."""

_MEDIAN_OF_CHI2 = 0.454936
"""Of the chi-squared distribution with one degree of freedom."""


def _z_against_others(negative: _Floats, scored: _Floats) -> _Floats:
    """Return each period's z-score against all others together; 0 for one without texts."""
    others, all_others = negative.sum() - negative, scored.sum() - scored
    pooled = negative.sum() / scored.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = pooled * (1 - pooled) * (1 / scored + 1 / all_others)
        z = (negative / scored - others / all_others) / np.sqrt(variance)
    return np.nan_to_num(z, nan=0.0, posinf=0.0, neginf=0.0)


def find_change(
    tones: Sequence[Tone], leave_out: set[int] | frozenset[int] = frozenset(), seed: int = 1
) -> Change | None:
    """Return the lasting change of the share of negative texts, if one is sure.

    Where the share before and after differs most, by the score test of two proportions; and how often it differs as
    much anywhere, were the periods in another order (a permutation test: mails of a period hang together, periods
    less so). A change must leave three periods on either side.

    Args:
        tones: Of the periods, in order.
        leave_out: Places of periods that don't count, as those that differ by themselves.
        seed: Of the permutations.
    """
    places = [place for place, tone in enumerate(tones) if tone.scored >= LEAST_TEXTS and place not in leave_out]
    if len(places) < 2 * _LEAST_SIDE:
        return None
    negative = np.array([tones[place].negative for place in places], np.float64)
    scored = np.array([tones[place].scored for place in places], np.float64)

    def statistic(order: np.ndarray[Any, np.dtype[np.intp]]) -> _Floats:
        before, all_before = np.cumsum(negative[order], axis=-1), np.cumsum(scored[order], axis=-1)
        pooled = before[..., -1:] / all_before[..., -1:]
        after, all_after = before[..., -1:] - before, all_before[..., -1:] - all_before
        cut = slice(_LEAST_SIDE - 1, len(places) - _LEAST_SIDE)
        variance = pooled * (1 - pooled) * (1 / all_before[..., cut] + 1 / all_after[..., cut])
        difference = after[..., cut] / all_after[..., cut] - before[..., cut] / all_before[..., cut]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(np.abs(difference) / np.sqrt(variance), nan=0.0, posinf=0.0)

    in_order = np.arange(len(places))
    found = statistic(in_order)
    largest = float(found.max())
    random = np.random.default_rng(seed)
    orders = random.permuted(np.tile(in_order, (PERMUTATIONS, 1)), axis=1)
    reached = int((statistic(orders).max(axis=1) >= largest - 1e-12).sum())
    p = (reached + 1) / (PERMUTATIONS + 1)
    if largest == 0 or p > SIGNIFICANCE:
        return None
    cut = int(found.argmax()) + _LEAST_SIDE
    before, after = (
        float(negative[part].sum() / scored[part].sum()) for part in (slice(None, cut), slice(cut, None))
    )
    return Change(places[cut], before, after, p)


_LEAST_SIDE = 3


def groups(rows: Rows, codes: _Numbers, values: Sequence[str], number: int) -> tuple[Group, ...]:
    """Return the tone of groups of rows, those that are expected to be most negative first.

    Args:
        rows: All rows.
        codes: int64, shape (rows,): the place of each row's value; -1 where it has none.
        values: The groups' values.
        number: Groups to return at most: those with the most rows with a score.

    Returns:
        Groups of LEAST_TEXTS_OF_A_GROUP or more such rows; none where there aren't two.
    """
    scored = (rows.sentiments != UNSCORED) & (codes >= 0)
    sizes = np.bincount(codes[scored], minlength=len(values))
    negatives = np.bincount(codes[scored & (rows.sentiments == NEGATIVE)], minlength=len(values))
    if not sizes.any():
        return ()
    expected = expected_shares(negatives.astype(np.float64), sizes.astype(np.float64))
    overall = float(negatives.sum() / sizes.sum())
    chosen = np.argsort(-sizes, kind="stable")[:number]
    chosen = chosen[sizes[chosen] >= LEAST_TEXTS_OF_A_GROUP]
    if len(chosen) < 2:
        return ()
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], [*chosen, *(chosen + 1)]).reshape(2, -1)
    z = NormalDist().inv_cdf(1 - 0.025 / len(chosen))
    found = []
    for place, start, end in zip(chosen.tolist(), *bounds.tolist(), strict=True):
        members = order[start:end]
        tone = tone_of(rows.sentiments[members], rows.scores[members])
        low, high = wilson(tone.negative, tone.scored, z)
        differs = int(low > overall) - int(high < overall)
        found.append(Group(values[place], tone, float(expected[place]), differs))
    return tuple(sorted(found, key=lambda group: (-group.expected, -group.tone.scored)))


def expected_shares(successes: _Floats, trials: _Floats) -> _Floats:
    """Return shares drawn towards that of all groups: float64, shape (groups,); see `Group`.

    Args:
        successes: float64, shape (groups,).
        trials: float64, shape (groups,), 0 or more; a group without any gets the share of all.
    """
    overall = float(successes.sum() / trials.sum())
    seen = trials > 0
    weights = trials[seen]
    spread = float((weights * (successes[seen] / weights - overall) ** 2).sum())
    chance = overall * (1 - overall) * (seen.sum() - 1)
    excess = (spread - chance) / max(float(weights.sum() - (weights**2).sum() / weights.sum()), 1e-12)
    if excess <= 0:
        return np.full(len(trials), overall)
    worth = max(overall * (1 - overall) / excess - 1, 0.0)  # texts that the prior counts as much as
    return (successes + worth * overall) / np.maximum(trials + worth, 1e-12)


def turned_threads(rows: Rows, threads: _Numbers, number: int) -> tuple[list[Thread], list[Thread]]:
    """Return the threads that began positive and ended negative, and those that went the other way.

    Args:
        rows: All rows.
        threads: int64, shape (rows,): the same number for the rows of a thread; -1 where a row is in none. Rows
            without a date don't count.
        number: Threads of either kind, at most; those that moved most come first.
    """
    is_polar = (rows.sentiments == NEGATIVE) | (rows.sentiments == POSITIVE)
    polar = np.flatnonzero((threads >= 0) & is_polar & (rows.times != NO_TIME))
    order = polar[np.lexsort((polar, rows.times[polar], threads[polar]))]
    numbers = threads[order]
    starts = np.flatnonzero(np.diff(numbers, prepend=-1) != 0)
    ends = np.append(starts[1:], len(order))[: len(starts)] - 1
    kinds: list[list[Thread]] = []
    for before, after in ((POSITIVE, NEGATIVE), (NEGATIVE, POSITIVE)):
        turned = (rows.sentiments[order[starts]] == before) & (rows.sentiments[order[ends]] == after)
        found = [
            Thread(
                tuple(order[start : end + 1].tolist()),
                float(rows.scores[order[start]]),
                float(rows.scores[order[end]]),
            )
            for start, end in zip(starts[turned].tolist(), ends[turned].tolist(), strict=True)
        ]
        kinds.append(sorted(found, key=lambda thread: -abs(thread.last - thread.first))[:number])
    return kinds[0], kinds[1]
