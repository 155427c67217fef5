"""Late interaction on token multi-vectors: pool, quantise and MaxSim, in numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.store.codebook import Codes

Float = NDArray[np.float32]
Int8 = NDArray[np.int8]

_SCALE = 127.0
_BLOCK = 4096  # rows cast at once: 2 MB of float32 at 128 dims stays in the second-level cache


def quantise(tokens: Float) -> Int8:
    """[n, t] float32 unit rows -> int8; one fixed scale, so that dot products compare."""
    scaled: Float = np.clip(tokens, -1.0, 1.0) * np.float32(_SCALE)
    return np.rint(scaled).astype(np.int8)


def directions(tokens: Int8 | Codes) -> Float:
    """[n, t] float32 of length one, but for rounding: what stored tokens stand for."""
    if isinstance(tokens, Codes):
        return tokens.book.decode(tokens.rows)
    return tokens.astype(np.float32) / np.float32(_SCALE)


@dataclass(frozen=True, slots=True, eq=False)
class MaxSim:
    """Late-interaction scores of k documents, and what they were made of."""

    scores: Float  # [k]: mean over query tokens of the best document token
    similarities: Sequence[Float]  # k times [m, n_i]: cosine of query and document tokens


def maxsim(query: Float, docs: Sequence[Int8 | Codes], *, weights: Float | None = None) -> MaxSim:
    """Score documents [n_i, t] int8, or n_i codes, for a query [m, t] float32; a document without
    tokens gets -1.

    `weights` [m] are normalised to sum 1. numpy's BLAS must be kept to one thread by the process
    (OPENBLAS_NUM_THREADS=1): two threads on a busy two-core machine were 200 times slower.
    """
    m = len(query)
    lengths = np.array([len(doc) for doc in docs], dtype=np.int64)
    filled = np.flatnonzero(lengths)
    scores = np.full(len(docs), -1.0, dtype=np.float32)
    if not len(filled) or not m:
        return MaxSim(scores, [np.zeros((m, n), np.float32) for n in lengths])
    sims = _of_all(query, [doc for doc in docs if len(doc)])
    ends = np.cumsum(lengths)
    starts = ends - lengths
    best = np.maximum.reduceat(sims, starts[filled], axis=1).T
    share = np.full(m, 1.0 / m, np.float32) if weights is None else weights / weights.sum()
    scores[filled] = best @ share.astype(np.float32)
    return MaxSim(scores, [sims[:, a:b] for a, b in zip(starts, ends, strict=True)])


def _of_all(query: Float, docs: Sequence[Int8 | Codes]) -> Float:
    """[m, n] for all documents' tokens in their order; neighbours of one form are done at once."""
    parts = []
    for book, run in groupby(docs, key=lambda doc: doc.book if isinstance(doc, Codes) else None):
        rows = np.concatenate([doc.rows if isinstance(doc, Codes) else doc for doc in run])
        parts.append(_similarities(query, rows) if book is None else book.similarities(query, rows))
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _similarities(query: Float, tokens: Int8) -> Float:
    """[m, t] x [n, t] int8 -> [m, n] float32."""
    scaled = np.ascontiguousarray(query, dtype=np.float32) / np.float32(_SCALE)
    sims = np.empty((len(query), len(tokens)), dtype=np.float32)
    for start in range(0, len(tokens), _BLOCK):
        block = tokens[start : start + _BLOCK].astype(np.float32)
        sims[:, start : start + len(block)] = scaled @ block.T
    return sims


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Fewer tokens, each the mean of a run of neighbours."""

    tokens: Float  # [n, t] unit rows
    spans: NDArray[np.int32] | None = None  # [n, 2] unions
    boxes: Float | None = None  # [n, 4] unions


def pool(
    tokens: Float,
    factor: float,
    *,
    spans: NDArray[np.int32] | None = None,
    boxes: Float | None = None,
) -> Pooled:
    """Merge neighbouring, similar tokens until n / factor remain (Ward's criterion in sequence).

    Tokens without a place of their own (span (-1, -1)) are not merged with those that have one,
    and boxes only where their union stays about as large as their sum.
    """
    starts = _runs(tokens, factor, spans, boxes)
    if len(starts) == len(tokens):
        return Pooled(tokens, spans, boxes)
    sums = np.add.reduceat(tokens, starts, axis=0)
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    pooled = (sums / np.maximum(norms, 1e-9)).astype(np.float32)
    return Pooled(pooled, _union(spans, starts, 1), _union(boxes, starts, 2))


def _union(places: NDArray[Any] | None, starts: NDArray[np.intp], half: int) -> Any:
    """The smallest span or box around each run's places."""
    if places is None:
        return None
    low = np.minimum.reduceat(places[:, :half], starts, axis=0)
    high = np.maximum.reduceat(places[:, half:], starts, axis=0)
    return np.concatenate([low, high], axis=1)


def _runs(
    tokens: Float, factor: float, spans: NDArray[np.int32] | None, boxes: Float | None
) -> NDArray[np.intp]:
    """Where each run of merged neighbours starts, rising from 0."""
    starts = np.arange(len(tokens))
    excess = len(tokens) - max(1, int(np.ceil(len(tokens) / factor)))
    while excess > 0:
        counts = np.diff(starts, append=len(tokens))[:, None]
        means = np.add.reduceat(tokens, starts, axis=0) / counts
        cost = ((means[1:] - means[:-1]) ** 2).sum(axis=1)
        cost *= (counts[1:] * counts[:-1] / (counts[1:] + counts[:-1]))[:, 0]
        cost[_apart(starts, spans, boxes)] = np.inf
        # All pairs cheaper than both neighbours at once: about log(n) rounds instead of n.
        padded = np.pad(cost, 1, constant_values=np.inf)
        lowest = np.flatnonzero((cost < padded[:-2]) & (cost <= padded[2:]) & np.isfinite(cost))
        if not len(lowest):
            break
        merged = lowest[np.argsort(cost[lowest], kind="stable")][:excess]
        starts = np.delete(starts, merged + 1)
        excess -= len(merged)
    return starts


def _apart(
    starts: NDArray[np.intp], spans: NDArray[np.int32] | None, boxes: Float | None
) -> NDArray[np.bool_]:
    """Which neighbouring runs must stay two."""
    apart = np.zeros(max(len(starts) - 1, 0), dtype=np.bool_)
    if spans is not None:
        placed = spans[starts, 0] >= 0
        apart |= placed[1:] != placed[:-1]
    if boxes is not None:
        around = _union(boxes, starts, 2)
        both = np.concatenate(
            [
                np.minimum(around[1:, :2], around[:-1, :2]),
                np.maximum(around[1:, 2:], around[:-1, 2:]),
            ],
            axis=1,
        )
        apart |= _area(both) > 1.5 * (_area(around[1:]) + _area(around[:-1]))
    return apart


def _area(boxes: Float) -> Float:
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(sides[:, 0] * sides[:, 1], dtype=np.float32)
