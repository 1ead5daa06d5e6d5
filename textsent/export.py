"""A trained Keras network as ONNX graphs, written node by node from its weights.

The pooled LSTM of the recipe `lstm` becomes two graphs. Half of an LSTM's work is to multiply each word's vector by
the kernel. It gives the same for the same word, so the first graph does it once for each of the words that occur,
and the second reads the texts:

- the projection takes `words` (int32, shape (words,), distinct ids) and gives `inputs` (float32, shape
  (words × directions, 4 × units)): what a word adds to the gates, a row for each direction;
- the network takes these `inputs`, `steps` (int32, shape (time, directions, batch): the row of `inputs` at each
  step, for the second direction from the text's end; after the text any row) and `lengths` (int32, shape (batch,),
  1 or more), and gives `probability` (float32, shape (batch,)).

ONNX's own LSTM can't leave the multiplication out; a Scan can: https://onnx.ai/onnx/operators/onnx__Scan.html

Any other network that is a chain of common layers becomes one graph, a layer after the other, which takes `ids`
(int32, shape (batch, words), padded as the preset's layout says) and gives `probability`.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from textsent.presets import IDS_KEY, NO_GRAPH, ONNX_FILE, PROJECTED, PROJECTION_FILE, RECURRENT_KERNELS, WHOLE
from textsent.recipes import POOLED_LSTM

OPSET = 21
"""The ONNX operator set; ONNX Runtime 1.20 and later run it."""

IR_VERSION = 10

_TABLE = "layers/embedding/vars/0"
"""Where Keras keeps an embedding's table in a file of weights."""

_RECURRENCE = "recurrence"


def export(model: Any, folder: Path) -> str:
    """Write a network as the ONNX graphs of a preset; return which of `textsent.presets.GRAPHS` they are.

    Nothing is written of a network that has a layer which isn't known here.

    Args:
        model: A `keras.Model` as `textsent.recipes` describes them.
        folder: Where to write them.
    """
    if model.name == POOLED_LSTM:
        export_lstm(model, folder)
        return PROJECTED
    try:
        export_chain(model, folder)
    except UnknownLayerError:
        return NO_GRAPH
    return WHOLE


