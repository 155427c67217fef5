"""How pictures look: a vector space of its own beside the passages', which it never touches.

It is its own book: each row says of which contents it is, so that after a crash no other record
has to agree with it. What it lacks is looked at again; what it has too much of is taken away.
"""

from __future__ import annotations

import logging
import math
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.contract.errors import RefusedQueryError, StoreDamagedError
from engine.contract.types import FileFacts, Look, Unit
from engine.store.rows import StoredUnit
from engine.store.spaces import drop_space, list_spaces, set_space_aside, table_name
from engine.store.table import Store

log = logging.getLogger(__name__)

T = TypeVar("T")
#: Begins the names of such spaces, whatever made the looks.
PREFIX = "sight-"


class Looks:
    """The looks of pictures. From any thread; writes take turns.

    All methods raise InklingError. After a StoreDamagedError `damaged` is true until `rebuild`.
    """

    def __init__(self, directory: Path, space: str, dim: int, views: int) -> None:
        """Open the space, or make it; those that earlier versions made are removed, and one that
        can't be read is made anew. `space` begins with PREFIX; a look has so many views [v, dim],
        and its small picture as many pixels as `dim`."""
        self._directory, self._space = directory, space
        self._dim, self._views = dim, views
        self._writing = threading.RLock()
        self.damaged = False
        self.changes = 0  # of what `contents` says, since it was opened
        for other in list_spaces(directory):
            if other.startswith(PREFIX) and other != table_name(space):
                drop_space(directory, other)
        try:
            self._open()
        except StoreDamagedError as error:
            log.error("What pictures look like is looked at anew: %s", error)
            self._make_anew()

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

    # Writing

    def replace(self, pictures: Sequence[tuple[FileFacts, Look]]) -> None:
        """Make these the only looks of their files, all or none; on disk when it returns."""
        if not pictures:
            return
        with self._writing:
            rows = {facts.file_id: _rows(facts, look) for facts, look in pictures}
            self._check(lambda: self._store.replace_files(rows))
            new = {facts.file_id: look.content for facts, look in pictures}
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

    def of(self, file_ids: Collection[int]) -> dict[int, Look]:
        """How these files look; what is not known is left out."""
        rows = self._check(lambda: self._store.rows(f"{i}:{self._views}" for i in file_ids))
        made = {}
        for file_id, vectors in self._vectors(file_ids, self._views + 1).items():
            row = rows.get(f"{file_id}:{self._views}")
            if row is not None and row.lines is not None and len(vectors) == self._views + 1:
                side = math.isqrt(self._dim)
                small = vectors[-1].reshape(side, side)
                made[file_id] = Look(vectors[:-1], small, row.lines, row.symbol or "")
        return made

    def nearest(
        self, look: Look, where: str | None, limit: int, *, without: Sequence[int] = ()
    ) -> list[tuple[int, float]]:
        """Files [k] that look alike and their likeness, the best first; none of those `without`."""
        near: set[int] = set()
        for view in look.views:
            ask = partial(self._store.search_vector, view, where, limit * self._views)
            found = self._check(partial(ask, without=without), asked=True)
            near.update(candidate.file_id for candidate in found)
        told = self.likeness(look, near)
        return sorted(told.items(), key=lambda pair: -pair[1])[:limit]

    def likeness(self, look: Look, file_ids: Iterable[int]) -> dict[int, float]:
        """The largest cosine of any view with any, by file; a file that is not here is left out."""
        found = self._vectors(list(file_ids), self._views)
        return {i: float((views @ look.views.T).max()) for i, views in found.items()}

    def _vectors(self, file_ids: Collection[int], rows: int) -> dict[int, NDArray[np.float32]]:
        """The first so many rows [r, d] of each file."""
        asked = [(i, f"{i}:{row}") for i in file_ids for row in range(rows)]
        known = self._check(lambda: self._store.vectors([unit_id for _, unit_id in asked]))
        views: dict[int, list[NDArray[np.float32]]] = {}
        for file_id, unit_id in asked:
            if unit_id in known:
                views.setdefault(file_id, []).append(known[unit_id])
        return {file_id: np.stack(some) for file_id, some in views.items()}

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
            raise StoreDamagedError("How pictures look can't be read.") from error


def _rows(facts: FileFacts, look: Look) -> list[StoredUnit]:
    """A row a view, and one for the small picture. What they are of stands where passages have
    their symbol, and how large it is where they have their lines."""
    return [
        StoredUnit(
            Unit(facts.file_id, n, facts.kind, "", symbol=look.content, lines=look.size),
            facts,
            vector,
            None,
        )
        for n, vector in enumerate([*look.views, look.small.ravel()])
    ]
