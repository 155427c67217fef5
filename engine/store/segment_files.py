"""The two kinds of segment files, and how a pack is written so that a crash leaves the old ones."""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.store.disk import DISK, Disk
from engine.store.token_record import HEAD_BYTES, book_of

_FOOTER = struct.Struct("<QI4s")  # entries, crc of the index, magic
#: Entries, crc of the index and of the codebooks' ids behind it, number of these, magic. Such a
#: pack has nothing in it that could still be coded.
_CODED_FOOTER = struct.Struct("<QII4s")
_MAGIC, _CODED_MAGIC = b"IkP1", b"IkP2"
_OFFSET_BITS = 40  # of a key: segments are far smaller than 1 TB


class ReadFile:
    """A file open for reads at any place; closed when nobody refers to it any more."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(path, flags)
        self._turn = threading.Lock()  # where going to a place and reading there are two calls

    def read_at(self, place: int, length: int) -> bytes:
        """Up to `length` bytes from `place`."""
        if hasattr(os, "pread"):
            return os.pread(self._descriptor, length, place)
        with self._turn:  # Windows; a second descriptor would be at the same place as this one
            os.lseek(self._descriptor, place, os.SEEK_SET)
            return os.read(self._descriptor, length)

    def read_each(self, places: Iterable[tuple[int, int]]) -> list[bytes]:
        """Up to so many bytes from each (place, length): a search reads thousands."""
        if not hasattr(os, "pread"):
            return [self.read_at(place, length) for place, length in places]
        pread, descriptor = os.pread, self._descriptor
        return [pread(descriptor, length, place) for place, length in places]

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)


class Spot(NamedTuple):
    """Bytes of a file."""

    place: int
    length: int


@dataclass(frozen=True)
class Container:
    """A file that answers for the segments `low` to `high`."""

    path: Path
    low: int
    high: int
    generation: int  # of two packs for the same segments the higher is the one

    @property
    def whole(self) -> bool:
        """Whether it can answer for its segments at all."""
        return True

    @property
    def books(self) -> frozenset[int]:
        """Ids of the codebooks that its records need."""
        raise NotImplementedError

    @property
    def coded(self) -> bool:
        """Whether its records have codes, as far as they can have any."""
        raise NotImplementedError

    def size(self) -> int:
        """Bytes on disk."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def payload(self) -> int:
        """Bytes of records, dead ones included."""
        return self.size()

    def live_bytes(self, live: NDArray[np.int64]) -> int:
        """Bytes of the records [n, 3] that lie here."""
        inside = (live[:, 0] >= self.low) & (live[:, 0] <= self.high)
        return int(live[inside, 2].sum())

    def spot(self, segment: int, offset: int, length: int) -> Spot:
        """Where the record of a reference lies; LookupError if it does not."""
        raise NotImplementedError

    def holds(self, refs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these references [n, 3], all of segments in range, lie within the file."""
        raise NotImplementedError


class Raw(Container):
    """A segment as it was appended: all of it in one form, by one codebook."""

    @cached_property
    def _head(self) -> bytes:
        try:
            return ReadFile(self.path).read_at(0, HEAD_BYTES)
        except FileNotFoundError:
            return b""

    def _book(self) -> int | None:
        if not self._head:
            self.__dict__.pop("_head")  # nothing was appended yet
            return None
        return book_of(self._head)

    @property
    def books(self) -> frozenset[int]:
        book = self._book()
        return frozenset() if book is None else frozenset([book])

    @property
    def coded(self) -> bool:
        return self._book() is not None or self.size() == 0

    def spot(self, segment: int, offset: int, length: int) -> Spot:
        return Spot(offset, length)

    def holds(self, refs: NDArray[np.int64]) -> NDArray[np.bool_]:
        fits: NDArray[np.bool_] = refs[:, 1] + refs[:, 2] <= self.size()
        return fits


class _Index(NamedTuple):
    """What the end of a pack says."""

    keys: NDArray[np.int64]  # [n] in order
    places: NDArray[np.int64]  # [n + 1] of each record, and where the last one ends
    books: frozenset[int] = frozenset()
    coded: bool = False


_NOTHING = _Index(np.zeros(0, np.int64), np.zeros(1, np.int64))


class Pack(Container):
    """What was alive of some segments; a pack with a broken index holds nothing."""

    @cached_property
    def _read(self) -> _Index | None:
        """None if its end is not whole."""
        size = self.size()
        if size < _FOOTER.size:
            return None
        file = ReadFile(self.path)
        end = file.read_at(max(size - _CODED_FOOTER.size, 0), _CODED_FOOTER.size)
        if end[-4:] == _CODED_MAGIC and len(end) == _CODED_FOOTER.size:
            entries, crc, ids, _ = _CODED_FOOTER.unpack(end)
            length, coded = entries * 16 + ids * 4, True
        else:
            entries, crc, magic = _FOOTER.unpack(end[-_FOOTER.size :])
            length, coded = entries * 16, False
            if magic != _MAGIC:
                return None
        start = size - (_CODED_FOOTER if coded else _FOOTER).size - length
        if start < 0:
            return None
        data = file.read_at(start, length)
        if zlib.crc32(data) != crc or len(data) != length:
            return None
        keys, places = np.frombuffer(data, "<i8", 2 * entries).reshape(2, entries)
        books = np.frombuffer(data, "<u4", offset=entries * 16).tolist()
        return _Index(keys, np.append(places, start), frozenset(books), coded)

    @property
    def _index(self) -> _Index:
        return self._read or _NOTHING

    @property
    def whole(self) -> bool:
        """Whether it has an index, an empty one too."""
        return self._read is not None

    @property
    def books(self) -> frozenset[int]:
        return self._index.books

    @property
    def coded(self) -> bool:
        return self._read is None or self._read.coded

    def payload(self) -> int:
        return int(self._index.places[-1])

    def _at(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """[n] of each key its number among the records, and whether it is there."""
        known = self._index.keys
        at = np.searchsorted(known, keys)
        if not len(known):
            return at, np.zeros(len(keys), np.bool_)
        return at, known[np.minimum(at, len(known) - 1)] == keys

    def live_bytes(self, live: NDArray[np.int64]) -> int:
        at, there = self._at(_keys(live))
        places = self._index.places
        return int((places[at[there] + 1] - places[at[there]]).sum())

    def spot(self, segment: int, offset: int, length: int) -> Spot:
        keys, places, *_ = self._index
        key = segment << _OFFSET_BITS | offset
        at = int(np.searchsorted(keys, key))
        if at == len(keys) or keys[at] != key:
            raise LookupError("it was not alive at the last compaction")
        return Spot(int(places[at]), int(places[at + 1] - places[at]))

    def holds(self, refs: NDArray[np.int64]) -> NDArray[np.bool_]:
        return self._at(_keys(refs))[1]


def _keys(refs: NDArray[np.int64]) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = refs[:, 0] << _OFFSET_BITS | refs[:, 1]
    return keys


def write_pack(
    path: Path,
    refs: NDArray[np.int64],
    read: Callable[[int, int, int], bytes],
    disk: Disk = DISK,
    *,
    coded: bool = False,
) -> None:
    """Copy records [n, 3] in order into a pack; the file appears whole or not at all.

    `coded`: what is read has codes, as far as it can have any.
    """
    places = np.zeros(len(refs), dtype="<i8")
    books: set[int] = set()

    def blocks() -> Iterator[bytes]:
        at = 0
        for i, ref in enumerate(refs.tolist()):
            data = read(*ref)
            places[i], at = at, at + len(data)
            if (book := book_of(data[:HEAD_BYTES])) is not None:
                books.add(book)
            yield data
        index = np.stack([_keys(refs), places]).astype("<i8").tobytes()
        if coded or books:
            index += np.array(sorted(books), "<u4").tobytes()
        yield index
        if coded or books:
            yield _CODED_FOOTER.pack(len(refs), zlib.crc32(index), len(books), _CODED_MAGIC)
        else:
            yield _FOOTER.pack(len(refs), zlib.crc32(index), _MAGIC)

    disk.replace_with(path, blocks())
