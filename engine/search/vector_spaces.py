"""Scores from vector spaces of different adapters, which have no common scale, made comparable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import Adapter
from engine.search.candidates import Candidates
from engine.search.features import Floats
from engine.search.query_encoding import EncodedQuery


def by_adapter(candidates: Candidates, encoded: EncodedQuery) -> dict[Adapter, NDArray[np.intp]]:
    """Places of the candidates with a unit, by the adapter that asks them."""
    places = candidates.with_unit
    if len(encoded.by_adapter) == 1:
        owners = [next(iter(encoded.by_adapter))] * len(places)
    else:
        rows = candidates.rows.of([candidates.unit_ids[i] for i in places])
        first = next(iter(encoded.by_adapter))
        owners = [
            encoded.adapter_for(row.kind)
            if (row := rows.get(candidates.unit_ids[i])) is not None
            else first
            for i in places
        ]
    chosen = {
        adapter: np.array(
            [i for i, owner in zip(places, owners, strict=True) if owner == adapter], np.intp
        )
        for adapter in encoded.by_adapter
    }
    return {adapter: group for adapter, group in chosen.items() if len(group)}


def align_by_rank(scores: Floats, groups: Sequence[NDArray[np.intp]]) -> Floats:
    """[k] scores whose groups have no common scale, made comparable by rank.

    The best of every group counts alike, and so do the second best: what a rank is worth is the
    mean over the groups that reach it. One group stays as it is; NaN stays NaN.
    """
    orders = [group[np.argsort(-scores[group], kind="stable")] for group in groups]
    orders = [order[~np.isnan(scores[order])] for order in orders]
    orders = [order for order in orders if len(order)]
    if len(orders) < 2:
        return scores
    aligned = scores.copy()
    for rank in range(max(map(len, orders))):
        reached = [order[rank] for order in orders if len(order) > rank]
        aligned[reached] = scores[reached].mean()
    # Where the lower group ends early the mean could rise again.
    for order in orders:
        aligned[order] = np.minimum.accumulate(aligned[order])
    return aligned
