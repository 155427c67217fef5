"""The ONNX graph of a BERT encoder, from embedded tokens to last hidden states.

Made of operators that onnxruntime's processor has as one, so that nothing is left to its optimiser
and the file is good for any version and processor. Each matrix lies in a file beside the graph,
which is mapped.

All texts of a batch are of one length, so no mask is needed: attention without takes two thirds of
the time. Adding and then normalising takes a quarter of what their fused operator does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.encoders.text_onnx.weights import Tensors

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

#: Raised with every change of what `write` makes.
VERSION = 2
GRAPH, WEIGHTS = "graph.onnx", "weights.bin"
EMBEDDED, HIDDEN = "embedded", "hidden"

_EPSILON = 1e-12  # of layer normalisation
_OPSET = 17
_IR_VERSION = 8  # the oldest that has the opset: any onnxruntime of today reads it
_FUSED = "com.microsoft"
_ALIGNMENT = 4096  # bytes; a page, so that onnxruntime can map each tensor
#: The largest weight in int8. Products of two bytes are added in pairs of 16 bits on processors
#: without VNNI and can saturate there: 127 gave a cosine of 0.9990, 90 of 0.9992, 63 of 0.9989.
_LARGEST = 90


def write(weights: Tensors, heads: int, folder: Path, *, int8: bool) -> None:
    """Write GRAPH and WEIGHTS into a folder.

    The graph takes EMBEDDED [batch, length, width] float32, the sum of all embeddings before it is
    normalised, and gives HIDDEN of EMBEDDED's shape. With `int8` matrices are multiplied in bytes.
    """
    from onnx import TensorProto, helper

    graph = _Graph(weights, heads, int8)
    nodes = list(graph.nodes())
    width = weights["embeddings.LayerNorm.weight"].shape[0]
    shape: list[str | int | None] = ["batch", "length", width]
    with (folder / WEIGHTS).open("wb") as stream:
        tensors = [_store(stream, name, array) for name, array in graph.initializers.items()]
    model: ModelProto = helper.make_model(
        helper.make_graph(
            nodes,
            "bert",
            [helper.make_tensor_value_info(EMBEDDED, TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(HIDDEN, TensorProto.FLOAT, shape)],
            tensors,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)],
        ir_version=_IR_VERSION,
    )
    (folder / GRAPH).write_bytes(model.SerializeToString())


def _store(stream: Any, name: str, array: NDArray[Any]) -> TensorProto:
    """Append an array to the file of weights; the tensor that stands for it in the graph."""
    from onnx import TensorProto

    stream.seek(-stream.tell() % _ALIGNMENT, 1)
    place = {"location": WEIGHTS, "offset": stream.tell(), "length": array.nbytes}
    bytewise = array.dtype == np.int8
    stream.write(np.ascontiguousarray(array, "i1" if bytewise else "<f4").data)
    tensor = TensorProto(
        name=name,
        dims=array.shape,
        data_type=TensorProto.INT8 if bytewise else TensorProto.FLOAT,
        data_location=TensorProto.EXTERNAL,
    )
    for key, value in place.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


class _Graph:
    """Nodes of one encoder; `initializers` fills as they are made."""

    def __init__(self, weights: Tensors, heads: int, int8: bool) -> None:
        self._weights = weights
        self._heads = heads
        self._int8 = int8
        self.initializers: dict[str, NDArray[Any]] = {}

    def nodes(self) -> Iterator[NodeProto]:
        yield self._normalise("embeddings", EMBEDDED, "layer.0")
        count = 0
        while f"encoder.layer.{count + 1}.output.dense.weight" in self._weights:
            count += 1
        for n in range(count + 1):
            yield from self._layer(n, HIDDEN if n == count else f"layer.{n + 1}")

    def _layer(self, n: int, output: str) -> Iterator[NodeProto]:
        at, x = f"encoder.layer.{n}", f"layer.{n}"
        yield from self._attend(f"{at}.attention.self", x, f"{x}.attended")
        attention = f"{at}.attention.output"
        yield from self._add_and_normalise(attention, f"{x}.attended", x, f"{x}.between")
        wide = f"{at}.intermediate.dense"
        yield from self._multiply([wide], f"{x}.between", f"{x}.wide", even=True)
        bias = self._vector([f"{wide}.bias"])
        yield _node("BiasGelu", [f"{x}.wide", bias], [f"{x}.gelu"], domain=_FUSED)
        yield from self._add_and_normalise(f"{at}.output", f"{x}.gelu", f"{x}.between", output)

    def _attend(self, at: str, x: str, output: str) -> Iterator[NodeProto]:
        parts = [f"{at}.{part}" for part in ("query", "key", "value")]
        bias = self._vector([f"{part}.bias" for part in parts])
        yield from self._multiply(parts, x, f"{output}.qkv", even=False)
        yield _node("Add", [f"{output}.qkv", bias], [f"{output}.sum"])
        names = [f"{output}.{part}" for part in "qkv"]
        yield _node("Split", [f"{output}.sum"], names, axis=-1)
        yield _node("MultiHeadAttention", names, [output], domain=_FUSED, num_heads=self._heads)

    def _add_and_normalise(self, at: str, x: str, skip: str, output: str) -> Iterator[NodeProto]:
        """LayerNorm(x * dense + bias + skip)."""
        yield from self._multiply([f"{at}.dense"], x, f"{output}.dense", even=True)
        bias = self._vector([f"{at}.dense.bias"])
        yield _node("Add", [f"{output}.dense", bias], [f"{output}.biased"])
        yield _node("Add", [f"{output}.biased", skip], [f"{output}.sum"])
        yield self._normalise(at, f"{output}.sum", output)

    def _normalise(self, at: str, x: str, output: str) -> NodeProto:
        ends = [self._vector([f"{at}.LayerNorm.{end}"]) for end in ("weight", "bias")]
        return _node("LayerNormalization", [x, *ends], [output], epsilon=_EPSILON)

    def _multiply(
        self, parts: list[str], x: str, output: str, *, even: bool
    ) -> Iterator[NodeProto]:
        """x by published matrices [out, in] side by side.

        In bytes one scale serves all rows of x. `even`: each is divided by its largest number
        before, so that one row does not take the others' precision; without it the cosine of
        single vectors is 0.9966 instead of 0.9991. What attention reads is even by itself.
        """
        matrix = np.concatenate([self._weights[f"{part}.weight"][:] for part in parts]).T
        name = f"{parts[0]}.weight"
        if not self._int8:
            self.initializers[name] = matrix
            yield _node("MatMul", [x, name], [output])
            return
        scales = np.abs(matrix).max(axis=0) / np.float32(_LARGEST)
        self.initializers[name] = np.rint(matrix / scales).astype(np.int8)
        self.initializers[f"{name}.scale"] = scales
        read, made = (f"{output}.even", f"{output}.even.out") if even else (x, output)
        if even:
            yield _node("Abs", [x], [f"{output}.abs"])
            yield _node("ReduceMax", [f"{output}.abs"], [f"{output}.max"], axes=[-1])
            yield _node("Div", [x, f"{output}.max"], [read])
        given = [read, name, f"{name}.scale"]
        yield _node("DynamicQuantizeMatMul", given, [made], domain=_FUSED)
        if even:
            yield _node("Mul", [made, f"{output}.max"], [output])

    def _vector(self, names: list[str]) -> str:
        """An initializer of published vectors one after another."""
        self.initializers[names[0]] = np.concatenate([self._weights[name][:] for name in names])
        return names[0]


def _node(operator: str, inputs: list[str], outputs: list[str], **given: Any) -> NodeProto:
    from onnx import helper

    return helper.make_node(operator, inputs, outputs, **given)
