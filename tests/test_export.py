import keras
import numpy as np
import onnx
import pytest
from conftest import word_ids
from keras import layers

from textsent.export import (
    IR_VERSION,
    OPSET,
    RECURRENT_KERNELS,
    UnknownLayerError,
    export,
    export_chain,
    export_lstm,
    quantized,
    round_embedding,
)
from textsent.model import KerasNetwork, OnnxNetwork, SentimentModel, WholeOnnxNetwork
from textsent.preprocess import FIRST_WORD_ID
from textsent.presets import IDS_KEY, NO_GRAPH, ONNX_FILE, PROJECTED, PROJECTION_FILE, WHOLE, find_preset
from textsent.recipes import lstm
from textsent.windows import Layout

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


def test_the_pooled_lstm_becomes_two_graphs(tmp_path):
    model = lstm(CONFIG)
    round_embedding(model)
    assert export(model, tmp_path) == PROJECTED
    assert {path.name for path in tmp_path.iterdir()} == set(GRAPHS)


WINDOW = 12


def chain(*others, window=WINDOW, mask=False, outputs=1):
    """A network of an embedding, other layers, and a dense one."""
    ids = keras.Input((window,), dtype="int32")
    reached = layers.Embedding(9, 4, mask_zero=mask, name="embedding")(ids)
    for layer in others:
        reached = layer(reached)
    activation = "sigmoid" if outputs == 1 else "softmax"
    return randomized(keras.Model(ids, layers.Dense(outputs, activation=activation)(reached)))


def randomized(model):
    random = np.random.default_rng(3)
    model.set_weights([random.normal(size=weight.shape) for weight in model.get_weights()])
    round_embedding(model)
    return model


def texts_of_every_length():
    random = np.random.default_rng(4)
    return word_ids(*(random.integers(2, 9, length).tolist() for length in [*range(1, WINDOW + 1), 15, 40] * 2))


def check_the_graph_is_the_network(model, folder, layout):
    """Check that the graph equals Keras, on texts of every length, and one by one."""
    assert export(model, folder) == WHOLE
    assert [path.name for path in folder.iterdir()] == [ONNX_FILE]
    engine = SentimentModel(WholeOnnxNetwork.from_preset(folder, layout), layout)
    texts = texts_of_every_length()
    scores = engine.predict(texts)
    ids, starts, ends, _ = layout.cut(texts)  # a window of each
    by_keras = keras.ops.convert_to_numpy(model(layout.pad(ids, starts, ends), training=False))[:, -1]
    np.testing.assert_allclose(scores, by_keras, atol=1e-5, rtol=0)
    alone = [engine.predict(word_ids(texts[text]))[0] for text in range(len(texts))]
    np.testing.assert_allclose(scores, alone, atol=1e-6, rtol=0)
    assert scores.std() > 0.01


FULL = Layout(WINDOW, "last", full_width=True)
BEFORE = Layout(WINDOW, "first", padding="before", full_width=True)
NARROW = Layout(WINDOW, "first")


def both_ways(**settings):
    return layers.Bidirectional(layers.LSTM(3, **settings))


