import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import onnx
import pytest
from conftest import WORDS, FirstWordNetwork, word_ids
from hypothesis import given, settings
from hypothesis import strategies as st

from textsent import load, model, recipes
from textsent.errors import DeviceError, OptionError, PresetError
from textsent.model import (
    PRECISIONS,
    KerasNetwork,
    KerasOnCpu,
    OnnxNetwork,
    SentimentModel,
    WholeOnnxNetwork,
)
from textsent.preprocess import FIRST_WORD_ID, Preprocessor
from textsent.presets import (
    CONFIG_FILE,
    GET_ANEW,
    METADATA_FILE,
    NO_GRAPH,
    ONNX_FILE,
    PROJECTED,
    PROJECTION_FILE,
    RECURRENT_KERNELS,
    WEIGHTS_FILE,
    WHOLE,
    read_json,
    write_json,
)
from textsent.recipes import RECIPES, Recipe, lstm
from textsent.train import write_network
from textsent.windows import Layout

CPU_PRECISIONS = [precision for precision, devices in PRECISIONS.items() if "cpu" in devices]
IDS = st.sampled_from([2, 4, 5, 6, 7, 8])
TEXTS = st.lists(st.lists(IDS, max_size=30), max_size=12)


@pytest.fixture(scope="module")
def onnx_model(tiny_preset):
    return SentimentModel(OnnxNetwork.from_preset(tiny_preset), Layout(8), threads=2)


@pytest.fixture(scope="module")
def int8_model(tiny_preset):
    return SentimentModel(OnnxNetwork.from_preset(tiny_preset, "int8"), Layout(8), threads=2)


@pytest.fixture
def preset_copy(tiny_preset, tmp_path):
    return shutil.copytree(tiny_preset, tmp_path / "copy")


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
    on_keras = SentimentModel(KerasNetwork.from_preset(tiny_preset), Layout(8))
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


@pytest.mark.parametrize("engine", [OnnxNetwork, KerasNetwork])
def test_a_longer_window_in_the_batch_changes_no_probability(tiny_preset, engine):
    read = engine.from_preset(tiny_preset).reading(np.array([5, 6, 7, 4, *[8, 2, 6] * 30], np.int32))
    narrow = read(np.array([0, 3]), np.array([3, 4]))
    wide = read(np.array([0, 4, 3]), np.array([3, 94, 4]))
    np.testing.assert_allclose(wide[[0, 2]], narrow, atol=1e-6, rtol=0)
    assert narrow.shape == (2,)
    assert narrow.dtype == np.float32


@pytest.mark.parametrize("engine", [OnnxNetwork, KerasNetwork])
def test_windows_may_overlap_and_come_in_any_order_and_twice(tiny_preset, engine):
    read = engine.from_preset(tiny_preset).reading(np.array([5, 6, 7, 4, 8, 2], np.int32))
    starts, ends = np.array([2, 0, 0, 2, 5]), np.array([5, 6, 1, 5, 6])
    alone = [read(starts[[window]], ends[[window]])[0] for window in range(5)]
    np.testing.assert_allclose(read(starts, ends), alone, atol=1e-6, rtol=0)
    assert len({round(float(probability), 6) for probability in alone}) == 4


def test_keras_and_onnx_runtime_agree_within_1e_5(tiny_preset):
    random = np.random.default_rng(0)
    texts = word_ids(*(random.integers(4, 9, length).tolist() for length in range(1, 40)))
    on_keras = SentimentModel(KerasNetwork.from_preset(tiny_preset), Layout(8)).predict(texts)
    on_onnx = SentimentModel(OnnxNetwork.from_preset(tiny_preset), Layout(8)).predict(texts)
    np.testing.assert_allclose(on_onnx, on_keras, atol=1e-5)
    assert on_onnx.std() > 1e-3


RANDOM_CONFIG = {
    "recipe": "lstm",
    "vocabulary_size": len(WORDS),
    "embedding_size": 3,
    "units": 4,
    "window": 50,
    "word_dropout": 0.1,
    "embedding_dropout": 0.1,
    "dropout": 0.1,
}


@pytest.fixture(scope="module", params=[False, True], ids=["one way", "both ways"])
def random_preset(request, tmp_path_factory):
    """A preset whose weights are all random."""
    config = RANDOM_CONFIG | {"bidirectional": request.param}
    random = np.random.default_rng(3)
    network = lstm(config)
    network.set_weights([random.normal(size=weight.shape) for weight in network.get_weights()])
    folder = tmp_path_factory.mktemp("random")
    write_network(network, config, Preprocessor(WORDS), folder)
    return folder


def test_keras_and_onnx_runtime_agree_on_weights_that_are_all_random(random_preset):
    random = np.random.default_rng(4)
    texts = word_ids(*(random.integers(2, 9, length).tolist() for length in range(1, 50)))
    on_keras = SentimentModel(KerasNetwork.from_preset(random_preset), Layout(50)).predict(texts, batch_size=20)
    on_onnx = SentimentModel(OnnxNetwork.from_preset(random_preset), Layout(50)).predict(texts)
    np.testing.assert_allclose(on_onnx, on_keras, atol=1e-5)
    assert on_onnx.std() > 0.01