def export_lstm(model: Any, folder: Path) -> None:
    """Write the network of the recipe `lstm` as the two ONNX graphs of a preset.

    The embedding table is stored in half precision, which halves the file; its values must fit (see
    `round_embedding`), so the graphs compute what the Keras network computes.

    Args:
        model: A `keras.Model` built by `textsent.recipes.lstm`.
        folder: Where to write `projection.onnx` and `model.onnx`.
    """
    (table,) = model.get_layer("embedding").get_weights()
    names = {layer.name for layer in model.layers}
    weights = model.get_layer("bidirectional" if "bidirectional" in names else "lstm").get_weights()
    kernels, recurrent_kernels, biases = weights[0::3], weights[1::3], weights[2::3]  # of each direction
    units = recurrent_kernels[0].shape[0]
    dense, dense_bias = model.get_layer("probability").get_weights()
    _write(
        folder / PROJECTION_FILE,
        [
            helper.make_node("Gather", ["table", "words"], ["half_vectors"]),
            helper.make_node("Cast", ["half_vectors"], ["vectors"], to=TensorProto.FLOAT),
            helper.make_node(
                "Gemm", ["vectors", "kernels", "biases"], ["gates"]
            ),  # (words, directions × 4 × units)
            helper.make_node("Reshape", ["gates", "row"], ["inputs"]),
        ],
        {
            "table": table.astype(np.float16),
            "kernels": np.concatenate(kernels, axis=1),
            "biases": np.concatenate(biases),
            "row": np.array([-1, 4 * units], np.int64),
        },
        [helper.make_tensor_value_info("words", TensorProto.INT32, ["words"])],
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["rows", 4 * units])],
        {IDS_KEY: str(len(table))},
    )
    directions = len(kernels)
    outputs = directions * units
    _write(
        folder / ONNX_FILE,
        [
            # How often the Scan runs, and a state of zeros of each text.
            helper.make_node("Shape", ["steps"], ["time"], end=1),
            helper.make_node("Shape", ["steps"], ["texts"], start=1),  # (directions, batch)
            helper.make_node("Concat", ["texts", "units"], ["state_shape"], axis=0),
            helper.make_node("ConstantOfShape", ["state_shape"], ["none"]),
            helper.make_node("ConstantOfShape", ["state_shape"], ["lowest"], value=_constant(-1.0)),
            # 1 within a text, 0 after its end: (time, batch, 1).
            helper.make_node("Squeeze", ["time"], ["last_step"]),
            helper.make_node("Range", ["zero", "last_step", "one"], ["places"]),
            helper.make_node("Cast", ["places"], ["small_places"], to=TensorProto.INT32),
            helper.make_node("Unsqueeze", ["small_places", "last_axes"], ["places_by_time"]),  # (time, 1, 1)
            helper.make_node("Unsqueeze", ["lengths", "last_axis"], ["ends"]),  # (batch, 1)
            helper.make_node("Less", ["places_by_time", "ends"], ["within"]),
            helper.make_node("Cast", ["within"], ["presence"], to=TensorProto.FLOAT),
            helper.make_node("Sub", ["presence", "whole"], ["absence"]),  # 0 and -1
            helper.make_node(
                "Scan",
                ["none", "none", "none", "lowest", "steps", "presence", "absence"],
                ["final_state", "final_cell", "sum", "largest"],
                num_scan_inputs=3,
                body=_step(directions, units),
            ),
            *_by_text("sum"),
            *_by_text("largest"),
            helper.make_node("Cast", ["ends"], ["divisor"], to=TensorProto.FLOAT),
            helper.make_node("Div", ["sum_by_text", "divisor"], ["mean"]),
            helper.make_node("Concat", ["mean", "largest_by_text"], ["features"], axis=1),
            helper.make_node("Gemm", ["features", "dense", "dense_bias"], ["logit"]),
            helper.make_node("Sigmoid", ["logit"], ["probabilities"]),
            helper.make_node("Squeeze", ["probabilities", "last_axis"], ["probability"]),
        ],
        {
            RECURRENT_KERNELS: np.stack(recurrent_kernels),  # (directions, units, 4 × units)
            "dense": dense,  # (2 × outputs, 1)
            "dense_bias": dense_bias,
            "units": np.array([units], np.int64),
            "zero": np.array(0, np.int64),
            "one": np.array(1, np.int64),
            "whole": np.array(1, np.float32),
            "last_axis": np.array([1], np.int64),
            "last_axes": np.array([1, 2], np.int64),
            "by_text": np.array([-1, outputs], np.int64),
        },
        [
            helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["rows", 4 * units]),
            helper.make_tensor_value_info("steps", TensorProto.INT32, ["time", directions, "batch"]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
        ],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch"])],
    )


def _step(directions: int, units: int) -> onnx.GraphProto:
    """Return what a step through time does: an LSTM's cell, in all directions at once, and the pooling.

    Beside state and cell it carries the sum of the states and the largest so far. A state after a text's end is
    made 0, which leaves the sum, and then lowered by 1, below which no state can be.
    """
    state: list[str | int] = [directions, "batch", units]
    gates = ["input_gate", "forget_gate", "candidate", "output_gate"]
    carried = ("state", "cell", "sum", "largest")
    nodes = [
        helper.make_node("Gather", ["inputs", "step"], ["input"]),  # (directions, batch, 4 × units)
        helper.make_node("MatMul", ["state", RECURRENT_KERNELS], ["recurrent"], name=_RECURRENCE),
        helper.make_node("Add", ["input", "recurrent"], ["gates"]),
        helper.make_node("Split", ["gates"], gates, axis=2, num_outputs=4),
        helper.make_node("Sigmoid", ["input_gate"], ["let_in"]),
        helper.make_node("Sigmoid", ["forget_gate"], ["kept"]),
        helper.make_node("Tanh", ["candidate"], ["news"]),
        helper.make_node("Sigmoid", ["output_gate"], ["let_out"]),
        helper.make_node("Mul", ["kept", "cell"], ["old"]),
        helper.make_node("Mul", ["let_in", "news"], ["new"]),
        helper.make_node("Add", ["old", "new"], ["cell_out"]),
        helper.make_node("Tanh", ["cell_out"], ["shown"]),
        helper.make_node("Mul", ["let_out", "shown"], ["state_out"]),
        helper.make_node("Mul", ["state_out", "present"], ["counted"]),
        helper.make_node("Add", ["sum", "counted"], ["sum_out"]),
        helper.make_node("Add", ["counted", "absent"], ["compared"]),
        helper.make_node("Max", ["largest", "compared"], ["largest_out"]),
    ]  # fmt: skip
    return helper.make_graph(
        nodes,
        "step",
        [
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, state) for name in carried),
            helper.make_tensor_value_info("step", TensorProto.INT32, [directions, "batch"]),
            helper.make_tensor_value_info("present", TensorProto.FLOAT, ["batch", 1]),
            helper.make_tensor_value_info("absent", TensorProto.FLOAT, ["batch", 1]),
        ],
        [helper.make_tensor_value_info(f"{name}_out", TensorProto.FLOAT, state) for name in carried],
    )


