"""The last stage, one for all: files put into the archive block by block."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from engine.archive.entries import ArchivedFile
from engine.store import StoredUnit
from indexer.archiving.encoding import Made

#: A block is written when it has so many units or files, or is so old: a commit costs a manifest,
#: and what is not yet written is done again after a crash.
UNITS, FILES, SECONDS = 2_048, 256, 20.0


_Put = tuple[ArchivedFile, Sequence[StoredUnit]]


class WritesArchive(Protocol):
    """What the writer needs of an archive. Each returns the number of the newest commit."""

    def put(self, files: Sequence[tuple[ArchivedFile, Sequence[StoredUnit]]]) -> int:
        """Have these files with these units, all or none of each."""

    def remove(self, file_ids: Iterable[int]) -> int:
        """Forget these files' units."""

    def set_rights(self, rights: Mapping[int, frozenset[str]]) -> int:
        """Other readers, the same units."""

    def file(self, file_id: int) -> ArchivedFile | None:
        """All that is known of a file."""

    def units(self, file_ids: Iterable[int]) -> Iterator[StoredUnit]:
        """The units of files."""


class Writing:
    """Takes what the stages made, in any order; not for threads."""

    def __init__(self, archive: WritesArchive) -> None:
        self._archive = archive
        self._waiting: list[Made] = []
        self._units = 0
        self._since = 0.0
        self.seconds = 0.0
        self.files = self.units = 0  # written

    def take(self, made: Made) -> None:
        """Write it, at once or with those that come after it."""
        self._since = self._since if self._waiting else time.monotonic()
        self._waiting.append(made)
        self._units += len(made.units) or made.row.units
        late = time.monotonic() - self._since > SECONDS
        if self._units >= UNITS or len(self._waiting) >= FILES or late:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        started = time.perf_counter()
        block, self._waiting, self._units = self._waiting, [], 0
        files: list[_Put] = [(made.row, made.units) for made in block if not made.same]
        files += self._touched([made.row for made in block if made.same])
        self._archive.put(files)
        self.seconds += time.perf_counter() - started
        self.files += len(files)
        self.units += sum(len(units) for _, units in files)

    def change(self, gone: Sequence[int], rights: Mapping[int, frozenset[str]]) -> None:
        """What takes no reading."""
        if gone:
            self._archive.remove(gone)
        if rights:
            self._archive.set_rights(rights)

    def _touched(self, rows: Sequence[ArchivedFile]) -> list[_Put]:
        """Files with the units that they have, told of their new time."""
        found: dict[int, list[StoredUnit]] = {row.file_id: [] for row in rows}
        for stored in self._archive.units([*found]) if found else ():
            found[stored.unit.file_id].append(stored)
        files: list[_Put] = []
        for row in rows:
            old = self._archive.file(row.file_id)
            units = [replace(stored, file=row.facts) for stored in found[row.file_id]]
            files.append((replace(row, thumb=old.thumb if old else None), units))
        return files