@pytest.mark.parametrize("text", [[4], [8, 2], [4, 4, 4, 4, 4], [2, 8, 5, 6, 7, 4, 5, 6]])
def test_a_few_words_and_more_than_the_vocabulary_has_are_read_alike_and_as_by_keras(random_preset, text):
    network = OnnxNetwork.from_preset(random_preset)
    starts, ends = np.array([0]), np.array([len(text)])
    few = network.reading(np.array(text, np.int32))(starts, ends)
    many = network.reading(np.array([*text, *[8, 7, 6] * 20], np.int32))(starts, ends)
    on_keras = KerasNetwork.from_preset(random_preset).reading(np.array(text, np.int32))(starts, ends)
    np.testing.assert_allclose(many, few, atol=1e-6, rtol=0)
    np.testing.assert_allclose(few, on_keras, atol=1e-5, rtol=0)


def test_a_run_of_words_may_be_read_while_another_one_is(tiny_preset):
    network = OnnxNetwork.from_preset(tiny_preset)
    one, other = np.array([4, 5], np.int32), np.array([8, 6, 7, 2] * 5, np.int32)
    read_one, read_other = network.reading(one), network.reading(other)
    starts, ends = np.array([0]), np.array([2])
    np.testing.assert_array_equal(read_one(starts, ends), network.reading(one)(starts, ends))
    np.testing.assert_array_equal(read_other(starts, ends), network.reading(other)(starts, ends))


def many_texts(number, longest=30):
    random = np.random.default_rng(5)
    return word_ids(*(random.integers(2, 9, length).tolist() for length in random.integers(0, longest, number)))


@pytest.mark.parametrize("precision", CPU_PRECISIONS)
def test_the_number_of_threads_changes_not_a_bit_of_any_score(tiny_preset, precision):
    texts = many_texts(1000)  # more words than a batch holds
    one, *others = (
        SentimentModel.from_preset(tiny_preset, "cpu", precision, threads).predict(texts) for threads in (1, 2, 5)
    )
    assert np.nanstd(one) > 1e-3
    for other in others:
        np.testing.assert_array_equal(other, one)


def test_the_threads_are_as_many_as_the_cores_of_the_process_where_none_are_asked_for(tiny_preset, monkeypatch):
    monkeypatch.setattr(model, "usable_cores", lambda: 7)
    assert SentimentModel.from_preset(tiny_preset, "cpu").threads == 7
    assert SentimentModel.from_preset(tiny_preset, "cpu", threads=3).threads == 3


def test_the_texts_that_are_begun_get_what_they_get_when_predicted(onnx_model):
    texts = [many_texts(300), word_ids([4, 5], [], [6] * 20), word_ids(), word_ids([], [])]
    with ThreadPoolExecutor(2) as pool:
        begun = [onnx_model.begin(each, pool) for each in texts]
        finished = [finish() for finish in reversed(begun)]
    for each, scores in zip(texts, reversed(finished), strict=True):
        np.testing.assert_array_equal(scores, onnx_model.predict(each))


def test_few_texts_make_work_for_several_threads():
    """Once they have some thousand words each."""
    network = BatchCounter([0.5] * len(WORDS))
    SentimentModel(network, Layout(100)).predict(word_ids(*[[4] * 100] * 600))
    assert len(network.seen) > 8
    assert sum(network.seen) == 600


class BatchCounter(FirstWordNetwork):
    """Notes how many windows each batch has."""

    batch_words = 1 << 16
    batch_windows = 256
    batches = 16
    width_step = 1

    def __init__(self, scores):
        super().__init__(scores)
        self.seen = []

    def reading(self, ids):
        read = super().reading(ids)

        def counted(starts, ends):
            self.seen.append(len(starts))
            return read(starts, ends)

        return counted


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_a_batch_is_raised_as_it_is(threads):
    class Failing(FirstWordNetwork):
        def reading(self, ids):
            def read(starts, ends):
                if 8 in ids[starts]:
                    raise MemoryError("no room")
                return np.zeros(len(starts), np.float32)

            return read

    failing = SentimentModel(Failing([0.5] * len(WORDS)), Layout(8), threads)
    with pytest.raises(MemoryError, match=r"^no room$"):
        failing.predict(word_ids(*[[4]] * 50, [8], *[[5]] * 50))
    assert failing.predict(word_ids([4]))[0] < 0.5


class ShapeRecorder:
    """Stands for a Keras model: a row's output is the sum of its ids; notes the shapes that it is given."""

    def __init__(self):
        self.shapes = []

    def predict_on_batch(self, padded):
        assert padded.dtype == np.int32
        self.shapes.append(padded.shape)
        return padded.sum(axis=1, keepdims=True) / 1e4