def _by_text(name: str) -> list[onnx.NodeProto]:
    """Return nodes that make (batch, directions × units) of (directions, batch, units)."""
    return [
        helper.make_node("Transpose", [name], [f"{name}_transposed"], perm=[1, 0, 2]),
        helper.make_node("Reshape", [f"{name}_transposed", "by_text"], [f"{name}_by_text"]),
    ]


def _constant(value: float) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array([value], np.float32))


def _write(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray[Any, Any]],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    metadata: dict[str, str] | None = None,
) -> None:
    initializers = [
        numpy_helper.from_array(np.asarray(value, order="C"), name) for name, value in constants.items()
    ]
    exported = helper.make_model(
        helper.make_graph(nodes, f"textsent-{path.stem}", inputs, outputs, initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="textsent",
    )
    helper.set_model_props(exported, metadata or {})
    onnx.checker.check_model(exported, full_check=True)
    onnx.save(exported, path)


def quantized(path: Path) -> bytes:
    """Return a preset's network with the recurrent multiplication in 8-bit integers, as a serialised ONNX graph.

    Weights get a scale for each column (Jacob et al., "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", 2018); they take 7 bits, since processors without VNNI saturate at more. An
    LSTM's states lie within -1 … 1 and have that scale. Operator: MatMulIntegerToFloat of ONNX Runtime.
    """
    model = onnx.load(path)
    (scan,) = (node for node in model.graph.node if node.op_type == "Scan")
    step = next(attribute.g for attribute in scan.attribute if attribute.name == "body")
    kernels = next(array for array in model.graph.initializer if array.name == RECURRENT_KERNELS)
    directions = numpy_helper.to_array(kernels)
    parts = [f"recurrent_{number}" for number in range(len(directions))]
    states = [f"state_{number}" for number in range(len(directions))]
    constants: dict[str, np.ndarray[Any, Any]] = {
        "state_scale": np.array(1 / 127, np.float32),
        "state_zero": np.array(128, np.uint8),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["state", "state_scale", "state_zero"], ["small_state"]),
        helper.make_node("Split", ["small_state"], states, axis=0, num_outputs=len(states)),
        helper.make_node("Concat", parts, ["recurrent"], axis=0),
    ]
    for kernel, state, part in zip(directions, states, parts, strict=True):
        largest = np.abs(kernel).max(axis=0)
        scale = np.where(largest > 0, largest / 63, 1).astype(np.float32)
        constants |= {
            f"{part}_kernel": np.round(kernel / scale).astype(np.int8),
            f"{part}_scale": scale,
        }
        multiplied = ["state_scale", f"{part}_scale", "state_zero"]
        nodes.insert(
            -1,
            helper.make_node(
                "MatMulIntegerToFloat", [state, f"{part}_kernel", *multiplied], [part], domain="com.microsoft"
            ),
        )
    at = next(number for number, node in enumerate(step.node) if node.name == _RECURRENCE)
    after = list(step.node)
    del step.node[:]
    step.node.extend([*after[:at], *nodes, *after[at + 1 :]])
    model.graph.initializer.remove(kernels)
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model.SerializeToString()


