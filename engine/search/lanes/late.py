"""The late lane: late interaction of the question's tokens with those of the best fused units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
        if "image" not in context.sources.spec.modalities:
            deal_by_direction(
                late,
                context,
                [
                    (i, uid)
                    for i, uid in enumerate(candidates.unit_ids)
                    if uid in rows and not rows[uid].text
                ],
            )
        if not context.sources.spec.shared_single:
            late = align_by_rank(late, list(by_adapter(candidates, context.encoded).values()))
        return {"late": late}


def deal_by_direction(
    late: Floats, context: QueryContext, pictures: Sequence[tuple[int, str]]
) -> None:
    """Give the best of these values to the picture that is nearest as a whole, and so on: of
    pictures without text a list of words is known, whose single words tell less than their mean
    (of 292 descriptions of photos 0.449 find theirs by them among ten, by its direction 0.572)."""
    places = [i for i, _ in pictures if not np.isnan(late[i])]
    if len(places) < 2:
        return
    ids = [uid for i, uid in pictures if not np.isnan(late[i])]
    vectors = context.sources.store.vectors(ids)
    asked = next(iter(context.encoded.by_adapter.values())).single
    near = [float(vectors[uid] @ asked) if uid in vectors else -1.0 for uid in ids]
    order = np.argsort(-np.array(near), kind="stable")
    late[np.array(places)[order]] = -np.sort(-late[places])
