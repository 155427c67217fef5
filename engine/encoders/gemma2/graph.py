"""Makes ONNX graphs of EmbeddingGemma 2 from its published weights, for onnxruntime's processor.

They take and give what the published graphs do, see engine.encoders.gemma2.sessions. Matrices are
multiplied in fp32, or in bytes: on a processor without special units that takes half the time, and
the memory of a quarter. All operators are ones that onnxruntime has as one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto, ValueInfoProto

#: Raised with every change of what is written.
VERSION = 1
GRAPH, WEIGHTS = "graph.onnx", "weights.bin"  # as engine.encoders.text_onnx.graph_files has them

_OPSET = 17
_IR_VERSION = 8
_FUSED = "com.microsoft"
_ALIGNMENT = 4096  # bytes; a page, so that onnxruntime can map each tensor
#: The largest weight in int8: products of two bytes are added in pairs of 16 bits on processors
#: without VNNI and can saturate there, see engine.encoders.text_onnx.graph.
_LARGEST = 90


class Weights:
    """Published tensors by name, fp32; read when they are asked for."""

    def __init__(self, file: Path) -> None:
        self._file = safe_open(file, framework="pt")

    def __call__(self, name: str) -> NDArray[np.float32]:
        made: NDArray[np.float32] = self.as_published(name).float().numpy()
        return made

    def as_published(self, name: str) -> torch.Tensor:
        get: Callable[[str], torch.Tensor] = self._file.get_tensor
        return get(name)


class Builder:
    """Nodes of one graph; weights go to their file as they come."""

    def __init__(self, stream: BinaryIO, weights: Weights, epsilon: float, *, int8: bool) -> None:
        self.weights = weights
        self._stream = stream
        self._epsilon = epsilon
        self._int8 = int8
        self._nodes: list[NodeProto] = []
        self._tensors: dict[str, TensorProto] = {}
        self._count = 0

    def node(self, operator: str, *inputs: str, domain: str = "", **given: Any) -> str:
        """A node with one output, which it names."""
        return self.nodes(operator, 1, *inputs, domain=domain, **given)[0]

    def nodes(
        self, operator: str, outputs: int, *inputs: str, domain: str = "", **given: Any
    ) -> list[str]:
        from onnx import helper

        names = [f"{operator}.{self._count}.{i}" for i in range(outputs)]
        self._count += 1
        self._nodes.append(helper.make_node(operator, inputs, names, domain=domain, **given))
        return names

    def fused(self, operator: str, *inputs: str, **given: Any) -> str:
        return self.node(operator, *inputs, domain=_FUSED, **given)

    def name(self, output: str, as_name: str) -> None:
        """Give an output of the graph its name."""
        from onnx import helper

        self._nodes.append(helper.make_node("Identity", [output], [as_name]))

    def constant(self, values: Any, kind: str = "<i8") -> str:
        """A small tensor inside the graph, once for each value."""
        from onnx import numpy_helper

        array = np.asarray(values, kind)
        name = f"{array.dtype}{array.tolist()}"
        if name not in self._tensors:
            self._tensors[name] = numpy_helper.from_array(array, name)
        return name

    def number(self, value: float) -> str:
        return self.constant(value, "<f4")

    def store(self, name: str, array: NDArray[Any]) -> str:
        """A tensor in the file of weights, int8 or float32."""
        from onnx import TensorProto

        if array.dtype == np.int8:
            return self._store(name, array.shape, TensorProto.INT8, array)
        return self._store(name, array.shape, TensorProto.FLOAT, np.asarray(array, "<f4"))

    def store_as_published(self, name: str) -> str:
        """A large table, of which few rows are ever read: bf16 stays so."""
        from onnx import TensorProto

        tensor = self.weights.as_published(name)
        if tensor.dtype != torch.bfloat16:
            return self.store(name, tensor.float().numpy())
        bits = tensor.view(torch.int16).numpy()
        return self._store(name, bits.shape, TensorProto.BFLOAT16, bits)

    def rows(self, table: str, places: str) -> str:
        """Rows of a stored table, in fp32."""
        return self.node("Cast", self.node("Gather", table, places), to=1)

    def _store(self, name: str, shape: tuple[int, ...], kind: int, array: NDArray[Any]) -> str:
        from onnx import TensorProto

        if name in self._tensors:
            return name
        stream = self._stream
        stream.seek(-stream.tell() % _ALIGNMENT, 1)
        place = {"location": WEIGHTS, "offset": stream.tell(), "length": array.nbytes}
        stream.write(np.ascontiguousarray(array).data)
        tensor = TensorProto(
            name=name, dims=shape, data_type=kind, data_location=TensorProto.EXTERNAL
        )
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        self._tensors[name] = tensor
        return name

    def normalise(self, x: str, weight: str | int) -> str:
        """x * (mean(x^2) + eps)^-0.5 * a published vector, or alone at a width."""
        if isinstance(weight, int):
            factor = self.store(f"ones.{weight}", np.ones(weight, np.float32))
        else:
            factor = self.store(weight, self.weights(weight))
        return self.node(
            "SimplifiedLayerNormalization", x, factor, axis=-1, epsilon=self._epsilon, stash_type=1
        )

    def multiply(self, x: str, names: list[str], *, even: bool = False, factor: float = 1) -> str:
        """x by published matrices [out, in] side by side, in bytes where the graph is.

        In bytes one scale serves all rows of x. `even`: each is divided by its largest number
        before, so that none takes the others' precision; what was normalised is even by itself.
        """
        matrix = np.concatenate([self.weights(name) for name in names]) * np.float32(factor)
        return self.multiply_by(x, names[0], matrix, even=even)

    def multiply_by(
        self, x: str, name: str, matrix: NDArray[np.float32], *, even: bool = False
    ) -> str:
        if not self._int8:
            return self.node("MatMul", x, self.store(name, matrix.T))
        scales = np.maximum(np.abs(matrix).max(axis=1), np.float32(1e-12)) / np.float32(_LARGEST)
        quantised = np.rint(matrix / scales[:, None]).astype(np.int8).T
        given = self.store(name, quantised), self.store(f"{name}.scale", scales)
        if not even:
            return self.fused("DynamicQuantizeMatMul", x, *given)
        largest = self.node("ReduceMax", self.node("Abs", x), axes=[-1])
        largest = self.node("Max", largest, self.number(1e-12))
        made = self.fused("DynamicQuantizeMatMul", self.node("Div", x, largest), *given)
        return self.node("Mul", made, largest)

    def exact(self, x: str, name: str) -> str:
        """x by a published matrix [out, in], in fp32 always."""
        return self.node("MatMul", x, self.store(name, self.weights(name).T))

    def reshape(self, x: str, *shape: int) -> str:
        return self.node("Reshape", x, self.constant(shape))

    def split(self, x: str, sizes: list[int]) -> list[str]:
        return self.nodes("Split", len(sizes), x, self.constant(sizes), axis=-1)

    def add_normalised(self, x: str, more: str, weight: str) -> str:
        return self.node("Add", x, self.normalise(more, weight))

    def gated(self, x: str, at: str, wide: int, suffix: str) -> str:
        """(gelu(x gate) * (x up)) down, of the matrices `at`."""
        names = [f"{at}.{part}_proj{suffix}" for part in ("gate", "up", "down")]
        gate, up = self.split(self.multiply(x, names[:2]), [wide, wide])
        return self.multiply(
            self.node("Mul", self.fused("FastGelu", gate), up), names[2:], even=True
        )

    def turns(self, name: str, frequencies: NDArray[np.float32], count: int) -> tuple[str, str]:
        """Cosines and sines [count, len(frequencies)] of the rotary positions from 0 on."""
        angles = np.arange(count, dtype=np.float32)[:, None] * frequencies
        return self.store(f"{name}.cos", np.cos(angles)), self.store(f"{name}.sin", np.sin(angles))

    def write(
        self, file: Path, inputs: list[ValueInfoProto], outputs: list[ValueInfoProto]
    ) -> None:
        from onnx import helper

        graph = helper.make_graph(
            self._nodes, "gemma2", inputs, outputs, list(self._tensors.values())
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        file.write_bytes(model.SerializeToString())


def frequencies(theta: float, size: int) -> NDArray[np.float32]:
    """[size / 2] of rotary positions, rounded as torch rounds them."""
    steps = torch.arange(0, size, 2, dtype=torch.float) / size
    made: NDArray[np.float32] = (1.0 / (theta**steps)).numpy()
    return made


def root(width: int) -> float:
    return math.sqrt(width)
