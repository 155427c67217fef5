"""The sight lane: pictures that look like the question's."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.contract.errors import InklingError
from engine.contract.types import Look
from engine.search.candidates import Candidates
from engine.search.context import QueryContext
from engine.search.features import Feature, FeatureMatrix, Floats
from engine.search.lanes.lane import Lane, column
from engine.search.same_picture import likeness, sureness
from engine.store import Candidate, Condition, Looks

log = logging.getLogger(__name__)

POOL = 100
#: Of the nearest, those that are laid over the picture: it is among the first 20 in all of 80
#: trials but for one made four times smaller. 30 take 70 ms.
COMPARED = 30
#: From here on a picture is said to be found by its look.
SEEN = 0.1
#: From here on it looks alike in some way; of any two pictures one pair in a hundred has 0.6.
ALIKE_AT_ALL = 0.4


class Sight(Lane):
    """Nearest neighbours of how the query picture looks. Where looks can't be read it says so in
    the context, and the other lanes answer."""

    # With a picture alone its look decides and words come after: all of them together weigh less
    # than a look that is one of a series. Words that were typed with it choose among what looks
    # alike. How the two stand to each other is measured: see engine.search.same_picture.
    columns = (
        # Likeness of the looks, 0..1.
        Feature("sight", 0.0, leaning={"picture": 6.0, "mixed": -3.0}),
        # How surely it is the very picture, cut or made smaller, 0..1; asked with words it is
        # another one that is wanted.
        Feature("sight_same", 0.0, leaning={"picture": 4.5, "mixed": -4.5}),
        # Whether it looks alike at all, 0..1. Words typed with a picture choose among what looks
        # alike: a note that holds them all is worth 1.0 to 2.2, a picture that is half as alike as
        # the same one 1.5 for its look.
        Feature("sight_alike", 0.0, leaning={"mixed": 0.8}),
    )
    stage = "words"
    fitted = False

    def asked(self, context: QueryContext) -> bool:
        return context.query.look is not None and context.sources.looks is not None

    def candidates(self, context: QueryContext) -> Sequence[Candidate]:
        """Each picture by the first of its units."""
        query, looks, store = context.query, context.sources.looks, context.sources.store
        assert query.look is not None
        assert looks is not None
        size = max(POOL, context.wanted)
        try:
            found = dict(looks.nearest(query.look, Condition(query.filters), size))
        except InklingError as error:
            log.warning("Looks could not be asked: %s", error)
            context.not_looked = error
            return []
        if query.phrases or query.excluded:  # told by the words of the same files
            kept = store.files_with(context.condition(), list(found))
            found = {file_id: score for file_id, score in found.items() if file_id in kept}
        first = store.rows(f"{file_id}:0" for file_id in found)
        proposed = []
        for file_id, score in found.items():
            unit_id = f"{file_id}:0"
            if unit_id not in first:  # its first passage was withheld
                rows = store.file_rows(file_id)
                if not rows:
                    continue
                unit_id = rows[0].unit_id
            proposed.append(Candidate(unit_id, file_id, score))
        return proposed

    def features(self, context: QueryContext, candidates: Candidates) -> Mapping[str, Floats]:
        looks, look = context.sources.looks, context.query.look
        assert look is not None
        assert looks is not None
        alike: Mapping[int, float] = {}
        same: Mapping[int, float] = {}
        if context.not_looked is None:
            try:
                alike = looks.likeness(look, set(candidates.file_ids))
                same = self._same(looks, look, alike)
            except InklingError as error:
                log.warning("Looks could not be asked: %s", error)
                context.not_looked = error
        told = [alike.get(file_id) for file_id in candidates.file_ids]
        near = likeness(column(told))
        return {
            "sight": near,
            "sight_alike": np.asarray(np.clip(near / ALIKE_AT_ALL, 0.0, 1.0), np.float32),
            "sight_same": column([same.get(file_id) for file_id in candidates.file_ids]),
        }

    def _same(self, looks: Looks, look: Look, alike: Mapping[int, float]) -> dict[int, float]:
        """How surely each of the nearest is the same picture."""
        nearest = sorted(alike, key=lambda file_id: -alike[file_id])[:COMPARED]
        others = looks.of(nearest)
        sure = sureness(look, list(others.values()))
        return dict(zip(others, sure.tolist(), strict=True))

    def found(self, features: FeatureMatrix) -> NDArray[np.bool_]:
        """Every picture has a cosine: it found those that look like the question's at all."""
        return features.raw("sight") >= SEEN
