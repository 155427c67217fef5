"""Judged questions with the features of their candidates, as
tests.benchmarks.ranker_data writes them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.search.features import FeatureMatrix
from engine.search.lanes import LANES
from engine.search.ranker import Ranker, below_rescored

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Judged:
    """One question: k candidates of some items (files or pages) with their grades."""

    text: str
    origin: str  # "own", "name", "foreign"
    features: FeatureMatrix
    grades: NDArray[np.int8]  # [k]
    items: NDArray[np.int32]  # [k]
    rescored: NDArray[np.bool_]  # [k]
    signals: dict[str, float]
    best_grades: Sequence[int]  # of the ten best answers there are, found or not

    def scores(self, ranker: Ranker) -> Floats:
        """[k] of the last stage."""
        rows = [feature for lane in LANES.values() for feature in lane.columns]
        scores = self.features.weighted(ranker.weights_for(rows, self.signals))
        rest = ~self.rescored & ~np.isnan(self.features.raw("dense"))
        if rest.any() and self.rescored.any():
            scores[rest] = below_rescored(scores[self.rescored], scores[rest])
        return scores

    def first_grades(self, scores: Floats) -> list[int]:
        """Grades of the ten best items, each by its best candidate."""
        seen: dict[int, int] = {}
        for i in np.argsort(-scores, kind="stable"):
            seen.setdefault(int(self.items[i]), int(self.grades[i]))
            if len(seen) == 10:
                break
        return list(seen.values())

    def ndcg(self, scores: Floats) -> float:
        """nDCG@10 (exponential gain)."""
        grades = self.first_grades(scores)
        gain = sum((2**g - 1) / math.log2(n + 2) for n, g in enumerate(grades))
        ideal = sum((2**g - 1) / math.log2(n + 2) for n, g in enumerate(self.best_grades))
        return gain / ideal if ideal else 0.0


def load(path: Path) -> list[Judged]:
    """Every question of a set."""
    with np.load(path) as arrays:
        return list(_questions({name: arrays[name] for name in arrays.files}))


def _questions(arrays: dict[str, NDArray[np.generic]]) -> Iterator[Judged]:
    meta = json.loads(str(arrays["meta"]))
    rows = {f.name: f for lane in LANES.values() for f in lane.columns}
    owner = arrays["question"]
    for number, asked in enumerate(meta["questions"]):
        mine = np.flatnonzero(owner == number)
        features = FeatureMatrix(len(mine))
        for place, name in enumerate(meta["features"]):
            if name in rows:
                features.add(rows[name], arrays["features"][mine, place].astype(np.float32))
        told = arrays["signals"][number].tolist()
        yield Judged(
            asked["text"],
            asked["origin"],
            features,
            arrays["grade"][mine].astype(np.int8),
            arrays["item"][mine].astype(np.int32),
            arrays["rescored"][mine].astype(np.bool_),
            dict(zip(meta["signals"], told, strict=True)),
            asked["best"],
        )