CHAINS = {
    "flat": lambda: [layers.Flatten()],
    "dense": lambda: [layers.Flatten(), layers.Dense(3, activation="relu"), layers.Dense(4, activation="tanh")],
    "maximum": lambda: [layers.GlobalMaxPooling1D()],
    "mean": lambda: [layers.GlobalAveragePooling1D()],
    "dropout": lambda: [layers.SpatialDropout1D(0.5), layers.GlobalMaxPooling1D(), layers.Dropout(0.5)],
    "dense without biases": lambda: [layers.Dense(3, use_bias=False), layers.Flatten()],
    "softmax of each word": lambda: [layers.Dense(3, activation="softmax"), layers.GlobalMaxPooling1D()],
    "LSTM": lambda: [layers.LSTM(3)],
    "two LSTMs": lambda: [layers.LSTM(3, return_sequences=True), layers.LSTM(2)],
    "LSTM, flat": lambda: [layers.LSTM(3, return_sequences=True), layers.Flatten()],
    "LSTM, maximum": lambda: [layers.LSTM(3, return_sequences=True), layers.GlobalMaxPooling1D()],
    "both ways": lambda: [both_ways()],
    "both ways, mean": lambda: [both_ways(return_sequences=True), layers.GlobalAveragePooling1D()],
    "twice both ways": lambda: [
        both_ways(return_sequences=True),
        both_ways(return_sequences=True),
        layers.Flatten(),
    ],
    "convolution": lambda: [layers.Conv1D(3, 4), layers.Flatten()],
    "convolution, same": lambda: [layers.Conv1D(3, 4, padding="same", use_bias=False), layers.Flatten()],
    "convolution by 3": lambda: [layers.Conv1D(3, 4, strides=3, activation="tanh"), layers.Flatten()],
    "convolution by 2, same": lambda: [layers.Conv1D(3, 4, strides=2, padding="same"), layers.Flatten()],
    "convolution by 5, same": lambda: [
        layers.Conv1D(3, 5, strides=5, padding="same", activation="relu"),
        layers.Flatten(),
    ],
    "dilated convolution": lambda: [layers.Conv1D(3, 3, dilation_rate=2), layers.Flatten()],
    "pooling of 3": lambda: [layers.MaxPooling1D(3), layers.Flatten()],
    "pooling of 5": lambda: [layers.MaxPooling1D(5), layers.Flatten()],
    "pooling of 5, same": lambda: [layers.MaxPooling1D(5, padding="same"), layers.Flatten()],
    "pooling of 4 by 3, same": lambda: [layers.MaxPooling1D(4, strides=3, padding="same"), layers.Flatten()],
    "pooling of 4 by 1": lambda: [layers.MaxPooling1D(4, strides=1), layers.Flatten()],
    "convolution, pooling, LSTM": lambda: [layers.Conv1D(3, 2), layers.MaxPooling1D(2), layers.LSTM(3)],
    **{
        name: lambda name=name: [layers.GlobalMaxPooling1D(), layers.Activation(name)]
        for name in ("linear", "relu", "sigmoid", "softmax", "tanh")
    },
}
MASKED_CHAINS = {
    "mean": lambda: [layers.GlobalAveragePooling1D()],
    "dense, mean": lambda: [layers.Dense(3, activation="tanh"), layers.GlobalAveragePooling1D()],
    "activation, mean": lambda: [
        layers.SpatialDropout1D(0.5),
        layers.Activation("tanh"),
        layers.GlobalAveragePooling1D(),
    ],
    "LSTM": lambda: [layers.LSTM(3)],
    "LSTM, flat": lambda: [layers.LSTM(3), layers.Flatten()],  # its last state has no mask
    "two LSTMs": lambda: [layers.LSTM(3, return_sequences=True), layers.Dropout(0.5), layers.LSTM(2)],
    "LSTM, mean": lambda: [layers.LSTM(3, return_sequences=True), layers.GlobalAveragePooling1D()],
    "both ways": lambda: [both_ways()],
    "both ways, mean": lambda: [both_ways(return_sequences=True), layers.GlobalAveragePooling1D()],
    "twice both ways": lambda: [both_ways(return_sequences=True), both_ways()],
}


@pytest.mark.parametrize("layout", [FULL, BEFORE], ids=["zeros after", "zeros before"])
@pytest.mark.parametrize("others", CHAINS.values(), ids=CHAINS)
def test_a_chain_of_layers_becomes_a_graph_that_equals_it(tmp_path, others, layout):
    check_the_graph_is_the_network(chain(*others()), tmp_path, layout)


@pytest.mark.parametrize("layout", [NARROW, FULL, BEFORE], ids=["any width", "zeros after", "zeros before"])
@pytest.mark.parametrize("others", MASKED_CHAINS.values(), ids=MASKED_CHAINS)
def test_a_chain_of_layers_that_mask_the_zeros_becomes_a_graph_that_equals_it(tmp_path, others, layout):
    model = chain(*others(), window=WINDOW if layout.full_width else None, mask=True)
    check_the_graph_is_the_network(model, tmp_path, layout)


