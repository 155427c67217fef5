"""The calls that put things on disk for good, behind one object that tests replace.

A write is durable once its file is synced, a name once its directory is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from engine.contract.put import put_in_place


class Disk:
    """The file system; every call raises OSError when it fails."""

    def append(self, path: Path, records: Iterable[bytes]) -> list[int]:
        """Write records at the end of a file and sync it; where each begins (bytes)."""
        places: list[int] = []
        with path.open("ab") as file:
            for record in records:
                places.append(file.tell())
                file.write(record)
            self.sync_open(file)
        return places

    def replace_with(self, path: Path, blocks: Iterable[bytes]) -> None:
        """A file of these blocks, readable by its owner only: whole, or as it was before."""
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            os.chmod(temporary, 0o600)
            for block in blocks:
                file.write(block)
            self.sync_open(file)
        self.rename(temporary, path)

    def create(self, path: Path) -> None:
        """An empty file, readable by its owner only."""
        path.touch(mode=0o600)
        self.sync_directory(path.parent)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file or directory another name; what had that name (a file) is replaced."""
        put_in_place(source, target)
        self.sync_directory(target.parent)
        if source.parent != target.parent:
            self.sync_directory(source.parent)

    def unlink(self, paths: Iterable[Path]) -> None:
        """Remove files; one that is not there is no error."""
        parents = set()
        for path in paths:
            path.unlink(missing_ok=True)
            parents.add(path.parent)
        for parent in parents:
            self.sync_directory(parent)

    def sync_open(self, file: BinaryIO) -> None:
        """Put what was written to an open file on disk."""
        file.flush()
        os.fsync(file.fileno())

    def sync(self, path: str | Path) -> None:
        """Put a file's contents on disk, whoever wrote them; nothing if it is gone."""
        try:
            # Windows flushes only through a descriptor that may write.
            descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
        except FileNotFoundError:
            return  # maintenance removed it meanwhile
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_directory(self, directory: str | Path) -> None:
        """Make new names in a directory survive a power cut, where the platform can."""
        if sys.platform == "win32":
            return
        try:
            descriptor = os.open(directory, os.O_RDONLY)
        except FileNotFoundError:
            return  # an index that was replaced goes with its directory
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


DISK = Disk()
