"""The names lane: files whose name or folders carry words of the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.search.candidates import NO_UNIT, Candidates
from engine.search.context import QueryContext
from engine.search.features import Feature, Floats
from engine.search.lanes.lane import Lane, column
from engine.store import Candidate

#: Of NameParts, those that are features.
PARTS = ("whole", "coverage", "cover", "in_order", "folder", "typos")


class Names(Lane):
    """Proposes whole files; what of their content answers is for the other lanes to say."""

    columns = (
        Feature("name", 0.14),  # all its parts together, 0..1; those below only tell them apart
        # The name or its stem was typed: 1. More than all else: it is that file that is meant.
        Feature("name_whole", 2.0),
        Feature("name_coverage", 0.0),  # share of the question that the name holds, 0..1
        Feature("name_cover", 0.0),  # share of the name that the question is, 0..1
        Feature("name_in_order", 0.0),  # all words in their order: 1
        Feature("name_folder", 0.0),  # share of the question that only folders hold, 0..1
        Feature("name_typos", 0.0),  # typing errors mended
    )
    stage = "words"

    def candidates(self, context: QueryContext) -> Sequence[Candidate]:
        return [Candidate(NO_UNIT, match.file.file_id, match.score) for match in context.names]

    def features(self, context: QueryContext, candidates: Candidates) -> Mapping[str, Floats]:
        found = {match.file.file_id: match for match in context.names}
        told = [found.get(file_id) for file_id in candidates.file_ids]
        columns = {"name": column([None if match is None else match.score for match in told])}
        for part in PARTS:
            values = [None if m is None else float(getattr(m.parts, part)) for m in told]
            columns[f"name_{part}"] = column(values)
        return columns
