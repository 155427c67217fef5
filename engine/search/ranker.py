"""The ranker: one linear score from the features, with weights that lean on the question's signals.

What was fitted for an encoder stands in `fitted/ID.json` with where it comes from; it is written by
`python -m engine.search.training.fit_ranker`. Without such a file each feature counts as its row in
its lane says, and nothing is said of how probable an answer is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.search.features import Feature, Floats

Weights = Mapping[str, float]  # by feature
#: In place of a signal: what counts whatever the question.
ALWAYS = "always"
#: Likeness from which on pictures are of one series: of any two one pair in a hundred has more.
ALIKE = 0.6
#: How far a picture stands out from which on it is what was asked for: by no chance one among ten
#: thousand that have nothing to do with the question.
STANDS_OUT = 0.6
#: Features of pixels, and from which value on they are an answer by themselves.
BY_PIXELS: Weights = {"sight": ALIKE, "sight_same": 0.5, "seen": STANDS_OUT}
FITTED = Path(__file__).with_name("fitted")


class Logistic(msgspec.Struct, frozen=True):
    """A logistic model of a yes or no."""

    #: By the names of the numbers that are multiplied, joined by `*`.
    weights: dict[str, float]
    #: Below this probability it is a no.
    below: float

    def probability(self, told: Mapping[str, float]) -> float:
        """0..1 of a yes."""
        return 1.0 / (1.0 + math.exp(-_sum(self.weights, told)))

    def holds(self, told: Mapping[str, float]) -> bool:
        """Whether it is a yes."""
        return self.probability(told) >= self.below


class Ranker(msgspec.Struct, frozen=True):
    """Weights of one encoder."""

    #: By feature: what it counts always, and how much more for each unit of a signal.
    weights: dict[str, dict[str, float]] = {}
    answered: Logistic | None = None  # whether what is asked is among what was found
    matching: Logistic | None = None  # whether a hit answers, or is only similar
    #: Sets, date and figures, for whoever reads the file.
    fitted: dict[str, Any] = {}

    @classmethod
    def of(cls, model_id: str) -> Ranker:
        """As fitted for this encoder; without weights if it was not."""
        return _read(FITTED / f"{model_id}.json")

    def weights_for(self, features: Iterable[Feature], signals: Mapping[str, float]) -> Weights:
        """How much the value of each feature counts; a feature that is new since the fit counts as
        its row says."""
        return {
            feature.name: _sum(self.weights.get(feature.name) or starting(feature), signals)
            for feature in features
        }

    def is_weak(self, signals: Mapping[str, float]) -> bool:
        """Whether nothing matches well."""
        if self.answered is None or is_named(signals, "best_") or looks_alike(signals, "best_"):
            return False
        return not self.answered.holds(signals)

    def count_matching(self, hits: Sequence[Mapping[str, float]]) -> int | None:
        """How many of these hits, best first, answer: those after the last that does are only
        similar. None where that was not fitted."""
        if self.matching is None:
            return None
        for count in range(len(hits), 0, -1):
            hit = hits[count - 1]
            if is_named(hit) or looks_alike(hit) or self.matching.holds(hit):
                return count
        return 0

    def probabilities(self, hits: Sequence[Mapping[str, float]]) -> list[float] | None:
        """0..1 for each of these hits that it answers; None where that was not fitted."""
        return None if self.matching is None else [self.matching.probability(h) for h in hits]


def is_named(told: Mapping[str, float], prefix: str = "") -> bool:
    """Whether a name holds all that was typed, be there content or not: that is an answer."""
    return told.get(f"{prefix}name_coverage", 0.0) > 0.99


def looks_alike(told: Mapping[str, float], prefix: str = "") -> bool:
    """Whether it looks so much like the query picture that it is the same or one of a series, or
    the sight model finds it so much nearer than others that it is meant."""
    return any(told.get(f"{prefix}{name}", 0.0) >= least for name, least in BY_PIXELS.items())


def starting(feature: Feature) -> dict[str, float]:
    """What a feature counts before any fit."""
    return {ALWAYS: feature.weight, **feature.leaning}


def _sum(weights: Mapping[str, float], signals: Mapping[str, float]) -> float:
    return sum(weight * product(name, signals) for name, weight in weights.items())


def product(name: str, signals: Mapping[str, float]) -> float:
    """Of the signals a name joins; one that is not known yet is 0."""
    if name == ALWAYS:
        return 1.0
    return math.prod(signals.get(part, 0.0) for part in name.split("*"))


@lru_cache
def _read(path: Path) -> Ranker:
    if not path.exists():
        return Ranker()
    return msgspec.json.decode(path.read_bytes(), type=Ranker)


def below_rescored(rescored: Floats, fused: Floats) -> Floats:
    """Scores for what was not rescored: below all that was, in its fused order.

    rescored: final scores [r]; fused: first scores [k] of the others.
    """
    floor = rescored.min() - np.float32(1)
    return np.asarray(floor + fused - fused.max(initial=0.0), dtype=np.float32)
