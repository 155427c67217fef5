"""The dense lane: units, and whole files, whose direction is near the question's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.search.candidates import Candidates
from engine.search.context import QueryContext
from engine.search.features import Feature, FeatureMatrix, Floats
from engine.search.lanes.lane import Lane
from engine.search.pools import files_first
from engine.search.vector_spaces import align_by_rank, by_adapter
from engine.store import Candidate, Condition, UnitStore

#: Measured on the tuning sets: deeper pools change nDCG@10 by less than 0.002.
POOL = 100
#: Of these at most so many of one file, while there are other files.
OF_FILE = 3


class Dense(Lane):
    """Nearest neighbours of the single vector, in the space of each adapter."""

    columns = (
        Feature(
            "dense", 0.6, leaning={"unreadable": -0.45, "code": 0.1, "digits": -0.2}
        ),  # cosine with the passage
        # Cosine with the whole file: Markdown pages 0.608 -> 0.653 nDCG@10.
        Feature("document", 0.55, stand_in="dense", leaning={"unreadable": -0.55, "digits": -0.35}),
    )

    def asked(self, context: QueryContext) -> bool:
        return context.asks_model

    def candidates(self, context: QueryContext) -> Sequence[Candidate]:
        shared = context.sources.spec.shared_single
        found: list[Candidate] = []
        size = max(POOL, context.wanted)
        for adapter, encoding in context.encoded.by_adapter.items():
            ask = partial(
                _nearest,
                context.sources.store,
                encoding.single,
                context.condition(None if shared else adapter),
            )
            found += files_first(ask, size, OF_FILE, context.copies)
            if shared:  # the others' directions are the same
                break
        return found

    def features(self, context: QueryContext, candidates: Candidates) -> Mapping[str, Floats]:
        store, encoded = context.sources.store, context.encoded
        if context.sources.spec.shared_single:
            groups = {next(iter(encoded.by_adapter)): np.array(candidates.with_unit, np.intp)}
        else:
            groups = by_adapter(candidates, encoded)
        known = context.scores_of("dense")
        dense, document = (np.full(len(candidates), np.nan, np.float32) for _ in range(2))
        whole = store.vectors([uid for uid in candidates.unit_ids if uid], "document")
        for adapter, places in groups.items():
            single = encoded.by_adapter[adapter].single
            ids = {int(i): candidates.unit_ids[int(i)] for i in places}
            others = store.vectors([uid for uid in ids.values() if uid not in known])
            for i, uid in ids.items():
                if uid in known:
                    dense[i] = known[uid]
                elif uid in others:
                    dense[i] = others[uid] @ single
                if uid in whole:
                    document[i] = whole[uid] @ single
        if len(groups) > 1:
            dense = align_by_rank(dense, list(groups.values()))
            document = align_by_rank(document, list(groups.values()))
        return {"dense": dense, "document": document}

    def found(self, features: FeatureMatrix) -> NDArray[np.bool_]:
        """Every candidate has a cosine: it found those of which nearness brought the best."""
        dense = features.raw("dense")
        nearest = np.zeros(len(dense), dtype=np.bool_)
        nearest[np.argsort(-dense)[: POOL // 2]] = True
        return nearest & ~np.isnan(dense)


def _nearest(
    store: UnitStore, single: Floats, condition: Condition | None, size: int, without: Sequence[int]
) -> Sequence[Candidate]:
    return store.search_vector(single, condition, size, without=without)