def test_on_keras_batches_are_filled_up_to_few_shapes():
    recorder = ShapeRecorder()
    network = KerasNetwork(recorder)
    network.batch_words, network.batch_windows = 3000, 32
    random = np.random.default_rng(6)
    wanted = set()
    for windows in range(1, 60):
        lengths = random.integers(1, 150, windows)
        wanted.add((windows, lengths.max()))
        texts = word_ids(*([5] * length for length in lengths))
        scores = SentimentModel(network, Layout(150)).predict(texts)
        np.testing.assert_allclose(scores, lengths * 5 / 1e4, rtol=1e-5)
    assert {width for _, width in recorder.shapes} == {50, 100, 150}
    assert all(rows <= 32 for rows, _ in recorder.shapes)
    assert len(wanted) == 59
    assert len(set(recorder.shapes)) <= 3 * 7  # of each width the powers of two, and as many as a batch may hold


@pytest.mark.parametrize("length", [1, 26, 49, 50, 51, 99, 101, 150])
def test_on_keras_windows_of_any_length_are_predicted_though_padding_makes_them_longer(length):
    recorder = ShapeRecorder()
    network = KerasNetwork(recorder)
    network.batch_words, network.batch_windows = 400, 16
    scores = SentimentModel(network, Layout(200)).predict(word_ids(*[[5] * length] * 40))
    np.testing.assert_allclose(scores, [length * 5 / 1e4] * 40, rtol=1e-5)
    assert all(rows <= 16 for rows, _ in recorder.shapes)


@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_on_keras_a_batch_may_be_asked_to_hold_fewer_windows_or_more(batch_size):
    recorder = ShapeRecorder()
    network = KerasNetwork(recorder)
    network.batch_words, network.batch_windows = 3000, 32
    scores = SentimentModel(network, Layout(8)).predict(word_ids(*[[5, 6]] * 130), batch_size)
    np.testing.assert_allclose(scores, [11 / 1e4] * 130, rtol=1e-5)
    assert len(recorder.shapes) >= 130 / batch_size


def test_on_keras_many_windows_just_longer_than_a_width_are_predicted():
    """As of thousands of long texts, with the budgets of a GPU."""
    scores = SentimentModel(KerasNetwork(ShapeRecorder()), Layout(60)).predict(word_ids(*[[1] * 51] * 45_000))
    np.testing.assert_allclose(scores, [51 / 1e4] * 45_000, rtol=1e-5)


@pytest.mark.parametrize(("padding", "row"), [("after", [5, 6, 0, 0, 0, 0, 0]), ("before", [0, 0, 0, 0, 0, 5, 6])])
def test_on_keras_too_each_row_is_as_wide_as_the_window_where_the_layout_says_so(padding, row):
    layout = Layout(7, "last", padding=padding, full_width=True)
    recorder = RowRecorder()
    scores = SentimentModel(KerasNetwork(recorder, layout), layout).predict(word_ids([5, 6], [4] * 9, [8]))
    np.testing.assert_allclose(scores, [11 / 1e4, 28 / 1e4, 8 / 1e4], rtol=1e-5)
    assert {len(row) for row in recorder.rows} == {7}
    assert row in recorder.rows


