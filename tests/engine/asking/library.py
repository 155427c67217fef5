"""A small library in a real store, read by the real embedded model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.contract.kinds import Kind
from engine.contract.paths import BaseDir
from engine.contract.types import FileFacts, Filters, Unit
from engine.engine import Engine
from engine.models.registry import DEFAULT_MODEL, model_spec
from engine.search.ports import NameMatch
from engine.store import StoredUnit


@dataclass(frozen=True)
class Passage:
    """A unit of a file to be."""

    path: str
    text: str
    kind: Kind = "note"
    page: int | None = None
    symbol: str | None = None
    context: str = ""


def counted(text: str) -> int:
    """Tokens of a tokeniser that takes four characters at a time."""
    return -(-len(text) // 4)


def no_names(words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
    """No name answers."""
    return []


def library(base: BaseDir, passages: Sequence[Passage]) -> Engine:
    """Files are numbered from 1 in the order in which they come; a file's units follow one
    another."""
    engine = Engine(base, model_spec(DEFAULT_MODEL), no_names)
    engine.replace(stored(engine, passages, 1))
    return engine


def stored(engine: Engine, passages: Sequence[Passage], first: int) -> dict[int, list[StoredUnit]]:
    """Encoded units by file."""
    ids: dict[str, int] = {}
    counts: dict[str, int] = {}
    units = []
    for one in passages:
        file_id = ids.setdefault(one.path, first + len(ids))
        ordinal = counts[one.path] = counts.get(one.path, -1) + 1
        ext = one.path.rpartition(".")[2]
        facts = FileFacts(file_id, one.path, one.kind, None, ext, 1e9 + file_id, 100)
        unit = Unit(
            file_id, ordinal, one.kind, one.text, one.context, page=one.page, symbol=one.symbol
        )
        units.append((facts, unit))
    made: dict[int, list[StoredUnit]] = {}
    for one_stored in engine.encode(units):
        made.setdefault(one_stored.unit.file_id, []).append(one_stored)
    return made
