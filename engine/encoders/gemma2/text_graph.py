"""The graph of the layers for text: ids and what was seen in, token vectors out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.encoders.gemma2.graph import GRAPH, WEIGHTS, Builder, Weights, frequencies, root

_NEVER = -1e9  # added to the score of what a token must not see


def write(config: Mapping[str, Any], weights: Path, folder: Path, *, int8: bool, most: int) -> None:
    """Write GRAPH and WEIGHTS into a folder, for texts of at most `most` tokens.

    Inputs: input_ids, attention_mask int64 [b, n]; image_features [k, h] float32, the tokens of
    all pictures in the order of their places; video_features, audio_features, which must be empty.
    Outputs: last_hidden_state [b, n, e]; sentence_embedding [b, e], its mean at length one.
    """
    from onnx import TensorProto, helper

    text = config["text_config"]
    hidden = int(text["hidden_size"])
    with (folder / WEIGHTS).open("wb") as stream:
        build = Builder(stream, Weights(weights), float(text["rms_norm_eps"]), int8=int8)
        tokens = _TextGraph(build, config, most).tokens()
        build.name(tokens, "last_hidden_state")
        build.name(_mean(build, tokens), "sentence_embedding")
        seen = [
            helper.make_tensor_value_info(f"{kind}_features", TensorProto.FLOAT, [kind, hidden])
            for kind in ("image", "video", "audio")
        ]
        build.write(
            folder / GRAPH,
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
                for name in ("input_ids", "attention_mask")
            ]
            + seen,
            [
                helper.make_tensor_value_info(
                    "last_hidden_state", TensorProto.FLOAT, ["batch", "length", "width"]
                ),
                helper.make_tensor_value_info(
                    "sentence_embedding", TensorProto.FLOAT, ["batch", "width"]
                ),
            ],
        )


class _TextGraph:
    """Nodes from the ids to the token vectors."""

    def __init__(self, build: Builder, config: Mapping[str, Any], most: int) -> None:
        self._b = build
        self._config = config
        self._text: Mapping[str, Any] = config["text_config"]
        self._most = most

    def tokens(self) -> str:
        b, text = self._b, self._text
        given = x = self._embedded()
        bias = self._biases()
        for i, kind in enumerate(text["layer_types"]):
            at = f"language_model.layers.{i}"
            x = self._attend(x, at, i, kind, bias[kind])
            wide = int(text["intermediate_size"])
            made = b.gated(
                b.normalise(x, f"{at}.pre_feedforward_layernorm.weight"),
                f"{at}.mlp",
                wide,
                ".weight",
            )
            x = b.add_normalised(x, made, f"{at}.post_feedforward_layernorm.weight")
            x = self._mix(x, given, at, i)
        x = b.normalise(x, "language_model.norm.weight")
        return b.exact(x, "language_model.embedding_projection.weight")

    def _embedded(self) -> str:
        """Words, and in a picture's places what was seen."""
        b, hidden = self._b, int(self._text["hidden_size"])
        pictured = b.node("Equal", "input_ids", b.constant(int(self._config["image_token_id"])))
        ids = b.node("Where", pictured, b.constant(int(self._text["pad_token_id"])), "input_ids")
        name = "language_model.embed_tokens.weight"
        words = b.rows(b.store_as_published(name), ids)
        words = b.node("Mul", words, b.number(root(hidden)))
        # The n-th place of a picture takes the n-th row; a row of zeros, so that there is one.
        rows = b.node("Concat", "image_features", b.constant(np.zeros((1, hidden)), "<f4"), axis=0)
        flat = b.reshape(b.node("Cast", pictured, to=7), -1)
        place = b.node("Mul", b.node("CumSum", flat, b.constant(0)), flat)
        # Where there is no picture: place 0, less one, is the last row, the zeros.
        seen = b.node("Gather", rows, b.node("Sub", place, b.constant(1)))
        seen = b.node("Reshape", seen, b.node("Shape", words))
        return b.node("Where", b.node("Unsqueeze", pictured, b.constant([-1])), seen, words)

    def _biases(self) -> dict[str, str]:
        """[b, 1, n, n] what is added to the scores, for each kind of layer."""
        b = self._b
        absent = b.node("Sub", b.constant(1), "attention_mask")
        absent = b.node("Cast", b.node("Unsqueeze", absent, b.constant([1, 2])), to=1)
        length = b.node("Gather", b.node("Shape", "input_ids"), b.constant(1))
        ends = b.constant(0), length, b.constant(1)
        steps = b.node("Range", *ends)
        away = b.node("Sub", steps, b.node("Unsqueeze", steps, b.constant([1])))
        far = b.node("Greater", b.node("Abs", away), b.constant(int(self._text["sliding_window"])))
        far = b.node("Unsqueeze", b.node("Cast", far, to=1), b.constant([0, 1]))
        near = b.node("Mul", far, b.number(0))
        return {
            "full_attention": b.node("Mul", b.node("Add", near, absent), b.number(_NEVER)),
            "sliding_attention": b.node("Mul", b.node("Max", far, absent), b.number(_NEVER)),
        }

    def _attend(self, x: str, at: str, i: int, kind: str, bias: str) -> str:
        b, text = self._b, self._text
        # Published keys have leading zeros, "05".
        layers: Mapping[str, Mapping[str, Any]] = text.get("per_layer_config") or {}
        own = next((sizes for n, sizes in layers.items() if int(n) == i), {})
        size = int(own.get("head_dim", text["head_dim"]))
        heads = int(text["num_attention_heads"])
        shared = int(own.get("num_key_value_heads", text["num_key_value_heads"]))
        theta = float(text["rope_parameters"][kind]["rope_theta"])
        turns = b.turns(kind, frequencies(theta, size), self._most)
        names = [f"{at}.self_attn.{part}_proj.weight" for part in "qkv"]
        read = b.multiply(b.normalise(x, f"{at}.input_layernorm.weight"), names)
        q, k, v = b.split(read, [heads * size, shared * size, shared * size])
        q = b.normalise(b.reshape(q, 0, 0, heads, size), f"{at}.self_attn.q_norm.weight")
        k = b.normalise(b.reshape(k, 0, 0, shared, size), f"{at}.self_attn.k_norm.weight")
        v = b.normalise(b.reshape(v, 0, 0, shared, size), size)
        q, k = (
            b.fused(
                "RotaryEmbedding",
                b.reshape(part, 0, 0, count * size),
                b.constant([0]),
                *turns,
                num_heads=count,
                interleaved=0,
            )
            for part, count in ((q, heads), (k, shared))
        )
        k, v = (self._for_each_head(part, heads, shared, size) for part in (k, v))
        seen = b.fused("MultiHeadAttention", q, k, v, "", "", bias, num_heads=heads, scale=1.0)
        made = b.multiply(seen, [f"{at}.self_attn.o_proj.weight"])
        return b.add_normalised(x, made, f"{at}.post_attention_layernorm.weight")

    def _for_each_head(self, x: str, heads: int, shared: int, size: int) -> str:
        """Keys or values that several heads share, once for each: [b, n, heads * size]."""
        b = self._b
        rows = b.reshape(x, 0, 0, shared, size)
        copies = b.node("Tile", rows, b.constant([1, 1, 1, heads // shared]))
        return b.reshape(copies, 0, 0, heads * size)

    def _mix(self, x: str, given: str, at: str, i: int) -> str:
        """A layer's own reading of what came in, gated into x."""
        b, text = self._b, self._text
        width = int(text["hidden_size_per_layer_input"])
        name = "language_model.ple.per_layer_model_projection.weight"
        mine = b.weights(name)[i * width : (i + 1) * width]
        scaled = mine * np.float32(root(int(text["hidden_size"])) ** -1)
        # Only words' sizes differ from token to token before the first layer.
        signal = b.multiply_by(given, f"{name}.{i}", scaled, even=True)
        signal = b.normalise(signal, "language_model.ple.per_layer_projection_norm.weight")
        gate = b.multiply(x, [f"{at}.ple_block.per_layer_input_gate.weight"], even=True)
        mixed = b.node("Mul", b.fused("FastGelu", gate), signal)
        made = b.multiply(mixed, [f"{at}.ple_block.per_layer_projection.weight"], even=True)
        x = b.add_normalised(x, made, f"{at}.ple_block.post_per_layer_input_norm.weight")
        return b.node("Mul", x, b.store(f"{at}.layer_scalar", b.weights(f"{at}.layer_scalar")))


def _mean(build: Builder, tokens: str) -> str:
    """[b, e] of the tokens that are there, at length one."""
    b = build
    there = b.node("Cast", b.node("Unsqueeze", "attention_mask", b.constant([-1])), to=1)
    total = b.node("ReduceSum", b.node("Mul", tokens, there), b.constant([1]), keepdims=0)
    return b.node("LpNormalization", total, axis=-1, p=2)
