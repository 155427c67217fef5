"""The late lane: late interaction of the question's tokens with those of the best fused units."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.search.candidates import Candidates
from engine.search.context import QueryContext
from engine.search.features import Feature, Floats
from engine.search.lanes.lane import Lane
from engine.search.vector_spaces import align_by_rank, by_adapter


class Late(Lane):
    """MaxSim over stored multi-vectors; it proposes nothing."""

    # Mean MaxSim, -1..1; a unit without multi-vector gets its cosine instead.
    columns = (
        Feature(
            "late",
            1.5,
            stand_in="dense",
            # Where a file holds the question's very words, these tell more than its meaning.
            leaning={
                "best_exact_coverage": -0.7,
                "unreadable": -0.7,
                "code": -0.17,
                "digits": -0.2,
            },
        ),
    )
    stage = "rescored"

    def asked(self, context: QueryContext) -> bool:
        return context.asks_model

    def features(self, context: QueryContext, candidates: Candidates) -> Mapping[str, Floats]:
        late = np.full(len(candidates), np.nan, np.float32)
        rows = candidates.rows.of(candidates.unit_ids)
        known = [rows[uid] for uid in candidates.unit_ids if uid in rows]
        matches = context.tokens.of(known)
        for i, uid in enumerate(candidates.unit_ids):
            match = matches.get(uid)
            if match is not None and len(match.record.tokens):
                # No tokens: lost with a damaged segment. Not known is not bad.
                late[i] = match.score
        if not context.sources.spec.shared_single:
            late = align_by_rank(late, list(by_adapter(candidates, context.encoded).values()))
        return {"late": late}
