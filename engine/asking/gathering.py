"""What a question finds: units with how probable it is that each answers, across all its runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.asking.candidates import Candidate
from engine.contract.query import changed, parse
from engine.contract.types import Query
from engine.search.query_run import QueryRun
from engine.store import Row, UnitStore

#: Units of a run that are looked at: the ranker rescores 60, and what is below answers hardly ever.
_MOST = 80
#: Where nothing is fitted: by how much less the ranker's score is of one that is a third as likely.
_SCALE = 0.1
#: Of filters alone: the beginnings of so many of the newest files.
_NEWEST = 10
#: What a unit that an earlier answer rests on counts beside the best one found now, and how much
#: less for each turn that lies between.
_KEPT, _EARLIER = 0.5, 0.6
#: Files whose places are asked of the names.
_WANTED = 20


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Candidates, best first, and the run that knows each best."""

    candidates: Sequence[Candidate]
    runs: Sequence[QueryRun]
    weak: bool  # nothing matches well


def gather(
    search: Callable[[Query, int], list[QueryRun]],
    store: UnitStore,
    query: Query,
    before: str,
    kept: Sequence[Sequence[str]],
) -> Gathered:
    """Search, and keep what earlier turns rest on.

    before: the question before this one, "" if there is none. Then the question is asked with its
    words as well, as "and in 2019?" needs; each unit counts by the search that it answers better.
    kept: unit ids of each earlier turn, oldest first; what is gone is left out.
    """
    found = [search(query, _WANTED)]
    if (earlier := parse(before).text) and query.text:
        words = changed(query, lambda q: replace(q, text=f"{earlier} {q.text}"))
        found.append(search(words, _WANTED))
    answering = [runs for runs in found if not all(run.weak for run in runs)]
    best: dict[str, Candidate] = {}
    for run in (run for runs in answering for run in runs if not run.weak):
        for one in _of_run(run, store):
            known = best.get(one.row.unit_id)
            if known is None or one.relevance > known.relevance:
                best[one.row.unit_id] = one
    top = max((one.relevance for one in best.values()), default=1.0)
    for one in _of_turns(store, kept, found[0][0], top):
        known = best.get(one.row.unit_id)
        if known is None or one.relevance > known.relevance:
            best[one.row.unit_id] = one
    ranked = sorted(best.values(), key=lambda one: -one.relevance)
    return Gathered(ranked, [run for runs in found for run in runs], not ranked)


def _of_run(run: QueryRun, store: UnitStore) -> list[Candidate]:
    if run.only_filters:
        files = [match.file.file_id for match in run.names if match.state == "done"][:_NEWEST]
        rows = [row for file_id in files for row in store.file_rows(file_id)[:1]]
        return [Candidate(row, 1 / (2 + place), row.file_id, run) for place, row in enumerate(rows)]
    units = set(run.candidates.with_unit)
    order = np.argsort(-run.scores, kind="stable").tolist()
    places = [place for place in order if place in units][:_MOST]
    known = run.candidates.rows.of([run.candidates.unit_ids[place] for place in places])
    owners = run.context.copies.owners([run.candidates.file_ids[place] for place in places])
    relevance = _relevance(run, places)
    return [
        Candidate(known[unit_id], told, owner, run)
        for place, told, owner in zip(places, relevance, owners, strict=True)
        if (unit_id := run.candidates.unit_ids[place]) in known
    ]


def _relevance(run: QueryRun, places: Sequence[int]) -> list[float]:
    """0..1 of each of these candidates, best first: falling, as the ranker orders them."""
    if not places:
        return []
    scores = run.scores[list(places)]
    gaps = (scores[0] - scores).tolist()
    told = run.probabilities(places)
    if told is None:
        return [math.exp(-gap / _SCALE) for gap in gaps]
    falling: list[float] = np.minimum.accumulate(np.array(told)).tolist()
    return falling


def _of_turns(
    store: UnitStore, kept: Sequence[Sequence[str]], run: QueryRun, top: float
) -> list[Candidate]:
    """What earlier turns rest on, the last one's first; `top`: relevance of the best found now."""
    relevance: dict[str, float] = {}
    for ago, units in enumerate(reversed(kept)):
        for unit in units:
            relevance.setdefault(unit, top * _KEPT * _EARLIER**ago)
    alive = run.context.sources.alive
    rows: dict[str, Row] = {}
    if known := [unit for unit in relevance if _is_unit(unit)]:
        rows = store.rows(known)
    return [
        Candidate(row, relevance[unit], row.file_id, run, kept=True)
        for unit, row in rows.items()
        if alive(row.file_id)
    ]


def _is_unit(unit: str) -> bool:
    """Whether it looks like a unit's id; a face hands back what it was given, or anything."""
    file_id, _, ordinal = unit.partition(":")
    return all(part.isascii() and part.isdigit() and len(part) < 19 for part in (file_id, ordinal))
