import numpy as np
import pytest
from conftest import FirstWordNetwork, word_ids
from hypothesis import given
from hypothesis import strategies as st

from textsent.errors import OptionError
from textsent.model import SentimentModel
from textsent.preprocess import OUT_OF_VOCABULARY_ID, PADDING_ID, START_ID
from textsent.windows import Layout, batches_by_words, combine_windows, cut_windows, pad, rounded_up

LENGTHS = st.lists(st.integers(0, 40), max_size=12)
IDS = st.sampled_from([2, 4, 5, 6, 7, 8])
TEXTS = st.lists(st.lists(IDS, max_size=30), max_size=12)
LAYOUTS = st.builds(
    Layout,
    window=st.integers(1, 12),
    long_texts=st.sampled_from(["windows", "first", "last"]),
    start=st.booleans(),
    unknown=st.sampled_from(["mark", "drop"]),
    padding=st.just("after"),
    full_width=st.booleans(),
) | st.builds(
    Layout,
    window=st.integers(1, 12),
    long_texts=st.sampled_from(["windows", "first", "last"]),
    start=st.booleans(),
    unknown=st.sampled_from(["mark", "drop"]),
    padding=st.just("before"),
    full_width=st.just(True),
)


def rows_of(layout, *texts):
    """The rows that a network reads of texts, and whose they are."""
    ids, starts, ends, owners = layout.cut(word_ids(*texts))
    return layout.pad(ids, starts, ends).tolist(), owners.tolist()


@pytest.mark.parametrize(
    ("layout", "rows"),
    [
        (Layout(4), [[4, 5, 0], [6, 2, 7]]),
        (Layout(4, "first"), [[4, 5, 6, 2]]),
        (Layout(4, "last"), [[5, 6, 2, 7]]),
        (Layout(4, unknown="drop"), [[4, 5, 6, 7]]),
        (Layout(6, start=True), [[1, 4, 5, 6, 2, 7]]),
        (Layout(4, start=True), [[1, 4, 5], [6, 2, 7]]),
        (Layout(4, "first", start=True), [[1, 4, 5, 6]]),
        (Layout(4, "last", start=True), [[5, 6, 2, 7]]),
        (Layout(5, "last", start=True, unknown="drop"), [[1, 4, 5, 6, 7]]),
        (Layout(7), [[4, 5, 6, 2, 7]]),
        (Layout(7, full_width=True), [[4, 5, 6, 2, 7, 0, 0]]),
        (Layout(7, padding="before", full_width=True), [[0, 0, 4, 5, 6, 2, 7]]),
        (Layout(4, padding="before", full_width=True), [[0, 0, 4, 5], [0, 6, 2, 7]]),
        (Layout(7, "last", True, "drop", "before", True), [[0, 0, 1, 4, 5, 6, 7]]),
    ],
)
def test_each_field_of_a_layout_has_its_effect(layout, rows):
    assert rows_of(layout, [4, 5, 6, 2, 7])[0] == rows


def test_the_usual_layout_reads_all_of_a_text_in_windows_of_400_words():
    assert Layout() == Layout(400, "windows", False, "mark", "after", False)


def test_the_start_marker_is_a_word_of_its_text_once_and_not_of_each_window():
    assert rows_of(Layout(3, start=True), [4, 5, 6, 7, 8], [4]) == ([[1, 4, 5], [6, 7, 8], [1, 4, 0]], [0, 0, 1])


@pytest.mark.parametrize("long_texts", ["windows", "first", "last"])
@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize(("unknown", "owners"), [("mark", [1, 2, 4]), ("drop", [1, 4])])
def test_a_text_of_which_nothing_is_left_has_no_window_and_no_score(long_texts, start, unknown, owners):
    layout = Layout(3, long_texts, start, unknown)
    texts = word_ids([], [4, 2], [2, 2], [], [5])
    assert layout.cut(texts).owners.tolist() == owners
    scores = SentimentModel(AllReadNetwork(), layout).predict(texts)
    assert np.isnan(scores).tolist() == [text not in owners for text in range(5)]


class AllReadNetwork(FirstWordNetwork):
    """Gives each window the same score."""

    def __init__(self):
        super().__init__([])

    def reading(self, ids):
        return lambda starts, ends: np.full(len(starts), 0.25, np.float32)


@pytest.mark.parametrize("layout", [Layout(4), Layout(4, "last", True, "drop", "before", True)])
def test_no_texts_have_no_windows(layout):
    for texts in (word_ids(), word_ids([]), word_ids([], [])):
        ids, starts, ends, owners = layout.cut(texts)
        assert (len(ids), len(starts), len(ends), len(owners)) == (0, 0, 0, 0)
        assert ids.dtype == np.int32


