"""What an ONNX file holds, looked at before ONNX Runtime loads it: a model may come from anyone.

Allowed are the operators that `textsent.export` writes, and tensors that are in the file themselves. The file is
read field by field (https://protobuf.dev/programming-guides/encoding/), which takes a millisecond; to import the
package onnx takes a tenth of a second.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

_OPERATORS = """
Add Cast Concat ConstantOfShape Conv Div Flatten Gather GatherElements Gemm LSTM Less MatMul Max MaxPool Mul Range
ReduceMax ReduceMean ReduceSum Relu Reshape Scan Shape Sigmoid Sign Softmax Split Squeeze Sub Tanh TopK Transpose
Unsqueeze
"""
OPERATORS = frozenset(_OPERATORS.split())
"""What `textsent.export` writes; none reads a file, runs other code or goes on without end."""

_MOST_LEVELS = 4  # of graphs within graphs; textsent writes two

_LARGEST = 1 << 16
"""What an integer in a graph may be: a size, an axis or a place. ONNX Runtime makes room for any size."""

# Numbers of fields, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_MODEL_GRAPH, _MODEL_TRAINING, _MODEL_FUNCTIONS = 7, 20, 25
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_SPARSE = 1, 5, 15
_NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 2, 4, 5, 7
_ATTRIBUTE_NAME, _ATTRIBUTE_INTEGERS = 1, (3, 8)
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 1, 2, 8, 9, 13, 14
_TENSOR_INTEGERS = (5, 7, 11)  # in another form than textsent writes, which ONNX Runtime would read too
_FORMATS: dict[int, Literal["i", "q"]] = {
    6: "i",
    7: "q",
}  # of the types of integers that textsent writes, for memoryview.cast

Shapes = dict[str, tuple[int, ...]]


class UnusualGraphError(ValueError):
    """A graph holds what textsent doesn't write."""


def shapes_of(path: Path) -> Shapes:
    """Return the shapes of a graph's constants by name, those of graphs within it too.

    Raises:
        UnusualGraphError: It holds another operator, a tensor that is elsewhere or claims more than there is, or is
            no graph.
        OSError: The file can't be read.
    """
    shapes: Shapes = {}
    with path.open("rb") as file:
        if file.seek(0, 2) == 0:
            return shapes
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    for number, value in _fields(whole):
        if number in (_MODEL_TRAINING, _MODEL_FUNCTIONS):
            raise UnusualGraphError("it holds functions of its own")
        if number == _MODEL_GRAPH:
            _read_graph(_message(value), shapes, _MOST_LEVELS)
    return shapes


def _read_graph(graph: memoryview, shapes: Shapes, levels: int) -> None:
    if not levels:
        raise UnusualGraphError("graphs stand within graphs")
    for number, value in _fields(graph):
        if number == _GRAPH_NODE:
            _read_node(_message(value), shapes, levels)
        elif number == _GRAPH_TENSOR:
            _read_tensor(_message(value), shapes)
        elif number == _GRAPH_SPARSE:
            raise UnusualGraphError("it holds a sparse tensor")


def _read_node(node: memoryview, shapes: Shapes, levels: int) -> None:
    outputs, said = 0, None
    for number, value in _fields(node):
        if number == _NODE_OUTPUT:
            outputs += 1
        if number == _NODE_OPERATOR and _text(value) not in OPERATORS:
            raise UnusualGraphError(f"it holds the operator {_text(value)[:40]!r}")
        if number == _NODE_DOMAIN and _text(value) not in ("", "ai.onnx"):
            raise UnusualGraphError(f"it holds an operator of {_text(value)[:40]!r}")
        if number == _NODE_ATTRIBUTE:
            name, integers = _read_attribute(_message(value), shapes, levels)
            if name == "num_outputs":
                said = integers
    if said not in (None, [outputs]):  # which ends the process, as of ONNX Runtime 1.31
        raise UnusualGraphError("an operator has another number of outputs than it says")


def _read_attribute(attribute: memoryview, shapes: Shapes, levels: int) -> tuple[str, list[int]]:
    """Read a node's attribute, and return its name and the integers that it holds."""
    name, integers = "", list[int]()
    for number, value in _fields(attribute):
        if number == _ATTRIBUTE_NAME:
            name = _text(value)
        elif number in _ATTRIBUTE_INTEGERS:
            integers += _integers(value)
        elif number in _ATTRIBUTE_TENSORS:
            _read_tensor(_message(value), shapes)
        elif number in _ATTRIBUTE_GRAPHS:
            _read_graph(_message(value), shapes, levels - 1)
        elif number in _ATTRIBUTE_SPARSE:
            raise UnusualGraphError("it holds a sparse tensor")
    _check_integers(integers)
    return name, integers


def _read_tensor(tensor: memoryview, shapes: Shapes) -> None:
    name, shape, kind, raw = "", list[int](), 0, memoryview(b"")
    for number, value in _fields(tensor):
        if number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value):
            raise UnusualGraphError("it keeps a tensor in another file")
        if number in _TENSOR_INTEGERS:
            raise UnusualGraphError("it holds integers in another form than textsent writes")
        if number == _TENSOR_NAME:
            name = _text(value)
        if number == _TENSOR_TYPE and isinstance(value, int):
            kind = value
        if number == _TENSOR_RAW:
            raw = _message(value)
        if number == _TENSOR_DIMS:
            shape += _integers(value)
    # No type that textsent writes takes less than a byte for an element.
    if min(shape, default=0) < 0 or math.prod(shape) > len(tensor):
        raise UnusualGraphError("a tensor claims to be larger than the file")
    if kind in _FORMATS:
        form = _FORMATS[kind]
        _check_integers(raw[: len(raw) - len(raw) % struct.calcsize(form)].cast(form))
    shapes[name] = tuple(shape)


def _check_integers(integers: Iterable[int]) -> None:
    if any(abs(integer) > _LARGEST for integer in integers):
        raise UnusualGraphError(f"it holds an integer over {_LARGEST:,}")


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the numbers of a message's fields and what they hold; those of a fixed size are left out."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == 0:
            value, place = _varint(message, place)
            yield tag >> 3, value
        elif kind == 2:
            size, place = _varint(message, place)
            if place + size > len(message):
                raise UnusualGraphError("it breaks off")
            yield tag >> 3, message[place : place + size]
            place += size
        elif kind in (1, 5):
            place += 8 if kind == 1 else 4
        else:
            raise UnusualGraphError("it is no graph")


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return the number at a place, below 2**64, and the place after it."""
    number = 0
    for shift, byte in enumerate(message[place : place + 10]):
        number |= (byte & 127) << (7 * shift)
        if byte < 128:
            return number & (1 << 64) - 1, place + shift + 1
    raise UnusualGraphError("it is no graph")


def _integers(value: int | memoryview) -> list[int]:
    """Return what a field of signed integers holds: one, or a run of them."""
    found, place = [value] if isinstance(value, int) else [], 0
    if not isinstance(value, int):
        while place < len(value):
            number, place = _varint(value, place)
            found.append(number)
    return [number - (1 << 64) if number >> 63 else number for number in found]


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise UnusualGraphError("it is no graph")
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_message(value)).decode("utf-8", "replace")
