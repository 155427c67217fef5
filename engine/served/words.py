"""BM25 over points, as engine.store.array_bm25 scores it: the sparse index proposes units, and what
is proposed is scored by its terms, with the numbers of one view alone."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import numpy as np

from engine.served.payload import AVERAGE, TERMS, term_index
from engine.served.points import Filter, Found, HoldsTerms, IsPoint, Points
from engine.store.array_bm25 import K1, MOST_READ, B
from engine.store.rows import Candidate
from engine.store.term_groups import AnyOf, Variant, are_adjacent

#: Units that the sparse index proposes at most, and how many of them are read at once.
MOST_PROPOSED, _AT_ONCE = 4_000, 200
_FIELDS = ("id", "file_id", "fts", "rights")


class Numbers(Protocol):
    """What one view counts."""

    def totals(self) -> tuple[int, int]:
        """Units, and words of all of them."""

    def held(self, terms: Sequence[str]) -> Mapping[str, int]:
        """How many units hold each term."""

    def number(self, where: Filter) -> int:
        """How many units fulfil a filter."""


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """What holds a variant: a filter, and where only some that hold its terms do, which these
    are."""

    variant: Variant
    where: Filter
    only: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """A group with how rare it is in one view."""

    holdings: Sequence[Holding]
    rarity: float

    @property
    def where(self) -> Filter:
        """Whoever holds any of its variants."""
        return Filter(should=tuple(holding.where for holding in self.holdings))

    @property
    def most(self) -> float:
        """What it counts at best."""
        return self.rarity * max(h.variant.weight for h in self.holdings)


def weighed(group: AnyOf, points: Points, numbers: Numbers, visible: Filter) -> Weighed:
    """A group as one view has it: the units of `visible`, of which `numbers` tells."""
    holdings = [_holding(variant, points, visible) for variant in group.variants]
    units = numbers.totals()[0]
    holders = _holders(holdings, numbers)
    rarity = np.log1p((units - holders + 0.5) / (holders + 0.5))
    return Weighed(holdings, float(np.float32(rarity)))


def _holding(variant: Variant, points: Points, visible: Filter) -> Holding:
    where = Filter((HoldsTerms("fts", variant.terms),))
    if not variant.adjacent or len(variant.terms) < 2:
        return Holding(variant, where)
    read = points.scroll(where & visible, ["fts"], MOST_READ)
    there = [p.id for p in read if are_adjacent(variant.terms, p.payload.get("fts", ""))]
    return Holding(variant, Filter((IsPoint(there),)), frozenset(there))


def _holders(holdings: Sequence[Holding], numbers: Numbers) -> int:
    """How many units hold any of them. Of single terms numbers are known: the most common is not
    counted, but of each other one those that hold none before it."""
    single = [h.variant.terms[0] for h in holdings if len(h.variant.terms) == 1]
    known = numbers.held(single)
    sizes: list[int] = []
    for holding in holdings:
        terms = holding.variant.terms
        if len(terms) == 1:
            sizes.append(known.get(terms[0], 0))
        else:
            sizes.append(numbers.number(holding.where))
    total, before = 0, list[Filter]()
    for i in sorted(range(len(holdings)), key=lambda i: -sizes[i]):
        if not sizes[i]:
            break
        where = holdings[i].where
        total += numbers.number(where & Filter(must_not=tuple(before))) if before else sizes[i]
        before.append(where)
    return total


@dataclass(frozen=True, slots=True)
class Scored:
    """A unit with its score and its terms, set in spaces."""

    candidate: Candidate
    terms: str


def best(
    groups: Sequence[Weighed],
    points: Points,
    totals: tuple[int, int],
    where: Filter,
    limit: int,
    readable: Callable[[Found], bool],
) -> list[Scored]:
    """The units that fulfil a filter and score highest, best first.

    Whatever the index has not proposed, or was not read yet, scores no more than the index says it
    may: as soon as `limit` score as high, the others need not be read.
    """
    weights = _weights(groups)
    units, words = totals
    if not weights or not units or limit < 1:
        return []
    average = max(words / units, 1e-9)
    # Long units weigh more by the true average than in the index, where that is the smaller one.
    over = max(1.0, average / AVERAGE)
    scored: list[Scored] = []
    highest: list[float] = []  # the `limit` highest scores, the lowest first
    asked = min(max(2 * limit, _AT_ONCE), MOST_PROPOSED)
    seen = 0
    while True:
        proposed = points.nearest(TERMS, weights, where, asked)
        for start in range(seen, len(proposed), _AT_ONCE):
            some = proposed[start : start + _AT_ONCE]
            if len(highest) >= limit and highest[0] >= some[0].score * over:
                return _first(scored, limit)
            for point in points.fetch([p.id for p in some], _FIELDS):
                if not readable(point):
                    continue
                text = point.payload.get("fts", "")
                score = score_of(groups, point.id, text, average)
                if score <= 0:
                    continue
                unit = Candidate(point.payload["id"], point.payload["file_id"], score)
                scored.append(Scored(unit, text))
                if len(highest) < limit:
                    heapq.heappush(highest, score)
                else:
                    heapq.heappushpop(highest, score)
        seen = len(proposed)
        if seen < asked or asked >= MOST_PROPOSED:
            return _first(scored, limit)
        asked = min(4 * asked, MOST_PROPOSED)


def _weights(groups: Sequence[Weighed]) -> dict[int, float]:
    """What is asked of the sparse index: no unit's product is below its score."""
    weights: dict[int, float] = {}
    for group in groups:
        for holding in group.holdings:
            terms = dict.fromkeys(holding.variant.terms)
            for term in terms:
                place = term_index(term)
                weights[place] = weights.get(place, 0.0) + group.most / len(terms)
    return weights


def _first(scored: list[Scored], limit: int) -> list[Scored]:
    """Of equals the same ones whatever others there are."""
    scored.sort(key=lambda s: (-s.candidate.score, s.candidate.file_id, s.candidate.unit_id))
    return scored[:limit]


def score_of(groups: Sequence[Weighed], unit: UUID, text: str, average: float) -> float:
    """BM25 of a unit's terms."""
    terms = text.split()
    times = Counter(terms)
    norm = K1 * (1 - B + B * len(terms) / average)
    total = 0.0
    for group in groups:
        count, worth = 0, 0.0
        for holding in group.holdings:
            if holding.only is not None and unit not in holding.only:
                continue
            held = min(times[term] for term in holding.variant.terms)
            if held:
                count += held
                worth = max(worth, holding.variant.weight)
        if count:
            total += group.rarity * worth * count * (K1 + 1) / (count + norm)
    return total
