import keras
import numpy as np
import onnx
import pytest

from textsent.export import IR_VERSION, OPSET, export_lstm, round_embedding
from textsent.model import KerasNetwork, OnnxNetwork
from textsent.presets import ONNX_FILE
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


@pytest.fixture(scope="module")
def graph(tiny_preset):
    return onnx.load(tiny_preset / ONNX_FILE)


def described(values) -> dict:
    return {
        value.name: (
            onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type),
            [size.dim_param for size in value.type.tensor_type.shape.dim],
        )
        for value in values
    }


def test_the_graph_takes_ids_and_lengths_and_gives_a_probability(graph):
    assert described(graph.graph.input) == {"ids": ("INT32", ["batch", "words"]), "lengths": ("INT32", ["batch"])}
    assert described(graph.graph.output) == {"probability": ("FLOAT", ["batch"])}


def test_the_graph_passes_the_checker_and_names_its_versions(graph):
    onnx.checker.check_model(graph, full_check=True)
    assert [(opset.domain, opset.version) for opset in graph.opset_import] == [("", OPSET)]
    assert graph.ir_version == IR_VERSION
    assert graph.producer_name == "textsent"


def test_the_graph_and_the_keras_weights_hold_the_same_embedding_table(graph, tiny_preset):
    (table,) = (onnx.numpy_helper.to_array(array) for array in graph.graph.initializer if array.name == "table")
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
    export_lstm(model, tmp_path / ONNX_FILE)

    def sigmoid(x: float) -> float:
        return 1 / (1 + np.exp(-x))

    state, cell, states = 0.0, 0.0, []
    for x in (1.0, -1.0, 0.5):
        i, f, o = (sigmoid(w * x + r * state + b) for w, r, b in ((0.5, 1, 0.1), (-0.25, 0.5, 1), (2, 0.25, 0.3)))
        cell = f * cell + i * np.tanh(x - state - 0.2)
        state = o * np.tanh(cell)
        states.append(state)
    expected = sigmoid(2 * np.mean(states) - 3 * max(states) + 0.4)
    ids = np.array([[4, 2, 5, 0, 0]], np.int32)
    assert OnnxNetwork(tmp_path / ONNX_FILE)(ids) == pytest.approx([expected], abs=1e-6)
    assert KerasNetwork(model)(ids) == pytest.approx([expected], abs=1e-6)


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
