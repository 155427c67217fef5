"""Whether two pictures are the same, one of them perhaps cut: very small versions are laid over
each other, at every place and in several sizes, and their best correlation is told.

Of 80 photos and screenshots among 772 the picture itself comes first, by the directions of the look
alone and with this: cut to 0.6 of its sides 94 and 98 %, made four times smaller 86 and 98 %, saved
as JPEG of quality 10 94 and 100 %.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from engine.contract.types import Look
from engine.search.features import Floats

#: Shares of the sides to which a picture may be cut.
_SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)
#: No side may be cut further than this: from a few pixels nothing can be told.
_LEAST = 0.3
#: Grey levels (0..1) of noise: plain ground is like everything.
_NOISE = 8 / 255
#: Cosine of pictures that have nothing in common: half of all pairs of 772 have less than 0.11, one
#: in a hundred more than 0.74, and these are mostly of one series.
_UNLIKE = 0.35
#: The best correlation of 20 other pictures: the median of 80 trials.
_OTHER = 0.8


def overlap(asked: Look, others: Sequence[Look]) -> Floats:
    """[k] the best correlation of a picture with each of some others, -1..1: it may be a part of
    the other, or the other of it."""
    best = np.full(len(others), -1.0, np.float32)
    if not others:
        return best
    theirs = np.stack([other.small for other in others])
    ratios = [_shape(asked) / _shape(other) for other in others]
    side = len(asked.small)
    for places, shape in _groups(ratios, side):
        cut = _resized(asked.small, *shape)
        found = _correlation(theirs[places], cut[None])
        best[places] = np.maximum(best[places], found)
    for places, shape in _groups([1 / ratio for ratio in ratios], side):
        cuts = _resized(theirs[places], *shape)
        found = _correlation(asked.small[None], cuts)
        best[places] = np.maximum(best[places], found)
    return best


def likeness(cosines: Floats) -> Floats:
    """[k] 0 for any two pictures, 1 for the same, of cosines of looks; NaN stays."""
    return np.asarray(np.clip((cosines - _UNLIKE) / (1 - _UNLIKE), 0.0, 1.0), np.float32)


def sureness(asked: Look, others: Sequence[Look]) -> Floats:
    """[k] how surely each is the same picture, 0..1."""
    found = (overlap(asked, others) - _OTHER) / (1 - _OTHER)
    return np.asarray(np.clip(found, 0.0, 1.0), np.float32)


def _shape(look: Look) -> float:
    width, height = look.size
    return width / height


def _groups(ratios: Sequence[float], side: int) -> Iterator[tuple[list[int], tuple[int, int]]]:
    """Places, with the height and width in pixels of the square that a cut has there whose shape is
    so many times as wide as that of the whole."""
    for share in _SHARES:
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        for place, ratio in enumerate(ratios):
            wide, high = (share, share / ratio) if ratio >= 1 else (share * ratio, share)
            if min(wide, high) >= _LEAST:
                groups[round(high * side), round(wide * side)].append(place)
        for shape, places in groups.items():
            yield places, shape


def _resized(pictures: Floats, height: int, width: int) -> Floats:
    """[..., height, width] of [..., s, s] by the mean of the area that each pixel covers."""
    side = pictures.shape[-1]
    return np.asarray(_areas(side, height) @ pictures @ _areas(side, width).T, np.float32)


@lru_cache(maxsize=64)
def _areas(before: int, after: int) -> Floats:
    """[after, before] how much of each pixel before is in each after."""
    edges = np.arange(after + 1, dtype=np.float64) * before / after
    left = np.maximum(edges[:-1, None], np.arange(before))
    right = np.minimum(edges[1:, None], np.arange(1, before + 1))
    shares = np.maximum(right - left, 0.0)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def _correlation(wholes: Floats, cuts: Floats) -> Floats:
    """[k] the best correlation of cuts [k or 1, h, w] at any place of wholes [k or 1, s, s]."""
    height, width = cuts.shape[1:]
    pixels = height * width
    windows = np.lib.stride_tricks.sliding_window_view(wholes, (height, width), axis=(1, 2))
    windows = windows.reshape(len(wholes), -1, pixels)
    flat = cuts.reshape(len(cuts), pixels, 1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    noise = np.float32(pixels * _NOISE**2)
    theirs = np.square(windows).sum(axis=2) - pixels * np.square(windows.mean(axis=2))
    mine = np.square(flat).sum(axis=1)
    scale = np.sqrt((np.maximum(theirs, 0.0) + noise) * (mine + noise))
    return np.asarray((((windows @ flat)[..., 0] + noise) / scale).max(axis=1), np.float32)
