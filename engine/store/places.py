"""Where things stand, in few bytes: what one place differs from the one before, deflated.

Tokens of a text follow each other: of the 8 bytes of a span 0.9 are left.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEVEL = 6
_RAW = -15  # deflate without header and checksum: the record has its own


def pack_places(arrays: Sequence[NDArray[Any]]) -> bytes:
    """Arrays [n, 2k] of whole numbers (int32 or uint16), each row a low corner and a high one."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    return b"".join([*(packer.compress(_planes(array)) for array in arrays), packer.flush()])


def unpack_places(data: bytes, shapes: Sequence[tuple[int, int, str]]) -> list[NDArray[Any]]:
    """What was packed, given of each array its rows, columns and type; ValueError if it is not."""
    sizes = [rows * columns * 4 for rows, columns, _ in shapes]
    try:
        planes = zlib.decompressobj(_RAW).decompress(data, max(sum(sizes), 1))
    except zlib.error as error:
        raise ValueError("places can't be unpacked") from error
    if len(planes) != sum(sizes):
        raise ValueError("places are missing")
    arrays, at = [], 0
    for (rows, columns, kind), size in zip(shapes, sizes, strict=True):
        arrays.append(_array(planes[at : at + size], rows, columns).astype(kind))
        at += size
    return arrays


def _planes(array: NDArray[Any]) -> bytes:
    """Gap to the high corner before, and size; their lowest bytes first, then the next ones."""
    half = array.shape[1] // 2
    corners = array.astype(np.int64)
    low, high = corners[:, :half], corners[:, half:]
    before = np.concatenate([np.zeros((1, half), np.int64), high[:-1]])[: len(low)]
    # Modulo 2^32, so that any int32 comes back.
    steps = np.concatenate([low - before, high - low], axis=1).astype(np.int32)
    folded = ((steps << 1) ^ (steps >> 31)).astype("<u4")  # small ones of either sign are small
    columns = np.ascontiguousarray(folded.T).view(np.uint8).reshape(-1, 4)
    return np.ascontiguousarray(columns.T).tobytes()


def _array(planes: bytes, rows: int, columns: int) -> NDArray[np.int32]:
    if not rows:
        return np.zeros((0, columns), np.int32)
    bytes_ = np.frombuffer(planes, np.uint8).reshape(4, -1)
    folded = np.ascontiguousarray(bytes_.T).view("<u4").reshape(columns, rows).T
    steps = (folded >> 1).astype(np.int32) ^ -(folded & 1).astype(np.int32)
    half = columns // 2
    gaps, sizes = steps[:, :half].astype(np.int64), steps[:, half:].astype(np.int64)
    high = np.cumsum(gaps + sizes, axis=0)
    return np.concatenate([high - sizes, high], axis=1).astype(np.int32)
