"""The files of one generation of arrays: columns that only grow, and a log that vouches for them.

`00000003.vectors`, `.documents` and `.rows` hold what their names say, one entry after another,
`.records` all that searches show of a unit, `.terms` its analysed text; `.log` has a record for
each append: how much was added, its checksums, which rows died by it, and for which commit of the
table all this stands. Nothing is synced: what a power cut or a crash leaves does not agree with
the log, or the log not with the table, and all of it is made anew.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from engine.store.array_rows import COLUMNS, ROW, Block, Ends
from engine.store.array_terms import PARTS as POSTINGS
from engine.store.manifests import Mark
from engine.store.segment_files import ReadFile

_HEAD = struct.Struct("<4sIII")  # magic, version of this form, dimensions, what records hold
_MAGIC, _VERSION = b"IkA1", 3
_SEAL = struct.Struct("<II")  # checksum and length of the record that follows
#: Number and checksum of the commit; rows, documents, bytes of records and of terms, dead; a
#: checksum for each column.
_RECORD = struct.Struct("<qIIIqqIIIIII")
_COLUMNS = ("vectors", "documents", "rows", "records", "terms")
PARTS = (*_COLUMNS, *POSTINGS, "log")
_CONTENTS = zlib.crc32(",".join(COLUMNS).encode())
HALF = 2  # bytes of a float16


class UnsoundError(Exception):
    """The files can't be relied on; the reason is its text."""


@dataclass(frozen=True, slots=True, eq=False)
class Append:
    """What one append added, and whom it made outdated."""

    mark: Mark | None  # of the commit for which all that was appended so far stands; None: parts
    block: Block
    dead: NDArray[np.uint32]  # numbers of earlier rows
    names: Sequence[str]


