"""Raw values: what a run's hits were ranked by, for whoever joins them with another index's."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.contract.types import Statistics
from engine.search.query_run import QueryRun, RankedFile
from engine.store.lexicon import Lexicon
from engine.store.term_groups import AnyOf, groups_of

#: Before what is asked for: the feature that is its part of BM25 (`text`).
PART = "text:"
#: Passages of the hits' files in which each part is looked for.
_PASSAGES = 600


def features_of(run: QueryRun, files: Sequence[RankedFile]) -> list[dict[str, float]]:
    """For each of these files by feature what lanes tell of its best candidate; its scores, and how
    probable it answers, where that is known. InklingError of the store."""
    places = [file.places[0] for file in files]
    parts = _bm25_parts(run, places)
    probable = run.probabilities(places)
    close = set(run.rescored.tolist())
    told = []
    for n, (file, place) in enumerate(zip(files, places, strict=True)):
        values = {name: float(run.features.raw(name)[place]) for name in run.features}
        values = {name: value for name, value in values.items() if not math.isnan(value)}
        values |= {PART + key: points[place] for key, points in parts.items() if place in points}
        values["fused"] = float(run.fused[place])
        if place in close:
            values["rescored"] = file.score
        if probable is not None:
            values["probability"] = probable[n]
        told.append({name: round(value, 6) for name, value in values.items()})
    return told


def statistics_of(run: QueryRun) -> Statistics:
    """Of the index that a finished run looked in. InklingError of the store."""
    sources = run.context.sources
    groups = groups_of(run.context.expansion.asked)
    holding = sources.store.ask_words(lambda lexicon: _holding(lexicon, groups)) if groups else {}
    signals = {name: round(value, 6) for name, value in run.signals.items()}
    spec = sources.spec
    return Statistics(spec.id, spec.space, sources.store.count(), holding, signals)


def _bm25_parts(run: QueryRun, places: Sequence[int]) -> dict[str, dict[int, float]]:
    """By what is asked for, and by place, what finding it there adds to BM25."""
    candidates, store = run.candidates, run.context.sources.store
    at = {candidates.unit_ids[place]: place for place in places}
    owners = sorted({candidates.file_ids[place] for place in places})
    parts: dict[str, dict[int, float]] = {}
    for group in groups_of(run.context.expansion.asked):
        found = store.text_within([group], owners, _PASSAGES).found
        parts[_key(group)] = {at[c.unit_id]: c.score for c in found if c.unit_id in at}
    return parts


def _holding(lexicon: Lexicon, groups: Sequence[AnyOf]) -> dict[str, int]:
    """By what is asked for how many units hold it, or one of those that will do, taken as if no
    unit held two of them."""
    variants = {variant for group in groups for variant in group.variants}
    held = lexicon.held(sorted({term for variant in variants for term in variant.terms}))
    return {
        _key(group): sum(min(held.get(term, 0) for term in v.terms) for v in group.variants)
        for group in groups
    }


def _key(group: AnyOf) -> str:
    return " ".join(group.variants[0].terms)
