import keras
import numpy as np
import onnx
import pytest

from textsent.export import IR_VERSION, OPSET, RECURRENT_KERNELS, export_lstm, quantized, round_embedding
from textsent.model import KerasNetwork, OnnxNetwork
from textsent.preprocess import FIRST_WORD_ID
from textsent.presets import IDS_KEY, ONNX_FILE, PROJECTION_FILE, find_preset
from textsent.recipes import lstm

CONFIG = {
    "vocabulary_size": 5,
    "embedding_size": 3,
    "units": 2,
    "bidirectional": True,
    "word_dropout": 0.5,
    "embedding_dropout": 0.5,
    "dropout": 0.5,
}


GRAPHS = (PROJECTION_FILE, ONNX_FILE)


@pytest.fixture(scope="module")
def projection(tiny_preset):
    return onnx.load(tiny_preset / PROJECTION_FILE)


@pytest.fixture(scope="module")
def network(tiny_preset):
    return onnx.load(tiny_preset / ONNX_FILE)


def described(values) -> dict:
    return {
        value.name: (
            onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type),
            [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim],
        )
        for value in values
    }


def test_the_projection_takes_words_and_gives_what_they_add_to_the_gates(projection):
    assert described(projection.graph.input) == {"words": ("INT32", ["words"])}
    assert described(projection.graph.output) == {"inputs": ("FLOAT", ["rows", 4 * 5])}  # of 5 units


def test_the_network_takes_that_and_steps_and_lengths_and_gives_a_probability(network):
    assert described(network.graph.input) == {
        "inputs": ("FLOAT", ["rows", 4 * 5]),
        "steps": ("INT32", ["time", 2, "batch"]),  # two directions
        "lengths": ("INT32", ["batch"]),
    }
    assert described(network.graph.output) == {"probability": ("FLOAT", ["batch"])}


def test_the_projection_says_how_many_ids_there_are(projection):
    assert {item.key: item.value for item in projection.metadata_props} == {
        IDS_KEY: str(FIRST_WORD_ID + CONFIG["vocabulary_size"])
    }


@pytest.mark.parametrize("name", GRAPHS)
def test_the_graph_passes_the_checker_and_names_its_versions(tiny_preset, name):
    graph = onnx.load(tiny_preset / name)
    onnx.checker.check_model(graph, full_check=True)
    assert [(opset.domain, opset.version) for opset in graph.opset_import] == [("", OPSET)]
    assert graph.ir_version == IR_VERSION
    assert graph.producer_name == "textsent"


def constants(graph) -> dict[str, np.ndarray]:
    return {array.name: onnx.numpy_helper.to_array(array) for array in graph.graph.initializer}


def test_the_graph_and_the_keras_weights_hold_the_same_embedding_table(projection, tiny_preset):
    table = constants(projection)["table"]
    assert table.dtype == np.float16
    (weights,) = KerasNetwork.from_preset(tiny_preset).model.get_layer("embedding").get_weights()
    np.testing.assert_array_equal(table.astype(np.float32), weights)


def test_rounding_moves_an_embedding_by_one_in_2048_at_most_and_only_once():
    model = lstm(CONFIG)
    embedding = model.get_layer("embedding")
    table = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    embedding.set_weights([table])
    others = [weight.copy() for weight in model.get_weights()[1:]]
    round_embedding(model)
    (rounded,) = embedding.get_weights()
    np.testing.assert_allclose(rounded, table, rtol=1 / 2048)
    assert (rounded != table).any()
    round_embedding(model)
    np.testing.assert_array_equal(embedding.get_weights()[0], rounded)
    for before, after in zip(others, model.get_weights()[1:], strict=True):
        np.testing.assert_array_equal(after, before)


