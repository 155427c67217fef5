"""Whether a question has an answer at all: a logistic model of its signals, and its threshold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from engine.search.ranker import ALWAYS, Answered, product
from engine.search.training.judged import Judged

BEST = (
    "best_dense", "best_document", "best_late", "best_exact_coverage", "best_proximity",
    "best_name", "best_name_whole", "best_name_coverage",
)  # fmt: skip
OF_QUESTION = ("length", "unreadable", "foreign", "code")
#: What is weighed: signals, and products of two.
NAMES = (*BEST, *OF_QUESTION, *(f"{best}*{other}" for best in BEST for other in OF_QUESTION))
RIDGE = 1e-3
STEPS = 200
#: Of answerable questions so many may be warned of; a needless warning is the expensive error.
FALSE_ALARMS = 0.005


def fit_answered(sets: Mapping[str, Sequence[Judged]]) -> Answered:
    """From all questions: those that were found something right for, and those of other sets; every
    set counts alike."""
    asked = [(name, q) for name, some in sets.items() for q in some if usable(q)]
    told = torch.from_numpy(np.stack([_numbers(q) for _, q in asked]))
    good = torch.tensor([float(answerable(q)) for _, q in asked])
    counts: dict[tuple[str, bool], int] = {}
    for name, q in asked:
        counts[name, answerable(q)] = counts.get((name, answerable(q)), 0) + 1
    share = torch.tensor([1.0 / counts[name, answerable(q)] for name, q in asked])
    share /= share.sum()
    weights = torch.zeros(told.shape[1], dtype=torch.float64).requires_grad_()
    optimiser = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        errors = torch.nn.functional.binary_cross_entropy_with_logits(
            told @ weights, good.double(), reduction="none"
        )
        value = (errors * share).sum() + RIDGE * (weights[1:] ** 2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    fitted = dict(zip((ALWAYS, *NAMES), weights.detach().numpy().round(4).tolist(), strict=True))
    return Answered(fitted, _threshold(Answered(fitted, 0.0), [q for _, q in asked]))


def usable(q: Judged) -> bool:
    """Not: a question whose answer is there and was not found, which is neither."""
    return not q.best_grades or bool(q.grades.any())


def answerable(q: Judged) -> bool:
    return bool(q.best_grades)


def warned(answered: Answered, questions: Sequence[Judged]) -> dict[str, float]:
    """Shares of questions with and without an answer that are said to match nothing well."""
    shares = {}
    for title, wanted in (("answerable", True), ("others", False)):
        mine = [q for q in questions if answerable(q) is wanted]
        weak = [answered.probability(q.signals) < answered.weak_below for q in mine]
        shares[title] = round(float(np.mean(weak)), 4) if mine else 0.0
    return shares


def _threshold(answered: Answered, questions: Sequence[Judged]) -> float:
    """The highest at which no more of the answerable ones than FALSE_ALARMS are below it."""
    known = sorted(answered.probability(q.signals) for q in questions if answerable(q))
    return math.floor(known[int(FALSE_ALARMS * len(known))] * 1e4) / 1e4


def _numbers(q: Judged) -> NDArray[np.float64]:
    return np.array([1.0, *(product(name, q.signals) for name in NAMES)])
