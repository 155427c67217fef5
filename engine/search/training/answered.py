"""Whether a question has an answer at all, by its signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.search.ranker import Logistic, Ranker, is_named
from engine.search.training.judged import Judged
from engine.search.training.logistic import fit_logistic, numbers, with_products

BEST = ("best_dense", "best_late", "best_exact_coverage", "best_name_coverage")
OF_QUESTION = ("length", "foreign", "digits")
#: What is near means another thing where the words themselves are there.
NAMES = (*with_products(BEST, OF_QUESTION), *(f"{name}*best_exact_coverage" for name in BEST))
#: Of answerable questions so many may be warned of; a needless warning is the expensive error. Of
#: sets left out it was twice as many.
FALSE_ALARMS = 0.003


def fit_answered(sets: Mapping[str, Sequence[Judged]]) -> Logistic:
    """From all questions: those that were found something right for, and those of other sets."""
    asked = [(name, q) for name, some in sets.items() for q in some if usable(q)]
    open_ = [(name, q) for name, q in asked if not is_named(q.signals, "best_")]
    told = np.stack([numbers(NAMES, q.signals) for _, q in open_])
    right = np.array([answerable(q) for _, q in open_])
    return fit_logistic(NAMES, told, right, [name for name, _ in open_], FALSE_ALARMS)


def usable(q: Judged) -> bool:
    """Not: a question whose answer is there and not among the first three: further down it may
    stand by chance, and a warning is in place."""
    return not q.best_grades or any(q.first_grades(q.scores(Ranker()))[:3])


def answerable(q: Judged) -> bool:
    return bool(q.best_grades)


def warned(answered: Logistic, questions: Sequence[Judged]) -> dict[str, float]:
    """Shares of questions with and without an answer that are said to match nothing well; of those
    whose answer was found, where there is one."""
    shares = {}
    for title, wanted in (("answerable", True), ("others", False)):
        mine = [q for q in questions if answerable(q) is wanted and usable(q)]
        weak = [Ranker(answered=answered).is_weak(q.signals) for q in mine]
        shares[title] = round(float(np.mean(weak)), 4) if mine else 0.0
    return shares
