"""Token vectors as codes: 34 bytes for a token of 128 dimensions, of which int8 takes 128.

Two bytes say which of up to 1,024 centroids a token is near to (the tokens of one word lie
together), the rest what is left beside it, a byte for every four dimensions (product quantisation;
Jégou and others, 2011). All of it is learnt from the space's own tokens. Of a token's squared
length 0.035 is lost so; two bits a dimension beside the same centroids, as in ColBERTv2, lose 0.058
in as many bytes. Codes of an earlier making had a byte for eight of the dimensions in which tokens
differ least, 26 bytes in all: they lose 0.077, and cost 0.010 nDCG@10 on questions for
documentation, which these do not.
"""

from __future__ import annotations

import struct
import threading
import zlib
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

WORDS = 256  # that a byte can tell apart
CENTROIDS = 1024  # at most; four times as many lose 0.068, and take as long again to learn
TOKENS_EACH = 32  # that a centroid is learnt from, at least
LEARNT_FROM = 40_000  # tokens at most: 7 s
ROUNDS = 6  # of k-means
NARROW, WIDE = 4, 4  # dimensions of a group in the first half, and in the second
_BLOCK = 2048  # tokens turned back into floats at once: 1 MB at 128 dimensions stay in the cache
#: The first two bytes: a centroid in 10 bits; in the others how long the vector is that the code
#: makes, so that a search need not work that out.
_ID_BITS, _LEVELS = 10, 64
_SHORTEST, _STEP = np.float32(0.55), np.float32(1 / 112)
#: Magic, checksum of what follows it, number, dimensions of a token, centroids, tokens it was
#: learnt from, mean squared error on others.
_HEADER = struct.Struct("<4sIIIIIf")
#: By magic the dimensions of a group in the second half; those of others are read, not made.
_WIDE_OF = {b"IkB1": 8, b"IkB2": WIDE}
_MAGIC = b"IkB2"
_SEALED = 8
_PADDED = 16  # dimensions are filled up to so many times some number


