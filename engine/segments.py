"""Append-only files that hold the token multi-vectors, apart from LanceDB.

LanceDB's maintenance rewrites wide rows whole and at every call; here a record is written once.
A record keeps its reference for ever: compaction copies what is alive into a pack, which carries
an index from old references to its own places, so no row has to change.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.errors import InklingError

SEGMENT_BYTES = 64 * 1024 * 1024
_MAGIC = b"IkT1"
_HEADER = struct.Struct("<4sIIIHBxI")  # magic, crc of the payload, its length, n, t, parts, words
_SPANS, _BOXES, _WORDS, _WORD_BOXES = 1, 2, 4, 8


class TokenRef(NamedTuple):
    """Where a record was first written; valid until it is no longer listed as alive."""

    segment: int
    offset: int
    length: int


class RecordLostError(InklingError):
    """A record can't be read: its file has to be indexed again."""


@dataclass(frozen=True, slots=True, eq=False)
class TokenRecord:
    """A unit's tokens and their places, and the places of its words."""

    tokens: NDArray[np.int8]  # [n, t]
    spans: NDArray[np.int32] | None = None  # [n, 2] characters of the unit's text
    boxes: NDArray[np.uint16] | None = None  # [n, 4] fractions times 65535
    word_spans: NDArray[np.int32] | None = None  # [m, 2]
    word_boxes: NDArray[np.uint16] | None = None  # [m, 4]


def pack_record(record: TokenRecord) -> bytes:
    """Header, then the arrays one after another, little-endian."""
    parts: list[tuple[int, NDArray[Any] | None, type[np.generic]]] = [
        (0, record.tokens, np.int8),
        (_SPANS, record.spans, np.int32),
        (_BOXES, record.boxes, np.uint16),
        (_WORDS, record.word_spans, np.int32),
        (_WORD_BOXES, record.word_boxes, np.uint16),
    ]
    flags = sum(flag for flag, array, _ in parts if array is not None)
    payload = b"".join(
        np.ascontiguousarray(array, dtype=kind).tobytes()
        for _, array, kind in parts
        if array is not None
    )
    n, t = record.tokens.shape
    words = 0 if record.word_spans is None else len(record.word_spans)
    head = (_MAGIC, zlib.crc32(payload), len(payload), n, t, flags, words)
    return _HEADER.pack(*head) + payload


def unpack_record(data: bytes) -> TokenRecord:
    """The record of `pack_record`; ValueError if the bytes are not what was written."""
    if len(data) < _HEADER.size:
        raise ValueError("record cut short")
    magic, crc, size, n, t, flags, words = _HEADER.unpack_from(data)
    if magic != _MAGIC or len(data) != _HEADER.size + size:
        raise ValueError("not a record")
    if zlib.crc32(memoryview(data)[_HEADER.size :]) != crc:
        raise ValueError("checksum differs")
    at = _HEADER.size

    def take(flag: int, kind: type[np.generic], rows: int, columns: int) -> Any:
        nonlocal at
        if not flags & flag:
            return None
        array = np.frombuffer(data, kind, rows * columns, at).reshape(rows, columns)
        at += array.nbytes
        return array

    tokens = np.frombuffer(data, np.int8, n * t, at).reshape(n, t)
    at += n * t
    return TokenRecord(
        tokens,
        take(_SPANS, np.int32, n, 2),
        take(_BOXES, np.uint16, n, 4),
        take(_WORDS, np.int32, words, 2),
        take(_WORD_BOXES, np.uint16, words, 4),
    )


class Segments:
    """The segment files of one vector space: one writer thread, any number of readers."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._files: dict[int, int] = {}  # segment -> descriptor
        self._current = max(self._numbers(), default=-1) + 1
        self._size = 0

    def _numbers(self) -> list[int]:
        return sorted(int(path.stem) for path in self.directory.glob("*.seg"))

    def _path(self, segment: int) -> Path:
        return self.directory / f"{segment:08d}.seg"

    def append(self, records: Sequence[TokenRecord]) -> list[TokenRef]:
        """Write records; they are on disk when this returns."""
        refs: list[TokenRef] = []
        if not records:
            return refs
        if self._size >= SEGMENT_BYTES:
            self._current += 1
            self._size = 0
        with self._path(self._current).open("ab") as file:
            for record in records:
                data = pack_record(record)
                refs.append(TokenRef(self._current, file.tell(), len(data)))
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
            self._size = file.tell()
        return refs

    def read(self, refs: Sequence[TokenRef]) -> list[TokenRecord]:
        """The records; RecordLostError if one can't be read whole."""
        return [self._read(ref) for ref in refs]

    def _read(self, ref: TokenRef) -> TokenRecord:
        try:
            return unpack_record(os.pread(self._open(ref.segment), ref.length, ref.offset))
        except (OSError, ValueError) as error:
            raise RecordLostError(
                f"Token record {ref.segment}:{ref.offset} can't be read: {error}.",
                hint="Its file has to be indexed again.",
            ) from error

    def _open(self, segment: int) -> int:
        with self._lock:
            if segment not in self._files:
                self._files[segment] = os.open(self._path(segment), os.O_RDONLY)
            return self._files[segment]

    def size_bytes(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self.directory.iterdir())

    def compact(self, live: Iterable[TokenRef]) -> None:
        """Free the space of records that are not alive."""

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for descriptor in self._files.values():
                os.close(descriptor)
            self._files.clear()
