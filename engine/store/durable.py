"""Makes commits survive a power cut: LanceDB writes its files without fsync."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from engine.store.segment_files import sync_directory


class Durable:
    """Remembers which files of a table are known to be on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._synced: set[str] = set()
        self._synced = self._files()

    def _files(self) -> set[str]:
        found: set[str] = set()
        for directory in ("data", "_deletions", "_indices", "_versions"):
            for parent, _, names in os.walk(self._folder / directory):
                found.update(os.path.join(parent, name) for name in names)
        return found

    def sync(self) -> None:
        """Put the files that are new since the last call on disk, and their names."""
        files = self._files()
        fresh = files - self._synced
        # Manifests last: one that is on disk should not point to files that are not.
        for path in sorted(fresh, key=lambda path: path.endswith(".manifest")):
            _sync_file(path)
        for directory in {os.path.dirname(path) for path in fresh}:
            sync_directory(Path(directory))
        self._synced = files


def _sync_file(path: str) -> None:
    try:
        # Windows flushes only through a descriptor that may write.
        descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except FileNotFoundError:
        return  # maintenance removed it meanwhile
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
