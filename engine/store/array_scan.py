"""Nearest vectors by a scan of a byte a dimension, exact by a bound on what that leaves out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import simsimd
from numpy.typing import NDArray

_GATHERED = 0.7  # share of the rows up to which it is cheaper to pick them out
_ROWS = 2048  # picked out at once: 1 MB at 512 dimensions stays in the cache
#: The question, too, is seen as bytes: what these leave out tells among the few that pass.
_PASSES = 2
_SLACK = 1e-5  # what float32 sums may be off by
_LEVELS = 127
#: What bytes leave out of a vector has no direction of its own: of d dimensions it meets another's
#: by so many times its length / sqrt(d) in less than one of 10^8 rows.
_DEVIATIONS = 6.0

#: Rows [k] in order -> their vectors [k, d].
Exact = Callable[[NDArray[np.intp]], NDArray[np.float32]]


class Codes:
    """Directions of n vectors as bytes, each with its scale and how far it is off at most."""

    def __init__(self, dim: int) -> None:
        self.dim, self._count = dim, 0
        self._codes = np.zeros((0, dim), np.int8)
        self._scales = np.zeros(0, np.float32)
        self._errors = np.zeros(0, np.float32)

    def __len__(self) -> int:
        return self._count

    def append(self, vectors: NDArray[np.float16]) -> None:
        """Add [k, d] float16. Those who scan the first n meanwhile see no difference."""
        end = self._count + len(vectors)
        if end > len(self._scales):
            self._grow(end + end // 4 + 1024)
        for start in range(0, len(vectors), 4096):  # temporaries of 4 MB
            some = vectors[start : start + 4096].astype(np.float32)
            at = slice(self._count + start, self._count + start + len(some))
            some /= np.maximum(np.linalg.norm(some, axis=1, keepdims=True), 1e-9)
            scales = np.maximum(np.abs(some).max(axis=1), 1e-9) / _LEVELS
            codes = np.rint(some / scales[:, None])
            self._codes[at], self._scales[at] = codes.astype(np.int8), scales
            self._errors[at] = np.linalg.norm(some - codes * scales[:, None], axis=1)
        self._count = end

    def _grow(self, size: int) -> None:
        for name in ("_codes", "_scales", "_errors"):
            old = getattr(self, name)
            new = np.zeros((size, *old.shape[1:]), old.dtype)
            new[: self._count] = old[: self._count]
            setattr(self, name, new)

    def nearest(
        self, query: NDArray[np.float32], allowed: NDArray[np.bool_], limit: int, exact: Exact
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Rows [k] and cosines [k] of the nearest of those allowed [n], best first.

        Those that a scan of the vectors would give: a cosine differs from that of the bytes by no
        more than the length of what they leave out, and hardly ever by a part of that.
        """
        places = np.flatnonzero(allowed)
        count = len(allowed)
        if len(places) == 0 or limit < 1:
            return places[:0], np.zeros(0, np.float32)
        query = query / np.linalg.norm(query)
        about, left = np.zeros(len(places), np.float32), query
        share = np.float32(min(1.0, _DEVIATIONS / self.dim**0.5))
        for _ in range(_PASSES):
            if len(places) <= limit:
                break
            scale = np.float32(max(float(np.abs(left).max()), 1e-9) / _LEVELS)
            asked = np.rint(left / scale).astype(np.int8)
            left = left - asked * scale
            about += self._products(asked, places, count) * scale
            some = slice(count) if len(places) == count else places
            missed = np.float32(np.linalg.norm(left))
            errors = self._errors[some] * (share * (1 + missed))
            errors += share * missed + np.float32(_SLACK)
            upper = about * self._scales[some]
            lower = upper - errors
            upper += errors
            passing = upper >= np.partition(lower, len(lower) - limit)[len(lower) - limit]
            places, about = places[passing], about[passing]
        return compared(places, exact(places), query, limit)

    def _products(
        self, asked: NDArray[np.int8], places: NDArray[np.intp], count: int
    ) -> NDArray[np.float32]:
        """[k] products of the bytes at some places, all below `count`, with a question's [d]."""
        if len(places) > _GATHERED * count:
            products = _products(self._codes[:count], asked)
            return products if len(places) == count else products[places]
        starts = range(0, len(places), _ROWS)
        picked = (self._codes[places[start : start + _ROWS]] for start in starts)
        return np.concatenate([_products(some, asked) for some in picked])


def compared(
    places: NDArray[np.intp],
    vectors: NDArray[np.float32],
    query: NDArray[np.float32],
    limit: int,
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Of places [k] those whose vectors [k, d] are nearest to a query of length 1, best first, and
    their cosines."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-9)
    cosines = np.asarray((vectors @ query) / lengths, np.float32)
    best = np.argsort(-cosines, kind="stable")[:limit]
    return places[best], cosines[best]


def _products(codes: NDArray[np.int8], asked: NDArray[np.int8]) -> NDArray[np.float32]:
    """[n] products of all codes with a question's: whole numbers, exact up to 1,000 dimensions and
    to 2^-24 beyond. Other threads go on meanwhile."""
    out = np.empty((1, len(codes)), np.float32)
    simsimd.cdist(asked[None], codes, metric="dot", threads=1, out=out)
    return out.reshape(-1)
