import json
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import WORDS
from hypothesis import given, settings
from hypothesis import strategies as st

from textsent import model
from textsent.errors import DeviceError, OptionError, PresetError
from textsent.model import (
    KerasNetwork,
    OnnxNetwork,
    SentimentModel,
    batches_by_length,
    combine_windows,
    cut_windows,
    pad,
)
from textsent.preprocess import Preprocessor, WordIds
from textsent.presets import (
    CONFIG_FILE,
    ONNX_FILE,
    WEIGHTS_FILE,
    read_json,
)
from textsent.recipes import lstm
from textsent.train import write_network

LENGTHS = st.lists(st.integers(0, 40), max_size=12)
IDS = st.sampled_from([2, 4, 5, 6, 7, 8])
TEXTS = st.lists(st.lists(IDS, max_size=30), max_size=12)


def word_ids(*texts: list[int]) -> WordIds:
    return WordIds(
        np.array([word for text in texts for word in text], np.int32),
        np.cumsum([0, *(len(text) for text in texts)]),
    )


@pytest.fixture(scope="module")
def onnx_model(tiny_preset):
    return SentimentModel(OnnxNetwork.from_preset(tiny_preset), window=8, threads=2)


@pytest.fixture
def preset_copy(tiny_preset, tmp_path):
    return shutil.copytree(tiny_preset, tmp_path / "copy")


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


@given(LENGTHS, st.integers(1, 10))
def test_batches_hold_every_window_once_the_longest_first_and_only_the_last_is_not_full(lengths, size):
    batches = list(batches_by_length(np.array(lengths, np.int64), size))
    order = [int(window) for batch in batches for window in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[window] for window in order] == sorted(lengths, reverse=True)
    assert all(len(batch) == size for batch in batches[:-1])
    assert all(1 <= len(batch) <= size for batch in batches)


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


@settings(deadline=None, max_examples=30)
@given(texts=TEXTS, batch_size=st.integers(1, 50))
def test_a_text_scores_the_same_whatever_stands_beside_it_and_however_many_are_a_batch(
    onnx_model, texts, batch_size
):
    together = onnx_model.predict(word_ids(*texts), batch_size)
    alone = [onnx_model.predict(word_ids(text))[0] for text in texts]
    np.testing.assert_allclose(together, np.array(alone, np.float32), atol=1e-6, rtol=0)
    assert [bool(np.isnan(score)) for score in together] == [not text for text in texts]


def test_on_keras_too_a_text_scores_the_same_whatever_stands_beside_it(tiny_preset):
    on_keras = SentimentModel(KerasNetwork.from_preset(tiny_preset), window=8)
    texts = [[4, 5], [8] * 20, [], [6], [7, 2, 5], [5] * 9]
    together = on_keras.predict(word_ids(*texts))
    alone = [on_keras.predict(word_ids(text))[0] for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-6, rtol=0)


def test_no_texts_have_no_scores(onnx_model):
    scores = onnx_model.predict(word_ids())
    assert scores.shape == (0,)
    assert scores.dtype == np.float32


def test_a_text_longer_than_the_window_is_scored_to_its_end(onnx_model):
    long = [4, 5, 6, 7, 8, 2] * 4
    changed = [*long[:-1], 8]
    scores = onnx_model.predict(word_ids(long, changed))
    assert abs(scores[0] - scores[1]) > 1e-5


def test_padding_on_the_right_changes_no_score(tiny_preset):
    network = OnnxNetwork.from_preset(tiny_preset)
    narrow = np.array([[5, 6, 7], [4, 0, 0]], np.int32)
    wide = np.pad(narrow, ((0, 0), (0, 9)))
    np.testing.assert_allclose(network(wide), network(narrow), atol=1e-6, rtol=0)


def test_keras_and_onnx_runtime_agree_within_1e_5(tiny_preset):
    random = np.random.default_rng(0)
    texts = word_ids(*(random.integers(4, 9, length).tolist() for length in range(1, 40)))
    on_keras = SentimentModel(KerasNetwork.from_preset(tiny_preset), window=8).predict(texts)
    on_onnx = SentimentModel(OnnxNetwork.from_preset(tiny_preset), window=8).predict(texts)
    np.testing.assert_allclose(on_onnx, on_keras, atol=1e-5)
    assert on_onnx.std() > 1e-3


