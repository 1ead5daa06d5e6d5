import io
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import FirstWordNetwork, word_ids
from hypothesis import given
from hypothesis import strategies as st

from textsent import ngrams as ngrams_module
from textsent.errors import PresetError
from textsent.model import SentimentModel
from textsent.ngrams import HALF_WORDS, LAST_WORDS, MOST_WORDS, NGRAMS_FILE, NgramTable, ngrams
from textsent.preprocess import WordIds
from textsent.presets import Calibration
from textsent.windows import Layout

BITS = 16
TEXTS = st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=6)


def found(texts: WordIds) -> list[Counter]:
    """Return how often each place of the n-grams of each text occurs."""
    counters: list[Counter] = [Counter() for _ in range(len(texts))]
    for kind, (places, is_whole, offsets) in enumerate(ngrams(texts, BITS)):
        for text, counter in enumerate(counters):
            here = slice(offsets[text], offsets[text + 1])
            counter.update((kind, int(place)) for place in places[here][is_whole[here]])
    return counters


def table(seed: int = 1, bias: float = 0.25, scale: float = 1.0) -> NgramTable:
    weights = np.random.default_rng(seed).normal(0, 0.1, 1 << BITS).astype(np.float16)
    return NgramTable(weights, bias, scale)


@given(TEXTS)
def test_a_text_s_n_grams_are_its_own_whatever_stands_beside_it(texts):
    together = found(word_ids(*texts))
    assert together == [found(word_ids(text))[0] for text in texts]


@pytest.mark.parametrize(("length", "number"), [(0, 0), (1, 2), (2, 6), (3, 12), (4, 18), (40, 2 * (40 + 39 + 38))])
def test_words_pairs_and_triples_are_counted_and_those_of_the_last_words_once_more(length, number):
    assert found(word_ids(list(range(1, length + 1))))[0].total() == number


def test_of_a_long_text_the_last_words_are_the_last():
    long = list(range(1, 101))
    (of_all,), (of_last,) = found(word_ids(long)), found(word_ids(long[-LAST_WORDS:]))
    # The kinds come in turn: of all words, of the last ones.
    assert [item for item in of_all if item[0] % 2] == [item for item in of_last if item[0] % 2]
    assert of_all.total() == 100 + 99 + 98 + LAST_WORDS + LAST_WORDS - 1 + LAST_WORDS - 2


def test_n_grams_have_places_of_their_own_by_their_words_and_their_order():
    places = [found(word_ids(text))[0] for text in ([4, 5], [5, 4], [4, 6], [4, 4])]
    pairs = [{place for kind, place in counter if kind == 2} for counter in places]
    assert len(set.union(*pairs)) == 4
    first = {place for kind, place in places[0] if kind == 0}
    assert first.isdisjoint({place for kind, place in places[0] if kind == 1})


def test_places_lie_within_the_table_and_spread_over_it():
    rng = np.random.default_rng(3)
    texts = word_ids(rng.integers(3, 40_000, 20_000).tolist())
    for places, is_whole, _ in ngrams(texts, 10):
        assert places.dtype == np.uint32
        counts = np.bincount(places[is_whole], minlength=1024)
        assert len(counts) == 1024
        assert counts.max() < 20 + 3 * counts.mean()


@given(TEXTS)
def test_the_log_odds_are_the_sum_of_what_the_n_grams_weigh_and_the_bias(texts):
    weighing = table()
    expected = [
        sum(float(weighing.weights[place]) * times for (_, place), times in counter.items()) + weighing.bias
        for counter in found(word_ids(*texts))
    ]
    odds, _ = weighing.opinion(word_ids(*texts))
    np.testing.assert_allclose(odds, expected, atol=1e-6)


def test_the_share_grows_with_the_words_and_a_very_long_text_is_weighed_by_its_mean():
    weighing = NgramTable(np.full(1 << BITS, 0.01, np.float16), 0.0)
    lengths = [0, 1, HALF_WORDS, MOST_WORDS, 100 * MOST_WORDS]
    odds, shares = weighing.opinion(word_ids(*([5] * length for length in lengths)))
    np.testing.assert_allclose(shares, [0, 0.5 / 101, 0.25, 0.4, 0.4])
    assert 0 == odds[0] < odds[1] < odds[2] < odds[3]
    assert odds[4] < 1.1 * odds[3]


def test_a_temperature_divides_all_of_it_and_a_bias_is_added():
    texts = word_ids([4, 5, 6], [], [7])
    before, shares = table(scale=0.5).opinion(texts)
    after, same = table(scale=0.5).calibrated(2.0, 0.75).opinion(texts)
    np.testing.assert_allclose(after, before / 2 + 0.75)
    np.testing.assert_array_equal(same, shares)


