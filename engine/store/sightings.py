"""Pictures as a sight model sees them: a space for each such model, so that going back to one takes
no encoding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import FileFacts, Unit
from engine.store.condition import Condition
from engine.store.picture_space import PictureSpace
from engine.store.rows import StoredUnit
from engine.store.token_record import StoredTokens, TokenRecord

#: Begins the names of such spaces; that of the model's own space follows.
PREFIX = "pictures-"
#: Pictures that tell how near any picture is to a question.
_SAMPLE = 512
_FEW = 64  # the same by their tokens: 3 MB


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A file's pictures as a model sees them."""

    vectors: NDArray[np.float32]  # [p, d] unit length, one a picture; p at least 1
    pages: tuple[int | None, ...]  # [p] where each stands, 1-based; None of a file that is one
    content: str  # hash of the file's contents
    #: [p] their token vectors, where the model has no other measure; () where it has.
    tokens: Sequence[TokenRecord | None] = ()


#: A picture: its file, and the page where it stands.
Place = tuple[int, int | None]


class Sightings(PictureSpace[Sighting]):
    """What one sight model made of pictures."""

    def __init__(self, directory: Path, model_space: str, dim: int) -> None:
        """`model_space`: the name of the model's space, `dim` the size of its vectors."""
        self._sampled: tuple[int, NDArray[np.float32]] | None = None
        self._sampled_tokens: tuple[int, list[StoredTokens]] | None = None
        super().__init__(directory, sight_space(model_space), dim)

    def nearest(
        self,
        vector: NDArray[np.float32],
        condition: Condition | None,
        limit: int,
        *,
        pages: int = 1,
    ) -> list[tuple[int, int | None, float]]:
        """Files with the page that is nearest and its cosine, or with so many pages, the best
        first."""
        found = self._check(lambda: self._store.search_vector(vector, condition, limit), asked=True)
        counts: Counter[int] = Counter()
        best: dict[str, tuple[int, float]] = {}
        for candidate in found:
            counts[candidate.file_id] += 1
            if counts[candidate.file_id] <= pages:
                best[candidate.unit_id] = (candidate.file_id, candidate.score)
        rows = self._check(lambda: self._store.rows(best))
        return [
            (file_id, rows[unit_id].page if unit_id in rows else None, score)
            for unit_id, (file_id, score) in best.items()
        ]

    def cosines(
        self, vector: NDArray[np.float32], file_ids: Collection[int]
    ) -> dict[int, dict[int | None, float]]:
        """Of these files the cosine of each picture, by page; a file that is not here is left
        out."""
        told: dict[int, dict[int | None, float]] = {}
        here = [i for i in dict.fromkeys(file_ids) if i in self._contents]
        pages: dict[str, tuple[int, int | None]] = {}
        for file_id in here:
            for row in self._check(partial(self._store.file_rows, file_id)):
                pages[row.unit_id] = (file_id, row.page)
        vectors = self._check(lambda: self._store.vectors(pages))
        for unit_id, found in vectors.items():
            file_id, page = pages[unit_id]
            told.setdefault(file_id, {})[page] = float(found @ vector)
        return told

    def tokens(self, places: Collection[Place]) -> dict[Place, StoredTokens]:
        """Token vectors of pictures; what is not here, or has none, is left out."""
        refs = {
            (file_id, row.page): row.ref
            for file_id in dict.fromkeys(file_id for file_id, _ in places)
            for row in self._check(partial(self._store.file_rows, file_id))
            if row.ref is not None and (file_id, row.page) in places
        }
        records = self._check(lambda: self._store.tokens(list(refs.values())))
        return {at: record for at, record in zip(refs, records, strict=True) if len(record.tokens)}

    def some_tokens(self) -> list[StoredTokens]:
        """Those of some pictures, the same ones until others are written."""
        known = self._sampled_tokens
        if known is None or known[0] != self.changes:
            ids = sorted(self._contents)
            chosen = ids[:: max(1, len(ids) // _FEW)][:_FEW]
            rows = self._check(lambda: self._store.rows(f"{i}:0" for i in chosen))
            refs = [row.ref for row in rows.values() if row.ref is not None]
            known = self._sampled_tokens = self.changes, self._store.tokens(refs)
        return known[1]

    def sample(self) -> NDArray[np.float32]:
        """[n, d] vectors of some pictures, the same ones until others are written."""
        known = self._sampled
        if known is None or known[0] != self.changes:
            ids = sorted(self._contents)
            chosen = ids[:: max(1, len(ids) // _SAMPLE)][:_SAMPLE]
            found = self._check(lambda: self._store.vectors(f"{i}:0" for i in chosen))
            made = np.stack(list(found.values())) if found else np.zeros((0, self._dim), np.float32)
            known = self._sampled = self.changes, made
        return known[1]

    def _rows(self, facts: FileFacts, seen: Sighting) -> list[StoredUnit]:
        each = seen.tokens or [None] * len(seen.pages)
        return [
            StoredUnit(
                Unit(facts.file_id, n, facts.kind, "", page=page, symbol=seen.content),
                facts,
                vector,
                tokens,
            )
            for n, (page, vector, tokens) in enumerate(
                zip(seen.pages, seen.vectors, each, strict=True)
            )
        ]


def sight_space(model_space: str) -> str:
    """The name of a model's space in the role of sight."""
    return PREFIX + model_space


def sight_spaces(names: Sequence[str], model_id: str) -> list[str]:
    """Of these spaces those that a model made in the role of sight, whatever its edition."""
    return [name for name in names if name.startswith(f"{PREFIX}{model_id}-")]