class ArrayFiles:
    """One generation's files, written by one thread and read by many; OSError, UnsoundError."""

    def __init__(self, folder: Path, generation: int, dim: int) -> None:
        self._folder, self.generation, self._dim = folder, generation, dim
        self.ends = Ends()
        self._open: dict[str, ReadFile] = {}

    @staticmethod
    def generations(folder: Path) -> list[int]:
        """Those of which there is anything, newest first."""
        found = {path.stem for path in folder.glob("*.*") if path.suffix[1:] in PARTS}
        return sorted((int(stem) for stem in found if stem.isdecimal()), reverse=True)

    def path(self, part: str) -> Path:
        """Where a part lies."""
        return self._folder / f"{self.generation:08d}.{part}"

    def create(self) -> None:
        """Empty files."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for part in _COLUMNS:
            self.path(part).touch(mode=0o600)
        self.path("log").touch(mode=0o600)
        self.path("log").write_bytes(self._head)

    @property
    def _head(self) -> bytes:
        return _HEAD.pack(_MAGIC, _VERSION, self._dim, _CONTENTS)

    def remove(self) -> None:
        """All of it, where the system lets us: another opening removes the rest."""
        for part in reversed(PARTS):  # without its log the rest means nothing
            with suppress(OSError):
                self.path(part).unlink(missing_ok=True)

    def append(self, added: Append) -> None:
        """Write columns first, then the record that makes them count."""
        block = added.block
        columns = (block.vectors, block.documents, block.rows)
        parts = (*(column.tobytes() for column in columns), block.records, block.terms)
        for part, data in zip(_COLUMNS, parts, strict=True):
            if data:
                with self.path(part).open("ab") as file:
                    file.write(data)
        number, crc = (-1, 0) if added.mark is None else added.mark
        lengths = (len(block.documents), len(block.records), len(block.terms))
        counts = (len(block.rows), *lengths, len(added.dead))
        record = _RECORD.pack(number, crc, *counts, *map(zlib.crc32, parts))
        record += added.dead.astype("<u4").tobytes() + json.dumps(added.names).encode()
        with self.path("log").open("ab") as file:
            file.write(_SEAL.pack(zlib.crc32(record), len(record)) + record)
        self._grow(*lengths)

    def _grow(self, documents: int, records: int, terms: int) -> None:
        at = self.ends
        self.ends = Ends(at.documents + documents, at.records + records, at.terms + terms)

    def load(self) -> Iterator[Append]:
        """All appends in their order, each with its columns checked."""
        log = self.path("log").read_bytes()
        if log[: _HEAD.size] != self._head:
            raise UnsoundError("the log is of another form")
        at = _HEAD.size
        with ExitStack() as stack:
            files = [stack.enter_context(self.path(part).open("rb")) for part in _COLUMNS]
            while at < len(log):
                record, at = _sealed(log, at)
                yield self._append_of(record, files)
            if any(file.read(1) for file in files):
                raise UnsoundError("there is more than the log knows")

    def _append_of(self, record: bytes, files: Sequence[BinaryIO]) -> Append:
        number, crc, n, m, records, terms, dead, *sums = _RECORD.unpack_from(record)
        width = self._dim * HALF
        sizes = (n * width, m * width, n * ROW.itemsize, records, terms)
        parts = [file.read(size) for file, size in zip(files, sizes, strict=True)]
        if [zlib.crc32(part) for part in parts] != sums:
            raise UnsoundError("a checksum differs")
        shape = (-1, self._dim)
        self._grow(m, records, terms)
        end = _RECORD.size + dead * 4
        return Append(
            mark=None if number < 0 else Mark(number, crc),
            block=Block(
                np.frombuffer(parts[2], ROW),
                np.frombuffer(parts[0], "<f2").reshape(shape),
                np.frombuffer(parts[1], "<f2").reshape(shape),
                *parts[3:],
            ),
            dead=np.frombuffer(record[_RECORD.size : end], "<u4"),
            names=json.loads(record[end:]),
        )

    def vectors(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        """[k, d] of these rows. OSError or UnsoundError if they can't be read."""
        return self._matrix("vectors", places)

    def stretch(self, start: int, end: int) -> NDArray[np.float16]:
        """[k, d] of the rows from one to another. OSError or UnsoundError if they can't be read."""
        width = self._dim * HALF
        (data,) = self._read("vectors", [(start * width, (end - start) * width)])
        return np.frombuffer(data, "<f2").reshape(-1, self._dim)

    def whole(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        """[k, d]: these documents' vectors. OSError or UnsoundError if they can't be read."""
        return self._matrix("documents", places)

    def runs(
        self, part: Literal["records", "terms"], places: Iterable[tuple[int, int]]
    ) -> list[bytes]:
        """What lies at these places, each of so many bytes. OSError or UnsoundError."""
        return self._read(part, places)

    def _read(self, part: str, places: Iterable[tuple[int, int]]) -> list[bytes]:
        # Single reads, not a memory map: 2 µs each, and a file that was cut short or a bad disk
        # gives an error instead of SIGBUS.
        if (file := self._open.get(part)) is None:
            file = self._open[part] = ReadFile(self.path(part))
        asked = list(places)
        found = file.read_each(asked)
        if list(map(len, found)) != [length for _, length in asked]:
            raise UnsoundError(f"some {part} are missing")
        return found

    def _matrix(self, part: str, places: NDArray[np.intp]) -> NDArray[np.float32]:
        width = self._dim * HALF
        data = b"".join(self._read(part, ((place * width, width) for place in places.tolist())))
        return np.frombuffer(data, "<f2").reshape(-1, self._dim).astype(np.float32)


def _sealed(log: bytes, at: int) -> tuple[bytes, int]:
    """The record that begins there, and where the next does."""
    if at + _SEAL.size > len(log):
        raise UnsoundError("the log was cut short")
    crc, length = _SEAL.unpack_from(log, at)
    start, end = at + _SEAL.size, at + _SEAL.size + length
    record = log[start:end]
    if end > len(log) or length < _RECORD.size or zlib.crc32(record) != crc:
        raise UnsoundError("the log was cut short or has changed")
    return record, end
