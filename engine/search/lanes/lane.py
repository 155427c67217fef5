"""What a lane is: a way to find candidates, to tell features of them, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from engine.search.candidates import Candidates
from engine.search.context import QueryContext
from engine.search.features import Feature, FeatureMatrix, Floats
from engine.store import Candidate

LaneStage = Literal["words", "fused", "seen", "rescored"]


class Lane:
    """A row of engine.search.lanes.LANES; stateless: what belongs to a query is in its context."""

    #: The columns it fills; the first says which candidates the lane itself found.
    columns: ClassVar[tuple[Feature, ...]]
    #: "words" for what needs no model: it is looked up while the model reads the question, and must
    #: not wait for that. "seen" for what needs the sight model, which may have to be loaded: the
    #: others' answer is shown before. "rescored" for what is too costly for every candidate: it
    #: sees the best fused ones.
    stage: ClassVar[LaneStage] = "fused"
    #: Whether its columns are fitted; those that no judged question asks keep their rows' weights.
    fitted: ClassVar[bool] = True

    def asked(self, context: QueryContext) -> bool:
        """Whether the question holds anything for it; else it is left out."""
        return True

    def candidates(self, context: QueryContext) -> Sequence[Candidate]:
        """What it proposes, best first; a unit NO_UNIT proposes the file as a whole."""
        return ()

    def features(self, context: QueryContext, candidates: Candidates) -> Mapping[str, Floats]:
        """[k] of each column: NaN where it tells nothing of a candidate."""
        raise NotImplementedError

    def found(self, features: FeatureMatrix) -> NDArray[np.bool_]:
        """[k] which candidates it is shown to have found."""
        return ~np.isnan(features.raw(self.columns[0].name))


def column(values: Sequence[float | None]) -> Floats:
    """A column [k] with NaN for None."""
    return np.array([np.nan if v is None else v for v in values], dtype=np.float32)
