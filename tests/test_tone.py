import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textsent.evaluate import wilson
from textsent.tone import (
    NEGATIVE,
    NEUTRAL,
    NO_TIME,
    POSITIVE,
    UNSCORED,
    Rows,
    Tone,
    expected_shares,
    find_breaks,
    find_change,
    groups,
    timeline,
    tone_of,
    turned_threads,
)

DAY = 86400
SCORE_OF = np.array([0.1, 0.5, 0.9, np.nan], np.float32)


def rows_of(sentiments, times=None):
    codes = np.array(sentiments, np.int8)
    return Rows(
        codes, SCORE_OF[codes], np.full(len(codes), NO_TIME) if times is None else np.array(times, np.int64)
    )


def at(year, month, day, hour=12):
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def tones(*counts):
    """Return a tone each of so many negative texts among so many."""
    return [tone_of(*_of(negative, texts)) for negative, texts in counts]


def _of(negative, texts):
    codes = np.array([NEGATIVE] * negative + [POSITIVE] * (texts - negative), np.int8)
    return codes, SCORE_OF[codes]


def test_a_tone_counts_means_and_says_how_sure_it_is():
    rows = rows_of([NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, UNSCORED])
    tone = tone_of(rows.sentiments, rows.scores)
    assert (tone.rows, tone.negative, tone.neutral, tone.positive, tone.scored) == (5, 2, 1, 1, 4)
    assert tone.mean == pytest.approx(0.4)
    assert 0 <= tone.mean_low < tone.mean < tone.mean_high <= 1
    assert tone.share == 0.5
    assert tone.share_low < 0.5 < tone.share_high


def test_rows_without_a_score_have_no_tone():
    rows = rows_of([UNSCORED, UNSCORED])
    tone = tone_of(rows.sentiments, rows.scores)
    assert (tone.rows, tone.scored) == (2, 0)
    assert math.isnan(tone.mean)
    assert math.isnan(tone.share)


def test_the_interval_is_wilson_s():
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(0, 0) == (0, 1)


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.1, 5))
def test_an_interval_holds_the_share_and_lies_within_0_and_1(successes, others, z):
    low, high = wilson(successes, successes + others, z)
    assert 0 <= low <= high <= 1
    if successes + others:
        assert low - 1e-12 <= successes / (successes + others) <= high + 1e-12


@pytest.mark.parametrize(
    ("days", "unit", "number", "first", "name"),
    [
        (1, "day", 1, "2026-03-04", "4 March 2026"),
        (45, "day", 45, "2026-03-04", "4 March 2026"),
        (46, "week", 7, "2026-03-02", "the week of 2 March 2026"),
        (1200, "month", 40, "2026-03-01", "March 2026"),
    ],
)
def test_periods_are_days_weeks_or_months_by_the_span(days, unit, number, first, name):
    start = at(2026, 3, 4, hour=0)
    times = np.linspace(start, start + days * DAY - 1, 2000).astype(np.int64)
    found = timeline(rows_of([POSITIVE] * 2000, times))
    assert {period.unit for period in found.periods} == {unit}
    assert len(found.periods) == number
    assert (found.periods[0].key, found.periods[0].name) == (first, name)
    assert sum(period.tone.rows for period in found.periods) == 2000
    assert found.periods[0].end == found.periods[1].start if number > 1 else True


def test_periods_without_a_row_are_there_and_a_period_begins_at_its_first_moment():
    found = timeline(rows_of([POSITIVE, NEGATIVE], [at(2026, 3, 4, hour=0), at(2026, 3, 6, hour=23)]))
    assert [period.tone.rows for period in found.periods] == [1, 0, 1]
    assert [period.last for period in found.periods] == ["2026-03-04", "2026-03-05", "2026-03-06"]


