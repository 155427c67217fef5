"""The names lane: files whose name or folders carry words of the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.search.candidates import NO_UNIT, Candidates
from engine.search.context import QueryContext
from engine.search.features import Feature, Floats
from engine.search.lanes.lane import Lane, column
from engine.store import Candidate


class Names(Lane):
    """Proposes whole files; what of their content answers is for the other lanes to say."""

    columns = (Feature("name", 0.14),)  # 0..1
    stage = "words"

    def candidates(self, context: QueryContext) -> Sequence[Candidate]:
        return [Candidate(NO_UNIT, match.file.file_id, match.score) for match in context.names]

    def features(self, context: QueryContext, candidates: Candidates) -> Mapping[str, Floats]:
        scores = {match.file.file_id: match.score for match in context.names}
        return {"name": column([scores.get(file_id) for file_id in candidates.file_ids])}