def rows_by_python(layout, text):
    """What the rows of one text are, said in plain Python."""
    words = [word for word in text if layout.unknown == "mark" or word != OUT_OF_VOCABULARY_ID]
    if layout.start and words:
        words = [START_ID, *words]
    if layout.long_texts == "first":
        windows = [words[: layout.window]]
    elif layout.long_texts == "last":
        windows = [words[-layout.window :]]
    else:
        number = -(-len(words) // layout.window)
        windows = [words[len(words) * part // number : len(words) * (part + 1) // number] for part in range(number)]
    return [window for window in windows if window]


@given(LAYOUTS, TEXTS)
def test_the_rows_of_texts_are_those_that_plain_python_makes_of_each_alone(layout, texts):
    windows = [(text, window) for text, words in enumerate(texts) for window in rows_by_python(layout, words)]
    ids, starts, ends, owners = layout.cut(word_ids(*texts))
    assert [ids[start:end].tolist() for start, end in zip(starts, ends, strict=True)] == [
        window for _, window in windows
    ]
    assert owners.tolist() == [text for text, _ in windows]
    assert (ids.dtype, starts.dtype, ends.dtype) == (np.int32, np.int64, np.int64)
    if windows:
        rows = layout.pad(ids, starts, ends)
        assert rows.dtype == np.int32
        width = layout.window if layout.full_width else max(len(window) for _, window in windows)
        spare = [[PADDING_ID] * (width - len(window)) for _, window in windows]
        assert rows.tolist() == [
            window + zeros if layout.padding == "after" else zeros + window
            for (_, window), zeros in zip(windows, spare, strict=True)
        ]


@given(LAYOUTS, TEXTS)
def test_a_text_is_laid_out_the_same_whatever_stands_beside_it(layout, texts):
    ids, starts, ends, owners = layout.cut(word_ids(*texts))
    for number, text in enumerate(texts):
        own_ids, own_starts, own_ends, _ = layout.cut(word_ids(text))
        own = np.flatnonzero(owners == number)
        together = [ids[starts[window] : ends[window]].tolist() for window in own]
        alone = [own_ids[start:end].tolist() for start, end in zip(own_starts, own_ends, strict=True)]
        assert together == alone


@given(LAYOUTS, TEXTS)
def test_the_texts_that_are_laid_out_stay_as_they_are(layout, texts):
    given_texts = word_ids(*texts)
    layout.cut(given_texts)
    assert [given_texts[number].tolist() for number in range(len(texts))] == texts


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"window": 0}, "the window must be a number of words, 1 or more. Received: 0"),
        ({"window": -3}, "the window must be a number of words, 1 or more. Received: -3"),
        ({"window": 1 << 70}, f"the window must be 2,147,483,647 words at most. Received: {1 << 70}"),
        ({"window": "400"}, "the window must be a number of words, 1 or more. Received: '400'"),
        ({"window": 4.0}, "the window must be a number of words, 1 or more. Received: 4.0"),
        ({"window": None}, "the window must be a number of words, 1 or more. Received: None"),
        ({"window": True}, "the window must be a number of words, 1 or more. Received: True"),
        ({"long_texts": "middle"}, "long_texts must be one of windows, first, last. Received: 'middle'"),
        ({"long_texts": []}, "long_texts must be one of windows, first, last. Received: []"),
        ({"unknown": "keep"}, "unknown must be one of mark, drop. Received: 'keep'"),
        ({"unknown": None}, "unknown must be one of mark, drop. Received: None"),
        ({"padding": "left"}, "padding must be one of after, before. Received: 'left'"),
        ({"start": "no"}, "start must be true or false. Received: 'no'"),
        ({"start": 1}, "start must be true or false. Received: 1"),
        ({"full_width": "false"}, "full_width must be true or false. Received: 'false'"),
        ({"padding": "before"}, "padding before a text needs full_width"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(values, message):
    for make in (lambda: Layout(**values), lambda: Layout.from_config({"window": 8, **values})):
        with pytest.raises(OptionError) as refused:
            make()
        assert str(refused.value) == message


@given(LAYOUTS)
def test_a_layout_comes_back_from_a_configuration_whatever_else_it_says(layout):
    assert Layout.from_config({"recipe": "lstm", "units": 3, **vars(layout)}) == layout


def test_what_a_configuration_does_not_say_of_a_layout_is_as_usual():
    assert Layout.from_config({"window": 8, "units": 3}) == Layout(8)
    assert Layout.from_config({"window": 8, "long_texts": "last", "start": True}) == Layout(8, "last", True)


def test_a_configuration_without_a_window_is_refused():
    with pytest.raises(OptionError) as refused:
        Layout.from_config({"long_texts": "first"})
    assert str(refused.value) == "the window must be a number of words, 1 or more. Received: None"


@given(st.lists(st.integers(0, 1000), max_size=20), st.integers(1, 60))
def test_a_length_is_rounded_up_to_the_next_multiple_of_a_step(lengths, step):
    for length, rounded in zip(lengths, rounded_up(np.array(lengths, np.int64), step).tolist(), strict=True):
        assert rounded % step == 0
        assert length <= rounded < length + step


@given(LENGTHS, st.integers(1, 10))
def test_every_word_is_in_exactly_one_window_and_every_window_in_one_text(lengths, window):
    offsets = np.cumsum([0, *lengths])
    starts, ends, owners = cut_windows(offsets, window)
    words = [word for start, end in zip(starts, ends, strict=True) for word in range(start, end)]
    assert words == list(range(offsets[-1]))
    assert (starts >= offsets[owners]).all()
    assert (ends <= offsets[owners + 1]).all()


@given(LENGTHS, st.integers(1, 10))
def test_windows_are_as_few_as_can_be_and_those_of_a_text_differ_by_at_most_one_word(lengths, window):
    starts, ends, owners = cut_windows(np.cumsum([0, *lengths]), window)
    words = ends - starts
    assert (words <= window).all()
    for text, length in enumerate(lengths):
        own = words[owners == text]
        assert len(own) == -(-length // window)
        assert not length or own.max() - own.min() <= 1


def test_a_text_without_words_has_no_window():
    starts, ends, owners = cut_windows(np.array([0, 0, 3, 3, 7]), 2)
    np.testing.assert_array_equal(starts, [0, 1, 3, 5])
    np.testing.assert_array_equal(ends, [1, 3, 5, 7])
    np.testing.assert_array_equal(owners, [1, 1, 3, 3])


WINDOW_LENGTHS = st.lists(st.integers(1, 40), max_size=30)


def batched(lengths, words, windows):
    return [batch.tolist() for batch in batches_by_words(np.array(lengths, np.int64), words, windows)]


@given(WINDOW_LENGTHS, st.integers(1, 100), st.integers(1, 10))
def test_batches_hold_every_window_once_the_longest_first_and_those_as_long_in_their_order(lengths, words, windows):
    order = [window for batch in batched(lengths, words, windows) for window in batch]
    assert order == sorted(range(len(lengths)), key=lambda window: (-lengths[window], window))


@given(WINDOW_LENGTHS, st.integers(1, 100), st.integers(1, 10))
def test_a_batch_holds_no_more_than_it_may_and_only_the_last_one_less_than_it_could(lengths, words, windows):
    batches = batched(lengths, words, windows)
    for batch in batches:
        longest = max(lengths[window] for window in batch)
        assert 1 <= len(batch) <= windows
        assert len(batch) * longest <= words or len(batch) == 1
        if batch != batches[-1]:
            assert len(batch) == windows or (len(batch) + 1) * longest > words


def test_a_window_longer_than_all_that_a_batch_may_hold_is_a_batch_of_its_own():
    assert batched([3, 50, 3, 11, 2], 10, 4) == [[1], [3], [0, 2, 4]]


def test_no_windows_make_no_batch():
    assert batched([], 10, 4) == []


@given(TEXTS.filter(any), st.integers(0, 3))
def test_a_padded_row_is_the_window_and_then_nothing_but_padding(texts, spare):
    texts = [text for text in texts if text]
    ids = word_ids(*texts)
    longest = max(map(len, texts))
    for width, expected in ((None, longest), (longest + spare, longest + spare)):
        padded = pad(ids.ids, ids.offsets[:-1], ids.offsets[1:], width)
        assert padded.dtype == np.int32
        assert padded.tolist() == [text + [0] * (expected - len(text)) for text in texts]


def test_the_probability_of_a_text_is_the_mean_of_its_windows_log_odds():
    probabilities = np.array([0.2, 0.8, 0.9, 0.9, 0.5])
    combined = combine_windows(probabilities, np.array([0, 0, 1, 1, 2]), 3)
    assert combined.dtype == np.float32
    np.testing.assert_allclose(combined, [0.5, 0.9, 0.5], rtol=1e-6)
    unlike = combine_windows(np.array([0.9, 0.5]), np.array([0, 0]), 1)  # odds 9 and 1: 3 in the middle
    np.testing.assert_allclose(unlike, [0.75], rtol=1e-6)


def test_a_text_without_windows_has_no_probability():
    combined = combine_windows(np.array([0.3]), np.array([1]), 3)
    np.testing.assert_allclose(combined, [np.nan, 0.3, np.nan], rtol=1e-6)


def test_a_window_that_is_quite_sure_leaves_a_finite_probability():
    combined = combine_windows(np.array([0.0, 1.0, 1.0, 0.0]), np.array([0, 1, 2, 2]), 3)
    np.testing.assert_allclose(combined, [0, 1, 0.5], atol=1e-6)
