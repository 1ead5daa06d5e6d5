"""A trained Keras network as an ONNX graph, written node by node from its weights.

The graph takes `ids` (int32, shape (batch, words), right-padded with 0) and `lengths` (int32, shape (batch,)) and
gives `probability` (float32, shape (batch,)). The lengths reach the LSTM as `sequence_lens`, so that padding
costs no accuracy: https://onnx.ai/onnx/operators/onnx__LSTM.html
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 21
"""The ONNX operator set; ONNX Runtime 1.20 and later run it."""

IR_VERSION = 10

_Weights = list[np.ndarray[Any, np.dtype[np.float32]]]


def export_lstm(model: Any, path: Path) -> None:
    """Write the network of the recipe `lstm` as an ONNX graph.

    The embedding table is stored in half precision, which halves the file; its values must fit (see
    `round_embedding`), so the graph computes what the Keras network computes.

    Args:
        model: A `keras.Model` built by `textsent.recipes.lstm`.
        path: File to write.
    """
    (table,) = model.get_layer("embedding").get_weights()
    names = {layer.name for layer in model.layers}
    weights = model.get_layer("bidirectional" if "bidirectional" in names else "lstm").get_weights()
    directions = [_onnx_lstm(weights[start : start + 3]) for start in range(0, len(weights), 3)]
    dense, bias = model.get_layer("probability").get_weights()
    units = directions[0][1].shape[1]
    outputs = len(directions) * units

    constants = {
        "table": table.astype(np.float16),
        "w": np.stack([w for w, _, _ in directions]),  # (directions, 4 × units, embedding)
        "r": np.stack([r for _, r, _ in directions]),  # (directions, 4 × units, units)
        "b": np.stack([b for _, _, b in directions]),  # (directions, 8 × units)
        "dense": dense,  # (2 × outputs, 1)
        "dense_bias": bias,
        "zero": np.array(0, np.int32),
        "below": np.array(-1, np.float32),
        "state_shape": np.array([0, 0, outputs], np.int64),
        "time": np.array([0], np.int64),
        "last": np.array([-1], np.int64),
    }
    nodes = [
        # Time first, as ONNX's LSTM wants it.
        helper.make_node("Transpose", ["ids"], ["ids_by_time"], perm=[1, 0]),  # (words, batch)
        helper.make_node("Gather", ["table", "ids_by_time"], ["half_vectors"]),
        helper.make_node("Cast", ["half_vectors"], ["vectors"], to=TensorProto.FLOAT),
        helper.make_node(
            "LSTM",
            ["vectors", "w", "r", "b", "lengths"],
            ["directed_states"],  # (words, directions, batch, units)
            hidden_size=units,
            direction="bidirectional" if len(directions) == 2 else "forward",
        ),
        helper.make_node("Transpose", ["directed_states"], ["states_by_direction"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["states_by_direction", "state_shape"], ["states"]),  # (words, batch, outputs)
        # States after a text's end are zero, which leaves the sum right; the maximum must not see them.
        helper.make_node("ReduceSum", ["states", "time"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["lengths"], ["float_lengths"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["float_lengths", "last"], ["divisor"]),
        helper.make_node("Div", ["sum", "divisor"], ["mean"]),
        helper.make_node("Equal", ["ids_by_time", "zero"], ["padded"]),
        helper.make_node("Unsqueeze", ["padded", "last"], ["padded_states"]),
        helper.make_node("Where", ["padded_states", "below", "states"], ["real_states"]),
        helper.make_node("ReduceMax", ["real_states", "time"], ["largest"], keepdims=0),
        helper.make_node("Concat", ["mean", "largest"], ["features"], axis=1),
        helper.make_node("Gemm", ["features", "dense", "dense_bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["probabilities"]),
        helper.make_node("Squeeze", ["probabilities", "last"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "textsent-lstm",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT32, ["batch", "words"]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
        ],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch"])],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )
    exported = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="textsent"
    )
    onnx.checker.check_model(exported, full_check=True)
    onnx.save(exported, path)


def round_embedding(model: Any) -> None:
    """Round the embedding table of a Keras network to half precision, in place.

    After this the table can be stored in 16 bits and every engine computes with the same values. Training is
    over by then: the change, at most 1 in 2,048 of a value, moves no verdict.
    """
    embedding = model.get_layer("embedding")
    (table,) = embedding.get_weights()
    embedding.set_weights([table.astype(np.float16).astype(np.float32)])


def _onnx_lstm(weights: _Weights) -> _Weights:
    """Return an LSTM direction's Keras weights as ONNX's W, R and B.

    Keras orders the gates input, forget, cell, output along the columns; ONNX input, output, forget, cell along
    the rows, with a second bias for the recurrent part, which Keras doesn't have.
    """
    kernel, recurrent_kernel, bias = (_reorder_gates(array) for array in weights)
    return [kernel.T, recurrent_kernel.T, np.concatenate([bias, np.zeros_like(bias)])]


def _reorder_gates(array: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    i, f, c, o = np.split(array, 4, axis=-1)
    return np.concatenate([i, o, f, c], axis=-1)
