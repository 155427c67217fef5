"""The forward pass of a BERT encoder, no more: embeddings, layers, last hidden states.

Written out rather than taken from transformers because the worker then needs torch alone: it starts
sooner and stays smaller, which every launch of the embedded model pays for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
_LAYER_NORM_EPS = 1e-12


@dataclass(frozen=True, slots=True)
class _Affine:
    weight: Tensor
    bias: Tensor

    def linear(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def norm(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.bias.shape, self.weight, self.bias, _LAYER_NORM_EPS)


@dataclass(frozen=True, slots=True)
class _Layer:
    qkv: _Affine
    attended: _Affine
    attended_norm: _Affine
    widen: _Affine
    narrow: _Affine
    narrow_norm: _Affine


class Bert:
    """Weights of a BERT encoder in one dtype, and its forward pass."""

    def __init__(self, weights: Mapping[str, Tensor], heads: int, dtype: torch.dtype) -> None:
        self._heads = heads
        self._dtype = dtype

        def affine(*names: str) -> _Affine:
            parts = [torch.cat([weights[f"{n}.{p}"] for n in names]) for p in ("weight", "bias")]
            return _Affine(*(p.to(dtype) for p in parts))

        # Looked up a row at a time: stays in the memory-mapped file, whatever the dtype.
        self._words = weights[WORD_EMBEDDINGS]
        types = weights["embeddings.token_type_embeddings.weight"]
        self._positions = weights["embeddings.position_embeddings.weight"] + types[0]
        self._norm = _Affine(
            weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"]
        )
        self._layers: list[_Layer] = []
        while f"encoder.layer.{len(self._layers)}.output.dense.weight" in weights:
            at = f"encoder.layer.{len(self._layers)}"
            self._layers.append(
                _Layer(
                    qkv=affine(*(f"{at}.attention.self.{n}" for n in ("query", "key", "value"))),
                    attended=affine(f"{at}.attention.output.dense"),
                    attended_norm=affine(f"{at}.attention.output.LayerNorm"),
                    widen=affine(f"{at}.intermediate.dense"),
                    narrow=affine(f"{at}.output.dense"),
                    narrow_norm=affine(f"{at}.output.LayerNorm"),
                )
            )

    @torch.inference_mode()
    def __call__(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Last hidden states [batch, longest, width] float32 of ids [batch, longest] int64.

        Rows past a text's length [batch] are meaningless.
        """
        width = ids.shape[1]
        x = F.embedding(ids, self._words) + self._positions[:width]
        x = self._norm.norm(x).to(self._dtype)
        mask = None
        if int(lengths.min()) < width:
            mask = (torch.arange(width) < lengths[:, None])[:, None, None, :]
        for layer in self._layers:
            x = layer.attended_norm.norm(x + layer.attended.linear(self._attend(layer, x, mask)))
            x = layer.narrow_norm.norm(x + layer.narrow.linear(F.gelu(layer.widen.linear(x))))
        return x.float()

    def _attend(self, layer: _Layer, x: Tensor, mask: Tensor | None) -> Tensor:
        batch, width, size = x.shape
        qkv = layer.qkv.linear(x).view(batch, width, 3, self._heads, size // self._heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return attended.transpose(1, 2).reshape(batch, width, size)
