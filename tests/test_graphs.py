from contextlib import suppress

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from textsent.graphs import UnusualGraphError, shapes_of


def tensor(name="table", shape=(2, 3)):
    return helper.make_tensor(name, TensorProto.FLOAT16, shape, bytes(12), raw=True)


def node(operator="Gather", domain="", **attributes):
    return helper.make_node(operator, ["table", "ids"], ["out"], domain=domain, **attributes)


def graph(*nodes, tensors=()):
    return helper.make_graph(list(nodes or [node()]), "g", [], [], [*tensors])


def refused(tmp_path, model):
    path = tmp_path / "model.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    with pytest.raises(UnusualGraphError) as error:
        shapes_of(path)
    return str(error.value)


def elsewhere(location):
    outside = tensor()
    outside.ClearField("raw_data")
    outside.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "12")):
        entry = outside.external_data.add()
        entry.key, entry.value = key, value
    return outside


def test_constants_have_their_shapes_those_of_graphs_within_too(tmp_path):
    body = graph(node("Add"), tensors=[tensor("inner", (3, 2))])
    model = helper.make_model(graph(node("Scan", body=body), tensors=[tensor(), tensor("row", (6,))]))
    onnx.save(model, tmp_path / "model.onnx")
    assert shapes_of(tmp_path / "model.onnx") == {"table": (2, 3), "row": (6,), "inner": (3, 2)}


def test_an_empty_file_has_none(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"")
    assert shapes_of(tmp_path / "model.onnx") == {}


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "weights.bin"])
def test_a_tensor_in_another_file_is_refused_wherever_that_is(tmp_path, location):
    outside = elsewhere(location)
    body = graph(node("Add"), tensors=[outside])
    holders = [
        graph(tensors=[outside]),
        graph(node("Scan", body=body)),
        graph(node("ConstantOfShape", value=outside)),
        graph(node("ConstantOfShape", values=[outside])),
        graph(node("Scan", bodies=[body])),
    ]
    for holder in holders:
        assert refused(tmp_path, helper.make_model(holder)) == "it keeps a tensor in another file"


def test_where_a_tensor_only_says_that_it_is_elsewhere_it_is_refused_too(tmp_path):
    outside = tensor()
    outside.data_location = TensorProto.EXTERNAL
    assert "in another file" in refused(tmp_path, helper.make_model(graph(tensors=[outside])))


@pytest.mark.parametrize("domain", ["evil", "com.microsoft", "ai.onnx.ml"])
def test_an_operator_from_elsewhere_is_refused(tmp_path, domain):
    model = helper.make_model(graph(node(domain=domain)))
    assert refused(tmp_path, model) == f"it holds an operator of {domain!r}"


@pytest.mark.parametrize("operator", ["Loop", "If", "Constant", "RandomNormal", "\x1b[2J" + "x" * 99])
def test_an_operator_that_textsent_does_not_write_is_refused(tmp_path, operator):
    model = helper.make_model(graph(node(operator)))
    assert refused(tmp_path, model) == f"it holds the operator {operator[:40]!r}"
    within = helper.make_model(graph(node("Scan", body=graph(node(operator)))))
    assert refused(tmp_path, within) == f"it holds the operator {operator[:40]!r}"


def test_functions_and_sparse_tensors_are_refused(tmp_path):
    function = helper.make_function("d", "f", [], [], [], [helper.make_opsetid("", 21)])
    assert refused(tmp_path, helper.make_model(graph(), functions=[function])) == "it holds functions of its own"
    sparse = helper.make_sparse_tensor(tensor(), helper.make_tensor("places", TensorProto.INT64, [1], [0]), [9])
    model = helper.make_model(graph())
    model.graph.sparse_initializer.append(sparse)
    assert refused(tmp_path, model) == "it holds a sparse tensor"
    assert refused(tmp_path, helper.make_model(graph(node(value=sparse)))) == "it holds a sparse tensor"


