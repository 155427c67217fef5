"""A disk that knows what a power cut would leave, and that can fail."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from engine.store.disk import Disk

Loss = Literal["names and contents", "contents"]
Tree = dict[str, bytes]


@dataclass(frozen=True)
class Step:
    """A moment just after a call, and what would be there if the power went then."""

    call: str
    doing: str
    left: dict[Loss, Tree]


class RecordingDisk(Disk):
    """Keeps for each file what was synced, and for each directory which names were.

    A power cut leaves, at worst, of each file what it was when it was last synced, and of each
    directory the names at its last sync ("names and contents"); or all names as they are, with
    nothing in the files that were not synced ("contents"), which is what file systems do.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.doing = "open"
        self.steps: list[Step] = []
        self.calls: list[tuple[str, str]] = []
        #: Called before each call with its number; may raise.
        self.before: Callable[[int], None] = lambda number: None
        self._contents: dict[int, bytes] = {}
        self._names: dict[str, dict[str, int]] = {}
        self._held: list[int] = []  # open, so that no number of a file is used again

    def close(self) -> None:
        for descriptor in self._held:
            os.close(descriptor)
        self._held.clear()

    def sync_open(self, file: BinaryIO) -> None:
        self._begin("sync_open", file.name)
        super().sync_open(file)
        self._synced(file.name)
        self._end("sync_open", file.name)

    def sync(self, path: str | Path) -> None:
        self._begin("sync", path)
        super().sync(path)
        self._synced(path)
        self._end("sync", path)

    def sync_directory(self, directory: str | Path) -> None:
        self._begin("sync_directory", directory)
        super().sync_directory(directory)
        if os.path.isdir(directory):
            self._names[str(directory)] = {
                entry.name: self._hold(entry.path) for entry in os.scandir(directory)
            }
        self._end("sync_directory", directory)

    def rename(self, source: Path, target: Path) -> None:
        if source.is_dir():  # what is known of a directory goes with it
            for known in [key for key in self._names if Path(key).is_relative_to(source)]:
                moved = target / Path(known).relative_to(source)
                self._names[str(moved)] = self._names.pop(known)
        self._begin("rename", target)
        super().rename(source, target)

    def create(self, path: Path) -> None:
        self._begin("create", path)
        super().create(path)

    def append(self, path: Path, records: Iterable[bytes]) -> list[int]:
        self._begin("append", path)
        return super().append(path, records)

    def replace_with(self, path: Path, blocks: Iterable[bytes]) -> None:
        self._begin("replace_with", path)
        super().replace_with(path, blocks)

    def unlink(self, paths: Iterable[Path]) -> None:
        paths = list(paths)
        for path in paths:
            self._begin("unlink", path)
        super().unlink(paths)

    def _begin(self, call: str, path: object) -> None:
        self.before(len(self.calls))
        self.calls.append((call, str(path)))

    def _end(self, call: str, path: object) -> None:
        left: dict[Loss, Tree] = {"names and contents": {}, "contents": {}}
        self._walk(self.root, left["names and contents"], synced_names=True)
        self._walk(self.root, left["contents"], synced_names=False)
        self.steps.append(Step(f"{call} {path}", self.doing, left))

    def _synced(self, path: str | Path) -> None:
        if os.path.exists(path):
            self._contents[self._hold(path)] = Path(path).read_bytes()

    def _hold(self, path: str | Path) -> int:
        number = os.stat(path).st_ino
        if number not in self._inodes:
            self._inodes.add(number)
            self._held.append(os.open(path, os.O_RDONLY))
        return number

    @property
    def _inodes(self) -> set[int]:
        return self.__dict__.setdefault("_known", set())

    def _walk(self, directory: Path, tree: Tree, *, synced_names: bool) -> None:
        now = {entry.name: entry.inode() for entry in os.scandir(directory)}
        names = self._names.get(str(directory), {}) if synced_names else now
        for name, number in names.items():
            path = directory / name
            if str(path) in self._names or path.is_dir():
                if path.is_dir():
                    tree[str(path.relative_to(self.root)) + "/"] = b""
                    self._walk(path, tree, synced_names=synced_names)
            elif number in self._contents:
                tree[str(path.relative_to(self.root))] = self._contents[number]
            else:
                size = path.stat().st_size if now.get(name) == number else 0
                tree[str(path.relative_to(self.root))] = bytes(size)


def restore(tree: Tree, target: Path) -> None:
    """What a power cut left, as files."""
    target.mkdir(parents=True)
    for name, data in sorted(tree.items()):
        if name.endswith("/"):
            (target / name).mkdir(parents=True, exist_ok=True)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(data)


class Fails:
    """Raises a system error at one call; the calls after it go on."""

    def __init__(self, number: int, code: int = errno.EIO) -> None:
        self._number, self._code = number, code

    def __call__(self, number: int) -> None:
        if number == self._number:
            raise OSError(self._code, os.strerror(self._code))
