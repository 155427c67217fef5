"""How pictures look: a space of the small network that comes with Inkling."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import FileFacts, Look, Unit
from engine.store.condition import Condition
from engine.store.picture_space import PictureSpace
from engine.store.rows import StoredUnit
from engine.store.spaces import drop_space, list_spaces, table_name

#: Begins the names of such spaces, whatever made the looks.
PREFIX = "sight-"


class Looks(PictureSpace[Look]):
    """The looks of pictures."""

    def __init__(self, directory: Path, space: str, dim: int, views: int) -> None:
        """`space` begins with PREFIX; those that earlier versions made are removed. A look has so
        many views [v, dim], and its small picture as many pixels as `dim`."""
        self._views = views
        for other in list_spaces(directory):
            if other.startswith(PREFIX) and other != table_name(space):
                drop_space(directory, other)
        super().__init__(directory, space, dim)

    # Reading

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
        self, look: Look, condition: Condition | None, limit: int, *, without: Sequence[int] = ()
    ) -> list[tuple[int, float]]:
        """Files [k] that look alike and their likeness, the best first; none of those `without`."""
        near: set[int] = set()
        for view in look.views:
            ask = partial(self._store.search_vector, view, condition, limit * self._views)
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

    def _rows(self, facts: FileFacts, seen: Look) -> list[StoredUnit]:
        """A row a view, and one for the small picture. How large it is stands where passages have
        their lines."""
        return [
            StoredUnit(
                Unit(facts.file_id, n, facts.kind, "", symbol=seen.content, lines=seen.size),
                facts,
                vector,
                None,
            )
            for n, vector in enumerate([*seen.views, seen.small.ravel()])
        ]
