"""Which of the first hits match, and from where on they are only similar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.search import signals
from engine.search.ranker import Logistic, Ranker, is_named
from engine.search.training.answered import OF_QUESTION, usable
from engine.search.training.judged import Judged
from engine.search.training.logistic import fit_logistic, numbers, with_products

NAMES = with_products(signals.OF_HIT, OF_QUESTION)
#: Hits looked at of each question, and how many of the right ones may be called only similar.
FIRST, MISSED = 10, 0.03


def fit_matching(sets: Mapping[str, Sequence[Judged]], ranker: Ranker) -> Logistic:
    """From the first hits of all questions, as this ranker orders them."""
    rows, right, owners = [], [], []
    for name, some in sets.items():
        for q in some:
            for told, yes in _hits(q, ranker) if usable(q) else ():
                if not is_named(told):
                    rows.append(numbers(NAMES, told))
                    right.append(yes)
                    owners.append(name)
    return fit_logistic(NAMES, np.stack(rows), np.array(right), owners, MISSED)


def cut(matching: Logistic, ranker: Ranker, questions: Sequence[Judged]) -> dict[str, float]:
    """Shares of the right hits and of the others that are called only similar."""
    above: dict[bool, list[bool]] = {True: [], False: []}
    for q in questions:
        told = list(_hits(q, ranker)) if usable(q) else []
        end = Ranker(matching=matching).count_matching([known for known, _ in told]) or 0
        for n, (_, yes) in enumerate(told):
            above[yes].append(n < end)
    return {
        title: round(1.0 - float(np.mean(above[yes])), 4) if above[yes] else 0.0
        for title, yes in (("right", True), ("others", False))
    }


def _hits(q: Judged, ranker: Ranker) -> Iterator[tuple[dict[str, float], bool]]:
    """Of each of the first items what is told of it, and whether it is right."""
    scores = q.scores(ranker)
    best: dict[int, int] = {}
    for place in np.argsort(-scores, kind="stable"):
        best.setdefault(int(q.items[place]), int(place))
    places: NDArray[np.intp] = np.array(list(best.values())[:FIRST], np.intp)
    told = signals.of_hits(q.features, scores, places)
    for n, place in enumerate(places):
        yield (
            {name: float(column[n]) for name, column in told.items()} | q.signals,
            bool(q.grades[place]),
        )
