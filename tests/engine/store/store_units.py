"""Units for a small store, and the shortest way to ask it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import FileFacts, Filters, Kind, PictureClass, Unit
from engine.store import Store, StoredUnit
from engine.store.analyzer import query_terms
from engine.store.condition import Condition
from engine.store.segments import TokenRecord

DIM = 16


def vector(seed: int) -> NDArray[np.float32]:
    x = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    return np.asarray(x / np.linalg.norm(x), dtype=np.float32)


def word(number: int) -> str:
    """A word for each number that shares no term with the others."""
    return "x" + "".join("bcdfghjklm"[int(digit)] for digit in str(number)) + "q"


def facts(
    file_id: int,
    path: str | None = None,
    kind: Kind = "note",
    picture: PictureClass | None = None,
    mtime: float = 1000.0,
    size: int = 10,
) -> FileFacts:
    path = path or f"/home/me/docs/{word(file_id)}p.md"
    return FileFacts(file_id, path, kind, picture, path.rpartition(".")[2], mtime, size)


def unit(
    file: FileFacts, ordinal: int = 0, text: str = "some words", seed: int | None = None
) -> StoredUnit:
    content = Unit(file.file_id, ordinal, file.kind, text, context="Title")
    seed = file.file_id * 100 + ordinal if seed is None else seed
    tokens = np.full((3, 8), seed % 100, dtype=np.int8)
    return StoredUnit(content, file, vector(seed), TokenRecord(tokens))


def found(store: Store, text: str, condition: Condition | None = None) -> list[str]:
    return [c.unit_id for c in store.search_text(query_terms(text), condition, 50)]


def kept(store: Store, filters: Filters, **demands: tuple[str, ...]) -> set[int]:
    """Files a vector search keeps; it ranks all, so only the filter removes."""
    condition = Condition(filters, **demands)
    return {c.file_id for c in store.search_vector(vector(0), condition, 100)}