def round_embedding(model: Any) -> None:
    """Round the embedding table of a Keras network to half precision, in place.

    After this the table can be stored in 16 bits and every engine computes with the same values. Training is
    over by then: the change, at most 1 in 2,048 of a value, moves no verdict.
    """
    embedding = model.get_layer("embedding")
    (table,) = embedding.get_weights()
    embedding.set_weights([table.astype(np.float16).astype(np.float32)])


def save_weights(model: Any, path: Path) -> None:
    """Write a Keras network's weights, its embedding table in half precision; Keras reads the file as its own.

    Args:
        model: A `keras.Model` whose embedding `round_embedding` has rounded.
        path: A name that ends in .weights.h5.
    """
    import h5py

    with TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder) / path.name
        model.save_weights(whole)
        with h5py.File(whole) as source, h5py.File(path, "w") as small:

            def copy(name: str, item: Any) -> None:
                if isinstance(item, h5py.Dataset):
                    small.create_dataset(name, data=item[()], dtype=np.float16 if name == _TABLE else item.dtype)
                else:
                    small.require_group(name)
                small[name].attrs.update(item.attrs)

            source.visititems(copy)
            small.attrs.update(source.attrs)


class UnknownLayerError(Exception):
    """A network can't be written as an ONNX graph: one of its layers isn't known here, or they are no chain."""