@pytest.mark.parametrize("bidirectional", [False, True])
def test_keras_and_onnx_runtime_agree_on_weights_that_are_all_random(tmp_path, bidirectional):
    config = {
        "recipe": "lstm",
        "vocabulary_size": len(WORDS),
        "embedding_size": 3,
        "units": 4,
        "bidirectional": bidirectional,
        "window": 50,
        "word_dropout": 0.1,
        "embedding_dropout": 0.1,
        "dropout": 0.1,
    }
    random = np.random.default_rng(3)
    network = lstm(config)
    network.set_weights([random.normal(size=weight.shape) for weight in network.get_weights()])
    write_network(network, config, Preprocessor(WORDS), tmp_path)
    texts = word_ids(*(random.integers(2, 9, length).tolist() for length in range(1, 50)))
    on_keras = SentimentModel(KerasNetwork.from_preset(tmp_path), window=50).predict(texts, batch_size=20)
    on_onnx = SentimentModel(OnnxNetwork.from_preset(tmp_path), window=50).predict(texts)
    np.testing.assert_allclose(on_onnx, on_keras, atol=1e-5)
    assert on_onnx.std() > 0.01


def test_a_device_of_another_name_is_refused(tiny_preset):
    with pytest.raises(OptionError) as refused:
        SentimentModel.from_preset(tiny_preset, "tpu")
    assert str(refused.value) == "there is no device 'tpu': choose one of auto, cpu, gpu"


def test_a_gpu_that_is_not_there_is_an_error(tiny_preset, monkeypatch):
    monkeypatch.setattr(model, "keras_sees_gpu", lambda: False)
    with pytest.raises(DeviceError) as missing:
        SentimentModel.from_preset(tiny_preset, "gpu")
    assert str(missing.value) == (
        "Keras sees no GPU: use --device cpu, or install a backend with GPU support "
        "(for TensorFlow: pip install 'tensorflow[and-cuda]')"
    )


@pytest.mark.parametrize(
    ("device", "driver", "gpu", "engine"),
    [
        ("auto", False, True, OnnxNetwork),
        ("auto", True, False, OnnxNetwork),
        ("auto", True, True, KerasNetwork),
        ("gpu", False, True, KerasNetwork),
        ("cpu", True, True, OnnxNetwork),
    ],
)
def test_keras_is_the_engine_where_a_gpu_is_wanted_and_there(tiny_preset, monkeypatch, device, driver, gpu, engine):
    monkeypatch.setattr(model, "_may_have_gpu", lambda: driver)
    monkeypatch.setattr(model, "keras_sees_gpu", lambda: gpu)
    assert type(SentimentModel.from_preset(tiny_preset, device).network) is engine


def test_the_backend_of_keras_tells_whether_there_is_a_gpu(monkeypatch):
    assert model.keras_sees_gpu() in (False, True)
    monkeypatch.setattr(keras.config, "backend", lambda: "another")
    assert model.keras_sees_gpu() is False


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x0a\x00"])
def test_a_damaged_onnx_file_is_refused_by_name(preset_copy, content):
    (preset_copy / ONNX_FILE).write_bytes(content)
    with pytest.raises(PresetError) as damaged:
        SentimentModel.from_preset(preset_copy, "cpu")
    assert str(damaged.value).startswith(f"{preset_copy / ONNX_FILE} can't be loaded by ONNX Runtime: ")


@pytest.mark.parametrize("content", [b"{", b"", b"\xff{}"])
def test_a_damaged_config_file_is_refused_by_name(preset_copy, content):
    (preset_copy / CONFIG_FILE).write_bytes(content)
    with pytest.raises(PresetError) as damaged:
        SentimentModel.from_preset(preset_copy, "cpu")
    assert str(damaged.value).startswith(f"{preset_copy / CONFIG_FILE} can't be read: ")


@pytest.mark.parametrize("config", [{}, {"window": "many"}])
def test_a_config_file_without_a_usable_window_is_refused(preset_copy, config):
    (preset_copy / CONFIG_FILE).write_text(json.dumps(config))
    with pytest.raises(PresetError):
        SentimentModel.from_preset(preset_copy, "cpu")


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
def test_weights_that_are_damaged_or_of_another_network_are_refused(preset_copy):
    message = f"{preset_copy / WEIGHTS_FILE} doesn't fit {preset_copy / CONFIG_FILE}: "
    config = read_json(preset_copy / CONFIG_FILE)
    (preset_copy / CONFIG_FILE).write_text(json.dumps(config | {"units": 6}))
    with pytest.raises(PresetError) as unfit:
        KerasNetwork.from_preset(preset_copy)
    assert str(unfit.value).startswith(message)
    (preset_copy / WEIGHTS_FILE).write_bytes(b"not HDF5")
    with pytest.raises(PresetError) as unfit:
        KerasNetwork.from_preset(preset_copy)
    assert str(unfit.value).startswith(message)


def test_scoring_on_a_cpu_imports_neither_keras_nor_its_backends(tiny_preset):
    code = (
        "import sys, textsent\n"
        "scores = textsent.load(sys.argv[1], device='cpu').score(['great service', None])\n"
        "assert 0 < scores[0] < 1\n"
        "print(*{'keras', 'tensorflow', 'jax', 'torch', 'onnx', 'h5py', 'rich', 'typer'}.intersection(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tiny_preset], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "\n"
    assert done.stderr == ""
