"""The lane of what is seen: pictures that a sight model finds near the question, typed or shown."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.contract.errors import InklingError
from engine.search.candidates import Candidates
from engine.search.context import QueryContext
from engine.search.features import Feature, FeatureMatrix, Floats
from engine.search.lanes.lane import Lane, column
from engine.search.picture_likeness import (
    likenesses,
    nearest_pictures,
    usual_likenesses,
)
from engine.store import Candidate, Condition, Row, UnitStore

log = logging.getLogger(__name__)

POOL = 60
#: Cosines of a question with pictures lie in a narrow band that differs by model, device and
#: question: one that is near everything is near nothing. So what counts is how many standard
#: deviations above the usual a picture lies: up to the first nothing, from the second on fully.
#: The nearest of a thousand that have nothing to do with the question lies at 3.2.
_FROM, _TO = 2.0, 6.0
#: A spread as of so many more pictures, where there are few: as contrastive models publish theirs.
_PRIOR, _PRIOR_WEIGHT = 0.02, 8
#: Standard deviation of normal values by the median of their distances from the middle.
_NORMAL = 1.4826
#: From here on a picture is said to be found by what is seen on it.
SEEN = 0.25


class Seen(Lane):
    """Nearest neighbours of the question among the pictures that the sight model saw. Where it
    can't be asked that is said in the context, and the other lanes answer."""

    # A photograph has hardly a word: what is plainly seen on it counts as much as a passage that
    # answers, and less than one that answers word by word.
    columns = (Feature("seen", 0.8, leaning={"picture": 1.2}),)
    stage = "seen"
    fitted = False

    def asked(self, context: QueryContext) -> bool:
        sight = context.sight
        return sight is not None and sight.asks(context.query)

    def candidates(self, context: QueryContext) -> Sequence[Candidate]:
        """Each picture, or page, by the first of its units."""
        sight, query, store = context.sight, context.query, context.sources.store
        assert sight is not None
        if context.not_seen is not None:
            return []
        try:
            asked = context.sight_question
            size = max(POOL, context.wanted)
            found = nearest_pictures(sight, asked, Condition(query.filters), size)
        except InklingError as error:
            log.warning("Pictures could not be asked: %s", error)
            context.not_seen = error
            return []
        if query.phrases or query.excluded:  # told by the words of the same files
            kept = store.files_with(context.condition(), [file_id for file_id, _, _ in found])
            found = [one for one in found if one[0] in kept]
        units = _units(store, [(file_id, page) for file_id, page, _ in found])
        return [
            Candidate(unit_id, file_id, score)
            for unit_id, (file_id, _, score) in zip(units, found, strict=True)
            if unit_id
        ]

    def features(self, context: QueryContext, candidates: Candidates) -> Mapping[str, Floats]:
        sight = context.sight
        assert sight is not None
        known: Mapping[int, Mapping[int | None, float]] = {}
        rows: Mapping[str, Row] = {}
        if context.not_seen is None:
            try:
                asked = context.sight_question
                known = likenesses(sight, asked, set(candidates.file_ids))
                usual = usual_likenesses(sight, asked)
            except InklingError as error:
                log.warning("Pictures could not be asked: %s", error)
                context.not_seen = error
                known = {}
        if any(None not in pages for pages in known.values()):
            rows = candidates.rows.of(candidates.unit_ids)
        told = [
            _of(known.get(file_id, {}), rows.get(unit_id))
            for unit_id, file_id in zip(candidates.unit_ids, candidates.file_ids, strict=True)
        ]
        cosines = column(told)
        return {"seen": standing_out(cosines, usual) if known else cosines}

    def found(self, features: FeatureMatrix) -> NDArray[np.bool_]:
        """Every picture has a cosine: it found those that stand out."""
        return features.raw("seen") >= SEEN


def standing_out(cosines: Floats, usual: Floats) -> Floats:
    """[k] 0 for pictures as near as any, 1 for one that stands out, of cosines [k] with a question
    and those of some pictures [n]; NaN stays."""
    middle = float(np.median(usual)) if len(usual) else 0.0
    # By the median: of few pictures the one that is meant would widen the spread by itself.
    usually = _NORMAL * float(np.median(np.abs(usual - middle))) if len(usual) else 0.0
    spread = len(usual) * usually**2 + _PRIOR_WEIGHT * _PRIOR**2
    deviation = np.sqrt(spread / (len(usual) + _PRIOR_WEIGHT))
    away = (cosines - middle) / deviation
    return np.asarray(np.clip((away - _FROM) / (_TO - _FROM), 0.0, 1.0), np.float32)


def _of(pages: Mapping[int | None, float], row: Row | None) -> float | None:
    """The cosine of a unit's page, or the best of the file where no unit is known."""
    if row is None:
        return max(pages.values(), default=None)
    return pages.get(None, pages.get(row.page))


def _units(store: UnitStore, places: Sequence[tuple[int, int | None]]) -> list[str]:
    """The first unit of each picture or page of a file; "" where none is in the index."""
    first = store.rows([f"{file_id}:0" for file_id, _ in places])
    units = []
    for file_id, page in places:
        row = first.get(f"{file_id}:0")
        if row is None or (page is not None and row.page != page):
            rows = store.file_rows(file_id)
            row = next((r for r in rows if page is None or r.page == page), None)
        units.append("" if row is None else row.unit_id)
    return units