class RowRecorder(ShapeRecorder):
    """Keeps the rows that it is given; its second output is the one that counts."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def predict_on_batch(self, padded):
        self.rows += padded.tolist()
        return np.concatenate([np.full((len(padded), 1), 0.9), super().predict_on_batch(padded)], axis=1)


def test_batches_of_full_width_are_as_large_as_the_zeros_in_them_allow():
    """Short texts are not many small batches because their words are few."""
    network = BatchCounter([0.5] * len(WORDS))
    SentimentModel(network, Layout(500, full_width=True)).predict(word_ids(*[[4]] * 4000))
    assert network.seen == [131] * 30 + [70]  # 131 × 500 words are the most that a batch may hold


def test_a_device_of_another_name_is_refused(tiny_preset):
    with pytest.raises(OptionError) as refused:
        SentimentModel.from_preset(tiny_preset, "tpu")
    assert str(refused.value) == "there is no device 'tpu': choose one of auto, cpu, gpu"


def test_a_precision_of_another_name_is_refused(tiny_preset):
    with pytest.raises(OptionError) as refused:
        SentimentModel.from_preset(tiny_preset, "cpu", "int4")
    assert str(refused.value) == "there is no precision 'int4': choose one of float32, int8, float16"


@pytest.mark.parametrize(
    ("precision", "device", "its_own"),
    [("int8", "gpu", "cpu"), ("float16", "cpu", "gpu"), ("float16", "auto", "gpu")],
)
def test_a_precision_that_is_not_for_the_device_is_refused(tiny_preset, monkeypatch, precision, device, its_own):
    monkeypatch.setattr(model, "_may_have_gpu", lambda: True)
    monkeypatch.setattr(model, "keras_sees_gpu", lambda: True)
    with pytest.raises(OptionError) as refused:
        SentimentModel.from_preset(tiny_preset, device, precision)
    assert str(refused.value) == (f"{precision} needs --device {its_own}. Received: {device}")


def test_8_bit_integers_run_on_the_cpu_beside_a_gpu(tiny_preset, monkeypatch):
    monkeypatch.setattr(model, "_may_have_gpu", lambda: True)
    monkeypatch.setattr(model, "keras_sees_gpu", lambda: True)
    assert type(SentimentModel.from_preset(tiny_preset, "auto", "int8").network) is OnnxNetwork


@pytest.mark.parametrize(("precision", "computed"), [("float32", "float32"), ("float16", "float16")])
def test_on_a_gpu_keras_computes_in_the_precision_asked_for(tiny_preset, monkeypatch, precision, computed):
    monkeypatch.setattr(model, "keras_sees_gpu", lambda: True)
    network = SentimentModel.from_preset(tiny_preset, "gpu", precision).network.model
    assert {layer.name: layer.compute_dtype for layer in network.layers if layer.weights} == {
        "embedding": computed, "bidirectional": computed, "probability": "float32",
    }  # fmt: skip
    assert keras.config.dtype_policy().name == "float32"


def test_scores_in_float16_are_other_ones_but_close(tiny_preset):
    texts = many_texts(200)
    exact = SentimentModel(KerasNetwork.from_preset(tiny_preset), Layout(8)).predict(texts)
    quick = SentimentModel(KerasNetwork.from_preset(tiny_preset, "mixed_float16"), Layout(8)).predict(texts)
    assert 0 < np.nanmax(abs(quick - exact)) < 0.001
    assert quick.dtype == np.float32


def test_a_network_that_cannot_be_built_leaves_the_precision_of_keras_as_it_was(preset_copy):
    (preset_copy / CONFIG_FILE).write_text('{"recipe": "lstm"}')
    with pytest.raises(PresetError, match=r"config\.json lacks '"):
        KerasNetwork.from_preset(preset_copy, "mixed_float16")
    assert keras.config.dtype_policy().name == "float32"


def test_scores_by_8_bit_integers_are_other_ones_but_close(tiny_preset):
    texts = many_texts(500)
    exact = SentimentModel.from_preset(tiny_preset, "cpu").predict(texts)
    quick = SentimentModel.from_preset(tiny_preset, "cpu", "int8").predict(texts)
    assert 0 < np.nanmax(abs(quick - exact)) < 0.05
    np.testing.assert_array_equal(np.isnan(quick), np.isnan(exact))


@settings(deadline=None, max_examples=20)
@given(texts=TEXTS, batch_size=st.integers(1, 50))
def test_by_8_bit_integers_too_a_text_scores_the_same_whatever_stands_beside_it(int8_model, texts, batch_size):
    together = int8_model.predict(word_ids(*texts), batch_size)
    alone = [int8_model.predict(word_ids(text))[0] for text in texts]
    np.testing.assert_allclose(together, np.array(alone, np.float32), atol=1e-6, rtol=0)


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


def test_of_a_graph_that_the_engine_refuses_one_line_is_said_and_nothing_printed(preset_copy, capfd):
    path = preset_copy / ONNX_FILE
    for new in (b"probabilit\xff", b"prob\nbility"):
        path.write_bytes((preset_copy / ONNX_FILE).read_bytes().replace(b"probability", new, 1))
        with pytest.raises(PresetError) as refused:
            SentimentModel.from_preset(preset_copy, "cpu")
        assert str(refused.value).startswith(f"{path} can't be loaded by ONNX Runtime: ")
        assert "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


def test_weights_that_are_no_numbers_give_no_score(preset_copy):
    graph = onnx.load(preset_copy / ONNX_FILE)
    (kernels,) = (tensor for tensor in graph.graph.initializer if tensor.name == RECURRENT_KERNELS)
    kernels.raw_data = np.full(kernels.dims, np.nan, np.float32).tobytes()
    onnx.save(graph, preset_copy / ONNX_FILE)
    with pytest.raises(PresetError) as refused:
        load(preset_copy, device="cpu").score(["the great service"])
    assert str(refused.value) == (
        "the model gives scores that are no numbers: its weights are damaged, fetch it again"
    )


@pytest.mark.parametrize("precision", CPU_PRECISIONS)
@pytest.mark.parametrize("name", [ONNX_FILE, PROJECTION_FILE])
@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x0a\x00", None])
def test_a_damaged_onnx_file_is_refused_by_name(preset_copy, precision, name, content):
    path = preset_copy / name
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(PresetError) as damaged:
        SentimentModel.from_preset(preset_copy, "cpu", precision)
    assert str(damaged.value).startswith(f"{path} can't be loaded by ONNX Runtime: ")


@pytest.mark.parametrize("precision", CPU_PRECISIONS)
@pytest.mark.parametrize(("name", "other"), [(ONNX_FILE, PROJECTION_FILE), (PROJECTION_FILE, ONNX_FILE)])
def test_an_onnx_file_that_holds_another_graph_is_refused_by_name(preset_copy, precision, name, other):
    shutil.copy(preset_copy / other, preset_copy / name)
    with pytest.raises(PresetError) as unfit:
        SentimentModel.from_preset(preset_copy, "cpu", precision)
    assert str(preset_copy / name) in str(unfit.value)


@pytest.mark.parametrize("content", [b"{", b"", b"\xff{}"])
def test_a_damaged_config_file_is_refused_by_name(preset_copy, content):
    (preset_copy / CONFIG_FILE).write_bytes(content)
    with pytest.raises(PresetError) as damaged:
        SentimentModel.from_preset(preset_copy, "cpu")
    assert str(damaged.value).startswith(f"{preset_copy / CONFIG_FILE} can't be read: ")


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, "the window must be a number of words, 1 or more. Received: None"),
        ({"window": "many"}, "the window must be a number of words, 1 or more. Received: 'many'"),
        ({"window": 8, "unknown": "keep"}, "unknown must be one of mark, drop. Received: 'keep'"),
        ({"window": 8, "padding": "before"}, "padding before a text needs full_width"),
        ({"window": 8, "start": "yes"}, "start must be true or false. Received: 'yes'"),
    ],
)
def test_a_config_file_without_a_usable_layout_is_refused(preset_copy, config, problem):
    (preset_copy / CONFIG_FILE).write_text(json.dumps(config))
    with pytest.raises(PresetError) as unusable:
        SentimentModel.from_preset(preset_copy, "cpu")
    assert str(unusable.value) == f"{preset_copy / CONFIG_FILE}: {problem}"


@pytest.mark.parametrize("words", [6, "many", None, [5]])
def test_a_config_file_of_another_number_of_words_than_the_graph_s_is_refused(preset_copy, words):
    config = read_json(preset_copy / CONFIG_FILE)
    (preset_copy / CONFIG_FILE).write_text(json.dumps(config | {"vocabulary_size": words}))
    with pytest.raises(PresetError) as unfit:
        SentimentModel.from_preset(preset_copy, "cpu")
    assert str(unfit.value) == (
        f"{preset_copy / PROJECTION_FILE} is made for 5 words, {preset_copy / CONFIG_FILE} for another number: "
        "take the preset's files from one place"
    )


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


@pytest.mark.parametrize("graph", [PROJECTED, WHOLE])
def test_scoring_on_a_cpu_imports_neither_keras_nor_its_backends(tiny_preset, whole_preset, graph):
    code = (
        "import sys, textsent\n"
        "scores = textsent.load(sys.argv[1], device='cpu').score(['great service', None])\n"
        "assert 0 < scores[0] < 1\n"
        "print(*{'keras', 'tensorflow', 'jax', 'torch', 'onnx', 'h5py', 'rich', 'typer'}.intersection(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tiny_preset if graph == PROJECTED else whole_preset],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout == "\n"
    assert done.stderr == ""


def written(folder, name, own, **changes):
    """Write a preset of a recipe, of five words and with weights that are all random; return its folder."""
    config = {"recipe": name, **own.config, "vocabulary_size": len(WORDS), **changes}
    network = own.build(config)
    random = np.random.default_rng(3)
    network.set_weights(
        [random.normal(size=weight.shape) / np.sqrt(weight.shape[0]) for weight in network.get_weights()]
    )
    folder.mkdir()
    write_network(network, config, Preprocessor(WORDS), folder)
    write_json(folder / METADATA_FILE, {"command": "made by the tests"})
    return folder


@pytest.fixture(scope="module")
def whole_preset(tmp_path_factory):
    """A preset whose network is one graph, which reads rows of 500 words."""
    return written(tmp_path_factory.mktemp("whole") / "mlp", "mlp-500", RECIPES["mlp-500"])


@pytest.fixture
def whole_copy(whole_preset, tmp_path):
    return shutil.copytree(whole_preset, tmp_path / "copy")


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "lstm"])
def test_a_preset_of_each_recipe_scores_on_a_cpu_as_by_keras(tmp_path, name):
    folder = written(tmp_path / "preset", name, RECIPES[name])
    assert read_json(folder / CONFIG_FILE)["graph"] == WHOLE
    assert not (folder / PROJECTION_FILE).exists()
    scorer = load(folder, device="cpu")
    assert type(scorer.model.network) is WholeOnnxNetwork
    assert scorer.model.layout == Layout.from_config(RECIPES[name].config)
    random = np.random.default_rng(4)
    vocabulary = [*WORDS, "unknown"]
    texts = [
        " ".join(["great", *random.choice(vocabulary, length - 1)])
        for length in (1, 2, 3, 5, 8, 20, 79, 80, 81, 200, 256, 257, 350, 351, 499, 500, 501, 1200)
    ]
    scores = scorer.score([*texts, "unknown", None])
    on_keras = SentimentModel(KerasNetwork.from_preset(folder), scorer.model.layout)
    by_keras = on_keras.predict(scorer.preprocessor(texts))
    np.testing.assert_allclose(scores[:-2], by_keras, atol=1e-5, rtol=0)
    assert scores[:-2].std() > 1e-3
    assert np.isnan(scores[-2:]).all()
    alone = [scorer.score([text])[0] for text in texts]
    np.testing.assert_allclose(scores[:-2], alone, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("driver", "engine"), [(False, WholeOnnxNetwork), (True, KerasNetwork)])
def test_a_network_in_one_graph_is_run_by_keras_on_a_gpu(whole_preset, monkeypatch, driver, engine):
    monkeypatch.setattr(model, "_may_have_gpu", lambda: driver)
    monkeypatch.setattr(model, "keras_sees_gpu", lambda: True)
    assert type(SentimentModel.from_preset(whole_preset).network) is engine
    assert type(SentimentModel.from_preset(whole_preset, "cpu").network) is WholeOnnxNetwork
    assert type(SentimentModel.from_preset(whole_preset, "gpu", "float16").network) is KerasNetwork


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_a_network_in_one_graph_has_no_8_bit_form(whole_preset, device):
    with pytest.raises(OptionError) as refused:
        SentimentModel.from_preset(whole_preset, device, "int8")
    assert str(refused.value) == "the model mlp has no 8-bit form: leave --precision out"


@pytest.mark.parametrize("content", [b"", b"not a graph", None])
def test_a_damaged_whole_graph_is_refused_by_name(whole_copy, content):
    path = whole_copy / ONNX_FILE
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(PresetError) as damaged:
        SentimentModel.from_preset(whole_copy, "cpu")
    assert str(damaged.value).startswith(f"{path} can't be loaded by ONNX Runtime: ")


@pytest.mark.parametrize("name", [ONNX_FILE, PROJECTION_FILE])
def test_a_graph_of_the_recipe_lstm_is_no_whole_graph(whole_copy, tiny_preset, name):
    shutil.copy(tiny_preset / name, whole_copy / ONNX_FILE)
    with pytest.raises(PresetError) as unfit:
        SentimentModel.from_preset(whole_copy, "cpu")
    assert str(unfit.value).startswith(f"{whole_copy / ONNX_FILE} isn't what textsent wrote: ")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ("input", "it makes probability of another"),
        ("output", "it makes another of ids"),
        ("metadata", "'ids'"),
    ],
)
def test_a_graph_that_takes_or_gives_something_else_is_no_whole_graph(whole_copy, changed, problem):
    path = whole_copy / ONNX_FILE
    graph = onnx.load(path)
    if changed == "metadata":
        del graph.metadata_props[:]
    else:
        (value,) = getattr(graph.graph, changed)
        for node in graph.graph.node:
            for names in (node.input, node.output):
                names[:] = ["another" if name == value.name else name for name in names]
        value.name = "another"
    onnx.save(graph, path)
    with pytest.raises(PresetError) as unfit:
        SentimentModel.from_preset(whole_copy, "cpu")
    assert str(unfit.value) == f"{path} isn't what textsent wrote: {problem}: {GET_ANEW}"


def test_a_whole_graph_is_no_graph_of_the_recipe_lstm(preset_copy, whole_preset):
    shutil.copy(whole_preset / ONNX_FILE, preset_copy / ONNX_FILE)
    with pytest.raises(PresetError) as unfit:
        SentimentModel.from_preset(preset_copy, "cpu")
    assert str(preset_copy / ONNX_FILE) in str(unfit.value)


def test_a_whole_graph_of_another_vocabulary_is_refused(whole_copy, tmp_path):
    other = written(tmp_path / "other", "mlp-500", RECIPES["mlp-500"], vocabulary_size=7)
    shutil.copy(other / ONNX_FILE, whole_copy / ONNX_FILE)
    with pytest.raises(PresetError) as unfit:
        SentimentModel.from_preset(whole_copy, "cpu")
    assert str(unfit.value) == (
        f"{whole_copy / ONNX_FILE} is made for 7 words, {whole_copy / CONFIG_FILE} for another number: "
        "take the preset's files from one place"
    )


@pytest.mark.parametrize(
    ("layout", "given"),
    [({"window": 400}, "400"), ({"padding": "after", "full_width": False}, "any number")],
)
def test_a_whole_graph_of_rows_of_another_width_than_the_layout_s_is_refused(whole_copy, layout, given):
    write_json(whole_copy / CONFIG_FILE, {**read_json(whole_copy / CONFIG_FILE), **layout})
    with pytest.raises(PresetError) as unfit:
        SentimentModel.from_preset(whole_copy, "cpu")
    assert str(unfit.value) == (
        f"{whole_copy / ONNX_FILE} reads 500 words at once, the layout gives it {given}: "
        "take the preset's files from one place"
    )


def gru(config):
    """A network that `textsent.export` doesn't know."""
    ids = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(
        config["vocabulary_size"] + FIRST_WORD_ID, 3, mask_zero=True, name="embedding"
    )(ids)
    return keras.Model(ids, keras.layers.Dense(1, activation="sigmoid")(keras.layers.GRU(4)(vectors)))


