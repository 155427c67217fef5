"""Raw values: what a run's hits were ranked by, for whoever joins them with another index's."""

from __future__ import annotations

import math

from engine.contract.types import Statistics
from engine.search.query_run import QueryRun, RankedFile
from engine.store.term_groups import groups_of


def features_of(run: QueryRun, file: RankedFile) -> dict[str, float]:
    """By feature, of the file's best candidate, what lanes tell; and its scores."""
    place = file.places[0]
    told = {name: float(run.features.raw(name)[place]) for name in run.features}
    known = {name: round(value, 6) for name, value in told.items() if not math.isnan(value)}
    known["fused"] = round(float(run.fused[place]), 6)
    if place in run.rescored:
        known["rescored"] = round(file.score, 6)
    return known


def statistics_of(run: QueryRun) -> Statistics:
    """Of the index that a finished run looked in. InklingError of the store."""
    sources = run.context.sources
    groups = groups_of(run.context.expansion.asked)
    variants = [variant for group in groups for variant in group.variants]
    terms = list(dict.fromkeys(term for variant in variants for term in variant.terms))
    holding = sources.store.ask_words(lambda lexicon: lexicon.held(terms)) if terms else {}
    signals = {name: round(value, 6) for name, value in run.signals.items()}
    spec = sources.spec
    return Statistics(spec.id, spec.space, sources.store.count(), holding, signals)
