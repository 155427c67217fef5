"""Whether a question has an answer at all, by its signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.search.ranker import Logistic
from engine.search.training.judged import Judged
from engine.search.training.logistic import fit_logistic, numbers, with_products

BEST = (
    "best_dense", "best_document", "best_late", "best_exact_coverage", "best_proximity",
    "best_name", "best_name_whole", "best_name_coverage",
)  # fmt: skip
OF_QUESTION = ("length", "unreadable", "foreign", "code")
NAMES = with_products(BEST, OF_QUESTION)
#: Of answerable questions so many may be warned of; a needless warning is the expensive error.
FALSE_ALARMS = 0.005


def fit_answered(sets: Mapping[str, Sequence[Judged]]) -> Logistic:
    """From all questions: those that were found something right for, and those of other sets."""
    asked = [(name, q) for name, some in sets.items() for q in some if usable(q)]
    told = np.stack([numbers(NAMES, q.signals) for _, q in asked])
    right = np.array([answerable(q) for _, q in asked])
    return fit_logistic(NAMES, told, right, [name for name, _ in asked], FALSE_ALARMS)


def usable(q: Judged) -> bool:
    """Not: a question whose answer is there and was not found, which is neither."""
    return not q.best_grades or bool(q.grades.any())


def answerable(q: Judged) -> bool:
    return bool(q.best_grades)


def warned(answered: Logistic, questions: Sequence[Judged]) -> dict[str, float]:
    """Shares of questions with and without an answer that are said to match nothing well."""
    shares = {}
    for title, wanted in (("answerable", True), ("others", False)):
        mine = [q for q in questions if answerable(q) is wanted]
        weak = [not answered.holds(q.signals) for q in mine]
        shares[title] = round(float(np.mean(weak)), 4) if mine else 0.0
    return shares
