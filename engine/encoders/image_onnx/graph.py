"""The ONNX graph of EfficientNet-Lite0 (arXiv:1905.11946, without squeeze and excitation).

Batch normalisation is folded into the convolutions before it, so that nothing is left to
onnxruntime's optimiser.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

PIXELS, FEATURES, LOGITS = "pixels", "features", "logits"

#: Of each stage: blocks, stride of the first, side of the depthwise kernel.
_STAGES = ((1, 1, 3), (2, 2, 3), (2, 2, 5), (3, 2, 3), (3, 1, 5), (4, 2, 5), (1, 1, 3))
_EPSILON = 1e-3  # of batch normalisation
_OPSET = 18
_IR_VERSION = 9  # the oldest that has the opset: any onnxruntime of today reads it


def made_of(weights: Mapping[str, NDArray[Any]]) -> bytes:
    """The model: PIXELS [n, 3, side, side] float32 to FEATURES [n, 1280] and LOGITS [n, 1000]."""
    from onnx import TensorProto, helper

    nodes, tensors = _Network(weights).built()
    model: ModelProto = helper.make_model(
        helper.make_graph(
            nodes,
            "efficientnet-lite0",
            [helper.make_tensor_value_info(PIXELS, TensorProto.FLOAT, ["n", 3, "side", "side"])],
            [
                helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, ["n", 1280]),
                helper.make_tensor_value_info(LOGITS, TensorProto.FLOAT, ["n", 1000]),
            ],
            tensors,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    return bytes(model.SerializeToString())


class _Network:
    """Collects nodes and tensors in the order of the forward."""

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        self._weights = weights
        self._nodes: list[NodeProto] = []
        self._tensors: list[TensorProto] = []

    def built(self) -> tuple[list[NodeProto], list[TensorProto]]:
        """LookupError where a tensor is missing."""
        self._keep("zero", np.float32(0))
        self._keep("six", np.float32(6))
        at = self._convolution(PIXELS, "_conv_stem", "_bn0", stride=2)
        number = 0
        for blocks, first, side in _STAGES:
            for block in range(blocks):
                at = self._block(at, f"_blocks.{number}.", first if block == 0 else 1, side)
                number += 1
        at = self._convolution(at, "_conv_head", "_bn1")
        at = self._node("GlobalAveragePool", [at], "pooled")
        at = self._node("Flatten", [at], FEATURES)
        head = [self._keep(name, self._weights[name]) for name in ("_fc.weight", "_fc.bias")]
        self._node("Gemm", [at, *head], LOGITS, transB=1)
        return self._nodes, self._tensors

    def _block(self, given: str, name: str, stride: int, side: int) -> str:
        """An inverted residual: wider, each channel by itself, narrow again."""
        at = given
        if f"{name}_expand_conv.weight" in self._weights:
            at = self._convolution(at, f"{name}_expand_conv", f"{name}_bn0")
        deep = f"{name}_depthwise_conv"
        channels = len(self._weights[f"{deep}.weight"])
        at = self._convolution(at, deep, f"{name}_bn1", stride=stride, channels=channels, side=side)
        narrow = f"{name}_project_conv"
        at = self._convolution(at, narrow, f"{name}_bn2", bent=False)
        expand = self._weights.get(f"{name}_expand_conv.weight")
        same = expand is not None and expand.shape[1] == len(self._weights[f"{narrow}.weight"])
        return self._node("Add", [at, given], f"{name}sum") if stride == 1 and same else at

    def _convolution(
        self,
        given: str,
        name: str,
        norm: str,
        *,
        stride: int = 1,
        channels: int = 1,
        side: int = 0,
        bent: bool = True,
    ) -> str:
        """With its normalisation and, if `bent`, a ramp from 0 to 6; padded as TensorFlow does."""
        weight = self._weights[f"{name}.weight"]
        if side and weight.shape[-1] != side:
            raise LookupError(f"{name} has another kernel")
        scale = self._weights[f"{norm}.weight"] / np.sqrt(
            self._weights[f"{norm}.running_var"] + np.float32(_EPSILON)
        )
        shift = self._weights[f"{norm}.bias"] - self._weights[f"{norm}.running_mean"] * scale
        inputs = [
            given,
            self._keep(f"{name}.weight", weight * scale[:, None, None, None]),
            self._keep(f"{name}.bias", shift),
        ]
        at = self._node(
            "Conv", inputs, name, strides=[stride] * 2, group=channels, auto_pad="SAME_UPPER"
        )
        return self._node("Clip", [at, "zero", "six"], f"{name}.bent") if bent else at

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _keep(self, name: str, array: Any) -> str:
        from onnx import numpy_helper

        self._tensors.append(numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name