def test_rows_without_a_date_and_those_far_from_all_others_are_counted_and_left_out():
    times = [at(2026, 3, day) for day in range(1, 29)]
    found = timeline(rows_of([POSITIVE] * 31, [*times, 0, at(2040, 1, 1), NO_TIME]))
    assert (len(found.periods), found.far, found.undated) == (28, 2, 1)
    nothing = timeline(rows_of([POSITIVE]))
    assert (nothing.periods, nothing.undated) == ((), 1)


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=40))
def test_every_dated_row_is_in_a_period_or_far(times):
    found = timeline(rows_of([POSITIVE] * len(times), times))
    assert sum(period.tone.rows for period in found.periods) + found.far == len(times)


def test_a_bad_week_is_found_and_since_when_it_is_the_worst():
    counts = [(20, 100)] * 30
    counts[10], counts[20] = (60, 100), (55, 100)
    first, second = find_breaks(tones(*counts))
    assert (first.period, first.is_worse, first.since) == (10, True, None)
    assert (second.period, second.is_worse, second.since) == (20, True, 10)
    assert first.p <= second.p < 0.01


def test_a_good_week_is_found_as_well():
    counts = [(50, 100)] * 30
    counts[5] = (10, 100)
    (found,) = find_breaks(tones(*counts))
    assert (found.period, found.is_worse, found.since) == (5, False, None)


def test_a_few_texts_are_no_break_and_neither_are_periods_that_all_differ():
    counts = [(20, 100)] * 30
    counts[3] = (9, 9)
    assert find_breaks(tones(*counts)) == ()
    wild = [(10 + 20 * (place % 4), 100) for place in range(40)]
    assert find_breaks(tones(*wild)) == ()
    assert find_breaks(tones((20, 100), (60, 100))) == ()
    assert find_breaks(tones((0, 100), (0, 100), (0, 100))) == ()


def test_a_week_is_compared_with_all_others_those_of_a_few_texts_too():
    counts = [(20, 100)] * 12 + [(45, 100)]
    (alone,) = find_breaks(tones(*counts))
    beside_bad_ones = find_breaks(tones(*counts, *[(9, 9)] * 60))
    assert (alone.period, alone.is_worse) == (12, True)
    assert beside_bad_ones == () or not beside_bad_ones[0].is_worse


def test_a_surer_break_has_no_higher_p_and_none_is_over_one():
    random = np.random.default_rng(3)
    for _ in range(50):
        drawn = [(int(random.binomial(100, random.choice([0.2, 0.2, 0.2, 0.5]))), 100) for _ in range(20)]
        found = [one.p for one in find_breaks(tones(*drawn))]
        assert found == sorted(found)
        assert all(0 <= p <= 0.01 for p in found)


def test_of_drawn_texts_hardly_ever_a_break_or_a_change_is_named():
    random = np.random.default_rng(1)
    broken = changed = 0
    for _ in range(150):
        sizes, share = random.integers(5, 60, random.integers(8, 50)), random.choice([0.05, 0.2, 0.5])
        drawn = tones(*((int(random.binomial(size, share)), int(size)) for size in sizes))
        broken += bool(find_breaks(drawn))
        changed += find_change(drawn) is not None
    assert broken <= 4
    assert changed <= 6


def test_a_lasting_change_is_found_where_it_began():
    counts = [(20, 100)] * 15 + [(40, 100)] * 12
    change = find_change(tones(*counts))
    assert (change.period, change.before, change.after) == (15, 0.2, 0.4)
    assert change.p <= 0.01
    assert find_change(tones(*counts)) == change


def test_one_bad_week_is_no_lasting_change_where_it_is_left_out():
    counts = [(20, 100)] * 20
    counts[12] = (70, 100)
    assert find_change(tones(*counts), leave_out={12}) is None
    assert find_change(tones(*[(20, 100)] * 5)) is None