def export_chain(model: Any, folder: Path) -> None:
    """Write a network whose layers follow one another as the ONNX graph of a preset.

    The embedding table is stored in half precision, as by `export_lstm`.

    Args:
        model: A `keras.Model` as `textsent.recipes` describes them.
        folder: Where to write `model.onnx`.

    Raises:
        UnknownLayerError: One of the layers isn't of _LAYERS, or of an unusual kind, or they are no chain.
    """
    chain = _Chain()
    reached = model.inputs[0]
    for layer in model.layers:
        if _kind(layer) == "InputLayer":  # which a Sequential model doesn't list
            continue
        write = _LAYERS.get(_kind(layer))
        taken, *masks = layer.input if isinstance(layer.input, list) else [layer.input]
        # A mask of the user's own, or a state to begin with, isn't what the layer before handed on.
        usual = all(mask is getattr(taken, "_keras_mask", None) for mask in masks)
        if write is None or taken is not reached or not usual:
            raise UnknownLayerError(layer.name)
        write(chain, layer)
        reached = layer.output
    if reached is not model.outputs[0] or len(reached.shape) != 2 or reached.shape[-1] not in (1, 2):
        raise UnknownLayerError(model.name)
    chain.add("Gather", chain.constant(np.array(-1, np.int64)), axis=1, output="probability")
    _write(
        folder / ONNX_FILE,
        chain.nodes,
        chain.constants,
        [helper.make_tensor_value_info("ids", TensorProto.INT32, ["batch", model.inputs[0].shape[1] or "words"])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch"])],
        {IDS_KEY: str(model.get_layer("embedding").input_dim)},
    )


class _Chain:
    """Nodes of a graph, each of which takes what the one before it gives.

    Attributes:
        nodes: The nodes so far.
        constants: Their constants by name.
        reached: Name of what the last node gives.
        lengths: Name of the words of each text, int32, shape (batch,), where padding is masked; it stands after
            them by then.
    """

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray[Any, Any]] = {}
        self.reached = "ids"
        self.lengths = ""

    def add(self, operator: str, *others: str, output: str = "", **attributes: Any) -> None:
        """Add a node that takes what the last one gives, and these others after it."""
        output = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, [self.reached, *others], [output], **attributes))
        self.reached = output

    def constant(self, value: np.ndarray[Any, Any]) -> str:
        """Add a constant; return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = value
        return name

    def forget_mask(self) -> None:
        """Begin what Keras computes without a mask: there must be none."""
        if self.lengths:
            raise UnknownLayerError("a masked text")


def _require(usual: bool, layer: Any) -> None:
    if not usual:
        raise UnknownLayerError(layer.name)


def _kind(layer: Any) -> str:
    """Return the name of a layer's class where it is Keras's own."""
    kind = type(layer)
    return kind.__name__ if kind.__module__.startswith("keras.") else ""


def _add_embedding(chain: _Chain, layer: Any) -> None:
    _require(chain.reached == "ids", layer)
    if layer.mask_zero:
        axis = chain.constant(np.array([1], np.int64))
        chain.nodes += [
            helper.make_node("Sign", ["ids"], ["words"]),  # 1 for a word, 0 for padding
            helper.make_node("ReduceSum", ["words", axis], ["lengths"], keepdims=0),
            # ONNX's LSTM skips what stands after a text only, so the words go first. Equals keep their order.
            helper.make_node("Shape", ["ids"], ["width"], start=1),
            helper.make_node("TopK", ["words", "width"], ["present", "order"], axis=1),
            helper.make_node("GatherElements", ["ids", "order"], ["ids_first"], axis=1),
        ]
        chain.lengths, chain.reached = "lengths", "ids_first"
    (table,) = layer.get_weights()
    chain.nodes.append(
        helper.make_node("Gather", [chain.constant(table.astype(np.float16)), chain.reached], ["half_vectors"])
    )
    chain.reached = "half_vectors"
    chain.add("Cast", to=TensorProto.FLOAT)


def _add_lstm(chain: _Chain, layer: Any) -> None:
    _require(not layer.go_backwards and not layer.stateful, layer)
    _add_recurrence(chain, [layer], layer.return_sequences)


def _add_bidirectional(chain: _Chain, layer: Any) -> None:
    forward, backward = layer.forward_layer, layer.backward_layer
    _require(_kind(forward) == _kind(backward) == "LSTM" and layer.merge_mode == "concat", layer)
    _require(backward.go_backwards and not forward.go_backwards and not forward.stateful, layer)
    _require(forward.units == backward.units, layer)
    _add_recurrence(chain, [forward, backward], forward.return_sequences)


def _add_recurrence(chain: _Chain, directions: list[Any], sequences: bool) -> None:
    """Add ONNX's LSTM, whose gates are in another order: https://onnx.ai/onnx/operators/onnx__LSTM.html."""
    for layer in directions:
        usual = _operator(layer.activation) == "Tanh" and _operator(layer.recurrent_activation) == "Sigmoid"
        _require(usual and layer.use_bias, layer)
    units = directions[0].units

    def reordered(weights: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return columns of the gates (input, forget, candidate, output) as rows of ONNX's gates."""
        return np.concatenate([weights[..., gate * units : (gate + 1) * units] for gate in (0, 3, 1, 2)], axis=-1).T

    weights = [layer.get_weights() for layer in directions]
    kernels = chain.constant(np.stack([reordered(kernel) for kernel, _, _ in weights]))
    recurrent = chain.constant(np.stack([reordered(kernel) for _, kernel, _ in weights]))
    biases = chain.constant(np.stack([np.pad(reordered(bias), (0, 4 * units)) for _, _, bias in weights]))
    chain.add("Transpose", perm=[1, 0, 2])  # (time, batch, size)
    states, last = f"states_{len(chain.nodes)}", f"last_{len(chain.nodes)}"
    chain.nodes.append(
        helper.make_node(
            "LSTM",
            [chain.reached, kernels, recurrent, biases, chain.lengths],
            [states, last],  # (time, directions, batch, units), (directions, batch, units)
            hidden_size=units,
            direction="forward" if len(directions) == 1 else "bidirectional",
        )
    )
    chain.reached = states if sequences else last
    chain.add("Transpose", perm=[2, 0, 1, 3] if sequences else [1, 0, 2])
    shape = [0, 0, -1] if sequences else [0, -1]
    chain.add("Reshape", chain.constant(np.array(shape, np.int64)))  # the directions side by side
    if not sequences:
        chain.lengths = ""


def _add_dense(chain: _Chain, layer: Any) -> None:
    kernel, *bias = layer.get_weights()
    chain.add("MatMul", chain.constant(kernel))
    if bias:
        chain.add("Add", chain.constant(bias[0]))
    _add_activation(chain, layer)


def _add_activation(chain: _Chain, layer: Any) -> None:
    operator = _operator(layer.activation)
    _require(operator != "", layer)
    if operator != "Identity":
        chain.add(operator)


def _operator(activation: Any) -> str:
    """Return ONNX's operator for an activation of Keras; of any other function, whatever its name, none."""
    from keras import activations

    operators = {
        activations.linear: "Identity",
        activations.relu: "Relu",
        activations.sigmoid: "Sigmoid",
        activations.softmax: "Softmax",
        activations.tanh: "Tanh",
    }
    return next((operator for known, operator in operators.items() if activation is known), "")


def _add_convolution(chain: _Chain, layer: Any) -> None:
    chain.forget_mask()
    _require(layer.padding in ("same", "valid") and layer.groups == 1, layer)
    # ONNX Runtime can't do both.
    _require(layer.padding == "valid" or set(layer.dilation_rate) == {1}, layer)
    _require(layer.data_format == "channels_last", layer)
    kernel, *bias = layer.get_weights()  # (places, inputs, filters)
    chain.add("Transpose", perm=[0, 2, 1])  # (batch, size, words)
    chain.add(
        "Conv",
        chain.constant(kernel.transpose(2, 1, 0)),
        *map(chain.constant, bias),
        auto_pad=_PADDINGS[layer.padding],
        strides=list(layer.strides),
        dilations=list(layer.dilation_rate),
    )
    chain.add("Transpose", perm=[0, 2, 1])
    _add_activation(chain, layer)


def _add_pooling(chain: _Chain, layer: Any) -> None:
    chain.forget_mask()
    _require(layer.data_format == "channels_last", layer)
    chain.add("Transpose", perm=[0, 2, 1])
    chain.add(
        "MaxPool",
        auto_pad=_PADDINGS[layer.padding],
        kernel_shape=_listed(layer.pool_size),
        strides=_listed(layer.strides),
    )
    chain.add("Transpose", perm=[0, 2, 1])


def _listed(value: Any) -> list[int]:
    return list(value) if isinstance(value, tuple | list) else [value]


def _add_largest(chain: _Chain, layer: Any) -> None:
    chain.forget_mask()
    _require(layer.data_format == "channels_last" and not layer.keepdims, layer)
    chain.add("ReduceMax", chain.constant(np.array([1], np.int64)), keepdims=0)


def _add_mean(chain: _Chain, layer: Any) -> None:
    _require(layer.data_format == "channels_last" and not layer.keepdims, layer)
    axis = chain.constant(np.array([1], np.int64))
    if not chain.lengths:
        chain.add("ReduceMean", axis, keepdims=0)
        return
    vectors = chain.reached
    chain.reached = "present"
    chain.add("Cast", to=TensorProto.FLOAT)
    chain.add("Unsqueeze", chain.constant(np.array([2], np.int64)))  # (batch, words, 1)
    chain.add("Mul", vectors)
    chain.add("ReduceSum", axis, keepdims=0)
    total = chain.reached
    chain.reached = chain.lengths
    chain.add("Cast", to=TensorProto.FLOAT)
    chain.add("Unsqueeze", axis)  # (batch, 1)
    lengths, chain.reached, chain.lengths = chain.reached, total, ""
    chain.add("Div", lengths)


def _add_flatten(chain: _Chain, layer: Any) -> None:
    chain.forget_mask()
    _require(layer.data_format == "channels_last", layer)
    chain.add("Flatten")


def _add_nothing(chain: _Chain, layer: Any) -> None:
    """Add a layer that does nothing but while training."""


_PADDINGS = {"same": "SAME_UPPER", "valid": "VALID"}
_LAYERS: dict[str, Callable[[_Chain, Any], None]] = {
    "Activation": _add_activation,
    "Bidirectional": _add_bidirectional,
    "Conv1D": _add_convolution,
    "Dense": _add_dense,
    "Dropout": _add_nothing,
    "Embedding": _add_embedding,
    "Flatten": _add_flatten,
    "GlobalAveragePooling1D": _add_mean,
    "GlobalMaxPooling1D": _add_largest,
    "LSTM": _add_lstm,
    "MaxPooling1D": _add_pooling,
    "SpatialDropout1D": _add_nothing,
}
"""Layers by their class's name, and what each adds to a graph."""
