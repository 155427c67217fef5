"""Weights by listwise softmax: of each question's candidates a right one is to come first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.search.lanes import LANES
from engine.search.ranker import ALWAYS, Ranker, starting
from engine.search.training.judged import Judged

#: Signals that may change a feature's weight.
SIGNALS = ("length", "unreadable", "foreign", "code", "digits", "best_exact_coverage")
#: How strongly weights are drawn to what the lanes' rows say, and how much more strongly those that
#: a signal adds: a handful of questions moves nothing. By what left-out sets say.
RIDGE, RIDGE_OF_SIGNALS = 0.2, 3.0
STEPS = 100


def fit_weights(
    sets: Mapping[str, Sequence[Judged]],
    start: Ranker,
    without: Sequence[str] = (),
    ridge: float = RIDGE,
) -> dict[str, dict[str, float]]:
    """By feature and signal, drawn to those of `start`; every set counts alike. Features in
    `without` count nothing."""
    rows = [feature for lane in LANES.values() if lane.fitted for feature in lane.columns]
    names = [feature.name for feature in rows]
    told = (ALWAYS, *SIGNALS)
    first = [start.weights.get(row.name) or starting(row) for row in rows]
    prior = torch.tensor([[weights.get(name, 0.0) for name in told] for weights in first])
    kept = torch.tensor([[float(name not in without)] for name in names])
    asked = [(name, q) for name, some in sets.items() for q in some if q.grades.any()]
    counts = {name: sum(other == name for other, _ in asked) for name in sets}
    share = torch.tensor([1.0 / (counts[name] * len(sets)) for name, _ in asked])
    values = torch.from_numpy(np.concatenate([_products(q, names) for _, q in asked]))
    owner = torch.from_numpy(np.repeat(np.arange(len(asked)), [len(q.grades) for _, q in asked]))
    right = torch.from_numpy(np.concatenate([q.grades > 0 for _, q in asked]))

    def misplaced(weights: Tensor, scale: Tensor) -> Tensor:
        scores = values @ (weights * kept).reshape(-1) * scale.exp()
        every = _log_sum(scores, owner, len(asked))
        hoped = _log_sum(scores.masked_fill(~right, -1e9), owner, len(asked))
        return ((every - hoped) * share).sum()

    # Softmax has a scale of its own. It is found first and kept, so that the weights keep theirs.
    scale = torch.tensor(1.0, requires_grad=True)
    _minimise(lambda: misplaced(prior, scale), [scale])
    scale = scale.detach()
    weights = prior.clone().requires_grad_()
    pull = torch.full_like(prior, ridge * RIDGE_OF_SIGNALS)
    pull[:, 0] = ridge
    # In the scores' own scale, whatever that is.
    pull *= (2 * scale).exp()
    _minimise(lambda: misplaced(weights, scale) + (pull * (weights - prior) ** 2).sum(), [weights])
    table = (weights * kept).detach().numpy().round(4).tolist()
    return {name: dict(zip(told, row, strict=True)) for name, row in zip(names, table, strict=True)}


def _minimise(loss: Callable[[], Tensor], parameters: list[Tensor]) -> None:
    optimiser = torch.optim.LBFGS(parameters, max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(closure)  # type: ignore[no-untyped-call]


def _products(q: Judged, names: Sequence[str]) -> NDArray[np.float32]:
    """[k, f (1 + s)]: each feature alone and by each signal."""
    values = np.stack([q.features.value(name) for name in names], axis=1)
    told = np.array([1.0, *(q.signals.get(name, 0.0) for name in SIGNALS)], np.float32)
    return (values[:, :, None] * told).reshape(len(values), -1).astype(np.float32)


def _log_sum(scores: Tensor, owner: Tensor, size: int) -> Tensor:
    """[size] log of the sum of exponentials of the scores of each owner."""
    top = torch.full((size,), -1e9).scatter_reduce(0, owner, scores.detach(), "amax")
    sums = torch.zeros(size).scatter_add(0, owner, torch.exp(scores - top[owner]))
    return torch.log(sums.clamp_min(1e-30)) + top
