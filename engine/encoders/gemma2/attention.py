"""Attention over rows that lie one after another, without padding, for transformers' classes.

Everything but attention works on single tokens, so that rows of any lengths share a forward as one
long row. A layer that looks at the neighbourhood alone is done in blocks: its cost grows with the
length, not with its square.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AttentionInterface

NAME = "inkling_packed"


@dataclass(frozen=True, slots=True)
class Segment:
    """`count` rows of `length` tokens one after another."""

    start: int
    length: int
    count: int


def segments(lengths: Sequence[int]) -> list[Segment]:
    """Of rows of these lengths; neighbours of one length are attended to in one call."""
    made, start = [], 0
    for length, same in groupby(lengths):
        count = len(list(same))
        made.append(Segment(start, length, count))
        start += length * count
    return made


def packed_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    sliding_window: int | None = None,
    segments: Sequence[Segment] | None = None,
    **ignored: Any,
) -> tuple[Tensor, None]:
    """[1, n, heads, d] of queries [1, heads, n, d], keys and values [1, fewer heads, n, d].

    `sliding_window` is one more than how far a token sees to each side. Without segments all
    tokens are one row.
    """
    heads = query.shape[1]
    made = []
    for part in segments or (Segment(0, query.shape[2], 1),):
        q, k, v = (_rows(tensor, part, heads) for tensor in (query, key, value))
        near = part.length if sliding_window is None else sliding_window - 1
        if part.length <= near + 1:
            out = F.scaled_dot_product_attention(q, k, v, scale=scaling)
        else:
            out = _nearby(q, k, v, near, scaling)
        made.append(out.transpose(1, 2).flatten(0, 1))
    return (made[0] if len(made) == 1 else torch.cat(made))[None], None


def _rows(tensor: Tensor, part: Segment, heads: int) -> Tensor:
    """[count, heads, length, d] of a segment; heads that share keys or values get copies."""
    some = tensor[0, :, part.start : part.start + part.length * part.count]
    rows = some.reshape(len(some), part.count, part.length, -1).transpose(0, 1)
    return rows if rows.shape[1] == heads else rows.repeat_interleave(heads // rows.shape[1], 1)


def _nearby(q: Tensor, k: Tensor, v: Tensor, near: int, scaling: float | None) -> Tensor:
    """Each token sees `near` tokens to each side: block by block."""
    length = q.shape[2]
    block = max(near, 64)
    parts = []
    for start in range(0, length, block):
        stop = min(start + block, length)
        first, last = max(0, start - near), min(length, stop + near)
        away = (
            torch.arange(first, last, device=q.device)
            - torch.arange(start, stop, device=q.device)[:, None]
        )
        parts.append(
            F.scaled_dot_product_attention(
                q[:, :, start:stop],
                k[:, :, first:last],
                v[:, :, first:last],
                attn_mask=away.abs() <= near,
                scale=scaling,
            )
        )
    return torch.cat(parts, dim=2)


AttentionInterface.register(NAME, packed_attention)
