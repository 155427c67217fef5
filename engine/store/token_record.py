"""A unit's tokens and their places as one checksummed run of bytes.

Two forms: `IkT1` has each token as int8 and each place as it is; `IkT2` has codes of a codebook
(engine.store.codebook) and packed places (engine.store.places). A record says which it is.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.store.codebook import Codebook, Codes
from engine.store.places import pack_places, unpack_places

#: Magic, crc of what follows it, payload bytes, n, t, flags, m.
_HEADER = struct.Struct("<4sIIIHBxI")
#: Magic, crc of what follows it, payload bytes, n, m, id of the codebook, flags.
_CODED_HEADER = struct.Struct("<4sIIIIIB3x")
_MAGIC, _CODED_MAGIC = b"IkT1", b"IkT2"
_SEALED = 8  # the checksum covers everything after itself
_SPANS, _BOXES, _WORDS, _WORD_BOXES = 1, 2, 4, 8
#: Of each array of places: its flag, columns and type, and whether it has a row for each token.
_PLACES = (
    (_SPANS, 2, "<i4", True),
    (_BOXES, 4, "<u2", True),
    (_WORDS, 2, "<i4", False),
    (_WORD_BOXES, 4, "<u2", False),
)


@dataclass(frozen=True, slots=True, eq=False)
class TokenRecord:
    """A unit's tokens and where each stands; where its words stand, for page and picture."""

    tokens: NDArray[np.int8]  # [n, t]
    spans: NDArray[np.int32] | None = None  # [n, 2] characters of the unit's text
    boxes: NDArray[np.uint16] | None = None  # [n, 4] fractions times 65535
    word_spans: NDArray[np.int32] | None = None  # [m, 2]
    word_boxes: NDArray[np.uint16] | None = None  # [m, 4]


class CodedRecord:
    """The same with codes for tokens, as it is read. Places are unpacked when first asked for: of
    most units a search needs the tokens alone."""

    def __init__(self, tokens: Codes, flags: int, m: int, packed: bytes) -> None:
        self.tokens = tokens  # [n]
        self._flags, self._m, self._packed = flags, m, packed

    @cached_property
    def _places(self) -> Mapping[int, NDArray[Any]]:
        there = [place for place in _PLACES if self._flags & place[0]]
        shapes = [
            (len(self.tokens) if of_tokens else self._m, columns, kind)
            for _, columns, kind, of_tokens in there
        ]
        arrays = unpack_places(self._packed, shapes)
        return {flag: array for (flag, *_), array in zip(there, arrays, strict=True)}

    @property
    def spans(self) -> NDArray[np.int32] | None:
        return self._places.get(_SPANS)

    @property
    def boxes(self) -> NDArray[np.uint16] | None:
        return self._places.get(_BOXES)

    @property
    def word_spans(self) -> NDArray[np.int32] | None:
        return self._places.get(_WORDS)

    @property
    def word_boxes(self) -> NDArray[np.uint16] | None:
        return self._places.get(_WORD_BOXES)


StoredTokens = TokenRecord | CodedRecord
#: What stands for a record that can't be read any more.
LOST = TokenRecord(np.zeros((0, 0), dtype=np.int8))


def pack_record(record: TokenRecord) -> bytes:
    """Header, then the arrays one after another, little-endian."""
    places = _places_of(record)
    payload = np.ascontiguousarray(record.tokens, dtype="<i1").tobytes()
    payload += b"".join(
        np.ascontiguousarray(array, dtype=kind).tobytes()
        for (_, _, kind, _), array in zip(_PLACES, places, strict=True)
        if array is not None
    )
    n, t = record.tokens.shape
    head = _HEADER.pack(_MAGIC, 0, len(payload), n, t, _flags(places), _words(record))
    return _sealed(head, payload)


def pack_coded(record: TokenRecord, codes: Codes) -> bytes:
    """The same record with these codes in place of its tokens."""
    places = _places_of(record)
    packed = pack_places([array for array in places if array is not None])
    payload = codes.rows.tobytes() + packed
    head = _CODED_HEADER.pack(
        _CODED_MAGIC, 0, len(payload), len(codes), _words(record), codes.book.id, _flags(places)
    )
    return _sealed(head, payload)


def _places_of(record: TokenRecord) -> tuple[NDArray[Any] | None, ...]:
    return record.spans, record.boxes, record.word_spans, record.word_boxes


def _flags(places: tuple[NDArray[Any] | None, ...]) -> int:
    pairs = zip(_PLACES, places, strict=True)
    return sum(flag for (flag, *_), array in pairs if array is not None)


def _words(record: TokenRecord) -> int:
    places = record.word_spans if record.word_spans is not None else record.word_boxes
    return 0 if places is None else len(places)


def _sealed(head: bytes, payload: bytes) -> bytes:
    crc = zlib.crc32(payload, zlib.crc32(head[_SEALED:]))
    return head[:4] + struct.pack("<I", crc) + head[_SEALED:] + payload


#: So much of a record tells its form.
HEAD_BYTES = _CODED_HEADER.size


def is_coded(data: bytes) -> bool:
    """Whether a record has codes."""
    return data[:4] == _CODED_MAGIC


def book_of(head: bytes) -> int | None:
    """The id of the codebook that a record needs, by its first HEAD_BYTES; None: it needs none."""
    if len(head) < HEAD_BYTES or not is_coded(head):
        return None
    return int(_CODED_HEADER.unpack_from(head)[5])


def unpack_record(data: bytes, books: Mapping[int, Codebook] | None = None) -> StoredTokens:
    """The record that was packed; ValueError if these are not its bytes, LookupError if its
    codebook is not among these."""
    if is_coded(data):
        return _unpack_coded(data, books or {})
    if data[:4] != _MAGIC or len(data) < _HEADER.size:
        raise ValueError("no record starts there")
    _, crc, size, n, t, flags, m = _HEADER.unpack_from(data)
    _check(data, _HEADER.size + size, crc)
    tokens = np.frombuffer(data, "<i1", n * t, _HEADER.size).reshape(n, t)
    at = _HEADER.size + tokens.nbytes
    places: list[Any] = []
    for flag, columns, kind, of_tokens in _PLACES:
        array = None
        if flags & flag:
            rows = n if of_tokens else m
            array = np.frombuffer(data, kind, rows * columns, at).reshape(rows, columns)
            at += array.nbytes
        places.append(array)
    return TokenRecord(tokens, *places)


def _unpack_coded(data: bytes, books: Mapping[int, Codebook]) -> CodedRecord:
    if len(data) < _CODED_HEADER.size:
        raise ValueError("no record starts there")
    _, crc, size, n, m, book_id, flags = _CODED_HEADER.unpack_from(data)
    _check(data, _CODED_HEADER.size + size, crc)
    if book_id not in books:
        raise LookupError(f"its codebook {book_id:08x} is missing")
    book = books[book_id]
    rows = np.frombuffer(data, np.uint8, n * book.width, _CODED_HEADER.size)
    packed = data[_CODED_HEADER.size + rows.nbytes :]
    return CodedRecord(Codes(book, rows.reshape(n, book.width)), flags, m, packed)


def _check(data: bytes, length: int, crc: int) -> None:
    if len(data) != length:
        raise ValueError("cut short")
    if zlib.crc32(memoryview(data)[_SEALED:]) != crc:
        raise ValueError("checksum differs")
