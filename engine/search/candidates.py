"""What a query considers: units that a lane proposed, and files that are known by name alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.store import Candidate, Row, UnitStore

#: In place of a unit's id: the file as a whole, without any content.
NO_UNIT = ""


class Rows:
    """Rows of the store, each read once a query."""

    def __init__(self, store: UnitStore) -> None:
        self._store = store
        self._known: dict[str, Row] = {}

    def of(self, unit_ids: Iterable[str]) -> Mapping[str, Row]:
        """At least these units' rows by unit id; what is not in the store is left out."""
        missing = [uid for uid in unit_ids if uid not in self._known and uid != NO_UNIT]
        if missing:
            self._known.update(self._store.rows(missing))
        return self._known


@dataclass(frozen=True, slots=True)
class Candidates:
    """k candidates, one row each; with a unit, or a file known by name alone (NO_UNIT)."""

    unit_ids: Sequence[str]
    file_ids: Sequence[int]
    rows: Rows

    @classmethod
    def union(cls, proposals: Iterable[Candidate], rows: Rows) -> Candidates:
        """Every proposed unit once, in this order, then files of which no unit was proposed."""
        units: dict[str, int] = {}
        files: dict[int, None] = {}
        for proposal in proposals:
            if proposal.unit_id == NO_UNIT:
                files[proposal.file_id] = None
            else:
                units[proposal.unit_id] = proposal.file_id
        known = set(units.values())
        alone = [file_id for file_id in files if file_id not in known]
        return cls([*units, *[NO_UNIT] * len(alone)], [*units.values(), *alone], rows)

    def __len__(self) -> int:
        return len(self.unit_ids)

    @property
    def with_unit(self) -> list[int]:
        """Places of the candidates that have a unit."""
        return [i for i, unit_id in enumerate(self.unit_ids) if unit_id != NO_UNIT]

    def take(self, places: Iterable[int]) -> Candidates:
        """Some of them, in this order."""
        chosen = list(places)
        unit_ids = [self.unit_ids[i] for i in chosen]
        return Candidates(unit_ids, [self.file_ids[i] for i in chosen], self.rows)

    def places_in(self, other: Candidates) -> NDArray[np.intp]:
        """[k] where each of these stands in the other; -1 where it does not."""
        theirs = {pair: i for i, pair in enumerate(other.pairs)}
        return np.array([theirs.get(pair, -1) for pair in self.pairs], np.intp)

    @property
    def pairs(self) -> Iterator[tuple[str, int]]:
        """Unit and file of each."""
        return zip(self.unit_ids, self.file_ids, strict=True)
