"""Makes commits survive a power cut: LanceDB writes its files without fsync."""

from __future__ import annotations

import os
from pathlib import Path

from engine.store.disk import DISK, Disk

_DIRECTORIES = ("data", "_deletions", "_indices", "_versions")


class Durable:
    """Remembers which files of a table are known to be on disk; at first, none."""

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        self._folder = folder
        self._disk = disk
        self._synced: set[str] = set()
        self._directories: set[str] = set()

    def _files(self) -> tuple[set[str], set[str]]:
        """Files, and the directories that hold them."""
        files: set[str] = set()
        directories = {str(self._folder)}
        for directory in _DIRECTORIES:
            for parent, _, names in os.walk(self._folder / directory):
                directories.add(parent)
                files.update(os.path.join(parent, name) for name in names)
        return files, directories

    def sync(self) -> None:
        """Put the files that are new since the last call on disk, and their names."""
        files, directories = self._files()
        fresh, made = files - self._synced, directories - self._directories
        changed = {*(os.path.dirname(path) for path in {*fresh, *made}), *made}
        # Manifests and their names last: one that is on disk must not point to what is not.
        last = {path for path in fresh if path.endswith(".manifest")}
        versions = str(self._folder / "_versions")
        self._put(fresh - last, changed - {versions, str(self._folder.parent)})
        self._put(last, changed & {versions})
        self._synced, self._directories = files, directories

    def _put(self, files: set[str], directories: set[str]) -> None:
        for path in sorted(files):
            self._disk.sync(path)
        for directory in sorted(directories, key=len, reverse=True):
            self._disk.sync_directory(directory)