@pytest.fixture(scope="module")
def graphless_preset(tmp_path_factory):
    """A preset that has no graph, of a recipe that is textsent's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recipes.RECIPES, "gru", Recipe(gru, {"window": 8}, len(WORDS), 2))
        yield written(tmp_path_factory.mktemp("graphless") / "gru", "gru", recipes.RECIPES["gru"])


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_a_preset_without_a_graph_is_scored_by_keras_on_a_cpu(graphless_preset, monkeypatch, device):
    monkeypatch.setattr(model, "_may_have_gpu", lambda: False)
    assert read_json(graphless_preset / CONFIG_FILE)["graph"] == NO_GRAPH
    assert not (graphless_preset / ONNX_FILE).exists()
    scorer = load(graphless_preset, device=device)
    assert type(scorer.model.network) is KerasOnCpu
    texts = ["great service", "the guys unknown", "terrible " * 8, "service"]
    network = gru({"vocabulary_size": len(WORDS)})
    network.load_weights(graphless_preset / WEIGHTS_FILE)
    ids = scorer.preprocessor(texts)
    expected = [float(network(ids[text][None])[0, 0]) for text in range(4)]
    np.testing.assert_allclose(scorer.score(texts), expected, atol=1e-5, rtol=0)
    alone = [scorer.score([text])[0] for text in texts]
    np.testing.assert_allclose(alone, expected, atol=1e-5, rtol=0)
    assert np.std(expected) > 1e-3


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_a_preset_without_a_graph_has_no_8_bit_form(graphless_preset, device):
    with pytest.raises(OptionError) as refused:
        SentimentModel.from_preset(graphless_preset, device, "int8")
    assert str(refused.value) == "the model gru has no 8-bit form: leave --precision out"


@pytest.mark.parametrize("name", ["gone", 5, None, ["mlp-500"], {}])
def test_a_preset_without_a_graph_of_a_recipe_that_there_is_not_is_refused(graphless_preset, tmp_path, name):
    copy = shutil.copytree(graphless_preset, tmp_path / "copy")
    write_json(copy / CONFIG_FILE, {**read_json(copy / CONFIG_FILE), "recipe": name})
    with pytest.raises(PresetError) as unusable:
        SentimentModel.from_preset(copy, "cpu")
    assert str(unusable.value) == (
        f"{copy / CONFIG_FILE}: there is no recipe {name!r}: choose one of {', '.join(recipes.RECIPES)}"
    )


def test_a_preset_without_a_graph_that_names_no_recipe_is_refused(graphless_preset, tmp_path):
    copy = shutil.copytree(graphless_preset, tmp_path / "copy")
    write_json(copy / CONFIG_FILE, {"window": 8, "graph": NO_GRAPH, "vocabulary_size": len(WORDS)})
    with pytest.raises(PresetError) as unusable:
        SentimentModel.from_preset(copy, "cpu")
    assert str(unusable.value) == f"{copy / CONFIG_FILE} lacks 'recipe'"


OUTSIDE = """\
import keras

