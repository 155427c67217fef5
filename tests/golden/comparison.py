"""Our arrays held against golden ones, and what is said of the outcome."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
#: Which arrays to look at; all by default.
Only = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Difference:
    """One array held against ours."""

    key: str
    kind: str
    found: float
    limit: float

    @property
    def ok(self) -> bool:
        return self.found <= self.limit  # false for nan


def load_arrays(folder: Path) -> dict[str, Array]:
    """All of golden.npz."""
    with (folder / "golden.npz").open("rb") as stream, np.load(stream) as arrays:
        return {key: arrays[key] for key in arrays.files}


def same(key: str, kind: str, golden: Array, ours: Array) -> Difference:
    """Identical, or not at all."""
    return Difference(key, kind, float(not np.array_equal(golden, ours)), 0)


def near(key: str, kind: str, golden: Array, ours: Array, limit: float) -> Difference:
    """Greatest absolute difference; infinite where the shapes differ."""
    worst = float(np.abs(golden - ours).max()) if golden.shape == ours.shape else np.inf
    return Difference(key, kind, worst, limit)


def report(differences: Iterable[Difference]) -> bool:
    """Print the worst of each kind, then all that are beyond their limit; whether none is."""
    kinds: dict[str, list[Difference]] = defaultdict(list)
    for difference in differences:
        kinds[difference.kind].append(difference)
    for kind, found in sorted(kinds.items()):
        worst = max(found, key=lambda d: (not d.ok, d.found))
        verdict = "ok  " if worst.ok else "FAIL"
        print(
            f"{verdict} {kind:32} {len(found):4} compared, worst {worst.found:.2g} "
            f"(limit {worst.limit:.0e}) at {worst.key}"
        )
    bad = [d for found in kinds.values() for d in found if not d.ok]
    for difference in bad:
        print(f"     {difference.key}: {difference.found:.3g} > {difference.limit:.0e}")
    total = sum(map(len, kinds.values()))
    print(f"{total - len(bad)} of {total} comparisons hold.")
    return total > 0 and not bad
