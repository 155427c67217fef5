"""One rule for everything that removes or moves a file: what can't be seen is not gone."""

from __future__ import annotations

import enum
import os
import stat as stat_module

from indexer.ledger.ledger import Ledger, Root
from indexer.ledger.listed import listed_name
from indexer.sources.systems import reachable

#: So many of a root's files are looked for where its device has another number.
SAMPLE = 64


class Presence(enum.Enum):
    """What a look at a path tells."""

    THERE = "there"
    GONE = "gone"  # proven: all that leads to it can be seen, and it is not there
    UNSEEN = "unseen"  # its drive is away, its folder can't be searched, the disk has an error


class Sight:
    """A root as it was at one moment; what is missing later is gone only if the root is the same.

    Remembers folders it has looked at: make another for another moment.
    """

    def __init__(self, path: str, identity: tuple[int, int]) -> None:
        """`identity`: device and inode of the root's folder."""
        self.path, self.identity = path, identity
        self.device = identity[0]
        self._top = os.fsencode(path)
        self._folders: dict[bytes, Presence] = {}

    @classmethod
    def of(cls, ledger: Ledger, root: Root) -> Sight | None:
        """Look at a root; None if it is missing or an empty mount point."""
        if presence(ledger, root) is None:
            return None
        identity = identity_of(root.path)
        return cls(root.path, identity) if identity is not None else None

    def again(self) -> Sight:
        """The same root, looked at anew."""
        return Sight(self.path, self.identity)

    def holds(self) -> bool:
        """Whether the root's path still leads to the very folder that it was."""
        return identity_of(self.path) == self.identity

    def look(self, path: bytes) -> Presence:
        """Whether a path below the root is there."""
        found = self._below(os.path.dirname(path), path)
        return found if isinstance(found, Presence) else self._on_device(found)

    def _below(self, folder: bytes, path: bytes) -> os.stat_result | Presence:
        """What stands at a path in a folder, or why nothing does."""
        above = self._folder(folder)
        if above is not Presence.THERE:
            return above
        try:
            found = os.lstat(reachable(path))
        except (FileNotFoundError, NotADirectoryError):
            # A root that went between the two looks takes all its files with it.
            return Presence.GONE if self.holds() else Presence.UNSEEN
        except OSError:
            return Presence.UNSEEN
        # Where capitals do not count a file that was renamed in them alone answers to both names.
        name = os.path.basename(path)
        return found if listed_name(reachable(folder), name, found) == name else Presence.GONE

    def _on_device(self, found: os.stat_result) -> Presence:
        """There, unless another drive that is mounted over the path hides what it holds."""
        return Presence.THERE if found.st_dev == self.device else Presence.UNSEEN

    def _folder(self, path: bytes) -> Presence:
        """The same of a folder; GONE if something else is in its place."""
        if path not in self._folders:
            self._folders[path] = self._look_at_folder(path)
        return self._folders[path]

    def _look_at_folder(self, path: bytes) -> Presence:
        if path == self._top:
            return Presence.THERE if self.holds() else Presence.UNSEEN
        parent = os.path.dirname(path)
        if parent == path:
            return Presence.UNSEEN  # not below the root
        found = self._below(parent, path)
        if isinstance(found, Presence):
            return found
        return self._on_device(found) if stat_module.S_ISDIR(found.st_mode) else Presence.GONE


def look_at(ledger: Ledger, path: str) -> Presence:
    """Whether a file on record is there now."""
    root = ledger.root_of(path)
    sight = Sight.of(ledger, root) if root is not None else None
    return Presence.UNSEEN if sight is None else sight.look(os.fsencode(path))


class Sights:
    """Looks at files of any root, each root looked at once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._roots = {root.id: root for root in ledger.roots()}
        self._sights: dict[int, Sight | None] = {}

    def look(self, root_id: int, path: str) -> Presence:
        """Whether a file of a root is there."""
        root = self._roots.get(root_id)
        if root is None:
            return Presence.UNSEEN
        if root_id not in self._sights:
            self._sights[root_id] = Sight.of(self._ledger, root)
        sight = self._sights[root_id]
        return Presence.UNSEEN if sight is None else sight.look(os.fsencode(path))


def presence(ledger: Ledger, root: Root) -> str | None:
    """The root's identity if it is really there; None if it is missing or an empty mount point."""
    try:
        found = os.stat(reachable(root.path))
        if not stat_module.S_ISDIR(found.st_mode):
            return None
        with os.scandir(reachable(root.path)) as entries:
            empty = next(entries, None) is None
    except OSError:
        return None
    identity = str(found.st_dev)
    if root.identity in ("", identity):
        return identity
    # Device numbers change with a restart, so another number alone says nothing: the drive is
    # another one (or the bare mount point) if nothing of what is known is there.
    sample = ledger.files(root_id=root.id, limit=SAMPLE)
    if sample and (empty or not any(os.path.lexists(record.path) for record in sample)):
        return None
    return identity


def identity_of(path: str) -> tuple[int, int] | None:
    """Device and inode of what stands at a path; None where nothing does."""
    try:
        found = os.stat(reachable(path))
    except OSError:
        return None
    return found.st_dev, found.st_ino
