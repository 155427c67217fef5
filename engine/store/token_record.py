"""A unit's tokens and their places as one checksummed run of bytes."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"IkT1"
_HEADER = struct.Struct(
    "<4sIIIHBxI"
)  # magic, crc of what follows it, payload bytes, n, t, flags, m
_SEALED = 8  # the checksum covers everything after itself
_SPANS, _BOXES, _WORDS, _WORD_BOXES = 1, 2, 4, 8


@dataclass(frozen=True, slots=True, eq=False)
class TokenRecord:
    """A unit's tokens and where each stands; where its words stand, for page and picture."""

    tokens: NDArray[np.int8]  # [n, t]
    spans: NDArray[np.int32] | None = None  # [n, 2] characters of the unit's text
    boxes: NDArray[np.uint16] | None = None  # [n, 4] fractions times 65535
    word_spans: NDArray[np.int32] | None = None  # [m, 2]
    word_boxes: NDArray[np.uint16] | None = None  # [m, 4]


#: What stands for a record that can't be read any more.
LOST = TokenRecord(np.zeros((0, 0), dtype=np.int8))


def pack_record(record: TokenRecord) -> bytes:
    """Header, then the arrays one after another, little-endian."""
    parts: list[tuple[int, NDArray[Any] | None, str]] = [
        (0, record.tokens, "<i1"),
        (_SPANS, record.spans, "<i4"),
        (_BOXES, record.boxes, "<u2"),
        (_WORDS, record.word_spans, "<i4"),
        (_WORD_BOXES, record.word_boxes, "<u2"),
    ]
    flags = sum(flag for flag, array, _ in parts if array is not None)
    payload = b"".join(
        np.ascontiguousarray(array, dtype=kind).tobytes()
        for _, array, kind in parts
        if array is not None
    )
    n, t = record.tokens.shape
    places = record.word_spans if record.word_spans is not None else record.word_boxes
    m = 0 if places is None else len(places)
    head = _HEADER.pack(_MAGIC, 0, len(payload), n, t, flags, m)
    crc = zlib.crc32(payload, zlib.crc32(head[_SEALED:]))
    return _MAGIC + struct.pack("<I", crc) + head[_SEALED:] + payload


def unpack_record(data: bytes) -> TokenRecord:
    """The record that `pack_record` wrote; ValueError if these are not its bytes."""
    if len(data) < _HEADER.size or data[:4] != _MAGIC:
        raise ValueError("no record starts there")
    _, crc, size, n, t, flags, m = _HEADER.unpack_from(data)
    if len(data) != _HEADER.size + size:
        raise ValueError("cut short")
    if zlib.crc32(memoryview(data)[_SEALED:]) != crc:
        raise ValueError("checksum differs")
    at = _HEADER.size

    def take(present: bool, kind: str, rows: int, columns: int) -> Any:
        nonlocal at
        if not present:
            return None
        array = np.frombuffer(data, kind, rows * columns, at).reshape(rows, columns)
        at += array.nbytes
        return array

    return TokenRecord(
        take(True, "<i1", n, t),
        take(bool(flags & _SPANS), "<i4", n, 2),
        take(bool(flags & _BOXES), "<u2", n, 4),
        take(bool(flags & _WORDS), "<i4", m, 2),
        take(bool(flags & _WORD_BOXES), "<u2", m, 4),
    )
