"""Union: the answers of several indexes to one question as one ranked list.

Answers of one vector space are judged anew by one ranker, as if all had been in one index: what has
no scale of its own (BM25, and all that counts as a share of the best) is measured by what they hold
together. Those of other models meet them by how probable each ranker says that its hits answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import structs

from engine.contract.types import Answer, Hit, Statistics
from engine.search import signals
from engine.search.features import FeatureMatrix, Floats
from engine.search.lanes import LANES
from engine.search.ranker import BY_PIXELS, Ranker, below_rescored
from engine.search.raw_values import PART

#: How little the first ranks differ where lists of different models meet (reciprocal rank fusion).
RANKS = 60
_COLUMNS = {feature.name: feature for lane in LANES.values() for feature in lane.columns}


@dataclass(frozen=True, slots=True)
class Ranked:
    """Hits, best first; how many of them answer, where that is known, and whether none does."""

    hits: list[Hit]
    matches: int | None
    weak: bool


def union(answers: Sequence[Answer], ranker: Ranker, limit: int, *, newest: bool = False) -> Answer:
    """One answer of several, the first of which is this machine's: what is said of the question is
    said of that. `ranker`: of its model. `newest`: nothing was asked but filters."""
    first = answers[0]
    if newest:
        hits = sorted((hit for one in answers for hit in one.hits), key=lambda hit: -hit.mtime)
        whole = [one.matches for one in answers]
        known = None if None in whole else sum(filter(None, whole))
        return _as_one(first, Ranked(_folded(hits), known, False), limit)
    space = _space(answers)
    told = [space is not None and _space([one]) == space for one in answers]
    ours = [one for one, same in zip(answers, told, strict=True) if same]
    others: Sequence[Answer] = [one for one, same in zip(answers, told, strict=True) if not same]
    if len(ours) == 1:  # its own index has judged it
        others, ours = answers, []
    lists = [_judged(ours, ranker)] if ours else []
    lists += [Ranked(list(one.hits), one.matches, one.weak) for one in others]
    return _as_one(first, lists[0] if len(lists) == 1 else by_chance(lists), limit)


def _space(answers: Sequence[Answer]) -> tuple[str, str] | None:
    """Model and space of the first that tells them."""
    told = next((one.statistics for one in answers if one.statistics is not None), None)
    return None if told is None else (told.model, told.space)


def _as_one(first: Answer, ranked: Ranked, limit: int) -> Answer:
    hits = tuple(ranked.hits[:limit])
    known = ranked.matches
    matches = None if known is None or known >= limit else min(known, len(hits))
    return structs.replace(
        first, hits=hits, matches=matches, weak=ranked.weak, stage="merged", statistics=None
    )


def _judged(answers: Sequence[Answer], ranker: Ranker) -> Ranked:
    """By features, of which each means the same in all of these answers."""
    told = [one.statistics for one in answers]
    known = [statistics for statistics in told if statistics is not None]
    shares = coverage_shares(answers)
    hits = [hit for one in answers for hit in one.hits]
    columns: dict[str, list[float]] = {name: [] for name in _COLUMNS}
    for one, share in zip(answers, shares, strict=True):
        for hit in one.hits:
            for name, column in columns.items():
                value = hit.features.get(name, math.nan)
                column.append(value * share if name == "term_coverage" else value)
    columns["text"] = bm25(answers)
    matrix = FeatureMatrix(len(hits))
    for name, column in columns.items():
        if not all(map(math.isnan, column)):
            matrix.add(_COLUMNS[name], np.array(column, np.float32))
    asked = _signals(known, hits, matrix)
    weights = ranker.weights_for([_COLUMNS[name] for name in matrix], asked)
    scores = _final(hits, matrix.weighted(weights))
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    kept = _first_places([hits[i] for i in order])
    places = np.array([order[place] for place in kept], np.intp)
    weak = ranker.is_weak(asked)
    of_hits = signals.of_hits(matrix, scores, places)
    of_hits |= {name: matrix.value(name)[places] for name in BY_PIXELS}
    rows = [{name: float(c[n]) for name, c in of_hits.items()} | asked for n in range(len(places))]
    probable = ranker.probabilities(rows)
    judged = {}
    for n, place in enumerate(places.tolist()):
        features = hits[place].features
        if probable is not None:
            features = features | {"probability": probable[n]}
        judged[place] = structs.replace(
            hits[place], score=round(float(scores[place]), 5), features=features
        )
    found = _folded([judged.get(i, hits[i]) for i in order])
    return Ranked(found, 0 if weak else ranker.count_matching(rows), weak)


def _final(hits: Sequence[Hit], scores: Floats) -> Floats:
    """As `QueryRun.final_scores`: passages that were not looked at more closely come below those
    that were."""
    close = np.array(["rescored" in hit.features for hit in hits], np.bool_)
    rest = np.array(["dense" in h.features or "text" in h.features for h in hits], np.bool_)
    rest &= ~close
    if close.any() and rest.any():
        fused = np.array([hit.features.get("fused", 0.0) for hit in hits], np.float32)
        scores[rest] = below_rescored(scores[close], fused[rest])
    return scores


def bm25(answers: Sequence[Answer]) -> list[float]:
    """Of each hit what it would be if all were in one index: what is asked for is as rare as it is
    in all of them together."""
    told = [one.statistics for one in answers if one.statistics is not None]
    units = sum(one.units for one in told)
    keys = {key for one in told for key in one.holding}
    holding = {key: sum(one.holding.get(key, 0) for one in told) for key in keys}
    together = {key: _rarity(units, holding[key]) for key in keys}
    column = []
    for one, statistics in zip(answers, told, strict=True):
        held = {key: statistics.holding.get(key, 0) for key in keys}
        share = {k: together[k] / max(_rarity(statistics.units, held[k]), 1e-9) for k in keys}
        for hit in one.hits:
            parts = {k[len(PART) :]: v for k, v in hit.features.items() if k.startswith(PART)}
            added = sum(points * (share.get(key, 1.0) - 1.0) for key, points in parts.items())
            column.append(hit.features.get("text", math.nan) + added)
    return column


def coverage_shares(answers: Sequence[Answer]) -> list[float]:
    """By what the coverage of each is to be multiplied: it is a share of what its best file covers,
    and how much of the question that is, is told by how much its hits hold exactly."""
    best = [max(map(_covered, one.hits), default=0.0) for one in answers]
    most = max(best, default=0.0)
    return [mine / most if mine and most else 1.0 for mine in best]


def _covered(hit: Hit) -> float:
    """Of the question, what the file covers most of it in this hit's index."""
    share = hit.features.get("term_coverage", 0.0)
    return hit.features.get("exact_coverage", 0.0) / share if share else 0.0


