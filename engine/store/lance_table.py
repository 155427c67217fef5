"""One LanceDB table, every call to which goes through the guard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import lancedb

from engine.store.disk import DISK, Disk
from engine.store.durable import Durable
from engine.store.guard import guarded
from engine.store.manifests import Manifests, Mark
from engine.store.schema import schema

T = TypeVar("T")


class LanceTable:
    """A table in a folder of its own. Calls raise what `guarded` raises, nothing else."""

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        self.folder = folder
        self.disk = disk
        self.manifests = Manifests(folder, disk)
        self._durable = Durable(folder, disk)
        self._raw: Any = None
        self.reopen()
        #: Number of the newest commit as it was found: every write makes another, so that only
        #: this one tells which commits were lost.
        self.found_version: int = self.read(lambda t: int(t.version))

    @classmethod
    def create(cls, folder: Path, dim: int, disk: Disk = DISK) -> LanceTable:
        """An empty table; what is in the folder must be nothing."""
        with guarded("write"):
            _connect(folder.parent).create_table(folder.stem, schema=schema(dim))
        return cls(folder, disk)

    def reopen(self) -> None:
        """The same table with empty caches.

        What was read of outdated versions stays in LanceDB's caches: 100 MB after 2,400 commits,
        of which this gives 58 back.
        """
        with guarded("read", self.manifests.fault):
            self._raw = _connect(self.folder.parent).open_table(self.folder.stem)

    def read(self, ask: Callable[[Any], T]) -> T:
        """Ask LanceDB's table something; the answer's conversion belongs into the question."""
        with guarded("read", self.manifests.fault):
            return ask(self._raw)

    def write(self, change: Callable[[Any], T]) -> T:
        """Change LanceDB's table."""
        with guarded("write", self.manifests.fault):
            return change(self._raw)

    def mark(self) -> Mark:
        """The newest commit; 0.1 ms. StoreDamagedError if its manifest is not whole."""
        with guarded("read", self.manifests.fault):
            pass
        return self.manifests.mark

    def sync(self) -> None:
        """Put all commits on disk."""
        with guarded("write"):
            self._durable.sync()


def _connect(directory: Path) -> Any:
    # Caches are bounded (LanceDB's default is 6 GB). Interval 0 makes every read see the newest
    # commit; the check costs 0.2 ms.
    session = lancedb.Session(index_cache_size_bytes=96 << 20, metadata_cache_size_bytes=32 << 20)
    return lancedb.connect(directory, session=session, read_consistency_interval=timedelta(0))