from textsent.recipes import Recipe


def build(config):
    ids = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(config["vocabulary_size"] + 4, 3, mask_zero=True, name="embedding")(ids)
    state = keras.layers.{layer}(4)(vectors)
    return keras.Model(ids, keras.layers.Dense(1, activation="sigmoid")(state))


mine = Recipe(build=build, config={{"window": 8, "long_texts": "first"}}, vocabulary_size=5, batch_size=2)
"""
TELLTALE = """\
from pathlib import Path

Path(__file__).with_name("imported").touch()
raise AssertionError("imported")
"""
"""Code that can't be imported unseen."""


class Outside:
    """A folder with a user's recipe in the file `mine_for_tests.py` and a preset of it."""

    def __init__(self, folder, name, layer):
        self.file = folder / "mine_for_tests.py"
        self.code = OUTSIDE.format(layer=layer)
        self.file.write_text(self.code)
        self.name = name
        self.preset = written(folder / "mine", name, recipes.recipe(name))
        self.forget()

    def forget(self):
        recipes._imported.cache_clear()
        for name in ("mine_for_tests", "textsent_recipe_mine_for_tests"):
            sys.modules.pop(name, None)

    def lay_a_trap(self):
        self.file.write_text(TELLTALE)
        shutil.rmtree(self.file.parent / "__pycache__", ignore_errors=True)

    @property
    def sprung(self):
        return (self.file.parent / "imported").exists()