def test_groups_are_ordered_by_the_share_to_expect_of_them():
    usual = {f"usual {number}": (50 + number, 200) for number in range(12)}
    sizes = {"many bad": (120, 200), "many good": (20, 200), "two bad": (2, 2), "one": (1, 1), **usual}
    codes = np.concatenate([np.full(texts, place) for place, (_, texts) in enumerate(sizes.values())])
    sentiments = [code for bad, texts in sizes.values() for code in [NEGATIVE] * bad + [POSITIVE] * (texts - bad)]
    found = groups(rows_of(sentiments), codes, list(sizes), 20)
    assert [group.value for group in (*found[:2], found[-1])] == ["many bad", "two bad", "many good"]
    assert [group.differs for group in found] == [1] + [0] * 13 + [-1]
    assert found[1].tone.share == 1
    assert found[1].expected < 0.5


def test_rows_without_a_value_or_a_score_are_in_no_group():
    rows = rows_of([NEGATIVE, POSITIVE, POSITIVE, NEGATIVE, UNSCORED, NEGATIVE])
    found = groups(rows, np.array([0, 0, 1, 1, 1, -1]), ["a", "b"], 10)
    assert {(group.value, group.tone.scored) for group in found} == {("a", 2), ("b", 2)}
    assert groups(rows, np.full(6, -1), [], 10) == ()
    assert groups(rows, np.zeros(6, np.int64), ["all"], 10) == ()


def test_no_more_groups_are_returned_than_asked_for_those_with_the_most_rows():
    codes = np.repeat(np.arange(20), np.arange(2, 22))
    found = groups(rows_of([NEGATIVE] * len(codes)), codes, [str(code) for code in range(20)], 5)
    assert {group.value for group in found} == {"15", "16", "17", "18", "19"}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=20))
def test_an_expected_share_lies_between_its_own_and_that_of_all(counts):
    successes = np.array([float(bad) for bad, _ in counts])
    trials = np.array([float(bad + good) for bad, good in counts])
    if not trials.sum():
        return
    overall = successes.sum() / trials.sum()
    expected = expected_shares(successes, trials)
    own = np.where(trials > 0, successes / np.maximum(trials, 1), overall)
    assert (expected >= np.minimum(own, overall) - 1e-9).all()
    assert (expected <= np.maximum(own, overall) + 1e-9).all()


def test_threads_that_turned_are_told_apart_from_those_that_did_not():
    sentiments = [POSITIVE, NEGATIVE, NEGATIVE, POSITIVE, POSITIVE, NEUTRAL, NEGATIVE, POSITIVE, POSITIVE]
    threads = np.array([0, 0, 1, 1, 2, 2, 2, 3, -1])
    times = [at(2026, 3, day) for day in range(1, 10)]
    worse, better = turned_threads(rows_of(sentiments, times), threads, 5)
    assert sorted(thread.rows for thread in worse) == [(0, 1), (4, 6)]
    assert [thread.rows for thread in better] == [(2, 3)]
    assert better[0].first == pytest.approx(0.1)
    assert better[0].last == pytest.approx(0.9)


def test_a_thread_runs_in_the_order_of_time_whatever_the_order_of_the_rows():
    rows = rows_of([NEGATIVE, POSITIVE], [at(2026, 3, 9), at(2026, 3, 1)])
    worse, better = turned_threads(rows, np.array([4, 4]), 5)
    assert [thread.rows for thread in worse] == [(1, 0)]
    assert better == []
    assert turned_threads(rows_of([]), np.zeros(0, np.int64), 5) == ([], [])


def test_a_tone_is_a_value_that_can_be_compared():
    assert isinstance(tones((1, 2))[0], Tone)
    assert tones((1, 2)) == tones((1, 2))


def test_of_one_score_nothing_is_sure():
    rows = rows_of([NEGATIVE])
    tone = tone_of(rows.sentiments, rows.scores)
    assert (tone.mean_low, tone.mean_high) == (0, 1)


def test_a_mail_without_a_date_begins_and_ends_no_thread():
    rows = rows_of([POSITIVE, NEGATIVE, POSITIVE], [at(2026, 3, 1), at(2026, 3, 2), NO_TIME])
    worse, better = turned_threads(rows, np.zeros(3, np.int64), 5)
    assert [thread.rows for thread in worse] == [(0, 1)]
    assert better == []