@dataclass(frozen=True, eq=False)
class Codebook:
    """What the codes of one making mean.

    The space is turned (and filled up with zeros) so that its first half has the dimensions in
    which tokens differ most.
    """

    number: int  # of its making in its space
    id: int  # what its codes know it by: a checksum of what follows
    turn: Float  # [t, p] orthogonal rows; p is a multiple of 16
    centroids: Float  # [c, p] in the turned space
    narrow: Float  # [p / 8, WORDS, NARROW] of the first half
    wide: Float  # [p / 16, WORDS, WIDE] of the second half
    learnt_from: int = 0  # tokens
    error: float = 0.0  # mean squared, of tokens that it did not learn from

    @property
    def dim(self) -> int:
        """Dimensions of a token."""
        return len(self.turn)

    @property
    def is_coarse(self) -> bool:
        """Whether it is of an earlier making, which says less of a token than one of today."""
        return bool(self.wide.shape[2] != WIDE)

    @property
    def width(self) -> int:
        """Bytes of a token."""
        return 2 + len(self.narrow) + len(self.wide)

    def encode(self, tokens: Float) -> Codes:
        """Tokens [n, t], of length 1, by the nearest centroids and words for what is left."""
        rows = np.empty((len(tokens), self.width), np.uint8)
        for start in range(0, len(tokens), _BLOCK):
            left = tokens[start : start + _BLOCK] @ self.turn
            nearest = _nearest(left, self.centroids)
            left -= self.centroids[nearest]
            some = rows[start : start + len(left)]
            words = [*self.narrow, *self.wide]
            groups = _groups(left, self.wide.shape[2])
            for byte, (of_group, group) in enumerate(zip(words, groups, strict=True), 2):
                some[:, byte] = _nearest(group, of_group)
            lengths = np.linalg.norm(self.centroids[nearest] + self._words(some), axis=1)
            levels = np.clip(np.rint((lengths - _SHORTEST) / _STEP), 0, _LEVELS - 1)
            first = (levels.astype("<u2") << _ID_BITS) | nearest.astype("<u2")
            some[:, :2] = first[:, None].view(np.uint8)
        return Codes(self, rows)

    def decode(self, rows: NDArray[np.uint8]) -> Float:
        """The directions [n, t] that codes [n, w] stand for, of length 1 but for rounding."""
        tokens = np.empty((len(rows), self.dim), np.float32)
        for start in range(0, len(rows), _BLOCK):
            some = rows[start : start + _BLOCK]
            nearest, lengths = _first_bytes(some)
            turned = np.take(self.centroids, nearest, axis=0, mode="clip") + self._words(some)
            tokens[start : start + len(some)] = (turned / lengths[:, None]) @ self.turn.T
        return tokens

    def _words(self, rows: NDArray[np.uint8]) -> Float:
        """[n, p] what stands beside the centroids, in the turned space; n at most _BLOCK."""
        found = np.empty((len(rows), self.turn.shape[1]), np.float32)
        half = found.shape[1] // 2
        for at, (words, codes) in zip((0, half), self._halves(rows), strict=True):
            found[:, at : at + half] = _looked_up(words, codes)
        return found

    def _halves(self, rows: NDArray[np.uint8]) -> list[tuple[Float, NDArray[np.uint8]]]:
        """Of either half the words of its groups, and what codes say of them."""
        first = 2 + len(self.narrow)
        return [(self.narrow, rows[:, 2:first]), (self.wide, rows[:, first:])]

    def similarities(self, query: Float, rows: NDArray[np.uint8]) -> Float:
        """[m, n] products of query tokens [m, t] with the directions codes [n, w] stand for."""
        turned = np.ascontiguousarray(query, np.float32) @ self.turn
        half = turned.shape[1] // 2
        queries = (np.ascontiguousarray(turned[:, :half]), np.ascontiguousarray(turned[:, half:]))
        of_centroids = turned @ self.centroids.T
        products = np.empty((len(query), len(rows)), np.float32)
        for start in range(0, len(rows), _BLOCK):
            some = rows[start : start + _BLOCK]
            nearest, lengths = _first_bytes(some)
            out = np.take(of_centroids, nearest, axis=1, mode="clip")
            for part, (words, codes) in zip(queries, self._halves(some), strict=True):
                out += part @ _looked_up(words, codes).T
            np.divide(out, lengths, out=products[:, start : start + len(some)])
        return products

    def error_of(self, tokens: Float, codes: Codes) -> float:
        """Mean squared distance of tokens [n, t] to what their codes stand for."""
        missed = tokens - self.decode(codes.rows)
        return float((missed**2).sum(axis=1).mean()) if len(tokens) else 0.0

    def to_bytes(self) -> bytes:
        """Header, then the arrays as float16."""
        body = _body(self.turn, self.centroids, self.narrow, self.wide)
        facts = (self.number, self.dim, len(self.centroids), self.learnt_from, self.error)
        magic = next(one for one, size in _WIDE_OF.items() if size == self.wide.shape[2])
        head = _HEADER.pack(magic, 0, *facts)
        crc = zlib.crc32(body, zlib.crc32(head[_SEALED:]))
        return magic + struct.pack("<I", crc) + head[_SEALED:] + body

    @classmethod
    def from_bytes(cls, data: bytes) -> Codebook:
        """The codebook of which these are the bytes; ValueError if they are of none."""
        if len(data) < _HEADER.size or (wide_size := _WIDE_OF.get(data[:4])) is None:
            raise ValueError("no codebook starts there")
        _, crc, number, dim, centroids, learnt_from, error = _HEADER.unpack_from(data)
        if zlib.crc32(memoryview(data)[_SEALED:]) != crc:
            raise ValueError("the codebook's checksum differs")
        p = _padded(dim)
        halves = [(p // 2 // size, WORDS, size) for size in (NARROW, wide_size)]
        shapes = ((dim, p), (centroids, p), *halves)
        sizes = [int(np.prod(shape)) for shape in shapes]
        if len(data) != _HEADER.size + 2 * sum(sizes):
            raise ValueError("the codebook is of another length")
        body = np.frombuffer(data, "<f2", offset=_HEADER.size).astype(np.float32)
        flat = np.split(body, np.cumsum(sizes)[:-1])
        turn, centroids, narrow, wide = (
            part.reshape(shape) for part, shape in zip(flat, shapes, strict=True)
        )
        book_id = zlib.crc32(memoryview(data)[_HEADER.size :])
        return cls(number, book_id, turn, centroids, narrow, wide, learnt_from, error)


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """n tokens as codes."""

    book: Codebook
    rows: NDArray[np.uint8]  # [n, w]

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, start: int, end: int) -> Codes:
        """Some of them."""
        return Codes(self.book, self.rows[start:end])


def learn(tokens: Float, number: int) -> Codebook:
    """A codebook of tokens [n, t], at least WORDS; every tenth is kept apart to tell its error."""
    tokens = np.random.default_rng(number).permutation(tokens)[:LEARNT_FROM]
    apart, known = tokens[::10], np.delete(tokens, np.s_[::10], axis=0)
    count = 1 << max(int(np.log2(min(len(known) / TOKENS_EACH, CENTROIDS))), 0)
    centroids = _means(known, count)
    left = known - centroids[_nearest(known, centroids)]
    turn = _principal(left)
    words = [_means(group, WORDS) for group in _groups(np.asarray(left @ turn, np.float32), WIDE)]
    first = turn.shape[1] // 2 // NARROW
    narrow, wide = words[:first], words[first:]
    made = Codebook(number, 0, turn, centroids @ turn, np.stack(narrow), np.stack(wide), len(known))
    made = Codebook.from_bytes(made.to_bytes())  # as exact as others will find it
    return replace(made, error=made.error_of(apart, made.encode(apart)))


def _body(*parts: Float) -> bytes:
    return b"".join(part.astype("<f2").tobytes() for part in parts)


def _padded(dim: int) -> int:
    return -(-dim // _PADDED) * _PADDED


def _groups(turned: Float, wide: int) -> list[Float]:
    """[n, p] as groups [n, NARROW] of its first half and [n, wide] of its second."""
    half = turned.shape[1] // 2
    cuts = [*range(0, half, NARROW), *range(half, 2 * half, wide), 2 * half]
    return [np.ascontiguousarray(turned[:, a:b]) for a, b in pairwise(cuts)]


def _principal(tokens: Float) -> Float:
    """[t, p] the tokens' principal directions: the half with the most variance, then the others;
    in either half each group has of the longer and of the shorter ones."""
    variances, directions = np.linalg.eigh(np.cov(tokens.T))
    dim, p = len(variances), _padded(len(variances))
    logs = np.log(np.maximum(variances, 1e-12))
    turn = np.zeros((dim, p), np.float32)
    order = np.argsort(-variances).tolist()
    for first, size, chosen in ((0, NARROW, order[: p // 2]), (p // 2, WIDE, order[p // 2 :])):
        groups: list[list[int]] = [[] for _ in range(p // 2 // size)]
        for i in chosen:
            free = [group for group in groups if len(group) < size]
            # From far above 0: having many directions is a load, too.
            min(free, key=lambda group: sum(logs[j] + 60 for j in group)).append(i)
        for number, group in enumerate(groups):
            at = first + number * size
            turn[:, at : at + len(group)] = directions[:, group]
    return turn


def _means(points: Float, count: int) -> Float:
    """[count, d] that points [n, d] are near to: k-means."""
    rng = np.random.default_rng(count)
    means = points[rng.choice(len(points), count, replace=len(points) < count)]
    for _ in range(ROUNDS):
        nearest = _nearest(points, means)
        order = np.argsort(nearest, kind="stable")
        held, starts, counts = np.unique(nearest[order], return_index=True, return_counts=True)
        sums = np.add.reduceat(points[order], starts, axis=0)
        means = points[rng.choice(len(points), count)]  # what nothing is near to starts anew
        means[held] = sums / counts[:, None]
    return means


def _nearest(points: Float, means: Float) -> NDArray[np.intp]:
    """[n] which of means [k, d] is nearest to each of points [n, d]."""
    half = np.asarray(0.5 * (means**2).sum(axis=1), np.float32)
    nearest = np.empty(len(points), np.intp)
    for start in range(0, len(points), _BLOCK):
        some = points[start : start + _BLOCK]
        nearest[start : start + len(some)] = (some @ means.T - half).argmax(axis=1)
    return nearest


def _first_bytes(rows: NDArray[np.uint8]) -> tuple[NDArray[np.intp], Float]:
    """[n] centroids, and lengths."""
    first = np.ascontiguousarray(rows[:, :2]).view("<u2")[:, 0]
    lengths = (first >> _ID_BITS).astype(np.float32) * _STEP + _SHORTEST
    return (first & (CENTROIDS - 1)).astype(np.intp), lengths


def _looked_up(words: Float, codes: NDArray[np.uint8]) -> Float:
    """[n, g * d] the words [g, WORDS, d] that codes [n, g] name, n at most _BLOCK; to be used
    before this thread asks again for words of so many dimensions."""
    groups, _, dims = words.shape
    scratch = _Scratch.of(groups, dims)
    places, found = scratch.places[: len(codes)], scratch.found[: len(codes) * groups]
    np.add(codes, scratch.firsts, out=places)
    # Clipping spares numpy a check: a byte is always a place.
    np.take(words.reshape(-1, dims), places.ravel(), axis=0, out=found, mode="clip")
    return found.reshape(len(codes), groups * dims)


class _Scratch:
    """A thread's memory for one look-up: fresh pages each time cost as much as the look-up."""

    def __init__(self, groups: int, dims: int) -> None:
        self.firsts = np.arange(groups, dtype=np.intp) * WORDS
        self.places = np.empty((_BLOCK, groups), np.intp)
        self.found = np.empty((_BLOCK * groups, dims), np.float32)

    @classmethod
    def of(cls, groups: int, dims: int) -> _Scratch:
        kept = _OF_THREAD.kept
        if (groups, dims) not in kept:
            kept[groups, dims] = cls(groups, dims)
        return kept[groups, dims]


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.kept: dict[tuple[int, int], _Scratch] = {}


_OF_THREAD = _OfThread()
