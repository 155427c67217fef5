"""Phrases: where one may stand, and when a query that nothing meets has them relaxed to words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.contract.types import Query
from engine.search.ports import NameIndex
from engine.store import Condition, UnitStore

#: Words beside its quotations that make a question a sentence: in `"exact phrase" word` the
#: quotation marks are meant.
SENTENCE = 3
#: Names looked through for a quotation.
NAMES = 40


def relax_phrases(
    query: Query, store: UnitStore, names: NameIndex
) -> tuple[Query, Sequence[tuple[str, ...]]]:
    """The query as it can be met, and for each phrase the units that hold its words, where these
    can be listed.

    A sentence quotes from memory, and what it quotes may have been misread: if nothing holds the
    quotations as they stand, they are words like the others.
    """
    listed = (store.holding(phrase) for phrase in query.phrases)
    candidate_ids = [tuple(unit_ids) for unit_ids in listed if unit_ids is not None]
    beside = len(query.text.split()) - sum(len(p.split()) for p in query.phrases)
    if not query.phrases or beside < SENTENCE:
        return query, candidate_ids
    demands = Condition(
        query.filters,
        phrases=query.phrases,
        excluded=query.excluded,
        candidate_ids=tuple(candidate_ids),
    )
    if store.exists(demands):
        return query, candidate_ids
    found = names(query.text.split(), NAMES, query.filters)
    if any(in_name(match.file.path, query) for match in found):
        return query, candidate_ids
    return replace(query, phrases=()), []


def in_name(path: str, query: Query) -> bool:
    """Whether a file known by name only meets the phrases and exclusions: its name has to."""
    name = path.lower()
    return all(p.lower() in name for p in query.phrases) and not any(
        word.lower() in name for word in query.excluded
    )
