"""The two kinds of segment files, and how a pack is written so that a crash leaves the old ones."""

from __future__ import annotations

import os
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.store.disk import DISK, Disk

_FOOTER = struct.Struct("<QI4s")  # entries, crc of the index, magic
_MAGIC = b"IkP1"
_OFFSET_BITS = 40  # of a key: segments are far smaller than 1 TB


class ReadFile:
    """A file open for reads at any place; closed when nobody refers to it any more."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(path, flags)

    def read_at(self, place: int, length: int) -> bytes:
        """Up to `length` bytes from `place`."""
        if sys.platform == "win32":
            duplicate = os.dup(self._descriptor)
            with os.fdopen(duplicate, "rb") as file:
                file.seek(place)
                return file.read(length)
        return os.pread(self._descriptor, length, place)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)


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

    def place(self, segment: int, offset: int) -> int:
        """Where the record of a reference lies; LookupError if it does not."""
        raise NotImplementedError

    def holds(self, refs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these references [n, 3], all of segments in range, lie within the file."""
        raise NotImplementedError


class Raw(Container):
    """A segment as it was appended."""

    def place(self, segment: int, offset: int) -> int:
        return offset

    def holds(self, refs: NDArray[np.int64]) -> NDArray[np.bool_]:
        fits: NDArray[np.bool_] = refs[:, 1] + refs[:, 2] <= self.size()
        return fits


class Pack(Container):
    """What was alive of some segments; a pack with a broken index holds nothing."""

    @cached_property
    def _index(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Keys in order, and the place of each."""
        nothing = np.zeros(0, dtype=np.int64)
        size = self.size()
        if size < _FOOTER.size:
            return nothing, nothing
        file = ReadFile(self.path)
        entries, crc, magic = _FOOTER.unpack(file.read_at(size - _FOOTER.size, _FOOTER.size))
        start = size - _FOOTER.size - entries * 16
        if magic != _MAGIC or start < 0:
            return nothing, nothing
        data = file.read_at(start, entries * 16)
        if zlib.crc32(data) != crc:
            return nothing, nothing
        index = np.frombuffer(data, dtype="<i8").reshape(2, entries)
        return index[0], index[1]

    @property
    def whole(self) -> bool:
        """Whether it has an index, an empty one too."""
        size = self.size()
        if size < _FOOTER.size:
            return False
        footer = ReadFile(self.path).read_at(size - _FOOTER.size, _FOOTER.size)
        return len(self._index[0]) == _FOOTER.unpack(footer)[0] and footer[-4:] == _MAGIC

    def payload(self) -> int:
        return max(self.size() - _FOOTER.size - self._index[0].nbytes * 2, 0)

    def place(self, segment: int, offset: int) -> int:
        keys, places = self._index
        key = segment << _OFFSET_BITS | offset
        at = int(np.searchsorted(keys, key))
        if at == len(keys) or keys[at] != key:
            raise LookupError("it was not alive at the last compaction")
        return int(places[at])

    def holds(self, refs: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.isin(_keys(refs), self._index[0])


def _keys(refs: NDArray[np.int64]) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = refs[:, 0] << _OFFSET_BITS | refs[:, 1]
    return keys


def write_pack(
    path: Path,
    refs: NDArray[np.int64],
    read: Callable[[int, int, int], bytes],
    disk: Disk = DISK,
) -> None:
    """Copy records [n, 3] in order into a pack; the file appears whole or not at all."""
    places = np.zeros(len(refs), dtype="<i8")

    def blocks() -> Iterator[bytes]:
        at = 0
        for i, ref in enumerate(refs.tolist()):
            data = read(*ref)
            places[i], at = at, at + len(data)
            yield data
        index = np.stack([_keys(refs), places]).astype("<i8").tobytes()
        yield index
        yield _FOOTER.pack(len(refs), zlib.crc32(index), _MAGIC)

    disk.replace_with(path, blocks())
