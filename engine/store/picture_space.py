"""A vector space of pictures: beside the passages', which it never touches.

It is its own book: each row says of which contents it is, so that after a crash no other record
has to agree with it. What it lacks is looked at again; what it has too much of is taken away.
"""

from __future__ import annotations

import logging
import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from engine.contract.errors import RefusedQueryError, StoreDamagedError
from engine.contract.types import FileFacts
from engine.store.rows import StoredUnit
from engine.store.spaces import set_space_aside
from engine.store.table import Store

log = logging.getLogger(__name__)


class Sighted(Protocol):
    """What was seen of a file."""

    @property
    def content(self) -> str:
        """Hash of the file's contents."""


T = TypeVar("T")
S = TypeVar("S", bound=Sighted)


class PictureSpace(ABC, Generic[S]):
    """What is known of pictures' pixels. From any thread; writes take turns.

    All methods raise InklingError. After a StoreDamagedError `damaged` is true until `rebuild`.
    """

    def __init__(self, directory: Path, space: str, dim: int) -> None:
        """Open the space, or make it; one that can't be read is made anew."""
        self._directory, self._space, self._dim = directory, space, dim
        self._writing = threading.RLock()
        self.damaged = False
        self.changes = 0  # of what `contents` says, since it was opened
        try:
            self._open()
        except StoreDamagedError as error:
            log.error("Pictures are looked at anew: %s", error)
            self._make_anew()

    @abstractmethod
    def _rows(self, facts: FileFacts, seen: S) -> list[StoredUnit]:
        """One file's rows, at least one; `symbol` of each is the hash of the contents."""

    def _open(self) -> None:
        self._store = Store.open(self._directory, self._space, self._dim)
        #: Replaced, never changed: whoever asks waits for no writer.
        self._contents: Mapping[int, str] = self._store.symbols()

    def _make_anew(self) -> None:
        aside = set_space_aside(self._directory, self._space)
        self._open()
        shutil.rmtree(aside, ignore_errors=True)

    def rebuild(self) -> None:
        """Give up all that is there, be it readable or not: the space is empty afterwards."""
        with self._writing:
            self._store.close()
            self._make_anew()
            self.damaged = False
            self.changes += 1

    @property
    def name(self) -> str:
        """Of the space."""
        return self._space

    # Writing

    def replace(self, pictures: Sequence[tuple[FileFacts, S]]) -> None:
        """Make these all that is known of their files, all or none; on disk when it returns."""
        if not pictures:
            return
        with self._writing:
            rows = {facts.file_id: self._rows(facts, seen) for facts, seen in pictures}
            self._check(lambda: self._store.replace_files(rows))
            new = {facts.file_id: seen.content for facts, seen in pictures}
            self._contents = {**self._contents, **new}
            self.changes += 1

    def delete(self, file_ids: Iterable[int]) -> None:
        """Forget these files, those among them that are here."""
        with self._writing:
            if gone := [file_id for file_id in file_ids if file_id in self._contents]:
                self._check(lambda: self._store.delete_files(gone))
                lost = set(gone)
                self._contents = {i: of for i, of in self._contents.items() if i not in lost}
                self.changes += 1

    def move(self, files: Iterable[FileFacts]) -> None:
        """Files have another path or time now, those among them that are here."""
        with self._writing:
            if here := {f.file_id: f for f in files if f.file_id in self._contents}:
                self._check(lambda: self._store.update_paths(here))

    def maintain(self, *, force: bool = False) -> None:
        """Indexes and compaction, when they are worth it."""
        with self._writing:
            self._check(lambda: self._store.maintain(force=force))

    def close(self) -> None:
        """Let go of the files; a write in progress is finished first."""
        with self._writing:
            self._store.close()

    # Reading

    def contents(self) -> Mapping[int, str]:
        """Of each file that is here, the hash of what was looked at."""
        return self._contents

    def places(self) -> dict[int, tuple[str, float]]:
        """Path and time of change of every file, as its rows have them."""
        return self._check(self._store.places)

    def size_bytes(self) -> int:
        """Bytes on disk."""
        return self._check(self._store.size_bytes)

    def _check(self, action: Callable[[], T], *, asked: bool = False) -> T:
        """What an action gives, with damage noted; `asked`: a person's filters are part of it, so
        that it may be refused for them."""
        try:
            return action()
        except StoreDamagedError:
            self.damaged = True
            raise
        except RefusedQueryError as error:
            if asked:
                raise
            self.damaged = True
            raise StoreDamagedError("What pictures look like can't be read.") from error
