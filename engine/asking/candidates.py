"""A unit that may be given to the model."""

from __future__ import annotations

from dataclasses import dataclass

from engine.search.query_run import QueryRun
from engine.store import Row


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A unit and how probable it is that it answers."""

    row: Row
    relevance: float  # 0..1
    owner: int  # its file, or one that stands for it and its copies
    run: QueryRun  # knows what in it answers
    kept: bool = False  # an earlier answer rests on it

    @property
    def ordinal(self) -> int:
        """Its place in the file."""
        return int(self.row.unit_id.rpartition(":")[2])