@pytest.mark.parametrize("mask", [False, True])
def test_of_two_probabilities_the_graph_gives_the_second(tmp_path, mask):
    check_the_graph_is_the_network(chain(layers.LSTM(3), mask=mask, outputs=2), tmp_path, FULL)


def test_a_model_that_is_written_as_a_sequence_of_layers_becomes_a_graph(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(9, 4, mask_zero=True, name="embedding"),
            layers.LSTM(3),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    check_the_graph_is_the_network(randomized(model), tmp_path, NARROW)


def test_a_model_that_has_the_name_of_the_recipe_lstm_is_not_taken_for_it(tmp_path):
    ids = keras.Input((None,), dtype="int32")
    vectors = layers.Embedding(9, 4, mask_zero=True, name="embedding")(ids)
    state = layers.LSTM(3, name="lstm")(vectors)
    model = keras.Model(ids, layers.Dense(1, activation="sigmoid", name="probability")(state), name="lstm")
    check_the_graph_is_the_network(randomized(model), tmp_path, NARROW)


@pytest.mark.parametrize(("window", "columns"), [(None, "words"), (WINDOW, WINDOW)])
def test_the_whole_graph_takes_padded_ids_and_gives_a_probability_and_knows_its_number_of_ids(
    tmp_path, window, columns
):
    export_chain(chain(layers.LSTM(3), window=window), tmp_path)
    graph = onnx.load(tmp_path / ONNX_FILE)
    onnx.checker.check_model(graph, full_check=True)
    assert described(graph.graph.input) == {"ids": ("INT32", ["batch", columns])}
    assert described(graph.graph.output) == {"probability": ("FLOAT", ["batch"])}
    assert {item.key: item.value for item in graph.metadata_props} == {IDS_KEY: "9"}
    assert [(opset.domain, opset.version) for opset in graph.opset_import] == [("", OPSET)]
    assert graph.ir_version == IR_VERSION
    tables = [array for array in constants(graph).values() if array.shape == (9, 4)]
    assert [table.dtype for table in tables] == [np.float16]


class OwnDense(layers.Dense):
    def call(self, inputs, training=None):
        return -super().call(inputs)


def own_function(name):
    """A function that isn't Keras's, though it may be called like one."""

    def function(x):
        return 2 * x

    function.__name__ = name
    return function


def branched():
    ids = keras.Input((WINDOW,), dtype="int32")
    vectors = layers.Embedding(9, 4, name="embedding")(ids)
    both = layers.Concatenate()([layers.GlobalMaxPooling1D()(vectors), layers.GlobalAveragePooling1D()(vectors)])
    return keras.Model(ids, layers.Dense(1)(both))


def added():
    ids = keras.Input((WINDOW,), dtype="int32")
    vectors = layers.Embedding(9, 4, name="embedding")(ids)
    return keras.Model(ids, layers.Dense(1)(keras.ops.max(vectors, axis=1)))


def changed_ids():
    ids = keras.Input((WINDOW,), dtype="int32")
    vectors = layers.Embedding(9, 4, name="embedding")(keras.ops.maximum(ids, 2))
    return keras.Model(ids, layers.Dense(1)(layers.Flatten()(vectors)))


def with_a_mask_of_its_own(mask_zero):
    ids = keras.Input((WINDOW,), dtype="int32")
    vectors = layers.Embedding(9, 4, mask_zero=mask_zero, name="embedding")(ids)
    return keras.Model(ids, layers.Dense(1)(layers.LSTM(3)(vectors, mask=keras.ops.less(ids, 6))))


def with_a_state_to_begin_with():
    ids = keras.Input((WINDOW,), dtype="int32")
    vectors = layers.Embedding(9, 4, name="embedding")(ids)
    state = layers.LSTM(4)(vectors, initial_state=[vectors[:, 0], vectors[:, 1]])
    return keras.Model(ids, layers.Dense(1)(state))


def with_a_layer_that_is_used_twice():
    ids = keras.Input((WINDOW,), dtype="int32")
    dense = layers.Dense(4)
    vectors = dense(dense(layers.Embedding(9, 4, name="embedding")(ids)))
    return keras.Model(ids, layers.Dense(1)(layers.Flatten()(vectors)))


def with_an_inner_model():
    inner = keras.Sequential([keras.Input((WINDOW, 4)), layers.Flatten(), layers.Dense(2)])
    return chain(inner)


UNKNOWN = {
    "a GRU": lambda: chain(layers.GRU(3)),
    "a simple RNN": lambda: chain(layers.SimpleRNN(3)),
    "a GRU both ways": lambda: chain(layers.Bidirectional(layers.GRU(3))),
    "one way an LSTM and a GRU the other": lambda: chain(
        layers.Bidirectional(layers.LSTM(3), backward_layer=layers.GRU(3, go_backwards=True))
    ),
    "an LSTM of other units the other way": lambda: chain(
        layers.Bidirectional(layers.LSTM(3), backward_layer=layers.LSTM(5, go_backwards=True))
    ),
    "two ways added up": lambda: chain(layers.Bidirectional(layers.LSTM(3), merge_mode="sum")),
    "an LSTM from the end": lambda: chain(layers.LSTM(3, go_backwards=True)),
    "an LSTM without biases": lambda: chain(layers.LSTM(3, use_bias=False)),
    "an LSTM of another activation": lambda: chain(layers.LSTM(3, activation="relu")),
    "an LSTM of another activation of its gates": lambda: chain(
        layers.LSTM(3, recurrent_activation="hard_sigmoid")
    ),
    "an LSTM of an activation called tanh": lambda: chain(layers.LSTM(3, activation=own_function("tanh"))),
    "an activation called relu": lambda: chain(layers.Flatten(), layers.Activation(own_function("relu"))),
    "an activation without a name": lambda: chain(layers.Flatten(), layers.Dense(2, activation=layers.LeakyReLU())),
    "another activation": lambda: chain(layers.Flatten(), layers.Dense(2, activation="gelu")),
    "a subclass of a known layer": lambda: chain(layers.Flatten(), OwnDense(2)),
    "a layer that isn't known": lambda: chain(layers.LayerNormalization(), layers.Flatten()),
    "a convolution that looks back only": lambda: chain(layers.Conv1D(3, 3, padding="causal"), layers.Flatten()),
    "a convolution in groups": lambda: chain(layers.Conv1D(4, 3, groups=2), layers.Flatten()),
    "a dilated convolution that keeps the length": lambda: chain(
        layers.Conv1D(3, 3, padding="same", dilation_rate=2), layers.Flatten()
    ),
    "a maximum that keeps its dimension": lambda: chain(layers.GlobalMaxPooling1D(keepdims=True), layers.Flatten()),
    "a mean that keeps its dimension": lambda: chain(
        layers.GlobalAveragePooling1D(keepdims=True), layers.Flatten()
    ),
    "a mask before a convolution": lambda: chain(layers.Conv1D(3, 2), layers.Flatten(), mask=True),
    "a mask before max-pooling": lambda: chain(layers.MaxPooling1D(2), layers.Flatten(), mask=True),
    "a mask before a maximum": lambda: chain(layers.GlobalMaxPooling1D(), mask=True),
    "a mask before all of it flat": lambda: chain(layers.Flatten(), mask=True),
    "a mask of its own": lambda: with_a_mask_of_its_own(False),
    "a mask of its own beside the usual one": lambda: with_a_mask_of_its_own(True),
    "a state to begin with": with_a_state_to_begin_with,
    "a branch": branched,
    "an operation that is no layer": added,
    "ids that are changed": changed_ids,
    "a layer that is used twice": with_a_layer_that_is_used_twice,
    "a model in a model": with_an_inner_model,
    "three outputs": lambda: chain(layers.Flatten(), outputs=3),
    "an output for each word": lambda: chain(),
}


@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")
@pytest.mark.parametrize("network", UNKNOWN.values(), ids=UNKNOWN)
def test_a_network_that_is_no_chain_of_known_layers_has_no_graph_and_leaves_no_file(tmp_path, network):
    model = network()
    with pytest.raises(UnknownLayerError):
        export_chain(model, tmp_path)
    assert export(model, tmp_path) == NO_GRAPH
    assert list(tmp_path.iterdir()) == []