def test_a_one_way_network_of_one_unit_computes_what_the_formula_says(tmp_path):
    model = lstm(CONFIG | {"embedding_size": 1, "units": 1, "bidirectional": False})
    model.set_weights(
        [
            np.array([[0], [0], [-1], [0], [1], [0.5], [0], [0], [0]], np.float32),
            np.array([[0.5, -0.25, 1, 2]], np.float32),  # input, forget, cell, output
            np.array([[1, 0.5, -1, 0.25]], np.float32),
            np.array([0.1, 1, -0.2, 0.3], np.float32),
            np.array([[2], [-3]], np.float32),  # of the mean, of the maximum
            np.array([0.4], np.float32),
        ]
    )
    export_lstm(model, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(GRAPHS)

    def sigmoid(x: float) -> float:
        return 1 / (1 + np.exp(-x))

    state, cell, states = 0.0, 0.0, []
    for x in (1.0, -1.0, 0.5):
        i, f, o = (sigmoid(w * x + r * state + b) for w, r, b in ((0.5, 1, 0.1), (-0.25, 0.5, 1), (2, 0.25, 0.3)))
        cell = f * cell + i * np.tanh(x - state - 0.2)
        state = o * np.tanh(cell)
        states.append(state)
    expected = sigmoid(2 * np.mean(states) - 3 * max(states) + 0.4)
    ids = np.array([4, 2, 5, 4, 4, 4, 4, 5], np.int32)
    windows = np.array([0, 3]), np.array([3, 8])  # the second one goes on where the first is over
    for engine in (OnnxNetwork(tmp_path / PROJECTION_FILE, tmp_path / ONNX_FILE), KerasNetwork(model)):
        assert engine.reading(ids)(*windows)[0] == pytest.approx(expected, abs=1e-6)


@pytest.fixture(scope="module")
def quantized_network(tiny_preset):
    return onnx.load_from_string(quantized(tiny_preset / ONNX_FILE))


def test_the_quantized_graph_passes_the_checker_and_takes_and_gives_the_same(network, quantized_network):
    onnx.checker.check_model(quantized_network, full_check=True)
    assert described(quantized_network.graph.input) == described(network.graph.input)
    assert described(quantized_network.graph.output) == described(network.graph.output)
    assert {opset.domain: opset.version for opset in quantized_network.opset_import} == {
        "": OPSET, "com.microsoft": 1,
    }  # fmt: skip
    assert quantized_network.ir_version == IR_VERSION


def test_the_quantized_kernels_are_those_of_the_network_to_half_a_step(network, quantized_network):
    kernels = constants(network)[RECURRENT_KERNELS]
    small = constants(quantized_network)
    assert len(kernels) == 2
    for number, kernel in enumerate(kernels):
        rounded, scale = small[f"recurrent_{number}_kernel"], small[f"recurrent_{number}_scale"]
        assert rounded.dtype == np.int8
        assert abs(rounded.astype(int)).max() == 63  # 7 bits: more would saturate on processors without VNNI
        assert (abs(rounded * scale - kernel) <= 0.501 * scale).all()
    assert RECURRENT_KERNELS not in small


def test_the_file_of_a_network_that_is_quantized_stays_as_it_is(tiny_preset):
    before = (tiny_preset / ONNX_FILE).read_bytes()
    quantized(tiny_preset / ONNX_FILE)
    assert (tiny_preset / ONNX_FILE).read_bytes() == before


def test_the_shipped_network_quantized_passes_the_checker():
    onnx.checker.check_model(
        onnx.load_from_string(quantized(find_preset("imdb-lstm") / ONNX_FILE)), full_check=True
    )


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_network_whose_unit_listens_to_no_other_can_be_quantized(tmp_path, bidirectional):
    model = lstm(CONFIG | {"bidirectional": bidirectional})
    layer = model.get_layer("bidirectional" if bidirectional else "lstm")
    weights = layer.get_weights()
    for recurrent_kernel in weights[1::3]:
        recurrent_kernel[:, 0] = 0
    layer.set_weights(weights)
    round_embedding(model)
    export_lstm(model, tmp_path)
    ids, windows = np.array([4, 5, 6, 7, 8, 2] * 3, np.int32), (np.array([0, 3]), np.array([3, 18]))
    exact = OnnxNetwork.from_preset(tmp_path).reading(ids)(*windows)
    quick = OnnxNetwork.from_preset(tmp_path, "int8").reading(ids)(*windows)
    assert quick == pytest.approx(exact, abs=0.05)


def test_the_network_drops_words_while_training_and_never_while_predicting():
    model = lstm(CONFIG)
    dropping = model.get_layer("word_dropout")
    keras.utils.set_random_seed(1)
    ids = np.array([[4, 5, 6, 7, 8, 0, 0, 0]] * 50, np.int32)
    np.testing.assert_array_equal(dropping(ids, training=False), ids)
    trained = np.asarray(keras.ops.convert_to_numpy(dropping(ids, training=True)))
    assert ((trained == ids) | (trained == 2)).all()
    assert (trained[ids == 0] == 0).all()
    assert 0.3 < (trained[ids != 0] == 2).mean() < 0.7
