"""How near a question is to what a sight model saw: by directions, or, where a model has no other
measure, by late interaction of tokens over the nearest by the mean of these."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import Encoding
from engine.search.late_interaction import maxsim
from engine.search.ports import SightSource
from engine.store.condition import Condition
from engine.store.sightings import Place

#: Pictures and pages that a mean of tokens proposes: nobody trained it, and MaxSim is to find the
#: right one among many. (A mean trained for it still loses half of what MaxSim finds: BiModernVBERT
#: beside ColModernVBERT, 35.7 and 55.3 nDCG@5 on ViDoRe v2.)
PROPOSED = 300
#: Of these at most so many of one file.
_PAGES = 4


def nearest_pictures(
    sight: SightSource, asked: Encoding, condition: Condition | None, limit: int
) -> list[tuple[int, int | None, float]]:
    """Files with the page that is nearest and how near it is, the best first."""
    if not sight.late_only:
        return sight.sightings.nearest(asked.single, condition, limit)
    found = sight.sightings.nearest(asked.single, condition, max(PROPOSED, limit), pages=_PAGES)
    near = _by_tokens(sight, asked, {(file_id, page) for file_id, page, _ in found})
    best: dict[int, tuple[int | None, float]] = {}
    for (file_id, page), likeness in sorted(near.items(), key=lambda one: -one[1]):
        best.setdefault(file_id, (page, likeness))
    return [(file_id, *told) for file_id, told in best.items()][:limit]


def likenesses(
    sight: SightSource, asked: Encoding, file_ids: Collection[int]
) -> Mapping[int, Mapping[int | None, float]]:
    """Of these files how near each picture is, by page; by tokens of the nearest pages alone. A
    file that was not seen is left out."""
    cosines = sight.sightings.cosines(asked.single, file_ids)
    if not sight.late_only:
        return cosines
    places: set[Place] = set()
    for file_id, pages in cosines.items():
        nearest = sorted(pages, key=lambda page: -pages[page])[:_PAGES]
        places.update((file_id, page) for page in nearest)
    told: dict[int, dict[int | None, float]] = {}
    for (file_id, page), likeness in _by_tokens(sight, asked, places).items():
        told.setdefault(file_id, {})[page] = likeness
    return told


def usual_likenesses(sight: SightSource, asked: Encoding) -> NDArray[np.float32]:
    """[n] of some pictures, whatever is asked."""
    if not sight.late_only:
        return np.asarray(sight.sightings.sample() @ asked.single, np.float32)
    records = sight.sightings.some_tokens()
    return maxsim(asked.tokens, [record.tokens for record in records]).scores


def _by_tokens(sight: SightSource, asked: Encoding, places: set[Place]) -> dict[Place, float]:
    records = sight.sightings.tokens(places)
    scores = maxsim(asked.tokens, [record.tokens for record in records.values()]).scores
    return dict(zip(records, scores.tolist(), strict=True))