def _rarity(units: int, holding: int) -> float:
    """BM25's, of a term that so many of the units hold."""
    held = min(holding, units)
    return math.log1p((units - held + 0.5) / (held + 0.5))


def _signals(
    told: Sequence[Statistics], hits: Sequence[Hit], matrix: FeatureMatrix
) -> dict[str, float]:
    """Of the question as the first has them, and the best of all."""
    found = dict(told[0].signals)
    for one in told[1:]:
        for name, value in one.signals.items():
            if name.startswith("best_"):
                found[name] = max(value, found.get(name, value))
    near = np.nan_to_num(matrix.raw("dense"), nan=-1.0)
    nearest = np.argsort(-near, kind="stable")[: signals.NEAREST]
    return found | signals.of_kinds([hits[int(i)].kind for i in nearest])


def by_chance(lists: Sequence[Ranked]) -> Ranked:
    """Lists whose scores can't be compared, by how probable each ranker says that its hits answer;
    where one does not say, by rank. Measured on halves of six sets (`tests.benchmarks.union`):
    nDCG@10 0.658 by probability, 0.594 by rank. What matches in any of them matches."""
    told = all("probability" in hit.features for ranked in lists for hit in ranked.hits)
    scored: list[tuple[float, Hit]] = []
    match: set[tuple[str, str]] = set()
    for ranked in lists:
        least = 1.0  # none is before one that its own ranker put before it
        for rank, hit in enumerate(ranked.hits, 1):
            least = min(least, hit.features["probability"]) if told else 1.0 / (RANKS + rank)
            scored.append((least, hit))
        match |= {(h.archive, h.path) for h in ranked.hits[: ranked.matches or 0]}
    hits = _folded([hit for _, hit in sorted(scored, key=lambda pair: -pair[0])])
    last = max((n for n, hit in enumerate(hits, 1) if (hit.archive, hit.path) in match), default=0)
    known = all(ranked.matches is not None or ranked.weak for ranked in lists)
    return Ranked(hits, last if known else None, all(ranked.weak for ranked in lists))


def _same_file(hit: Hit) -> tuple[object, ...]:
    """What tells that two hits are one file: its bytes, else where it lies and how long it is."""
    return (hit.content,) if hit.content else (hit.path, hit.size)


def _first_places(hits: Sequence[Hit]) -> list[int]:
    """Places of hits of which none before is the same file."""
    seen: dict[tuple[object, ...], int] = {}
    for place, hit in enumerate(hits):
        seen.setdefault(_same_file(hit), place)
    return list(seen.values())


def _folded(hits: Sequence[Hit]) -> list[Hit]:
    """Each file once, at its best place; the one on this machine stands for those elsewhere."""
    best: dict[tuple[object, ...], Hit] = {}
    for hit in hits:
        key = _same_file(hit)
        stands = best.setdefault(key, hit)
        if stands.archive and not hit.archive:
            best[key] = structs.replace(hit, score=stands.score)
    return list(best.values())
