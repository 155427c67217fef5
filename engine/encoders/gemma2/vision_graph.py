"""The graph of the tower that sees: patches in, what the layers for text get of them out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.encoders.gemma2.graph import GRAPH, WEIGHTS, Builder, Weights, frequencies, root

_MOST = 1120 * 9  # patches of a picture: the operator wants as many positions, used or not


def write(config: Mapping[str, Any], weights: Path, folder: Path, *, int8: bool) -> None:
    """Write GRAPH and WEIGHTS into a folder.

    Inputs: pixel_values [1, p, 768] float32 of one picture without padding, pixel_position_ids
    [1, p, 2] int64, column and row. Output: features [s, h].
    """
    from onnx import TensorProto, helper

    vision = config["vision_config"]
    values = 3 * int(vision["patch_size"]) ** 2
    with (folder / WEIGHTS).open("wb") as stream:
        build = Builder(stream, Weights(weights), float(vision["rms_norm_eps"]), int8=int8)
        build.name(_VisionGraph(build, vision).features(), "features")
        build.write(
            folder / GRAPH,
            [
                helper.make_tensor_value_info(
                    "pixel_values", TensorProto.FLOAT, ["batch", "patches", values]
                ),
                helper.make_tensor_value_info(
                    "pixel_position_ids", TensorProto.INT64, ["batch", "patches", 2]
                ),
            ],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["tokens", "width"])],
        )


class _VisionGraph:
    """Nodes from the patches to the features."""

    def __init__(self, build: Builder, vision: Mapping[str, Any]) -> None:
        self._b = build
        self._vision = vision
        self._heads = int(vision["num_attention_heads"])
        self._size = int(vision["head_dim"])
        theta = float(vision["rope_parameters"]["rope_theta"])
        self._turns = build.turns("rope", frequencies(theta, self._size // 2), _MOST)

    def features(self) -> str:
        b, vision = self._b, self._vision
        columns, rows = (
            b.node("Gather", "pixel_position_ids", b.constant(i), axis=2) for i in range(2)
        )
        x = self._embedded(columns, rows)
        for i in range(int(vision["num_hidden_layers"])):
            at = f"vision_tower.encoder.layers.{i}"
            x = self._attend(x, at, columns, rows)
            made = b.gated(
                b.normalise(x, f"{at}.pre_feedforward_layernorm.weight"),
                f"{at}.mlp",
                int(vision["intermediate_size"]),
                ".linear.weight",
            )
            x = b.add_normalised(x, made, f"{at}.post_feedforward_layernorm.weight")
        width = int(vision["hidden_size"])
        pooled = b.node("Mul", self._pooled(x, columns, rows), b.number(root(width)))
        return b.exact(b.normalise(pooled, width), "embed_vision.embedding_projection.weight")

    def _embedded(self, columns: str, rows: str) -> str:
        b, at = self._b, "vision_tower.patch_embedder"
        centred = b.node("Sub", "pixel_values", b.number(0.5))
        x = b.exact(b.node("Mul", centred, b.number(2)), f"{at}.input_proj.weight")
        table = b.weights(f"{at}.position_embedding_table")
        across, down = (
            b.node("Gather", b.store(f"{at}.{name}", table[i]), where)
            for i, (name, where) in enumerate((("columns", columns), ("rows", rows)))
        )
        return b.node("Add", x, b.node("Add", across, down))

    def _attend(self, x: str, at: str, columns: str, rows: str) -> str:
        b, heads, size = self._b, self._heads, self._size
        names = [f"{at}.self_attn.{part}_proj.linear.weight" for part in "qkv"]
        read = b.multiply(b.normalise(x, f"{at}.input_layernorm.weight"), names)
        q, k, v = (b.reshape(part, 0, 0, heads, size) for part in b.split(read, [heads * size] * 3))
        q, k = (
            self._turned(b.normalise(part, f"{at}.self_attn.{name}_norm.weight"), columns, rows)
            for name, part in (("q", q), ("k", k))
        )
        v = b.reshape(b.normalise(v, size), 0, 0, heads * size)
        seen = b.fused("MultiHeadAttention", q, k, v, num_heads=heads, scale=1.0)
        made = b.multiply(seen, [f"{at}.self_attn.o_proj.linear.weight"])
        return b.add_normalised(x, made, f"{at}.post_attention_layernorm.weight")

    def _turned(self, x: str, columns: str, rows: str) -> str:
        """The first half of each head [1, p, heads, size] by the column, the other by the row."""
        b, heads, half = self._b, self._heads, self._size // 2
        turned = [
            b.reshape(
                b.fused(
                    "RotaryEmbedding",
                    b.reshape(part, 0, 0, heads * half),
                    where,
                    *self._turns,
                    num_heads=heads,
                    interleaved=0,
                ),
                0,
                0,
                heads,
                half,
            )
            for part, where in zip(b.split(x, [half, half]), (columns, rows), strict=True)
        ]
        return b.reshape(b.node("Concat", *turned, axis=-1), 0, 0, heads * self._size)

    def _pooled(self, x: str, columns: str, rows: str) -> str:
        """[s, width] the mean of each square of patches, squares row by row."""
        b, side = self._b, int(self._vision["pooling_kernel_size"])
        squares = [
            b.node(
                "Div",
                b.node("Add", b.node("ReduceMax", where, keepdims=0), b.constant(1)),
                b.constant(side),
            )
            for where in (rows, columns)
        ]
        high, wide = (b.reshape(count, 1) for count in squares)
        width = int(self._vision["hidden_size"])
        edge = b.constant([side])
        shape = b.node("Concat", high, edge, wide, edge, b.constant([width]), axis=0)
        means = b.node("ReduceMean", b.node("Reshape", x, shape), axes=[1, 3], keepdims=0)
        return b.reshape(means, -1, width)
