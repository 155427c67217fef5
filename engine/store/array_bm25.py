"""BM25 of the units of one commit, as LanceDB scores them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.store.array_terms import Terms
from engine.store.term_groups import AnyOf, Asked, Variant, are_adjacent, groups_of

K1, B = 1.2, 0.75
#: Units whose terms are read to see whether some stand side by side.
MOST_READ = 200
#: What groups add is kept for so many units in all (8 bytes each): one search asks for the same
#: groups three times and more.
_KEPT_UNITS = 4_000_000
#: The terms, set in spaces, of some rows.
Texts = Callable[[NDArray[np.intp]], Sequence[str]]
#: Rows [k] in order, how often each holds what is asked for, and what it counts there.
_Holders = tuple[NDArray[Any], NDArray[Any], NDArray[np.float32]]
#: Rows [k] in order, and what finding a group there adds to their scores.
_Points = tuple[NDArray[Any], NDArray[np.float32]]


class Scorer:
    """Scores n rows of these lengths (words), of which some are alive; for any thread."""

    def __init__(
        self, terms: Terms, lengths: NDArray[np.uint32], alive: NDArray[np.bool_], texts: Texts
    ) -> None:
        self._terms, self._alive, self._texts = terms, alive, texts
        self._units = int(np.count_nonzero(alive))
        average = max(float(lengths[alive].mean()) if self._units else 0.0, 1e-9)
        self._norms = np.asarray(K1 * (1 - B + B * lengths.astype(np.float32) / average))
        self._lock = threading.Lock()
        self._kept: OrderedDict[AnyOf, _Points] = OrderedDict()
        self._kept_units = 0

    def scores(
        self, asked: Iterable[Asked], allowed: NDArray[np.bool_], *, every: bool = False
    ) -> NDArray[np.float32]:
        """[n] 0 where a row is not allowed or holds nothing (or not every term) that is asked for.
        What is rare is told by all that are alive. ValueError, OSError."""
        total = np.zeros(len(self._alive), np.float32)
        held = np.zeros(len(self._alive), np.uint16)
        groups = groups_of(asked)
        for group in groups:
            rows, points = self._points(group)
            if allowed is not self._alive:
                there = allowed[rows]
                rows, points = rows[there], points[there]
            total[rows] += points
            if every:
                held[rows] += 1
        if every:
            total[held < len(groups)] = 0
        return total

    def scores_of(self, asked: Iterable[Asked], places: NDArray[np.intp]) -> NDArray[np.float32]:
        """[k] the same of these rows alone, which are in order. ValueError, OSError."""
        total = np.zeros(len(places), np.float32)
        for group in groups_of(asked):
            rows, points = self._points(group)
            if len(rows):
                at = np.minimum(np.searchsorted(rows, places), len(rows) - 1)
                there = rows[at] == places
                total[there] += points[at[there]]
        return total

    def _points(self, group: AnyOf) -> _Points:
        with self._lock:
            if group in self._kept:
                self._kept.move_to_end(group)
                return self._kept[group]
        rows, counts, worth = self._group(group)
        rarity = np.log1p((self._units - len(rows) + 0.5) / (len(rows) + 0.5))
        times = counts.astype(np.float32)
        points = np.float32(rarity) * worth * times * (K1 + 1) / (times + self._norms[rows])
        made = rows, np.asarray(points, np.float32)
        with self._lock:
            if group not in self._kept:
                self._kept[group] = made
                self._kept_units += len(rows)
            while len(self._kept) > 1 and self._kept_units > _KEPT_UNITS:
                self._kept_units -= len(self._kept.popitem(last=False)[1][0])
        return made

    def _group(self, group: AnyOf) -> _Holders:
        """Who of the living holds any of its variants."""
        found = [self._variant(variant) for variant in group.variants]
        if len(found) == 1:
            return found[0]
        rows, places = np.unique(np.concatenate([f[0] for f in found]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([f[1] for f in found]), len(rows))
        worth = np.zeros(len(rows), np.float32)
        np.maximum.at(worth, places, np.concatenate([f[2] for f in found]))
        return rows, counts, worth

    def _variant(self, variant: Variant) -> _Holders:
        """Who of the living holds all of its terms, as often as the rarest of them."""
        rows, counts = self._terms.living(variant.terms[0], self._alive)
        for term in variant.terms[1:]:
            others, times = self._terms.living(term, self._alive)
            rows, mine, theirs = np.intersect1d(
                rows, others, assume_unique=True, return_indices=True
            )
            counts = np.minimum(counts[mine], times[theirs])
        if variant.adjacent and len(variant.terms) > 1:
            rows, counts = rows[:MOST_READ], counts[:MOST_READ]
            there = [
                are_adjacent(variant.terms, text) for text in self._texts(rows.astype(np.intp))
            ]
            rows, counts = rows[there], counts[there]
        return rows, counts, np.full(len(rows), variant.weight, np.float32)


def best_of(scores: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """Places of the highest scores above 0, best first."""
    places = np.flatnonzero(scores)
    if len(places) > limit:
        places = places[np.argpartition(-scores[places], limit - 1)[:limit]]
    return places[np.argsort(-scores[places], kind="stable")]