@pytest.fixture(params=["mine_for_tests.py:mine", "mine_for_tests:mine"], ids=["a file", "a module"])
def outside(request, tmp_path, monkeypatch):
    """Makes a preset of a recipe from outside with a network around a layer."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def make(layer):
        made.append(Outside(tmp_path, request.param, layer))
        return made[0]

    yield make
    for each in made:
        each.forget()


def pretend_a_gpu(monkeypatch, there=True):
    monkeypatch.setattr(model, "_may_have_gpu", lambda: there)
    monkeypatch.setattr(model, "keras_sees_gpu", lambda: there)


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_a_recipe_from_outside_that_has_a_graph_is_scored_without_its_code(outside, monkeypatch, device, gpu):
    mine = outside("LSTM")
    assert read_json(mine.preset / CONFIG_FILE)["graph"] == WHOLE
    on_keras = SentimentModel(KerasNetwork.from_preset(mine.preset, trust_recipe=True), Layout(8, "first"))
    mine.forget()
    mine.lay_a_trap()
    pretend_a_gpu(monkeypatch, gpu)
    scorer = load(mine.preset, device=device)
    assert type(scorer.model.network) is WholeOnnxNetwork
    texts = ["great service", "the guys " * 20, "terrible"]
    expected = on_keras.predict(scorer.preprocessor(texts))
    np.testing.assert_allclose(scorer.score(texts), expected, atol=1e-5, rtol=0)
    assert not mine.sprung


def test_on_a_gpu_a_recipe_from_outside_that_is_trusted_is_run_by_keras(outside, monkeypatch):
    mine = outside("LSTM")
    pretend_a_gpu(monkeypatch)
    assert type(load(mine.preset, trust_recipe=True).model.network) is KerasNetwork
    assert type(load(mine.preset, device="gpu", trust_recipe=True).model.network) is KerasNetwork
    assert type(load(mine.preset, device="cpu", trust_recipe=True).model.network) is WholeOnnxNetwork


def refused_for_trust(mine, **options):
    with pytest.raises(PresetError) as refused:
        load(mine.preset, **options)
    return str(refused.value) == (
        f"the model mine needs the code of the recipe {mine.name!r}, which isn't textsent's: "
        "if you trust it, use --trust-recipe"
    )


def test_a_recipe_from_outside_without_a_graph_is_scored_only_when_it_is_trusted(outside, monkeypatch):
    mine = outside("GRU")
    assert read_json(mine.preset / CONFIG_FILE)["graph"] == NO_GRAPH
    pretend_a_gpu(monkeypatch, there=False)
    trusted = load(mine.preset, device="cpu", trust_recipe=True)
    texts = ["great service", "the guys " * 20, "terrible"]
    network = recipes.recipe(mine.name).build({"vocabulary_size": len(WORDS)})
    network.load_weights(mine.preset / WEIGHTS_FILE)
    ids = trusted.preprocessor(texts)
    expected = [float(network(ids[text][None, :8])[0, 0]) for text in range(3)]
    np.testing.assert_allclose(trusted.score(texts), expected, atol=1e-5, rtol=0)
    mine.forget()
    mine.lay_a_trap()
    assert refused_for_trust(mine, device="cpu")
    assert refused_for_trust(mine)
    pretend_a_gpu(monkeypatch)
    assert refused_for_trust(mine)
    assert refused_for_trust(mine, device="gpu")
    assert not mine.sprung
    with pytest.raises(PresetError) as trapped:
        load(mine.preset, device="cpu", trust_recipe=True)
    assert str(trapped.value) == (
        f"{mine.preset / CONFIG_FILE}: the recipe {mine.name!r} can't be imported: AssertionError: imported"
    )
    assert mine.sprung  # so the trap works


def test_on_a_gpu_that_was_asked_for_a_recipe_from_outside_needs_trust(outside, monkeypatch):
    mine = outside("LSTM")
    mine.lay_a_trap()
    pretend_a_gpu(monkeypatch)
    assert refused_for_trust(mine, device="gpu")
    assert refused_for_trust(mine, device="gpu", precision="float16")
    assert not mine.sprung


def test_a_trusted_recipe_whose_code_is_gone_is_an_error_that_says_so(outside):
    mine = outside("GRU")
    mine.file.unlink()
    mine.forget()
    shutil.rmtree(mine.file.parent / "__pycache__", ignore_errors=True)
    with pytest.raises(PresetError) as gone:
        load(mine.preset, device="cpu", trust_recipe=True)
    assert str(gone.value).startswith(f"{mine.preset / CONFIG_FILE}: there is no recipe {mine.name!r}: ")


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("device", ["auto", "cpu", "gpu"])
@pytest.mark.parametrize("graph", [PROJECTED, WHOLE, NO_GRAPH])
@pytest.mark.parametrize(
    "name",
    ["trap.py:mine", "{folder}/trap.py:mine", "trap:mine", "trap:", ":trap", "trap", "trap.py", ["trap:mine"]],
)
def test_what_a_preset_names_is_not_imported_unless_it_is_trusted(
    tiny_preset, whole_preset, tmp_path, monkeypatch, name, graph, device, gpu
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "trap.py").write_text(TELLTALE)
    recipes._imported.cache_clear()
    copy = shutil.copytree(tiny_preset if graph == PROJECTED else whole_preset, tmp_path / "copy")
    named = name.format(folder=tmp_path) if isinstance(name, str) else name
    write_json(copy / CONFIG_FILE, {**read_json(copy / CONFIG_FILE), "recipe": named, "graph": graph})
    pretend_a_gpu(monkeypatch, gpu)
    try:
        scores = load(copy, device=device).score(["great service"])
    except (PresetError, DeviceError):
        scored = False
    else:
        assert 0 < scores[0] < 1
        scored = True
    assert not (tmp_path / "imported").exists()
    assert not {"trap", "textsent_recipe_trap"} & set(sys.modules)
    outside = isinstance(name, str) and ":" in name
    on_keras = device == "gpu" or graph == NO_GRAPH or (device == "auto" and gpu and not outside)
    assert scored != on_keras