@pytest.mark.parametrize("shape", [(1 << 40,), (1 << 20, 1 << 20), (-1,), (1 << 62, 4), (1000,)])
def test_a_tensor_that_claims_more_than_there_is_is_refused(tmp_path, shape):
    claimed = tensor()
    claimed.dims[:] = shape
    model = helper.make_model(graph(tensors=[claimed]))
    assert refused(tmp_path, model) == "a tensor claims to be larger than the file"


@pytest.mark.parametrize("integer", [1 << 30, -(1 << 40), (1 << 16) + 1])
def test_an_integer_larger_than_any_size_is_refused(tmp_path, integer):
    """ONNX Runtime would make room for a state of so many units."""
    expected = "it holds an integer over 65,536"
    constant = numpy_helper.from_array(np.array([1, integer]), "units")
    assert refused(tmp_path, helper.make_model(graph(tensors=[constant]))) == expected
    assert refused(tmp_path, helper.make_model(graph(node("ConstantOfShape", value=constant)))) == expected
    assert refused(tmp_path, helper.make_model(graph(node("Conv", pads=[0, integer])))) == expected
    assert refused(tmp_path, helper.make_model(graph(node("Gather", axis=integer)))) == expected


def test_integers_in_another_form_than_textsent_writes_are_refused(tmp_path):
    constant = helper.make_tensor("units", TensorProto.INT64, [1], [1 << 30])
    assert refused(tmp_path, helper.make_model(graph(tensors=[constant]))) == (
        "it holds integers in another form than textsent writes"
    )


def test_sizes_axes_and_places_are_taken(tmp_path):
    constants = [numpy_helper.from_array(np.array([-1, 65536], kind), "row") for kind in (np.int32, np.int64)]
    model = helper.make_model(graph(node("Split", num_outputs=1, axis=-1), tensors=constants))
    onnx.save(model, tmp_path / "model.onnx")
    assert shapes_of(tmp_path / "model.onnx") == {"row": (2,)}


def test_a_split_into_another_number_of_outputs_is_refused(tmp_path):
    """ONNX Runtime 1.31 ends the process at one."""
    assert refused(tmp_path, helper.make_model(graph(node("Split", num_outputs=4)))) == (
        "an operator has another number of outputs than it says"
    )


def test_graphs_within_graphs_without_end_are_refused(tmp_path):
    within = graph()
    for _ in range(8):
        within = graph(node("Scan", body=within))
    assert refused(tmp_path, helper.make_model(within)) == "graphs stand within graphs"


def test_a_number_that_is_written_longer_than_it_need_be_hides_nothing(tmp_path):
    """A reader that took only the shortest form would pass this one by; protobuf takes both."""
    plain = node("Loop").SerializeToString()
    written = plain.replace(b"\x22\x04Loop", b"\xa2\x80\x00\x84\x00Loop")
    assert written != plain
    inner = b"\x0a" + bytes([len(written)]) + written
    model = b"\x3a" + bytes([len(inner)]) + inner
    assert onnx.ModelProto.FromString(model).graph.node[0].op_type == "Loop"
    assert refused(tmp_path, model) == "it holds the operator 'Loop'"


@pytest.mark.parametrize("content", [b"not a graph", b"\xff" * 20, b"\x3a\x7f", b"\x3b", b"\x38\x01"])
def test_what_is_no_graph_is_refused(tmp_path, content):
    assert refused(tmp_path, content) in ("it is no graph", "it breaks off")


@settings(deadline=None, max_examples=200)
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255), length=st.integers(0, 10**6))
def test_a_graph_with_any_byte_changed_is_read_or_refused(tmp_path_factory, place, byte, length):
    data = bytearray(helper.make_model(graph(node("Scan", body=graph()), tensors=[tensor()])).SerializeToString())
    data[place % len(data)] = byte
    path = tmp_path_factory.mktemp("graphs") / "model.onnx"
    path.write_bytes(data[: length % len(data)] if length % 2 else data)
    with suppress(UnusualGraphError):
        shapes_of(path)