def test_of_no_texts_there_is_no_opinion():
    assert [part.shape for part in table().opinion(word_ids())] == [(0,), (0,)]


def test_a_model_takes_the_mean_of_network_and_n_grams_before_it_is_calibrated():
    texts, weighing = word_ids([4, 5, 6] * 30, [], [5]), table(bias=4.0)
    network = FirstWordNetwork(np.linspace(0.1, 0.9, 9))
    calibration = Calibration(temperature=2.0, bias=0.5)
    alone = SentimentModel(network, Layout(2)).predict(texts).astype(np.float64)
    both = SentimentModel(network, Layout(2), 2, calibration, weighing).predict(texts)
    odds, shares = weighing.opinion(texts)
    mean = (1 - shares) * np.log(alone / (1 - alone)) + shares * odds
    np.testing.assert_allclose(both, 1 / (1 + np.exp(-(mean / 2 + 0.5))), atol=1e-6)
    assert np.isnan(both[1])


def test_a_table_comes_back_from_a_preset(tmp_path):
    table(scale=0.8).save(tmp_path)
    again = NgramTable.from_preset(tmp_path)
    np.testing.assert_array_equal(again.weights, table().weights)
    assert (again.weights.dtype, again.bias, again.scale) == (np.float16, 0.25, 0.8)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"weights": np.zeros(8, np.float16), "bias": 0.0},
        {"weights": np.zeros(8, np.float32), "bias": 0.0, "scale": 1.0},
        {"weights": np.zeros((4, 2), np.float16), "bias": 0.0, "scale": 1.0},
        {"weights": np.zeros(6, np.float16), "bias": 0.0, "scale": 1.0},
        {"weights": np.zeros(0, np.float16), "bias": 0.0, "scale": 1.0},
        {"weights": np.zeros(8, np.float16), "bias": np.zeros(2), "scale": 1.0},
        {"weights": np.zeros(8, np.float16), "bias": 0.0, "scale": np.array(["x"])},
        {"weights": np.full(8, np.nan, np.float16), "bias": 0.0, "scale": 1.0},
        {"weights": np.zeros(8, np.float16), "bias": np.inf, "scale": 1.0},
    ],
)
def test_a_table_that_textsent_did_not_write_is_refused_by_name(arrays, tmp_path):
    np.savez(tmp_path / NGRAMS_FILE, **arrays)
    with pytest.raises(PresetError, match=rf"{NGRAMS_FILE} (can't be read|isn't what textsent wrote)"):
        NgramTable.from_preset(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04cut"])
def test_a_damaged_file_is_refused_by_name(content, tmp_path):
    (tmp_path / NGRAMS_FILE).write_bytes(content)
    with pytest.raises(PresetError, match=f"{NGRAMS_FILE} can't be read"):
        NgramTable.from_preset(tmp_path)


def write_array(folder, header, data=b"", **options):
    """Write a table's file whose weights have this header and these bytes."""
    np.savez(folder / NGRAMS_FILE, bias=0.0, scale=1.0)
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"fortran_order": False, **header})
    with zipfile.ZipFile(folder / NGRAMS_FILE, "a", **options) as archive:
        archive.writestr("weights.npy", array.getvalue() + data)


@pytest.mark.parametrize("places", [1 << 20, 1 << 40, 1 << 80])
def test_a_table_that_claims_more_than_it_holds_takes_no_memory(tmp_path, places):
    write_array(tmp_path, {"descr": "<f2", "shape": (places,)}, bytes(16))
    with pytest.raises(PresetError, match=r"can't be read: an array of the shape .* isn't in it"):
        NgramTable.from_preset(tmp_path)


def test_a_table_that_unpacks_to_too_much_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(ngrams_module, "_MOST_BYTES", 1 << 16)
    write_array(tmp_path, {"descr": "<f2", "shape": (1 << 16,)}, bytes(1 << 17), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(PresetError, match="it unpacks to 131,200 bytes, and 65,536 at most are read"):
        NgramTable.from_preset(tmp_path)


class Touch:
    """Makes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_in_a_table_is_not_opened(tmp_path):
    weights = np.array([Touch(tmp_path / "touched")] * 8, object)
    np.savez(tmp_path / NGRAMS_FILE, weights=weights, bias=0.0, scale=1.0)
    with pytest.raises(PresetError, match="can't be read"):
        NgramTable.from_preset(tmp_path)
    assert not (tmp_path / "touched").exists()
