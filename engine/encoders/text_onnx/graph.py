"""The ONNX graph of a BERT encoder, from embedded tokens to last hidden states.

Made of onnxruntime's own fused operators (domain com.microsoft), so that nothing is left to its
optimiser and the file is good for any version and processor. Each matrix lies in a file beside
the graph, which is mapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.encoders.text_onnx.weights import Floats

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

#: Raised with every change of what `write` makes.
VERSION = 1
GRAPH, WEIGHTS = "graph.onnx", "weights.bin"
EMBEDDED, LENGTHS, HIDDEN = "embedded", "lengths", "hidden"

_EPSILON = 1e-12  # of layer normalisation
_OPSET = 18
_IR_VERSION = 9  # the oldest that has the opset: any onnxruntime of today reads it
_FUSED = "com.microsoft"
_ALIGNMENT = 4096  # bytes; a page, so that onnxruntime can map each tensor


def write(weights: Mapping[str, Floats], heads: int, folder: Path) -> None:
    """Write GRAPH and WEIGHTS into a folder.

    The graph takes EMBEDDED [batch, longest, width] float32, the sum of all embeddings before it
    is normalised, and LENGTHS [batch] int32, and gives HIDDEN of EMBEDDED's shape. Rows past a
    text's length are meaningless.
    """
    from onnx import TensorProto, helper

    graph = _Graph(weights, heads)
    nodes = list(graph.nodes())
    width = weights["embeddings.LayerNorm.weight"].size
    shape: list[str | int | None] = ["batch", "longest", width]
    with (folder / WEIGHTS).open("wb") as stream:
        tensors = [_store(stream, name, array) for name, array in graph.initializers.items()]
    model: ModelProto = helper.make_model(
        helper.make_graph(
            nodes,
            "bert",
            [
                helper.make_tensor_value_info(EMBEDDED, TensorProto.FLOAT, shape),
                helper.make_tensor_value_info(LENGTHS, TensorProto.INT32, shape[:1]),
            ],
            [helper.make_tensor_value_info(HIDDEN, TensorProto.FLOAT, shape)],
            tensors,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)],
        ir_version=_IR_VERSION,
    )
    (folder / GRAPH).write_bytes(model.SerializeToString())


def _store(stream: Any, name: str, array: Floats) -> TensorProto:
    """Append an array to the file of weights; the tensor that stands for it in the graph."""
    from onnx import TensorProto

    stream.seek(-stream.tell() % _ALIGNMENT, 1)
    place = {"location": WEIGHTS, "offset": stream.tell(), "length": array.nbytes}
    stream.write(np.ascontiguousarray(array, "<f4").data)
    tensor = TensorProto(
        name=name,
        dims=array.shape,
        data_type=TensorProto.FLOAT,
        data_location=TensorProto.EXTERNAL,
    )
    for key, value in place.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


class _Graph:
    """Nodes of one encoder; `initializers` fills as they are made."""

    def __init__(self, weights: Mapping[str, Floats], heads: int) -> None:
        self._weights = weights
        self._heads = heads
        self.initializers: dict[str, Floats] = {}

    def nodes(self) -> Iterator[NodeProto]:
        from onnx import helper

        norm = "embeddings.LayerNorm"
        yield helper.make_node(
            "LayerNormalization",
            [EMBEDDED, self._vector(f"{norm}.weight"), self._vector(f"{norm}.bias")],
            ["layer.0"],
            epsilon=_EPSILON,
        )
        count = 0
        while f"encoder.layer.{count + 1}.output.dense.weight" in self._weights:
            count += 1
        for n in range(count + 1):
            yield from self._layer(n, HIDDEN if n == count else f"layer.{n + 1}")

    def _layer(self, n: int, output: str) -> Iterator[NodeProto]:
        from onnx import helper

        at, x = f"encoder.layer.{n}", f"layer.{n}"
        parts = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
        qkv_bias = f"{at}.qkv.bias"
        self.initializers[qkv_bias] = np.concatenate([self._weights[f"{p}.bias"] for p in parts])
        yield helper.make_node(
            "Attention",
            [x, self._matrix(f"{at}.qkv", *parts), qkv_bias, LENGTHS],
            [f"{x}.attended"],
            domain=_FUSED,
            num_heads=self._heads,
        )
        attention = f"{at}.attention.output"
        yield from self._add_and_norm(attention, f"{x}.attended", x, f"{x}.between")
        wide = f"{at}.intermediate.dense"
        yield self._multiply(wide, f"{x}.between", f"{x}.wide")
        yield helper.make_node(
            "BiasGelu",
            [f"{x}.wide", self._vector(f"{wide}.bias")],
            [f"{x}.gelu"],
            domain=_FUSED,
        )
        yield from self._add_and_norm(f"{at}.output", f"{x}.gelu", f"{x}.between", output)

    def _add_and_norm(self, at: str, x: str, skip: str, output: str) -> Iterator[NodeProto]:
        """LayerNorm(x * dense + bias + skip)."""
        from onnx import helper

        yield self._multiply(f"{at}.dense", x, f"{output}.sum")
        names = ("LayerNorm.weight", "LayerNorm.bias", "dense.bias")
        yield helper.make_node(
            "SkipLayerNormalization",
            [f"{output}.sum", skip, *(self._vector(f"{at}.{name}") for name in names)],
            [output],
            domain=_FUSED,
            epsilon=_EPSILON,
        )

    def _multiply(self, dense: str, x: str, output: str) -> NodeProto:
        from onnx import helper

        return helper.make_node("MatMul", [x, self._matrix(dense, dense)], [output])

    def _matrix(self, name: str, *parts: str) -> str:
        """An initializer [in, out] of published matrices [out, in] side by side."""
        joined = np.concatenate([self._weights[f"{part}.weight"] for part in parts])
        self.initializers[f"{name}.weight"] = joined.T
        return f"{name}.weight"

    def _vector(self, name: str) -> str:
        self.initializers[name] = self._weights[name]
        return name
