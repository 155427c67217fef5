"""What exact search is asked for: terms, and for each of them what else will do in its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Variant:
    """Terms that a unit must hold all of, and what finding them counts: 1 as much as the term that
    was asked for."""

    terms: tuple[str, ...]
    weight: float = 1.0
    adjacent: bool = False  # side by side, in this order


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Variants of one word of a question: together they count once, and are as rare as all of
    them together."""

    variants: tuple[Variant, ...]


Asked: TypeAlias = str | AnyOf


def groups_of(asked: Iterable[Asked]) -> Sequence[AnyOf]:
    """Each once, in this order."""
    whole = (AnyOf((Variant((a,)),)) if isinstance(a, str) else a for a in asked)
    return list(dict.fromkeys(whole))


def are_adjacent(terms: Sequence[str], text: str) -> bool:
    """Whether a unit's terms, set in spaces, hold these side by side."""
    return f" {' '.join(terms)} " in f" {text} "
