"""Small archives for tests, and whether two hold the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from engine.archive import Archive, ArchivedFile, SeenAs, file_id
from engine.contract.types import FileFacts, Unit
from engine.models.registry import MODELS
from engine.store import StoredUnit
from engine.store.token_record import TokenRecord

SPEC = dataclasses.replace(MODELS["minilm"], dim=16, token_dim=8)

Entry = tuple[ArchivedFile, list[StoredUnit]]


def entry(
    archive: Archive,
    name: str,
    units: int = 2,
    *,
    word: str = "apple",
    readers: Iterable[str] = ("everyone",),
    **fields: Any,
) -> Entry:
    """A file of an archive, and units that are told by its name, their number and a word."""
    path, said = f"/source/{name}", name.encode(errors="replace").decode()
    number = file_id(archive.about.archive_id, path)
    facts = FileFacts(number, path, "note", None, "txt", 1.5, 10, {"pages": 3.0})
    rng = np.random.default_rng(sum(f"{name} {word}".encode(errors="surrogateescape")))
    stored = []
    for ordinal in range(units):
        vector = rng.normal(size=archive.about.dim).astype(np.float32)
        tokens = rng.integers(-127, 127, (3, archive.about.token_dim)).astype(np.int8)
        spans = np.array([(0, 1), (2, 3), (4, 5)], np.int32)
        unit = Unit(number, ordinal, "note", f"{word} {said} {ordinal}", "Title", 1, (1, 2))
        vector /= np.linalg.norm(vector)
        stored.append(StoredUnit(unit, facts, vector, TokenRecord(tokens, spans)))
    seen = SeenAs(10, 1_500_000_000, 1_600_000_000)
    given = {"version": "text1", "seen_as": seen, "thumb": b"png", **fields}
    return ArchivedFile(facts, f"hash of {word}", frozenset(readers), **given), stored


def same_archive(a: Archive, b: Archive) -> bool:
    """Whether two hold the same files, units, vectors, tokens and readers; commits and times aside.

    Paths tell which files are the same ones: numbers of files are those of their archives.
    """
    return contents(a) == contents(b)


def contents(archive: Archive) -> dict[str, Any]:
    """All that is in an archive, by paths, to be compared."""
    files = {file.facts.path: file for file in archive.files()}
    units: dict[str, list[Any]] = {path: [] for path in files}
    for stored in archive.units(file.file_id for file in files.values()):
        units[stored.file.path].append(_plain(stored))
    return {path: (_facts(file), units[path]) for path, file in files.items()}


def _facts(file: ArchivedFile) -> ArchivedFile:
    return dataclasses.replace(file, facts=dataclasses.replace(file.facts, file_id=0))


def _plain(stored: StoredUnit) -> tuple[Any, ...]:
    record = stored.tokens
    arrays: Sequence[Any] = (
        ()
        if record is None
        else [record.tokens, record.spans, record.boxes, record.word_spans, record.word_boxes]
    )
    return (
        dataclasses.replace(stored.unit, file_id=0),
        None if stored.vector is None else stored.vector.astype(np.float16).tobytes(),
        [None if array is None else array.tolist() for array in arrays],
    )
