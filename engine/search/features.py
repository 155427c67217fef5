"""The feature matrix: what every lane tells of every candidate, in named columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the matrix, and how the ranker reads it."""

    name: str
    weight: float  # how much it counts until the ranker is fitted; fitting starts from it
    relative: bool = False  # has no scale of its own: counts as a share of the query's best
    stand_in: str = ""  # the feature that counts where this one is missing; "": nothing does
    #: How much more it counts for each unit of a signal of the question, until that is fitted.
    leaning: Mapping[str, float] = field(default_factory=dict)


class FeatureMatrix:
    """k candidates by named features: columns [k] float32, NaN where a lane tells nothing."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._columns: dict[str, Floats] = {}
        self._features: dict[str, Feature] = {}

    def __len__(self) -> int:
        """Number of candidates."""
        return self._size

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def add(self, feature: Feature, column: Floats) -> None:
        """Set a column [k]; ValueError if it is of another shape or type."""
        if column.shape != (self._size,) or column.dtype != np.float32:
            raise ValueError(
                f"feature {feature.name}: {column.dtype}{list(column.shape)},"
                f" not float32[{self._size}]"
            )
        self._features[feature.name] = feature
        self._columns[feature.name] = column

    def raw(self, name: str) -> Floats:
        """[k] as the lane gave it; all NaN for a column that is not there."""
        column = self._columns.get(name)
        return np.full(self._size, np.nan, np.float32) if column is None else column

    def value(self, name: str) -> Floats:
        """[k] as it counts: scaled, without gaps."""
        feature = self._features.get(name)
        if feature is None:
            return np.zeros(self._size, np.float32)
        column = self._columns[name]
        missing = np.isnan(column)
        if feature.relative:
            best = float(np.max(column, initial=0.0, where=~missing))
            column = column / np.float32(max(best, 1e-9))
        filling = self.value(feature.stand_in) if feature.stand_in else np.float32(0.0)
        return np.where(missing, filling, column).astype(np.float32)

    def weighted(self, weights: Mapping[str, float]) -> Floats:
        """[k] the weighted sum of all columns."""
        total = np.zeros(self._size, np.float32)
        for name in self._columns:
            total += np.float32(weights[name]) * self.value(name)
        return total

    def taken(self, places: NDArray[np.intp]) -> FeatureMatrix:
        """Of other candidates [m]: of each the values at its place here, NaN where that is -1."""
        new = FeatureMatrix(len(places))
        for name, feature in self._features.items():
            column = np.full(len(places), np.nan, np.float32)
            column[places >= 0] = self._columns[name][places[places >= 0]]
            new.add(feature, column)
        return new

    def replaced(self, name: str, column: Floats) -> FeatureMatrix:
        """The same with another column [k] in place of one."""
        copy = FeatureMatrix(self._size)
        for known, feature in self._features.items():
            copy.add(feature, column if known == name else self._columns[known])
        return copy
