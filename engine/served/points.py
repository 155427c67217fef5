"""Points: what the store over Qdrant asks of a collection, in the process or on a server.

Filters are data of our own, so that one meaning is put into either library's words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TypeAlias, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
#: A vector of a point: a direction, or what a sparse one has at which place.
Vector: TypeAlias = NDArray[np.float32] | Mapping[int, float]


@dataclass(frozen=True, slots=True)
class AnyOfValues:
    """Of a field one of these, equal."""

    key: str
    values: Sequence[str] | Sequence[int]


@dataclass(frozen=True, slots=True)
class HoldsTerms:
    """A field of terms set in spaces has all of these, each whole."""

    key: str
    terms: Sequence[str]


@dataclass(frozen=True, slots=True)
class HoldsText:
    """A field holds this text anywhere, or begins with it."""

    key: str
    text: str
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """A number within bounds."""

    key: str
    gte: float | None = None
    gt: float | None = None
    lte: float | None = None
    lt: float | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """A field has a value."""

    key: str


@dataclass(frozen=True, slots=True)
class IsPoint:
    """It is one of these points."""

    ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Filter:
    """All of `must`, one of `should` where there are any, none of `must_not`."""

    must: tuple[Demand, ...] = ()
    should: tuple[Demand, ...] = ()
    must_not: tuple[Demand, ...] = ()

    def __and__(self, other: Filter) -> Filter:
        """Both."""
        if self.should and other.should:
            return Filter((*self.must, self, other))
        return Filter(
            (*self.must, *other.must),
            self.should or other.should,
            (*self.must_not, *other.must_not),
        )


Demand: TypeAlias = AnyOfValues | HoldsTerms | HoldsText | Between | Present | IsPoint | Filter
#: What no point fulfils.
NOTHING = Filter(must=(IsPoint(()),))
EVERYTHING = Filter()


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A point to be stored; vectors by name."""

    id: UUID
    payload: Mapping[str, Any]
    vectors: Mapping[str, Vector] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A point as it was found: what was asked of its payload and vectors, and its score if it was
    looked for by a vector."""

    id: UUID
    payload: Mapping[str, Any]
    score: float = 0.0
    vectors: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


def point_id(unit_id: str) -> UUID:
    """The id of a unit's point: 128 bits of a hash, so that the order of ids is by chance, and the
    same of some units whatever others there are."""
    return UUID(bytes=hashlib.blake2b(unit_id.encode(), digest_size=16).digest())


@dataclass(frozen=True, slots=True)
class Shape:
    """What a collection is made for."""

    dense: Mapping[str, int] = field(default_factory=dict)  # dimensions by name
    searched: frozenset[str] = frozenset()  # those of them that are searched
    sparse: frozenset[str] = frozenset()
    keywords: frozenset[str] = frozenset()  # payload that filters ask, by type
    integers: frozenset[str] = frozenset()
    floats: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()


def parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """All of them in order, so many at once."""
    left = iter(items)
    while part := list(islice(left, size)):
        yield part


class Points(Protocol):
    """One collection. Reads from any thread, writes from one. Whatever fails leaves as an
    InklingError."""

    def upsert(self, points: Sequence[Point]) -> None:
        """Store these; what of the same ids there was is replaced whole."""

    def delete(self, where: Filter) -> None:
        """Remove what fulfils a filter."""

    def assign(self, where: Filter, payload: Mapping[str, Any]) -> None:
        """Give these fields to what fulfils a filter; its other fields stay."""

    def nearest(
        self, name: str, vector: Vector, where: Filter, limit: int, fields: Sequence[str] = ()
    ) -> list[Found]:
        """Points whose vector of that name is nearest (of a sparse one: has the highest product),
        best first, none beside the best left out."""

    def fetch(
        self, ids: Sequence[UUID], fields: Sequence[str] | None, vectors: Sequence[str] = ()
    ) -> list[Found]:
        """Points by id in any order, with these fields (None: all); what is not there is left
        out."""

    def scroll(
        self, where: Filter, fields: Sequence[str] | None, most: int | None = None
    ) -> Iterator[Found]:
        """All, or the first so many, that fulfil a filter, in the order of their ids."""

    def count(self, where: Filter) -> int:
        """How many fulfil a filter, exactly."""

    def values(self, key: str, where: Filter, most: int) -> dict[str | int, int]:
        """The values of a field, with how many of what fulfils a filter have each, exactly."""

    def flush(self) -> None:
        """Have all that was written on disk."""

    def tend(self) -> None:
        """Do what keeps searching fast, if anything is due; it may take a while."""

    def close(self) -> None:
        """Let go of it."""
